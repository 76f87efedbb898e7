//! `cargo xtask test`: the steps, their times, and one closing line that counts.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use crate::workspace::{self, Workspace};
use crate::{Error, nats, tidy};

/// Whether a step may write Cargo.lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lockfile {
    MayChange,
    Frozen,
}

/// Integration tests with a step of their own, in the order they run; the others share one.
const SYSTEM_TESTS: [&str; 2] = ["system", "crash"];

/// What a step found. A step that is no test run counts only when it fails, and then as one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    passed: u64,
    failed: u64,
}

struct Steps<'a> {
    workspace: &'a Workspace,
    lockfile: Lockfile,
    nats_server: &'a Path,
    done: Vec<(String, Count, Duration)>,
}

/// Runs every step, a failed one too far from the rest to stop them; only a failed build ends it early.
pub(crate) fn run_all(workspace: &Workspace, lockfile: Lockfile) -> Result<ExitCode, Error> {
    let nats_server = nats::find_or_fetch(&workspace.root)?;
    let mut steps = Steps {
        workspace,
        lockfile,
        nats_server: &nats_server,
        done: Vec::new(),
    };
    steps.plain("format", &["fmt", "--all", "--", "--check"])?;
    steps.tidy();
    steps.plain(
        "clippy",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ],
    )?;
    // Every later run selects the whole workspace too: another selection has other features, and would build twice.
    if steps.plain("build", &["build", "--workspace", "--all-targets"])? {
        steps.tests("unit", &["--lib", "--bins"])?;
        steps.tests("doc", &["--doc"])?;
        steps.integration_tests()?;
    }
    Ok(steps.close())
}

impl Steps<'_> {
    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(workspace::cargo());
        command
            .current_dir(&self.workspace.root)
            .env("NATS_SERVER", self.nats_server)
            .env(
                "COMPACT_LEDGER_BIN",
                self.workspace.target.join("debug").join("compact-ledger"),
            );
        let (subcommand, rest) = arguments.split_at(1.min(arguments.len()));
        command.args(subcommand);
        if self.lockfile == Lockfile::Frozen && subcommand != ["fmt"] {
            command.arg("--locked");
        }
        command.args(rest);
        command
    }

    /// A step that either passes or fails as a whole; says which.
    fn plain(&mut self, name: &str, arguments: &[&str]) -> Result<bool, Error> {
        announce(name);
        let start = Instant::now();
        let status = self.cargo(arguments).status().map_err(start_failed)?;
        let failed = u64::from(!status.success());
        self.finish(name, Count { passed: 0, failed }, start);
        Ok(status.success())
    }

    fn tidy(&mut self) {
        announce("tidy");
        let start = Instant::now();
        let violations = tidy::check(self.workspace);
        for violation in &violations {
            eprintln!("tidy: {violation}");
        }
        let failed = u64::from(!violations.is_empty());
        self.finish("tidy", Count { passed: 0, failed }, start);
    }

    fn integration_tests(&mut self) -> Result<(), Error> {
        let mut names: Vec<&str> = self
            .workspace
            .members
            .iter()
            .flat_map(|member| member.test_targets.iter().map(String::as_str))
            .collect();
        names.sort_unstable();
        names.dedup();
        let (apart, together): (Vec<&str>, Vec<&str>) = names
            .into_iter()
            .partition(|name| SYSTEM_TESTS.contains(name));
        if !together.is_empty() {
            let selection: Vec<&str> = together.iter().flat_map(|name| ["--test", name]).collect();
            self.tests("integration", &selection)?;
        }
        for name in SYSTEM_TESTS.into_iter().filter(|name| apart.contains(name)) {
            self.tests(name, &["--test", name])?;
        }
        Ok(())
    }

    fn tests(&mut self, name: &str, selection: &[&str]) -> Result<(), Error> {
        announce(name);
        let start = Instant::now();
        let mut arguments = vec!["test", "--workspace", "--no-fail-fast"];
        arguments.extend_from_slice(selection);
        let mut child = self
            .cargo(&arguments)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(start_failed)?;
        let mut count = Count::default();
        if let Some(stdout) = child.stdout.take() {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                println!("{line}");
                if let Some(found) = parse_result(&line) {
                    count.passed += found.passed;
                    count.failed += found.failed;
                }
            }
        }
        let status = child.wait().map_err(start_failed)?;
        // A test binary that dies prints no result line: that is a failure, not silence.
        if !status.success() && count.failed == 0 {
            count.failed = 1;
        }
        self.finish(name, count, start);
        Ok(())
    }

    fn finish(&mut self, name: &str, count: Count, start: Instant) {
        self.done.push((name.to_owned(), count, start.elapsed()));
    }

    /// Prints the list and the closing line.
    fn close(self) -> ExitCode {
        println!();
        for (name, count, time) in &self.done {
            let verdict = if count.failed == 0 { "ok" } else { "FAILED" };
            let tests = match count.passed + count.failed {
                0 => String::new(),
                _ => format!("{} passed, {} failed", count.passed, count.failed),
            };
            println!(
                "{name:<12} {verdict:<7} {:>6.1} s  {tests}",
                time.as_secs_f64()
            );
        }
        let passed: u64 = self.done.iter().map(|(_, count, _)| count.passed).sum();
        let failed: u64 = self.done.iter().map(|(_, count, _)| count.failed).sum();
        println!("{passed} passed, {failed} failed");
        if failed == 0 && passed > 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

fn announce(name: &str) {
    eprintln!("\n== {name}");
}

fn start_failed(source: std::io::Error) -> Error {
    Error::Start {
        program: "cargo".to_owned(),
        source,
    }
}

/// Reads `test result: ok. 3 passed; 0 failed; …`, the line that ends every test binary's output.
fn parse_result(line: &str) -> Option<Count> {
    let counts = line.strip_prefix("test result: ")?.split_once(". ")?.1;
    let number_before = |word: &str| {
        counts
            .split("; ")
            .find_map(|part| part.strip_suffix(word)?.trim().parse().ok())
    };
    Some(Count {
        passed: number_before(" passed")?,
        failed: number_before(" failed")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_line_is_counted() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s";
        assert_eq!(
            parse_result(line),
            Some(Count {
                passed: 12,
                failed: 3
            })
        );
    }

    #[test]
    fn other_lines_are_not_counted() {
        assert_eq!(parse_result("test a_claim ... ok"), None);
        assert_eq!(parse_result("running 3 tests"), None);
    }
}
