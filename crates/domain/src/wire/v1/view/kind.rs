//! Kinds of views.

use serde::{Deserialize, Serialize};

/// The subject of a body: the field `view` that each begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewKind {
    /// One country: [`CountryBody`](super::CountryBody).
    Country,
    /// One action: [`ActionBody`](super::ActionBody).
    Action,
    /// The whole ledger: [`SummaryBody`](super::SummaryBody).
    Summary,
    /// The actions and member States without a commitment that stands:
    /// [`GapsBody`](super::GapsBody).
    Gaps,
    /// One partner: [`PartnerBody`](super::PartnerBody).
    Partner,
    /// One review cycle: [`ReviewBody`](super::ReviewBody).
    Review,
}
