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
/// What stands in the refusal of a submission for which the node had no room: it is sent again, as a partner would.
const BUSY: &[u8] = br#""code":"busy""#;
/// How long to wait before a submission is sent again.
const BUSY_PAUSE: Duration = Duration::from_millis(20);

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
    /// How often a submission found no room and was sent again.
    pub(crate) sent_again: usize,
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

/// The place of one submission under way. Its number is the token of its reply: the server looks the subscribers of a
/// subject up once, and knows them when the same reply subject comes again.
struct Place {
    sent_at: Instant,
    submission: Bytes,
}

/// What to do with a place.
#[derive(Clone, Copy)]
enum Turn {
    /// Its reply has come, or it was never used: the next submission takes it.
    Next(usize),
    /// Its submission found no room: send it again.
    Again(usize),
}

/// Sends all submissions on `subject`, `in_flight` at a time. What is refused as `busy` is sent again.
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
    let started = Instant::now();
    let unused = || Place {
        sent_at: started,
        submission: Bytes::new(),
    };
    let places: Vec<Place> = (0..in_flight).map(|_| unused()).collect();
    let places = Arc::new(Mutex::new(places));
    let (turns, waiting) = mpsc::unbounded_channel();
    for place in 0..in_flight.min(count) {
        turns.send(Turn::Next(place)).unwrap_or_default();
    }
    let sending = tokio::spawn(send_all(sender, submissions, Arc::clone(&places), waiting));
    let mut latencies = Vec::with_capacity(count);
    let (mut refused, mut sent_again) = (0, 0);
    let is_refused = memchr::memmem::Finder::new(REFUSED);
    let is_busy = memchr::memmem::Finder::new(BUSY);
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
            let payload = payload.ok_or_else(|| Failure::because("nobody listens for commands"))?;
            let place = usize::try_from(number).unwrap_or(usize::MAX);
            if is_refused.find(&payload).is_some() {
                if is_busy.find(&payload).is_some() {
                    sent_again += 1;
                    let turns = turns.clone();
                    tokio::spawn(async move {
                        tokio::time::sleep(BUSY_PAUSE).await;
                        // Nobody takes it when the round was given up.
                        turns.send(Turn::Again(place)).unwrap_or_default();
                    });
                    continue;
                }
                refused += 1;
            }
            let sent_at = held(&places).get(place).map_or(now, |place| place.sent_at);
            latencies.push(now - sent_at);
            // After the last submission nobody wants a place any more.
            turns.send(Turn::Next(place)).unwrap_or_default();
        }
    }
    let elapsed = started.elapsed();
    drop(turns);
    let sent: Result<(), ledger_bus::SendError> =
        sending.await.map_err(|error| Failure::failed(&error))?;
    sent.map_err(|error| Failure::failed(&error))?;
    latencies.sort_unstable();
    Ok(Round {
        elapsed,
        latencies,
        refused,
        sent_again,
    })
}

/// Sends whatever a place has its turn for, until nobody gives turns any more.
async fn send_all(
    sender: CommandSender,
    submissions: Vec<Bytes>,
    places: Arc<Mutex<Vec<Place>>>,
    mut waiting: mpsc::UnboundedReceiver<Turn>,
) -> Result<(), ledger_bus::SendError> {
    let mut submissions = submissions.into_iter();
    let mut turns = Vec::with_capacity(CHUNK);
    let mut outgoing = Vec::with_capacity(CHUNK);
    while waiting.recv_many(&mut turns, CHUNK).await > 0 {
        {
            let now = Instant::now();
            let mut places = held(&places);
            for turn in turns.drain(..) {
                let (Turn::Next(number) | Turn::Again(number)) = turn;
                let Some(place) = places.get_mut(number) else {
                    continue;
                };
                if matches!(turn, Turn::Next(_)) {
                    let Some(submission) = submissions.next() else {
                        continue;
                    };
                    place.submission = submission;
                    place.sent_at = now;
                }
                outgoing.push((number, place.submission.clone()));
            }
        }
        for (number, submission) in outgoing.drain(..) {
            let token = u64::try_from(number).unwrap_or(u64::MAX);
            sender.send(token, submission).await?;
        }
    }
    Ok(())
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
