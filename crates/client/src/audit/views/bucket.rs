//! The views folded again, compared with what the KV bucket of their projection holds.

use super::{Auditor, Folded, Tail};
use crate::audit::{AuditError, CATCH_UP_TIMEOUT, LOOK_PAUSE, ViewDifference, ViewReport};
use ledger_bus::QueryError;
use ledger_bus::{BucketError, ViewBucket};
use serde::Deserialize;
use std::collections::BTreeSet;
use tokio::time::Instant;

/// Why a comparison ended before its time.
enum Ended {
    Unread(BucketError),
    Audit(AuditError),
}

impl From<BucketError> for Ended {
    fn from(error: BucketError) -> Self {
        Self::Unread(error)
    }
}

impl From<AuditError> for Ended {
    fn from(error: AuditError) -> Self {
        Self::Audit(error)
    }
}

impl From<QueryError> for Ended {
    fn from(error: QueryError) -> Self {
        Self::Audit(error.into())
    }
}

/// Compares every key of the bucket with the views folded. A projector that tells of no bucket may have none.
pub(super) async fn compare(
    folded: &mut Folded,
    told: bool,
    auditor: &mut Auditor,
    tail: &mut Tail,
    report: &mut ViewReport,
) -> Result<(), AuditError> {
    // For all keys together: a bucket that stands still is not waited for at every one.
    let deadline = Instant::now() + CATCH_UP_TIMEOUT;
    loop {
        let late = Instant::now() >= deadline;
        match compare_all(folded, told, deadline, auditor, tail).await {
            Ok(None) => return Ok(()),
            Ok(Some((compared, differences))) => {
                report.compared_in_bucket = Some(compared);
                report.differences.extend(differences);
                return Ok(());
            }
            Err(Ended::Audit(error)) => return Err(error),
            // A bucket that was lost is made anew.
            Err(Ended::Unread(_)) if !late => tokio::time::sleep(LOOK_PAUSE).await,
            Err(Ended::Unread(BucketError { what, .. })) => {
                let unread = ViewDifference::BucketUnread { what };
                report.differences.push(unread);
                return Ok(());
            }
        }
    }
}

/// How many views were compared, and what differs; nothing where there is no bucket and need not be one.
async fn compare_all(
    folded: &mut Folded,
    told: bool,
    deadline: Instant,
    auditor: &mut Auditor,
    tail: &mut Tail,
) -> Result<Option<(u64, Vec<ViewDifference>)>, Ended> {
    let Some(bucket) = ViewBucket::existing(auditor.connection.bus(), folded.family.name()).await?
    else {
        let missing = BucketError {
            bucket: folded.family.name().to_owned(),
            what: "there is none".to_owned(),
        };
        return if told { Err(missing.into()) } else { Ok(None) };
    };
    let held = bucket.keys().await?;
    let computed: BTreeSet<String> = folded.projection.keys().into_iter().collect();
    let (mut compared, mut differences) = (0, Vec::new());
    for key in held.union(&computed) {
        let difference = compare_one(key, &bucket, deadline, folded, auditor, tail).await?;
        compared += u64::from(computed.contains(key));
        differences.extend(difference);
    }
    Ok(Some((compared, differences)))
}

/// Compares one key, again and again until it agrees or the time is over: the bucket follows the log a little later. Where it is further than
/// what is folded here, the fold follows it.
async fn compare_one(
    key: &str,
    bucket: &ViewBucket,
    deadline: Instant,
    folded: &mut Folded,
    auditor: &mut Auditor,
    tail: &mut Tail,
) -> Result<Option<ViewDifference>, Ended> {
    loop {
        let late = Instant::now() >= deadline;
        let held = bucket.get(key).await?;
        let position = held.as_deref().and_then(position_of);
        if let Some(position) = position.filter(|&position| position >= folded.count) {
            // What it says of itself is not believed: the log may have no such position.
            let tree_size = auditor.connection.head().await?.tree_size;
            if position < tree_size {
                folded.fold_on(position + 1, auditor, tail).await?;
            }
        }
        let body = folded.projection.body(key);
        if held.as_deref() == body.as_deref() {
            return Ok(None);
        }
        if late {
            let (key, folded) = (key.to_owned(), folded.count);
            return Ok(Some(match (held, body) {
                (None, _) => ViewDifference::BucketMissing { key },
                (Some(_), None) => ViewDifference::BucketUnfounded { key },
                (Some(_), Some(_)) => ViewDifference::BucketBody { key, folded },
            }));
        }
        tokio::time::sleep(LOOK_PAUSE).await;
    }
}

/// The position of a body's last change.
fn position_of(body: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Body {
        position: Option<String>,
    }
    let body: Body = serde_json::from_slice(body).ok()?;
    body.position?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_names_the_position_of_its_last_change() {
        assert_eq!(position_of(br#"{"view":"x","position":"17"}"#), Some(17));
        assert_eq!(position_of(br#"{"view":"x","position":null}"#), None);
        assert_eq!(position_of(b"nonsense"), None);
    }
}
