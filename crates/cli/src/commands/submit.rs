//! `submit`: commands in, as lines or a JSON array; receipts out.

use super::{connect, count_beside_lines};
use crate::failure::Failure;
use crate::output::{say, write};
use ledger_bus::NatsAccess;
use ledger_client::{LineOutcome, SubmitOptions, read_commands, submit_in_order};
use ledger_domain::wire::v1::Policy;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use tokio::sync::mpsc;

/// Lines read ahead of what is being sent.
const LINES_AHEAD: usize = 2_000;

/// Sends the commands in a file and prints their receipts.
pub(crate) async fn run(nats: &NatsAccess, file: &Path) -> Result<(), Failure> {
    let input = open(file)?;
    let connection = connect(nats).await?;
    let (sender, lines) = mpsc::channel(LINES_AHEAD);
    // What is longer than any command is cut and refused as too long, without filling the memory.
    let line_bytes_max = Policy::default().max_command_bytes + 1;
    let reader = tokio::task::spawn_blocking(move || {
        read_commands(input, line_bytes_max, |line| {
            sender.blocking_send(line).is_ok()
        })
    });
    let bar = count_beside_lines("submitting");
    let sent = submit_in_order(
        &connection,
        SubmitOptions::default(),
        lines,
        |line, receipt| {
            bar.inc(1);
            // A receipt names its command by the id; without one, only the line tells which it was.
            if let (None, Some(rejection)) = (receipt.command_id, &receipt.rejection) {
                say(format_args!("line {line}: {rejection}"));
            }
            print_receipt(receipt)
        },
    )
    .await;
    bar.finish_and_clear();
    let read = reader.await;
    let outcome = sent?;
    if let Ok(Err(error)) = read {
        return Err(Failure::unreadable(file, error));
    }
    if outcome == LineOutcome::default() {
        say(format_args!("there is no command in {}", file.display()));
    }
    conclude(&outcome)
}

/// Prints a receipt on a line of its own.
pub(super) fn print_receipt(receipt: &ledger_domain::wire::v1::Receipt) -> io::Result<()> {
    let mut line = receipt.encode();
    line.push(b'\n');
    write(&line)
}

/// Says how many were refused, if any were.
pub(super) fn conclude(outcome: &LineOutcome) -> Result<(), Failure> {
    if outcome.rejected == 0 {
        return Ok(());
    }
    let total = outcome.accepted + outcome.duplicate + outcome.rejected;
    Err(Failure::because(format!(
        "{} of {total} commands were refused; their receipts say why",
        outcome.rejected
    )))
}

/// Opens a file, or standard input for `-`.
pub(super) fn open(file: &Path) -> Result<Box<dyn BufRead + Send>, Failure> {
    if file == Path::new("-") {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    match File::open(file) {
        Ok(opened) => Ok(Box::new(BufReader::new(opened))),
        Err(error) => Err(Failure::unreadable(file, error)),
    }
}
