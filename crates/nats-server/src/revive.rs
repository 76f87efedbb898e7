//! Starts the server again when `JetStream` takes nothing any more although there is room: nats-server 2.15 turns it off
//! when its disk is full, and does not turn it on by itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ledger_bus::{Bus, BusOptions, ConnectError};
use rustix::process::Signal;
use tracing::warn;

use super::{NatsServer, STOP_PATIENCE, Shared, signal_child};
use ledger_bus::Transport;

const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// Failures in a row, and for how long, before the server is started again.
const FAILURES: u32 = 5;
const FAILING_FOR: Duration = Duration::from_secs(5);
/// What must be free on the disk of the streams: more than a stream and its index begin with.
const ROOM_BYTES: u64 = 32 << 20;
/// How long nothing is done after a start that did not help: twice as long after each.
const FIRST_PAUSE: Duration = Duration::from_secs(15);
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// Watches over the server that it was made from.
#[derive(Debug)]
pub struct Reviver {
    shared: Arc<Shared>,
    url: String,
}

impl NatsServer {
    /// Makes what starts this server again when it has to be.
    pub fn reviver(&self) -> Reviver {
        Reviver {
            shared: Arc::clone(&self.shared),
            url: self.url(),
        }
    }
}

impl Reviver {
    /// Watches until it is dropped.
    ///
    /// # Errors
    /// [`ConnectError`] when the server's own address cannot be used.
    pub async fn run(self, transport: Transport) -> Result<(), ConnectError> {
        let bus = Bus::connect(&BusOptions::service(&self.url, "reviver")).await?;
        let mut pause = FIRST_PAUSE;
        let mut revived: Option<Instant> = None;
        loop {
            tokio::time::sleep(LOOK_INTERVAL).await;
            let Some((failures, failing_for)) = transport.failing() else {
                if revived.is_some_and(|at| at.elapsed() >= pause * 2) {
                    (revived, pause) = (None, FIRST_PAUSE);
                }
                continue;
            };
            let waits = revived.is_some_and(|at| at.elapsed() < pause);
            // A server that is away is not one that refuses.
            if failures < FAILURES || failing_for < FAILING_FOR || waits || !bus.is_connected() {
                continue;
            }
            // Where that cannot be told, the server is left as it is.
            if !self
                .shared
                .files
                .free_bytes()
                .is_ok_and(|free| free >= ROOM_BYTES)
            {
                continue;
            }
            warn!(
                failures,
                "JetStream takes nothing although there is room on its disk: nats-server is started again"
            );
            if revived.is_some() {
                pause = LONGEST_PAUSE.min(pause * 2);
            }
            self.end_child().await;
            revived = Some(Instant::now());
        }
    }

    /// Ends the child: the supervisor starts another.
    async fn end_child(&self) {
        let child = || {
            self.shared
                .state()
                .child
                .as_ref()
                .map(std::process::Child::id)
        };
        let before = child();
        signal_child(&self.shared.state(), Signal::TERM);
        let patience = Instant::now() + STOP_PATIENCE;
        while before.is_some() && child() == before {
            if Instant::now() >= patience {
                signal_child(&self.shared.state(), Signal::KILL);
                return;
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }
}
