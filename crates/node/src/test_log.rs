//! A log for tests of what reads one.

use chrono::DateTime;
use ledger_domain::RULES_VERSION;
use ledger_domain::ids::{CommitmentId, EventId, Position, Subject, Version};
use ledger_domain::wire::v1::{EventBody, EventHeader, LedgerOpened, Policy, Root};
use ledger_proof::data_digest;
use ledger_store::{Appender, Group, Log, NewRecord, Options};
use tempfile::TempDir;
use uuid::Uuid;

/// A log in a folder of its own, empty at first.
pub(crate) struct TestLog {
    pub(crate) log: Log,
    appender: Appender,
    _folder: TempDir,
}

/// The commitment that an event of a [`TestLog`] is of.
pub(crate) fn commitment(number: u64) -> CommitmentId {
    CommitmentId(Uuid::from_u128(
        0x7000_8000_0000_0000_0000 | u128::from(number),
    ))
}

/// The root of a ledger in a test.
pub(crate) fn root() -> Root {
    Root {
        partner: "root".parse().expect("an id"),
        party: "ledger".parse().expect("an id"),
    }
}

impl TestLog {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let options = Options {
            segment_bytes: 1 << 20,
            ..Options::new(folder.path(), "test")
        };
        let (log, appender, _) = Log::open(options).expect("a log");
        Self {
            log,
            appender,
            _folder: folder,
        }
    }

    pub(crate) fn append(&mut self, group: &Group) {
        self.appender.append(group).expect("appended");
    }

    /// Appends a group of events, each of a commitment and with a route.
    pub(crate) fn append_events(&mut self, events: &[(CommitmentId, &str)]) {
        let start = self.log.tree_size();
        let records = (start..).zip(events);
        let records =
            records.map(|(position, (commitment, route))| record(position, *commitment, route));
        self.append(&Group {
            records: records.collect(),
            submissions: Vec::new(),
        });
    }
}

/// An event that says little: what reads a log by its indexes does not look into it.
fn record(position: u64, commitment: CommitmentId, route: &str) -> NewRecord {
    let salt = [7; 16];
    let body = EventBody::LedgerOpened(LedgerOpened {
        ledger: "test".parse().expect("an id"),
        verifier_key: String::new(),
        root: root(),
        policy: Policy::default(),
    });
    let data = body.encode();
    let header = EventHeader {
        id: EventId(Uuid::from_u128(u128::from(position))),
        ledger: "test".parse().expect("an id"),
        event_type: body.event_type(),
        subject: Subject::Commitment(commitment),
        time: DateTime::UNIX_EPOCH,
        position: Position(position),
        stream_version: Version(1),
        partner: root().partner,
        party: root().party,
        causation_id: None,
        submission: None,
        submission_index: None,
        effective: None,
        rules_version: RULES_VERSION,
        data_digest: data_digest(&salt, &data),
        outline_digest: None,
    };
    NewRecord::read(header.encode(), salt, data, route.to_owned()).expect("a leaf")
}
