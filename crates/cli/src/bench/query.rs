//! `bench query`: how long a question about a view takes, now and as known at a past position, with the bare round trip as the baseline.

use std::time::{Duration, Instant};

use ledger_domain::wire::v1::endpoint::{Endpoint, ViewEndpoint};
use ledger_domain::wire::v1::query::ViewQuery;
use ledger_domain::wire::v1::view::ViewKey;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde::Serialize;
use serde_json::value::RawValue;

use super::drive::drive;
use super::ingest::slowest_view;
use super::replay::filled;
use super::rig::{Rig, actions, parties};
use super::{BenchArgs, ECHO_SUBJECT};
use crate::failure::Failure;

/// Questions of each kind that are timed in one round.
const QUESTIONS: usize = 500;
/// Questions about past positions that are timed in one round: each is counted from the history of its view.
const PAST_QUESTIONS: usize = 200;
/// The seed of the positions that are asked about: every run of one size asks about the same ones.
const POSITIONS_SEED: u64 = 7;
/// Rows of a list that is asked for.
const LIST_ROWS: usize = 50;
const QUERY_TIMEOUT: Duration = Duration::from_secs(30);

/// The figures of a query run: one question at a time, in milliseconds, over all rounds.
#[derive(Debug, Serialize)]
pub(super) struct QueryReport {
    events: u64,
    rounds: usize,
    questions_per_kind: usize,
    /// A request and its reply, with nothing done between.
    echo: Latency,
    country: Latency,
    country_with_list: Latency,
    action: Latency,
    action_with_list: Latency,
    summary: Latency,
    past_questions: usize,
    /// A country as it was known at a random past position.
    country_as_of: Latency,
    projectors_peak_memory_bytes: u64,
    processes: &'static str,
}

/// How long answers took, in milliseconds.
#[derive(Debug, Serialize)]
struct Latency {
    p50: f64,
    p99: f64,
    max: f64,
}

impl Latency {
    fn of(mut taken: Vec<Duration>) -> Self {
        taken.sort_unstable();
        let at = |percent: usize| {
            let index = (taken.len() * percent / 100).min(taken.len().saturating_sub(1));
            taken
                .get(index)
                .map_or(0.0, |taken| taken.as_secs_f64() * 1e3)
        };
        Self {
            p50: at(50),
            p99: at(99),
            max: at(100),
        }
    }
}

/// Asks for views of a full ledger while nothing else happens.
pub(super) async fn run(args: &BenchArgs) -> Result<QueryReport, Failure> {
    let mut rig = filled(args).await?;
    rig.start_echo().await?;
    rig.start_projectors()?;
    let events = rig.tree_size().await?;
    while slowest_view(&rig).await? < events {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let countries: Vec<ViewKey> = parties().into_iter().map(ViewKey::Country).collect();
    let codes: Vec<ViewKey> = actions()?.into_iter().map(ViewKey::Action).collect();
    let summary = vec![ViewKey::Summary];
    let kinds = [
        (&countries, 0),
        (&countries, LIST_ROWS),
        (&codes, 0),
        (&codes, LIST_ROWS),
        (&summary, 0),
    ];
    let mut taken = [const { Vec::new() }; 5];
    let (mut echo, mut past) = (Vec::new(), Vec::new());
    let mut positions = SmallRng::seed_from_u64(POSITIONS_SEED);
    for round in 0..=args.rounds.max(1) {
        let questions = vec![bytes::Bytes::from_static(b"{}"); QUESTIONS];
        let echoed = drive(&rig.bus, ECHO_SUBJECT.to_owned(), questions, 1).await?;
        for ((views, limit), taken) in kinds.iter().zip(&mut taken) {
            let times = ask(&rig, views, *limit).await?;
            // The first round warms up.
            if round > 0 {
                taken.extend(times);
            }
        }
        let times = ask_of_the_past(&rig, &countries, events, &mut positions).await?;
        if round > 0 {
            echo.extend(echoed.latencies);
            past.extend(times);
        }
    }
    let [
        country,
        country_with_list,
        action,
        action_with_list,
        summary,
    ] = taken.map(Latency::of);
    Ok(QueryReport {
        events,
        rounds: args.rounds,
        questions_per_kind: QUESTIONS,
        echo: Latency::of(echo),
        country,
        country_with_list,
        action,
        action_with_list,
        summary,
        past_questions: PAST_QUESTIONS,
        country_as_of: Latency::of(past),
        projectors_peak_memory_bytes: rig.peak_memory("projector"),
        processes: "nats-server, node, one projector of all views, the one who asks",
    })
}

/// Asks one question after the other, of each view in turn.
async fn ask(rig: &Rig, views: &[ViewKey], limit: usize) -> Result<Vec<Duration>, Failure> {
    let query = ViewQuery {
        limit,
        ..ViewQuery::default()
    };
    let mut taken = Vec::with_capacity(QUESTIONS);
    for view in views.iter().cycle().take(QUESTIONS) {
        taken.push(timed(rig, view, &query).await?);
    }
    Ok(taken)
}

/// The same, of each view at a random position of the log.
async fn ask_of_the_past(
    rig: &Rig,
    views: &[ViewKey],
    events: u64,
    positions: &mut SmallRng,
) -> Result<Vec<Duration>, Failure> {
    let mut taken = Vec::with_capacity(PAST_QUESTIONS);
    for view in views.iter().cycle().take(PAST_QUESTIONS) {
        let query = ViewQuery {
            as_of: Some(positions.random_range(0..events).to_string()),
            ..ViewQuery::default()
        };
        taken.push(timed(rig, view, &query).await?);
    }
    Ok(taken)
}

async fn timed(rig: &Rig, view: &ViewKey, query: &ViewQuery) -> Result<Duration, Failure> {
    let started = Instant::now();
    let endpoint = ViewEndpoint::of(view).spec();
    let reply = rig
        .bus
        .ask_bytes(endpoint, view.argument(), query, QUERY_TIMEOUT)
        .await?;
    serde_json::from_slice::<&RawValue>(&reply.payload).map_err(|error| Failure::failed(&error))?;
    Ok(started.elapsed())
}
