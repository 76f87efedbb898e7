//! The counts as one would make them by hand: collect what became of each commitment, then filter the list for every figure.

mod gaps;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::model::Commitment;
use super::steps::PARTIES;
use super::{Views, body, number};
use crate::country;
use crate::ids::Subject;
use crate::wire::v1::*;

#[derive(Debug, Default)]
pub(super) struct Recount {
    commitments: Vec<Commitment>,
    /// Registered parties: kind, country, active.
    parties: BTreeMap<String, (PartyKind, Option<String>, bool)>,
    /// Catalogued actions: instrument and parent.
    actions: BTreeMap<String, (String, Option<String>)>,
    mappings: BTreeSet<(String, String)>,
    /// Who spoke in a review, at which position.
    statements: Vec<(String, String)>,
    events: u64,
}

impl Recount {
    pub(super) fn of(log: &[Event]) -> Self {
        let mut recount = Self {
            events: log.len() as u64,
            ..Self::default()
        };
        let mut commitments: Vec<(Subject, Commitment)> = Vec::new();
        for event in log {
            recount.take_reference(event);
            let known = commitments
                .iter_mut()
                .find(|(subject, _)| *subject == event.header.subject);
            match (known, &event.body) {
                (Some((_, commitment)), _) => commitment.events.push(event.clone()),
                (None, EventBody::CommitmentRecorded(recorded)) => {
                    let recorded = recorded.clone();
                    let events = Vec::new();
                    let commitment = Commitment { recorded, events };
                    commitments.push((event.header.subject.clone(), commitment));
                }
                (None, _) => {}
            }
        }
        recount.commitments = commitments
            .into_iter()
            .map(|(_, commitment)| commitment)
            .collect();
        recount
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the model reads what it needs"
    )]
    fn take_reference(&mut self, event: &Event) {
        let id = event.header.subject.to_string();
        let id = id.rsplit('/').next().unwrap().to_owned();
        match &event.body {
            EventBody::PartyRegistered(data) => {
                let country = data.country.map(|country| country.to_string());
                self.parties.insert(id, (data.kind, country, true));
            }
            EventBody::PartyStatusChanged(data) => {
                if let Some(party) = self.parties.get_mut(&id) {
                    party.2 = data.status == PartyStatus::Active;
                }
            }
            EventBody::ActionCatalogued(data) => {
                let parent = data.parent.as_ref().map(ToString::to_string);
                let code = data.code.to_string();
                self.actions.entry(code).or_insert((id, parent));
            }
            EventBody::StatementRecorded(data) => {
                let position = event.header.position.to_string();
                self.statements.push((data.speaker.to_string(), position));
            }
            EventBody::ActionsMapped(data) => {
                self.mappings.extend(
                    data.to
                        .iter()
                        .map(|to| (data.from.to_string(), to.to_string())),
                );
            }
            _ => {}
        }
    }

    fn country(&self, party: &str) -> Option<String> {
        self.parties
            .get(party)
            .and_then(|(_, country, _)| country.clone())
    }

    fn ancestry(&self, action: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::from([action.to_owned()]);
        let mut next = action.to_owned();
        while let Some(parent) = self
            .actions
            .get(&next)
            .and_then(|(_, parent)| parent.clone())
        {
            if !found.insert(parent.clone()) {
                break;
            }
            next = parent;
        }
        found
    }

    /// Whether the commitment names the action or one under it.
    fn within(&self, commitment: &Commitment, action: &str) -> bool {
        commitment
            .actions()
            .iter()
            .any(|named| self.ancestry(named).contains(action))
    }

    fn check_statements(&self, body: &Value, place: Option<&String>) {
        let is_of = |speaker: &String| {
            let party = self.parties.get(speaker);
            party.is_some_and(|(_, country, _)| country.as_ref() == place)
        };
        let said = self.statements.iter().filter(|(speaker, _)| is_of(speaker));
        let said: Vec<&String> = said.map(|(_, position)| position).collect();
        assert_eq!(number(body, "/statements/recorded"), said.len() as u64);
        let last = body.pointer("/statements/last/position");
        let last = last.and_then(Value::as_str);
        assert_eq!(last, said.last().map(|position| position.as_str()));
    }

    pub(super) fn check_countries(&self, view: &Views) {
        for key in view.keys() {
            let place = Some(key.clone()).filter(|key| key != "INT");
            let body = body(view, &key);
            let led: Vec<&Commitment> = self
                .commitments
                .iter()
                .filter(|c| self.country(&c.lead()) == place)
                .collect();
            check_tally(&body, "", &led);
            let parts = self.commitments.iter().filter(|c| c.stands());
            let parts = parts
                .flat_map(Commitment::parts)
                .filter(|(party, ..)| self.country(party) == place);
            check_participations(&body, "", &parts.collect::<Vec<_>>());
            let standing = led.iter().filter(|c| c.stands()).count() as u64;
            assert_eq!(number(&body, "/participations/lead"), standing);
            self.check_by_party_kind(&body, &led);
            let registered: Vec<_> = self
                .parties
                .values()
                .filter(|(_, country, _)| *country == place)
                .collect();
            assert_eq!(
                number(&body, "/parties/registered"),
                registered.len() as u64
            );
            assert_eq!(
                number(&body, "/parties/active"),
                registered.iter().filter(|(_, _, active)| *active).count() as u64
            );
            assert_eq!(number(&body, "/parties/leading"), leads(&led).len() as u64);
            self.check_statements(&body, place.as_ref());
            check_by_action(&body, &led);
            let taking_part = |c: &&Commitment| {
                self.country(&c.lead()) == place
                    || c.parts()
                        .iter()
                        .any(|(party, ..)| self.country(party) == place)
            };
            let listed = view
                .list(&key, &super::Page::default())
                .unwrap()
                .commitments;
            assert_eq!(listed, self.commitments.iter().filter(taking_part).count());
        }
    }

    fn check_by_party_kind(&self, body: &Value, led: &[&Commitment]) {
        let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
        for commitment in led.iter().filter(|c| c.stands()) {
            let party = self.parties.get(&commitment.lead());
            let kind = party.map_or("unregistered", |(kind, ..)| kind.as_str());
            *kinds.entry(kind).or_default() += 1;
        }
        let found = &body["active_commitments"]["by_party_kind"];
        assert_eq!(*found, json!(kinds), "{body}");
    }

    pub(super) fn check_actions(&self, view: &Views) {
        let catalogued: BTreeSet<String> = self.actions.keys().cloned().collect();
        assert!(catalogued.is_subset(&view.keys().into_iter().collect()));
        for key in view.keys() {
            let body = body(view, &key);
            let own: Vec<&Commitment> = self
                .commitments
                .iter()
                .filter(|c| c.actions().contains(&key))
                .collect();
            check_tally(&body, "", &own);
            check_all_participations(&body, "", &own);
            self.check_coverage(&body, "", &own);
            let within: Vec<&Commitment> = self
                .commitments
                .iter()
                .filter(|c| self.within(c, &key))
                .collect();
            let beneath: Vec<_> = self
                .actions
                .keys()
                .filter(|code| **code != key && self.ancestry(code).contains(&key))
                .collect();
            assert_eq!(
                body.get("rollup").is_some(),
                self.actions
                    .values()
                    .any(|(_, parent)| parent.as_ref() == Some(&key)),
                "{body}"
            );
            if body.get("rollup").is_some() {
                check_tally(&body, "/rollup", &within);
                check_all_participations(&body, "/rollup", &within);
                self.check_coverage(&body, "/rollup", &within);
                assert_eq!(number(&body, "/rollup/actions"), beneath.len() as u64);
                let without = |code: &&&String| {
                    !self
                        .commitments
                        .iter()
                        .any(|c| c.stands() && self.within(c, code))
                };
                assert_eq!(
                    number(&body, "/rollup/actions_without_commitment"),
                    beneath.iter().filter(without).count() as u64
                );
            }
            for (from, _) in self.mappings.iter().filter(|(_, to)| *to == key) {
                let mapped = self.commitments.iter().filter(|c| self.within(c, from));
                let active = mapped.clone().filter(|c| c.stands()).count();
                assert_eq!(
                    body["mapped_from_commitments"][from],
                    json!({"recorded": mapped.count(), "active": active}),
                    "{key} from {from}"
                );
            }
            let has_rollup = body.get("rollup").is_some();
            let here = |to: &String| self.ancestry(to).contains(&key);
            for (from, to) in self.mappings.iter().filter(|_| has_rollup) {
                let found = &body["rollup"]["mapped_from_commitments"][from];
                if here(to) {
                    let mapped = self.commitments.iter().filter(|c| self.within(c, from));
                    let recorded = mapped.count() as u64;
                    assert_eq!(found["recorded"], recorded, "{key} from {from}");
                }
            }
            assert_eq!(
                view.list(&key, &super::Page::default())
                    .unwrap()
                    .commitments,
                within.len()
            );
        }
    }

    /// Compares the rows of the list, which are in recorded order.
    fn check_rows(&self, view: &Views) {
        let rows = view.list("summary", &super::Page::default()).unwrap().rows;
        assert_eq!(rows.len(), self.commitments.len());
        for (row, commitment) in rows.iter().zip(&self.commitments) {
            assert_eq!(row.lead, commitment.lead());
            assert_eq!(row.status, commitment.status());
            assert_eq!(row.stage, commitment.stage());
            assert_eq!(row.last_report.is_some(), commitment.is_reported());
            let until = commitment.reported_until().map(|day| day.to_string());
            assert_eq!(row.reported_until, until, "{row:?}");
            for (found, holds) in [
                (row.measurable, Commitment::is_measurable as Holds),
                (row.evidence, Commitment::has_evidence),
                (
                    row.evidence_undigested,
                    Commitment::has_undigested_evidence_only,
                ),
                (
                    row.evidence_unavailable,
                    Commitment::is_evidence_unavailable,
                ),
                (row.weakened, Commitment::is_weakened),
                (row.contested, Commitment::is_contested),
                (row.contest_upheld, Commitment::is_contest_upheld),
                (row.validated, Commitment::is_validated),
                (row.returned, Commitment::is_returned),
                (row.self_declared, Commitment::is_self_declared),
                (row.ground_taken_back, Commitment::is_ground_taken_back),
                (
                    row.assessed_below_report,
                    Commitment::is_assessed_below_report,
                ),
                (row.downgraded, Commitment::is_downgraded),
            ] {
                assert_eq!(found, holds(commitment), "{row:?}");
            }
            let progress = row.assessments.iter().filter(|it| it.kind == "progress");
            let found: BTreeSet<_> = progress
                .map(|it| {
                    let method = format!("{} {}", it.method, it.method_version);
                    (it.assessor.clone(), method, it.completion.clone())
                })
                .collect();
            assert_eq!(found, commitment.newest_assessments(), "{row:?}");
        }
    }

    fn check_coverage(&self, body: &Value, under: &str, commitments: &[&Commitment]) {
        let leads = leads(commitments);
        assert_eq!(
            number(body, &format!("{under}/parties/committed")),
            leads.len() as u64
        );
        let countries: BTreeSet<String> =
            leads.iter().filter_map(|lead| self.country(lead)).collect();
        assert_eq!(
            number(body, &format!("{under}/countries/committed")),
            countries.len() as u64
        );
        let is_state = |lead: &&String| {
            self.parties
                .get(lead.as_str())
                .is_some_and(|party| party.0 == PartyKind::MemberState)
        };
        let states: Vec<_> = leads.iter().filter(is_state).collect();
        assert_eq!(
            number(body, &format!("{under}/member_states/committed")),
            states.len() as u64
        );
        assert_eq!(number(body, &format!("{under}/member_states/of")), 193);
        for (region, of) in [
            ("Africa", 54),
            ("Americas", 35),
            ("Asia", 47),
            ("Europe", 43),
            ("Oceania", 14),
        ] {
            let inside = |state: &&&String| {
                country::find(state.as_str()).unwrap().region.unwrap().name == region
            };
            let committed = states.iter().filter(inside).count() as u64;
            assert_eq!(
                number(
                    body,
                    &format!("{under}/member_states_by_region/{region}/committed")
                ),
                committed
            );
            assert_eq!(
                number(
                    body,
                    &format!("{under}/member_states_by_region/{region}/of")
                ),
                of
            );
        }
    }

    pub(super) fn check_summary(&self, view: &Views) {
        let body = body(view, "summary");
        let all: Vec<&Commitment> = self.commitments.iter().collect();
        let active: Vec<&Commitment> = self.commitments.iter().filter(|c| c.stands()).collect();
        check_tally(&body, "", &all);
        assert_eq!(number(&body, "/events/recorded"), self.events);
        check_all_participations(&body, "", &all);
        self.check_rows(view);
        let stays = |c: &&&Commitment| c.parts().iter().any(|part| part.2 != "left");
        let joint = active.iter().filter(stays).count() as u64;
        assert_eq!(number(&body, "/active_commitments/joint"), joint);
        for form in Form::ALL {
            let count = active.iter().filter(|c| c.recorded.form == *form).count() as u64;
            assert_eq!(
                body["active_commitments"]["by_form"]
                    .get(form.as_str())
                    .map_or(0, |n| n.as_u64().unwrap()),
                count
            );
        }
        for instrument in ["GCM-2018", "SDG-10.7", "UPR"] {
            let of = |action: &String| {
                self.actions
                    .get(action)
                    .is_some_and(|(of, _)| of == instrument)
            };
            let count = active.iter().filter(|c| c.actions().iter().any(of)).count() as u64;
            assert_eq!(
                body["active_commitments"]["by_instrument"]
                    .get(instrument)
                    .map_or(0, |n| n.as_u64().unwrap()),
                count
            );
        }
        assert_eq!(
            number(&body, "/parties/registered"),
            self.parties.len() as u64
        );
        assert_eq!(
            number(&body, "/parties/leading"),
            leads(&active).len() as u64
        );
        for (_, kind, _) in PARTIES {
            let count = self
                .parties
                .values()
                .filter(|party| party.0 == kind)
                .count() as u64;
            assert_eq!(
                body["parties"]["registered_by_kind"]
                    .get(kind.as_str())
                    .map_or(0, |n| n.as_u64().unwrap()),
                count
            );
        }
        assert_eq!(
            number(&body, "/catalogue/actions"),
            self.actions.len() as u64
        );
        let gaps = self
            .actions
            .keys()
            .filter(|action| !active.iter().any(|c| self.within(c, action)))
            .count() as u64;
        assert_eq!(number(&body, "/catalogue/actions_without_commitment"), gaps);
    }
}

/// Compares a country's table of actions, which has a line for each action with an active commitment and no other.
fn check_by_action(body: &Value, led: &[&Commitment]) {
    let mut by_action: BTreeMap<(String, &str), u64> = BTreeMap::new();
    let mut actions = BTreeSet::new();
    for commitment in led.iter().filter(|c| c.stands()) {
        let mut words = vec![commitment.stage()];
        words.extend(commitment.is_assessed().then_some("assessed"));
        words.extend(commitment.is_contested().then_some("contested"));
        for action in commitment.actions() {
            for word in &words {
                *by_action.entry((action.clone(), word)).or_default() += 1;
            }
            actions.insert(action);
        }
    }
    let table = body["active_commitments_by_action"].as_object().unwrap();
    assert_eq!(table.keys().cloned().collect::<BTreeSet<_>>(), actions);
    for action in actions {
        for word in STAGES.into_iter().chain(["assessed", "contested"]) {
            let expected = by_action.get(&(action.clone(), word)).copied();
            assert_eq!(
                table[&action][word],
                expected.unwrap_or(0),
                "{action} {word}"
            );
        }
    }
}

fn leads(commitments: &[&Commitment]) -> BTreeSet<String> {
    commitments
        .iter()
        .filter(|c| c.stands())
        .map(|c| c.lead())
        .collect()
}

/// Compares participations that are not the lead's.
fn check_participations(
    body: &Value,
    under: &str,
    parts: &[(String, ParticipantRole, &'static str)],
) {
    for role in ParticipantRole::ALL {
        for state in ["claimed", "confirmed", "left"] {
            let these =
                |part: &&(String, ParticipantRole, &str)| part.1 == *role && part.2 == state;
            assert_eq!(
                number(body, &format!("{under}/participations/{role}/{state}")),
                parts.iter().filter(these).count() as u64,
                "{role} {state} of {body}"
            );
        }
    }
}

/// Compares the participations in some commitments, whoever takes part.
fn check_all_participations(body: &Value, under: &str, commitments: &[&Commitment]) {
    let active = commitments.iter().filter(|c| c.stands());
    let lead = number(body, &format!("{under}/participations/lead"));
    assert_eq!(lead, active.clone().count() as u64);
    let parts: Vec<_> = active.flat_map(|c| c.parts()).collect();
    check_participations(body, under, &parts);
}

/// Compares what every view counts of its commitments.
fn check_tally(body: &Value, under: &str, commitments: &[&Commitment]) {
    let check = |pointer: &str, expected: u64| {
        let found = number(body, &format!("{under}/{pointer}"));
        assert_eq!(found, expected, "{under}/{pointer} of {body}");
    };
    let total = commitments.len() as u64;
    check("commitments/recorded", total);
    let mut by_status = 0;
    for status in STATUSES {
        let count = commitments.iter().filter(|c| c.status() == status).count() as u64;
        check(&format!("commitments/{status}"), count);
        by_status += count;
    }
    assert_eq!(by_status, total, "every commitment has one status");
    let illustrative = commitments
        .iter()
        .filter(|c| c.recorded.illustrative)
        .count();
    check("commitments/illustrative", illustrative as u64);
    let active: Vec<_> = commitments.iter().filter(|c| c.stands()).collect();
    let closed: Vec<_> = commitments.iter().filter(|c| c.is_closed()).collect();
    for (pointer, holds) in FIGURES {
        let among = if pointer.starts_with("closed") {
            &closed
        } else {
            &active
        };
        check(pointer, among.iter().filter(|c| holds(c)).count() as u64);
    }
    for stage in STAGES {
        let expected = active.iter().filter(|c| c.stage() == stage).count() as u64;
        check(&format!("active_commitments/by_stage/{stage}"), expected);
    }
    let milestones: Vec<(u64, u64)> = active.iter().map(|c| c.milestones()).collect();
    check("milestones/named", milestones.iter().map(|it| it.0).sum());
    check("milestones/reached", milestones.iter().map(|it| it.1).sum());
    check_methods(body, under, active.into_iter().chain(closed).copied());
}

/// Compares the table of methods, which has a line for each method that was used and no other.
fn check_methods<'a>(body: &Value, under: &str, commitments: impl Iterator<Item = &'a Commitment>) {
    let mut expected: BTreeMap<String, BTreeMap<&str, u64>> = BTreeMap::new();
    for (method, word) in commitments.flat_map(Commitment::completions) {
        let line = expected.entry(method).or_insert_with(|| {
            let words = Completion::ALL.iter().map(|it| it.as_str());
            words.chain(["other"]).map(|word| (word, 0)).collect()
        });
        *line.entry(word).or_default() += 1;
    }
    let found = body.pointer(&format!("{under}/assessed_commitments_by_method"));
    assert_eq!(found, Some(&json!(expected)), "{body}");
}

const STAGES: [&str; 5] = [
    "none_reported",
    "planning",
    "in_progress",
    "fulfilled",
    "stalled",
];

const STATUSES: [&str; 8] = [
    "active",
    "suspended",
    "withdrawn",
    "superseded",
    "closed_fulfilled",
    "closed_partly_fulfilled",
    "closed_not_fulfilled",
    "lapsed",
];

pub(super) type Holds = fn(&Commitment) -> bool;

/// Where a body says how many of the active, or of the closed commitments have something.
pub(super) const FIGURES: [(&str, Holds); 26] = [
    ("active_commitments/total", Commitment::stands),
    ("active_commitments/measurable", Commitment::is_measurable),
    ("active_commitments/not_measurable", |c| !c.is_measurable()),
    (
        "active_commitments/with_evidence",
        Commitment::has_digested_evidence,
    ),
    (
        "active_commitments/with_undigested_evidence",
        Commitment::has_undigested_evidence_only,
    ),
    ("active_commitments/no_evidence", |c| !c.has_evidence()),
    (
        "active_commitments/evidence_unavailable",
        Commitment::is_evidence_unavailable,
    ),
    ("active_commitments/weakened", Commitment::is_weakened),
    ("active_commitments/contested", Commitment::is_contested),
    (
        "active_commitments/contest_upheld",
        Commitment::is_contest_upheld,
    ),
    ("active_commitments/validated", Commitment::is_validated),
    ("active_commitments/returned", Commitment::is_returned),
    ("active_commitments/assessed", Commitment::is_assessed),
    (
        "active_commitments/assessed_below_report",
        Commitment::is_assessed_below_report,
    ),
    ("active_commitments/downgraded", Commitment::is_downgraded),
    (
        "active_commitments/fulfilled_unassessed",
        Commitment::is_fulfilled_unassessed,
    ),
    ("active_commitments/unconfirmed", |c| {
        c.parts().iter().any(|part| part.2 == "claimed")
    }),
    (
        "closed_commitments/self_declared",
        Commitment::is_self_declared,
    ),
    (
        "closed_commitments/with_undigested_evidence",
        Commitment::has_undigested_evidence_only,
    ),
    (
        "closed_commitments/ground_taken_back",
        Commitment::is_ground_taken_back,
    ),
    ("closed_commitments/no_evidence", |c| !c.has_evidence()),
    ("closed_commitments/contested", Commitment::is_contested),
    (
        "closed_commitments/contest_upheld",
        Commitment::is_contest_upheld,
    ),
    ("closed_commitments/assessed", Commitment::is_assessed),
    (
        "closed_commitments/assessed_below_report",
        Commitment::is_assessed_below_report,
    ),
    ("closed_commitments/downgraded", Commitment::is_downgraded),
];
