//! Splitting a message into the exact bytes of its commands.

use super::values::Policy;
use crate::rejection::{Rejection, RejectionCode};

/// Cuts a message into its commands: a JSON array of commands, or one command alone. Each slice is the exact bytes of
/// one command, without the spaces around it; what stands inside is judged by [`Command::decode`](super::Command::decode)
/// alone, so that a bad command does not stop those beside it.
///
/// # Errors
/// `batch_too_large`, `empty_batch`, or `malformed_json` when the array's own commas and brackets do not fit.
pub fn split_batch<'a>(bytes: &'a [u8], policy: &Policy) -> Result<Vec<&'a [u8]>, Rejection> {
    if bytes.len() > policy.max_batch_bytes {
        return Err(Rejection::new(
            RejectionCode::BatchTooLarge,
            format!(
                "the message has {} bytes; the ledger takes {}",
                bytes.len(),
                policy.max_batch_bytes
            ),
        ));
    }
    match bytes.trim_ascii() {
        [] => Err(empty()),
        [b'[', inner @ .., b']'] => Batch { message: bytes }.items(inner, policy),
        [b'[', ..] => {
            Err(Batch { message: bytes }.malformed("the batch has no closing bracket", &[]))
        }
        command => Ok(vec![command]),
    }
}

fn empty() -> Rejection {
    Rejection::new(
        RejectionCode::EmptyBatch,
        "the message holds no command; send at least one",
    )
}

/// A message that holds an array.
struct Batch<'a> {
    message: &'a [u8],
}

/// What is wrong with an array, and what follows the place.
struct Fault<'a> {
    what: &'static str,
    rest: &'a [u8],
}

impl<'a> Batch<'a> {
    fn malformed(&self, what: &str, rest: &[u8]) -> Rejection {
        let at = if rest.is_empty() {
            self.message.len()
        } else {
            rest.as_ptr().addr() - self.message.as_ptr().addr()
        };
        let before = self.message.get(..at).unwrap_or_default();
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        Rejection::new(
            RejectionCode::MalformedJson,
            format!(
                "{what}, at byte {at}, line {line}; no command of the array was read: send a JSON array of commands"
            ),
        )
    }

    fn items(&self, inner: &'a [u8], policy: &Policy) -> Result<Vec<&'a [u8]>, Rejection> {
        if inner.trim_ascii().is_empty() {
            return Err(empty());
        }
        let (mut commands, mut count) = (Vec::new(), 0);
        let mut rest = inner;
        loop {
            let end = item_end(rest).map_err(|fault| self.malformed(fault.what, fault.rest))?;
            let (item, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            let item = item.trim_ascii();
            if item.is_empty() {
                return Err(self.malformed("a command is missing between two commas", after));
            }
            count += 1;
            if count <= policy.max_batch_commands {
                commands.push(item);
            }
            match after.split_first() {
                Some((_, after)) => rest = after,
                None => break,
            }
        }
        if count > policy.max_batch_commands {
            return Err(Rejection::new(
                RejectionCode::BatchTooLarge,
                format!(
                    "the message has {count} commands; the ledger takes {}",
                    policy.max_batch_commands
                ),
            ));
        }
        Ok(commands)
    }
}

/// Where the first item ends: at the first comma outside of strings and brackets, or at the end.
fn item_end(bytes: &[u8]) -> Result<usize, Fault<'_>> {
    let fault = |what, at| Fault {
        what,
        rest: bytes.get(at..).unwrap_or_default(),
    };
    let mut depth = 0_usize;
    let mut cursor = bytes.iter().enumerate();
    while let Some((index, byte)) = cursor.next() {
        match byte {
            b'"' => loop {
                match cursor.next() {
                    Some((_, b'"')) => break,
                    Some((_, b'\\')) => {
                        cursor.next();
                    }
                    Some(_) => {}
                    None => return Err(fault("a string in the batch has no end", index)),
                }
            },
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth
                    .checked_sub(1)
                    .ok_or_else(|| fault("the batch closes a bracket it did not open", index))?;
            }
            b',' if depth == 0 => return Ok(index),
            _ => {}
        }
    }
    if depth > 0 {
        return Err(fault("a bracket in the batch is not closed", 0));
    }
    Ok(bytes.len())
}
