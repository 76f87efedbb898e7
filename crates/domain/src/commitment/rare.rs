//! What a decision needs to know of few commitments: participants, milestones, contests, assessments. It stands in one box,
//! so that the many that have none of it pay eight bytes.

use crate::ids::{CommitmentId, PartyId, Position};
use crate::intern::Symbol;
use crate::wire::v1::AssessmentKind;

/// A party's part in a commitment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Participation {
    /// It leads.
    Lead,
    /// The lead named it, and it has not confirmed.
    Claimed,
    /// It confirmed.
    Confirmed,
    /// It left.
    Left,
}

/// Somebody's word that a report does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contest {
    pub(super) position: Position,
    pub(super) report: Position,
    pub(super) party: Symbol,
    pub(super) reporter: Symbol,
    pub(super) resolved: bool,
}

impl Contest {
    /// Whether the party made the report that is contested.
    pub fn is_reporter(&self, party: &PartyId) -> bool {
        Symbol::find(party.as_str()) == Some(self.reporter)
    }

    /// Whether the secretariat resolved it.
    pub fn is_resolved(&self) -> bool {
        self.resolved
    }
}

/// One assessment, or a revision of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assessment {
    pub(super) position: Position,
    pub(super) assessor: Symbol,
    pub(super) kind: AssessmentKind,
    pub(super) revised: bool,
}

impl Assessment {
    /// Whether the party made it.
    pub fn is_assessor(&self, party: &PartyId) -> bool {
        Symbol::find(party.as_str()) == Some(self.assessor)
    }

    /// What was assessed.
    pub fn kind(&self) -> AssessmentKind {
        self.kind
    }

    /// Whether a revision replaced it.
    pub fn is_revised(&self) -> bool {
        self.revised
    }
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Rare {
    pub(super) participants: Vec<(Symbol, Participation)>,
    /// Names, and whether they were reached.
    pub(super) milestones: Vec<(Box<str>, bool)>,
    pub(super) contests: Vec<Contest>,
    pub(super) assessments: Vec<Assessment>,
    /// What took the commitment's place, while it is superseded.
    pub(super) successor: Option<CommitmentId>,
}

impl Rare {
    /// Names a party as a participant, claimed until it confirms: again, if it had left.
    pub(super) fn claim(&mut self, party: Symbol) {
        match self.part_mut(party) {
            Some(part) => *part = Participation::Claimed,
            None => self.participants.push((party, Participation::Claimed)),
        }
    }

    pub(super) fn part_mut(&mut self, party: Symbol) -> Option<&mut Participation> {
        let mut participants = self.participants.iter_mut();
        participants
            .find(|(other, _)| *other == party)
            .map(|(_, part)| part)
    }

    pub(super) fn revise(&mut self, assessment: Position) {
        let named = |other: &&mut Assessment| other.position == assessment;
        if let Some(earlier) = self.assessments.iter_mut().find(named) {
            earlier.revised = true;
        }
    }

    pub(super) fn resolve(&mut self, contest: Position) {
        let named = |other: &&mut Contest| other.position == contest;
        if let Some(contest) = self.contests.iter_mut().find(named) {
            contest.resolved = true;
        }
    }

    pub(super) fn size_bytes(&self) -> usize {
        let names: usize = self.milestones.iter().map(|(name, _)| name.len()).sum();
        size_of::<Self>()
            + self.participants.capacity() * size_of::<(Symbol, Participation)>()
            + self.milestones.capacity() * size_of::<(Box<str>, bool)>()
            + self.contests.capacity() * size_of::<Contest>()
            + self.assessments.capacity() * size_of::<Assessment>()
            + names
    }
}
