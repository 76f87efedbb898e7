//! The families folded together against each folded alone.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::events::log;
use super::steps::steps;
use super::*;
use crate::wire::v1::Event;

/// Everything that the views closed or left open of its history, list by list.
fn histories(families: &[Family], log: &[Event]) -> BTreeMap<String, Vec<u8>> {
    let mut views = Views::of(families);
    views.keep_changelog(std::iter::empty()).unwrap();
    for event in log {
        views.apply(event);
    }
    let mut lists: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let chunks = views.take_closed_chunks().into_iter();
    for chunk in chunks.chain(views.take_grown_chunks()) {
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
        let mut expected = answers(&folded(&[Family::Country], &log));
        expected.extend(answers(&folded(&[Family::Action], &log)));
        expected.extend(answers(&folded(&[Family::Summary], &log)));
        prop_assert_eq!(answers(&folded(&Family::ALL, &log)), expected);
    }

    #[test]
    fn families_folded_together_keep_the_history_that_each_keeps_alone(
        steps in prop::collection::vec(steps(), 1..60),
    ) {
        let log = log(&steps);
        let mut expected = histories(&[Family::Country], &log);
        expected.extend(histories(&[Family::Action], &log));
        expected.extend(histories(&[Family::Summary], &log));
        prop_assert_eq!(histories(&Family::ALL, &log), expected);
    }

    #[test]
    fn keys_taken_alone_are_those_of_the_changes(
        steps in prop::collection::vec(steps(), 1..30),
    ) {
        let (mut whole, mut apart) = (Views::all(), Views::all());
        for event in &log(&steps) {
            whole.apply(event);
            apart.apply(event);
            prop_assert_eq!(whole.take_changes().keys, apart.take_keys());
        }
        let rows: BTreeMap<_, _> = apart.take_changes().rows.into_iter().collect();
        prop_assert_eq!(answers(&Views::restore(&Family::ALL, rows.into_iter()).unwrap()), answers(&whole));
    }
}
