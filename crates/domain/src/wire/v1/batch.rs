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
    let bytes = bytes.trim_ascii();
    match bytes {
        [] => Err(empty()),
        [b'[', inner @ .., b']'] => split_items(inner, policy),
        [b'[', ..] => Err(malformed("the batch has no closing bracket")),
        _ => Ok(vec![bytes]),
    }
}

fn empty() -> Rejection {
    Rejection::new(
        RejectionCode::EmptyBatch,
        "the message holds no command; send at least one",
    )
}

fn malformed(what: &str) -> Rejection {
    Rejection::new(
        RejectionCode::MalformedJson,
        format!("{what}; send a JSON array of commands"),
    )
}

fn split_items<'a>(inner: &'a [u8], policy: &Policy) -> Result<Vec<&'a [u8]>, Rejection> {
    if inner.trim_ascii().is_empty() {
        return Err(empty());
    }
    let mut commands = Vec::new();
    let mut rest = inner;
    loop {
        let end = item_end(rest)?;
        let (item, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        let item = item.trim_ascii();
        if item.is_empty() {
            return Err(malformed("a command is missing between two commas"));
        }
        if commands.len() >= policy.max_batch_commands {
            return Err(Rejection::new(
                RejectionCode::BatchTooLarge,
                format!(
                    "the ledger takes {} commands in one message",
                    policy.max_batch_commands
                ),
            ));
        }
        commands.push(item);
        match after.split_first() {
            Some((_, after)) => rest = after,
            None => return Ok(commands),
        }
    }
}

/// Where the first item ends: at the first comma outside of strings and brackets, or at the end.
fn item_end(bytes: &[u8]) -> Result<usize, Rejection> {
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
                    None => return Err(malformed("a string in the batch has no end")),
                }
            },
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth
                    .checked_sub(1)
                    .ok_or_else(|| malformed("the batch closes a bracket it did not open"))?;
            }
            b',' if depth == 0 => return Ok(index),
            _ => {}
        }
    }
    if depth > 0 {
        return Err(malformed("a bracket in the batch is not closed"));
    }
    Ok(bytes.len())
}
