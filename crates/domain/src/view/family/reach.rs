//! The actions that active commitments reach, in the whole ledger and by region.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use super::sign::Sign;
use crate::country::{self, Country};
use crate::view::read_model::index::{ActionIndex, PartyIndex};
use crate::view::read_model::tables::Tables;

/// The regions that the member States fall into, by name.
pub(crate) static REGIONS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let names: BTreeSet<&str> = country::members().map(region_name).collect();
    names.into_iter().collect()
});

/// More than the United Nations have regions.
const MAX_REGIONS: usize = 8;

/// The region of a country that M49 puts in none; no member State is.
const NO_REGION: &str = "none";

/// The active commitments on each action or under it, in all and by the region of the country whose party leads them. Actions without any are not kept.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Reach(FxHashMap<ActionIndex, Reached>);

#[derive(Debug, Default, PartialEq)]
struct Reached {
    all: u64,
    by_region: [u64; MAX_REGIONS],
}

impl Reach {
    /// Counts a commitment of `lead` on some actions and on all they stand under.
    pub(crate) fn count(
        &mut self,
        tables: &Tables,
        lead: PartyIndex,
        actions: &[ActionIndex],
        sign: Sign,
    ) {
        let country = tables.country_of(lead);
        let region = country.and_then(|country| region_index(country.country()));
        for action in tables.lineages(actions) {
            let reached = self.0.entry(action).or_default();
            sign.step(&mut reached.all);
            if let Some(count) = region.and_then(|region| reached.by_region.get_mut(region)) {
                sign.step(count);
            }
            if reached.all == 0 {
                self.0.remove(&action);
            }
        }
    }

    /// Returns true when there is an active commitment on an action or under it.
    pub(crate) fn has(&self, action: ActionIndex) -> bool {
        self.0.contains_key(&action)
    }

    pub(crate) fn has_in(&self, action: ActionIndex, region: usize) -> bool {
        let reached = self.0.get(&action);
        reached.is_some_and(|reached| {
            reached
                .by_region
                .get(region)
                .is_some_and(|count| *count > 0)
        })
    }
}

pub(crate) fn region_name(country: &Country) -> &'static str {
    country.region.map_or(NO_REGION, |region| region.name)
}

fn region_index(country: &Country) -> Option<usize> {
    let name = region_name(country);
    REGIONS.iter().position(|region| *region == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_has_a_place_in_the_counts() {
        assert_eq!(
            *REGIONS,
            ["Africa", "Americas", "Asia", "Europe", "Oceania"]
        );
        assert!(REGIONS.len() <= MAX_REGIONS);
        assert!(country::members().all(|country| region_index(country).is_some()));
    }
}
