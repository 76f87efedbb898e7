//! The view of one action.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::counts::{
    ActiveCommitments, ApartFromActive, Coverage, LastEvents, Participations, RecordedCommitments,
};
use super::kind::ViewKind;
use crate::wire::v1::TextStatus;

/// The body of `action.<code>`: who committed to an action of an instrument. An objective has the actions under it summed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionBody {
    /// [`ViewKind::Action`].
    pub view: ViewKind,
    /// The action's code.
    pub action: String,
    /// The instrument it stands in; none while it is not catalogued.
    pub instrument: Option<String>,
    /// The action it stands under.
    pub parent: Option<String>,
    /// The status of its text; none while it is not catalogued.
    pub text_status: Option<TextStatus>,
    /// The last event that concerned it.
    #[serde(flatten)]
    pub last: LastEvents,
    /// Commitments on the action itself.
    #[serde(flatten)]
    pub own: ActionTally,
    /// Commitments on it and on all actions under it; absent where there is none under it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollup: Option<ActionRollup>,
    /// Commitments on actions that are mapped to it.
    #[serde(flatten)]
    pub mapped: Mappings,
}

/// The counts of commitments on an action, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ActionTally {
    /// Commitments ever recorded.
    pub commitments: RecordedCommitments,
    /// Those of them that stand.
    pub active_commitments: ActiveCommitments,
    /// The counts apart from those.
    #[serde(flatten)]
    pub apart: ApartFromActive,
    /// The participations in those that stand.
    pub participations: Participations,
    /// Parties that lead one that stands.
    pub parties: CommittedParties,
    /// Countries of those parties.
    pub countries: CommittedParties,
    /// Member States that lead one themselves.
    pub member_states: Coverage,
    /// The same by region.
    pub member_states_by_region: BTreeMap<String, Coverage>,
}

/// The number that lead an active commitment. Unit: parties, or countries, as the field says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CommittedParties {
    /// Those that do.
    pub committed: usize,
}

/// Everything under an objective and on the objective itself, each commitment once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ActionRollup {
    /// Actions under it, at whatever level.
    pub actions: usize,
    /// Those of them without an active commitment.
    pub actions_without_commitment: usize,
    /// The commitments.
    #[serde(flatten)]
    pub tally: ActionTally,
    /// Commitments on actions that are mapped to any of these.
    #[serde(flatten)]
    pub mapped: Mappings,
}

/// Commitments on actions of other instruments that correspond to this one. They are counted under their own action.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mappings {
    /// By the code of the action that is mapped here.
    pub mapped_from_commitments: BTreeMap<String, MappedCommitments>,
    /// The number of actions that had no room in that table.
    pub mappings_left_out: usize,
}

/// Commitments on an action that is mapped to another. Unit: commitments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MappedCommitments {
    /// Ever recorded.
    pub recorded: u64,
    /// That stand.
    pub active: u64,
}
