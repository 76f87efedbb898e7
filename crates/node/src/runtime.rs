//! One process: its tasks, clock, key, telemetry and end.

pub(crate) mod background;
pub(crate) mod clock;
pub(crate) mod ledger_key;
pub(crate) mod node;
pub(crate) mod open_files;
pub(crate) mod options;
pub(crate) mod parts;
pub(crate) mod shutdown;
pub(crate) mod telemetry;
