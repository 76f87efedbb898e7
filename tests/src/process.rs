//! Processes of the `compact-ledger` binary.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::wait::await_that;

/// The binary under test: `$COMPACT_LEDGER_BIN`, else the one that Cargo built beside the running test.
///
/// # Panics
/// When it is not there.
pub fn ledger_binary() -> PathBuf {
    let path = std::env::var_os("COMPACT_LEDGER_BIN").map_or_else(beside_this_test, PathBuf::from);
    assert!(
        path.is_file(),
        "{} is not there: `cargo xtask test` builds it, and so does `cargo build`",
        path.display()
    );
    path
}

/// Tests are in `target/<profile>/deps`, binaries one folder above.
fn beside_this_test() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let folder = test
        .parent()
        .and_then(Path::parent)
        .expect("a target folder");
    folder.join("compact-ledger")
}

/// A call of the binary under test; add arguments and variables as to any command.
///
/// # Panics
/// When the binary is not there.
pub fn ledger<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = Command::new(ledger_binary());
    command.args(arguments);
    command
}

/// A process that runs beside the test. Dropping it kills it; when the test fails, its last words are printed.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    status: Option<ExitStatus>,
    output: TempDir,
}

impl Process {
    /// Starts it. Its output goes to files; `name` is what it is called when something fails.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(name: &str, command: &mut Command) -> Self {
        let output = TempDir::new().expect("a temporary folder");
        let file =
            |name: &str| File::create(output.path().join(name)).expect("a file for the output");
        let child = command
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Self {
            name: name.to_owned(),
            child,
            status: None,
            output,
        }
    }

    /// What it has printed so far.
    pub fn stdout(&self) -> String {
        self.read("stdout")
    }

    /// What it has said on standard error so far.
    pub fn stderr(&self) -> String {
        self.read("stderr")
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it is still running.
    ///
    /// # Panics
    /// When the system does not know the process any more.
    pub fn runs(&mut self) -> bool {
        if self.status.is_none() {
            self.status = self.child.try_wait().expect("the process can be asked for");
        }
        self.status.is_none()
    }

    /// Kills it at once, as a power switch would, and waits until it is gone.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(&mut self) {
        if self.runs() {
            self.child.kill().expect("the process can be killed");
            self.status = Some(self.child.wait().expect("the process can be waited for"));
        }
    }

    /// Asks it to end (SIGTERM) and says how it ended.
    ///
    /// # Panics
    /// When it does not end within `within`.
    pub fn terminate(&mut self, within: Duration) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait(within)
    }

    /// Sends it a signal, if it is still running.
    ///
    /// # Panics
    /// When it cannot be signalled.
    pub fn signal(&mut self, signal: Signal) {
        if self.runs() {
            kill_process(Pid::from_child(&self.child), signal)
                .expect("the process can be signalled");
        }
    }

    /// Waits until it ends by itself and says how.
    ///
    /// # Panics
    /// When it does not within `within`.
    pub fn wait(&mut self, within: Duration) -> ExitStatus {
        let what = format!("{} to end", self.name);
        await_that(&what, within, || !self.runs());
        self.status.expect("it has ended")
    }

    fn read(&self, name: &str) -> String {
        let bytes = fs::read(self.output.path().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            for (stream, text) in [("stdout", self.stdout()), ("stderr", self.stderr())] {
                for line in last_lines(&text, 30) {
                    eprintln!("{} {stream}: {line}", self.name);
                }
            }
        }
    }
}

fn last_lines(text: &str, count: usize) -> impl Iterator<Item = &str> {
    let skipped = text.lines().count().saturating_sub(count);
    text.lines().skip(skipped)
}

/// How a command that was run to its end went.
#[derive(Debug, Clone)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: String,
    /// What it said on standard error.
    pub stderr: String,
}

impl Finished {
    /// What it printed, given that it succeeded.
    ///
    /// # Panics
    /// When it did not.
    pub fn succeeded(self) -> String {
        assert!(
            self.status.success(),
            "{}\n{}\n{}",
            self.status,
            self.stdout,
            self.stderr
        );
        self.stdout
    }
}

/// Runs a command to its end with `input` on its standard input.
///
/// # Panics
/// When it cannot be started or its output cannot be read.
pub fn run(command: &mut Command, input: &[u8]) -> Finished {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // Written beside the reading: a command that prints more than a pipe holds would wait for us for ever.
    let output = std::thread::scope(|scope| {
        // A command may end without having read everything: that is its choice.
        scope.spawn(move || stdin.write_all(input).is_ok());
        child.wait_with_output().expect("the command's output")
    });
    Finished {
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_process_that_ends_in_its_own_time_says_how() {
        let mut process = Process::start("shell", &mut shell("echo out; echo err >&2; exit 3"));
        assert_eq!(process.wait(Duration::from_secs(10)).code(), Some(3));
        assert_eq!(
            (process.stdout(), process.stderr()),
            ("out\n".into(), "err\n".into())
        );
    }

    #[test]
    fn a_terminated_process_may_clean_up_and_a_killed_one_may_not() {
        let script = "trap 'echo clean; exit 0' TERM; echo ready; while :; do sleep 0.01; done";
        let mut polite = Process::start("polite", &mut shell(script));
        await_that("its trap", Duration::from_secs(10), || {
            polite.stdout() == "ready\n"
        });
        assert!(polite.terminate(Duration::from_secs(10)).success());
        assert_eq!(polite.stdout(), "ready\nclean\n");
        let mut killed = Process::start("killed", &mut shell(script));
        await_that("its trap", Duration::from_secs(10), || {
            killed.stdout() == "ready\n"
        });
        killed.kill();
        assert!(!killed.runs());
        assert_eq!(killed.stdout(), "ready\n");
    }

    #[test]
    fn more_input_and_output_than_a_pipe_holds_goes_through() {
        let input = vec![b'x'; 1 << 20];
        let finished = run(&mut shell("cat"), &input);
        assert_eq!(finished.succeeded().len(), input.len());
    }
}
