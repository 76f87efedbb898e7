//! Answering queries about the views.

use std::pin::pin;

use chrono::{SecondsFormat, Utc};
use ledger_bus::query::{
    CHECKPOINT_HEADER, ProjectionAnswer, ViewQuery, WatchEnvelope, WatchQuery,
};
use ledger_bus::{Answer, Argument, Endpoint, FeedError, Query, QueryFailure, QueryService};
use ledger_domain::date::earliest_day;
use ledger_domain::view::{Envelope, Family, Page, Projection, WatchPage, family_of};
use ledger_domain::wire::v1::view::WatchList;

use super::known::{not_found, put, watched};
use super::{Interruption, Projector};
use crate::queries::{json, parse};

/// The endpoint of the watch lists, which are no view: what is on them depends on the day.
const WATCH: &str = "watch";
/// No answer has more rows, whatever is asked for.
const MAX_ROWS: usize = 1_000;

/// The views of the whole ledger, each asked for by a name of its own: some are one view, the others one for each id.
const WHOLE: [(&str, Argument); 5] = [
    ("summary", Argument::None),
    ("gaps", Argument::None),
    ("partner", Argument::Tokens),
    ("review", Argument::Tokens),
    (WATCH, Argument::None),
];

/// What a projector answers: the views of its families, and how far it has come.
pub(super) fn endpoints<P: Projection>() -> Vec<Endpoint> {
    P::FAMILIES.iter().flat_map(|&family| of(family)).collect()
}

fn of(family: Family) -> Vec<Endpoint> {
    let (name, path) = match family {
        Family::Country => ("projection_country", "projection.country"),
        Family::Action => ("projection_action", "projection.action"),
        Family::Summary => ("projection_summary", "projection.summary"),
    };
    let of_views: &[(&str, Argument)] = match family {
        Family::Country => &[("country", Argument::Tokens)],
        Family::Action => &[("action", Argument::Tokens)],
        Family::Summary => &WHOLE,
    };
    let mut endpoints = vec![Endpoint {
        name,
        path,
        argument: Argument::None,
    }];
    endpoints.extend(of_views.iter().map(|&(name, argument)| Endpoint {
        name,
        path: name,
        argument,
    }));
    endpoints
}

/// The family that an endpoint is of.
fn family_asked(query: &Query) -> Family {
    match query.endpoint {
        "projection_country" | "country" => Family::Country,
        "projection_action" | "action" => Family::Action,
        _ => Family::Summary,
    }
}

/// The key of the view that a query asks for; none where it asks how far the projector has come.
fn key_of(query: &Query) -> Option<String> {
    match (query.endpoint, query.argument.as_str()) {
        ("projection_country" | "projection_action" | "projection_summary", _) => None,
        ("country" | "action", key) => Some(key.to_owned()),
        (whole, "") => Some(whole.to_owned()),
        (whole, id) => Some(format!("{whole}.{id}")),
    }
}

impl<P: Projection + Send + 'static> Projector<P> {
    /// Waits for something that needs nothing of the projector, and answers queries meanwhile: whoever asks for a view
    /// does not wait for the node or for `JetStream`.
    pub(super) async fn answer_until<T>(
        &mut self,
        service: &mut QueryService,
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

    pub(super) async fn answer(&mut self, query: Option<Query>) -> Result<(), Interruption> {
        let Some(query) = query else {
            return Err(FeedError {
                what: "the connection is closed".to_owned(),
            }
            .into());
        };
        let of_projection = query.endpoint.starts_with("projection_");
        let refusal = self.standing.refusal(self.checkpoint);
        let refusal = refusal.filter(|_| !of_projection || !self.standing.is_known());
        let answer = if let Some(refusal) = refusal {
            Err(refusal)
        } else if query.endpoint == WATCH {
            match parse(&query.payload).and_then(watch_page) {
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
                Err(failure) => Err(failure),
            }
        } else if let Some(key) = key_of(&query) {
            let family = family_asked(&query);
            match parse::<ViewQuery>(&query.payload) {
                // A key of another family is asked for in the wrong place, even where that family is here too.
                Ok(_) if family_of(&key) != family => Err(not_found(family, &key)),
                Ok(asked) if asked.as_of.is_some() || asked.since.is_some() => {
                    self.answer_known(query, key, asked);
                    return Ok(());
                }
                Ok(asked) => to_fit(self.bus.max_answer(), asked.limit, |limit| {
                    self.view(
                        &key,
                        &ViewQuery {
                            limit,
                            ..asked.clone()
                        },
                    )
                }),
                Err(failure) => Err(failure),
            }
        } else {
            let family = family_asked(&query);
            let mut views = self.projection.keys();
            views.retain(|key| family_of(key) == family);
            json(&ProjectionAnswer {
                projection: family.name().to_owned(),
                checkpoint: self.checkpoint,
                views,
                bucket: Some(self.standing.bucket(family)),
            })
        };
        query.respond(answer).await;
        Ok(())
    }

    /// The watch lists today.
    fn watch(&self, page: &WatchPage) -> Result<Answer, QueryFailure> {
        let now = Utc::now();
        json(&WatchEnvelope {
            as_of: now.to_rfc3339_opts(SecondsFormat::Micros, true),
            as_of_position: None,
            watermark: self.checkpoint.checked_sub(1).map(|last| last.to_string()),
            lag_events: self.standing.lag(self.checkpoint),
            lists: watched(self.projection.watch(page, earliest_day(now)))?,
        })
    }

    /// A view in its envelope, with a page of its commitments when some are asked for.
    pub(super) fn view(&self, key: &str, asked: &ViewQuery) -> Result<Answer, QueryFailure> {
        let Some(body) = self.projection.body(key) else {
            return Err(not_found(family_of(key), key));
        };
        let failed = |error: serde_json::Error| QueryFailure {
            code: 500,
            message: error.to_string(),
        };
        let now = Utc::now();
        let envelope = Envelope {
            as_of: now,
            as_of_position: None,
            watermark: self.checkpoint.checked_sub(1),
            lag_events: self.standing.lag(self.checkpoint),
            title: self.projection.title(key),
            timeliness: self.projection.timeliness(key, earliest_day(now)),
        };
        let mut payload = envelope.wrap(&body).map_err(failed)?;
        let listed = (asked.limit > 0).then(|| {
            let page = Page {
                after: asked.after,
                limit: asked.limit,
            };
            self.projection.list(key, &page)
        });
        if let Some(list) = listed.flatten() {
            put(&mut payload, "list", &list).map_err(failed)?;
        }
        let headers = vec![(CHECKPOINT_HEADER, self.checkpoint.to_string())];
        Ok(Answer {
            payload: payload.into(),
            headers,
        })
    }
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

/// Which lists a query asks for, and as known when.
fn watch_page(asked: WatchQuery) -> Result<(WatchPage, Option<String>), QueryFailure> {
    let list = asked.list.as_deref().map(|name| {
        let known = WatchList::ALL.iter().find(|list| list.as_str() == name);
        known.copied().ok_or_else(|| {
            let names: Vec<&str> = WatchList::ALL.iter().map(|list| list.as_str()).collect();
            QueryFailure::bad(format!(
                "there is no watch list {name}; there are {}",
                names.join(", ")
            ))
        })
    });
    let list = list.transpose()?;
    if list.is_none() && (asked.country.is_some() || asked.action.is_some()) {
        return Err(QueryFailure::bad(
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

    #[test]
    fn an_answer_has_fewer_rows_where_the_server_takes_no_more() {
        let rows = |limit: usize| Ok::<Answer, QueryFailure>(Answer::from(vec![b'x'; 100 * limit]));
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
        let asked = |payload: &[u8]| parse(payload).and_then(watch_page);
        let refused = asked(br#"{"country":"KEN"}"#);
        assert_eq!(refused.map_err(|failure| failure.code), Err(400));
        let refused = asked(br#"{"action":"GCM-10"}"#);
        assert_eq!(refused.map_err(|failure| failure.code), Err(400));
        let (page, _) = asked(br#"{"country":"KEN","list":"overdue"}"#).expect("a page");
        assert_eq!(page.country.as_deref(), Some("KEN"));
        assert!(asked(b"").is_ok());
    }
}
