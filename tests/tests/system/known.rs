//! What was known at past positions, as projectors and the node answer it from what they keep, against folds of the log up to there.

use ledger_domain::wire::v1::view::ViewKey;
use ledger_tests::family;
use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{NaiveDate, SecondsFormat};
use ledger_domain::date::earliest_day;
use ledger_domain::ids::CommitmentId;
use ledger_domain::view::{CommitmentFold, Family, Page, Views, WatchPage};
use ledger_domain::wire::v1::query::{ViewQuery, WatchQuery};
use ledger_domain::wire::v1::view::WatchList;
use ledger_domain::wire::v1::{Command, Root, Stage};
use ledger_import::seeds::Illustrative;
use ledger_tests::commands::Commander;
use ledger_tests::{Recorded, System, VIEWS, eventually};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

/// Positions that are asked about.
const POSITIONS: usize = 60;
/// The most commands sent at once.
const MAX_RUN: usize = 60;
const ROWS: usize = 7;
const ANSWERS_WITHIN: Duration = Duration::from_mins(1);

/// The illustrative commitments, in pieces of any size, with a reporter's commands between them, while projectors are ended or killed and started again.
async fn fill(system: &mut System, chance: &mut SmallRng) {
    let root = Root {
        partner: "root".parse().expect("an id"),
        party: "ledger".parse().expect("an id"),
    };
    let mut kenya = system.reporter("kenya", &["KEN"]).await;
    let mut own = Vec::new();
    let mut seeds = Illustrative::read(&root).expect("the seeds");
    while let Some(phase) = seeds.next_phase().expect("the seeds") {
        let mut left = &phase[..];
        while let Some(first) = left.first() {
            let of_partner = left.iter().take_while(|it| it.partner == first.partner);
            let run = of_partner.count().min(chance.random_range(1..=MAX_RUN));
            let (commands, rest) = left.split_at(run);
            for receipt in system.accepted(commands).await {
                seeds.note(&receipt);
            }
            left = rest;
            if chance.random_bool(0.3) {
                let command = any_command(&mut kenya, &mut own, chance);
                system.submit(&[command]).await;
            }
            if chance.random_bool(0.1) {
                disturb(system, chance).await;
            }
        }
    }
    for view in VIEWS {
        stop(system, view).await;
        system.start_projector(view);
    }
    system.await_views().await;
    for view in VIEWS {
        let closed = system.view_folder(view).join("store/history");
        let closed = closed.metadata().expect("a file of closed chunks");
        assert!(
            closed.len() > 0,
            "nothing of the history of {view} is on the disk"
        );
    }
}

fn any_command(
    kenya: &mut Commander,
    own: &mut Vec<CommitmentId>,
    chance: &mut SmallRng,
) -> Command {
    let known = own.choose(chance).copied();
    match (known, chance.random_range(0..10)) {
        (Some(known), 0) => kenya.withdraw(known, "It came to nothing."),
        (Some(known), 1..6) => {
            let stages = [Stage::Planning, Stage::InProgress, Stage::Fulfilled];
            let stage = *stages.choose(chance).expect("a stage");
            kenya.report(known, chance.random_range(1..=10), stage)
        }
        (Some(_) | None, _) => {
            let actions = ["GCM-10", "GCM-10a", "GCM-05a", "SDG-10.7.2"];
            let action = *actions.choose(chance).expect("an action");
            let (id, command) = kenya.record(&[action]);
            own.push(id);
            command
        }
    }
}

async fn disturb(system: &mut System, chance: &mut SmallRng) {
    let view = *VIEWS.choose(chance).expect("a view");
    if chance.random_bool(0.5) {
        stop(system, view).await;
    }
    // One that still runs is killed: what it folded since its last save is folded again.
    system.start_projector(view);
}

/// Ends a projector in good order, once it is there to be ended.
async fn stop(system: &mut System, view: &str) {
    eventually("the projector to answer", ANSWERS_WITHIN, async || {
        system.connection().projection(family(view)).await.ok()
    })
    .await;
    system.stop_projector(view);
}

/// A projection folded up to some position, compared with what its projector says of that position.
struct Prefix {
    family: Family,
    projection: Views,
    folded: usize,
}

impl Prefix {
    fn new(family: Family) -> Self {
        Self {
            family,
            projection: Views::of(&[family]),
            folded: 0,
        }
    }

    fn fold(&mut self, log: &[Recorded], position: u64) {
        while self.folded <= usize::try_from(position).expect("a small log") {
            self.projection.apply(&log[self.folded].event);
            self.folded += 1;
        }
    }

    async fn check(&self, system: &System, key: &str, position: u64, today: NaiveDate) {
        let page = Page {
            after: None,
            limit: ROWS,
        };
        let query = ViewQuery {
            limit: page.limit,
            as_of: Some(position.to_string()),
            ..ViewQuery::default()
        };
        let asked = ViewKey::read(key).expect("a key");
        let served = system.connection().view(&asked, &query).await;
        let what = format!("{} {key} as known at {position}", self.family.name());
        let Some(body) = self.projection.body(key) else {
            assert!(ledger_client::is_not_found(&served.expect_err(&what)));
            return;
        };
        let served = served.unwrap_or_else(|error| panic!("{what}: {error}"));
        let known: Value = serde_json::from_slice(&served.json).expect("an answer");
        let text = String::from_utf8(served.json.to_vec()).expect("text");
        let body = String::from_utf8(body).expect("text");
        assert!(text.contains(&body), "{what}: {text}\nis not\n{body}");
        let list = self.projection.list(key, &page);
        assert_eq!(
            known.get("list").cloned(),
            list.map(|list| json!(list)),
            "{what}"
        );
        let late = self.projection.timeliness(key, today);
        let late = late.map(|late| json!(late));
        assert_eq!(known.get("commitments_today").cloned(), late, "{what}");
        assert_eq!(known["as_of_position"], position.to_string());
    }
}

impl Prefix {
    async fn check_watched(
        &self,
        system: &System,
        list: Option<WatchList>,
        position: u64,
        today: NaiveDate,
    ) {
        for country in [None, list.map(|_| "KEN".to_owned())] {
            let query = WatchQuery {
                list: list.map(|list| list.as_str().to_owned()),
                country: country.clone(),
                limit: ROWS,
                as_of: Some(position.to_string()),
                ..WatchQuery::default()
            };
            let page = WatchPage {
                list,
                country,
                limit: ROWS,
                ..WatchPage::default()
            };
            let known = system.connection().watch(&query).await.expect("the lists");
            let expected = self.projection.watch(&page, today).expect("lists");
            assert_eq!(
                known.lists,
                expected.expect("a country"),
                "{page:?} at {position}"
            );
        }
    }
}

/// Compares a commitment's state and history with its events up to a position.
async fn check_commitment(
    system: &System,
    log: &[Recorded],
    id: CommitmentId,
    position: u64,
    today: NaiveDate,
) {
    let mut fold = CommitmentFold::default();
    let known = log.iter().take_while(|it| it.position <= position);
    let own: Vec<&Recorded> = known
        .filter(|it| it.event.header.subject.commitment() == Some(id))
        .collect();
    for recorded in &own {
        fold.apply(&recorded.event);
    }
    let as_of = position.to_string();
    let (id_text, as_of) = (id.to_string(), Some(as_of.as_str()));
    let state = system.connection().commitment_state(&id_text, as_of).await;
    let history = system.connection().commitment(&id_text, as_of).await;
    let Some(expected) = fold.state(id, today) else {
        assert!(ledger_client::is_not_found(&state.expect_err("none then")));
        assert!(ledger_client::is_not_found(
            &history.expect_err("none then")
        ));
        return;
    };
    assert_eq!(state.expect("a state").state, Some(expected));
    let history = history.expect("a history");
    let found: Vec<&[u8]> = history
        .events
        .iter()
        .map(|it| it.get().as_bytes())
        .collect();
    let own: Vec<&[u8]> = own.iter().map(|it| &it.delivered[..]).collect();
    assert_eq!(found, own, "{id} as known at {position}");
}

/// The last position of each recorded time: what that time means.
fn last_positions(log: &[Recorded]) -> BTreeMap<String, u64> {
    let time = |it: &Recorded| {
        let time = it.event.header.time;
        time.to_rfc3339_opts(SecondsFormat::Micros, true)
    };
    log.iter().map(|it| (time(it), it.position)).collect()
}

async fn check_time(system: &System, id: CommitmentId, time: &str, position: u64) {
    let query = ViewQuery {
        as_of: Some(time.to_owned()),
        ..ViewQuery::default()
    };
    let served = system
        .connection()
        .view(&ViewKey::Country("KEN".to_owned()), &query)
        .await;
    let known: Value = serde_json::from_slice(&served.expect("a view").json).expect("an answer");
    assert_eq!(known["as_of_position"], position.to_string(), "at {time}");
    let state = system.connection();
    let state = state.commitment_state(&id.to_string(), Some(time)).await;
    if let Ok(state) = state {
        assert_eq!(
            state.as_of_position,
            Some(position.to_string()),
            "at {time}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_known_is_what_a_fold_of_the_log_up_to_there_gives() {
    let seed = rand::random::<u64>();
    println!("seed {seed}");
    let mut chance = SmallRng::seed_from_u64(seed);
    let mut system = System::start_whole(&[]).await;
    fill(&mut system, &mut chance).await;
    let log = system.log_from(0).await;
    let commitments: Vec<CommitmentId> = log
        .iter()
        .filter_map(|it| it.event.header.subject.commitment())
        .collect();
    let mut positions: Vec<u64> = (0..POSITIONS)
        .map(|_| chance.random_range(0..log.len() as u64))
        .chain([0, log.len() as u64 - 1])
        .collect();
    positions.sort_unstable();
    let mut countries = Prefix::new(Family::Country);
    let mut actions = Prefix::new(Family::Action);
    let mut summary = Prefix::new(Family::Summary);
    for position in positions {
        let index = usize::try_from(position).expect("a small log");
        let today = earliest_day(log[index].event.header.time);
        countries.fold(&log, position);
        actions.fold(&log, position);
        summary.fold(&log, position);
        for key in [
            "KEN",
            *["INT", "UGA", "PHL", "DEU"]
                .choose(&mut chance)
                .expect("a key"),
        ] {
            countries.check(&system, key, position, today).await;
        }
        for key in [
            "GCM-10",
            *["GCM-05a", "GCM-23c", "SDG-10.7.2"]
                .choose(&mut chance)
                .expect("a key"),
        ] {
            actions.check(&system, key, position, today).await;
        }
        for key in ["summary", "gaps", "partner.kenya"] {
            summary.check(&system, key, position, today).await;
        }
        let list = WatchList::ALL.choose(&mut chance).copied();
        summary.check_watched(&system, None, position, today).await;
        summary.check_watched(&system, list, position, today).await;
        let id = *commitments.choose(&mut chance).expect("a commitment");
        check_commitment(&system, &log, id, position, today).await;
    }
    let times: Vec<(String, u64)> = last_positions(&log).into_iter().collect();
    for _ in 0..POSITIONS / 3 {
        // The newest times may not be settled yet.
        let (time, position) = &times[chance.random_range(0..times.len() * 3 / 4)];
        let id = *commitments.choose(&mut chance).expect("a commitment");
        check_time(&system, id, time, *position).await;
    }
}
