//! The command line as its help, the completions and the manual show it.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::builder::ValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory as _};

use ledger_bus::address_without_secrets;

use crate::args::Cli;
use crate::failure::{EXIT_CODES, Failure};
use crate::output::say_as_it_is;

/// Subcommands that ask no ledger, and what to use instead of `--nats` for one.
const WITHOUT_NATS: [(&str, &str); 5] = [
    (
        "up",
        "it starts a nats-server of its own, on the port that --nats-port gives",
    ),
    (
        "bench",
        "it starts a nats-server of its own, on a free port",
    ),
    (
        "health",
        "it asks over HTTP, at the address that --url gives",
    ),
    ("completions", "it asks no ledger"),
    ("man", "it asks no ledger"),
];

/// The options that say how nats-server is reached.
const NATS_OPTIONS: [(&str, &str); 2] = [("nats", "nats"), ("inbox_prefix", "inbox-prefix")];

/// Reads the command line. `--nats` and `--inbox-prefix` are refused where they would be ignored, before the subcommand as behind it.
pub(crate) fn matches(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<ArgMatches, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(arguments)?;
    let is_named =
        |(id, _): &&(&str, _)| matches.value_source(id) == Some(ValueSource::CommandLine);
    let named = NATS_OPTIONS.iter().find(is_named);
    let subcommand = match matches.subcommand() {
        // The echo alone is that of a server which is there already.
        Some(("bench", bench)) if bench.subcommand_name() == Some("echo") => "",
        Some((name, _)) => name,
        None => "",
    };
    match (
        WITHOUT_NATS.iter().find(|(name, _)| *name == subcommand),
        named,
    ) {
        (Some((name, why)), Some((_, option))) => {
            let what = format!("`{name}` takes no --{option}: {why}");
            Err(command.error(ErrorKind::ArgumentConflict, what))
        }
        (Some(_), None) | (None, _) => Ok(matches),
    }
}

/// Says what is wrong with the command line, or prints the help that was asked for, and gives the code to exit with.
pub(crate) fn report(
    error: &clap::Error,
    arguments: impl IntoIterator<Item = OsString>,
) -> ExitCode {
    if !error.use_stderr() {
        let printed = error.print();
        return printed.map_or_else(
            |error| Failure::from(error).report(),
            |()| ExitCode::SUCCESS,
        );
    }
    let rendered = error.render();
    let text = if std::io::stderr().is_terminal() {
        rendered.ansi().to_string()
    } else {
        rendered.to_string()
    };
    say_as_it_is(explained(&text, arguments).trim_end());
    Failure::misused().report()
}

/// The parser's message in words for people, and without the secrets of addresses that it repeats.
fn explained(said: &str, arguments: impl IntoIterator<Item = OsString>) -> String {
    let mut said = said.to_owned();
    for argument in arguments {
        let argument = argument.to_string_lossy();
        let value = match argument.split_once('=') {
            Some((option, value)) if option.starts_with('-') => value,
            Some(_) | None => &argument,
        };
        let harmless = address_without_secrets(value);
        if harmless != value {
            said = said.replace(value, &harmless);
        }
    }
    for (word, plain) in PARSERS_WORDS {
        said = said.replace(word, plain);
    }
    let lines = said.lines().map(with_plain_range);
    lines.collect::<Vec<_>>().join("\n")
}

/// The standard library's words about a number, and a person's words.
const PARSERS_WORDS: [(&str, &str); 5] = [
    (
        "invalid digit found in string",
        "write a whole number, like 12",
    ),
    (
        "cannot parse integer from empty string",
        "write a whole number, like 12",
    ),
    (
        "number too large to fit in target type",
        "the number is too large",
    ),
    (
        "number too small to fit in target type",
        "the number is too small",
    ),
    (
        "invalid UTF-8 was detected in one or more arguments",
        "an argument is not UTF-8",
    ),
];

/// `300 is not in 0..=200` as a person says it.
fn with_plain_range(line: &str) -> String {
    let range = line.rsplit_once(" is not in ").and_then(|(before, range)| {
        let (least, most) = range.trim_end().split_once("..=")?;
        let (before, _) = before.rsplit_once(": ")?;
        Some(format!("{before}: write a number from {least} to {most}"))
    });
    range.unwrap_or_else(|| line.to_owned())
}

/// The command line, with exit codes below every help.
pub(crate) fn command() -> Command {
    with_exit_codes(plain())
}

/// The command line as the manual describes it, where exit codes have a section of their own.
pub(crate) fn plain() -> Command {
    let mut command = Cli::command();
    for (name, why) in WITHOUT_NATS {
        for (id, option) in NATS_OPTIONS {
            let refused = refused(id, option, why);
            command = command.mut_subcommand(name, |subcommand| subcommand.arg(refused));
        }
    }
    command
}

/// Takes the place of the option that every other subcommand has: out of the help, and refused instead of ignored.
fn refused(id: &'static str, option: &'static str, why: &'static str) -> Arg {
    Arg::new(id)
        .long(option)
        .value_name("VALUE")
        .hide(true)
        .value_parser(ValueParser::new(move |_: &str| {
            Err::<String, String>(why.to_owned())
        }))
}

fn with_exit_codes(command: Command) -> Command {
    let codes: Vec<String> = EXIT_CODES
        .iter()
        .map(|(code, meaning)| format!("  {code}  {meaning}"))
        .collect();
    command
        .after_help(format!("Exit codes:\n{}", codes.join("\n")))
        .mut_subcommands(with_exit_codes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(path: &[&str]) -> String {
        let mut command = command();
        command.build();
        let found = path.iter().fold(&mut command, |command, name| {
            command.find_subcommand_mut(name).expect("a subcommand")
        });
        found.render_long_help().to_string()
    }

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn every_help_says_what_the_exit_codes_mean() {
        for path in [&[][..], &["up"], &["audit", "verify"]] {
            assert!(help(path).contains("\n  3  the ledger cannot be reached"));
        }
    }

    #[test]
    fn nats_is_offered_only_where_it_is_used_and_refused_elsewhere() {
        for (name, _) in WITHOUT_NATS {
            assert!(!help(&[name]).contains("--nats "), "{name}");
        }
        assert!(help(&["country"]).contains("--nats <URL>"));
        let refused = command().try_get_matches_from(["compact-ledger", "up", "--nats", "x:1"]);
        let why = refused.expect_err("an option of others").to_string();
        assert!(why.contains("--nats-port"), "{why}");
        for line in [
            "country KEN --nats x:1",
            "--nats x:1 country KEN",
            "up",
            "up --json",
        ] {
            assert!(read(line).is_ok(), "{line}");
        }
        let lines = ["up", "bench ingest", "health", "completions bash", "man"];
        for ((_, why), line) in WITHOUT_NATS.iter().zip(lines) {
            let refused = read(&format!("--nats x:1 {line}")).map(|_| ());
            let said = refused.expect_err("an option of others").to_string();
            assert!(said.contains(why), "{line}: {said}");
            assert!(read(&format!("{line} --nats x:1")).is_err(), "{line}");
        }
        assert!(read("up --inbox-prefix x").is_err() && read("--inbox-prefix x up").is_err());
        // The echo is that of a server which is there.
        assert!(read("--nats x:1 bench echo").is_ok());
    }

    /// The message about a line that is refused.
    fn said_of(words: &[&str]) -> String {
        let arguments = || {
            std::iter::once(&"compact-ledger")
                .chain(words)
                .map(OsString::from)
        };
        let error = matches(arguments())
            .map(|_| ())
            .expect_err("a line to refuse");
        explained(&error.to_string(), arguments())
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said_in_words_for_people() {
        let number = "write a whole number";
        for (words, plain) in [
            (&["replay", "--from", "one"][..], number),
            (&["replay", "--from", ""], number),
            (&["replay", "--to=-1"], number),
            (
                &["replay", "--to", "99999999999999999999999"],
                "the number is too large",
            ),
            (
                &["country", "KEN", "--limit", "300"],
                "write a number from 0 to 200",
            ),
            (&["country", "KEN", "--limit", "x"], number),
            (
                &["watch", "stale", "--limit", "0"],
                "write a number from 1 to 200",
            ),
        ] {
            let said = said_of(words);
            assert!(said.contains(plain), "{said}");
            for leaked in ["digit found", "target type", "..=", "parse integer"] {
                assert!(!said.contains(leaked), "{said}");
            }
        }
    }

    #[test]
    fn what_is_wrong_with_a_line_repeats_no_secret_of_an_address() {
        for words in [
            &["up", "--nats", "nats://u:s3cret@h"][..],
            &["up", "--nats=nats://u:s3cret@h"],
            &["up", "--nats=u:s3cret@h"],
            &["up", "--nats", "u:s3cret x@h"],
            &["--nats", "nats://s3cret@h", "up"],
            &["country", "KEN", "nats://u:s3cret@h"],
            &["nats://u:s3cret@h"],
            &["replay", "--from", "nats://u:s3 s3cret@h"],
            &["country", "KEN", "--url=http://u:s3cret@h"],
        ] {
            let said = said_of(words);
            assert!(!said.contains("s3cret"), "{said}");
        }
    }

    fn read(line: &str) -> Result<ArgMatches, clap::Error> {
        let words = line.split(' ').map(OsString::from);
        matches(std::iter::once("compact-ledger".into()).chain(words))
    }

    #[test]
    fn what_says_which_page_of_a_list_is_refused_without_a_list() {
        assert!(read("watch --limit 1").is_err());
        assert!(read("watch --after 7").is_err());
        assert!(read("watch overdue --limit 1 --after 7").is_ok());
        assert!(read("watch").is_ok());
    }

    #[test]
    fn options_of_all_subcommands_stand_behind_its_own_and_none_is_shown_as_required() {
        let help = help(&["watch"]);
        let at = |option: &str| help.find(option).expect("an option");
        assert!(
            at("--as-of <") < at("--nats <") && at("--nats <") < at("--json"),
            "{help}"
        );
        let said = read("watch nonsense --limit x")
            .map(|_| ())
            .expect_err("no list")
            .to_string();
        assert!(!said.contains("--nats"), "{said}");
    }

    #[test]
    fn what_nobody_types_is_offered_nowhere() {
        let said = read("--json")
            .map(|_| ())
            .expect_err("no subcommand")
            .to_string();
        assert!(
            said.contains("country") && !said.contains("exec-child"),
            "{said}"
        );
    }

    #[test]
    fn what_containers_run_is_understood() {
        let compose = include_str!("../../../docker-compose.yml");
        let list = |line: &str| {
            let list = line.split_once('[')?.1.trim_end().strip_suffix(']')?;
            let items = list
                .split(", ")
                .map(|item| item.trim_matches('"').to_owned());
            Some(items.collect::<Vec<_>>())
        };
        let commands = compose.lines().filter_map(|line| {
            let line = line.trim_start();
            let list = list(line)?;
            if line.starts_with("command: ") {
                return Some([vec!["compact-ledger".to_owned()], list].concat());
            }
            // A health check names the program itself.
            let program = list.iter().position(|item| item == "compact-ledger")?;
            Some(list[program..].to_vec())
        });
        let mut names = Vec::new();
        for arguments in commands {
            let matches = command().try_get_matches_from(&arguments);
            assert!(matches.is_ok(), "{arguments:?}: {}", matches.unwrap_err());
            names.push(arguments[1].clone());
        }
        names.sort();
        names.dedup();
        assert_eq!(names, ["health", "import", "node", "projector"]);
    }
}
