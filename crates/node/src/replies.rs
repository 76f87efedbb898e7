//! Receipts on their way back.
//!
//! Replies are handed over in whole groups by the thread that synced them, encoded and sent by one task.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use ledger_bus::{Replier, ReplyTo};
use ledger_domain::Rejection;
use ledger_domain::wire::v1::{Receipt, Status};
use tokio::sync::{mpsc, watch};
use tracing::warn;

use crate::intake::Ticket;
use crate::lease::{Lease, NotHeld};
use crate::telemetry::Telemetry;

/// What is left of a refusal's sentence where the receipts of a batch are too large.
const CUT_CHARS: usize = 120;
/// How long the first event of a run takes to the stream before it is said that receipts wait for it.
const FIRST_EVENT_WITHIN: Duration = Duration::from_secs(1);
const NOT_IN_STREAM: &str = "the event stream has not taken the first event since the node was started, and receipts wait until it has";

/// The receipts of one submission.
#[derive(Debug)]
pub(crate) struct SubmissionReply {
    /// Where they go; nowhere when the sender asked for none.
    pub(crate) to: Option<ReplyTo>,
    /// Whether the reply is an array.
    pub(crate) is_batch: bool,
    /// The receipts in the order of the commands.
    pub(crate) receipts: Vec<Receipt>,
    /// The submission's place in the queue, given back once it is answered.
    pub(crate) ticket: Ticket,
}

impl SubmissionReply {
    /// One rejection for a submission of which nothing could be taken.
    pub(crate) fn refused(to: Option<ReplyTo>, rejection: Rejection, ticket: Ticket) -> Self {
        Self {
            to,
            is_batch: false,
            receipts: vec![Receipt::rejected(None, rejection)],
            ticket,
        }
    }

    fn encode(&self) -> Bytes {
        match self.receipts.as_slice() {
            [receipt] if !self.is_batch => receipt.encode(),
            receipts => Receipt::encode_all(receipts),
        }
        .into()
    }

    /// The receipts in so many bytes: where they are more, the sentences of refusals are cut, as a reply that the server does not take tells its
    /// sender nothing at all.
    fn encode_within(&mut self, max_bytes: usize) -> Bytes {
        let whole = self.encode();
        if whole.len() <= max_bytes {
            return whole;
        }
        for rejection in self
            .receipts
            .iter_mut()
            .filter_map(|receipt| receipt.rejection.as_mut())
        {
            cut(&mut rejection.message);
            if let Some(field) = &mut rejection.field {
                cut(field);
            }
        }
        let cut = self.encode();
        if cut.len() > max_bytes {
            warn!(
                bytes = cut.len(),
                max_bytes,
                "receipts are larger than the nats-server takes and cannot be sent: set max_payload: 8MB in its \
                 configuration, or send fewer commands at a time"
            );
        }
        cut
    }
}

/// Where replies are handed over; never blocks. What waits here is bounded by the queue before the writer.
#[derive(Clone, Debug)]
pub(crate) struct ReplySender(mpsc::UnboundedSender<Vec<SubmissionReply>>);

impl ReplySender {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Vec<SubmissionReply>>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    pub(crate) fn send(&self, reply: SubmissionReply) {
        self.send_all(vec![reply]);
    }

    pub(crate) fn send_all(&self, replies: Vec<SubmissionReply>) {
        if self.0.send(replies).is_err() {
            tracing::debug!("a reply came after the node had stopped");
        }
    }
}

/// What has to hold before receipts leave.
pub(crate) struct Guard {
    /// The node's lease. It is looked at again for each group: this process may have been stopped for longer than it lasts.
    lease: Lease,
    /// How far the stream goes.
    published: watch::Receiver<u64>,
    /// Events of the log when it was opened.
    had_events: u64,
}

impl Guard {
    pub(crate) fn new(lease: &Lease, published: &watch::Receiver<u64>, had_events: u64) -> Self {
        Self {
            lease: lease.clone(),
            published: published.clone(),
            had_events,
        }
    }

    /// Waits until these receipts are known to stay true. The first of a run that accept anything wait until the stream has an event that
    /// no copy of the log from before has: a node on such a copy never agrees with the stream again.
    async fn allows(&mut self, group: &[SubmissionReply]) -> Result<(), NotHeld> {
        let mut receipts = group.iter().flat_map(|reply| &reply.receipts);
        if receipts.any(|receipt| receipt.status == Status::Accepted) {
            self.in_stream().await?;
        }
        self.lease.held().await
    }

    async fn in_stream(&mut self) -> Result<(), NotHeld> {
        let had_events = self.had_events;
        if *self.published.borrow() > had_events {
            return Ok(());
        }
        let standing = self.lease.standing().clone();
        let published = &mut self.published;
        let first = async move {
            let arrived = published.wait_for(|size| *size > had_events).await;
            arrived.map(drop).map_err(|_| NotHeld)
        };
        let mut first = pin!(first);
        if let Ok(arrived) = tokio::time::timeout(FIRST_EVENT_WITHIN, &mut first).await {
            return arrived;
        }
        tracing::warn!("{NOT_IN_STREAM}");
        standing.receipts_wait(Some(NOT_IN_STREAM));
        let arrived = first.await;
        standing.receipts_wait(None);
        arrived
    }
}

/// Encodes and sends replies until every sender is gone. None leaves once the lease is another node's.
pub(crate) async fn run(
    mut replies: mpsc::UnboundedReceiver<Vec<SubmissionReply>>,
    to: Replier,
    telemetry: Telemetry,
    mut guard: Guard,
) {
    while let Some(group) = replies.recv().await {
        if guard.allows(&group).await.is_err() {
            continue;
        }
        let mut counts = [0_u64; 3];
        let mut refused = BTreeMap::new();
        for mut reply in group {
            count(&reply, &mut counts);
            let receipts = reply.receipts.iter();
            for rejection in receipts.filter_map(|receipt| receipt.rejection.as_ref()) {
                *refused.entry(rejection.code).or_insert(0) += 1;
            }
            if let Some(address) = reply.to.clone() {
                to.reply(address, reply.encode_within(to.max_bytes())).await;
            }
            drop(reply.ticket);
        }
        let [accepted, duplicate, rejected] = counts;
        telemetry.count_commands(Status::Accepted, accepted);
        telemetry.count_commands(Status::Duplicate, duplicate);
        telemetry.count_commands(Status::Rejected, rejected);
        for (code, count) in refused {
            telemetry.count_rejections(code, count);
        }
    }
}

/// Cuts a long text, and shows that it was.
fn cut(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(CUT_CHARS) {
        text.truncate(end);
        text.push('…');
    }
}

fn count(reply: &SubmissionReply, [accepted, duplicate, rejected]: &mut [u64; 3]) {
    for receipt in &reply.receipts {
        let counter = match receipt.status {
            Status::Accepted => &mut *accepted,
            Status::Duplicate => &mut *duplicate,
            Status::Rejected => &mut *rejected,
        };
        *counter += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_domain::RejectionCode;

    #[test]
    fn receipts_that_the_server_would_not_take_lose_words_and_nothing_else() {
        let refused = || {
            let message = "ü".repeat(3_000);
            let rejection = Rejection::at(RejectionCode::BlankingRefused, "data.title", message);
            Receipt::rejected(None, rejection)
        };
        let mut reply = SubmissionReply {
            to: None,
            is_batch: true,
            receipts: (0..1_000).map(|_| refused()).collect(),
            ticket: crate::intake::ticket(),
        };
        let whole = reply.encode();
        assert_eq!(reply.encode_within(8 << 20), whole, "there is room");
        let cut = reply.encode_within(1 << 20);
        assert!(cut.len() <= 1 << 20, "{}", cut.len());
        let receipts: Vec<Receipt> = serde_json::from_slice(&cut).expect("receipts");
        assert_eq!(receipts.len(), 1_000);
        for receipt in receipts {
            let rejection = receipt.rejection.expect("a refusal");
            assert_eq!(rejection.code, RejectionCode::BlankingRefused);
            assert_eq!(rejection.field.as_deref(), Some("data.title"));
            assert!(rejection.message.ends_with("ü…"));
        }
    }
}
