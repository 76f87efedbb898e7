//! KV buckets of views: a dashboard watches a key.

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::kv::{Config, Store};
use async_nats::jetstream::{self, ErrorCode, stream::StorageType};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use thiserror::Error;

use crate::connection::Bus;
use crate::subject;

/// Writes under way at once.
const PUTS_IN_FLIGHT: usize = 64;
/// Keys removed at once.
const REMOVED_AT_ONCE: usize = 10_000;
/// How long the listing of the keys may take.
const LISTING_TIMEOUT: Duration = Duration::from_secs(10);

/// A bucket could not be made or written.
#[derive(Debug, Error)]
#[error("the bucket {bucket} cannot be used: {what}")]
pub struct BucketError {
    /// Name of the bucket.
    pub bucket: String,
    /// What failed, in the server's or client's words.
    pub what: String,
}

/// The bucket of one projection.
#[derive(Clone, Debug)]
pub struct ViewBucket {
    name: String,
    store: Store,
}

impl ViewBucket {
    /// Opens the bucket of a projection, making it if there is none.
    ///
    /// # Errors
    /// [`BucketError`] when the server cannot be asked or refuses.
    pub async fn open(bus: &Bus, projection: &str) -> Result<Self, BucketError> {
        let name = subject::bucket(projection);
        let context = jetstream::new(bus.client.clone());
        let config = Config {
            bucket: name.clone(),
            description: format!(
                "Newest {projection} views; a copy that the projector can write anew."
            ),
            history: 1,
            storage: StorageType::File,
            ..Config::default()
        };
        match context.create_or_update_key_value(config).await {
            Ok(store) => Ok(Self { name, store }),
            Err(error) => Err(BucketError {
                bucket: name,
                what: error.to_string(),
            }),
        }
    }

    /// Opens the bucket of a projection as it is, and changes nothing; none where there is none.
    ///
    /// # Errors
    /// [`BucketError`] when the server cannot be asked.
    pub async fn existing(bus: &Bus, projection: &str) -> Result<Option<Self>, BucketError> {
        let name = subject::bucket(projection);
        let context = jetstream::new(bus.client.clone());
        let failed = |what: String| BucketError {
            bucket: name.clone(),
            what,
        };
        if let Err(error) = context.get_stream(format!("KV_{name}")).await {
            return match error.kind() {
                GetStreamErrorKind::JetStream(refused)
                    if refused.error_code() == ErrorCode::STREAM_NOT_FOUND =>
                {
                    Ok(None)
                }
                GetStreamErrorKind::JetStream(_)
                | GetStreamErrorKind::EmptyName
                | GetStreamErrorKind::Request
                | GetStreamErrorKind::InvalidStreamName => Err(failed(error.to_string())),
            };
        }
        let opened = context.get_key_value(&name).await;
        let store = opened.map_err(|error| failed(error.to_string()))?;
        Ok(Some(Self { name, store }))
    }

    /// The keys that have a body.
    ///
    /// # Errors
    /// [`BucketError`] when the server cannot be asked.
    pub async fn keys(&self) -> Result<BTreeSet<String>, BucketError> {
        let listing = async {
            let keys = self.store.keys().await;
            let keys = keys.map_err(|error| self.error(&error))?;
            let keys = keys.try_collect::<BTreeSet<_>>().await;
            keys.map_err(|error| self.error(&error))
        };
        let listed = tokio::time::timeout(LISTING_TIMEOUT, listing).await;
        listed.map_err(|error| self.error(&error))?
    }

    /// Writes the newest bodies of these keys; returns when the server has taken all.
    ///
    /// # Errors
    /// [`BucketError`] at the first write that failed; writing again is safe.
    pub async fn put_all(&self, views: Vec<(String, Bytes)>) -> Result<(), BucketError> {
        let puts = views
            .into_iter()
            .map(|(key, body)| async move { self.store.put(key, body).await });
        futures::stream::iter(puts)
            .buffer_unordered(PUTS_IN_FLIGHT)
            .try_for_each(|_revision| async { Ok(()) })
            .await
            .map_err(|error| self.error(&error))
    }

    /// Removes the keys that are not among these: nobody else may write here, and nothing but this would ever take them away. Gives how many
    /// there were, 10,000 at most. Whoever watches such a key is told that it was deleted.
    ///
    /// # Errors
    /// [`BucketError`] when the server cannot be asked or refuses.
    pub async fn remove_others(&self, keys: &BTreeSet<String>) -> Result<usize, BucketError> {
        let listing = async {
            let held = self
                .store
                .keys()
                .await
                .map_err(|error| self.error(&error))?;
            let others = held.try_filter(|key| std::future::ready(!keys.contains(key)));
            let others = others.take(REMOVED_AT_ONCE).try_collect::<Vec<_>>().await;
            others.map_err(|error| self.error(&error))
        };
        let others = tokio::time::timeout(LISTING_TIMEOUT, listing).await;
        let others = others.map_err(|error| self.error(&error))??;
        for key in &others {
            let deleted = self.store.delete(key).await;
            deleted.map_err(|error| self.error(&error))?;
            // The mark of a deleted key would be counted as a view.
            let subject = format!("{}{key}", self.store.prefix);
            let purged = self.store.stream.purge().filter(subject).await;
            purged.map_err(|error| self.error(&error))?;
        }
        Ok(others.len())
    }

    fn error(&self, error: &dyn std::error::Error) -> BucketError {
        BucketError {
            bucket: self.name.clone(),
            what: error.to_string(),
        }
    }

    /// How many keys the server holds.
    ///
    /// # Errors
    /// [`BucketError`] when the server cannot be asked, or has the bucket no more.
    pub async fn count(&self) -> Result<u64, BucketError> {
        let info = self.store.stream.get_info().await;
        info.map(|info| info.state.messages)
            .map_err(|error| self.error(&error))
    }

    /// The body of a key, when there is one.
    ///
    /// # Errors
    /// [`BucketError`] when the server cannot be asked.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, BucketError> {
        let entry = self.store.get(key).await;
        entry.map_err(|error| self.error(&error))
    }
}
