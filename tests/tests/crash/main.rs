//! SIGKILL at random moments under load: of the node, of a projector, of nats-server.
//!
//! Eight partners write all the time and send everything again that has no receipt. After every round all receipts
//! given so far must be true of the log, and at the end every command must be there exactly once, the views and the stream
//! the same as made anew. `LEDGER_CRASH_ROUNDS` says how many rounds (6 when it is not set), `LEDGER_CRASH_SEED` from
//! which seed the moments are drawn.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what it expected and stops"
)]

use ledger_tests::family;
use std::time::Duration;

use ledger_tests::{Recorded, System, VIEWS, Writers, await_that, eventually};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

const WRITERS: usize = 8;
const DEFAULT_ROUNDS: u64 = 6;
/// Rounds after which an auditor recomputes everything, besides at the end.
const AUDIT_EVERY: u64 = 10;
/// Receipts that show that the load is on.
const LOAD: usize = 100;
const SOON: Duration = Duration::from_mins(1);
/// The longest pause between seeing load and killing.
const MOMENT_MAX_US: u64 = 300_000;

#[derive(Debug, Clone, Copy)]
enum Victim {
    Node,
    Projector(&'static str),
    Nats,
}

impl Victim {
    /// Of every five rounds three are the node's, one a projector's, one nats-server's.
    fn of(round: u64, random: &mut SmallRng) -> Self {
        match round % 5 {
            1 => Self::Projector(VIEWS[random.random_range(0..VIEWS.len())]),
            3 => Self::Nats,
            _ => Self::Node,
        }
    }
}

fn number_of(variable: &str, otherwise: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable}={text}")),
        Err(_) => otherwise,
    }
}

/// What was read of the log so far, and how many receipts were held against it.
#[derive(Default)]
struct Checked {
    log: Vec<Recorded>,
    receipts: usize,
}

impl Checked {
    /// Reads what the log has gained. Receipts counted before that must all be true of it.
    async fn go_on(&mut self, system: &System, writers: &Writers) {
        let receipts = writers.acknowledged();
        let from = self.log.len() as u64;
        self.log.extend(system.log_from(from).await);
        writers.receipts_hold(self.receipts..receipts, &self.log);
        self.receipts = receipts;
    }
}

async fn load_is_on(writers: &Writers) {
    let before = writers.acknowledged();
    eventually("load", SOON, async || {
        (writers.acknowledged() >= before + LOAD).then_some(())
    })
    .await;
}

/// Kills the node and brings it back: writers must have noticed, and nothing may have been cut that a receipt names.
async fn kill_node(system: &mut System, writers: &Writers) {
    let (killed, failed) = (system.node().id(), writers.failures());
    system.kill_node();
    eventually("a writer to notice", SOON, async || {
        (writers.failures() > failed).then_some(())
    })
    .await;
    system.start_node().await;
    assert_ne!(system.node().id(), killed);
}

/// Kills a projector and brings it back: it must have been folding, its view must have been away, and it must catch up.
async fn kill_projector(system: &mut System, view: &'static str) {
    let connection = system.connection().clone();
    let checkpoint = connection
        .projection(family(view))
        .await
        .expect("an answer")
        .checkpoint;
    let killed = system.projector(view).id();
    system.projector(view).kill();
    assert!(
        connection.projection(family(view)).await.is_err(),
        "it answers after its death"
    );
    eventually("events that it misses", SOON, async || {
        (system.tree_size().await > checkpoint).then_some(())
    })
    .await;
    system.start_projector(view);
    assert_ne!(system.projector(view).id(), killed);
    system.await_views().await;
}

/// Kills nats-server; its owner brings it back.
async fn kill_nats(system: &mut System, writers: &Writers) {
    let failed = writers.failures();
    let killed = system.nats().process_id();
    system.nats().kill();
    eventually("a writer to notice", SOON, async || {
        (writers.failures() > failed).then_some(())
    })
    .await;
    let nats = system.nats();
    await_that("another nats-server", SOON, || {
        nats.process_id().is_some_and(|id| Some(id) != killed)
    });
    system.await_node().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_is_killed_whenever_every_acknowledged_command_is_there_exactly_once() {
    let rounds = number_of("LEDGER_CRASH_ROUNDS", DEFAULT_ROUNDS);
    let seed = number_of("LEDGER_CRASH_SEED", 1);
    let mut random = SmallRng::seed_from_u64(seed);
    let mut system = System::start_whole(&[]).await;
    system.await_views().await;
    let writers = Writers::start(&system, WRITERS).await;
    let mut checked = Checked::default();
    for round in 0..rounds {
        let victim = Victim::of(round, &mut random);
        load_is_on(&writers).await;
        let moment_us = random.random_range(0..MOMENT_MAX_US);
        tokio::time::sleep(Duration::from_micros(moment_us)).await;
        let before = writers.acknowledged();
        match victim {
            Victim::Node => kill_node(&mut system, &writers).await,
            Victim::Projector(view) => kill_projector(&mut system, view).await,
            Victim::Nats => kill_nats(&mut system, &writers).await,
        }
        load_is_on(&writers).await;
        checked.go_on(&system, &writers).await;
        println!(
            "round {round}, seed {seed}: {victim:?} killed after {before} receipts and {moment_us} us; now {} receipts, {} failures, {} events",
            writers.acknowledged(),
            writers.failures(),
            checked.log.len(),
        );
        if round % AUDIT_EVERY == AUDIT_EVERY - 1 {
            system.audit().await;
        }
    }
    let acknowledged = writers.finish().await;
    let log = system.log_from(0).await;
    acknowledged.are_there_exactly_once(&log);
    for (before, now) in checked.log.iter().zip(&log) {
        assert_eq!(before.delivered, now.delivered, "what was read once stays");
    }
    system.verify().await;
    system.verify_stream().await;
    println!("{} commands, each there exactly once", acknowledged.len());
}
