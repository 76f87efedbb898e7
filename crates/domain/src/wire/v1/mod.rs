//! Version 1 of the contract with the outside. Names are fixed: add, don't rename.
//!
//! - To write: commands, the events they become, and receipts. They stand here.
//! - To read: [`endpoint`] lists what may be asked, and of which type each [`query`], [`answer`] and [`problem`] is.
//!   [`view`] has the bodies of the views.

pub mod answer;
mod batch;
mod check;
mod command;
mod commands;
mod decode;
mod diagnose;
pub mod endpoint;
mod envelope;
mod event;
mod event_body;
mod events;
mod evidence;
mod excerpt;
mod form;
mod free_text;
mod header;
mod hex;
mod json_fault;
mod members;
mod object;
mod path;
pub mod problem;
mod quantity;
pub mod query;
mod receipt;
mod scan;
mod shape;
mod text;
mod values;
pub mod view;
mod words;

pub use batch::split_batch;
pub(crate) use check::TextKind;
pub use command::{Command, CommandBody, CommandType, Nonce, Refusal};
pub use commands::{
    AmendActionText, AmendCommitment, AmendParty, AnswerContest, AssessAmbition, AssessProgress,
    AttachEvidence, CatalogueAction, ChangePartner, ChangePartyStatus, CloseCommitment,
    CloseReview, ConfirmParticipation, ContestReport, CorrectReport, DigestEvidence,
    FlagEvidenceUnavailable, LapseCommitment, LeaveCommitment, MapActions, MoveEvidence,
    OpenReview, PublishInstrument, ReachMilestone, RecordCommitment, RecordStatement,
    RegisterPartner, RegisterParty, ReinstateCommitment, ReportProgress, ResolveContest,
    ResumeCommitment, RetractReport, ReturnReport, ReviseAssessment, RevokePartner,
    SupersedeCommitment, SuspendCommitment, ValidateReport, WithdrawCommitment,
};
pub use event::Event;
pub use event_body::{EventBody, EventType, UnreadableEvent};
pub use events::{
    ActionCatalogued, ActionTextAmended, ActionsMapped, AmbitionAssessed, AssessmentRevised,
    Before, CommitmentAmended, CommitmentClosed, CommitmentLapsed, CommitmentLeft,
    CommitmentRecorded, CommitmentReinstated, CommitmentResumed, CommitmentSuperseded,
    CommitmentSuspended, CommitmentWithdrawn, ContestAnswered, ContestResolved, EvidenceAttached,
    EvidenceDigested, EvidenceFlaggedUnavailable, EvidenceMoved, InstrumentPublished, LedgerOpened,
    MilestoneReached, ParticipationConfirmed, PartnerChanged, PartnerRegistered, PartnerRevoked,
    PartyAmended, PartyRegistered, PartyStatusChanged, ProgressAssessed, ProgressReported,
    ReportContested, ReportCorrected, ReportRetracted, ReportReturned, ReportValidated,
    ReviewClosed, ReviewOpened, Root, StatementRecorded,
};
pub use evidence::{EvidencePlace, NamedEvidence, NoEvidencePlace};
pub use excerpt::{EventExcerpt, Heading};
pub use free_text::{NoOutline, WITHHELD, outline};
pub use header::{EventHeader, HeaderError};
pub use json_fault::json_fault;
pub(crate) use quantity::{is_percent, is_share, negative_money, no_share, unit_key};
pub use receipt::{Durability, Receipt, ReceiptEvent, Status};
pub(crate) use shape::Outlined;
pub(crate) use text::is_default_ignorable;
pub use text::{clean_line, clean_text};
pub use values::{
    Amount, Evidence, Grade, Indicator, Measure, MeasureChange, Milestone, Participant, Period,
    Policy, Principle, Sha256, Source,
};
pub use words::{
    ActedBy, ActionKind, AssessmentKind, CommitmentStatus, Completion, ContestOutcome, Form,
    InstrumentKind, Nature, Outcome, ParticipantRole, PartyKind, PartyStatus, Pattern, Role, Stage,
    TextStatus,
};
