//! A scrub finds every damage and changes nothing.

use super::support::{self, FIRST_TREE, Rig};
use crate::journal::Segment;
use crate::journal::frame::{FRAME_HEADER_LEN, FrameHeader, SEGMENT_HEADER_LEN};
use crate::{Appender, Damage, Fault, Group, Options, ScrubReport, Witness, scrub};
use ledger_proof::submission::SubmissionFault;
use ledger_proof::{Hash, Manifest, SignedTreeHead, data_digest, hash_to_hex, leaf_hash, sha256};
use std::ops::ControlFlow;

const SIZE: u64 = 1300;

/// A group whose events name the submission that they came of.
fn named(mut group: Group) -> Group {
    let [submission] = &group.submissions[..] else {
        panic!("one submission")
    };
    let digests = submission.commands.iter().map(|kept| sha256(&kept.bytes));
    let manifest = Manifest::new("test", &submission.partner, digests);
    let name = hash_to_hex(&Hash(manifest.digest()));
    for (index, command) in submission.commands.iter().enumerate() {
        let first = usize::try_from(command.first_event).unwrap();
        for record in &mut group.records[first..first + usize::from(command.events)] {
            let header = String::from_utf8(record.header.clone()).unwrap();
            let header = header.replace(&"ab".repeat(32), &name).replace(
                "submissionindex\":\"0\"",
                &format!("submissionindex\":\"{index}\""),
            );
            record.keys.leaf = leaf_hash(header.as_bytes());
            record.header = header.into_bytes();
        }
    }
    group
}

fn group(first: u64, count: u64) -> Group {
    named(support::group(first, count))
}

/// Appends the story up to `until` in groups of `size`.
fn fill(appender: &mut Appender, until: u64, size: u64) {
    let mut at = appender.frontier().size();
    while at < until {
        let count = size.min(until - at);
        appender.append(&group(at, count)).unwrap();
        at += count;
    }
}

fn closed_log() -> Rig {
    let rig = Rig::new();
    let (log, mut appender, _) = rig.open();
    fill(&mut appender, SIZE - 60, 40);
    fill(&mut appender, SIZE, 10);
    log.sign_head().unwrap();
    drop((log, appender));
    rig
}

fn scrubbed(rig: &Rig) -> ScrubReport {
    scrub(&rig.options(), &rig.key(), |_, _| ControlFlow::Continue(())).unwrap()
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
        scrub(&rig.options(), &rig.key(), |_, _| ControlFlow::Continue(())),
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

#[test]
fn an_index_that_knows_more_than_the_journal_is_a_witness() {
    let rig = closed_log();
    let longer = Rig::new();
    let (log, mut appender, _) = longer.open();
    fill(&mut appender, SIZE - 60, 40);
    fill(&mut appender, SIZE + 600, 10);
    drop((log, appender));
    let index = rig.dir.path().join("log/index");
    std::fs::remove_dir_all(&index).unwrap();
    std::fs::rename(longer.dir.path().join("log/index"), &index).unwrap();
    let shorter = Damage::Shorter {
        journal: SIZE,
        known: 1792,
        witness: Witness::Index,
    };
    assert_eq!(
        found(&scrubbed(&rig)),
        [(SIZE, Fault::Journal(shorter.clone()))]
    );
    assert_eq!(rig.damage(), (SIZE, shorter));
}

#[test]
fn a_journal_that_is_gone_is_known_to_what_is_left_of_the_log() {
    let rig = closed_log();
    let lost = rig.transplant(crate::disk::sim::SimDisk::new());
    std::fs::rename(rig.dir.path().join("log"), lost.dir.path().join("log")).unwrap();
    let shorter = |known, witness| {
        let journal = 0;
        let what = Damage::Shorter {
            journal,
            known,
            witness,
        };
        (0, Fault::Journal(what))
    };
    assert_eq!(
        found(&scrubbed(&lost)),
        [
            shorter(SIZE, Witness::Blocks),
            shorter(1280, Witness::Index)
        ]
    );
}

/// The report on a log after the bytes of one of its segments were changed.
fn with_segment(rig: &Rig, index: usize, change: impl Fn(&mut Vec<u8>)) -> ScrubReport {
    let segments = crate::journal::recover::segments(&rig.disk).unwrap();
    let path = Segment::path(segments[index].first_position);
    let sound = rig.disk.bytes(&path).unwrap();
    let mut bytes = sound.clone();
    change(&mut bytes);
    rig.disk.set_bytes(&path, bytes);
    let report = scrubbed(rig);
    rig.disk.set_bytes(&path, sound);
    report
}

#[test]
fn every_segment_s_header_is_checked() {
    let rig = closed_log();
    let segments = crate::journal::recover::segments(&rig.disk).unwrap();
    for (index, segment) in segments.iter().enumerate() {
        let first = segment.first_position;
        let name = Segment::name(first);
        let damaged = Fault::Journal(Damage::SegmentHeader {
            segment: name.clone(),
        });
        let flipped = with_segment(&rig, index, |bytes| bytes[30] ^= 1);
        assert_eq!(found(&flipped), [(first, damaged.clone())]);
        assert_eq!((flipped.tree_size, flipped.torn_bytes), (SIZE, 0));
        let zeroed = with_segment(&rig, index, |bytes| bytes[..SEGMENT_HEADER_LEN].fill(0));
        assert_eq!(found(&zeroed), [(first, damaged)]);
        if index == 0 {
            continue;
        }
        let other = with_segment(&rig, index, |bytes| {
            bytes[24] ^= 1;
            let crc = crc32c::crc32c(&bytes[..SEGMENT_HEADER_LEN - 4]);
            bytes[SEGMENT_HEADER_LEN - 4..SEGMENT_HEADER_LEN].copy_from_slice(&crc.to_le_bytes());
        });
        let roots = Fault::Journal(Damage::SegmentRoots { segment: name });
        assert!(found(&other).contains(&(first, roots)), "{other:?}");
    }
}

#[test]
fn a_newest_segment_that_is_empty_or_not_whole_is_damaged_where_it_begins() {
    let rig = Rig::new();
    let (_, mut appender, _) = rig.open();
    fill(&mut appender, 10, 10);
    drop(appender);
    std::fs::remove_dir_all(rig.dir.path().join("log")).unwrap();
    let damaged = Fault::Journal(Damage::SegmentHeader {
        segment: Segment::name(0),
    });
    let emptied = with_segment(&rig, 0, Vec::clear);
    assert_eq!(found(&emptied), [(0, damaged.clone())]);
    let flipped = with_segment(&rig, 0, |bytes| bytes[30] ^= 1);
    assert_eq!(found(&flipped), [(0, damaged)]);
    assert_eq!(flipped.tree_size, 10);
}

#[test]
fn what_stands_behind_an_older_segment_s_last_frame_is_found() {
    let rig = closed_log();
    let segments = crate::journal::recover::segments(&rig.disk).unwrap();
    for (index, next) in segments.iter().enumerate().skip(1) {
        let index = index - 1;
        let bytes = rig
            .disk
            .bytes(&Segment::path(segments[index].first_position))
            .unwrap();
        let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        for at in [end, end + 100, bytes.len() - 7] {
            let report = with_segment(&rig, index, |bytes| {
                bytes[at..at + 7].copy_from_slice(b"garbage");
            });
            let tail = Fault::Journal(Damage::SegmentTail {
                segment: Segment::name(segments[index].first_position),
                offset: at as u64,
            });
            assert_eq!(found(&report), [(next.first_position, tail)]);
        }
    }
}

#[test]
fn one_flipped_byte_of_a_payload_is_one_finding() {
    let rig = closed_log();
    let segments = crate::journal::recover::segments(&rig.disk).unwrap();
    for (index, segment) in segments.iter().enumerate().rev().skip(1) {
        let at = SEGMENT_HEADER_LEN + FRAME_HEADER_LEN + 40;
        let report = with_segment(&rig, index, |bytes| bytes[at] ^= 2);
        assert!(
            matches!(
                &found(&report)[..],
                [(position, Fault::Journal(Damage::FramePayload { .. }))]
                    if *position == segment.first_position
            ),
            "{report:?}"
        );
        assert_eq!((report.tree_size, report.torn_bytes), (SIZE, 0));
    }
}

#[test]
fn a_last_frame_that_a_witness_covers_was_not_torn() {
    let rig = closed_log();
    let (_, _, starts, _) = newest_segment(&rig);
    let last = *starts.last().unwrap();
    let newest = crate::journal::recover::segments(&rig.disk).unwrap().len() - 1;
    for (at, with_head) in [(last + 8, true), (last + FRAME_HEADER_LEN + 40, false)] {
        if !with_head {
            crate::disk::Disk::remove(&rig.disk, "head").unwrap();
        }
        let report = with_segment(&rig, newest, |bytes| bytes[at] ^= 2);
        let findings = found(&report);
        assert_eq!(report.torn_bytes, 0, "{findings:?}");
        assert!(matches!(
            findings[0].1,
            Fault::Journal(Damage::FrameHeader { .. } | Damage::FramePayload { .. })
        ));
        let shown = |witness| {
            let (journal, known) = (report.tree_size, SIZE);
            let shorter = Damage::Shorter {
                journal,
                known,
                witness,
            };
            findings.contains(&(journal, Fault::Journal(shorter)))
        };
        assert!(shown(Witness::Blocks));
        assert_eq!(shown(Witness::Head), with_head);
        assert!(
            findings
                .iter()
                .all(|(position, _)| *position == report.tree_size)
        );
    }
}

#[test]
fn a_command_that_is_not_the_one_received_is_found() {
    let forged = |change: &dyn Fn(&mut Group)| {
        let mut group = group(10, 300);
        change(&mut group);
        findings_of(&group)
    };
    let fault = |position, fault| [(position, Fault::Submission(fault))];
    assert_eq!(forged(&|_| ()), []);
    let changed = |index: usize| {
        forged(&|group| group.submissions[0].commands[index].bytes = b"{}".as_slice().into())
    };
    for index in [0, 150, 269] {
        assert_eq!(changed(index), fault(10, SubmissionFault::Manifest));
    }
    let partner = forged(&|group| group.submissions[0].partner = "che".to_owned());
    assert_eq!(partner, fault(10, SubmissionFault::Partner));
    let unkept = forged(&|group| group.submissions.clear());
    assert_eq!(unkept[0], (10, Fault::Submission(SubmissionFault::Cause)));
    let index = forged(&|group| {
        let header = String::from_utf8(group.records[200].header.clone()).unwrap();
        let other = header.replace("submissionindex\":\"", "submissionindex\":\"1");
        group.records[200].keys.leaf = leaf_hash(other.as_bytes());
        group.records[200].header = other.into_bytes();
    });
    assert_eq!(index, fault(210, SubmissionFault::Index));
    let refused = forged(&|group| {
        let mut refused = group.submissions[0].commands[3].clone();
        refused.events = 0;
        group.submissions[0].commands.push(refused);
    });
    assert_eq!(refused, fault(10, SubmissionFault::Manifest));
}

#[test]
fn submissions_with_refused_commands_and_over_many_groups_are_sound() {
    let rig = Rig::new();
    let (log, mut appender, _) = rig.open();
    for count in [40, 1, 300, 7] {
        let mut group = support::group(log.tree_size(), count);
        let refused = |bytes: &'static [u8]| crate::SubmittedCommand {
            bytes: bytes.into(),
            first_event: 0,
            events: 0,
        };
        let commands = &mut group.submissions[0].commands;
        commands.insert(0, refused(b"first"));
        commands.insert(1, refused(b"second"));
        commands.insert(commands.len() - 1, refused(b"last but one"));
        commands.push(refused(b"last"));
        appender.append(&named(group)).unwrap();
    }
    assert_eq!(found(&log.scrub(|_, _| ())), []);
}

#[test]
fn what_sled_is_yet_to_be_given_is_counted() {
    let rig = closed_log();
    assert_eq!(scrubbed(&rig).unindexed, 0);
    std::fs::remove_dir_all(rig.dir.path().join("log/index")).unwrap();
    let report = scrubbed(&rig);
    assert!(report.is_sound());
    assert_eq!((report.unfed, report.unindexed), (0, 1280));
}
