//! The history of a commitment as people read it: each event with what it says, what it refers to, and what was said of it later.

use std::collections::BTreeMap;

use super::opening;
use crate::failure::Failure;
use crate::output::{Table, is_true, shown};
use ledger_domain::wire::v1::answer::CommitmentAnswer;
use serde_json::Value;

/// Fields of an amendment that are one value, and what they are called. Those that weigh name what was before in the event itself; what the others were
/// stands in the events before it.
const TERMS: [(&str, &str); 13] = [
    ("/title", "title"),
    ("/description", "description"),
    ("/due", "due"),
    ("/actions", "actions"),
    ("/countries", "countries"),
    ("/nature", "nature"),
    ("/made", "made"),
    ("/form", "form"),
    ("/language", "language"),
    ("/measure/indicator", "indicator"),
    ("/measure/unit", "unit"),
    ("/measure/baseline", "baseline"),
    ("/measure/target", "target"),
];

/// An event that refers to another of the commitment.
#[derive(Clone, Copy)]
struct Reference {
    event: &'static str,
    /// The field that names the other's position.
    field: &'static str,
    /// What it does to the other.
    does: &'static str,
    /// What was done to the other.
    done: &'static str,
    /// What the other is called.
    what: &'static str,
}

impl Reference {
    const fn new(
        event: &'static str,
        field: &'static str,
        does: &'static str,
        done: &'static str,
        what: &'static str,
    ) -> Self {
        Self {
            event,
            field,
            does,
            done,
            what,
        }
    }
}

const REFERENCES: [Reference; 12] = [
    Reference::new(
        "report_corrected",
        "/corrects",
        "corrects",
        "corrected",
        "report",
    ),
    Reference::new(
        "report_retracted",
        "/report",
        "retracts",
        "retracted",
        "report",
    ),
    Reference::new(
        "report_contested",
        "/report",
        "contests",
        "contested",
        "report",
    ),
    Reference::new(
        "report_validated",
        "/report",
        "validates",
        "validated",
        "report",
    ),
    Reference::new(
        "report_returned",
        "/report",
        "returns",
        "returned",
        "report",
    ),
    Reference::new(
        "contest_answered",
        "/contest",
        "answers",
        "answered",
        "contest",
    ),
    Reference::new(
        "contest_resolved",
        "/contest",
        "resolves",
        "resolved",
        "contest",
    ),
    Reference::new(
        "assessment_revised",
        "/assessment",
        "revises",
        "revised",
        "assessment",
    ),
    Reference::new(
        "evidence_attached",
        "/report",
        "adds evidence to",
        "given evidence",
        "report",
    ),
    // Evidence without a digest, by the position and the place of the event that named it.
    Reference::new(
        "evidence_digested",
        "/evidence",
        "digests",
        "digested",
        "evidence",
    ),
    Reference::new("evidence_moved", "/evidence", "moves", "moved", "evidence"),
    Reference::new(
        "evidence_flagged_unavailable",
        "/evidence",
        "did not find",
        "not found",
        "evidence",
    ),
];

/// Texts that people wrote, with what they are.
const TEXTS: [(&str, &str); 9] = [
    ("/reason", "reason"),
    ("/report/reason", "reason"),
    ("/narrative", "narrative"),
    ("/report/narrative", "narrative"),
    ("/note", "note"),
    ("/answer", "answer"),
    ("/summary", "summary"),
    ("/no_evidence_reason", "no evidence"),
    ("/report/no_evidence_reason", "no evidence"),
];

/// The history as a table.
pub(super) fn page(answer: &CommitmentAnswer) -> Result<String, Failure> {
    let events = answer.events.iter();
    let events: Result<Vec<Value>, _> = events
        .map(|event| serde_json::from_str(event.get()))
        .collect();
    let events = events.map_err(|error| Failure::failed(&error))?;
    let mut table = Table::new(&[
        "position",
        "recorded",
        "partner's time",
        "effective",
        "event",
        "party",
        "partner",
        "",
    ]);
    let mut history = History::of(&events);
    for event in &events {
        let position = shown(event, "/position");
        let sent = answer.partner_times.get(&position).cloned();
        let [recorded, effective] = ["/time", "/effective"].map(|it| shown(event, it));
        let mut cells = vec![position, recorded, sent.unwrap_or_default(), effective];
        cells.push(name(event));
        cells.extend(["/party", "/partner"].map(|pointer| shown(event, pointer)));
        let lines = history.lines(event);
        let mut lines = lines.into_iter();
        cells.extend(lines.next());
        table.row(cells);
        for line in lines {
            table.row([const { String::new() }; 7].into_iter().chain([line]));
        }
    }
    Ok(format!("{}\n{}", opening(answer, ""), table.render()))
}

/// The event's name, without what every type begins and ends with.
fn name(event: &Value) -> String {
    let kind = shown(event, "/type");
    let name = kind.strip_prefix("ledger.");
    let name = name.and_then(|rest| rest.strip_suffix(".v1"));
    name.unwrap_or(&kind).to_owned()
}

/// What is known of a commitment while its history is read.
#[derive(Default)]
struct History {
    /// What was said later of the event at a position.
    later: BTreeMap<String, Vec<String>>,
    /// The terms in force, by the names of [`TERMS`].
    terms: BTreeMap<&'static str, String>,
    /// The word of the report or assessment at a position: its stage, completion or grade.
    words: BTreeMap<String, String>,
}

impl History {
    fn of(events: &[Value]) -> Self {
        let mut history = Self::default();
        for event in events {
            if let Some((reference, at)) = reference(event) {
                let outcome = match shown(event, "/data/outcome").as_str() {
                    "" => String::new(),
                    outcome => format!(", {outcome}"),
                };
                let (done, by) = (reference.done, shown(event, "/position"));
                // A place in that event's list, where one is named.
                let (event, which) = match at.split_once('.') {
                    Some((event, index)) => (event, format!("evidence {index} ")),
                    None => (at.as_str(), String::new()),
                };
                let said = history.later.entry(event.to_owned()).or_default();
                said.push(format!("{which}{done} at {by}{outcome}"));
            }
        }
        history
    }

    /// What there is to say of an event, a line each; and takes it in.
    fn lines(&mut self, event: &Value) -> Vec<String> {
        if let Some(ground) = event.get("withheld").and_then(Value::as_str) {
            return vec![format!("withheld: {ground}")];
        }
        let data = event.get("data").unwrap_or(&Value::Null);
        let position = shown(event, "/position");
        let has = |pointer: &str| data.pointer(pointer).is_some();
        let mut lines = Vec::new();
        if is_true(data, "/illustrative") {
            lines.push("[illustrative]".to_owned());
        }
        lines.extend(self.referred(event, data));
        lines.extend(self.change_terms(&name(event), data));
        lines.extend(said(data));
        if name(event) == "assessment_revised" && has("/grade") && !has("/completion") {
            lines.push("completion: none, as none was given with the new grade".to_owned());
        }
        for (pointer, what) in TEXTS {
            let text = shown(data, pointer);
            if !text.is_empty() {
                lines.push(format!("{what}: {text}"));
            }
        }
        // A line each: none is longer than a cell, so that no outcome is cut off.
        let later = self.later.get(&position).into_iter().flatten();
        lines.extend(later.map(|later| format!("later {later}")));
        let word = word(data);
        if !word.is_empty() {
            self.words.insert(position, word);
        }
        lines
    }

    /// What the event does to another one; of a correction or a revision, from which word to which.
    fn referred(&self, event: &Value, data: &Value) -> Option<String> {
        let (Reference { does, what, .. }, at) = reference(event)?;
        let (old, new) = (self.words.get(&at), word(data));
        let changed = match old {
            Some(old) if !new.is_empty() && *old != new => format!(": {old} → {new}"),
            Some(_) if !new.is_empty() => format!(": {new}, as before"),
            Some(_) | None => String::new(),
        };
        Some(format!("{does} the {what} at {at}{changed}"))
    }

    /// The terms that an event sets: as they are where it records the commitment, from what to what where it amends it.
    fn change_terms(&mut self, name: &str, data: &Value) -> Vec<String> {
        let amends = name == "commitment_amended";
        if !amends && name != "commitment_recorded" {
            return Vec::new();
        }
        let mut lines = Vec::new();
        for (pointer, term) in TERMS {
            let new = shown(data, pointer);
            if new.is_empty() {
                continue;
            }
            let stated = shown(data, &format!("/before/{term}"));
            let known = self.terms.insert(term, new.clone()).unwrap_or_default();
            let old = if stated.is_empty() { known } else { stated };
            let old = if old.is_empty() {
                "none".to_owned()
            } else {
                old
            };
            // When it was made is its effective date, and most are held by one party.
            let unsaid = !amends && matches!(term, "made" | "form" | "language");
            if unsaid || (amends && old == new) {
                continue;
            }
            lines.push(match (amends, term) {
                (true, "description") => "description: replaced".to_owned(),
                (true, _) => format!("{term}: {old} → {new}"),
                (false, "title") => new,
                (false, _) => format!("{term}: {new}"),
            });
        }
        if is_true(data, "/weakened") {
            lines.push("weakened: it asks for less than before".to_owned());
        }
        lines
    }
}

/// The reference of an event, and the position that it names.
fn reference(event: &Value) -> Option<(Reference, String)> {
    let name = name(event);
    let found = REFERENCES.into_iter().find(|it| it.event == name)?;
    let at = shown(event, &format!("/data{}", found.field));
    (!at.is_empty()).then_some((found, at))
}

/// The word of a report or an assessment.
fn word(data: &Value) -> String {
    let words = ["/stage", "/report/stage", "/completion", "/grade"];
    let words = words.map(|pointer| shown(data, pointer).replace('_', " "));
    words
        .into_iter()
        .find(|word| !word.is_empty())
        .unwrap_or_default()
}

/// What is told of any event, in the order in which it is read.
fn said(data: &Value) -> Vec<String> {
    let at = |pointer: &str| shown(data, pointer);
    let mut lines = Vec::new();
    let mut say = |what: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("{what}{value}"));
        }
    };
    for report in ["", "/report"] {
        if !at(&format!("{report}/stage")).is_empty() {
            let period = period(data, &format!("{report}/period"));
            say("", format!("{}, {period}", word(data)));
            say("", indicators(data, &format!("{report}/indicators")));
            say("evidence: ", pieces(data, &format!("{report}/evidence")));
        }
    }
    if at("/stage").is_empty() {
        say("period: ", period(data, "/period"));
        say("evidence: ", pieces(data, "/evidence"));
    }
    if !at("/method").is_empty() {
        let method = format!("{} {}", at("/method"), at("/method_version"));
        say("method: ", method);
        say("assessed: ", at("/assessed"));
    }
    say("completion: ", at("/completion").replace('_', " "));
    say("grade: ", at("/grade"));
    for grade in items(data, "/grades") {
        let (side, grade) = (shown(grade, "/dimension"), shown(grade, "/grade"));
        say("", format!("{side}: {grade}"));
    }
    for part in items(data, "/participants") {
        let (role, party) = (shown(part, "/role"), shown(part, "/party"));
        say("", format!("{role} {party}, claimed by the lead"));
    }
    say("milestone: ", at("/milestone"));
    for milestone in items(data, "/milestones") {
        let due = match shown(milestone, "/due").as_str() {
            "" => String::new(),
            due => format!(", due {due}"),
        };
        say("milestone: ", format!("{}{due}", shown(milestone, "/name")));
    }
    say("successor: ", at("/successor"));
    say("outcome: ", at("/outcome").replace('_', " "));
    say("evidence ", at("/sha256"));
    say("now at ", at("/url"));
    say("acted as ", at("/by").replace('_', " "));
    lines
}

fn items<'a>(data: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    let items = data.pointer(pointer).and_then(Value::as_array);
    items.into_iter().flatten()
}

/// Both ends of a period, or the one that it is.
fn period(data: &Value, pointer: &str) -> String {
    let end = |name| shown(data, &format!("{pointer}/{name}"));
    match (end("from"), end("to")) {
        (from, to) if from == to => from,
        (from, to) => format!("{from} to {to}"),
    }
}

fn indicators(data: &Value, pointer: &str) -> String {
    let values = items(data, pointer).map(|indicator| {
        let cell = |name| shown(indicator, name);
        let text = format!("{}: {} {}", cell("/name"), cell("/value"), cell("/unit"));
        text.trim_end().to_owned()
    });
    values.collect::<Vec<_>>().join("; ")
}

/// Pieces of evidence by what they are called, else where they are, else by their digest; and which have none.
fn pieces(data: &Value, pointer: &str) -> String {
    let names = items(data, pointer).map(|piece| {
        let names = ["/title", "/url", "/sha256"].map(|name| shown(piece, name));
        let name = names.into_iter().find(|name| !name.is_empty());
        let mark = if piece.get("sha256").is_some() {
            ""
        } else {
            " (no digest)"
        };
        name.unwrap_or_default() + mark
    });
    names.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(position: u64, name: &str, data: &Value) -> Value {
        json!({"position": position.to_string(), "time": "t", "type": format!("ledger.{name}.v1"),
            "party": "KEN", "partner": "p", "data": data})
    }

    fn lines(events: &[Value]) -> Vec<Vec<String>> {
        let mut history = History::of(events);
        events.iter().map(|event| history.lines(event)).collect()
    }

    #[test]
    fn a_chain_of_reports_says_which_does_what_to_which() {
        let period = json!({"from": "2025", "to": "2026-01"});
        let lines = lines(&[
            event(
                7,
                "progress_reported",
                &json!({"stage": "planning", "period": period}),
            ),
            event(
                8,
                "report_contested",
                &json!({"report": "7", "reason": "Not so."}),
            ),
            event(
                9,
                "report_corrected",
                &json!({"corrects": "7",
                "report": {"stage": "in_progress", "period": period}}),
            ),
            event(
                10,
                "contest_resolved",
                &json!({"contest": "8", "outcome": "upheld", "reason": "So it is."}),
            ),
            event(
                11,
                "report_validated",
                &json!({"report": "9", "by": "focal_point"}),
            ),
        ]);
        assert_eq!(
            lines[0],
            [
                "planning, 2025 to 2026-01",
                "later contested at 8",
                "later corrected at 9"
            ]
        );
        assert_eq!(
            lines[1],
            [
                "contests the report at 7",
                "reason: Not so.",
                "later resolved at 10, upheld"
            ]
        );
        assert_eq!(
            lines[2][..2],
            [
                "corrects the report at 7: planning → in progress",
                "in progress, 2025 to 2026-01"
            ]
        );
        assert_eq!(lines[3][0], "resolves the contest at 8");
        assert_eq!(
            lines[4],
            ["validates the report at 9", "acted as focal point"]
        );
    }

    #[test]
    fn evidence_without_a_digest_is_marked_and_told_what_became_of_it() {
        let lines = lines(&[
            event(
                7,
                "evidence_attached",
                &json!({"evidence": [{"url": "https://a.example/"}, {"sha256": "00", "title": "T"}]}),
            ),
            event(
                8,
                "evidence_digested",
                &json!({"evidence": "7.0", "sha256": "11"}),
            ),
            event(
                9,
                "evidence_moved",
                &json!({"evidence": "7.0", "url": "https://b.example/"}),
            ),
        ]);
        assert_eq!(
            lines[0],
            [
                "evidence: https://a.example/ (no digest); T",
                "later evidence 0 digested at 8",
                "later evidence 0 moved at 9"
            ]
        );
        assert_eq!(lines[1], ["digests the evidence at 7.0", "evidence 11"]);
        assert_eq!(
            lines[2],
            ["moves the evidence at 7.0", "now at https://b.example/"]
        );
    }

    #[test]
    fn an_amendment_says_what_was_before_and_what_is_now() {
        let lines = lines(&[
            event(
                3,
                "commitment_recorded",
                &json!({"title": "Old", "actions": ["GCM-10"], "due": "2025",
                "illustrative": true, "participants": [{"party": "UGA", "role": "partner"}]}),
            ),
            event(
                4,
                "commitment_amended",
                &json!({"title": "New", "due": "2027", "weakened": true,
                "measure": {"target": 5}, "reason": "Time.", "before": {"due": "2025", "target": 8}}),
            ),
        ]);
        assert_eq!(
            lines[0],
            [
                "[illustrative]",
                "Old",
                "due: 2025",
                "actions: GCM-10",
                "partner UGA, claimed by the lead"
            ]
        );
        assert_eq!(
            lines[1],
            [
                "title: Old → New",
                "due: 2025 → 2027",
                "target: 8 → 5",
                "weakened: it asks for less than before",
                "reason: Time."
            ]
        );
    }

    #[test]
    fn a_revision_names_both_words_and_withheld_data_says_on_what_ground() {
        let method =
            json!({"method": "m", "method_version": "1", "grade": "B", "completion": "limited"});
        let lines = lines(&[
            event(5, "progress_assessed", &method),
            event(
                6,
                "assessment_revised",
                &json!({"assessment": "5", "completion": "no_evidence"}),
            ),
            event(
                7,
                "assessment_revised",
                &json!({"assessment": "6", "grade": "Unclear"}),
            ),
            json!({"position": "8", "type": "ledger.progress_reported.v1", "withheld": "legal"}),
        ]);
        assert_eq!(
            lines[1],
            [
                "revises the assessment at 5: limited → no evidence",
                "completion: no evidence",
                "later revised at 7"
            ]
        );
        assert_eq!(
            lines[2],
            [
                "revises the assessment at 6: no evidence → Unclear",
                "grade: Unclear",
                "completion: none, as none was given with the new grade"
            ]
        );
        assert_eq!(lines[3], ["withheld: legal"]);
    }
}
