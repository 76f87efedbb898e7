//! The counts as one would make them by hand: collect what became of each commitment, then filter the list for every figure.

mod gaps;

use std::collections::{BTreeMap, BTreeSet};

use super::events::PARTIES;
use super::{ActionView, CountryView, Projection, SummaryView, body, number};
use crate::country;
use crate::ids::Subject;
use crate::wire::v1::*;

#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "the plainest model there is")]
struct Commitment {
    lead: String,
    actions: Vec<String>,
    parts: Vec<(String, ParticipantRole)>,
    reports: Vec<(String, ProgressReported)>,
    baseline: bool,
    target: bool,
    due: bool,
    weakened: bool,
    withdrawn: bool,
    illustrative: bool,
    form: Form,
}

#[derive(Debug, Default)]
pub(super) struct Recount {
    commitments: Vec<Commitment>,
    /// Registered parties: kind, country, active.
    parties: BTreeMap<String, (PartyKind, Option<String>, bool)>,
    /// Catalogued actions: instrument and parent.
    actions: BTreeMap<String, (String, Option<String>)>,
    mappings: BTreeSet<(String, String)>,
    events: u64,
}

impl Commitment {
    /// The newest report of each reporter and period.
    fn standing(&self) -> Vec<&(String, ProgressReported)> {
        let later = |at: usize, of: &(String, ProgressReported)| {
            self.reports[at + 1..]
                .iter()
                .any(|(who, report)| *who == of.0 && report.period == of.1.period)
        };
        self.reports
            .iter()
            .enumerate()
            .filter(|(at, report)| !later(*at, report))
            .map(|(_, report)| report)
            .collect()
    }

    /// The lead's own word on the latest period; of several on it, the last.
    fn stage(&self) -> &'static str {
        let own = self.reports.iter().filter(|(who, _)| *who == self.lead);
        own.max_by_key(|(_, report)| report.period.to.last_day())
            .map_or("none_reported", |(_, report)| report.stage.as_str())
    }

    fn has_evidence(&self) -> bool {
        self.standing()
            .iter()
            .any(|(_, report)| !report.evidence.is_empty())
    }

    fn is_measurable(&self) -> bool {
        self.baseline && self.target && self.due
    }
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
            if let EventBody::CommitmentRecorded(data) = &event.body {
                if !commitments
                    .iter()
                    .any(|(subject, _)| *subject == event.header.subject)
                {
                    commitments.push((event.header.subject.clone(), recorded(data)));
                }
            } else if let Some((_, commitment)) = commitments
                .iter_mut()
                .find(|(subject, _)| *subject == event.header.subject)
            {
                change(commitment, event);
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
                self.actions.insert(data.code.to_string(), (id, parent));
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
            .actions
            .iter()
            .any(|named| self.ancestry(named).contains(action))
    }

    pub(super) fn check_countries(&self, view: &CountryView) {
        for key in view.keys() {
            let place = Some(key.clone()).filter(|key| key != "INT");
            let body = body(view, &key);
            let led: Vec<&Commitment> = self
                .commitments
                .iter()
                .filter(|c| self.country(&c.lead) == place)
                .collect();
            check_tally(&body, "", &led);
            let active: Vec<_> = self.commitments.iter().filter(|c| !c.withdrawn).collect();
            for (role, word) in [
                (ParticipantRole::Partner, "partner"),
                (ParticipantRole::Supporter, "supporter"),
            ] {
                let parts = active
                    .iter()
                    .flat_map(|c| &c.parts)
                    .filter(|(party, part)| *part == role && self.country(party) == place);
                assert_eq!(
                    number(&body, &format!("/participations/{word}/claimed")),
                    parts.count() as u64
                );
            }
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
            check_by_action(&body, &led);
            let taking_part = |c: &&Commitment| {
                self.country(&c.lead) == place
                    || c.parts
                        .iter()
                        .any(|(party, _)| self.country(party) == place)
            };
            let listed = view
                .list(&key, &super::Page::default())
                .unwrap()
                .commitments;
            assert_eq!(listed, self.commitments.iter().filter(taking_part).count());
        }
    }

    pub(super) fn check_actions(&self, view: &ActionView) {
        let catalogued: BTreeSet<String> = self.actions.keys().cloned().collect();
        assert!(catalogued.is_subset(&view.keys().into_iter().collect()));
        for key in view.keys() {
            let body = body(view, &key);
            let own: Vec<&Commitment> = self
                .commitments
                .iter()
                .filter(|c| c.actions.contains(&key))
                .collect();
            check_tally(&body, "", &own);
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
                self.check_coverage(&body, "/rollup", &within);
                assert_eq!(number(&body, "/rollup/actions"), beneath.len() as u64);
                let without = |code: &&&String| {
                    !self
                        .commitments
                        .iter()
                        .any(|c| !c.withdrawn && self.within(c, code))
                };
                assert_eq!(
                    number(&body, "/rollup/actions_without_commitment"),
                    beneath.iter().filter(without).count() as u64
                );
            }
            for (from, _) in self.mappings.iter().filter(|(_, to)| *to == key) {
                let mapped = self
                    .commitments
                    .iter()
                    .filter(|c| self.within(c, from))
                    .count();
                assert_eq!(
                    body["mapped_from_commitments"][from], mapped,
                    "{key} from {from}"
                );
            }
            assert_eq!(
                view.list(&key, &super::Page::default())
                    .unwrap()
                    .commitments,
                within.len()
            );
        }
    }

    fn check_coverage(&self, body: &serde_json::Value, under: &str, commitments: &[&Commitment]) {
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

    pub(super) fn check_summary(&self, view: &SummaryView) {
        let body = body(view, "summary");
        let all: Vec<&Commitment> = self.commitments.iter().collect();
        let active: Vec<&Commitment> = self.commitments.iter().filter(|c| !c.withdrawn).collect();
        check_tally(&body, "", &all);
        assert_eq!(number(&body, "/events/recorded"), self.events);
        let parts = active.iter().map(|c| c.parts.len() as u64).sum::<u64>();
        assert_eq!(number(&body, "/participations/partner_or_supporter"), parts);
        let joint = active.iter().filter(|c| !c.parts.is_empty()).count() as u64;
        assert_eq!(number(&body, "/active_commitments/joint"), joint);
        for form in Form::ALL {
            let count = active.iter().filter(|c| c.form == *form).count() as u64;
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
            let count = active.iter().filter(|c| c.actions.iter().any(of)).count() as u64;
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
fn check_by_action(body: &serde_json::Value, led: &[&Commitment]) {
    let mut by_action: BTreeMap<(String, &str), u64> = BTreeMap::new();
    for commitment in led.iter().filter(|c| !c.withdrawn) {
        for action in &commitment.actions {
            *by_action
                .entry((action.clone(), commitment.stage()))
                .or_default() += 1;
        }
    }
    for ((action, stage), count) in &by_action {
        assert_eq!(
            body["active_commitments_by_action"][action][stage], *count,
            "{action} {stage}"
        );
    }
    let actions: BTreeSet<&String> = by_action.keys().map(|(action, _)| action).collect();
    assert_eq!(
        body["active_commitments_by_action"]
            .as_object()
            .unwrap()
            .keys()
            .collect::<BTreeSet<_>>(),
        actions
    );
}

fn leads(commitments: &[&Commitment]) -> BTreeSet<String> {
    commitments
        .iter()
        .filter(|c| !c.withdrawn)
        .map(|c| c.lead.clone())
        .collect()
}

/// Compares what every view counts of its commitments.
fn check_tally(body: &serde_json::Value, under: &str, commitments: &[&Commitment]) {
    let active: Vec<_> = commitments.iter().filter(|c| !c.withdrawn).collect();
    let count = |holds: fn(&Commitment) -> bool| active.iter().filter(|c| holds(c)).count() as u64;
    for (pointer, expected) in [
        ("commitments/recorded", commitments.len() as u64),
        ("commitments/active", active.len() as u64),
        (
            "commitments/withdrawn",
            commitments.iter().filter(|c| c.withdrawn).count() as u64,
        ),
        (
            "commitments/illustrative",
            commitments.iter().filter(|c| c.illustrative).count() as u64,
        ),
        (
            "active_commitments/measurable",
            count(Commitment::is_measurable),
        ),
        (
            "active_commitments/not_measurable",
            count(|c| !c.is_measurable()),
        ),
        (
            "active_commitments/with_evidence",
            count(Commitment::has_evidence),
        ),
        ("active_commitments/weakened", count(|c| c.weakened)),
    ] {
        assert_eq!(
            number(body, &format!("{under}/{pointer}")),
            expected,
            "{under}/{pointer} of {body}"
        );
    }
    for stage in [
        "none_reported",
        "planning",
        "in_progress",
        "fulfilled",
        "stalled",
    ] {
        let expected = active.iter().filter(|c| c.stage() == stage).count() as u64;
        assert_eq!(
            number(
                body,
                &format!("{under}/active_commitments/by_stage/{stage}")
            ),
            expected,
            "{stage} of {body}"
        );
    }
}

fn recorded(data: &CommitmentRecorded) -> Commitment {
    let mut actions: Vec<String> = data.actions.iter().map(ToString::to_string).collect();
    actions.sort();
    actions.dedup();
    Commitment {
        lead: data.lead.to_string(),
        actions,
        parts: data
            .participants
            .iter()
            .map(|part| (part.party.to_string(), part.role))
            .collect(),
        reports: Vec::new(),
        baseline: data
            .measure
            .as_ref()
            .is_some_and(|measure| measure.baseline.is_some()),
        target: data
            .measure
            .as_ref()
            .is_some_and(|measure| measure.target.is_some()),
        due: data.due.is_some(),
        weakened: false,
        withdrawn: false,
        illustrative: data.illustrative,
        form: data.form,
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the model reads what it needs"
)]
fn change(commitment: &mut Commitment, event: &Event) {
    let reporter = event.header.party.to_string();
    match &event.body {
        EventBody::ProgressReported(data) => commitment.reports.push((reporter, data.clone())),
        EventBody::ReportCorrected(data) => {
            commitment.reports.push((reporter, data.report.clone()));
        }
        EventBody::CommitmentAmended(data) => {
            if let Some(actions) = &data.actions {
                commitment.actions = actions.iter().map(ToString::to_string).collect();
                commitment.actions.sort();
                commitment.actions.dedup();
            }
            commitment.target |= data
                .measure
                .as_ref()
                .is_some_and(|measure| measure.target.is_some());
            commitment.due |= data.due.is_some();
            commitment.weakened |= data.weakened;
        }
        EventBody::CommitmentWithdrawn(_) => commitment.withdrawn = true,
        _ => {}
    }
}
