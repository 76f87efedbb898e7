//! One commitment as anyone would make it out from the list of its events, in no hurry and with no state but the list.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the model reads what it needs"
)]

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::evidence::evidence_of;
use crate::date::PartialDate;
use crate::ids::Position;
use crate::wire::v1::*;

/// A commitment and every event about it, in order.
#[derive(Debug, Clone)]
pub(super) struct Commitment {
    pub(super) recorded: CommitmentRecorded,
    pub(super) events: Vec<Event>,
}

/// A party beside the lead: its role, and `claimed`, `confirmed` or `left`.
type Part = (String, ParticipantRole, &'static str);

/// A report that stands.
#[derive(Debug, Clone)]
struct Standing {
    position: Position,
    until: NaiveDate,
    reporter: String,
    report: ProgressReported,
    attached: bool,
    attached_digested: bool,
    valid: Option<bool>,
}

/// An assessment as it was revised last.
#[derive(Debug, Clone)]
struct Assessed {
    first: Position,
    position: Position,
    day: NaiveDate,
    assessor: String,
    method: String,
    completion: Option<Completion>,
    /// Every completion it had, each time that it was another than before.
    said: Vec<Completion>,
}

impl Assessed {
    fn is_lowered(&self) -> bool {
        let said = self.said.iter().rev();
        said.clone()
            .zip(said.skip(1))
            .next()
            .is_some_and(|(now, before)| now < before)
    }
}

/// The last day that what an event says can be about: nothing is said of days after it.
fn day_of(date: Option<PartialDate>, event: &Event) -> NaiveDate {
    let recorded = event.header.time;
    date.map_or(recorded.date_naive(), |date| date.last_day_by(recorded))
}

impl Commitment {
    pub(super) fn lead(&self) -> String {
        self.recorded.lead.to_string()
    }

    pub(super) fn actions(&self) -> Vec<String> {
        let amended = self
            .events
            .iter()
            .rev()
            .find_map(|event| match &event.body {
                EventBody::CommitmentAmended(data) => data.actions.clone(),
                _ => None,
            });
        let actions = amended.unwrap_or_else(|| self.recorded.actions.clone());
        let codes: BTreeSet<String> = actions.iter().map(ToString::to_string).collect();
        codes.into_iter().collect()
    }

    /// The last word on where it stands.
    pub(super) fn status(&self) -> &'static str {
        let word = |event: &Event| match &event.body {
            EventBody::CommitmentSuspended(_) => Some("suspended"),
            EventBody::CommitmentResumed(_) | EventBody::CommitmentReinstated(_) => Some("active"),
            EventBody::CommitmentWithdrawn(_) => Some("withdrawn"),
            EventBody::CommitmentSuperseded(_) => Some("superseded"),
            EventBody::CommitmentClosed(data) => Some(match data.outcome {
                Outcome::Fulfilled => "closed_fulfilled",
                Outcome::PartlyFulfilled => "closed_partly_fulfilled",
                Outcome::NotFulfilled => "closed_not_fulfilled",
            }),
            EventBody::CommitmentLapsed(_) => Some("lapsed"),
            _ => None,
        };
        self.events.iter().rev().find_map(word).unwrap_or("active")
    }

    pub(super) fn stands(&self) -> bool {
        ["active", "suspended"].contains(&self.status())
    }

    pub(super) fn is_closed(&self) -> bool {
        self.status().starts_with("closed_")
    }

    /// Parties beside the lead: who, in which role, and `claimed`, `confirmed` or `left`. Each has one part, the newest.
    pub(super) fn parts(&self) -> Vec<Part> {
        self.parts_before(Position(u64::MAX))
    }

    fn parts_before(&self, position: Position) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        let name = |participants: &[Participant], parts: &mut Vec<Part>| {
            for it in participants {
                let known = parts
                    .iter_mut()
                    .find(|(party, ..)| *party == it.party.as_str());
                let Some((_, role, state)) = known else {
                    parts.push((it.party.to_string(), it.role, "claimed"));
                    continue;
                };
                *role = it.role;
                if *state == "left" {
                    *state = "claimed";
                }
            }
        };
        name(&self.recorded.participants, &mut parts);
        let earlier = |event: &&Event| event.header.position < position;
        for event in self.events.iter().take_while(earlier) {
            let word = match &event.body {
                EventBody::CommitmentAmended(data) => {
                    name(&data.participants, &mut parts);
                    continue;
                }
                EventBody::ParticipationConfirmed(_)
                | EventBody::ProgressReported(_)
                | EventBody::ReportCorrected(_)
                | EventBody::MilestoneReached(_) => "confirmed",
                EventBody::CommitmentLeft(_) => "left",
                _ => continue,
            };
            for part in &mut parts {
                if part.0 == event.header.party.as_str() && part.2 != "left" {
                    part.2 = word;
                }
            }
        }
        parts
    }

    /// The reports that stand: the last correction of each, less the retracted ones.
    fn standing(&self) -> Vec<Standing> {
        let mut standing: Vec<Standing> = Vec::new();
        for event in &self.events {
            let new = |report: &ProgressReported| Standing {
                position: event.header.position,
                until: day_of(Some(report.period.to), event),
                reporter: event.header.party.to_string(),
                report: report.clone(),
                attached: false,
                attached_digested: false,
                valid: None,
            };
            let named = |position| move |it: &&mut Standing| it.position == position;
            match &event.body {
                EventBody::ProgressReported(data) => standing.push(new(data)),
                EventBody::ReportCorrected(data) => {
                    let corrected = standing.iter().find(|it| it.position == data.corrects);
                    let attached = corrected.is_some_and(|it| it.attached);
                    let attached_digested = corrected.is_some_and(|it| it.attached_digested);
                    standing.retain(|it| it.position != data.corrects);
                    standing.push(Standing {
                        attached,
                        attached_digested,
                        ..new(&data.report)
                    });
                }
                EventBody::ReportRetracted(data) => {
                    standing.retain(|it| it.position != data.report);
                }
                EventBody::ReportValidated(data) => {
                    if let Some(it) = standing.iter_mut().find(named(data.report)) {
                        it.valid = Some(true);
                    }
                }
                EventBody::ReportReturned(data) => {
                    if let Some(it) = standing.iter_mut().find(named(data.report)) {
                        it.valid = Some(false);
                    }
                }
                EventBody::EvidenceAttached(data) => {
                    let report = data.report.unwrap_or(Position(u64::MAX));
                    if let Some(it) = standing.iter_mut().find(named(report)) {
                        let own = self.is_by_participant(event);
                        it.attached |= own;
                        it.attached_digested |= own && self.has_digest(event);
                    }
                }
                _ => {}
            }
        }
        standing
    }

    pub(super) fn is_reported(&self) -> bool {
        !self.standing().is_empty()
    }

    /// The last day that anybody reported on.
    pub(super) fn reported_until(&self) -> Option<NaiveDate> {
        self.standing().iter().map(|it| it.until).max()
    }

    /// The lead's own word on the latest period; of several on it, the last.
    fn word(&self) -> Option<Standing> {
        let own = self.standing().into_iter();
        own.filter(|it| it.reporter == self.lead())
            .max_by_key(|it| (it.until, it.position))
    }

    pub(super) fn stage(&self) -> &'static str {
        self.word()
            .map_or("none_reported", |it| it.report.stage.as_str())
    }

    pub(super) fn is_validated(&self) -> bool {
        self.word().is_some_and(|it| it.valid == Some(true))
    }

    pub(super) fn is_returned(&self) -> bool {
        self.word().is_some_and(|it| it.valid == Some(false))
    }

    /// Whether the party of an event took part when it sent it.
    fn is_by_participant(&self, event: &Event) -> bool {
        let sender = event.header.party.as_str();
        let stays = |part: &Part| part.0 == sender && part.2 != "left";
        let parts = self.parts_before(event.header.position);
        self.lead() == sender || parts.iter().any(stays)
    }

    pub(super) fn has_evidence(&self) -> bool {
        let of_report = |it: &Standing| it.attached || !it.report.evidence.is_empty();
        let beside = |event: &Event| match &event.body {
            EventBody::EvidenceAttached(data) => {
                data.report.is_none() && self.is_by_participant(event)
            }
            EventBody::MilestoneReached(data) => !data.evidence.is_empty(),
            _ => false,
        };
        self.standing().iter().any(of_report) || self.events.iter().any(beside)
    }

    /// Whether any piece that an event names has a digest, or was given one since.
    fn has_digest(&self, event: &Event) -> bool {
        self.is_any_digested(event.header.position, evidence_of(&event.body))
    }

    fn is_any_digested(&self, position: Position, evidence: &[Evidence]) -> bool {
        let given = |index: usize| {
            self.events.iter().any(|event| {
                matches!(&event.body, EventBody::EvidenceDigested(data)
                    if data.evidence.position == position && usize::from(data.evidence.index) == index)
            })
        };
        let mut pieces = evidence.iter().enumerate();
        pieces.any(|(index, piece)| piece.sha256.is_some() || given(index))
    }

    pub(super) fn has_digested_evidence(&self) -> bool {
        let of_report = |it: &Standing| {
            it.attached_digested || self.is_any_digested(it.position, &it.report.evidence)
        };
        let beside = |event: &Event| match &event.body {
            EventBody::EvidenceAttached(data) => {
                data.report.is_none() && self.is_by_participant(event) && self.has_digest(event)
            }
            EventBody::MilestoneReached(_) => self.has_digest(event),
            _ => false,
        };
        self.standing().iter().any(of_report) || self.events.iter().any(beside)
    }

    pub(super) fn has_undigested_evidence_only(&self) -> bool {
        self.has_evidence() && !self.has_digested_evidence()
    }

    /// The commitment before some of its last events.
    fn before(&self, events: usize) -> Self {
        let left = self.events.len() - events;
        Self {
            recorded: self.recorded.clone(),
            events: self.events[..left].to_vec(),
        }
    }

    /// How a piece was known when an event named it: by its digest, if it had one.
    fn known_as(&self, named: NamedEvidence, before: Position) -> NamedEvidence {
        let earlier = |event: &&Event| event.header.position < before;
        let given = |event: &Event| match (&event.body, named) {
            (EventBody::EvidenceDigested(data), NamedEvidence::Place(place))
                if data.evidence == place =>
            {
                Some(NamedEvidence::Digest(data.sha256))
            }
            _ => None,
        };
        let mut events = self.events.iter().take_while(earlier);
        events.find_map(given).unwrap_or(named)
    }

    /// The reports that evidence without a digest was added to by events, as they were corrected since.
    fn added(&self) -> Vec<(Position, Position)> {
        let mut added = Vec::new();
        for (at, event) in self.events.iter().enumerate() {
            match &event.body {
                EventBody::EvidenceAttached(data) => {
                    let standing = self.before(self.events.len() - at).standing();
                    let report = data.report.filter(|report| {
                        let stands = standing.iter().any(|it| it.position == *report);
                        let undigested = data.evidence.iter().any(|it| it.sha256.is_none());
                        stands && undigested && self.is_by_participant(event)
                    });
                    added.extend(report.map(|report| (event.header.position, report)));
                }
                EventBody::ReportCorrected(data) => {
                    for (_, report) in &mut added {
                        if *report == data.corrects {
                            *report = event.header.position;
                        }
                    }
                }
                _ => {}
            }
        }
        added
    }

    /// Evidence that was flagged and neither moved nor named anew with a URL since, while something named evidence.
    pub(super) fn is_evidence_unavailable(&self) -> bool {
        let mut gone = BTreeSet::new();
        let mut had = false;
        for (at, event) in self.events.iter().enumerate() {
            let has = self.before(self.events.len() - at - 1).has_evidence();
            if std::mem::replace(&mut had, has) && !has {
                gone.clear();
            }
            let position = event.header.position;
            let found = evidence_of(&event.body).iter();
            for digest in found
                .filter(|it| it.url.is_some())
                .filter_map(|it| it.sha256)
            {
                gone.remove(&NamedEvidence::Digest(digest));
            }
            let forget = |gone: &mut BTreeSet<NamedEvidence>, from: Position| {
                gone.retain(|it| !matches!(it, NamedEvidence::Place(at) if at.position == from));
            };
            match &event.body {
                EventBody::EvidenceFlaggedUnavailable(data) => {
                    let named = NamedEvidence::of(data.sha256, data.evidence).unwrap();
                    gone.insert(self.known_as(named, position));
                }
                EventBody::EvidenceMoved(data) => {
                    let named = NamedEvidence::of(data.sha256, data.evidence).unwrap();
                    gone.remove(&self.known_as(named, position));
                }
                EventBody::EvidenceDigested(data)
                    if gone.remove(&NamedEvidence::Place(data.evidence)) =>
                {
                    gone.insert(NamedEvidence::Digest(data.sha256));
                }
                EventBody::ReportCorrected(data) => forget(&mut gone, data.corrects),
                EventBody::ReportRetracted(data) if self.stood(data.report, event) => {
                    let before = self.before(self.events.len() - at);
                    for (added, report) in before.added() {
                        if report == data.report {
                            forget(&mut gone, added);
                        }
                    }
                    forget(&mut gone, data.report);
                }
                _ => {}
            }
        }
        !gone.is_empty()
    }

    /// Whether a report stood before an event.
    fn stood(&self, report: Position, event: &Event) -> bool {
        let earlier = |it: &&Event| it.header.position < event.header.position;
        let ends = |it: &Event| match &it.body {
            EventBody::ReportCorrected(data) => data.corrects == report,
            EventBody::ReportRetracted(data) => data.report == report,
            _ => false,
        };
        let made = report < event.header.position && self.report_of(report).is_some();
        made && !self.events.iter().take_while(earlier).any(ends)
    }

    /// Whose report was made at a position, and over which days.
    fn report_of(&self, position: Position) -> Option<(String, NaiveDate, NaiveDate)> {
        let made = |event: &&Event| event.header.position == position;
        let event = self.events.iter().find(made)?;
        let period = match &event.body {
            EventBody::ProgressReported(data) => data.period,
            EventBody::ReportCorrected(data) => data.report.period,
            _ => return None,
        };
        let reporter = event.header.party.to_string();
        Some((reporter, period.from.first_day(), period.to.last_day()))
    }

    /// For each contest the report that it is about after all events, or when it was resolved: as corrected since, or as reported again after it was
    /// retracted. With it how it was resolved. A report that is retracted and not reported again is none.
    fn contests(&self) -> Vec<(Option<Position>, Option<ContestOutcome>)> {
        let mut contests = Vec::new();
        for (at, event) in self.events.iter().enumerate() {
            let EventBody::ReportContested(data) = &event.body else {
                continue;
            };
            let (mut report, mut gone, mut outcome) = (data.report, None, None);
            for later in &self.events[at..] {
                match &later.body {
                    EventBody::ReportCorrected(data)
                        if gone.is_none() && data.corrects == report =>
                    {
                        report = later.header.position;
                    }
                    EventBody::ReportRetracted(data)
                        if data.report == report && self.stood(report, later) =>
                    {
                        gone = self.report_of(report);
                    }
                    EventBody::ProgressReported(_)
                        if gone.is_some() && gone == self.report_of(later.header.position) =>
                    {
                        (report, gone) = (later.header.position, None);
                    }
                    EventBody::ContestResolved(data) if data.contest == event.header.position => {
                        outcome = Some(data.outcome);
                        break;
                    }
                    _ => {}
                }
            }
            contests.push((Some(report).filter(|_| gone.is_none()), outcome));
        }
        contests
    }

    fn has_standing_contest(&self, outcome: Option<ContestOutcome>) -> bool {
        let standing: Vec<_> = self.standing().iter().map(|it| it.position).collect();
        let mut contests = self.contests().into_iter();
        contests.any(|(report, resolved)| {
            resolved == outcome && report.is_some_and(|report| standing.contains(&report))
        })
    }

    /// A contest that is not resolved, of a report that stands.
    pub(super) fn is_contested(&self) -> bool {
        self.has_standing_contest(None)
    }

    /// A contest that was upheld, of a report that stands as it did then.
    pub(super) fn is_contest_upheld(&self) -> bool {
        self.has_standing_contest(Some(ContestOutcome::Upheld))
    }

    /// Assessments of progress, as they were revised last.
    fn assessments(&self) -> Vec<Assessed> {
        let mut assessments: Vec<Assessed> = Vec::new();
        for event in &self.events {
            let position = event.header.position;
            match &event.body {
                EventBody::ProgressAssessed(data) => assessments.push(Assessed {
                    first: position,
                    position,
                    day: day_of(data.assessed, event),
                    assessor: event.header.party.to_string(),
                    method: format!("{} {}", data.method, data.method_version),
                    completion: data.completion,
                    said: data.completion.into_iter().collect(),
                }),
                EventBody::AssessmentRevised(data) if data.kind == AssessmentKind::Progress => {
                    let mut assessments = assessments.iter_mut();
                    if let Some(it) = assessments.find(|it| it.position == data.assessment) {
                        it.position = position;
                        if data.completion.is_some() || data.grade.is_some() {
                            it.completion = data.completion;
                            it.said.extend(data.completion);
                            it.said.dedup();
                        }
                    }
                }
                _ => {}
            }
        }
        assessments
    }

    /// The assessments of each assessor under each method and version, the newest first.
    fn series(&self) -> Vec<Vec<Assessed>> {
        let mut assessments = self.assessments();
        assessments.sort_by_key(|it| std::cmp::Reverse((it.day, it.first)));
        let mut series: Vec<Vec<Assessed>> = Vec::new();
        for it in assessments {
            let same = |other: &&mut Vec<Assessed>| {
                other[0].assessor == it.assessor && other[0].method == it.method
            };
            match series.iter_mut().find(same) {
                Some(series) => series.push(it),
                None => series.push(vec![it]),
            }
        }
        series
    }

    /// Assessor, method and completion of the newest assessment of each.
    pub(super) fn newest_assessments(&self) -> BTreeSet<(String, String, Option<String>)> {
        let newest = |series: Vec<Assessed>| {
            let it = series[0].clone();
            (
                it.assessor,
                it.method,
                it.completion.map(|it| it.to_string()),
            )
        };
        self.series().into_iter().map(newest).collect()
    }

    pub(super) fn is_assessed(&self) -> bool {
        !self.assessments().is_empty()
    }

    pub(super) fn is_self_declared(&self) -> bool {
        let complete = |series: &Vec<Assessed>| series[0].completion == Some(Completion::Complete);
        self.status() == "closed_fulfilled" && !self.series().iter().any(complete)
    }

    /// Closed as fulfilled, and what stands now, neither returned nor contested with success, says less than what stood then: the reports with
    /// evidence at their most, or the lead's word, if that was fulfilled.
    pub(super) fn is_ground_taken_back(&self) -> bool {
        if self.status() != "closed_fulfilled" {
            return false;
        }
        let closes = |it: &Event| matches!(it.body, EventBody::CommitmentClosed(_));
        let after = self.events.iter().rev().position(closes).unwrap();
        let upheld = Some(ContestOutcome::Upheld);
        let contests = self.contests();
        let holds = |it: &Standing| {
            let contested = (Some(it.position), upheld);
            it.valid != Some(false) && !contests.contains(&contested)
        };
        let rank = |it: &Standing| match it.report.stage {
            _ if !it.attached && it.report.evidence.is_empty() => 0,
            Stage::Planning | Stage::Stalled => 1,
            Stage::InProgress => 2,
            Stage::Fulfilled => 3,
        };
        let closing = self.before(after);
        let then = closing.standing().iter().map(rank).max().unwrap_or(0);
        let now = self.standing();
        let now = now.iter().filter(|it| holds(it)).map(rank).max();
        let fulfilled = |it: &Standing| it.report.stage == Stage::Fulfilled;
        let said = closing.word().is_some_and(|it| fulfilled(&it));
        let says = self.word().is_some_and(|it| fulfilled(&it) && holds(&it));
        now.unwrap_or(0) < then.max(1) || said && !says
    }

    pub(super) fn is_fulfilled_unassessed(&self) -> bool {
        let fulfilled = match self.status() {
            "closed_fulfilled" => true,
            status => !status.starts_with("closed_") && self.stage() == "fulfilled",
        };
        fulfilled && !self.is_assessed()
    }

    pub(super) fn is_downgraded(&self) -> bool {
        self.series().iter().any(|series| {
            let before = series[1..].iter().find_map(|it| it.completion);
            let Some(now) = series[0].completion else {
                return false;
            };
            series[0].is_lowered() || before.is_some_and(|before| now < before)
        })
    }

    pub(super) fn is_assessed_below_report(&self) -> bool {
        let word = match self.status() {
            "closed_fulfilled" => "fulfilled",
            "closed_partly_fulfilled" => "in_progress",
            "closed_not_fulfilled" => "stalled",
            _ => self.stage(),
        };
        let needed = match word {
            "fulfilled" => Completion::Complete,
            "in_progress" => Completion::Limited,
            _ => return false,
        };
        let below = |series: &Vec<Assessed>| series[0].completion.is_some_and(|it| it < needed);
        self.series().iter().any(below)
    }

    /// The newest completion under each method, whoever assessed.
    pub(super) fn completions(&self) -> Vec<(String, &'static str)> {
        let mut newest: Vec<Assessed> = Vec::new();
        let mut assessments = self.assessments();
        assessments.sort_by_key(|it| std::cmp::Reverse((it.day, it.first)));
        for it in assessments {
            if !newest.iter().any(|other| other.method == it.method) {
                newest.push(it);
            }
        }
        let word = |it: Assessed| (it.method, it.completion.map_or("other", Completion::as_str));
        newest.into_iter().map(word).collect()
    }

    /// Milestones named, and reached.
    pub(super) fn milestones(&self) -> (u64, u64) {
        let mut counts = (self.recorded.milestones.len() as u64, 0);
        for event in &self.events {
            match &event.body {
                EventBody::CommitmentAmended(data) => counts.0 += data.milestones.len() as u64,
                EventBody::MilestoneReached(_) => counts.1 += 1,
                _ => {}
            }
        }
        counts
    }

    fn amendments(&self) -> impl Iterator<Item = &CommitmentAmended> {
        self.events.iter().filter_map(|event| match &event.body {
            EventBody::CommitmentAmended(data) => Some(data),
            _ => None,
        })
    }

    pub(super) fn is_measurable(&self) -> bool {
        let measure = self.recorded.measure.as_ref();
        let changes = || self.amendments().filter_map(|data| data.measure.as_ref());
        let baseline = measure.is_some_and(|it| it.baseline.is_some())
            || changes().any(|it| it.baseline.is_some());
        let target = measure.is_some_and(|it| it.target.is_some())
            || changes().any(|it| it.target.is_some());
        let due = self.recorded.due.is_some() || self.amendments().any(|it| it.due.is_some());
        baseline && target && due
    }

    pub(super) fn is_weakened(&self) -> bool {
        self.amendments().any(|data| data.weakened)
    }
}
