//! The two keys by which nodes agree on which of them takes commands: the lease and the fence.
//!
//! Each is alone in a bucket of its own. Every write names the revision that it replaces, so of two
//! writers one fails.
//!
//! The lease is in the server's memory, and the server removes it when its time to live is over: a
//! full disk, on which nothing is published any more, must not end a lease. So a server that is
//! started again has none, and whoever held it writes it anew.
//!
//! The fence is in a file, written before the server acknowledges it: it outlives the server's
//! process, which the events that it acknowledged may not (they are written in the background).

use std::time::Duration;

use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::stream::{
    Config, DiscardPolicy, LastRawMessageErrorKind, StorageType, Stream,
};
use async_nats::jetstream::{self, Context, ErrorCode};
use async_nats::{HeaderMap, header};
use bytes::Bytes;
use thiserror::Error;

use crate::connection::Bus;
use crate::subject;

/// How long one request to the server may take: less than half of the shortest lease.
const REQUEST_TIMEOUT: Duration = Duration::from_millis(900);

/// The lease as the server holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseEntry {
    /// What its holder wrote; empty when somebody deleted the key by hand.
    pub value: Bytes,
    /// The revision that a write must name to replace it.
    pub revision: u64,
}

/// The lease could not be read or written.
#[derive(Debug, Error)]
pub enum LeaseBucketError {
    /// Somebody else wrote it, or it is gone.
    #[error("somebody else wrote the key first")]
    Changed,
    /// The server could not be asked, or refuses.
    #[error("the bucket {bucket} cannot be used: {what}")]
    Unavailable {
        /// The bucket.
        bucket: &'static str,
        /// What failed, in the server's or client's words.
        what: String,
    },
}

/// Where a key is kept.
#[derive(Debug)]
struct Place {
    bucket: &'static str,
    stream: &'static str,
    key: &'static str,
    description: &'static str,
    storage: StorageType,
}

const LEASE: Place = Place {
    bucket: subject::LEASE_BUCKET,
    stream: subject::LEASE_STREAM,
    key: subject::LEASE_KEY,
    description: "The lease of the one node that takes commands.",
    storage: StorageType::Memory,
};
const FENCE: Place = Place {
    bucket: subject::FENCE_BUCKET,
    stream: subject::FENCE_STREAM,
    key: subject::FENCE_KEY,
    description: "Which node gave receipts last, and how many events its log had: no node with fewer takes over.",
    storage: StorageType::File,
};

impl Place {
    fn unavailable(&self, error: impl std::fmt::Display) -> LeaseBucketError {
        LeaseBucketError::Unavailable {
            bucket: self.bucket,
            what: error.to_string(),
        }
    }

    fn write_error(&self, kind: PublishErrorKind) -> LeaseBucketError {
        if kind == PublishErrorKind::WrongLastSequence {
            return LeaseBucketError::Changed;
        }
        self.unavailable(kind)
    }

    fn config(&self) -> Config {
        Config {
            name: self.stream.to_owned(),
            description: Some(self.description.to_owned()),
            subjects: vec![format!("$KV.{}.>", self.bucket)],
            max_messages_per_subject: 1,
            discard: DiscardPolicy::New,
            storage: self.storage,
            allow_rollup: true,
            allow_direct: true,
            deny_delete: true,
            allow_message_ttl: self.storage == StorageType::Memory,
            ..Config::default()
        }
    }
}

/// A bucket with one key.
#[derive(Clone, Debug)]
pub struct LeaseBucket {
    context: Context,
    place: &'static Place,
}

impl LeaseBucket {
    /// The bucket of the lease on this connection; it is made when it is first needed.
    pub fn lease(bus: &Bus) -> Self {
        Self::new(bus, &LEASE)
    }

    /// The bucket of the fence.
    pub fn fence(bus: &Bus) -> Self {
        Self::new(bus, &FENCE)
    }

    fn new(bus: &Bus, place: &'static Place) -> Self {
        let mut context = jetstream::new(bus.client.clone());
        context.set_timeout(REQUEST_TIMEOUT);
        Self { context, place }
    }

    /// The content of the key; nothing when nobody wrote it, or the server has no bucket.
    ///
    /// # Errors
    /// [`LeaseBucketError::Unavailable`] when the server cannot be asked.
    pub async fn read(&self) -> Result<Option<LeaseEntry>, LeaseBucketError> {
        let unavailable = |error: &dyn std::fmt::Display| self.place.unavailable(error);
        let stream: Stream<()> = self
            .context
            .get_stream_no_info(self.place.stream)
            .await
            .map_err(|error| unavailable(&error))?;
        let last = stream.get_last_raw_message_by_subject(self.place.key);
        match last.await {
            Ok(message) => Ok(Some(LeaseEntry {
                value: message.payload,
                revision: message.sequence,
            })),
            Err(error) => match error.kind() {
                LastRawMessageErrorKind::NoMessageFound => Ok(None),
                LastRawMessageErrorKind::JetStream(refused)
                    if refused.error_code() == ErrorCode::STREAM_NOT_FOUND =>
                {
                    Ok(None)
                }
                LastRawMessageErrorKind::JetStream(_)
                | LastRawMessageErrorKind::InvalidSubject
                | LastRawMessageErrorKind::Other => Err(unavailable(&error)),
            },
        }
    }

    /// Writes the key in place of the revision `replaces`; 0 where there must be none. The server
    /// removes it after `time_to_live`, in whole seconds; without one it stays. Gives its revision.
    ///
    /// # Errors
    /// [`LeaseBucketError::Changed`] when the server holds another revision,
    /// [`LeaseBucketError::Unavailable`] when it cannot be asked or refuses: then it may hold what
    /// was written, or not.
    pub async fn write(
        &self,
        value: Vec<u8>,
        replaces: u64,
        time_to_live: Option<Duration>,
    ) -> Result<u64, LeaseBucketError> {
        let value = Bytes::from(value);
        match self.publish(value.clone(), replaces, time_to_live).await {
            Err(PublishErrorKind::StreamNotFound) => {
                self.make().await?;
                let written = self.publish(value, replaces, time_to_live).await;
                written.map_err(|kind| self.place.write_error(kind))
            }
            written => written.map_err(|kind| self.place.write_error(kind)),
        }
    }

    async fn publish(
        &self,
        value: Bytes,
        replaces: u64,
        time_to_live: Option<Duration>,
    ) -> Result<u64, PublishErrorKind> {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE,
            replaces.to_string(),
        );
        if let Some(time_to_live) = time_to_live {
            let seconds = time_to_live.as_secs().to_string();
            headers.insert(header::NATS_MESSAGE_TTL, seconds);
        }
        let sent = self
            .context
            .publish_with_headers(self.place.key, headers, value)
            .await;
        let acknowledged = sent.map_err(|error| error.kind())?.await;
        match acknowledged {
            Ok(acknowledged) => Ok(acknowledged.sequence),
            Err(error) => Err(error.kind()),
        }
    }

    async fn make(&self) -> Result<(), LeaseBucketError> {
        let unavailable = |error: &dyn std::fmt::Display| self.place.unavailable(error);
        let wanted = self.place.config();
        let stream = self.context.get_or_create_stream(wanted.clone()).await;
        let stream = stream.map_err(|error| unavailable(&error))?;
        let made = stream.cached_info().config.clone();
        if made.allow_message_ttl || !wanted.allow_message_ttl {
            return Ok(());
        }
        let changed = Config {
            allow_message_ttl: true,
            ..made
        };
        let changed = self.context.update_stream(changed).await;
        let changed = changed.map_err(|error| unavailable(&error))?;
        if changed.config.allow_message_ttl {
            return Ok(());
        }
        Err(unavailable(
            &"nats-server knows no time to live of a key: it must be 2.11 or newer",
        ))
    }
}
