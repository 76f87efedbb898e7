//! The writer: the one owner of the state that decisions rest on.
//!
//! It takes decoded submissions in arrival order, decides every command against the state evolved by all commands before
//! it, stamps the events, and hands them with their receipts to the appender. It never waits for the disk: a receipt leaves
//! only after the appender has synced the group it belongs to, and every reply, a refusal or a duplicate too, travels with
//! the group that holds the newest state it could rest on.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use ledger_domain::ids::{CommandId, EventId, LedgerId, Position};
use ledger_domain::wire::v1::{Command, Event, EventHeader, Receipt, ReceiptEvent, Sha256, Status};
use ledger_domain::{NewEvent, Rejection, RejectionCode, RulesVersion, decide, screen};
use ledger_proof::{Manifest, data_digest, leaf_hash};
use ledger_store::{CommandKey, EventKeys, Group, Log, NewRecord, NewSubmission, SubmittedCommand};
use rand::RngCore;
use rand::rngs::ThreadRng;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::query::history::{HistoryError, outline_digest, receipt};
use crate::runtime::clock::Clock;
use crate::write::intake::{Chunk, DecodedCommand, Submission};
use crate::write::pending::{Decided, HandedOver, Pending, WriterEnd};
use crate::write::replies::{ReplySender, SubmissionReply, not_recorded, refuse_all, stopped};
use crate::write::state::DecisionState;

/// The writer's own thread runs this.
pub(crate) struct Writer {
    pub(crate) log: Log,
    pub(crate) ledger: LedgerId,
    pub(crate) clock: Clock,
    pub(crate) state: DecisionState,
    pub(crate) cached_commitments: usize,
    pub(crate) pending: Arc<Pending>,
    pub(crate) replies: ReplySender,
    pub(crate) runtime: Handle,
    /// The data of the event being recorded.
    pub(crate) encoded: Vec<u8>,
}

impl Writer {
    /// Decides until the queue is closed and empty; what comes after the appender has ended is refused.
    ///
    /// # Errors
    /// When the log cannot be read: no decision could be trusted after that.
    pub(crate) fn run(
        mut self,
        mut queue: mpsc::UnboundedReceiver<Chunk>,
    ) -> Result<(), HistoryError> {
        let _end = WriterEnd(Arc::clone(&self.pending));
        let mut generation = self.pending.generation();
        while let Some(chunk) = queue.blocking_recv() {
            let submissions = match chunk {
                Chunk::Ready(submissions) => submissions,
                Chunk::Decoding(task) => match self.runtime.block_on(task) {
                    Ok(submissions) => submissions,
                    Err(error) => {
                        tracing::error!(%error, "decoding a chunk of submissions failed; their senders will repeat them");
                        continue;
                    }
                },
            };
            let current = self.pending.generation();
            if current != generation {
                generation = current;
                self.start_over()?;
            }
            let decided = self.decide_all(submissions)?;
            let (returned, why): (_, fn() -> Rejection) =
                match self.pending.hand_over(decided, generation) {
                    HandedOver::Taken => continue,
                    HandedOver::Void(returned) => (returned, not_recorded),
                    HandedOver::Closed(returned) => (returned, stopped),
                };
            self.replies.send_all(refuse_all(returned.replies, why));
        }
        Ok(())
    }

    /// Forgets what was decided and not written, and folds the log again.
    fn start_over(&mut self) -> Result<(), HistoryError> {
        self.state = DecisionState::load(self.log.clone(), self.cached_commitments)?;
        Ok(())
    }

    fn decide_all(&mut self, submissions: Vec<Submission>) -> Result<Decided, HistoryError> {
        let mut decided = Decided::default();
        let mut rng = rand::rng();
        for submission in submissions {
            self.decide_submission(submission, &mut decided, &mut rng)?;
        }
        Ok(decided)
    }

    fn decide_submission(
        &mut self,
        submission: Submission,
        decided: &mut Decided,
        rng: &mut ThreadRng,
    ) -> Result<(), HistoryError> {
        let digests = submission.commands.iter().map(|command| command.digest);
        let manifest = Manifest::new(self.ledger.as_str(), submission.partner.as_str(), digests);
        let clock = self.clock.now();
        let mut stamp = Stamp {
            command: None,
            submission: manifest.digest(),
            index: 0,
            now: match clock {
                Ok(now) => self.state.recorded_time(now),
                Err(_) => self.state.last_time,
            },
            jumped: clock.err(),
            rng,
        };
        let first_record = decided.group.records.len();
        let mut kept = Vec::with_capacity(submission.commands.len());
        let mut receipts = Vec::with_capacity(submission.commands.len());
        for command in submission.commands {
            let first_event = decided.group.records.len();
            receipts.push(self.decide_command(&command, &mut stamp, &mut decided.group)?);
            stamp.index += 1;
            let events = decided.group.records.len() - first_event;
            decided.bytes += command.bytes.len();
            kept.push(SubmittedCommand {
                bytes: command.bytes,
                // The bounds of a submission and of what is pending keep both far below their types' limits.
                first_event: u32::try_from(first_event).unwrap_or(u32::MAX),
                events: u16::try_from(events).unwrap_or(u16::MAX),
            });
        }
        if decided.group.records.len() > first_record {
            decided.group.submissions.push(NewSubmission {
                partner: submission.partner.as_str().to_owned(),
                signature: submission.signature,
                commands: kept,
            });
        }
        decided.replies.push(SubmissionReply {
            to: submission.reply_to,
            is_batch: submission.is_batch,
            receipts,
            ticket: submission.ticket,
        });
        Ok(())
    }

    fn decide_command(
        &mut self,
        decoded: &DecodedCommand,
        stamp: &mut Stamp<'_>,
        group: &mut Group,
    ) -> Result<Receipt, HistoryError> {
        let command = match &decoded.command {
            Ok(command) => command,
            Err(refusal) => {
                return Ok(Receipt::rejected(
                    refusal.command_id,
                    refusal.rejection.clone(),
                ));
            }
        };
        let key = CommandKey::new(command.partner.as_str(), command.id.0);
        if let Some(recorded) = self.state.recorded(&key)? {
            return Ok(if recorded.digest == decoded.digest {
                receipt(command.id, Status::Duplicate, recorded.events)
            } else {
                self.refused(command.id, reused(command))
            });
        }
        if let Some(jumped) = &stamp.jumped {
            let jumped = Rejection::new(RejectionCode::Unavailable, jumped.as_str());
            return Ok(Receipt::rejected(Some(command.id), jumped));
        }
        self.state.load_commitments(&command.commitments())?;
        let reference = &self.state.reference;
        let decision = decide(
            RulesVersion::CURRENT,
            reference,
            &self.state.lookup(),
            command,
            stamp.now,
        )
        .and_then(|events| screen(reference, command).map(|()| events));
        let new_events = match decision {
            Ok(new_events) => new_events,
            Err(rejection) => return Ok(self.refused(command.id, rejection)),
        };
        stamp.command = Some(key);
        let mut events = Vec::with_capacity(new_events.len());
        for new_event in new_events {
            events.push(self.record(new_event, command, stamp, group)?);
        }
        self.state.remember(key, decoded.digest, events.clone());
        Ok(receipt(command.id, Status::Accepted, events))
    }

    /// Stamps one event and takes it into the group and the state.
    fn record(
        &mut self,
        new_event: NewEvent,
        command: &Command,
        stamp: &mut Stamp<'_>,
        group: &mut Group,
    ) -> Result<ReceiptEvent, HistoryError> {
        let mut salt = [0; 16];
        stamp.rng.fill_bytes(&mut salt);
        self.encoded.clear();
        new_event.body.encode_into(&mut self.encoded);
        let data = self.encoded.clone();
        let position = self.state.next_position;
        let event_type = new_event.body.event_type();
        let outline_digest = outline_digest(position, event_type, &data)?;
        let header = EventHeader {
            id: stamp.event_id(),
            ledger: self.ledger.clone(),
            event_type,
            subject: new_event.subject,
            time: stamp.now,
            position: Position(position),
            stream_version: new_event.stream_version,
            partner: command.partner.clone(),
            party: command.party.clone(),
            causation_id: Some(command.id),
            submission: Some(stamp.submission),
            submission_index: Some(stamp.index),
            effective: new_event.effective,
            rules_version: RulesVersion::CURRENT.number(),
            data_digest: data_digest(&salt, &data),
            outline_digest,
        };
        let leaf = header.encode();
        let keys = EventKeys {
            command: stamp.command,
            commitment: header.subject.commitment().map(|id| id.0.into_bytes()),
            leaf: leaf_hash(&leaf),
        };
        let named = ReceiptEvent {
            position,
            id: header.id,
            event_type: header.event_type,
            leaf_hash: Sha256(keys.leaf.0),
        };
        group.records.push(NewRecord {
            position,
            keys,
            header: leaf,
            salt,
            data,
            route: new_event.route.to_string(),
        });
        self.state.evolve(&Event {
            header,
            body: new_event.body,
        });
        Ok(named)
    }

    /// A refusal by the rules: it rests on the state up to here.
    fn refused(&self, id: CommandId, rejection: Rejection) -> Receipt {
        Receipt::rejected_at(Some(id), rejection, self.state.next_position)
    }
}

/// What the ledger adds to an event of its own: time, id, and the submission it came by.
struct Stamp<'a> {
    /// The key of the command being decided; of none before the first.
    command: Option<CommandKey>,
    submission: [u8; 32],
    index: u32,
    now: DateTime<Utc>,
    /// Why the clock is not believed, while it is not: then nothing is recorded.
    jumped: Option<String>,
    rng: &'a mut ThreadRng,
}

impl Stamp<'_> {
    /// A UUID version 7 (RFC 9562) of the recorded time.
    fn event_id(&mut self) -> EventId {
        let mut random = [0; 10];
        self.rng.fill_bytes(&mut random);
        let millis = u64::try_from(self.now.timestamp_millis()).unwrap_or_default();
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
        EventId(id)
    }
}

fn reused(command: &Command) -> Rejection {
    Rejection::at(
        RejectionCode::CommandIdReused,
        "id",
        format!(
            "partner/{} used the id {} for other bytes: give every command an id of its own",
            command.partner, command.id
        ),
    )
}
