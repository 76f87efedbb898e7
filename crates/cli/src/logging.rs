//! The roles' words about themselves, on standard error.

use std::io::IsTerminal;

use ledger_bus::QUIET_ATTEMPTS;
use tracing_subscriber::EnvFilter;

use crate::environment::{RUST_LOG, variable};
use crate::failure::Failure;
use crate::output::say;

/// Starts logging; `RUST_LOG` chooses what is said, `default` when it is not set. What the client of NATS says at each attempt to connect is left
/// out in any case, unless `RUST_LOG` names it: it is said once.
///
/// # Errors
/// When `RUST_LOG` cannot be read: whoever set it waits for what it would say.
pub(crate) fn start(default: &str) -> Result<(), Failure> {
    let chosen = variable(RUST_LOG)?;
    let chosen = chosen.as_deref().unwrap_or(default);
    let quiet = QUIET_ATTEMPTS.split('=').next().unwrap_or_default();
    let directives = if chosen.contains(quiet) {
        chosen.to_owned()
    } else {
        format!("{chosen},{QUIET_ATTEMPTS}")
    };
    let filter = EnvFilter::try_new(&directives).map_err(|_| {
        Failure::usage(format!(
            "{RUST_LOG} is set to `{chosen}`, which chooses nothing: write error, warn, info, debug or trace, \
             or these for single parts, like warn,ledger_node=debug"
        ))
    })?;
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
    Ok(())
}
