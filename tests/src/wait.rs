//! Conditions with a deadline.

use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Blocks until `holds` says so.
///
/// # Panics
/// When it does not within `within`; `what` says what was awaited.
pub fn await_that(what: &str, within: Duration, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + within;
    while !holds() {
        assert!(
            Instant::now() < deadline,
            "waited {within:?} in vain for: {what}"
        );
        std::thread::sleep(POLL_INTERVAL);
    }
}

/// Waits until `attempt` gives a value, without blocking the thread, and returns the value.
///
/// # Panics
/// When there is none within `within`; `what` says what was awaited.
pub async fn eventually<T>(
    what: &str,
    within: Duration,
    mut attempt: impl AsyncFnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(value) = attempt().await {
            return value;
        }
        assert!(
            Instant::now() < deadline,
            "waited {within:?} in vain for: {what}"
        );
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// A port on the loopback address that nobody listened on a moment ago.
///
/// # Panics
/// When there is none.
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "pigs to fly")]
    fn what_never_holds_is_named() {
        await_that("pigs to fly", Duration::from_millis(30), || false);
    }

    #[tokio::test]
    async fn a_value_that_comes_later_is_returned() {
        let mut tries = 0;
        let value = eventually("the third try", Duration::from_secs(10), async || {
            tries += 1;
            (tries == 3).then_some("here")
        })
        .await;
        assert_eq!(value, "here");
    }
}
