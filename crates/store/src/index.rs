//! The indexes: from a command, a commitment, a country, an action to positions.
//!
//! Positions are grouped in *epochs* of 2^16. Those of unfinished epochs are indexed in memory (`tail`), updated as part
//! of an append, so that a lookup sees every synced event. A full epoch is *sealed*: one sorted run for each kind of key
//! goes into a sled database of its own, cut into chunks, and then the seal, which lists the first key of every chunk and
//! holds the tree's hashes over each 256 leaves (a full tile of level 1). The seal is written last: without it the epoch is indexed
//! anew. Because it lists the chunks, a missing one is an error and never a wrong "not found".
//!
//! The database is always open and small (tens of bytes an event, in chunks of 16 KiB). Lookups of what does not exist, one for each
//! command, are answered by filters in memory over 16 epochs each (`filter`): 6 bytes a position.
//!
//! | tree | key | value |
//! |---|---|---|
//! | `runs` | epoch (4, big-endian), kind (1), chunk (4) | entries, CRC32C |
//! | `seals` | epoch (4) | version, epoch bits, tile, first keys of the chunks of each kind, CRC32C |
//! | `filters` | group of 16 epochs (4), kind (1), piece (4) | lines, CRC32C |

pub(crate) mod filter;
pub(crate) mod keys;
pub(crate) mod run;
pub(crate) mod sealed;
pub(crate) mod tail;
