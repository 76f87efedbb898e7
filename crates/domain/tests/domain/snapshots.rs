//! One answer of every kind as it is read: the files under `snapshots`. A field that is renamed, moved or lost shows here.
//!
//! Where an answer is to change, `cargo test -p ledger-domain -- --ignored snapshots` writes the files anew: read what changed, and say
//! so in the changelog.

use std::fs;
use std::path::PathBuf;

use chrono::NaiveDate;
use ledger_domain::view::{CommitmentFold, Page, Views, WatchPage};
use ledger_domain::wire::v1::view::{ViewBody, WatchList};
use serde::Serialize;

use crate::rich::rich;
use crate::support::{about, commitment, say};

/// The views that are kept, of a ledger with a bit of everything.
const VIEWS: [(&str, &str); 8] = [
    ("country", "KEN"),
    ("no_country", "INT"),
    ("action", "GCM-05a"),
    ("objective", "GCM-10"),
    ("summary", "summary"),
    ("gaps", "gaps"),
    ("partner", "partner.gov"),
    ("review", "review.R1"),
];

fn pretty(answer: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(answer).expect("JSON");
    text.push('\n');
    text
}

/// Every kind of answer, under its name.
fn answers() -> Vec<(&'static str, String)> {
    let world = rich().world;
    let amending = r#"{"due":"2026-06","reason":"Plan"}"#;
    let mut world = world.and(&about("gov", "KEN", "amend_commitment", amending));
    for (subject, name, data) in [
        (
            "instrument/GCM-2018",
            "catalogue_action",
            r#"{"code":"GCM-10a","title":"Part","parent":"GCM-10","text_status":"seen"}"#,
        ),
        (
            "instrument/GCM-2018",
            "map_actions",
            r#"{"from":"GCM-05a","to":["GCM-10a"]}"#,
        ),
        (
            "review/R1",
            "record_statement",
            r#"{"speaker":"KEN","statement":"We did"}"#,
        ),
    ] {
        world = world.and(&say("sec", "UNNM", subject, name, data));
    }
    let mut views = Views::all();
    let mut fold = CommitmentFold::default();
    let first = commitment(1);
    for event in &world.events {
        views.apply(event);
        if event.header.subject.commitment() == Some(first) {
            fold.apply(event);
        }
    }
    let day = NaiveDate::from_ymd_opt(2027, 6, 1).expect("a day");
    let mut answers = Vec::new();
    for (name, key) in VIEWS {
        let bytes = views.body(key).expect(key);
        let body = ViewBody::decode(&bytes).expect(key);
        assert_eq!(serde_json::to_vec(&body).expect(key), bytes, "{key}");
        answers.push((name, pretty(&body)));
    }
    let page = Page::default();
    answers.push(("list", pretty(&views.list("KEN", &page))));
    answers.push(("timeliness", pretty(&views.timeliness("KEN", day))));
    let contested = WatchPage {
        list: Some(WatchList::Contested),
        limit: 10,
        ..WatchPage::default()
    };
    let watch = views.watch(&contested, day).expect("the lists");
    answers.push(("watch", pretty(&watch.expect("a page"))));
    answers.push(("commitment", pretty(&fold.state(first, day))));
    answers
}

fn file(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/domain/snapshots");
    PathBuf::from(folder).join(format!("{name}.json"))
}

#[test]
fn answers_are_what_their_snapshots_say() {
    for (name, answer) in answers() {
        let kept = fs::read_to_string(file(name)).unwrap_or_default();
        assert_eq!(answer, kept, "{name}");
    }
}

#[test]
#[ignore = "it writes the snapshots anew"]
fn snapshots_are_written_anew() {
    for (name, answer) in answers() {
        fs::write(file(name), answer).expect("a file");
    }
}
