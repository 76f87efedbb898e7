//! Sends submissions with a fixed number in flight and times their replies.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ledger_bus::{Bus, CommandSender};
use tokio::sync::mpsc;

use crate::failure::Failure;

/// How long the last replies may take.
const REPLY_TIMEOUT: Duration = Duration::from_mins(1);

/// What stands in a receipt, or an array of them, that has a refusal.
const REFUSED: &[u8] = br#""status":"rejected""#;

/// Submissions that are sent, and replies that are taken, together if they can be.
const CHUNK: usize = 64;

/// What a round gave.
pub(crate) struct Round {
    /// From the first submission sent to the last reply.
    pub(crate) elapsed: Duration,
    /// Time from sending to reply of each submission, ascending.
    pub(crate) latencies: Vec<Duration>,
    /// Submissions of which something was refused.
    pub(crate) refused: usize,
}

impl Round {
    /// The latency below which `percent` of the submissions stayed, in milliseconds.
    pub(crate) fn percentile_ms(&self, percent: usize) -> f64 {
        let index =
            (self.latencies.len() * percent / 100).min(self.latencies.len().saturating_sub(1));
        self.latencies
            .get(index)
            .map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
    }
}

/// Sends all submissions on `subject`, `in_flight` at a time.
pub(crate) async fn drive(
    bus: &Bus,
    subject: String,
    submissions: Vec<Bytes>,
    in_flight: usize,
) -> Result<Round, Failure> {
    let (sender, mut inbox) = CommandSender::open_on(bus, subject)
        .await
        .map_err(|error| Failure::failed(&error))?;
    bus.flush().await;
    let count = submissions.len();
    // As many tokens as may be under way: the server looks the subscribers of a subject up once, and knows them when the same
    // reply subject comes again.
    let (free, mut tokens) = mpsc::unbounded_channel();
    for token in 0..in_flight {
        if free.send(token).is_err() {
            break;
        }
    }
    let sent_at = Arc::new(Mutex::new(vec![Instant::now(); in_flight]));
    let started = Instant::now();
    let sending = tokio::spawn({
        let sent_at = Arc::clone(&sent_at);
        async move {
            let mut submissions = submissions.into_iter();
            let mut free_tokens = Vec::with_capacity(CHUNK);
            while submissions.len() > 0 {
                // Whoever waits for the replies has given up.
                if tokens.recv_many(&mut free_tokens, CHUNK).await == 0 {
                    return Ok(());
                }
                let now = Instant::now();
                for (token, submission) in free_tokens.drain(..).zip(&mut submissions) {
                    if let Some(at) = held(&sent_at).get_mut(token) {
                        *at = now;
                    }
                    let number = u64::try_from(token).unwrap_or(u64::MAX);
                    sender.send(number, submission).await?;
                }
            }
            Ok(())
        }
    });
    let mut latencies = Vec::with_capacity(count);
    let mut refused = 0;
    let is_refused = memchr::memmem::Finder::new(REFUSED);
    while latencies.len() < count {
        let replies = tokio::time::timeout(REPLY_TIMEOUT, inbox.next_chunk(CHUNK)).await;
        let Ok(Some(replies)) = replies else {
            return Err(Failure::because(format!(
                "{} of {count} submissions got no reply",
                count - latencies.len()
            )));
        };
        let now = Instant::now();
        for (number, payload) in replies {
            let token = usize::try_from(number).unwrap_or(usize::MAX);
            let at = held(&sent_at).get(token).copied().unwrap_or(now);
            latencies.push(now - at);
            let payload = payload.ok_or_else(|| Failure::because("nobody listens for commands"))?;
            if is_refused.find(&payload).is_some() {
                refused += 1;
            }
            // After the last submission nobody wants a token any more.
            free.send(token).unwrap_or_default();
        }
    }
    let elapsed = started.elapsed();
    let sent: Result<(), ledger_bus::SendError> =
        sending.await.map_err(|error| Failure::failed(&error))?;
    sent.map_err(|error| Failure::failed(&error))?;
    latencies.sort_unstable();
    Ok(Round {
        elapsed,
        latencies,
        refused,
    })
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
