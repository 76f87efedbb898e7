//! Answering about views as they were known at a past position or time.
//!
//! An answer is made on a thread of its own, from the closed chunks as they are on the disk and a copy of the open ones, so that the fold goes
//! on meanwhile.

use std::collections::HashMap;
use std::ops::ControlFlow;

use chrono::{DateTime, TimeDelta, Utc};
use ledger_bus::query::{ViewQuery, WATERMARK_HEADER};
use ledger_bus::{Answer, Query, QueryFailure};
use ledger_domain::view::{
    Envelope, Family, KnownHistory, Page, Projection, RestoreError, VisitChunk, family_of,
    position_at, recorded_at,
};
use ledger_store::{ClosedChunk, HistoryFault, HistoryList, SledFault, ViewStore};
use serde::Serialize;
use thiserror::Error;
use tokio::sync::OwnedSemaphorePermit;
use tracing::error;

use super::Projector;

/// How long ago a time must be for nothing recorded before it to be still under way to a projector that has all that it heard of.
const SETTLED: TimeDelta = TimeDelta::seconds(2);

/// Why a question about the past has no answer.
#[derive(Debug, Error)]
pub(super) enum KnownError {
    #[error(transparent)]
    History(#[from] HistoryFault),
    #[error(transparent)]
    Entry(#[from] RestoreError),
    #[error(transparent)]
    Refused(#[from] QueryFailure),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl From<KnownError> for QueryFailure {
    fn from(error: KnownError) -> Self {
        match error {
            KnownError::Refused(failure) => failure,
            KnownError::History(_) | KnownError::Entry(_) | KnownError::Json(_) => {
                error!(%error, "a view as known earlier could not be counted");
                Self {
                    code: 500,
                    message: format!("the history of the view could not be read: {error}"),
                }
            }
        }
    }
}

/// The lists that one answer needs: closed chunks, and the open one with its first position.
struct Lists(HashMap<String, (HistoryList, u64, Vec<u8>)>);

impl KnownHistory for Lists {
    type Error = KnownError;

    fn newest_first(
        &self,
        list: &str,
        position: u64,
        visit: &mut VisitChunk<'_, KnownError>,
    ) -> Result<(), KnownError> {
        let Some((closed, first, open)) = self.0.get(list) else {
            return Ok(());
        };
        if *first <= position && visit(open)?.is_break() {
            return Ok(());
        }
        for chunk in closed.newest_first(position) {
            if visit(&chunk?)? == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }
}

/// A question about the past, with everything that its answer is made from.
struct Question {
    key: String,
    asked: ViewQuery,
    lists: Lists,
    checkpoint: u64,
    tree_size: u64,
    now: DateTime<Utc>,
}

/// A position, and what was today then.
struct Then {
    position: u64,
    time: DateTime<Utc>,
}

impl<P: Projection + Send + 'static> Projector<P> {
    /// Answers a query about a past position on a thread of its own.
    pub(super) fn answer_known(&self, query: Query, key: String, asked: ViewQuery) {
        let question = self.question(key, asked);
        let permit = self.known.clone().try_acquire_owned();
        tokio::spawn(async move {
            let answer = match (question, permit) {
                (Err(failure), _) => Err(failure),
                (Ok(_), Err(_)) => Err(QueryFailure::unavailable(
                    "too many questions about the past are being answered; ask again in a moment",
                )),
                (Ok(question), Ok(permit)) => on_a_thread::<P>(question, permit).await,
            };
            query.respond(answer).await;
        });
    }

    fn question(&self, key: String, asked: ViewQuery) -> Result<Question, QueryFailure> {
        let open = self.projection.history_of(&key);
        let open = open.ok_or_else(|| not_found(family_of(&key), &key))?;
        let lists = open.into_iter().map(|chunk| {
            let closed = self.store.history(&chunk.list)?;
            Ok((chunk.list, (closed, chunk.first, chunk.bytes)))
        });
        let lists: Result<_, SledFault> = lists.collect();
        let lists = lists.map_err(|error| QueryFailure {
            code: 500,
            message: format!("the history of the view could not be written: {error}"),
        })?;
        Ok(Question {
            key,
            asked,
            lists: Lists(lists),
            checkpoint: self.checkpoint,
            tree_size: self.tree_size,
            now: Utc::now(),
        })
    }
}

pub(super) fn not_found(family: Family, key: &str) -> QueryFailure {
    QueryFailure::not_found(format!("there is no {} view of {key}", family.name()))
}

async fn on_a_thread<P: Projection + 'static>(
    question: Question,
    permit: OwnedSemaphorePermit,
) -> Result<Answer, QueryFailure> {
    let answered = tokio::task::spawn_blocking(move || {
        let answer = question.answer::<P>();
        drop(permit);
        answer
    });
    let answer = answered.await.map_err(|error| QueryFailure {
        code: 500,
        message: error.to_string(),
    })?;
    answer.map_err(Into::into)
}

impl Question {
    fn answer<P: Projection>(&self) -> Result<Answer, KnownError> {
        let then = match &self.asked.as_of {
            Some(text) => self.resolve(text)?,
            None => self.newest()?,
        };
        let page = Page {
            after: self.asked.after,
            limit: self.asked.limit,
        };
        let listed = self.asked.limit > 0 && self.asked.since.is_none();
        let today = then.time.date_naive();
        let page_of_commitments = listed.then_some(&page);
        let known = P::as_known(
            &self.lists,
            &self.key,
            then.position,
            today,
            page_of_commitments,
        )?;
        let known = known.ok_or_else(|| {
            QueryFailure::not_found(format!(
                "there was no {} view of {} at position {}",
                family_of(&self.key).name(),
                self.key,
                then.position
            ))
        })?;
        let envelope = Envelope {
            as_of: then.time,
            as_of_position: Some(then.position),
            watermark: Some(then.position),
            lag_events: 0,
            title: known.title,
            timeliness: known.timeliness,
        };
        let mut payload = envelope.wrap(&known.body)?;
        if let Some(list) = &known.list {
            put(&mut payload, "list", list)?;
        }
        if let Some(since) = &self.asked.since {
            let after = self.position_of(since)?;
            let events = P::events_between(&self.lists, &self.key, after, then.position, &page)?;
            put(&mut payload, "events", &events)?;
        }
        let headers = vec![(WATERMARK_HEADER, (then.position + 1).to_string())];
        Ok(Answer {
            payload: payload.into(),
            headers,
        })
    }

    fn newest(&self) -> Result<Then, KnownError> {
        let nothing = || QueryFailure::not_found("nothing is recorded yet");
        let position = self.checkpoint.checked_sub(1).ok_or_else(nothing)?;
        Ok(Then {
            position,
            time: self.now,
        })
    }

    /// The position that a text names, or the last one recorded by the time it names.
    fn resolve(&self, text: &str) -> Result<Then, KnownError> {
        if let Ok(position) = text.parse::<u64>() {
            if position >= self.checkpoint {
                return Err(self.not_reached(&format!("position {position}")).into());
            }
            let recorded = recorded_at(&self.lists, position)?;
            return Ok(Then {
                position,
                time: recorded.unwrap_or_default(),
            });
        }
        let time = self.time_of(text)?;
        let nothing = || QueryFailure::not_found(format!("nothing was recorded by {text}"));
        let position = position_at(&self.lists, time, self.checkpoint)?.ok_or_else(nothing)?;
        Ok(Then { position, time })
    }

    /// The position before the events that came since: none before the first event.
    fn position_of(&self, text: &str) -> Result<Option<u64>, KnownError> {
        if let Ok(position) = text.parse::<u64>() {
            return Ok(Some(position));
        }
        let time = self.time_of(text)?;
        position_at(&self.lists, time, self.checkpoint)
    }

    /// A time by which everything recorded is folded.
    fn time_of(&self, text: &str) -> Result<DateTime<Utc>, KnownError> {
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| {
            QueryFailure::bad(format!(
                "`{text}` is neither a position, in digits, nor a time like 2026-03-31T12:00:00Z"
            ))
        })?;
        let time = time.to_utc();
        let newest = match self.checkpoint.checked_sub(1) {
            Some(position) => recorded_at(&self.lists, position)?,
            None => None,
        };
        let is_settled = time <= self.now - SETTLED && self.tree_size <= self.checkpoint;
        if is_settled || newest.is_some_and(|newest| time < newest) {
            Ok(time)
        } else {
            Err(self.not_reached(text).into())
        }
    }

    fn not_reached(&self, what: &str) -> QueryFailure {
        QueryFailure {
            code: 409,
            message: format!(
                "{what} is not reached yet: {} events are recorded and {} are counted",
                self.tree_size.max(self.checkpoint),
                self.checkpoint
            ),
        }
    }
}

/// Adds a member to a JSON object.
pub(super) fn put(
    payload: &mut Vec<u8>,
    name: &str,
    value: &impl Serialize,
) -> Result<(), serde_json::Error> {
    if payload.pop() == Some(b'}') {
        payload.extend_from_slice(b",\"");
        payload.extend_from_slice(name.as_bytes());
        payload.extend_from_slice(b"\":");
        serde_json::to_writer(&mut *payload, value)?;
        payload.push(b'}');
    }
    Ok(())
}

/// Takes the chunks that the fold closed to the store.
pub(super) fn keep_closed<P: Projection>(
    projection: &mut P,
    store: &mut ViewStore,
) -> Result<(), SledFault> {
    let chunks = projection.take_closed_history().into_iter();
    let closed = chunks.map(|chunk| ClosedChunk {
        list: chunk.list,
        first: chunk.first,
        bytes: chunk.bytes,
    });
    store.append_history(closed.collect())
}
