//! A scrub finds every damage and changes nothing.

use super::support::*;
use crate::journal::Segment;
use crate::journal::frame::{FRAME_HEADER_LEN, FrameHeader, SEGMENT_HEADER_LEN};
use crate::{Damage, Fault, Group, Options, ScrubReport, Witness, scrub};
use ledger_proof::{Hash, SignedTreeHead, data_digest, hash_to_hex, leaf_hash};

const SIZE: u64 = 1300;

fn closed_log() -> Rig {
    let rig = Rig::new();
    let (log, mut appender, _) = rig.open();
    fill(&mut appender, SIZE, 40);
    log.sign_head().unwrap();
    drop((log, appender));
    rig
}

fn scrubbed(rig: &Rig) -> ScrubReport {
    scrub(&rig.options(), |_, _| ()).unwrap()
}

fn found(report: &ScrubReport) -> Vec<(u64, Fault)> {
    let findings = report.findings.iter();
    findings
        .map(|finding| (finding.position, finding.what.clone()))
        .collect()
}

#[test]
fn a_sound_log_is_found_sound_live_and_stopped() {
    let rig = closed_log();
    let (log, mut appender, _) = rig.open();
    fill(&mut appender, SIZE + 100, 10);
    let mut last = (0, 0);
    let report = log.scrub(|done, all| last = (done, all));
    assert_eq!(
        (report.findings.clone(), report.tree_size),
        (Vec::new(), SIZE + 100)
    );
    assert_eq!(report.root, Some(log.core().root_at(SIZE + 100).unwrap()));
    assert_eq!(last, (SIZE + 100, SIZE + 100));
    drop((log, appender));
    let stopped = scrubbed(&rig);
    assert!(stopped.is_sound());
    assert_eq!(
        (stopped.root, stopped.epochs),
        (report.root, (SIZE + 100) / 256)
    );
}

#[test]
fn a_directory_in_use_is_not_scrubbed_from_outside() {
    let rig = closed_log();
    let (log, _appender, _) = rig.open();
    assert!(matches!(
        scrub(&rig.options(), |_, _| ()),
        Err(crate::OpenError::Locked { .. })
    ));
    drop(log);
}

#[test]
fn a_flipped_bit_anywhere_in_the_journal_is_found_and_named() {
    let rig = closed_log();
    let segments = crate::journal::recover::segments(&rig.disk).unwrap();
    assert!(segments.len() > 2);
    for segment in &segments {
        let path = Segment::path(segment.first_position);
        let sound = rig.disk.bytes(&path).unwrap();
        let frame = segment
            .frame_header(SEGMENT_HEADER_LEN as u64)
            .unwrap()
            .unwrap();
        for at in [8, 40, 70, 110, FRAME_HEADER_LEN + 3, FRAME_HEADER_LEN + 40] {
            let mut bytes = sound.clone();
            bytes[SEGMENT_HEADER_LEN + at] ^= 2;
            rig.disk.set_bytes(&path, bytes.clone());
            let report = scrubbed(&rig);
            assert_eq!(
                report.findings[0].position, frame.first_position,
                "byte {at}"
            );
            assert!(matches!(
                report.findings[0].what,
                Fault::Journal(Damage::FrameHeader { .. } | Damage::FramePayload { .. })
            ));
            assert_eq!(report.root, None);
            assert_eq!(rig.disk.bytes(&path), Some(bytes), "nothing is repaired");
        }
        rig.disk.set_bytes(&path, sound);
    }
    assert!(scrubbed(&rig).is_sound());
}

#[test]
fn what_sled_lacks_or_holds_wrongly_is_found() {
    let rig = closed_log();
    let change = |name: &str, tree: &[u8], change: &dyn Fn(&sled::Tree)| {
        let db = crate::sledbox::open(&rig.dir.path().join("log").join(name), 1 << 20).unwrap();
        change(&db.open_tree(tree).unwrap());
        db.flush().unwrap();
    };
    let found = |rig: &Rig| found(&scrubbed(rig));
    change("000000", FIRST_TREE, &|blocks| {
        drop(blocks.remove(80u64.to_be_bytes()).unwrap().unwrap());
    });
    assert_eq!(found(&rig), [(80, Fault::BlockMissing)]);
    change("000000", FIRST_TREE, &|blocks| {
        let other = blocks.get(120u64.to_be_bytes()).unwrap().unwrap();
        blocks.insert(80u64.to_be_bytes(), other).unwrap();
    });
    assert_eq!(found(&rig), [(80, Fault::BlockDiffers)]);
    change("index", b"runs", &|runs| {
        let (key, value) = runs
            .scan_prefix(2u32.to_be_bytes())
            .last()
            .unwrap()
            .unwrap();
        let mut value = value.to_vec();
        value[1] ^= 1;
        runs.insert(key, value).unwrap();
    });
    assert_eq!(found(&rig)[1..], [(512, Fault::Index { epoch: 2 })]);
    drop(rig.open());
    std::fs::remove_dir_all(rig.dir.path().join("log")).unwrap();
    let report = scrubbed(&rig);
    assert_eq!((report.findings.clone(), report.unfed), (Vec::new(), SIZE));
    drop(rig.open());
    assert!(
        !rig.dir.path().join("log/000000").exists(),
        "older shards come back when they are read"
    );
    assert!(found(&rig).contains(&(0, Fault::BlockMissing)));
}

#[test]
fn an_empty_newest_shard_does_not_hide_damage_in_the_one_before() {
    let rig = Rig::new();
    let (_, mut appender, _) = rig.open();
    fill(&mut appender, 1024, 40);
    drop(appender);
    assert!(rig.dir.path().join("log/000001").is_dir());
    assert!(scrubbed(&rig).is_sound());
    let db = crate::sledbox::open(&rig.dir.path().join("log/000000"), 1 << 20).unwrap();
    let blocks = db.open_tree(FIRST_TREE).unwrap();
    drop(blocks.remove(80u64.to_be_bytes()).unwrap().unwrap());
    drop((blocks, db));
    let report = scrubbed(&rig);
    assert_eq!(found(&report), [(80, Fault::BlockMissing)]);
    assert_eq!(report.unfed, 0);
}

/// The newest segment's path and bytes, where its frames begin, and the position of the first.
fn newest_segment(rig: &Rig) -> (String, Vec<u8>, Vec<usize>, u64) {
    let segments = crate::journal::recover::segments(&rig.disk).unwrap();
    let newest = segments.last().unwrap();
    let path = Segment::path(newest.first_position);
    let bytes = rig.disk.bytes(&path).unwrap();
    let mut starts = Vec::new();
    let mut at = SEGMENT_HEADER_LEN;
    while let Some(header) = FrameHeader::decode(&bytes[at..]) {
        starts.push(at);
        at += usize::try_from(header.frame_len()).unwrap();
    }
    assert!(starts.len() > 2);
    (path, bytes, starts, newest.first_position)
}

#[test]
fn the_end_of_a_damaged_journal_is_no_damage_of_its_own() {
    let rig = closed_log();
    let (path, mut bytes, starts, first) = newest_segment(&rig);
    bytes[starts[0] + FRAME_HEADER_LEN + 40] ^= 2;
    rig.disk.set_bytes(&path, bytes.clone());
    let payload = |report: &ScrubReport| {
        matches!(
            &found(report)[..],
            [(position, Fault::Journal(Damage::FramePayload { .. }))] if *position == first
        )
    };
    let report = scrubbed(&rig);
    assert!(payload(&report), "{report:?}");
    assert_eq!((report.tree_size, report.torn_bytes), (SIZE, 0));
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[end + 1..end + 40].fill(0xab);
    rig.disk.set_bytes(&path, bytes);
    let report = scrubbed(&rig);
    assert!(payload(&report), "{report:?}");
    assert_eq!((report.tree_size, report.torn_bytes), (SIZE, 39));
}

#[test]
fn a_journal_that_ends_before_what_sled_holds_is_damaged() {
    let rig = closed_log();
    crate::disk::Disk::remove(&rig.disk, "head").unwrap();
    let (path, mut bytes, starts, _) = newest_segment(&rig);
    bytes[*starts.last().unwrap()..].fill(0);
    rig.disk.set_bytes(&path, bytes.clone());
    let report = scrubbed(&rig);
    let journal = report.tree_size;
    assert!(journal < SIZE);
    let shorter = Fault::Journal(Damage::Shorter {
        journal,
        known: SIZE,
        witness: Witness::Blocks,
    });
    assert_eq!(found(&report), [(journal, shorter.clone())]);
    bytes[starts[0] + FRAME_HEADER_LEN + 40] ^= 2;
    rig.disk.set_bytes(&path, bytes);
    assert_eq!(found(&scrubbed(&rig))[1..], [(journal, shorter)]);
}

#[test]
fn a_report_lists_the_first_findings_and_counts_the_others() {
    let rig = Rig::new();
    let (_, mut appender, _) = rig.open();
    fill(&mut appender, 1050, 1);
    drop(appender);
    std::fs::remove_dir_all(rig.dir.path().join("log/000000")).unwrap();
    let report = scrubbed(&rig);
    assert_eq!((report.findings.len(), report.more_findings), (1000, 24));
    assert_eq!(found(&report)[999], (999, Fault::BlockMissing));
}

/// One event whose data, time or position can be made wrong under right checksums.
fn tampered(first: u64, change: impl Fn(&mut String, &mut Vec<u8>)) -> Group {
    let mut group = group(first, 3);
    let record = &mut group.records[1];
    let mut header = String::from_utf8(record.header.clone()).unwrap();
    change(&mut header, &mut record.data);
    record.header = header.into_bytes();
    record.keys.leaf = leaf_hash(&record.header);
    group
}

fn findings_of(group: &Group) -> Vec<(u64, Fault)> {
    let rig = Rig::new();
    let (log, mut appender, _) = rig.open();
    fill(&mut appender, 10, 10);
    appender.append(group).unwrap();
    found(&log.scrub(|_, _| ()))
}

#[test]
fn events_that_were_written_wrong_are_found() {
    assert_eq!(findings_of(&tampered(10, |_, _| ())), []);
    let data = findings_of(&tampered(10, |_, data| data.push(b' ')));
    assert_eq!(
        data,
        [(11, Fault::Leaf(ledger_proof::verify::LeafFault::Data))]
    );
    let earlier = findings_of(&tampered(10, |header, _| {
        *header = header.replace("2026-11-23T", "2026-11-22T");
    }));
    assert!(
        matches!(&earlier[..], [(11, Fault::Time { .. })]),
        "{earlier:?}"
    );
    let salted = hash_to_hex(&Hash(data_digest(&[0; 16], b"other")));
    let digest = findings_of(&tampered(10, |header, _| {
        let end = header.len() - 66;
        header.replace_range(end..end + 64, &salted);
    }));
    assert_eq!(
        digest,
        [(11, Fault::Leaf(ledger_proof::verify::LeafFault::Data))]
    );
}

#[test]
fn a_stated_leaf_hash_that_is_not_the_header_s_is_found() {
    let mut group = group(10, 3);
    group.records[2].keys.leaf = Hash([9; 32]);
    let found = findings_of(&group);
    assert!(
        matches!(&found[..], [(10, Fault::Journal(Damage::RootChain { .. }))]),
        "{found:?}"
    );
}

#[test]
fn a_head_of_another_root_or_a_longer_log_is_found() {
    let rig = closed_log();
    let (log, appender, _) = rig.open();
    let key = log.key().clone();
    drop((log, appender));
    let wrong = SignedTreeHead::sign(700, Hash([1; 32]), &key).unwrap();
    rig.disk.set_bytes("head", wrong.as_bytes().to_vec());
    assert_eq!(
        scrubbed(&rig).findings[0].what,
        Fault::Journal(Damage::HeadRoot { size: 700 })
    );
    let longer = SignedTreeHead::sign(SIZE + 1, Hash([1; 32]), &key).unwrap();
    rig.disk.set_bytes("head", longer.as_bytes().to_vec());
    let found = scrubbed(&rig).findings;
    assert!(matches!(
        found[..],
        [crate::Finding {
            position: SIZE,
            what: Fault::Journal(Damage::Shorter { .. })
        }]
    ));
}

#[test]
fn a_torn_tail_is_said_and_is_no_damage() {
    let rig = closed_log();
    let other = rig.transplant(rig.disk.fork());
    let last = crate::journal::recover::segments(&other.disk)
        .unwrap()
        .pop()
        .unwrap();
    let path = Segment::path(last.first_position);
    let mut bytes = other.disk.bytes(&path).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[end + 1..end + 40].fill(0xab);
    other.disk.set_bytes(&path, bytes);
    let opened = crate::Log::open(Options {
        witnessed_size: 0,
        ..rig.options()
    })
    .unwrap();
    drop(opened);
    let report = scrubbed(&other);
    assert_eq!((report.tree_size, report.torn_bytes), (SIZE, 39));
    assert!(report.is_sound());
    assert_eq!(report.unfed, SIZE);
}
