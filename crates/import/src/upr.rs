//! Recommendations of the Universal Periodic Review as commitments.
//!
//! The input is neutral JSON lines: a recommendation (`RecordRecommendation`), the State's answer to it
//! (`RespondToRecommendation`), and, where it was accepted, `RecordCommitment`. A recommendation that a State accepted
//! becomes a commitment of that State, attached to every theme it has. One that was only noted, or has no answer yet, is
//! not a commitment: it is counted and skipped.
//!
//! The importer sends as a partner of its own, which root registers first. The State parties and the objectives that
//! themes are mapped to must be in the ledger already: they come with the reference catalogue.

use super::members;
use super::outbox::Outbox;
use super::records::each_line;
use super::sender::Sender;
use super::themes::{self, MAPPINGS};
use super::{Edits, LineError, LineFault};
use ledger_domain::country;
use ledger_domain::date::PartialDate;
use ledger_domain::ids::{ActionCode, IdError, InstrumentId, PartnerId, PartyId, Subject};
use ledger_domain::wire::v1::{
    ActionKind, CatalogueAction, Command, CommandBody, InstrumentKind, MapActions,
    PublishInstrument, RecordCommitment, RegisterPartner, Role, Root, Source, TextStatus,
};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// The partner that the importer sends as.
pub const PARTNER: &str = "import-upr";

/// The instrument it publishes.
pub const INSTRUMENT: &str = "UPR";

/// Namespace of all ids that the importer derives (UUID version 5); never to be changed, or a second import would
/// record everything again.
const NAMESPACE: Uuid = Uuid::from_u128(0x8f1d_4a52_6c0b_4e0e_9b3a_52c1_7d90_e4a6);

/// The first session of the review: the time of what has no date of its own.
const FIRST_SESSION: &str = "2008-04";

/// What an import comes to. Every count is of different recommendations: one that stands on two lines counts once, and
/// where a State answered twice its last answer counts.
#[derive(Debug, Default)]
pub struct UprImport {
    /// The commands in the order in which they are to be sent.
    pub commands: Vec<Command>,
    /// Recommendations read.
    pub recommendation_count: u64,
    /// Those among them that were accepted.
    pub accepted_count: u64,
    /// Those that were noted, not accepted: skipped.
    pub noted_count: u64,
    /// Those without an answer, or with one that the importer does not know: skipped.
    pub unanswered_count: u64,
    /// Commitments: accepted recommendations that the file has as commitments.
    pub commitment_count: u64,
    /// What was done to their texts.
    pub edits: Edits,
    /// Lines that could not be used, each with why.
    pub refused_lines: Vec<LineError>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "command")]
enum Record {
    #[serde(rename = "RecordRecommendation")]
    Recommendation(Recommendation),
    #[serde(rename = "RespondToRecommendation")]
    Response { subject: String, response: String },
    #[serde(rename = "RecordCommitment")]
    Commitment { subject: String },
}

/// A recommendation, made to one State in one session by one State or several.
#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Recommendation {
    subject: String,
    party: String,
    effective_at: String,
    recommended_by: Vec<String>,
    issues: Vec<String>,
    text: String,
}

/// A State's answer to a recommendation.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    Accepted,
    Noted,
    /// In words that the importer does not know.
    Other(String),
}

impl Answer {
    /// Reads the answer. The review's older records say "accepted" and "rejected", its newer ones "supported" and
    /// "noted"; only the two of acceptance are a commitment.
    fn read(words: &str) -> Self {
        let folded = words
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .to_lowercase();
        match folded.as_str() {
            "accepted" | "supported" => Self::Accepted,
            "noted" | "rejected" | "not accepted" | "not supported" => Self::Noted,
            _ => Self::Other(words.to_owned()),
        }
    }
}

/// A recommendation with all that the file says of it.
struct Case {
    line: u64,
    recommendation: Recommendation,
    answer: Option<Answer>,
}

impl Case {
    /// Why it is no commitment, unless it was accepted.
    fn not_accepted(&self) -> Result<(), LineFault> {
        let answer = match &self.answer {
            Some(Answer::Accepted) => return Ok(()),
            Some(Answer::Noted) => "the State only noted the recommendation".to_owned(),
            Some(Answer::Other(words)) => format!("the State's last answer is `{words}`"),
            None => "the file has no answer of the State".to_owned(),
        };
        Err(LineFault::NotAccepted {
            subject: self.recommendation.subject.clone(),
            answer,
        })
    }
}

/// Turns the lines of a review file into commands: first the partner, the instrument and its actions, then the
/// commitments in the order of the file. `root` is the ledger's root partner, which registers the importer.
///
/// A line that says `RecordCommitment` is taken at its word only where the State's last answer in the file accepts: the
/// log cannot forget a false pledge. The same lines give the same commands, byte for byte, whenever and wherever they are
/// read.
pub fn import<'a>(lines: impl IntoIterator<Item = &'a str>, root: &Root) -> UprImport {
    let sender = sender();
    let mut import = UprImport::default();
    let mut cases: HashMap<String, Case> = HashMap::new();
    let mut asked: Vec<(u64, String)> = Vec::new();
    let mut refused = each_line(lines, |line, text| {
        match serde_json::from_str(text).map_err(LineFault::Record)? {
            Record::Recommendation(recommendation) => add_case(&mut cases, line, recommendation),
            Record::Response { subject, response } => answered(&mut cases, &subject, &response),
            Record::Commitment { subject } => {
                known(&cases, &subject)?;
                asked.push((line, subject));
                Ok(())
            }
        }
    });
    import.count(cases.values());
    let mut outbox = Outbox::default();
    let mut actions = BTreeMap::new();
    for (line, subject) in asked {
        let edits = &mut import.edits;
        match commit(
            &sender,
            &cases,
            (line, &subject),
            &mut actions,
            edits,
            &mut outbox,
        ) {
            Ok(is_new) => import.commitment_count += u64::from(is_new),
            Err(fault) => refused.push(LineError { line, fault }),
        }
    }
    match preparation(&sender, &actions, root) {
        Ok(commands) => import.commands = commands,
        Err(error) => refused.push(LineError {
            line: 0,
            fault: error.into(),
        }),
    }
    import.commands.extend(outbox.into_commands());
    refused.sort_by_key(|error| error.line);
    import.refused_lines = refused;
    import
}

impl UprImport {
    fn count<'a>(&mut self, cases: impl Iterator<Item = &'a Case>) {
        for case in cases {
            self.recommendation_count += 1;
            match case.answer {
                Some(Answer::Accepted) => self.accepted_count += 1,
                Some(Answer::Noted) => self.noted_count += 1,
                Some(Answer::Other(_)) | None => self.unanswered_count += 1,
            }
        }
    }
}

fn add_case(
    cases: &mut HashMap<String, Case>,
    line: u64,
    recommendation: Recommendation,
) -> Result<(), LineFault> {
    if let Some(earlier) = cases.get(&recommendation.subject) {
        if earlier.recommendation == recommendation {
            return Ok(());
        }
        return Err(LineFault::Contradiction {
            first: earlier.line,
            what: recommendation.subject,
        });
    }
    let case = Case {
        line,
        recommendation,
        answer: None,
    };
    cases.insert(case.recommendation.subject.clone(), case);
    Ok(())
}

fn answered(
    cases: &mut HashMap<String, Case>,
    subject: &str,
    response: &str,
) -> Result<(), LineFault> {
    let case = cases
        .get_mut(subject)
        .ok_or_else(|| LineFault::Unknown(subject.to_owned()))?;
    let answer = case.answer.insert(Answer::read(response));
    match answer {
        Answer::Accepted | Answer::Noted => Ok(()),
        Answer::Other(words) => Err(LineFault::Answer(words.clone())),
    }
}

fn sender() -> Sender {
    Sender {
        namespace: NAMESPACE,
        since: FIRST_SESSION.parse().ok(),
    }
}

fn known<'a>(cases: &'a HashMap<String, Case>, subject: &str) -> Result<&'a Case, LineFault> {
    cases
        .get(subject)
        .ok_or_else(|| LineFault::Unknown(subject.to_owned()))
}

/// What must stand in the ledger before the commitments: the partner, the instrument, its actions, their mappings.
fn preparation(
    sender: &Sender,
    actions: &BTreeMap<ActionCode, String>,
    root: &Root,
) -> Result<Vec<Command>, IdError> {
    let partner: PartnerId = PARTNER.parse()?;
    let instrument: InstrumentId = INSTRUMENT.parse()?;
    let about_instrument = |name: &str, body| {
        let subject = Subject::Instrument(instrument.clone());
        sender.command(name, (&partner, &root.party), subject, None, body)
    };
    let mut commands = vec![
        sender.command(
            "register_partner",
            (&root.partner, &root.party),
            Subject::Partner(partner.clone()),
            None,
            CommandBody::RegisterPartner(register_partner(root)?),
        ),
        about_instrument(
            "publish_instrument",
            CommandBody::PublishInstrument(PublishInstrument {
                language: None,
                title: "Universal Periodic Review: recommendations on migration".to_owned(),
                kind: InstrumentKind::Recommendations,
                adopted: None,
                symbol: None,
                url: None,
                principles: Vec::new(),
            }),
        ),
    ];
    for (code, theme) in actions {
        let body = CommandBody::CatalogueAction(CatalogueAction {
            code: code.clone(),
            title: theme.clone(),
            parent: None,
            text_status: TextStatus::ThemeSeen,
            description: None,
            kind: Some(ActionKind::Theme),
        });
        commands.push(about_instrument(&format!("catalogue_action {code}"), body));
    }
    for mapping in MAPPINGS {
        let mapped = actions.iter().find(|(_, title)| *title == mapping.theme);
        if let Some((from, _)) = mapped {
            let name = format!("map_actions {from} {}", mapping.objective);
            let body = CommandBody::MapActions(MapActions {
                from: from.clone(),
                to: vec![mapping.objective.parse()?],
                basis: Some(mapping.basis.to_owned()),
            });
            commands.push(about_instrument(&name, body));
        }
    }
    Ok(commands)
}

/// The review reviews every member State, so the importer may speak for each of them, whatever file comes: were it for
/// the States of one file, another file's import would want the same partner with other bytes. It keeps its own
/// catalogue in the name of the ledger's own party.
fn register_partner(root: &Root) -> Result<RegisterPartner, IdError> {
    let mut parties = vec![root.party.clone()];
    for state in country::members() {
        parties.push(PartyId::try_from(state.code.as_str())?);
    }
    Ok(RegisterPartner {
        name: "Importer of the Universal Periodic Review".to_owned(),
        roles: vec![Role::Secretariat, Role::Reporter],
        parties,
        focal_point_for: Vec::new(),
    })
}

/// Adds the commitment of an accepted recommendation to the outbox, and its themes to `actions`; whether it is new.
fn commit(
    sender: &Sender,
    cases: &HashMap<String, Case>,
    (line, subject): (u64, &str),
    actions: &mut BTreeMap<ActionCode, String>,
    edits: &mut Edits,
    outbox: &mut Outbox,
) -> Result<bool, LineFault> {
    let case = known(cases, subject)?;
    case.not_accepted()?;
    let recommendation = &case.recommendation;
    let mut themes = BTreeMap::new();
    for name in &recommendation.issues {
        let theme = themes::theme(name)?;
        themes.insert(theme.code, theme.title);
    }
    let codes = themes.keys().cloned().collect();
    let mut edited = *edits;
    let command = commitment(sender, recommendation, codes, &mut edited)?;
    let is_new = outbox.add(line, subject, command)?;
    if is_new {
        *edits = edited;
        actions.extend(themes);
    }
    Ok(is_new)
}

/// The commitment of an accepted recommendation.
fn commitment(
    sender: &Sender,
    recommendation: &Recommendation,
    actions: Vec<ActionCode>,
    edits: &mut Edits,
) -> Result<Command, LineFault> {
    let state = members::state(&recommendation.party).ok_or_else(|| LineFault::Member {
        code: recommendation.party.clone(),
        or_local: "",
    })?;
    let made: PartialDate = recommendation
        .effective_at
        .parse()
        .map_err(|_| LineFault::Date(recommendation.effective_at.clone()))?;
    let subject = &recommendation.subject;
    let text = edits.clean(&recommendation.text);
    let recommenders = recommenders(edits, recommendation);
    let description = edits.fitting(&text, &recommenders);
    let title = edits.title(&text);
    let body = RecordCommitment {
        language: None,
        title,
        description: Some(description),
        actions,
        form: None,
        nature: None,
        matches: None,
        participants: Vec::new(),
        countries: Vec::new(),
        principles: Vec::new(),
        measure: None,
        made: Some(made),
        due: None,
        source: Some(Source {
            system: "UPR".to_owned(),
            reference: edits.clean_line(subject),
            url: None,
        }),
        illustrative: false,
        milestones: Vec::new(),
    };
    Ok(sender.command(
        &format!("record_commitment {subject}"),
        (&PARTNER.parse()?, &PartyId::try_from(state.code.as_str())?),
        Subject::Commitment(sender.commitment(subject)),
        Some(made),
        CommandBody::RecordCommitment(body),
    ))
}

/// Who recommended it, as a paragraph after the text.
fn recommenders(edits: &mut Edits, recommendation: &Recommendation) -> String {
    if recommendation.recommended_by.is_empty() {
        return String::new();
    }
    let states = edits.clean(&recommendation.recommended_by.join(", "));
    format!("\n\nRecommended by {states}.")
}

#[cfg(test)]
mod tests;
