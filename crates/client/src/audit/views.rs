//! The views folded again, and compared with those that the projectors serve and those in the buckets.

mod bucket;

use super::{AuditError, Auditor, CATCH_UP_TIMEOUT, LOOK_PAUSE, Tail, ViewDifference, ViewReport};
use crate::connection::{is_not_found, is_unavailable};
use ledger_bus::QueryError;
use ledger_domain::view::Views;
use ledger_domain::wire::v1::Event;
use ledger_domain::wire::v1::answer::{ProjectionAnswer, ViewAnswer};
use ledger_domain::wire::v1::query::ViewQuery;
use ledger_domain::wire::v1::view::{Family, ViewKey};
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Chunks of events that may wait for one projection.
const QUEUED_CHUNKS: usize = 4;

/// All projections being folded, each on a thread of its own: folding is the larger part of the work.
pub(super) struct Folding {
    pub(super) country: Fold,
    pub(super) action: Fold,
    pub(super) summary: Fold,
}

impl Folding {
    pub(super) fn start() -> Self {
        Self {
            country: Fold::start(Family::Country),
            action: Fold::start(Family::Action),
            summary: Fold::start(Family::Summary),
        }
    }

    pub(super) async fn feed(&self, events: Vec<Event>) -> Result<(), AuditError> {
        let events = Arc::new(events);
        self.country.feed(Arc::clone(&events)).await?;
        self.action.feed(Arc::clone(&events)).await?;
        self.summary.feed(events).await
    }
}

/// One projection being folded.
pub(super) struct Fold {
    chunks: mpsc::Sender<Arc<Vec<Event>>>,
    thread: JoinHandle<Folded>,
}

/// A projection and how many events are in it.
pub(super) struct Folded {
    family: Family,
    projection: Box<Views>,
    count: u64,
    /// Events of the tail among them.
    of_tail: usize,
}

impl Fold {
    fn start(family: Family) -> Self {
        let (chunks, mut fed) = mpsc::channel::<Arc<Vec<Event>>>(QUEUED_CHUNKS);
        let thread = std::thread::spawn(move || {
            let mut folded = Folded {
                family,
                projection: Box::new(Views::of(&[family])),
                count: 0,
                of_tail: 0,
            };
            while let Some(chunk) = fed.blocking_recv() {
                chunk.iter().for_each(|event| folded.apply(event));
            }
            folded
        });
        Self { chunks, thread }
    }

    async fn feed(&self, events: Arc<Vec<Event>>) -> Result<(), AuditError> {
        self.chunks
            .send(events)
            .await
            .map_err(|_| AuditError::Stopped)
    }

    pub(super) async fn finish(self) -> Result<Folded, AuditError> {
        drop(self.chunks);
        tokio::task::spawn_blocking(|| self.thread.join())
            .await
            .map_err(|_| AuditError::Stopped)?
            .map_err(|_| AuditError::Stopped)
    }
}

impl Folded {
    fn apply(&mut self, event: &Event) {
        self.projection.apply(event);
        self.count += 1;
    }

    /// Folds on to exactly `count` events, reading what is not there yet.
    async fn fold_on(
        &mut self,
        count: u64,
        auditor: &mut Auditor,
        tail: &mut Tail,
    ) -> Result<(), AuditError> {
        auditor.read_on(count, tail).await?;
        while self.count < count {
            let Some(event) = tail.events.get(self.of_tail) else {
                return Err(AuditError::Stopped);
            };
            self.projection.apply(event);
            self.of_tail += 1;
            self.count += 1;
        }
        Ok(())
    }
}

/// Compares every view of a projection with the one served, each at exactly the position where the projector stood when
/// it answered: the fold follows the projector, so that a ledger that goes on recording can be verified too.
pub(super) async fn compare(
    mut folded: Folded,
    auditor: &mut Auditor,
    tail: &mut Tail,
) -> Result<ViewReport, AuditError> {
    let mut report = ViewReport {
        projection: folded.family.name().to_owned(),
        compared: 0,
        folded: folded.count,
        compared_in_bucket: None,
        differences: Vec::new(),
    };
    let Some(answer) = caught_up(&folded, auditor, &mut report).await? else {
        return Ok(report);
    };
    folded.fold_on(answer.checkpoint, auditor, tail).await?;
    let served: BTreeSet<String> = answer.views.into_iter().collect();
    let computed: BTreeSet<String> = folded.projection.keys().into_iter().collect();
    for key in served.difference(&computed).cloned() {
        report.differences.push(ViewDifference::Unfounded { key });
    }
    for key in computed {
        if !served.contains(&key) {
            report.differences.push(ViewDifference::Missing { key });
            continue;
        }
        let difference = compare_one(&key, &mut folded, auditor, tail).await?;
        report.compared += 1;
        report.differences.extend(difference);
    }
    let told = answer.bucket.is_some();
    bucket::compare(&mut folded, told, auditor, tail, &mut report).await?;
    report.folded = folded.count;
    Ok(report)
}

/// Waits until the projector has folded what is folded here; says in the report if it does not.
async fn caught_up(
    folded: &Folded,
    auditor: &Auditor,
    report: &mut ViewReport,
) -> Result<Option<ProjectionAnswer>, QueryError> {
    let deadline = Instant::now() + CATCH_UP_TIMEOUT;
    let family = folded.family;
    loop {
        let late = Instant::now() >= deadline;
        let answer = match auditor.connection.projection(family).await {
            Ok(answer) => answer,
            // It has not seen the node yet.
            Err(error) if is_unavailable(&error) && !late => {
                tokio::time::sleep(LOOK_PAUSE).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        if answer.checkpoint >= folded.count {
            return Ok(Some(answer));
        }
        if late {
            report.differences.push(ViewDifference::Behind {
                folded: answer.checkpoint,
                expected: folded.count,
            });
            return Ok(None);
        }
        tokio::time::sleep(LOOK_PAUSE).await;
    }
}

async fn compare_one(
    key: &str,
    folded: &mut Folded,
    auditor: &mut Auditor,
    tail: &mut Tail,
) -> Result<Option<ViewDifference>, AuditError> {
    let deadline = Instant::now() + CATCH_UP_TIMEOUT;
    loop {
        let query = ViewQuery::default();
        let Some(asked) = ViewKey::read(key) else {
            return Err(AuditError::Stopped);
        };
        let served = match auditor.connection.view(&asked, &query).await {
            Ok(served) => served,
            Err(error) if is_not_found(&error) => {
                let key = key.to_owned();
                return Ok(Some(ViewDifference::Missing { key }));
            }
            Err(error) if is_unavailable(&error) && Instant::now() < deadline => {
                tokio::time::sleep(LOOK_PAUSE).await;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        // Another instance of the projector may have answered, one that is not as far: it is asked again.
        if served.checkpoint < folded.count && Instant::now() < deadline {
            tokio::time::sleep(LOOK_PAUSE).await;
            continue;
        }
        folded.fold_on(served.checkpoint, auditor, tail).await?;
        let body = folded.projection.body(key).unwrap_or_default();
        let same = served.checkpoint == folded.count
            && body_within(&served.json).is_some_and(|found| found.as_bytes() == body);
        return Ok((!same).then(|| ViewDifference::Body {
            key: key.to_owned(),
            folded: folded.count,
        }));
    }
}

/// The view's own bytes within the answer they are served in.
fn body_within(json: &[u8]) -> Option<&str> {
    let answer: ViewAnswer<&RawValue> = serde_json::from_slice(json).ok()?;
    Some(answer.view.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_cut_out_of_its_answer_byte_for_byte() {
        let json = br#"{"as_of":"x","view":{"b":1, "a":[ ]},"list":null}"#;
        assert_eq!(body_within(json), Some(r#"{"b":1, "a":[ ]}"#));
        assert_eq!(body_within(b"{}"), None);
        assert_eq!(body_within(b"no"), None);
    }
}
