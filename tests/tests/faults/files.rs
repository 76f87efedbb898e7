//! Files lost and files damaged: what can be made anew is, what cannot stops the node.

use ledger_domain::wire::v1::view::ViewKey;
use std::fs;

use ledger_domain::wire::v1::query::ViewQuery;
use ledger_tests::{Process, Recorded, System, VIEWS, await_that, eventually, run};

use crate::support::{SOON, damage, files_under, flip, some_events};

async fn system_with_events() -> System {
    let system = System::start_whole(&[]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    some_events(&system, &mut commander, 20).await;
    system
}

fn delivered(log: &[Recorded]) -> Vec<&[u8]> {
    log.iter().map(|recorded| &*recorded.delivered).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn views_whose_store_was_lost_or_damaged_are_folded_again() {
    let mut system = system_with_events().await;
    system.verify().await;
    for view in VIEWS {
        system.stop_projector(view);
        fs::remove_dir_all(system.view_folder(view)).expect("a store to remove");
        system.start_projector(view);
    }
    system.verify().await;
    for places in [1, 50] {
        for view in VIEWS {
            system.stop_projector(view);
            for file in files_under(&system.view_folder(view)) {
                damage(&file, places);
            }
            system.start_projector(view);
        }
        system.verify().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_that_was_damaged_is_folded_again_when_somebody_asks_for_it() {
    let mut system = System::start_whole(&[]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    some_events(&system, &mut commander, 300).await;
    system.verify().await;
    let history = system.view_folder("summary").join("store/history");
    await_that("a closed chunk", SOON, || {
        fs::metadata(&history).is_ok_and(|file| file.len() > 10_000)
    });
    let asked = ViewQuery {
        as_of: Some("300".to_owned()),
        ..ViewQuery::default()
    };
    let before = system.connection().view(&ViewKey::Summary, &asked).await;
    let before = before.expect("the view as it was").json;
    damage(&history, 50);
    let refused = system.connection().view(&ViewKey::Summary, &asked).await;
    let refused = refused.expect_err("a refusal").to_string();
    assert!(refused.contains("is being made anew"), "{refused}");
    let after = eventually("the history to be made anew", SOON, async || {
        let known = system.connection().view(&ViewKey::Summary, &asked).await;
        known.ok()
    });
    assert_eq!(after.await.json, before);
    let said = system.projector("summary").stderr();
    assert_eq!(said.matches("are folded anew").count(), 1, "{said}");
    system.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_store_that_was_lost_or_damaged_is_fed_again() {
    let mut system = system_with_events().await;
    let before = system.log_from(0).await;
    let store = system.log_folder().join("log");
    assert!(system.stop_node().success());
    fs::remove_dir_all(&store).expect("a store to remove");
    system.start_node().await;
    assert_eq!(delivered(&before), delivered(&system.log_from(0).await));
    for places in [1, 50] {
        assert!(system.stop_node().success());
        for file in files_under(&store) {
            damage(&file, places);
        }
        system.start_node().await;
        assert_eq!(delivered(&before), delivered(&system.log_from(0).await));
    }
    let mut commander = system.reporter("another", &["UGA"]).await;
    some_events(&system, &mut commander, 5).await;
    system.verify().await;
    system.verify_stream().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_byte_in_the_journal_stops_the_node_and_names_the_position() {
    let mut system = system_with_events().await;
    let log = system.log_from(0).await;
    assert!(system.stop_node().success());
    let journal = files_under(&system.log_folder().join("journal"));
    let segment = journal.first().expect("a segment");
    let content = fs::read(segment).expect("the segment");
    let frames: Vec<usize> = content
        .windows(4)
        .enumerate()
        .filter_map(|(offset, window)| (window == b"CLJF").then_some(offset))
        .collect();
    assert!(frames.len() > 10, "{frames:?}");
    let tree_size = log.len() as u64;
    // In a header and in a payload: the first frame, one in the middle, and the last, whose events were acknowledged too.
    for frame in [
        frames[0],
        frames[frames.len() / 2],
        frames[frames.len() - 1],
    ] {
        for inside in [20, 90, 200] {
            let offset = u64::try_from(frame + inside).expect("an offset");
            flip(segment, offset);
            let damaged = fs::read(segment).expect("the segment");
            system.spawn_node();
            let (code, said) = system.node_ended();
            assert_eq!(code, Some(1), "byte {offset}: {said}");
            let position =
                u64::from_le_bytes(content[frame + 16..frame + 24].try_into().expect("8 bytes"));
            assert!(position < tree_size);
            let names = format!("damaged at position {position}");
            let ahead = format!("the log has only {position} events");
            assert!(
                said.contains(&names) || said.contains(&ahead),
                "byte {offset}: {said}"
            );
            assert!(
                damaged == fs::read(segment).expect("the segment"),
                "nothing was changed"
            );
            flip(segment, offset);
        }
    }
    system.start_node().await;
    assert_eq!(delivered(&log), delivered(&system.log_from(0).await));
    system.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_end_of_the_journal_is_cut_and_said() {
    let mut system = system_with_events().await;
    let log = system.log_from(0).await;
    assert!(system.stop_node().success());
    let journal = files_under(&system.log_folder().join("journal"));
    let segment = journal.first().expect("a segment");
    let mut content = fs::read(segment).expect("the segment");
    // The beginning of a frame that was being written: a copy of the last one's first half, after the end.
    let end = content.iter().rposition(|&byte| byte != 0).expect("frames") + 1;
    let last = content
        .windows(4)
        .rposition(|window| window == b"CLJF")
        .expect("a frame");
    let half = content[last..last + (end - last) / 2].to_vec();
    content[end..end + half.len()].copy_from_slice(&half);
    fs::write(segment, &content).expect("written");
    system.start_node().await;
    assert_eq!(delivered(&log), delivered(&system.log_from(0).await));
    assert!(
        system.node().stderr().contains("torn"),
        "{}",
        system.node().stderr()
    );
    system.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_key_stops_the_node() {
    let mut system = System::start(&[]).await;
    assert!(system.stop_node().success());
    let key = system.log_folder().join("ledger.key");
    let content = fs::read(&key).expect("the key");
    fs::remove_file(&key).expect("removed");
    system.spawn_node();
    let (code, said) = system.node_ended();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("ledger.key"), "{said}");
    assert!(!key.exists(), "no other key was made");
    fs::write(&key, content).expect("written");
    system.start_node().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_another_ledger_of_the_same_name_signs_nothing() {
    let mut other = System::start(&[]).await;
    assert!(other.stop_node().success());
    let mut system = System::start(&[]).await;
    let size = system.await_published().await;
    assert!(system.stop_node().success());
    let key = system.log_folder().join("ledger.key");
    let own = fs::read(&key).expect("the key");
    fs::copy(other.log_folder().join("ledger.key"), &key).expect("copied");
    let head = system.log_folder().join("head");
    fs::remove_file(&head).expect("a head to remove");
    system.spawn_node();
    let (code, said) = system.node_ended();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("position 0 names the key"), "{said}");
    assert!(!head.exists(), "nothing was signed");
    let folder = system.log_folder();
    let mut scrub = system.ledger(["scrub"]);
    let scrubbed = run(scrub.arg(&folder), b"");
    assert_eq!(scrubbed.status.code(), Some(1));
    assert!(
        scrubbed.stdout.contains("position 0 names the key"),
        "{}",
        scrubbed.stdout
    );
    fs::write(&key, own).expect("written");
    system.start_node().await;
    assert_eq!(system.tree_size().await, size);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_node_on_the_same_folder_is_refused() {
    let system = System::start(&[]).await;
    let mut program = system.node_program(&system.log_folder());
    let mut second = Process::start("second node", &mut program);
    assert_eq!(second.wait(SOON).code(), Some(1));
    assert!(
        second.stderr().contains("in use by another process"),
        "{}",
        second.stderr()
    );
    let mut commander = system.reporter("tester", &["KEN"]).await;
    some_events(&system, &mut commander, 1).await;
}
