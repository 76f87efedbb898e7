//! Tests of the whole store: a log on a simulated disk, sled in a temporary directory.

mod basics;
mod faults;
mod model;
mod place;
mod scrub;
mod sled_faults;
mod support;
mod unusable;
