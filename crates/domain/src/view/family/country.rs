//! The views of countries: counts and bodies.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::body::bounded;
use super::family_view::FamilyRef;
use super::sign::Sign;
use super::tally::{self, Tally};
use crate::country::NO_COUNTRY;
use crate::country::{self, UnStatus};
use crate::ids::CountryCode;
use crate::view::family::ViewFamily;
use crate::view::read_model::facts::{CommitmentFacts, Flags, PartState};
use crate::view::read_model::index::{ActionIndex, Keys};
use crate::view::read_model::place::{Place, place};
use crate::view::read_model::tables::{About, PartyEntry, Statements, Tables};
use crate::wire::v1::PartyKind;
use crate::wire::v1::view::{
    ActionStages, ActiveInCountry, CountryBody, CountryParties, CountryStatements,
    ParticipationRole, Participations, ParticipationsBeside, RecordedAt, RegisteredParty, ViewKind,
};

/// The kind of a party that was named and is not registered.
const UNREGISTERED: &str = "unregistered";
/// The most bytes that the table of actions may take in a body.
const ACTIONS_BYTES: usize = 36 * 1024;
/// The most parties that a body names, and the most bytes that they may take in it.
const MAX_PARTIES: usize = 200;
const PARTIES_BYTES: usize = 16 * 1024;

/// The views of countries.
pub(crate) struct CountryFamily;

/// The counts of one country.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct CountryCounts {
    led: Tally,
    by_action: FxHashMap<ActionIndex, ActionStages>,
    participations: ParticipationsBeside,
}

impl ViewFamily for CountryFamily {
    type Key = Place;
    type Counts = CountryCounts;
    type Body = CountryBody;

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
                tally::count_part(&mut counts.participations, *part, sign);
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

    fn body(view: FamilyRef<'_, Place, CountryCounts>, place: Place) -> Option<CountryBody> {
        let (tables, counts) = (view.tables(), view.counts(place));
        let country = place.map(CountryCode::country);
        let by_action = counts
            .by_action
            .iter()
            .map(|(&action, &line)| (tables.action_code(action).to_owned(), line));
        let weight = |line: &ActionStages| line.stages.total();
        let (active_commitments_by_action, actions_left_out) =
            bounded(by_action, weight, ACTIONS_BYTES);
        let (commitments, active_commitments, apart) = tally::sum(tables, &[&counts.led]);
        let parties = tables.registered_in(place);
        let registered_parties = registered_parties(&parties);
        let Statements { recorded, last } = tables.statements_in(place);
        let flag = |flag: fn(&country::Country) -> bool| country.is_some_and(flag);
        Some(CountryBody {
            view: ViewKind::Country,
            country: Self::text(tables, place),
            name: country
                .map_or("International", |country| country.name)
                .to_owned(),
            region: country
                .and_then(|country| country.region)
                .map(|region| region.name.to_owned()),
            subregion: country
                .and_then(|country| country.subregion)
                .map(|region| region.name.to_owned()),
            un_status: match country.map_or(UnStatus::None, |country| country.un_status) {
                UnStatus::Member => "member",
                UnStatus::Observer => "observer",
                UnStatus::None => "none",
            }
            .to_owned(),
            ldc: flag(|country| country.ldc),
            lldc: flag(|country| country.lldc),
            sids: flag(|country| country.sids),
            last: view.last_change(place).into(),
            commitments,
            active_commitments: ActiveInCountry {
                active: active_commitments,
                by_party_kind: by_party_kind(tables, &counts.led),
            },
            active_commitments_by_action,
            actions_left_out,
            apart,
            participations: Participations {
                lead: counts.led.active(),
                beside: counts.participations,
            },
            parties: CountryParties {
                registered: count(parties.iter()),
                active: count(parties.iter().filter(|(party, _)| party.active)),
                leading: counts.led.leading.len(),
            },
            statements: CountryStatements {
                recorded,
                last: last.map(RecordedAt::from),
            },
            registered_parties_omitted: parties.len() - registered_parties.len(),
            registered_parties,
        })
    }
}

fn count(parties: impl Iterator) -> u64 {
    parties.fold(0, |count, _| count + 1)
}

/// The first of some parties, as many as a body has room for.
fn registered_parties(parties: &[(&PartyEntry, PartyKind)]) -> Vec<RegisteredParty> {
    let mut room = PARTIES_BYTES;
    let shown = parties.iter().take(MAX_PARTIES).map(|(party, kind)| {
        let former_names = party.former_names.iter();
        RegisteredParty {
            id: party.id.to_string(),
            name: party.name.clone(),
            former_names: former_names
                .filter(|name| **name != party.name)
                .cloned()
                .collect(),
            kind: *kind,
            active: party.active,
        }
    });
    let fitting = shown.map_while(|party| {
        // With the comma after it.
        let bytes = serde_json::to_vec(&party).map_or(0, |it| it.len() + 1);
        room = room.checked_sub(bytes)?;
        Some(party)
    });
    fitting.collect()
}

/// The commitments that stand, by the kind of the party that leads them.
fn by_party_kind(tables: &Tables, led: &Tally) -> BTreeMap<String, u64> {
    let mut kinds = BTreeMap::new();
    for (&lead, count) in &led.leading {
        let kind = tables
            .party_kind(lead)
            .map_or(UNREGISTERED, PartyKind::as_str);
        *kinds.entry(kind.to_owned()).or_default() += count;
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
            sign.step(line.stages.of(facts.stage));
            sign.step_if(facts.flags.has(Flags::ASSESSED), &mut line.assessed);
            sign.step_if(facts.flags.has(Flags::CONTESTED), &mut line.contested);
            if line.stages.total() == 0 {
                self.by_action.remove(&action);
            }
        }
    }
}
