//! Following the log: catching up by blocks from the node, then the stream, never over a gap.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use ledger_bus::{BucketError, EventFeed, FeedError, FeedEvent, QueryService, ViewBucket, subject};
use ledger_domain::view::{Family, family_of};
use ledger_domain::wire::v1::endpoint::ViewEndpoint;
use ledger_domain::wire::v1::query::ReplayQuery;
use ledger_proof::block::{Content, StoredEvent};
use ledger_proof::delivered::{self, Payload};
use ledger_proof::{Hash, leaf_hash};
use tokio::time::MissedTickBehavior;
use tracing::warn;

use super::known::keep_closed;
use super::pages::{DecodedPage, Pages, QUERY_TIMEOUT, for_each_stored};
use super::{Interruption, LastLeaf, Projector};
use crate::query::history::decode_excerpt;

/// Events that the stream may be behind the node before blocks are fetched instead.
const LAG_EVENTS: u64 = 10_000;
/// How often changed views are published.
const PUBLISH_INTERVAL: Duration = Duration::from_millis(50);
/// How often views are saved, at the most.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);
/// How often the node is asked whether the stream holds something back.
const LAG_CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Events after which views are saved while catching up.
const SAVE_EVENTS: u64 = 1_000_000;
/// Events between two looks at the lag from which on blocks are folded in place of the stream.
const BUSY_EVENTS: u64 = 20_000;
/// How often changed views are published while there is much to fold: then nearly all of them change all the time.
const BUSY_PUBLISH_INTERVAL: Duration = Duration::from_millis(250);
/// How often views are saved when more than a few events came, at the most, and what few are. Nothing is lost meanwhile but the time to fold again.
const BUSY_SAVE_INTERVAL: Duration = Duration::from_secs(10);
const FEW_EVENTS: u64 = 5_000;
/// Events that are saved however soon.
const MANY_EVENTS: u64 = 250_000;
const FEED_CHUNK: usize = 512;

impl Projector {
    /// Catches up and follows the log until something interrupts it.
    pub(super) async fn session(
        &mut self,
        service: &mut QueryService<ViewEndpoint>,
    ) -> Interruption {
        match self.follow(service).await {
            Ok(never) => match never {},
            Err(interruption) => interruption,
        }
    }

    async fn follow(
        &mut self,
        service: &mut QueryService<ViewEndpoint>,
    ) -> Result<Infallible, Interruption> {
        self.mend()?;
        self.check_history(service).await?;
        self.catch_up(service, None).await?;
        let mut buckets = Vec::new();
        for &family in self.families {
            let bus = self.bus.clone();
            let opening = Box::pin(async move { ViewBucket::open(&bus, family.name()).await });
            buckets.push((family, self.answer_until(service, opening).await??));
        }
        self.unpublished.extend(self.projection.keys());
        self.publish(&buckets, service).await?;
        self.remove_others(&buckets, service).await?;
        loop {
            self.follow_stream(&buckets, service).await?;
            self.follow_blocks(&buckets, service).await?;
        }
    }

    /// Removes from the buckets what no view was: somebody else wrote it, or it is of another log.
    async fn remove_others(
        &mut self,
        buckets: &[(Family, ViewBucket)],
        service: &mut QueryService<ViewEndpoint>,
    ) -> Result<(), Interruption> {
        for (family, bucket) in buckets {
            let keys = self.projection.keys().into_iter();
            let keys = keys.filter(|key| family_of(key) == *family).collect();
            let removing = Box::pin(bucket.remove_others(&keys));
            let removed = self.answer_until(service, removing).await??;
            if removed > 0 {
                warn!(
                    family = family.name(),
                    removed, "keys were in the bucket that are no views: they were removed"
                );
            }
        }
        Ok(())
    }

    /// Folds what the stream delivers, until that is so much that blocks are cheaper: every message costs the server and this process more than
    /// folding it does.
    async fn follow_stream(
        &mut self,
        buckets: &[(Family, ViewBucket)],
        service: &mut QueryService<ViewEndpoint>,
    ) -> Result<(), Interruption> {
        let bus = self.bus.clone();
        let opening = Box::pin(EventFeed::open(&bus, self.checkpoint, FEED_CHUNK));
        let mut feed = self.answer_until(service, opening).await??;
        self.check_log(service).await?;
        let mut publish_tick = tokio::time::interval(PUBLISH_INTERVAL);
        let mut lag_tick = tokio::time::interval(LAG_CHECK_INTERVAL);
        let mut behind_at = None;
        let mut seen = self.checkpoint;
        publish_tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        lag_tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                events = feed.next() => self.fold_feed(&events?, service).await?,
                query = service.next() => self.answer(query).await?,
                _ = publish_tick.tick() => {
                    self.publish(buckets, service).await?;
                    self.save_in_time()?;
                }
                _ = lag_tick.tick() => {
                    self.check_store()?;
                    self.check_feed(&mut behind_at, service).await?;
                    self.check_buckets(buckets, service).await?;
                    if self.checkpoint - seen >= BUSY_EVENTS {
                        return Ok(());
                    }
                    seen = self.checkpoint;
                }
            }
        }
    }

    /// Folds blocks as they come, until there are so few events again that the stream brings them sooner.
    async fn follow_blocks(
        &mut self,
        buckets: &[(Family, ViewBucket)],
        service: &mut QueryService<ViewEndpoint>,
    ) -> Result<(), Interruption> {
        let (mut seen, mut checked_at) = (self.checkpoint, Instant::now());
        loop {
            let until = Instant::now() + BUSY_PUBLISH_INTERVAL;
            self.catch_up(service, Some(until)).await?;
            if self.published_at.elapsed() >= BUSY_PUBLISH_INTERVAL {
                self.publish(buckets, service).await?;
            }
            self.save_in_time()?;
            if checked_at.elapsed() >= LAG_CHECK_INTERVAL {
                self.check_store()?;
                self.check_log(service).await?;
                self.check_buckets(buckets, service).await?;
                if self.checkpoint - seen < BUSY_EVENTS / 2 {
                    return Ok(());
                }
                (seen, checked_at) = (self.checkpoint, Instant::now());
            }
            let pause = tokio::time::sleep(PUBLISH_INTERVAL);
            self.answer_until(service, pause).await?;
        }
    }

    /// Saves what changed when it is time: soon while little happens, and while much happens as soon as it would take a second to fold again.
    fn save_in_time(&mut self) -> Result<(), Interruption> {
        let due = match self.unsaved_events {
            0 => false,
            1..FEW_EVENTS => self.saved_at.elapsed() >= SAVE_INTERVAL,
            FEW_EVENTS..MANY_EVENTS => self.saved_at.elapsed() >= BUSY_SAVE_INTERVAL,
            MANY_EVENTS.. => true,
        };
        if due {
            self.save()?;
        }
        Ok(())
    }

    /// Sees to it that the stream does not hold anything back, and fetches from the node what is not published in time.
    /// Normally nothing is left to fetch: it was delivered.
    async fn check_feed(
        &mut self,
        behind_at: &mut Option<u64>,
        service: &mut QueryService<ViewEndpoint>,
    ) -> Result<(), Interruption> {
        let bus = self.bus.clone();
        let asking = bus.head(QUERY_TIMEOUT);
        let head = self.answer_until(service, asking).await??;
        self.standing.hear(head.tree_size);
        if head.tree_size < self.checkpoint {
            // What is published was on disk before: somebody else published, and it is not to stay in the views.
            let what = format!(
                "it delivered {} events, the log has {}",
                self.checkpoint, head.tree_size
            );
            return Err(FeedError { what }.into());
        }
        // A log put back from a backup may have grown past the checkpoint again.
        self.check_log(service).await?;
        let stalled = *behind_at == Some(self.checkpoint);
        if stalled && head.published > self.checkpoint {
            // A consumer that lost its server may go silent without an error: only the node can tell.
            let what = format!(
                "nothing came after {} events although {} were published",
                self.checkpoint, head.published
            );
            return Err(FeedError { what }.into());
        }
        let lag_events = head.tree_size.saturating_sub(self.checkpoint);
        if lag_events > LAG_EVENTS || (stalled && lag_events > 0) {
            self.catch_up(service, None).await?;
        }
        // What was published while the node was asked may be waiting here: only the next look can tell.
        *behind_at = (head.tree_size > self.checkpoint).then_some(self.checkpoint);
        Ok(())
    }

    /// Sees to it that the buckets hold what was written to them: it may have been lost while no view changed.
    async fn check_buckets(
        &mut self,
        buckets: &[(Family, ViewBucket)],
        service: &mut QueryService<ViewEndpoint>,
    ) -> Result<(), Interruption> {
        self.publish(buckets, service).await?;
        for (family, bucket) in buckets {
            let held = self.answer_until(service, bucket.count()).await??;
            let keys = self.projection.keys();
            let written = keys.iter().filter(|key| family_of(key) == *family).count();
            if usize::try_from(held).is_ok_and(|held| held < written) {
                return Err(BucketError {
                    bucket: subject::bucket(family.name()),
                    what: format!("it has lost views: {held} of {written} are left"),
                }
                .into());
            }
        }
        Ok(())
    }

    /// Ends the session when a question about the past met history that does not hold.
    fn check_store(&self) -> Result<(), Interruption> {
        if self.is_faulty() {
            return Err(Interruption::Damaged);
        }
        Ok(())
    }

    /// Makes a store anew that does not hold, as soon as there is room for one. Until then the views are those that were folded last.
    fn mend(&mut self) -> Result<(), Interruption> {
        if !self.is_faulty() {
            return Ok(());
        }
        tokio::task::block_in_place(|| {
            self.store.check_room()?;
            self.start_over()
        })?;
        warn!(
            projection = self.name(),
            "the store was made anew, folding the log"
        );
        Ok(())
    }

    /// Makes sure that the views come from the log that the node has now.
    async fn check_history(
        &mut self,
        service: &mut QueryService<ViewEndpoint>,
    ) -> Result<(), Interruption> {
        let bus = self.bus.clone();
        let asking = bus.head(QUERY_TIMEOUT);
        let head = self.answer_until(service, asking).await??;
        if !self.standing.is_known() {
            self.bus.warn_of_small_messages();
        }
        self.standing.hear(head.tree_size);
        let Some(last) = self.checkpoint.checked_sub(1) else {
            self.standing.begin();
            return Ok(());
        };
        if head.tree_size >= self.checkpoint
            && self.leaf_at(last, service).await? == Some(self.last_leaf.hash())
        {
            self.standing.follow_on();
            return Ok(());
        }
        warn!(
            projection = self.name(),
            checkpoint = self.checkpoint,
            "the views come from another log, folding anew"
        );
        tokio::task::block_in_place(|| self.start_over())?;
        self.standing.begin();
        Ok(())
    }

    /// Ends the session when the newest event that was folded is not the one that the node's log has there.
    async fn check_log(
        &mut self,
        service: &mut QueryService<ViewEndpoint>,
    ) -> Result<(), Interruption> {
        let Some(last) = self.checkpoint.checked_sub(1) else {
            return Ok(());
        };
        if self.leaf_at(last, service).await? == Some(self.last_leaf.hash()) {
            return Ok(());
        }
        let what = format!("the node's log has another event at position {last}");
        Err(FeedError { what }.into())
    }

    /// The hash of the leaf that the node's log has at a position.
    async fn leaf_at(
        &mut self,
        position: u64,
        service: &mut QueryService<ViewEndpoint>,
    ) -> Result<Option<Hash>, Interruption> {
        let query = ReplayQuery {
            from: position,
            to: Some(position + 1),
            ..ReplayQuery::default()
        };
        let bus = self.bus.clone();
        let asking = bus.replay(&query, QUERY_TIMEOUT);
        let page = self.answer_until(service, asking).await??;
        let mut found = None;
        for_each_stored(&mut self.decoder, &page, |stored| {
            if stored.position == position {
                found = Some(leaf_hash(stored.header));
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Folds blocks from the node until its end or the time is reached; queries are answered in between. The next pages are fetched and decoded
    /// while one is folded.
    async fn catch_up(
        &mut self,
        service: &mut QueryService<ViewEndpoint>,
        until: Option<Instant>,
    ) -> Result<(), Interruption> {
        let mut pages = Pages::open(&self.bus, self.checkpoint);
        loop {
            let page = self.answer_until(service, pages.next()).await??;
            self.standing.hear(page.tree_size);
            let at_end = page.at_end;
            // The connection's tasks go on meanwhile.
            tokio::task::block_in_place(|| self.fold_page(page))?;
            if self.unsaved_events >= SAVE_EVENTS {
                self.save()?;
            }
            if at_end || until.is_some_and(|until| Instant::now() >= until) {
                return Ok(());
            }
        }
    }

    fn fold_page(&mut self, page: DecodedPage) -> Result<(), Interruption> {
        for (position, event) in (page.first..).zip(&page.events) {
            if position == self.checkpoint {
                self.fold(event.as_ref());
            }
        }
        if self.checkpoint == page.next && !page.events.is_empty() {
            self.last_leaf = LastLeaf::Bytes(page.last_leaf);
        }
        self.note_checkpoint();
        Ok(keep_closed(&mut self.projection, &mut self.store)?)
    }

    /// Folds what the stream delivered; a gap is filled from the node first.
    async fn fold_feed(
        &mut self,
        events: &[FeedEvent],
        service: &mut QueryService<ViewEndpoint>,
    ) -> Result<(), Interruption> {
        for event in events {
            if event.position > self.checkpoint {
                self.catch_up(service, None).await?;
            }
            if event.position < self.checkpoint {
                continue;
            }
            if event.position > self.checkpoint {
                let what = format!(
                    "position {} is missing from it and from the node",
                    self.checkpoint
                );
                return Err(FeedError { what }.into());
            }
            let position = event.position;
            // The stream is never believed: what cannot be read there is asked of the node before it ends anything.
            let strange = |error: &dyn std::error::Error| FeedError {
                what: format!("position {position}: {error}"),
            };
            let cut = delivered::cut(&event.delivered).map_err(|error| strange(&error))?;
            let leaf = cut.leaf();
            let stored = StoredEvent {
                position,
                header: &leaf,
                content: content(&cut.payload),
                route: "",
            };
            let decoded = decode_excerpt(&stored).map_err(|error| strange(&error))?;
            if let Some(event) = &decoded
                && event.heading.position.0 != position
            {
                let what = format!("it has position {} at {position}", event.heading.position);
                return Err(FeedError { what }.into());
            }
            self.fold(decoded.as_ref());
            self.last_leaf.note(&leaf);
        }
        self.standing.see(self.checkpoint);
        self.note_checkpoint();
        Ok(keep_closed(&mut self.projection, &mut self.store)?)
    }
}

fn content<'a>(payload: &'a Payload<'a>) -> Content<'a> {
    match payload {
        Payload::Data { salt, data } => Content::Present { salt, data },
        Payload::Withheld { ground } => Content::Withheld { ground },
    }
}
