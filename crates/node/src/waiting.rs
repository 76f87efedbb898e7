//! Saying what is waited for, without saying it at every attempt.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// After so long the same is said a second time; then after twice as long each time.
const SAY_AGAIN_AFTER: Duration = Duration::from_secs(30);
/// The same is said again after so long at the latest.
const LONGEST_SILENCE: Duration = Duration::from_hours(1);

/// What was said last of something that is tried again and again.
#[derive(Debug, Default)]
pub struct Waiting {
    said: Option<Said>,
    attempts: u64,
}

#[derive(Debug)]
struct Said {
    why: String,
    at: Instant,
    silence: Duration,
}

impl Waiting {
    /// Whether to say why the attempt at `now` failed: when it failed for another reason before, or said so long ago.
    pub fn is_news(&mut self, why: &impl Display, now: Instant) -> bool {
        self.attempts += 1;
        let why = why.to_string();
        let mut silence = SAY_AGAIN_AFTER;
        if let Some(said) = &self.said
            && said.why == why
        {
            if now.duration_since(said.at) < said.silence {
                return false;
            }
            silence = LONGEST_SILENCE.min(said.silence * 2);
        }
        self.said = Some(Said {
            why,
            at: now,
            silence,
        });
        true
    }

    /// Attempts that failed since the last that did not.
    pub fn attempts(&self) -> u64 {
        self.attempts
    }

    /// Notes an attempt that did not fail; gives how many failed before it, if any did.
    pub fn is_over(&mut self) -> Option<u64> {
        let Self { attempts, said } = std::mem::take(self);
        said.map(|_| attempts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_said_at_growing_intervals_and_another_reason_at_once() {
        let mut waiting = Waiting::default();
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert!(waiting.is_news(&"nobody answers", start));
        assert!(!waiting.is_news(&"nobody answers", after(1)));
        assert!(waiting.is_news(&"no reply", after(2)));
        assert!(!waiting.is_news(&"no reply", after(31)));
        assert!(waiting.is_news(&"no reply", after(32)));
        assert!(!waiting.is_news(&"no reply", after(91)));
        assert!(waiting.is_news(&"no reply", after(92)));
    }

    #[test]
    fn a_day_of_attempts_is_said_a_few_times_and_its_end_with_their_number() {
        let mut waiting = Waiting::default();
        assert_eq!(waiting.is_over(), None);
        let start = Instant::now();
        let said = (0..86_400)
            .filter(|&second| waiting.is_news(&"full", start + Duration::from_secs(second)));
        let said = said.count();
        assert!((24..40).contains(&said), "{said}");
        assert_eq!(waiting.attempts(), 86_400);
        assert_eq!(waiting.is_over(), Some(86_400));
        assert_eq!(waiting.is_over(), None);
        assert!(waiting.is_news(&"full", start + Duration::from_hours(24)));
    }
}
