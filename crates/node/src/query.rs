//! Answering questions about the log, and reading events back from it.

pub(crate) mod as_of;
pub(crate) mod history;
pub(crate) mod queries;
pub(crate) mod scrub;
