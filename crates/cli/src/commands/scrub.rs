//! `scrub`: a log checked against itself.

use super::{connect, progress_bar, spinner};
use crate::failure::Failure;
use crate::output::{Output, Table, json_line, text};
use crate::signals::EndSignals;
use ledger_bus::NatsAccess;
use ledger_domain::wire::v1::answer::ScrubAnswer;
use ledger_node::ScrubError;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Has the running ledger check its log.
pub(crate) async fn running(nats: &NatsAccess, output: Output) -> Result<(), Failure> {
    let connection = connect(nats).await?;
    let bar = spinner("the ledger is checking its log");
    let answer = connection.scrub().await;
    bar.finish_and_clear();
    conclude(&answer?, output)
}

/// Checks the log of a ledger that is not running. Told to end, it removes its copies of the databases first. `up` keeps it in a directory within its own.
pub(crate) async fn directory(dir: PathBuf, output: Output) -> Result<(), Failure> {
    // Like any other path that cannot be read.
    if let Err(why) = std::fs::read_dir(&dir) {
        return Err(Failure::unreadable(&dir, why));
    }
    let given = dir.clone();
    let within = dir.join("ledger");
    let dir = if within.is_dir() { within } else { dir };
    let bar = progress_bar(0, "checking");
    let shown = bar.clone();
    let (told, telling) = (Arc::new(AtomicBool::new(false)), EndSignals::listen()?);
    let seen = Arc::clone(&told);
    tokio::spawn(async move {
        telling.received().await;
        told.store(true, Ordering::Relaxed);
    });
    let scrubbed = tokio::task::spawn_blocking(move || {
        ledger_node::scrub_directory(&dir, |done, total| {
            shown.set_length(total);
            shown.set_position(done);
            if seen.load(Ordering::Relaxed) {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })
    })
    .await;
    bar.finish_and_clear();
    let answer = scrubbed
        .map_err(|error| Failure::failed(&error))?
        .map_err(|error| without_log(&given, &error))?;
    conclude(&answer, output)
}

/// Why a directory cannot be checked.
fn without_log(given: &Path, error: &ScrubError) -> Failure {
    match error {
        ScrubError::NoLog { .. } => Failure::usage(format!(
            "neither ledger/ledger.key nor ledger.key is in {}: is this the directory of a log?",
            given.display()
        )),
        ScrubError::Stopped
        | ScrubError::NoKey { .. }
        | ScrubError::Running { .. }
        | ScrubError::Open(_) => Failure::failed(error),
    }
}

fn conclude(answer: &ScrubAnswer, output: Output) -> Result<(), Failure> {
    let printed = if output.json {
        let json = serde_json::to_vec(answer).map_err(|error| Failure::failed(&error))?;
        json_line(&json)
    } else {
        text(&page(answer))
    };
    // What was found decides, whether or not somebody read all of it.
    match count(answer) {
        0 => Ok(printed?),
        findings => Err(Failure::because(format!(
            "the log is damaged: {findings} findings"
        ))),
    }
}

/// The findings that are listed, and those that are not.
fn count(answer: &ScrubAnswer) -> u64 {
    let listed = answer.findings.len() + answer.files.len();
    let listed = u64::try_from(listed).unwrap_or(u64::MAX);
    listed.saturating_add(answer.more_findings)
}

fn page(answer: &ScrubAnswer) -> String {
    let mut table = Table::new(&["checked", ""]);
    let mut row = |name: &str, value: String| table.row([name.to_owned(), value]);
    row("events", answer.tree_size.to_string());
    row("blocks", answer.blocks.to_string());
    row("sealed indexes", answer.epochs.to_string());
    row("withheld, not compared", answer.withheld.to_string());
    row(
        "torn bytes at the end, never acknowledged",
        answer.torn_bytes.to_string(),
    );
    row("events not yet in sled", answer.unfed.to_string());
    let root = answer.root.as_deref().unwrap_or("cannot be computed");
    let mut page = format!("{}root  {root}\n\n", table.render());
    for note in notes(answer) {
        page.push_str(&note);
        page.push('\n');
    }
    for file in &answer.files {
        page.push_str(file);
        page.push('\n');
    }
    for finding in &answer.findings {
        // Not in a table: a sentence is read as one.
        page.push_str("position ");
        page.push_str(&finding.position.to_string());
        page.push_str(": ");
        page.push_str(&finding.what);
        page.push('\n');
    }
    if answer.more_findings > 0 {
        page.push_str("and ");
        page.push_str(&answer.more_findings.to_string());
        page.push_str(" more\n");
    }
    if count(answer) == 0 {
        page.push_str("nothing is wrong\n");
    }
    page
}

/// What sled lacks and will get: no damage, and yet to be known of.
fn notes(answer: &ScrubAnswer) -> Vec<String> {
    let lacking = |what: &str, events: u64| {
        (events > 0).then(|| {
            format!(
                "note: the {what} lacks {events} events; they come from the journal, at the latest at the next start"
            )
        })
    };
    let notes = [
        lacking("block store", answer.unfed),
        lacking("index", answer.unindexed),
    ];
    let not_compared = answer.not_compared.iter();
    let not_compared = not_compared.map(|what| format!("note: not compared: {what}"));
    notes.into_iter().flatten().chain(not_compared).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_domain::wire::v1::answer::ScrubFinding;

    #[test]
    fn damage_is_named_with_its_position_and_soundness_said_only_without_any() {
        let mut answer = ScrubAnswer {
            tree_size: 9,
            root: Some("00".to_owned()),
            blocks: 1,
            epochs: 0,
            withheld: 0,
            torn_bytes: 0,
            unfed: 0,
            unindexed: 0,
            files: Vec::new(),
            not_compared: Vec::new(),
            findings: Vec::new(),
            more_findings: 0,
        };
        assert!(page(&answer).ends_with("nothing is wrong\n"));
        assert!(!page(&answer).contains("note"));
        answer.unfed = 7;
        answer.unindexed = 6;
        let noted = page(&answer);
        assert!(
            noted.contains("note: the block store lacks 7 events"),
            "{noted}"
        );
        assert!(noted.contains("note: the index lacks 6 events"), "{noted}");
        assert!(noted.ends_with("nothing is wrong\n"));
        answer.findings.push(ScrubFinding {
            position: 4,
            what: "the block is missing in sled".to_owned(),
        });
        assert!(page(&answer).ends_with("position 4: the block is missing in sled\n"));
        answer.files.push("ledger/head: is empty".to_owned());
        answer.not_compared.push("sled: no room".to_owned());
        assert!(page(&answer).contains("note: not compared: sled: no room\n"));
        assert!(page(&answer).contains("\nledger/head: is empty\nposition 4"));
        assert_eq!(count(&answer), 2);
        answer.more_findings = 12;
        assert!(page(&answer).ends_with("sled\nand 12 more\n"));
        assert_eq!(count(&answer), 14);
    }
}
