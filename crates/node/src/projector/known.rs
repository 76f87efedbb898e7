//! Answering about views as they were known at a past position or time.
//!
//! An answer is made on a thread of its own, from the closed chunks as they are on the disk and a copy of the open ones, so that the fold goes
//! on meanwhile.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, SecondsFormat, Utc};
use ledger_bus::{Answer, Query};
use ledger_domain::date::earliest_day;
use ledger_domain::view::{
    ChangelogSource, Page, RestoreError, Views, VisitChunk, WantChunk, WatchPage, family_of,
    position_at, recorded_at,
};
use ledger_domain::wire::v1::answer::{ViewAnswer, WatchEnvelope};
use ledger_domain::wire::v1::endpoint::{ViewEndpoint, views};
use ledger_domain::wire::v1::problem::Problem;
use ledger_domain::wire::v1::query::ViewQuery;
use ledger_domain::wire::v1::view::Family;
use ledger_store::{ClosedChunk, HistoryFault, HistoryList, SledFault, ViewStore};
use serde_json::value::RawValue;
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{error, warn};

use super::Projector;
use super::payload::{not_found, served, to_fit, watched};
use crate::query::as_of::{AsOf, SETTLED, Then, not_reached, nothing_by};
use crate::query::queries::json;

/// The view whose commitments the watch lists are about.
const WATCHED: &str = "summary";

/// Why a question about the past has no answer.
#[derive(Debug, Error)]
pub(super) enum KnownError {
    #[error(transparent)]
    History(#[from] HistoryFault),
    #[error(transparent)]
    Entry(#[from] RestoreError),
    #[error(transparent)]
    Refused(#[from] Problem),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl From<KnownError> for Problem {
    fn from(error: KnownError) -> Self {
        match error {
            KnownError::Refused(failure) => failure,
            KnownError::History(HistoryFault::Damaged { .. }) => Self::unavailable(
                "the history of the views is damaged and is being made anew; ask again in a moment",
            ),
            KnownError::History(HistoryFault::Io(_))
            | KnownError::Entry(_)
            | KnownError::Json(_) => {
                error!(%error, "a view as known earlier could not be counted");
                Self::failed(format!(
                    "the history of the view could not be read: {error}"
                ))
            }
        }
    }
}

/// The lists that one answer needs: closed chunks, and the open one with its first position.
struct Lists(HashMap<String, (HistoryList, u64, Vec<u8>)>);

impl ChangelogSource for Lists {
    type Error = KnownError;

    fn newest_first(
        &self,
        list: &str,
        position: u64,
        wants: &WantChunk<'_>,
        visit: &mut VisitChunk<'_, KnownError>,
    ) -> Result<(), KnownError> {
        let Some((closed, first, open)) = self.0.get(list) else {
            return Ok(());
        };
        let open_wanted = *first <= position && wants(*first..=u64::MAX);
        if open_wanted && visit(open)?.is_break() {
            return Ok(());
        }
        for chunk in closed.newest_first(position, wants) {
            if visit(&chunk?)? == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }
}

/// Everything that an answer about the past is made from.
pub(super) struct Past {
    lists: Lists,
    /// Set when the history does not hold.
    faulty: Arc<AtomicBool>,
    checkpoint: u64,
    tree_size: u64,
    lag: Option<u64>,
    /// Everything recorded up to this time is folded, if that is known.
    settled: Option<DateTime<Utc>>,
    max_answer: usize,
    now: DateTime<Utc>,
}

impl Projector {
    /// Answers a query about a view at a past position.
    pub(super) fn answer_known(&self, query: Query<ViewEndpoint>, key: String, asked: ViewQuery) {
        let past = with_room(&self.known, || self.past(&key));
        answer_on_a_thread(query, past, move |past| {
            to_fit(past.max_answer, asked.limit, |limit| {
                past.view(
                    &key,
                    &ViewQuery {
                        limit,
                        ..asked.clone()
                    },
                )
            })
        });
    }

    /// Answers a query about the watch lists at a past position.
    pub(super) fn answer_watch_known(
        &self,
        query: Query<ViewEndpoint>,
        page: WatchPage,
        as_of: String,
    ) {
        let past = with_room(&self.known, || self.past(WATCHED));
        answer_on_a_thread(query, past, move |past| {
            to_fit(past.max_answer, page.limit, |limit| {
                past.watch(
                    &WatchPage {
                        limit,
                        ..page.clone()
                    },
                    &as_of,
                )
            })
        });
    }

    fn past(&self, key: &str) -> Result<Past, Problem> {
        let open = self.projection.changelog_of(key);
        let open = open.ok_or_else(|| not_found(family_of(key), key))?;
        let lists = open.into_iter().map(|chunk| {
            let closed = self.store.history(&chunk.list)?;
            Ok((chunk.list, (closed, chunk.first, chunk.bytes)))
        });
        // Whoever asks for the history waits for the thread that is writing to it.
        let lists: Result<_, SledFault> = tokio::task::block_in_place(|| lists.collect());
        let lists = lists.map_err(|error| {
            Problem::unavailable(format!(
                "the history of the views could not be written ({error}); it will be made anew, ask again then"
            ))
        })?;
        Ok(Past {
            faulty: Arc::clone(&self.faulty),
            lists: Lists(lists),
            checkpoint: self.checkpoint,
            tree_size: self.standing.tree_size(),
            lag: self.standing.lag(self.checkpoint),
            settled: self.standing.settled(self.checkpoint),
            max_answer: self.bus.max_answer(),
            now: Utc::now(),
        })
    }
}

/// The same of a moment at which there was no such view yet.
fn not_yet(family: Family, key: &str, position: u64) -> Problem {
    Problem::not_found(match (family, key.split_once('.')) {
        (Family::Country, _) => {
            format!("nothing was recorded for the country {key} yet at position {position}")
        }
        (Family::Summary, Some((kind, id))) => {
            format!("the {kind} {id} was not recorded yet at position {position}")
        }
        (Family::Action | Family::Summary, _) => format!(
            "the {} {key} was not recorded yet at position {position}",
            family.name()
        ),
    })
}

/// Makes what an answer is made from, when there is room for one more: who is refused costs next to nothing.
fn with_room<T>(
    room: &Arc<Semaphore>,
    make: impl FnOnce() -> Result<T, Problem>,
) -> Result<(T, OwnedSemaphorePermit), Problem> {
    let permit = Arc::clone(room).try_acquire_owned().map_err(|_| {
        Problem::unavailable(
            "too many questions about the past are being answered; ask again in a moment",
        )
    })?;
    Ok((make()?, permit))
}

fn answer_on_a_thread(
    query: Query<ViewEndpoint>,
    past: Result<(Past, OwnedSemaphorePermit), Problem>,
    answer: impl FnOnce(&Past) -> Result<Answer, KnownError> + Send + 'static,
) {
    tokio::spawn(async move {
        let answer = match past {
            Ok((past, permit)) => on_a_thread(past, permit, answer).await,
            Err(failure) => Err(failure),
        };
        query.respond(answer).await;
    });
}

async fn on_a_thread(
    past: Past,
    permit: OwnedSemaphorePermit,
    answer: impl FnOnce(&Past) -> Result<Answer, KnownError> + Send + 'static,
) -> Result<Answer, Problem> {
    let answered = tokio::task::spawn_blocking(move || {
        let answer = answer(&past);
        if let Err(KnownError::History(fault @ HistoryFault::Damaged { .. })) = &answer
            && !past.faulty.swap(true, Ordering::Relaxed)
        {
            warn!(%fault, "a question about the past cannot be answered");
        }
        drop(permit);
        answer
    });
    let answer = answered
        .await
        .map_err(|error| Problem::failed(error.to_string()))?;
    answer.map_err(Into::into)
}

impl Past {
    fn view(&self, key: &str, asked: &ViewQuery) -> Result<Answer, KnownError> {
        let then = match &asked.as_of {
            Some(text) => self.resolve(text)?,
            None => self.newest()?,
        };
        let page = Page {
            after: asked.after,
            limit: asked.limit,
        };
        let listed = asked.limit > 0 && asked.since.is_none();
        let today = earliest_day(then.time);
        let page_of_commitments = listed.then_some(&page);
        let known = Views::as_of(&self.lists, key, then.position, today, page_of_commitments)?;
        let known = known.ok_or_else(|| not_yet(family_of(key), key, then.position))?;
        let events = match &asked.since {
            Some(since) => {
                let after = self.position_of(since)?;
                let events = Views::events_between(&self.lists, key, after, then.position, &page)?;
                Some(events)
            }
            None => None,
        };
        let position = then.position.to_string();
        let body: &RawValue = serde_json::from_slice(&known.body)?;
        let answer = ViewAnswer {
            as_of: then.time.to_rfc3339_opts(SecondsFormat::Micros, true),
            as_of_position: Some(position.clone()),
            watermark: Some(position),
            // Of the past nothing is missing; of now it is what the log has gained.
            lag_events: if asked.as_of.is_some() {
                Some(0)
            } else {
                self.lag
            },
            title: known.title,
            commitments_today: known.timeliness,
            view: body,
            list: known.list,
            events,
        };
        Ok(served(&answer, then.position + 1)?)
    }

    fn watch(&self, page: &WatchPage, as_of: &str) -> Result<Answer, KnownError> {
        let then = self.resolve(as_of)?;
        let today = earliest_day(then.time);
        let lists = Views::watch_as_of(&self.lists, page, then.position, today)?;
        let position = then.position.to_string();
        Ok(json::<views::Watch>(&WatchEnvelope {
            as_of: then.time.to_rfc3339_opts(SecondsFormat::Micros, true),
            as_of_position: Some(position.clone()),
            watermark: Some(position),
            lag_events: Some(0),
            lists: watched(Some(lists))?,
        })?)
    }

    fn newest(&self) -> Result<Then, KnownError> {
        let nothing = || Problem::not_found("nothing is recorded yet");
        let position = self.checkpoint.checked_sub(1).ok_or_else(nothing)?;
        Ok(Then {
            position,
            time: self.now,
        })
    }

    /// The position that a text names, or the last one recorded by the time it names.
    fn resolve(&self, text: &str) -> Result<Then, KnownError> {
        match AsOf::read(text)? {
            AsOf::Position(position) => {
                if position >= self.checkpoint {
                    return Err(self.not_reached(&format!("position {position}")).into());
                }
                let recorded = recorded_at(&self.lists, position)?;
                Ok(Then {
                    position,
                    time: recorded.unwrap_or_default(),
                })
            }
            AsOf::Time(time) => {
                let position = self.position_at(text, time)?;
                let position = position.ok_or_else(|| nothing_by(text))?;
                Ok(Then { position, time })
            }
        }
    }

    /// The position before the events that came since: none before the first event.
    fn position_of(&self, text: &str) -> Result<Option<u64>, KnownError> {
        match AsOf::read(text)? {
            AsOf::Position(position) if position >= self.checkpoint => {
                Err(self.not_reached(&format!("position {position}")).into())
            }
            AsOf::Position(position) => Ok(Some(position)),
            AsOf::Time(time) => self.position_at(text, time),
        }
    }

    /// The last position recorded by a time by which everything recorded is folded.
    fn position_at(&self, text: &str, time: DateTime<Utc>) -> Result<Option<u64>, KnownError> {
        let newest = match self.checkpoint.checked_sub(1) {
            Some(position) => recorded_at(&self.lists, position)?,
            None => None,
        };
        // A projector that has all that it heard of may not have heard of what was recorded just now.
        let is_settled =
            time <= self.now - SETTLED && self.settled.is_some_and(|settled| time <= settled);
        if is_settled || newest.is_some_and(|newest| time < newest) {
            position_at(&self.lists, time, self.checkpoint)
        } else {
            Err(self.not_reached(text).into())
        }
    }

    fn not_reached(&self, what: &str) -> Problem {
        not_reached(what, self.tree_size.max(self.checkpoint), self.checkpoint)
    }
}

/// Takes the chunks that the fold closed to the store. The connection's tasks go on meanwhile.
pub(super) fn keep_closed(projection: &mut Views, store: &mut ViewStore) -> Result<(), SledFault> {
    let chunks = projection.take_closed_chunks();
    if chunks.is_empty() {
        return Ok(());
    }
    let closed = chunks.into_iter().map(|chunk| ClosedChunk {
        list: chunk.list,
        first: chunk.first,
        bytes: chunk.bytes,
    });
    tokio::task::block_in_place(|| store.append_history(closed.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_domain::wire::v1::problem::ProblemCode;

    #[test]
    fn what_there_was_not_yet_is_said_of_the_thing_asked_about() {
        let said = |family, key| not_yet(family, key, 100).message;
        assert_eq!(
            said(Family::Summary, "review.EXAMPLE-2026"),
            "the review EXAMPLE-2026 was not recorded yet at position 100"
        );
        assert_eq!(
            said(Family::Country, "HKG"),
            "nothing was recorded for the country HKG yet at position 100"
        );
        assert_eq!(
            said(Family::Action, "SDG-10.7.1"),
            "the action SDG-10.7.1 was not recorded yet at position 100"
        );
        assert_eq!(
            not_found(Family::Summary, "partner.NOBODY").message,
            "the ledger knows no partner NOBODY"
        );
    }

    #[test]
    fn nothing_is_made_for_a_question_that_there_is_no_room_for() {
        let room = Arc::new(Semaphore::new(1));
        let held = with_room(&room, || Ok("made")).expect("room");
        assert_eq!(held.0, "made");
        let refused = with_room(&room, || -> Result<(), _> { panic!("made in vain") });
        assert_eq!(
            refused.map(|_| ()).map_err(|problem| problem.code),
            Err(ProblemCode::Unavailable)
        );
        drop(held);
        let failed = with_room(&room, || Err::<(), _>(Problem::not_found("no such view")));
        let failed = failed.map(|_| ()).map_err(|problem| problem.code);
        assert_eq!(failed, Err(ProblemCode::NotFound));
        assert_eq!(room.available_permits(), 1);
    }
}
