//! Loads the seeds into a running ledger: what is there already comes back as a duplicate.

use bytes::Bytes;
use indicatif::ProgressBar;
use ledger_bus::NatsAccess;
use ledger_client::seeds::{self, Illustrative};
use ledger_client::{Connection, LineOutcome, SubmitOptions, audit, submit_in_order};
use ledger_domain::wire::v1::{Command, Receipt};
use tokio::sync::mpsc;

use crate::commands::progress_bar;
use crate::failure::Failure;

/// Loads the reference catalogue, and the illustrative commitments if wanted; how many commands were new.
pub(crate) async fn load(nats: &NatsAccess, illustrative: bool) -> Result<LineOutcome, Failure> {
    let connection = Connection::open(nats, "seeds").await?;
    let bar = progress_bar(0, "loading the seeds");
    let loaded = load_all(&connection, illustrative, &bar).await;
    bar.finish_and_clear();
    connection.bus().close().await;
    loaded
}

/// The illustrative commands of a phase name events by the positions that the receipts of the phase before give.
async fn load_all(
    connection: &Connection,
    illustrative: bool,
    bar: &ProgressBar,
) -> Result<LineOutcome, Failure> {
    let root = audit::opened(connection).await?.root;
    let reference = seeds::reference_commands(&root)?;
    let mut total = send(connection, &reference, bar, |_| {}).await?;
    if illustrative {
        let mut seeds = Illustrative::read(&root)?;
        while let Some(phase) = seeds.next_phase()? {
            let outcome = send(connection, &phase, bar, |receipt| seeds.note(receipt)).await?;
            total.accepted += outcome.accepted;
            total.duplicate += outcome.duplicate;
        }
    }
    Ok(total)
}

/// Sends commands in order; hands on their receipts.
async fn send(
    connection: &Connection,
    commands: &[Command],
    bar: &ProgressBar,
    mut note: impl FnMut(&Receipt),
) -> Result<LineOutcome, Failure> {
    bar.inc_length(u64::try_from(commands.len()).unwrap_or(u64::MAX));
    let (sender, lines) = mpsc::channel(commands.len().max(1));
    for command in commands {
        if sender
            .send(Bytes::from(command.encode()).into())
            .await
            .is_err()
        {
            return Err(Failure::because("the seeds could not be sent"));
        }
    }
    drop(sender);
    let mut refused = None;
    let options = SubmitOptions::default();
    let outcome = submit_in_order(connection, options, lines, |_, receipt| {
        bar.inc(1);
        if let (None, Some(rejection)) = (&refused, &receipt.rejection) {
            refused = Some(rejection.clone());
        }
        note(receipt);
        Ok(())
    })
    .await?;
    match refused {
        Some(rejection) => Err(Failure::because(format!(
            "{} of the seeds were refused; the first: {rejection}",
            outcome.rejected
        ))),
        None => Ok(outcome),
    }
}
