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
}

/// Hands each line that is not blank to `take`, with its number; gives those that could not be used, with why.
pub(super) fn each_line<'a>(
    lines: impl IntoIterator<Item = &'a str>,
    mut take: impl FnMut(u64, &str) -> Result<(), LineFault>,
) -> Vec<LineError> {
    (1..)
        .zip(lines)
        .filter(|(_, text)| !text.trim().is_empty())
        .filter_map(|(line, text)| {
            let fault = take(line, text).err()?;
            Some(LineError { line, fault })
        })
        .collect()
}
