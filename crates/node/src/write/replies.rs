//! Receipts on their way back.
//!
//! Replies are handed over in whole groups by the thread that synced them, encoded and sent by one task.

use std::collections::BTreeMap;

use bytes::Bytes;
use ledger_bus::{Replier, ReplyTo};
use ledger_domain::wire::v1::{Receipt, Status};
use ledger_domain::{Rejection, RejectionCode};
use tokio::sync::mpsc;
use tracing::warn;

use crate::lease::{Lease, NotHeld};
use crate::runtime::telemetry::Telemetry;
use crate::write::queue::Ticket;

/// What is left of a refusal's sentence where the receipts of a batch are too large.
const CUT_CHARS: usize = 120;

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
            // It may wait long, and of the message nothing else is needed.
            to: to.map(ReplyTo::detached),
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
    /// Events of the log when it was opened.
    had_events: u64,
    /// The fence covers an event of this run. No copy from before can take over then, and later
    /// events need no fence.
    is_fenced: bool,
}

impl Guard {
    pub(crate) fn new(lease: &Lease, had_events: u64) -> Self {
        Self {
            lease: lease.clone(),
            had_events,
            is_fenced: false,
        }
    }

    /// Waits until these receipts are known to stay true: the fence covers what they rest on, and the lease is held.
    async fn allows(&mut self, group: &[SubmissionReply]) -> Result<(), NotHeld> {
        if !self.is_fenced {
            let receipts = group.iter().flat_map(|reply| &reply.receipts);
            let rests_on = receipts.filter_map(|receipt| receipt.tree_size).max();
            let rests_on = rests_on.unwrap_or(0).min(self.had_events + 1);
            self.lease.fence(rests_on).await?;
            self.is_fenced = rests_on > self.had_events;
        }
        self.lease.held().await
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

/// The refusal of a command that waited, or came, when nothing is written any more.
pub(crate) fn stopped() -> Rejection {
    Rejection::new(
        RejectionCode::Unavailable,
        "the ledger cannot write any more and stops; nothing of this was recorded: send the same bytes again when it runs",
    )
}

/// The refusal of a command that was decided but will not be written.
pub(crate) fn not_recorded() -> Rejection {
    Rejection::new(
        RejectionCode::StorageFull,
        "the ledger's disk is at its floor and nothing was recorded: send the same bytes again when there is room",
    )
}

/// Turns replies into refusals: what was decided is void, and so is every answer that rested on it. What could not be
/// read rests on nothing and keeps its own refusal.
pub(crate) fn refuse_all(
    replies: Vec<SubmissionReply>,
    why: fn() -> Rejection,
) -> Vec<SubmissionReply> {
    let refuse = |receipt: Receipt| {
        if receipt.rests_on_state() {
            Receipt::rejected(receipt.command_id, why())
        } else {
            receipt
        }
    };
    replies
        .into_iter()
        .map(|reply| SubmissionReply {
            receipts: reply.receipts.into_iter().map(refuse).collect(),
            ..reply
        })
        .collect()
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
            ticket: crate::write::intake::ticket(),
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
