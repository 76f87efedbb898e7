//! Events to append, and a log to append them to.

use crate::disk::sim::SimDisk;
use crate::{
    Appender, Damage, Group, Log, NewRecord, NewSubmission, OpenError, Options, Recovery,
    SubmittedCommand,
};
use bytes::Bytes;
use ledger_proof::{Hash, VerifierKey, data_digest, hash_to_hex};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The tree of the first blocks in the first shard.
pub(super) const FIRST_TREE: &[u8] = b"blocks/\0\0\0\0\0\0\0\0";

/// Small everything: epochs of 256 positions, shards of four epochs, segments of a few frames.
pub(super) fn options(dir: &Path, disk: &SimDisk) -> Options {
    Options {
        disk: Arc::new(disk.clone()),
        segment_bytes: 32 << 10,
        free_floor_bytes: 1 << 20,
        space_interval: Duration::ZERO,
        epoch_bits: 8,
        shard_bits: 10,
        ..Options::new(dir, "test")
    }
}

/// A log on a simulated disk.
pub(super) struct Rig {
    pub(super) dir: tempfile::TempDir,
    pub(super) disk: SimDisk,
}

impl Rig {
    pub(super) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            disk: SimDisk::new(),
        }
    }

    pub(super) fn options(&self) -> Options {
        options(self.dir.path(), &self.disk)
    }

    pub(super) fn key(&self) -> VerifierKey {
        let text = std::fs::read_to_string(self.dir.path().join("ledger.key")).unwrap();
        let key: ledger_proof::LedgerKey = text.parse().unwrap();
        key.verifier_key().clone()
    }

    pub(super) fn try_open(&self) -> Result<(Log, Appender, Recovery), OpenError> {
        Log::open(self.options())
    }

    /// The same ledger on another disk, in a directory without sled.
    pub(super) fn transplant(&self, disk: SimDisk) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::copy(
            self.dir.path().join("ledger.key"),
            dir.path().join("ledger.key"),
        )
        .unwrap();
        Self { dir, disk }
    }

    /// Opens the log, which must be damaged: where, and how.
    pub(super) fn damage(&self) -> (u64, Damage) {
        match self.try_open() {
            Err(OpenError::Damaged { position, what, .. }) => (position, what),
            Err(other) => panic!("opened with {other:?}"),
            Ok((log, _, recovery)) => {
                panic!("opened with {} events: {recovery:?}", log.tree_size())
            }
        }
    }

    pub(super) fn open(&self) -> (Log, Appender, Recovery) {
        self.try_open().unwrap()
    }
}

/// An event as the tests describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) command: Uuid,
    pub(super) commitment: Option<Uuid>,
    pub(super) route: String,
}

/// The n-th event of a fixed story: a few commitments, countries and actions, some reference events, and every tenth
/// command makes two events.
pub(super) fn sample(n: u64) -> Sample {
    let command = n - u64::from(n % 10 == 9);
    let commitment = (n % 7 != 3).then(|| commitment((n * n) % 41));
    let country = ["KEN", "CHE", "BRA", ""][usize::try_from(n % 4).unwrap()];
    let actions = ["GCM-01", "GCM-05a,GCM-10", "GCM-10", ""][usize::try_from(n / 3 % 4).unwrap()];
    Sample {
        command: command_id(command),
        commitment,
        route: format!("{country}|{actions}"),
    }
}

pub(super) fn command_id(n: u64) -> Uuid {
    Uuid::from_u128(0x0194_0000_0000_7000_8000_0000_0000_0000 | u128::from(n) << 8)
}

pub(super) fn commitment(n: u64) -> Uuid {
    Uuid::from_u128(0x0195_0000_0000_7000_8000_0000_0000_0000 | u128::from(n))
}

pub(super) fn record(position: u64, sample: &Sample) -> NewRecord {
    let data = format!(
        "{{\"title\":\"Commitment of event {position}\",\"measure\":{}}}",
        position * 7919
    )
    .into_bytes();
    let salt = [u8::try_from(position % 251).unwrap(); 16];
    let subject = sample
        .commitment
        .map_or_else(|| format!("instrument/I-{position}"), |id| id.to_string());
    let digest = hash_to_hex(&Hash(data_digest(&salt, &data)));
    let header = format!(
        "{{\"specversion\":\"1.0\",\"id\":\"{}\",\"source\":\"ledger/test\",\"type\":\"ledger.commitment_recorded.v1\",\
         \"subject\":\"{subject}\",\"time\":\"2026-11-23T08:30:{:02}.{:06}Z\",\"position\":\"{position}\",\"streamversion\":\"1\",\
         \"partner\":\"ken\",\"party\":\"KEN\",\"causationid\":\"{}\",\"submission\":\"{}\",\"submissionindex\":\"0\",\
         \"rulesversion\":\"1\",\"datadigest\":\"{digest}\"}}",
        Uuid::from_u128(u128::from(position)),
        position / 1_000_000,
        position % 1_000_000,
        sample.command,
        "ab".repeat(32),
    )
    .into_bytes();
    NewRecord::read(header, salt, data, sample.route.clone()).unwrap()
}

pub(super) fn command_bytes(command: Uuid) -> Bytes {
    Bytes::from(format!(
        "{{\"id\":\"{command}\",\"type\":\"ledger.record_commitment.v1\"}}"
    ))
}

/// The events of the story from `first` on, as one group with one submission.
pub(super) fn group(first: u64, count: u64) -> Group {
    let samples: Vec<Sample> = (first..first + count).map(sample).collect();
    let mut commands: Vec<SubmittedCommand> = Vec::new();
    let mut previous = None;
    for (index, sample) in (0u32..).zip(&samples) {
        if previous == Some(sample.command) {
            commands.last_mut().unwrap().events += 1;
        } else {
            commands.push(SubmittedCommand {
                bytes: command_bytes(sample.command),
                first_event: index,
                events: 1,
            });
        }
        previous = Some(sample.command);
    }
    Group {
        records: (first..)
            .zip(&samples)
            .map(|(position, sample)| record(position, sample))
            .collect(),
        submissions: vec![NewSubmission {
            partner: "ken".to_owned(),
            signature: None,
            commands,
        }],
    }
}

/// Appends the story up to `until` in groups of `size`.
pub(super) fn fill(appender: &mut Appender, until: u64, size: u64) {
    let mut at = appender.frontier().size();
    while at < until {
        let count = size.min(until - at);
        appender.append(&group(at, count)).unwrap();
        at += count;
    }
}
