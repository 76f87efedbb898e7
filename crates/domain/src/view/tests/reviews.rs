//! What the views say of review cycles.

use serde_json::json;

use super::events::event;
use super::{Family, Rows, Views, answers, body, folded, types};
use crate::ids::Subject;
use crate::wire::v1::*;

fn subject() -> Subject {
    Subject::Review("IMRF-2026".parse().unwrap())
}

fn opened(position: u64) -> Event {
    let data = ReviewOpened {
        title: "Second review forum".to_owned(),
        from: "2022".parse().ok(),
        to: "2026-05".parse().ok(),
        instrument: "GCM-2018".parse().ok(),
    };
    event(position, subject(), "secretariat", data)
}

fn statement(position: u64, speaker: &str) -> Event {
    let data = StatementRecorded {
        language: None,
        speaker: speaker.parse().unwrap(),
        statement: "We did what we said.".to_owned(),
        url: None,
        made: None,
    };
    event(position, subject(), "secretariat", data)
}

fn closed(position: u64) -> Event {
    event(
        position,
        subject(),
        "secretariat",
        ReviewClosed { note: None },
    )
}

#[test]
fn a_statement_is_found_under_its_speakers_country_and_moves_no_gaps() {
    let kenya = PartyRegistered {
        name: "Kenya".to_owned(),
        kind: PartyKind::MemberState,
        country: "KEN".parse().ok(),
    };
    let kenya = event(
        0,
        Subject::Party("KEN".parse().unwrap()),
        "secretariat",
        kenya,
    );
    let log = [
        kenya,
        opened(1),
        statement(2, "KEN"),
        statement(3, "UGA"),
        statement(4, "KEN"),
    ];
    let view = folded(&[Family::Country], &log);
    let said = &body(&view, "KEN")["statements"];
    assert_eq!(said["recorded"], 2);
    assert_eq!(said["last"]["position"], "4");
    assert_eq!(body(&view, "KEN")["position"], "4");
    // Nobody registered the other speaker, so that its country is not known.
    assert_eq!(
        body(&view, "UGA")["statements"],
        json!({"recorded": 0, "last": null})
    );
    let gaps = body(&folded(&[Family::Summary], &log), "gaps");
    assert_eq!(gaps["position"], "0");
}

#[test]
fn a_review_says_who_spoke_and_at_which_position_it_was_closed() {
    let mut log = vec![
        opened(0),
        statement(1, "KEN"),
        statement(2, "IOM"),
        statement(3, "KEN"),
    ];
    let open = folded(&[Family::Summary], &log);
    assert_eq!(body(&open, "review.IMRF-2026")["status"], "open");
    log.push(closed(4));
    let view = folded(&[Family::Summary], &log);
    let review = body(&view, "review.IMRF-2026");
    assert_eq!(review["status"], "closed");
    assert_eq!(review["closed"]["position"], "4");
    assert_eq!(review["opened"]["position"], "0");
    assert_eq!(
        (&review["from"], &review["to"]),
        (&json!("2022"), &json!("2026-05"))
    );
    assert_eq!(review["instrument"], "GCM-2018");
    assert_eq!(review["statements"], json!({"recorded": 3}));
    assert_eq!(review["parties"], json!({"spoke": 2}));
    assert_eq!(review["statements_by_party"], json!({"IOM": 1, "KEN": 2}));
    assert_eq!(
        view.title("review.IMRF-2026").as_deref(),
        Some("Second review forum")
    );
    assert_eq!(view.body("review.IMRF-2030"), None);
}

#[test]
fn reviews_restore_from_their_rows_and_change_only_with_their_events() {
    let log = [opened(0), statement(1, "KEN"), closed(2)];
    let mut view = Views::of(&[Family::Summary]);
    let mut rows = Rows::default();
    for event in &log {
        view.apply(event);
        assert!(
            rows.save(&mut view)
                .contains(&"review.IMRF-2026".to_owned())
        );
        view = rows.restore(&[Family::Summary]);
    }
    assert_eq!(answers(&view), answers(&folded(&[Family::Summary], &log)));
    types::check(&log);
    let revoked = PartnerRevoked {
        reason: "a reason".to_owned(),
    };
    view.apply(&event(
        3,
        Subject::Partner("other".parse().unwrap()),
        "root",
        revoked,
    ));
    let changed = view.take_changes().keys;
    assert!(
        changed.iter().all(|key| !key.starts_with("review.")),
        "{changed:?}"
    );
}
