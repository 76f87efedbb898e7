//! What a decision needs to know of few commitments: participants, milestones, contests, assessments. It stands in one box,
//! so that the many that have none of it pay eight bytes.

use crate::commitment::NamedReport;
use crate::compare;
use crate::ids::{CommitmentId, PartyId, Position};
use crate::intern::Symbol;
use crate::wire::v1::{AssessmentKind, Period};

/// A party's part in a commitment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Participation {
    /// It leads.
    Lead,
    /// The lead named it, and it has not confirmed.
    Claimed,
    /// It confirmed.
    Confirmed,
    /// It left, or declined before it confirmed.
    Left,
}

/// A party that was named beside the lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) party: Symbol,
    pub(super) participation: Participation,
    /// It confirmed, or spoke as a participant, at any time.
    pub(super) spoke: bool,
}

/// Somebody's word that a report does not hold. It stays with the reporter and the period, whichever report stands for them: so
/// it outlives a correction, and a retraction that another report follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contest {
    pub(super) position: Position,
    pub(super) party: Symbol,
    pub(super) reporter: Symbol,
    pub(super) period: Option<Period>,
    pub(super) resolved: bool,
}

impl Contest {
    /// Whether the party made the report that is contested.
    pub fn is_reporter(&self, party: &PartyId) -> bool {
        Symbol::find(party.as_str()) == Some(self.reporter)
    }

    /// Whether it is about this report, or about one whose place this one took.
    pub(super) fn concerns(&self, report: &NamedReport) -> bool {
        let same = |period: Period| period.covers_same_days(&report.period);
        self.reporter == report.reporter && self.period.is_some_and(same)
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
    pub(super) participants: Vec<Part>,
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
            Some(part) => part.participation = Participation::Claimed,
            None => self.participants.push(Part {
                party,
                participation: Participation::Claimed,
                spoke: false,
            }),
        }
    }

    pub(super) fn part(&self, party: Symbol) -> Option<&Part> {
        self.participants.iter().find(|part| part.party == party)
    }

    pub(super) fn part_mut(&mut self, party: Symbol) -> Option<&mut Part> {
        let mut participants = self.participants.iter_mut();
        participants.find(|part| part.party == party)
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

    /// The milestone of this name and whether it was reached. Logs of before hold milestones whose names are
    /// [the same](crate::compare): one that was not reached goes before.
    pub(super) fn milestone(&self, name: &str) -> Option<(&str, bool)> {
        let index = self.milestone_index(name)?;
        let (name, reached) = self.milestones.get(index)?;
        Some((name, *reached))
    }

    /// Marks the milestone of this name as reached.
    pub(super) fn reach(&mut self, name: &str) {
        let index = self.milestone_index(name);
        if let Some((_, reached)) = index.and_then(|index| self.milestones.get_mut(index)) {
            *reached = true;
        }
    }

    fn milestone_index(&self, name: &str) -> Option<usize> {
        let name = compare::folded(name);
        let same = |other: &str| compare::folded(other) == name;
        let mut named = self.milestones.iter().enumerate();
        let (first, (_, reached)) = named.find(|(_, (other, _))| same(other))?;
        let mut further = named.filter(|(_, (other, reached))| !reached && same(other));
        let open = reached.then(|| further.next()).flatten();
        Some(open.map_or(first, |(index, _)| index))
    }

    pub(super) fn size_bytes(&self) -> usize {
        let names: usize = self.milestones.iter().map(|(name, _)| name.len()).sum();
        size_of::<Self>()
            + self.participants.capacity() * size_of::<Part>()
            + self.milestones.capacity() * size_of::<(Box<str>, bool)>()
            + self.contests.capacity() * size_of::<Contest>()
            + self.assessments.capacity() * size_of::<Assessment>()
            + names
    }
}
