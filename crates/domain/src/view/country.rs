//! How the views of countries count.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::body::{MomentBody, Stages, StampBody, bounded};
use super::facts::{CommitmentFacts, Flags, PartState};
use super::family::Seen;
use super::fold::{Keys, Sign, ViewFamily};
use super::list::ParticipationRole;
use super::tables::{About, ActionIndex, Statements, Tables};
use super::tally::{self, ActiveBody, ApartBody, Participations, RecordedBody, Tally};
use crate::country::{self, UnStatus};
use crate::ids::CountryCode;
use crate::wire::v1::PartyKind;

/// The key of what belongs to no country: the commitments of organizations.
const NO_COUNTRY: &str = "INT";
/// The kind of a party that was named and is not registered.
const UNREGISTERED: &str = "unregistered";
/// The most bytes that the table of actions may take in a body.
const ACTIONS_BYTES: usize = 48 * 1024;

/// A country's code; none for the view of what belongs to no country.
pub(crate) type Place = Option<CountryCode>;

/// The place that a key names.
pub(crate) fn place(key: &str) -> Option<Place> {
    if key == NO_COUNTRY {
        Some(None)
    } else {
        country::find(key).map(|country| Some(country.code))
    }
}

/// The views of countries.
pub(crate) struct CountryFamily;

/// What is counted of one country.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct CountryCounts {
    led: Tally,
    by_action: FxHashMap<ActionIndex, ActionLine>,
    participations: Participations,
}

/// Active commitments under one action: what their leads say, and how many somebody else assessed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
struct ActionLine {
    #[serde(flatten)]
    stages: Stages,
    assessed: u64,
    contested: u64,
}

#[derive(Serialize)]
struct Body<'a> {
    view: &'static str,
    country: &'a str,
    name: &'a str,
    region: Option<&'a str>,
    subregion: Option<&'a str>,
    un_status: &'static str,
    ldc: bool,
    lldc: bool,
    sids: bool,
    #[serde(flatten)]
    stamp: StampBody,
    commitments: RecordedBody,
    active_commitments: ActiveCountryBody<'a>,
    active_commitments_by_action: BTreeMap<&'a str, ActionLine>,
    actions_left_out: usize,
    #[serde(flatten)]
    apart: ApartBody,
    participations: ParticipationsBody,
    parties: PartiesBody,
    statements: StatementsBody,
}

/// A country's commitments are its State's and those of its other parties: which are whose is said beside their sum.
#[derive(Serialize)]
struct ActiveCountryBody<'a> {
    #[serde(flatten)]
    active: ActiveBody,
    by_party_kind: BTreeMap<&'a str, u64>,
}

#[derive(Serialize)]
struct ParticipationsBody {
    lead: u64,
    #[serde(flatten)]
    beside: Participations,
}

/// What the country's parties said in reviews.
#[derive(Serialize)]
struct StatementsBody {
    recorded: u64,
    last: Option<MomentBody>,
}

#[derive(Serialize)]
struct PartiesBody {
    registered: u64,
    active: u64,
    leading: usize,
}

impl ViewFamily for CountryFamily {
    type Key = Place;
    type Counts = CountryCounts;

    fn memberships(tables: &Tables, facts: &CommitmentFacts) -> Keys<Place> {
        let mut places = Keys::new();
        places.push(tables.country_of(facts.lead));
        for part in facts.participations() {
            let place = tables.country_of(part.party);
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places
    }

    fn count_terms(
        counts: &mut CountryCounts,
        place: Place,
        tables: &Tables,
        facts: &CommitmentFacts,
        sign: Sign,
    ) {
        if facts.is_active() {
            for part in facts
                .participations()
                .iter()
                .filter(|part| tables.country_of(part.party) == place)
            {
                counts.participations.count(*part, sign);
            }
        }
        if Self::owns(place, tables, facts) {
            counts.led.count_terms(facts, sign);
        }
    }

    fn count_progress(
        counts: &mut CountryCounts,
        place: Place,
        tables: &Tables,
        facts: &CommitmentFacts,
        sign: Sign,
    ) {
        if Self::owns(place, tables, facts) {
            counts.led.count_progress(facts, sign);
            counts.count_by_action(facts, sign);
        }
    }

    fn owns(place: Place, tables: &Tables, facts: &CommitmentFacts) -> bool {
        tables.country_of(facts.lead) == place
    }

    fn role(
        place: Place,
        tables: &Tables,
        facts: &CommitmentFacts,
    ) -> Option<(ParticipationRole, PartState)> {
        if Self::owns(place, tables, facts) {
            return Some((ParticipationRole::Lead, PartState::Confirmed));
        }
        let parts = facts
            .participations()
            .iter()
            .filter(|part| tables.country_of(part.party) == place);
        // A part that was left is shown only where the country has no other.
        parts
            .map(|part| (part.state == PartState::Left, part.role, part.state))
            .min()
            .map(|(_, role, state)| (role, state))
    }

    fn concerned(tables: &Tables, about: &About) -> Keys<Place> {
        match about {
            About::Party(party) | About::Statement(party) => {
                Keys::from_elem(tables.country_of(*party), 1)
            }
            About::Other
            | About::Recorded(_)
            | About::Reported
            | About::Commitment
            | About::Actions(_) => Keys::new(),
        }
    }

    fn echoes(_: &Tables, _: Place) -> Keys<Place> {
        Keys::new()
    }

    fn standing(_: &Tables) -> Vec<Place> {
        let codes = country::all().iter().map(|country| Some(country.code));
        codes.chain([None]).collect()
    }

    fn parse(_: &Tables, key: &str) -> Option<Place> {
        place(key)
    }

    fn text(_: &Tables, place: Place) -> String {
        place.map_or_else(|| NO_COUNTRY.to_owned(), |code| code.to_string())
    }

    fn title(_: &Tables, place: Place) -> Option<String> {
        place.map(|code| code.country().name.to_owned())
    }

    fn body(view: Seen<'_, Self>, place: Place) -> Option<Vec<u8>> {
        let (tables, counts) = (view.tables(), view.counts(place));
        let country = place.map(CountryCode::country);
        let by_action = counts
            .by_action
            .iter()
            .map(|(&action, &line)| (tables.action_code(action), line));
        let weight = |line: &ActionLine| line.stages.total();
        let (active_commitments_by_action, actions_left_out) =
            bounded(by_action, weight, ACTIONS_BYTES);
        let (commitments, active_commitments, apart) = tally::sum(tables, &[&counts.led]);
        let (registered, active) = tables.parties_in(place);
        let Statements { recorded, last } = tables.statements_in(place);
        let flag = |flag: fn(&country::Country) -> bool| country.is_some_and(flag);
        let body = Body {
            view: "country",
            country: country.map_or(NO_COUNTRY, |country| country.code.as_str()),
            name: country.map_or("International", |country| country.name),
            region: country
                .and_then(|country| country.region)
                .map(|region| region.name),
            subregion: country
                .and_then(|country| country.subregion)
                .map(|region| region.name),
            un_status: match country.map_or(UnStatus::None, |country| country.un_status) {
                UnStatus::Member => "member",
                UnStatus::Observer => "observer",
                UnStatus::None => "none",
            },
            ldc: flag(|country| country.ldc),
            lldc: flag(|country| country.lldc),
            sids: flag(|country| country.sids),
            stamp: view.stamp(place).into(),
            commitments,
            active_commitments: ActiveCountryBody {
                active: active_commitments,
                by_party_kind: by_party_kind(tables, &counts.led),
            },
            active_commitments_by_action,
            actions_left_out,
            apart,
            participations: ParticipationsBody {
                lead: counts.led.active(),
                beside: counts.participations,
            },
            parties: PartiesBody {
                registered,
                active,
                leading: counts.led.leading.len(),
            },
            statements: StatementsBody {
                recorded,
                last: last.map(MomentBody::from),
            },
        };
        serde_json::to_vec(&body).ok()
    }
}

/// The commitments that stand, by the kind of the party that leads them.
fn by_party_kind(tables: &Tables, led: &Tally) -> BTreeMap<&'static str, u64> {
    let mut kinds = BTreeMap::new();
    for (&lead, count) in &led.leading {
        let kind = tables
            .party_kind(lead)
            .map_or(UNREGISTERED, PartyKind::as_str);
        *kinds.entry(kind).or_default() += count;
    }
    kinds
}

impl CountryCounts {
    /// Counts a commitment that a party of the country leads under its actions.
    fn count_by_action(&mut self, facts: &CommitmentFacts, sign: Sign) {
        if !facts.is_active() {
            return;
        }
        for &action in facts.actions() {
            let line = self.by_action.entry(action).or_default();
            line.stages.count(facts.stage, sign);
            sign.step_if(facts.flags.has(Flags::ASSESSED), &mut line.assessed);
            sign.step_if(facts.flags.has(Flags::CONTESTED), &mut line.contested);
            if line.stages.total() == 0 {
                self.by_action.remove(&action);
            }
        }
    }
}
