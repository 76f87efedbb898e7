//! The views against what anyone would count by hand, and against themselves in pieces.

mod all;
mod as_of;
mod bodies;
mod dates;
mod endings;
pub(super) mod events;
mod evidence;
mod lives;
mod model;
mod names;
mod partners;
mod recount;
mod reviews;
mod second_words;
mod state;
mod steps;
mod types;
mod watch;

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use self::events::log;
use self::recount::Recount;
use self::steps::{Step, steps};
use chrono::NaiveDate;

use super::*;
use crate::wire::v1::Event;
use crate::wire::v1::view::*;

/// A store as the projector keeps it: rows by key, read back in the order of the keys.
#[derive(Default)]
struct Rows(BTreeMap<Vec<u8>, Vec<u8>>);

impl Rows {
    fn save(&mut self, views: &mut Views) -> Vec<String> {
        let changes = views.take_changes();
        self.0.extend(changes.rows);
        changes.keys
    }

    fn restore(&self, families: &[Family]) -> Views {
        Views::restore(families, self.0.clone().into_iter()).expect("rows that were taken restore")
    }
}

fn folded(families: &[Family], log: &[Event]) -> Views {
    let mut views = Views::of(families);
    for event in log {
        views.apply(event);
    }
    views
}

/// What a projection answers about one key.
type Answer = (String, Option<CommitmentList>, Option<Timeliness>);

/// Everything a projection answers.
fn answers(views: &Views) -> BTreeMap<String, Answer> {
    let day = NaiveDate::from_ymd_opt(2027, 6, 1).unwrap();
    let answer = |key: String| {
        let body = String::from_utf8(views.body(&key).unwrap()).unwrap();
        let page = Page {
            after: None,
            limit: 200,
        };
        let list = views.list(&key, &page);
        let timeliness = views.timeliness(&key, day);
        assert_eq!(
            list.is_some(),
            timeliness.is_some(),
            "of {key}: only what lists commitments says how late they are"
        );
        (key, (body, list, timeliness))
    };
    views.keys().into_iter().map(answer).collect()
}

fn body(views: &Views, key: &str) -> Value {
    serde_json::from_slice(&views.body(key).expect("the view exists")).expect("a body is JSON")
}

fn number(body: &Value, pointer: &str) -> u64 {
    body.pointer(pointer)
        .and_then(Value::as_u64)
        .unwrap_or_else(|| panic!("no number at {pointer} in {body}"))
}

/// Folds with a save after each event that `saves` marks and a restart after each that `restarts` marks.
fn folded_with_restarts(
    families: &[Family],
    log: &[Event],
    breaks: &[(usize, bool)],
) -> (Views, Rows) {
    let mut views = Views::of(families);
    let mut rows = Rows::default();
    for (index, event) in log.iter().enumerate() {
        views.apply(event);
        for (_, restart) in breaks.iter().filter(|(at, _)| *at == index) {
            rows.save(&mut views);
            if *restart {
                views = rows.restore(families);
            }
        }
    }
    rows.save(&mut views);
    (views, rows)
}

fn assert_same_however_folded(families: &[Family], log: &[Event], breaks: &[(usize, bool)]) {
    let straight = folded(families, log);
    let expected = answers(&straight);
    assert_eq!(answers(&folded(families, log)), expected, "folded twice");
    let (broken, rows) = folded_with_restarts(families, log, breaks);
    assert_eq!(answers(&broken), expected, "folded with restarts");
    let mut restored = rows.restore(families);
    assert_eq!(answers(&restored), expected, "restored from all rows");
    assert_eq!(restored.watermark(), straight.watermark());
    assert!(
        restored.take_changes().is_empty(),
        "nothing changes by restoring"
    );
}

/// A body differs from the one before only at events that stamp it and name its key.
fn assert_changes_are_named(families: &[Family], log: &[Event]) {
    let mut views = Views::of(families);
    views.take_changes();
    let mut before = answers(&views);
    for event in log {
        views.apply(event);
        let changed = views.take_changes().keys;
        let after = answers(&views);
        for (key, answer) in &after {
            let stamped = body(&views, key)["position"] == event.header.position.to_string();
            assert_eq!(
                stamped,
                changed.contains(key),
                "{key} at {}",
                event.header.position
            );
            if before.get(key).map(|(body, list, _)| (body, list)) != Some((&answer.0, &answer.1)) {
                assert!(
                    stamped,
                    "{key} changed at {} and is not stamped: {answer:?}",
                    event.header.position
                );
            }
        }
        assert!(
            before.keys().all(|key| after.contains_key(key)),
            "no view vanishes"
        );
        before = after;
    }
}

fn breaks() -> impl Strategy<Value = Vec<(usize, bool)>> {
    prop::collection::vec((0..60usize, any::<bool>()), 0..6)
}

fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(steps(), 1..60)
}

proptest! {
    // Enough commitments for several pages of rows, some rewritten whole and some in part.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn pages_of_rows_and_single_rows_restore_to_the_same(
        reports in prop::collection::vec((0..300u64, any::<bool>()), 0..150),
        breaks in prop::collection::vec((0..450usize, any::<bool>()), 0..8),
        first in 60..300u64,
    ) {
        let log = events::large_log(first, &reports, 300);
        assert_same_however_folded(&[Family::Summary], &log, &breaks);
        assert_same_however_folded(&Family::ALL, &log, &breaks);
    }
}

proptest! {
    // Every view is read after every event, so that fewer cases take as long.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_view_changes_only_at_events_that_it_names(steps in prop::collection::vec(steps(), 1..30)) {
        let log = log(&steps);
        assert_changes_are_named(&[Family::Country], &log);
        assert_changes_are_named(&[Family::Action], &log);
        assert_changes_are_named(&[Family::Summary], &log);
        assert_changes_are_named(&Family::ALL, &log);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Invariant 1: replaying twice gives equal views, byte for byte, and so does replaying with stops.
    #[test]
    fn views_are_the_same_however_they_are_folded(steps in any_steps(), breaks in breaks()) {
        let log = log(&steps);
        assert_same_however_folded(&[Family::Country], &log, &breaks);
        assert_same_however_folded(&[Family::Action], &log, &breaks);
        assert_same_however_folded(&[Family::Summary], &log, &breaks);
        assert_same_however_folded(&Family::ALL, &log, &breaks);
    }

    /// Invariant 4, and every other count: as counted by hand from the list of events.
    #[test]
    fn counts_are_those_of_a_recount(steps in any_steps()) {
        let log = log(&steps);
        let recount = Recount::of(&log);
        recount.check_countries(&folded(&[Family::Country], &log));
        recount.check_actions(&folded(&[Family::Action], &log));
        let summary = folded(&[Family::Summary], &log);
        recount.check_summary(&summary);
        recount.check_gaps(&summary);
        partners::check(&log, &summary);
    }

    /// Invariant 4: a joint commitment counts once, under its lead.
    #[test]
    fn commitments_by_lead_add_up_to_all_commitments(steps in any_steps()) {
        let log = log(&steps);
        let countries = folded(&[Family::Country], &log);
        let by_lead: u64 = countries.keys().iter().map(|key| number(&body(&countries, key), "/commitments/recorded")).sum();
        let summary = body(&folded(&[Family::Summary], &log), "summary");
        prop_assert_eq!(by_lead, number(&summary, "/commitments/recorded"));
        let by_region = summary["active_commitments"]["by_region_of_lead"].as_object().unwrap();
        let by_region: u64 = by_region.values().filter_map(Value::as_u64).sum();
        prop_assert_eq!(by_region, number(&summary, "/active_commitments/total"));
    }

    /// Whoever reads an answer by its type misses nothing of it.
    #[test]
    fn an_answer_is_what_its_type_says_and_nothing_more(steps in any_steps()) {
        types::check(&log(&steps));
    }

    /// A stream that delivers twice, or again from further back, changes nothing.
    #[test]
    fn events_taken_in_before_change_nothing(steps in any_steps(), back in 0..40usize) {
        let log = log(&steps);
        let mut again = folded(&[Family::Country], &log);
        log.iter().skip(back).for_each(|event| again.apply(event));
        prop_assert_eq!(answers(&again), answers(&folded(&[Family::Country], &log)));
    }

    /// Pages put together are the whole list, whatever their size.
    #[test]
    fn pages_cover_a_list_without_gap_or_overlap(steps in any_steps(), limit in 1..5usize) {
        let log = log(&steps);
        let countries = folded(&[Family::Country], &log);
        for key in countries.keys() {
            let whole = countries.list(&key, &Page { after: None, limit: usize::MAX }).unwrap();
            prop_assert_eq!(whole.rows.len(), whole.commitments);
            let mut rows = Vec::new();
            let mut page = Page { after: None, limit };
            loop {
                let part = countries.list(&key, &page).unwrap();
                prop_assert!(part.rows.len() <= limit);
                rows.extend(part.rows);
                match part.next {
                    Some(next) => page.after = Some(next.parse().unwrap()),
                    None => break,
                }
            }
            prop_assert_eq!(rows, whole.rows);
        }
    }

    /// Damage to a row is an error or another value, never a panic.
    #[test]
    fn damaged_rows_never_panic(steps in any_steps(), row in any::<prop::sample::Index>(), byte in any::<prop::sample::Index>(), xor in 1..=255u8) {
        let (_, rows) = folded_with_restarts(&[Family::Action], &log(&steps), &[]);
        let mut rows: Vec<_> = rows.0.into_iter().collect();
        let value = &mut row.get_mut(&mut rows).1;
        let at = byte.index(value.len());
        value[at] ^= xor;
        if let Ok(view) = Views::restore(&[Family::Action], rows.into_iter()) {
            answers(&view);
        }
    }
}
