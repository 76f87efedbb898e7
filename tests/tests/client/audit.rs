//! `audit verify` against a ledger that is honest, and against each way of lying.

use std::time::Duration;

use ledger_bus::{Bus, BusOptions};
use ledger_client::audit::{self, AuditError, AuditReport, KeySource, ViewDifference};
use ledger_client::{CheckError, Connection};
use ledger_proof::submission::{SubmissionError, SubmissionFault};
use ledger_proof::verify::LeafFault;
use ledger_proof::{LedgerKey, TreeHeadError};
use ledger_tests::TestNats;
use ledger_tests::commands::Commander;

use crate::import::{RECORDS, ledger_with};
use crate::paper_ledger::{Lie, PaperLedger};

async fn audit_of(ledger: &PaperLedger, lie: Lie) -> Result<AuditReport, AuditError> {
    let nats = TestNats::start();
    let bus = Bus::connect(&BusOptions::tool(nats.url(), "paper"))
        .await
        .unwrap();
    let serving = ledger.serve(&bus, lie).await;
    let connection = Connection::open(nats.url(), "auditor").await.unwrap();
    let verified = audit::verify(&connection, None, |_| {}).await;
    serving.abort();
    verified
}

/// Position of the first event whose data has a word to tamper with.
fn tampered(ledger: &PaperLedger) -> u64 {
    ledger.tree_size() - 1 - 2
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_ledger_agrees_with_itself() {
    let ledger = ledger_with(RECORDS);
    let report = audit_of(&ledger, Lie::None).await.unwrap();
    assert!(report.agrees(), "{:?}", report.projections);
    assert_eq!(report.tree_size, ledger.tree_size());
    assert_eq!(report.key_source, KeySource::Position0);
    let names: Vec<_> = report
        .projections
        .iter()
        .map(|p| p.projection.as_str())
        .collect();
    assert_eq!(names, ["country", "action", "summary"]);
    assert!(report.projections[0].compared >= 193);
    assert!(report.projections[1].compared >= 23);
    // The summary, the gaps, the root, the secretariat and a reporter.
    assert_eq!(report.projections[2].compared, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_lie_about_the_log_is_found() {
    let ledger = ledger_with(RECORDS);
    // The last command but two is the first recorded commitment, on trafficking.
    let at = tampered(&ledger);
    match audit_of(&ledger, Lie::Data(at)).await {
        Err(AuditError::Check(CheckError::Leaf(error))) => {
            assert_eq!((error.position, error.fault), (at, LeafFault::Data));
        }
        other => panic!("{other:?}"),
    }
    match audit_of(&ledger, Lie::Outline(at)).await {
        Err(AuditError::Check(CheckError::Leaf(error))) => {
            assert_eq!((error.position, error.fault), (at, LeafFault::Outline));
        }
        other => panic!("{other:?}"),
    }
    match audit_of(&ledger, Lie::LeftOut(at)).await {
        Err(AuditError::Check(CheckError::Leaf(error))) => {
            assert_eq!(error.position, at);
            assert_eq!(error.fault, LeafFault::Position { found: at + 1 });
        }
        other => panic!("{other:?}"),
    }
    match audit_of(&ledger, Lie::Command(at)).await {
        Err(AuditError::Check(CheckError::Submission(error))) => {
            let fault = SubmissionFault::Manifest;
            assert_eq!((error.position, error.fault), (at, fault));
        }
        other => panic!("{other:?}"),
    }
    let newest = ledger.tree_size() - 1;
    let last = audit_of(&ledger, Lie::Command(newest)).await;
    assert!(
        matches!(
            last,
            Err(AuditError::Check(CheckError::Submission(SubmissionError { position, .. })))
                if position == newest
        ),
        "{last:?}"
    );
    match audit_of(&ledger, Lie::Route(at)).await {
        Err(AuditError::Check(CheckError::Route { position, .. })) => assert_eq!(position, at),
        other => panic!("{other:?}"),
    }
    let rewritten = audit_of(&ledger, Lie::Rewritten(at)).await;
    assert!(
        matches!(rewritten, Err(AuditError::Root { .. })),
        "{rewritten:?}"
    );
    let root = audit_of(&ledger, Lie::Root).await;
    assert!(matches!(root, Err(AuditError::Root { .. })), "{root:?}");
    let key = audit_of(&ledger, Lie::Key).await;
    assert!(
        matches!(key, Err(AuditError::Head(TreeHeadError::Unsigned { .. }))),
        "{key:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_lie_about_a_view_is_found_and_named() {
    let ledger = ledger_with(RECORDS);
    let differences = async |lie| {
        let report = audit_of(&ledger, lie).await.unwrap();
        assert!(!report.agrees());
        report
            .projections
            .into_iter()
            .flat_map(|projection| projection.differences)
            .collect::<Vec<_>>()
    };
    let folded = ledger.tree_size();
    assert_eq!(
        differences(Lie::Body("country", "DZA")).await,
        [ViewDifference::Body {
            key: "DZA".to_owned(),
            folded
        }]
    );
    assert_eq!(
        differences(Lie::Missing("action", "GCM-10")).await,
        [ViewDifference::Missing {
            key: "GCM-10".to_owned()
        }]
    );
    assert_eq!(
        differences(Lie::Unfounded("GCM-99")).await,
        [ViewDifference::Unfounded {
            key: "GCM-99".to_owned()
        }]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_known_from_elsewhere_is_the_one_that_counts() {
    let ledger = ledger_with("");
    let nats = TestNats::start();
    let bus = Bus::connect(&BusOptions::tool(nats.url(), "paper"))
        .await
        .unwrap();
    let serving = ledger.serve(&bus, Lie::None).await;
    let connection = Connection::open(nats.url(), "auditor").await.unwrap();
    let other = LedgerKey::from_seed("paper", [3; 32]).unwrap();
    let refused = audit::verify(&connection, Some(other.verifier_key().clone()), |_| {}).await;
    assert!(matches!(
        refused,
        Err(AuditError::Head(TreeHeadError::Unsigned { .. }))
    ));
    let own = LedgerKey::from_seed("paper", [1; 32]).unwrap();
    let report = audit::verify(&connection, Some(own.verifier_key().clone()), |_| {}).await;
    assert_eq!(report.unwrap().key_source, KeySource::Given);
    serving.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_goes_on_recording_is_verified_all_the_same() {
    let ledger = ledger_with(RECORDS);
    let before = ledger.tree_size();
    let recording = {
        let ledger = ledger.clone();
        tokio::spawn(async move {
            let mut states = Commander::new("import-upr", "KEN", 5);
            loop {
                let (_, command) = states.record(&["GCM-10", "UPR-Trafficking"]);
                ledger.submit(&command).unwrap();
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
    };
    let report = audit_of(&ledger, Lie::None).await.unwrap();
    recording.abort();
    assert!(report.agrees(), "{:?}", report.projections);
    assert!(report.tree_size > before, "nothing was recorded meanwhile");
    let folded: Vec<u64> = report.projections.iter().map(|p| p.folded).collect();
    assert!(
        folded.iter().all(|folded| *folded <= report.tree_size),
        "{folded:?}"
    );
}

#[tokio::test]
async fn nobody_answering_is_not_taken_for_a_lie() {
    let nats = TestNats::start();
    let connection = Connection::open(nats.url(), "auditor").await.unwrap();
    let error = audit::verify(&connection, None, |_| {}).await.unwrap_err();
    assert!(error.is_unreachable(), "{error:?}");
}
