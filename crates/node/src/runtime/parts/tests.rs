//! Parts that end when they should not, and what the node says of it.

use super::*;
use crate::publish::publisher::PublisherError;
use crate::runtime::shutdown::{ShutdownTrigger, shutdown};
use ledger_store::AppendError;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const SOON: Duration = Duration::from_secs(30);
const AT_ONCE: Duration = Duration::from_millis(50);
/// The parts that end by themselves once there is nothing more to do.
const TASKS: [Part; 5] = [
    Part::Heads,
    Part::Publisher,
    Part::Replies,
    Part::Intake,
    Part::Queries,
];

type Outcome = Result<(), NodeError>;

/// A node of parts that do nothing but end in order, without those that a test puts its own in place of.
struct Rig {
    parts: Parts,
    /// Keeps the writer's queue open, where there is no intake that does.
    queue: Option<tokio::sync::mpsc::Sender<()>>,
    trigger: ShutdownTrigger,
    shutdown: Shutdown,
}

fn rig(but: &[Part]) -> Rig {
    let (trigger, shutdown) = shutdown();
    let mut parts = Parts::default();
    // The intake holds the writer's queue open, the writer the appender's, and the appender everybody else's.
    let (intake, mut queue) = tokio::sync::mpsc::channel::<()>(1);
    let (writer, mut decided) = tokio::sync::mpsc::channel::<()>(1);
    let (appender, size) = tokio::sync::watch::channel(0_u64);
    let mut kept = Some(intake);
    if !but.contains(&Part::Intake) {
        let intake = kept.take().expect("the sender");
        parts.spawn(Part::Intake, async move {
            intake.closed().await;
            Outcome::Ok(())
        });
    }
    if !but.contains(&Part::Writer) {
        let run = move || {
            let _held = writer;
            assert!(queue.blocking_recv().is_none());
            Outcome::Ok(())
        };
        parts.spawn_thread(Part::Writer, run).expect("a thread");
    }
    if !but.contains(&Part::Appender) {
        let run = move || {
            let _held = appender;
            assert!(decided.blocking_recv().is_none());
            Outcome::Ok(())
        };
        parts.spawn_thread(Part::Appender, run).expect("a thread");
    }
    for part in [Part::Heads, Part::Publisher, Part::Replies] {
        let mut size = size.clone();
        if !but.contains(&part) {
            parts.spawn(part, async move {
                assert!(size.wait_for(|_| false).await.is_err());
                Outcome::Ok(())
            });
        }
    }
    if !but.contains(&Part::Queries) {
        parts.spawn(Part::Queries, pending::<Outcome>());
    }
    Rig {
        parts,
        queue: kept,
        trigger,
        shutdown,
    }
}

async fn ended(parts: Parts, shutdown: Shutdown) -> Outcome {
    let ended = tokio::time::timeout(SOON, parts.run(shutdown, SOON)).await;
    ended.expect("the node ends")
}

fn panicking() -> Outcome {
    panic!("as the test wants it")
}

fn named(outcome: &Outcome, part: Part) -> bool {
    matches!(outcome, Err(NodeError::Ended { part: name }) if *name == part.name())
}

#[tokio::test]
async fn a_node_told_to_stop_ends_well() {
    let rig = rig(&[]);
    rig.trigger.trigger();
    let outcome = ended(rig.parts, rig.shutdown).await;
    outcome.expect("a good end");
}

#[tokio::test]
async fn a_task_that_panics_or_just_ends_ends_the_node_and_is_named() {
    for part in TASKS {
        for panics in [true, false] {
            let mut rig = rig(&[part]);
            let queue = rig.queue.take();
            rig.parts.spawn(part, async move {
                let _held = queue;
                assert!(!panics, "as the test wants it");
                Outcome::Ok(())
            });
            let outcome = ended(rig.parts, rig.shutdown).await;
            assert!(named(&outcome, part), "{part:?}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn a_thread_that_panics_ends_the_node_and_is_named() {
    for part in [Part::Appender, Part::Writer, Part::Publisher] {
        let mut rig = rig(&[part]);
        let run = || -> Outcome { panic!("as the test wants it") };
        rig.parts.spawn_thread(part, run).expect("a thread");
        let outcome = ended(rig.parts, rig.shutdown).await;
        assert!(named(&outcome, part), "{part:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_thread_that_just_ends_ends_the_node_and_is_named() {
    let mut rig = rig(&[Part::Publisher]);
    let run = || Outcome::Ok(());
    rig.parts
        .spawn_thread(Part::Publisher, run)
        .expect("a thread");
    let outcome = ended(rig.parts, rig.shutdown).await;
    assert!(named(&outcome, Part::Publisher), "{outcome:?}");
}

#[tokio::test]
async fn a_panic_after_the_signal_is_no_good_end() {
    let mut rig = rig(&[Part::Replies]);
    let mut told = rig.shutdown.clone();
    rig.parts.spawn(Part::Replies, async move {
        told.requested().await;
        panicking()
    });
    rig.trigger.trigger();
    let outcome = ended(rig.parts, rig.shutdown).await;
    assert!(named(&outcome, Part::Replies), "{outcome:?}");
}

#[tokio::test]
async fn the_cause_is_told_and_not_what_it_caused() {
    let mut rig = rig(&[Part::Appender, Part::Publisher, Part::Writer]);
    // The writer is gone first, without an error of its own: the appender takes its time to close.
    rig.parts
        .spawn_thread(Part::Writer, || Outcome::Ok(()))
        .expect("a thread");
    let failing = || {
        std::thread::sleep(AT_ONCE);
        Err(AppendError::Group("as the test wants it"))
    };
    rig.parts
        .spawn_thread(Part::Appender, failing)
        .expect("a thread");
    let contradicted = PublisherError::StreamForeign { position: 0 };
    rig.parts
        .spawn_thread(Part::Publisher, || Err(contradicted))
        .expect("a thread");
    let outcome = ended(rig.parts, rig.shutdown).await;
    assert!(matches!(outcome, Err(NodeError::Append(_))), "{outcome:?}");
}

#[tokio::test]
async fn receipts_leave_although_the_node_has_failed() {
    let mut rig = rig(&[Part::Appender, Part::Replies]);
    let left = Arc::new(AtomicBool::new(false));
    let leaving = Arc::clone(&left);
    rig.parts.spawn(Part::Replies, async move {
        tokio::time::sleep(2 * AT_ONCE).await;
        leaving.store(true, Ordering::Relaxed);
        Outcome::Ok(())
    });
    let failing = || Err(AppendError::Group("as the test wants it"));
    rig.parts
        .spawn_thread(Part::Appender, failing)
        .expect("a thread");
    let outcome = ended(rig.parts, rig.shutdown).await;
    assert!(matches!(outcome, Err(NodeError::Append(_))), "{outcome:?}");
    assert!(left.load(Ordering::Relaxed));
}

#[tokio::test]
async fn what_does_not_end_in_time_is_left_and_no_failure() {
    for part in [Part::Heads, Part::Publisher, Part::Replies] {
        let mut rig = rig(&[part]);
        rig.parts.spawn(part, pending::<Outcome>());
        rig.trigger.trigger();
        let ended = tokio::time::timeout(SOON, rig.parts.run(rig.shutdown, AT_ONCE)).await;
        ended.expect("the node ends").expect("a good end");
    }
}

#[tokio::test]
async fn a_thread_that_does_not_end_in_time_is_told_to_and_has_dropped_what_it_owned() {
    let mut rig = rig(&[Part::Publisher]);
    let (trigger, mut giving_up) = shutdown();
    rig.parts.trigger_when_giving_up(trigger);
    let owned = Arc::new(());
    let held = Arc::clone(&owned);
    let runtime = tokio::runtime::Handle::current();
    let run = move || {
        runtime.block_on(giving_up.requested());
        std::thread::sleep(AT_ONCE);
        drop(held);
        Outcome::Ok(())
    };
    rig.parts
        .spawn_thread(Part::Publisher, run)
        .expect("a thread");
    rig.trigger.trigger();
    let ended = tokio::time::timeout(SOON, rig.parts.run(rig.shutdown, AT_ONCE)).await;
    ended.expect("the node ends").expect("a good end");
    assert_eq!(Arc::strong_count(&owned), 1, "the thread is gone");
}
