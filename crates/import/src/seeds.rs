//! The seeds as commands: the reference catalogue that every ledger starts with, and illustrative commitments.
//!
//! The files are in `seeds/`. Ids and times follow from them alone, so that loading them a second time makes the same
//! bytes and adds nothing.

mod illustrative;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use ledger_domain::Rejection;
use ledger_domain::country::{self, UnStatus};
use ledger_domain::ids::{
    ActionCode, CommandId, IdError, InstrumentId, PartnerId, PartyId, Subject,
};
use ledger_domain::wire::v1::{
    ActionKind, CatalogueAction, Command, CommandBody, MapActions, PartyKind, PublishInstrument,
    RegisterPartner, RegisterParty, Role, Root, TextStatus,
};
use serde::Deserialize;
use thiserror::Error;
use uuid::Uuid;

pub use illustrative::{Illustrative, illustrative_id};

/// The partner that keeps the catalogue and the parties.
pub const SECRETARIAT: &str = "secretariat";

/// The party that the secretariat speaks for.
pub const SECRETARIAT_PARTY: &str = "UNNM";

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
    /// A step is not one command that there is.
    #[error("a step of {0} is not one known command")]
    NotOneCommand(String),
    /// A step names an event that has no receipt yet.
    #[error("no receipt says where {0} is")]
    UnknownName(String),
    /// A step has data that no ledger takes.
    #[error("a step of {key} is no command: {rejection}")]
    Refused {
        /// The commitment or review it belongs to.
        key: String,
        /// Why.
        rejection: Rejection,
    },
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

    /// The id of the command on this subject that `what` tells from the others.
    fn id(&self, subject: &Subject, what: &str) -> CommandId {
        let name = format!("{}/{subject}/{what}", self.partner);
        CommandId(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
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
            id: self.id(&subject, what),
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
