//! One module for each subcommand.

pub(crate) mod audit;
pub(crate) mod commitment;
pub(crate) mod import;
pub(crate) mod replay;
pub(crate) mod scrub;
pub(crate) mod serve;
pub(crate) mod submit;
pub(crate) mod view;

use crate::failure::Failure;
use indicatif::{ProgressBar, ProgressStyle};
use ledger_client::Connection;

/// A connection in the name of this tool.
async fn connect(nats: &str) -> Result<Connection, Failure> {
    Ok(Connection::open(nats, "compact-ledger").await?)
}

/// A bar on standard error, which shows on a terminal only.
fn progress_bar(total: u64, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(total).with_message(what);
    let template = "{msg} {wide_bar} {human_pos}/{human_len} ({per_sec}, {eta} left)";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
