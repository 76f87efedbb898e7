//! Views: what the ledger answers, as pure folds of its events.
//!
//! A view's body depends on the events alone, never on a clock, so anyone who holds the log can fold it again and compare the bytes.
//! Counts that depend on the day of asking (overdue, stale, lag) are made at read time and wrap the
//! body: see [`ViewAnswer`](crate::wire::v1::answer::ViewAnswer).
//!
//! The families of views share one read model: what is known of every commitment, party and action. Each adds how its views count
//! one commitment (`CountryFamily`, `ActionFamily`, `SummaryFamily`). [`Views`] folds the families that it is asked for over one
//! read model. An event takes the commitment's old facts out of every count it stood in and puts the new ones in, so counts
//! cannot drift from the facts; after a restart they are counted again from the facts, so there is nothing they could disagree
//! with.
//!
//! # Where things are
//! - [`Views`]: what a projector holds; it asks the families below.
//! - `read_model`: what is known of commitments, parties and actions; how an event changes it; the rows that are saved of it.
//! - `family`: how a family of views counts a commitment (`ViewFamily`), and the views of countries, actions and the whole ledger.
//! - `ledger`: the views beside the summary: gaps, partners, review cycles.
//! - `changelog` and `as_of`: what is kept of the past, and answers as of a position.
//! - `watch`, `row`, `list`: watch lists, and commitments as lists show them. `commitment`: one commitment in full.
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

mod as_of;
mod changelog;
mod changes;
mod commitment;
mod error;
mod families;
mod family;
mod ledger;
mod list;
mod read_model;
mod row;
mod views;
mod watch;

pub use as_of::{
    AsOfView, ChangelogSource, MAX_EVENT_ROWS, VisitChunk, WantChunk, position_at, recorded_at,
};
pub use changelog::{ChangelogChunk, changelog_version};
pub use changes::Changes;
pub use commitment::CommitmentFold;
pub use error::{HexKey, RestoreError};
pub use families::{Family, family_of, projection_name};
pub use list::{MAX_PAGE_ROWS, Page};
pub use views::Views;
pub use watch::{UnknownFilter, WatchPage};

/// The largest body a view may have: the bound of a NATS KV value here, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests;
