//! Sends submissions with a fixed number in flight and times their replies.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ledger_bus::{Bus, CommandSender};
use tokio::sync::{Semaphore, mpsc};

use crate::failure::Failure;

/// How long the last replies may take.
const REPLY_TIMEOUT: Duration = Duration::from_mins(1);

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
    let room = Arc::new(Semaphore::new(in_flight));
    let (sent_sender, mut sent) = mpsc::unbounded_channel();
    let started = Instant::now();
    let sending = tokio::spawn({
        let room = Arc::clone(&room);
        async move {
            for (token, submission) in (0_u64..).zip(submissions) {
                let Ok(permit) = room.acquire().await else {
                    return Ok(());
                };
                permit.forget();
                if sent_sender.send(Instant::now()).is_err() {
                    return Ok(());
                }
                sender.send(token, submission).await?;
            }
            Ok(())
        }
    });
    let mut sent_at = Vec::with_capacity(count);
    let mut latencies = Vec::with_capacity(count);
    let mut refused = 0;
    while latencies.len() < count {
        let reply = tokio::time::timeout(REPLY_TIMEOUT, inbox.next()).await;
        let Ok(Some((token, payload))) = reply else {
            return Err(Failure::because(format!(
                "{} of {count} submissions got no reply",
                count - latencies.len()
            )));
        };
        let now = Instant::now();
        room.add_permits(1);
        while let Ok(at) = sent.try_recv() {
            sent_at.push(at);
        }
        let at = usize::try_from(token)
            .ok()
            .and_then(|token| sent_at.get(token))
            .copied()
            .unwrap_or(now);
        latencies.push(now - at);
        let payload = payload.ok_or_else(|| Failure::because("nobody listens for commands"))?;
        if is_refused(&payload) {
            refused += 1;
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

/// Whether a receipt or an array of them has a refusal; cheap, since it is part of what is measured.
fn is_refused(reply: &[u8]) -> bool {
    const REFUSED: &[u8] = br#""status":"rejected""#;
    reply.windows(REFUSED.len()).any(|window| window == REFUSED)
}
