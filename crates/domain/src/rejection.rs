//! Why a command was not taken: a stable code, the offending field, and a sentence that says what to change.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

/// A refusal. Nothing was recorded, and the command's id is free.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Rejection {
    /// What is wrong, for programs.
    pub code: RejectionCode,
    /// The attribute or the path of the field that is wrong: `party`, `data.period.from`, `data.actions[2]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is wrong and what to change, for people.
    pub message: String,
}

impl Rejection {
    /// A refusal of the command as a whole.
    pub fn new(code: RejectionCode, message: impl Into<String>) -> Self {
        Self {
            code,
            field: None,
            message: message.into(),
        }
    }

    /// A refusal because of one field.
    pub fn at(code: RejectionCode, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code,
            field: Some(field.into()),
            message: message.into(),
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())?;
        if let Some(field) = &self.field {
            write!(f, " at {field}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Rejection {}

macro_rules! rejection_codes {
    ($($variant:ident $code:literal $meaning:literal $remedy:literal)+) => {
        /// Every reason for a refusal. Codes are never renamed and never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RejectionCode {
            $(#[doc = $meaning] $variant,)+
        }

        impl RejectionCode {
            /// All codes, in the order of the checks that give them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as it stands on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// What the code means.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)+ }
            }

            /// What its receiver does about it.
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy,)+ }
            }
        }

        impl FromStr for RejectionCode {
            type Err = UnknownCode;

            fn from_str(text: &str) -> Result<Self, UnknownCode> {
                match text {
                    $($code => Ok(Self::$variant),)+
                    _ => Err(UnknownCode { code: text.chars().take(80).collect() }),
                }
            }
        }
    };
}

/// A code this version does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code:?} is no rejection code of this version")]
pub struct UnknownCode {
    /// What was found.
    pub code: String,
}

rejection_codes! {
    // The message as bytes.
    BatchTooLarge "batch_too_large" "The message holds more commands or bytes than the ledger takes at once." "Split the batch."
    EmptyBatch "empty_batch" "The message holds no command." "Send at least one command."
    CommandTooLarge "command_too_large" "The command has more bytes than the ledger takes." "Shorten its texts, or move what they say into evidence."
    InvalidUtf8 "invalid_utf8" "The bytes are not UTF-8." "Encode the command as UTF-8."
    MalformedJson "malformed_json" "The bytes are not one JSON value." "Send a CloudEvents 1.0 JSON object."
    TooDeep "too_deep" "The JSON is nested deeper than 32 levels." "Send the documented fields only."
    DuplicateKey "duplicate_key" "An object has the same key twice." "Send each key once."
    NumberOutOfRange "number_out_of_range" "A number is not finite or lies beyond 2^53." "Send a smaller number, in a larger unit."
    // The command's form.
    MissingField "missing_field" "A required attribute or field is absent." "Add it."
    UnknownField "unknown_field" "An attribute or field is not one the command has." "Remove it, or correct its name."
    WrongType "wrong_type" "A value has the wrong JSON type." "Send the type the message names."
    InvalidValue "invalid_value" "A value has the right type and the wrong form." "Correct the value."
    BlankingRefused "blanking_refused" "A change would blank a field." "Leave the field out, or give it a new value: what was said once stays said."
    UnsupportedEnvelope "unsupported_envelope" "The command is not a CloudEvents 1.0 event with JSON data." "Set specversion to 1.0 and datacontenttype to application/json."
    UnknownCommand "unknown_command" "The type names no command." "Use ledger.<command>.v1 with a command the ledger has."
    UnknownVersion "unknown_version" "The type names a command in a version this ledger does not know." "Use version v1."
    WrongSubject "wrong_subject" "The subject is not of the kind the command is about." "Name the right kind of subject."
    WrongPartner "wrong_partner" "The source is not the partner that sent the command." "Send as partner/<your id>, on your own subject."
    TextEmpty "text_empty" "A text is empty, or has nothing to see." "Write the text, or leave the field out."
    TextTooLong "text_too_long" "A text is longer than the ledger takes." "Shorten it."
    ControlCharacter "control_character" "A text has a control character other than line feed and tab, or a name one that breaks its line or turns its direction." "Remove it."
    TooManyItems "too_many_items" "A list has more items than the ledger takes." "Send fewer items."
    AmountOutOfRange "amount_out_of_range" "A share in percent is not between 0 and 100, or money is less than none." "Correct the number or its unit."
    CurrencySign "currency_sign" "A unit names a currency by its sign, which several share." "Write its ISO 4217 code, like USD."
    DuplicateValue "duplicate_value" "A list names the same thing twice." "Name it once."
    // Submissions.
    CommandIdReused "command_id_reused" "The partner used this command id for another command." "Use a new id for a new command."
    SignatureRequired "signature_required" "The ledger takes signed submissions only." "Sign the submission's manifest."
    SignatureInvalid "signature_invalid" "The signature does not fit the submission or the partner's key." "Sign the manifest of exactly these bytes with the partner's key."
    NonceRequired "nonce_required" "A signed command has no nonce." "Add 16 random bytes as base64url."
    // Who sends it, and for whom.
    SenderUnknown "sender_unknown" "The sending partner is not registered." "Ask the ledger's root to register it."
    SenderRevoked "sender_revoked" "The sending partner was revoked." "Ask the ledger's root."
    RoleMissing "role_missing" "The partner's roles do not allow the command." "Have a partner with that role send it."
    PartyNotAllowed "party_not_allowed" "The partner may not speak for the party." "Name a party of the partner's list, or have the list changed."
    PartyUnknown "party_unknown" "A named party is not registered." "Have the secretariat register it."
    PartyInactive "party_inactive" "A named party is inactive." "Have the secretariat activate it."
    // What it names.
    UnknownPartner "unknown_partner" "The partner named does not exist." "Register it first."
    PartnerExists "partner_exists" "The partner is registered already." "Change it instead; ids are never reused."
    PartnerRevoked "partner_revoked" "The partner named was revoked." "Register another id."
    PartnerIsRoot "partner_is_root" "The root partner cannot be changed or revoked this way." "Name another partner."
    UnknownInstrument "unknown_instrument" "The instrument named is not published." "Publish it first."
    InstrumentExists "instrument_exists" "The instrument is published already." "Catalogue its actions, or publish another id."
    UnknownAction "unknown_action" "An action named is not in the catalogue." "Use a code of the catalogue."
    ActionExists "action_exists" "The action's code is in use; codes are never reused." "Amend its text, or use another code."
    UnknownPrinciple "unknown_principle" "A guiding principle named is in no published instrument." "Use a code of a published instrument."
    UnknownCountry "unknown_country" "A country named is not in ISO 3166-1." "Use an alpha-3 code; XKX and sub-national codes are parties, not countries."
    PartyExists "party_exists" "The party is registered already." "Change its status instead; ids are never reused."
    UnknownCommitment "unknown_commitment" "The commitment named does not exist." "Record it first, or correct the id."
    CommitmentExists "commitment_exists" "The commitment is recorded already." "Amend it, or use a new id."
    CommitmentWithdrawn "commitment_withdrawn" "The commitment was withdrawn." "Record a new one, or have it reinstated."
    UnknownMilestone "unknown_milestone" "The commitment has no milestone of this name." "Use the name as it was recorded."
    UnknownReport "unknown_report" "No report of the commitment stands at this position." "Name the position that the report's receipt gave."
    UnknownContest "unknown_contest" "No contest of the commitment stands at this position." "Name the position that the contest's receipt gave."
    UnknownAssessment "unknown_assessment" "No assessment of the commitment stands at this position." "Name the position that the assessment's receipt gave."
    UnknownEvidence "unknown_evidence" "The commitment has no such evidence." "Attach it first, or correct its digest, or its position and index."
    UnknownReview "unknown_review" "The review named was not opened." "Open it first, or correct the id."
    ReviewExists "review_exists" "The review was opened already." "Use a new id."
    VersionConflict "version_conflict" "The subject has another version than expected." "Read it again, then decide again."
    // The rules.
    NotLead "not_lead" "The party is not the lead of the commitment." "Have the lead send it."
    NotParticipant "not_participant" "The party takes no part in the commitment." "Have a participant send it."
    NotReporter "not_reporter" "The party did not make the report." "Have the reporter of it send it."
    NotAssessor "not_assessor" "The party did not make the assessment." "Have the assessor of it send it."
    NotFocalPoint "not_focal_point" "The partner is not the focal point of the State whose commitment it is." "Have the secretariat or the State's focal point send it, for the State."
    AssessorParticipates "assessor_participates" "A party would both assess the commitment and take part in it." "Have an independent party assess, or name another participant."
    OwnReport "own_report" "A party contests its own report." "Correct or retract it instead."
    LeadCannotLeave "lead_cannot_leave" "The lead cannot leave its commitment." "Withdraw the commitment, or supersede it."
    AlreadyConfirmed "already_confirmed" "The party takes part already, by its own word." "Nothing is left to do."
    StatusConflict "status_conflict" "The commitment's status does not allow this." "Read where it stands; resume or reinstate it first."
    SupersedeCycle "supersede_cycle" "The successor was itself superseded by this commitment." "Reinstate the successor first, or name another."
    EvidenceRequired "evidence_required" "Closing as fulfilled needs a standing report with evidence." "Report with evidence first, or attach it to a report."
    MilestoneReached "milestone_reached" "The milestone was reached already." "Nothing is left to do."
    ReportCorrectedAlready "report_corrected_already" "A later report took the place of the one named." "Name the newest report over its period."
    ReportRetracted "report_retracted" "The report named was taken back." "Report over its period anew."
    ContestExists "contest_exists" "The party contests the report already." "Wait until the contest is resolved."
    ContestResolved "contest_resolved" "The contest was resolved." "Contest the report again if it still does not hold."
    AssessmentRevisedAlready "assessment_revised_already" "A later revision took the place of the assessment named." "Name the newest revision."
    ReviewClosed "review_closed" "The review is closed, and its figures are frozen." "Open another review."
    SelfReference "self_reference" "A thing refers to itself." "Name another."
    DateInFuture "date_in_future" "A date lies after today." "Record it when it has come."
    DateOutOfRange "date_out_of_range" "A date lies before 1945, or more than a hundred years ahead." "Correct it."
    DateOrder "date_order" "Two dates are in the wrong order." "Correct one of them."
    CountryMismatch "country_mismatch" "The party's id, kind and country do not fit together." "Use a State's own code for the State only."
    Contradiction "contradiction" "Two fields contradict each other." "Keep the one that holds."
    NothingToChange "nothing_to_change" "The change changes nothing." "Name at least one new value."
    TooManyReports "too_many_reports" "The commitment has as many reported periods as the ledger keeps." "Correct an existing report instead."
    LimitReached "limit_reached" "The commitment has as many things of a kind as the ledger keeps." "Record a new commitment for what is to come."
    PersonalDataRefused "personal_data_refused" "A text has an e-mail address, phone number or passport number; the log is immutable." "Remove it."
    // The service.
    Busy "busy" "The ledger has more work queued than it takes." "Send the same bytes again a little later."
    StorageFull "storage_full" "The ledger's disk is at its floor." "Send the same bytes again when its operator has made room."
    Unavailable "unavailable" "The ledger cannot record now." "Send the same bytes again later."
}

impl fmt::Display for RejectionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for RejectionCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for RejectionCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_snake_case_unique_and_read_back() {
        let mut seen = BTreeSet::new();
        for code in RejectionCode::ALL {
            let text = code.as_str();
            assert!(seen.insert(text), "{text} stands twice");
            assert!(
                text.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'),
                "{text}"
            );
            assert_eq!(text.parse(), Ok(*code));
            assert!(code.meaning().ends_with('.') && code.remedy().ends_with('.'));
        }
        assert!("no_such_code".parse::<RejectionCode>().is_err());
    }

    #[test]
    fn a_rejection_travels_as_json() {
        let rejection = Rejection::at(RejectionCode::UnknownAction, "data.actions[0]", "no");
        let json = serde_json::to_string(&rejection).expect("serializes");
        assert_eq!(
            json,
            r#"{"code":"unknown_action","field":"data.actions[0]","message":"no"}"#
        );
        assert_eq!(
            serde_json::from_str::<Rejection>(&json).expect("reads"),
            rejection
        );
    }
}
