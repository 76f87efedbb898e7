//! What runs in a node, watched: whatever ends before the node was told to stop ends the node, and is named.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinSet};
use tracing::{info, warn};

use crate::error::NodeError;
use crate::runtime::shutdown::{Shutdown, ShutdownTrigger};

/// A part of a node. Where several fail, the failure of the first here explains that of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Lease,
    Appender,
    Writer,
    Heads,
    Publisher,
    Replies,
    Intake,
    Queries,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Lease => "lease",
            Self::Appender => "appender",
            Self::Writer => "writer",
            Self::Heads => "heads",
            Self::Publisher => "publisher",
            Self::Replies => "replies",
            Self::Intake => "intake",
            Self::Queries => "queries",
        }
    }

    /// What is left undone when it could not end in time; of none that is waited for without end.
    fn left_undone(self) -> Option<&'static str> {
        match self {
            Self::Heads => Some("the last tree head was signed: the next start signs it"),
            Self::Publisher => Some("every event was published: the next start goes on with them"),
            Self::Replies => Some("every receipt had left: who sends the same bytes again gets it"),
            Self::Lease | Self::Appender | Self::Writer | Self::Intake | Self::Queries => None,
        }
    }

    fn ended(self) -> NodeError {
        NodeError::Ended { part: self.name() }
    }
}

/// Parts that run.
#[derive(Default)]
pub(crate) struct Parts {
    running: JoinSet<(Part, Result<(), NodeError>)>,
    left: BTreeMap<Part, AbortHandle>,
    failures: BTreeMap<Part, NodeError>,
    /// Those that are threads, which nothing ends but themselves.
    threads: Vec<Part>,
    stopping: Option<ShutdownTrigger>,
    giving_up: Option<ShutdownTrigger>,
}

impl Parts {
    /// Has this signal given when the parts are to stop.
    pub(crate) fn trigger_at_stop(&mut self, trigger: ShutdownTrigger) {
        self.stopping = Some(trigger);
    }

    /// Has this signal given when nothing more is waited for: threads that see it must end at once.
    pub(crate) fn trigger_when_giving_up(&mut self, trigger: ShutdownTrigger) {
        self.giving_up = Some(trigger);
    }

    /// Runs a task as a part. A panic is a failure of it.
    pub(crate) fn spawn<E: Into<NodeError>>(
        &mut self,
        part: Part,
        run: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        let running = self.running.spawn(async move {
            let ended = AssertUnwindSafe(run).catch_unwind().await;
            let ended = ended.map_or_else(|_| Err(part.ended()), |ended| ended.map_err(Into::into));
            (part, ended)
        });
        self.left.insert(part, running);
    }

    /// Runs a thread as a part; what it owns must be dropped when `run` returns.
    ///
    /// # Errors
    /// [`NodeError::Ended`] when there is no thread to be had.
    pub(crate) fn spawn_thread<E: Into<NodeError> + Send + 'static>(
        &mut self,
        part: Part,
        run: impl FnOnce() -> Result<(), E> + Send + 'static,
    ) -> Result<(), NodeError> {
        let (ending, ended) = oneshot::channel();
        let body = move || {
            if ending.send(run()).is_err() {
                tracing::debug!(part = part.name(), "ended after the node");
            }
        };
        std::thread::Builder::new()
            .name(part.name().to_owned())
            .spawn(body)
            .map_err(|_| part.ended())?;
        self.threads.push(part);
        // A panic drops the sender.
        self.spawn(part, async move {
            ended
                .await
                .map_or_else(|_| Err(part.ended()), |ended| ended.map_err(Into::into))
        });
        Ok(())
    }

    /// Waits for the signal or the first end of a part, then stops in order: no more commands in, what was taken is decided and synced,
    /// receipts and events leave within `drain_time`.
    ///
    /// # Errors
    /// Why a part failed, or that it ended before the signal.
    pub(crate) async fn run(
        mut self,
        mut shutdown: Shutdown,
        drain_time: Duration,
    ) -> Result<(), NodeError> {
        let early = tokio::select! {
            () = shutdown.requested() => None,
            early = self.next() => early,
        };
        if let Some(part) = early {
            tracing::error!(part = part.name(), "a part of the node has ended: stopping");
        } else {
            info!("stopping");
        }
        // Whoever waits for the lease waits no longer.
        drop(self.stopping.take());
        self.abort(Part::Intake);
        self.wait_for(&[Part::Writer, Part::Appender]).await;
        let draining = [Part::Replies, Part::Publisher, Part::Heads];
        let drained = tokio::time::timeout(drain_time, self.wait_for(&draining)).await;
        if drained.is_err() {
            for undone in self.left.keys().filter_map(|part| part.left_undone()) {
                warn!("stopped before {undone}");
            }
        }
        drop(self.giving_up.take());
        let threads = std::mem::take(&mut self.threads);
        self.wait_for(&threads).await;
        // What still runs holds the log.
        self.running.shutdown().await;
        match (self.failures.into_values().next(), early) {
            (Some(failure), _) => Err(failure),
            (None, Some(part)) => Err(part.ended()),
            (None, None) => Ok(()),
        }
    }

    /// Ends a task.
    fn abort(&mut self, part: Part) {
        if let Some(running) = self.left.remove(&part) {
            running.abort();
        }
    }

    /// Waits until none of these runs.
    async fn wait_for(&mut self, parts: &[Part]) {
        while parts.iter().any(|part| self.left.contains_key(part)) && self.next().await.is_some() {
        }
    }

    /// Waits until a part ends, and takes note of how. `None` when none is left.
    async fn next(&mut self) -> Option<Part> {
        loop {
            // What was aborted comes as an error.
            let Ok((part, ended)) = self.running.join_next().await? else {
                continue;
            };
            self.left.remove(&part);
            if let Err(failure) = ended {
                self.failures.insert(part, failure);
            }
            return Some(part);
        }
    }
}

#[cfg(test)]
mod tests;
