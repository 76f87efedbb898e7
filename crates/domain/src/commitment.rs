//! What a decision needs to know of one commitment, in as few bytes as will do: a ledger caches millions.

mod evidence;
mod measure;
mod rare;
mod report;

use smallvec::SmallVec;

use crate::date::PartialDate;
use crate::ids::{ActionCode, CommitmentId, CountryCode, PartyId, Position, Version};
use crate::intern::Symbol;
use crate::wire::v1::{
    Amount, AssessmentKind, CommitmentAmended, CommitmentRecorded, CommitmentStatus, Event,
    EventBody, Evidence, EvidencePlace, NamedEvidence, Nature, Participant, Period,
    ProgressReported, is_percent,
};

pub use rare::{Assessment, Contest, Participation};
pub use report::{NamedReport, ReportState};

use evidence::{Naming, Pieces};
use measure::{Known, TextMark};
use rare::Rare;
use report::Report;

/// The decision state of one commitment: a fold of the events of its stream, and of nothing else.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Commitment {
    position: Position,
    reports: Vec<Report>,
    actions: SmallVec<[Symbol; 4]>,
    evidence: Pieces,
    rare: Option<Box<Rare>>,
    baseline: Known,
    target: Known,
    indicator: TextMark,
    unit: TextMark,
    version: Version,
    lead: Symbol,
    country: Option<CountryCode>,
    made: Option<PartialDate>,
    due: Option<PartialDate>,
    status: CommitmentStatus,
    flags: Flags,
}

/// Yes-or-no facts, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Flags(u8);

impl Flags {
    /// It has a measure.
    const MEASURED: Self = Self(1);
    /// The measure is a share in percent.
    const PERCENT: Self = Self(1 << 1);
    /// It is about money.
    const FINANCIAL: Self = Self(1 << 2);
    /// The first target and the first baseline were known at once.
    const DIRECTED: Self = Self(1 << 3);
    /// That target lay below that baseline: less is better.
    const FALLING: Self = Self(1 << 4);

    fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    fn set(&mut self, flag: Self, on: bool) {
        if on {
            self.0 |= flag.0;
        } else {
            self.0 &= !flag.0;
        }
    }
}

impl Commitment {
    /// The most standing reports one commitment keeps.
    pub const MAX_REPORTS: usize = 1024;
    /// The most replaced and retracted reports one commitment remembers; older ones are unknown again.
    const MAX_FORMER_REPORTS: usize = 1024;
    /// The most parties that may ever have taken part beside the lead.
    pub const MAX_PARTICIPANTS: usize = 1024;
    /// The most milestones of one commitment.
    pub const MAX_MILESTONES: usize = 256;
    /// The most contests of its reports.
    pub const MAX_CONTESTS: usize = 1024;
    /// The most assessments, revisions counted too.
    pub const MAX_ASSESSMENTS: usize = 1024;
    /// The most pieces of evidence.
    pub const MAX_EVIDENCE: usize = 4096;

    /// Folds one event of the commitment's stream in. Events of other streams change nothing.
    #[must_use]
    pub fn evolve(previous: Option<Self>, event: &Event) -> Self {
        let mut state = previous.unwrap_or_default();
        match &event.body {
            EventBody::CommitmentRecorded(recorded) => state = Self::recorded(recorded),
            EventBody::ProgressReported(report) => state.reported(event, report),
            EventBody::ReportCorrected(corrected) => state.reported(event, &corrected.report),
            EventBody::CommitmentAmended(amended) => state.amended(amended),
            EventBody::CommitmentWithdrawn(_)
            | EventBody::CommitmentSuspended(_)
            | EventBody::CommitmentResumed(_)
            | EventBody::CommitmentSuperseded(_)
            | EventBody::CommitmentClosed(_)
            | EventBody::CommitmentReinstated(_) => state.changed_status(&event.body),
            EventBody::ParticipationConfirmed(_) => {
                state.participates(event, Participation::Confirmed);
                state.spoke(Symbol::of(event.header.party.as_str()));
            }
            EventBody::CommitmentLeft(_) => state.participates(event, Participation::Left),
            EventBody::ReportRetracted(data) => state.change_report(data.report, Report::retract),
            EventBody::MilestoneReached(_)
            | EventBody::ReportContested(_)
            | EventBody::ContestResolved(_)
            | EventBody::ProgressAssessed(_)
            | EventBody::AmbitionAssessed(_)
            | EventBody::AssessmentRevised(_)
            | EventBody::EvidenceAttached(_)
            | EventBody::EvidenceMoved(_)
            | EventBody::EvidenceDigested(_)
            | EventBody::EvidenceFlaggedUnavailable(_) => state.said_of_it(event),
            // Nothing is decided by these, but that they were recorded.
            EventBody::ContestAnswered(_)
            | EventBody::ReportValidated(_)
            | EventBody::ReportReturned(_) => {}
            EventBody::LedgerOpened(_)
            | EventBody::PartnerRegistered(_)
            | EventBody::PartnerChanged(_)
            | EventBody::PartnerRevoked(_)
            | EventBody::InstrumentPublished(_)
            | EventBody::ActionCatalogued(_)
            | EventBody::ActionTextAmended(_)
            | EventBody::ActionsMapped(_)
            | EventBody::PartyRegistered(_)
            | EventBody::PartyStatusChanged(_)
            | EventBody::ReviewOpened(_)
            | EventBody::StatementRecorded(_)
            | EventBody::ReviewClosed(_) => return state,
        }
        state.version = event.header.stream_version;
        state.position = event.header.position;
        state
    }

    fn recorded(recorded: &CommitmentRecorded) -> Self {
        let mut state = Self {
            actions: symbols(&recorded.actions),
            lead: Symbol::of(recorded.lead.as_str()),
            country: recorded.country,
            made: recorded.made,
            due: recorded.due,
            ..Self::default()
        };
        state.set_nature(recorded.nature);
        state.claim(&recorded.participants);
        state.plan(recorded.milestones.iter().map(|milestone| &milestone.name));
        if let Some(measure) = &recorded.measure {
            let texts = (Some(&*measure.indicator), measure.unit.as_deref());
            state.measure(texts, measure.baseline, measure.target);
        }
        state
    }

    fn set_nature(&mut self, nature: Option<Nature>) {
        if let Some(nature) = nature {
            self.flags
                .set(Flags::FINANCIAL, nature == Nature::Financial);
        }
    }

    fn measure(
        &mut self,
        (indicator, unit): (Option<&str>, Option<&str>),
        baseline: Option<Amount>,
        target: Option<Amount>,
    ) {
        self.flags.set(Flags::MEASURED, true);
        let same_unit = !self.has_other_unit(unit);
        let former = |known: Known| known.get().filter(|_| same_unit);
        // The target that was first given tells the direction, if a baseline in its unit is known.
        let (from, to) = (
            baseline.or(former(self.baseline)),
            former(self.target).or(target),
        );
        if let Some(indicator) = indicator {
            self.indicator = TextMark::of(indicator);
        }
        if let Some(unit) = unit {
            self.flags.set(Flags::PERCENT, is_percent(unit));
            self.unit = TextMark::of_unit(unit);
        }
        self.baseline.set(baseline);
        self.target.set(target);
        if !self.flags.has(Flags::DIRECTED)
            && let (Some(from), Some(to)) = (from, to)
        {
            self.flags.set(Flags::DIRECTED, true);
            self.flags.set(Flags::FALLING, to < from);
        }
    }

    fn claim(&mut self, participants: &[Participant]) {
        for participant in participants {
            let party = Symbol::of(participant.party.as_str());
            self.rare.get_or_insert_default().claim(party);
        }
    }

    fn plan<'a>(&mut self, names: impl Iterator<Item = &'a String>) {
        for name in names {
            let rare = self.rare.get_or_insert_default();
            rare.milestones.push((Box::from(name.as_str()), false));
        }
    }

    fn reported(&mut self, event: &Event, data: &ProgressReported) {
        let reporter = Symbol::of(event.header.party.as_str());
        self.spoke(reporter);
        let evidenced = !data.evidence.is_empty();
        let same = |other: &&mut Report| other.stands_for(reporter, data.period);
        if let Some(earlier) = self.reports.iter_mut().find(same) {
            earlier.correct();
        }
        // Most commitments are reported on once or twice: grow by what is needed, not by four.
        if self.reports.len() == self.reports.capacity() {
            self.reports.reserve_exact(self.reports.len().clamp(1, 16));
        }
        let position = event.header.position;
        self.reports
            .push(Report::new(position, reporter, data.period, evidenced));
        self.know(position, &data.evidence, Some(position), true);
        if self.reports.len() > Self::MAX_FORMER_REPORTS {
            self.forget_former_report();
        }
    }

    /// Forgets the oldest report that does not stand, where more are kept than are remembered.
    fn forget_former_report(&mut self) {
        let former = |report: &&Report| !report.is_standing();
        if self.reports.iter().filter(former).count() > Self::MAX_FORMER_REPORTS
            && let Some(oldest) = self.reports.iter().position(|report| former(&report))
        {
            self.reports.remove(oldest);
        }
    }

    /// Takes in the evidence that the event at a position names of what stands at another, or of the commitment as a whole.
    fn know(
        &mut self,
        position: Position,
        evidence: &[Evidence],
        of: Option<Position>,
        by_participant: bool,
    ) {
        let naming = Naming::of(of, by_participant);
        self.evidence.name(position, evidence, naming);
    }

    fn change_report(&mut self, position: Position, change: fn(&mut Report)) {
        let named = |report: &&mut Report| report.position() == position;
        if let Some(report) = self.reports.iter_mut().find(named) {
            change(report);
        }
    }

    fn amended(&mut self, amended: &CommitmentAmended) {
        if let Some(actions) = &amended.actions {
            self.actions = symbols(actions);
        }
        if amended.due.is_some() {
            self.due = amended.due;
        }
        if let Some(change) = &amended.measure {
            let texts = (change.indicator.as_deref(), change.unit.as_deref());
            self.measure(texts, change.baseline, change.target);
        }
        self.set_nature(amended.nature);
        self.claim(&amended.participants);
        self.plan(amended.milestones.iter().map(|milestone| &milestone.name));
    }

    fn changed_status(&mut self, body: &EventBody) {
        if let EventBody::CommitmentWithdrawn(_) = body {
            self.status = CommitmentStatus::Withdrawn;
        }
        if let EventBody::CommitmentSuspended(_) = body {
            self.status = CommitmentStatus::Suspended;
        }
        if let EventBody::CommitmentSuperseded(data) = body {
            self.status = CommitmentStatus::Superseded;
            self.rare.get_or_insert_default().successor = Some(data.successor);
        }
        if let EventBody::CommitmentClosed(_) = body {
            self.status = CommitmentStatus::Closed;
        }
        if let EventBody::CommitmentResumed(_) | EventBody::CommitmentReinstated(_) = body {
            self.status = CommitmentStatus::Active;
            if let Some(rare) = &mut self.rare {
                rare.successor = None;
            }
        }
    }

    fn participates(&mut self, event: &Event, participation: Participation) {
        let party = Symbol::of(event.header.party.as_str());
        let part = self.rare.as_mut().and_then(|rare| rare.part_mut(party));
        if let Some(part) = part {
            part.participation = participation;
        }
    }

    /// Remembers that the party took part by its own word, if it is named beside the lead.
    fn spoke(&mut self, party: Symbol) {
        if let Some(part) = self.rare.as_mut().and_then(|rare| rare.part_mut(party)) {
            part.spoke = true;
        }
    }

    /// Folds in what was said of the commitment or of a report: milestones, contests, assessments, evidence.
    fn said_of_it(&mut self, event: &Event) {
        let position = event.header.position;
        let party = || Symbol::of(event.header.party.as_str());
        if let EventBody::MilestoneReached(data) = &event.body {
            self.spoke(party());
            self.know(position, &data.evidence, Some(position), true);
            if let Some(rare) = &mut self.rare {
                rare.reach(&data.milestone);
            }
        }
        if let EventBody::ReportContested(data) = &event.body {
            self.know(position, &data.evidence, Some(position), false);
            let report = self.report_at(data.report);
            let contests = &mut self.rare.get_or_insert_default().contests;
            contests.push(Contest {
                position,
                party: party(),
                reporter: report.map(|report| report.reporter).unwrap_or_default(),
                period: report.map(|report| report.period),
                resolved: false,
            });
        }
        if let EventBody::ContestResolved(data) = &event.body {
            self.rare.get_or_insert_default().resolve(data.contest);
        }
        if let EventBody::ProgressAssessed(data) = &event.body {
            self.know(position, &data.evidence, Some(position), false);
            self.assessed(position, party(), AssessmentKind::Progress);
        }
        if let EventBody::AmbitionAssessed(_) = &event.body {
            self.assessed(position, party(), AssessmentKind::Ambition);
        }
        if let EventBody::AssessmentRevised(data) = &event.body {
            self.rare.get_or_insert_default().revise(data.assessment);
            self.assessed(position, party(), data.kind);
        }
        if let EventBody::EvidenceAttached(data) = &event.body {
            let by_participant = self.has_participant(&event.header.party);
            self.know(position, &data.evidence, data.report, by_participant);
            if let Some(report) = data.report {
                self.change_report(report, Report::attach);
            }
        }
        self.said_of_evidence(&event.body);
    }

    /// Folds in where evidence is, whether it was found, and which digest it has.
    fn said_of_evidence(&mut self, body: &EventBody) {
        if let EventBody::EvidenceMoved(data) = body
            && let Some(named) = NamedEvidence::of(data.sha256, data.evidence)
        {
            self.evidence.move_to(named, &data.url);
        }
        if let EventBody::EvidenceFlaggedUnavailable(data) = body
            && let Some(named) = NamedEvidence::of(data.sha256, data.evidence)
        {
            self.evidence.flag_unavailable(named);
        }
        if let EventBody::EvidenceDigested(data) = body {
            self.evidence.digest(data.evidence, &data.sha256);
        }
    }

    fn assessed(&mut self, position: Position, assessor: Symbol, kind: AssessmentKind) {
        let assessments = &mut self.rare.get_or_insert_default().assessments;
        assessments.push(Assessment {
            position,
            assessor,
            kind,
            revised: false,
        });
    }

    /// How many events its stream has.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The position of its newest event.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Where it stands.
    pub fn status(&self) -> CommitmentStatus {
        self.status
    }

    /// What took its place, while it is superseded.
    pub fn successor(&self) -> Option<CommitmentId> {
        self.rare.as_ref()?.successor
    }

    /// The party that leads it.
    pub fn lead(&self) -> PartyId {
        PartyId::from_interned(self.lead.name())
    }

    /// Whether the party leads it.
    pub fn is_lead(&self, party: &PartyId) -> bool {
        Symbol::find(party.as_str()) == Some(self.lead)
    }

    /// The party's part in it, also when it has left.
    pub fn participation(&self, party: &PartyId) -> Option<Participation> {
        let symbol = Symbol::find(party.as_str())?;
        if symbol == self.lead {
            return Some(Participation::Lead);
        }
        let part = self.rare.as_ref()?.part(symbol)?;
        Some(part.participation)
    }

    /// Whether the party took part in it by its own word: it leads, or it confirmed, reported or reached a milestone at any time.
    /// Whom only the lead named did not, also when it declined.
    pub fn took_part(&self, party: &PartyId) -> bool {
        let Some(symbol) = Symbol::find(party.as_str()) else {
            return false;
        };
        let part = self.rare.as_ref().and_then(|rare| rare.part(symbol));
        symbol == self.lead || part.is_some_and(|part| part.spoke)
    }

    /// Whether the party takes part in it, as lead or beside it, claimed or confirmed.
    pub fn has_participant(&self, party: &PartyId) -> bool {
        self.participation(party)
            .is_some_and(|part| part != Participation::Left)
    }

    /// How many parties were ever named beside the lead.
    pub fn participant_count(&self) -> usize {
        self.rare.as_ref().map_or(0, |rare| rare.participants.len())
    }

    /// The lead's country when it was recorded.
    pub fn country(&self) -> Option<CountryCode> {
        self.country
    }

    /// What it attaches to now.
    pub fn actions(&self) -> impl ExactSizeIterator<Item = ActionCode> {
        self.actions
            .iter()
            .map(|symbol| ActionCode::from_interned(symbol.name()))
    }

    /// When it was made.
    pub fn made(&self) -> Option<PartialDate> {
        self.made
    }

    /// When it is to be fulfilled, as amended.
    pub fn due(&self) -> Option<PartialDate> {
        self.due
    }

    /// Whether it has a measure at all.
    pub fn is_measured(&self) -> bool {
        self.flags.has(Flags::MEASURED)
    }

    /// Whether its measure is a share in percent.
    pub fn is_share(&self) -> bool {
        self.flags.has(Flags::PERCENT)
    }

    /// Whether it is about money.
    pub fn is_financial(&self) -> bool {
        self.flags.has(Flags::FINANCIAL)
    }

    /// The measure's baseline, as amended.
    pub fn baseline(&self) -> Option<Amount> {
        self.baseline.get()
    }

    /// The measure's target, as amended.
    pub fn target(&self) -> Option<Amount> {
        self.target.get()
    }

    /// Whether less is better: the original target lies below the original baseline, which is this one if none was known.
    pub fn is_falling_from(&self, baseline: Option<Amount>) -> bool {
        if self.flags.has(Flags::DIRECTED) {
            return self.flags.has(Flags::FALLING);
        }
        matches!((baseline, self.target()), (Some(baseline), Some(target)) if target < baseline)
    }

    /// Whether it is measured in a unit, and not in this one.
    pub fn has_other_unit(&self, unit: Option<&str>) -> bool {
        let other = |unit| !self.unit.is_none() && self.unit != TextMark::of_unit(unit);
        unit.is_some_and(other)
    }

    /// Whether this is the name of its measure's indicator.
    pub fn is_measured_by(&self, indicator: &str) -> bool {
        self.indicator == TextMark::of(indicator)
    }

    /// The milestone of this name as it was first written, and whether it was reached; `None` if there is none.
    pub fn milestone(&self, name: &str) -> Option<(&str, bool)> {
        self.rare.as_ref()?.milestone(name)
    }

    /// How many milestones it has.
    pub fn milestone_count(&self) -> usize {
        self.rare.as_ref().map_or(0, |rare| rare.milestones.len())
    }

    /// How many reports stand.
    pub fn report_count(&self) -> usize {
        self.reports
            .iter()
            .filter(|report| report.is_standing())
            .count()
    }

    /// The position of the party's newest report over exactly the days of this period.
    pub fn report(&self, reporter: &PartyId, period: Period) -> Option<Position> {
        let reporter = Symbol::find(reporter.as_str())?;
        let same = |report: &&Report| report.stands_for(reporter, period);
        self.reports.iter().find(same).map(Report::position)
    }

    /// The report that the event at this position made.
    pub fn report_at(&self, position: Position) -> Option<NamedReport> {
        let named = |report: &&Report| report.position() == position;
        self.reports.iter().find(named).map(Report::named)
    }

    /// Whether a standing report names evidence.
    pub fn has_evidenced_report(&self) -> bool {
        self.reports
            .iter()
            .any(|report| report.is_standing() && report.is_evidenced())
    }

    /// Whether this evidence was named for it, by whomever. Two pieces whose digests begin with the same eight bytes are taken for one.
    pub fn has_evidence(&self, named: NamedEvidence) -> bool {
        self.evidence.knows(named)
    }

    /// Whether the evidence that was named there without a digest was given one since; none where there is no such evidence.
    pub fn is_digested(&self, place: EvidencePlace) -> Option<bool> {
        self.evidence.has_digest(place)
    }

    /// Whether this evidence was last said to be at the URL, and was not looked for in vain since.
    pub fn is_evidence_at(&self, named: NamedEvidence, url: &String) -> bool {
        self.evidence.is_at(named, url)
    }

    /// Whether it would say nothing new if the party attached this piece to the report, or to the commitment as a whole: it is attached already, and
    /// where it is said to be.
    pub fn has_attached(
        &self,
        piece: &Evidence,
        report: Option<Position>,
        party: &PartyId,
    ) -> bool {
        let naming = Naming::of(report, self.has_participant(party));
        self.evidence.says_nothing_new(piece, naming)
    }

    /// How many pieces of evidence were named for it.
    pub fn evidence_count(&self) -> usize {
        self.evidence.len()
    }

    /// The contest that the event at this position made.
    pub fn contest(&self, position: Position) -> Option<&Contest> {
        let mut contests = self.rare.as_ref()?.contests.iter();
        contests.find(|contest| contest.position == position)
    }

    /// How many contests its reports had.
    pub fn contest_count(&self) -> usize {
        self.rare.as_ref().map_or(0, |rare| rare.contests.len())
    }

    /// Whether the party contests the report, or one whose place it took, and the contest is open.
    pub fn has_open_contest(&self, party: &PartyId, report: &NamedReport) -> bool {
        let Some(party) = Symbol::find(party.as_str()) else {
            return false;
        };
        let mut contests = self.rare.iter().flat_map(|rare| &rare.contests);
        contests
            .any(|contest| contest.party == party && !contest.resolved && contest.concerns(report))
    }

    /// The assessment, or revision of one, that the event at this position made.
    pub fn assessment(&self, position: Position) -> Option<&Assessment> {
        let mut assessments = self.rare.as_ref()?.assessments.iter();
        assessments.find(|assessment| assessment.position == position)
    }

    /// How many assessments and revisions it had.
    pub fn assessment_count(&self) -> usize {
        self.rare.as_ref().map_or(0, |rare| rare.assessments.len())
    }

    /// Whether the party has assessed it.
    pub fn has_assessed(&self, party: &PartyId) -> bool {
        let mut assessments = self.rare.iter().flat_map(|rare| &rare.assessments);
        assessments.any(|assessment| assessment.is_assessor(party))
    }

    /// Its bytes in memory, heap included; what the allocator adds is not.
    pub fn size_bytes(&self) -> usize {
        let actions = if self.actions.spilled() {
            self.actions.capacity() * size_of::<Symbol>()
        } else {
            0
        };
        let evidence = self.evidence.heap_bytes();
        let rare = self.rare.as_ref().map_or(0, |rare| rare.size_bytes());
        let reports = self.reports.capacity() * size_of::<Report>();
        size_of::<Self>() + reports + actions + evidence + rare
    }
}

fn symbols(codes: &[ActionCode]) -> SmallVec<[Symbol; 4]> {
    codes.iter().map(|code| Symbol::of(code.as_str())).collect()
}
