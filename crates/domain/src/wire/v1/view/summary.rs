//! The view of the whole ledger.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::counts::{
    ActiveCommitments, ApartFromActive, Coverage, LastEvents, Participations, RecordedCommitments,
};
use super::kind::ViewKind;

/// The body of `summary`: the whole ledger in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryBody {
    /// [`ViewKind::Summary`].
    pub view: ViewKind,
    /// The last event.
    #[serde(flatten)]
    pub last: LastEvents,
    /// Events.
    pub events: LedgerEvents,
    /// Commitments ever recorded.
    pub commitments: RecordedCommitments,
    /// Those of them that stand.
    pub active_commitments: ActiveInLedger,
    /// The counts apart from those.
    #[serde(flatten)]
    pub apart: ApartFromActive,
    /// The participations in those that stand.
    pub participations: Participations,
    /// Parties.
    pub parties: LedgerParties,
    /// Countries whose parties lead a commitment that stands.
    pub countries: CommittedCountries,
    /// Member States that lead one themselves.
    pub member_states: Coverage,
    /// The same by region.
    pub member_states_by_region: BTreeMap<String, Coverage>,
    /// Instruments and actions.
    pub catalogue: Catalogue,
}

/// Events of the ledger. Unit: events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LedgerEvents {
    /// All of them.
    pub recorded: u64,
    /// By the event's name.
    pub by_type: BTreeMap<String, u64>,
}

/// Commitments of the ledger that stand. Unit: commitments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ActiveInLedger {
    /// The counts that every view has.
    #[serde(flatten)]
    pub active: ActiveCommitments,
    /// With another participant beside the lead.
    pub joint: u64,
    /// By how they are held.
    pub by_form: BTreeMap<String, u64>,
    /// By what they are made of; `none` where that was not said.
    pub by_nature: BTreeMap<String, u64>,
    /// By the region of the lead's country; `none` where it has none.
    pub by_region_of_lead: BTreeMap<String, u64>,
    /// By the instruments whose actions they name; `none` where an action is not catalogued.
    pub by_instrument: BTreeMap<String, u64>,
    /// The number of instruments that had no room in that table.
    pub instruments_left_out: usize,
}

/// Parties of the ledger. Unit: parties.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LedgerParties {
    /// Those that were registered.
    pub registered: u64,
    /// Those of them that are active.
    pub active: u64,
    /// Those that lead a commitment that stands.
    pub leading: usize,
    /// Registered ones by kind.
    pub registered_by_kind: BTreeMap<String, u64>,
}

/// Countries of the ledger. Unit: countries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CommittedCountries {
    /// Those whose parties lead a commitment that stands.
    pub committed: usize,
}

/// The instruments and actions that there are to commit to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Catalogue {
    /// Instruments that were published.
    pub instruments: usize,
    /// Catalogued actions.
    pub actions: usize,
    /// Those of them without a commitment that stands, on themselves or under them.
    pub actions_without_commitment: usize,
}
