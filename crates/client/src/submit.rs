//! Submissions: bytes out, receipts back, repeated until there are receipts.
//!
//! A submission whose reply is lost may have been recorded. Sending the same bytes again is always safe: a command that
//! was recorded gives its first receipt again, for ever. So a submission is repeated with the same bytes until it has a
//! reply that is not `busy`, or until its time is up.

use bytes::Bytes;
use ledger_bus::{Bus, CommandSender, ReceiptInbox, SendError};
use ledger_domain::wire::v1::Receipt;
use ledger_domain::{Rejection, RejectionCode};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

/// Bounds of a [`Submitter`].
#[derive(Clone, Copy, Debug)]
pub struct SubmitOptions {
    /// Submissions that may be under way at once; more wait their turn.
    pub in_flight_max: usize,
    /// How long a reply may take before the submission is sent again.
    pub reply_timeout: Duration,
    /// How long to keep sending one submission before giving up on it.
    pub give_up_after: Duration,
    /// The pause before the first repetition; it doubles with each.
    pub backoff_min: Duration,
    /// The longest pause.
    pub backoff_max: Duration,
}

impl Default for SubmitOptions {
    fn default() -> Self {
        Self {
            in_flight_max: 512,
            // A ledger that is away or busy says so at once; this is for a reply that was lost on its way.
            reply_timeout: Duration::from_secs(10),
            give_up_after: Duration::from_secs(90),
            backoff_min: Duration::from_millis(5),
            backoff_max: Duration::from_secs(1),
        }
    }
}

/// Why a submission has no receipts.
#[derive(Debug, Error)]
pub enum SubmitError {
    /// It could not be handed to the connection: too large, or the connection is closed.
    #[error(transparent)]
    Send(#[from] SendError),
    /// No reply came in time, however often it was sent. It may have been recorded: send the same bytes again later.
    #[error(
        "no receipt after {attempts} attempts in {waited_ms} ms; the same commands can safely be sent again"
    )]
    NoReply {
        /// How often it was sent.
        attempts: u32,
        /// For how long, in milliseconds.
        waited_ms: u128,
    },
    /// The ledger is there but took nothing for too long.
    #[error(
        "the ledger was {} for {waited_ms} ms ({}); the same commands can safely be sent again",
        rejection.code, rejection.message
    )]
    NotTaken {
        /// What the ledger said last.
        rejection: Box<Rejection>,
        /// For how long it was asked, in milliseconds.
        waited_ms: u128,
    },
    /// The reply is not a receipt.
    #[error("the ledger's reply cannot be read")]
    Reply(#[source] serde_json::Error),
    /// The reply has another number of receipts than the submission had commands.
    #[error("the ledger's reply has {found} receipts for {expected} commands")]
    ReceiptCount {
        /// Commands sent.
        expected: usize,
        /// Receipts received.
        found: usize,
    },
    /// The submitter's connection was closed.
    #[error("the connection to the ledger was closed")]
    Closed,
}

impl SubmitError {
    /// Whether nobody answered, as opposed to an answer that does not please.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::NoReply { .. }
            | Self::NotTaken { .. }
            | Self::Closed
            | Self::Send(SendError::NoInbox(_) | SendError::Denied(_) | SendError::Closed(_)) => {
                true
            }
            Self::Send(SendError::TooLarge { .. }) | Self::Reply(_) | Self::ReceiptCount { .. } => {
                false
            }
        }
    }
}

/// A reply to a submission: one receipt for each command, in order; or one refusal of the message as a whole.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The reply as it came.
    pub json: Bytes,
    /// Its receipts.
    pub receipts: Vec<Receipt>,
}

impl Reply {
    fn parse(json: Bytes) -> Result<Self, SubmitError> {
        let receipts = if json.trim_ascii_start().starts_with(b"[") {
            serde_json::from_slice(&json).map_err(SubmitError::Reply)?
        } else {
            vec![serde_json::from_slice(&json).map_err(SubmitError::Reply)?]
        };
        Ok(Self { json, receipts })
    }

    /// The refusal by which the ledger says that it took nothing now and the same bytes may come again.
    fn not_taken(&self) -> Option<&Rejection> {
        let [receipt] = self.receipts.as_slice() else {
            return None;
        };
        receipt.rejection.as_ref().filter(|rejection| {
            matches!(
                rejection.code,
                RejectionCode::Busy | RejectionCode::StorageFull | RejectionCode::Unavailable
            )
        })
    }
}

type Waiting = Mutex<HashMap<u64, mpsc::UnboundedSender<Option<Bytes>>>>;

/// Sends a partner's submissions and waits for their receipts, many at once. Clones share the bound.
#[derive(Clone, Debug)]
pub struct Submitter {
    sender: CommandSender,
    waiting: Arc<Waiting>,
    next_token: Arc<AtomicU64>,
    permits: Arc<Semaphore>,
    options: SubmitOptions,
}

impl Submitter {
    /// A submitter for this partner. Receipts are read by a task of the current runtime until the connection closes.
    ///
    /// # Errors
    ///
    /// [`SubmitError::Send`] if the inbox for receipts cannot be opened.
    pub async fn open(
        bus: &Bus,
        partner: &str,
        options: SubmitOptions,
    ) -> Result<Self, SubmitError> {
        let (sender, inbox) = CommandSender::open(bus, partner).await?;
        let waiting = Arc::new(Waiting::default());
        tokio::spawn(hand_out(inbox, Arc::clone(&waiting)));
        Ok(Self {
            sender,
            waiting,
            next_token: Arc::default(),
            permits: Arc::new(Semaphore::new(options.in_flight_max.max(1))),
            options,
        })
    }

    /// Sends one submission, one command or an array of them, and waits for its reply. What the reply says is durable,
    /// is durable. Submissions sent at the same time are decided in any order.
    ///
    /// # Errors
    ///
    /// [`SubmitError`]; except for [`SendError::TooLarge`] the submission may have been recorded, and sending the same
    /// bytes again finds out.
    pub async fn submit(&self, submission: Bytes) -> Result<Reply, SubmitError> {
        let _permit = self
            .permits
            .acquire()
            .await
            .map_err(|_| SubmitError::Closed)?;
        let token = self.next_token.fetch_add(1, Ordering::Relaxed);
        let (reply_sender, mut replies) = mpsc::unbounded_channel();
        lock(&self.waiting).insert(token, reply_sender);
        let outcome = self.until_taken(token, submission, &mut replies).await;
        lock(&self.waiting).remove(&token);
        outcome
    }

    async fn until_taken(
        &self,
        token: u64,
        submission: Bytes,
        replies: &mut mpsc::UnboundedReceiver<Option<Bytes>>,
    ) -> Result<Reply, SubmitError> {
        let started = Instant::now();
        let mut pause = self.options.backoff_min;
        let mut attempts = 0;
        loop {
            let denied = self.sender.denied();
            self.sender.send(token, submission.clone()).await?;
            attempts += 1;
            let mut refused = None;
            // A late reply to an earlier attempt is as good as one to this: the bytes are the same.
            let reply = tokio::time::timeout(self.options.reply_timeout, replies.recv());
            let reply = tokio::select! {
                reply = reply => reply,
                denied = denied => return Err(SendError::from(denied).into()),
            };
            match reply {
                Ok(Some(Some(json))) => {
                    let reply = Reply::parse(json)?;
                    refused = reply.not_taken().cloned().map(Box::new);
                    if refused.is_none() {
                        return Ok(reply);
                    }
                }
                Ok(None) => return Err(SubmitError::Closed),
                // Nobody listens, or nobody answered in time.
                Ok(Some(None)) | Err(_) => {}
            }
            let waited_ms = started.elapsed().as_millis();
            if started.elapsed() + pause >= self.options.give_up_after {
                return Err(match refused {
                    Some(rejection) => SubmitError::NotTaken {
                        rejection,
                        waited_ms,
                    },
                    None => SubmitError::NoReply {
                        attempts,
                        waited_ms,
                    },
                });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(self.options.backoff_max);
        }
    }
}

/// Hands each reply to whom it is for; one that comes after its submission was answered is dropped.
async fn hand_out(mut inbox: ReceiptInbox, waiting: Arc<Waiting>) {
    while let Some((token, reply)) = inbox.next().await {
        if let Some(sender) = lock(&waiting).get(&token)
            && sender.send(reply).is_err()
        {
            tracing::debug!(token, "a receipt came after its submission was given up");
        }
    }
    // Whoever still waits learns that nothing more will come.
    lock(&waiting).clear();
}

fn lock(
    waiting: &Waiting,
) -> std::sync::MutexGuard<'_, HashMap<u64, mpsc::UnboundedSender<Option<Bytes>>>> {
    // Nothing is done under the lock that could leave the map half changed.
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
