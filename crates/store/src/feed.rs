//! The thread that feeds sled from synced groups, and seals epochs.

use crate::core::{Core, Pending, held};
use crate::error::{ReadError, SledFault};
use crate::shards::Shard;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// Blocks taken at once from the overlay.
const TAKE: usize = 64;
/// sled is flushed after so long without a new block, so that a quiet log is fed again from little.
const IDLE: Duration = Duration::from_millis(500);

/// Feeds until the appender is gone and everything is fed, or until sled cannot be written even when made anew.
pub(crate) fn run(core: &Core) {
    loop {
        match next(core) {
            Next::Blocks(blocks) => {
                if core.check_place().is_err() {
                    return;
                }
                if let Err(error) = feed(core, &blocks) {
                    core.poison("feeding the block store", with_causes(&error));
                    return;
                }
            }
            Next::Idle => flush(core),
            Next::Closed => {
                if core.check_place().is_ok() {
                    flush(core);
                }
                return;
            }
        }
    }
}

enum Next {
    Blocks(Vec<Pending>),
    Idle,
    Closed,
}

fn next(core: &Core) -> Next {
    let mut overlay = held(&core.overlay);
    if overlay.blocks.is_empty() && !overlay.closed {
        let idle =
            |overlay: &mut crate::core::Overlay| overlay.blocks.is_empty() && !overlay.closed;
        let waited = core.overlay_changed.wait_timeout_while(overlay, IDLE, idle);
        overlay = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
    if !overlay.blocks.is_empty() {
        Next::Blocks(overlay.blocks.iter().take(TAKE).cloned().collect())
    } else if overlay.closed {
        Next::Closed
    } else {
        Next::Idle
    }
}

fn flush(core: &Core) {
    let number = core.shard_of(core.applied.load(Ordering::Acquire));
    if let Err(fault) = core.shards.get(number).and_then(|shard| shard.flush()) {
        tracing::warn!(%fault, "could not flush the block store; it will be fed again from the journal");
    }
}

/// Inserts blocks, seals and completes where they end an epoch or a shard, and takes them out of the overlay.
pub(crate) fn feed(core: &Core, blocks: &[Pending]) -> Result<(), ReadError> {
    for block in blocks {
        let number = core.shard_of(block.first_position);
        let inserted = core
            .shards
            .get(number)
            .and_then(|shard| insert(&shard, block));
        if let Err(fault) = inserted {
            tracing::warn!(%fault, shard = number, "the block store failed");
            insert(&core.rebuild_shard(number, block.first_position)?, block)?;
        }
        let end = block.end_position;
        if end == core.epoch_start(core.epoch_of(end)) {
            seal_full(core)?;
        }
        if end == core.shard_range(number).end {
            core.shards.get(number)?.complete()?;
            core.shards.release(number);
            core.sealed.sync()?;
        }
        core.applied.store(end, Ordering::Release);
        let mut overlay = held(&core.overlay);
        if overlay
            .blocks
            .front()
            .is_some_and(|front| front.first_position == block.first_position)
        {
            overlay.blocks.pop_front();
            overlay.bytes = overlay.bytes.saturating_sub(block.bytes.len());
        }
        drop(overlay);
        core.overlay_changed.notify_all();
    }
    Ok(())
}

fn insert(shard: &Arc<Shard>, block: &Pending) -> Result<(), SledFault> {
    shard.insert(block.first_position, &block.bytes)
}

/// Seals the full epochs among the tails. Each is known to the sealed index before it leaves the tails, so that a lookup
/// finds it in one of them.
pub(crate) fn seal_full(core: &Core) -> Result<(), SledFault> {
    loop {
        let tails = core.tails.read().unwrap_or_else(PoisonError::into_inner);
        let full = tails.first_full();
        drop(tails);
        let Some(tail) = full else {
            return Ok(());
        };
        core.sealed.seal(&tail)?;
        core.tails
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .drop_first_full();
    }
}

/// An error and what caused it, in one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text = format!("{text}: {source}");
        cause = source.source();
    }
    text
}
