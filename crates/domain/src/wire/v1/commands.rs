//! The data of each command. Absent and present are told apart; an explicit null is never taken for absent.

use serde::{Deserialize, Serialize};

use super::object::{given, objects};
use super::values::{
    ActionKind, Evidence, Form, Indicator, InstrumentKind, Measure, MeasureChange, Nature,
    Participant, PartyKind, PartyStatus, Period, Principle, Role, Source, Stage, TextStatus,
};
use crate::date::PartialDate;
use crate::ids::{ActionCode, CommitmentId, CountryCode, PartyId, PrincipleCode};

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
            #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
            pub $field: Option<$type>,
        ] $($rest)*);
    };
    (@struct $(#[$doc:meta])* $name:ident [$($done:tt)*]
        $(#[$field_doc:meta])* list $field:ident: $type:ty, $($rest:tt)*) => {
        commands!(@struct $(#[$doc])* $name [$($done)*
            $(#[$field_doc])*
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            pub $field: Vec<$type>,
        ] $($rest)*);
    };
    (@struct $(#[$doc:meta])* $name:ident [$($done:tt)*]
        $(#[$field_doc:meta])* flag $field:ident: $type:ty, $($rest:tt)*) => {
        commands!(@struct $(#[$doc])* $name [$($done)*
            $(#[$field_doc])*
            #[serde(default, skip_serializing_if = "std::ops::Not::not")]
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
    }
    /// Changes a partner: subject `partner/<id>`, root only. A list replaces the one before.
    ChangePartner {
        /// What it is called.
        optional name: String,
        /// What it may do.
        optional roles: Vec<Role>,
        /// For whom it may speak.
        optional parties: Vec<PartyId>,
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
        /// Where it was published first.
        optional source: Source,
        /// Whether it is made up, to show how the ledger works.
        flag illustrative: bool,
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
        /// Why.
        required reason: String,
    }
    /// Withdraws a commitment for good: subject the commitment, the lead or the secretariat.
    WithdrawCommitment {
        /// Why.
        required reason: String,
    }
}
