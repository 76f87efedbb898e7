//! One leaf, read by all who read leaves.

use chrono::DateTime;
use ledger_domain::ids::{CommandId, EventId, Position, Subject, Version};
use ledger_domain::wire::v1::{EventHeader, EventType, Heading};
use ledger_proof::header::{HEADER_BYTES_MAX, LeafHeader, event_name_of};
use proptest::option::of;
use proptest::prelude::*;
use uuid::Uuid;

fn id() -> impl Strategy<Value = String> {
    "[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
}

fn subject() -> impl Strategy<Value = Subject> {
    let named = ("(instrument|party|partner|review)", id());
    prop_oneof![
        any::<u128>().prop_map(|bits| Uuid::from_u128(bits).to_string()),
        named.prop_map(|(kind, id)| format!("{kind}/{id}")),
        Just("ledger".to_owned()),
    ]
    .prop_map(|text| text.parse().unwrap())
}

fn effective() -> impl Strategy<Value = String> {
    "20[0-9]{2}(-0[1-9](-1[0-9])?)?"
}

prop_compose! {
    fn header()(
        ids in (any::<u128>(), of((any::<u128>(), any::<[u8; 32]>(), any::<u32>()))),
        names in ("[a-z0-9-]{1,32}", id(), id()),
        event_type in proptest::sample::select(EventType::ALL),
        subject in subject(),
        // Up to the end of the year 9999.
        micros in 0_i64..253_402_300_800_000_000,
        numbers in (any::<u64>(), any::<u32>(), any::<u32>()),
        effective in of(effective()),
        digests in (any::<[u8; 32]>(), of(any::<[u8; 32]>())),
    ) -> EventHeader {
        let (event, caused) = ids;
        let (ledger, partner, party) = names;
        let (position, stream_version, rules_version) = numbers;
        EventHeader {
            id: EventId(Uuid::from_u128(event)),
            ledger: ledger.parse().unwrap(),
            event_type,
            subject,
            time: DateTime::from_timestamp_micros(micros).unwrap(),
            position: Position(position),
            stream_version: Version(stream_version),
            partner: partner.parse().unwrap(),
            party: party.parse().unwrap(),
            causation_id: caused.map(|(id, _, _)| CommandId(Uuid::from_u128(id))),
            submission: caused.map(|(_, digest, _)| digest),
            submission_index: caused.map(|(_, _, index)| index),
            effective: effective.map(|date| date.parse().unwrap()),
            rules_version,
            data_digest: digests.0,
            outline_digest: digests.1,
        }
    }
}

proptest! {
    #[test]
    fn all_readers_of_a_leaf_read_the_same(header in header()) {
        let leaf = header.encode();
        prop_assert!(leaf.len() <= HEADER_BYTES_MAX);
        prop_assert_eq!(&EventHeader::decode(&leaf).unwrap(), &header);

        let heading = Heading::decode(&leaf).unwrap();
        prop_assert_eq!(heading.event_type, header.event_type);
        prop_assert_eq!(&heading.subject, &header.subject);
        prop_assert_eq!(heading.time, header.time);
        prop_assert_eq!(heading.position, header.position);
        prop_assert_eq!(&heading.partner, &header.partner);
        prop_assert_eq!(&heading.party, &header.party);
        prop_assert_eq!(heading.effective, header.effective);

        let name = header.event_type.name();
        prop_assert_eq!(event_name_of(&leaf), Some(name));

        let parsed = LeafHeader::parse(&leaf).unwrap();
        prop_assert_eq!(parsed.event_name(), Some(name));
        prop_assert_eq!(parsed.id, header.id.to_string());
        prop_assert_eq!(parsed.source, format!("ledger/{}", header.ledger));
        prop_assert_eq!(parsed.subject, header.subject.to_string());
        prop_assert_eq!(
            parsed.time,
            header.time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
        );
        prop_assert_eq!(parsed.position, header.position.0);
        prop_assert_eq!(parsed.stream_version, u64::from(header.stream_version.0));
        prop_assert_eq!(parsed.partner, header.partner.as_str());
        prop_assert_eq!(parsed.party, header.party.as_str());
        prop_assert_eq!(
            parsed.causation_id.map(str::to_owned),
            header.causation_id.map(|id| id.to_string())
        );
        let hex = |digest: [u8; 32]| ledger_proof::hash_to_hex(&ledger_proof::Hash(digest));
        prop_assert_eq!(parsed.submission.map(str::to_owned), header.submission.map(hex));
        prop_assert_eq!(parsed.submission_index, header.submission_index.map(u64::from));
        prop_assert_eq!(
            parsed.effective.map(str::to_owned),
            header.effective.map(|date| date.to_string())
        );
        prop_assert_eq!(parsed.rules_number(), Ok(u64::from(header.rules_version)));
        prop_assert_eq!(parsed.data_digest, header.data_digest);
        prop_assert_eq!(parsed.outline_digest, header.outline_digest);
    }

    #[test]
    fn what_one_strict_reader_of_a_leaf_refuses_the_other_refuses(
        header in header(),
        at in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut leaf = header.encode();
        let at = at.index(leaf.len());
        leaf[at] = byte;
        // The domain knows the forms of ids too, so that it refuses more; it never takes what the verifier refuses.
        if let Ok(read) = EventHeader::decode(&leaf) {
            prop_assert_eq!(read.encode(), leaf.clone());
            prop_assert!(LeafHeader::parse(&leaf).is_ok());
        }
        prop_assert!(EventHeader::decode(&leaf[..at]).is_err());
        prop_assert!(LeafHeader::parse(&leaf[..at]).is_err());
    }
}
