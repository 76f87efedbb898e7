//! Reading a command: the typed reader that the good ones go through once. What it refuses is read again by
//! [`diagnose`](super::diagnose), which finds the code and the field.
//!
//! A null is unset (CloudEvents JSON format, 2.2): an attribute or a field that is null reads as if it were absent. Only in the
//! data of a command that changes what stands is it refused, since nobody may blank there by accident.

use serde_json::value::RawValue;

use super::check::check;
use super::command::{Command, Refusal};
use super::diagnose::diagnose;
use super::envelope::{Envelope, head};
use super::values::Policy;
use crate::rejection::{Rejection, RejectionCode};

impl Command {
    /// Reads one command and checks its form: everything that needs no knowledge of what was recorded before.
    ///
    /// Costs about as much as parsing the JSON once. Hostile bytes can neither panic nor cost more than time linear
    /// in their length (times the logarithm of their number of keys).
    ///
    /// # Errors
    /// A [`Refusal`] with the code, the field's path, and the command's id if that could be read.
    pub fn decode(bytes: &[u8], policy: &Policy) -> Result<Self, Refusal> {
        if bytes.len() > policy.max_command_bytes {
            return Err(Refusal {
                command_id: None,
                rejection: Rejection::new(
                    RejectionCode::CommandTooLarge,
                    format!(
                        "the command has {} bytes; the ledger takes {}",
                        bytes.len(),
                        policy.max_command_bytes
                    ),
                ),
            });
        }
        let command = match read(bytes) {
            Some(command) => command,
            None => diagnose(bytes)?,
        };
        match check(command.body.form(), policy) {
            Ok(()) => Ok(command),
            Err(rejection) => Err(Refusal {
                command_id: Some(command.id),
                rejection,
            }),
        }
    }
}

fn read(bytes: &[u8]) -> Option<Command> {
    // One look at the whole is cheaper than one at each string.
    let text = str::from_utf8(bytes).ok()?;
    let envelope: Envelope<'_, &RawValue> = serde_json::from_str(text).ok()?;
    let head = head(&envelope).ok()?;
    let data = envelope.data.get();
    // In a change a null may blank what stands: the second reading tells it from the word in a text.
    if head.command_type.changes() && memchr::memmem::find(data.as_bytes(), b"null").is_some() {
        return None;
    }
    let mut data = serde_json::Deserializer::from_str(data);
    let body = head.command_type.read(&mut data).ok()?;
    Some(head.with(body))
}
