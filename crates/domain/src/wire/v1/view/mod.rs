//! What the ledger answers: the bodies of the views, and the rows of lists.
//!
//! A body is the canonical JSON of one of these types, in the order of the fields. It follows from the events alone, so
//! that anyone who holds the log folds the same bytes. Fields are added and never renamed: a reader takes a count that
//! an older ledger does not have as zero, and passes over what it does not know. The folds in [`crate::view`] fill them
//! and say what is counted.

mod action;
mod commitment;
mod country;
mod counts;
mod events;
mod gaps;
mod kind;
mod partner;
mod review;
mod state;
mod summary;
mod timeliness;
mod watch;

use serde::{Deserialize, Serialize};

pub use action::{
    ActionBody, ActionRollup, ActionTally, CommittedParties, MappedCommitments, Mappings,
};
pub use commitment::{
    AssessmentRow, CommitmentList, CommitmentRow, MilestoneRow, ParticipationRole,
};
pub use country::{ActionStages, ActiveInCountry, CountryBody, CountryParties, CountryStatements};
pub use counts::{
    ActiveCommitments, ApartFromActive, ClosedCommitments, Completions, Coverage, LastEvents,
    Milestones, ParticipationStates, Participations, ParticipationsBeside, RecordedAt,
    RecordedCommitments, Stages, Statuses,
};
pub use events::{EventList, EventRow};
pub use gaps::{GapsBody, GapsCommitments, MemberStates, RegionGaps, UncommittedActions};
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

/// The body of any view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ViewBody {
    /// Of one country.
    Country(Box<CountryBody>),
    /// Of one action.
    Action(Box<ActionBody>),
    /// Of the whole ledger.
    Summary(Box<SummaryBody>),
    /// Of what nobody has committed to.
    Gaps(Box<GapsBody>),
    /// Of one partner.
    Partner(Box<PartnerBody>),
    /// Of one review cycle.
    Review(Box<ReviewBody>),
}

impl ViewBody {
    /// Reads the body of any view, by its field `view`.
    ///
    /// # Errors
    /// When the bytes are not the JSON of the body that they say they are.
    pub fn decode(body: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Head {
            view: ViewKind,
        }
        let Head { view } = serde_json::from_slice(body)?;
        Ok(match view {
            ViewKind::Country => Self::Country(serde_json::from_slice(body)?),
            ViewKind::Action => Self::Action(serde_json::from_slice(body)?),
            ViewKind::Summary => Self::Summary(serde_json::from_slice(body)?),
            ViewKind::Gaps => Self::Gaps(serde_json::from_slice(body)?),
            ViewKind::Partner => Self::Partner(serde_json::from_slice(body)?),
            ViewKind::Review => Self::Review(serde_json::from_slice(body)?),
        })
    }
}
