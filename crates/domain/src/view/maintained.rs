//! Views that are kept up to date with a read model, one event at a time.

use chrono::NaiveDate;

use super::changelog::ChangelogChunk;
use super::error::RestoreError;
use super::event_ref::EventRef;
use super::list::Page;
use super::read_model::{Delta, ReadModel};
use super::rows::Row;
use super::tables::Tables;
use super::watch::{UnknownFilter, WatchPage};
use crate::wire::v1::view::{CommitmentList, Timeliness, WatchAnswer};

/// Views that follow a read model: one family, or one and what stands beside it.
pub(crate) trait MaintainedViews: Sized {
    /// Follows a read model in which nothing has happened.
    fn begun(tables: &Tables) -> Self;
    /// Prepares for an event that changes where commitments stand: takes those it touches out of the counts.
    fn retract(&mut self, model: &ReadModel, delta: &Delta);
    /// Follows an event that the read model has taken in.
    fn accumulate(&mut self, model: &ReadModel, event: &EventRef<'_>, delta: &Delta);
    fn keys(&self, tables: &Tables) -> Vec<String>;
    fn body(&self, tables: &Tables, key: &str) -> Option<Vec<u8>>;
    fn title(&self, tables: &Tables, key: &str) -> Option<String>;
    fn list(&self, tables: &Tables, key: &str, page: &Page) -> Option<CommitmentList>;
    fn timeliness(&self, tables: &Tables, key: &str, today: NaiveDate) -> Option<Timeliness>;
    /// The watch lists, of those views that keep some.
    fn watch(
        &self,
        tables: &Tables,
        page: &WatchPage,
        today: NaiveDate,
    ) -> Option<Result<WatchAnswer, UnknownFilter>>;
    /// The keys of the views that changed since the last call, in no order.
    fn take_keys(&mut self, tables: &Tables) -> Vec<String>;
    /// The rows of what changed since the last call.
    fn take_rows(&mut self, tables: &Tables, rows: &mut Vec<Row>);
    /// Begins to keep history, or goes on with the open chunks of one; those that are not its own are given back.
    fn keep_changelog(
        &mut self,
        tables: &Tables,
        open: Vec<(String, Vec<u8>)>,
    ) -> Result<Vec<(String, Vec<u8>)>, RestoreError>;
    fn take_closed_chunks(&mut self, tables: &Tables, chunks: &mut Vec<ChangelogChunk>);
    fn take_grown_chunks(&mut self, tables: &Tables, chunks: &mut Vec<ChangelogChunk>);
    /// The open chunks of the lists of its own that answers about a view are made from.
    fn changelog_of(&self, tables: &Tables, key: &str) -> Option<Vec<ChangelogChunk>>;
    /// Takes a row back in; whether it was its own. Rows come before [`MaintainedViews::restored`].
    fn restore_row(&mut self, key: &[u8], value: &[u8]) -> Result<bool, RestoreError>;
    /// Counts everything from the facts that were restored.
    fn restored(&mut self, tables: &Tables) -> Result<(), RestoreError>;
    /// Nothing yet, to be filled with rows.
    fn empty() -> Self;
}
