//! Why a query has no answer.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a query has no answer. On NATS it travels in the headers of a service error: number and sentence.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct Problem {
    /// The kind of the problem.
    pub code: ProblemCode,
    /// A sentence that says what to change.
    pub message: String,
}

macro_rules! problem_codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $number:literal;)+) => {
        /// The kinds of problems. Their names and numbers are fixed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ProblemCode {
            $($(#[$doc])* #[serde(rename = $word)] $name,)+
        }

        impl ProblemCode {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// HTTP's number for it.
            pub const fn number(self) -> u16 {
                match self { $(Self::$name => $number,)+ }
            }
        }
    };
}

problem_codes! {
    /// The query cannot be understood. Asking again does not help.
    BadQuery = "bad_query", 400;
    /// There is no such thing, or was none then.
    NotFound = "not_found", 404;
    /// The position or time asked for is later than what is known. Ask again later.
    NotReached = "not_reached", 409;
    /// The answer could not be made: the log or the views cannot be read. The service's own log says why.
    Failed = "failed", 500;
    /// It cannot be answered at this moment. Ask again.
    Unavailable = "unavailable", 503;
    /// The answer is larger than the nats-server takes, and asking for less of it does not help.
    TooLarge = "too_large", 507;
}

impl ProblemCode {
    /// The code of a number. One that is not known, as of a later version, is a failure of the service.
    pub fn of_number(number: u16) -> Self {
        let mut all = Self::ALL.iter().copied();
        all.find(|code| code.number() == number)
            .unwrap_or(Self::Failed)
    }
}

impl fmt::Display for ProblemCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Problem {
    fn new(code: ProblemCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, message }
    }

    /// The query cannot be understood.
    pub fn bad_query(message: impl Into<String>) -> Self {
        Self::new(ProblemCode::BadQuery, message)
    }

    /// There is no such thing.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ProblemCode::NotFound, message)
    }

    /// The moment asked for is later than what is known.
    pub fn not_reached(message: impl Into<String>) -> Self {
        Self::new(ProblemCode::NotReached, message)
    }

    /// The answer could not be made.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(ProblemCode::Failed, message)
    }

    /// It cannot be answered at this moment.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ProblemCode::Unavailable, message)
    }

    /// The answer is larger than may be sent.
    pub fn too_large(message: impl Into<String>) -> Self {
        Self::new(ProblemCode::TooLarge, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_known_by_its_number_and_by_its_name() {
        for &code in ProblemCode::ALL {
            assert_eq!(ProblemCode::of_number(code.number()), code);
            let json = serde_json::to_string(&code).unwrap();
            assert_eq!(json, format!("\"{code}\""));
        }
        assert_eq!(ProblemCode::of_number(418), ProblemCode::Failed);
    }
}
