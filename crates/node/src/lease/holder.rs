//! Who holds the lease, as it stands in the lease.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use ledger_store::disk::FileId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What the holder has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// It asks whether another node answers, and compares its log with the stream: it takes no
    /// commands yet.
    Claimed,
    /// It takes commands.
    Held,
    /// It stopped in good order: whoever comes next need not wait.
    Released,
}

/// One node, as it names itself in the lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// One run of a node; no two have the same.
    pub(crate) session: Uuid,
    pub(crate) stage: Stage,
    /// The ledger's id.
    pub(crate) ledger: String,
    /// The machine's name.
    pub(crate) host: String,
    pub(crate) pid: u32,
    /// Its data directory.
    pub(crate) directory: String,
    /// The run of the machine's system: devices and inodes mean something within it alone.
    pub(crate) boot: String,
    pub(crate) device: u64,
    pub(crate) inode: u64,
    /// How long the lease lasts unless it is renewed, in milliseconds.
    pub(crate) lease_ms: u64,
    /// When it runs out by the holder's clock: for people.
    pub(crate) until: String,
    /// Events on the holder's disk.
    pub(crate) tree_size: u64,
    /// Sequence of the newest event that it knows the stream to hold.
    pub(crate) published: u64,
}

impl Holder {
    /// This process, on a directory.
    pub(crate) fn this(ledger: &str, directory: String, lasts: Duration) -> Self {
        Self {
            session: Uuid::new_v4(),
            stage: Stage::Claimed,
            ledger: ledger.to_owned(),
            host: first_line("/proc/sys/kernel/hostname").unwrap_or_else(|| "unknown".to_owned()),
            pid: std::process::id(),
            directory,
            // One that is not known is like no other.
            boot: first_line("/proc/sys/kernel/random/boot_id")
                .unwrap_or_else(|| Uuid::new_v4().to_string()),
            device: 0,
            inode: 0,
            lease_ms: u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX),
            until: String::new(),
            tree_size: 0,
            published: 0,
        }
    }

    /// The same, in the directory whose lock this is.
    pub(crate) fn in_directory(mut self, id: FileId) -> Self {
        (self.device, self.inode) = (id.device, id.inode);
        self
    }

    /// What to write at this moment.
    pub(crate) fn encode(&mut self, stage: Stage) -> Vec<u8> {
        self.stage = stage;
        let lasts = TimeDelta::milliseconds(i64::try_from(self.lease_ms).unwrap_or(i64::MAX));
        let until: Option<DateTime<Utc>> = Utc::now().checked_add_signed(lasts);
        self.until = until.map_or_else(String::new, |until| {
            until.to_rfc3339_opts(SecondsFormat::Secs, true)
        });
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What a node wrote; nothing when no node wrote it.
    pub(crate) fn decode(value: &[u8]) -> Option<Self> {
        serde_json::from_slice(value).ok()
    }

    /// Whether it ran on the same directory: then it has ended, for this process holds the lock
    /// that it held.
    pub(crate) fn is_of_the_directory_of(&self, other: &Self) -> bool {
        (&self.boot, self.device, self.inode) == (&other.boot, other.device, other.inode)
            && self.inode != 0
    }

    pub(crate) fn lasts(&self) -> Duration {
        Duration::from_millis(self.lease_ms)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            ledger,
            host,
            pid,
            directory,
            until,
            ..
        } = self;
        write!(
            f,
            "the node of ledger `{ledger}` on host `{host}` (process {pid}, directory {directory}) holds the lease until {until}"
        )
    }
}

fn first_line(path: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().next()?.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(inode: u64) -> Holder {
        let this = Holder::this("main", "/data/ledger".to_owned(), Duration::from_secs(10));
        this.in_directory(FileId { device: 7, inode })
    }

    #[test]
    fn a_holder_reads_back_as_it_was_written_and_says_who_and_until_when() {
        let mut written = holder(3);
        let read = Holder::decode(&written.encode(Stage::Held)).expect("a holder");
        assert_eq!(read, written);
        let said = read.to_string();
        for part in [
            "ledger `main`",
            "directory /data/ledger",
            &std::process::id().to_string(),
            &read.until,
        ] {
            assert!(said.contains(part), "{said}");
        }
        assert_eq!(Holder::decode(b""), None);
    }

    #[test]
    fn only_the_same_directory_of_the_same_running_system_is_the_same() {
        let of_mine = holder(3);
        assert!(holder(3).is_of_the_directory_of(&of_mine));
        assert!(!holder(4).is_of_the_directory_of(&of_mine));
        assert!(!holder(0).is_of_the_directory_of(&holder(0)), "not known");
        let rebooted = Holder {
            boot: "another".to_owned(),
            ..holder(3)
        };
        assert!(!rebooted.is_of_the_directory_of(&of_mine));
    }
}
