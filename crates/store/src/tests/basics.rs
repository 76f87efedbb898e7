//! Appending, reading, finding, and opening again.

use super::support::*;
use crate::{CommandKey, Found, Kept, Log, NewSubmission, OpenError, ReadError, SubmittedCommand};
use bytes::Bytes;
use ledger_proof::block::{Content, Decoder};
use ledger_proof::{Frontier, sha256};
use std::time::Duration;

/// Everything a reader can ask of the first `size` events of the story, against the story itself.
pub(super) fn check_story(log: &Log, size: u64) {
    assert_eq!(log.tree_size(), size);
    let mut decoder = Decoder::default();
    let mut at = 0;
    let mut frontier = Frontier::new();
    while at < size {
        let (block, next) = log.stored_blocks(at..u64::MAX, 1).unwrap();
        assert_eq!(log.read_block(next - 1).unwrap(), block);
        for event in &decoder.events(&block).unwrap() {
            let event = event.unwrap();
            let expected = record(event.position, &sample(event.position));
            assert_eq!(event.header, expected.header);
            assert_eq!(
                event.content,
                Content::Present {
                    salt: &expected.salt,
                    data: &expected.data
                }
            );
            assert_eq!(event.position, at);
            frontier.push(expected.keys.leaf);
            at += 1;
        }
    }
    assert_eq!(log.core().root_at(size).unwrap(), frontier.root());
    check_lookups(log, size);
}

pub(super) fn check_lookups(log: &Log, size: u64) {
    let with = |wanted: &dyn Fn(&Sample) -> bool| -> Vec<u64> {
        (0..size).filter(|n| wanted(&sample(*n))).collect()
    };
    for n in 0..size {
        let command = sample(n).command;
        let own: Vec<u64> = [n.wrapping_sub(1), n, n + 1]
            .into_iter()
            .filter(|m| *m < size && sample(*m).command == command)
            .collect();
        let found = log.find_command(&CommandKey::new("ken", command)).unwrap();
        let events = u32::try_from(own.len()).unwrap();
        assert_eq!(
            found,
            Some(Found {
                first_position: own[0],
                events
            }),
            "command of {n}"
        );
    }
    for n in [0, 1, 4, 9, 16, 31, 37, 44] {
        let id = commitment(n);
        let expected = with(&|sample| sample.commitment == Some(id));
        assert_eq!(
            log.commitment_positions(&id, 0, usize::MAX).unwrap(),
            expected
        );
        let from = size / 3;
        let later: Vec<u64> = expected
            .into_iter()
            .filter(|p| *p >= from)
            .take(5)
            .collect();
        assert_eq!(log.commitment_positions(&id, from, 5).unwrap(), later);
    }
    for country in ["KEN", "CHE", "BRA", "UGA"] {
        let expected = with(&|sample| sample.route.starts_with(country));
        assert_eq!(
            log.country_positions(country, 0, usize::MAX).unwrap(),
            expected
        );
    }
    for action in ["GCM-01", "GCM-05a", "GCM-10", "GCM-05"] {
        let listed = |sample: &Sample| sample.route.split(['|', ',']).any(|part| part == action);
        assert_eq!(
            log.action_positions(action, 0, usize::MAX).unwrap(),
            with(&listed)
        );
    }
    assert_eq!(
        log.reference_positions().unwrap(),
        with(&|sample| sample.commitment.is_none())
    );
    assert_eq!(
        log.find_command(&CommandKey::new("che", sample(1).command))
            .unwrap(),
        None
    );
}

#[test]
fn what_was_appended_is_read_and_found_at_once_and_after_opening_again() {
    let rig = Rig::new();
    let (log, mut appender, recovery) = rig.open();
    assert_eq!(recovery.tree_size, 0);
    let mut size = 0;
    for count in [1, 3, 200, 130, 700, 1, 1, 40, 999] {
        let after = appender.append(&group(size, count)).unwrap();
        size += count;
        assert_eq!(after.tree_size, size);
        assert_eq!(log.core().root_at(size).unwrap(), after.root);
        check_lookups(&log, size);
    }
    check_story(&log, size);
    drop((log, appender));
    let (log, mut appender, recovery) = rig.open();
    assert_eq!(
        (
            recovery.tree_size,
            recovery.cut_bytes,
            recovery.rebuilt.len()
        ),
        (size, None, 0)
    );
    check_story(&log, size);
    fill(&mut appender, size + 300, 50);
    check_story(&log, size + 300);
}

#[test]
fn every_earlier_root_can_be_named() {
    let rig = Rig::new();
    let (log, mut appender, _) = rig.open();
    fill(&mut appender, 900, 37);
    drop((log, appender));
    let (log, _appender, _) = rig.open();
    let mut frontier = Frontier::new();
    for n in 0..900 {
        assert_eq!(log.core().root_at(n).unwrap(), frontier.root(), "{n}");
        frontier.push(record(n, &sample(n)).keys.leaf);
    }
    assert!(matches!(
        log.core().root_at(901),
        Err(ReadError::Beyond { .. })
    ));
    assert!(matches!(log.read_block(900), Err(ReadError::Beyond { .. })));
}

#[test]
fn a_group_that_contradicts_itself_is_refused_and_the_log_goes_on() {
    let rig = Rig::new();
    let (log, mut appender, _) = rig.open();
    assert!(appender.append(&group(5, 2)).is_err());
    let mut late = group(0, 3);
    late.submissions[0].commands[0].first_event = 9;
    assert!(appender.append(&late).is_err());
    fill(&mut appender, 10, 10);
    check_story(&log, 10);
}

#[test]
fn a_submission_comes_back_whole_with_digests_of_what_was_refused() {
    let rig = Rig::new();
    let (log, mut appender, _) = rig.open();
    fill(&mut appender, 100, 33);
    let mut submitted = group(100, 400);
    let refused = |text: &'static str| SubmittedCommand {
        bytes: Bytes::from(text),
        first_event: 0,
        events: 0,
    };
    submitted.submissions[0].signature = Some("UKEY.c2ln".to_owned());
    submitted.submissions[0]
        .commands
        .insert(0, refused("first"));
    submitted.submissions[0]
        .commands
        .insert(50, refused("middle"));
    submitted.submissions[0].commands.push(refused("last"));
    let expected = submitted.submissions[0].commands.clone();
    submitted.submissions.push(NewSubmission {
        partner: "che".to_owned(),
        signature: None,
        commands: vec![refused("alone")],
    });
    appender.append(&submitted).unwrap();
    fill(&mut appender, 600, 20);
    for position in [100, 101, 250, 499] {
        let found = log.submission_of(position).unwrap().unwrap();
        assert_eq!(
            (
                found.first_position,
                found.partner.as_str(),
                found.signature.as_deref()
            ),
            (100, "ken", Some("UKEY.c2ln"))
        );
        assert_eq!(found.commands.len(), expected.len());
        for (command, expected) in found.commands.iter().zip(&expected) {
            if expected.events == 0 {
                assert_eq!(
                    (&command.command, command.found),
                    (&Kept::Digest(sha256(&expected.bytes)), None)
                );
            } else {
                assert_eq!(command.command, Kept::Bytes(expected.bytes.to_vec()));
                let place = Found {
                    first_position: 100 + u64::from(expected.first_event),
                    events: expected.events.into(),
                };
                assert_eq!(command.found, Some(place));
            }
        }
    }
    for n in [0, 99, 100, 499, 500, 599] {
        let bytes = command_bytes(sample(n).command).to_vec();
        assert_eq!(log.command_of(n).unwrap(), Some(Kept::Bytes(bytes)), "{n}");
    }
}

#[test]
fn an_event_of_no_submission_has_none() {
    let rig = Rig::new();
    let (log, mut appender, _) = rig.open();
    let mut opening = group(0, 1);
    opening.submissions.clear();
    appender.append(&opening).unwrap();
    assert_eq!(log.submission_of(0).unwrap(), None);
}

#[test]
fn stored_blocks_are_handed_out_as_they_are() {
    let rig = Rig::new();
    let (log, mut appender, _) = rig.open();
    fill(&mut appender, 700, 90);
    let (bytes, next) = log.stored_blocks(0..u64::MAX, usize::MAX).unwrap();
    assert_eq!(next, 700);
    let mut at = 0;
    for block in ledger_proof::block::blocks(&bytes) {
        let block = block.unwrap();
        assert_eq!(log.read_block(at).unwrap(), block);
        at = ledger_proof::block::verify(block).unwrap().end_position();
    }
    for (range, max_bytes) in [(200..700, 1), (200..201, usize::MAX)] {
        let (one, next) = log.stored_blocks(range, max_bytes).unwrap();
        let block = ledger_proof::block::verify(&one).unwrap();
        assert_eq!(block.end_position(), next);
        assert!((block.first_position..next).contains(&200));
    }
    for nothing in [700..u64::MAX, 200..200] {
        let from = nothing.start;
        let (bytes, next) = log.stored_blocks(nothing, usize::MAX).unwrap();
        assert!(bytes.is_empty());
        assert_eq!(next, from);
    }
}

#[test]
fn a_second_opening_is_told_that_the_directory_is_in_use() {
    let rig = Rig::new();
    let (log, appender, _) = rig.open();
    assert!(matches!(rig.try_open(), Err(OpenError::Locked { .. })));
    drop((log, appender));
    assert!(rig.try_open().is_ok());
}

#[test]
fn a_signed_head_names_the_synced_root_and_survives() {
    let rig = Rig::new();
    let (log, mut appender, _) = rig.open();
    fill(&mut appender, 333, 50);
    assert!(log.signed_tree_head().is_none());
    let head = log.sign_head().unwrap();
    assert_eq!(
        (head.head().size, head.head().root),
        (333, log.core().root_at(333).unwrap())
    );
    head.verify(log.key().verifier_key()).unwrap();
    fill(&mut appender, 400, 50);
    assert_eq!(log.signed_tree_head(), Some(head.clone()));
    drop((log, appender));
    let (log, _appender, _) = rig.open();
    assert_eq!(log.signed_tree_head(), Some(head));
    assert_eq!(log.sign_head().unwrap().head().size, 400);
}

#[test]
fn nothing_that_is_appended_waits_for_a_head_to_be_written() {
    let rig = Rig::new();
    let (log, mut appender, _) = rig.open();
    fill(&mut appender, 10, 10);
    let writing = rig.disk.hold_next_rename();
    let signing = std::thread::spawn({
        let log = log.clone();
        move || log.sign_head()
    });
    writing.wait();
    let (sender, done) = std::sync::mpsc::channel();
    let appending = std::thread::spawn(move || {
        fill(&mut appender, 20, 10);
        sender.send(appender).unwrap();
    });
    let in_time = done.recv_timeout(Duration::from_mins(1));
    let shown = log.signed_tree_head();
    writing.wait();
    assert_eq!(signing.join().unwrap().unwrap().head().size, 10);
    appending.join().unwrap();
    assert!(in_time.is_ok(), "the append waited for the head");
    assert!(shown.is_none(), "a head was shown before it was durable");
    assert_eq!(log.sign_head().unwrap().head().size, 20);
}
