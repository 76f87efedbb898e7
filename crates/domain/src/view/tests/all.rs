//! The families folded together against each folded alone.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::events::log;
use super::steps::steps;
use super::*;

/// Everything that the projection closed or left open of its history, list by list.
fn histories<P: Projection>(log: &[Event]) -> BTreeMap<String, Vec<u8>> {
    let mut projection = P::default();
    projection.keep_changelog(std::iter::empty()).unwrap();
    for event in log {
        projection.apply(event);
    }
    let mut lists: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let chunks = projection.take_closed_chunks().into_iter();
    for chunk in chunks.chain(projection.take_grown_chunks()) {
        lists.entry(chunk.list).or_default().extend(chunk.bytes);
    }
    lists
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn families_folded_together_answer_as_each_alone(
        steps in prop::collection::vec(steps(), 1..60),
    ) {
        let log = log(&steps);
        let mut expected = answers(&folded::<CountryView>(&log));
        expected.extend(answers(&folded::<ActionView>(&log)));
        expected.extend(answers(&folded::<SummaryView>(&log)));
        prop_assert_eq!(answers(&folded::<AllViews>(&log)), expected);
    }

    #[test]
    fn families_folded_together_keep_the_history_that_each_keeps_alone(
        steps in prop::collection::vec(steps(), 1..60),
    ) {
        let log = log(&steps);
        let mut expected = histories::<CountryView>(&log);
        expected.extend(histories::<ActionView>(&log));
        expected.extend(histories::<SummaryView>(&log));
        prop_assert_eq!(histories::<AllViews>(&log), expected);
    }

    #[test]
    fn keys_taken_alone_are_those_of_the_changes(
        steps in prop::collection::vec(steps(), 1..30),
    ) {
        let (mut whole, mut apart) = (AllViews::default(), AllViews::default());
        for event in &log(&steps) {
            whole.apply(event);
            apart.apply(event);
            prop_assert_eq!(whole.take_changes().keys, apart.take_keys());
        }
        let rows: BTreeMap<_, _> = apart.take_changes().rows.into_iter().collect();
        prop_assert_eq!(answers(&AllViews::restore(rows.into_iter()).unwrap()), answers(&whole));
    }
}
