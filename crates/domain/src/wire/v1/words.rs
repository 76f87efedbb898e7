//! The words that commands and events share: each a closed list, written as it stands here.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl super::shape::Outlined for $name {}

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words!(
    /// What a partner may do. Root is not among them: it is named once, when the ledger is opened.
    Role {
        /// Keeps the catalogue, the parties and the reviews; decides contests; may do what changes a commitment's status, with a reason.
        Secretariat = "secretariat",
        /// Records and reports for the parties it speaks for.
        Reporter = "reporter",
        /// Assesses, independently.
        Assessor = "assessor",
        /// Reads, to verify.
        Auditor = "auditor",
        /// Reads, to show.
        Dashboard = "dashboard",
    }
);
words!(
    /// What kind of text an instrument is.
    InstrumentKind {
        /// A compact, like the Global Compact for Migration.
        Compact = "compact",
        /// A declaration, like the Progress Declaration of 2022.
        Declaration = "declaration",
        /// A target of the Sustainable Development Goals.
        SdgTarget = "sdg_target",
        /// Recommendations, like those of the Universal Periodic Review.
        Recommendations = "recommendations",
        /// Anything else.
        Other = "other",
    }
);
words!(
    /// How much of an action's text was seen in a source.
    TextStatus {
        /// The whole text.
        Seen = "seen",
        /// Part of the text.
        PartlySeen = "partly_seen",
        /// Only its theme.
        ThemeSeen = "theme_seen",
        /// Nothing: it stays unknown.
        NotSeen = "not_seen",
    }
);
words!(
    /// What an action is within its instrument.
    ActionKind {
        /// An objective, with lettered actions under it.
        Objective = "objective",
        /// A single action.
        Action = "action",
        /// A paragraph.
        Paragraph = "paragraph",
        /// A target.
        Target = "target",
        /// An indicator.
        Indicator = "indicator",
        /// A theme.
        Theme = "theme",
        /// Anything else.
        Other = "other",
    }
);
words!(
    /// What kind of party commits. The kind of a party is fixed.
    PartyKind {
        /// One of the 193.
        MemberState = "member_state",
        /// An observer of the General Assembly.
        Observer = "observer",
        /// A State that is no member of the United Nations, and no observer.
        NonMemberState = "non_member_state",
        /// An entity of the United Nations.
        UnEntity = "un_entity",
        /// A regional organization.
        RegionalOrganization = "regional_organization",
        /// A body of a State's government: a ministry, an agency.
        GovernmentBody = "government_body",
        /// Another public body: a parliament, an ombudsperson, a national human rights institution.
        OtherPublicBody = "other_public_body",
        /// A city, a district, a region of a country.
        LocalAuthority = "local_authority",
        /// A foundation.
        Foundation = "foundation",
        /// Civil society.
        CivilSociety = "civil_society",
        /// The private sector.
        PrivateSector = "private_sector",
        /// Academia.
        Academia = "academia",
        /// Nobody could say.
        Unknown = "unknown",
    }
);
words!(
    /// Whether a party may act.
    PartyStatus {
        /// It may.
        Active = "active",
        /// It may not.
        Inactive = "inactive",
    }
);
words!(
    /// How a commitment is held.
    Form {
        /// By one party.
        Individual = "individual",
        /// By several, each for itself.
        Common = "common",
        /// By several together.
        Partnership = "partnership",
        /// In answer to another commitment.
        Matching = "matching",
    }
);
words!(
    /// What a commitment is made of.
    Nature {
        /// Money.
        Financial = "financial",
        /// People and expertise.
        HumanResource = "human_resource",
        /// A process.
        Process = "process",
        /// A policy or law.
        PolicyLegal = "policy_legal",
    }
);
words!(
    /// A party's part beside the lead's.
    ParticipantRole {
        /// It carries the commitment too.
        Partner = "partner",
        /// It supports it.
        Supporter = "supporter",
    }
);
words!(
    /// How far a participant says it has come.
    Stage {
        /// Being planned.
        Planning = "planning",
        /// Under way.
        InProgress = "in_progress",
        /// Done, by its own account.
        Fulfilled = "fulfilled",
        /// Standing still.
        Stalled = "stalled",
    }
);
words!(
    /// A kind of personal identifier that free text may not hold.
    Pattern {
        /// An e-mail address.
        Email = "email",
        /// A phone number.
        Phone = "phone",
        /// A passport number.
        Passport = "passport",
    }
);
words!(
    /// Where a commitment stands. The first two *stand*: they are reported on, amended and counted as active.
    #[derive(Default)]
    CommitmentStatus {
        /// It is to be fulfilled.
        #[default]
        Active = "active",
        /// It rests for a while.
        Suspended = "suspended",
        /// It was withdrawn, and is counted as withdrawn.
        Withdrawn = "withdrawn",
        /// Another commitment took its place.
        Superseded = "superseded",
        /// It came to its end.
        Closed = "closed",
        /// It ended without a successor and without a verdict.
        Lapsed = "lapsed",
    }
);
words!(
    /// How a commitment ended, by its lead's own account until it is assessed.
    Outcome {
        /// As promised.
        Fulfilled = "fulfilled",
        /// In part.
        PartlyFulfilled = "partly_fulfilled",
        /// Not as promised.
        NotFulfilled = "not_fulfilled",
    }
);
words!(
    /// In which capacity a commitment or a report was acted on.
    ActedBy {
        /// As the commitment's lead.
        Lead = "lead",
        /// As the secretariat.
        Secretariat = "secretariat",
        /// As the focal point that the State named.
        FocalPoint = "focal_point",
    }
);
words!(
    /// What became of a contest.
    ContestOutcome {
        /// The report does not hold as it stands.
        Upheld = "upheld",
        /// The report holds.
        Dismissed = "dismissed",
        /// The contest was taken back.
        Withdrawn = "withdrawn",
    }
);
words!(
    /// What an independent assessor found done. Values of different methods are never averaged.
    Completion {
        /// Nothing shows it.
        NoEvidence = "no_evidence",
        /// Nothing was done.
        NotStarted = "not_started",
        /// Little was done.
        Limited = "limited",
        /// Much was done.
        Substantial = "substantial",
        /// All was done.
        Complete = "complete",
    }
);
words!(
    /// What was assessed.
    AssessmentKind {
        /// What was done.
        Progress = "progress",
        /// What was promised.
        Ambition = "ambition",
    }
);
