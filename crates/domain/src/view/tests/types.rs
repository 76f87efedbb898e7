//! Answers against the types that they are read by: a field that a type lacks is lost on the way through it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::*;
use crate::ids::CommitmentId;
use crate::wire::v1::view::*;

/// An answer that was read by its type is written as the same bytes.
fn assert_same<T: Serialize + DeserializeOwned>(answer: &T) {
    let bytes = serde_json::to_string(answer).unwrap();
    let read: T = serde_json::from_str(&bytes).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), bytes);
}

/// Checks everything that a fold of the log answers.
pub(super) fn check(log: &[Event]) {
    let views = folded(&Family::ALL, log);
    for (key, (body, list, timeliness)) in answers(&views) {
        let read = ViewBody::decode(body.as_bytes()).expect("a body is of its type");
        assert_eq!(serde_json::to_string(&read).unwrap(), body, "{key}");
        assert_same(&list);
        assert_same(&timeliness);
    }
    let day = NaiveDate::from_ymd_opt(2027, 6, 1).unwrap();
    for &list in WatchList::ALL {
        let page = WatchPage {
            list: Some(list),
            limit: MAX_PAGE_ROWS,
            ..WatchPage::default()
        };
        assert_same(&views.watch(&page, day).unwrap().unwrap());
    }
    let mut folds: BTreeMap<CommitmentId, CommitmentFold> = BTreeMap::new();
    for event in log {
        if let Some(id) = event.header.subject.commitment() {
            folds.entry(id).or_default().apply(event);
        }
    }
    for (id, fold) in folds {
        assert_same(&fold.state(id, day));
    }
}
