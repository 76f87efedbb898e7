//! `commitment`: how one commitment stands, and the whole of its history.

mod history;

use super::view::heading_of;
use super::{connect, moment};
use crate::args::CommitmentArgs;
use crate::failure::Failure;
use crate::output::{Output, Table, clean, json_line, text};
use ledger_bus::NatsAccess;
use ledger_bus::QueryError;
use ledger_client::is_not_found;
use ledger_domain::wire::v1::Amount;
use ledger_domain::wire::v1::answer::CommitmentAnswer;
use ledger_domain::wire::v1::view::{
    AssessmentRow, CommitmentState, EvidenceRow, MeasureRow, ParticipationRow, ReportRow,
    WatchList, WatchedRow,
};

/// Prints how a commitment stands, or its history.
pub(crate) async fn run(
    nats: &NatsAccess,
    args: &CommitmentArgs,
    output: Output,
) -> Result<(), Failure> {
    if args.id.parse::<uuid::Uuid>().is_err() {
        return Err(Failure::usage(format!(
            "`{}` is not the id of a commitment: a UUID",
            args.id
        )));
    }
    let as_of = moment::read_any(args.known.as_of.as_deref())?;
    let as_of = as_of.as_deref();
    let connection = connect(nats).await?;
    let answer = if args.history {
        connection.commitment(&args.id, as_of).await
    } else {
        connection.commitment_state(&args.id, as_of).await
    };
    let answer = answer.map_err(|error| why(error, args))?;
    if output.json {
        let json = serde_json::to_vec(&answer).map_err(|error| Failure::failed(&error))?;
        return Ok(json_line(&json)?);
    }
    let page = if args.history {
        history::page(&answer)?
    } else {
        state_page(&answer)
    };
    Ok(text(&page)?)
}

fn why(error: QueryError, args: &CommitmentArgs) -> Failure {
    if is_not_found(&error) && args.known.as_of.is_none() {
        return Failure::unknown(format!("the ledger knows no commitment {}", args.id));
    }
    error.into()
}

/// The first lines: what it is called, and when this was known.
fn opening(answer: &CommitmentAnswer, title: &str) -> String {
    let known = heading_of(answer.as_of_position.as_deref(), &answer.as_of);
    format!("commitment {}\n{title}{known}", answer.commitment)
}

fn state_page(answer: &CommitmentAnswer) -> String {
    let Some(state) = &answer.state else {
        let what = "What it says is withheld: --history shows its events.\n";
        return opening(answer, what);
    };
    let mark = if state.commitment.illustrative {
        "[illustrative] "
    } else {
        ""
    };
    let title = format!("{mark}{}\n", clean(&state.commitment.title));
    let parts = [
        opening(answer, &title),
        facts(state),
        words(state),
        participations(&state.participations),
        reports(state),
        evidence(state),
        watched(&state.watch),
    ];
    parts.join("")
}

/// Where it stands, whom it binds to what, and when it is due.
fn facts(state: &CommitmentState) -> String {
    let row = &state.commitment;
    let mut table = Table::new(&["status", &spaced(&row.status)]);
    let mut add = |name: &str, value: String| {
        if !value.is_empty() {
            table.row([name.to_owned(), value]);
        }
    };
    let or_none = |value: &Option<String>| value.clone().unwrap_or_default();
    let withdrawn = if row.successor_withdrawn {
        " (withdrawn)"
    } else {
        ""
    };
    let successor = row.successor.as_ref();
    add(
        "superseded by",
        successor.map_or_else(String::new, |it| format!("{it}{withdrawn}")),
    );
    add("lead", row.lead.clone());
    for (index, codes) in row.actions.chunks(5).enumerate() {
        let name = if index == 0 { "actions" } else { "" };
        add(name, codes.join(" "));
    }
    let nature = state.nature.as_deref().map(spaced);
    let kind = [Some(spaced(&state.form)), nature];
    add(
        "kind",
        kind.into_iter().flatten().collect::<Vec<_>>().join(", "),
    );
    add("language", or_none(&state.language));
    add("description", or_none(&state.description));
    add("countries", state.countries.join(" "));
    if let Some(source) = &state.source {
        add("source", format!("{} {}", source.system, source.reference));
        add("", or_none(&source.url));
    }
    add("made", or_none(&row.made));
    add("due", or_none(&row.due));
    add("first due", or_none(&row.original_due));
    for list in [WatchList::Overdue, WatchList::OverdueOriginal] {
        let is_late = |row: &&WatchedRow| row.list == list;
        // Where the due date was not moved, one line says it all.
        if list == WatchList::Overdue || row.original_due.is_some() {
            let late = state.watch.iter().find(is_late);
            add(
                "late",
                late.map(|late| late.why.clone()).unwrap_or_default(),
            );
        }
    }
    if let Some(days) = state.reported_fulfilled_days_after_first_due {
        let fulfilled = format!("reported fulfilled {days} days after the first due date");
        add("late", fulfilled);
    }
    if let Some(measure) = &state.measure {
        for (name, value) in measured(measure) {
            add(name, value);
        }
    }
    let milestones = row.milestones.unwrap_or_default();
    if milestones.named > 0 {
        let reached = format!("{} of {} reached", milestones.reached, milestones.named);
        add("milestones", reached);
    }
    let flags: Vec<String> = state.flags.iter().map(|flag| spaced(flag)).collect();
    for (index, flags) in flags.chunks(4).enumerate() {
        let name = if index == 0 { "flags" } else { "" };
        add(name, flags.join(", "));
    }
    for contest in state.contests.iter().filter(|contest| contest.retracted) {
        let (party, report) = (&contest.party, &contest.report);
        add(
            "contest",
            format!("{party}, of the report at {report} (retracted)"),
        );
    }
    add(
        "recorded",
        format!("{}, position {}", row.recorded, row.position),
    );
    add("last event", format!("position {}", row.changed));
    format!("\n{}", table.render())
}

/// What it is measured by: each part with what was said of it first, and the value that was reported last.
fn measured(measure: &MeasureRow) -> [(&'static str, String); 4] {
    let unit = |unit: &Option<String>| {
        let unit = unit.as_ref().map(|unit| format!(" {}", clean(unit)));
        unit.unwrap_or_default()
    };
    let amount = |now: Option<Amount>, first: Option<Amount>| {
        let first_unit = unit(&measure.first_unit);
        let first = match (now, first) {
            (_, Some(first)) => format!(" (first {first}{first_unit})"),
            (Some(_), None) if measure.first_unit.is_some() => format!(" (first in{first_unit})"),
            (Some(_) | None, None) => String::new(),
        };
        let now = now.map(|now| format!("{now}{}", unit(&measure.unit)));
        now.unwrap_or_default() + &first
    };
    let first = measure.first_indicator.as_deref().map(clean);
    let first = first.map_or_else(String::new, |first| format!(" (first {first})"));
    let latest = measure.latest.as_ref().map(|latest| {
        let value = format!("{}{}", latest.value, unit(&latest.unit));
        let (from, until) = (&latest.from, &latest.until);
        let period = if from == until {
            until.clone()
        } else {
            format!("{from} to {until}")
        };
        format!(
            "{value}, {period}, by {}, position {}",
            latest.party, latest.report
        )
    });
    [
        ("indicator", clean(&measure.indicator) + &first),
        ("baseline", amount(measure.baseline, measure.first_baseline)),
        ("target", amount(measure.target, measure.first_target)),
        ("latest value", latest.unwrap_or_default()),
    ]
}

/// What the lead says, beside what independent assessors say.
fn words(state: &CommitmentState) -> String {
    let mut table = Table::new(&["who says what became of it", "", "of", "position", ""]);
    let mut reports = state.reports.iter();
    let is_newest = |report: &&ReportRow| Some(&report.position) == state.stage_from.as_ref();
    match reports.find(is_newest) {
        Some(report) => table.row([
            format!("{}, who leads it", report.party),
            spaced(&report.stage),
            report.until.clone(),
            report.position.clone(),
            report_remarks(report, state),
        ]),
        None => table.row([
            format!("{}, who leads it", state.commitment.lead),
            "nothing reported".to_owned(),
        ]),
    }
    for assessment in &state.commitment.assessments {
        table.row(assessment_cells(assessment));
    }
    if state.commitment.assessments.is_empty() {
        table.row(["independent assessors", "nothing"].map(str::to_owned));
    }
    let left_out = state.commitment.assessments_left_out;
    let more = if left_out > 0 {
        format!("{left_out} more assessments are in its history\n")
    } else {
        String::new()
    };
    format!("\n{}{more}", table.render())
}

fn assessment_cells(assessment: &AssessmentRow) -> [String; 5] {
    let grades = assessment.grades.iter();
    let grades: Vec<String> = grades
        .map(|grade| format!("{}: {}", grade.dimension, grade.grade))
        .collect();
    let word = match (&assessment.completion, &assessment.grade) {
        (Some(completion), _) => spaced(completion),
        (None, Some(grade)) => format!("\"{grade}\""),
        (None, None) => grades.join("; "),
    };
    [
        format!("{}, independent ({})", assessment.assessor, assessment.kind),
        word,
        assessment.assessed.clone().unwrap_or_default(),
        assessment.position.clone(),
        format!("{} {}", assessment.method, assessment.method_version),
    ]
}

fn participations(parts: &[ParticipationRow]) -> String {
    let mut table = Table::new(&["beside the lead", "role", "says"]);
    for part in parts {
        let role = serde_json::to_value(part.role).unwrap_or_default();
        let said = match part.state.as_str() {
            "claimed" => "nothing yet: claimed by the lead",
            state => state,
        };
        table.row([
            part.party.clone(),
            role.as_str().unwrap_or_default().to_owned(),
            said.to_owned(),
        ]);
    }
    section(&table)
}

fn reports(state: &CommitmentState) -> String {
    let mut table = Table::new(&["report", "recorded", "party", "until", "stage", ""]);
    for report in &state.reports {
        table.row([
            report.position.clone(),
            report.recorded.clone(),
            report.party.clone(),
            report.until.clone(),
            spaced(&report.stage),
            report_remarks(report, state),
        ]);
    }
    section(&table)
}

/// Every piece that was named, under the name that commands know it by.
fn evidence(state: &CommitmentState) -> String {
    let mut table = Table::new(&["evidence", "digest", "party", "report", "", ""]);
    for piece in &state.evidence_pieces {
        let EvidenceRow {
            evidence,
            sha256,
            undigested: _,
            url,
            title,
            party,
            report,
            unavailable,
        } = piece;
        let what = [title.clone(), url.clone()];
        table.row([
            evidence.clone(),
            sha256.clone().unwrap_or_else(|| "undigested".to_owned()),
            party.clone(),
            report.clone().unwrap_or_default(),
            if *unavailable { "unavailable" } else { "" }.to_owned(),
            what.into_iter().flatten().collect::<Vec<_>>().join(", "),
        ]);
    }
    let left_out = state.evidence_pieces_left_out;
    let more = if left_out > 0 {
        format!("{left_out} more pieces of evidence are in its history\n")
    } else {
        String::new()
    };
    section(&table) + &more
}

fn report_remarks(report: &ReportRow, state: &CommitmentState) -> String {
    let mut remarks = Vec::new();
    if report.evidence_undigested {
        remarks.push("with undigested evidence".to_owned());
    } else if report.evidence {
        remarks.push("with evidence".to_owned());
    }
    if report.validated {
        remarks.push("validated".to_owned());
    }
    if report.returned {
        remarks.push("returned".to_owned());
    }
    let contests = state.contests.iter();
    let of_it = contests.filter(|contest| contest.report == report.position);
    remarks.extend(of_it.map(|contest| format!("contested by {}", contest.party)));
    if report.contest_upheld {
        remarks.push("contest upheld".to_owned());
    }
    remarks.join(", ")
}

fn watched(rows: &[WatchedRow]) -> String {
    let mut table = Table::new(&["watch list", "since", "why"]);
    for row in rows {
        table.row([
            row.list.as_str().to_owned(),
            row.since.clone().unwrap_or_default(),
            row.why.clone(),
        ]);
    }
    section(&table)
}

fn section(table: &Table) -> String {
    if table.is_empty() {
        String::new()
    } else {
        format!("\n{}", table.render())
    }
}

fn spaced(word: &str) -> String {
    word.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn answer(extra: Value) -> CommitmentAnswer {
        let mut state = json!({"commitment": "c", "title": "T\u{1b}", "lead": "KEN", "actions": ["GCM-10"],
            "status": "superseded", "successor": "d", "stage": "in_progress", "measurable": false, "evidence": true,
            "weakened": true, "illustrative": true, "due": "2027-12-31", "original_due": "2025", "recorded": "r",
            "position": "3", "changed": "9", "form": "individual", "flags": ["not_measurable", "weakened"]});
        if let (Value::Object(state), Value::Object(extra)) = (&mut state, extra) {
            state.extend(extra);
        }
        serde_json::from_value(
            json!({"commitment": "c", "tree_size": 12, "as_of": "2026-01-02T00:00:00Z",
            "as_of_position": "11", "state": state}),
        )
        .expect("an answer")
    }

    fn squeezed(page: &str) -> String {
        page.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_self_report_stands_beside_what_assessors_say_and_who_takes_part() {
        let report = |position: &str, until: &str, stage: &str| {
            json!({"position": position, "recorded": "r", "party": "KEN", "by_lead": true, "until": until,
                "stage": stage, "evidence": true, "contest_upheld": position == "9"})
        };
        let page = squeezed(&state_page(&answer(json!({
            "reports": [report("7", "2025", "fulfilled"), report("9", "2024", "planning")],
            "stage_from": "7",
            "contests": [{"party": "UGA", "report": "7"}, {"party": "MEX", "report": "5", "retracted": true}],
            "participations": [{"party": "UGA", "role": "partner", "state": "claimed"}],
            "assessments": [{"kind": "progress", "assessor": "IRM", "method": "m", "method_version": "1",
                "completion": "no_evidence", "grade": "None", "position": "8"}],
            "watch": [{"list": "overdue_original", "why": "first due 2025, 2 days late", "since": "2026-01-01"}],
            "reported_fulfilled_days_after_first_due": 365,
            "language": "pt-BR", "description": "What\nit is", "countries": ["UGA", "TZA"],
            "source": {"system": "UPR", "reference": "A-1", "url": "https://source.example/"},
            "evidence_pieces": [
                {"evidence": "7.0", "undigested": true, "url": "https://note.example/", "title": "Note",
                    "party": "KEN", "report": "7", "unavailable": true},
                {"evidence": "9.0", "sha256": "00ff", "url": "https://other.example/", "party": "UGA"}],
            "measure": {"indicator": "desks", "unit": "desks", "baseline": 0, "target": 4.5, "first_target": 8,
                "first_unit": "rooms", "latest": {"value": 3, "unit": "desks", "party": "KEN", "from": "2024",
                "until": "2025", "report": "7"}},
        }))));
        for text in [
            "[illustrative] T As known at position 11; today is 2026-01-02T00:00:00Z.",
            "status superseded superseded by d lead KEN",
            "due 2027-12-31 first due 2025 late first due 2025, 2 days late",
            "late reported fulfilled 365 days after the first due date",
            "indicator desks baseline 0 desks (first in rooms) target 4.5 desks (first 8 rooms)",
            "latest value 3 desks, 2024 to 2025, by KEN, position 7",
            "flags not measurable, weakened",
            "language pt-BR description What it is",
            "countries UGA TZA source UPR A-1 https://source.example/",
            "7.0 undigested KEN 7 unavailable Note, https://note.example/",
            "9.0 00ff UGA https://other.example/",
            "KEN, who leads it fulfilled 2025 7 with evidence, contested by UGA",
            "9 r KEN 2024 planning with evidence, contest upheld",
            "contest MEX, of the report at 5 (retracted)",
            "IRM, independent (progress) no evidence 8 m 1",
            "UGA partner nothing yet: claimed by the lead",
        ] {
            assert!(page.contains(text), "{text} in {page}");
        }
    }

    #[test]
    fn what_nobody_said_is_said_and_what_is_withheld_too() {
        let page = squeezed(&state_page(&answer(json!({}))));
        assert!(
            page.contains("KEN, who leads it nothing reported"),
            "{page}"
        );
        assert!(page.contains("independent assessors nothing"), "{page}");
        let mut withheld = answer(json!({}));
        withheld.state = None;
        assert!(state_page(&withheld).contains("withheld"));
    }
}
