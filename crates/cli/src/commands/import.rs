//! `import`: someone else's records as commands.

use super::submit::{conclude, open, print_receipt};
use super::{connect, progress_beside_lines};
use crate::failure::Failure;
use crate::output::{Output, json_line, text};
use bytes::Bytes;
use ledger_client::import::upr;
use ledger_client::{SubmitOptions, audit, submit_in_order};
use std::io::Read as _;
use std::path::Path;
use tokio::sync::mpsc;

/// Commands handed over ahead of what is being sent.
const COMMANDS_AHEAD: usize = 2_000;

/// Loads the seeds, which are part of the program.
pub(crate) async fn seeds(nats: &str, illustrative: bool, output: Output) -> Result<(), Failure> {
    let outcome = crate::seeding::load(nats, illustrative).await?;
    if output.json {
        let counts = serde_json::json!({"commands": {
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
    let mut records = String::new();
    open(file)?
        .read_to_string(&mut records)
        .map_err(|error| Failure::usage(format!("{} cannot be read: {error}", file.display())))?;
    let connection = connect(nats).await?;
    let root = audit::opened(&connection).await?.root;
    let import = upr::import(records.lines(), &root);
    for refused in &import.refused_lines {
        eprintln!("{}", full(refused));
    }
    let bar = progress_beside_lines(count(&import.commands), "importing");
    let (sender, lines) = mpsc::channel(COMMANDS_AHEAD);
    let commands = import.commands;
    let feeder = tokio::spawn(async move {
        for command in commands {
            if sender.send(Bytes::from(command.encode())).await.is_err() {
                return;
            }
        }
    });
    let sent = submit_in_order(&connection, SubmitOptions::default(), lines, |receipt| {
        bar.inc(1);
        print_receipt(receipt)
    })
    .await;
    feeder.abort();
    bar.finish_and_clear();
    let outcome = sent?;
    if output.json {
        let counts = serde_json::json!({
            "recommendations": {
                "read": import.recommendation_count,
                "accepted": import.accepted_count,
                "noted_and_skipped": import.noted_count,
                "unusable": import.refused_lines.len(),
            },
            "commands": {
                "accepted": outcome.accepted,
                "duplicate": outcome.duplicate,
                "rejected": outcome.rejected,
            },
        });
        eprintln!("{counts}");
    } else {
        eprintln!(
            "{} recommendations: {} accepted, {} noted and skipped; commands: {} accepted, {} duplicate, {} refused",
            import.recommendation_count,
            import.accepted_count,
            import.noted_count,
            outcome.accepted,
            outcome.duplicate,
            outcome.rejected
        );
    }
    conclude(&outcome)?;
    if import.refused_lines.is_empty() {
        Ok(())
    } else {
        Err(Failure::because(format!(
            "{} lines could not be used",
            import.refused_lines.len()
        )))
    }
}

fn count<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}

fn full(error: &upr::LineError) -> String {
    match &error.fault {
        upr::LineFault::Record(cause) => format!("{error}: {cause}"),
        upr::LineFault::Unknown(_) | upr::LineFault::Id(_) | upr::LineFault::Date(_) => {
            error.to_string()
        }
    }
}
