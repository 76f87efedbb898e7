//! The views of the ledger as a whole: gaps, partners.

use std::collections::BTreeSet;

use ledger_domain::wire::v1::{CloseReview, CommandBody, OpenReview, RecordStatement, Stage};
use ledger_import::seeds;
use ledger_tests::Up;
use ledger_tests::commands::Commander;

use crate::{audited, code, lines};

#[test]
fn a_commitment_closes_a_gap_and_counts_for_the_partner_that_sent_it() {
    let up = Up::start(&["--no-demo"]);
    let gaps = |up: &Up| lines(&up.cli(["gaps", "--json"], b"").succeeded()).remove(0);
    let before = gaps(&up);
    let nobody = &before["view"]["by_region"]["Africa"]["without_commitment"];
    assert_eq!(nobody.as_array().unwrap().len(), 54);
    assert_eq!(before["view"]["member_states"]["without_commitment"], 193);
    assert!(
        before.get("commitments_today").is_none(),
        "it counts no commitments"
    );

    let mut root = Commander::new("root", "ledger", 3);
    let register = root.register_reporter("kenya", &["KEN"]);
    let mut kenya = Commander::new("kenya", "KEN", 4);
    let (commitment, record) = kenya.record(&["GCM-10a"]);
    let report = kenya.report(commitment, 3, Stage::Planning);
    let input = [register.encode(), record.encode(), report.encode()].join(&b'\n');
    up.cli(["submit", "-"], &input).succeeded();
    audited(&up);

    let after = gaps(&up);
    let without = |gaps: &serde_json::Value| {
        gaps["view"]["actions"]["without_commitment"]
            .as_u64()
            .unwrap()
    };
    assert_eq!(
        without(&after) + 2,
        without(&before),
        "the action and its objective"
    );
    assert_eq!(
        after["view"]["by_region"]["Africa"]["member_states"]["committed"],
        1
    );
    let table = up.cli(["gaps", "--region", "asia"], b"").succeeded();
    assert!(
        table.contains("Asia: actions committed to elsewhere only: no party"),
        "{table}"
    );
    assert!(
        table.contains(" leads one (2)\nGCM-10 GCM-10a\n"),
        "{table}"
    );
    assert!(!table.contains("Africa"), "{table}");

    let partner = lines(
        &up.cli(["partner", "show", "kenya", "--json"], b"")
            .succeeded(),
    );
    let sent = serde_json::json!({"commitment_recorded": 1, "progress_reported": 1});
    assert_eq!(partner[0]["view"]["events"]["by_type"], sent);
    assert_eq!(
        partner[0]["view"]["reports"],
        serde_json::json!({"sent": 1, "corrected": 0, "retracted": 0})
    );
    let table = up.cli(["partner", "show", "kenya"], b"").succeeded();
    assert!(table.starts_with("kenya  "), "{table}");
    for (arguments, expected) in [
        (["gaps", "--region", "Atlantis"], 1),
        (["partner", "show", "nobody"], 1),
        (["partner", "show", "a b"], 2),
    ] {
        let finished = up.cli(arguments, b"");
        assert_eq!(
            code(&finished),
            expected,
            "{arguments:?}: {}",
            finished.stderr
        );
    }
}

#[test]
fn a_review_shows_who_spoke_and_where_its_figures_are_frozen() {
    let up = Up::start(&["--no-demo"]);
    let mut secretariat = Commander::new(seeds::SECRETARIAT, seeds::SECRETARIAT_PARTY, 5);
    let open = CommandBody::OpenReview(OpenReview {
        title: "Second review forum".to_owned(),
        from: "2022".parse().ok(),
        to: "2026-05".parse().ok(),
        instrument: "GCM-2018".parse().ok(),
    });
    let speak = CommandBody::RecordStatement(RecordStatement {
        language: None,
        speaker: "KEN".parse().unwrap(),
        statement: "We did what we said.".to_owned(),
        url: None,
        made: None,
    });
    let close = CommandBody::CloseReview(CloseReview { note: None });
    let commands = [open, speak, close].map(|body| secretariat.command("review/IMRF-2026", body));
    let input = commands.map(|command| command.encode()).join(&b'\n');
    let receipts = lines(&up.cli(["submit", "-"], &input).succeeded());
    audited(&up);
    let country = up.cli(["country", "KEN", "--json"], b"").succeeded();
    let said = &lines(&country)[0]["view"]["statements"];
    assert_eq!(said["recorded"], 1);
    let spoken = receipts[1]["events"][0]["position"].to_string();
    assert_eq!(said["last"]["position"], spoken);
    let table = up.cli(["country", "KEN"], b"").succeeded();
    assert!(table.contains("statements in reviews: 1"), "{table}");
    let before = up
        .cli(
            [
                "country",
                "KEN",
                "--json",
                "--as-of",
                &receipts[0]["events"][0]["position"].to_string(),
            ],
            b"",
        )
        .succeeded();
    assert_eq!(lines(&before)[0]["view"]["statements"]["recorded"], 0);
    let json = up.cli(["review", "IMRF-2026", "--json"], b"").succeeded();
    let review = &lines(&json)[0]["view"];
    assert_eq!(
        review["closed"]["position"],
        receipts[2]["events"][0]["position"].to_string()
    );
    assert_eq!(review["statements_by_party"], serde_json::json!({"KEN": 1}));
    let table = up.cli(["review", "IMRF-2026"], b"").succeeded();
    assert!(
        table.starts_with("IMRF-2026  Second review forum\n"),
        "{table}"
    );
    let listed = |up: &Up, arguments: &[&str]| lines(&up.run(arguments).succeeded()).remove(0);
    let review = serde_json::json!({"review": "IMRF-2026", "status": "closed", "title": "Second review forum"});
    let all = listed(&up, &["review", "--json"]);
    assert_eq!(all, serde_json::json!({"reviews": [review]}));
    let none = listed(&up, &["review", "--json", "--as-of", "1"]);
    assert_eq!(none, serde_json::json!({"reviews": []}));
    let partners = listed(&up, &["partner", "show", "--json"])["partners"].clone();
    let ids = partners.as_array().unwrap().iter();
    let ids: Vec<&str> = ids.filter_map(|row| row["partner"].as_str()).collect();
    assert_eq!(ids, ["root", seeds::SECRETARIAT]);
    assert_eq!(code(&up.cli(["review", "IMRF-2030"], b"")), 1);
    assert_eq!(code(&up.cli(["review", "a b"], b"")), 2);
}

#[test]
fn a_watch_list_says_who_should_look_at_what_and_why() {
    let up = Up::start(&[]);
    audited(&up);
    let counts = lines(&up.cli(["watch", "--json"], b"").succeeded()).remove(0);
    let counts = counts["commitments_by_list"].as_object().unwrap();
    let table = up.cli(["watch"], b"").succeeded();
    for (list, count) in counts {
        assert!(table.lines().any(|line| line.starts_with(list)), "{table}");
        let page = up
            .cli(["watch", list, "--limit", "200", "--json"], b"")
            .succeeded();
        let page = lines(&page).remove(0);
        let rows = page["watch"]["rows"].as_array().unwrap();
        assert_eq!(
            rows.len() as u64,
            count.as_u64().unwrap().min(200),
            "{list}"
        );
        assert!(
            rows.iter()
                .all(|row| !row["why"].as_str().unwrap().is_empty())
        );
    }
    let overdue = up
        .cli(["watch", "never_reported", "--limit", "1"], b"")
        .succeeded();
    assert!(overdue.contains("[illustrative]"), "{overdue}");
    let kenya = up.cli(
        [
            "watch",
            "unconfirmed",
            "--country",
            "ken",
            "--action",
            "GCM-10",
        ],
        b"",
    );
    assert_eq!(code(&kenya), 0, "{}", kenya.stderr);
    assert_eq!(code(&up.cli(["watch", "nonsense"], b"")), 2);
    assert_eq!(
        code(&up.cli(["watch", "stale", "--country", "XXX"], b"")),
        1
    );
    assert_eq!(code(&up.cli(["watch", "--country", "KEN"], b"")), 2);
}

/// What is keyed by codes, names or words that are data: the keys below are no fields.
const KEYED_BY_DATA: [&str; 14] = [
    "active_commitments_by_action",
    "actions_by_instrument",
    "assessed_commitments_by_method",
    "by_form",
    "by_instrument",
    "by_nature",
    "by_party_kind",
    "by_region",
    "by_region_of_lead",
    "by_type",
    "mapped_from_commitments",
    "member_states_by_region",
    "registered_by_kind",
    "statements_by_party",
];

/// Collects the names of all fields.
fn fields(value: &serde_json::Value, by_data: bool, names: &mut BTreeSet<String>) {
    for item in value.as_array().into_iter().flatten() {
        fields(item, false, names);
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        if !by_data {
            names.insert(name.clone());
        }
        let of_data = !by_data && KEYED_BY_DATA.contains(&name.as_str());
        fields(value, of_data, names);
    }
}

#[test]
fn every_field_of_an_answer_is_documented() {
    let up = Up::start(&[]);
    audited(&up);
    let contested = &["--json", "watch", "contested", "--limit", "200"];
    let contested = lines(&up.run(contested).succeeded()).remove(0);
    let commitment = contested["watch"]["rows"][0]["commitment"]
        .as_str()
        .unwrap();
    let mut names = BTreeSet::new();
    fields(&contested, false, &mut names);
    for question in [
        &["country", "KEN", "--limit", "200"][..],
        &["country", "LSO", "--as-of", "2000"],
        &["action", "GCM-10", "--limit", "200"],
        &["action", "GCM-15", "--limit", "200"],
        &["summary"],
        &["gaps"],
        &["partner", "show", "illustrative-horizon"],
        &["review", "EXAMPLE-2024"],
        &["watch", "overdue", "--limit", "200"],
        &["watch", "downgraded", "--limit", "200"],
        &["commitment", commitment],
        &["diff", "--from", "1300", "--limit", "200"],
    ] {
        let answer = up.run(&[&["--json"], question].concat()).succeeded();
        fields(&lines(&answer)[0], false, &mut names);
    }
    let documents = [
        include_str!("../../../docs/views.md"),
        include_str!("../../../README.md"),
    ];
    let is_documented = |name: &String| {
        documents.iter().any(|document| {
            document.contains(&format!("`{name}`")) || document.contains(&format!(".{name}`"))
        })
    };
    let missing: Vec<&String> = names.iter().filter(|name| !is_documented(name)).collect();
    assert!(names.len() > 100, "{names:?}");
    assert!(missing.is_empty(), "{missing:?}");
}
