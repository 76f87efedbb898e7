//! The gaps: actions that nobody has committed to, in the whole ledger and by region, and countries without a commitment.
//!
//! A gap is not a breach: it shows where nothing was recorded. Only commitments that stand count; an objective has a commitment when an
//! action under it has one; a region's commitments are those that a party of its countries leads, be that a State, a city or another.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use crate::country::{self, Country};
use crate::ids::CountryCode;
use crate::view::family::body::bounded;
use crate::view::family::reach::{REGIONS, Reach, region_name};
use crate::view::family::summary::SummaryCounts;
use crate::view::read_model::event_time::EventTime;
use crate::view::read_model::index::{ActionIndex, PartyIndex};
use crate::view::read_model::tables::Tables;
use crate::wire::v1::view::{
    GapsBody, GapsCommitments, MemberStates, RecordedAt, RegionGaps, UncommittedActions, ViewKind,
};

/// The most bytes that one list of codes may take. Six of them, the instruments in as many, and the member States leave room in a body of 64 KiB.
const MAX_LIST_BYTES: usize = 8 * 1024;

/// The relation of a member State to commitments that stand.
#[derive(Clone, Copy)]
enum Stand {
    Committed,
    ParticipantOnly,
    OtherPartiesOnly,
    WithoutCommitment,
}

/// The countries that have to do with a commitment that stands: as States that lead one, or that take part in one; or because any party of theirs leads
/// one.
struct Countries {
    leading: BTreeSet<CountryCode>,
    taking_part: BTreeSet<CountryCode>,
    with_any: BTreeSet<CountryCode>,
}

impl Countries {
    fn of(tables: &Tables, counts: &SummaryCounts) -> Self {
        let states = |parties: &FxHashMap<PartyIndex, u64>| {
            let states = parties
                .keys()
                .filter_map(|&party| tables.member_state(party));
            states.collect()
        };
        Self {
            leading: states(&counts.all.leading),
            taking_part: states(&counts.taking_part),
            with_any: counts.by_country.keys().filter_map(|&it| it).collect(),
        }
    }

    fn stand_of(&self, country: &Country) -> Stand {
        if self.leading.contains(&country.code) {
            Stand::Committed
        } else if self.taking_part.contains(&country.code) {
            Stand::ParticipantOnly
        } else if self.with_any.contains(&country.code) {
            Stand::OtherPartiesOnly
        } else {
            Stand::WithoutCommitment
        }
    }
}

/// The gaps, as the summary counts them.
pub(crate) fn body(
    tables: &Tables,
    counts: &SummaryCounts,
    changed: Option<EventTime>,
) -> GapsBody {
    let reach = &counts.reach;
    let mut catalogued: Vec<(&str, ActionIndex)> = tables
        .catalogued()
        .map(|action| (tables.action_code(action), action))
        .collect();
    catalogued.sort_unstable();
    let (actions_by_instrument, instruments_left_out) = bounded(
        by_instrument(tables, reach).into_iter(),
        |of| of.catalogued,
        MAX_LIST_BYTES,
    );
    let without = catalogued.iter().filter(|(_, action)| !reach.has(*action));
    let (actions_without_commitment, actions_left_out) = listed(without);
    let moment = changed.map(RecordedAt::from);
    let mut body = GapsBody {
        view: ViewKind::Gaps,
        position: moment.as_ref().map(|moment| moment.position.clone()),
        recorded: moment.map(|moment| moment.recorded),
        active_commitments: GapsCommitments {
            total: counts.all.active(),
            illustrative: counts.illustrative,
        },
        actions: count_actions(&catalogued, |action| reach.has(action)),
        actions_by_instrument,
        instruments_left_out,
        actions_without_commitment,
        actions_left_out,
        member_states: MemberStates::default(),
        by_region: BTreeMap::new(),
    };
    for (index, name) in REGIONS.iter().enumerate() {
        let region = region_body(reach, index, &catalogued);
        body.by_region.insert((*name).to_owned(), region);
    }
    let countries = Countries::of(tables, counts);
    for country in country::members() {
        if let Some(region) = body.by_region.get_mut(region_name(country)) {
            let stand = countries.stand_of(country);
            put_state(region, country, stand);
            *count_of(&mut body.member_states, stand) += 1;
            body.member_states.of += 1;
        }
    }
    body
}

fn by_instrument(tables: &Tables, reach: &Reach) -> BTreeMap<String, UncommittedActions> {
    let mut instruments: BTreeMap<&str, UncommittedActions> = BTreeMap::new();
    for action in tables.catalogued() {
        let instrument = tables.action(action).and_then(|entry| entry.instrument);
        let id = instrument.map_or("", |instrument| tables.instrument_id(instrument));
        let of = instruments.entry(id).or_default();
        of.catalogued += 1;
        of.without_commitment += u64::from(!reach.has(action));
    }
    let instruments = instruments.into_iter();
    instruments.map(|(id, of)| (id.to_owned(), of)).collect()
}

fn region_body(reach: &Reach, region: usize, catalogued: &[(&str, ActionIndex)]) -> RegionGaps {
    let elsewhere = catalogued
        .iter()
        .filter(|(_, action)| reach.has(*action) && !reach.has_in(*action, region));
    let (actions_committed_elsewhere_only, actions_left_out) = listed(elsewhere);
    RegionGaps {
        actions: count_actions(catalogued, |action| reach.has_in(action, region)),
        actions_committed_elsewhere_only,
        actions_left_out,
        ..RegionGaps::default()
    }
}

fn count_actions(
    catalogued: &[(&str, ActionIndex)],
    has_commitment: impl Fn(ActionIndex) -> bool,
) -> UncommittedActions {
    let mut counts = UncommittedActions::default();
    for (_, action) in catalogued {
        counts.catalogued += 1;
        counts.without_commitment += u64::from(!has_commitment(*action));
    }
    counts
}

/// The codes of some actions in order, as many as fit, and how many did not.
fn listed<'a>(actions: impl Iterator<Item = &'a (&'a str, ActionIndex)>) -> (Vec<String>, usize) {
    let (mut codes, mut bytes, mut left_out) = (Vec::new(), 0, 0);
    for (code, _) in actions {
        // Two quotes and a comma.
        bytes += code.len() + 3;
        if bytes <= MAX_LIST_BYTES {
            codes.push((*code).to_owned());
        } else {
            left_out += 1;
        }
    }
    (codes, left_out)
}

fn count_of(states: &mut MemberStates, stand: Stand) -> &mut u64 {
    match stand {
        Stand::Committed => &mut states.committed,
        Stand::ParticipantOnly => &mut states.participant_only,
        Stand::OtherPartiesOnly => &mut states.other_parties_only,
        Stand::WithoutCommitment => &mut states.without_commitment,
    }
}

fn put_state(region: &mut RegionGaps, country: &Country, stand: Stand) {
    region.member_states.of += 1;
    *count_of(&mut region.member_states, stand) += 1;
    let list = match stand {
        Stand::Committed => return,
        Stand::ParticipantOnly => &mut region.participant_only,
        Stand::OtherPartiesOnly => &mut region.other_parties_only,
        Stand::WithoutCommitment => &mut region.without_commitment,
    };
    list.push(country.code.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_where_its_bytes_do() {
        let code = "A".repeat(MAX_LIST_BYTES / 4);
        let actions: Vec<(&str, ActionIndex)> =
            (0..9).map(|index| (code.as_str(), index)).collect();
        let (codes, left_out) = listed(actions.iter());
        assert_eq!((codes.len(), left_out), (3, 6));
    }
}
