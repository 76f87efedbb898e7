//! What these tests do to files.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ledger_domain::wire::v1::{Command, Stage};
use ledger_tests::System;
use ledger_tests::commands::Commander;

pub(crate) const SOON: Duration = Duration::from_secs(30);

/// Some commitments with a report each, in submissions of a few.
pub(crate) async fn some_events(system: &System, commander: &mut Commander, commitments: usize) {
    let mut commands: Vec<Command> = Vec::new();
    for _ in 0..commitments {
        let (commitment, record) = commander.record(&["GCM-01", "GCM-05a"]);
        commands.push(record);
        commands.push(commander.report(commitment, 3, Stage::InProgress));
    }
    for commands in commands.chunks(4) {
        system.accepted(commands).await;
    }
}

/// Copies a folder with all that is in it.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), &to).expect("copied");
        }
    }
}

/// All files under a folder, in the order of their paths.
pub(crate) fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(files_under(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Flips the bits of one byte.
pub(crate) fn flip(path: &Path, offset: u64) {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .expect("a file to damage");
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset).expect("a byte");
    file.write_all_at(&[!byte[0]], offset).expect("written");
}

/// Damages a file in so many places, evenly spread over what is not zeroes.
pub(crate) fn damage(path: &Path, places: u64) {
    let content = fs::read(path).expect("a file");
    let Some(used) = content.iter().rposition(|&byte| byte != 0) else {
        return;
    };
    let used = u64::try_from(used).expect("a length");
    for place in 1..=places {
        flip(path, used * place / (places + 1));
    }
}
