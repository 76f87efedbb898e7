//! What can be checked: leaf and tree hashes, tree heads, submissions' manifests, delivered events, and the
//! verifiers of all of these.
//!
//! This crate is pure: it reads no file, opens no socket, and asks no clock, so that an auditor can run exactly the
//! code that the ledger runs. The one exception is [`LedgerKey::generate`], which takes randomness from the operating
//! system.
//!
//! It does *not* know what an event means: commands, events and views are the domain's. It sees a leaf as bytes with
//! a handful of attributes that carry the evidence.

pub mod block;
pub mod delivered;
mod frontier;
mod hash;
pub mod header;
mod key;
mod manifest;
pub mod submission;
mod tree_head;
pub mod verify;

pub use frontier::{Frontier, FrontierError, subtree_root};
pub use hash::{
    EMPTY_HASH, HASH_SIZE, Hash, SALT_SIZE, Salt, data_digest, hash_from_hex, hash_to_hex,
    leaf_hash, node_hash, sha256, sha256_of_parts,
};
pub use key::{KeyError, LedgerKey, VerifierKey, is_ledger_id, origin_of};
pub use manifest::Manifest;
pub use tree_head::{SignedTreeHead, TreeHead, TreeHeadError};
