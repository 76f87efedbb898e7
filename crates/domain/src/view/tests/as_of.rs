//! What is known of a past position against a fold that stopped there.

use chrono::NaiveDate;
use std::collections::BTreeMap;

use proptest::prelude::*;

use super::events::log;
use super::steps::steps;
use super::*;
use crate::wire::v1::{Event, EventBody};

/// Lists as a projector keeps them: closed chunks in order, and the open one.
#[derive(Default, Clone)]
struct Lists {
    closed: BTreeMap<String, Vec<(u64, Vec<u8>)>>,
    open: BTreeMap<String, (u64, Vec<u8>)>,
}

impl Lists {
    fn take(&mut self, views: &mut Views) {
        for chunk in views.take_closed_chunks() {
            let list = self.closed.entry(chunk.list).or_default();
            assert!(list.last().is_none_or(|(first, _)| *first <= chunk.first));
            list.push((chunk.first, chunk.bytes));
        }
        for chunk in views.take_grown_chunks() {
            self.open.insert(chunk.list, (chunk.first, chunk.bytes));
        }
    }

    /// What an answer about a key may be made from, and nothing else.
    fn of(&self, views: &Views, key: &str) -> Self {
        let mut lists = Self::default();
        for chunk in views.changelog_of(key).expect("the view exists") {
            let closed = self.closed.get(&chunk.list).cloned().unwrap_or_default();
            lists.closed.insert(chunk.list.clone(), closed);
            lists.open.insert(chunk.list, (chunk.first, chunk.bytes));
        }
        lists
    }
}

impl ChangelogSource for Lists {
    type Error = RestoreError;

    fn newest_first(
        &self,
        list: &str,
        position: u64,
        wants: &WantChunk<'_>,
        visit: &mut VisitChunk<'_, RestoreError>,
    ) -> Result<(), RestoreError> {
        let closed = self.closed.get(list).expect("the list was named");
        let open = self.open.get(list).expect("the list was named");
        let mut end = u64::MAX;
        for (first, bytes) in [open].into_iter().chain(closed.iter().rev()) {
            let wanted = *first <= position && wants(*first..=end);
            if wanted && visit(bytes)?.is_break() {
                break;
            }
            // The entries of one event may stand in two chunks.
            end = *first;
        }
        Ok(())
    }
}

fn folded_with_history(
    families: &[Family],
    log: &[Event],
    breaks: &[(usize, bool)],
) -> (Views, Lists) {
    let mut views = Views::of(families);
    views.keep_changelog(std::iter::empty()).unwrap();
    let (mut rows, mut lists) = (Rows::default(), Lists::default());
    for (index, event) in log.iter().enumerate() {
        views.apply(event);
        for (_, restart) in breaks.iter().filter(|(at, _)| *at == index) {
            rows.save(&mut views);
            lists.take(&mut views);
            if *restart {
                views = rows.restore(families);
                let open = lists.open.iter();
                let open = open.map(|(list, (_, bytes))| (list.clone(), bytes.clone()));
                views.keep_changelog(open).unwrap();
            }
        }
    }
    lists.take(&mut views);
    (views, lists)
}

pub(super) fn assert_known_as_folded(families: &[Family], log: &[Event], breaks: &[(usize, bool)]) {
    let (whole, lists) = folded_with_history(families, log, breaks);
    let today = NaiveDate::from_ymd_opt(2027, 6, 1).unwrap();
    let mut folded = Views::of(families);
    for (position, event) in (0..).zip(log) {
        folded.apply(event);
        for key in whole.keys() {
            let source = lists.of(&whole, &key);
            for page in [
                None,
                Some(Page::default()),
                Some(Page {
                    after: Some(8),
                    limit: 2,
                }),
            ] {
                let known = Views::as_of(&source, &key, position, today, page.as_ref()).unwrap();
                let expected = folded.body(&key).map(|body| AsOfView {
                    body,
                    title: folded.title(&key),
                    timeliness: folded.timeliness(&key, today),
                    list: page.and_then(|page| folded.list(&key, &page)),
                });
                assert_eq!(known, expected, "{key} as known at {position}");
            }
        }
    }
}

/// Every list, whole and in pages, for everybody, a country and an action.
fn watch_pages() -> Vec<WatchPage> {
    let filters = [
        (None, None),
        (Some("KEN".to_owned()), None),
        (None, Some("GCM-10".to_owned())),
    ];
    let mut pages = vec![WatchPage::default()];
    for &list in WatchList::ALL {
        for (country, action) in &filters {
            for (after, limit) in [(None, MAX_PAGE_ROWS), (Some(8), 2)] {
                pages.push(WatchPage {
                    list: Some(list),
                    country: country.clone(),
                    action: action.clone(),
                    after,
                    limit,
                });
            }
        }
    }
    pages
}

fn assert_watched_as_folded(log: &[Event], breaks: &[(usize, bool)], today: NaiveDate) {
    let (whole, lists) = folded_with_history(&[Family::Summary], log, breaks);
    let source = lists.of(&whole, "summary");
    let mut folded = Views::of(&[Family::Summary]);
    for (position, event) in (0..).zip(log) {
        folded.apply(event);
        for page in watch_pages() {
            let known = Views::watch_as_of(&source, &page, position, today).unwrap();
            let expected = folded.watch(&page, today);
            assert_eq!(Some(known), expected, "{page:?} as known at {position}");
        }
    }
}

pub(super) fn assert_events_are_those_that_stamp(
    families: &[Family],
    log: &[Event],
    from: Option<u64>,
    to: u64,
) {
    let (whole, lists) = folded_with_history(families, log, &[]);
    let mut folded = Views::of(families);
    folded.take_changes();
    let mut stamps: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (position, event) in (0..).zip(log) {
        folded.apply(event);
        let changed = folded.take_changes().keys;
        if from.is_none_or(|from| position > from) && position <= to {
            for key in changed {
                let positions = stamps.entry(key).or_default();
                positions.push(position.to_string());
            }
        }
    }
    for key in whole.keys() {
        let source = lists.of(&whole, &key);
        let expected = stamps.remove(&key).unwrap_or_default();
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = Page { after, limit: 3 };
            let events = Views::events_between(&source, &key, from, to, &page).unwrap();
            assert_eq!(events.events, expected.len());
            found.extend(events.rows);
            match events.next {
                Some(next) => after = next.parse().ok(),
                None => break,
            }
        }
        let positions: Vec<_> = found.iter().map(|event| event.position.clone()).collect();
        assert_eq!(positions, expected, "{key} from {from:?} to {to}");
        for row in found {
            let event = &log[row.position.parse::<usize>().unwrap()];
            assert_eq!(row.event, event.body.event_type().name());
            let subject = row.commitment.or(row.subject);
            // The lists beside the summary say when and what; the summary's own says of what.
            let is_beside = ["gaps", "partner", "review"].contains(&key.split('.').next().unwrap());
            assert!(subject.is_some() || is_beside);
            let subject = subject.or(Some(event.header.subject.to_string()));
            assert_eq!(subject, Some(event.header.subject.to_string()));
            assert_eq!(
                row.effective,
                event.header.effective.map(|date| date.to_string())
            );
            let marked = row.illustrative;
            assert!(!marked || row.title.is_some(), "{}", row.position);
            // A second recording of a commitment changes nothing, and least of all its title.
            let of_subject = |other: &&Event| other.header.subject == event.header.subject;
            let is_first = log.iter().find(of_subject) == Some(event);
            if let EventBody::CommitmentRecorded(data) = &event.body
                && is_first
            {
                let shown = row.title.is_some();
                assert!(row.title.is_none_or(|title| title == data.title));
                assert_eq!(marked, shown && data.illustrative);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_view_as_known_at_a_position_is_the_fold_of_the_log_up_to_there(
        steps in prop::collection::vec(steps(), 1..40),
        breaks in breaks(),
    ) {
        let log = log(&steps);
        assert_known_as_folded(&[Family::Country], &log, &breaks);
        assert_known_as_folded(&[Family::Action], &log, &breaks);
        assert_known_as_folded(&[Family::Summary], &log, &breaks);
        assert_known_as_folded(&Family::ALL, &log, &breaks);
    }

    #[test]
    fn watch_lists_as_known_at_a_position_are_those_of_the_log_up_to_there(
        steps in prop::collection::vec(steps(), 1..40),
        breaks in breaks(),
        days_after in 0..3_000u64,
    ) {
        let today = NaiveDate::from_ymd_opt(2026, 6, 1).unwrap() + chrono::Days::new(days_after);
        assert_watched_as_folded(&log(&steps), &breaks, today);
    }

    #[test]
    fn the_events_between_two_positions_are_those_that_changed_the_view(
        steps in prop::collection::vec(steps(), 1..40),
        from in prop::option::of(0..40u64),
        to in 0..40u64,
    ) {
        let log = log(&steps);
        assert_events_are_those_that_stamp(&[Family::Country], &log, from, to);
        assert_events_are_those_that_stamp(&[Family::Action], &log, from, to);
        assert_events_are_those_that_stamp(&[Family::Summary], &log, from, to);
        assert_events_are_those_that_stamp(&Family::ALL, &log, from, to);
    }

    #[test]
    fn a_time_is_the_last_position_recorded_by_then(
        steps in prop::collection::vec(steps(), 1..60),
    ) {
        let log = log(&steps);
        let (whole, lists) = folded_with_history(&[Family::Country], &log, &[]);
        let source = lists.of(&whole, "KEN");
        let tree_size = log.len() as u64;
        for (position, event) in (0..).zip(&log) {
            let time = event.header.time;
            prop_assert_eq!(recorded_at(&source, position), Ok(Some(time)));
            let last = log.iter().rposition(|other| other.header.time <= time).unwrap();
            prop_assert_eq!(position_at(&source, time, tree_size), Ok(Some(last as u64)));
            let before = time - chrono::Duration::microseconds(1);
            let last = log.iter().rposition(|other| other.header.time <= before);
            let found = position_at(&source, before, tree_size);
            prop_assert_eq!(found, Ok(last.map(|last| last as u64)));
        }
    }
}
