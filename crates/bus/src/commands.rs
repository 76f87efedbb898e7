//! Commands in, receipts out: request and reply on `ledger.v1.cmd.<partner>`.

use async_nats::{HeaderMap, Subject, Subscriber};
use bytes::Bytes;
use futures::stream::ReadyChunks;
use futures::{FutureExt, StreamExt};
use thiserror::Error;

use crate::connection::Bus;
use crate::denied::DeniedError;
use crate::subject;

/// The header that carries a submission's signature.
const SIGNATURE_HEADER: &str = "Ledger-Signature";
/// What the attributes of CloudEvents are called in binary mode begins with this.
const BINARY_PREFIX: &str = "ce-";
/// Bytes that no signature exceeds: a public nkey has 56, its signature 86, and there is a dot between them.
pub const MAX_SIGNATURE_BYTES: usize = 256;

/// Where a receipt goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyTo(Subject);

impl ReplyTo {
    /// The same in memory of its own: as it arrived it keeps the whole message in memory.
    #[must_use]
    pub fn detached(self) -> Self {
        Self(Subject::from(self.0.to_string()))
    }
}

/// One submission as it arrived.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The partner named by the subject.
    pub partner: String,
    /// The bytes as received: one command, or a JSON array of commands.
    pub payload: Bytes,
    /// The content of `Ledger-Signature`, when there is one; of one longer than [`MAX_SIGNATURE_BYTES`] just so much that
    /// it is seen to be.
    pub signature: Option<String>,
    /// Whether it has attributes of CloudEvents as headers, as binary mode has them.
    pub binary: bool,
    /// Where the receipt goes; absent when the sender asked for none, or for it on a subject of the ledger or the server.
    pub reply_to: Option<ReplyTo>,
    /// Bytes of the whole message, subjects and headers too: all of them stay in memory as long as its payload does.
    pub size: usize,
}

/// The commands could not be listened to.
#[derive(Debug, Error)]
#[error("cannot listen for commands")]
pub struct IntakeError(#[source] async_nats::SubscribeError);

/// Every command sent to the ledger, in arrival order.
pub struct CommandIntake {
    chunks: ReadyChunks<Subscriber>,
}

impl CommandIntake {
    /// Starts listening. Messages are handed out in chunks of what has already arrived, at most `max_chunk`.
    ///
    /// # Errors
    /// [`IntakeError`] when the subscription cannot be made.
    pub async fn open(bus: &Bus, max_chunk: usize) -> Result<Self, IntakeError> {
        Self::open_on(bus, subject::ALL_COMMANDS, max_chunk).await
    }

    /// Listens on another subject: a measurement's baseline takes the same way as a command.
    ///
    /// # Errors
    /// [`IntakeError`] when the subscription cannot be made.
    pub async fn open_on(
        bus: &Bus,
        subject: &'static str,
        max_chunk: usize,
    ) -> Result<Self, IntakeError> {
        let subscriber = bus.client.subscribe(subject).await.map_err(IntakeError)?;
        Ok(Self {
            chunks: subscriber.ready_chunks(max_chunk),
        })
    }

    /// Waits for the next chunk; `None` when the connection was closed for good.
    pub async fn next(&mut self) -> Option<Vec<Incoming>> {
        let messages = self.chunks.next().await?;
        Some(messages.into_iter().map(incoming).collect())
    }
}

/// Whether a header is an attribute of CloudEvents in binary mode. The names of headers ignore case there.
fn is_attribute(name: &str) -> bool {
    let prefix = name.get(..BINARY_PREFIX.len());
    prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(BINARY_PREFIX))
}

fn incoming(message: async_nats::Message) -> Incoming {
    let mut headers = message.headers.iter().flat_map(HeaderMap::iter);
    let binary = headers.any(|(name, _)| is_attribute(name.as_ref()));
    let signature = message
        .headers
        .as_ref()
        .and_then(|headers: &HeaderMap| headers.get(SIGNATURE_HEADER))
        .map(|value| {
            value
                .as_str()
                .chars()
                .take(MAX_SIGNATURE_BYTES + 1)
                .collect()
        });
    Incoming {
        partner: subject::partner_of(message.subject.as_str())
            .unwrap_or_default()
            .to_owned(),
        payload: message.payload,
        signature,
        binary,
        reply_to: message
            .reply
            .filter(|reply| subject::takes_answers(reply))
            .map(ReplyTo),
        size: message.length,
    }
}

/// Sends receipts back.
#[derive(Clone, Debug)]
pub struct Replier {
    bus: Bus,
}

impl Replier {
    /// A replier on this connection.
    pub fn new(bus: &Bus) -> Self {
        Self { bus: bus.clone() }
    }

    /// The most bytes that the server takes in a reply.
    pub fn max_bytes(&self) -> usize {
        self.bus.max_payload()
    }

    /// Hands one reply to the connection; it leaves the process soon after. A reply that cannot be sent is lost:
    /// the sender repeats its command and gets the same receipt.
    pub async fn reply(&self, to: ReplyTo, payload: Bytes) {
        if let Err(error) = self.bus.client.publish(to.0, payload).await {
            tracing::debug!(%error, "a receipt could not be sent");
        }
    }
}

/// A command could not be handed to the connection.
#[derive(Debug, Error)]
pub enum SendError {
    /// The message is larger than the server takes.
    #[error(
        "the submission has {size} bytes, the server takes at most {max}: send fewer commands at a time"
    )]
    TooLarge {
        /// Bytes of the submission.
        size: usize,
        /// The server's `max_payload`.
        max: usize,
    },
    /// The inbox for receipts could not be opened.
    #[error("cannot listen for receipts")]
    NoInbox(#[source] async_nats::SubscribeError),
    /// The server does not let this user send commands, or have the receipts.
    #[error(transparent)]
    Denied(#[from] DeniedError),
    /// The connection is closed.
    #[error("the connection is closed")]
    Closed(#[source] async_nats::PublishError),
}

/// Sends a partner's submissions; many may be under way, their receipts are matched by token.
#[derive(Clone, Debug)]
pub struct CommandSender {
    bus: Bus,
    subject: Subject,
    inbox: String,
}

/// Where the receipts of one [`CommandSender`] and its clones arrive.
pub struct ReceiptInbox {
    replies: Subscriber,
}

impl CommandSender {
    /// Opens an inbox of its own for this sender's receipts.
    ///
    /// # Errors
    /// [`SendError::NoInbox`] when the inbox cannot be opened.
    pub async fn open(bus: &Bus, partner: &str) -> Result<(Self, ReceiptInbox), SendError> {
        Self::open_on(bus, subject::command(partner)).await
    }

    /// Sends on another subject: a measurement's baseline takes the same way as a command.
    ///
    /// # Errors
    /// [`SendError::NoInbox`] when the inbox cannot be opened.
    pub async fn open_on(bus: &Bus, subject: String) -> Result<(Self, ReceiptInbox), SendError> {
        let inbox = bus.client.new_inbox();
        let replies = bus
            .client
            .subscribe(format!("{inbox}.*"))
            .await
            .map_err(SendError::NoInbox)?;
        let sender = Self {
            bus: bus.clone(),
            subject: subject.into(),
            inbox,
        };
        Ok((sender, ReceiptInbox { replies }))
    }

    /// Waits until the server denies this user the subject of the commands from now on, or the inbox of the receipts.
    pub fn denied(&self) -> impl Future<Output = DeniedError> + use<> {
        self.bus.denied(&self.subject)
    }

    /// Sends one submission; its receipt comes out of [`ReceiptInbox::next`] with the same token.
    ///
    /// # Errors
    /// [`SendError::TooLarge`] over the server's limit, [`SendError::Closed`] when the connection is gone.
    pub async fn send(&self, token: u64, payload: Bytes) -> Result<(), SendError> {
        let max = self.bus.max_payload();
        if payload.len() > max {
            return Err(SendError::TooLarge {
                size: payload.len(),
                max,
            });
        }
        let reply_to = format!("{}.{token}", self.inbox);
        let sent = self
            .bus
            .client
            .publish_with_reply(self.subject.clone(), reply_to, payload)
            .await;
        sent.map_err(SendError::Closed)
    }
}

impl ReceiptInbox {
    /// Waits for the next reply: its token, and its payload or `None` when nobody listens for commands. Ends when
    /// the connection was closed for good.
    pub async fn next(&mut self) -> Option<(u64, Option<Bytes>)> {
        loop {
            let message = self.replies.next().await?;
            if let Some(reply) = reply_of(message) {
                return Some(reply);
            }
        }
    }

    /// Waits for replies as [`Self::next`] does, and takes with the first all that have arrived: at most `max`.
    pub async fn next_chunk(&mut self, max: usize) -> Option<Vec<(u64, Option<Bytes>)>> {
        let mut chunk = vec![self.next().await?];
        while chunk.len() < max
            && let Some(Some(message)) = self.replies.next().now_or_never()
        {
            chunk.extend(reply_of(message));
        }
        Some(chunk)
    }
}

/// The token of a reply and its payload; none of a message that is no reply.
fn reply_of(message: async_nats::Message) -> Option<(u64, Option<Bytes>)> {
    let token = message.subject.as_str().rsplit('.').next()?.parse().ok()?;
    let nobody = message.status == Some(async_nats::StatusCode::NO_RESPONDERS);
    Some((token, (!nobody).then_some(message.payload)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_in_a_header_is_told_by_its_prefix_in_any_case() {
        for name in ["ce-id", "CE-Type", "Ce-specversion"] {
            assert!(is_attribute(name), "{name}");
        }
        for name in [
            "",
            "ce",
            "traceparent",
            "Content-Type",
            "Nats-Msg-Id",
            "céd",
        ] {
            assert!(!is_attribute(name), "{name}");
        }
    }
}
