//! What the node answers about a log of a few blocks.

use super::*;
use crate::runtime::clock::{Clock, SystemClock};
use crate::test_log::{TestLog, commitment};
use ledger_domain::wire::v1::problem::ProblemCode;
use ledger_domain::wire::v1::query::CommitmentQuery;
use ledger_proof::block::{Decoder, blocks};

/// Groups of events of two countries in turn: each group is a block of its own.
const GROUPS: u64 = 10;
const GROUP_EVENTS: u64 = 10;
const END: u64 = GROUPS * GROUP_EVENTS;

fn queries() -> (Queries, TestLog) {
    let mut test = TestLog::new();
    let events: Vec<_> = (0..GROUP_EVENTS)
        .map(|number| {
            let route = ["KEN|GCM-01", "UGA|GCM-02"][usize::from(number % 2 == 1)];
            (commitment(number), route)
        })
        .collect();
    for _ in 0..GROUPS {
        test.append_events(&events);
    }
    let (_, published) = watch::channel(0);
    let queries = Queries {
        log: test.log.clone(),
        ledger: "test".into(),
        published,
        scrubbing: Arc::default(),
        names: Arc::default(),
        max_answer: Arc::new(|| usize::MAX),
        refusing: Refusing {
            log: test.log.clone(),
            clock: Clock::start(Arc::new(SystemClock)),
            free_floor_bytes: 0,
            space_lacked: Arc::default(),
        },
    };
    (queries, test)
}

/// What a replay gives: the positions in its blocks, block by block, and where it says to go on.
fn replay(queries: &Queries, query: &ReplayQuery) -> (Vec<Vec<u64>>, u64) {
    let answer = queries.replay(query).expect("an answer");
    let (_, next) = answer.headers.first().expect("where to go on");
    let positions = |block: &[u8]| {
        let events = Decoder::default().events(block).expect("events");
        let positions = events.iter().map(|event| event.expect("an event").position);
        positions.collect()
    };
    let found = blocks(&answer.payload).map(|block| positions(block.expect("a block")));
    (found.collect(), next.parse().expect("a position"))
}

fn of_kenya(query: ReplayQuery) -> ReplayQuery {
    ReplayQuery {
        country: Some("KEN".to_owned()),
        ..query
    }
}

#[test]
fn a_replay_ends_with_the_block_that_holds_the_last_position_asked_for() {
    let (queries, _test) = queries();
    for (from, to, blocks, end) in [
        (0, 1, 1, GROUP_EVENTS),
        (0, GROUP_EVENTS, 1, GROUP_EVENTS),
        (0, GROUP_EVENTS + 1, 2, 2 * GROUP_EVENTS),
        (END - 2, END - 1, 1, END),
        (END - 2, END + 100, 1, END),
        (5, 5, 0, 5),
        (5, 4, 0, 5),
        (END, END + 1, 0, END),
    ] {
        let query = ReplayQuery {
            from,
            to: Some(to),
            ..ReplayQuery::default()
        };
        let (found, next) = replay(&queries, &query);
        assert_eq!((found.len(), next), (blocks, end), "{from} to {to}");
        let (found, next) = replay(&queries, &of_kenya(query));
        assert_eq!(found.len(), blocks, "of a country, {from} to {to}");
        assert!(next >= from, "of a country, {from} to {to}");
    }
}

#[test]
fn events_of_no_country_are_asked_for_as_their_subjects_call_them() {
    let (queries, mut test) = queries();
    test.append_events(&[(commitment(1), "|GCM-03")]);
    let of_none = |action: Option<&str>| ReplayQuery {
        country: Some("INT".to_owned()),
        action: action.map(str::to_owned),
        ..ReplayQuery::default()
    };
    let (found, next) = replay(&queries, &of_none(None));
    assert!(found.concat().contains(&END));
    assert_eq!(next, END + 1);
    let (found, _) = replay(&queries, &of_none(Some("GCM-03")));
    assert_eq!(found, [[END]]);
}

#[test]
fn one_block_comes_however_few_bytes_are_asked_for() {
    let (queries, _test) = queries();
    for filter in [of_kenya, |query| query] {
        let mut query = filter(ReplayQuery {
            max_bytes: Some(0),
            ..ReplayQuery::default()
        });
        let mut blocks = 0;
        while query.from < END {
            let (found, next) = replay(&queries, &query);
            assert!(next > query.from, "{query:?}");
            assert_eq!(found.len(), 1, "{query:?}");
            blocks += found.len() as u64;
            query.from = next;
        }
        assert_eq!(blocks, GROUPS);
    }
}

#[test]
fn no_more_bytes_come_than_are_asked_for() {
    let (queries, _test) = queries();
    let one = queries.log.read_block(0).expect("a block").len();
    for filter in [of_kenya, |query| query] {
        let query = filter(ReplayQuery {
            max_bytes: Some(one * 5 / 2),
            ..ReplayQuery::default()
        });
        let answer = queries.replay(&query).expect("an answer");
        assert!(answer.payload.len() <= one * 5 / 2, "{query:?}");
        assert_eq!(replay(&queries, &query).0.len(), 2, "{query:?}");
    }
}

fn from_position(from: u64) -> CommitmentQuery {
    CommitmentQuery {
        from,
        ..CommitmentQuery::default()
    }
}

#[test]
fn the_history_of_a_commitment_comes_in_whole_pages() {
    const PAGE: u64 = 2_000;
    let mut test = TestLog::new();
    let (own, other) = (commitment(1), commitment(2));
    test.append_events(&[(other, "|"), (own, "|"), (own, "|")]);
    for _ in 0..25 {
        test.append_events(&[(own, "|"); 100]);
        test.append_events(&[(other, "|"); 3]);
    }
    let expected = test.log.commitment_positions(&own.0, 0, usize::MAX);
    let expected = expected.expect("positions");
    assert_eq!(expected.len(), 2_502);
    let mut found = Vec::new();
    let mut pages = Vec::new();
    let mut from = Some(0);
    while let Some(asked) = from {
        let query = from_position(asked);
        let answer = commitment::answer(&test.log, &own.to_string(), &query, usize::MAX);
        let answer = answer.expect("an answer");
        pages.push(answer.events.len() as u64);
        found.extend(answer.events.iter().map(|event| {
            let event: serde_json::Value = serde_json::from_str(event.get()).expect("JSON");
            let position = event["position"].as_str().expect("text");
            position.parse::<u64>().expect("a position")
        }));
        from = answer.next;
    }
    assert_eq!(found, expected);
    assert_eq!(pages, [PAGE, 502]);
}

#[test]
fn a_replay_of_what_the_ledger_does_not_know_is_refused_and_the_end_of_the_log_is_not() {
    let (queries, _test) = queries();
    let code = |query: ReplayQuery| queries.replay(&query).map_err(|failure| failure.code).err();
    let from = |from| ReplayQuery {
        from,
        ..ReplayQuery::default()
    };
    assert_eq!(code(from(END)), None);
    assert_eq!(code(from(END + 1)), Some(ProblemCode::NotReached));
    assert_eq!(code(from(u64::MAX)), Some(ProblemCode::NotReached));
    let of = |country: Option<&str>, action: Option<&str>| ReplayQuery {
        country: country.map(str::to_owned),
        action: action.map(str::to_owned),
        ..ReplayQuery::default()
    };
    for country in ["ken", "Kenya", "KE", "XYZ", "int", "", "KEN "] {
        assert_eq!(
            code(of(Some(country), None)),
            Some(ProblemCode::NotFound),
            "{country}"
        );
        assert_eq!(
            code(of(Some(country), Some("GCM-01"))),
            Some(ProblemCode::NotFound),
            "{country}"
        );
    }
    for action in ["gcm-01", "GCM-99", "GCM", "", "GCM-1"] {
        assert_eq!(
            code(of(None, Some(action))),
            Some(ProblemCode::NotFound),
            "{action}"
        );
        assert_eq!(
            code(of(Some("KEN"), Some(action))),
            Some(ProblemCode::NotFound),
            "{action}"
        );
    }
    assert_eq!(code(of(Some("INT"), Some("GCM-01"))), None);
    // A country of which nothing was recorded yet is one all the same.
    assert_eq!(code(of(Some("TUV"), None)), None);
}

#[test]
fn a_history_comes_in_pages_that_the_server_takes() {
    let mut test = TestLog::new();
    let own = commitment(1);
    for _ in 0..4 {
        test.append_events(&[(own, "|"); 50]);
    }
    let max = 8 << 10;
    let (mut from, mut found) = (Some(0), 0);
    while let Some(asked) = from {
        let query = from_position(asked);
        let answer = commitment::answer(&test.log, &own.to_string(), &query, max);
        let answer = answer.expect("an answer");
        let payload = json::<log::Commitment>(&answer).expect("JSON").payload;
        assert!(payload.len() <= max, "{}", payload.len());
        found += answer.events.len();
        from = answer.next;
    }
    assert_eq!(found, 200);
    let beyond = from_position(201);
    let refused = commitment::answer(&test.log, &own.to_string(), &beyond, max);
    assert_eq!(
        refused.map_err(|failure| failure.code).err(),
        Some(ProblemCode::NotReached)
    );
}
