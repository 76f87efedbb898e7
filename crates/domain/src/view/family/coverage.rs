//! Coverage: how many of the member States are committed.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use crate::country::{self, UnStatus};
use crate::ids::CountryCode;
use crate::wire::v1::view::Coverage;

/// The number of the member States among `states`, in all and by region. A city's commitment is not
/// its State's, so `states` are those that lead a commitment themselves.
pub(crate) fn coverage(
    states: impl Iterator<Item = CountryCode>,
) -> (Coverage, BTreeMap<String, Coverage>) {
    let states: FxHashSet<CountryCode> = states.collect();
    let mut all = Coverage::default();
    let mut regions: BTreeMap<&str, Coverage> = BTreeMap::new();
    for country in country::all()
        .iter()
        .filter(|country| country.un_status == UnStatus::Member)
    {
        let region = regions
            .entry(country.region.map_or("none", |region| region.name))
            .or_default();
        let committed = u64::from(states.contains(&country.code));
        for coverage in [&mut all, region] {
            coverage.of += 1;
            coverage.committed += committed;
        }
    }
    let regions = regions.into_iter();
    (
        all,
        regions.map(|(name, of)| (name.to_owned(), of)).collect(),
    )
}
