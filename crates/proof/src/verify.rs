//! The auditor's check of a log: every leaf, in order, against the one before it, its data and the tree.

use crate::delivered::Payload;
use crate::frontier::Frontier;
use crate::hash::{Hash, data_digest, leaf_hash};
use crate::header::{HeaderError, LeafHeader};
use thiserror::Error;

/// What is wrong with an event, and where.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("position {position}: {fault}")]
pub struct LeafError {
    /// The position at which the log stops agreeing with itself.
    pub position: u64,
    /// What does not agree.
    #[source]
    pub fault: LeafFault,
}

/// What is wrong with an event.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum LeafFault {
    /// The leaf is not one that a ledger writes.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The leaf names another position than the one it stands at.
    #[error("the leaf says it stands at {found}")]
    Position {
        /// The position in the leaf.
        found: u64,
    },
    /// The leaf is of another ledger.
    #[error("the leaf's source is `{found}`, not `{expected}`")]
    Source {
        /// The source of the log.
        expected: String,
        /// The source in the leaf.
        found: String,
    },
    /// The event was recorded before the previous one.
    #[error("recorded at {found}, before the previous event's {previous}")]
    Time {
        /// The time in the leaf.
        found: String,
        /// The previous event's time.
        previous: String,
    },
    /// The data is not what the leaf's digest is of.
    #[error("the data does not match the leaf's digest")]
    Data,
}

/// Checks events one after the other from position 0, and grows the tree over them.
///
/// For each event: the leaf is well formed, stands at its position, is of the same ledger as the first, was recorded
/// no earlier than the one before, and its digest is that of the data it came with. The root at the end says the rest,
/// compared with a signed tree head. Data that is withheld cannot be compared and is counted.
#[derive(Clone, Debug, Default)]
pub struct LeafVerifier {
    frontier: Frontier,
    source: Option<String>,
    previous_time: String,
    withheld_count: u64,
}

impl LeafVerifier {
    /// A verifier that expects position 0 and takes the ledger's name from it.
    pub fn new() -> Self {
        Self::default()
    }

    /// A verifier that expects position 0 of the ledger with this id.
    pub fn of_ledger(ledger_id: &str) -> Self {
        Self {
            source: Some(format!("ledger/{ledger_id}")),
            ..Self::default()
        }
    }

    /// Checks the next event and returns what its leaf says.
    ///
    /// # Errors
    ///
    /// [`LeafError`] with the position; the verifier has not moved then, and the log should not be trusted from that
    /// position on.
    pub fn check<'a>(
        &mut self,
        leaf: &'a [u8],
        payload: &Payload<'_>,
    ) -> Result<LeafHeader<'a>, LeafError> {
        let checked = CheckedLeaf::new(leaf, payload).map_err(|fault| self.error(fault))?;
        self.admit(&checked)?;
        Ok(checked.header)
    }

    /// Takes the next event whose parts that do not depend on its neighbours were checked before, on any thread.
    ///
    /// # Errors
    ///
    /// As [`LeafVerifier::check`].
    pub fn admit(&mut self, leaf: &CheckedLeaf<'_>) -> Result<(), LeafError> {
        let header = &leaf.header;
        if header.position != self.frontier.size() {
            return Err(self.error(LeafFault::Position {
                found: header.position,
            }));
        }
        match &self.source {
            Some(expected) if expected != header.source => {
                return Err(self.error(LeafFault::Source {
                    expected: expected.clone(),
                    found: header.source.to_owned(),
                }));
            }
            Some(_) => {}
            None => self.source = Some(header.source.to_owned()),
        }
        if header.time < self.previous_time.as_str() {
            return Err(self.error(LeafFault::Time {
                found: header.time.to_owned(),
                previous: self.previous_time.clone(),
            }));
        }
        self.previous_time.clear();
        self.previous_time.push_str(header.time);
        self.withheld_count += u64::from(leaf.withheld);
        self.frontier.push(leaf.hash);
        Ok(())
    }

    /// The number of events checked, which is the position expected next.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root over the leaves checked.
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// The number of events whose data was withheld and so not compared.
    pub fn withheld_count(&self) -> u64 {
        self.withheld_count
    }

    fn error(&self, fault: LeafFault) -> LeafError {
        LeafError {
            position: self.frontier.size(),
            fault,
        }
    }
}

/// A leaf that is well formed and whose digest is that of its data: the costly part of a check, which needs no other
/// event and so can run on any thread.
#[derive(Clone, Copy, Debug)]
pub struct CheckedLeaf<'a> {
    header: LeafHeader<'a>,
    hash: Hash,
    withheld: bool,
}

impl<'a> CheckedLeaf<'a> {
    /// Checks a leaf and its data by themselves.
    ///
    /// # Errors
    ///
    /// [`LeafFault::Header`] or [`LeafFault::Data`].
    pub fn new(leaf: &'a [u8], payload: &Payload<'_>) -> Result<Self, LeafFault> {
        let header = LeafHeader::parse(leaf)?;
        let withheld = match payload {
            Payload::Data { salt, data } => {
                if data_digest(salt, data) != header.data_digest {
                    return Err(LeafFault::Data);
                }
                false
            }
            Payload::Withheld { .. } => true,
        };
        Ok(Self {
            header,
            hash: leaf_hash(leaf),
            withheld,
        })
    }

    /// What the leaf says.
    pub fn header(&self) -> &LeafHeader<'a> {
        &self.header
    }

    /// The leaf's hash.
    pub fn hash(&self) -> Hash {
        self.hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::tests::leaf;

    const SALT: [u8; 16] = [3; 16];
    const DATA: Payload<'static> = Payload::Data {
        salt: SALT,
        data: b"{}",
    };

    fn event(position: u64, time: &str) -> Vec<u8> {
        leaf(position, time, data_digest(&SALT, b"{}"))
    }

    fn verifier_after(count: u64) -> LeafVerifier {
        let mut verifier = LeafVerifier::new();
        for position in 0..count {
            let leaf = event(position, "2026-11-23T08:30:00.000001Z");
            verifier.check(&leaf, &DATA).unwrap();
        }
        verifier
    }

    #[test]
    fn a_good_log_gives_its_root() {
        let verifier = verifier_after(5);
        let expected = crate::subtree_root(
            (0..5).map(|position| leaf_hash(&event(position, "2026-11-23T08:30:00.000001Z"))),
        );
        assert_eq!((verifier.size(), verifier.root()), (5, expected));
    }

    fn fault_of(leaf: &[u8], payload: &Payload<'_>) -> LeafFault {
        let mut verifier = verifier_after(3);
        let root = verifier.root();
        let error = verifier.check(leaf, payload).unwrap_err();
        assert_eq!(error.position, 3);
        assert_eq!((verifier.size(), verifier.root()), (3, root));
        error.fault
    }

    #[test]
    fn each_fault_is_named_with_its_position() {
        let time = "2026-11-23T08:30:00.000001Z";
        assert_eq!(
            fault_of(&event(4, time), &DATA),
            LeafFault::Position { found: 4 }
        );
        let earlier = "2026-11-23T08:30:00.000000Z";
        assert!(matches!(
            fault_of(&event(3, earlier), &DATA),
            LeafFault::Time { .. }
        ));
        let other = Payload::Data {
            salt: SALT,
            data: b"{ }",
        };
        assert_eq!(fault_of(&event(3, time), &other), LeafFault::Data);
        let other = Payload::Data {
            salt: [4; 16],
            data: b"{}",
        };
        assert_eq!(fault_of(&event(3, time), &other), LeafFault::Data);
        let foreign = String::from_utf8(event(3, time))
            .unwrap()
            .replace("ledger/test-1", "ledger/test-2");
        assert!(matches!(
            fault_of(foreign.as_bytes(), &DATA),
            LeafFault::Source { .. }
        ));
        assert!(matches!(fault_of(b"{}", &DATA), LeafFault::Header(_)));
    }

    #[test]
    fn withheld_data_is_counted_and_not_compared() {
        let mut verifier = verifier_after(3);
        let leaf = event(3, "2026-11-23T08:30:00.000001Z");
        verifier
            .check(&leaf, &Payload::Withheld { ground: "legal" })
            .unwrap();
        assert_eq!(verifier.withheld_count(), 1);
        assert_eq!(verifier.root(), verifier_after(4).root());
    }

    #[test]
    fn a_named_ledger_is_expected_from_the_first_event() {
        let mut verifier = LeafVerifier::of_ledger("other");
        let leaf = event(0, "2026-11-23T08:30:00.000001Z");
        assert!(matches!(
            verifier.check(&leaf, &DATA).unwrap_err().fault,
            LeafFault::Source { .. }
        ));
    }
}
