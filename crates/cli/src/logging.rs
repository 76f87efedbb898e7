//! What the program says about itself, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::output::say;

/// Starts logging; `RUST_LOG` chooses what is said, `default` when it is not set.
pub(crate) fn start(default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        // It would panic where standard error cannot be written.
        .log_internal_errors(false)
        .try_init();
    if let Err(error) = started {
        say(format_args!("logging could not be started: {error}"));
    }
}
