//! Partners that write without pause and never take silence for an answer.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use ledger_bus::{Bus, subject};
use ledger_domain::RejectionCode;
use ledger_domain::country;
use ledger_domain::ids::CommandId;
use ledger_domain::wire::v1::{Command, Receipt, Stage};
use tokio::task::JoinHandle;

use crate::commands::Commander;
use crate::log::{Recorded, assert_receipt_holds};
use crate::system::{System, receipts};

const REPLY_WITHIN: Duration = Duration::from_secs(2);
const RETRY_PAUSE: Duration = Duration::from_millis(10);
/// Commitments that a writer records at once; then it reports on all of them at once.
const AT_ONCE: usize = 4;
const PREFIX: &str = "writer-";

/// Running writers: each a partner of its own with a connection of its own, sending the same bytes until there is a
/// receipt.
#[derive(Debug)]
pub struct Writers {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stopping: AtomicBool,
    failures: AtomicU64,
    receipts: Mutex<Vec<(String, Receipt)>>,
}

impl Writers {
    /// Registers so many partners and lets them write.
    ///
    /// # Panics
    /// When one is refused.
    pub async fn start(system: &System, count: usize) -> Self {
        let shared = Arc::new(Shared::default());
        let mut tasks = Vec::new();
        for (number, country) in country::members().take(count).enumerate() {
            let partner = format!("{PREFIX}{number}");
            let commander = system.reporter(&partner, &[country.code.as_str()]).await;
            let writer = Writer {
                bus: system.another_bus().await,
                subject: subject::command(&partner),
                partner,
                commander,
                shared: Arc::clone(&shared),
            };
            tasks.push(tokio::spawn(writer.run()));
        }
        Self { shared, tasks }
    }

    /// Commands that have a receipt.
    pub fn acknowledged(&self) -> usize {
        self.shared.receipts().len()
    }

    /// How often a command was sent and no receipt came of it.
    pub fn failures(&self) -> u64 {
        self.shared.failures.load(Ordering::Relaxed)
    }

    /// Holds these receipts, in the order they came, to be true of the log.
    ///
    /// # Panics
    /// When one is not.
    pub fn receipts_hold(&self, which: Range<usize>, log: &[Recorded]) {
        for (_, receipt) in &self.shared.receipts()[which] {
            assert_receipt_holds(receipt, log);
        }
    }

    /// Lets every writer come to its last receipt and ends them.
    ///
    /// # Panics
    /// When a writer got a refusal that repeating does not mend.
    pub async fn finish(self) -> Acknowledged {
        self.shared.stopping.store(true, Ordering::Relaxed);
        for ended in join_all(self.tasks).await {
            ended.expect("a writer whose commands are good");
        }
        let receipts = self.shared.receipts().clone();
        Acknowledged { receipts }
    }
}

impl Shared {
    fn receipts(&self) -> std::sync::MutexGuard<'_, Vec<(String, Receipt)>> {
        self.receipts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Writer {
    bus: Bus,
    subject: String,
    partner: String,
    commander: Commander,
    shared: Arc<Shared>,
}

impl Writer {
    async fn run(mut self) {
        let mut month = 0;
        while !self.shared.stopping.load(Ordering::Relaxed) {
            month = month % 10 + 1;
            let (commitments, records): (Vec<_>, Vec<_>) = (0..AT_ONCE)
                .map(|_| self.commander.record(&["GCM-01", "GCM-05a"]))
                .unzip();
            self.send_all(&records).await;
            let reports: Vec<_> = commitments
                .into_iter()
                .map(|commitment| self.commander.report(commitment, month, Stage::InProgress))
                .collect();
            self.send_all(&reports).await;
        }
    }

    async fn send_all(&self, commands: &[Command]) {
        join_all(commands.iter().map(|command| self.send(command))).await;
    }

    async fn send(&self, command: &Command) {
        let bytes = Bytes::from(command.encode());
        loop {
            let reply = self.bus.request(&self.subject, bytes.clone(), REPLY_WITHIN);
            if let Ok(reply) = reply.await {
                let receipt = receipts(&reply.payload).pop().expect("one receipt");
                match receipt.rejection.as_ref().map(|rejection| rejection.code) {
                    None => {
                        let named = (self.partner.clone(), receipt);
                        self.shared.receipts().push(named);
                        return;
                    }
                    Some(
                        RejectionCode::Busy
                        | RejectionCode::StorageFull
                        | RejectionCode::Unavailable,
                    ) => {}
                    Some(_) => panic!("{receipt:?}"),
                }
            }
            self.shared.failures.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }
}

/// What writers have receipts for: everything they ever sent.
#[derive(Debug)]
pub struct Acknowledged {
    receipts: Vec<(String, Receipt)>,
}

impl Acknowledged {
    /// How many commands.
    pub fn len(&self) -> usize {
        self.receipts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.receipts.is_empty()
    }

    /// Holds every acknowledged command to be in the whole log exactly once, where its receipt says, and nothing else of
    /// the writers to be there.
    ///
    /// # Panics
    /// When that is not so.
    pub fn are_there_exactly_once(&self, log: &[Recorded]) {
        let mut by_cause: HashMap<(String, CommandId), Vec<u64>> = HashMap::new();
        for recorded in log {
            if let Some((partner, command)) = recorded.cause()
                && partner.starts_with(PREFIX)
            {
                let positions = by_cause.entry((partner, command)).or_default();
                positions.push(recorded.position);
            }
        }
        for (partner, receipt) in &self.receipts {
            assert_receipt_holds(receipt, log);
            let cause = (partner.clone(), receipt.command_id.expect("a command"));
            let named: Vec<u64> = receipt.events.iter().map(|event| event.position).collect();
            let found = by_cause.remove(&cause);
            assert_eq!(found, Some(named), "{receipt:?}");
        }
        assert!(by_cause.is_empty(), "recorded and never sent: {by_cause:?}");
    }
}
