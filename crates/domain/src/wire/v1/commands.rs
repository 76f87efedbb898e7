//! The data of each command. A null is unset, as if the field were absent; in a command that changes what stands it is
//! refused, since it would blank (see [`decode`](super::decode)).

use serde::{Deserialize, Serialize};

use super::evidence::EvidencePlace;
use super::object::{objects, or_default};
use super::values::{
    Evidence, Grade, Indicator, Measure, MeasureChange, Milestone, Participant, Period, Principle,
    Sha256, Source,
};
use super::words::{
    ActionKind, Completion, ContestOutcome, Form, InstrumentKind, Nature, Outcome, PartyKind,
    PartyStatus, Role, Stage, TextStatus,
};
use crate::date::PartialDate;
use crate::ids::{
    ActionCode, CommitmentId, CountryCode, InstrumentId, Language, MethodId, PartyId, Position,
    PrincipleCode,
};

macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident {
        $($(#[$field_doc:meta])* $mode:ident $field:ident: $type:ty,)+
    })+) => {
        $(commands!(@struct $(#[$doc])* $name [] $($(#[$field_doc])* $mode $field: $type,)+);)+
        objects!($($name),+);
    };
    (@struct $(#[$doc:meta])* $name:ident [$($done:tt)*]) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(remote = "Self", deny_unknown_fields)]
        pub struct $name { $($done)* }
    };
    (@struct $(#[$doc:meta])* $name:ident [$($done:tt)*]
        $(#[$field_doc:meta])* required $field:ident: $type:ty, $($rest:tt)*) => {
        commands!(@struct $(#[$doc])* $name [$($done)*
            $(#[$field_doc])* pub $field: $type,
        ] $($rest)*);
    };
    (@struct $(#[$doc:meta])* $name:ident [$($done:tt)*]
        $(#[$field_doc:meta])* optional $field:ident: $type:ty, $($rest:tt)*) => {
        commands!(@struct $(#[$doc])* $name [$($done)*
            $(#[$field_doc])*
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub $field: Option<$type>,
        ] $($rest)*);
    };
    (@struct $(#[$doc:meta])* $name:ident [$($done:tt)*]
        $(#[$field_doc:meta])* list $field:ident: $type:ty, $($rest:tt)*) => {
        commands!(@struct $(#[$doc])* $name [$($done)*
            $(#[$field_doc])*
            #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
            pub $field: Vec<$type>,
        ] $($rest)*);
    };
    (@struct $(#[$doc:meta])* $name:ident [$($done:tt)*]
        $(#[$field_doc:meta])* flag $field:ident: $type:ty, $($rest:tt)*) => {
        commands!(@struct $(#[$doc])* $name [$($done)*
            $(#[$field_doc])*
            #[serde(
                default,
                deserialize_with = "or_default",
                skip_serializing_if = "std::ops::Not::not"
            )]
            pub $field: $type,
        ] $($rest)*);
    };
}

commands! {
    /// Registers a partner: subject `partner/<id>`, root only.
    RegisterPartner {
        /// What it is called.
        required name: String,
        /// What it may do.
        required roles: Vec<Role>,
        /// For whom it may speak. The parties may be registered later.
        required parties: Vec<PartyId>,
        /// The States that named it as their focal point: it validates reports for them.
        list focal_point_for: PartyId,
    }
    /// Changes a partner: subject `partner/<id>`, root only. A list replaces the one before.
    ChangePartner {
        /// What it is called.
        optional name: String,
        /// What it may do.
        optional roles: Vec<Role>,
        /// For whom it may speak.
        optional parties: Vec<PartyId>,
        /// The States whose focal point it is from now on; an empty list ends it.
        optional focal_point_for: Vec<PartyId>,
    }
    /// Revokes a partner for good: subject `partner/<id>`, root only.
    RevokePartner {
        /// Why.
        required reason: String,
    }
    /// Publishes an instrument: subject `instrument/<id>`, secretariat.
    PublishInstrument {
        /// Its title.
        required title: String,
        /// What kind of text it is.
        required kind: InstrumentKind,
        /// When it was adopted.
        optional adopted: PartialDate,
        /// Its document symbol, like `A/RES/73/195`.
        optional symbol: String,
        /// Where to read it.
        optional url: String,
        /// Its guiding principles.
        list principles: Principle,
        /// The language of its texts, as a tag of BCP 47.
        optional language: Language,
    }
    /// Adds an action to an instrument: subject `instrument/<id>`, secretariat.
    CatalogueAction {
        /// Its code, used once and for ever.
        required code: ActionCode,
        /// Its title.
        required title: String,
        /// The action it stands under.
        optional parent: ActionCode,
        /// How much of its text was seen in a source.
        required text_status: TextStatus,
        /// What it asks for.
        optional description: String,
        /// What it is within its instrument.
        optional kind: ActionKind,
    }
    /// Amends an action's text: subject `instrument/<id>`, secretariat.
    AmendActionText {
        /// The action.
        required code: ActionCode,
        /// Its new title.
        optional title: String,
        /// Its new description.
        optional description: String,
        /// How much of its text has been seen now.
        optional text_status: TextStatus,
        /// Why.
        required reason: String,
    }
    /// Says which actions of any instrument an action corresponds to: subject `instrument/<id>`, secretariat. Mappings
    /// move no commitment; a second mapping of the same action adds to the first.
    MapActions {
        /// An action of the subject.
        required from: ActionCode,
        /// What it corresponds to.
        required to: Vec<ActionCode>,
        /// On what the mapping rests.
        optional basis: String,
    }
    /// Registers a party: subject `party/<id>`, secretariat.
    RegisterParty {
        /// What it is called.
        required name: String,
        /// What kind of party it is, for good.
        required kind: PartyKind,
        /// The country it belongs to. A State's is itself, and may be left out.
        optional country: CountryCode,
    }
    /// Renames a party: subject `party/<id>`, secretariat. The names before stay.
    AmendParty {
        /// What it is called from now on.
        required name: String,
        /// Why.
        required reason: String,
        /// When it was true, if that is known.
        optional effective: PartialDate,
    }
    /// Activates or deactivates a party: subject `party/<id>`, secretariat.
    ChangePartyStatus {
        /// Its new status.
        required status: PartyStatus,
        /// Why.
        required reason: String,
    }
    /// Records a commitment: subject its UUID, a reporter for the lead, which is the command's `party`.
    RecordCommitment {
        /// At most 300 characters.
        required title: String,
        /// Its text.
        optional description: String,
        /// What it attaches to: 1 to 64 actions of the catalogue.
        required actions: Vec<ActionCode>,
        /// How it is held; `matching` if it matches another, else `individual`.
        optional form: Form,
        /// What it is made of.
        optional nature: Nature,
        /// The commitment it answers.
        optional matches: CommitmentId,
        /// Who takes part beside the lead.
        list participants: Participant,
        /// Where it is to be carried out; these are not its parties.
        list countries: CountryCode,
        /// The guiding principles it upholds.
        list principles: PrincipleCode,
        /// What it is measured by.
        optional measure: Measure,
        /// When it was made.
        optional made: PartialDate,
        /// When it is to be fulfilled.
        optional due: PartialDate,
        /// The steps on the way.
        list milestones: Milestone,
        /// Where it was published first.
        optional source: Source,
        /// Whether it is made up, to show how the ledger works.
        flag illustrative: bool,
        /// The language of its texts, as a tag of BCP 47.
        optional language: Language,
    }
    /// Reports a participant's progress: subject the commitment, the reporter is the command's `party`.
    ReportProgress {
        /// The time it is about.
        required period: Period,
        /// How far it has come.
        required stage: Stage,
        /// Values, 50 at most.
        list indicators: Indicator,
        /// In words.
        optional narrative: String,
        /// What shows it, 50 at most.
        list evidence: Evidence,
        /// Why there is none.
        optional no_evidence_reason: String,
        /// The language of its texts, as a tag of BCP 47.
        optional language: Language,
    }
    /// Amends a commitment: subject the commitment, the lead. What is absent stays as it was; a list replaces the one before.
    AmendCommitment {
        /// Its new title.
        optional title: String,
        /// Its new text.
        optional description: String,
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
        /// Who takes part from now on, beside those who do already: claimed until they confirm. Whoever takes part already has the
        /// other role from now on.
        optional participants: Vec<Participant>,
        /// Further steps on the way.
        optional milestones: Vec<Milestone>,
        /// Why.
        required reason: String,
        /// When it was true, if that is known.
        optional effective: PartialDate,
        /// The language of the commitment's texts, as a tag of BCP 47.
        optional language: Language,
    }
    /// Withdraws a commitment: subject the commitment, the lead or the secretariat.
    WithdrawCommitment {
        /// Why.
        required reason: String,
        /// When it was true, if that is known.
        optional effective: PartialDate,
    }
    /// Confirms that the command's `party` takes part, as the lead said: subject the commitment, the participant.
    ConfirmParticipation {
        /// In words.
        optional note: String,
        /// When it was true, if that is known.
        optional effective: PartialDate,
    }
    /// Ends the participation of the command's `party`: subject the commitment, the participant. The lead cannot leave.
    LeaveCommitment {
        /// Why.
        required reason: String,
        /// When it was true, if that is known.
        optional effective: PartialDate,
    }
    /// Lets a commitment rest: subject the commitment, the lead or the secretariat.
    SuspendCommitment {
        /// Why.
        required reason: String,
        /// When it was true, if that is known.
        optional effective: PartialDate,
    }
    /// Takes a suspended commitment up again: subject the commitment, the lead or the secretariat.
    ResumeCommitment {
        /// Why.
        required reason: String,
        /// When it was true, if that is known.
        optional effective: PartialDate,
    }
    /// Puts another commitment in the place of this one: subject the commitment, the lead or the secretariat.
    SupersedeCommitment {
        /// The commitment that takes its place.
        required successor: CommitmentId,
        /// Why.
        required reason: String,
        /// When it was true, if that is known.
        optional effective: PartialDate,
    }
    /// Ends a commitment: subject the commitment, the lead or the secretariat.
    CloseCommitment {
        /// How it ended.
        required outcome: Outcome,
        /// Why.
        required reason: String,
        /// When it was true, if that is known.
        optional effective: PartialDate,
    }
    /// Ends a commitment without a successor and without a verdict, as where its register archived it or it expired: subject the
    /// commitment, the lead or the secretariat.
    LapseCommitment {
        /// Why.
        required reason: String,
        /// When it was true, if that is known.
        optional effective: PartialDate,
    }
    /// Makes a withdrawn, superseded, closed or lapsed commitment active again: subject the commitment, the lead or the secretariat.
    ReinstateCommitment {
        /// Why.
        required reason: String,
        /// When it was true, if that is known.
        optional effective: PartialDate,
    }
    /// Says that a milestone was reached: subject the commitment, a participant.
    ReachMilestone {
        /// Its name.
        required milestone: String,
        /// When.
        optional reached: PartialDate,
        /// In words.
        optional note: String,
        /// What shows it, 50 at most.
        list evidence: Evidence,
    }
    /// Corrects a report: subject the commitment, the reporter of it. Its period stays.
    CorrectReport {
        /// The position of the event that made the report, or that corrected it last.
        required report: Position,
        /// How far it has come.
        required stage: Stage,
        /// Values, 50 at most.
        list indicators: Indicator,
        /// In words.
        optional narrative: String,
        /// What shows it, 50 at most.
        list evidence: Evidence,
        /// Why there is none.
        optional no_evidence_reason: String,
        /// Why it is corrected.
        required reason: String,
        /// The language of its texts, as a tag of BCP 47.
        optional language: Language,
    }
    /// Takes a report back: subject the commitment, the reporter of it. Its period may be reported anew.
    RetractReport {
        /// The position of the report.
        required report: Position,
        /// Why.
        required reason: String,
    }
    /// Contests a report: subject the commitment, any party but the reporter. Contested is not false.
    ContestReport {
        /// The position of the report.
        required report: Position,
        /// Why.
        required reason: String,
        /// What shows it, 50 at most.
        list evidence: Evidence,
    }
    /// Answers a contest: subject the commitment, the reporter of the contested report.
    AnswerContest {
        /// The position of the contest.
        required contest: Position,
        /// The answer.
        required answer: String,
    }
    /// Resolves a contest: subject the commitment, secretariat.
    ResolveContest {
        /// The position of the contest.
        required contest: Position,
        /// What became of it.
        required outcome: ContestOutcome,
        /// Why.
        required reason: String,
    }
    /// Validates a report: subject the commitment, the secretariat or the State's focal point. Silence is never validation.
    ValidateReport {
        /// The position of the report.
        required report: Position,
        /// In words.
        optional note: String,
    }
    /// Returns a report to its reporter: subject the commitment, the secretariat or the State's focal point.
    ReturnReport {
        /// The position of the report.
        required report: Position,
        /// Why.
        required reason: String,
    }
    /// Assesses what was done: subject the commitment, an assessor who takes no part in it.
    AssessProgress {
        /// The method of assessment.
        required method: MethodId,
        /// Its version.
        required method_version: MethodId,
        /// The grade in the method's own words, verbatim.
        required grade: String,
        /// What the grade means in the ledger's words, where the method says so: never guessed.
        optional completion: Completion,
        /// The time it is about.
        optional period: Period,
        /// When it was assessed.
        optional assessed: PartialDate,
        /// In words.
        optional summary: String,
        /// What it rests on, 50 at most.
        list evidence: Evidence,
        /// The language of its texts, as a tag of BCP 47.
        optional language: Language,
    }
    /// Assesses what was promised: subject the commitment, an assessor who takes no part in it.
    AssessAmbition {
        /// The method of assessment.
        required method: MethodId,
        /// Its version.
        required method_version: MethodId,
        /// Grades, 1 to 20.
        required grades: Vec<Grade>,
        /// When it was assessed.
        optional assessed: PartialDate,
        /// In words.
        optional summary: String,
        /// The language of its texts, as a tag of BCP 47.
        optional language: Language,
    }
    /// Revises an assessment: subject the commitment, the assessor of it. What is absent stays as it was, but that a new grade without
    /// a completion leaves none: what stood was that of the grade before.
    ReviseAssessment {
        /// The position of the assessment, or of its newest revision.
        required assessment: Position,
        /// Why.
        required reason: String,
        /// The new grade, of an assessment of progress.
        optional grade: String,
        /// The new completion, of an assessment of progress.
        optional completion: Completion,
        /// The new grades, of an assessment of ambition: they replace all before.
        optional grades: Vec<Grade>,
        /// The new summary.
        optional summary: String,
    }
    /// Adds evidence to a commitment or to one of its reports: subject the commitment, a participant or an assessor.
    AttachEvidence {
        /// The position of the report; the commitment as a whole if absent.
        optional report: Position,
        /// What is added, 1 to 50.
        required evidence: Vec<Evidence>,
        /// When it was true, if that is known.
        optional effective: PartialDate,
    }
    /// Gives evidence the digest that it was named without: subject the commitment, a participant or an assessor.
    DigestEvidence {
        /// The position of the event that named it, and its place in that event's list from 0: `<position>.<index>`.
        required evidence: EvidencePlace,
        /// The digest of its bytes.
        required sha256: Sha256,
        /// How it was made, or why only now.
        optional reason: String,
        /// When it was true, if that is known.
        optional effective: PartialDate,
    }
    /// Says where evidence is found now: subject the commitment, a participant or an assessor.
    MoveEvidence {
        /// Its digest.
        optional sha256: Sha256,
        /// Where it was named without a digest, instead: `<position>.<index>`.
        optional evidence: EvidencePlace,
        /// Where it is found now.
        required url: String,
        /// Why.
        optional reason: String,
        /// When it was true, if that is known.
        optional effective: PartialDate,
    }
    /// Says that evidence cannot be found any more: subject the commitment, a participant or an assessor.
    FlagEvidenceUnavailable {
        /// Its digest.
        optional sha256: Sha256,
        /// Where it was named without a digest, instead: `<position>.<index>`.
        optional evidence: EvidencePlace,
        /// What was tried.
        required reason: String,
        /// When it was true, if that is known.
        optional effective: PartialDate,
    }
    /// Opens a review cycle: subject `review/<id>`, secretariat.
    OpenReview {
        /// Its title.
        required title: String,
        /// The first day of what it looks at.
        optional from: PartialDate,
        /// The last day of what it looks at.
        optional to: PartialDate,
        /// The instrument under which it is held.
        optional instrument: InstrumentId,
    }
    /// Records what a party said in a review: subject `review/<id>`, secretariat.
    RecordStatement {
        /// Who said it.
        required speaker: PartyId,
        /// What was said.
        required statement: String,
        /// Where to read it.
        optional url: String,
        /// When it was said.
        optional made: PartialDate,
        /// The language of its texts, as a tag of BCP 47.
        optional language: Language,
    }
    /// Closes a review cycle and freezes its figures at the position of this: subject `review/<id>`, secretariat.
    CloseReview {
        /// In words.
        optional note: String,
    }
}
