//! Checking a log against itself: a running node its own, a tool one that no process has open.

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledger_domain::wire::v1::answer::{ScrubAnswer, ScrubFinding};
use ledger_proof::{LedgerKey, VerifierKey, hash_to_hex};
use ledger_store::disk::OsDisk;
use ledger_store::{OpenError, Options, ScrubReport, opening, scrub};
use thiserror::Error;

use crate::runtime::ledger_key;

/// Bytes of findings in an answer at most: well under the server's `max_payload`, even if every one of them had to be escaped.
const FINDINGS_BYTES: usize = 512 << 10;

/// The key's file within the directory of a log.
const KEY_FILE: &str = "ledger.key";

/// A log could not be checked; damage that a check finds is no such error.
#[derive(Debug, Error)]
pub enum ScrubError {
    /// The directory holds neither a key nor a journal.
    #[error("neither {KEY_FILE} nor a journal is in {}: is this the directory of a log?", dir.display())]
    NoLog {
        /// The directory.
        dir: PathBuf,
    },
    /// No key is known that heads could be checked with.
    #[error(
        "{key}, and the journal does not name the ledger's key at position 0: nothing can be checked without it"
    )]
    NoKey {
        /// The fault in the key's file.
        key: String,
    },
    /// A process has the log open.
    #[error("{} is in use by another process: a running ledger checks its own log, by `scrub` without a directory", path.display())]
    Running {
        /// The lock file.
        path: PathBuf,
    },
    /// It was told to stop before the end.
    #[error("stopped before the end: nothing is known of the log")]
    Stopped,
    /// The log cannot be opened for checking: the system refuses.
    #[error("the log cannot be checked")]
    Open(#[source] OpenError),
}

impl From<OpenError> for ScrubError {
    fn from(error: OpenError) -> Self {
        if let OpenError::Locked { path } = error {
            return Self::Running { path };
        }
        if matches!(error, OpenError::Stopped) {
            return Self::Stopped;
        }
        Self::Open(error)
    }
}

/// Checks the log in a directory that no process has open, and changes nothing there. `progress` gets positions done and positions to
/// do, and says whether to go on.
///
/// # Errors
/// [`ScrubError`] when it cannot be checked at all. What is wrong with the log is in the answer.
pub fn scrub_directory(
    dir: &Path,
    progress: impl FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<ScrubAnswer, ScrubError> {
    let options = |ledger: &str| Options {
        disk: Arc::new(OsDisk::read_only(dir)),
        ..Options::new(dir, ledger)
    };
    let (key, unusable) = match read_key(&dir.join(KEY_FILE)) {
        Ok(key) => (key.verifier_key().clone(), None),
        Err(why) => {
            let is_missing = matches!(why, KeyFault::Missing(_));
            if is_missing && !dir.join("journal").is_dir() {
                let dir = dir.to_owned();
                return Err(ScrubError::NoLog { dir });
            }
            let opening = opening(&options("")).ok().flatten();
            let named = opening.and_then(|opening| ledger_key::named(&opening));
            let Some(key) = named else {
                let key = why.to_string();
                return Err(ScrubError::NoKey { key });
            };
            (key, Some(why))
        }
    };
    let options = options(key.ledger_id());
    let mut report = scrub(&options, &key, progress)?;
    match unusable {
        // Who checks a backup need not be who may read its secret.
        Some(why @ KeyFault::NotOurs(_)) => report.not_compared.push(why.to_string()),
        Some(why) => report.files.push(why.to_string()),
        None => {}
    }
    Ok(answer(&report, &key))
}

/// Why a key's file gives no key. What is in it is not said.
#[derive(Debug, Error)]
enum KeyFault {
    #[error("{}: missing beside a journal; put this ledger's own key back from your copy, no other one can sign for this log", .0.display())]
    Missing(PathBuf),
    #[error("{}: this user may not read it; the key that position 0 names was taken instead", .0.display())]
    NotOurs(PathBuf),
    #[error("{}: cannot be read ({error})", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{}: is empty or holds no ledger's key; put this ledger's own key back from your copy, no other one can sign for this log", .0.display())]
    NoKey(PathBuf),
}

fn read_key(path: &Path) -> Result<LedgerKey, KeyFault> {
    let bytes = std::fs::read(path).map_err(|error| {
        let path = path.to_owned();
        if error.kind() == io::ErrorKind::NotFound {
            KeyFault::Missing(path)
        } else if error.kind() == io::ErrorKind::PermissionDenied {
            KeyFault::NotOurs(path)
        } else {
            KeyFault::Unreadable { path, error }
        }
    })?;
    let key = str::from_utf8(&bytes).ok();
    let key = key.and_then(|text| text.parse().ok());
    key.ok_or_else(|| KeyFault::NoKey(path.to_owned()))
}

/// A report as it goes over the wire, with what is wrong with the ledger's key.
pub(crate) fn answer(report: &ScrubReport, key: &VerifierKey) -> ScrubAnswer {
    let mut room = FINDINGS_BYTES;
    let opening = report.opening.as_deref().unwrap_or_default();
    let foreign_key = ledger_key::compare(opening, key).err();
    let of_key = foreign_key.map(|foreign| (0, foreign.to_string()));
    let of_log = report.findings.iter();
    let of_log = of_log.map(|finding| (finding.position, finding.what.to_string()));
    let found = report.findings.len() + usize::from(of_key.is_some());
    let findings = of_key.into_iter().chain(of_log);
    let findings = findings.map_while(|(position, what)| {
        room = room.checked_sub(what.len())?;
        Some(ScrubFinding { position, what })
    });
    let findings: Vec<ScrubFinding> = findings.collect();
    let left_off = found - findings.len();
    ScrubAnswer {
        tree_size: report.tree_size,
        root: report.root.as_ref().map(hash_to_hex),
        blocks: report.blocks,
        epochs: report.epochs,
        withheld: report.withheld,
        torn_bytes: report.torn_bytes,
        unfed: report.unfed,
        unindexed: report.unindexed,
        files: report.files.clone(),
        not_compared: report.not_compared.clone(),
        more_findings: report
            .more_findings
            .saturating_add(u64::try_from(left_off).unwrap_or(u64::MAX)),
        findings,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_store::{Fault, Finding};

    #[test]
    fn an_answer_has_room_for_its_findings_and_counts_the_others() {
        let long = |position| Finding {
            position,
            what: Fault::Unreadable("\u{1}".repeat(4000)),
        };
        let report = ScrubReport {
            findings: (0..1000).map(long).collect(),
            more_findings: 7,
            ..ScrubReport::default()
        };
        let key = LedgerKey::from_seed("test", [1; 32]).unwrap();
        let answer = answer(&report, key.verifier_key());
        assert!(answer.findings.len() > 100);
        assert_eq!(answer.findings.len() as u64 + answer.more_findings, 1007);
        assert!(serde_json::to_vec(&answer).unwrap().len() < 4 << 20);
    }
}
