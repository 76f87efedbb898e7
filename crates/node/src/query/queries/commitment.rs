//! `query.commitment.<id>`: how one commitment stands, or its history; now, or as known at a past position or time.
//!
//! The index of commitments says where its events lie, so that an answer reads those and no others. A time is found by halving the log, whose
//! recorded times never go back.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use chrono::{SecondsFormat, Utc};
use ledger_domain::date::earliest_day;
use ledger_domain::ids::CommitmentId;
use ledger_domain::view::CommitmentFold;
use ledger_domain::wire::v1::answer::CommitmentAnswer;
use ledger_domain::wire::v1::problem::Problem;
use ledger_domain::wire::v1::query::CommitmentQuery;
use ledger_store::Log;
use serde_json::value::RawValue;

use super::{internal, read_failure};
use crate::query::as_of::{AsOf, SETTLED, Then, not_reached, nothing_by};
use crate::query::history::{HistoryError, deliver, for_each_event, header_at, visit_sent};

/// Bytes of events in one page of a commitment's history.
const MAX_HISTORY_BYTES: usize = 2 << 20;
/// More than an answer takes beside its events.
const ANSWER_BYTES: usize = 1 << 10;
/// What a partner's time takes beside itself: a position, quotation marks, a colon and a comma.
const TIME_BYTES: usize = 26;
/// Events in one page of a commitment's history.
const HISTORY_PAGE: usize = 2_000;

pub(super) fn answer(
    log: &Log,
    argument: &str,
    query: &CommitmentQuery,
    max_answer: usize,
) -> Result<CommitmentAnswer, Problem> {
    let id: CommitmentId = argument.parse().map_err(|_| {
        Problem::bad_query(format!(
            "{argument} is not a commitment's id: give its UUID"
        ))
    })?;
    let tree_size = log.tree_size();
    if query.from > tree_size {
        let what = format!("position {}", query.from);
        return Err(not_reached(&what, tree_size, tree_size));
    }
    let then = query.as_of.as_deref();
    let then = then.map(|text| resolve(log, text, tree_size)).transpose()?;
    // One size for all that follows: what is recorded meanwhile is in no part of the answer.
    let end = then.map_or(tree_size, |then| then.position + 1);
    let first = positions(log, &id, 0, 1)?.first().copied();
    if first.is_none_or(|first| first >= end) {
        return Err(unknown(&id, then, first));
    }
    let today = then.map_or_else(Utc::now, |then| then.time);
    let mut answer = CommitmentAnswer {
        commitment: id.to_string(),
        tree_size,
        as_of: today.to_rfc3339_opts(SecondsFormat::Micros, true),
        as_of_position: then.map(|then| then.position.to_string()),
        state: None,
        events: Vec::new(),
        partner_times: BTreeMap::new(),
        next: None,
    };
    if query.state {
        let mut fold = CommitmentFold::default();
        let positions = before(end, positions(log, &id, 0, usize::MAX)?);
        for_each_event(log, &positions, |event| fold.apply(&event)).map_err(internal)?;
        if let Some(successor) = fold.successor(id) {
            let positions = before(end, self::positions(log, &successor, 0, usize::MAX)?);
            for_each_event(log, &positions, |event| fold.follow(id, &event)).map_err(internal)?;
        }
        answer.state = fold.state(id, earliest_day(today));
    } else {
        let positions = before(end, positions(log, &id, query.from, HISTORY_PAGE + 1)?);
        fill_page(log, &positions, max_answer, &mut answer)?;
    }
    Ok(answer)
}

fn positions(log: &Log, id: &CommitmentId, from: u64, limit: usize) -> Result<Vec<u64>, Problem> {
    log.commitment_positions(&id.0, from, limit)
        .map_err(read_failure)
}

fn before(end: u64, mut positions: Vec<u64>) -> Vec<u64> {
    positions.truncate(positions.partition_point(|&position| position < end));
    positions
}

/// Why nothing is known of a commitment: it does not exist, or did not then.
fn unknown(id: &CommitmentId, then: Option<Then>, first: Option<u64>) -> Problem {
    Problem::not_found(match (then, first) {
        (Some(then), Some(first)) => format!(
            "the commitment {id} was recorded at position {first}, after position {}",
            then.position
        ),
        (None, _) | (_, None) => format!("no commitment has the id {id}"),
    })
}

/// Takes events into the answer, as many as a page holds and the nats-server takes, and says where the next page begins. One event comes in
/// any case.
fn fill_page(
    log: &Log,
    positions: &[u64],
    max_answer: usize,
    answer: &mut CommitmentAnswer,
) -> Result<(), Problem> {
    let page = positions.get(..HISTORY_PAGE).unwrap_or(positions);
    let (mut events, mut bytes) = (Vec::new(), ANSWER_BYTES);
    let max_bytes = MAX_HISTORY_BYTES.min(max_answer);
    let times = &mut answer.partner_times;
    visit_sent(log, page, |stored, sent| {
        let event = deliver(stored)?;
        // With the comma before the next, and the partner's time under its position.
        bytes += event.len() + 1;
        bytes += sent.as_ref().map_or(0, |sent| sent.len() + TIME_BYTES);
        if bytes > max_bytes && !events.is_empty() {
            return Ok(ControlFlow::Break(()));
        }
        times.extend(sent.map(|sent| (stored.position.to_string(), sent)));
        events.push(event);
        Ok(ControlFlow::Continue(()))
    })
    .map_err(internal)?;
    answer.next = positions.get(events.len()).copied();
    for event in events {
        let text = String::from_utf8(event).map_err(internal)?;
        let event = RawValue::from_string(text).map_err(internal)?;
        answer.events.push(event);
    }
    Ok(())
}

/// The position that a text names, or the last one recorded by the time it names.
fn resolve(log: &Log, text: &str, tree_size: u64) -> Result<Then, Problem> {
    let Some(last) = tree_size.checked_sub(1) else {
        return Err(Problem::not_found("nothing is recorded yet"));
    };
    let recorded_at = |position| header_at(log, position).map(|header| header.time);
    match AsOf::read(text)? {
        AsOf::Position(position) if position > last => {
            let what = format!("position {position}");
            Err(not_reached(&what, tree_size, tree_size))
        }
        AsOf::Position(position) => Ok(Then {
            position,
            time: recorded_at(position).map_err(internal)?,
        }),
        AsOf::Time(time) => {
            if time > Utc::now() - SETTLED && time >= recorded_at(last).map_err(internal)? {
                return Err(not_reached(text, tree_size, tree_size));
            }
            let by_then = count_while(tree_size, |position| Ok(recorded_at(position)? <= time));
            let position = by_then.map_err(internal)?.checked_sub(1);
            let position = position.ok_or_else(|| nothing_by(text))?;
            Ok(Then { position, time })
        }
    }
}

/// How many positions, from the first on, something holds of that holds of no later one once it fails.
fn count_while(
    tree_size: u64,
    holds: impl Fn(u64) -> Result<bool, HistoryError>,
) -> Result<u64, HistoryError> {
    let (mut low, mut high) = (0, tree_size);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle)? {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halving_finds_where_something_ceases_to_hold() {
        for size in 0..20 {
            for end in 0..=size {
                let found = count_while(size, |position| Ok(position < end));
                assert!(
                    matches!(found, Ok(count) if count == end),
                    "{end} of {size}"
                );
            }
        }
    }
}
