//! A log whose directory is taken away from under it: nothing is acknowledged, and nothing is written into what stands there now.

use super::support::{fill, group};
use crate::{AppendError, Appender, Log, Options};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const EVENTS: u64 = 40;

fn options(dir: &Path) -> Options {
    Options {
        segment_bytes: 8 << 10,
        free_floor_bytes: 0,
        space_interval: Duration::from_hours(1),
        epoch_bits: 8,
        shard_bits: 10,
        ..Options::new(dir, "test")
    }
}

struct Rig {
    parent: tempfile::TempDir,
}

impl Rig {
    fn dir(&self) -> PathBuf {
        self.parent.path().join("ledger")
    }

    fn copy(&self) -> PathBuf {
        self.parent.path().join("copy")
    }

    /// A log with events in more than one segment, and a copy of it from before the last of them.
    fn new() -> (Self, Log, Appender) {
        let rig = Self {
            parent: tempfile::tempdir().unwrap(),
        };
        let (log, mut appender, _) = Log::open(options(&rig.dir())).unwrap();
        fill(&mut appender, EVENTS / 2, 5);
        log.sign_head().unwrap();
        drop((log, appender));
        copy(&rig.dir(), &rig.copy());
        let (log, mut appender, _) = Log::open(options(&rig.dir())).unwrap();
        fill(&mut appender, EVENTS, 5);
        assert!(rig.segments().len() > 1, "{:?}", rig.segments());
        (rig, log, appender)
    }

    fn segments(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.dir().join("journal")).unwrap();
        let mut segments: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        segments.retain(|path| path.extension().is_some());
        segments.sort();
        segments
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// Another file with the same bytes in a file's place.
fn replace(path: &Path) {
    let bytes = fs::read(path).unwrap();
    let other = path.with_extension("other");
    fs::write(&other, bytes).unwrap();
    fs::rename(&other, path).unwrap();
}

type Deed = (&'static str, fn(&Rig));

const DEEDS: [Deed; 9] = [
    ("the directory replaced by an older copy", |rig| {
        fs::remove_dir_all(rig.dir()).unwrap();
        copy(&rig.copy(), &rig.dir());
    }),
    ("the directory moved away", |rig| {
        fs::rename(rig.dir(), rig.parent.path().join("moved")).unwrap();
    }),
    ("the directory removed", |rig| {
        fs::remove_dir_all(rig.dir()).unwrap();
    }),
    ("the journal replaced by an older copy", |rig| {
        fs::remove_dir_all(rig.dir().join("journal")).unwrap();
        copy(&rig.copy().join("journal"), &rig.dir().join("journal"));
    }),
    ("the newest segment replaced", |rig| {
        replace(rig.segments().last().unwrap());
    }),
    ("the newest segment removed", |rig| {
        fs::remove_file(rig.segments().last().unwrap()).unwrap();
    }),
    ("the lock removed", |rig| {
        fs::remove_file(rig.dir().join("LOCK")).unwrap();
    }),
    ("the lock replaced", |rig| replace(&rig.dir().join("LOCK"))),
    ("the newest segment written over in place", |rig| {
        let newest = rig.segments().last().unwrap().clone();
        let len = fs::metadata(&newest).unwrap().len();
        fs::write(&newest, vec![0; usize::try_from(len).unwrap()]).unwrap();
    }),
];

/// All files but sled's, which a log still has open where only its journal was taken.
fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.ends_with("log") {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path));
        } else if !path.ends_with("next") {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn nothing_is_acknowledged_once_the_files_are_not_where_they_were() {
    for (deed, commit) in DEEDS {
        let (rig, log, mut appender) = Rig::new();
        appender.check_files().expect(deed);
        appender.append(&group(EVENTS, 1)).expect("the control");
        commit(&rig);
        let before = files(&rig.dir());
        let refused = appender.append(&group(EVENTS + 1, 1));
        let Err(AppendError::Poisoned { at, cause }) = refused else {
            panic!("{deed}: {refused:?}");
        };
        assert_eq!(at, "looking for the files of the log", "{deed}: {cause}");
        assert!(cause.contains("stop the ledger"), "{deed}: {cause}");
        assert!(log.check_files().is_err(), "{deed}");
        assert_eq!(log.tree_size(), EVENTS + 1, "{deed}");
        log.sign_head().expect_err(deed);
        drop((log, appender));
        assert!(files(&rig.dir()) == before, "{deed}: something was written");
    }
}

#[test]
fn it_shows_while_nothing_is_appended_and_in_older_segments_too() {
    let (rig, log, mut appender) = Rig::new();
    fs::remove_file(rig.segments().first().unwrap()).unwrap();
    let found = appender.check_files();
    assert!(
        matches!(&found, Err(AppendError::Poisoned { cause, .. }) if cause.contains("00.journal is gone")),
        "{found:?}"
    );
    assert!(log.check_files().is_err());
}

#[test]
fn a_copy_in_the_place_of_a_log_opens_as_what_it_is() {
    let (rig, log, mut appender) = Rig::new();
    fs::remove_dir_all(rig.dir()).unwrap();
    copy(&rig.copy(), &rig.dir());
    appender.append(&group(EVENTS, 1)).unwrap_err();
    drop((log, appender));
    let (log, mut appender, _) = Log::open(options(&rig.dir())).unwrap();
    assert_eq!(log.tree_size(), EVENTS / 2);
    fill(&mut appender, EVENTS, 5);
    log.sign_head().unwrap();
}
