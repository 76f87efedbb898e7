//! Answering queries about the views.

use std::pin::pin;

use chrono::{SecondsFormat, Utc};
use ledger_bus::{Answer, FeedError, Query, QueryService};
use ledger_domain::date::earliest_day;
use ledger_domain::view::{Page, WatchPage, family_of};
use ledger_domain::wire::v1::answer::{ProjectionAnswer, ViewAnswer, WatchEnvelope};
use ledger_domain::wire::v1::endpoint::{Endpoint, ViewEndpoint, ViewsQuery, views};
use ledger_domain::wire::v1::problem::Problem;
use ledger_domain::wire::v1::query::{NoQuery, ViewQuery, WatchQuery};
use ledger_domain::wire::v1::view::{Family, ViewKey, WatchList};

use super::payload::{not_found, served, to_fit, watched};
use super::{Interruption, Projector};
use crate::query::queries::json;

/// What a projector answers: the views of its families, and how far it has come.
pub(super) fn endpoints(families: &[Family]) -> Vec<ViewEndpoint> {
    let all = ViewEndpoint::ALL.iter().copied();
    all.filter(|endpoint| families.contains(&endpoint.family()))
        .collect()
}

/// The thing that a query asks for.
enum Asked {
    /// The progress of the projector of a family.
    Projection(Family),
    View(ViewKey, ViewQuery),
    Watch(WatchQuery),
}

impl Asked {
    fn read(query: &Query<ViewEndpoint>) -> Result<Self, Problem> {
        let argument = || query.argument.clone();
        Ok(match query.endpoint.read(&query.payload)? {
            ViewsQuery::ProjectionCountry(NoQuery) => Self::Projection(Family::Country),
            ViewsQuery::ProjectionAction(NoQuery) => Self::Projection(Family::Action),
            ViewsQuery::ProjectionSummary(NoQuery) => Self::Projection(Family::Summary),
            ViewsQuery::Country(asked) => Self::View(ViewKey::Country(argument()), asked),
            ViewsQuery::Action(asked) => Self::View(ViewKey::Action(argument()), asked),
            ViewsQuery::Summary(asked) => Self::View(ViewKey::Summary, asked),
            ViewsQuery::Gaps(asked) => Self::View(ViewKey::Gaps, asked),
            ViewsQuery::Partner(asked) => Self::View(ViewKey::Partner(argument()), asked),
            ViewsQuery::Review(asked) => Self::View(ViewKey::Review(argument()), asked),
            ViewsQuery::Watch(asked) => Self::Watch(asked),
        })
    }
}

impl Projector {
    /// Waits for something that needs nothing of the projector, and answers queries meanwhile: whoever asks for a view
    /// does not wait for the node or for `JetStream`.
    pub(super) async fn answer_until<T>(
        &mut self,
        service: &mut QueryService<ViewEndpoint>,
        waiting: impl Future<Output = T>,
    ) -> Result<T, Interruption> {
        let mut waiting = pin!(waiting);
        loop {
            tokio::select! {
                done = &mut waiting => return Ok(done),
                query = service.next() => self.answer(query).await?,
            }
        }
    }

    pub(super) async fn answer(
        &mut self,
        query: Option<Query<ViewEndpoint>>,
    ) -> Result<(), Interruption> {
        let Some(query) = query else {
            return Err(FeedError {
                what: "the connection is closed".to_owned(),
            }
            .into());
        };
        let refusal = self.standing.refusal(self.checkpoint);
        let asked = Asked::read(&query);
        let answer = match (refusal, asked) {
            // How far it has come is said as soon as it is known.
            (_, Ok(Asked::Projection(family))) if self.standing.is_known() => {
                self.projection_answer(family)
            }
            (Some(refusal), _) => Err(refusal),
            (None, Err(problem)) => Err(problem),
            (None, Ok(Asked::Projection(family))) => self.projection_answer(family),
            (None, Ok(Asked::Watch(asked))) => match watch_page(asked) {
                Ok((page, Some(as_of))) => {
                    self.answer_watch_known(query, page, as_of);
                    return Ok(());
                }
                Ok((page, None)) => to_fit(self.bus.max_answer(), page.limit, |limit| {
                    self.watch(&WatchPage {
                        limit,
                        ..page.clone()
                    })
                }),
                Err(problem) => Err(problem),
            },
            (None, Ok(Asked::View(key, asked))) => {
                let (family, key) = (key.family(), key.to_string());
                if family_of(&key) != family {
                    // A key of another family is asked for in the wrong place, even where that family is here too.
                    Err(not_found(family, &key))
                } else if asked.as_of.is_some() || asked.since.is_some() {
                    self.answer_known(query, key, asked);
                    return Ok(());
                } else {
                    to_fit(self.bus.max_answer(), asked.limit, |limit| {
                        self.view(
                            &key,
                            &ViewQuery {
                                limit,
                                ..asked.clone()
                            },
                        )
                    })
                }
            }
        };
        query.respond(answer).await;
        Ok(())
    }

    /// The progress of the projector of a family.
    fn projection_answer(&self, family: Family) -> Result<Answer, Problem> {
        let mut keys = self.projection.keys();
        keys.retain(|key| family_of(key) == family);
        let answer = ProjectionAnswer {
            projection: family.name().to_owned(),
            checkpoint: self.checkpoint,
            views: keys,
            bucket: Some(self.standing.bucket(family)),
        };
        match family {
            Family::Country => json::<views::ProjectionCountry>(&answer),
            Family::Action => json::<views::ProjectionAction>(&answer),
            Family::Summary => json::<views::ProjectionSummary>(&answer),
        }
    }

    /// The watch lists today.
    fn watch(&self, page: &WatchPage) -> Result<Answer, Problem> {
        let now = Utc::now();
        json::<views::Watch>(&WatchEnvelope {
            as_of: now.to_rfc3339_opts(SecondsFormat::Micros, true),
            as_of_position: None,
            watermark: self.checkpoint.checked_sub(1).map(|last| last.to_string()),
            lag_events: self.standing.lag(self.checkpoint),
            lists: watched(self.projection.watch(page, earliest_day(now)))?,
        })
    }

    /// A view as it is served, with a page of its commitments when some are asked for.
    pub(super) fn view(&self, key: &str, asked: &ViewQuery) -> Result<Answer, Problem> {
        let Some(body) = self.projection.raw_body(key) else {
            return Err(not_found(family_of(key), key));
        };
        let now = Utc::now();
        let listed = (asked.limit > 0).then(|| {
            let page = Page {
                after: asked.after,
                limit: asked.limit,
            };
            self.projection.list(key, &page)
        });
        let answer = ViewAnswer {
            as_of: now.to_rfc3339_opts(SecondsFormat::Micros, true),
            as_of_position: None,
            watermark: self.checkpoint.checked_sub(1).map(|last| last.to_string()),
            lag_events: self.standing.lag(self.checkpoint),
            title: self.projection.title(key),
            commitments_today: self.projection.timeliness(key, earliest_day(now)),
            view: &*body,
            list: listed.flatten(),
            events: None,
        };
        served(&answer, self.checkpoint).map_err(|error| Problem::failed(error.to_string()))
    }
}

/// Which lists a query asks for, and as known when.
fn watch_page(asked: WatchQuery) -> Result<(WatchPage, Option<String>), Problem> {
    let list = asked.list.as_deref().map(|name| {
        let known = WatchList::ALL.iter().find(|list| list.as_str() == name);
        known.copied().ok_or_else(|| {
            let names: Vec<&str> = WatchList::ALL.iter().map(|list| list.as_str()).collect();
            Problem::bad_query(format!(
                "there is no watch list {name}; there are {}",
                names.join(", ")
            ))
        })
    });
    let list = list.transpose()?;
    if list.is_none() && (asked.country.is_some() || asked.action.is_some()) {
        return Err(Problem::bad_query(
            "a country or an action narrows one list: name it too, as in {\"list\":\"overdue\"}; \
             without a list the counts are those of the whole ledger",
        ));
    }
    let page = WatchPage {
        list,
        country: asked.country,
        action: asked.action,
        after: asked.after,
        limit: asked.limit,
    };
    Ok((page, asked.as_of))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_domain::wire::v1::problem::ProblemCode;
    use ledger_domain::wire::v1::query::QueryPayload;

    #[test]
    fn an_answer_has_fewer_rows_where_the_server_takes_no_more() {
        let rows = |limit: usize| Ok::<Answer, Problem>(Answer::from(vec![b'x'; 100 * limit]));
        for (max, asked, bytes) in [
            (1_000, 5, 500),
            (1_000, 200, 600),
            (1_000, usize::MAX, 700),
            (50, 200, 100),
            (50, 0, 0),
        ] {
            let answer = to_fit(max, asked, rows).expect("an answer");
            assert_eq!(answer.payload.len(), bytes, "{asked} rows in {max} bytes");
        }
    }

    #[test]
    fn a_filter_without_a_list_is_refused_and_not_left_out() {
        let asked = |payload: &[u8]| WatchQuery::read(payload).and_then(watch_page);
        let refused = asked(br#"{"country":"KEN"}"#);
        assert_eq!(
            refused.map_err(|problem| problem.code),
            Err(ProblemCode::BadQuery)
        );
        let refused = asked(br#"{"action":"GCM-10"}"#);
        assert_eq!(
            refused.map_err(|problem| problem.code),
            Err(ProblemCode::BadQuery)
        );
        let (page, _) = asked(br#"{"country":"KEN","list":"overdue"}"#).expect("a page");
        assert_eq!(page.country.as_deref(), Some("KEN"));
        assert!(asked(b"").is_ok());
    }
}
