//! One commitment in full, folded from its own events alone: the same facts that the views count.
//!
//! Nothing that is said here of a commitment follows from the catalogue or from the parties as they were registered, and of other commitments' events only
//! whether its successor was withdrawn. So a node that knows where the events of both lie needs no others, and an auditor who has their histories
//! folds the same state.

pub(super) mod detail;
pub(super) mod measure;

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::watch::Search;
use crate::ids::{CommitmentId, PartyId};
use crate::view::read_model::event_ref::EventRef;
use crate::view::read_model::facts::{CommitmentFacts, Flags, PartState, Status};
use crate::view::read_model::reports::Report;
use crate::view::read_model::tables::Tables;
use crate::wire::v1::view::{
    CommitmentState, ContestRow, ParticipationRow, ReportRow, ValueRow, WatchList, WatchedRow,
};
use crate::wire::v1::{Event, EventBody, Indicator, ProgressReported, Stage};
use detail::Detail;
use measure::{Measured, value_row};

impl Said {
    fn of(event: &EventRef<'_>, report: &ProgressReported) -> Self {
        Self {
            party: event.party.clone(),
            indicators: report.indicators.clone(),
        }
    }
}

/// Folds the events of one commitment.
#[derive(Debug, Default)]
pub struct CommitmentFold {
    tables: Tables,
    measured: Measured,
    detail: Detail,
    /// What the reports and corrections said that no view counts, by their positions.
    said: BTreeMap<u64, Said>,
    /// The successor whose recording was followed.
    recorded_successor: Option<CommitmentId>,
}

/// Who made a report, and its values.
#[derive(Debug)]
struct Said {
    party: PartyId,
    indicators: Vec<Indicator>,
}

impl CommitmentFold {
    /// Takes its next event in. Events come in the order of their positions; those of other streams are not for here.
    pub fn apply(&mut self, event: &Event) {
        let event = &EventRef::from(event);
        if self.tables.advance(event).is_none() {
            return;
        }
        let slots = self.tables.slots_of(event);
        self.tables.evolve(event, &slots);
        self.take_in_detail(event);
    }

    /// Takes in what the views of the ledger have no use for.
    fn take_in_detail(&mut self, event: &EventRef<'_>) {
        self.detail.apply(event);
        if let EventBody::CommitmentRecorded(data) = event.body {
            data.measure.iter().for_each(|it| self.measured.record(it));
        }
        if let EventBody::CommitmentAmended(data) = event.body {
            data.measure.iter().for_each(|it| self.measured.amend(it));
        }
        if let EventBody::ProgressReported(data) = event.body {
            self.said.insert(event.at.position, Said::of(event, data));
        }
        if let EventBody::ReportCorrected(data) = event.body {
            let said = Said::of(event, &data.report);
            self.said.insert(event.at.position, said);
        }
    }

    /// What took the commitment's place, while it is superseded.
    pub fn successor(&self, id: CommitmentId) -> Option<CommitmentId> {
        let facts = self.tables.facts(self.tables.slot(id)?)?;
        facts.scrutiny()?.successor
    }

    /// Takes in an event of what took the commitment's place: all of them, in the order of their positions, after the commitment's own. Nothing
    /// but its withdrawal, or that it was reinstated, is said of the commitment.
    pub fn follow(&mut self, id: CommitmentId, event: &Event) {
        let withdrawn = matches!(event.body, EventBody::CommitmentWithdrawn(_));
        let reinstated = matches!(event.body, EventBody::CommitmentReinstated(_));
        let successor = self.successor(id);
        if successor.is_none() || successor != event.header.subject.commitment() {
            return;
        }
        if let EventBody::CommitmentRecorded(_) = &event.body {
            self.recorded_successor = successor;
        }
        // As in the views of the whole ledger, nothing happens to what was never recorded.
        let recorded = self.recorded_successor == successor;
        if recorded && (withdrawn || reinstated) {
            let position = event.header.position;
            self.tables.follow_successor(id, withdrawn, position);
        }
    }

    /// How it stands on a day; none before the event that recorded it, or where the data of that event is withheld.
    pub fn state(&self, id: CommitmentId, today: NaiveDate) -> Option<CommitmentState> {
        let facts = self.tables.facts(self.tables.slot(id)?)?;
        let watch = self.watched(facts, today);
        let detail = &self.detail;
        let (evidence_pieces, evidence_pieces_left_out) = detail.evidence();
        Some(CommitmentState {
            commitment: facts.row(&self.tables, None),
            form: facts.form.as_str().to_owned(),
            nature: facts.nature.map(|nature| nature.as_str().to_owned()),
            description: detail.description.clone(),
            language: detail.language.as_ref().map(ToString::to_string),
            countries: detail.countries.iter().map(ToString::to_string).collect(),
            source: detail.source.clone(),
            participations: self.participations(facts),
            stage_from: self.stage_from(facts),
            reported_fulfilled_days_after_first_due: self.days_late(facts),
            measure: self.measured.row(self.latest_value(facts)),
            reports: self.reports(facts),
            evidence_pieces,
            evidence_pieces_left_out,
            contests: self.contests(facts),
            flags: flags(facts, &watch),
            watch,
        })
    }

    fn participations(&self, facts: &CommitmentFacts) -> Vec<ParticipationRow> {
        let row = |part: &crate::view::read_model::facts::Participation| ParticipationRow {
            party: self.tables.party_text(part.party),
            role: part.role,
            state: match part.state {
                PartState::Confirmed => "confirmed",
                PartState::Claimed => "claimed",
                PartState::Left => "left",
            }
            .to_owned(),
        };
        facts.participations().iter().map(row).collect()
    }

    fn stage_from(&self, facts: &CommitmentFacts) -> Option<String> {
        let reports = self.tables.shared.reports.of(facts.reports);
        let by_lead = reports.filter(|report| report.has(Report::BY_LEAD));
        let newest = by_lead.reduce(|newest, report| {
            if report.is_newer(newest) {
                report
            } else {
                newest
            }
        });
        newest.map(|report| report.position().to_string())
    }

    /// The lead's last reports, as far back as all of them say fulfilled; the first of those says when it was.
    fn days_late(&self, facts: &CommitmentFacts) -> Option<u64> {
        let reports = self.tables.shared.reports.of(facts.reports);
        let mut by_lead: Vec<&Report> = reports
            .filter(|report| report.has(Report::BY_LEAD))
            .collect();
        by_lead.sort_unstable_by_key(|report| (report.until(), report.position()));
        let is_fulfilled =
            |report: &&&Report| report.stage == Stage::Fulfilled && !report.has(Report::RETURNED);
        let first = by_lead.iter().rev().take_while(is_fulfilled).last()?;
        let due = facts.original_due?.last_day();
        let days = first.until().signed_duration_since(due).num_days();
        u64::try_from(days).ok().filter(|days| *days > 0)
    }

    fn latest_value(&self, facts: &CommitmentFacts) -> Option<ValueRow> {
        let reports = self.tables.shared.reports.of(facts.reports);
        let valued = reports.filter_map(|report| {
            let said = self.said.get(&report.position())?;
            Some((report, said, self.measured.value_in(&said.indicators)?))
        });
        let (report, said, value) = valued.max_by_key(|(report, ..)| {
            let by_lead = report.has(Report::BY_LEAD);
            (by_lead, report.until(), report.position())
        })?;
        let party = said.party.to_string();
        Some(value_row(value, party, report.period(), report.position()))
    }

    fn reports(&self, facts: &CommitmentFacts) -> Vec<ReportRow> {
        let reports = self.tables.shared.reports.of(facts.reports);
        let mut rows: Vec<(u64, ReportRow)> = reports
            .map(|report| (report.position(), self.report(report)))
            .collect();
        rows.sort_unstable_by_key(|(position, _)| *position);
        rows.into_iter().map(|(_, row)| row).collect()
    }

    fn report(&self, report: &Report) -> ReportRow {
        let said = self.said.get(&report.position());
        ReportRow {
            position: report.position().to_string(),
            recorded: report.recorded.text(),
            party: said.map(|it| it.party.to_string()).unwrap_or_default(),
            by_lead: report.has(Report::BY_LEAD),
            until: report.to.to_string(),
            stage: report.stage.as_str().to_owned(),
            evidence: report.has_evidence(),
            evidence_undigested: report.has_evidence() && !report.has_digested_evidence(),
            validated: report.has(Report::VALIDATED),
            returned: report.has(Report::RETURNED),
            contest_upheld: report.has(Report::CONTEST_UPHELD),
        }
    }

    fn contests(&self, facts: &CommitmentFacts) -> Vec<ContestRow> {
        let open = facts
            .scrutiny()
            .into_iter()
            .flat_map(|scrutiny| scrutiny.contests.iter());
        let stands = |at: u64| {
            let mut reports = self.tables.shared.reports.of(facts.reports);
            reports.any(|report| report.position() == at)
        };
        open.filter(|contest| contest.retracted || stands(contest.report))
            .map(|contest| ContestRow {
                party: self.tables.party_text(contest.party),
                report: contest.report.to_string(),
                retracted: contest.retracted,
            })
            .collect()
    }

    fn watched(&self, facts: &CommitmentFacts, today: NaiveDate) -> Vec<WatchedRow> {
        let searches = WatchList::ALL.iter().map(|&list| Search::all(list, today));
        searches
            .filter(|search| search.finds(&self.tables, facts))
            .map(|search| {
                let row = search.row(&self.tables, facts);
                WatchedRow {
                    list: search.list,
                    why: row.why,
                    since: row.since,
                }
            })
            .collect()
    }
}

/// The flags that hold, in the domain's words. Those about dates are the watch lists' of the day.
fn flags(facts: &CommitmentFacts, watch: &[WatchedRow]) -> Vec<String> {
    let on = |list| watch.iter().any(|row| row.list == list);
    let stands = facts.is_active() || facts.is_closed();
    let flags = [
        ("illustrative", facts.is_illustrative()),
        ("withdrawn", facts.status == Status::Withdrawn),
        ("superseded", facts.status == Status::Superseded),
        ("lapsed", facts.status == Status::Lapsed),
        ("suspended", facts.status == Status::Suspended),
        ("not_measurable", !facts.is_measurable()),
        ("overdue", on(WatchList::Overdue)),
        ("overdue_original", on(WatchList::OverdueOriginal)),
        ("stale", on(WatchList::Stale)),
        ("never_reported", on(WatchList::NeverReported)),
        ("weakened", facts.is_weakened()),
        ("contested", on(WatchList::Contested)),
        ("contest_upheld", facts.flags.has(Flags::CONTEST_UPHELD)),
        ("self_declared", facts.is_self_declared()),
        ("ground_taken_back", on(WatchList::GroundTakenBack)),
        ("successor_withdrawn", on(WatchList::SuccessorWithdrawn)),
        ("no_evidence", stands && !facts.has_evidence()),
        (
            "evidence_undigested",
            stands && facts.has_undigested_evidence_only(),
        ),
        ("evidence_unavailable", on(WatchList::EvidenceUnavailable)),
        ("assessed_below_report", on(WatchList::AssessedBelowReport)),
        ("downgraded", on(WatchList::Downgraded)),
        ("claimed", facts.is_unconfirmed()),
    ];
    let set = flags.into_iter().filter(|(_, set)| *set);
    set.map(|(name, _)| name.to_owned()).collect()
}
