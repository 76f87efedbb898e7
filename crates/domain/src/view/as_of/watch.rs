//! The watch lists as they were known at a past position.

use chrono::NaiveDate;

use super::super::family::ViewFamily;
use super::super::fold::View;
use super::super::list::Page;
use super::super::watch::{Search, UnknownFilter, WatchPage};
use super::{AsOfReader, ChangelogSource, tables_as_of};
use crate::wire::v1::view::{WatchAnswer, WatchRows};

impl<L: ViewFamily> View<L> {
    /// A family of views keeps no watch lists: what stands beside the summary does.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "it stands where another fold answers"
    )]
    pub(crate) fn watch_as_of<S: ChangelogSource>(
        _: &S,
        _: &WatchPage,
        _: u64,
        _: NaiveDate,
    ) -> Result<Option<Result<WatchAnswer, UnknownFilter>>, S::Error> {
        Ok(None)
    }

    /// The watch lists on a day, counted over one view's own commitments as they were known at a position.
    pub(crate) fn watched_as_of<S: ChangelogSource>(
        source: &S,
        key: L::Key,
        page: &WatchPage,
        position: u64,
        today: NaiveDate,
    ) -> Result<Result<WatchAnswer, UnknownFilter>, S::Error> {
        let mut view = Self::over(tables_as_of(source, position)?);
        let search = page
            .list
            .map(|list| Search::new(view.tables(), list, page, today));
        let search = match search.transpose() {
            Ok(search) => search,
            Err(unknown) => return Ok(Err(unknown)),
        };
        let part = Page {
            after: page.after,
            limit: page.limit,
        };
        let mut known = AsOfReader::<L>::new(key, page.list.map(|_| &part));
        known.search = search;
        known.read_all(source, &mut view, position)?;
        let watch = known.search.take().map(|search| {
            let (shown, next) = known.take_shown(&mut view, part.rows());
            let rows = shown.iter().map(|facts| search.row(view.tables(), facts));
            WatchRows {
                list: search.list,
                rows: rows.collect(),
                next,
            }
        });
        let entry = view.entry(key).1;
        Ok(Ok(WatchAnswer {
            commitments_by_list: entry.calendar.lists(today),
            illustrative_commitments_by_list: entry.illustrative.lists(today),
            watch,
        }))
    }
}
