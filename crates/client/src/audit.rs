//! `audit verify`: the log computed again from its bytes, and every view from the log.
//!
//! Nothing is taken from the ledger's word but the events and one signature. Each leaf is hashed and compared with its
//! data, its neighbours and the command kept for it (a changed command would no longer give the submission that the leaf names), the
//! root of all leaves with the signed tree head, and the bytes of every view that the
//! projectors serve with those folded here, at the very position that the projector names. So are those in the KV buckets, which
//! dashboards watch.
//!
//! What this does *not* show: that the ledger shows everyone the same log (compare tree heads with another auditor's), and
//! that decisions were right (they can be decided again from the commands, which are kept).

mod views;

use crate::connection::{Connection, is_unreachable};
use crate::decode::{CheckError, CheckedChunk, CheckedReplay, Decoding};
use crate::replay::{Replay, ReplayRange};
use ledger_bus::QueryError;
use ledger_domain::wire::v1::answer::HeadAnswer;
use ledger_domain::wire::v1::{Event, EventBody, LedgerOpened};
use ledger_proof::submission::SubmissionVerifier;
use ledger_proof::verify::LeafVerifier;
use ledger_proof::{
    Hash, KeyError, SignedTreeHead, TreeHead, TreeHeadError, VerifierKey, hash_to_hex,
};
use serde::Serialize;
use std::time::Duration;
use thiserror::Error;
use tokio::time::Instant;
use views::{Folding, compare};

/// How long the node may take to sign what it has recorded, and a projector to fold it.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(30);

/// The pause between two looks.
const LOOK_PAUSE: Duration = Duration::from_millis(50);

/// Where the verifier key comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// The auditor brought it.
    Given,
    /// The log names it at position 0: enough to show that the log agrees with itself, not whose it is.
    Position0,
}

/// Where a verification stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Events checked.
    pub checked: u64,
    /// Events to check.
    pub total: u64,
}

/// The outcome of a verification of a log that agrees with itself.
#[derive(Clone, Debug, Serialize)]
pub struct AuditReport {
    /// The ledger's id.
    pub ledger: String,
    /// The key that signed the tree head.
    pub verifier_key: String,
    /// Where that key comes from.
    pub key_source: KeySource,
    /// Leaves under the verified tree head.
    pub tree_size: u64,
    /// The root over them, in hex.
    pub root: String,
    /// Events whose data is withheld and so was not compared.
    pub withheld: u64,
    /// The comparison of each projection's views.
    pub projections: Vec<ViewReport>,
}

impl AuditReport {
    /// Whether all views agree, the log itself having agreed already.
    pub fn agrees(&self) -> bool {
        self.projections
            .iter()
            .all(|projection| projection.differences.is_empty())
    }
}

/// The comparison of one projection's views.
#[derive(Clone, Debug, Serialize)]
pub struct ViewReport {
    /// `country`, `action` or `summary`.
    pub projection: String,
    /// Views compared byte for byte.
    pub compared: u64,
    /// Events that were folded for the last comparison.
    pub folded: u64,
    /// Views compared byte for byte with what the projection's KV bucket holds; absent where there is no bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compared_in_bucket: Option<u64>,
    /// What does not agree.
    pub differences: Vec<ViewDifference>,
}

/// A view that is not what the log says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "difference")]
pub enum ViewDifference {
    /// The projector serves other bytes than those folded at the same position.
    Body {
        /// The view's key.
        key: String,
        /// Events folded into both.
        folded: u64,
    },
    /// The log gives this view, and the projector does not have it.
    Missing {
        /// The view's key.
        key: String,
    },
    /// The projector has this view, and the log does not give it.
    Unfounded {
        /// The view's key.
        key: String,
    },
    /// The bucket holds other bytes than those folded, and went on holding them.
    BucketBody {
        /// The view's key.
        key: String,
        /// Events folded.
        folded: u64,
    },
    /// The log gives this view, and the bucket does not hold it.
    BucketMissing {
        /// The view's key.
        key: String,
    },
    /// The bucket holds this key, and the log gives no such view.
    BucketUnfounded {
        /// The key.
        key: String,
    },
    /// The bucket cannot be read.
    BucketUnread {
        /// Why, in the server's or client's words.
        what: String,
    },
    /// The projector did not come as far as the log in time.
    Behind {
        /// Events it has folded.
        folded: u64,
        /// Events it should have folded.
        expected: u64,
    },
}

/// Why a log could not be verified, or does not agree with itself.
#[derive(Debug, Error)]
pub enum AuditError {
    /// A question has no answer.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The events could not be fetched, or one of them is not what a ledger writes.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The node has not signed any tree head.
    #[error("the ledger shows no signed tree head")]
    NoHead,
    /// The tree head is not one that the key signed.
    #[error("the tree head does not verify")]
    Head(#[from] TreeHeadError),
    /// The log does not begin with `ledger_opened`.
    #[error("position 0 is not ledger_opened")]
    NotOpened,
    /// The key that position 0 names is no key.
    #[error("the verifier key at position 0 is none")]
    Key(#[from] KeyError),
    /// The log ends before the size that was signed.
    #[error("the tree head covers {signed} leaves, the log gives {found}")]
    Short {
        /// The size that was signed.
        signed: u64,
        /// The number of events replayed.
        found: u64,
    },
    /// The leaves do not give the root that was signed.
    #[error("the root over {size} leaves is {computed}, but {signed} was signed")]
    Root {
        /// The tree's size.
        size: u64,
        /// The root over the leaves, in hex.
        computed: String,
        /// The root in the tree head, in hex.
        signed: String,
    },
    /// A thread that folds views stopped.
    #[error("folding the views was stopped")]
    Stopped,
}

impl AuditError {
    /// Whether nobody answered, as opposed to a log that does not agree.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Query(error) => is_unreachable(error),
            Self::Check(CheckError::Replay(error)) => error.is_unreachable(),
            Self::Check(
                CheckError::Leaf(_)
                | CheckError::Submission(_)
                | CheckError::Route { .. }
                | CheckError::Header { .. }
                | CheckError::Data { .. }
                | CheckError::Outline { .. }
                | CheckError::Withheld { .. }
                | CheckError::Stopped,
            )
            | Self::NoHead
            | Self::Head(_)
            | Self::NotOpened
            | Self::Key(_)
            | Self::Short { .. }
            | Self::Root { .. }
            | Self::Stopped => false,
        }
    }
}

/// Verifies the whole log and every view. Reads only, and goes on while the ledger records.
///
/// # Errors
///
/// [`AuditError`] when the log itself does not agree or cannot be read. Views that do not agree are in the report.
pub async fn verify(
    connection: &Connection,
    given_key: Option<VerifierKey>,
    mut progress: impl FnMut(Progress),
) -> Result<AuditReport, AuditError> {
    let opened = opened(connection).await?;
    let (key, key_source) = match given_key {
        Some(key) => (key, KeySource::Given),
        None => (opened.verifier_key.parse()?, KeySource::Position0),
    };
    let head = signed_head(connection, &key, 0).await?;
    let mut auditor = Auditor {
        connection: connection.clone(),
        verifier: LeafVerifier::of_ledger(opened.ledger.as_str()),
        submissions: SubmissionVerifier::default(),
    };
    let folding = auditor.replay_and_fold(&head, &mut progress).await?;
    auditor.expect_root(&head)?;
    let mut tail = Tail::default();
    let Folding {
        country,
        action,
        summary,
    } = folding;
    let mut projections = vec![
        compare(country.finish().await?, &mut auditor, &mut tail).await?,
        compare(action.finish().await?, &mut auditor, &mut tail).await?,
    ];
    projections.push(compare(summary.finish().await?, &mut auditor, &mut tail).await?);
    let head = auditor.cover_what_was_read(&key, head).await?;
    Ok(AuditReport {
        ledger: opened.ledger.to_string(),
        verifier_key: key.to_string(),
        key_source,
        tree_size: head.size,
        root: hash_to_hex(&head.root),
        withheld: auditor.verifier.withheld_count(),
        projections,
    })
}

/// What the ledger says of itself at position 0: its id, its verifier key, its root partner, its policy.
///
/// # Errors
///
/// [`AuditError::NotOpened`] if position 0 says something else, [`AuditError::Check`] if it cannot be read.
pub async fn opened(connection: &Connection) -> Result<LedgerOpened, AuditError> {
    let range = ReplayRange {
        to: Some(1),
        ..ReplayRange::default()
    };
    let replay = Replay::new(connection, range);
    let first = CheckedReplay::new(replay, Decoding::CheckAndDecode)
        .next()
        .await?
        .and_then(|chunk| chunk.events.into_iter().next());
    match first.map(|event| event.body) {
        Some(EventBody::LedgerOpened(opened)) => Ok(opened),
        Some(_) | None => Err(AuditError::NotOpened),
    }
}

/// The newest head over at least `size_min` leaves, verified. The node signs a little after it records.
async fn signed_head(
    connection: &Connection,
    key: &VerifierKey,
    size_min: u64,
) -> Result<TreeHead, AuditError> {
    let deadline = Instant::now() + CATCH_UP_TIMEOUT;
    loop {
        let HeadAnswer { tree_head, .. } = connection.head().await?;
        if let Some(note) = tree_head {
            let signed = SignedTreeHead::parse(note.as_bytes())?;
            let head = signed.verify(key)?;
            if head.size >= size_min.max(1) {
                return Ok(head.clone());
            }
        }
        if Instant::now() >= deadline {
            return Err(AuditError::NoHead);
        }
        tokio::time::sleep(LOOK_PAUSE).await;
    }
}

/// Events past the first head that the views made it necessary to read.
#[derive(Default)]
struct Tail {
    events: Vec<Event>,
}

/// A verification under way.
struct Auditor {
    connection: Connection,
    verifier: LeafVerifier,
    submissions: SubmissionVerifier,
}

impl Auditor {
    /// Checks all events up to the head and folds them into every projection on threads of their own.
    async fn replay_and_fold(
        &mut self,
        head: &TreeHead,
        progress: &mut impl FnMut(Progress),
    ) -> Result<Folding, AuditError> {
        let folding = Folding::start();
        let mut replay = self.replay_to(head.size);
        while let Some(chunk) = replay.next().await? {
            folding.feed(self.admit(chunk)?).await?;
            progress(Progress {
                checked: self.verifier.size(),
                total: head.size,
            });
        }
        Ok(folding)
    }

    /// Reads on to `size` events in all, checking them, and adds them to the tail.
    async fn read_on(&mut self, size: u64, tail: &mut Tail) -> Result<(), AuditError> {
        if size <= self.verifier.size() {
            return Ok(());
        }
        let mut replay = self.replay_to(size);
        while let Some(chunk) = replay.next().await? {
            tail.events.extend(self.admit(chunk)?);
        }
        if self.verifier.size() < size {
            return Err(AuditError::Short {
                signed: size,
                found: self.verifier.size(),
            });
        }
        Ok(())
    }

    /// Ends with a head over all that was read, so that no event was used that is not signed for.
    async fn cover_what_was_read(
        &mut self,
        key: &VerifierKey,
        first: TreeHead,
    ) -> Result<TreeHead, AuditError> {
        if self.verifier.size() == first.size {
            return Ok(first);
        }
        let head = signed_head(&self.connection, key, self.verifier.size()).await?;
        self.read_on(head.size, &mut Tail::default()).await?;
        self.expect_root(&head)?;
        Ok(head)
    }

    fn replay_to(&self, size: u64) -> CheckedReplay {
        let range = ReplayRange {
            from: self.verifier.size(),
            to: Some(size),
            ..ReplayRange::default()
        };
        CheckedReplay::new(
            Replay::new(&self.connection, range),
            Decoding::CheckAndDecode,
        )
    }

    /// Takes the next events, checked among themselves before, and gives them back as sound.
    fn admit(&mut self, chunk: CheckedChunk) -> Result<Vec<Event>, AuditError> {
        if let Some(run) = &chunk.run {
            self.verifier.admit(run).map_err(CheckError::from)?;
        }
        let submissions = &mut self.submissions;
        chunk
            .submissions
            .follow(submissions)
            .map_err(CheckError::from)?;
        Ok(chunk.events)
    }

    fn expect_root(&self, head: &TreeHead) -> Result<(), AuditError> {
        let found = self.verifier.size();
        if found != head.size {
            return Err(AuditError::Short {
                signed: head.size,
                found,
            });
        }
        let computed: Hash = self.verifier.root();
        if computed != head.root {
            return Err(AuditError::Root {
                size: head.size,
                computed: hash_to_hex(&computed),
                signed: hash_to_hex(&head.root),
            });
        }
        // A head is over whole groups, and a submission never spans two.
        let whole = self.submissions.expect_whole(found);
        Ok(whole.map_err(CheckError::from)?)
    }
}
