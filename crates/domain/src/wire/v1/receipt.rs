//! Receipts: what a partner gets back.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::event_body::EventType;
use super::header::{push_number, push_uuid};
use super::hex::hex_digits;
use super::values::Sha256;
use crate::ids::{CommandId, EventId};
use crate::rejection::Rejection;

/// What a receipt of one event takes, about.
const ENCODED_BYTES: usize = 384;

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
    /// Under which guarantee its events stand; absent for a refusal, which has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub durability: Option<Durability>,
    /// The number of events in the log that hold this answer, all of them on disk; absent for a refusal that rests on no recorded state.
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

impl Status {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Rejected => "rejected",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
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

    /// A refusal that rests on the state after `tree_size` events.
    pub fn rejected_at(
        command_id: Option<CommandId>,
        rejection: Rejection,
        tree_size: u64,
    ) -> Self {
        Self {
            tree_size: Some(tree_size),
            ..Self::rejected(command_id, rejection)
        }
    }

    /// Whether it says something of the recorded state: then it may leave only once that is on disk, and is void if it is never written.
    pub fn rests_on_state(&self) -> bool {
        self.tree_size.is_some()
    }

    /// Its JSON bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(ENCODED_BYTES);
        self.encode_into(&mut out);
        out
    }

    /// The JSON array of some receipts.
    pub fn encode_all(receipts: &[Self]) -> Vec<u8> {
        let mut out = Vec::with_capacity(2 + receipts.len() * ENCODED_BYTES);
        let mut separator = b'[';
        for receipt in receipts {
            out.push(separator);
            receipt.encode_into(&mut out);
            separator = b',';
        }
        if receipts.is_empty() {
            out.push(separator);
        }
        out.push(b']');
        out
    }

    /// Writes what `Serialize` would. By hand, because every command of the log is answered through here.
    fn encode_into(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        if let Some(id) = self.command_id {
            out.extend_from_slice(br#""command_id":""#);
            push_uuid(out, id.0);
            out.extend_from_slice(b"\",");
        }
        out.extend_from_slice(br#""status":""#);
        out.extend_from_slice(self.status.as_str().as_bytes());
        out.push(b'"');
        let mut opening: &[u8] = br#","events":["#;
        for event in &self.events {
            out.extend_from_slice(opening);
            event.encode_into(out);
            opening = b",";
        }
        if !self.events.is_empty() {
            out.push(b']');
        }
        if let Some(Durability::Fsync) = self.durability {
            out.extend_from_slice(br#","durability":"fsync""#);
        }
        if let Some(tree_size) = self.tree_size {
            out.extend_from_slice(br#","tree_size":"#);
            push_number(out, tree_size);
        }
        if let Some(rejection) = &self.rejection {
            out.extend_from_slice(br#","rejection":"#);
            // Strings only, into memory: nothing here can fail.
            serde_json::to_writer(&mut *out, rejection).unwrap_or_default();
        }
        out.push(b'}');
    }
}

impl ReceiptEvent {
    fn encode_into(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"position":"#);
        push_number(out, self.position);
        out.extend_from_slice(br#","id":""#);
        push_uuid(out, self.id.0);
        out.extend_from_slice(br#"","type":""#);
        out.extend_from_slice(self.event_type.wire_type().as_bytes());
        out.extend_from_slice(br#"","leaf_hash":""#);
        out.extend_from_slice(&hex_digits(&self.leaf_hash.0));
        out.extend_from_slice(b"\"}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejection::RejectionCode;
    use uuid::Uuid;

    fn receipts() -> Vec<Receipt> {
        let event = |position| ReceiptEvent {
            position,
            id: EventId(Uuid::from_u128(u128::from(position) << 64 | 7)),
            event_type: EventType::CommitmentRecorded,
            leaf_hash: Sha256([0xa5; 32]),
        };
        let mut receipts = Vec::new();
        for command_id in [None, Some(CommandId(Uuid::from_u128(5)))] {
            for status in [Status::Accepted, Status::Duplicate, Status::Rejected] {
                for events in [vec![], vec![event(0)], vec![event(9), event(u64::MAX)]] {
                    for (durability, tree_size) in
                        [(None, None), (Some(Durability::Fsync), Some(10))]
                    {
                        let rejection = (status == Status::Rejected).then(|| {
                            Rejection::at(
                                RejectionCode::InvalidValue,
                                "data.\"x\"",
                                "say\nwhat\u{1}é",
                            )
                        });
                        receipts.push(Receipt {
                            command_id,
                            status,
                            events: events.clone(),
                            durability,
                            tree_size,
                            rejection,
                        });
                    }
                }
            }
        }
        receipts
    }

    #[test]
    fn what_is_written_by_hand_is_what_serde_writes() {
        let receipts = receipts();
        for receipt in &receipts {
            assert_eq!(receipt.encode(), serde_json::to_vec(receipt).unwrap());
        }
        for some in [&receipts[..0], &receipts[..1], &receipts[..]] {
            assert_eq!(Receipt::encode_all(some), serde_json::to_vec(some).unwrap());
        }
    }
}
