//! The search for personal identifiers in a command: in its texts, and in the ids that it gives, which stand for ever too.

use crate::ids::{Language, MethodId, PartyId, Subject};
use crate::personal::{self, Found};
use crate::reference::Reference;
use crate::rejection::{Rejection, RejectionCode};
use crate::wire::v1::{Command, CommandBody, TextKind};

/// Looks for personal identifiers in a command's texts and ids, as the ledger's policy has them.
///
/// What counts as one may change without a new version of the rules: an auditor who decides again leaves this out.
///
/// # Errors
/// `personal_data_refused`, at the first id or text that seems to hold one.
pub fn screen(reference: &Reference, command: &Command) -> Result<(), Rejection> {
    let refused = &reference.policy().refused_patterns;
    for (field, id) in new_ids(command) {
        let found = match field {
            Field::Language => personal::find_in_language(id, refused),
            Field::Named(_) | Field::Listed(..) | Field::Code(..) => {
                personal::find_in_id(id, refused)
            }
        };
        if let Some(found) = found {
            return personal_data(&field.path(), id, &found, "id");
        }
    }
    command.body.texts(&mut |path, kind, text| {
        let found = if kind == TextKind::Url {
            personal::find_in_url(text, refused)
        } else {
            personal::find(text, refused)
        };
        found.map_or(Ok(()), |found| {
            personal_data(&path.to_string(), text, &found, "text")
        })
    })
}

fn personal_data(field: &str, text: &str, found: &Found, what: &str) -> Result<(), Rejection> {
    Err(Rejection::at(
        RejectionCode::PersonalDataRefused,
        field,
        format!(
            "from character {} on the {what} seems to hold a personal identifier ({}); remove it: what is recorded stays for ever",
            1 + found.chars_before(text),
            found.pattern
        ),
    ))
}

/// Where an id stands in a command.
enum Field {
    /// In an attribute, or a field of the data.
    Named(&'static str),
    /// In a list of the data.
    Listed(&'static str, usize),
    /// In the code of an item of a list of the data.
    Code(&'static str, usize),
    /// In the language of the data.
    Language,
}

impl Field {
    fn path(&self) -> String {
        match self {
            Self::Named(name) => (*name).to_owned(),
            Self::Listed(list, index) => format!("data.{list}[{index}]"),
            Self::Code(list, index) => format!("data.{list}[{index}].code"),
            Self::Language => "data.language".to_owned(),
        }
    }
}

type Ids<'a> = Vec<(Field, &'a str)>;

/// The ids that a command may be the first to record, and tags of languages. Others name what stands already, or the command is refused.
fn new_ids(command: &Command) -> Ids<'_> {
    let mut ids = Vec::new();
    match &command.body {
        CommandBody::RegisterPartner(data) => {
            subject(&mut ids, &command.subject);
            parties(&mut ids, "parties", &data.parties);
            parties(&mut ids, "focal_point_for", &data.focal_point_for);
        }
        CommandBody::ChangePartner(data) => {
            parties(
                &mut ids,
                "parties",
                data.parties.as_deref().unwrap_or_default(),
            );
            let states = data.focal_point_for.as_deref().unwrap_or_default();
            parties(&mut ids, "focal_point_for", states);
        }
        CommandBody::PublishInstrument(data) => {
            subject(&mut ids, &command.subject);
            let codes = data
                .principles
                .iter()
                .map(|principle| principle.code.as_str())
                .enumerate();
            ids.extend(codes.map(|(index, code)| (Field::Code("principles", index), code)));
            language(&mut ids, data.language.as_ref());
        }
        CommandBody::CatalogueAction(data) => {
            ids.push((Field::Named("data.code"), data.code.as_str()));
        }
        CommandBody::RegisterParty(_) | CommandBody::OpenReview(_) => {
            subject(&mut ids, &command.subject);
        }
        CommandBody::AssessProgress(data) => {
            method(&mut ids, &data.method, &data.method_version);
            language(&mut ids, data.language.as_ref());
        }
        CommandBody::AssessAmbition(data) => {
            method(&mut ids, &data.method, &data.method_version);
            language(&mut ids, data.language.as_ref());
        }
        CommandBody::RecordCommitment(data) => language(&mut ids, data.language.as_ref()),
        CommandBody::AmendCommitment(data) => language(&mut ids, data.language.as_ref()),
        CommandBody::ReportProgress(data) => language(&mut ids, data.language.as_ref()),
        CommandBody::CorrectReport(data) => language(&mut ids, data.language.as_ref()),
        CommandBody::RecordStatement(data) => language(&mut ids, data.language.as_ref()),
        CommandBody::RevokePartner(_)
        | CommandBody::AmendActionText(_)
        | CommandBody::MapActions(_)
        | CommandBody::AmendParty(_)
        | CommandBody::LapseCommitment(_)
        | CommandBody::ChangePartyStatus(_)
        | CommandBody::ConfirmParticipation(_)
        | CommandBody::LeaveCommitment(_)
        | CommandBody::WithdrawCommitment(_)
        | CommandBody::SuspendCommitment(_)
        | CommandBody::ResumeCommitment(_)
        | CommandBody::SupersedeCommitment(_)
        | CommandBody::CloseCommitment(_)
        | CommandBody::ReinstateCommitment(_)
        | CommandBody::ReachMilestone(_)
        | CommandBody::RetractReport(_)
        | CommandBody::ContestReport(_)
        | CommandBody::AnswerContest(_)
        | CommandBody::ResolveContest(_)
        | CommandBody::ValidateReport(_)
        | CommandBody::ReturnReport(_)
        | CommandBody::ReviseAssessment(_)
        | CommandBody::AttachEvidence(_)
        | CommandBody::DigestEvidence(_)
        | CommandBody::MoveEvidence(_)
        | CommandBody::FlagEvidenceUnavailable(_)
        | CommandBody::CloseReview(_) => {}
    }
    ids
}

fn subject<'a>(ids: &mut Ids<'a>, subject: &'a Subject) {
    let id = match subject {
        Subject::Instrument(id) => id.as_str(),
        Subject::Party(id) => id.as_str(),
        Subject::Partner(id) => id.as_str(),
        Subject::Review(id) => id.as_str(),
        Subject::Commitment(_) | Subject::Ledger => return,
    };
    ids.push((Field::Named("subject"), id));
}

fn parties<'a>(ids: &mut Ids<'a>, list: &'static str, parties: &'a [PartyId]) {
    let parties = parties.iter().enumerate();
    ids.extend(parties.map(|(index, party)| (Field::Listed(list, index), party.as_str())));
}

/// A tag of a language has room for words of its sender: for private use, in extensions and in variants, of which nobody asks whether
/// they are registered.
fn language<'a>(ids: &mut Ids<'a>, language: Option<&'a Language>) {
    ids.extend(language.map(|tag| (Field::Language, tag.as_str())));
}

fn method<'a>(ids: &mut Ids<'a>, method: &'a MethodId, version: &'a MethodId) {
    ids.push((Field::Named("data.method"), method.as_str()));
    ids.push((Field::Named("data.method_version"), version.as_str()));
}
