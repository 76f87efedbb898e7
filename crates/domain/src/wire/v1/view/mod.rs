//! The answers of the ledger: the bodies of the views, and the rows of lists.
//!
//! A body is the canonical JSON of one of these types, in the order of the fields. It follows from the events alone, so
//! that anyone who holds the log folds the same bytes. Fields are added and never renamed: a reader takes a count that
//! an older ledger does not have as zero, and passes over what it does not know. The folds in [`crate::view`] fill them
//! and say what is counted.

mod action;
mod body;
mod commitment;
mod country;
mod counts;
mod events;
mod gaps;
mod key;
mod kind;
mod partner;
mod review;
mod state;
mod summary;
mod timeliness;
mod watch;

pub use action::{
    ActionBody, ActionRollup, ActionTally, CommittedParties, MappedCommitments, Mappings,
};
pub use body::ViewBody;
pub use commitment::{
    AssessmentRow, CommitmentList, CommitmentRow, MilestoneRow, ParticipationRole,
};
pub use country::{
    ActionStages, ActiveInCountry, CountryBody, CountryParties, CountryStatements, RegisteredParty,
};
pub use counts::{
    ActiveCommitments, ApartFromActive, ClosedCommitments, Completions, Coverage, LastEvents,
    Milestones, ParticipationStates, Participations, ParticipationsBeside, RecordedAt,
    RecordedCommitments, Stages, Statuses,
};
pub use events::{EventList, EventRow};
pub use gaps::{GapsBody, GapsCommitments, MemberStates, RegionGaps, UncommittedActions};
pub use key::{Family, ViewKey};
pub use kind::ViewKind;
pub use partner::{PartnerBody, PartnerEvents, PartnerParties, PartnerReports, PartnerStatus};
pub use review::{ReviewBody, ReviewParties, ReviewStatements, ReviewStatus};
pub use state::{
    CommitmentState, ContestRow, EvidenceRow, MeasureRow, ParticipationRow, ReportRow, ValueRow,
    WatchedRow,
};
pub use summary::{
    ActiveInLedger, Catalogue, CommittedCountries, LedgerEvents, LedgerParties, SummaryBody,
};
pub use timeliness::{STALE_AFTER_DAYS, Timeliness};
pub use watch::{WatchAnswer, WatchList, WatchRow, WatchRows};
