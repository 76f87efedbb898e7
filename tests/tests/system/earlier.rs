//! The data directories of earlier versions: they open, nothing is found wrong, they fold the same views, and they take
//! commands.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use ledger_client::audit;
use ledger_domain::RULES_VERSION;
use ledger_domain::view::{Family, Views};
use ledger_domain::wire::v1::Status;
use ledger_domain::wire::v1::view::ViewBody;
use ledger_proof::{Hash, hash_to_hex, sha256};
use ledger_tests::{Recorded, System, run, test_data};
use serde::de::IgnoredAny;
use serde_json::Deserializer;
use tempfile::TempDir;

const PARTNER: &str = "after";

/// Fields that bodies have now and had not when the fixtures were made. Without them they are the bodies of then.
const NEW_FIELDS: &[&str] = &[
    "with_undigested_evidence",
    "lapsed",
    "ground_taken_back",
    "registered_parties",
    "registered_parties_omitted",
];

/// Bodies that a change alters on purpose, as `bucket/key`. The changelog says why.
const CHANGED_BODIES: &[&str] = &[
    // A party that has itself reported is no longer claimed.
    "ledger_action/GCM-02",
    "ledger_action/GCM-02i",
    "ledger_action/GCM-02j",
    "ledger_action/GCM-08",
    "ledger_action/GCM-08e",
    "ledger_action/GCM-08f",
    "ledger_action/GCM-18",
    "ledger_action/GCM-18a",
    "ledger_action/GCM-18c",
    "ledger_action/IMRF22-59",
    "ledger_action/IMRF22-74",
    "ledger_action/IMRF22-76",
    "ledger_country/BGD",
    "ledger_country/CAN",
    "ledger_country/COL",
    "ledger_country/INT",
    "ledger_summary/summary",
];

/// An earlier version's data directory, unpacked.
fn unpacked(archive: &Path) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    let mut tar = Command::new("tar")
        .args(["--extract", "--directory"])
        .arg(folder.path())
        .stdin(Stdio::piped())
        .spawn()
        .expect("the program tar");
    let packed = File::open(archive).expect("the archive");
    let input = tar.stdin.take().expect("its input");
    zstd::stream::copy_decode(packed, input).expect("zstd");
    assert!(tar.wait().expect("tar ends").success());
    folder
}

/// The body without its members of this name, wherever they stand.
fn without(body: &str, name: &str) -> String {
    let opening = format!("\"{name}\":");
    let mut left = body.to_owned();
    while let Some(start) = left.find(&opening) {
        let value = start + opening.len();
        let mut values = Deserializer::from_str(&left[value..]).into_iter::<IgnoredAny>();
        values.next().expect("a value").expect("JSON");
        let end = value + values.byte_offset();
        if left[end..].starts_with(',') {
            left.replace_range(start..=end, "");
        } else {
            let start = start - usize::from(left[..start].ends_with(','));
            left.replace_range(start..end, "");
        }
    }
    left
}

#[test]
fn a_member_is_taken_out_wherever_it_stands() {
    for (body, expected) in [
        (r#"{"a":1,"x":2,"b":3}"#, r#"{"a":1,"b":3}"#),
        (r#"{"x":{"x":[1,","]},"b":3}"#, r#"{"b":3}"#),
        (
            r#"{"b":{"x":"}"},"c":[{"d":1,"x":true}]}"#,
            r#"{"b":{},"c":[{"d":1}]}"#,
        ),
        (r#"{"a":1}"#, r#"{"a":1}"#),
    ] {
        assert_eq!(without(body, "x"), expected);
    }
}

/// The SHA-256 of every body of a family, by bucket and key.
fn digests(family: Family, events: &[Recorded], all: &mut BTreeMap<String, String>) {
    let mut projection = Views::of(&[family]);
    for recorded in events {
        projection.apply(&recorded.event);
    }
    for key in projection.keys() {
        let body = projection.body(&key).expect("the body of a key");
        let read = ViewBody::decode(&body).expect("a body of its type");
        assert_eq!(serde_json::to_vec(&read).expect("JSON"), body, "{key}");
        let body = String::from_utf8(body).expect("UTF-8");
        let body = NEW_FIELDS
            .iter()
            .fold(body, |body, name| without(&body, name));
        let digest = hash_to_hex(&Hash(sha256(body.as_bytes())));
        all.insert(format!("ledger_{}/{key}", family.name()), digest);
    }
}

fn is_changed(key: &str) -> bool {
    CHANGED_BODIES.contains(&key)
}

/// Starts a node and projectors on the data directory, and compares every body with the list.
async fn opened(archive: &Path, bodies: &Path) -> System {
    let data = unpacked(archive);
    let mut system = System::with_nats_only(&[]).await;
    fs::rename(data.path().join("ledger"), system.log_folder()).expect("a rename");

    let mut scrub = system.ledger(["scrub"]);
    run(scrub.arg(system.log_folder()), b"").succeeded();

    system.start_node().await;
    system.start_projectors();
    system.verify().await;

    let events = system.log_from(0).await;
    let mut found = BTreeMap::new();
    digests(Family::Country, &events, &mut found);
    digests(Family::Action, &events, &mut found);
    digests(Family::Summary, &events, &mut found);
    let listed = fs::read_to_string(bodies).expect("the list of bodies");
    let expected: BTreeMap<&str, &str> = listed
        .lines()
        .map(|line| line.split_once("  ").expect("two columns"))
        .map(|(digest, key)| (key, digest))
        .collect();
    assert!(expected.len() > 500, "{}", expected.len());
    let differ: Vec<&str> = expected
        .iter()
        .filter(|(key, _)| !is_changed(key))
        .filter(|(key, digest)| found.get(**key).map(String::as_str) != Some(**digest))
        .map(|(key, _)| *key)
        .collect();
    assert_eq!(differ, [""; 0], "bodies that nobody meant to change");
    system
}

/// Records something new, and verifies old and new together.
async fn takes_a_command(system: &mut System) {
    let before = system.tree_size().await;
    let mut commander = system.reporter(PARTNER, &["KEN"]).await;
    let (_, record) = commander.record(&["GCM-10"]);
    let receipts = system.submit(&[record]).await;
    assert_eq!(receipts[0].status, Status::Accepted, "{receipts:?}");
    assert_eq!(receipts[0].tree_size, Some(before + 2));
    let log = system.log_from(before).await;
    let header = &log.last().expect("the new event").event.header;
    assert_eq!(header.rules_version, RULES_VERSION);
    assert!(header.outline_digest.is_some());
    system.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_versions_ledger_opens_verifies_folds_the_same_and_takes_a_command() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let archive = fixtures.join("7361f1a-illustrative.tar.zst");
    let bodies = fixtures.join("7361f1a-illustrative.bodies.sha256");
    let mut system = opened(&archive, &bodies).await;

    let mut replay = system.ledger(["replay", "--to", "2106"]);
    let replayed = run(&mut replay, b"").succeeded();
    assert_eq!(replayed.lines().count(), 2106);
    assert_eq!(
        hash_to_hex(&Hash(sha256(replayed.as_bytes()))),
        "42fc0d129761704e29a08d2ef0f04cd88d1a030f7432aea53f13406910020752"
    );
    let report = audit::verify(system.connection(), None, |_| {}).await;
    let report = report.expect("a log that agrees with itself");
    assert_eq!(report.tree_size, 2106);
    assert_eq!(
        report.root,
        "7a6e67a27d00c455637203113d01f90fa454e471a320985611fa999947dcc187"
    );
    takes_a_command(&mut system).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_versions_real_ledger_opens_verifies_folds_the_same_and_takes_a_command() {
    let Some(data) = test_data() else {
        return;
    };
    let fixtures = data.join("fixtures");
    let archive = fixtures.join("7361f1a-real.tar.zst");
    if !archive.is_file() {
        eprintln!(
            "no {}: this test checks nothing without it",
            archive.display()
        );
        return;
    }
    let mut system = opened(&archive, &fixtures.join("7361f1a-real.bodies.sha256")).await;
    assert_eq!(system.tree_size().await, 3857);
    takes_a_command(&mut system).await;
}
