use super::*;
use proptest::prelude::*;

fn sample(first: u64, events: u16) -> Vec<u8> {
    let mut builder = BlockBuilder::new(first).unwrap();
    builder.open_part(first, 0, u32::from(events) + 1, "ken", Some("U.sig"));
    builder.push_command(KeptCommand::Digest(&[7; 32]), 0);
    for n in 0..events {
        builder.push_command(KeptCommand::Bytes(format!("command {n}").as_bytes()), 1);
        let data = format!("{{\"n\":{n}}}");
        let content = if n % 3 == 2 {
            Content::Withheld {
                ground: "court_order",
            }
        } else {
            Content::Present {
                salt: &[9; 16],
                data: data.as_bytes(),
            }
        };
        builder.push_event(
            format!("{{\"position\":\"{n}\"}}").as_bytes(),
            content,
            "KEN|GCM-10",
        );
    }
    let mut out = Vec::new();
    builder.finish(&mut out).unwrap();
    out
}

#[test]
fn a_block_gives_back_what_was_put_in() {
    let block = sample(40, 5);
    let contents = Decoder::default().all(&block).unwrap();
    let events: Vec<_> = contents.events().iter().collect::<Result<_, _>>().unwrap();
    assert_eq!(events.len(), 5);
    assert_eq!(events[1].position, 41);
    assert_eq!(events[1].header, b"{\"position\":\"1\"}");
    assert_eq!(
        events[1].content,
        Content::Present {
            salt: &[9; 16],
            data: b"{\"n\":1}"
        }
    );
    assert_eq!(
        events[2].content,
        Content::Withheld {
            ground: "court_order"
        }
    );
    assert_eq!(events[4].route, "KEN|GCM-10");
    let parts = contents.submissions().unwrap();
    assert_eq!(parts.len(), 1);
    assert_eq!(
        (parts[0].total, parts[0].partner, parts[0].signature),
        (6, "ken", Some("U.sig"))
    );
    assert_eq!(parts[0].commands[0].command, KeptCommand::Digest(&[7; 32]));
    assert_eq!(parts[0].commands[0].events, 0);
    assert_eq!(
        parts[0].commands[3].command,
        KeptCommand::Bytes(b"command 2")
    );
    assert_eq!(parts[0].commands[3].first_position, 42);
    let alone = Decoder::default().events(&block).unwrap();
    assert_eq!(alone.iter().collect::<Result<Vec<_>, _>>().unwrap(), events);
}

#[test]
fn every_flipped_bit_is_seen() {
    let block = sample(7, 3);
    assert!(verify(&block).is_ok());
    for index in 0..block.len() {
        for bit in 0..8 {
            let mut damaged = block.clone();
            damaged[index] ^= 1 << bit;
            assert!(verify(&damaged).is_err(), "byte {index} bit {bit}");
        }
    }
}

#[test]
fn every_cut_is_seen() {
    let block = sample(7, 3);
    for len in 0..block.len() {
        assert!(Decoder::default().all(&block[..len]).is_err(), "{len}");
    }
    let mut longer = block;
    longer.push(0);
    assert_eq!(verify(&longer), Err(BlockError::Trailing { extra: 1 }));
}

/// Rewrites the checksum, as one would who wants damage to pass for a block.
fn sealed(mut block: Vec<u8>) -> Vec<u8> {
    let crc = checksum(&block);
    block[28..32].copy_from_slice(&crc.to_le_bytes());
    block
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Decoder::default().all(&bytes).is_err());
    }

    #[test]
    fn hostile_changes_behind_a_right_checksum_never_panic(index in 0usize..120, value: u8, more in 0usize..120) {
        let mut block = sample(1, 4);
        let len = block.len();
        block[index % len] = value;
        block[more % len] ^= value;
        let block = sealed(block);
        if let Ok(contents) = Decoder::default().all(&block) {
            let _events = contents.events().iter().count();
            let _parts = contents.submissions().map(|parts| parts.len());
        }
        if let Ok(events) = Decoder::default().events(&block) {
            let _events = events.iter().count();
        }
    }

    #[test]
    fn hostile_sections_never_panic(section in proptest::collection::vec(any::<u8>(), 0..300)) {
        let events = Events { section_len: section.len(), raw: section.clone(), first_position: 3, count: 20 };
        prop_assert!(events.iter().count() <= 21);
        let contents = Contents { events: Events { raw: section, section_len: 0, first_position: 0, count: 1 } };
        let _parts = contents.submissions().map(|parts| parts.len());
    }

    #[test]
    fn varints_come_back(value: u64) {
        let mut out = Vec::new();
        push_varint(&mut out, value);
        prop_assert_eq!(read_varint(&out), Some((value, &[][..])));
    }
}
