//! The view of the whole ledger: counts and body.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::body::bounded;
use super::coverage::coverage;
use super::family_view::FamilyRef;
use super::reach::Reach;
use super::sign::Sign;
use super::tally::{self, Tally};
use crate::ids::CountryCode;
use crate::view::family::ViewFamily;
use crate::view::read_model::facts::{CommitmentFacts, PartState};
use crate::view::read_model::index::{InstrumentIndex, Keys, PartyIndex};
use crate::view::read_model::place::Place;
use crate::view::read_model::tables::{About, Tables};
use crate::wire::v1::view::{
    ActiveInLedger, Catalogue, CommittedCountries, LedgerEvents, LedgerParties, ParticipationRole,
    Participations, ParticipationsBeside, SummaryBody, ViewKind,
};
use crate::wire::v1::{Form, Nature, PartyKind};

/// The one key.
pub(crate) const SUMMARY: &str = "summary";
/// The word that stands where a commitment names nothing.
const NONE: &str = "none";
/// The most bytes that the table of instruments may take in a body.
const INSTRUMENTS_BYTES: usize = 24 * 1024;

/// The view of the whole ledger.
pub(crate) struct SummaryFamily;

/// The counts of the whole ledger.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct SummaryCounts {
    pub(crate) all: Tally,
    joint: u64,
    /// Those that stand and are examples.
    pub(crate) illustrative: u64,
    participations: ParticipationsBeside,
    /// Parties by the active commitments that they take part in beside the lead, by their own word.
    pub(crate) taking_part: FxHashMap<PartyIndex, u64>,
    by_form: FxHashMap<Form, u64>,
    by_nature: FxHashMap<Option<Nature>, u64>,
    pub(crate) by_country: FxHashMap<Place, u64>,
    by_instrument: FxHashMap<Option<InstrumentIndex>, u64>,
    pub(crate) reach: Reach,
}

impl ViewFamily for SummaryFamily {
    type Key = ();
    type Counts = SummaryCounts;
    type Body = SummaryBody;
    const ALL_EVENTS: bool = true;

    fn memberships(_: &Tables, _: &CommitmentFacts) -> Keys<()> {
        Keys::from_elem((), 1)
    }

    fn count_terms(
        counts: &mut SummaryCounts,
        (): (),
        tables: &Tables,
        facts: &CommitmentFacts,
        sign: Sign,
    ) {
        counts.count_terms(tables, facts, sign);
    }

    fn count_progress(
        counts: &mut SummaryCounts,
        (): (),
        _: &Tables,
        facts: &CommitmentFacts,
        sign: Sign,
    ) {
        counts.all.count_progress(facts, sign);
    }

    fn owns((): (), _: &Tables, _: &CommitmentFacts) -> bool {
        true
    }

    fn role((): (), _: &Tables, _: &CommitmentFacts) -> Option<(ParticipationRole, PartState)> {
        None
    }

    fn concerned(_: &Tables, _: &About) -> Keys<()> {
        Keys::from_elem((), 1)
    }

    fn echoes(_: &Tables, (): ()) -> Keys<()> {
        Keys::new()
    }

    fn standing(_: &Tables) -> Vec<()> {
        vec![()]
    }

    fn parse(_: &Tables, key: &str) -> Option<()> {
        (key == SUMMARY).then_some(())
    }

    fn text(_: &Tables, (): ()) -> String {
        SUMMARY.to_owned()
    }

    fn title(_: &Tables, (): ()) -> Option<String> {
        None
    }

    fn body(view: FamilyRef<'_, (), SummaryCounts>, (): ()) -> Option<SummaryBody> {
        Some(body(view))
    }
}

fn body(view: FamilyRef<'_, (), SummaryCounts>) -> SummaryBody {
    let (tables, counts) = (view.tables(), view.counts(()));
    let (commitments, active_commitments, apart) = tally::sum(tables, &[&counts.all]);
    let instruments = counts.by_instrument.iter().map(|(id, &count)| {
        (
            id.map_or(NONE, |id| tables.instrument_id(id)).to_owned(),
            count,
        )
    });
    let (by_instrument, instruments_left_out) =
        bounded(instruments, |&count| count, INSTRUMENTS_BYTES);
    let countries: FxHashSet<CountryCode> = counts
        .by_country
        .keys()
        .filter_map(|&place| place)
        .collect();
    let states = counts
        .all
        .leading
        .keys()
        .filter_map(|&party| tables.member_state(party));
    let (member_states, member_states_by_region) = coverage(states);
    SummaryBody {
        view: ViewKind::Summary,
        last: view.last_change(()).into(),
        events: LedgerEvents {
            recorded: tables.events(),
            by_type: tables
                .events_by_type()
                .map(|(name, count)| (name.to_owned(), count))
                .collect(),
        },
        commitments,
        active_commitments: ActiveInLedger {
            active: active_commitments,
            joint: counts.joint,
            by_form: counts
                .by_form
                .iter()
                .map(|(form, &count)| (form.as_str().to_owned(), count))
                .collect(),
            by_nature: counts
                .by_nature
                .iter()
                .map(|(nature, &count)| (nature.map_or(NONE, Nature::as_str).to_owned(), count))
                .collect(),
            by_region_of_lead: by_region_of_lead(counts),
            by_instrument,
            instruments_left_out,
        },
        apart,
        participations: Participations {
            lead: counts.all.active(),
            beside: counts.participations,
        },
        parties: parties(tables, counts),
        countries: CommittedCountries {
            committed: countries.len(),
        },
        member_states,
        member_states_by_region,
        catalogue: catalogue(tables, counts),
    }
}

/// The commitments that stand by the region of the country whose party leads them.
fn by_region_of_lead(counts: &SummaryCounts) -> BTreeMap<String, u64> {
    let mut regions: BTreeMap<String, u64> = BTreeMap::new();
    for (place, count) in &counts.by_country {
        let region = place
            .and_then(|code| code.country().region)
            .map_or(NONE, |region| region.name);
        *regions.entry(region.to_owned()).or_default() += count;
    }
    regions
}

fn catalogue(tables: &Tables, counts: &SummaryCounts) -> Catalogue {
    Catalogue {
        instruments: tables.instruments(),
        actions: tables.catalogued().count(),
        actions_without_commitment: tables
            .catalogued()
            .filter(|&action| !counts.reach.has(action))
            .count(),
    }
}

fn parties(tables: &Tables, counts: &SummaryCounts) -> LedgerParties {
    let mut body = LedgerParties {
        registered: 0,
        active: 0,
        leading: counts.all.leading.len(),
        registered_by_kind: BTreeMap::new(),
    };
    for (kind, active) in tables.registered() {
        body.registered += 1;
        body.active += u64::from(active);
        *body
            .registered_by_kind
            .entry(PartyKind::as_str(kind).to_owned())
            .or_default() += 1;
    }
    body
}

impl SummaryCounts {
    fn count_terms(&mut self, tables: &Tables, facts: &CommitmentFacts, sign: Sign) {
        self.all.count_terms(facts, sign);
        if !facts.is_active() {
            return;
        }
        sign.step_if(facts.is_joint(), &mut self.joint);
        for part in facts.participations() {
            tally::count_part(&mut self.participations, *part, sign);
            if part.state == PartState::Confirmed {
                sign.step_in(&mut self.taking_part, part.party);
            }
        }
        sign.step_if(facts.is_illustrative(), &mut self.illustrative);
        sign.step_in(&mut self.by_form, facts.form);
        sign.step_in(&mut self.by_nature, facts.nature);
        sign.step_in(&mut self.by_country, tables.country_of(facts.lead));
        for instrument in tables.instruments_of(facts.actions()) {
            sign.step_in(&mut self.by_instrument, instrument);
        }
        self.reach.count(tables, facts.lead, facts.actions(), sign);
    }
}
