//! A clock that is wrong: nothing is dated with it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use ledger_domain::RejectionCode;
use ledger_domain::wire::v1::Status;
use ledger_node::{NodeError, NodeOptions, SystemClock, Telemetry, TimeSource, run_node, shutdown};
use ledger_tests::{System, eventually};

use crate::support::SOON;

/// The clock of this machine, set off by a test.
#[derive(Clone, Debug, Default)]
struct SetClock(Arc<Mutex<TimeDelta>>);

impl SetClock {
    fn set_off(&self, by: TimeDelta) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = by;
    }
}

impl TimeSource for SetClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now() + *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn elapsed(&self) -> Duration {
        SystemClock.elapsed()
    }
}

fn options(system: &System, clock: &SetClock) -> NodeOptions {
    NodeOptions {
        clock: Arc::new(clock.clone()),
        ..NodeOptions::new(system.log_folder(), system.url())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_recorded_while_the_clock_has_jumped() {
    let system = System::with_nats_only(&[]).await;
    let clock = SetClock::default();
    let (trigger, told) = shutdown();
    let node = tokio::spawn(run_node(
        options(&system, &clock),
        Telemetry::default(),
        told,
    ));
    eventually("the node to answer", SOON, async || {
        system.connection().head().await.ok()
    })
    .await;
    system.load_reference().await;
    let mut commander = system.reporter("tester", &["KEN"]).await;
    let (_, before) = commander.record(&["GCM-01"]);
    system.accepted(std::slice::from_ref(&before)).await;
    let size = system.tree_size().await;

    for jump in [TimeDelta::days(3650), TimeDelta::hours(-2)] {
        clock.set_off(jump);
        let (_, record) = commander.record(&["GCM-02"]);
        let receipts = system.ask("tester", record.encode()).await;
        let rejection = receipts[0].rejection.as_ref().expect("a refusal");
        assert_eq!(rejection.code, RejectionCode::Unavailable);
        assert!(rejection.message.contains("has jumped"), "{rejection:?}");
        let head = system.connection().head().await.expect("a head");
        let refusing = head.refusing.expect("it is not ready");
        assert!(refusing.contains("has jumped"), "{refusing}");
        let again = system.ask("tester", before.encode()).await;
        assert_eq!(again[0].status, Status::Duplicate);
        assert_eq!(system.tree_size().await, size);

        clock.set_off(TimeDelta::seconds(20));
        assert!(
            system
                .connection()
                .head()
                .await
                .expect("a head")
                .refusing
                .is_none()
        );
    }
    let (_, record) = commander.record(&["GCM-02"]);
    system.accepted(&[record]).await;
    trigger.trigger();
    node.await.expect("no panic").expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_starts_with_a_clock_far_from_its_events_only_when_it_is_told_to() {
    let mut system = System::start(&[]).await;
    system.await_published().await;
    assert!(system.stop_node().success());
    let clock = SetClock::default();
    for days in [400, 30 * 365, -100 * 365] {
        clock.set_off(TimeDelta::days(days));
        let (_trigger, told) = shutdown();
        let ended = run_node(options(&system, &clock), Telemetry::default(), told).await;
        assert!(matches!(&ended, Err(NodeError::Clock(_))), "{ended:?}");
        let said = ended.expect_err("no start").to_string();
        assert!(said.contains("--accept-clock"), "{said}");
    }
    clock.set_off(TimeDelta::days(400));
    let accepting = NodeOptions {
        accept_clock: true,
        ..options(&system, &clock)
    };
    let (trigger, told) = shutdown();
    let node = tokio::spawn(run_node(accepting, Telemetry::default(), told));
    eventually("the node to answer", SOON, async || {
        system.connection().head().await.ok()
    })
    .await;
    trigger.trigger();
    node.await.expect("no panic").expect("stopped");
    // What was recorded before stands: the right clock starts it as always.
    system.start_node().await;
}
