//! Facts of one commitment, as the views count it. Millions are held at once, so they are small: repeated values are indexes into the read
//! model's tables, and fields that few commitments have are in a box of their own.

use chrono::NaiveDate;

use super::event_time::{EventTime, Second};
use super::evidence::{AddedTo, has_digests};
use super::index::{ActionIndex, PartyIndex, number};
use super::reports::{Report, ReportLink, Reports};
use super::scrutiny::Scrutiny;
use super::table::TitleRef;
use crate::date::PartialDate;
use crate::ids::CommitmentId;
use crate::wire::v1::view::{MilestoneRow, ParticipationRole};
use crate::wire::v1::{Completion, Evidence, Form, Nature, Outcome, Stage};

/// Stands where a commitment has fewer than three actions.
const NO_ACTION: ActionIndex = ActionIndex::MAX;

/// One commitment as the views count it.
#[derive(Debug, Clone)]
pub(crate) struct CommitmentFacts {
    pub(crate) id: CommitmentId,
    pub(crate) recorded_position: u64,
    pub(crate) changed_position: u64,
    pub(crate) title: TitleRef,
    pub(crate) recorded: Second,
    /// When the last standing report of a participant was recorded.
    pub(crate) last_report: Option<Second>,
    /// The last day that a participant's standing report is about; never one after it was recorded.
    pub(crate) reported_until: Option<NaiveDate>,
    pub(crate) lead: PartyIndex,
    pub(crate) made: Option<PartialDate>,
    pub(crate) original_due: Option<PartialDate>,
    pub(crate) due: Option<PartialDate>,
    /// The actions of a commitment that has no more than three, as nearly all do.
    few_actions: [ActionIndex; 3],
    /// The standing reports on it.
    pub(crate) reports: ReportLink,
    pub(crate) cold: Option<Box<ColdFields>>,
    /// What the lead reported for the latest period; none before its first report.
    pub(crate) stage: Option<Stage>,
    pub(crate) status: Status,
    pub(crate) form: Form,
    pub(crate) nature: Option<Nature>,
    pub(crate) flags: Flags,
}

/// What most commitments do not have.
#[derive(Debug, Default, Clone)]
pub(crate) struct ColdFields {
    /// Participations of others than the lead.
    participations: Vec<Participation>,
    /// All actions, where they are more than three.
    actions: Vec<ActionIndex>,
    pub(crate) milestones: MilestoneRow,
    pub(crate) scrutiny: Option<Box<Scrutiny>>,
}

/// Where a commitment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Active,
    Suspended,
    Withdrawn,
    Superseded,
    Closed(Outcome),
    Lapsed,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Withdrawn => "withdrawn",
            Self::Superseded => "superseded",
            Self::Closed(Outcome::Fulfilled) => "closed_fulfilled",
            Self::Closed(Outcome::PartlyFulfilled) => "closed_partly_fulfilled",
            Self::Closed(Outcome::NotFulfilled) => "closed_not_fulfilled",
            Self::Lapsed => "lapsed",
        }
    }
}

/// A party's part in a commitment it does not lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Participation {
    pub(crate) party: PartyIndex,
    pub(crate) role: ParticipationRole,
    pub(crate) state: PartState,
}

/// What a party itself says of its part. Of several parts of one country's parties the first in this order is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PartState {
    /// The party said that it takes part; the lead always does.
    Confirmed,
    /// Only the lead said it.
    Claimed,
    /// The party takes part no more, or says that it never did.
    Left,
}

/// Yes-or-no facts, one bit each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flags(pub(crate) u32);

impl Flags {
    pub(crate) const BASELINE: Self = Self(1);
    pub(crate) const TARGET: Self = Self(1 << 1);
    pub(crate) const WEAKENED: Self = Self(1 << 2);
    pub(crate) const ILLUSTRATIVE: Self = Self(1 << 3);
    /// Evidence was named of the commitment itself, or of a milestone.
    pub(crate) const EVIDENCE_BESIDE_REPORTS: Self = Self(1 << 4);
    /// The facts differ from the row that was taken last.
    pub(crate) const UNSAVED: Self = Self(1 << 5);
    // What follows from the reports and from the scrutiny: found again by `CommitmentFacts::settle` after each change.
    pub(crate) const REPORT_EVIDENCE: Self = Self(1 << 6);
    pub(crate) const VALIDATED: Self = Self(1 << 7);
    pub(crate) const RETURNED: Self = Self(1 << 8);
    pub(crate) const CONTESTED: Self = Self(1 << 9);
    pub(crate) const ASSESSED: Self = Self(1 << 10);
    pub(crate) const ASSESSED_COMPLETE: Self = Self(1 << 11);
    pub(crate) const ASSESSED_BELOW_REPORT: Self = Self(1 << 12);
    pub(crate) const DOWNGRADED: Self = Self(1 << 13);
    pub(crate) const EVIDENCE_UNAVAILABLE: Self = Self(1 << 14);
    pub(crate) const CONTEST_UPHELD: Self = Self(1 << 15);
    /// Evidence that was named of the commitment itself, or of a milestone, has a digest.
    pub(crate) const DIGESTED_BESIDE_REPORTS: Self = Self(1 << 16);
    /// Evidence of a standing report has a digest; this follows as those above do.
    pub(crate) const REPORT_DIGESTED: Self = Self(1 << 17);
    /// When it was closed, a report said with evidence that all is done.
    pub(crate) const GROUND_FULFILLED: Self = Self(1 << 18);
    /// It was closed as fulfilled, and the report that this rested on holds no more: follows from the reports.
    pub(crate) const GROUND_TAKEN_BACK: Self = Self(1 << 19);
    /// What took its place was withdrawn.
    pub(crate) const SUCCESSOR_WITHDRAWN: Self = Self(1 << 20);
    /// When it was closed, a report said with evidence that it is under way, or done.
    pub(crate) const GROUND_UNDER_WAY: Self = Self(1 << 21);
    /// When it was closed, the lead's word was that all is done, with evidence or without.
    pub(crate) const LEAD_SAID_FULFILLED: Self = Self(1 << 22);

    /// What no report and no assessment changes.
    const TERMS: Self =
        Self(Self::BASELINE.0 | Self::TARGET.0 | Self::WEAKENED.0 | Self::ILLUSTRATIVE.0);
    /// What a row keeps; the rest follows.
    pub(crate) const KEPT: u32 = Self::BASELINE.0
        | Self::TARGET.0
        | Self::WEAKENED.0
        | Self::ILLUSTRATIVE.0
        | Self::EVIDENCE_BESIDE_REPORTS.0
        | Self::DIGESTED_BESIDE_REPORTS.0
        | Self::GROUND_FULFILLED.0
        | Self::GROUND_UNDER_WAY.0
        | Self::LEAD_SAID_FULFILLED.0
        | Self::SUCCESSOR_WITHDRAWN.0;
    /// What stands in few commitments, so that one test passes over all of it.
    const UNUSUAL: Self = Self(
        Self::VALIDATED.0
            | Self::RETURNED.0
            | Self::CONTESTED.0
            | Self::CONTEST_UPHELD.0
            | Self::ASSESSED.0
            | Self::ASSESSED_BELOW_REPORT.0
            | Self::DOWNGRADED.0
            | Self::EVIDENCE_UNAVAILABLE.0,
    );

    /// Whether any of these flags is set.
    pub(crate) fn has(self, flags: Self) -> bool {
        self.0 & flags.0 != 0
    }

    pub(crate) fn set(&mut self, flag: Self, on: bool) {
        if on {
            self.0 |= flag.0;
        } else {
            self.0 &= !flag.0;
        }
    }
}

/// How far a report bears out that its commitment is fulfilled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ground {
    None,
    /// It has evidence, and says of nothing that it was done.
    Evidenced,
    /// It has evidence, and says that the commitment is under way.
    UnderWay,
    /// It has evidence, and says that all is done.
    Fulfilled,
}

impl Ground {
    fn of(report: &Report) -> Self {
        match (report.has_evidence(), report.stage) {
            (false, _) => Self::None,
            (true, Stage::Fulfilled) => Self::Fulfilled,
            (true, Stage::InProgress) => Self::UnderWay,
            (true, Stage::Planning | Stage::Stalled) => Self::Evidenced,
        }
    }
}

/// What of a commitment is counted otherwise than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Difference {
    None,
    /// What reports and assessments say; it is the same commitment in the same views.
    Progress,
    /// Anything, or the views it stands in.
    Terms,
}

impl CommitmentFacts {
    /// A commitment as it is recorded, with nothing but what every commitment has.
    pub(crate) fn new(id: CommitmentId, lead: PartyIndex, form: Form, at: EventTime) -> Self {
        Self {
            id,
            recorded_position: at.position,
            changed_position: at.position,
            title: TitleRef::default(),
            recorded: Second::of(at),
            last_report: None,
            reported_until: None,
            lead,
            made: None,
            original_due: None,
            due: None,
            few_actions: [NO_ACTION; 3],
            reports: None,
            cold: None,
            stage: None,
            status: Status::Active,
            form,
            nature: None,
            flags: Flags::default(),
        }
    }

    /// How the views count it otherwise than another: the same commitment before an event, that is. Every field stands here, so that a new
    /// one cannot be forgotten. Dates are not counted but kept in calendars.
    pub(crate) fn compare(&self, other: &Self) -> Difference {
        let Self {
            id: _,
            recorded_position: _,
            changed_position: _,
            title: _,
            recorded: _,
            last_report: _,
            reported_until: _,
            lead,
            made,
            original_due,
            due,
            few_actions,
            reports: _,
            cold,
            stage,
            status,
            form,
            nature,
            flags,
        } = self;
        let flags = (flags.0 ^ other.flags.0) & !Flags::UNSAVED.0;
        // What is rare is not looked into: it is counted again.
        let has_same_terms = cold.is_none()
            && other.cold.is_none()
            && *lead == other.lead
            && *few_actions == other.few_actions
            && *status == other.status
            && flags & Flags::TERMS.0 == 0
            && *form == other.form
            && *nature == other.nature
            && *made == other.made
            && *original_due == other.original_due
            && *due == other.due;
        if !has_same_terms {
            Difference::Terms
        } else if *stage != other.stage || flags != 0 {
            Difference::Progress
        } else {
            Difference::None
        }
    }

    /// Whether it stands in the same views, as far as that follows from it and not from the parties and the catalogue.
    pub(crate) fn stands_like(&self, other: &Self) -> bool {
        let parties = |facts| Self::participations(facts).iter().map(|part| part.party);
        self.lead == other.lead
            && self.actions() == other.actions()
            && parties(self).eq(parties(other))
    }

    /// The actions it is made under.
    pub(crate) fn actions(&self) -> &[ActionIndex] {
        if let Some(cold) = self.cold.as_ref().filter(|cold| !cold.actions.is_empty()) {
            return &cold.actions;
        }
        let named = |action: &&ActionIndex| **action != NO_ACTION;
        let count = self.few_actions.iter().take_while(named).count();
        self.few_actions.get(..count).unwrap_or_default()
    }

    pub(crate) fn set_actions(&mut self, actions: &[ActionIndex]) {
        let few = actions.len() <= self.few_actions.len();
        self.few_actions = [NO_ACTION; 3];
        if let Some(cold) = &mut self.cold {
            cold.actions.clear();
        }
        if few {
            for (cell, &action) in self.few_actions.iter_mut().zip(actions) {
                *cell = action;
            }
        } else {
            self.cold.get_or_insert_default().actions = actions.to_vec();
        }
    }

    /// It stands: active or suspended.
    pub(crate) fn is_active(&self) -> bool {
        matches!(self.status, Status::Active | Status::Suspended)
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.status, Status::Closed(_))
    }

    /// Progress can be measured: there is a baseline, a target and a due date.
    pub(crate) fn is_measurable(&self) -> bool {
        self.flags.has(Flags::BASELINE) && self.flags.has(Flags::TARGET) && self.due.is_some()
    }

    pub(crate) fn is_weakened(&self) -> bool {
        self.flags.has(Flags::WEAKENED)
    }

    pub(crate) fn is_illustrative(&self) -> bool {
        self.flags.has(Flags::ILLUSTRATIVE)
    }

    /// A standing report names evidence of its participants, or a milestone does, or the commitment itself.
    pub(crate) fn has_evidence(&self) -> bool {
        self.flags.has(Flags(
            Flags::REPORT_EVIDENCE.0 | Flags::EVIDENCE_BESIDE_REPORTS.0,
        ))
    }

    /// Some of that evidence has a digest.
    pub(crate) fn has_digested_evidence(&self) -> bool {
        self.flags.has(Flags(
            Flags::REPORT_DIGESTED.0 | Flags::DIGESTED_BESIDE_REPORTS.0,
        ))
    }

    /// It has such evidence, and none of it has a digest.
    pub(crate) fn has_undigested_evidence_only(&self) -> bool {
        self.has_evidence() && !self.has_digested_evidence()
    }

    /// Closed as fulfilled.
    pub(crate) fn is_closed_fulfilled(&self) -> bool {
        self.status == Status::Closed(Outcome::Fulfilled)
    }

    /// Closed as fulfilled, and nobody's newest assessment says that it is complete.
    pub(crate) fn is_self_declared(&self) -> bool {
        self.is_closed_fulfilled() && !self.flags.has(Flags::ASSESSED_COMPLETE)
    }

    /// Reported by its lead as fulfilled where it stands, or closed as such, and never assessed. How it was closed counts before what was reported.
    pub(crate) fn is_fulfilled_unassessed(&self) -> bool {
        let reported = self.is_active() && self.stage == Some(Stage::Fulfilled);
        (reported || self.is_closed_fulfilled()) && !self.flags.has(Flags::ASSESSED)
    }

    /// Somebody is named to take part and has not said so itself.
    pub(crate) fn is_unconfirmed(&self) -> bool {
        let claimed = |part: &Participation| part.state == PartState::Claimed;
        self.participations().iter().any(claimed)
    }

    /// Whether any flag is set that few commitments have.
    pub(crate) fn is_unusual(&self) -> bool {
        self.flags.has(Flags::UNUSUAL)
    }

    /// The participations of others than the lead.
    pub(crate) fn participations(&self) -> &[Participation] {
        self.cold.as_ref().map_or(&[], |cold| &cold.participations)
    }

    /// Adds parts. A party has one: who left and is named again takes part anew, and who takes part already has another role.
    pub(crate) fn add_participations(&mut self, participations: &[Participation]) {
        if participations.is_empty() {
            return;
        }
        let known = &mut self.cold.get_or_insert_default().participations;
        known.reserve_exact(participations.len());
        for part in participations {
            match known.iter_mut().find(|other| other.party == part.party) {
                Some(former) if former.state == PartState::Left => *former = *part,
                Some(former) => former.role = part.role,
                None => known.push(*part),
            }
        }
    }

    /// Whether a party leads it, or takes part and did not leave.
    pub(crate) fn takes_part(&self, party: PartyIndex) -> bool {
        let stays = |part: &Participation| part.party == party && part.state != PartState::Left;
        self.lead == party || self.participations().iter().any(stays)
    }

    /// Somebody takes part, or may, beside the lead.
    pub(crate) fn is_joint(&self) -> bool {
        let stays = |part: &Participation| part.state != PartState::Left;
        self.participations().iter().any(stays)
    }

    /// A party speaks for itself: it takes part, or no more.
    pub(crate) fn set_part(&mut self, party: PartyIndex, state: PartState) {
        let Some(cold) = &mut self.cold else { return };
        for part in &mut cold.participations {
            if part.party == party && part.state != PartState::Left {
                part.state = state;
            }
        }
    }

    /// A party spoke as a participant: that confirms the part it was named for.
    pub(crate) fn confirm_part(&mut self, party: PartyIndex) {
        self.set_part(party, PartState::Confirmed);
    }

    pub(crate) fn milestones(&self) -> MilestoneRow {
        self.cold
            .as_ref()
            .map_or_else(MilestoneRow::default, |cold| cold.milestones)
    }

    pub(crate) fn name_milestones(&mut self, named: usize) {
        if named > 0 {
            let milestones = &mut self.cold.get_or_insert_default().milestones;
            milestones.named = milestones.named.saturating_add(number(named));
        }
    }

    pub(crate) fn reach_milestone(&mut self) {
        let milestones = &mut self.cold.get_or_insert_default().milestones;
        milestones.reached = milestones.reached.saturating_add(1);
    }

    /// Takes evidence in that participants name of the commitment itself, or of a milestone.
    pub(crate) fn add_evidence(&mut self, evidence: &[Evidence], at: EventTime) {
        if evidence.is_empty() {
            return;
        }
        let (digested, undigested) = has_digests(evidence);
        let known = self.flags.has(Flags::DIGESTED_BESIDE_REPORTS);
        let flags = &mut self.flags;
        flags.set(Flags::EVIDENCE_BESIDE_REPORTS, true);
        flags.set(Flags::DIGESTED_BESIDE_REPORTS, known || digested);
        if undigested {
            let words = &mut self.scrutinise().evidence;
            words.added(at.position, AddedTo::Commitment);
        }
    }

    /// Evidence that anybody names with a URL was found there.
    pub(crate) fn name_evidence(&mut self, evidence: &[Evidence]) {
        if let Some(scrutiny) = self.scrutiny_mut() {
            scrutiny.evidence.named_again(evidence);
        }
    }

    pub(crate) fn scrutiny(&self) -> Option<&Scrutiny> {
        self.cold.as_ref()?.scrutiny.as_deref()
    }

    /// The scrutiny of a commitment that has had some.
    pub(crate) fn scrutiny_mut(&mut self) -> Option<&mut Scrutiny> {
        self.cold.as_mut()?.scrutiny.as_deref_mut()
    }

    pub(crate) fn scrutinise(&mut self) -> &mut Scrutiny {
        let cold = self.cold.get_or_insert_default();
        cold.scrutiny.get_or_insert_default()
    }

    /// Names what took its place, and says whether that is withdrawn; or that nothing did.
    pub(crate) fn follow(&mut self, successor: Option<CommitmentId>, withdrawn: bool) {
        self.flags.set(Flags::SUCCESSOR_WITHDRAWN, withdrawn);
        if successor.is_some() {
            self.scrutinise().successor = successor;
        } else if let Some(scrutiny) = self.scrutiny_mut() {
            scrutiny.successor = None;
        }
    }

    pub(crate) fn add_report(&mut self, report: Report, reports: &mut Reports) {
        reports.push(&mut self.reports, report);
    }

    /// Puts a correction in the place of the report it names; a report of its own where there is no such one.
    pub(crate) fn correct_report(&mut self, corrects: u64, report: Report, reports: &mut Reports) {
        if !reports.replace(self.reports, corrects, report) {
            reports.push(&mut self.reports, report);
        }
    }

    pub(crate) fn retract_report(
        &mut self,
        position: u64,
        reporter: PartyIndex,
        reports: &mut Reports,
    ) {
        let report = reports.remove(&mut self.reports, position);
        if let (Some(report), Some(scrutiny)) = (report, self.scrutiny_mut()) {
            scrutiny.report_retracted(position, reporter, report.period());
        }
    }

    pub(crate) fn report_mut<'a>(
        &self,
        position: u64,
        reports: &'a mut Reports,
    ) -> Option<&'a mut Report> {
        reports.find(self.reports, position)
    }

    /// Gives up what stands outside of the facts, before others take their place.
    pub(crate) fn release(&mut self, reports: &mut Reports) {
        reports.clear(self.reports.take());
    }

    /// Finds anew what follows from the reports and the scrutiny. Where the last evidence of participants is gone with the report that named it, so is what
    /// was said of where to find it.
    ///
    /// The stage is the lead's own word on the latest period: a report filed late on an earlier period does not set it back, and
    /// the correction of an earlier period leaves it alone. Of two reports on periods that end on one day, or that both go on when they are recorded, the later counts.
    /// Whether the lead's word was validated or returned is asked of the report that its stage comes from.
    pub(crate) fn settle(&mut self, reports: &Reports) {
        let had_evidence = self.has_evidence();
        let (mut last, mut evidence, mut upheld) = (None, false, false);
        let mut digested = false;
        let mut until: Option<NaiveDate> = None;
        let mut newest: Option<&Report> = None;
        let mut ground = Ground::None;
        for report in reports.of(self.reports) {
            last = last.max(Some(report.recorded));
            until = until.max(Some(report.until()));
            evidence |= report.has_evidence();
            digested |= report.has_digested_evidence();
            upheld |= report.has(Report::CONTEST_UPHELD);
            if report.holds() {
                ground = ground.max(Ground::of(report));
            }
            if report.has(Report::BY_LEAD) && newest.is_none_or(|newest| report.is_newer(newest)) {
                newest = Some(report);
            }
        }
        self.last_report = last;
        self.reported_until = until;
        self.stage = newest.map(|report| report.stage);
        let lead_says_less = self.flags.has(Flags::LEAD_SAID_FULFILLED)
            && !newest.is_some_and(|report| report.stage == Stage::Fulfilled && report.holds());
        let says_less = ground < self.ground_of_closing() || lead_says_less;
        let taken_back = self.is_closed_fulfilled() && says_less;
        self.flags.set(Flags::GROUND_TAKEN_BACK, taken_back);
        let marked = |mark| newest.is_some_and(|report| report.has(mark));
        self.flags.set(Flags::REPORT_EVIDENCE, evidence);
        self.flags.set(Flags::REPORT_DIGESTED, digested);
        self.flags.set(Flags::CONTEST_UPHELD, upheld);
        self.flags.set(Flags::VALIDATED, marked(Report::VALIDATED));
        self.flags.set(Flags::RETURNED, marked(Report::RETURNED));
        if had_evidence
            && !self.has_evidence()
            && let Some(scrutiny) = self.scrutiny_mut()
        {
            scrutiny.evidence.forget_unavailable();
        }
        self.settle_scrutiny(reports);
    }

    /// The ground of a closing as fulfilled: a report with evidence always, and the most that one
    /// said.
    fn ground_of_closing(&self) -> Ground {
        if self.flags.has(Flags::GROUND_FULFILLED) {
            Ground::Fulfilled
        } else if self.flags.has(Flags::GROUND_UNDER_WAY) {
            Ground::UnderWay
        } else {
            Ground::Evidenced
        }
    }

    /// Closes it, and keeps what that rests on: reports with evidence, and the lead's word.
    pub(crate) fn close(&mut self, outcome: Outcome, reports: &Reports) {
        self.status = Status::Closed(outcome);
        let ground = reports.of(self.reports).map(Ground::of).max();
        let flags = &mut self.flags;
        flags.set(Flags::GROUND_FULFILLED, ground >= Some(Ground::Fulfilled));
        flags.set(Flags::GROUND_UNDER_WAY, ground >= Some(Ground::UnderWay));
        flags.set(
            Flags::LEAD_SAID_FULFILLED,
            self.stage == Some(Stage::Fulfilled),
        );
    }

    fn settle_scrutiny(&mut self, reports: &Reports) {
        let Some(scrutiny) = self.scrutiny() else {
            return;
        };
        let contested = !scrutiny.contests.is_empty()
            && reports
                .of(self.reports)
                .any(|report| scrutiny.contests.concern(report.position()));
        let unavailable = scrutiny.evidence.unavailable_count() > 0;
        let verdicts = scrutiny.assessments.verdicts();
        let below = match (verdicts.lowest, self.claim()) {
            (Some(lowest), Some(claim)) => lowest < claim,
            (None | Some(_), None) | (None, Some(_)) => false,
        };
        let flags = &mut self.flags;
        flags.set(Flags::CONTESTED, contested);
        flags.set(Flags::EVIDENCE_UNAVAILABLE, unavailable);
        flags.set(Flags::ASSESSED, verdicts.assessed);
        flags.set(Flags::ASSESSED_COMPLETE, verdicts.complete);
        flags.set(Flags::ASSESSED_BELOW_REPORT, below);
        flags.set(Flags::DOWNGRADED, verdicts.downgraded);
    }

    /// The completion that an assessment must reach to bear the lead out: all done for fulfilled, something done for under way. The lead claims
    /// nothing by planning, by standing still, or by closing as not fulfilled.
    fn claim(&self) -> Option<Completion> {
        match self.status {
            Status::Closed(Outcome::Fulfilled) => Some(Completion::Complete),
            Status::Closed(Outcome::PartlyFulfilled) => Some(Completion::Limited),
            Status::Closed(Outcome::NotFulfilled) => None,
            Status::Active
            | Status::Suspended
            | Status::Withdrawn
            | Status::Superseded
            | Status::Lapsed => match self.stage? {
                Stage::Fulfilled => Some(Completion::Complete),
                Stage::InProgress => Some(Completion::Limited),
                Stage::Planning | Stage::Stalled => None,
            },
        }
    }

    pub(crate) fn stage_text(&self) -> &'static str {
        self.stage.map_or("none_reported", Stage::as_str)
    }
}
