//! The auditor's check of a log: every leaf, in order, against the one before it, its data and the tree.

use crate::delivered::Payload;
use crate::frontier::Frontier;
use crate::hash::{HASH_SIZE, Hash, data_digest, leaf_hash, sha256};
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
    /// The outline of the data is not what the leaf's outline digest is of.
    #[error("the leaf's `outlinedigest` does not match the outline of the data")]
    Outline,
}

/// Checks events one after the other from position 0, and grows the tree over them.
///
/// For each event: the leaf is well formed, stands at its position, is of the same ledger as the first, was recorded
/// no earlier than the one before, and its digest is that of the data it came with. The root at the end says the rest,
/// compared with a signed tree head. Data that is withheld cannot be compared and is counted.
///
/// Events come in runs that were checked among themselves ([`CheckedRun::check`]), on whatever thread: that leaves little more
/// than the tree's inner nodes to this one.
#[derive(Clone, Debug, Default)]
pub struct LeafVerifier {
    frontier: Frontier,
    edge: Edge,
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
            edge: Edge {
                source: format!("ledger/{ledger_id}"),
                time: String::new(),
            },
            ..Self::default()
        }
    }

    /// Takes the next events, checked among themselves before.
    ///
    /// # Errors
    ///
    /// [`LeafError`] with the position when the run does not begin where the log stands, or does not follow it; the verifier
    /// has not moved then, and the log should not be trusted from that position on.
    pub fn admit(&mut self, run: &CheckedRun) -> Result<(), LeafError> {
        if run.hashes.is_empty() {
            return Ok(());
        }
        let position = self.frontier.size();
        let fail = |fault| LeafError { position, fault };
        expect_position(position, run.first_position).map_err(fail)?;
        self.edge
            .follow(&run.edge.source, &run.first_time, &run.edge.time)
            .map_err(fail)?;
        self.withheld_count += run.withheld_count;
        self.frontier.extend(run.hashes.iter().copied());
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
}

/// Consecutive events that agree among themselves: the costly part of a check, which any thread can do.
#[derive(Clone, Debug, Default)]
pub struct CheckedRun {
    first_position: u64,
    first_time: String,
    edge: Edge,
    hashes: Vec<Hash>,
    withheld_count: u64,
}

impl CheckedRun {
    /// An empty run that is to begin at `first_position`.
    pub fn new(first_position: u64) -> Self {
        Self {
            first_position,
            ..Self::default()
        }
    }

    /// Checks the next event of the run and returns what its leaf says.
    ///
    /// # Errors
    ///
    /// [`LeafError`] with the position; the run has not grown then.
    pub fn check<'a>(
        &mut self,
        leaf: &'a [u8],
        payload: &Payload<'_>,
    ) -> Result<LeafHeader<'a>, LeafError> {
        let position = self.next_position();
        let fail = |fault| LeafError { position, fault };
        let header = checked_header(leaf, payload).map_err(fail)?;
        expect_position(position, header.position).map_err(fail)?;
        self.edge
            .follow(header.source, header.time, header.time)
            .map_err(fail)?;
        if self.hashes.is_empty() {
            header.time.clone_into(&mut self.first_time);
        }
        self.withheld_count += u64::from(is_withheld(payload));
        self.hashes.push(leaf_hash(leaf));
        Ok(header)
    }

    /// The position of the run's first event.
    pub fn first_position(&self) -> u64 {
        self.first_position
    }

    /// The position after the run's last event.
    pub fn next_position(&self) -> u64 {
        let count = u64::try_from(self.hashes.len()).unwrap_or(u64::MAX);
        self.first_position.saturating_add(count)
    }
}

/// The newest event's ledger and time, both empty before the first.
#[derive(Clone, Debug, Default)]
struct Edge {
    source: String,
    time: String,
}

impl Edge {
    /// Moves on to events of this source that begin and end at these times, or says what does not follow.
    fn follow(&mut self, source: &str, first_time: &str, last_time: &str) -> Result<(), LeafFault> {
        if self.source.is_empty() {
            source.clone_into(&mut self.source);
        } else if self.source != source {
            return Err(LeafFault::Source {
                expected: self.source.clone(),
                found: source.to_owned(),
            });
        }
        // Recorded times have one written form, in which the order of the texts is the order of the times.
        if first_time < self.time.as_str() {
            return Err(LeafFault::Time {
                found: first_time.to_owned(),
                previous: self.time.clone(),
            });
        }
        last_time.clone_into(&mut self.time);
        Ok(())
    }
}

/// What a leaf says, once its digest is known to be that of the data.
fn checked_header<'a>(leaf: &'a [u8], payload: &Payload<'_>) -> Result<LeafHeader<'a>, LeafFault> {
    let header = LeafHeader::parse(leaf)?;
    match payload {
        Payload::Data { salt, data } if data_digest(salt, data) != header.data_digest => {
            Err(LeafFault::Data)
        }
        Payload::Data { .. } | Payload::Withheld { .. } => Ok(header),
    }
}

/// The first version of the rules under which a leaf names its outline's digest.
const OUTLINE_RULES_MIN: u64 = 3;

/// The digest that the leaf of an event has of its outline; `None` where the outline is the data itself.
pub fn outline_digest(data: &[u8], outline: &[u8]) -> Option<[u8; HASH_SIZE]> {
    (outline != data).then(|| sha256(outline))
}

/// Checks that a leaf names the digest of its data's outline, as every leaf does from rules 3 on and none did before.
///
/// What an outline is, is not known here: the caller makes it of the data.
///
/// # Errors
///
/// [`LeafFault::Outline`], or [`LeafFault::Header`] if the leaf's version of the rules is no number.
pub fn check_outline(
    header: &LeafHeader<'_>,
    data: &[u8],
    outline: &[u8],
) -> Result<(), LeafFault> {
    let expected = if header.rules_number()? >= OUTLINE_RULES_MIN {
        outline_digest(data, outline)
    } else {
        None
    };
    if header.outline_digest == expected {
        Ok(())
    } else {
        Err(LeafFault::Outline)
    }
}

fn expect_position(expected: u64, found: u64) -> Result<(), LeafFault> {
    if found == expected {
        Ok(())
    } else {
        Err(LeafFault::Position { found })
    }
}

fn is_withheld(payload: &Payload<'_>) -> bool {
    matches!(payload, Payload::Withheld { .. })
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

    /// Checks the next event as a run of its own.
    fn check(
        verifier: &mut LeafVerifier,
        leaf: &[u8],
        payload: &Payload<'_>,
    ) -> Result<(), LeafError> {
        let mut run = CheckedRun::new(verifier.size());
        run.check(leaf, payload)?;
        verifier.admit(&run)
    }

    fn verifier_after(count: u64) -> LeafVerifier {
        let mut verifier = LeafVerifier::new();
        for position in 0..count {
            let leaf = event(position, "2026-11-23T08:30:00.000001Z");
            check(&mut verifier, &leaf, &DATA).unwrap();
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
        let error = check(&mut verifier, leaf, payload).unwrap_err();
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
    fn a_leaf_names_the_digest_of_its_outline_from_rules_3_on() {
        let (data, outline) = (b"{\"reason\":\"x\"}", b"{\"reason\":\"[withheld]\"}");
        let header = |rules_version, outline_digest| LeafHeader {
            rules_version,
            outline_digest,
            ..LeafHeader::default()
        };
        let digest = outline_digest(data, outline);
        assert_eq!(digest, Some(sha256(outline)));
        assert_eq!(outline_digest(data, data), None);
        let check =
            |rules, digest, outline: &[u8]| check_outline(&header(rules, digest), data, outline);
        for rules in ["3", "4"] {
            assert_eq!(check(rules, digest, outline), Ok(()));
            assert_eq!(check(rules, None, data), Ok(()));
            for (digest, outline) in [
                (None, &outline[..]),
                (Some([0; 32]), outline),
                (digest, data),
            ] {
                assert_eq!(check(rules, digest, outline), Err(LeafFault::Outline));
            }
        }
        assert_eq!(check("2", None, outline), Ok(()));
        assert_eq!(check("2", digest, outline), Err(LeafFault::Outline));
        assert!(matches!(
            check("three", digest, outline),
            Err(LeafFault::Header(_))
        ));
    }

    #[test]
    fn runs_give_the_same_root_as_single_events() {
        let time = "2026-11-23T08:30:00.000001Z";
        let mut verifier = LeafVerifier::new();
        for (first, count) in [(0, 3), (3, 0), (3, 1), (4, 9)] {
            let mut run = CheckedRun::new(first);
            for position in first..first + count {
                run.check(&event(position, time), &DATA).unwrap();
            }
            assert_eq!(run.next_position(), first + count);
            verifier.admit(&run).unwrap();
        }
        assert_eq!(verifier.root(), verifier_after(13).root());
    }

    #[test]
    fn a_run_must_agree_with_itself_and_follow_the_log() {
        let time = "2026-11-23T08:30:00.000001Z";
        let earlier = "2026-11-23T08:30:00.000000Z";
        let mut run = CheckedRun::new(3);
        run.check(&event(3, time), &DATA).unwrap();
        let error = run.check(&event(4, earlier), &DATA).unwrap_err();
        assert_eq!(error.position, 4);
        assert!(matches!(error.fault, LeafFault::Time { .. }));
        let error = run.check(&event(5, time), &DATA).unwrap_err();
        assert_eq!(error.fault, LeafFault::Position { found: 5 });
        assert_eq!(
            verifier_after(2).admit(&run).unwrap_err().fault,
            LeafFault::Position { found: 3 }
        );
        let mut late = CheckedRun::new(3);
        late.check(&event(3, earlier), &DATA).unwrap();
        assert!(matches!(
            verifier_after(3).admit(&late).unwrap_err().fault,
            LeafFault::Time { .. }
        ));
        verifier_after(3).admit(&run).unwrap();
    }

    #[test]
    fn withheld_data_is_counted_and_not_compared() {
        let mut verifier = verifier_after(3);
        let leaf = event(3, "2026-11-23T08:30:00.000001Z");
        let withheld = Payload::Withheld { ground: "legal" };
        check(&mut verifier, &leaf, &withheld).unwrap();
        assert_eq!(verifier.withheld_count(), 1);
        assert_eq!(verifier.root(), verifier_after(4).root());
    }

    #[test]
    fn a_named_ledger_is_expected_from_the_first_event() {
        let mut verifier = LeafVerifier::of_ledger("other");
        let leaf = event(0, "2026-11-23T08:30:00.000001Z");
        assert!(matches!(
            check(&mut verifier, &leaf, &DATA).unwrap_err().fault,
            LeafFault::Source { .. }
        ));
    }
}
