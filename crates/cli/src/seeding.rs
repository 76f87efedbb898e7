//! Loads the seeds into a running ledger: what is there already comes back as a duplicate.

use bytes::Bytes;
use ledger_client::{Connection, LineOutcome, SubmitOptions, audit, seeds, submit_in_order};
use tokio::sync::mpsc;

use crate::commands::progress_bar;
use crate::failure::Failure;

/// Loads the reference catalogue, and the illustrative commitments if wanted; how many commands were new.
pub(crate) async fn load(nats: &str, illustrative: bool) -> Result<LineOutcome, Failure> {
    let connection = Connection::open(nats, "seeds").await?;
    let root = audit::opened(&connection).await?.root;
    let mut commands = seeds::reference_commands(&root)?;
    if illustrative {
        commands.extend(seeds::illustrative_commands(&root)?);
    }
    let (sender, lines) = mpsc::channel(commands.len());
    for command in &commands {
        if sender.send(Bytes::from(command.encode())).await.is_err() {
            return Err(Failure::because("the seeds could not be sent"));
        }
    }
    drop(sender);
    let mut refused = None;
    let options = SubmitOptions::default();
    let total = u64::try_from(commands.len()).unwrap_or(u64::MAX);
    let bar = progress_bar(total, "loading the seeds");
    let sent = submit_in_order(&connection, options, lines, |receipt| {
        bar.inc(1);
        if let (None, Some(rejection)) = (&refused, &receipt.rejection) {
            refused = Some(rejection.clone());
        }
        Ok(())
    })
    .await;
    bar.finish_and_clear();
    connection.bus().close().await;
    let outcome = sent?;
    match refused {
        Some(rejection) => Err(Failure::because(format!(
            "{} of the seeds were refused; the first: {rejection}",
            outcome.rejected
        ))),
        None => Ok(outcome),
    }
}
