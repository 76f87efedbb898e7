//! The view of one partner.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::counts::RecordedAt;
use super::kind::ViewKind;
use crate::wire::v1::Role;

/// The body of `partner.<id>`: what a partner sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerBody {
    /// [`ViewKind::Partner`].
    pub view: ViewKind,
    /// The partner's id.
    pub partner: String,
    /// The position of the last event that it sent or that concerned it.
    pub position: Option<String>,
    /// When that was recorded.
    pub recorded: Option<String>,
    /// The partner's right to publish.
    pub status: PartnerStatus,
    /// The roles, which say what it may send.
    pub roles: Vec<Role>,
    /// The parties it may speak for.
    pub parties: PartnerParties,
    /// The events it sent.
    pub events: PartnerEvents,
    /// Its reports.
    pub reports: PartnerReports,
}

/// The right of a partner to publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartnerStatus {
    /// It was named, and nothing registered it yet.
    Unregistered,
    /// It may publish.
    Registered,
    /// The ledger was opened with it: it registers the others.
    Root,
    /// It may not publish any more.
    Revoked,
}

impl PartnerStatus {
    /// The word in the body.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unregistered => "unregistered",
            Self::Registered => "registered",
            Self::Root => "root",
            Self::Revoked => "revoked",
        }
    }
}

/// Parties of a partner. Unit: parties.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PartnerParties {
    /// Those it may speak for.
    pub speaks_for: u64,
}

/// Events that a partner sent. Unit: events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PartnerEvents {
    /// All of them.
    pub sent: u64,
    /// By the event's name.
    pub by_type: BTreeMap<String, u64>,
    /// The first one.
    pub first: Option<RecordedAt>,
    /// The last one.
    pub last: Option<RecordedAt>,
}

/// Reports of a partner. Unit: reports. `corrected` over `sent` is how often it had to correct itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PartnerReports {
    /// Those it sent.
    pub sent: u64,
    /// Corrections it sent.
    pub corrected: u64,
    /// Those it retracted.
    pub retracted: u64,
}
