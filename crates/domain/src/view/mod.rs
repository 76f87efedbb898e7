//! Views: what the ledger answers, as pure folds of its events.
//!
//! A view's body depends on the events alone, never on a clock, so anyone who holds the log can fold it again and compare the bytes.
//! What depends on the day of asking (overdue, stale, lag) is counted at read time and wraps the body: see [`Envelope`].
//!
//! The families of views share one fold of facts (`tables`): what is known of every commitment, party and action. Each adds how its
//! views count one commitment (`CountryFamily`, `ActionFamily`, `SummaryFamily`). They are folded together (`AllViews`) or each over facts of its own. An event takes the commitment's old facts out of every count it stood in
//! and puts the new ones in, so counts cannot drift from the facts; after a restart they are counted again from the facts, so there is
//! nothing they could disagree with.
//!
//! # What is counted
//! Every count stands in an object named after its unit (`commitments`, `participations`, `parties`, …). `commitments` counts all that were ever
//! recorded, by where they stand. `active_commitments` are those that stand, active and suspended ones: suspending hides nothing, lateness
//! neither. `closed_commitments` came to an end. Withdrawn and superseded ones are counted as such and in nothing else. A joint commitment is counted
//! once, under its lead; its partners and supporters are counted as participations, apart.
//!
//! - **Reports** are chains: a correction takes the place of the report it names and a retracted report counts no more, so stage, evidence and
//!   last report are those of the reports that stand. The *stage* is the lead's word on the latest period; one that goes on when it is reported on, as a
//!   year may, ends for this with the day of recording. *Validated* and *returned* are the last word on
//!   that very report, so a correction or a newer report has to be validated anew.
//! - **Contested**: a contest that is not resolved, of a report that stands. A correction does not settle it, and neither does retracting: a contest that is
//!   open when its report is retracted stays with reporter and period, and concerns the next report of that reporter over that period.
//! - **Contest upheld**: a contest of a standing report was resolved as upheld, and the report was neither corrected nor retracted since.
//! - **Evidence** is named by a standing report, by a milestone or of the commitment itself, by who takes part: what an assessor attaches is not the
//!   evidence that participants owe. What was added to a report stays with it
//!   when it is corrected. It is *unavailable* from the event that flags it to one that says where it moved or names it again with a URL, or until nothing
//!   names evidence any more: which report named it is not kept. Evidence without a digest is *undigested* until it is given one. It is evidence, and
//!   counted apart: a commitment is counted as *with evidence* where some of it has a digest, else as *with undigested evidence*.
//! - **Assessments** count with the newest word of each assessor under each method and version: a revision takes the place of what it revises (a new
//!   grade without a completion leaves none: unknown grades are never mapped by guess), and newer is what was assessed later (or recorded later, where the
//!   date is unknown or the same; a date that can mean days after the recording, as a year may, ends with that). `assessed_commitments_by_method` has each commitment that stands or was
//!   closed once under each method and version, with the newest word of any assessor; grades that the method does not translate
//!   are `other`, and stand verbatim in the commitment's row.
//! - **Self-declared**: closed as fulfilled, and nobody's newest word is `complete`, whether it was said before the closing or after.
//! - **Downgraded**: somebody's newest word under a method and version is lower than their word before, by the last revision that changed it or by a newer
//!   assessment. A word before that the method does not translate is passed over, and to say the same again takes nothing back.
//! - **Assessed below the report**: somebody's newest word does not bear the lead out, who says fulfilled (and it is not `complete`) or under way (and it is
//!   not even `limited`). What the lead closed as counts before what it reported.
//! - **Fulfilled, unassessed**: closed as fulfilled, or standing and reported as fulfilled, with no assessment of progress at all.
//! - **Overdue** and **stale** are commitments that stand and whose lead's word is not fulfilled. A word that was returned to it does not end what it owes, and neither
//!   does one that was retracted.

mod action;
mod all;
mod as_of;
mod assessments;
mod body;
mod changelog;
mod changes;
mod codec;
mod contests;
mod country;
mod dates;
mod detail;
mod entries;
mod error;
mod event_ref;
mod event_time;
mod evidence;
mod evolve;
mod facts;
mod family;
mod fold;
mod gaps;
mod index;
mod last_change;
mod ledger;
mod list;
mod maintained;
mod measure;
mod partner;
mod place;
mod postings;
mod reach;
mod read_model;
mod reference;
mod reports;
mod review;
mod row;
mod rows;
mod scrutiny;
mod shared;
mod sign;
mod state;
mod stored;
mod summary;
mod table;
mod tables;
mod tally;
mod watch;
mod watch_lists;
mod watched;

use chrono::NaiveDate;

use crate::ids::Position;
use crate::wire::v1::view::{CommitmentList, EventList, Timeliness, WatchAnswer};
use crate::wire::v1::{Event, EventExcerpt};

pub use all::{Family, family_of};
pub use as_of::{
    AsOfView, ChangelogSource, MAX_EVENT_ROWS, VisitChunk, WantChunk, position_at, recorded_at,
};
pub use changelog::{ChangelogChunk, changelog_version};
pub use changes::Changes;
pub use error::{HexKey, RestoreError};
pub use list::{MAX_PAGE_ROWS, Page};
pub use state::CommitmentFold;
pub use watch::{UnknownFilter, WatchPage};

/// The largest body a view may have: the bound of a NATS KV value here, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

macro_rules! projections {
    ($($(#[$doc:meta])* $name:ident($fold:ty) = $word:literal of $families:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Default)]
        pub struct $name($fold);

        impl Projection for $name {
            const NAME: &'static str = $word;
            const FAMILIES: &'static [Family] = $families;

            fn apply(&mut self, event: &Event) {
                self.0.apply(&event.into());
            }

            fn apply_excerpt(&mut self, excerpt: &EventExcerpt) {
                self.0.apply(&excerpt.into());
            }

            fn watermark(&self) -> Option<Position> {
                self.0.watermark().map(|moment| Position(moment.position))
            }

            fn keys(&self) -> Vec<String> {
                self.0.keys()
            }

            fn body(&self, key: &str) -> Option<Vec<u8>> {
                self.0.body(key)
            }

            fn title(&self, key: &str) -> Option<String> {
                self.0.title(key)
            }

            fn list(&self, key: &str, page: &Page) -> Option<CommitmentList> {
                self.0.list(key, page)
            }

            fn timeliness(&self, key: &str, today: NaiveDate) -> Option<Timeliness> {
                self.0.timeliness(key, today)
            }

            fn watch(
                &self,
                page: &WatchPage,
                today: NaiveDate,
            ) -> Option<Result<WatchAnswer, UnknownFilter>> {
                self.0.watch(page, today)
            }

            fn take_changes(&mut self) -> Changes {
                self.0.take_changes()
            }

            fn take_keys(&mut self) -> Vec<String> {
                self.0.take_keys()
            }

            fn keep_changelog(
                &mut self,
                open: impl Iterator<Item = (String, Vec<u8>)>,
            ) -> Result<(), RestoreError> {
                self.0.keep_changelog(open)
            }

            fn take_closed_chunks(&mut self) -> Vec<ChangelogChunk> {
                self.0.take_closed_chunks()
            }

            fn take_grown_chunks(&mut self) -> Vec<ChangelogChunk> {
                self.0.take_grown_chunks()
            }

            fn changelog_of(&self, key: &str) -> Option<Vec<ChangelogChunk>> {
                self.0.changelog_of(key)
            }

            fn as_of<S: ChangelogSource>(
                source: &S,
                key: &str,
                position: u64,
                today: NaiveDate,
                page: Option<&Page>,
            ) -> Result<Option<AsOfView>, S::Error> {
                <$fold>::as_of(source, key, position, today, page)
            }

            fn watch_as_of<S: ChangelogSource>(
                source: &S,
                page: &WatchPage,
                position: u64,
                today: NaiveDate,
            ) -> Result<Option<Result<WatchAnswer, UnknownFilter>>, S::Error> {
                <$fold>::watch_as_of(source, page, position, today)
            }

            fn events_between<S: ChangelogSource>(
                source: &S,
                key: &str,
                after: Option<u64>,
                to: u64,
                page: &Page,
            ) -> Result<EventList, S::Error> {
                <$fold>::events_between(source, key, (after, to), page)
            }

            fn restore(rows: impl Iterator<Item = (Vec<u8>, Vec<u8>)>) -> Result<Self, RestoreError> {
                <$fold>::restore(rows).map(Self)
            }
        }
    )+};
}

projections! {
    /// The views of countries: one for each code of ISO 3166-1, whether or not something was recorded of it, and `INT` for what belongs to no country.
    CountryView(fold::View<country::CountryFamily>) = "country" of &[Family::Country];
    /// The views of actions: one for each catalogued action, objectives rolling up the actions under them.
    ActionView(fold::View<action::ActionFamily>) = "action" of &[Family::Action];
    /// The views of the whole ledger: `summary`, `gaps`, `partner.<id>` for each partner and `review.<id>` for each review cycle.
    SummaryView(ledger::Whole) = "summary" of &[Family::Summary];
    /// All of these, over one fold of the facts: what each answers under a key, this answers under the same.
    AllViews(all::All) = "all" of &Family::ALL;
}

/// A family of views folded from the log in the order of its positions.
///
/// Implementations are deterministic: equal events give equal bodies, lists and rows' meaning, wherever and in how many sittings they are folded.
pub trait Projection: Default {
    /// The family's name: `country`, `action`, `summary`, or `all` of them together.
    const NAME: &'static str;
    /// The families it folds.
    const FAMILIES: &'static [Family];

    /// Takes in the next event. Never fails; an event at or below the watermark was taken in before and changes nothing, so a stream that
    /// delivers twice does no harm. A gap is not noticed here: who feeds the projection keeps positions without gaps.
    fn apply(&mut self, event: &Event);

    /// Takes in the next event as [`Projection::apply`] does: its excerpt has all that counts.
    fn apply_excerpt(&mut self, excerpt: &EventExcerpt);

    /// The position of the last event taken in, none before the first.
    fn watermark(&self) -> Option<Position>;

    /// Every key that has a body, in order. Some exist before the first event, so that a gap shows as zero.
    fn keys(&self) -> Vec<String>;

    /// The canonical JSON of one view, at most [`MAX_BODY_BYTES`], free of free text. It carries the position of the last event that concerned it.
    fn body(&self, key: &str) -> Option<Vec<u8>>;

    /// The title of what the view is about, for people to read; beside the body because it is free text.
    fn title(&self, key: &str) -> Option<String>;

    /// One page of the view's commitments in recorded order; none if there is no such view, or it is not one of commitments.
    fn list(&self, key: &str, page: &Page) -> Option<CommitmentList>;

    /// How the view's active commitments stand against their dates on `today`; none as for [`Projection::list`].
    fn timeliness(&self, key: &str, today: NaiveDate) -> Option<Timeliness>;

    /// The watch lists on `today`: how many commitments are on each, and a page of one where the page names it. None of a projection
    /// that keeps none: only that of the whole ledger does.
    fn watch(
        &self,
        page: &WatchPage,
        today: NaiveDate,
    ) -> Option<Result<WatchAnswer, UnknownFilter>>;

    /// What changed since the last call: rows to keep, in one atomic write together with the watermark, and keys to publish.
    /// The first call after a start from nothing names every key there is.
    ///
    /// Catching up, call it rarely (every million events, say): then most commitments are written in pages of 64, and each once.
    fn take_changes(&mut self) -> Changes;

    /// The keys among the changes alone, where only they are wanted: the rows stay to be taken.
    fn take_keys(&mut self) -> Vec<String>;

    /// Begins to keep the history of every view: from the start of the log, or with the open chunks that were saved together with the rows it was
    /// restored from. Without this call no history is kept and folding is cheaper.
    ///
    /// # Errors
    /// When an open chunk is damaged: the caller folds from position 0 instead.
    fn keep_changelog(
        &mut self,
        open: impl Iterator<Item = (String, Vec<u8>)>,
    ) -> Result<(), RestoreError>;

    /// The chunks of history that were closed since the last call, in the order of each list. They never change again.
    fn take_closed_chunks(&mut self) -> Vec<ChangelogChunk>;

    /// The open chunks that grew since the last call, to be saved in place of what was saved of them before.
    fn take_grown_chunks(&mut self) -> Vec<ChangelogChunk>;

    /// The open chunks of every list that answers about a view at past positions are made from; one without entries is empty. None if there is no such
    /// view, or no history is kept.
    fn changelog_of(&self, key: &str) -> Option<Vec<ChangelogChunk>>;

    /// The view as known at a position: its body, byte for byte as a fold of the log up to there gives it, how its commitments stand on `today`,
    /// and a page of them. None if there was no such view then.
    ///
    /// # Errors
    /// When the history cannot be read.
    fn as_of<S: ChangelogSource>(
        source: &S,
        key: &str,
        position: u64,
        today: NaiveDate,
        page: Option<&Page>,
    ) -> Result<Option<AsOfView>, S::Error>;

    /// The watch lists as known at a position, on `today`: what [`Projection::watch`] gives after a fold of the log up to there, but that no page comes
    /// short. They are made from the lists that [`Projection::changelog_of`] names for `summary`.
    ///
    /// # Errors
    /// When the history cannot be read.
    fn watch_as_of<S: ChangelogSource>(
        source: &S,
        page: &WatchPage,
        position: u64,
        today: NaiveDate,
    ) -> Result<Option<Result<WatchAnswer, UnknownFilter>>, S::Error>;

    /// A page of the events that concerned a view after the position `after`, or from the first, up to and with the position `to`.
    ///
    /// # Errors
    /// When the history cannot be read.
    fn events_between<S: ChangelogSource>(
        source: &S,
        key: &str,
        after: Option<u64>,
        to: u64,
        page: &Page,
    ) -> Result<EventList, S::Error>;

    /// Builds the projection from every row ever taken, the last value of each key, in the order of the keys' bytes.
    ///
    /// # Errors
    /// When a row is of another version, damaged, or missing: the caller folds from position 0 instead.
    fn restore(rows: impl Iterator<Item = (Vec<u8>, Vec<u8>)>) -> Result<Self, RestoreError>;
}

#[cfg(test)]
mod tests;
