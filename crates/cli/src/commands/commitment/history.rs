//! The history of a commitment as people read it: each event with what it says, what it refers to, and what was said of it later.

mod reference;
mod terms;
mod words;

use std::collections::BTreeMap;

use self::reference::{Reference, reference};
use self::terms::{terms_amended, terms_before, terms_recorded};
use self::words::{outcome, said, texts, word};
use super::opening;
use crate::failure::Failure;
use crate::output::Table;
use ledger_domain::wire::v1::answer::CommitmentAnswer;
use ledger_domain::wire::v1::{EventBody, EventType};
use serde::Deserialize;
use serde_json::value::RawValue;

/// An event in its delivered form, as far as a history shows it.
#[derive(Deserialize)]
struct Delivered<'a> {
    position: String,
    time: String,
    #[serde(default)]
    effective: Option<String>,
    #[serde(rename = "type")]
    event_type: String,
    party: String,
    partner: String,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    withheld: Option<String>,
}

/// An event of the history.
struct Told {
    position: String,
    content: Content,
}

/// The part of an event's data that is there.
enum Content {
    Body(Box<EventBody>),
    /// Its data is withheld on this ground.
    Withheld(String),
    /// It is of a later version.
    Unknown,
}

impl Delivered<'_> {
    /// The event's name, without what every type begins and ends with.
    fn name(&self) -> &str {
        let name = self.event_type.strip_prefix("ledger.");
        let name = name.and_then(|rest| rest.strip_suffix(".v1"));
        name.unwrap_or(&self.event_type)
    }

    fn told(&self) -> Result<Told, Failure> {
        let content = match (&self.withheld, self.data, EventType::from_name(self.name())) {
            (Some(ground), _, _) => Content::Withheld(ground.clone()),
            (None, Some(data), Some(event_type)) => {
                let body = EventBody::decode(event_type, data.get().as_bytes());
                Content::Body(Box::new(body.map_err(|error| Failure::failed(&error))?))
            }
            (None, _, _) => Content::Unknown,
        };
        Ok(Told {
            position: self.position.clone(),
            content,
        })
    }
}

/// The history as a table.
pub(super) fn page(answer: &CommitmentAnswer) -> Result<String, Failure> {
    let events = answer.events.iter();
    let events: Result<Vec<Delivered<'_>>, _> = events
        .map(|event| serde_json::from_str(event.get()))
        .collect();
    let events = events.map_err(|error| Failure::failed(&error))?;
    let told: Result<Vec<Told>, Failure> = events.iter().map(Delivered::told).collect();
    let told = told?;
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
    let mut history = History::of(&told);
    for (event, told) in events.iter().zip(&told) {
        let sent = answer.partner_times.get(&event.position).cloned();
        let mut cells = vec![
            event.position.clone(),
            event.time.clone(),
            sent.unwrap_or_default(),
            event.effective.clone().unwrap_or_default(),
            event.name().to_owned(),
            event.party.clone(),
            event.partner.clone(),
        ];
        let mut lines = history.lines(told).into_iter();
        cells.extend(lines.next());
        table.row(cells);
        for line in lines {
            table.row([const { String::new() }; 7].into_iter().chain([line]));
        }
    }
    Ok(format!("{}\n{}", opening(answer, ""), table.render()))
}

/// What is known of a commitment while its history is read.
#[derive(Default)]
struct History {
    /// What was said later of the event at a position.
    later: BTreeMap<String, Vec<String>>,
    /// The terms in force, by their names.
    terms: BTreeMap<&'static str, String>,
    /// The word of the report or assessment at a position: its stage, completion or grade.
    words: BTreeMap<String, String>,
}

impl History {
    fn of(events: &[Told]) -> Self {
        let mut history = Self::default();
        for event in events {
            let Content::Body(body) = &event.content else {
                continue;
            };
            if let Some(Reference { at, done, .. }) = reference(body) {
                let outcome = outcome(body).map(|outcome| format!(", {outcome}"));
                let by = &event.position;
                // A place in that event's list, where one is named.
                let (event, which) = match at.split_once('.') {
                    Some((event, index)) => (event, format!("evidence {index} ")),
                    None => (at.as_str(), String::new()),
                };
                let said = history.later.entry(event.to_owned()).or_default();
                let outcome = outcome.unwrap_or_default();
                said.push(format!("{which}{done} at {by}{outcome}"));
            }
        }
        history
    }

    /// What there is to say of an event, a line each; and takes it in.
    fn lines(&mut self, event: &Told) -> Vec<String> {
        let mut lines = Vec::new();
        let mut word_of_event = None;
        match &event.content {
            Content::Withheld(ground) => return vec![format!("withheld: {ground}")],
            Content::Unknown => {}
            Content::Body(body) => {
                if matches!(&**body, EventBody::CommitmentRecorded(data) if data.illustrative) {
                    lines.push("[illustrative]".to_owned());
                }
                lines.extend(self.referred(body));
                lines.extend(self.change_terms(body));
                lines.extend(said(body));
                lines.extend(texts(body));
                word_of_event = word(body);
            }
        }
        // A line each: none is longer than a cell, so that no outcome is cut off.
        let later = self.later.get(&event.position).into_iter().flatten();
        lines.extend(later.map(|later| format!("later {later}")));
        if let Some(word) = word_of_event {
            self.words.insert(event.position.clone(), word);
        }
        lines
    }

    /// What the event does to another one; of a correction or a revision, from which word to which.
    fn referred(&self, body: &EventBody) -> Option<String> {
        let Reference { at, does, what, .. } = reference(body)?;
        let changed = match (self.words.get(&at), word(body)) {
            (Some(old), Some(new)) if *old != new => format!(": {old} → {new}"),
            (Some(_), Some(new)) => format!(": {new}, as before"),
            (_, _) => String::new(),
        };
        Some(format!("{does} the {what} at {at}{changed}"))
    }

    /// The terms that an event sets: as they are where it records the commitment, from what to what where it amends it.
    fn change_terms(&mut self, body: &EventBody) -> Vec<String> {
        let (terms, before) = if let EventBody::CommitmentRecorded(data) = body {
            (terms_recorded(data), None)
        } else if let EventBody::CommitmentAmended(data) = body {
            (terms_amended(data), Some(&data.before))
        } else {
            return Vec::new();
        };
        let stated = before.map(terms_before).unwrap_or_default();
        let mut lines = Vec::new();
        for (term, new) in terms {
            let known = self.terms.insert(term, new.clone());
            let stated = stated.iter().find(|(name, _)| *name == term);
            let old = stated.map(|(_, old)| old.clone()).or(known);
            let old = old.unwrap_or_else(|| "none".to_owned());
            // When it was made is its effective date, and most are held by one party.
            let unsaid = before.is_none() && matches!(term, "made" | "form" | "language");
            if unsaid || (before.is_some() && old == new) {
                continue;
            }
            lines.push(match (before.is_some(), term) {
                (true, "description") => "description: replaced".to_owned(),
                (true, _) => format!("{term}: {old} → {new}"),
                (false, "title") => new,
                (false, _) => format!("{term}: {new}"),
            });
        }
        if matches!(body, EventBody::CommitmentAmended(data) if data.weakened) {
            lines.push("weakened: it asks for less than before".to_owned());
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn event(position: u64, name: &str, data: &Value) -> Value {
        json!({"position": position.to_string(), "time": "t", "type": format!("ledger.{name}.v1"),
            "party": "KEN", "partner": "p", "data": data})
    }

    fn lines(events: &[Value]) -> Vec<Vec<String>> {
        let told = events.iter().map(|event| {
            let event = event.to_string();
            let event: Delivered<'_> = serde_json::from_str(&event).expect("an event");
            event.told().expect("its data")
        });
        let told: Vec<Told> = told.collect();
        let mut history = History::of(&told);
        told.iter().map(|event| history.lines(event)).collect()
    }

    fn digest(pair: &str) -> String {
        pair.repeat(32)
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
                &json!({"evidence": [{"url": "https://a.example/"}, {"sha256": digest("00"), "title": "T"}]}),
            ),
            event(
                8,
                "evidence_digested",
                &json!({"evidence": "7.0", "sha256": digest("11")}),
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
        let digested = format!("evidence {}", digest("11"));
        assert_eq!(lines[1], ["digests the evidence at 7.0", digested.as_str()]);
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
                &json!({"title": "Old", "lead": "KEN", "form": "individual", "actions": ["GCM-10"], "due": "2025",
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
                &json!({"assessment": "5", "kind": "progress", "reason": "New.", "completion": "no_evidence"}),
            ),
            event(
                7,
                "assessment_revised",
                &json!({"assessment": "6", "kind": "progress", "reason": "New.", "grade": "Unclear"}),
            ),
            json!({"position": "8", "time": "t", "type": "ledger.progress_reported.v1",
                "party": "KEN", "partner": "p", "withheld": "legal"}),
        ]);
        assert_eq!(
            lines[1],
            [
                "revises the assessment at 5: limited → no evidence",
                "completion: no evidence",
                "reason: New.",
                "later revised at 7"
            ]
        );
        assert_eq!(
            lines[2],
            [
                "revises the assessment at 6: no evidence → Unclear",
                "grade: Unclear",
                "completion: none, as none was given with the new grade",
                "reason: New."
            ]
        );
        assert_eq!(lines[3], ["withheld: legal"]);
    }
}
