//! What a decision needs to know of few commitments: participants, milestones, contests, assessments. It stands in one box,
//! so that the many that have none of it pay eight bytes.

use super::terms::ShortMark;
use crate::commitment::{NamedReport, ValueMark};
use crate::compare;
use crate::date::PartialDate;
use crate::ids::{CommitmentId, PartyId, Position};
use crate::intern::Symbol;
use crate::wire::v1::{
    AssessmentKind, Completion, Grade, Milestone, ParticipantRole, Period, ReviseAssessment,
};

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
    pub(super) role: ParticipantRole,
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
    pub(super) completion: Option<Completion>,
    pub(super) revised: bool,
    /// The commitment was amended since: the same words would be said of another text.
    pub(super) outdated: bool,
    /// The grade, or the grades.
    pub(super) grade: ValueMark,
    pub(super) summary: ValueMark,
}

impl Assessment {
    pub(super) fn new(position: Position, assessor: Symbol, kind: AssessmentKind) -> Self {
        Self {
            position,
            assessor,
            kind,
            completion: None,
            revised: false,
            outdated: false,
            grade: ValueMark::default(),
            summary: ValueMark::default(),
        }
    }

    /// The same words as said by the event at another position.
    pub(super) fn moved_to(self, position: Position, assessor: Symbol) -> Self {
        Self {
            position,
            assessor,
            outdated: false,
            ..self
        }
    }

    /// Whether the party made it.
    pub fn is_assessor(&self, party: &PartyId) -> bool {
        Symbol::find(party.as_str()) == Some(self.assessor)
    }

    /// What was assessed.
    pub fn kind(&self) -> AssessmentKind {
        self.kind
    }

    /// Whether it is already as a revision says, of the commitment as it is. A new grade without a completion leaves none.
    pub fn is_as_revised(&self, data: &ReviseAssessment) -> bool {
        !self.outdated && *self == self.revised_by(data)
    }

    /// As it is after a revision of it.
    fn revised_by(self, data: &ReviseAssessment) -> Self {
        let words = (data.grade.as_ref(), data.grades.as_deref());
        self.with(words, data.completion, data.summary.as_ref())
    }

    pub(super) fn with(
        mut self,
        (grade, grades): (Option<&String>, Option<&[Grade]>),
        completion: Option<Completion>,
        summary: Option<&String>,
    ) -> Self {
        if let Some(grade) = grade {
            self.grade = ValueMark::of(grade);
        }
        if let Some(grades) = grades {
            self.grade = ValueMark::of_grades(grades);
        }
        if grade.is_some() || completion.is_some() {
            self.completion = completion;
        }
        if summary.is_some() {
            self.summary = ValueMark::maybe(summary);
        }
        self
    }

    /// Whether a revision replaced it.
    pub fn is_revised(&self) -> bool {
        self.revised
    }
}

/// Why a piece of evidence is unavailable, and since when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Missing {
    /// The number of the piece.
    number: u32,
    reason: ShortMark,
    since: Option<PartialDate>,
}

impl Missing {
    pub(super) fn new(number: u32, reason: &str, since: Option<PartialDate>) -> Self {
        Self {
            number,
            reason: ShortMark::of_text(reason),
            since,
        }
    }

    /// Returns true when the other, said later, adds nothing: the same reason, and no later date.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let later = match (other.since, self.since) {
            (Some(new), Some(old)) => new.first_day() > old.first_day(),
            (Some(_), None) => true,
            (None, _) => false,
        };
        (self.number, self.reason) == (other.number, other.reason) && !later
    }
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Rare {
    pub(super) participants: Vec<Part>,
    /// Names, and whether they were reached.
    pub(super) milestones: Vec<(Box<str>, bool)>,
    /// The earliest date by which one of them is to be reached.
    pub(super) first_due: Option<PartialDate>,
    pub(super) contests: Vec<Contest>,
    pub(super) assessments: Vec<Assessment>,
    /// The last word on evidence that was not found, one for each piece.
    pub(super) missing: Vec<Missing>,
    /// What took the commitment's place, while it is superseded.
    pub(super) successor: Option<CommitmentId>,
}

impl Rare {
    /// Names a party as a participant, claimed until it confirms: again, if it had left. Who takes part already has another role.
    pub(super) fn claim(&mut self, party: Symbol, role: ParticipantRole) {
        match self.part_mut(party) {
            Some(part) => {
                part.role = role;
                if part.participation == Participation::Left {
                    part.participation = Participation::Claimed;
                }
            }
            None => self.participants.push(Part {
                party,
                role,
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

    pub(super) fn plan(&mut self, milestone: &Milestone) {
        self.milestones
            .push((Box::from(milestone.name.as_str()), false));
        let dues = self.first_due.into_iter().chain(milestone.due);
        self.first_due = dues.min_by_key(|due| due.last_day());
    }

    /// A piece of evidence was not found.
    pub(super) fn miss(&mut self, missing: Missing) {
        let same = |known: &&mut Missing| known.number == missing.number;
        match self.missing.iter_mut().find(same) {
            Some(known) => *known = missing,
            None => self.missing.push(missing),
        }
    }

    /// The commitment was amended: what was assessed is another text.
    pub(super) fn outdate_assessments(&mut self) {
        for assessment in &mut self.assessments {
            assessment.outdated = true;
        }
    }

    /// Marks an assessment as revised, and gives it as it was before.
    pub(super) fn revise(&mut self, assessment: Position) -> Option<Assessment> {
        let named = |other: &&mut Assessment| other.position == assessment;
        let earlier = self.assessments.iter_mut().find(named)?;
        let before = *earlier;
        earlier.revised = true;
        Some(before)
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
            + self.missing.capacity() * size_of::<Missing>()
            + names
    }
}
