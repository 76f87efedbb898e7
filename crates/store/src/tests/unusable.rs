//! Things in the place of a log or its views that are none of them. Each is named with its whole
//! path, and with the remedy.

use super::support::fill;
use crate::error::OpenError;
use crate::{Log, Options, ViewStore};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

const SEGMENT: &str = "journal/00000000000000000000.journal";

fn options(dir: &Path) -> Options {
    Options {
        segment_bytes: 64 << 10,
        free_floor_bytes: 0,
        ..Options::new(dir, "test")
    }
}

/// A log with some events and a head.
fn log_in(dir: &Path) {
    let (log, mut appender, _) = Log::open(options(dir)).unwrap();
    fill(&mut appender, 20, 5);
    log.sign_head().unwrap();
}

fn sentence(error: &OpenError) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    said
}

fn remove(path: &Path) {
    if path.is_dir() {
        fs::remove_dir_all(path).unwrap();
    } else {
        fs::remove_file(path).unwrap();
    }
}

/// A deed to a path in the log's directory, the path that is to be named, and the remedy.
type Deed = (&'static str, fn(&Path), &'static str, &'static str);

const DEEDS: [Deed; 9] = [
    ("", |path| fs::write(path, "x").unwrap(), "", "move away"),
    (
        "journal",
        |_| (),
        "journal",
        "holds no events, but the stored tree head knows 20: put",
    ),
    (
        "journal",
        |path| fs::write(path, "x").unwrap(),
        "journal",
        "move away",
    ),
    (SEGMENT, |_| (), "journal", "from your copy"),
    (
        SEGMENT,
        |path| fs::create_dir(path).unwrap(),
        "journal",
        "from your copy",
    ),
    (
        SEGMENT,
        |path| fs::write(path, "").unwrap(),
        "journal",
        "from your copy",
    ),
    (
        SEGMENT,
        |path| fs::write(path, [0x5a; 9_000]).unwrap(),
        "journal",
        "from your copy",
    ),
    (
        "log",
        |path| fs::write(path, "x").unwrap(),
        "log",
        "move it away",
    ),
    (
        "LOCK",
        |path| fs::create_dir(path).unwrap(),
        "LOCK",
        "move it away",
    ),
];

#[test]
fn what_is_in_the_place_of_a_part_of_the_log_is_named_with_its_path_and_what_helps() {
    for (part, deed, named, helps) in DEEDS {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("ledger");
        log_in(&dir);
        let path: PathBuf = dir.join(part).components().collect();
        remove(&path);
        deed(&path);
        let refused = sentence(&Log::open(options(&dir)).map(drop).unwrap_err());
        let named: PathBuf = dir.join(named).components().collect();
        let named = named.display().to_string();
        assert!(refused.contains(&named), "{part}: {refused}");
        assert!(refused.contains(helps), "{part}: {refused}");
    }
}

#[test]
fn a_directory_in_the_place_of_the_history_of_views_is_cleared_with_the_store() {
    let dir = tempfile::tempdir().unwrap();
    drop(ViewStore::open(dir.path(), "1").unwrap());
    let history = dir.path().join("store/history");
    remove(&history);
    fs::create_dir_all(history.join("within")).unwrap();
    let mut store = ViewStore::open(dir.path(), "1").unwrap();
    assert_eq!(store.load().unwrap(), None);
    assert!(history.is_file());
}

#[test]
fn a_file_in_the_place_of_the_views_store_is_named_with_its_path_and_what_helps() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    fs::write(&store, "x").unwrap();
    let refused = sentence(&ViewStore::open(dir.path(), "1").map(drop).unwrap_err());
    assert!(refused.contains(&store.display().to_string()), "{refused}");
    assert!(refused.contains("move it away"), "{refused}");
}
