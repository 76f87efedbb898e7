//! Commands: the envelope around their data.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use smallvec::{SmallVec, smallvec};

use super::check::{CheckForm, SeeText, texts};
use super::commands::{
    AmendActionText, AmendCommitment, AmendParty, AnswerContest, AssessAmbition, AssessProgress,
    AttachEvidence, CatalogueAction, ChangePartner, ChangePartyStatus, CloseCommitment,
    CloseReview, ConfirmParticipation, ContestReport, CorrectReport, DigestEvidence,
    FlagEvidenceUnavailable, LapseCommitment, LeaveCommitment, MapActions, MoveEvidence,
    OpenReview, PublishInstrument, ReachMilestone, RecordCommitment, RecordStatement,
    RegisterPartner, RegisterParty, ReinstateCommitment, ReportProgress, ResolveContest,
    ResumeCommitment, RetractReport, ReturnReport, ReviseAssessment, RevokePartner,
    SupersedeCommitment, SuspendCommitment, ValidateReport, WithdrawCommitment,
};
use crate::ids::{CommandId, CommitmentId, PartnerId, PartyId, Subject, Version};
use crate::rejection::{Rejection, RejectionCode};

/// What a partner asks the ledger to record.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// Its id: with the partner it is unique for ever.
    pub id: CommandId,
    /// The system that sends it, from the attribute `source`.
    pub partner: PartnerId,
    /// What it is about.
    pub subject: Subject,
    /// When the partner made it; the recorded time is the ledger's own.
    pub time: DateTime<Utc>,
    /// The party it acts for.
    pub party: PartyId,
    /// The version the subject must have, if the partner cares.
    pub expected_version: Option<Version>,
    /// Random bytes that keep the digest of an erased command from confirming a guess.
    pub nonce: Option<Nonce>,
    /// What is asked.
    pub body: CommandBody,
}

/// Bytes that are no command the ledger can take, with the command's id if that much could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The id, if the bytes have a readable one.
    pub command_id: Option<CommandId>,
    /// Why.
    pub rejection: Rejection,
}

/// 16 random bytes, as base64url without padding on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Nonce(pub [u8; 16]);

const BASE64URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl Nonce {
    /// Reads the one base64url text (RFC 4648, section 5, 22 characters) of 16 bytes.
    pub fn parse(text: &str) -> Option<Self> {
        let mut value: u128 = 0;
        let (last, head) = text.as_bytes().split_last()?;
        if head.len() != 21 {
            return None;
        }
        for byte in head {
            value = value << 6 | sextet(*byte)?;
        }
        // 21 characters carry 126 bits; the last one carries 2 more and 4 zeros.
        let rest = sextet(*last)?;
        (rest.trailing_zeros() >= 4).then(|| Self((value << 2 | rest >> 4).to_be_bytes()))
    }
}

fn sextet(byte: u8) -> Option<u128> {
    BASE64URL
        .iter()
        .position(|letter| *letter == byte)
        .and_then(|index| u128::try_from(index).ok())
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = u128::from_be_bytes(self.0);
        let letter = |bits: u128| {
            usize::try_from(bits & 0x3f)
                .ok()
                .and_then(|index| BASE64URL.get(index))
                .map_or('A', |byte| char::from(*byte))
        };
        for step in 0..21 {
            write!(f, "{}", letter(value >> (122 - 6 * step)))?;
        }
        write!(f, "{}", letter(value << 4))
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! command_types {
    ($($name:ident $word:literal $subject:ident,)+) => {
        /// What is asked: one struct per command.
        #[derive(Debug, Clone, PartialEq)]
        pub enum CommandBody {
            $(#[doc = concat!("`", $word, "`")] $name($name),)+
        }

        /// The commands the ledger has.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum CommandType {
            $(#[doc = concat!("`", $word, "`")] $name,)+
        }

        impl CommandType {
            /// All commands.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its name: the wire type is `ledger.<name>.v1`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// The command of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($word => Some(Self::$name),)+
                    _ => None,
                }
            }

            /// Whether the command changes what stands, so that a null in its data would blank.
            pub(super) fn changes(self) -> bool {
                let name = self.name();
                ["amend_", "change_", "revise_"]
                    .iter()
                    .any(|verb| name.starts_with(verb))
            }

            /// Whether the subject is of the kind the command is about.
            pub fn takes(self, subject: &Subject) -> bool {
                match self {
                    $(Self::$name => matches!(subject, Subject::$subject(_)),)+
                }
            }

            /// Reads the command's data with any deserializer.
            pub(super) fn read<'de, D: serde::Deserializer<'de>>(
                self,
                data: D,
            ) -> Result<CommandBody, D::Error> {
                match self {
                    $(Self::$name => <$name as Deserialize>::deserialize(data).map(CommandBody::$name),)+
                }
            }
        }

        impl CommandBody {
            /// Which command it is.
            pub const fn command_type(&self) -> CommandType {
                match self { $(Self::$name(_) => CommandType::$name,)+ }
            }

            /// The form its data must have.
            pub(super) fn form(&self) -> &dyn CheckForm {
                match self { $(Self::$name(data) => data,)+ }
            }

            /// Visits every text of its data that a person may have written, in the order of the fields.
            pub(crate) fn texts(&self, see: &mut SeeText<'_>) -> Result<(), Rejection> {
                texts(self.form(), see)
            }
        }

        impl Serialize for CommandBody {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $(Self::$name(data) => Serialize::serialize(data, serializer),)+ }
            }
        }
    };
}

command_types! {
    RegisterPartner "register_partner" Partner,
    ChangePartner "change_partner" Partner,
    RevokePartner "revoke_partner" Partner,
    PublishInstrument "publish_instrument" Instrument,
    CatalogueAction "catalogue_action" Instrument,
    AmendActionText "amend_action_text" Instrument,
    MapActions "map_actions" Instrument,
    RegisterParty "register_party" Party,
    AmendParty "amend_party" Party,
    ChangePartyStatus "change_party_status" Party,
    RecordCommitment "record_commitment" Commitment,
    ReportProgress "report_progress" Commitment,
    AmendCommitment "amend_commitment" Commitment,
    WithdrawCommitment "withdraw_commitment" Commitment,
    ConfirmParticipation "confirm_participation" Commitment,
    LeaveCommitment "leave_commitment" Commitment,
    SuspendCommitment "suspend_commitment" Commitment,
    ResumeCommitment "resume_commitment" Commitment,
    SupersedeCommitment "supersede_commitment" Commitment,
    CloseCommitment "close_commitment" Commitment,
    ReinstateCommitment "reinstate_commitment" Commitment,
    LapseCommitment "lapse_commitment" Commitment,
    ReachMilestone "reach_milestone" Commitment,
    CorrectReport "correct_report" Commitment,
    RetractReport "retract_report" Commitment,
    ContestReport "contest_report" Commitment,
    AnswerContest "answer_contest" Commitment,
    ResolveContest "resolve_contest" Commitment,
    ValidateReport "validate_report" Commitment,
    ReturnReport "return_report" Commitment,
    AssessProgress "assess_progress" Commitment,
    AssessAmbition "assess_ambition" Commitment,
    ReviseAssessment "revise_assessment" Commitment,
    AttachEvidence "attach_evidence" Commitment,
    DigestEvidence "digest_evidence" Commitment,
    MoveEvidence "move_evidence" Commitment,
    FlagEvidenceUnavailable "flag_evidence_unavailable" Commitment,
    OpenReview "open_review" Review,
    RecordStatement "record_statement" Review,
    CloseReview "close_review" Review,
}

impl Command {
    /// The commitments whose state decides: a writer loads them before it calls [`decide`](crate::decide()).
    pub fn commitments(&self) -> SmallVec<[CommitmentId; 2]> {
        let mut ids: SmallVec<[CommitmentId; 2]> = smallvec![];
        ids.extend(self.subject.commitment());
        if let CommandBody::RecordCommitment(record) = &self.body {
            ids.extend(record.matches);
        }
        if let CommandBody::SupersedeCommitment(supersede) = &self.body {
            ids.push(supersede.successor);
        }
        ids
    }

    /// Refuses the command unless `partner`, on whose subject it came, is its source.
    ///
    /// # Errors
    /// `wrong_partner`.
    pub fn check_sender(&self, partner: &PartnerId) -> Result<(), Rejection> {
        if self.partner == *partner {
            return Ok(());
        }
        Err(Rejection::at(
            RejectionCode::WrongPartner,
            "source",
            format!(
                "the command says it is from partner/{}, but came from {partner}; send your own commands only",
                self.partner
            ),
        ))
    }

    /// Its bytes as a CloudEvents 1.0 JSON object without spaces; [`Command::decode`] gives the same command back.
    pub fn encode(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Out<'a> {
            specversion: &'static str,
            id: CommandId,
            source: String,
            #[serde(rename = "type")]
            kind: String,
            subject: &'a Subject,
            time: String,
            party: &'a PartyId,
            #[serde(skip_serializing_if = "Option::is_none")]
            expectedversion: Option<Version>,
            #[serde(skip_serializing_if = "Option::is_none")]
            nonce: Option<String>,
            data: &'a CommandBody,
        }

        let out = Out {
            specversion: "1.0",
            id: self.id,
            source: format!("partner/{}", self.partner),
            kind: format!("ledger.{}.v1", self.body.command_type().name()),
            subject: &self.subject,
            time: self.time.to_rfc3339_opts(SecondsFormat::AutoSi, true),
            party: &self.party,
            expectedversion: self.expected_version,
            nonce: self.nonce.map(|nonce| nonce.to_string()),
            data: &self.body,
        };
        // Strings, finite numbers and structs only: nothing here can fail to serialize.
        serde_json::to_vec(&out).unwrap_or_default()
    }
}
