//! Wire types, frozen per version: what stands in the log and on the bus.

pub mod v1;
