//! The watch lists as of a past position.

use chrono::NaiveDate;

use super::{AsOfReader, AsOfViews, ChangelogSource};
use crate::view::family::ViewFamily;
use crate::view::list::Page;
use crate::view::watch::{Search, UnknownFilter, WatchPage};
use crate::wire::v1::view::{WatchAnswer, WatchRows};

impl<L: ViewFamily> AsOfViews<L> {
    /// The watch lists on a day, counted over one view's own commitments as of a position.
    pub(in super::super) fn watch<S: ChangelogSource>(
        source: &S,
        key: L::Key,
        page: &WatchPage,
        position: u64,
        today: NaiveDate,
    ) -> Result<Result<WatchAnswer, UnknownFilter>, S::Error> {
        let mut all = Self::before(source, position)?;
        let search = page
            .list
            .map(|list| Search::new(&all.tables, list, page, today));
        let search = match search.transpose() {
            Ok(search) => search,
            Err(unreader) => return Ok(Err(unreader)),
        };
        let part = Page {
            after: page.after,
            limit: page.limit,
        };
        let mut reader = AsOfReader::<L>::new(key, page.list.map(|_| &part));
        reader.search = search;
        reader.read_all(source, &mut all, position)?;
        let watch = reader.search.take().map(|search| {
            let (shown, next) = reader.take_shown(&mut all, part.rows());
            let rows = shown.iter().map(|facts| search.row(&all.tables, facts));
            WatchRows {
                list: search.list,
                rows: rows.collect(),
                next,
            }
        });
        let entry = all.views.entry(key);
        Ok(Ok(WatchAnswer {
            commitments_by_list: entry.calendar.lists(today),
            illustrative_commitments_by_list: entry.illustrative.lists(today),
            watch,
        }))
    }
}
