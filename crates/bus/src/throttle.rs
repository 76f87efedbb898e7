//! Rate-limits log lines about an operation that is tried again and again.

use std::collections::HashMap;
use std::fmt::Display;
use std::time::{Duration, Instant};

/// After so long the same is said a second time; then after twice as long each time.
const FIRST_SILENCE: Duration = Duration::from_secs(30);
/// The same is said again after so long at the latest.
const LONGEST_SILENCE: Duration = Duration::from_hours(1);
/// Reasons that are remembered; any beyond them count as one.
const MAX_REASONS: usize = 16;

/// Decides which failures of a retried operation are logged: each reason at once, then at growing
/// intervals. Reasons that differ in their numbers alone are one reason. A success in between does not
/// make a reason new: an operation that fails and succeeds in turns is not logged at every turn.
#[derive(Debug, Default)]
pub struct LogThrottle {
    said: HashMap<String, Said>,
    attempts: u64,
    /// A failure was logged, and its end was not.
    is_open: bool,
}

#[derive(Debug)]
struct Said {
    at: Instant,
    silence: Duration,
}

impl Said {
    /// Whether it was said so long ago that it is not the same trouble any more.
    fn is_over(&self, now: Instant) -> bool {
        now.duration_since(self.at) >= self.silence * 2 + FIRST_SILENCE
    }
}

impl LogThrottle {
    /// Whether to log why the attempt at `now` failed.
    pub fn should_log(&mut self, why: &impl Display, now: Instant) -> bool {
        self.attempts += 1;
        self.said.retain(|_, said| !said.is_over(now));
        let mut reason = without_numbers(&why.to_string());
        if !self.said.contains_key(&reason) && self.said.len() >= MAX_REASONS {
            reason = String::new();
        }
        let silence = match self.said.get(&reason) {
            Some(said) if now.duration_since(said.at) < said.silence => return false,
            Some(said) => LONGEST_SILENCE.min(said.silence * 2),
            None => FIRST_SILENCE,
        };
        self.said.insert(reason, Said { at: now, silence });
        self.is_open = true;
        true
    }

    /// Attempts that failed since the last that did not.
    pub fn attempts(&self) -> u64 {
        self.attempts
    }

    /// Notes an attempt that did not fail; gives how many failed before it, where that is to be logged.
    pub fn is_over(&mut self) -> Option<u64> {
        let attempts = std::mem::take(&mut self.attempts);
        std::mem::take(&mut self.is_open).then_some(attempts)
    }
}

/// The text with each run of digits as one sign.
fn without_numbers(text: &str) -> String {
    let mut reason = String::with_capacity(text.len());
    for letter in text.chars() {
        if !letter.is_ascii_digit() {
            reason.push(letter);
        } else if !reason.ends_with('#') {
            reason.push('#');
        }
    }
    reason
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn the_same_is_said_at_growing_intervals_and_another_reason_at_once() {
        let mut throttle = LogThrottle::default();
        let start = Instant::now();
        let said: Vec<u64> = (0..200)
            .filter(|&second| throttle.should_log(&"nobody answers", after(start, second)))
            .collect();
        assert_eq!(said, [0, 30, 90]);
        assert!(throttle.should_log(&"no reply", after(start, 200)));
    }

    #[test]
    fn reasons_in_turns_are_not_news_each_time() {
        let mut throttle = LogThrottle::default();
        let start = Instant::now();
        let reasons = ["nobody answers", "no reply", "the disk is full"];
        let said = (0..3_600).filter(|&second| {
            let reason = reasons[usize::try_from(second % 3).unwrap()];
            throttle.should_log(&reason, after(start, second))
        });
        assert!((3..30).contains(&said.count()));
    }

    #[test]
    fn a_number_in_it_makes_no_reason_new() {
        let mut throttle = LogThrottle::default();
        let start = Instant::now();
        let said = (0..60).filter(|&second| {
            let reason = format!("the stream ends at sequence {second}");
            throttle.should_log(&reason, after(start, second))
        });
        assert_eq!(said.count(), 2);
    }

    #[test]
    fn neither_reasons_without_end_nor_short_successes_flood_the_log() {
        let mut throttle = LogThrottle::default();
        let start = Instant::now();
        let mut said = 0;
        for second in 0..600 {
            let reason = format!("fault {}", "x".repeat(usize::try_from(second).unwrap()));
            said += usize::from(throttle.should_log(&reason, after(start, second)));
        }
        assert!(said < 300, "{said}");
        let mut throttle = LogThrottle::default();
        let (mut said, mut ended) = (0, 0);
        for second in 0..3_600 {
            said += usize::from(throttle.should_log(&"full", after(start, second)));
            ended += usize::from(throttle.is_over().is_some());
        }
        assert!(said < 10, "{said}");
        assert_eq!(said, ended);
    }

    #[test]
    fn a_day_of_attempts_is_said_a_few_times_and_its_end_with_their_number() {
        let mut throttle = LogThrottle::default();
        assert_eq!(throttle.is_over(), None);
        let start = Instant::now();
        let said = (0..86_400).filter(|&second| throttle.should_log(&"full", after(start, second)));
        let said = said.count();
        assert!((24..40).contains(&said), "{said}");
        assert_eq!(throttle.attempts(), 86_400);
        assert_eq!(throttle.is_over(), Some(86_400));
        assert_eq!(throttle.is_over(), None);
        assert!(throttle.should_log(&"full", after(start, 3 * 86_400)));
    }
}
