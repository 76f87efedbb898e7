//! The path to what is wrong in a command.

use std::fmt::Write as _;

use crate::rejection::{Rejection, RejectionCode};

/// The longest key that is repeated in a refusal; a hostile one is cut.
const MAX_KEY_CHARS: usize = 64;

pub(super) fn push_key(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.extend(key.chars().take(MAX_KEY_CHARS));
}

pub(super) fn push_index(path: &mut String, index: usize) {
    write!(path, "[{index}]").unwrap_or_default();
}

pub(super) fn rejection(code: RejectionCode, path: String, message: String) -> Rejection {
    Rejection {
        code,
        field: Some(path).filter(|path| !path.is_empty()),
        message,
    }
}
