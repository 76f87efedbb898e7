//! The error of reading back saved rows or a saved change log.

use std::fmt;

use thiserror::Error;

/// Why a projection could not be built from its rows.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RestoreError {
    /// The row was written by another version of this code.
    #[error("a {row} row has version {version}, which this version does not read")]
    Version {
        /// The kind of row.
        row: &'static str,
        /// The version found.
        version: u8,
    },
    /// The row does not decode.
    #[error("a {row} row is damaged")]
    Damaged {
        /// The kind of row.
        row: &'static str,
    },
    /// The row's key begins with no known letter.
    #[error("a row's key {key} is of no known kind")]
    UnknownKey {
        /// The key, in hexadecimal.
        key: HexKey,
    },
    /// Rows of one kind are numbered without gaps, and one is missing or out of order.
    #[error("{row} row {expected} is missing")]
    Missing {
        /// The kind of row.
        row: &'static str,
        /// The number that was due.
        expected: u32,
    },
    /// The row refers to another that does not exist.
    #[error("a {row} row refers to a row that is missing")]
    Dangling {
        /// The kind of the row that refers.
        row: &'static str,
    },
}

/// A row's key, shown in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HexKey(pub Vec<u8>);

impl fmt::Display for HexKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
