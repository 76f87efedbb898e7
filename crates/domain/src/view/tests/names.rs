//! The names of a country's parties, now and before.

use serde_json::{Value, json};

use super::super::*;
use super::bodies::{KEN, NAIROBI, with};
use super::events::event;
use super::steps::Step;
use super::{as_of, assert_changes_are_named, assert_same_however_folded, body, folded};
use crate::ids::Subject;
use crate::wire::v1::*;

#[test]
fn a_country_shows_what_its_parties_are_called_now_and_were_called_then() {
    let names = [
        "Republic of Kenya",
        "Kenya Republic",
        "Kenya",
        "Kenya Republic",
    ];
    let renames = names.map(|name| Step::Rename(KEN, name));
    let log = with(&[&renames[..], &[Step::Deactivate(NAIROBI, false)]].concat());
    let parties = |events: usize| {
        let views = folded(&[Family::Country], &log[..events]);
        body(&views, "KEN")["registered_parties"].clone()
    };
    let nairobi = |active: bool| json!({"id": "nairobi", "name": "nairobi", "kind": "local_authority", "active": active});
    let kenya = |name: &str, former: &[&str]| {
        let kenya = json!({"id": "KEN", "name": name, "former_names": former, "kind": "member_state", "active": true});
        json!([kenya, nairobi(true)])
    };
    let first = json!({"id": "KEN", "name": "KEN", "kind": "member_state", "active": true});
    let registered = log.len() - 5;
    assert_eq!(parties(registered), json!([first, nairobi(true)]));
    let once = kenya("Republic of Kenya", &["KEN"]);
    assert_eq!(parties(registered + 1), once);
    let former = ["KEN", "Republic of Kenya", "Kenya Republic"];
    assert_eq!(parties(registered + 3), kenya("Kenya", &former));
    // It goes back to a name that it had: that is not a former one meanwhile.
    let former = ["KEN", "Republic of Kenya", "Kenya"];
    assert_eq!(parties(registered + 4), kenya("Kenya Republic", &former));
    assert_eq!(parties(log.len())[1], nairobi(false));
    let breaks = [(registered, true), (registered + 2, true)];
    assert_same_however_folded(&Family::ALL, &log, &breaks);
    assert_changes_are_named(&Family::ALL, &log);
    as_of::assert_known_as_folded(&Family::ALL, &log, &breaks);
}

#[test]
fn a_party_keeps_its_newest_names_and_a_country_names_as_many_parties_as_fit() {
    let registered = |position: u64, id: &str, name: String| {
        let data = PartyRegistered {
            name,
            kind: PartyKind::PrivateSector,
            country: "KEN".parse().ok(),
        };
        event(
            position,
            Subject::Party(id.parse().unwrap()),
            "ledger",
            data,
        )
    };
    let all_of = |count: u64, name: &str| {
        let parties =
            (0..count).map(|number| registered(number, &format!("p{number:04}"), name.to_owned()));
        parties.collect::<Vec<_>>()
    };
    let shown = |log: &[Event]| {
        let views = folded(&[Family::Country], log);
        assert!(views.body("KEN").unwrap().len() <= MAX_BODY_BYTES);
        let body = body(&views, "KEN");
        let shown = body["registered_parties"].as_array().unwrap().len();
        (shown, body["registered_parties_omitted"].clone())
    };
    assert_eq!(shown(&all_of(200, "A")), (200, Value::Null));
    assert_eq!(shown(&all_of(201, "A")), (200, json!(1)));
    let widest = "\u{10ffff}".repeat(300);
    assert_eq!(shown(&all_of(20, &widest)), (12, json!(8)));
    let mut log = all_of(1, "A");
    for number in 1..30u64 {
        let name = format!("{number:02}{}", &widest[8..]);
        let reason = "Anew".to_owned();
        let subject = Subject::Party("p0000".parse().unwrap());
        log.push(event(
            number,
            subject,
            "ledger",
            PartyAmended { name, reason },
        ));
    }
    assert_eq!(shown(&log), (1, Value::Null));
    let body = body(&folded(&[Family::Country], &log), "KEN");
    let former = body["registered_parties"][0]["former_names"]
        .as_array()
        .unwrap();
    let number = |name: &Value| name.as_str().unwrap()[..2].to_owned();
    let former: Vec<String> = former.iter().map(number).collect();
    assert_eq!(
        former,
        (21..29).map(|it| it.to_string()).collect::<Vec<_>>()
    );
}
