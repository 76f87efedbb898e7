//! How a command fails: one sentence on standard error, and a code that a script can use.

use crate::output::say;
use ledger_bus::QueryError;
use ledger_bus::{RequestError, without_secrets};
use ledger_client::audit::AuditError;
use ledger_client::{CheckError, LinesError, ReplayError, SubmitError};
use ledger_domain::wire::v1::json_fault;
use ledger_domain::wire::v1::problem::ProblemCode;
use ledger_node::{NodeError, ProjectorError};
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

/// Exit code: something was refused, is not known, or does not agree.
const REFUSED: u8 = 1;
/// Exit code: wrong usage (also clap's own).
const USAGE: u8 = 2;
/// Exit code: the ledger cannot be reached.
const UNREACHABLE: u8 = 3;

/// What the exit codes of every subcommand mean.
pub(crate) const EXIT_CODES: [(u8, &str); 4] = [
    (0, "done"),
    (
        REFUSED,
        "something was refused, is not known, is not ready, or does not agree; a role ended before it was told to",
    ),
    (
        USAGE,
        "wrong usage, or a file or directory that cannot be read",
    ),
    (
        UNREACHABLE,
        "the ledger cannot be reached, or its nats-server does not take this user",
    ),
];

/// Why a command did not end well.
#[derive(Debug)]
pub(crate) struct Failure {
    exit_code: u8,
    /// Empty where everything was said already.
    sentence: String,
}

impl Failure {
    /// It was refused, or does not agree, and everything was said already.
    pub(crate) fn said() -> Self {
        Self {
            exit_code: REFUSED,
            sentence: String::new(),
        }
    }

    /// It failed.
    pub(crate) fn failed(error: &(dyn Error + 'static)) -> Self {
        Self::new(REFUSED, sentence(error))
    }

    /// The command line cannot be read, and that was said already.
    pub(crate) fn misused() -> Self {
        Self::new(USAGE, String::new())
    }

    /// It failed, as this says.
    pub(crate) fn because(sentence: impl Into<String>) -> Self {
        Self::new(REFUSED, sentence.into())
    }

    /// A part of the program ended in a way that none may.
    pub(crate) fn fault(error: &tokio::task::JoinError) -> Self {
        let how = if error.is_panic() {
            "failed"
        } else {
            "was stopped"
        };
        Self::because(format!(
            "a part of the program {how}, which is a fault of the program: tell us what it said before"
        ))
    }

    /// What was asked about is not known, as this says: the same code whatever it is.
    pub(crate) fn unknown(sentence: impl Into<String>) -> Self {
        Self::because(sentence)
    }

    /// The arguments cannot be used.
    pub(crate) fn usage(sentence: impl Into<String>) -> Self {
        Self::new(USAGE, sentence.into())
    }

    /// What is to be read cannot be.
    pub(crate) fn unreadable(file: &Path, why: impl std::fmt::Display) -> Self {
        let why = without_numbers(&why.to_string());
        Self::usage(format!("{} cannot be read: {why}", file.display()))
    }

    fn new(exit_code: u8, sentence: String) -> Self {
        Self {
            exit_code,
            sentence,
        }
    }

    fn reachable_or_not(error: &(dyn Error + 'static), unreachable: bool) -> Self {
        let exit_code = if unreachable { UNREACHABLE } else { REFUSED };
        Self::new(exit_code, sentence(error))
    }

    /// Says it, and gives the code to exit with.
    pub(crate) fn report(self) -> ExitCode {
        if !self.sentence.is_empty() {
            // Whatever an error repeats, it is no place for a password.
            say(format_args!(
                "compact-ledger: {}",
                without_secrets(&self.sentence)
            ));
        }
        ExitCode::from(self.exit_code)
    }
}

/// The error and what it rests on, as one sentence.
pub(crate) fn sentence(error: &(dyn Error + 'static)) -> String {
    let mut sentence = in_plain_words(error);
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = in_plain_words(error);
        if !sentence.ends_with(&said) {
            sentence.push_str(": ");
            sentence.push_str(&said);
        }
        cause = error.source();
    }
    sentence
}

/// The message of an error, without the words that libraries have for programmers.
fn in_plain_words(error: &(dyn Error + 'static)) -> String {
    if let Some(error) = error.downcast_ref::<serde_json::Error>() {
        return json_fault(error);
    }
    let mut said = without_numbers(&error.to_string());
    for (words, plain) in LIBRARY_WORDS {
        said = said.replace(words, plain);
    }
    said
}

/// A sentence without the number that the standard library puts behind what the system says: `(os error 2)`.
fn without_numbers(said: &str) -> String {
    let mut parts = said.split(" (os error ");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown.push_str(part.split_once(')').map_or(part, |(_, rest)| rest));
    }
    shown
}

/// The standard library's words about a file, and a person's words.
const LIBRARY_WORDS: [(&str, &str); 4] = [
    ("stream did not contain valid UTF-8", "it is not UTF-8 text"),
    ("failed to fill whole buffer", "it ends too early"),
    (
        "failed to write whole buffer",
        "it could not be written to its end",
    ),
    ("unexpected end of file", "it ends too early"),
];

impl From<std::io::Error> for Failure {
    /// Output that nobody reads any more is no failure: `compact-ledger replay | head` ends quietly.
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            Self::new(0, String::new())
        } else {
            Self::failed(&error)
        }
    }
}

impl From<ledger_bus::ConnectError> for Failure {
    fn from(error: ledger_bus::ConnectError) -> Self {
        match &error {
            ledger_bus::ConnectError::BadUrl(_) => Self::usage(sentence(&error)),
            // What the client library says of its sockets adds nothing for a person.
            ledger_bus::ConnectError::Refused { .. } | ledger_bus::ConnectError::Away { .. } => {
                Self::new(UNREACHABLE, error.to_string())
            }
        }
    }
}

impl From<NodeError> for Failure {
    fn from(error: NodeError) -> Self {
        let NodeError::Connect(error) = error else {
            return Self::failed(&error);
        };
        error.into()
    }
}

impl From<ProjectorError> for Failure {
    fn from(error: ProjectorError) -> Self {
        let ProjectorError::Connect(error) = error else {
            return Self::failed(&error);
        };
        error.into()
    }
}

macro_rules! fails_as_it_says {
    ($($error:ty),+) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::failed(&error)
            }
        })+
    };
}

fails_as_it_says!(
    ledger_nats_server::FindError,
    ledger_nats_server::StartError,
    ledger_web::WebError,
    ledger_import::seeds::SeedError
);

impl From<ledger_web::ProbeError> for Failure {
    fn from(error: ledger_web::ProbeError) -> Self {
        match &error {
            ledger_web::ProbeError::BadUrl { .. } => Self::usage(sentence(&error)),
            ledger_web::ProbeError::Away { .. } | ledger_web::ProbeError::Late { .. } => {
                Self::new(UNREACHABLE, sentence(&error))
            }
            ledger_web::ProbeError::Garbled { .. } => Self::failed(&error),
        }
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        // The ledger reads some arguments itself, and says so by this code.
        if let QueryError::Request(RequestError::Refused(problem)) = &error
            && problem.code == ProblemCode::BadQuery
        {
            return Self::usage(sentence(&error));
        }
        Self::reachable_or_not(&error, ledger_client::is_unreachable(&error))
    }
}

impl From<ReplayError> for Failure {
    fn from(error: ReplayError) -> Self {
        Self::reachable_or_not(&error, error.is_unreachable())
    }
}

impl From<CheckError> for Failure {
    fn from(error: CheckError) -> Self {
        Self::from(AuditError::from(error))
    }
}

impl From<AuditError> for Failure {
    fn from(error: AuditError) -> Self {
        Self::reachable_or_not(&error, error.is_unreachable())
    }
}

impl From<SubmitError> for Failure {
    fn from(error: SubmitError) -> Self {
        Self::reachable_or_not(&error, error.is_unreachable())
    }
}

impl From<LinesError> for Failure {
    /// Here a closed pipe is a failure: with the receipts the sending has ended too.
    fn from(error: LinesError) -> Self {
        match error {
            LinesError::Submit(error) => error.into(),
            LinesError::Output(error) => Self::because(format!(
                "{error}: receipts are missing, and what came after them was not sent; \
                 the same commands can safely be sent again"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[derive(Debug, thiserror::Error)]
    #[error("the file cannot be read")]
    struct Outer(#[source] io::Error);

    #[test]
    fn an_error_and_its_causes_are_one_sentence() {
        let error = Outer(io::Error::other("disk on fire"));
        assert_eq!(sentence(&error), "the file cannot be read: disk on fire");
    }

    #[test]
    fn libraries_have_no_word_in_a_sentence() {
        let not_text = Outer(io::Error::new(
            io::ErrorKind::InvalidData,
            "stream did not contain valid UTF-8",
        ));
        assert_eq!(
            sentence(&not_text),
            "the file cannot be read: it is not UTF-8 text"
        );
        let error = serde_json::from_str::<usize>("\"x\"").expect_err("no number");
        assert_eq!(
            sentence(&error),
            "\"x\" stands where a whole number from 0 on belongs"
        );
    }

    #[test]
    fn what_the_system_says_comes_without_its_number() {
        let missing = Outer(io::Error::from_raw_os_error(2));
        assert_eq!(
            sentence(&missing),
            "the file cannot be read: No such file or directory"
        );
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let closed = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((closed.exit_code, closed.sentence.as_str()), (0, ""));
        assert_eq!(Failure::from(io::Error::other("x")).exit_code, REFUSED);
    }

    #[test]
    fn nobody_answering_has_a_code_of_its_own() {
        let nobody = QueryError::Request(RequestError::NoResponders {
            subject: "ledger.v1.query.head".to_owned(),
        });
        assert_eq!(Failure::from(nobody).exit_code, UNREACHABLE);
    }
}
