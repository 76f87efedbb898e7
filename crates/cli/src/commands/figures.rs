//! The figures of a view and the list of its commitments, as tables that people read. What nothing has is left out, where it is rare.

use crate::output::{Table, is_true, shown};
use serde_json::Value;

/// The stages in the order of a commitment's life, as a view's JSON names them and as people read them.
const STAGES: [(&str, &str); 5] = [
    ("none_reported", "no report"),
    ("planning", "planning"),
    ("in_progress", "in progress"),
    ("fulfilled", "fulfilled"),
    ("stalled", "stalled"),
];

/// What an independent assessor may have found, in the order of a method's table.
const COMPLETIONS: [(&str, &str); 6] = [
    ("no_evidence", "no evidence"),
    ("not_started", "not started"),
    ("limited", "limited"),
    ("substantial", "substantial"),
    ("complete", "complete"),
    ("other", "other"),
];

/// Figures that are always shown, and such as are shown when there is something to show.
#[derive(Clone, Copy, PartialEq)]
enum Show {
    Always,
    IfAny,
}

use Show::{Always, IfAny};

/// All commitments, by where they stand.
const RECORDED: [(&str, &str, Show); 4] = [
    ("recorded", "recorded", Always),
    ("withdrawn", "  withdrawn", Always),
    ("superseded", "  superseded", IfAny),
    ("lapsed", "  lapsed", IfAny),
];

/// The closed ones, by how they ended.
const OUTCOMES: [(&str, &str, Show); 3] = [
    ("closed_fulfilled", "    as fulfilled", IfAny),
    ("closed_partly_fulfilled", "    as partly fulfilled", IfAny),
    ("closed_not_fulfilled", "    as not fulfilled", IfAny),
];

/// What else is to be known of the closed ones.
const CLOSED: [(&str, &str, Show); 8] = [
    ("self_declared", "    by its own word only", IfAny),
    ("ground_taken_back", "    ground taken back", IfAny),
    ("assessed", "    independently assessed", IfAny),
    (
        "assessed_below_report",
        "      below the lead's word",
        IfAny,
    ),
    ("contested", "    contested", IfAny),
    ("contest_upheld", "    contest upheld", IfAny),
    (
        "with_undigested_evidence",
        "    with undigested evidence only",
        IfAny,
    ),
    ("no_evidence", "    without evidence", IfAny),
];

/// Those that stand, after their stages.
const ACTIVE: [(&str, &str, Show); 15] = [
    ("validated", "  report validated", IfAny),
    ("returned", "  report returned", IfAny),
    ("contested", "  report contested", IfAny),
    ("contest_upheld", "  contest upheld", IfAny),
    ("assessed", "  independently assessed", Always),
    ("assessed_below_report", "    below the self-report", IfAny),
    ("downgraded", "    lower than before", IfAny),
    ("fulfilled_unassessed", "  fulfilled, not assessed", IfAny),
    ("measurable", "  measurable", Always),
    ("with_evidence", "  with evidence", Always),
    (
        "with_undigested_evidence",
        "  with undigested evidence only",
        IfAny,
    ),
    ("evidence_unavailable", "  evidence unavailable", IfAny),
    ("weakened", "  weakened", Always),
    ("unconfirmed", "  with unconfirmed participants", IfAny),
    ("joint", "  joint", IfAny),
];

/// How they stand against their dates today.
const TODAY: [(&str, &str, Show); 4] = [
    ("overdue_original", "  overdue (first due date)", Always),
    ("overdue_amended", "  overdue (amended due date)", Always),
    ("stale", "  stale", Always),
    ("never_reported", "  never reported", Always),
];

/// The counts under `base`, with those of today where they are about the same commitments.
pub(super) fn counts(answer: &Value, base: &str, with_today: bool) -> String {
    let commitments = format!("{base}/commitments");
    let outcomes = OUTCOMES.iter().filter_map(|(figure, _, _)| {
        let count = answer.pointer(&format!("{commitments}/{figure}"));
        count.and_then(Value::as_u64)
    });
    let closed: u64 = outcomes.sum();
    let mut table = Table::new(&["commitments", ""]);
    let rows = |table: &mut Table, under: &str, figures: &[(&str, &str, Show)]| {
        for (figure, name, show) in figures {
            let value = shown(answer, &format!("{under}/{figure}"));
            if *show == Always || !matches!(value.as_str(), "" | "0") {
                table.row([(*name).to_owned(), value]);
            }
        }
    };
    rows(&mut table, &commitments, &RECORDED);
    if closed > 0 {
        table.row(["  closed".to_owned(), closed.to_string()]);
        rows(&mut table, &commitments, &OUTCOMES);
        rows(&mut table, &format!("{base}/closed_commitments"), &CLOSED);
    }
    let active = format!("{base}/active_commitments");
    rows(&mut table, &active, &[("total", "standing", Always)]);
    let suspended = [("suspended", "  suspended", IfAny)];
    rows(&mut table, &commitments, &suspended);
    let kinds = answer.pointer(&format!("{active}/by_party_kind"));
    for (kind, count) in kinds.and_then(Value::as_object).into_iter().flatten() {
        let name = format!("  led by: {}", kind.replace('_', " "));
        table.row([name, shown(count, "")]);
    }
    let by_stage = format!("{active}/by_stage");
    for (stage, name) in STAGES {
        let name = format!("  self-report: {name}");
        rows(&mut table, &by_stage, &[(stage, &name, Always)]);
    }
    rows(&mut table, &active, &ACTIVE);
    if with_today {
        rows(&mut table, "/commitments_today", &TODAY);
    }
    let illustrative = "illustrative (examples, nobody's pledge)";
    let illustrative = [("illustrative", illustrative, Always)];
    rows(&mut table, &commitments, &illustrative);
    format!("\n{}", table.render())
}

/// What independent assessors found, a line for each method: values of different methods are never put together.
pub(super) fn assessed(answer: &Value, base: &str) -> String {
    let mut headings = vec!["assessed by (standing or closed)"];
    headings.extend(COMPLETIONS.iter().map(|(_, name)| *name));
    let mut table = Table::new(&headings);
    let methods = answer.pointer(&format!("{base}/assessed_commitments_by_method"));
    for (method, completions) in methods.and_then(Value::as_object).into_iter().flatten() {
        let count = |(word, _): &(&str, &str)| shown(completions, &format!("/{word}"));
        let counts = COMPLETIONS.iter().map(count);
        table.row(std::iter::once(method.clone()).chain(counts));
    }
    section(&table) + &left_out(answer, &format!("{base}/methods_left_out"), "methods")
}

/// Parts in commitments beside their leads', if there are any.
pub(super) fn participations(answer: &Value, base: &str) -> String {
    let mut table = Table::new(&["participations", "confirmed", "claimed", "left"]);
    for role in ["partner", "supporter"] {
        let count = |state| shown(answer, &format!("{base}/participations/{role}/{state}"));
        let counts = ["confirmed", "claimed", "left"].map(count);
        if counts
            .iter()
            .any(|count| !matches!(count.as_str(), "" | "0"))
        {
            table.row(std::iter::once(role.to_owned()).chain(counts));
        }
    }
    section(&table)
}

/// A country's standing commitments by action.
pub(super) fn by_action(answer: &Value) -> String {
    let mut headings = vec!["action"];
    headings.extend(STAGES.iter().map(|(_, name)| *name));
    headings.extend(["assessed", "contested"]);
    let mut table = Table::new(&headings);
    if let Some(Value::Object(actions)) = answer.pointer("/view/active_commitments_by_action") {
        for (code, line) in actions {
            let stages = STAGES.iter().map(|(stage, _)| *stage);
            let count = |figure: &str| shown(line, &format!("/{figure}"));
            let counts = stages.chain(["assessed", "contested"]).map(count);
            table.row(std::iter::once(code.clone()).chain(counts));
        }
    }
    section(&table) + &left_out(answer, "/view/actions_left_out", "actions")
}

/// Commitments of corresponding actions; of an objective, those that correspond to an action under it too.
pub(super) fn mapped(answer: &Value) -> String {
    let rollup = "/view/rollup";
    let has_rollup = answer.pointer(rollup).is_some();
    let base = if has_rollup { rollup } else { "/view" };
    let mut table = Table::new(&["mapped from (counted apart)", "commitments", "standing"]);
    if let Some(Value::Object(codes)) = answer.pointer(&format!("{base}/mapped_from_commitments")) {
        for (code, counts) in codes {
            let cell = |pointer| shown(counts, pointer);
            table.row([code.clone(), cell("/recorded"), cell("/active")]);
        }
    }
    section(&table) + &left_out(answer, &format!("{base}/mappings_left_out"), "actions")
}

/// The page of commitments. Only in a country's view has a commitment a role.
pub(super) fn commitments(answer: &Value, with_role: bool) -> String {
    let mut headings = vec!["commitment", "lead"];
    headings.extend(with_role.then_some("role"));
    headings.extend(["self-report", "assessed", "remarks", "made", "due", "title"]);
    let mut table = Table::new(&headings);
    let rows = answer.pointer("/list/rows").and_then(Value::as_array);
    for row in rows.into_iter().flatten() {
        let cell = |pointer| shown(row, pointer);
        let mut cells = vec![cell("/commitment"), cell("/lead")];
        cells.extend(with_role.then(|| role(row)));
        let mut title = cell("/title");
        if is_true(row, "/illustrative") {
            title.insert_str(0, "[illustrative] ");
        }
        cells.extend([
            cell("/stage").replace('_', " "),
            assessments(row),
            remarks(row),
            cell("/made"),
            due(row),
            title,
        ]);
        table.row(cells);
    }
    let more = match shown(answer, "/list/next").as_str() {
        "" => String::new(),
        next => format!("more: --after {next}\n"),
    };
    // A country's list has more rows than commitments were counted: why is to be read where both are seen.
    let heading = if with_role && !table.is_empty() {
        "\nthe commitments its parties lead, which are counted above, and those of others that they take part in:\n"
    } else {
        ""
    };
    format!("{heading}{}{more}", section(&table))
}

/// The country's part, and what its party says of that.
fn role(row: &Value) -> String {
    let mut role = shown(row, "/role");
    for (flag, word) in [("/claimed", " (claimed)"), ("/left", " (left)")] {
        if is_true(row, flag) {
            role.push_str(word);
        }
    }
    role
}

/// The newest word of each assessor on what was done: the completion, or the grade as it stands where the method does not translate it.
fn assessments(row: &Value) -> String {
    let assessments = row.pointer("/assessments").and_then(Value::as_array);
    let progress = assessments
        .into_iter()
        .flatten()
        .filter(|assessment| shown(assessment, "/kind") == "progress");
    let words: Vec<String> = progress
        .map(|assessment| {
            let word = match shown(assessment, "/completion").as_str() {
                "" => format!("\"{}\"", shown(assessment, "/grade")),
                completion => completion.replace('_', " "),
            };
            format!("{word} ({})", shown(assessment, "/assessor"))
        })
        .collect();
    words.join(", ")
}

/// Where it stands, if not simply active, and what else is to be known of it.
fn remarks(row: &Value) -> String {
    let status = shown(row, "/status");
    let mut remarks = Vec::new();
    if status != "active" {
        remarks.push(status.replace('_', " "));
    }
    for (flag, word) in [
        ("/self_declared", "self-declared"),
        ("/contested", "contested"),
        ("/contest_upheld", "contest upheld"),
        ("/validated", "validated"),
        ("/returned", "returned"),
        ("/assessed_below_report", "assessed below"),
        ("/downgraded", "downgraded"),
        ("/weakened", "weakened"),
        ("/evidence_undigested", "evidence undigested"),
        ("/evidence_unavailable", "evidence unavailable"),
    ] {
        if is_true(row, flag) {
            remarks.push(word.to_owned());
        }
    }
    remarks.join(", ")
}

/// When it is due, and when it was due first.
fn due(row: &Value) -> String {
    match (shown(row, "/due"), shown(row, "/original_due")) {
        (due, first) if first.is_empty() => due,
        (due, first) => format!("{due} (first {first})"),
    }
}

pub(super) fn left_out(answer: &Value, pointer: &str, what: &str) -> String {
    match shown(answer, pointer).as_str() {
        "" | "0" => String::new(),
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
    use serde_json::json;

    fn row(extra: Value) -> Value {
        let mut row = json!({
            "commitment": "c", "lead": "KEN", "status": "active", "stage": "in_progress", "title": "T",
        });
        if let (Value::Object(row), Value::Object(extra)) = (&mut row, extra) {
            row.extend(extra);
        }
        json!({"list": {"rows": [row], "next": "7"}})
    }

    #[test]
    fn an_illustrative_or_claimed_commitment_says_so() {
        let answer = row(json!({"role": "partner", "claimed": true, "illustrative": true}));
        let page = commitments(&answer, true);
        assert!(page.contains("[illustrative] T"), "{page}");
        assert!(page.contains("partner (claimed)"), "{page}");
        assert!(page.ends_with("more: --after 7\n"), "{page}");
        assert!(
            page.contains("counted above, and those of others"),
            "{page}"
        );
        let page = commitments(&answer, false);
        assert!(
            !page.contains("role") && !page.contains("partner"),
            "{page}"
        );
    }

    #[test]
    fn the_self_report_stands_beside_what_others_found() {
        let assessments = json!([
            {"kind": "progress", "assessor": "IRM", "completion": "not_started", "grade": "None"},
            {"kind": "progress", "assessor": "peers", "grade": "Unclear"},
            {"kind": "ambition", "assessor": "IRM"},
        ]);
        let extra = json!({
            "assessments": assessments, "status": "closed_fulfilled", "contested": true, "contest_upheld": true, "left": true,
            "role": "supporter", "due": "2030", "original_due": "2025",
        });
        let page = commitments(&row(extra), true);
        for text in [
            "in progress",
            "not started (IRM), \"Unclear\" (peers)  ",
            "closed fulfilled, contested, contest upheld",
            "supporter (left)",
            "2030 (first 2025)",
        ] {
            assert!(page.contains(text), "{text} in {page}");
        }
    }

    #[test]
    fn a_view_without_commitments_shows_its_zeros_and_leaves_out_what_is_rare() {
        let answer = json!({"view": {
            "commitments": {"recorded": 0, "active": 0, "withdrawn": 0, "superseded": 0, "illustrative": 0},
            "active_commitments": {"total": 0, "contested": 0},
            "participations": {"partner": {"claimed": 0}},
        }});
        let page = counts(&answer, "/view", true);
        assert!(
            page.contains("recorded") && page.contains("withdrawn"),
            "{page}"
        );
        assert!(
            !page.contains("superseded") && !page.contains("contested"),
            "{page}"
        );
        assert_eq!(by_action(&answer), "");
        assert_eq!(participations(&answer, "/view"), "");
        assert_eq!(assessed(&answer, "/view"), "");
    }

    #[test]
    fn a_country_says_whose_its_commitments_are() {
        let kinds = json!({"local_authority": 2, "member_state": 4});
        let answer = json!({"view": {"commitments": {"recorded": 6},
            "active_commitments": {"total": 6, "by_party_kind": kinds}}});
        let page = counts(&answer, "/view", false);
        let page: Vec<&str> = page.split_whitespace().collect();
        let page = page.join(" ");
        let said = "standing 6 led by: local authority 2 led by: member state 4 self-report";
        assert!(page.contains(said), "{page}");
    }

    #[test]
    fn what_is_suspended_stands_and_what_was_closed_has_a_heading_of_its_own() {
        let answer = json!({"view": {
            "commitments": {"recorded": 9, "withdrawn": 0, "suspended": 5, "closed_fulfilled": 1, "closed_not_fulfilled": 2},
            "closed_commitments": {"self_declared": 1},
            "active_commitments": {"total": 6},
        }});
        let page = counts(&answer, "/view", false);
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

    #[test]
    fn methods_participations_and_mappings_have_tables_of_their_own() {
        let answer = json!({"view": {
            "assessed_commitments_by_method": {"IRM 2014": {"limited": 3, "complete": 4, "other": 5}},
            "methods_left_out": 2,
            "participations": {"partner": {"claimed": 6, "confirmed": 7, "left": 8}},
            "mapped_from_commitments": {"UPR-Trafficking": {"recorded": 9, "active": 1}},
        }});
        let squeezed = |page: String| page.split_whitespace().collect::<Vec<_>>().join(" ");
        let page = squeezed(assessed(&answer, "/view"));
        assert!(page.contains("IRM 2014 3 4 5 2 methods"), "{page}");
        let page = squeezed(participations(&answer, "/view"));
        assert!(page.ends_with("partner 7 6 8"), "{page}");
        assert!(squeezed(mapped(&answer)).ends_with("UPR-Trafficking 9 1"));
        let rolled_up = json!({"view": {"mapped_from_commitments": {}, "rollup": answer["view"]}});
        assert!(squeezed(mapped(&rolled_up)).ends_with("UPR-Trafficking 9 1"));
    }
}
