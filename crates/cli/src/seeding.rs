//! Loads the seeds into a running ledger: what is there already comes back as a duplicate.

use bytes::Bytes;
use indicatif::ProgressBar;
use ledger_bus::NatsAccess;
use ledger_client::{
    Connection, LineOutcome, Replay, ReplayError, ReplayRange, SubmitOptions, audit, is_not_found,
    submit_in_order, visit_events,
};
use ledger_domain::ids::CommandId;
use ledger_domain::wire::v1::{Command, EventHeader, Receipt};
use ledger_import::seeds::{self, Illustrative};
use tokio::sync::mpsc;

use crate::commands::progress_bar;
use crate::failure::Failure;

/// The choice to load the illustrative commitments beside the reference catalogue. They are
/// recorded for ever, like everything. A ledger that is used in earnest must not get them by the
/// way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Illustrate {
    /// Not at all.
    Never,
    /// Into a ledger that has nothing but its first event, or has them. A first load that was interrupted goes on.
    IntoNew,
    /// Into a ledger that has nothing but the reference catalogue, or has them.
    IntoUnused,
    /// Into any ledger.
    Always,
}

/// The result of loading the seeds.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    /// The number of commands that were new.
    pub(crate) outcome: LineOutcome,
    /// The ledger has illustrative commitments now.
    pub(crate) is_illustrated: bool,
}

/// Loads the reference catalogue, and the illustrative commitments where they are to go.
pub(crate) async fn load(nats: &NatsAccess, illustrate: Illustrate) -> Result<Loaded, Failure> {
    let connection = Connection::open(nats, "seeds").await?;
    let bar = progress_bar(0, "loading the seeds");
    let loaded = load_all(&connection, illustrate, &bar).await;
    bar.finish_and_clear();
    connection.bus().close().await;
    loaded
}

/// The illustrative commands of a phase name events by the positions that the receipts of the phase before give.
async fn load_all(
    connection: &Connection,
    illustrate: Illustrate,
    bar: &ProgressBar,
) -> Result<Loaded, Failure> {
    let root = audit::opened(connection).await?.root;
    let reference = seeds::reference_commands(&root)?;
    let mut seeds = Illustrative::read(&root)?;
    let events_before = connection.head().await?.tree_size;
    let catalogue_events = u64::try_from(reference.len()).unwrap_or(u64::MAX);
    let first = first_causes(connection, events_before, &reference, &seeds).await?;
    let is_illustrated =
        has_registrations(&first, &seeds) || has_commitment(connection, &seeds).await?;
    let goes_there = match illustrate {
        Illustrate::Never => false,
        Illustrate::IntoNew => is_illustrated || is_unfinished(&first, events_before, &reference),
        Illustrate::IntoUnused => {
            is_illustrated || events_before <= OPENING_EVENTS + catalogue_events
        }
        Illustrate::Always => true,
    };
    let mut outcome = send(connection, &reference, bar, |_| {}).await?;
    if goes_there {
        while let Some(phase) = seeds.next_phase()? {
            let sent = send(connection, &phase, bar, |receipt| seeds.note(receipt)).await?;
            outcome.accepted += sent.accepted;
            outcome.duplicate += sent.duplicate;
        }
    }
    Ok(Loaded {
        outcome,
        is_illustrated: is_illustrated || goes_there,
    })
}

/// The number of events that every ledger begins with: `ledger_opened`.
const OPENING_EVENTS: u64 = 1;

/// The commands that the first events came of, as far as those of a first load may go before a commitment is recorded.
async fn first_causes(
    connection: &Connection,
    tree_size: u64,
    reference: &[Command],
    seeds: &Illustrative,
) -> Result<Vec<CommandId>, Failure> {
    let loaded = reference.len() + seeds.registrations().len();
    let end = OPENING_EVENTS + u64::try_from(loaded).unwrap_or(u64::MAX);
    let range = ReplayRange {
        to: Some(end.min(tree_size)),
        ..ReplayRange::default()
    };
    let mut replay = Replay::new(connection, range);
    let mut causes = Vec::new();
    while let Some(chunk) = replay.next_chunk().await? {
        visit_events(&chunk, |event| {
            let header = EventHeader::decode(event.header);
            causes.extend(header.ok().and_then(|header| header.causation_id));
            Ok::<(), ReplayError>(())
        })?;
    }
    Ok(causes)
}

/// Returns true when a load of the illustrative commitments has begun. Their own partners and
/// parties are there, or some of them. Such a load is carried on to its end.
fn has_registrations(first: &[CommandId], seeds: &Illustrative) -> bool {
    let mut registrations = seeds.registrations().iter();
    registrations.any(|command| first.contains(&command.id))
}

/// Returns true when a first load has not begun, or stopped before the end of the reference
/// catalogue. The ledger has nothing else.
fn is_unfinished(first: &[CommandId], tree_size: u64, reference: &[Command]) -> bool {
    let of_load = u64::try_from(first.len()).is_ok_and(|count| tree_size == OPENING_EVENTS + count);
    let mut in_order = first.iter().zip(reference);
    of_load && first.len() < reference.len() && in_order.all(|(id, command)| *id == command.id)
}

/// Returns true when the ledger has the first of the illustrative commitments. Only the node is
/// asked: there may be no projector.
async fn has_commitment(connection: &Connection, seeds: &Illustrative) -> Result<bool, Failure> {
    let Some(first) = seeds.first_commitment() else {
        return Ok(false);
    };
    match connection.commitment_state(&first.to_string(), None).await {
        Ok(_) => Ok(true),
        Err(error) if is_not_found(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
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
