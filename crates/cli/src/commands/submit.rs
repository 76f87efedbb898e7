//! `submit`: commands in, receipts out.

use super::{connect, count_beside_lines};
use crate::failure::Failure;
use crate::output::{say, write};
use ledger_client::{LineOutcome, SubmitOptions, submit_in_order};
use ledger_domain::wire::v1::Policy;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use tokio::sync::mpsc;

/// Lines read ahead of what is being sent.
const LINES_AHEAD: usize = 2_000;

/// Sends the commands in a file and prints their receipts.
pub(crate) async fn run(nats: &str, file: &Path) -> Result<(), Failure> {
    let input = open(file)?;
    let connection = connect(nats).await?;
    let (sender, lines) = mpsc::channel(LINES_AHEAD);
    // A line longer than any command is cut: what is left of it is refused as too long, without filling the memory.
    let line_bytes_max = Policy::default().max_command_bytes + 1;
    let reader = tokio::task::spawn_blocking(move || {
        each_line(input, line_bytes_max, |line| {
            sender.blocking_send(line.into()).is_ok()
        })
    });
    let bar = count_beside_lines("submitting");
    let sent = submit_in_order(&connection, SubmitOptions::default(), lines, |receipt| {
        bar.inc(1);
        print_receipt(receipt)
    })
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

/// Visits the lines that are not blank, each cut at `bytes_max`, until there are no more or `visit` says to stop.
fn each_line(
    mut input: impl BufRead,
    bytes_max: usize,
    mut visit: impl FnMut(Vec<u8>) -> bool,
) -> io::Result<()> {
    loop {
        let mut line = Vec::new();
        let ended = loop {
            let available = input.fill_buf()?;
            if available.is_empty() {
                break true;
            }
            let end = available.iter().position(|&byte| byte == b'\n');
            let used = end.map_or(available.len(), |end| end + 1);
            let room = bytes_max.saturating_sub(line.len());
            line.extend(available.iter().take(used.min(room)));
            input.consume(used);
            if end.is_some() {
                break false;
            }
        };
        if !line.trim_ascii().is_empty() && !visit(line) {
            return Ok(());
        }
        if ended {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8], bytes_max: usize) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        each_line(input, bytes_max, |line| {
            lines.push(line.trim_ascii().to_vec());
            true
        })
        .unwrap();
        lines
    }

    #[test]
    fn blank_lines_are_left_out_and_the_last_needs_no_end() {
        assert_eq!(lines(b"a\r\n\n  \nb", 10), [b"a", b"b"]);
        assert_eq!(lines(b"", 10), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn a_long_line_is_cut_and_the_next_is_whole() {
        assert_eq!(lines(b"abcdefgh\nxyz\n", 4), [&b"abcd"[..], b"xyz"]);
    }

    #[test]
    fn invalid_utf8_is_passed_on_for_the_ledger_to_refuse() {
        assert_eq!(lines(b"\xff\xfe\nb", 10), [&b"\xff\xfe"[..], b"b"]);
    }
}
