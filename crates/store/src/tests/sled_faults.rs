//! What becomes of damage to sled's files: it is healed or rebuilt from the journal, and never served.

use super::basics::{check_lookups, check_story};
use super::support::*;
use std::path::Path;

const SIZE: u64 = 2600;

fn closed_log() -> Rig {
    let rig = Rig::new();
    let (log, mut appender, _) = rig.open();
    fill(&mut appender, SIZE, 170);
    drop((log, appender));
    rig
}

#[test]
fn a_deleted_store_is_rebuilt_equal() {
    let rig = closed_log();
    for name in ["log", "log/index", "log/000000", "log/000001", "log/000002"] {
        let path = rig.dir.path().join(name);
        assert!(path.is_dir(), "{name}");
        std::fs::remove_dir_all(path).unwrap();
        let (log, appender, recovery) = rig.open();
        let indexed_all = recovery.indexed_events == SIZE;
        assert_eq!(
            indexed_all,
            matches!(name, "log" | "log/index"),
            "{name}: {recovery:?}"
        );
        check_story(&log, SIZE);
        drop((log, appender));
        let (log, _appender, recovery) = rig.open();
        assert!(
            recovery.indexed_events < 256 && recovery.fed_blocks == 0,
            "{recovery:?}"
        );
        check_story(&log, SIZE);
    }
}

/// Whether the file no longer begins with the damaged bytes: it was made anew, or healed.
fn sound_again(file: &Path, damaged: &[u8]) -> bool {
    !std::fs::read(file).unwrap().starts_with(damaged)
}

/// Flips bits all over one database file and opens the log on each.
fn flips(name: &str) {
    let rig = closed_log();
    let file = rig.dir.path().join(name).join("db");
    let sound = std::fs::read(&file).unwrap();
    let used = sound.iter().rposition(|byte| *byte != 0).unwrap();
    let places = 12;
    let mut harmed = 0;
    for n in 0..places {
        let at = used * n / places + n;
        let mut bytes = std::fs::read(&file).unwrap();
        let at = at.min(bytes.len() - 1);
        bytes[at] ^= 1 << (n % 8);
        std::fs::write(&file, &bytes).unwrap();
        let (log, appender, recovery) = rig.open();
        check_story(&log, SIZE);
        drop((log, appender));
        assert_eq!(recovery.tree_size, SIZE);
        let fed_again = recovery.fed_blocks > 0 || recovery.indexed_events > SIZE % 256;
        harmed +=
            u32::from(fed_again || !recovery.rebuilt.is_empty() || sound_again(&file, &bytes));
    }
    assert!(harmed > 0, "no flip in {name} did any harm");
}

#[test]
fn a_flipped_bit_in_the_newest_shard_is_never_served() {
    flips("log/000002");
}

#[test]
fn a_flipped_bit_in_an_older_shard_is_never_served() {
    flips("log/000000");
}

#[test]
fn a_flipped_bit_in_the_index_is_never_served() {
    flips("log/index");
}

#[test]
fn a_wrong_or_missing_block_is_healed_from_the_journal() {
    let rig = closed_log();
    let path = rig.dir.path().join("log/000000");
    let blocks_of = |change: &dyn Fn(&sled::Tree)| {
        let db = crate::sledbox::open(&path, 1 << 20).unwrap();
        change(&db.open_tree(FIRST_TREE).unwrap());
        db.flush().unwrap();
    };
    blocks_of(&|blocks| {
        let keys: Vec<_> = blocks.iter().keys().map(Result::unwrap).collect();
        blocks.remove(&keys[2]).unwrap();
        let mut value = blocks.get(&keys[4]).unwrap().unwrap().to_vec();
        value[60] ^= 1;
        blocks.insert(&keys[4], value).unwrap();
        let other = blocks.get(&keys[5]).unwrap().unwrap();
        blocks.insert(&keys[6], other).unwrap();
    });
    let (log, appender, _) = rig.open();
    check_story(&log, SIZE);
    drop((log, appender));
    blocks_of(&|blocks| {
        let mut next = 0;
        for item in blocks {
            let header = ledger_proof::block::verify(&item.unwrap().1).unwrap();
            assert_eq!(header.first_position, next, "healed");
            next = header.end_position();
        }
        assert_eq!(next, 1024);
    });
}

#[test]
fn a_half_made_snapshot_does_not_block_opening() {
    let rig = closed_log();
    for name in ["log/000002", "log/index"] {
        std::fs::write(
            rig.dir
                .path()
                .join(name)
                .join("snap.00000000000000FF.generating"),
            b"half",
        )
        .unwrap();
    }
    let (log, _appender, recovery) = rig.open();
    assert!(recovery.rebuilt.is_empty());
    check_lookups(&log, SIZE);
}

#[test]
fn a_small_cache_serves_the_same() {
    let rig = closed_log();
    let options = crate::Options {
        sled_cache_bytes: 1 << 20,
        ..rig.options()
    };
    let (log, mut appender, _) = crate::Log::open(options).unwrap();
    check_story(&log, SIZE);
    fill(&mut appender, SIZE + 2000, 300);
    check_story(&log, SIZE + 2000);
}

#[test]
fn another_epoch_size_rebuilds_the_index() {
    let rig = closed_log();
    let options = crate::Options {
        epoch_bits: 9,
        ..rig.options()
    };
    // Blocks were cut at other epochs' ends, which are also ends of these smaller ones.
    let (log, _appender, recovery) = crate::Log::open(options).unwrap();
    assert_eq!(recovery.indexed_events, SIZE);
    check_story(&log, SIZE);
}

/// A log of the same ledger with other events, in groups of other sizes.
fn another_log(events: u64) -> Rig {
    let rig = Rig::new();
    let (log, mut appender, _) = rig.open();
    for first in (0..events).step_by(100) {
        let mut group = group(first, 100.min(events - first));
        for record in &mut group.records {
            record.route = "UGA|GCM-23".to_owned();
        }
        appender.append(&group).unwrap();
    }
    drop((log, appender));
    rig
}

#[test]
fn a_block_store_of_another_log_is_never_served() {
    let rig = closed_log();
    let ours = rig.dir.path().join("log");
    for events in [100, SIZE, SIZE + 900] {
        let other = another_log(events);
        std::fs::remove_dir_all(&ours).unwrap();
        std::fs::rename(other.dir.path().join("log"), &ours).unwrap();
        let (log, appender, recovery) = rig.open();
        assert_eq!(recovery.rebuilt, ["log"], "{events}");
        check_story(&log, SIZE);
        drop((log, appender));
        let (_log, _appender, recovery) = rig.open();
        assert!(recovery.rebuilt.is_empty(), "{events}");
    }
}
