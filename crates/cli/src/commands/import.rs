//! `import`: someone else's records as commands.

use super::submit::{conclude, open, print_receipt};
use super::{connect, progress_beside_lines};
use crate::failure::Failure;
use crate::output::{Output, json_line, say, text};
use bytes::Bytes;
use ledger_client::import::{Edits, LineError, LineFault, ogp, upr};
use ledger_client::{Connection, LineOutcome, SubmitOptions, audit, submit_in_order};
use ledger_domain::wire::v1::Command;
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::Path;
use tokio::sync::mpsc;

/// Commands handed over ahead of what is being sent.
const COMMANDS_AHEAD: usize = 2_000;

/// Loads the seeds, which are part of the program.
pub(crate) async fn seeds(nats: &str, illustrative: bool, output: Output) -> Result<(), Failure> {
    let outcome = crate::seeding::load(nats, illustrative).await?;
    if output.json {
        let counts = json!({"commands": {
            "accepted": outcome.accepted,
            "duplicate": outcome.duplicate,
        }});
        return Ok(json_line(counts.to_string().as_bytes())?);
    }
    Ok(text(&format!(
        "commands: {} accepted, {} duplicate\n",
        outcome.accepted, outcome.duplicate
    ))?)
}

/// Imports the records of the Universal Periodic Review.
pub(crate) async fn upr(nats: &str, file: &Path, output: Output) -> Result<(), Failure> {
    let records = read(file)?;
    let connection = connect(nats).await?;
    let root = audit::opened(&connection).await?.root;
    let import = upr::import(records.lines(), &root);
    check_used(file, import.recommendation_count, &import.refused_lines)?;
    say_refused(&import.refused_lines);
    let outcome = send(&connection, import.commands).await?;
    if output.json {
        let counts = json!({
            "recommendations": {
                "read": import.recommendation_count,
                "accepted": import.accepted_count,
                "noted_and_skipped": import.noted_count,
                "unusable": import.refused_lines.len(),
            },
            "texts": edits_json(import.edits),
            "commands": outcome_json(&outcome),
        });
        say(counts);
    } else {
        say_edits(import.edits);
        say(format_args!(
            "{} recommendations: {} accepted, {} noted and skipped; {}",
            import.recommendation_count,
            import.accepted_count,
            import.noted_count,
            in_words(&outcome)
        ));
    }
    finish(&outcome, &import.refused_lines)
}

/// Imports commitments of the Open Government Partnership with their assessments.
pub(crate) async fn ogp(nats: &str, file: &Path, output: Output) -> Result<(), Failure> {
    let records = read(file)?;
    let connection = connect(nats).await?;
    let root = audit::opened(&connection).await?.root;
    let import = ogp::import(records.lines(), &root);
    let assessment_count = import.ambition_count + import.progress_count;
    let used = import.commitment_count + assessment_count + import.withdrawal_count;
    check_used(file, used, &import.refused_lines)?;
    say_refused(&import.refused_lines);
    let outcome = send(&connection, import.commands).await?;
    if output.json {
        let counts = json!({
            "records": {
                "commitments": import.commitment_count,
                "ambition_assessments": import.ambition_count,
                "progress_assessments": import.progress_count,
                "withdrawals": import.withdrawal_count,
                "unusable": import.refused_lines.len(),
            },
            "dates_kept_as_text": import.date_notes.len(),
            "texts": edits_json(import.edits),
            "commands": outcome_json(&outcome),
        });
        say(counts);
    } else {
        for note in &import.date_notes {
            say(note);
        }
        say_edits(import.edits);
        say(format_args!(
            "{} commitments, {} assessments of ambition and {} of progress, {} withdrawn; dates kept as text: {}; {}",
            import.commitment_count,
            import.ambition_count,
            import.progress_count,
            import.withdrawal_count,
            import.date_notes.len(),
            in_words(&outcome)
        ));
    }
    finish(&outcome, &import.refused_lines)
}

fn read(file: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    open(file)?
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::unreadable(file, error))?;
    String::from_utf8(bytes).map_err(|error| {
        let (before, _) = error.as_bytes().split_at(error.utf8_error().valid_up_to());
        let line = before.split(|&byte| byte == b'\n').count();
        Failure::unreadable(file, format_args!("line {line} is not UTF-8"))
    })
}

/// What an import needs for itself is recorded only with something to import: a wrong file leaves no trace in the log.
fn check_used(file: &Path, used: u64, refused_lines: &[LineError]) -> Result<(), Failure> {
    if used > 0 {
        return Ok(());
    }
    if let Some(first) = refused_lines.first() {
        say(full(first));
    }
    Err(Failure::because(format!(
        "there is no record of this source in {}: nothing was sent",
        file.display()
    )))
}

/// Sends the commands in order and prints their receipts.
async fn send(connection: &Connection, commands: Vec<Command>) -> Result<LineOutcome, Failure> {
    let bar = progress_beside_lines(count(&commands), "importing");
    let (sender, lines) = mpsc::channel(COMMANDS_AHEAD);
    let feeder = tokio::spawn(async move {
        for command in commands {
            if sender.send(Bytes::from(command.encode())).await.is_err() {
                return;
            }
        }
    });
    let sent = submit_in_order(connection, SubmitOptions::default(), lines, |receipt| {
        bar.inc(1);
        print_receipt(receipt)
    })
    .await;
    feeder.abort();
    bar.finish_and_clear();
    Ok(sent?)
}

fn say_refused(refused_lines: &[LineError]) {
    for refused in refused_lines {
        say(full(refused));
    }
}

/// What was done to the texts, if anything was.
fn say_edits(edits: Edits) {
    if edits != Edits::default() {
        say(edits);
    }
}

fn edits_json(edits: Edits) -> Value {
    json!({
        "masked_texts": edits.masked_text_count,
        "phone_numbers": edits.phone_count,
        "email_addresses": edits.email_count,
        "passport_numbers": edits.passport_count,
        "cut_texts": edits.cut_text_count,
    })
}

fn in_words(outcome: &LineOutcome) -> String {
    format!(
        "commands: {} accepted, {} duplicate, {} refused",
        outcome.accepted, outcome.duplicate, outcome.rejected
    )
}

fn outcome_json(outcome: &LineOutcome) -> Value {
    json!({
        "accepted": outcome.accepted,
        "duplicate": outcome.duplicate,
        "rejected": outcome.rejected,
    })
}

/// An import in which a command or a line was refused has failed, though the others stand.
fn finish(outcome: &LineOutcome, refused_lines: &[LineError]) -> Result<(), Failure> {
    conclude(outcome)?;
    if refused_lines.is_empty() {
        return Ok(());
    }
    Err(Failure::because(format!(
        "lines that could not be used: {}",
        refused_lines.len()
    )))
}

fn count<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}

fn full(error: &LineError) -> String {
    match &error.fault {
        LineFault::Record(cause) => format!("{error}: {cause}"),
        LineFault::Unknown(_) | LineFault::Id(_) | LineFault::Date(_) => error.to_string(),
    }
}
