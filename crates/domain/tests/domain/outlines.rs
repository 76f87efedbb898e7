//! What stays of an event whose free texts are withheld.

use ledger_domain::wire::v1::{Event, EventBody, WITHHELD, outline};
use serde_json::{Map, Value};

use crate::rich::rich;

/// What texts are withheld, said a second time: by the name they stand under, wherever that is.
fn is_free(within: &str, name: &str) -> bool {
    let named = within != "indicators" && within != "milestones";
    matches!(
        name,
        "title"
            | "description"
            | "narrative"
            | "no_evidence_reason"
            | "reason"
            | "note"
            | "answer"
            | "statement"
            | "summary"
            | "basis"
            | "url"
    ) || (name == "name" && named)
}

fn withheld(within: &str, value: Value) -> Value {
    match value {
        Value::Array(items) => items
            .into_iter()
            .map(|item| withheld(within, item))
            .collect(),
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| {
                let value = if value.is_string() && is_free(within, &name) {
                    WITHHELD.into()
                } else {
                    withheld(&name, value)
                };
                (name, value)
            });
            members.collect::<Map<_, _>>().into()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// Every event of a ledger in which everything happened.
fn events() -> Vec<Event> {
    let rich = rich();
    let mut events = rich.world.events.clone();
    for (mut world, command) in rich.accepted() {
        let before = world.events.len();
        world.take(&command).expect("accepted");
        events.extend(world.events.drain(before..));
    }
    events
}

#[test]
fn the_outline_of_every_event_has_its_keys_types_and_lengths_and_none_of_its_free_texts() {
    let mut withheld_texts = 0;
    for event in events() {
        let event_type = event.body.event_type();
        let data = event.body.encode();
        let outline = outline(event_type, &data).expect("written by the ledger");
        let parsed = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).expect("JSON");
        let expected = withheld("", parsed(&data));
        assert_eq!(parsed(&outline), expected, "{event_type:?}");
        withheld_texts += usize::from(*outline != data);
        // The same decoder reads it, and writes the same bytes.
        let body = EventBody::decode(event_type, &outline).expect("an event");
        assert_eq!(body.encode(), *outline, "{event_type:?}");
        let again = ledger_domain::wire::v1::outline(event_type, &outline);
        assert_eq!(again.as_deref(), Ok(&*outline), "{event_type:?}");
    }
    assert!(withheld_texts > 30, "{withheld_texts}");
}
