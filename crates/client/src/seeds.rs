//! The seeds as commands: the reference catalogue that every ledger starts with, and illustrative commitments.
//!
//! The files are in `seeds/`. Ids and times follow from them alone, so that loading them a second time makes the same
//! bytes and adds nothing.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use ledger_domain::country::{self, UnStatus};
use ledger_domain::ids::{
    ActionCode, CommandId, CommitmentId, IdError, InstrumentId, PartnerId, PartyId, Subject,
};
use ledger_domain::wire::v1::{
    ActionKind, AmendCommitment, CatalogueAction, Command, CommandBody, MapActions, PartyKind,
    PublishInstrument, RecordCommitment, RegisterPartner, RegisterParty, ReportProgress, Role,
    Root, TextStatus, WithdrawCommitment,
};
use serde::Deserialize;
use thiserror::Error;
use uuid::Uuid;

/// The partner that keeps the catalogue and the parties.
pub const SECRETARIAT: &str = "secretariat";

/// The party that the secretariat speaks for.
pub const SECRETARIAT_PARTY: &str = "UNNM";

/// The partner that sends the illustrative commitments.
pub const ILLUSTRATIVE: &str = "illustrative";

/// Namespace of all ids that the seeds derive (UUID version 5); never to be changed, or a second load would add everything
/// again.
const NAMESPACE: Uuid = Uuid::from_u128(0x5d0c_2b7e_91a4_4f36_8e15_c07d_3ab9_6214);

/// The day of the reference catalogue's commands.
const REFERENCE_DAY: &str = "2026-11-23";

/// The instruments, in the order in which they are published: mappings point to earlier ones.
const INSTRUMENTS: [(&str, &str); 3] = [
    (
        "seeds/instruments/GCM-2018.json",
        include_str!("../../../seeds/instruments/GCM-2018.json"),
    ),
    (
        "seeds/instruments/IMRF-2022.json",
        include_str!("../../../seeds/instruments/IMRF-2022.json"),
    ),
    (
        "seeds/instruments/SDG-10.7.json",
        include_str!("../../../seeds/instruments/SDG-10.7.json"),
    ),
];

const ILLUSTRATIVE_FILE: &str = "seeds/illustrative.json";
const ILLUSTRATIVE_TEXT: &str = include_str!("../../../seeds/illustrative.json");

/// A seed that is no command. The files are part of the program, so this is a fault of the build and not of the user.
#[derive(Debug, Error)]
pub enum SeedError {
    /// A file is not what it should be.
    #[error("{file} cannot be read")]
    File {
        /// Which.
        file: &'static str,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// An id is none.
    #[error(transparent)]
    Id(#[from] IdError),
    /// A day is none.
    #[error("`{0}` is not a day")]
    Day(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InstrumentSeed {
    id: InstrumentId,
    instrument: PublishInstrument,
    actions: Vec<ActionSeed>,
    #[serde(default)]
    mappings: Vec<MapActions>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActionSeed {
    code: ActionCode,
    title: String,
    kind: ActionKind,
    text_status: TextStatus,
    description: Option<String>,
    /// What stands under it.
    #[serde(default)]
    actions: Vec<ActionSeed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IllustrativeSeeds {
    parties: Vec<PartySeed>,
    commitments: Vec<CommitmentSeed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PartySeed {
    id: PartyId,
    register_party: RegisterParty,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CommitmentSeed {
    /// What the others call it; its id follows from it.
    key: String,
    party: PartyId,
    /// The day it was sent.
    at: String,
    record_commitment: RecordCommitment,
    /// The key of the commitment it answers.
    matches: Option<String>,
    then: Vec<StepSeed>,
}

/// What happened to a commitment later.
#[derive(Deserialize)]
struct StepSeed {
    at: String,
    /// Who, when not the lead.
    party: Option<PartyId>,
    #[serde(flatten)]
    step: Step,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    ReportProgress(ReportProgress),
    AmendCommitment(AmendCommitment),
    WithdrawCommitment(WithdrawCommitment),
}

impl From<Step> for CommandBody {
    fn from(step: Step) -> Self {
        match step {
            Step::ReportProgress(body) => Self::ReportProgress(body),
            Step::AmendCommitment(body) => Self::AmendCommitment(body),
            Step::WithdrawCommitment(body) => Self::WithdrawCommitment(body),
        }
    }
}

/// What every ledger starts with: the secretariat as a partner, the instruments with their actions and mappings, the
/// member States and observers as parties. In the order in which they are to be sent; the first is the root's.
///
/// # Errors
/// Never with the files that the program was built with; a test holds that.
pub fn reference_commands(root: &Root) -> Result<Vec<Command>, SeedError> {
    let time = noon(REFERENCE_DAY)?;
    let secretariat = Sender::new(SECRETARIAT, SECRETARIAT_PARTY)?;
    let mut commands = vec![Sender::root(root).command(
        Subject::Partner(secretariat.partner.clone()),
        time,
        "register_partner",
        CommandBody::RegisterPartner(RegisterPartner {
            name: "Secretariat of the United Nations Network on Migration".to_owned(),
            roles: vec![Role::Secretariat],
            parties: vec![secretariat.party.clone()],
            focal_point_for: Vec::new(),
        }),
    )];
    for (file, text) in INSTRUMENTS {
        let seed: InstrumentSeed = parse(file, text)?;
        instrument_commands(seed, &secretariat, time, &mut commands);
    }
    let network = RegisterParty {
        name: "United Nations Network on Migration".to_owned(),
        kind: PartyKind::UnEntity,
        country: None,
    };
    commands.push(secretariat.register_party(secretariat.party.clone(), time, network));
    for country in country::all() {
        let kind = match country.un_status {
            UnStatus::Member => PartyKind::MemberState,
            UnStatus::Observer => PartyKind::Observer,
            UnStatus::None => continue,
        };
        let state = RegisterParty {
            name: country.name.to_owned(),
            kind,
            country: None,
        };
        let id: PartyId = country.code.as_str().parse()?;
        commands.push(secretariat.register_party(id, time, state));
    }
    Ok(commands)
}

/// Commitments that were made up, with reports, amendments and withdrawals, for a newcomer to look at: each is marked
/// illustrative. They need the reference catalogue. In the order in which they are to be sent; the first is the root's.
///
/// # Errors
/// Never with the files that the program was built with; a test holds that.
pub fn illustrative_commands(root: &Root) -> Result<Vec<Command>, SeedError> {
    let seeds: IllustrativeSeeds = parse(ILLUSTRATIVE_FILE, ILLUSTRATIVE_TEXT)?;
    let time = noon(REFERENCE_DAY)?;
    let partner: PartnerId = ILLUSTRATIVE.parse()?;
    let mut commands = vec![Sender::root(root).command(
        Subject::Partner(partner.clone()),
        time,
        "register_partner",
        CommandBody::RegisterPartner(RegisterPartner {
            name: "Illustrative commitments".to_owned(),
            roles: vec![Role::Reporter],
            parties: speakers(&seeds.commitments),
            focal_point_for: Vec::new(),
        }),
    )];
    let secretariat = Sender::new(SECRETARIAT, SECRETARIAT_PARTY)?;
    for party in seeds.parties {
        commands.push(secretariat.register_party(party.id, time, party.register_party));
    }
    let mut histories = Vec::new();
    for seed in seeds.commitments {
        commitment_commands(seed, &partner, &mut histories)?;
    }
    // Told in the order in which it happened, as a live ledger would have it.
    histories.sort_by_key(|command| command.time);
    commands.append(&mut histories);
    Ok(commands)
}

/// The id of the illustrative commitment with this key.
pub fn illustrative_id(key: &str) -> CommitmentId {
    let name = format!("{ILLUSTRATIVE}/{key}");
    CommitmentId(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
}

fn parse<T: for<'de> Deserialize<'de>>(file: &'static str, text: &str) -> Result<T, SeedError> {
    serde_json::from_str(text).map_err(|source| SeedError::File { file, source })
}

fn noon(day: &str) -> Result<DateTime<Utc>, SeedError> {
    day.parse::<NaiveDate>()
        .ok()
        .zip(NaiveTime::from_hms_opt(12, 0, 0))
        .map(|(day, noon)| day.and_time(noon).and_utc())
        .ok_or_else(|| SeedError::Day(day.to_owned()))
}

/// Every party that leads or reports, once, in the order in which they appear.
fn speakers(commitments: &[CommitmentSeed]) -> Vec<PartyId> {
    let mut parties = Vec::new();
    for seed in commitments {
        let reporters = seed.then.iter().filter_map(|step| step.party.as_ref());
        for party in std::iter::once(&seed.party).chain(reporters) {
            if !parties.contains(party) {
                parties.push(party.clone());
            }
        }
    }
    parties
}

fn instrument_commands(
    seed: InstrumentSeed,
    secretariat: &Sender,
    time: DateTime<Utc>,
    commands: &mut Vec<Command>,
) {
    let subject = Subject::Instrument(seed.id);
    commands.push(secretariat.command(
        subject.clone(),
        time,
        "publish_instrument",
        CommandBody::PublishInstrument(seed.instrument),
    ));
    for action in seed.actions {
        action_commands(action, None, &subject, secretariat, time, commands);
    }
    for mapping in seed.mappings {
        let what = format!("map_actions/{}", mapping.from);
        let body = CommandBody::MapActions(mapping);
        commands.push(secretariat.command(subject.clone(), time, &what, body));
    }
}

/// An action, then what stands under it.
fn action_commands(
    seed: ActionSeed,
    parent: Option<ActionCode>,
    subject: &Subject,
    secretariat: &Sender,
    time: DateTime<Utc>,
    commands: &mut Vec<Command>,
) {
    let what = format!("catalogue_action/{}", seed.code);
    let body = CommandBody::CatalogueAction(CatalogueAction {
        code: seed.code.clone(),
        title: seed.title,
        parent,
        text_status: seed.text_status,
        description: seed.description,
        kind: Some(seed.kind),
    });
    commands.push(secretariat.command(subject.clone(), time, &what, body));
    for under in seed.actions {
        let parent = Some(seed.code.clone());
        action_commands(under, parent, subject, secretariat, time, commands);
    }
}

fn commitment_commands(
    seed: CommitmentSeed,
    partner: &PartnerId,
    commands: &mut Vec<Command>,
) -> Result<(), SeedError> {
    let subject = Subject::Commitment(illustrative_id(&seed.key));
    let lead = Sender {
        partner: partner.clone(),
        party: seed.party,
    };
    let mut record = seed.record_commitment;
    record.matches = seed.matches.as_deref().map(illustrative_id);
    record.illustrative = true;
    let body = CommandBody::RecordCommitment(record);
    commands.push(lead.command(subject.clone(), noon(&seed.at)?, "record_commitment", body));
    for (number, step) in (1..).zip(seed.then) {
        let sender = Sender {
            partner: partner.clone(),
            party: step.party.unwrap_or_else(|| lead.party.clone()),
        };
        let what = format!("step/{number}");
        let time = noon(&step.at)?;
        commands.push(sender.command(subject.clone(), time, &what, step.step.into()));
    }
    Ok(())
}

/// A partner, and the party it acts for.
struct Sender {
    partner: PartnerId,
    party: PartyId,
}

impl Sender {
    fn new(partner: &str, party: &str) -> Result<Self, SeedError> {
        Ok(Self {
            partner: partner.parse()?,
            party: party.parse()?,
        })
    }

    fn root(root: &Root) -> Self {
        Self {
            partner: root.partner.clone(),
            party: root.party.clone(),
        }
    }

    /// A command; `what` tells it from the others on the same subject, and its id follows from both.
    fn command(
        &self,
        subject: Subject,
        time: DateTime<Utc>,
        what: &str,
        body: CommandBody,
    ) -> Command {
        Command {
            id: CommandId(Uuid::new_v5(
                &NAMESPACE,
                format!("{}/{subject}/{what}", self.partner).as_bytes(),
            )),
            partner: self.partner.clone(),
            subject,
            time,
            party: self.party.clone(),
            expected_version: None,
            nonce: None,
            body,
        }
    }

    fn register_party(&self, id: PartyId, time: DateTime<Utc>, body: RegisterParty) -> Command {
        let body = CommandBody::RegisterParty(body);
        self.command(Subject::Party(id), time, "register_party", body)
    }
}

#[cfg(test)]
mod tests;
