//! What the journal does when the disk fails it. Each fault has a control that shows that it happened.

use super::basics::check_story;
use super::support::*;
use crate::core::held;
use crate::disk::sim::{Crash, Operation, Outcome, SimDisk};
use crate::journal::Segment;
use crate::journal::frame::{FRAME_HEADER_LEN, SEGMENT_HEADER_LEN};
use crate::journal::recover::recover;
use crate::{AppendError, Damage, OpenError, Witness};
use std::ops::ControlFlow;
use std::time::Duration;

/// A log of `size` events whose newest segment is the first, closed.
fn one_segment(size: u64, step: u64) -> Rig {
    let rig = Rig::new();
    let (log, mut appender, _) = rig.open();
    fill(&mut appender, size, step);
    drop((log, appender));
    rig
}

/// Where the frames of a segment start, and where the last one ends.
fn frames(disk: &SimDisk, segment: u64) -> Vec<usize> {
    let bytes = disk.bytes(&Segment::path(segment)).unwrap();
    let mut starts = vec![SEGMENT_HEADER_LEN];
    loop {
        let at = *starts.last().unwrap();
        let Some(header) = crate::journal::frame::FrameHeader::decode(&bytes[at..]) else {
            return starts;
        };
        starts.push(at + usize::try_from(header.frame_len()).unwrap());
    }
}

#[test]
fn a_last_frame_cut_at_any_byte_is_cut_and_said() {
    let rig = one_segment(12, 4);
    let path = Segment::path(0);
    let whole = rig.disk.bytes(&path).unwrap();
    let starts = frames(&rig.disk, 0);
    assert_eq!(starts.len(), 4);
    let (last, end) = (starts[2], starts[3]);
    for cut in last..=end {
        let mut torn = whole.clone();
        torn[cut..].fill(0);
        let disk = rig.disk.fork();
        disk.set_bytes(&path, torn.clone());
        let found = recover(&disk).unwrap().unwrap();
        // A frame that ends in zeroes is whole without them.
        let is_whole = torn[last..] == whole[last..];
        assert_eq!(
            found.frontier.size(),
            if is_whole { 12 } else { 8 },
            "cut at {cut}"
        );
        let bytes_left = torn[last..].iter().any(|byte| *byte != 0);
        assert_eq!(
            found.torn.is_some(),
            bytes_left && !is_whole,
            "cut at {cut}"
        );
    }
    for cut in [
        last + 1,
        last + FRAME_HEADER_LEN,
        last + FRAME_HEADER_LEN + 9,
        end - 1,
    ] {
        let mut torn = whole.clone();
        torn[cut..].fill(0);
        let other = rig.transplant(rig.disk.fork());
        other.disk.set_bytes(&path, torn);
        let (log, mut appender, recovery) = other.open();
        assert!(recovery.cut_bytes.is_some());
        check_story(&log, 8);
        fill(&mut appender, 30, 5);
        check_story(&log, 30);
        drop((log, appender));
        let (log, _appender, recovery) = other.open();
        assert_eq!(recovery.cut_bytes, None);
        check_story(&log, 30);
    }
}

#[test]
fn a_last_frame_whose_pages_came_out_of_order_is_cut() {
    let rig = one_segment(12, 4);
    let path = Segment::path(0);
    let starts = frames(&rig.disk, 0);
    for gap in [
        starts[2]..starts[2] + 1,
        starts[2]..starts[2] + FRAME_HEADER_LEN,
        starts[2] + 200..starts[2] + 300,
    ] {
        let disk = rig.disk.fork();
        let mut bytes = disk.bytes(&path).unwrap();
        bytes[gap].fill(0);
        disk.set_bytes(&path, bytes);
        let found = recover(&disk).unwrap().unwrap();
        assert_eq!((found.frontier.size(), found.torn.is_some()), (8, true));
    }
}

#[test]
fn a_torn_frame_that_sled_or_the_caller_knows_whole_is_damage() {
    let rig = one_segment(12, 4);
    let path = Segment::path(0);
    let last = frames(&rig.disk, 0)[2];
    let mut torn = rig.disk.bytes(&path).unwrap();
    torn[last + 140..].fill(0);
    rig.disk.set_bytes(&path, torn.clone());
    let shorter = |known, witness| {
        (
            8,
            Damage::Shorter {
                journal: 8,
                known,
                witness,
            },
        )
    };
    assert_eq!(rig.damage(), shorter(12, Witness::Blocks));
    let other = rig.transplant(rig.disk.fork());
    let options = crate::Options {
        witnessed_size: 11,
        ..other.options()
    };
    let refused = crate::Log::open(options).map(drop);
    assert!(matches!(
        refused,
        Err(OpenError::Damaged {
            position: 8,
            what: Damage::Shorter {
                known: 11,
                witness: Witness::Caller,
                ..
            },
            ..
        })
    ));
    assert_eq!(
        other.disk.bytes(&path),
        Some(torn),
        "a refused opening changes nothing"
    );
    assert_eq!(other.open().0.tree_size(), 8);
}

#[test]
fn nothing_is_made_where_the_caller_knows_of_a_log_that_is_gone() {
    let rig = Rig::new();
    let known = |dir: std::path::PathBuf, witnessed_size| crate::Options {
        dir,
        witnessed_size,
        ..rig.options()
    };
    for dir in [rig.dir.path().to_owned(), rig.dir.path().join("missing")] {
        let refused = crate::Log::open(known(dir, 5)).map(drop);
        assert!(matches!(
            refused,
            Err(OpenError::Damaged {
                position: 0,
                what: Damage::Shorter { known: 5, .. },
                ..
            })
        ));
        assert_eq!(std::fs::read_dir(rig.dir.path()).unwrap().count(), 0);
    }
    let (log, _, _) = crate::Log::open(known(rig.dir.path().to_owned(), 0)).unwrap();
    assert_eq!(log.tree_size(), 0, "a new log is made where none was known");
}

#[test]
fn a_stored_head_of_a_longer_log_is_proof_of_damage() {
    let rig = Rig::new();
    let (log, mut appender, _) = rig.open();
    fill(&mut appender, 8, 4);
    let earlier = rig.disk.fork();
    fill(&mut appender, 12, 4);
    log.sign_head().unwrap();
    earlier.set_bytes("head", rig.disk.bytes("head").unwrap());
    let other = rig.transplant(earlier.fork());
    assert_eq!(
        other.damage(),
        (
            8,
            Damage::Shorter {
                journal: 8,
                known: 12,
                witness: Witness::Head
            }
        )
    );
    earlier.remove_head();
    assert_eq!(rig.transplant(earlier).open().0.tree_size(), 8);
}

#[test]
fn a_head_that_is_damaged_or_names_another_root_stops_the_log() {
    let rig = Rig::new();
    let (log, mut appender, _) = rig.open();
    fill(&mut appender, 8, 4);
    log.sign_head().unwrap();
    let mut bytes = rig.disk.bytes("head").unwrap();
    let foreign =
        ledger_proof::SignedTreeHead::sign(8, ledger_proof::Hash([7; 32]), log.key()).unwrap();
    drop((log, appender));
    let middle = bytes.len() / 3;
    bytes[middle] ^= 1;
    rig.disk.set_bytes("head", bytes);
    assert!(matches!(rig.try_open(), Err(OpenError::File { .. })));
    rig.disk.set_bytes("head", foreign.as_bytes().to_vec());
    assert_eq!(rig.damage(), (8, Damage::HeadRoot { size: 8 }));
}

#[test]
fn a_head_that_is_no_head_is_named_with_what_helps_and_no_position_is_blamed() {
    let rig = Rig::new();
    let (log, mut appender, _) = rig.open();
    fill(&mut appender, 8, 4);
    log.sign_head().unwrap();
    let own = rig.disk.bytes("head").unwrap();
    let other = ledger_proof::LedgerKey::from_seed("test", [9; 32]).unwrap();
    let foreign = ledger_proof::SignedTreeHead::sign(8, ledger_proof::Hash([7; 32]), &other);
    drop((log, appender));
    let half = own[..own.len() / 2].to_vec();
    for (bytes, said) in [
        (Vec::new(), "is empty"),
        (vec![0; own.len()], "is empty"),
        (half, "is damaged"),
        (b"\xff\xfe not text".to_vec(), "is damaged"),
        (foreign.unwrap().as_bytes().to_vec(), "another ledger's"),
    ] {
        rig.disk.set_bytes("head", bytes);
        let refused = rig.try_open().unwrap_err().to_string();
        let path = rig.dir.path().join("head").display().to_string();
        for part in [path.as_str(), said, "move it away"] {
            assert!(refused.contains(part), "{part}: {refused}");
        }
        assert!(!refused.contains("position"), "{refused}");
        let report =
            crate::scrub(&rig.options(), &rig.key(), |_, _| ControlFlow::Continue(())).unwrap();
        assert!(!report.is_sound(), "{report:?}");
        assert!(report.files.concat().contains(said), "{report:?}");
    }
    rig.disk.remove_head();
    let (log, _appender, _) = rig.open();
    assert_eq!(
        log.sign_head().unwrap().as_bytes(),
        own,
        "it signs the same again"
    );
}

#[test]
fn a_key_that_is_no_key_is_named_with_what_helps_and_says_nothing_of_what_is_in_it() {
    let rig = one_segment(4, 4);
    let path = rig.dir.path().join("ledger.key");
    let own = std::fs::read(&path).unwrap();
    let half = own[..own.len() / 2].to_vec();
    for (bytes, said) in [
        (Vec::new(), "is empty"),
        (b"\n".to_vec(), "is empty"),
        (half, "holds no ledger's key"),
        (vec![0xff; 100], "holds no ledger's key"),
        (b"PRIVATE+KEY+secret+name".to_vec(), "holds no ledger's key"),
    ] {
        std::fs::write(&path, &bytes).unwrap();
        let refused = rig.try_open().unwrap_err().to_string();
        for part in ["ledger.key", said, "put this ledger's own key back"] {
            assert!(refused.contains(part), "{part}: {refused}");
        }
        assert!(!refused.contains("secret"), "{refused}");
    }
    std::fs::write(&path, own).unwrap();
    rig.open();
    let unborn = Rig::new();
    std::fs::write(unborn.dir.path().join("ledger.key"), "").unwrap();
    let refused = unborn.try_open().unwrap_err().to_string();
    assert!(refused.contains("remove the file"), "{refused}");
}

#[test]
fn whatever_lies_in_the_place_of_a_file_is_named() {
    for name in ["LOCK", "ledger.key"] {
        let rig = one_segment(4, 4);
        let path = rig.dir.path().join(name);
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        let refused = rig.try_open().unwrap_err().to_string();
        assert!(refused.contains(&path.display().to_string()), "{refused}");
    }
    let dir = tempfile::tempdir().unwrap();
    let options = || crate::Options {
        free_floor_bytes: 0,
        ..crate::Options::new(dir.path(), "test")
    };
    drop(crate::Log::open(options()).unwrap());
    std::fs::create_dir(dir.path().join("head")).unwrap();
    let refused = crate::Log::open(options()).unwrap_err().to_string();
    let path = dir.path().join("head").display().to_string();
    assert!(refused.contains(&path), "{refused}");
}

#[test]
fn a_head_of_another_root_stops_an_opening_before_anything_is_changed() {
    let rig = one_segment(12, 4);
    let key = rig.open().0.key().clone();
    let path = Segment::path(0);
    let last = frames(&rig.disk, 0)[2];
    let mut torn = rig.disk.bytes(&path).unwrap();
    torn[last + 140..].fill(0);
    rig.disk.set_bytes(&path, torn.clone());
    for size in [4, 8] {
        let other = rig.transplant(rig.disk.fork());
        let foreign =
            ledger_proof::SignedTreeHead::sign(size, ledger_proof::Hash([7; 32]), &key).unwrap();
        other.disk.set_bytes("head", foreign.as_bytes().to_vec());
        assert_eq!(other.damage(), (size, Damage::HeadRoot { size }));
        assert!(other.disk.bytes(&path).as_ref() == Some(&torn), "{size}");
        assert!(!other.dir.path().join("log").exists(), "{size}");
    }
}

#[test]
fn a_flipped_bit_before_the_last_frame_stops_the_service_and_is_named() {
    let rig = one_segment(16, 4);
    let path = Segment::path(0);
    let sound = rig.disk.bytes(&path).unwrap();
    let starts = frames(&rig.disk, 0);
    assert_eq!(recover(&rig.disk).unwrap().unwrap().frontier.size(), 16);
    for (n, frame) in starts.windows(2).take(3).enumerate() {
        for at in frame[0]..frame[1] {
            let disk = rig.disk.fork();
            let mut bytes = sound.clone();
            bytes[at] ^= 1 << (at % 8);
            disk.set_bytes(&path, bytes);
            match recover(&disk) {
                Err(OpenError::Damaged { position, what, .. }) => {
                    assert_eq!(position, 4 * n as u64, "byte {at}");
                    let in_header = at < frame[0] + FRAME_HEADER_LEN;
                    assert_eq!(
                        matches!(what, Damage::FrameHeader { .. }),
                        in_header,
                        "byte {at}: {what:?}"
                    );
                }
                other => panic!("byte {at} gave {other:?}"),
            }
        }
    }
    for at in (0..SEGMENT_HEADER_LEN).step_by(61) {
        let disk = rig.disk.fork();
        let mut bytes = sound.clone();
        bytes[at] ^= 4;
        disk.set_bytes(&path, bytes);
        assert!(matches!(
            recover(&disk),
            Err(OpenError::Damaged {
                position: 0,
                what: Damage::SegmentHeader { .. },
                ..
            })
        ));
    }
}

#[test]
fn a_missing_first_segment_is_named() {
    let rig = Rig::new();
    let (log, mut appender, _) = rig.open();
    fill(&mut appender, 400, 20);
    drop((log, appender));
    crate::disk::Disk::remove(&rig.disk, &Segment::path(0)).unwrap();
    assert!(matches!(rig.damage(), (0, Damage::SegmentMissing { .. })));
}

/// Fails one operation of an append and looks at what becomes of the log.
fn poisoning(operation: Operation, outcome: Outcome, crash: Crash) -> u64 {
    let rig = Rig::new();
    let (log, mut appender, _) = rig.open();
    fill(&mut appender, 30, 10);
    rig.disk.fail_nth(operation, 1, outcome);
    let refused = appender.append(&group(30, 10));
    assert!(matches!(refused, Err(AppendError::Poisoned { .. })));
    assert_eq!(rig.disk.fired(), 1);
    let writes = rig.disk.counts();
    assert!(matches!(
        appender.append(&group(30, 10)),
        Err(AppendError::Poisoned { .. })
    ));
    assert_eq!(
        rig.disk.counts(),
        writes,
        "a poisoned log touches the disk no more"
    );
    check_story(&log, 30);
    drop((log, appender));
    rig.disk.crash(crash);
    let (log, mut appender, recovery) = rig.open();
    check_story(&log, recovery.tree_size);
    let found = recovery.tree_size;
    fill(&mut appender, 60, 7);
    check_story(&log, 60);
    found
}

#[test]
fn a_failed_write_or_sync_poisons_and_acknowledges_nothing() {
    for operation in [Operation::Write, Operation::Sync] {
        assert_eq!(poisoning(operation, Outcome::Lost, Crash::DropUnsynced), 30);
        assert_eq!(
            poisoning(operation, Outcome::Persisted, Crash::DropUnsynced),
            40
        );
    }
}

#[test]
fn poison_comes_before_or_after_an_append_decides_to_wait_and_never_between() {
    let rig = Rig::new();
    let (log, _appender, _) = rig.open();
    // As an append holds it from looking for poison until it waits.
    let overlay = held(&log.core().overlay);
    let poisoning = std::thread::spawn({
        let log = log.clone();
        move || log.core().poison("testing", String::new())
    });
    std::thread::sleep(Duration::from_millis(200));
    let told = poisoning.is_finished();
    drop(overlay);
    poisoning.join().unwrap();
    assert!(log.core().poisoned().is_some());
    assert!(!told, "who is about to wait was not told");
}

#[test]
fn a_power_loss_keeps_every_acknowledged_group() {
    let rig = Rig::new();
    let (log, mut appender, _) = rig.open();
    fill(&mut appender, 500, 23);
    drop((log, appender));
    assert_eq!(rig.disk.unsynced_bytes(), 0);
    rig.disk.crash(Crash::DropUnsynced);
    let (log, _appender, recovery) = rig.open();
    assert_eq!(recovery.cut_bytes, None);
    check_story(&log, 500);
}

#[test]
fn below_the_floor_commands_are_refused_and_reads_go_on() {
    let rig = Rig::new();
    let (log, mut appender, _) = rig.open();
    fill(&mut appender, 100, 10);
    rig.disk.set_free(1000);
    let before = rig.disk.counts();
    for _ in 0..3 {
        let refused = appender.append(&group(100, 10));
        assert!(matches!(
            refused,
            Err(AppendError::NoSpace { free: 1000, .. })
        ));
    }
    assert_eq!(rig.disk.counts(), before, "nothing was written");
    check_story(&log, 100);
    rig.disk.set_free(1 << 30);
    fill(&mut appender, 200, 10);
    check_story(&log, 200);
    drop((log, appender));
}

#[test]
fn below_the_floor_a_log_is_opened_for_its_readers_and_goes_on_when_there_is_room() {
    let rig = Rig::new();
    let (log, mut appender, _) = rig.open();
    fill(&mut appender, 100, 10);
    drop((log, appender));
    rig.disk.set_free(1000);
    let (log, mut appender, _) = rig.open();
    check_story(&log, 100);
    let refused = appender.append(&group(100, 10));
    assert!(matches!(
        refused,
        Err(AppendError::NoSpace { free: 1000, .. })
    ));
    rig.disk.set_free(1 << 30);
    fill(&mut appender, 600, 10);
    check_story(&log, 600);
}

#[test]
fn below_the_floor_no_log_is_begun_and_it_is_said_where_and_by_which_option() {
    let rig = Rig::new();
    rig.disk.set_free(1000);
    let refused = rig.try_open().unwrap_err();
    assert!(matches!(refused, OpenError::NoSpace { free: 1000, .. }));
    let (said, dir) = (refused.to_string(), rig.dir.path().display().to_string());
    assert!(said.contains(&dir), "{said}");
    assert!(said.contains("--free-space-floor-mib"), "{said}");
}

#[test]
fn no_room_for_the_next_segment_is_a_clean_refusal() {
    let rig = Rig::new();
    let (log, mut appender, _) = rig.open();
    fill(&mut appender, 20, 10);
    // The spare being prepared already succeeds; the one after it does not.
    let mut refused = 0;
    let mut at = 20;
    rig.disk.fail_nth(Operation::Create, 1, Outcome::Lost);
    while at < 600 {
        match appender.append(&group(at, 10)) {
            Ok(_) => at += 10,
            Err(AppendError::NoSpace { .. }) => refused += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((refused, rig.disk.fired()), (1, 1));
    check_story(&log, 600);
}

#[test]
fn a_group_larger_than_a_segment_gets_one_of_its_own() {
    let rig = Rig::new();
    let (log, mut appender, _) = rig.open();
    fill(&mut appender, 50, 50);
    let mut large = group(50, 1);
    large.records[0].data = (0..200_000u32)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    appender.append(&large).unwrap();
    fill(&mut appender, 100, 10);
    drop((log, appender));
    let (log, _appender, _) = rig.open();
    assert_eq!(log.tree_size(), 100);
    assert!(log.read_block(50).unwrap().len() > 500_000);
    assert!(rig.disk.bytes(&Segment::path(50)).unwrap().len() > 500_000);
}

#[test]
fn a_log_without_its_key_is_not_opened() {
    let rig = one_segment(4, 4);
    std::fs::remove_file(rig.dir.path().join("ledger.key")).unwrap();
    assert!(matches!(rig.try_open(), Err(OpenError::Key { .. })));
}

impl SimDisk {
    fn remove_head(&self) {
        crate::disk::Disk::remove(self, "head").unwrap();
    }
}
