//! `completions` and `man`: the command line described for shells and for `man`.

use std::fs;
use std::io;
use std::path::Path;

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::failure::{EXIT_CODES, Failure};
use crate::output::write;
use crate::usage;

/// What in the environment changes what the program does.
const ENVIRONMENT: [(&str, &str); 5] = [
    (
        "NATS_URL",
        "the nats-server that the ledger is behind, or several with commas between, where --nats names none",
    ),
    (
        "NATS_INBOX_PREFIX",
        "what the subjects begin with on which answers are taken, where --inbox-prefix names nothing",
    ),
    (
        "LEDGER_HTTP",
        "an IP address and a port: the roles serve HTTP there, where --http names nothing, and `health` asks there, where --url names nothing",
    ),
    (
        "NATS_SERVER",
        "the nats-server program that `up` and `bench` start",
    ),
    (
        "RUST_LOG",
        "what the roles log to standard error: error, warn, info, debug, trace. Without it `up` logs warnings and errors, `node` and `projector` what info gives; other subcommands log nothing",
    ),
];

/// Prints completions for a shell.
pub(crate) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut command = usage::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, &name, &mut script);
    if shell == Shell::Bash {
        script = with_one_name(&script, &name).into_bytes();
    }
    print(&script)
}

/// The script of bash where it names the program one way: the arms of clap's take the hyphen in it for the beginning of a subcommand
/// (clap-rs/clap#6421), and nothing would be completed after the first word.
fn with_one_name(script: &[u8], name: &str) -> String {
    let script = String::from_utf8_lossy(script);
    script.replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__"))
}

/// Prints the page of the whole program, or writes it and one for each subcommand into a directory.
pub(crate) fn man(dir: Option<&Path>) -> Result<(), Failure> {
    let mut command = usage::plain().disable_help_subcommand(true);
    command.build();
    let command = with_synopses(command);
    match dir {
        None => print(&page(&command)?),
        Some(dir) => {
            let written = fs::create_dir_all(dir).and_then(|()| write_pages(&command, dir));
            written.map_err(|error| {
                Failure::because(format!("{} cannot be written: {error}", dir.display()))
            })
        }
    }
}

/// The command line with a synopsis in which options have their values.
fn with_synopses(command: Command) -> Command {
    let options = command.get_arguments();
    let options = options.filter(|option| !option.is_hide_set() && !option.is_positional());
    let options = options.filter_map(|option| {
        let name = option.get_long()?;
        let values = option
            .get_value_names()
            .filter(|_| option.get_action().takes_values());
        let value = values
            .map(|names| format!(" {}", names.join(" ")))
            .unwrap_or_default();
        Some(if option.is_required_set() {
            format!("--{name}{value}")
        } else {
            format!("[--{name}{value}]")
        })
    });
    let positionals = command.get_positionals().map(ToString::to_string);
    let subcommand = command.has_subcommands().then(|| "<COMMAND>".to_owned());
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let parts = std::iter::once(name.to_owned())
        .chain(options)
        .chain(positionals)
        .chain(subcommand);
    let usage = parts.collect::<Vec<_>>().join(" ");
    command.override_usage(usage).mut_subcommands(with_synopses)
}

fn print(text: &[u8]) -> Result<(), Failure> {
    Ok(write(text)?)
}

fn write_pages(command: &Command, dir: &Path) -> io::Result<()> {
    let name = Man::new(command.clone()).get_filename();
    fs::write(dir.join(name), page(command)?)?;
    for subcommand in command.get_subcommands() {
        if !subcommand.is_hide_set() {
            write_pages(subcommand, dir)?;
        }
    }
    Ok(())
}

/// A page in the language of `man(7)`.
fn page(command: &Command) -> io::Result<Vec<u8>> {
    let program = concat!(env!("CARGO_BIN_NAME"), " ", env!("CARGO_PKG_VERSION"));
    let mut page = Vec::new();
    Man::new(command.clone())
        .source(program)
        .render(&mut page)?;
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in EXIT_CODES {
        tagged(&mut roff, &code.to_string(), meaning);
    }
    roff.control("SH", ["ENVIRONMENT"]);
    for (variable, meaning) in ENVIRONMENT {
        tagged(&mut roff, variable, meaning);
    }
    page.extend_from_slice(roff.to_roff().as_bytes());
    Ok(page)
}

fn tagged(roff: &mut Roff, tag: &str, text: &str) {
    roff.control("TP", []);
    roff.text([bold(tag)]);
    roff.text([roman(text)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_page_for_every_subcommand_that_shows() {
        let folder = tempfile::tempdir().expect("a folder");
        man(Some(folder.path())).expect("pages");
        let there = |name: &str| folder.path().join(name).is_file();
        assert!(there("compact-ledger.1"));
        assert!(there("compact-ledger-up.1"));
        assert!(there("compact-ledger-audit-verify.1"));
        assert!(!there("compact-ledger-exec-child.1"));
        let page = fs::read_to_string(folder.path().join("compact-ledger-watch.1")).expect("text");
        let page = page.replace('\\', "");
        assert!(page.contains("[--limit COUNT]"), "{page}");
        assert!(
            page.contains("[--nats URL] [--inbox-prefix PREFIX] [--json]"),
            "{page}"
        );
        assert!(page.contains("[LIST]"), "{page}");
    }

    #[test]
    fn a_page_says_how_the_program_ends_and_what_it_reads() {
        let mut command = usage::plain();
        command.build();
        let command = with_synopses(command);
        let page = String::from_utf8(page(&command).expect("a page")).expect("text");
        for section in [
            "NAME",
            "SYNOPSIS",
            "OPTIONS",
            "\"EXIT STATUS\"",
            "ENVIRONMENT",
        ] {
            assert!(
                page.contains(&format!("\n.SH {section}\n")),
                "{section}\n{page}"
            );
        }
        assert!(!page.contains("exec\\-child"), "{page}");
    }

    #[test]
    fn a_script_for_bash_names_the_program_one_way() {
        let script = b"a__b,x) cmd=\"a__b__subcmd__x\" a__subcmd__b__subcmd__x)";
        let one = "a__b,x) cmd=\"a__b__subcmd__x\" a__b__subcmd__x)";
        assert_eq!(with_one_name(script, "a-b"), one);
    }
}
