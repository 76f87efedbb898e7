//! Answers as they are sent, and why there is none.

use ledger_bus::Answer;
use ledger_domain::view::UnknownFilter;
use ledger_domain::wire::v1::answer::{CHECKPOINT_HEADER, ViewAnswer};
use ledger_domain::wire::v1::problem::Problem;
use ledger_domain::wire::v1::view::{Family, WatchAnswer};
use serde_json::value::RawValue;

/// No answer has more rows, whatever is asked for.
const MAX_ROWS: usize = 1_000;

/// A view as it is sent, its body byte for byte as it was folded.
pub(super) fn served(
    answer: &ViewAnswer<&RawValue>,
    checkpoint: u64,
) -> Result<Answer, serde_json::Error> {
    let payload = serde_json::to_vec(answer)?;
    Ok(Answer {
        payload: payload.into(),
        headers: vec![(CHECKPOINT_HEADER, checkpoint.to_string())],
    })
}

/// Makes an answer with as many rows as were asked for, or fewer that the nats-server takes: who asks goes on from where it ends. What is too
/// large with one row is refused when it is sent.
pub(super) fn to_fit<E>(
    max_answer: usize,
    limit: usize,
    make: impl Fn(usize) -> Result<Answer, E>,
) -> Result<Answer, E> {
    let mut limit = limit.min(MAX_ROWS);
    loop {
        let answer = make(limit)?;
        if answer.payload.len() <= max_answer || limit <= 1 {
            return Ok(answer);
        }
        limit /= 2;
    }
}

/// There is no such view.
pub(super) fn not_found(family: Family, key: &str) -> Problem {
    Problem::not_found(match (family, key.split_once('.')) {
        (Family::Country, _) => format!("nothing was recorded for the country {key}"),
        (Family::Summary, Some((kind, id))) => format!("the ledger knows no {kind} {id}"),
        (Family::Action | Family::Summary, _) => {
            format!("the ledger knows no {} {key}", family.name())
        }
    })
}

/// The lists, or why there are none.
pub(super) fn watched(
    lists: Option<Result<WatchAnswer, UnknownFilter>>,
) -> Result<WatchAnswer, Problem> {
    lists
        .ok_or_else(|| Problem::not_found("this projection keeps no watch lists"))?
        .map_err(|error| Problem::not_found(error.to_string()))
}
