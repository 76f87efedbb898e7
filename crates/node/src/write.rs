//! Taking commands: bytes to decisions, decisions to the log, receipts back.

pub(crate) mod appender;
pub(crate) mod cache;
pub(crate) mod intake;
pub(crate) mod pending;
pub(crate) mod queue;
pub(crate) mod refusing;
pub(crate) mod replies;
pub(crate) mod state;
pub(crate) mod writer;
