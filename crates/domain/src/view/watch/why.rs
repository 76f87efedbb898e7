//! The reason why a commitment is on a watch list, in words.

use crate::date::PartialDate;
use crate::view::read_model::assessments::Downgrade;
use crate::view::read_model::contests::OpenContest;
use crate::view::read_model::facts::{CommitmentFacts, PartState, Status};
use crate::view::read_model::tables::Tables;
use crate::wire::v1::Outcome;
use crate::wire::v1::view::{AssessmentRow, CommitmentRow, STALE_AFTER_DAYS, WatchList};

/// The reason why a commitment is on a list, where it has been for so many days.
pub(super) fn why(
    list: WatchList,
    tables: &Tables,
    facts: &CommitmentFacts,
    row: &CommitmentRow,
    days: i64,
) -> String {
    let text = |date: Option<PartialDate>| date.map_or_else(String::new, |date| date.to_string());
    match list {
        WatchList::Overdue => format!("due {}, {} days late", text(facts.due), days + 1),
        WatchList::OverdueOriginal => {
            let due = text(facts.original_due);
            format!("first due {due}, {} days late", days + 1)
        }
        WatchList::Stale => format!("no report on the last {} days", days + STALE_AFTER_DAYS + 1),
        WatchList::NeverReported => format!("no report in {days} days since it was recorded"),
        WatchList::FulfilledUnassessed => {
            format!("lead: {}; nobody assessed it", said_by_lead(facts))
        }
        WatchList::AssessedBelowReport => {
            format!("lead: {}; {}", said_by_lead(facts), assessments(row))
        }
        WatchList::Downgraded => downgrades(tables, facts),
        WatchList::Contested => contests(tables, facts),
        WatchList::EvidenceMissing if facts.last_report.is_none() => {
            format!("{} without evidence", said_by_lead(facts))
        }
        WatchList::EvidenceMissing => "reported on without evidence".to_owned(),
        WatchList::EvidenceUnavailable => {
            let scrutiny = facts.scrutiny();
            let count = scrutiny.map_or(0, |scrutiny| scrutiny.evidence.unavailable_count());
            format!("evidence that could not be found: {count}")
        }
        WatchList::Unconfirmed => {
            let parts = facts.participations().iter();
            let claimed = parts.filter(|part| part.state == PartState::Claimed);
            let parties: Vec<String> = claimed.map(|part| tables.party_text(part.party)).collect();
            format!("not confirmed by {}", parties.join(", "))
        }
        WatchList::GroundTakenBack => {
            "closed as fulfilled; the report that this rested on holds no more".to_owned()
        }
        WatchList::SuccessorWithdrawn => {
            let successor = row.successor.as_deref().unwrap_or_default();
            format!("superseded by {successor}, which was withdrawn")
        }
    }
}

/// The open contests of reports that stand.
fn contests(tables: &Tables, facts: &CommitmentFacts) -> String {
    let scrutiny = facts.scrutiny().into_iter();
    let contests = scrutiny.flat_map(|scrutiny| scrutiny.contests.iter());
    let said: Vec<String> = contests
        .filter(|contest| !contest.retracted)
        .map(|OpenContest { party, report, .. }| {
            let party = tables.party_text(party);
            format!("{party} contests the report at position {report}")
        })
        .collect();
    said.join("; ")
}

/// The assessments that were lowered.
fn downgrades(tables: &Tables, facts: &CommitmentFacts) -> String {
    let scrutiny = facts.scrutiny().into_iter();
    let said: Vec<String> = scrutiny
        .flat_map(|scrutiny| scrutiny.assessments.downgrades())
        .map(|it| downgrade(tables, it))
        .collect();
    said.join("; ")
}

/// The lead's own word: the way it closed the commitment, else the stage it reported last.
fn said_by_lead(facts: &CommitmentFacts) -> &'static str {
    match facts.status {
        Status::Closed(Outcome::Fulfilled) => "closed as fulfilled",
        Status::Closed(Outcome::PartlyFulfilled) => "closed as partly fulfilled",
        Status::Closed(Outcome::NotFulfilled) => "closed as not fulfilled",
        Status::Active
        | Status::Suspended
        | Status::Withdrawn
        | Status::Superseded
        | Status::Lapsed => facts.stage_text(),
    }
}

/// A downgrade in words: whose, from what to what, under which method.
fn downgrade(tables: &Tables, downgrade: Downgrade) -> String {
    let (method, version) = tables.shared.method(downgrade.method);
    let assessor = tables.party_text(downgrade.assessor);
    let Downgrade { before, now, .. } = downgrade;
    format!("{assessor}: {now}, {before} before ({method} {version})")
}

/// The newest assessments of progress in words, in the ledger's where the method has them.
fn assessments(row: &CommitmentRow) -> String {
    let of_progress = |row: &&AssessmentRow| row.completion.is_some() || row.grade.is_some();
    let said: Vec<String> = row
        .assessments
        .iter()
        .filter(of_progress)
        .map(|row| {
            let said = row.completion.as_ref().or(row.grade.as_ref());
            let said = said.map_or("", String::as_str);
            format!(
                "{}: {said} ({} {})",
                row.assessor, row.method, row.method_version
            )
        })
        .collect();
    said.join("; ")
}
