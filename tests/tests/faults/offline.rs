//! A log checked as it lies: by whoever may read it, where nothing can be written, and with nothing changed.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use ledger_tests::{Finished, Process, System, run};

use crate::support::{SOON, copy_folder, files_under, some_events};

/// Each file's bytes, mode and times, and the folders' times.
fn state(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, u32, i64, i64, i64)> {
    let mut paths = files_under(folder);
    let parents: Vec<PathBuf> = paths
        .iter()
        .flat_map(|path| path.ancestors())
        .map(Path::to_owned)
        .collect();
    paths.extend(parents.into_iter().filter(|path| path.starts_with(folder)));
    let states = paths.into_iter().map(|path| {
        let bytes = if path.is_file() {
            fs::read(&path).expect("a file")
        } else {
            Vec::new()
        };
        let found = fs::metadata(&path).expect("metadata");
        let times = (found.mtime(), found.mtime_nsec(), found.ctime());
        (path, (bytes, found.mode(), times.0, times.1, times.2))
    });
    states.collect()
}

async fn stopped_system() -> System {
    let mut system = System::start(&[]).await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    some_events(&system, &mut commander, 20).await;
    system.await_published().await;
    assert!(system.stop_node().success());
    system
}

fn scrub(system: &System, folder: &Path, change: impl FnOnce(&mut Command)) -> Finished {
    let mut program = system.ledger(["scrub", "--json"]);
    program.arg(folder);
    change(&mut program);
    run(&mut program, b"")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offline_scrub_changes_no_file_and_finds_what_it_found_before() {
    let system = stopped_system().await;
    let folder = system.log_folder();
    let before = state(&folder);
    let found = scrub(&system, &folder, |_| ());
    assert_eq!(
        found.status.code(),
        Some(0),
        "{}{}",
        found.stdout,
        found.stderr
    );
    assert!(!found.stdout.contains("not_compared"), "{}", found.stdout);
    assert!(found.stdout.contains("\"unfed\":0"), "{}", found.stdout);
    assert!(state(&folder) == before, "a file was changed");
    // Where there is no place for copies, the journal is checked all the same.
    let nowhere = scrub(&system, &folder, |program| {
        program.env("TMPDIR", "/proc/no/such/place");
    });
    assert_eq!(
        nowhere.status.code(),
        Some(0),
        "{}{}",
        nowhere.stdout,
        nowhere.stderr
    );
    assert!(
        nowhere.stdout.contains("not_compared"),
        "{}",
        nowhere.stdout
    );
    // The control: what sled holds wrongly is found in a copy too, and left as it is.
    for file in files_under(&folder.join("log")) {
        crate::support::damage(&file, 50);
    }
    let damaged = state(&folder);
    let found = scrub(&system, &folder, |_| ());
    assert_eq!(found.status.code(), Some(1), "{}", found.stdout);
    assert!(state(&folder) == damaged, "a file was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_user_checks_a_backup_that_nobody_can_write() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let system = stopped_system().await;
    let backup = tempfile::tempdir().expect("a folder");
    let folder = backup.path().join("ledger");
    copy_folder(&system.log_folder(), &folder);
    for path in files_under(&folder) {
        fs::set_permissions(&path, Permissions::from_mode(0o444)).expect("a mode");
    }
    let key = folder.join("ledger.key");
    fs::set_permissions(&key, Permissions::from_mode(0o400)).expect("a mode");
    for folder in [backup.path(), &folder, &folder.join("journal")] {
        fs::set_permissions(folder, Permissions::from_mode(0o555)).expect("a mode");
    }
    let before = state(&folder);
    let program = |program: &mut Command| {
        program.uid(65_534).gid(65_534);
    };
    let found = scrub(&system, &folder, program);
    assert_eq!(
        found.status.code(),
        Some(0),
        "{}{}",
        found.stdout,
        found.stderr
    );
    assert!(
        found.stdout.contains("this user may not read it"),
        "{}",
        found.stdout
    );
    assert!(state(&folder) == before, "a file was changed");
    // The control: that user can write nothing there.
    let mut touch = Command::new("touch");
    touch
        .arg(folder.join("journal/new"))
        .uid(65_534)
        .gid(65_534);
    assert!(!run(&mut touch, b"").status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_without_its_small_files_is_checked_and_each_is_named() {
    let system = stopped_system().await;
    let backup = tempfile::tempdir().expect("a folder");
    let folder = backup.path().join("ledger");
    copy_folder(&system.log_folder(), &folder);
    fs::remove_file(folder.join("LOCK")).expect("removed");
    fs::write(folder.join("head"), "").expect("written");
    fs::write(folder.join("ledger.key"), b"\xff\x00").expect("written");
    let before = state(&folder);
    let found = scrub(&system, &folder, |_| ());
    assert_eq!(
        found.status.code(),
        Some(1),
        "{}{}",
        found.stdout,
        found.stderr
    );
    for named in ["ledger.key", "head: is empty"] {
        assert!(found.stdout.contains(named), "{named}: {}", found.stdout);
    }
    assert!(found.stdout.contains("\"findings\":[]"), "{}", found.stdout);
    assert!(state(&folder) == before, "a file was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_log_is_not_checked_from_outside_and_the_file_at_fault_is_named_at_a_start() {
    let mut system = System::start(&[]).await;
    let folder = system.log_folder();
    let refused = scrub(&system, &folder, |_| ());
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        refused.stderr.contains("without a directory"),
        "{}",
        refused.stderr
    );
    system.await_published().await;
    assert!(system.stop_node().success());
    for (name, remedy) in [
        ("head", "move it away"),
        ("ledger.key", "put this ledger's own key back"),
    ] {
        let own = fs::read(folder.join(name)).expect("a file");
        fs::write(folder.join(name), "").expect("written");
        let mut node = Process::start("node", &mut system.node_program(&folder));
        assert_eq!(node.wait(SOON).code(), Some(1));
        let said = node.stderr();
        let path = folder.join(name).display().to_string();
        assert!(said.contains(&format!("{path}: is empty")), "{said}");
        assert!(said.contains(remedy), "{said}");
        fs::write(folder.join(name), own).expect("written");
    }
    system.start_node().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrub_that_is_told_to_end_takes_its_copies_with_it() {
    let system = stopped_system().await;
    let copies = tempfile::tempdir().expect("a folder");
    let mut program = system.ledger(["scrub", "--json"]);
    program.arg(system.log_folder());
    program.env("TMPDIR", copies.path());
    let mut scrub = Process::start("scrub", &mut program);
    while fs::read_dir(copies.path()).expect("a folder").count() == 0 {
        assert!(scrub.runs(), "{}", scrub.stderr());
    }
    let status = scrub.terminate(SOON);
    assert!(status.code().is_some(), "it ends by itself: {status}");
    assert_eq!(fs::read_dir(copies.path()).expect("a folder").count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrub_removes_what_a_killed_one_left_and_nothing_that_is_in_use() {
    let system = stopped_system().await;
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = |name: &str| {
        let folder = temporary.path().join(name);
        fs::create_dir_all(folder.join("index")).expect("a folder");
        fs::write(folder.join("index/db"), "copied").expect("a file");
        folder
    };
    let left = folder("compact-ledger-scrub-left");
    let others = folder("another-program");
    let held = folder("compact-ledger-scrub-held");
    let lock = fs::File::open(&held).expect("a folder");
    lock.try_lock().expect("a lock");
    let found = scrub(&system, &system.log_folder(), |program| {
        program.env("TMPDIR", temporary.path());
    });
    found.succeeded();
    assert!(!left.exists(), "left behind");
    assert!(others.exists() && held.exists());
    assert_eq!(fs::read_dir(temporary.path()).expect("a folder").count(), 2);
}
