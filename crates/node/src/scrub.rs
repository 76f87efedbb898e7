//! Checking a log against itself: a running node its own, a tool one that no process has open.

use std::path::{Path, PathBuf};

use ledger_bus::query::{ScrubAnswer, ScrubFinding};
use ledger_proof::{KeyError, LedgerKey, VerifierKey, hash_to_hex};
use ledger_store::{OpenError, Options, ScrubReport, scrub};
use thiserror::Error;

use crate::ledger_key;

/// Bytes of findings in an answer at most: well under the server's `max_payload`, even if every one of them had to be escaped.
const FINDINGS_BYTES: usize = 512 << 10;

/// The key's file within the directory of a log.
const KEY_FILE: &str = "ledger.key";

/// A log could not be checked; damage that a check finds is no such error.
#[derive(Debug, Error)]
pub enum ScrubError {
    /// The directory holds no ledger's key.
    #[error("{} is not there: is this the directory of a log?", path.display())]
    NoKey {
        /// Where the key should be.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The key's file holds no key.
    #[error("{} cannot be used", path.display())]
    Key {
        /// Where the key is.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: KeyError,
    },
    /// The log cannot be opened for checking: a process has it open, or the system refuses.
    #[error("the log cannot be checked")]
    Open(#[from] OpenError),
}

/// Checks the log in a directory that no process has open. `progress` gets positions done and positions to do.
///
/// # Errors
/// [`ScrubError`] when it cannot be checked at all. What is wrong with the log is in the answer.
pub fn scrub_directory(
    dir: &Path,
    progress: impl FnMut(u64, u64),
) -> Result<ScrubAnswer, ScrubError> {
    let path = dir.join(KEY_FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) => return Err(ScrubError::NoKey { path, source }),
    };
    let key: LedgerKey = match text.parse() {
        Ok(key) => key,
        Err(source) => return Err(ScrubError::Key { path, source }),
    };
    let options = Options::new(dir, key.verifier_key().ledger_id());
    Ok(answer(&scrub(&options, progress)?, key.verifier_key()))
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
