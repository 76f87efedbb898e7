//! The directory of a log replaced, moved or thinned under its running node: the node gives no receipt, stops, and says why.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ledger_bus::subject;
use ledger_domain::wire::v1::Status;
use ledger_tests::commands::Commander;
use ledger_tests::{System, Writers, await_that, eventually, receipts};

use crate::support::{SOON, copy_folder, files_under, some_events};

/// How long a reply is waited for that should not come.
const PATIENCE: Duration = Duration::from_secs(5);

fn beside(folder: &Path, name: &str) -> PathBuf {
    folder.with_file_name(name)
}

fn newest_segment(folder: &Path) -> PathBuf {
    let journal = files_under(&folder.join("journal"));
    let mut segments = journal.into_iter().filter(|path| !path.ends_with("next"));
    segments.next_back().expect("a segment")
}

/// Another file with the same bytes in a file's place.
fn replace(path: &Path) {
    let other = path.with_extension("other");
    fs::copy(path, &other).expect("copied");
    fs::rename(&other, path).expect("replaced");
}

/// Takes the zeroes behind what a segment holds: what comes next goes into another one.
fn fill_up(segment: &Path) {
    let content = fs::read(segment).expect("a segment");
    let last = content.iter().rposition(|&byte| byte != 0).expect("frames");
    fs::write(segment, &content[..=last]).expect("written");
}

type Deed = (&'static str, fn(&Path));

const DEEDS: [Deed; 4] = [
    ("replaced by a backup", |folder| {
        // The node may make a file in it meanwhile, as it would under an operator's hands.
        while let Err(error) = fs::remove_dir_all(folder) {
            assert_eq!(error.kind(), ErrorKind::DirectoryNotEmpty, "{error}");
        }
        copy_folder(&beside(folder, "backup"), folder);
    }),
    ("moved away", |folder| {
        fs::rename(folder, beside(folder, "moved")).expect("moved");
    }),
    ("its segment replaced", |folder| {
        replace(&newest_segment(folder));
    }),
    ("its lock removed", |folder| {
        fs::remove_file(folder.join("LOCK")).expect("removed");
    }),
];

/// A system whose log has a backup beside it, older than the log by some events.
async fn with_backup() -> (System, Commander) {
    let mut system = System::start(&[]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    some_events(&system, &mut commander, 2).await;
    system.await_published().await;
    assert!(system.stop_node().success());
    let folder = system.log_folder();
    copy_folder(&folder, &beside(&folder, "backup"));
    system.start_node().await;
    some_events(&system, &mut commander, 2).await;
    (system, commander)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_receipt_comes_once_the_directory_is_not_the_one_that_is_open() {
    for (deed, commit) in DEEDS {
        let (mut system, mut commander) = with_backup().await;
        let (_, record) = commander.record(&["GCM-01"]);
        system.accepted(&[record]).await;
        commit(&system.log_folder());
        let (_, lost) = commander.record(&["GCM-02"]);
        let subject = subject::command("tester");
        let reply = system
            .bus()
            .request(&subject, lost.encode().into(), PATIENCE);
        if let Ok(reply) = reply.await {
            for receipt in receipts(&reply.payload) {
                assert_eq!(receipt.status, Status::Rejected, "{deed}: {receipt:?}");
            }
        }
        let (code, said) = system.node_ended();
        assert_eq!(code, Some(1), "{deed}: {said}");
        assert!(
            said.contains("removed, moved or replaced while the ledger ran"),
            "{deed}: {said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_is_replaced_while_nothing_is_sent_stops_the_node_too() {
    let (mut system, _) = with_backup().await;
    let folder = system.log_folder();
    let backed_up = fs::read(beside(&folder, "backup").join("head")).expect("a head");
    DEEDS[0].1(&folder);
    eventually(
        "the node to say that it is not ready, or to end",
        SOON,
        async || match system.connection().head().await {
            Ok(head) => head.refusing.map(drop),
            Err(_) => Some(()),
        },
    )
    .await;
    let (code, said) = system.node_ended();
    assert_eq!(code, Some(1), "{said}");
    let head = fs::read(folder.join("head")).expect("a head");
    assert_eq!(head, backed_up, "the copy keeps the head that it came with");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_segment_that_is_replaced_stops_the_node_while_commands_flow() {
    let (mut system, mut commander) = with_backup().await;
    assert!(system.stop_node().success());
    let folder = system.log_folder();
    let older = newest_segment(&folder);
    fill_up(&older);
    system.start_node().await;
    some_events(&system, &mut commander, 1).await;
    assert_ne!(newest_segment(&folder), older, "another segment");
    let writers = Writers::start(&system, 2).await;
    await_that("receipts", SOON, || writers.acknowledged() > 50);
    replace(&older);
    let (code, said) = system.node_ended();
    assert_eq!(code, Some(1), "{said}");
    let name = older.file_name().and_then(|name| name.to_str());
    let what = format!("{} is another file", name.expect("a name"));
    assert!(said.contains(&what), "{said}");
}
