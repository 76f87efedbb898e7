//! The view of one country.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::commitment::is_zero;
use super::counts::{
    ActiveCommitments, ApartFromActive, LastEvents, Participations, RecordedAt,
    RecordedCommitments, Stages,
};
use super::kind::ViewKind;
use crate::wire::v1::PartyKind;

/// The body of `country.<ISO3>`: what the parties of a country committed to. `INT` has what belongs to no country.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountryBody {
    /// [`ViewKind::Country`].
    pub view: ViewKind,
    /// ISO 3166-1 alpha-3, or `INT`.
    pub country: String,
    /// Its short English name.
    pub name: String,
    /// Its region in M49, if it has one.
    pub region: Option<String>,
    /// Its subregion in M49, if it has one.
    pub subregion: Option<String>,
    /// `member` of the United Nations, `observer` or `none`.
    pub un_status: String,
    /// The country is a least developed country.
    pub ldc: bool,
    /// The country is a landlocked developing country.
    pub lldc: bool,
    /// The country is a small island developing State.
    pub sids: bool,
    /// The last event that concerned it.
    #[serde(flatten)]
    pub last: LastEvents,
    /// Commitments that its parties lead.
    pub commitments: RecordedCommitments,
    /// Those of them that stand.
    pub active_commitments: ActiveInCountry,
    /// The same by the code of each action they are made under. One on two actions stands in two lines.
    pub active_commitments_by_action: BTreeMap<String, ActionStages>,
    /// The number of actions that had no room in that table.
    pub actions_left_out: usize,
    /// The counts apart from those.
    #[serde(flatten)]
    pub apart: ApartFromActive,
    /// The participations of its parties.
    pub participations: Participations,
    /// Its parties.
    pub parties: CountryParties,
    /// The statements of its parties in reviews.
    pub statements: CountryStatements,
    /// Its registered parties in the order of their ids, as many as fit.
    #[serde(default)]
    pub registered_parties: Vec<RegisteredParty>,
    /// The number of parties that had no room in that list.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub registered_parties_omitted: usize,
}

/// A party that was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredParty {
    /// Its id.
    pub id: String,
    /// The party's name.
    pub name: String,
    /// The party's former names, the oldest first, each once: the newest eight.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_names: Vec<String>,
    /// The kind of the party.
    pub kind: PartyKind,
    /// The party may act.
    pub active: bool,
}

/// Commitments that stand under one action. Unit: commitments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ActionStages {
    /// By the stage that their lead reported last.
    #[serde(flatten)]
    pub stages: Stages,
    /// Assessed by anybody.
    pub assessed: u64,
    /// With an open contest of a standing report.
    pub contested: u64,
}

/// Commitments of a country that stand: its State's, and those of its other parties. Unit: commitments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ActiveInCountry {
    /// All of them together.
    #[serde(flatten)]
    pub active: ActiveCommitments,
    /// By the kind of the party that leads them; `unregistered` where it was named and not registered.
    pub by_party_kind: BTreeMap<String, u64>,
}

/// Parties of a country. Unit: parties.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CountryParties {
    /// Those that were registered.
    pub registered: u64,
    /// Those of them that are active.
    pub active: u64,
    /// Those that lead a commitment that stands.
    pub leading: usize,
}

/// The statements of a country's parties in reviews. Unit: statements.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CountryStatements {
    /// All of them.
    pub recorded: u64,
    /// The last one.
    pub last: Option<RecordedAt>,
}
