//! Handing on what is recorded: events to the stream, heads to their file.

pub(crate) mod agreement;
pub(crate) mod heads;
pub(crate) mod publisher;
pub(crate) mod recent;
pub(crate) mod runs;
