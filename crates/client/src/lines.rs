//! A stream of commands in, a receipt for each out, in the same order.

use crate::command_reader::without_marks;
use crate::connection::Connection;
use crate::submit::{SubmitError, SubmitOptions, Submitter};
use bytes::Bytes;
use ledger_domain::ids::{CommandId, PartnerId};
use ledger_domain::wire::v1::{Command, Policy, Receipt, Status};
use ledger_domain::{Rejection, RejectionCode};
use std::collections::HashMap;
use thiserror::Error;
use tokio::sync::mpsc;

/// Bytes that the brackets and one comma of a batch may take.
const BRACKETS_BYTES: usize = 2;

/// Why not every command has a receipt.
#[derive(Debug, Error)]
pub enum LinesError {
    /// A submission has no receipts; those after it were not sent.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// A receipt could not be written where it should go.
    #[error("a receipt could not be written")]
    Output(#[from] std::io::Error),
}

/// How many commands ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineOutcome {
    /// Recorded now.
    pub accepted: u64,
    /// Recorded before.
    pub duplicate: u64,
    /// Refused: nothing was recorded.
    pub rejected: u64,
}

impl LineOutcome {
    fn count(&mut self, status: Status) {
        match status {
            Status::Accepted => self.accepted += 1,
            Status::Duplicate => self.duplicate += 1,
            Status::Rejected => self.rejected += 1,
        }
    }
}

/// A command as it was read from somewhere.
#[derive(Clone, Debug)]
pub struct Line {
    /// The line on which it begins, from 1; 0 for what was read from no file.
    pub number: u64,
    /// Its bytes: all of them, or as many of the first as its reader keeps.
    pub bytes: Bytes,
    /// How many bytes it has.
    pub length: usize,
}

impl From<Bytes> for Line {
    fn from(bytes: Bytes) -> Self {
        Self {
            number: 0,
            length: bytes.len(),
            bytes,
        }
    }
}

/// A line, judged before it is sent: a bad one must not spoil the batch it would be in.
enum Judged {
    Good {
        number: u64,
        partner: PartnerId,
        id: CommandId,
        bytes: Bytes,
    },
    Refused {
        number: u64,
        receipt: Box<Receipt>,
    },
}

/// Sends commands, one JSON object each, and hands out a receipt for each in the same order, with the number of its line.
///
/// Commands are sent in batches, of what has already come in and of one partner each, one batch after the other: a
/// later command sees what an earlier one did. A line that is no command gets its refusal here, in its place.
///
/// # Errors
///
/// [`LinesError`] when a batch got no receipts or `output` failed. Sending all lines again is safe: those recorded
/// come back as duplicates.
pub async fn submit_in_order(
    connection: &Connection,
    options: SubmitOptions,
    mut lines: mpsc::Receiver<Line>,
    mut output: impl FnMut(u64, &Receipt) -> std::io::Result<()>,
) -> Result<LineOutcome, LinesError> {
    let policy = Policy::default();
    let batch_bytes_max = policy.max_batch_bytes.min(connection.bus().max_payload());
    let mut submitters: HashMap<PartnerId, Submitter> = HashMap::new();
    let mut outcome = LineOutcome::default();
    let mut arrived = Vec::new();
    while lines
        .recv_many(&mut arrived, policy.max_batch_commands)
        .await
        > 0
    {
        let mut judged = arrived
            .drain(..)
            .map(|line| judge(&line, &policy))
            .peekable();
        while judged.peek().is_some() {
            let mut batch = Batch::take(&mut judged, batch_bytes_max);
            let numbers = std::mem::take(&mut batch.numbers);
            let receipts = batch.submit(connection, options, &mut submitters).await?;
            for (number, receipt) in numbers.into_iter().zip(receipts) {
                outcome.count(receipt.status);
                output(number, &receipt)?;
            }
        }
    }
    Ok(outcome)
}

fn judge(line: &Line, policy: &Policy) -> Judged {
    let number = line.number;
    if line.length > line.bytes.len() {
        let rejection = Rejection::new(
            RejectionCode::CommandTooLarge,
            format!(
                "the command has {} bytes; the ledger takes {}",
                line.length, policy.max_command_bytes
            ),
        );
        let receipt = Box::new(Receipt::rejected(None, rejection));
        return Judged::Refused { number, receipt };
    }
    let bytes = line.bytes.slice_ref(without_marks(&line.bytes));
    match Command::decode(&bytes, policy) {
        Ok(command) => Judged::Good {
            number,
            partner: command.partner,
            id: command.id,
            bytes,
        },
        Err(refusal) => {
            let receipt = Box::new(Receipt::rejected(refusal.command_id, refusal.rejection));
            Judged::Refused { number, receipt }
        }
    }
}

/// Consecutive lines, the good ones among them of one partner.
#[derive(Default)]
struct Batch {
    partner: Option<PartnerId>,
    /// The array that is sent, without its closing bracket.
    json: Vec<u8>,
    /// What each line was: a command's id, or the refusal it has already.
    lines: Vec<Result<CommandId, Box<Receipt>>>,
    /// The number of each line.
    numbers: Vec<u64>,
    command_count: usize,
}

impl Batch {
    /// Takes lines as long as they fit: of the same partner, and within the bound on bytes.
    fn take(
        judged: &mut std::iter::Peekable<impl Iterator<Item = Judged>>,
        bytes_max: usize,
    ) -> Self {
        let mut batch = Self::default();
        while let Some(line) = judged.next_if(|line| batch.fits(line, bytes_max)) {
            match line {
                Judged::Good {
                    number,
                    partner,
                    id,
                    bytes,
                } => {
                    batch.numbers.push(number);
                    batch
                        .json
                        .push(if batch.json.is_empty() { b'[' } else { b',' });
                    batch.json.extend_from_slice(&bytes);
                    batch.partner = Some(partner);
                    batch.command_count += 1;
                    batch.lines.push(Ok(id));
                }
                Judged::Refused { number, receipt } => {
                    batch.numbers.push(number);
                    batch.lines.push(Err(receipt));
                }
            }
        }
        batch
    }

    fn fits(&self, line: &Judged, bytes_max: usize) -> bool {
        match (line, &self.partner) {
            (Judged::Refused { .. }, _) | (Judged::Good { .. }, None) => true,
            (Judged::Good { partner, bytes, .. }, Some(mine)) => {
                partner == mine && self.json.len() + bytes.len() + BRACKETS_BYTES <= bytes_max
            }
        }
    }

    /// Sends what is to be sent and gives a receipt for every line.
    async fn submit(
        mut self,
        connection: &Connection,
        options: SubmitOptions,
        submitters: &mut HashMap<PartnerId, Submitter>,
    ) -> Result<Vec<Receipt>, SubmitError> {
        let mut replied = Vec::new();
        if let Some(partner) = &self.partner {
            if !submitters.contains_key(partner) {
                let submitter =
                    Submitter::open(connection.bus(), partner.as_str(), options).await?;
                submitters.insert(partner.clone(), submitter);
            }
            let Some(submitter) = submitters.get(partner) else {
                return Err(SubmitError::Closed);
            };
            self.json.push(b']');
            let json = Bytes::from(std::mem::take(&mut self.json));
            replied = submitter.submit(json).await?.receipts;
        }
        self.in_order(replied)
    }

    /// Puts the ledger's receipts and those given here in the order of the lines.
    fn in_order(self, replied: Vec<Receipt>) -> Result<Vec<Receipt>, SubmitError> {
        let expected = self.command_count;
        let found = replied.len();
        // A message refused as a whole has one receipt without a command: it is that of each command in it.
        let whole = match replied.as_slice() {
            [only] if only.command_id.is_none() && only.status == Status::Rejected => {
                Some(only.clone())
            }
            _ => None,
        };
        if whole.is_none() && expected != found {
            return Err(SubmitError::ReceiptCount { expected, found });
        }
        let mut replied = replied.into_iter();
        let receipt_of = |line: Result<CommandId, Box<Receipt>>| match (line, &whole) {
            (Err(refused), _) => Some(*refused),
            (Ok(id), Some(whole)) => Some(Receipt {
                command_id: Some(id),
                ..whole.clone()
            }),
            (Ok(_), None) => replied.next(),
        };
        Ok(self.lines.into_iter().filter_map(receipt_of).collect())
    }
}
