//! Receipts: what a partner gets back.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::event::EventType;
use super::values::Sha256;
use crate::ids::{CommandId, EventId};
use crate::rejection::Rejection;

/// The answer to one command. It is sent only after the state it rests on is as durable as it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The command; absent when its id could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_id: Option<CommandId>,
    /// What became of it.
    pub status: Status,
    /// The events it caused, in order; none for a refused one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<ReceiptEvent>,
    /// Under which guarantee; absent for a refusal that rests on no state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub durability: Option<Durability>,
    /// The number of events in the log that hold this answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree_size: Option<u64>,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<Rejection>,
}

/// One event of a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptEvent {
    /// Its position: a JSON number here, as the receipt is no CloudEvents object.
    pub position: u64,
    /// Its id.
    pub id: EventId,
    /// Its wire type.
    #[serde(rename = "type")]
    pub event_type: EventType,
    /// The hash of its leaf (RFC 6962), in lowercase hexadecimal.
    pub leaf_hash: Sha256,
}

/// What became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Its events are recorded.
    Accepted,
    /// The same partner sent the same bytes before: the events are those of then.
    Duplicate,
    /// Nothing was recorded, and the id is free.
    Rejected,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Rejected => "rejected",
        })
    }
}

/// What a receipt promises of the events it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// They are on the disk of the ledger's machine: `fdatasync` returned.
    Fsync,
}

impl Receipt {
    /// A refusal that rests on no recorded state.
    pub fn rejected(command_id: Option<CommandId>, rejection: Rejection) -> Self {
        Self {
            command_id,
            status: Status::Rejected,
            events: Vec::new(),
            durability: None,
            tree_size: None,
            rejection: Some(rejection),
        }
    }

    /// Its JSON bytes.
    pub fn encode(&self) -> Vec<u8> {
        // Strings, integers and structs only: nothing here can fail to serialize.
        serde_json::to_vec(self).unwrap_or_default()
    }
}
