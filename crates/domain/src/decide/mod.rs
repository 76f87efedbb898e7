//! Decisions: what a command becomes, given all that was recorded before it.
//!
//! The checks come in one order, and the first that fails is the one refused:
//!
//! 1. *who you are*: the sending partner is registered and not revoked, has a role that may send the command, may speak
//!    for the party, and the party may act;
//! 2. *what you name*: the subject exists, or does not yet; it has the expected version; everything the data names exists;
//! 3. *the rules*: dates, parts, contradictions.
//!
//! What is decided is then [screened](screen) for personal identifiers, which is no part of the rules.
//!
//! A decision is a function of its arguments alone: the same command on the same state at the same time gives the same
//! events. Ids, salts, positions and the recorded time are stamped by whoever records them.

mod admin;
mod amendment;
mod assessment;
mod commitment;
mod evidence;
mod participation;
mod reporting;
mod review;
mod screen;
mod status;

pub use screen::screen;

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use smallvec::SmallVec;

use crate::commitment::Commitment;
use crate::date::{PartialDate, latest_day};
use crate::ids::{ActionCode, CommitmentId, CountryCode, PartyId, Subject, Version};
use crate::reference::{Party, Reference};
use crate::rejection::{Rejection, RejectionCode};
use crate::rules::RulesVersion;
use crate::wire::v1::{Command, CommandBody, EventBody, PartyStatus, Period, Role};

/// The United Nations were founded in this year, and with them the rights that all instruments stand on.
const FIRST_YEAR: u32 = 1945;
/// How far ahead a commitment may be due.
const MAX_YEARS_AHEAD: u32 = 100;

/// Where the state of commitments is found. All of [`Command::commitments`] must have been loaded: what is not found here
/// does not exist.
pub trait CommitmentLookup {
    /// The commitment's state, `None` if it was never recorded.
    fn commitment(&self, id: &CommitmentId) -> Option<&Commitment>;
}

impl<S: std::hash::BuildHasher> CommitmentLookup
    for std::collections::HashMap<CommitmentId, Commitment, S>
{
    fn commitment(&self, id: &CommitmentId) -> Option<&Commitment> {
        self.get(id)
    }
}

type Decision = Result<NewEvent, Rejection>;

/// An event that was decided and is not recorded yet.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// What happened.
    pub body: EventBody,
    /// To what.
    pub subject: Subject,
    /// The version of the subject's stream with this event.
    pub stream_version: Version,
    /// When it was true.
    pub effective: Option<PartialDate>,
    /// Under which country and actions it is found.
    pub route: Route,
}

/// Under which country and actions an event is published and found. Its text is `KEN|GCM-05a,GCM-10`; either side may be
/// empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Route {
    /// The lead party's country; `None` stands for `INT`.
    pub country: Option<CountryCode>,
    /// The actions.
    pub actions: SmallVec<[ActionCode; 4]>,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.country.as_ref().map_or("", CountryCode::as_str))?;
        f.write_str("|")?;
        for (index, action) in self.actions.iter().enumerate() {
            f.write_str(if index > 0 { "," } else { "" })?;
            f.write_str(action.as_str())?;
        }
        Ok(())
    }
}

/// Decides a command under a version of the rules.
///
/// The command's form was checked when it was decoded, and its texts are [screened](screen) apart: neither is part of the
/// rules, so that a decision gives the same events for ever.
///
/// # Errors
/// The [`Rejection`] of the first check that fails, in the order the [module](self) states. Nothing is recorded then.
pub fn decide(
    rules: RulesVersion,
    reference: &Reference,
    commitments: &(impl CommitmentLookup + ?Sized),
    command: &Command,
    now: DateTime<Utc>,
) -> Result<Vec<NewEvent>, Rejection> {
    let context = Context {
        reference,
        command,
        today: latest_day(now),
    };
    let sender = context.sender()?;
    // There is one version so far. The next one makes this match say where its rules differ.
    let event = match rules {
        RulesVersion::V3 => dispatch(&context, commitments, sender)?,
    };
    Ok(vec![event])
}

fn dispatch(
    context: &Context<'_>,
    known: &(impl CommitmentLookup + ?Sized),
    sender: Sender,
) -> Decision {
    match &context.command.body {
        CommandBody::RegisterPartner(data) => admin::register_partner(context, data),
        CommandBody::ChangePartner(data) => admin::change_partner(context, data),
        CommandBody::RevokePartner(data) => admin::revoke_partner(context, data),
        CommandBody::PublishInstrument(data) => admin::publish_instrument(context, data),
        CommandBody::CatalogueAction(data) => admin::catalogue_action(context, data),
        CommandBody::AmendActionText(data) => admin::amend_action_text(context, data),
        CommandBody::MapActions(data) => admin::map_actions(context, data),
        CommandBody::RegisterParty(data) => admin::register_party(context, data),
        CommandBody::AmendParty(data) => admin::amend_party(context, data),
        CommandBody::ChangePartyStatus(data) => admin::change_party_status(context, data),
        CommandBody::RecordCommitment(data) => commitment::record(context, known, data),
        CommandBody::AmendCommitment(data) => amendment::amend(context, known, data),
        CommandBody::ConfirmParticipation(data) => participation::confirm(context, known, data),
        CommandBody::LeaveCommitment(data) => participation::leave(context, known, data),
        CommandBody::WithdrawCommitment(data) => status::withdraw(context, known, sender, data),
        CommandBody::SuspendCommitment(data) => status::suspend(context, known, sender, data),
        CommandBody::ResumeCommitment(data) => status::resume(context, known, sender, data),
        CommandBody::SupersedeCommitment(data) => status::supersede(context, known, sender, data),
        CommandBody::CloseCommitment(data) => status::close(context, known, sender, data),
        CommandBody::LapseCommitment(data) => status::lapse(context, known, sender, data),
        CommandBody::ReinstateCommitment(data) => status::reinstate(context, known, sender, data),
        CommandBody::ReportProgress(data) => reporting::report(context, known, data),
        CommandBody::ReachMilestone(data) => reporting::reach_milestone(context, known, data),
        CommandBody::CorrectReport(data) => reporting::correct(context, known, data),
        CommandBody::RetractReport(data) => reporting::retract(context, known, data),
        CommandBody::ContestReport(data) => reporting::contest(context, known, data),
        CommandBody::AnswerContest(data) => reporting::answer_contest(context, known, data),
        CommandBody::ResolveContest(data) => reporting::resolve_contest(context, known, data),
        CommandBody::ValidateReport(data) => reporting::validate(context, known, sender, data),
        CommandBody::ReturnReport(data) => reporting::give_back(context, known, sender, data),
        CommandBody::AssessProgress(data) => assessment::progress(context, known, data),
        CommandBody::AssessAmbition(data) => assessment::ambition(context, known, data),
        CommandBody::ReviseAssessment(data) => assessment::revise(context, known, data),
        CommandBody::AttachEvidence(data) => evidence::attach(context, known, sender, data),
        CommandBody::DigestEvidence(data) => evidence::digest(context, known, sender, data),
        CommandBody::MoveEvidence(data) => evidence::relocate(context, known, sender, data),
        CommandBody::FlagEvidenceUnavailable(data) => {
            evidence::flag_unavailable(context, known, sender, data)
        }
        CommandBody::OpenReview(data) => review::open(context, data),
        CommandBody::RecordStatement(data) => review::record_statement(context, data),
        CommandBody::CloseReview(data) => review::close(context, data),
    }
}

/// What every check needs.
struct Context<'a> {
    reference: &'a Reference,
    command: &'a Command,
    /// The day it is where it is latest: a day that has begun anywhere on Earth has come.
    today: NaiveDate,
}

/// In which capacity the partner sends the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "roles are held independently of each other"
)]
struct Sender {
    root: bool,
    reporter: bool,
    secretariat: bool,
    assessor: bool,
}

impl Sender {
    /// Whether the sender may send such a command at all, and what it must be if not.
    fn may_send(self, command: &CommandBody) -> (bool, &'static str) {
        match command {
            CommandBody::RegisterPartner(_)
            | CommandBody::ChangePartner(_)
            | CommandBody::RevokePartner(_) => (self.root, "be the ledger's root"),
            CommandBody::PublishInstrument(_)
            | CommandBody::CatalogueAction(_)
            | CommandBody::AmendActionText(_)
            | CommandBody::MapActions(_)
            | CommandBody::RegisterParty(_)
            | CommandBody::AmendParty(_)
            | CommandBody::ChangePartyStatus(_)
            | CommandBody::ResolveContest(_)
            | CommandBody::OpenReview(_)
            | CommandBody::RecordStatement(_)
            | CommandBody::CloseReview(_) => (self.secretariat, "have the role secretariat"),
            CommandBody::RecordCommitment(_)
            | CommandBody::AmendCommitment(_)
            | CommandBody::ConfirmParticipation(_)
            | CommandBody::LeaveCommitment(_)
            | CommandBody::ReportProgress(_)
            | CommandBody::ReachMilestone(_)
            | CommandBody::CorrectReport(_)
            | CommandBody::RetractReport(_)
            | CommandBody::AnswerContest(_) => (self.reporter, "have the role reporter"),
            CommandBody::WithdrawCommitment(_)
            | CommandBody::SuspendCommitment(_)
            | CommandBody::ResumeCommitment(_)
            | CommandBody::SupersedeCommitment(_)
            | CommandBody::CloseCommitment(_)
            | CommandBody::LapseCommitment(_)
            | CommandBody::ReinstateCommitment(_)
            | CommandBody::ValidateReport(_)
            | CommandBody::ReturnReport(_) => (
                self.reporter || self.secretariat,
                "have the role reporter or secretariat",
            ),
            CommandBody::ContestReport(_) => (
                self.reporter || self.secretariat || self.assessor,
                "have the role reporter, assessor or secretariat",
            ),
            CommandBody::AssessProgress(_)
            | CommandBody::AssessAmbition(_)
            | CommandBody::ReviseAssessment(_) => (self.assessor, "have the role assessor"),
            CommandBody::AttachEvidence(_)
            | CommandBody::DigestEvidence(_)
            | CommandBody::MoveEvidence(_)
            | CommandBody::FlagEvidenceUnavailable(_) => (
                self.reporter || self.assessor,
                "have the role reporter or assessor",
            ),
        }
    }
}

fn refuse<T>(code: RejectionCode, field: &str, message: impl Into<String>) -> Result<T, Rejection> {
    Err(Rejection::at(code, field, message))
}

impl<'a> Context<'a> {
    /// Who you are: partner, role, party.
    fn sender(&self) -> Result<Sender, Rejection> {
        let id = &self.command.partner;
        let Some(partner) = self.reference.partner(id) else {
            return refuse(
                RejectionCode::SenderUnknown,
                "source",
                format!("partner {id} is not registered; ask the ledger's root to register it"),
            );
        };
        if partner.revoked {
            return refuse(
                RejectionCode::SenderRevoked,
                "source",
                format!("partner {id} was revoked; ask the ledger's root"),
            );
        }
        let sender = Sender {
            root: partner.root,
            reporter: partner.roles.contains(&Role::Reporter),
            secretariat: partner.roles.contains(&Role::Secretariat),
            assessor: partner.roles.contains(&Role::Assessor),
        };
        let (allowed, needed) = sender.may_send(&self.command.body);
        if !allowed {
            let command = self.command.body.command_type().name();
            return refuse(
                RejectionCode::RoleMissing,
                "type",
                format!("to send {command} partner {id} must {needed}"),
            );
        }
        let party = &self.command.party;
        if !partner.parties.contains(party) {
            return refuse(
                RejectionCode::PartyNotAllowed,
                "party",
                format!("partner {id} may not speak for {party}; name a party of its list"),
            );
        }
        if self.command.subject.commitment().is_some() {
            self.active_party(party, "party")?;
        }
        Ok(sender)
    }

    /// A named party, which must be registered and active.
    fn active_party(&self, id: &PartyId, field: &str) -> Result<&'a Party, Rejection> {
        match self.reference.party(id) {
            None => refuse(
                RejectionCode::PartyUnknown,
                field,
                format!("party {id} is not registered; have the secretariat register it"),
            ),
            Some(party) if party.status == PartyStatus::Inactive => refuse(
                RejectionCode::PartyInactive,
                field,
                format!("party {id} is inactive; have the secretariat activate it"),
            ),
            Some(party) => Ok(party),
        }
    }

    fn expect_version(&self, version: Version) -> Result<(), Rejection> {
        match self.command.expected_version {
            Some(expected) if expected != version => refuse(
                RejectionCode::VersionConflict,
                "expectedversion",
                format!(
                    "{} has version {version}, not {expected}; read it again, then decide again",
                    self.command.subject
                ),
            ),
            Some(_) | None => Ok(()),
        }
    }

    fn known_actions(&self, codes: &[ActionCode], field: &str) -> Result<(), Rejection> {
        let unknown = |code: &ActionCode| self.reference.action(code).is_none();
        match codes.iter().position(unknown) {
            None => Ok(()),
            Some(index) => refuse(
                RejectionCode::UnknownAction,
                &format!("{field}[{index}]"),
                "this action is not in the catalogue; use a code of the catalogue",
            ),
        }
    }

    /// Refuses a date of something that has not happened: one that lies after today as a whole, or before the United Nations. A
    /// year that has begun is not in the future.
    fn happened(&self, date: Option<PartialDate>, field: &str) -> Result<(), Rejection> {
        match date {
            Some(date) if date.first_day() > self.today => refuse(
                RejectionCode::DateInFuture,
                field,
                format!(
                    "{date} has not begun anywhere, not where it is {} already; record it when it has come",
                    self.today
                ),
            ),
            Some(date) if date.year() < FIRST_YEAR => refuse(
                RejectionCode::DateOutOfRange,
                field,
                format!(
                    "{date} lies before {FIRST_YEAR}, when nothing of this was agreed; correct it"
                ),
            ),
            Some(_) | None => Ok(()),
        }
    }

    /// Refuses a date that something is to be done by, if nobody alive will see it.
    fn foreseeable(&self, date: Option<PartialDate>, field: &str) -> Result<(), Rejection> {
        let last_year =
            u32::try_from(self.today.year()).map_or(u32::MAX, |year| year + MAX_YEARS_AHEAD);
        match date {
            Some(date) if !(FIRST_YEAR..=last_year).contains(&date.year()) => refuse(
                RejectionCode::DateOutOfRange,
                field,
                format!("{date} does not lie between {FIRST_YEAR} and {last_year}; correct it"),
            ),
            Some(_) | None => Ok(()),
        }
    }

    /// Refuses a period that ends before it begins, or that has not come.
    fn past_period(&self, period: Period) -> Result<(), Rejection> {
        if period.to.last_day() < period.from.first_day() {
            return refuse(
                RejectionCode::DateOrder,
                "data.period.to",
                format!(
                    "the period ends {} before it begins {}; correct one of them",
                    period.to, period.from
                ),
            );
        }
        self.happened(Some(period.from), "data.period.from")?;
        self.happened(Some(period.to), "data.period.to")
    }

    /// An event of the command's own subject.
    fn event(
        &self,
        version: Version,
        effective: Option<PartialDate>,
        route: Route,
        body: impl Into<EventBody>,
    ) -> NewEvent {
        NewEvent {
            body: body.into(),
            subject: self.command.subject.clone(),
            stream_version: version.next(),
            effective,
            route,
        }
    }

    fn wrong_subject<T>(&self) -> Result<T, Rejection> {
        refuse(
            RejectionCode::WrongSubject,
            "subject",
            format!(
                "{} is not about {}",
                self.command.body.command_type().name(),
                self.command.subject
            ),
        )
    }
}
