//! A child that does not outlive its parent, and what to do about one that did.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getppid, kill_process, set_parent_process_death_signal};

/// Why a guarded program was not started.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// The arguments are not `<parent pid> <program> [args…]`.
    #[error("expected the parent's process id and a program")]
    Arguments,
    /// The kernel refused the death signal.
    #[error("the parent's death signal could not be asked for: {0}")]
    DeathSignal(std::io::Error),
    /// The parent died before the signal was in place.
    #[error("the parent, process {expected}, is gone")]
    Orphaned {
        /// The process that was to be the parent.
        expected: i32,
    },
    /// The program could not be started.
    #[error("{program:?} could not be started: {source}")]
    Exec {
        /// The program.
        program: OsString,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Becomes the program in `arguments` (`<parent pid> <program> [args…]`) with SIGTERM to come when the parent dies.
///
/// This is the whole of a hidden subcommand: between fork and exec only unsafe code could ask for that signal, and a
/// process of our own can. The setting survives the exec. It is bound to the parent's *thread*, which has to live on.
///
/// Returns only when it failed.
pub fn exec_guarded(arguments: impl IntoIterator<Item = OsString>) -> GuardError {
    let mut arguments = arguments.into_iter();
    let parent = arguments
        .next()
        .and_then(|text| text.to_str()?.parse::<i32>().ok());
    let (Some(expected), Some(program)) = (parent, arguments.next()) else {
        return GuardError::Arguments;
    };
    if let Err(error) = set_parent_process_death_signal(Some(Signal::TERM)) {
        return GuardError::DeathSignal(error.into());
    }
    // A parent that died before the call above sends no signal any more.
    if getppid().map(Pid::as_raw_pid) != Some(expected) {
        return GuardError::Orphaned { expected };
    }
    let source = Command::new(&program).args(arguments).exec();
    GuardError::Exec { program, source }
}

/// Every process that was started with the argument `marker`, a path that no other program has a reason to name.
pub(super) fn processes_naming(marker: &Path) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| u32::try_from(*pid).is_ok_and(|pid| pid != std::process::id()))
        .filter_map(Pid::from_raw)
        .filter(|pid| names(*pid, marker))
        .collect()
}

/// Whether the process runs and was started with that argument. A zombie has no arguments left.
fn names(pid: Pid, marker: &Path) -> bool {
    fs::read(format!("/proc/{}/cmdline", pid.as_raw_pid())).is_ok_and(|line| {
        line.split(|byte| *byte == 0)
            .any(|argument| OsStr::from_bytes(argument) == marker.as_os_str())
    })
}

/// Ends the processes that name `marker`: politely, then without asking. Says how many there were, and whether all went.
pub(super) fn end_left_behind(marker: &Path, patience: Duration) -> (usize, bool) {
    let found = processes_naming(marker);
    for signal in [Signal::TERM, Signal::KILL] {
        let deadline = Instant::now() + patience;
        for pid in found.iter().filter(|pid| names(**pid, marker)) {
            // It may be gone by now, which is what we want.
            if let Err(error) = kill_process(*pid, signal) {
                tracing::debug!(pid = pid.as_raw_pid(), %error, "a left-behind nats-server was not signalled");
            }
        }
        while Instant::now() < deadline {
            if !found.iter().any(|pid| names(*pid, marker)) {
                return (found.len(), true);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    (found.len(), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting_process(marker: &Path) -> std::process::Child {
        // The shell keeps the marker as its own argument while it waits for a line that never comes.
        let child = Command::new("sh")
            .args(["-c", "read line"])
            .arg(marker)
            .stdin(std::process::Stdio::piped())
            .spawn()
            .expect("sh starts");
        // A process that has just begun shows no arguments for a moment.
        let deadline = Instant::now() + Duration::from_secs(10);
        while !names(Pid::from_child(&child), marker) {
            assert!(Instant::now() < deadline, "the shell has no arguments");
            std::thread::yield_now();
        }
        child
    }

    #[test]
    fn a_left_behind_process_is_found_by_its_argument_and_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mine, other) = (
            folder.path().join("mine.conf"),
            folder.path().join("other.conf"),
        );
        let mut child = waiting_process(&mine);
        let mut bystander = waiting_process(&other);
        // The zombie of our own child counts as gone: it has no arguments left.
        assert_eq!(end_left_behind(&mine, Duration::from_secs(5)), (1, true));
        child.wait().expect("reaped");
        assert!(
            bystander.try_wait().expect("asked").is_none(),
            "the bystander was hit"
        );
        assert_eq!(end_left_behind(&other, Duration::from_secs(5)), (1, true));
        bystander.wait().expect("reaped");
    }

    #[test]
    fn nothing_left_behind_is_nothing_to_do() {
        let nowhere = Path::new("/nowhere/at/all.conf");
        assert_eq!(end_left_behind(nowhere, Duration::from_secs(5)), (0, true));
    }

    #[test]
    fn a_guard_whose_parent_is_another_does_not_start_the_program() {
        let text = |text: &str| OsString::from(text);
        assert!(matches!(
            exec_guarded([text("nine"), text("true")]),
            GuardError::Arguments
        ));
        assert!(matches!(exec_guarded([text("1")]), GuardError::Arguments));
    }
}
