//! What an event is found by.

use ledger_proof::header::{HeaderError, LeafHeader};
use ledger_proof::{Hash, sha256_of_parts};
use uuid::Uuid;

/// The key of a command: the first 16 bytes of SHA-256(partner ‖ 0x00 ‖ the command id's 16 bytes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommandKey([u8; 16]);

impl CommandKey {
    /// The key of one partner's command.
    pub fn new(partner: &str, command: Uuid) -> Self {
        let digest = sha256_of_parts(&[partner.as_bytes(), &[0], command.as_bytes()]);
        Self(digest.first_chunk().copied().unwrap_or_default())
    }

    /// The key's bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Kinds of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Command,
    Commitment,
    Country,
    Action,
    /// Everything whose subject is no commitment, under the empty key.
    Reference,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [
        Self::Command,
        Self::Commitment,
        Self::Country,
        Self::Action,
        Self::Reference,
    ];

    pub(crate) fn tag(self) -> u8 {
        match self {
            Self::Command => 1,
            Self::Commitment => 2,
            Self::Country => 3,
            Self::Action => 4,
            Self::Reference => 5,
        }
    }
}

/// What one event is indexed by, beside its route: all of it stands in its header, from which it is read again when an index
/// is made anew.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EventKeys {
    /// The command that caused it.
    pub command: Option<CommandKey>,
    /// The subject's UUID, when it is a commitment.
    pub commitment: Option<[u8; 16]>,
    /// `leaf_hash` of the header: the receipt needs it too. Checked by every opening and by scrub.
    pub leaf: Hash,
}

impl EventKeys {
    /// Reads the keys from an event's header; also gives the position that it states.
    pub(crate) fn of(header: &[u8], leaf: Hash) -> Result<(Self, u64), HeaderError> {
        let parsed = LeafHeader::parse(header)?;
        let commitment = Uuid::try_parse(parsed.subject).ok().map(Uuid::into_bytes);
        let command = parsed
            .causation_id
            .and_then(|id| Uuid::try_parse(id).ok())
            .map(|id| CommandKey::new(parsed.partner, id));
        let keys = Self {
            command,
            commitment,
            leaf,
        };
        Ok((keys, parsed.position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_proof::sha256;

    #[test]
    fn a_command_key_separates_partner_from_id() {
        let id = Uuid::from_bytes([7; 16]);
        assert_ne!(CommandKey::new("a", id), CommandKey::new("b", id));
        let mut text = b"ken\0".to_vec();
        text.extend_from_slice(&[7; 16]);
        assert_eq!(
            CommandKey::new("ken", id).as_bytes()[..],
            sha256(&text)[..16]
        );
    }
}
