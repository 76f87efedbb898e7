//! Data of events: one struct per type.

use serde::{Deserialize, Serialize};

use super::events::{
    ActionCatalogued, ActionTextAmended, ActionsMapped, AmbitionAssessed, AssessmentRevised,
    CommitmentAmended, CommitmentClosed, CommitmentLapsed, CommitmentLeft, CommitmentRecorded,
    CommitmentReinstated, CommitmentResumed, CommitmentSuperseded, CommitmentSuspended,
    CommitmentWithdrawn, ContestAnswered, ContestResolved, EvidenceAttached, EvidenceDigested,
    EvidenceFlaggedUnavailable, EvidenceMoved, InstrumentPublished, LedgerOpened, MilestoneReached,
    ParticipationConfirmed, PartnerChanged, PartnerRegistered, PartnerRevoked, PartyAmended,
    PartyRegistered, PartyStatusChanged, ProgressAssessed, ProgressReported, ReportContested,
    ReportCorrected, ReportRetracted, ReportReturned, ReportValidated, ReviewClosed, ReviewOpened,
    StatementRecorded,
};
use super::shape::{Outlined, Shape};

/// Data that is not what its event type says.
#[derive(Debug, thiserror::Error)]
#[error("the data of a {} event cannot be read", event_type.name())]
pub struct UnreadableEvent {
    /// The type of the event.
    pub event_type: EventType,
    /// The fault that the JSON reader found.
    pub source: serde_json::Error,
}

macro_rules! event_types {
    ($($name:ident $word:literal,)+) => {
        /// The data of an event: one struct per type.
        #[derive(Debug, Clone, PartialEq)]
        pub enum EventBody {
            $(#[doc = concat!("`", $word, "`")] $name($name),)+
        }

        /// The events the ledger has.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum EventType {
            $(#[doc = concat!("`", $word, "`")] $name,)+
        }

        impl EventType {
            /// All events.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its name: the wire type is `ledger.<name>.v1`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// Its wire type.
            pub const fn wire_type(self) -> &'static str {
                match self { $(Self::$name => concat!("ledger.", $word, ".v1"),)+ }
            }

            /// The treatment of each field of its data by an outline.
            pub(super) const fn shape(self) -> &'static Shape {
                match self { $(Self::$name => &<$name as Outlined>::SHAPE,)+ }
            }

            /// The event of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($word => Some(Self::$name),)+
                    _ => None,
                }
            }
        }

        impl EventBody {
            /// Which event it is.
            pub const fn event_type(&self) -> EventType {
                match self { $(Self::$name(_) => EventType::$name,)+ }
            }

            /// The event's data bytes. They are kept as they are: decoding and encoding them again is nobody's business.
            pub fn encode(&self) -> Vec<u8> {
                let mut out = Vec::new();
                self.encode_into(&mut out);
                out
            }

            /// Appends the event's data bytes: for who encodes many events, and keeps each in no more memory than it needs.
            pub fn encode_into(&self, out: &mut Vec<u8>) {
                // Strings, finite numbers and structs only, into memory: nothing here can fail.
                match self { $(Self::$name(data) => serde_json::to_writer(&mut *out, data),)+ }
                    .unwrap_or_default();
            }

            /// Reads an event's data bytes.
            ///
            /// # Errors
            /// When the bytes are not the data of such an event.
            pub fn decode(event_type: EventType, data: &[u8]) -> Result<Self, UnreadableEvent> {
                // One look at the whole is cheaper than one at each string.
                let Ok(text) = str::from_utf8(data) else {
                    return Err(UnreadableEvent {
                        event_type,
                        source: serde::de::Error::custom("not UTF-8"),
                    });
                };
                match event_type {
                    $(EventType::$name => serde_json::from_str(text).map(Self::$name),)+
                }
                .map_err(|source| UnreadableEvent { event_type, source })
            }
        }

        $(impl From<$name> for EventBody {
            fn from(data: $name) -> Self {
                Self::$name(data)
            }
        })+
    };
}

event_types! {
    LedgerOpened "ledger_opened",
    PartnerRegistered "partner_registered",
    PartnerChanged "partner_changed",
    PartnerRevoked "partner_revoked",
    InstrumentPublished "instrument_published",
    ActionCatalogued "action_catalogued",
    ActionTextAmended "action_text_amended",
    ActionsMapped "actions_mapped",
    PartyRegistered "party_registered",
    PartyAmended "party_amended",
    PartyStatusChanged "party_status_changed",
    CommitmentRecorded "commitment_recorded",
    ProgressReported "progress_reported",
    ReportCorrected "report_corrected",
    CommitmentAmended "commitment_amended",
    CommitmentWithdrawn "commitment_withdrawn",
    ParticipationConfirmed "participation_confirmed",
    CommitmentLeft "commitment_left",
    CommitmentSuspended "commitment_suspended",
    CommitmentResumed "commitment_resumed",
    CommitmentSuperseded "commitment_superseded",
    CommitmentClosed "commitment_closed",
    CommitmentReinstated "commitment_reinstated",
    CommitmentLapsed "commitment_lapsed",
    MilestoneReached "milestone_reached",
    ReportRetracted "report_retracted",
    ReportContested "report_contested",
    ContestAnswered "contest_answered",
    ContestResolved "contest_resolved",
    ReportValidated "report_validated",
    ReportReturned "report_returned",
    ProgressAssessed "progress_assessed",
    AmbitionAssessed "ambition_assessed",
    AssessmentRevised "assessment_revised",
    EvidenceAttached "evidence_attached",
    EvidenceDigested "evidence_digested",
    EvidenceMoved "evidence_moved",
    EvidenceFlaggedUnavailable "evidence_flagged_unavailable",
    ReviewOpened "review_opened",
    StatementRecorded "statement_recorded",
    ReviewClosed "review_closed",
}

impl Serialize for EventType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.wire_type())
    }
}

impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.strip_prefix("ledger.")
            .and_then(|rest| rest.strip_suffix(".v1"))
            .and_then(Self::from_name)
            .ok_or_else(|| serde::de::Error::custom("an event type is ledger.<event>.v1"))
    }
}
