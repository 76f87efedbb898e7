//! Submissions from the wire, decoded, in arrival order, to the writer.
//!
//! What was received and not answered is bounded by bytes and by count. What does not fit is refused at once with the code
//! `busy`, so that nobody waits for an answer that memory could not hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use ledger_bus::{Bus, CommandIntake, Incoming, IntakeError, ReplyTo};
use ledger_domain::ids::PartnerId;
use ledger_domain::wire::v1::{Command, Policy, Refusal, split_batch};
use ledger_domain::{Rejection, RejectionCode};
use ledger_proof::sha256;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::replies::{ReplySender, SubmissionReply};
use crate::telemetry::{Telemetry, gauge_value};

/// Submissions taken from the connection at once.
const MAX_CHUNK: usize = 128;
/// Submissions below which decoding is done where they arrive: a lone command should not wait for another thread.
const INLINE_CHUNK: usize = 8;
/// Bytes above which a chunk is decoded elsewhere however few submissions it has.
const INLINE_BYTES: usize = 64 << 10;

/// One command of a submission: its bytes, and what they mean.
#[derive(Debug)]
pub(crate) struct DecodedCommand {
    /// The bytes as received.
    pub(crate) bytes: Bytes,
    /// Their SHA-256.
    pub(crate) digest: [u8; 32],
    /// The command, or why the bytes are none.
    pub(crate) command: Result<Command, Refusal>,
}

/// One decoded submission.
#[derive(Debug)]
pub(crate) struct Submission {
    /// The partner whose subject it came on.
    pub(crate) partner: PartnerId,
    /// The signature as received.
    pub(crate) signature: Option<String>,
    /// Where its receipts go.
    pub(crate) reply_to: Option<ReplyTo>,
    /// Whether it was an array: then the reply is one too.
    pub(crate) is_batch: bool,
    /// Its commands in order.
    pub(crate) commands: Vec<DecodedCommand>,
    /// Its place in the queue; given back once it is answered.
    pub(crate) ticket: Ticket,
}

/// Submissions that arrived together.
#[derive(Debug)]
pub(crate) enum Chunk {
    /// Decoded already.
    Ready(Vec<Submission>),
    /// Being decoded by another task.
    Decoding(JoinHandle<Vec<Submission>>),
}

/// The room for submissions that were received and not answered.
#[derive(Debug)]
pub(crate) struct QueueRoom {
    max_bytes: usize,
    max_submissions: usize,
    bytes: AtomicUsize,
    submissions: AtomicUsize,
    telemetry: Telemetry,
}

/// A place in the queue; dropping it gives the place back.
#[derive(Debug)]
pub(crate) struct Ticket {
    room: Arc<QueueRoom>,
    bytes: usize,
}

impl QueueRoom {
    pub(crate) fn new(max_bytes: usize, max_submissions: usize, telemetry: Telemetry) -> Arc<Self> {
        Arc::new(Self {
            max_bytes,
            max_submissions,
            bytes: AtomicUsize::new(0),
            submissions: AtomicUsize::new(0),
            telemetry,
        })
    }

    /// Takes a place for `bytes` more, if there is room. Only one task takes places, so looking and taking need
    /// not be one step.
    fn take(self: &Arc<Self>, bytes: usize) -> Option<Ticket> {
        let queued = self.bytes.load(Ordering::Relaxed);
        let full = queued.saturating_add(bytes) > self.max_bytes && queued > 0;
        if full || self.submissions.load(Ordering::Relaxed) >= self.max_submissions {
            return None;
        }
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.submissions.fetch_add(1, Ordering::Relaxed);
        Some(Ticket {
            room: Arc::clone(self),
            bytes,
        })
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let before = self.room.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.room.submissions.fetch_sub(1, Ordering::Relaxed);
        let left = u64::try_from(before.saturating_sub(self.bytes)).unwrap_or(u64::MAX);
        self.room.telemetry.queued_bytes.set(gauge_value(left));
    }
}

/// The task that takes submissions off the wire.
pub(crate) struct Intake {
    commands: CommandIntake,
    room: Arc<QueueRoom>,
    policy: Arc<Policy>,
    replies: ReplySender,
    writer: mpsc::UnboundedSender<Chunk>,
}

impl Intake {
    /// Starts listening; [`Intake::run`] then takes submissions until the writer is gone.
    pub(crate) async fn open(
        bus: &Bus,
        room: Arc<QueueRoom>,
        policy: Arc<Policy>,
        replies: ReplySender,
        writer: mpsc::UnboundedSender<Chunk>,
    ) -> Result<Self, IntakeError> {
        let commands = CommandIntake::open(bus, MAX_CHUNK).await?;
        Ok(Self {
            commands,
            room,
            policy,
            replies,
            writer,
        })
    }

    /// Runs until the connection is closed or the writer has stopped.
    pub(crate) async fn run(mut self) {
        while let Some(messages) = self.commands.next().await {
            let admitted = self.admit(messages);
            let bytes: usize = admitted
                .iter()
                .map(|(message, _)| message.payload.len())
                .sum();
            let policy = Arc::clone(&self.policy);
            let replies = self.replies.clone();
            let chunk = if admitted.len() <= INLINE_CHUNK && bytes <= INLINE_BYTES {
                Chunk::Ready(decode_all(admitted, &policy, &replies))
            } else {
                Chunk::Decoding(tokio::spawn(async move {
                    decode_all(admitted, &policy, &replies)
                }))
            };
            if self.writer.send(chunk).is_err() {
                return;
            }
        }
    }

    /// Gives every message a place, or refuses it.
    fn admit(&self, messages: Vec<Incoming>) -> Vec<(Incoming, Ticket)> {
        let mut admitted = Vec::with_capacity(messages.len());
        for message in messages {
            match self.room.take(message.payload.len()) {
                Some(ticket) => admitted.push((message, ticket)),
                None => self
                    .replies
                    .send(SubmissionReply::refused(message.reply_to, busy())),
            }
        }
        admitted
    }
}

fn busy() -> Rejection {
    Rejection::new(
        RejectionCode::Busy,
        "the ledger has more commands waiting than it takes: send the same bytes again in a moment",
    )
}

fn decode_all(
    messages: Vec<(Incoming, Ticket)>,
    policy: &Policy,
    replies: &ReplySender,
) -> Vec<Submission> {
    messages
        .into_iter()
        .filter_map(|(message, ticket)| decode(message, ticket, policy, replies))
        .collect()
}

/// Decodes one submission. One that cannot be read at all is answered here: nothing of it rests on the log.
fn decode(
    message: Incoming,
    ticket: Ticket,
    policy: &Policy,
    replies: &ReplySender,
) -> Option<Submission> {
    let partner = match PartnerId::try_from(message.partner.as_str()) {
        Ok(partner) => partner,
        Err(error) => {
            let rejection = Rejection::new(RejectionCode::WrongPartner, error.to_string());
            replies.send(SubmissionReply::refused(message.reply_to, rejection));
            return None;
        }
    };
    let slices = match split_batch(&message.payload, policy) {
        Ok(slices) => slices,
        Err(rejection) => {
            replies.send(SubmissionReply::refused(message.reply_to, rejection));
            return None;
        }
    };
    let first = message
        .payload
        .iter()
        .find(|byte| !byte.is_ascii_whitespace());
    let is_batch = first == Some(&b'[');
    let commands = slices
        .into_iter()
        .map(|slice| {
            let command =
                Command::decode(slice, policy).and_then(|command| checked(command, &partner));
            DecodedCommand {
                bytes: message.payload.slice_ref(slice),
                digest: sha256(slice),
                command,
            }
        })
        .collect();
    Some(Submission {
        partner,
        signature: message.signature,
        reply_to: message.reply_to,
        is_batch,
        commands,
        ticket,
    })
}

fn checked(command: Command, partner: &PartnerId) -> Result<Command, Refusal> {
    match command.check_sender(partner) {
        Ok(()) => Ok(command),
        Err(rejection) => Err(Refusal {
            command_id: Some(command.id),
            rejection,
        }),
    }
}
