//! What a decision needs to know of one commitment, in as few bytes as will do: a ledger caches millions.

mod evidence;
mod measure;
mod rare;
mod report;
mod terms;

use smallvec::SmallVec;

use crate::compare;
use crate::date::PartialDate;
use crate::ids::{ActionCode, CommitmentId, CountryCode, Language, PartyId, Position, Version};
use crate::intern::{Symbol, symbols};
use crate::wire::v1::{
    Amount, AssessmentKind, CommitmentAmended, CommitmentRecorded, CommitmentStatus, Event,
    EventBody, Evidence, EvidencePlace, Form, MeasureChange, Milestone, NamedEvidence, Nature,
    Participant, ParticipantRole, Period, ProgressReported, is_percent, unit_key,
};

pub use rare::{Assessment, Contest, Participation};
pub use report::{NamedReport, ReportState};

use evidence::{Naming, Pieces};
use measure::Known;
use rare::{Missing, Rare};
use report::Report;
use terms::{ShortMark, Terms};

pub(crate) use terms::ValueMark;

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
    terms: Terms,
    version: Version,
    lead: Symbol,
    country: Option<CountryCode>,
    made: Option<PartialDate>,
    due: Option<PartialDate>,
    form: Option<Form>,
    nature: Option<Nature>,
    status: CommitmentStatus,
    /// It answers another commitment.
    matches: bool,
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
    /// The most pieces of evidence, one counted once for each report or other thing that it is named of.
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
            | EventBody::CommitmentLapsed(_)
            | EventBody::CommitmentReinstated(_) => state.changed_status(&event.body),
            EventBody::ParticipationConfirmed(_) => {
                state.participates(event, Participation::Confirmed);
                state.spoke(Symbol::of(event.header.party.as_str()));
            }
            EventBody::CommitmentLeft(_) => state.participates(event, Participation::Left),
            EventBody::ReportRetracted(data) => {
                state.change_report(data.report, Report::retract);
                state.evidence.leave(data.report);
            }
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
            | EventBody::PartyAmended(_)
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
            form: Some(recorded.form),
            nature: recorded.nature,
            matches: recorded.matches.is_some(),
            ..Self::default()
        };
        state.terms.title = ValueMark::of(&recorded.title);
        state.terms.description = ValueMark::maybe(recorded.description.as_ref());
        state.terms.countries = ShortMark::of_countries(&recorded.countries);
        state.terms.name_language(recorded.language.as_ref());
        state.claim(&recorded.participants);
        state.plan(&recorded.milestones);
        if let Some(measure) = &recorded.measure {
            state.measure(&MeasureChange {
                indicator: Some(measure.indicator.clone()),
                unit: measure.unit.clone(),
                baseline: measure.baseline,
                target: measure.target,
            });
        }
        state
    }

    fn measure(&mut self, change: &MeasureChange) {
        self.terms.measure(change);
        self.baseline.set(change.baseline);
        self.target.set(change.target);
    }

    fn claim(&mut self, participants: &[Participant]) {
        for participant in participants {
            let party = Symbol::of(participant.party.as_str());
            self.rare
                .get_or_insert_default()
                .claim(party, participant.role);
        }
    }

    fn plan(&mut self, milestones: &[Milestone]) {
        for milestone in milestones {
            self.rare.get_or_insert_default().plan(milestone);
        }
    }

    fn reported(&mut self, event: &Event, data: &ProgressReported) {
        let reporter = Symbol::of(event.header.party.as_str());
        self.spoke(reporter);
        let same = |other: &&mut Report| other.stands_for(reporter, data.period);
        if let Some(earlier) = self.reports.iter_mut().find(same) {
            earlier.correct();
            self.evidence.leave(earlier.position());
        }
        // Most commitments are reported on once or twice: grow by what is needed, not by four.
        if self.reports.len() == self.reports.capacity() {
            self.reports.reserve_exact(self.reports.len().clamp(1, 16));
        }
        let position = event.header.position;
        self.reports.push(Report::new(position, reporter, data));
        self.evidence
            .name(position, &data.evidence, Naming::of(Some(position), true));
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

    fn change_report(&mut self, position: Position, change: fn(&mut Report)) {
        let named = |report: &&mut Report| report.position() == position;
        if let Some(report) = self.reports.iter_mut().find(named) {
            change(report);
        }
    }

    fn amended(&mut self, amended: &CommitmentAmended) {
        if let Some(title) = &amended.title {
            self.terms.title = ValueMark::of(title);
        }
        if amended.description.is_some() {
            self.terms.description = ValueMark::maybe(amended.description.as_ref());
        }
        if let Some(actions) = &amended.actions {
            self.actions = symbols(actions);
        }
        if let Some(countries) = &amended.countries {
            self.terms.countries = ShortMark::of_countries(countries);
        }
        self.terms.name_language(amended.language.as_ref());
        if let Some(change) = &amended.measure {
            self.measure(change);
        }
        self.due = amended.due.or(self.due);
        self.made = amended.made.or(self.made);
        self.form = amended.form.or(self.form);
        self.nature = amended.nature.or(self.nature);
        if let Some(rare) = &mut self.rare {
            rare.outdate_assessments();
        }
        self.claim(&amended.participants);
        self.plan(&amended.milestones);
    }

    fn changed_status(&mut self, body: &EventBody) {
        if let EventBody::CommitmentWithdrawn(_) = body {
            self.status = CommitmentStatus::Withdrawn;
            if let Some(rare) = &mut self.rare {
                rare.successor = None;
            }
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
        if let EventBody::CommitmentLapsed(_) = body {
            self.status = CommitmentStatus::Lapsed;
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

    /// Remembers that the party took part by its own word, if it is named beside the lead: that confirms what the lead said.
    fn spoke(&mut self, party: Symbol) {
        if let Some(part) = self.rare.as_mut().and_then(|rare| rare.part_mut(party)) {
            part.spoke = true;
            if part.participation == Participation::Claimed {
                part.participation = Participation::Confirmed;
            }
        }
    }

    /// Folds in what was said of the commitment or of a report: milestones, contests, assessments, evidence.
    fn said_of_it(&mut self, event: &Event) {
        let position = event.header.position;
        let party = || Symbol::of(event.header.party.as_str());
        if let EventBody::MilestoneReached(data) = &event.body {
            self.spoke(party());
            self.evidence
                .name(position, &data.evidence, Naming::elsewhere(true));
            if let Some(rare) = &mut self.rare {
                rare.reach(&data.milestone);
            }
        }
        if let EventBody::ReportContested(data) = &event.body {
            self.evidence
                .name(position, &data.evidence, Naming::elsewhere(false));
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
        let assessment = |kind| Assessment::new(position, party(), kind);
        if let EventBody::ProgressAssessed(data) = &event.body {
            self.evidence
                .name(position, &data.evidence, Naming::elsewhere(false));
            let words = (Some(&data.grade), None);
            let assessed = assessment(AssessmentKind::Progress);
            self.assessed(assessed.with(words, data.completion, data.summary.as_ref()));
        }
        if let EventBody::AmbitionAssessed(data) = &event.body {
            let words = (None, Some(&*data.grades));
            let assessed = assessment(AssessmentKind::Ambition);
            self.assessed(assessed.with(words, None, data.summary.as_ref()));
        }
        if let EventBody::AssessmentRevised(data) = &event.body {
            let before = self.rare.get_or_insert_default().revise(data.assessment);
            let words = (data.grade.as_ref(), data.grades.as_deref());
            let revised = before.unwrap_or_else(|| assessment(data.kind));
            let revised = revised.with(words, data.completion, data.summary.as_ref());
            self.assessed(revised.moved_to(position, party()));
        }
        if let EventBody::EvidenceAttached(data) = &event.body {
            let by_participant = self.has_participant(&event.header.party);
            let naming = Naming::of(data.report, by_participant);
            self.evidence.name(position, &data.evidence, naming);
            if let Some(report) = data.report {
                self.change_report(report, Report::attach);
            }
        }
        self.said_of_evidence(event);
    }

    /// Folds in where evidence is, whether it was found, and which digest it has.
    fn said_of_evidence(&mut self, event: &Event) {
        let body = &event.body;
        if let EventBody::EvidenceMoved(data) = body
            && let Some(named) = NamedEvidence::of(data.sha256, data.evidence)
        {
            self.evidence.move_to(named, &data.url);
        }
        if let EventBody::EvidenceFlaggedUnavailable(data) = body
            && let Some(named) = NamedEvidence::of(data.sha256, data.evidence)
        {
            self.evidence.flag_unavailable(named);
            if let Some(number) = self.evidence.number(named) {
                let missing = Missing::new(number, &data.reason, event.header.effective);
                self.rare.get_or_insert_default().miss(missing);
            }
        }
        if let EventBody::EvidenceDigested(data) = body {
            self.evidence.digest(data.evidence, &data.sha256);
        }
    }

    fn assessed(&mut self, assessment: Assessment) {
        let assessments = &mut self.rare.get_or_insert_default().assessments;
        assessments.push(assessment);
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

    /// The role of a party that takes part beside the lead, or did.
    pub fn role(&self, party: &PartyId) -> Option<ParticipantRole> {
        let symbol = Symbol::find(party.as_str())?;
        Some(self.rare.as_ref()?.part(symbol)?.role)
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

    /// How it is held, as amended.
    pub fn form(&self) -> Option<Form> {
        self.form
    }

    /// What it is made of, as amended.
    pub fn nature(&self) -> Option<Nature> {
        self.nature
    }

    /// Whether it answers another commitment.
    pub fn is_matching(&self) -> bool {
        self.matches
    }

    /// Whether it is called so.
    pub fn has_title(&self, title: &str) -> bool {
        self.terms.title == ValueMark::of(title)
    }

    /// Whether this is its text.
    pub fn has_description(&self, description: &str) -> bool {
        self.terms.description == ValueMark::of(description)
    }

    /// Whether it is carried out in these countries, in whatever order they are named.
    pub fn has_countries(&self, countries: &[CountryCode]) -> bool {
        self.terms.countries == ShortMark::of_countries(countries)
    }

    /// Whether its texts are in this language.
    pub fn has_language(&self, language: &Language) -> bool {
        self.terms.language == ShortMark::of_language(language)
    }

    /// Whether it attaches to these actions, in whatever order they are named.
    pub fn has_actions(&self, actions: &[ActionCode]) -> bool {
        let stands = |code: &ActionCode| {
            Symbol::find(code.as_str()).is_some_and(|symbol| self.actions.contains(&symbol))
        };
        actions.len() == self.actions.len() && actions.iter().all(stands)
    }

    /// Whether it has a measure at all.
    pub fn is_measured(&self) -> bool {
        self.terms.is_measured()
    }

    /// Whether its measure is a share in percent.
    pub fn is_share(&self) -> bool {
        self.unit().is_some_and(is_percent)
    }

    /// Whether it is about money.
    pub fn is_financial(&self) -> bool {
        self.nature == Some(Nature::Financial)
    }

    /// The measure's unit, as amended.
    pub fn unit(&self) -> Option<&str> {
        self.terms.unit()
    }

    /// What the measure counts, as amended.
    pub fn indicator(&self) -> Option<&str> {
        self.terms.indicator()
    }

    /// The measure's baseline, as amended.
    pub fn baseline(&self) -> Option<Amount> {
        self.baseline.get()
    }

    /// The measure's target, as amended.
    pub fn target(&self) -> Option<Amount> {
        self.target.get()
    }

    /// Returns true when this is the name of its measure's unit, in whatever form it is written.
    pub fn is_measured_in(&self, unit: &str) -> bool {
        self.unit()
            .is_some_and(|known| compare::same(&unit_key(known), &unit_key(unit)))
    }

    /// Whether this is the name of its measure's indicator.
    pub fn is_measured_by(&self, indicator: &str) -> bool {
        self.indicator()
            .is_some_and(|known| compare::same(known, indicator))
    }

    /// The milestone of this name as it was first written, and whether it was reached; `None` if there is none.
    pub fn milestone(&self, name: &str) -> Option<(&str, bool)> {
        self.rare.as_ref()?.milestone(name)
    }

    /// The earliest date by which one of its milestones is to be reached.
    pub fn first_milestone_due(&self) -> Option<PartialDate> {
        self.rare.as_ref()?.first_due
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

    /// Returns true when this evidence was named for it, by whomever. Two pieces whose digests
    /// begin with the same six bytes are taken for one.
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

    /// Returns true when this evidence is known to be unavailable for that reason, since that date
    /// or a later one. A date is later than none.
    pub fn is_evidence_missing(
        &self,
        named: NamedEvidence,
        reason: &str,
        since: Option<PartialDate>,
    ) -> bool {
        let Some(number) = self.evidence.number(named) else {
            return false;
        };
        let missing = Missing::new(number, reason, since);
        let mut known = self.rare.iter().flat_map(|rare| &rare.missing);
        self.evidence.is_unavailable(named) && known.any(|known| known.covers(&missing))
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

    /// The number of evidence pieces named for it, one counted once for each thing it is named of.
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
        size_of::<Self>() + reports + actions + evidence + rare + self.terms.heap_bytes()
    }
}
