//! One signal to stop, seen by every task.

use tokio::sync::watch;

/// Asks tasks to stop. Dropping it asks too.
#[derive(Debug)]
pub struct ShutdownTrigger(watch::Sender<bool>);

/// Tells a task when to stop; clones see the same signal.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

/// A trigger and the signal it gives.
pub fn shutdown() -> (ShutdownTrigger, Shutdown) {
    let (sender, receiver) = watch::channel(false);
    (ShutdownTrigger(sender), Shutdown(receiver))
}

impl ShutdownTrigger {
    /// Gives the signal.
    pub fn trigger(&self) {
        self.0.send_replace(true);
    }
}

impl Shutdown {
    /// Waits for the signal.
    pub async fn requested(&mut self) {
        // An error means that the trigger is gone, which is a signal too.
        if self.0.wait_for(|requested| *requested).await.is_err() {
            tracing::debug!("the shutdown trigger was dropped");
        }
    }
}
