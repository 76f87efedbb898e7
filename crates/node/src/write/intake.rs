//! Submissions from the wire, decoded, in arrival order, to the writer.
//!
//! What was received and not answered is bounded by bytes and by count. What does not fit is refused at once with the code
//! `busy`, so that nobody waits for an answer that memory could not hold. A submission counts for what it takes in memory, not
//! for what it had on the wire: a thousand commands of two bytes are decoded, refused and answered like any others.

use std::sync::Arc;

use bytes::Bytes;
use ledger_bus::{Bus, CommandIntake, Incoming, IntakeError, MAX_SIGNATURE_BYTES, ReplyTo};
use ledger_domain::ids::PartnerId;
use ledger_domain::wire::v1::{Command, Policy, Refusal, split_batch};
use ledger_domain::{Rejection, RejectionCode};
use ledger_proof::sha256;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::write::queue::{QueueRoom, Ticket};
use crate::write::replies::{ReplySender, SubmissionReply};

/// Submissions taken from the connection at once.
const MAX_CHUNK: usize = 128;
/// Submissions below which decoding is done where they arrive: a lone command should not wait for another thread.
const INLINE_CHUNK: usize = 8;
/// Bytes above which a chunk is decoded elsewhere however few submissions it has.
const INLINE_BYTES: usize = 64 << 10;
/// Bytes above which a chunk is decoded on a thread of its own: what is long and no command takes so long to be told why
/// that the connection would not be read meanwhile.
const THREAD_BYTES: usize = 1 << 20;
/// What a command takes beside its bytes, about: decoded, and then with its receipt.
const COMMAND_BYTES: usize = 1 << 10;
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

/// What a message takes in memory with so many commands.
fn cost(message: &Incoming, commands: usize) -> usize {
    message.size.saturating_add(commands * COMMAND_BYTES)
}

/// How many commands a message may have, at the most: one more than it has commas, but never more than are taken.
fn most_commands(message: &Incoming, policy: &Policy) -> usize {
    if !is_batch(message) {
        return 1;
    }
    let commas = message.payload.iter().filter(|byte| **byte == b',');
    commas.take(policy.max_batch_commands).count() + 1
}

fn is_batch(message: &Incoming) -> bool {
    let mut bytes = message.payload.iter();
    bytes.find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[')
}

/// The task that takes submissions off the wire.
pub(crate) struct Intake {
    commands: CommandIntake,
    room: Arc<QueueRoom>,
    refusals: Arc<QueueRoom>,
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
            refusals: QueueRoom::of_refusals(room.telemetry.clone()),
            room,
            policy,
            replies,
            writer,
        })
    }

    /// Runs until the connection is closed or the writer has stopped. While the lease is not held, what has a place waits before
    /// it is written, and the rest is refused as ever: left unread it would be without bound.
    pub(crate) async fn run(mut self) {
        while let Some(messages) = self.commands.next().await {
            let admitted = self.admit(messages);
            // What they cost, not what they had on the wire: a thousand commands of two bytes would keep the threads busy that
            // read the connection.
            let bytes: usize = admitted.iter().map(|(_, ticket)| ticket.bytes).sum();
            let policy = Arc::clone(&self.policy);
            let replies = self.replies.clone();
            let chunk = if admitted.len() <= INLINE_CHUNK && bytes <= INLINE_BYTES {
                Chunk::Ready(decode_all(admitted, &policy, &replies))
            } else if bytes <= THREAD_BYTES {
                Chunk::Decoding(tokio::spawn(async move {
                    decode_all(admitted, &policy, &replies)
                }))
            } else {
                Chunk::Decoding(tokio::task::spawn_blocking(move || {
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
            let bytes = cost(&message, most_commands(&message, &self.policy));
            if let Some(ticket) = self.room.take(bytes) {
                admitted.push((message, ticket));
            } else if let Some(ticket) = self.refusals.take(0) {
                let refused = SubmissionReply::refused(message.reply_to, busy(), ticket);
                self.replies.send(refused);
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
    mut ticket: Ticket,
    policy: &Policy,
    replies: &ReplySender,
) -> Option<Submission> {
    let (partner, slices) = match read(&message, policy) {
        Ok(read) => read,
        Err(rejection) => {
            replies.send(SubmissionReply::refused(
                message.reply_to,
                rejection,
                ticket,
            ));
            return None;
        }
    };
    ticket.shrink(cost(&message, slices.len()));
    let is_batch = is_batch(&message);
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

/// Whose submission it is, and the bytes of each of its commands.
fn read<'a>(
    message: &'a Incoming,
    policy: &Policy,
) -> Result<(PartnerId, Vec<&'a [u8]>), Rejection> {
    let partner = PartnerId::try_from(message.partner.as_str())
        .map_err(|error| Rejection::new(RejectionCode::WrongPartner, error.to_string()))?;
    if message.binary {
        return Err(Rejection::new(
            RejectionCode::UnsupportedEnvelope,
            "the message has CloudEvents attributes as headers (ce-…), as binary mode has them; send structured mode: one JSON object with all attributes and data",
        ));
    }
    // It is kept with the commands, once in each block that they fill: nobody may choose how long it is.
    let signature = message.signature.as_deref().unwrap_or_default();
    if signature.len() > MAX_SIGNATURE_BYTES {
        return Err(Rejection::new(
            RejectionCode::SignatureInvalid,
            format!(
                "the signature has more than {MAX_SIGNATURE_BYTES} bytes: send your public nkey, a dot and the signature of the manifest as base64url"
            ),
        ));
    }
    Ok((partner, split_batch(&message.payload, policy)?))
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

/// A place in a queue of its own.
#[cfg(test)]
pub(crate) fn ticket() -> Ticket {
    let room = QueueRoom::of_refusals(crate::runtime::telemetry::Telemetry::default());
    room.take(0).expect("room")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::telemetry::Telemetry;
    use bytes::Bytes;
    use ledger_domain::wire::v1::Receipt;
    use std::sync::atomic::Ordering;

    fn message(payload: impl Into<Bytes>) -> Incoming {
        let payload = payload.into();
        Incoming {
            partner: "tester".to_owned(),
            size: payload.len(),
            payload,
            signature: None,
            binary: false,
            reply_to: None,
        }
    }

    fn room(max_bytes: usize) -> Arc<QueueRoom> {
        QueueRoom::new(max_bytes, 1_000, Telemetry::default())
    }

    #[test]
    fn a_submission_counts_for_what_it_takes_decoded() {
        let (policy, room) = (Policy::default(), room(64 << 20));
        let (replies, _kept) = ReplySender::new();
        let many = "1,".repeat(policy.max_batch_commands - 1);
        let message = message(format!("[{many}1]"));
        let ticket = room.take(cost(&message, most_commands(&message, &policy)));
        let decoded = decode(message, ticket.expect("room"), &policy, &replies);
        let decoded = decoded.expect("a submission");
        assert_eq!(decoded.commands.len(), policy.max_batch_commands);
        let refusal = decoded.commands.first().expect("a command");
        let refusal = refusal.command.as_ref().expect_err("it is no command");
        let texts = refusal.rejection.message.len()
            + refusal
                .rejection
                .field
                .iter()
                .map(String::len)
                .sum::<usize>();
        let each = size_of::<DecodedCommand>().max(size_of::<Receipt>()) + texts;
        assert!(each <= COMMAND_BYTES, "{each}");
        assert!(room.bytes.load(Ordering::Relaxed) >= each * policy.max_batch_commands);
        drop(decoded);
        assert_eq!(room.bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn commas_within_commands_are_given_back_once_they_are_decoded() {
        let (policy, room) = (Policy::default(), room(64 << 20));
        let (replies, _kept) = ReplySender::new();
        let message = message(r#"[{"a":1,"b":2,"c":3},{"a":1,"b":2,"c":3}]"#);
        assert_eq!(most_commands(&message, &policy), 6);
        let needed = cost(&message, 2);
        let ticket = room.take(cost(&message, most_commands(&message, &policy)));
        let decoded = decode(message, ticket.expect("room"), &policy, &replies);
        assert_eq!(room.bytes.load(Ordering::Relaxed), needed);
        drop(decoded);
    }

    #[test]
    fn the_gauge_shows_what_is_queued_when_it_comes_shrinks_and_goes() {
        let telemetry = Telemetry::default();
        let shown = || telemetry.queued_bytes.get();
        let room = QueueRoom::new(1_000, 10, telemetry.clone());
        let refusals = QueueRoom::of_refusals(telemetry.clone());
        let mut first = room.take(600).expect("room");
        assert_eq!(shown(), 600);
        let second = room.take(400).expect("room");
        assert_eq!(shown(), 1_000);
        assert!(room.take(1).is_none());
        let refusal = refusals.take(0);
        assert_eq!(shown(), 1_000);
        first.shrink(100);
        assert_eq!(shown(), 500);
        drop((first, refusal));
        assert_eq!(shown(), 400);
        drop(second);
        assert_eq!(shown(), 0);
    }

    #[test]
    fn what_cannot_be_read_keeps_its_place_until_it_is_answered() {
        let (policy, room) = (Policy::default(), room(64 << 20));
        let (replies, mut waiting) = ReplySender::new();
        let ticket = room.take(100).expect("room");
        assert!(decode(message("[1"), ticket, &policy, &replies).is_none());
        assert_eq!(room.bytes.load(Ordering::Relaxed), 100);
        drop(waiting.try_recv().expect("a refusal"));
        assert_eq!(room.bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn binary_mode_is_refused_by_name() {
        let binary = Incoming {
            binary: true,
            ..message("{}")
        };
        let refused = read(&binary, &Policy::default()).expect_err("binary");
        assert_eq!(refused.code, RejectionCode::UnsupportedEnvelope);
        assert!(refused.message.contains("binary mode"), "{refused}");
    }

    #[test]
    fn a_signature_longer_than_any_is_refused() {
        let policy = Policy::default();
        let signed = |bytes: usize| Incoming {
            signature: Some("A".repeat(bytes)),
            ..message("{}")
        };
        assert!(read(&signed(MAX_SIGNATURE_BYTES), &policy).is_ok());
        let long = signed(MAX_SIGNATURE_BYTES + 1);
        let refused = read(&long, &policy).map_err(|rejection| rejection.code);
        assert_eq!(refused.err(), Some(RejectionCode::SignatureInvalid));
    }
}
