//! Records, one JSON object a line, and what is said of a line that cannot be used.

use ledger_domain::ids::IdError;
use thiserror::Error;

/// A line that could not be used.
#[derive(Debug, Error)]
#[error("line {line}: {fault}")]
pub struct LineError {
    /// Its number, from 1; 0 for what stands before all lines.
    pub line: u64,
    /// What is wrong with it.
    #[source]
    pub fault: LineFault,
}

/// What is wrong with a line.
#[derive(Debug, Error)]
pub enum LineFault {
    /// Not one of the source's records.
    #[error("not a record of this source")]
    Record(#[source] serde_json::Error),
    /// It refers to a record that no earlier line has.
    #[error("no earlier line has the record {0}")]
    Unknown(String),
    /// An id or code cannot be made of it.
    #[error(transparent)]
    Id(#[from] IdError),
    /// The date is none.
    #[error("`{0}` is not a date")]
    Date(String),
    /// An earlier line says something else of the same thing.
    #[error("line {first} says something else of {what}: correct one of the two")]
    Contradiction {
        /// The earlier line.
        first: u64,
        /// What both lines are about.
        what: String,
    },
    /// The answer to a recommendation is not one the importer knows.
    #[error(
        "`{0}` is not an answer: write Accepted or Supported, or Noted, Rejected, Not accepted or Not supported"
    )]
    Answer(String),
    /// A commitment to a recommendation that the State did not accept, or has not answered.
    #[error("{subject} is not a commitment: {answer}")]
    NotAccepted {
        /// The recommendation.
        subject: String,
        /// The State's last answer, as a clause.
        answer: String,
    },
    /// The code names no member of the source.
    #[error("`{code}` is not a member: write the State's ISO 3166-1 alpha-3 code{or_local}")]
    Member {
        /// The code.
        code: String,
        /// What else may stand there.
        or_local: &'static str,
    },
    /// A theme that no code can be made of.
    #[error(
        "no code can be made of the theme `{0}`: write its English name in Latin letters without accents"
    )]
    Theme(String),
}

/// The mark that some programs write before the first character of a UTF-8 file. It is no part of the text (RFC 8259,
/// section 8.1).
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Returns true when the sign is none of a record that begins after it. Files that were put one
/// behind the other may have a mark before each.
fn is_passed_over(letter: char) -> bool {
    letter == BYTE_ORDER_MARK || letter.is_whitespace()
}

/// Hands each line that is not blank to `take`, with its number; gives those that could not be used, with why.
pub(super) fn each_line<'a>(
    lines: impl IntoIterator<Item = &'a str>,
    mut take: impl FnMut(u64, &str) -> Result<(), LineFault>,
) -> Vec<LineError> {
    (1..)
        .zip(lines)
        .map(|(line, text)| (line, text.trim_start_matches(is_passed_over)))
        .filter(|(_, text)| !text.is_empty())
        .filter_map(|(line, text)| {
            let fault = take(line, text).err()?;
            Some(LineError { line, fault })
        })
        .collect()
}
