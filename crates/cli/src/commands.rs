//! One module for each subcommand.

pub(crate) mod audit;
mod codes;
pub(crate) mod commitment;
pub(crate) mod diff;
mod figures;
pub(crate) mod gaps;
pub(crate) mod health;
pub(crate) mod import;
pub(crate) mod listing;
pub(crate) mod manual;
mod moment;
pub(crate) mod partner;
pub(crate) mod replay;
pub(crate) mod review;
pub(crate) mod scrub;
pub(crate) mod serve;
pub(crate) mod submit;
pub(crate) mod summary;
pub(crate) mod view;
pub(crate) mod watch;

use crate::failure::Failure;
use indicatif::{HumanFloatCount, ProgressBar, ProgressState, ProgressStyle};
use ledger_bus::NatsAccess;
use ledger_client::Connection;
use std::io::IsTerminal as _;
use std::time::Duration;

const SPIN_INTERVAL: Duration = Duration::from_millis(200);

/// A connection in the name of this tool.
async fn connect(nats: &NatsAccess) -> Result<Connection, Failure> {
    Ok(Connection::open(nats, "compact-ledger").await?)
}

/// A bar on standard error, which shows on a terminal only.
pub(crate) fn progress_bar(total: u64, what: &'static str) -> ProgressBar {
    let template = "{msg} {wide_bar} {human_pos}/{human_len} ({rate}, {eta} left)";
    styled(ProgressBar::new(total).with_message(what), template)
}

/// A bar beside lines on standard output: on the same terminal the lines themselves show that it goes on.
fn progress_beside_lines(total: u64, what: &'static str) -> ProgressBar {
    if std::io::stdout().is_terminal() {
        ProgressBar::hidden()
    } else {
        progress_bar(total, what)
    }
}

/// The same where nobody knows how much there is to do.
fn count_beside_lines(what: &'static str) -> ProgressBar {
    if std::io::stdout().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner().with_message(what);
    styled(bar, "{msg} {spinner} {human_pos} ({rate})")
}

/// A sign of life on a terminal, while somebody else works and cannot say how far they are.
fn spinner(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(what);
    bar.enable_steady_tick(SPIN_INTERVAL);
    styled(bar, "{msg} {spinner} {elapsed}")
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.with_key("rate", rate)),
        Err(_) => bar,
    }
}

/// How many a second, without a fraction.
fn rate(state: &ProgressState, to: &mut dyn std::fmt::Write) {
    write!(to, "{}/s", HumanFloatCount(state.per_sec().round())).unwrap_or_default();
}
