//! The command line as its help, the completions and the manual show it.

use clap::builder::ValueParser;
use clap::{Arg, Command, CommandFactory as _};

use crate::args::Cli;
use crate::failure::EXIT_CODES;

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

/// The command line, with exit codes below every help.
pub(crate) fn command() -> Command {
    with_exit_codes(plain())
}

/// The command line as the manual describes it, where exit codes have a section of their own.
pub(crate) fn plain() -> Command {
    let mut command = Cli::command();
    for (name, why) in WITHOUT_NATS {
        command = command.mut_subcommand(name, |subcommand| subcommand.arg(refused_nats(why)));
    }
    command
}

/// Takes the place of the option that every other subcommand has: out of the help, and refused instead of ignored.
fn refused_nats(why: &'static str) -> Arg {
    Arg::new("nats")
        .long("nats")
        .value_name("URL")
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
        let used = ["compact-ledger", "country", "KEN", "--nats", "x:1"];
        assert!(command().try_get_matches_from(used).is_ok());
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
