//! Version 1 of commands, events and receipts. Names are fixed: add, don't rename.

mod batch;
mod check;
mod command;
mod commands;
mod decode;
mod diagnose;
mod event;
mod events;
mod header;
mod object;
mod receipt;
mod scan;
mod values;

pub use batch::split_batch;
pub(crate) use check::{TextKind, texts};
pub use command::{Command, CommandBody, CommandType, Nonce, Refusal};
pub use commands::{
    AmendActionText, AmendCommitment, CatalogueAction, ChangePartner, ChangePartyStatus,
    MapActions, PublishInstrument, RecordCommitment, RegisterPartner, RegisterParty,
    ReportProgress, RevokePartner, WithdrawCommitment,
};
pub use event::{Event, EventBody, EventType, UnreadableEvent};
pub use events::{
    ActionCatalogued, ActionTextAmended, ActionsMapped, Before, CommitmentAmended,
    CommitmentRecorded, CommitmentWithdrawn, InstrumentPublished, LedgerOpened, PartnerChanged,
    PartnerRegistered, PartnerRevoked, PartyRegistered, PartyStatusChanged, ProgressReported,
    ReportCorrected, Root, WithdrawnBy,
};
pub use header::{EventHeader, HeaderError};
pub use receipt::{Durability, Receipt, ReceiptEvent, Status};
pub use values::{
    ActionKind, Amount, Evidence, Form, Indicator, InstrumentKind, Measure, MeasureChange, Nature,
    Participant, ParticipantRole, PartyKind, PartyStatus, Pattern, Period, Policy, Principle, Role,
    Sha256, Source, Stage, TextStatus,
};
