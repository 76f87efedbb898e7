//! The stream `LEDGER_EVENTS`: published by tailing the log, read by projectors.
//!
//! The stream is a copy for readers. Its sequence is the position plus one, and that is checked by the server on every
//! event (`Nats-Expected-Last-Sequence`) and by the publisher on every acknowledgement.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use async_nats::jetstream::stream::{
    Config, DiscardPolicy, PersistenceMode, RawMessageErrorKind, RetentionPolicy, StorageType,
};
use async_nats::jetstream::{self, Context, ErrorCode};
use async_nats::{HeaderMap, Subscriber, header};
use bytes::Bytes;
use futures::StreamExt;
use serde::Deserialize;
use thiserror::Error;

use crate::connection::Bus;
use crate::subject;

/// Events in one run at most: one acknowledgement for so many.
pub const MAX_RUN_EVENTS: usize = 1_000;
const ACK_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a publisher that waits looks whether the connection is still the one it sent on.
const CONNECTION_CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// What the server holds of the event stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamState {
    /// Sequence of the newest event: equal to the number of positions published.
    pub last_sequence: u64,
    /// How many events it holds.
    pub messages: u64,
}

impl StreamState {
    /// Whether it holds every sequence from the first to the last; a stream from which messages were removed does not.
    pub fn is_whole(self) -> bool {
        self.messages == self.last_sequence
    }
}

/// Events could not be published.
#[derive(Debug, Error)]
pub enum PublishError {
    /// The server did not do as asked; the publisher looks at the stream again before it goes on.
    #[error("the event stream could not be reached or prepared: {what}")]
    Unavailable {
        /// What failed, in the server's or client's words.
        what: String,
    },
    /// The stream does not end where the run begins.
    #[error("the event stream does not end at sequence {expected}: {what}")]
    OutOfStep {
        /// Sequence the stream should have ended at.
        expected: u64,
        /// The server's words.
        what: String,
    },
    /// Events are missing from the stream: it was purged or thinned.
    #[error("the event stream holds {messages} of {last_sequence} events")]
    Thinned {
        /// How many it holds.
        messages: u64,
        /// Sequence of its newest.
        last_sequence: u64,
    },
    /// The stream is configured to lose events, and the server does not let that be changed.
    #[error(
        "the event stream does not keep every event ({limits}) and cannot be changed: {what}; delete it, and it is published anew"
    )]
    Limited {
        /// What it is limited by.
        limits: String,
        /// The server's words.
        what: String,
    },
}

/// Publishes events in order: runs of them are sent ahead, their acknowledgements come back in the same order.
///
/// Atomic batches (`Nats-Batch-Id`) would do too, but the server stages each of their messages before it stores it.
pub struct EventPublisher {
    context: Context,
    acks: Subscriber,
    inbox: String,
    /// Runs sent and not acknowledged: where each must begin and end.
    pending: VecDeque<(u64, u64)>,
    /// Which of the client's connections the batches went out on: their acknowledgements come back on no other.
    connection: u64,
}

/// The acknowledgement of the server.
#[derive(Deserialize)]
struct PublishAck {
    #[serde(default)]
    seq: u64,
    #[serde(default)]
    error: Option<AckError>,
}

#[derive(Deserialize)]
struct AckError {
    #[serde(default)]
    err_code: u64,
    #[serde(default)]
    description: String,
}

fn check_ack(
    message: &async_nats::Message,
    expected_last: u64,
    last: u64,
) -> Result<(), PublishError> {
    if message.status.is_some_and(|status| status.as_u16() >= 400) {
        return Err(PublishError::Unavailable {
            what: "no stream takes the event subjects".to_owned(),
        });
    }
    let ack: PublishAck = serde_json::from_slice(&message.payload).map_err(unavailable)?;
    if let Some(error) = ack.error {
        let wrong_sequence = error.err_code == ErrorCode::STREAM_WRONG_LAST_SEQUENCE.0;
        return Err(if wrong_sequence {
            PublishError::OutOfStep {
                expected: expected_last,
                what: error.description,
            }
        } else {
            PublishError::Unavailable {
                what: error.description,
            }
        });
    }
    if ack.seq == last {
        return Ok(());
    }
    let what = format!(
        "the run was to end at sequence {last}, it ends at {}",
        ack.seq
    );
    Err(PublishError::OutOfStep {
        expected: expected_last,
        what,
    })
}

fn unavailable(error: impl std::fmt::Display) -> PublishError {
    PublishError::Unavailable {
        what: error.to_string(),
    }
}

impl EventPublisher {
    /// A publisher on this connection, with an inbox for its acknowledgements.
    ///
    /// # Errors
    /// [`PublishError::Unavailable`] when the inbox cannot be opened.
    pub async fn open(bus: &Bus) -> Result<Self, PublishError> {
        let mut context = jetstream::new(bus.client.clone());
        context.set_timeout(ACK_TIMEOUT);
        let inbox = bus.client.new_inbox();
        let acks = bus
            .client
            .subscribe(format!("{inbox}.*"))
            .await
            .map_err(unavailable)?;
        Ok(Self {
            context,
            acks,
            inbox,
            pending: VecDeque::new(),
            connection: connection_number(&bus.client),
        })
    }

    /// Makes the stream if there is none and says how far it goes.
    ///
    /// # Errors
    /// [`PublishError::Unavailable`] when the server cannot be asked or refuses.
    pub async fn state(&self) -> Result<StreamState, PublishError> {
        let (state, _) = self.info().await?;
        Ok(state)
    }

    async fn info(&self) -> Result<(StreamState, Config), PublishError> {
        let mut stream = self
            .context
            .get_or_create_stream(stream_config())
            .await
            .map_err(unavailable)?;
        let info = stream.info().await.map_err(unavailable)?;
        let state = StreamState {
            last_sequence: info.state.last_sequence,
            messages: info.state.messages,
        };
        Ok((state, info.config.clone()))
    }

    /// The same, and sees to it that the stream keeps every event, however somebody else made it.
    ///
    /// # Errors
    /// [`PublishError::Limited`] when the server does not let its limits be lifted, [`PublishError::Unavailable`] when it cannot be asked
    /// or refuses.
    pub async fn prepare(&self) -> Result<StreamState, PublishError> {
        let (state, config) = self.info().await?;
        let limits = limits_of(&config);
        if limits.is_empty() {
            return Ok(state);
        }
        match self.context.update_stream(unlimited(config)).await {
            Ok(_info) => {
                tracing::warn!(%limits, "the event stream did not keep every event: its limits were lifted");
                self.state().await
            }
            Err(error) => Err(PublishError::Limited {
                limits,
                what: error.to_string(),
            }),
        }
    }

    /// Deletes the stream and makes it anew, empty, with its sequence at the beginning.
    ///
    /// # Errors
    /// [`PublishError::Unavailable`] when the server cannot be asked or refuses.
    pub async fn recreate(&self) -> Result<StreamState, PublishError> {
        self.context
            .delete_stream(subject::EVENT_STREAM)
            .await
            .map_err(unavailable)?;
        self.prepare().await
    }

    /// The event that the stream holds at a sequence, in its delivered form.
    ///
    /// # Errors
    /// [`PublishError::Unavailable`] when the server cannot be asked.
    pub async fn stored(&self, sequence: u64) -> Result<Option<Bytes>, PublishError> {
        let stream = self
            .context
            .get_stream(subject::EVENT_STREAM)
            .await
            .map_err(unavailable)?;
        match stream.get_raw_message(sequence).await {
            Ok(message) => Ok(Some(message.payload)),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Sends events that must begin right after `expected_last`; several runs may be under way. Returns when they are
    /// handed to the connection.
    ///
    /// Every event names the sequence it must follow, so that none is ever stored at another place: should one be lost,
    /// the server refuses all that come after it. Only the last asks for an acknowledgement.
    ///
    /// # Errors
    /// [`PublishError::Unavailable`] when the connection does not take them.
    pub async fn send(
        &mut self,
        expected_last: u64,
        events: Vec<(String, Bytes)>,
    ) -> Result<(), PublishError> {
        let client = self.context.client();
        let count = events.len();
        let mut last = expected_last;
        for (index, (subject, payload)) in events.into_iter().enumerate() {
            let mut headers = HeaderMap::new();
            headers.insert(header::NATS_EXPECTED_LAST_SEQUENCE, last.to_string());
            last += 1;
            let sent = if index + 1 == count {
                let reply_to = format!("{}.{last}", self.inbox);
                client
                    .publish_with_reply_and_headers(subject, reply_to, headers, payload)
                    .await
            } else {
                client.publish_with_headers(subject, headers, payload).await
            };
            sent.map_err(unavailable)?;
        }
        self.pending.push_back((expected_last, last));
        Ok(())
    }

    /// Runs of events sent and not yet acknowledged.
    pub fn in_flight(&self) -> usize {
        self.pending.len()
    }

    /// Waits for the oldest run under way and returns the sequence it ended at. After an error nothing is under way
    /// any more: open a new publisher and look at the stream again.
    ///
    /// # Errors
    /// [`PublishError::OutOfStep`] when the stream did not end where the run began or ended elsewhere than it
    /// should, else [`PublishError::Unavailable`].
    pub async fn acknowledged(&mut self) -> Result<u64, PublishError> {
        let Some((expected_last, last)) = self.pending.pop_front() else {
            return Err(PublishError::Unavailable {
                what: "no run is under way".to_owned(),
            });
        };
        let message = tokio::time::timeout(ACK_TIMEOUT, self.next_ack())
            .await
            .map_err(unavailable)??;
        check_ack(&message, expected_last, last).map(|()| last)
    }

    /// The next acknowledgement; an error as soon as it can be known that none will come.
    async fn next_ack(&mut self) -> Result<async_nats::Message, PublishError> {
        let lost = |what: &str| PublishError::Unavailable {
            what: what.to_owned(),
        };
        loop {
            let next = tokio::time::timeout(CONNECTION_CHECK_INTERVAL, self.acks.next());
            match next.await {
                Ok(message) => return message.ok_or_else(|| lost("the connection is closed")),
                Err(_elapsed) => {
                    if connection_number(&self.context.client()) != self.connection {
                        return Err(lost("the connection was lost while a batch was under way"));
                    }
                }
            }
        }
    }
}

/// Grows with every reconnection of the client.
fn connection_number(client: &async_nats::Client) -> u64 {
    client.statistics().connects.load(Ordering::Relaxed)
}

fn stream_config() -> Config {
    Config {
        name: subject::EVENT_STREAM.to_owned(),
        description: Some("Every event of the ledger; sequence = position + 1. A copy: the log can publish it anew.".to_owned()),
        subjects: vec![subject::ALL_EVENTS.to_owned()],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        // The stream is a copy that the log fills again: a write for every event would buy nothing. Written together
        // they cost the server a tenth to a fifth less.
        persist_mode: Some(PersistenceMode::Async),
        allow_direct: true,
        ..Config::default()
    }
}

/// What makes a stream of this configuration lose events, as its fields are called; empty when nothing does. A bound at which it refuses new
/// ones is no such thing: it may be there to keep room on a disk, and publishing says when it is reached.
fn limits_of(config: &Config) -> String {
    let loses_old = config.discard == DiscardPolicy::Old;
    let loses_old_of_subject = loses_old || !config.discard_new_per_subject;
    let mut limits = Vec::new();
    for (name, limit, loses) in [
        ("max_msgs", config.max_messages, loses_old),
        ("max_bytes", config.max_bytes, loses_old),
        (
            "max_msgs_per_subject",
            config.max_messages_per_subject,
            loses_old_of_subject,
        ),
    ] {
        if limit > 0 && loses {
            limits.push(format!("{name} {limit}"));
        }
    }
    if !config.max_age.is_zero() {
        limits.push(format!("max_age {} s", config.max_age.as_secs()));
    }
    if config.retention != RetentionPolicy::Limits {
        limits.push("retention".to_owned());
    }
    limits.join(", ")
}

/// The same without what loses events. What else somebody chose (replicas, placement, compression, a bound at which new events are refused)
/// is theirs.
fn unlimited(config: Config) -> Config {
    let refuses_new = config.discard == DiscardPolicy::New;
    let ours = stream_config();
    Config {
        max_messages: if refuses_new { config.max_messages } else { -1 },
        max_bytes: if refuses_new { config.max_bytes } else { -1 },
        max_messages_per_subject: -1,
        discard_new_per_subject: false,
        max_age: Duration::ZERO,
        retention: ours.retention,
        ..config
    }
}

/// One event as the stream delivered it.
#[derive(Clone, Debug)]
pub struct FeedEvent {
    /// The event's position in the log: the stream's sequence less one.
    pub position: u64,
    /// The delivered form: leaf with salt and data.
    pub delivered: Bytes,
}

/// The feed of events broke; the reader catches up from the node and opens it anew.
#[derive(Debug, Error)]
#[error("the event stream cannot be read: {what}")]
pub struct FeedError {
    /// What failed, in the server's or client's words.
    pub what: String,
}

fn feed_error(error: impl std::fmt::Display) -> FeedError {
    FeedError {
        what: error.to_string(),
    }
}

/// Live events in order from a position on, as one consumer delivers them.
pub struct EventFeed {
    events: futures::stream::ReadyChunks<pull::Ordered>,
    /// The consumer that delivers them. The client gives the ones that it makes anew other names.
    consumer: String,
}

impl EventFeed {
    /// Opens an ordered consumer that begins at `position`. Chunks hold what has arrived, at most `max_chunk`.
    ///
    /// # Errors
    /// [`FeedError`] when the stream is not there or the consumer cannot be made.
    pub async fn open(bus: &Bus, position: u64, max_chunk: usize) -> Result<Self, FeedError> {
        let context = jetstream::new(bus.client.clone());
        let stream = context
            .get_stream(subject::EVENT_STREAM)
            .await
            .map_err(feed_error)?;
        let name = bus.client.new_inbox().replace('.', "-");
        let config = pull::OrderedConfig {
            name: Some(name.clone()),
            deliver_policy: DeliverPolicy::ByStartSequence {
                start_sequence: position + 1,
            },
            ..pull::OrderedConfig::default()
        };
        let consumer = stream.create_consumer(config).await.map_err(feed_error)?;
        let events = consumer.messages().await.map_err(feed_error)?;
        Ok(Self {
            events: events.ready_chunks(max_chunk),
            consumer: name,
        })
    }

    /// Waits for the next events, in the order of the stream.
    ///
    /// The client makes a lost consumer anew by itself, where the last one ended. Here that ends the feed: the stream may be
    /// another one than before, and whoever reads it must see whether what it had of the old one holds.
    ///
    /// # Errors
    /// [`FeedError`] when the consumer or the stream is gone, or was and is there again.
    pub async fn next(&mut self) -> Result<Vec<FeedEvent>, FeedError> {
        let Some(chunk) = self.events.next().await else {
            return Err(FeedError {
                what: "the connection is closed".to_owned(),
            });
        };
        let mut events = Vec::with_capacity(chunk.len());
        for message in chunk {
            let message = message.map_err(feed_error)?;
            let info = message.info().map_err(feed_error)?;
            if self.consumer != info.consumer {
                return Err(FeedError {
                    what: "its consumer was lost and made anew".to_owned(),
                });
            }
            let position = info.stream_sequence.saturating_sub(1);
            events.push(FeedEvent {
                position,
                delivered: message.message.payload,
            });
        }
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_limits_a_stream_is_named_and_nothing_else_of_it_changes() {
        assert_eq!(limits_of(&stream_config()), "");
        let limited = Config {
            max_messages: 100,
            max_bytes: 5,
            max_age: Duration::from_hours(1),
            num_replicas: 3,
            ..stream_config()
        };
        assert_eq!(
            limits_of(&limited),
            "max_msgs 100, max_bytes 5, max_age 3600 s"
        );
        let lifted = unlimited(limited);
        assert_eq!(limits_of(&lifted), "");
        assert_eq!(lifted.num_replicas, 3);
        let bounded = Config {
            max_bytes: 5,
            discard: DiscardPolicy::New,
            ..stream_config()
        };
        assert_eq!(limits_of(&bounded), "", "it refuses, and loses nothing");
    }
}
