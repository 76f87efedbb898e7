//! `import`: someone else's records as commands.

use super::submit::{conclude, open, print_receipt};
use super::{connect, progress_beside_lines};
use crate::failure::Failure;
use crate::output::{Output, json_line, say, say_as_it_is, text};
use crate::seeding::Illustrate;
use bytes::Bytes;
use ledger_bus::NatsAccess;
use ledger_client::{
    Connection, LineOutcome, SubmitOptions, audit, other_encoding, submit_in_order,
};
use ledger_domain::RejectionCode;
use ledger_domain::wire::v1::json_fault;
use ledger_domain::wire::v1::{Command, CommandBody, RecordCommitment};
use ledger_import::{Edits, LineError, LineFault, ogp, upr};
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::Path;
use tokio::sync::mpsc;

/// Commands handed over ahead of what is being sent.
const COMMANDS_AHEAD: usize = 2_000;

/// Loads the seeds, which are part of the program.
pub(crate) async fn seeds(
    nats: &NatsAccess,
    illustrate: Illustrate,
    output: Output,
) -> Result<(), Failure> {
    let loaded = crate::seeding::load(nats, illustrate).await?;
    let outcome = loaded.outcome;
    if illustrate == Illustrate::IntoUnused && !loaded.is_illustrated {
        say(
            "the illustrative commitments were left out: this ledger holds more than the reference catalogue, and what is recorded stays \
             for ever; --demo records them all the same",
        );
    }
    if output.json {
        let counts = json!({"commands": {
            "accepted": outcome.accepted,
            "duplicate": outcome.duplicate,
        }, "illustrative": loaded.is_illustrated});
        return Ok(json_line(counts.to_string().as_bytes())?);
    }
    Ok(text(&format!(
        "commands: {} accepted, {} duplicate\n",
        outcome.accepted, outcome.duplicate
    ))?)
}

/// Imports the records of the Universal Periodic Review.
pub(crate) async fn upr(nats: &NatsAccess, file: &Path, output: Output) -> Result<(), Failure> {
    let records = read(file)?;
    let connection = connect(nats).await?;
    let root = audit::opened(&connection).await?.root;
    let import = upr::import(records.lines(), &root);
    check_used(file, import.recommendation_count, &import.refused_lines)?;
    say_refused(&import.refused_lines);
    let sent = send(&connection, &import.commands).await?;
    if output.json {
        let counts = json!({
            "recommendations": {
                "read": import.recommendation_count,
                "accepted": import.accepted_count,
                "noted_and_skipped": import.noted_count,
                "unanswered_and_skipped": import.unanswered_count,
                "commitments": import.commitment_count,
                "unusable": import.refused_lines.len(),
            },
            "texts": edits_json(import.edits),
            "commands": sent.json(),
        });
        say_as_it_is(counts);
    } else {
        say_edits(import.edits);
        say(format_args!(
            "{} recommendations: {} accepted, {} noted and skipped{}; {}",
            import.recommendation_count,
            import.accepted_count,
            import.noted_count,
            other_recommendations(&import),
            sent.in_words()
        ));
    }
    finish(&sent, &import.refused_lines)
}

/// Imports commitments of the Open Government Partnership with their assessments.
pub(crate) async fn ogp(nats: &NatsAccess, file: &Path, output: Output) -> Result<(), Failure> {
    let records = read(file)?;
    let connection = connect(nats).await?;
    let root = audit::opened(&connection).await?.root;
    let import = ogp::import(records.lines(), &root);
    let assessment_count = import.ambition_count + import.progress_count;
    let used = import.commitment_count + assessment_count + import.withdrawal_count;
    check_used(file, used, &import.refused_lines)?;
    say_refused(&import.refused_lines);
    let sent = send(&connection, &import.commands).await?;
    if output.json {
        let counts = json!({
            "records": {
                "commitments": import.commitment_count,
                "ambition_assessments": import.ambition_count,
                "progress_assessments": import.progress_count,
                "withdrawals": import.withdrawal_count,
                "unusable": import.refused_lines.len(),
            },
            "parties_registered": registered_json(&import.registered),
            "dates_kept_as_text": import.date_notes.len(),
            "texts": edits_json(import.edits),
            "commands": sent.json(),
        });
        say_as_it_is(counts);
    } else {
        for registered in &import.registered {
            say(registered);
        }
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
            sent.in_words()
        ));
    }
    finish(&sent, &import.refused_lines)
}

/// The recommendations that are neither noted nor commitments, if there are any.
fn other_recommendations(import: &upr::UprImport) -> String {
    let unanswered = (import.unanswered_count > 0).then(|| {
        format!(
            ", {} without an answer and skipped",
            import.unanswered_count
        )
    });
    let commitments = (import.commitment_count != import.accepted_count)
        .then(|| format!(", {} commitments", import.commitment_count));
    [unanswered, commitments].into_iter().flatten().collect()
}

/// The text of a file. A byte-order mark is left in: the importers pass over it.
fn read(file: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    open(file)?
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::unreadable(file, error))?;
    if let Some(encoding) = other_encoding(&bytes) {
        let fault = format_args!("it is {encoding}; save it as UTF-8");
        return Err(Failure::unreadable(file, fault));
    }
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

/// What became of the commands of an import.
struct Sent {
    outcome: LineOutcome,
    /// Commands that the ledger has under the same id with other bytes: an earlier version of the importer, or of the file, sent
    /// them. What was recorded first stays.
    recorded_before: u64,
}

impl Sent {
    fn in_words(&self) -> String {
        let LineOutcome {
            accepted,
            duplicate,
            rejected,
        } = self.outcome;
        let before = match self.recorded_before {
            0 => String::new(),
            count => format!(", {count} recorded before in another form"),
        };
        format!("commands: {accepted} accepted, {duplicate} duplicate{before}, {rejected} refused")
    }

    fn json(&self) -> Value {
        json!({
            "accepted": self.outcome.accepted,
            "duplicate": self.outcome.duplicate,
            "recorded_before": self.recorded_before,
            "rejected": self.outcome.rejected,
        })
    }
}

/// The most commands that are named as recorded before in another form; the receipts have all of them.
const NAMED_MAX: u64 = 20;

/// Sends the commands in order and prints their receipts. The importer's ids follow from the source's own references, so that a
/// reused one is the same thing recorded by an earlier version: it is counted and named, and is no failure.
async fn send(connection: &Connection, commands: &[Command]) -> Result<Sent, Failure> {
    let bar = progress_beside_lines(count(commands), "importing");
    let (sender, lines) = mpsc::channel(COMMANDS_AHEAD);
    let mut recorded_before = 0;
    let mut waiting = commands.iter();
    let feed = async move {
        for command in commands {
            let line = Bytes::from(command.encode()).into();
            if sender.send(line).await.is_err() {
                return;
            }
        }
    };
    let submitting = submit_in_order(connection, SubmitOptions::default(), lines, |_, receipt| {
        bar.inc(1);
        let command = waiting.next();
        let code = receipt.rejection.as_ref().map(|rejection| rejection.code);
        if code == Some(RejectionCode::CommandIdReused) {
            recorded_before += 1;
            if let Some(command) = command.filter(|_| recorded_before <= NAMED_MAX) {
                say(format_args!(
                    "recorded before in another form, which stays: {}",
                    named(command)
                ));
            }
        }
        print_receipt(receipt)
    });
    let ((), submitted) = tokio::join!(feed, submitting);
    bar.finish_and_clear();
    let mut outcome = submitted?;
    outcome.rejected = outcome.rejected.saturating_sub(recorded_before);
    if recorded_before > NAMED_MAX {
        say(format_args!(
            "… and {} more; their receipts have the code command_id_reused",
            recorded_before - NAMED_MAX
        ));
    }
    Ok(Sent {
        outcome,
        recorded_before,
    })
}

/// A command by its name and what it is about, in the source's words where it has any.
fn named(command: &Command) -> String {
    let about = if let CommandBody::RecordCommitment(RecordCommitment {
        source: Some(source),
        ..
    }) = &command.body
    {
        source.reference.clone()
    } else if let CommandBody::CatalogueAction(data) = &command.body {
        data.code.to_string()
    } else {
        command.subject.to_string()
    };
    format!("{} {about}", command.body.command_type().name())
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

fn registered_json(registered: &[ogp::Registered]) -> Value {
    let parties = registered.iter().map(|registered| {
        json!({
            "party": registered.party.as_str(),
            "name": registered.name,
            "country": registered.country.map(|country| country.to_string()),
        })
    });
    parties.collect()
}

/// An import in which a command or a line was refused has failed, though the others stand.
fn finish(sent: &Sent, refused_lines: &[LineError]) -> Result<(), Failure> {
    conclude(&sent.outcome)?;
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
        LineFault::Record(cause) => format!("{error}: {}", json_fault(cause)),
        LineFault::Unknown(_)
        | LineFault::Id(_)
        | LineFault::Date(_)
        | LineFault::Contradiction { .. }
        | LineFault::Answer(_)
        | LineFault::NotAccepted { .. }
        | LineFault::Member { .. }
        | LineFault::Theme(_) => error.to_string(),
    }
}
