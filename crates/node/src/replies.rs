//! Receipts on their way back.
//!
//! Replies are handed over in whole groups by the thread that synced them, encoded and sent by one task.

use bytes::Bytes;
use ledger_bus::{Replier, ReplyTo};
use ledger_domain::Rejection;
use ledger_domain::wire::v1::{Receipt, Status};
use tokio::sync::mpsc;

use crate::intake::Ticket;
use crate::telemetry::Telemetry;

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

/// Encodes and sends replies until every sender is gone.
pub(crate) async fn run(
    mut replies: mpsc::UnboundedReceiver<Vec<SubmissionReply>>,
    to: Replier,
    telemetry: Telemetry,
) {
    while let Some(group) = replies.recv().await {
        let mut counts = [0_u64; 3];
        for reply in group {
            count(&reply, &mut counts);
            if let Some(address) = reply.to.clone() {
                to.reply(address, reply.encode()).await;
            }
            drop(reply.ticket);
        }
        let [accepted, duplicate, rejected] = counts;
        telemetry.count_commands(Status::Accepted, accepted);
        telemetry.count_commands(Status::Duplicate, duplicate);
        telemetry.count_commands(Status::Rejected, rejected);
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
