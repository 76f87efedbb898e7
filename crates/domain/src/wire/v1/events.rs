//! The data of each event. Readers take fields they do not know: later versions add some, and rename none.
//!
//! A text is declared `=> free`, which a redaction withholds, or `=> joined`, which stays because others join on it: see
//! [`outline`](super::outline).

use serde::{Deserialize, Serialize};

use super::evidence::EvidencePlace;
use super::shape::outlined;
use super::values::{
    Amount, Evidence, Grade, Indicator, Measure, MeasureChange, Milestone, Participant, Period,
    Policy, Principle, Sha256, Source,
};
use super::words::{
    ActedBy, ActionKind, AssessmentKind, Completion, ContestOutcome, Form, InstrumentKind, Nature,
    Outcome, PartyKind, PartyStatus, Role, Stage, TextStatus,
};
use crate::date::PartialDate;
use crate::ids::{
    ActionCode, CommitmentId, CountryCode, InstrumentId, Language, LedgerId, MethodId, PartnerId,
    PartyId, Position, PrincipleCode,
};

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident {
        $($(#[$field_doc:meta])* $mode:ident $field:ident: $type:ty $(=> $rule:ident)?,)+
    })+) => {
        $(
            events!(@struct $(#[$doc])* $name [] $($(#[$field_doc])* $mode $field: $type,)+);
            outlined!($name { $($field $(: $rule)?),+ });
        )+
    };
    (@struct $(#[$doc:meta])* $name:ident [$($done:tt)*]) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub struct $name { $($done)* }
    };
    (@struct $(#[$doc:meta])* $name:ident [$($done:tt)*]
        $(#[$field_doc:meta])* required $field:ident: $type:ty, $($rest:tt)*) => {
        events!(@struct $(#[$doc])* $name [$($done)*
            $(#[$field_doc])* pub $field: $type,
        ] $($rest)*);
    };
    (@struct $(#[$doc:meta])* $name:ident [$($done:tt)*]
        $(#[$field_doc:meta])* optional $field:ident: $type:ty, $($rest:tt)*) => {
        events!(@struct $(#[$doc])* $name [$($done)*
            $(#[$field_doc])*
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub $field: Option<$type>,
        ] $($rest)*);
    };
    (@struct $(#[$doc:meta])* $name:ident [$($done:tt)*]
        $(#[$field_doc:meta])* list $field:ident: $type:ty, $($rest:tt)*) => {
        events!(@struct $(#[$doc])* $name [$($done)*
            $(#[$field_doc])*
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            pub $field: Vec<$type>,
        ] $($rest)*);
    };
    (@struct $(#[$doc:meta])* $name:ident [$($done:tt)*]
        $(#[$field_doc:meta])* flag $field:ident: $type:ty, $($rest:tt)*) => {
        events!(@struct $(#[$doc])* $name [$($done)*
            $(#[$field_doc])*
            #[serde(default, skip_serializing_if = "std::ops::Not::not")]
            pub $field: $type,
        ] $($rest)*);
    };
}

events! {
    /// Position 0: the ledger exists, and these are its terms.
    LedgerOpened {
        /// The ledger's id.
        required ledger: LedgerId,
        /// The log's verifier key (C2SP signed note).
        required verifier_key: String => joined,
        /// Who registers the first partner.
        required root: Root,
        /// What the ledger takes.
        required policy: Policy,
    }
    /// The partner that may register others.
    Root {
        /// Its partner id.
        required partner: PartnerId,
        /// The party it speaks for.
        required party: PartyId,
    }
    /// A partner may publish.
    PartnerRegistered {
        /// What it is called.
        required name: String => free,
        /// What it may do.
        required roles: Vec<Role>,
        /// For whom it may speak.
        required parties: Vec<PartyId>,
        /// The States that named it as their focal point.
        list focal_point_for: PartyId,
    }
    /// A partner has other roles, parties or another name; what is absent stays as it was.
    PartnerChanged {
        /// What it is called.
        optional name: String => free,
        /// What it may do.
        optional roles: Vec<Role>,
        /// For whom it may speak.
        optional parties: Vec<PartyId>,
        /// The States whose focal point it is.
        optional focal_point_for: Vec<PartyId>,
    }
    /// A partner may publish no more.
    PartnerRevoked {
        /// Why.
        required reason: String => free,
    }
    /// An instrument is in the catalogue.
    InstrumentPublished {
        /// Its title.
        required title: String => free,
        /// What kind of text it is.
        required kind: InstrumentKind,
        /// When it was adopted.
        optional adopted: PartialDate,
        /// Its document symbol.
        optional symbol: String => joined,
        /// Where to read it.
        optional url: String => free,
        /// Its guiding principles.
        list principles: Principle,
        /// The language of its texts.
        optional language: Language,
    }
    /// An action is in the catalogue, under the event's subject.
    ActionCatalogued {
        /// Its code.
        required code: ActionCode,
        /// Its title.
        required title: String => free,
        /// The action it stands under.
        optional parent: ActionCode,
        /// How much of its text was seen in a source.
        required text_status: TextStatus,
        /// What it asks for.
        optional description: String => free,
        /// What it is within its instrument.
        optional kind: ActionKind,
    }
    /// An action's text was amended; what is absent stays as it was.
    ActionTextAmended {
        /// The action.
        required code: ActionCode,
        /// Its new title.
        optional title: String => free,
        /// Its new description.
        optional description: String => free,
        /// How much of its text has been seen now.
        optional text_status: TextStatus,
        /// Why.
        required reason: String => free,
    }
    /// An action corresponds to others; commitments do not move.
    ActionsMapped {
        /// The action.
        required from: ActionCode,
        /// What it corresponds to.
        required to: Vec<ActionCode>,
        /// On what the mapping rests.
        optional basis: String => free,
    }
    /// A party may act.
    PartyRegistered {
        /// What it is called.
        required name: String => free,
        /// What kind of party it is.
        required kind: PartyKind,
        /// The country it belongs to; a State's is itself.
        optional country: CountryCode,
    }
    /// A party has another name; the names before stand in earlier events of the party.
    PartyAmended {
        /// What it is called from now on.
        required name: String => free,
        /// Why.
        required reason: String => free,
    }
    /// A party was activated or deactivated.
    PartyStatusChanged {
        /// Its status from now on.
        required status: PartyStatus,
        /// Why.
        required reason: String => free,
    }
    /// A commitment stands.
    CommitmentRecorded {
        /// The party that leads it: the header's party.
        required lead: PartyId,
        /// The lead's country when it was recorded; absent for a party of no country.
        optional country: CountryCode,
        /// The position of the newest catalogue event before it: the catalogue it was made under. Absent in an empty one.
        optional catalogue: Position,
        /// Its title.
        required title: String => free,
        /// Its text.
        optional description: String => free,
        /// What it attaches to.
        required actions: Vec<ActionCode>,
        /// How it is held.
        required form: Form,
        /// What it is made of.
        optional nature: Nature,
        /// The commitment it answers.
        optional matches: CommitmentId,
        /// Who takes part beside the lead, claimed until they confirm.
        list participants: Participant,
        /// Where it is to be carried out.
        list countries: CountryCode,
        /// The guiding principles it upholds.
        list principles: PrincipleCode,
        /// What it is measured by.
        optional measure: Measure,
        /// When it was made: also the header's effective date.
        optional made: PartialDate,
        /// When it is to be fulfilled.
        optional due: PartialDate,
        /// The steps on the way.
        list milestones: Milestone,
        /// Where it was published first.
        optional source: Source,
        /// Whether it is made up, to show how the ledger works.
        flag illustrative: bool,
        /// The language of its texts.
        optional language: Language,
    }
    /// A participant, the header's party, reported on its own progress.
    ProgressReported {
        /// The time it is about.
        required period: Period,
        /// How far it has come.
        required stage: Stage,
        /// Values.
        list indicators: Indicator,
        /// In words.
        optional narrative: String => free,
        /// What shows it.
        list evidence: Evidence,
        /// Why there is none.
        optional no_evidence_reason: String => free,
        /// The language of its texts.
        optional language: Language,
    }
    /// A participant reported again over a period: the newest report is the one that counts, the history shows all.
    ReportCorrected {
        /// The position of the report that this one replaces.
        required corrects: Position,
        /// The report as it stands now.
        required report: ProgressReported,
        /// Why, if the reporter said so: a second report over a period corrects without a word.
        optional reason: String => free,
    }
    /// A commitment has other terms; what is absent stays as it was.
    CommitmentAmended {
        /// Its new title.
        optional title: String => free,
        /// Its new text.
        optional description: String => free,
        /// Its new due date.
        optional due: PartialDate,
        /// What changes in its measure.
        optional measure: MeasureChange,
        /// The actions it attaches to from now on.
        optional actions: Vec<ActionCode>,
        /// Where it is to be carried out from now on.
        optional countries: Vec<CountryCode>,
        /// What it is made of.
        optional nature: Nature,
        /// When it was made.
        optional made: PartialDate,
        /// How it is held.
        optional form: Form,
        /// Who takes part beside those who did already, claimed until they confirm; or in another role than before.
        list participants: Participant,
        /// Further steps on the way.
        list milestones: Milestone,
        /// Why.
        required reason: String => free,
        /// Whether it asks for less than before: a later due date, a target that asks for less, or another unit for it, in which
        /// it cannot be shown to ask for as much.
        required weakened: bool,
        /// The values that it replaces, of those that weigh; all others stand in earlier events of the commitment.
        required before: Before,
        /// The language of the commitment's texts.
        optional language: Language,
    }
    /// A commitment was withdrawn: it stays visible, and is counted as withdrawn.
    CommitmentWithdrawn {
        /// Why.
        required reason: String => free,
        /// By whom.
        required by: ActedBy,
    }
    /// A participant, the header's party, takes part as the lead said.
    ParticipationConfirmed {
        /// In words.
        optional note: String => free,
    }
    /// A participant, the header's party, takes part no more, or never did.
    CommitmentLeft {
        /// Why.
        required reason: String => free,
    }
    /// A commitment rests.
    CommitmentSuspended {
        /// Why.
        required reason: String => free,
        /// By whom.
        required by: ActedBy,
    }
    /// A suspended commitment is active again.
    CommitmentResumed {
        /// Why.
        required reason: String => free,
        /// By whom.
        required by: ActedBy,
    }
    /// Another commitment took the place of this one.
    CommitmentSuperseded {
        /// The other.
        required successor: CommitmentId,
        /// Why.
        required reason: String => free,
        /// By whom.
        required by: ActedBy,
    }
    /// A commitment came to its end.
    CommitmentClosed {
        /// How: `fulfilled` is the lead's own word until an assessment says it too.
        required outcome: Outcome,
        /// Why.
        required reason: String => free,
        /// By whom.
        required by: ActedBy,
    }
    /// A commitment ended without a successor and without a verdict.
    CommitmentLapsed {
        /// Why.
        required reason: String => free,
        /// By whom.
        required by: ActedBy,
    }
    /// A withdrawn, superseded, closed or lapsed commitment is active again.
    CommitmentReinstated {
        /// Why.
        required reason: String => free,
        /// By whom.
        required by: ActedBy,
    }
    /// A milestone was reached, says a participant: the header's party.
    MilestoneReached {
        /// Its name.
        required milestone: String => joined,
        /// When: also the header's effective date.
        optional reached: PartialDate,
        /// In words.
        optional note: String => free,
        /// What shows it.
        list evidence: Evidence,
    }
    /// A report was taken back by its reporter; its period may be reported anew.
    ReportRetracted {
        /// The position of the report.
        required report: Position,
        /// Why.
        required reason: String => free,
    }
    /// The header's party says that a report does not hold. Contested is not false.
    ReportContested {
        /// The position of the report.
        required report: Position,
        /// Why.
        required reason: String => free,
        /// What shows it.
        list evidence: Evidence,
    }
    /// The reporter answered a contest.
    ContestAnswered {
        /// The position of the contest.
        required contest: Position,
        /// The answer.
        required answer: String => free,
    }
    /// The secretariat resolved a contest.
    ContestResolved {
        /// The position of the contest.
        required contest: Position,
        /// What became of it.
        required outcome: ContestOutcome,
        /// Why.
        required reason: String => free,
    }
    /// A report was found in order.
    ReportValidated {
        /// The position of the report.
        required report: Position,
        /// By whom.
        required by: ActedBy,
        /// In words.
        optional note: String => free,
    }
    /// A report was given back to its reporter, to be corrected.
    ReportReturned {
        /// The position of the report.
        required report: Position,
        /// By whom.
        required by: ActedBy,
        /// Why.
        required reason: String => free,
    }
    /// An independent assessor, the header's party, says what was done.
    ProgressAssessed {
        /// The method of assessment.
        required method: MethodId,
        /// Its version.
        required method_version: MethodId,
        /// The grade in the method's own words.
        required grade: String => joined,
        /// What the grade means in the ledger's words; absent where the method does not say.
        optional completion: Completion,
        /// The time it is about.
        optional period: Period,
        /// When it was assessed: also the header's effective date.
        optional assessed: PartialDate,
        /// In words.
        optional summary: String => free,
        /// What it rests on.
        list evidence: Evidence,
        /// The language of its texts.
        optional language: Language,
    }
    /// An independent assessor, the header's party, says what was promised.
    AmbitionAssessed {
        /// The method of assessment.
        required method: MethodId,
        /// Its version.
        required method_version: MethodId,
        /// Grades in the method's own words.
        required grades: Vec<Grade>,
        /// When it was assessed: also the header's effective date.
        optional assessed: PartialDate,
        /// In words.
        optional summary: String => free,
        /// The language of its texts.
        optional language: Language,
    }
    /// An assessor revised an assessment; what is absent stays as it was, but that a new grade without a completion leaves none.
    AssessmentRevised {
        /// The position of the assessment or revision that this one replaces.
        required assessment: Position,
        /// What was assessed.
        required kind: AssessmentKind,
        /// Why.
        required reason: String => free,
        /// The new grade.
        optional grade: String => joined,
        /// The new completion.
        optional completion: Completion,
        /// The new grades: they replace all before.
        optional grades: Vec<Grade>,
        /// The new summary.
        optional summary: String => free,
    }
    /// There is further evidence.
    EvidenceAttached {
        /// The position of the report it belongs to; the commitment as a whole if absent.
        optional report: Position,
        /// The evidence.
        required evidence: Vec<Evidence>,
    }
    /// Evidence is found at another place.
    EvidenceMoved {
        /// Its digest.
        optional sha256: Sha256,
        /// Where it was named, of a piece that had no digest then: `<position>.<index>`.
        optional evidence: EvidencePlace,
        /// Where it is found now.
        required url: String => free,
        /// Why.
        optional reason: String => free,
    }
    /// Evidence that was named without a digest has one from now on.
    EvidenceDigested {
        /// Where it was named: `<position>.<index>`.
        required evidence: EvidencePlace,
        /// The digest of its bytes.
        required sha256: Sha256,
        /// How it was made, or why only now.
        optional reason: String => free,
    }
    /// Evidence cannot be found any more; a later `evidence_moved`, or any event that names it again with a URL, says where it is.
    EvidenceFlaggedUnavailable {
        /// Its digest.
        optional sha256: Sha256,
        /// Where it was named, of a piece that had no digest then: `<position>.<index>`.
        optional evidence: EvidencePlace,
        /// What was tried.
        required reason: String => free,
    }
    /// A review cycle began.
    ReviewOpened {
        /// Its title.
        required title: String => free,
        /// The first day of what it looks at.
        optional from: PartialDate,
        /// The last day of what it looks at.
        optional to: PartialDate,
        /// The instrument under which it is held.
        optional instrument: InstrumentId,
    }
    /// A party said something in a review.
    StatementRecorded {
        /// Who.
        required speaker: PartyId,
        /// What.
        required statement: String => free,
        /// Where to read it.
        optional url: String => free,
        /// When: also the header's effective date.
        optional made: PartialDate,
        /// The language of its texts.
        optional language: Language,
    }
    /// A review cycle ended: its figures are the views as of this event's position.
    ReviewClosed {
        /// In words.
        optional note: String => free,
    }
}

/// The values that an amendment replaced. Where it changed what is counted or in which unit, all of the measure: its numbers meant
/// something else. No free text stands here.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Before {
    /// The due date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<PartialDate>,
    /// The measure's baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Amount>,
    /// The measure's target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Amount>,
    /// The actions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions: Option<Vec<ActionCode>>,
    /// The measure's indicator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub indicator: Option<String>,
    /// The measure's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<PartialDate>,
    /// How it was held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// What it was made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nature: Option<Nature>,
    /// The roles of participants that have another now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub participants: Vec<Participant>,
}

outlined!(Before {
    due,
    baseline,
    target,
    actions,
    indicator: joined,
    unit: joined,
    made,
    form,
    nature,
    participants,
});
