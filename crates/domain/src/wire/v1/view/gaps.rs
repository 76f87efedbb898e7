//! The view of what nobody has committed to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::kind::ViewKind;

/// The body of `gaps`: actions and member States without a commitment that stands. A gap is not a breach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapsBody {
    /// [`ViewKind::Gaps`].
    pub view: ViewKind,
    /// The position of the last event that concerned it; null before the first.
    pub position: Option<String>,
    /// When that was recorded.
    pub recorded: Option<String>,
    /// The commitments that all of this follows from.
    pub active_commitments: GapsCommitments,
    /// Catalogued actions.
    pub actions: UncommittedActions,
    /// The same by instrument.
    pub actions_by_instrument: BTreeMap<String, UncommittedActions>,
    /// The number of instruments that had no room in that table.
    pub instruments_left_out: usize,
    /// The codes of the actions without a commitment, in order.
    pub actions_without_commitment: Vec<String>,
    /// The number of codes that had no room in that list.
    pub actions_left_out: usize,
    /// Member States.
    pub member_states: MemberStates,
    /// All of it by region.
    pub by_region: BTreeMap<String, RegionGaps>,
}

/// The commitments that the gaps follow from. Unit: commitments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GapsCommitments {
    /// Those that stand.
    pub total: u64,
    /// Those of them that are examples and nobody's pledge.
    pub illustrative: u64,
}

/// Catalogued actions. Unit: actions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UncommittedActions {
    /// All of them.
    pub catalogued: u64,
    /// Those without a commitment that stands, on themselves or under them.
    pub without_commitment: u64,
}

/// Member States by what they have to do with a commitment that stands. Unit: member States.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MemberStates {
    /// All of them.
    pub of: u64,
    /// Those that lead one themselves.
    pub committed: u64,
    /// Those that do not, and take part in one as partner or supporter by their own word.
    pub participant_only: u64,
    /// Those that do neither, while another party of their country leads one.
    pub other_parties_only: u64,
    /// All others.
    pub without_commitment: u64,
}

/// The gaps of one region. Countries are named by ISO 3166-1 alpha-3.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RegionGaps {
    /// Its member States.
    pub member_states: MemberStates,
    /// Those that have nothing to do with a commitment that stands.
    pub without_commitment: Vec<String>,
    /// Those that take part in one and lead none.
    pub participant_only: Vec<String>,
    /// Those that do neither, while another party of their country leads one.
    pub other_parties_only: Vec<String>,
    /// Catalogued actions, by whether a party of the region leads a commitment on them.
    pub actions: UncommittedActions,
    /// The codes of the actions that have a commitment elsewhere, and none of the region.
    pub actions_committed_elsewhere_only: Vec<String>,
    /// The number of codes that had no room in that list.
    pub actions_left_out: usize,
}
