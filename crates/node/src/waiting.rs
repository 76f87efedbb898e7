//! Saying what is waited for, without saying it at every attempt.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// After so long the same is said again.
const SAY_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// What was said last of something that is tried again and again.
#[derive(Debug, Default)]
pub struct Waiting {
    said: Option<(String, Instant)>,
}

impl Waiting {
    /// Whether to say why the attempt at `now` failed: when it failed for another reason before, or said so long ago.
    pub fn is_news(&mut self, why: &impl Display, now: Instant) -> bool {
        let why = why.to_string();
        if let Some((said, at)) = &self.said
            && *said == why
            && now.duration_since(*at) < SAY_AGAIN_AFTER
        {
            return false;
        }
        self.said = Some((why, now));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_said_once_in_half_a_minute_and_another_reason_at_once() {
        let mut waiting = Waiting::default();
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert!(waiting.is_news(&"nobody answers", start));
        assert!(!waiting.is_news(&"nobody answers", after(1)));
        assert!(waiting.is_news(&"no reply", after(2)));
        assert!(!waiting.is_news(&"no reply", after(31)));
        assert!(waiting.is_news(&"no reply", after(32)));
    }
}
