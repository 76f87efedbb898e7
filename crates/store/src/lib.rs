//! The append-only log: a journal and sled together.
//!
//! [`Log::open`] gives the two halves of a log: the [`Appender`], of which there is one, and the [`Log`], a reader that may be
//! cloned. A [`Group`] is durable when [`Appender::append`] returns: one write and one `fdatasync` of the journal. A thread
//! feeds sled from there; reads are served from what is not fed yet, else from sled, else (when sled lost or damaged it) from the
//! journal. A single block of a shard that is not open is read from the journal: opening a sled database costs tens of
//! milliseconds, and random reads all over an old log would open one after the other.
//!
//! Under the data directory:
//!
//! | path | what |
//! |---|---|
//! | `LOCK` | held while a process has the log open |
//! | `ledger.key` | the key that signs tree heads |
//! | `journal/<first position>.journal` | segments of the journal: the truth |
//! | `journal/next` | the next segment while it is being prepared |
//! | `log/<shard>/` | sled: the blocks of 2^18 positions, by first position |
//! | `log/index/` | sled: the sealed indexes |
//! | `head` | the newest signed tree head |
//!
//! What it does *not* do: it knows no command and no event, it decides nothing, and it repairs nothing in the journal but a
//! torn tail that was never acknowledged.

mod append;
mod checksum;
mod copies;
mod core;
pub mod disk;
mod error;
mod feed;
mod group;
mod head;
mod index;
mod journal;
mod log;
mod open;
mod options;
mod place;
mod scrub;
mod shards;
mod sledbox;
mod view_history;
mod views;

#[cfg(test)]
mod tests;

pub use append::{Appended, Appender};
pub use error::{AppendError, Damage, OpenError, ReadError, SledFault, Witness};
pub use group::{Group, NewRecord, NewSubmission, SubmittedCommand};
pub use head::HeadError;
pub use index::keys::{CommandKey, EventKeys};
pub use log::{Found, Kept, Log, RecordedCommand, RecordedSubmission};
pub use open::Recovery;
pub use options::{FREE_FLOOR_BYTES, Options};
pub use place::lock_id_at;
pub use scrub::{Fault, Finding, ScrubReport, opening, scrub};
pub use view_history::{ClosedChunk, HistoryFault, HistoryList};
pub use views::{SavedViews, ViewStore};
