//! The figures of a view and the list of its commitments, as tables that people read. What nothing has is left out, where it is rare.

use std::collections::BTreeMap;

use crate::output::Table;
use ledger_domain::wire::v1::view::{
    ActionBody, ActionTally, ActiveCommitments, ApartFromActive, ClosedCommitments, CommitmentList,
    CommitmentRow, Completions, CountryBody, Participations, RecordedCommitments, Stages,
    SummaryBody, Timeliness,
};

/// The headings of the stages, in the order of a commitment's life.
const STAGES: [&str; 5] = [
    "no report",
    "planning",
    "in progress",
    "fulfilled",
    "stalled",
];

/// Their counts in the same order.
fn by_stage(stages: &Stages) -> [u64; 5] {
    [
        stages.none_reported,
        stages.planning,
        stages.in_progress,
        stages.fulfilled,
        stages.stalled,
    ]
}

/// The headings of what an independent assessor may have found, in the order of a method's table.
const COMPLETIONS: [&str; 6] = [
    "no evidence",
    "not started",
    "limited",
    "substantial",
    "complete",
    "other",
];

/// Their counts in the same order.
fn by_completion(counts: &Completions) -> [u64; 6] {
    [
        counts.no_evidence,
        counts.not_started,
        counts.limited,
        counts.substantial,
        counts.complete,
        counts.other,
    ]
}

/// Figures that are always shown, and such as are shown when there is something to show.
#[derive(Clone, Copy, PartialEq)]
enum Show {
    Always,
    IfAny,
}

use Show::{Always, IfAny};

/// A count under its name.
type Figure = (&'static str, u64, Show);

/// All commitments, by where they stand.
fn recorded(of: &RecordedCommitments) -> [Figure; 4] {
    let statuses = &of.statuses;
    [
        ("recorded", of.recorded, Always),
        ("  withdrawn", statuses.withdrawn, Always),
        ("  superseded", statuses.superseded, IfAny),
        ("  lapsed", statuses.lapsed, IfAny),
    ]
}

/// The closed ones, by how they ended.
fn outcomes(of: &RecordedCommitments) -> [Figure; 3] {
    let statuses = &of.statuses;
    [
        ("    as fulfilled", statuses.closed_fulfilled, IfAny),
        (
            "    as partly fulfilled",
            statuses.closed_partly_fulfilled,
            IfAny,
        ),
        ("    as not fulfilled", statuses.closed_not_fulfilled, IfAny),
    ]
}

/// What else is to be known of the closed ones.
fn closed(of: &ClosedCommitments) -> [Figure; 8] {
    [
        ("    by its own word only", of.self_declared, IfAny),
        ("    ground taken back", of.ground_taken_back, IfAny),
        ("    independently assessed", of.assessed, IfAny),
        (
            "      below the lead's word",
            of.assessed_below_report,
            IfAny,
        ),
        ("    contested", of.contested, IfAny),
        ("    contest upheld", of.contest_upheld, IfAny),
        (
            "    with undigested evidence only",
            of.with_undigested_evidence,
            IfAny,
        ),
        ("    without evidence", of.no_evidence, IfAny),
    ]
}

/// Those that stand, after their stages.
fn active(of: &ActiveCommitments, joint: u64) -> [Figure; 15] {
    [
        ("  report validated", of.validated, IfAny),
        ("  report returned", of.returned, IfAny),
        ("  report contested", of.contested, IfAny),
        ("  contest upheld", of.contest_upheld, IfAny),
        ("  independently assessed", of.assessed, Always),
        ("    below the self-report", of.assessed_below_report, IfAny),
        ("    lower than before", of.downgraded, IfAny),
        ("  fulfilled, not assessed", of.fulfilled_unassessed, IfAny),
        ("  measurable", of.measurable, Always),
        ("  with evidence", of.with_evidence, Always),
        (
            "  with undigested evidence only",
            of.with_undigested_evidence,
            IfAny,
        ),
        ("  evidence unavailable", of.evidence_unavailable, IfAny),
        ("  weakened", of.weakened, Always),
        ("  with unconfirmed participants", of.unconfirmed, IfAny),
        ("  joint", joint, IfAny),
    ]
}

/// How they stand against their dates today.
fn today(of: &Timeliness) -> [Figure; 4] {
    [
        ("  overdue (first due date)", of.overdue_original, Always),
        ("  overdue (amended due date)", of.overdue_amended, Always),
        ("  stale", of.stale, Always),
        ("  never reported", of.never_reported, Always),
    ]
}

/// The counts of the commitments of a view, or of one part of it.
#[derive(Clone, Copy)]
pub(super) struct Counts<'a> {
    commitments: &'a RecordedCommitments,
    active: &'a ActiveCommitments,
    apart: &'a ApartFromActive,
    participations: &'a Participations,
    by_party_kind: Option<&'a BTreeMap<String, u64>>,
    joint: u64,
}

impl<'a> From<&'a CountryBody> for Counts<'a> {
    fn from(body: &'a CountryBody) -> Self {
        Self {
            commitments: &body.commitments,
            active: &body.active_commitments.active,
            apart: &body.apart,
            participations: &body.participations,
            by_party_kind: Some(&body.active_commitments.by_party_kind),
            joint: 0,
        }
    }
}

impl<'a> From<&'a ActionTally> for Counts<'a> {
    fn from(tally: &'a ActionTally) -> Self {
        Self {
            commitments: &tally.commitments,
            active: &tally.active_commitments,
            apart: &tally.apart,
            participations: &tally.participations,
            by_party_kind: None,
            joint: 0,
        }
    }
}

impl<'a> From<&'a SummaryBody> for Counts<'a> {
    fn from(body: &'a SummaryBody) -> Self {
        Self {
            commitments: &body.commitments,
            active: &body.active_commitments.active,
            apart: &body.apart,
            participations: &body.participations,
            by_party_kind: None,
            joint: body.active_commitments.joint,
        }
    }
}

fn rows(table: &mut Table, figures: &[Figure]) {
    for (name, count, show) in figures {
        if *show == Always || *count > 0 {
            table.row([(*name).to_owned(), count.to_string()]);
        }
    }
}

impl Counts<'_> {
    /// The counts, with those of today where they are about the same commitments.
    pub(super) fn table(&self, of_today: Option<&Timeliness>) -> String {
        let outcomes = outcomes(self.commitments);
        let ended: u64 = outcomes.iter().map(|(_, count, _)| count).sum();
        let mut table = Table::new(&["commitments", ""]);
        rows(&mut table, &recorded(self.commitments));
        if ended > 0 {
            table.row(["  closed".to_owned(), ended.to_string()]);
            rows(&mut table, &outcomes);
            rows(&mut table, &closed(&self.apart.closed_commitments));
        }
        rows(&mut table, &[("standing", self.active.total, Always)]);
        let suspended = self.commitments.statuses.suspended;
        rows(&mut table, &[("  suspended", suspended, IfAny)]);
        for (kind, count) in self.by_party_kind.into_iter().flatten() {
            let name = format!("  led by: {}", kind.replace('_', " "));
            table.row([name, count.to_string()]);
        }
        for (name, count) in STAGES.iter().zip(by_stage(&self.active.by_stage)) {
            table.row([format!("  self-report: {name}"), count.to_string()]);
        }
        rows(&mut table, &active(self.active, self.joint));
        if let Some(of_today) = of_today {
            rows(&mut table, &today(of_today));
        }
        let illustrative = self.commitments.illustrative;
        let name = "illustrative (examples, nobody's pledge)";
        rows(&mut table, &[(name, illustrative, Always)]);
        format!("\n{}", table.render())
    }

    /// The findings of independent assessors, a line for each method: values of different methods
    /// are never put together.
    pub(super) fn assessed(&self) -> String {
        let mut headings = vec!["assessed by (standing or closed)"];
        headings.extend(COMPLETIONS);
        let mut table = Table::new(&headings);
        for (method, completions) in &self.apart.assessed_commitments_by_method {
            let counts = by_completion(completions).map(|count| count.to_string());
            table.row(std::iter::once(method.clone()).chain(counts));
        }
        section(&table) + &left_out(self.apart.methods_left_out, "methods")
    }

    /// Parts in commitments beside their leads', if there are any.
    pub(super) fn participations(&self) -> String {
        let mut table = Table::new(&["participations", "confirmed", "claimed", "left"]);
        let beside = &self.participations.beside;
        for (role, states) in [("partner", beside.partner), ("supporter", beside.supporter)] {
            let counts = [states.confirmed, states.claimed, states.left];
            if counts.iter().any(|count| *count > 0) {
                let counts = counts.map(|count| count.to_string());
                table.row(std::iter::once(role.to_owned()).chain(counts));
            }
        }
        section(&table)
    }
}

/// A country's standing commitments by action.
pub(super) fn by_action(body: &CountryBody) -> String {
    let mut headings = vec!["action"];
    headings.extend(STAGES);
    headings.extend(["assessed", "contested"]);
    let mut table = Table::new(&headings);
    for (code, line) in &body.active_commitments_by_action {
        let counts = by_stage(&line.stages).into_iter();
        let counts = counts.chain([line.assessed, line.contested]);
        let counts = counts.map(|count| count.to_string());
        table.row(std::iter::once(code.clone()).chain(counts));
    }
    section(&table) + &left_out(body.actions_left_out, "actions")
}

/// Commitments of corresponding actions; of an objective, those that correspond to an action under it too.
pub(super) fn mapped(body: &ActionBody) -> String {
    let rollup = body.rollup.as_ref();
    let mapped = rollup.map_or(&body.mapped, |rollup| &rollup.mapped);
    let mut table = Table::new(&["mapped from (counted apart)", "commitments", "standing"]);
    for (code, counts) in &mapped.mapped_from_commitments {
        table.row([
            code.clone(),
            counts.recorded.to_string(),
            counts.active.to_string(),
        ]);
    }
    section(&table) + &left_out(mapped.mappings_left_out, "actions")
}

/// The page of commitments. Only in a country's view has a commitment a role.
pub(super) fn commitments(list: Option<&CommitmentList>, with_role: bool) -> String {
    let mut headings = vec!["commitment", "lead"];
    headings.extend(with_role.then_some("role"));
    headings.extend(["self-report", "assessed", "remarks", "made", "due", "title"]);
    let mut table = Table::new(&headings);
    for row in list.into_iter().flat_map(|list| &list.rows) {
        let mut cells = vec![row.commitment.clone(), row.lead.clone()];
        cells.extend(with_role.then(|| role(row)));
        let mark = if row.illustrative {
            "[illustrative] "
        } else {
            ""
        };
        cells.extend([
            row.stage.replace('_', " "),
            assessments(row),
            remarks(row),
            row.made.clone().unwrap_or_default(),
            due(row),
            format!("{mark}{}", row.title),
        ]);
        table.row(cells);
    }
    let next = list.and_then(|list| list.next.as_ref());
    let more = next.map_or_else(String::new, |next| format!("more: --after {next}\n"));
    // A country's list has more rows than commitments were counted: why is to be read where both are seen.
    let heading = if with_role && !table.is_empty() {
        "\nthe commitments its parties lead, which are counted above, and those of others that they take part in:\n"
    } else {
        ""
    };
    format!("{heading}{}{more}", section(&table))
}

/// The country's part, and what its party says of that.
fn role(row: &CommitmentRow) -> String {
    let mut role = row.role.map_or("", |role| role.as_str()).to_owned();
    for (is_so, word) in [(row.claimed, " (claimed)"), (row.left, " (left)")] {
        if is_so {
            role.push_str(word);
        }
    }
    role
}

/// The newest word of each assessor on what was done: the completion, or the grade as it stands where the method does not translate it.
fn assessments(row: &CommitmentRow) -> String {
    let progress = row.assessments.iter().filter(|it| it.kind == "progress");
    let words: Vec<String> = progress
        .map(|assessment| {
            let word = match &assessment.completion {
                Some(completion) => completion.replace('_', " "),
                None => format!("\"{}\"", assessment.grade.as_deref().unwrap_or_default()),
            };
            format!("{word} ({})", assessment.assessor)
        })
        .collect();
    words.join(", ")
}

/// Where it stands, if not simply active, and what else is to be known of it.
fn remarks(row: &CommitmentRow) -> String {
    let mut remarks = Vec::new();
    if row.status != "active" {
        remarks.push(row.status.replace('_', " "));
    }
    for (is_so, word) in [
        (row.self_declared, "self-declared"),
        (row.contested, "contested"),
        (row.contest_upheld, "contest upheld"),
        (row.validated, "validated"),
        (row.returned, "returned"),
        (row.assessed_below_report, "assessed below"),
        (row.downgraded, "downgraded"),
        (row.weakened, "weakened"),
        (row.evidence_undigested, "evidence undigested"),
        (row.evidence_unavailable, "evidence unavailable"),
    ] {
        if is_so {
            remarks.push(word.to_owned());
        }
    }
    remarks.join(", ")
}

/// When it is due, and when it was due first.
fn due(row: &CommitmentRow) -> String {
    let due = row.due.clone().unwrap_or_default();
    match &row.original_due {
        None => due,
        Some(first) => format!("{due} (first {first})"),
    }
}

pub(super) fn left_out(count: usize, what: &str) -> String {
    match count {
        0 => String::new(),
        count => format!("{count} {what} with fewer commitments are left out\n"),
    }
}

fn section(table: &Table) -> String {
    if table.is_empty() {
        String::new()
    } else {
        format!("\n{}", table.render())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_domain::wire::v1::view::{
        ActionRollup, AssessmentRow, MappedCommitments, Mappings, ParticipationRole,
        ParticipationStates,
    };

    fn row() -> CommitmentRow {
        let row = serde_json::json!({
            "commitment": "c", "lead": "KEN", "status": "active", "stage": "in_progress", "title": "T",
            "actions": [], "measurable": false, "evidence": false, "weakened": false,
            "illustrative": false, "recorded": "t", "position": "1", "changed": "1",
        });
        serde_json::from_value(row).expect("a row")
    }

    fn page(row: CommitmentRow, with_role: bool) -> String {
        let list = CommitmentList {
            commitments: 1,
            rows: vec![row],
            next: Some("7".to_owned()),
        };
        commitments(Some(&list), with_role)
    }

    #[test]
    fn an_illustrative_or_claimed_commitment_says_so() {
        let row = CommitmentRow {
            role: Some(ParticipationRole::Partner),
            claimed: true,
            illustrative: true,
            ..row()
        };
        let shown = page(row.clone(), true);
        assert!(shown.contains("[illustrative] T"), "{shown}");
        assert!(shown.contains("partner (claimed)"), "{shown}");
        assert!(shown.ends_with("more: --after 7\n"), "{shown}");
        assert!(
            shown.contains("counted above, and those of others"),
            "{shown}"
        );
        let shown = page(row, false);
        assert!(
            !shown.contains("role") && !shown.contains("partner"),
            "{shown}"
        );
    }

    fn assessment(kind: &str, assessor: &str) -> AssessmentRow {
        AssessmentRow {
            kind: kind.to_owned(),
            assessor: assessor.to_owned(),
            method: "m".to_owned(),
            method_version: "1".to_owned(),
            completion: None,
            grade: None,
            grades: Vec::new(),
            assessed: None,
            position: "1".to_owned(),
        }
    }

    #[test]
    fn the_self_report_stands_beside_what_others_found() {
        let assessments = vec![
            AssessmentRow {
                completion: Some("not_started".to_owned()),
                grade: Some("None".to_owned()),
                ..assessment("progress", "IRM")
            },
            AssessmentRow {
                grade: Some("Unclear".to_owned()),
                ..assessment("progress", "peers")
            },
            assessment("ambition", "IRM"),
        ];
        let row = CommitmentRow {
            assessments,
            status: "closed_fulfilled".to_owned(),
            contested: true,
            contest_upheld: true,
            left: true,
            role: Some(ParticipationRole::Supporter),
            due: Some("2030".to_owned()),
            original_due: Some("2025".to_owned()),
            ..row()
        };
        let shown = page(row, true);
        for text in [
            "in progress",
            "not started (IRM), \"Unclear\" (peers)  ",
            "closed fulfilled, contested, contest upheld",
            "supporter (left)",
            "2030 (first 2025)",
        ] {
            assert!(shown.contains(text), "{text} in {shown}");
        }
    }

    #[test]
    fn a_view_without_commitments_shows_its_zeros_and_leaves_out_what_is_rare() {
        let tally = ActionTally::default();
        let counts = Counts::from(&tally);
        let page = counts.table(Some(&Timeliness::default()));
        assert!(
            page.contains("recorded") && page.contains("withdrawn"),
            "{page}"
        );
        assert!(
            !page.contains("superseded") && !page.contains("contested"),
            "{page}"
        );
        assert_eq!(counts.participations(), "");
        assert_eq!(counts.assessed(), "");
        assert_eq!(commitments(None, true), "");
    }

    #[test]
    fn a_country_says_whose_its_commitments_are() {
        let mut tally = ActionTally::default();
        tally.active_commitments.total = 6;
        let kinds = [("local_authority", 2), ("member_state", 4)];
        let kinds = kinds.map(|(kind, count)| (kind.to_owned(), count)).into();
        let counts = Counts {
            by_party_kind: Some(&kinds),
            ..Counts::from(&tally)
        };
        let page = squeezed(&counts.table(None));
        let said = "standing 6 led by: local authority 2 led by: member state 4 self-report";
        assert!(page.contains(said), "{page}");
    }

    #[test]
    fn what_is_suspended_stands_and_what_was_closed_has_a_heading_of_its_own() {
        let mut tally = ActionTally::default();
        tally.active_commitments.total = 6;
        tally.commitments.recorded = 9;
        tally.commitments.statuses.suspended = 5;
        tally.commitments.statuses.closed_fulfilled = 1;
        tally.commitments.statuses.closed_not_fulfilled = 2;
        tally.apart.closed_commitments.self_declared = 1;
        let page = Counts::from(&tally).table(None);
        let names: Vec<&str> = page
            .lines()
            .map(|line| {
                line.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == ' ')
            })
            .collect();
        let from = names
            .iter()
            .position(|name| *name == "  withdrawn")
            .expect("a line");
        assert_eq!(
            names[from + 1..from + 7],
            [
                "  closed",
                "    as fulfilled",
                "    as not fulfilled",
                "    by its own word only",
                "standing",
                "  suspended"
            ],
            "{page}"
        );
    }

    fn squeezed(page: &str) -> String {
        page.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn methods_and_participations_have_tables_of_their_own() {
        let mut tally = ActionTally::default();
        let completions = Completions {
            limited: 3,
            complete: 4,
            other: 5,
            ..Completions::default()
        };
        tally.apart.assessed_commitments_by_method = [("IRM 2014".to_owned(), completions)].into();
        tally.apart.methods_left_out = 2;
        tally.participations.beside.partner = ParticipationStates {
            claimed: 6,
            confirmed: 7,
            left: 8,
        };
        let counts = Counts::from(&tally);
        let page = squeezed(&counts.assessed());
        assert!(page.contains("IRM 2014 0 0 3 0 4 5 2 methods"), "{page}");
        let page = squeezed(&counts.participations());
        assert!(page.ends_with("partner 7 6 8"), "{page}");
    }

    #[test]
    fn of_an_objective_the_wider_mappings_are_shown() {
        let counts = MappedCommitments {
            recorded: 9,
            active: 1,
        };
        let mapped_from = Mappings {
            mapped_from_commitments: [("UPR-Trafficking".to_owned(), counts)].into(),
            mappings_left_out: 0,
        };
        let body = serde_json::json!({"view": "action", "action": "GCM-10"});
        let mut body: ActionBody = serde_json::from_value(body).expect("a body");
        body.mapped = mapped_from.clone();
        assert!(squeezed(&mapped(&body)).ends_with("UPR-Trafficking 9 1"));
        body.mapped = Mappings::default();
        body.rollup = Some(ActionRollup {
            mapped: mapped_from,
            ..ActionRollup::default()
        });
        assert!(squeezed(&mapped(&body)).ends_with("UPR-Trafficking 9 1"));
    }
}
