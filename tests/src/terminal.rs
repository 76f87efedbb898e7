//! A terminal for a command to write to, without anyone in front of it.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::process::Finished;

/// Runs a command to its end with a terminal as its standard error, and its standard output in a pipe.
///
/// # Panics
/// When the system gives no terminal, or the command cannot be started.
pub fn run_on_terminal(command: &mut Command) -> Finished {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&ours).expect("a terminal of ours");
    unlockpt(&ours).expect("a terminal that can be opened");
    let name = ptsname(&ours, Vec::new()).expect("its name");
    let name = std::ffi::OsStr::from_bytes(name.as_bytes());
    let theirs = File::options().read(true).write(true).open(name);
    command
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(theirs.expect("its other end"));
    let child = command.spawn().expect("the command starts");
    // What the command holds of the terminal must be all that is open, for reading to end with it.
    command.stderr(Stdio::null());
    let (output, shown) = std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let (mut shown, mut buffer) = (Vec::new(), [0; 4096]);
            let mut terminal = File::from(ours);
            // The kernel ends a terminal without another end with an error.
            while let Ok(read @ 1..) = terminal.read(&mut buffer) {
                shown.extend_from_slice(&buffer[..read]);
            }
            shown
        });
        let output = child.wait_with_output().expect("the command's output");
        (output, reading.join().expect("what it showed"))
    });
    Finished {
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&shown).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_to_the_terminal_is_read_to_its_end() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "test -t 2 && echo out && printf err >&2; exit 4"]);
        let finished = run_on_terminal(&mut shell);
        assert_eq!(finished.status.code(), Some(4));
        assert_eq!(
            (finished.stdout.as_str(), finished.stderr.as_str()),
            ("out\n", "err")
        );
    }
}
