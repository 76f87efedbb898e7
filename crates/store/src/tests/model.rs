//! A log that is appended to, closed, crashed and robbed of sled in any order against the story it tells.

use super::basics::check_lookups;
use super::support::*;
use crate::disk::sim::{Crash, Operation, Outcome};
use ledger_proof::Frontier;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Append(u64),
    Reopen,
    /// A sync fails, the power goes, and so many unsynced bytes had reached the disk.
    Crash(usize),
    LoseShards,
    LoseIndex,
    SignHead,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1u64..400).prop_map(Step::Append),
        2 => (1u64..4).prop_map(Step::Append),
        1 => Just(Step::Reopen),
        2 => (0usize..60_000).prop_map(Step::Crash),
        1 => Just(Step::LoseShards),
        1 => Just(Step::LoseIndex),
        1 => Just(Step::SignHead),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_every_acknowledged_event_is_there_and_found(steps in proptest::collection::vec(step(), 1..14)) {
        let rig = Rig::new();
        let (mut log, mut appender, _) = rig.open();
        let mut acknowledged = 0;
        for step in steps {
            match step {
                Step::Append(count) => {
                    appender.append(&group(acknowledged, count)).unwrap();
                    acknowledged += count;
                    continue;
                }
                Step::SignHead => {
                    prop_assert_eq!(log.sign_head().unwrap().head().size, acknowledged);
                    continue;
                }
                Step::Crash(kept) => {
                    rig.disk.fail_nth(Operation::Sync, 1, Outcome::Persisted);
                    drop(appender.append(&group(acknowledged, 150)).unwrap_err());
                    drop((log, appender));
                    // Half of the frame's bytes may be on the disk: put the end of it back to zero.
                    tear(&rig, acknowledged, kept);
                }
                Step::Reopen => drop((log, appender)),
                Step::LoseShards => {
                    drop((log, appender));
                    for n in 0..9 {
                        drop(std::fs::remove_dir_all(rig.dir.path().join(format!("log/{n:06}"))));
                    }
                }
                Step::LoseIndex => {
                    drop((log, appender));
                    drop(std::fs::remove_dir_all(rig.dir.path().join("log/index")));
                }
            }
            rig.disk.crash(Crash::DropUnsynced);
            let (opened, writer, recovery) = rig.open();
            (log, appender) = (opened, writer);
            prop_assert!(recovery.tree_size >= acknowledged);
            acknowledged = recovery.tree_size;
            let mut frontier = Frontier::new();
            frontier.extend((0..acknowledged).map(|n| record(n, &sample(n)).keys.leaf));
            prop_assert_eq!(log.core().root_at(acknowledged).unwrap(), frontier.root());
            prop_assert_eq!(&frontier, appender.frontier());
        }
        check_lookups(&log, acknowledged);
    }
}

/// Cuts the frame that was never acknowledged so that `kept` bytes of it stay, if it is longer. The sync that failed may have
/// been that of a new segment's header: then there is no such frame.
fn tear(rig: &Rig, acknowledged: u64, kept: usize) {
    use crate::journal::frame::{FrameHeader, SEGMENT_HEADER_LEN};
    let segments = crate::journal::recover::segments(&rig.disk).unwrap();
    let path = crate::journal::Segment::path(segments.last().unwrap().first_position);
    let mut bytes = rig.disk.bytes(&path).unwrap();
    let (mut at, mut last) = (SEGMENT_HEADER_LEN, None);
    while let Some(header) = FrameHeader::decode(&bytes[at..]) {
        last = (header.first_position == acknowledged).then_some(at);
        at += usize::try_from(header.frame_len()).unwrap();
    }
    if let Some(last) = last.filter(|last| last + kept < at) {
        bytes[last + kept..].fill(0);
        rig.disk.set_bytes(&path, bytes);
    }
}
