//! The illustrative commitments: made up, marked as such, and loaded in phases.
//!
//! The files in `seeds/illustrative/` hold commands in the ledger's own words with what follows from the rest left out;
//! `seeds/README.md` says what. Reports, contests and assessments are named by the position of the event that made them,
//! and a position is known from its receipt only. So a command that names one waits until the phase that makes it has
//! its receipts. Receipts never change, so the commands of a second load are the same bytes.

use std::collections::{HashMap, HashSet};

use chrono::SecondsFormat;
use ledger_domain::date::PartialDate;
use ledger_domain::ids::{
    CommandId, CommitmentId, PartnerId, PartyId, Position, ReviewId, Subject,
};
use ledger_domain::wire::v1::{
    Command, CommandBody, CommandType, Policy, Receipt, RegisterPartner, RegisterParty, Role, Root,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    NAMESPACE, REFERENCE_DAY, SECRETARIAT, SECRETARIAT_PARTY, SeedError, Sender, noon, parse,
};

/// The files, one per region of the world, and one for what belongs to none.
const FILES: [(&str, &str); 6] = [
    (
        "seeds/illustrative/world.json",
        include_str!("../../../../seeds/illustrative/world.json"),
    ),
    (
        "seeds/illustrative/africa.json",
        include_str!("../../../../seeds/illustrative/africa.json"),
    ),
    (
        "seeds/illustrative/americas.json",
        include_str!("../../../../seeds/illustrative/americas.json"),
    ),
    (
        "seeds/illustrative/asia.json",
        include_str!("../../../../seeds/illustrative/asia.json"),
    ),
    (
        "seeds/illustrative/europe.json",
        include_str!("../../../../seeds/illustrative/europe.json"),
    ),
    (
        "seeds/illustrative/oceania.json",
        include_str!("../../../../seeds/illustrative/oceania.json"),
    ),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileSeed {
    /// The partner that sends for all who lead or report in this file.
    reporter: PartnerSeed,
    /// Other partners: assessors and focal points.
    #[serde(default)]
    partners: Vec<PartnerSeed>,
    #[serde(default)]
    parties: Vec<PartySeed>,
    #[serde(default)]
    reviews: Vec<ReviewSeed>,
    commitments: Vec<CommitmentSeed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PartnerSeed {
    id: PartnerId,
    #[serde(flatten)]
    register_partner: RegisterPartnerSeed,
}

/// As in [`RegisterPartner`], but the parties of a file's reporter follow from the file.
#[derive(Deserialize)]
struct RegisterPartnerSeed {
    name: String,
    roles: Vec<Role>,
    #[serde(default)]
    parties: Vec<PartyId>,
    #[serde(default)]
    focal_point_for: Vec<PartyId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PartySeed {
    id: PartyId,
    register_party: RegisterParty,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReviewSeed {
    id: ReviewId,
    then: Vec<StepSeed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CommitmentSeed {
    /// What the others call it; its id follows from it.
    key: String,
    lead: PartyId,
    /// When it was made.
    at: PartialDate,
    record_commitment: Map<String, Value>,
    #[serde(default)]
    then: Vec<StepSeed>,
}

/// What happened later.
#[derive(Deserialize)]
struct StepSeed {
    at: PartialDate,
    /// Who, when not the lead.
    by: Option<PartyId>,
    /// What later steps of the same commitment call the event.
    #[serde(rename = "as")]
    label: Option<String>,
    /// The command's name, and its data.
    #[serde(flatten)]
    command: HashMap<String, Map<String, Value>>,
}

/// A command whose data still has names where the ledger wants positions.
struct Step {
    /// What it belongs to: the key of a commitment, or the id of a review.
    key: String,
    sender: Sender,
    subject: Subject,
    at: PartialDate,
    /// Tells it from the others on the same subject.
    what: String,
    command: CommandType,
    data: Map<String, Value>,
    label: Option<String>,
}

/// The illustrative commitments on their way into a ledger.
pub struct Illustrative {
    /// Commands that wait for nothing but the reference catalogue, in order.
    first: Option<Vec<Command>>,
    phases: std::vec::IntoIter<Vec<Step>>,
    /// Which label a command has that is under way.
    labels: HashMap<CommandId, String>,
    positions: HashMap<String, Position>,
}

impl Illustrative {
    /// Reads the files. `root` is the ledger's root partner, which registers the others.
    ///
    /// # Errors
    /// Never with the files that the program was built with; a test holds that.
    pub fn read(root: &Root) -> Result<Self, SeedError> {
        let mut histories = Histories::default();
        let mut files = Vec::new();
        for (file, text) in FILES {
            let seed: FileSeed = parse(file, text)?;
            histories.senders.extend(&seed);
            files.push(seed);
        }
        let mut registrations = Vec::new();
        for mut seed in files {
            let reporter = seed.reporter.id.clone();
            let steps_before = histories.steps.len();
            for commitment in seed.commitments {
                histories.commitment(&reporter, commitment)?;
            }
            for review in seed.reviews {
                histories.review(review)?;
            }
            let sent = histories.steps.get(steps_before..).unwrap_or_default();
            seed.reporter.register_partner.parties = speakers(&reporter, sent);
            let partners = std::iter::once(seed.reporter).chain(seed.partners);
            register(root, partners, seed.parties, &mut registrations)?;
        }
        Ok(Self {
            first: Some(registrations),
            phases: histories.into_phases().into_iter(),
            labels: HashMap::new(),
            positions: HashMap::new(),
        })
    }

    /// The registrations of partners and parties, which are the first phase.
    pub fn registrations(&self) -> &[Command] {
        self.first.as_deref().unwrap_or_default()
    }

    /// The commitment that is recorded first.
    pub fn first_commitment(&self) -> Option<CommitmentId> {
        let mut steps = self.phases.as_slice().iter().flatten();
        steps.find_map(|step| match &step.subject {
            Subject::Commitment(id) => Some(*id),
            Subject::Instrument(_)
            | Subject::Party(_)
            | Subject::Partner(_)
            | Subject::Review(_)
            | Subject::Ledger => None,
        })
    }

    /// The commands of the next phase, in the order in which they are to be sent; `None` after the last. All receipts of the
    /// phase before must have been [noted](Self::note).
    ///
    /// # Errors
    /// [`SeedError::UnknownName`] when a receipt is missing. Never else with the files that the program was built with.
    pub fn next_phase(&mut self) -> Result<Option<Vec<Command>>, SeedError> {
        if let Some(registrations) = self.first.take() {
            return Ok(Some(registrations));
        }
        let Some(steps) = self.phases.next() else {
            return Ok(None);
        };
        let mut commands = Vec::with_capacity(steps.len());
        for step in steps {
            let command = step.command(&self.positions)?;
            if let Some(label) = &step.label {
                self.labels.insert(command.id, scoped(&step.key, label));
            }
            commands.push(command);
        }
        Ok(Some(commands))
    }

    /// Takes the position that a command of the last phase was given.
    pub fn note(&mut self, receipt: &Receipt) {
        let label = receipt.command_id.and_then(|id| self.labels.remove(&id));
        if let (Some(label), Some(event)) = (label, receipt.events.first()) {
            self.positions.insert(label, Position(event.position));
        }
    }
}

/// The id of the illustrative commitment with this key.
pub fn illustrative_id(key: &str) -> CommitmentId {
    let name = format!("illustrative commitment {key}");
    CommitmentId(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
}

fn scoped(key: &str, label: &str) -> String {
    format!("{key}/{label}")
}

/// Every party that a partner sends for, once, in the order in which they appear.
fn speakers(partner: &PartnerId, steps: &[(usize, Step)]) -> Vec<PartyId> {
    let mut parties = Vec::new();
    for (_, step) in steps {
        if step.sender.partner == *partner && !parties.contains(&step.sender.party) {
            parties.push(step.sender.party.clone());
        }
    }
    parties
}

fn register(
    root: &Root,
    partners: impl IntoIterator<Item = PartnerSeed>,
    parties: Vec<PartySeed>,
    commands: &mut Vec<Command>,
) -> Result<(), SeedError> {
    let time = noon(REFERENCE_DAY)?;
    for PartnerSeed {
        id,
        register_partner: seed,
    } in partners
    {
        let body = RegisterPartner {
            name: seed.name,
            roles: seed.roles,
            parties: seed.parties,
            focal_point_for: seed.focal_point_for,
        };
        let body = CommandBody::RegisterPartner(body);
        let subject = Subject::Partner(id);
        commands.push(Sender::root(root).command(subject, time, "register_partner", body));
    }
    let secretariat = Sender::new(SECRETARIAT, SECRETARIAT_PARTY)?;
    for party in parties {
        commands.push(secretariat.register_party(party.id, time, party.register_party));
    }
    Ok(())
}

/// Which partner sends what.
#[derive(Default)]
struct Senders {
    assessors: HashMap<PartyId, PartnerId>,
    focal_points: HashMap<PartyId, PartnerId>,
}

impl Senders {
    fn extend(&mut self, file: &FileSeed) {
        for partner in &file.partners {
            let seed = &partner.register_partner;
            if seed.roles.contains(&Role::Assessor) {
                let parties = seed.parties.iter().cloned();
                self.assessors
                    .extend(parties.map(|party| (party, partner.id.clone())));
            }
            let states = seed.focal_point_for.iter().cloned();
            self.focal_points
                .extend(states.map(|state| (state, partner.id.clone())));
        }
    }

    /// The partner that sends this command for the party; `reporter` unless it is the secretariat's, an assessor's or a
    /// focal point's.
    fn of(
        &self,
        reporter: &PartnerId,
        party: PartyId,
        command: CommandType,
    ) -> Result<Sender, SeedError> {
        if party.as_str() == SECRETARIAT_PARTY {
            return Sender::new(SECRETARIAT, SECRETARIAT_PARTY);
        }
        let focal = match command.name() {
            "validate_report" | "return_report" => self.focal_points.get(&party),
            _ => None,
        };
        let partner = focal
            .or_else(|| self.assessors.get(&party))
            .unwrap_or(reporter);
        Ok(Sender {
            partner: partner.clone(),
            party,
        })
    }
}

/// The histories of all commitments and reviews, each step with the phase it is sent in.
#[derive(Default)]
struct Histories {
    senders: Senders,
    steps: Vec<(usize, Step)>,
}

impl Histories {
    fn commitment(&mut self, reporter: &PartnerId, seed: CommitmentSeed) -> Result<(), SeedError> {
        let subject = Subject::Commitment(illustrative_id(&seed.key));
        let measure = seed.record_commitment.get("measure").cloned();
        let record = Step {
            key: seed.key.clone(),
            sender: Sender {
                partner: reporter.clone(),
                party: seed.lead.clone(),
            },
            subject: subject.clone(),
            at: seed.at,
            what: "record_commitment".to_owned(),
            command: CommandType::RecordCommitment,
            data: full_record(seed.record_commitment),
            label: None,
        };
        self.steps.push((0, record));
        let mut phase = 0;
        // In which phase each name of this commitment is made.
        let mut made: HashMap<String, usize> = HashMap::new();
        for (number, step) in (1..).zip(seed.then) {
            let (command, mut data) = one_command(&seed.key, step.command)?;
            let waits = names(&data).filter_map(|name| made.get(name)).max();
            phase = phase.max(waits.map_or(0, |made_in| made_in + 1));
            if let (Some(value), Some(measure)) = (data.remove("value"), &measure) {
                data.insert("indicators".to_owned(), indicator(measure, &value));
            }
            if let Some(label) = &step.label {
                made.insert(label.clone(), phase);
            }
            let party = step.by.unwrap_or_else(|| seed.lead.clone());
            let step = Step {
                key: seed.key.clone(),
                sender: self.senders.of(reporter, party, command)?,
                subject: subject.clone(),
                at: step.at,
                what: format!("step/{number}"),
                command,
                data,
                label: step.label,
            };
            self.steps.push((phase, step));
        }
        Ok(())
    }

    /// A review is the secretariat's. It is closed when everything else has been recorded, as its figures freeze then.
    fn review(&mut self, seed: ReviewSeed) -> Result<(), SeedError> {
        let key = seed.id.to_string();
        for (number, step) in (1..).zip(seed.then) {
            let (command, data) = one_command(&key, step.command)?;
            let phase = if command.name() == "close_review" {
                usize::MAX
            } else {
                0
            };
            let step = Step {
                key: key.clone(),
                sender: Sender::new(SECRETARIAT, SECRETARIAT_PARTY)?,
                subject: Subject::Review(seed.id.clone()),
                at: step.at,
                what: format!("step/{number}"),
                command,
                data,
                label: None,
            };
            self.steps.push((phase, step));
        }
        Ok(())
    }

    /// The steps phase by phase, and in each phase year by year, as a live ledger would have them. Within a year each
    /// partner sends together what it can, as a submission is of one partner.
    fn into_phases(mut self) -> Vec<Vec<Step>> {
        self.steps
            .sort_by_key(|(phase, step)| (*phase, step.at.first_day()));
        let mut phases: Vec<(usize, Vec<Step>)> = Vec::new();
        let same_year =
            |a: &(usize, Step), b: &(usize, Step)| (a.0, a.1.at.year()) == (b.0, b.1.at.year());
        while let Some(last) = self.steps.last() {
            let year = self.steps.iter().rev();
            let count = year.take_while(|step| same_year(step, last)).count();
            let phase = last.0;
            let year = self.steps.split_off(self.steps.len() - count);
            let mut steps = by_partner(year.into_iter().map(|(_, step)| step).collect());
            match phases.last_mut() {
                Some((earlier, later)) if *earlier == phase => {
                    steps.append(later);
                    *later = steps;
                }
                Some(_) | None => phases.push((phase, steps)),
            }
        }
        phases.into_iter().rev().map(|(_, steps)| steps).collect()
    }
}

/// The same steps in fewer runs of one partner each. A step stays behind those before it on its own commitment, and behind
/// those on a commitment that it names.
fn by_partner(mut steps: Vec<Step>) -> Vec<Step> {
    let mut ordered = Vec::with_capacity(steps.len());
    while let Some(partner) = steps.first().map(|step| step.sender.partner.clone()) {
        let mut waiting: HashSet<String> = HashSet::new();
        let (sent, left): (Vec<Step>, Vec<Step>) = steps.into_iter().partition(|step| {
            let mut about = std::iter::once(step.key.as_str()).chain(step.commitments());
            let free = step.sender.partner == partner && !about.any(|key| waiting.contains(key));
            if !free {
                waiting.insert(step.key.clone());
            }
            free
        });
        ordered.extend(sent);
        steps = left;
    }
    ordered
}

/// The one command that a step is.
fn one_command(
    key: &str,
    command: HashMap<String, Map<String, Value>>,
) -> Result<(CommandType, Map<String, Value>), SeedError> {
    let mut commands = command.into_iter();
    match (commands.next(), commands.next()) {
        (Some((name, data)), None) => CommandType::from_name(&name)
            .map(|command| (command, data))
            .ok_or(SeedError::NotOneCommand(key.to_owned())),
        (_, _) => Err(SeedError::NotOneCommand(key.to_owned())),
    }
}

/// The fields that name an event by its position.
const NAMING_FIELDS: [&str; 3] = ["report", "contest", "assessment"];

fn names(data: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let named = |field: &&str| data.get(*field).and_then(Value::as_str);
    NAMING_FIELDS.iter().filter_map(named)
}

/// A report's one value under the name and unit of the commitment's measure.
fn indicator(measure: &Value, value: &Value) -> Value {
    let mut indicator = json!({"name": measure.get("indicator"), "value": value});
    if let (Some(unit), Some(indicator)) = (measure.get("unit"), indicator.as_object_mut()) {
        indicator.insert("unit".to_owned(), unit.clone());
    }
    json!([indicator])
}

/// A record with its participants in the ledger's form, and marked.
fn full_record(mut record: Map<String, Value>) -> Map<String, Value> {
    let mut participants = Vec::new();
    for (field, role) in [("partners", "partner"), ("supporters", "supporter")] {
        let parties = record.remove(field);
        for party in parties.iter().filter_map(Value::as_array).flatten() {
            participants.push(json!({"party": party, "role": role}));
        }
    }
    if !participants.is_empty() {
        record.insert("participants".to_owned(), Value::Array(participants));
    }
    record.insert("illustrative".to_owned(), Value::Bool(true));
    record
}

/// The fields that name another commitment by its key.
const KEY_FIELDS: [&str; 2] = ["matches", "successor"];

impl Step {
    /// The other commitments that it names.
    fn commitments(&self) -> impl Iterator<Item = &str> {
        let named = |field: &&str| self.data.get(*field).and_then(Value::as_str);
        KEY_FIELDS.iter().filter_map(named)
    }

    /// The command, with positions in the place of names.
    fn command(&self, positions: &HashMap<String, Position>) -> Result<Command, SeedError> {
        let mut data = self.data.clone();
        self.date(&mut data);
        for field in NAMING_FIELDS {
            if let Some(Value::String(name)) = data.get_mut(field) {
                let scoped = scoped(&self.key, name);
                let position = positions.get(&scoped);
                *name = position.ok_or(SeedError::UnknownName(scoped))?.to_string();
            }
        }
        for field in KEY_FIELDS {
            if let Some(Value::String(key)) = data.get_mut(field) {
                *key = illustrative_id(key).to_string();
            }
        }
        if let Some(Value::String(title)) = data.get_mut("sha256") {
            *title = self.digest(title);
        }
        if let Some(Value::Array(pieces)) = data.get_mut("evidence") {
            for piece in pieces {
                if let Some(title) = piece.as_str() {
                    *piece = json!({"sha256": self.digest(title), "title": format!("{title} (invented)")});
                }
            }
        }
        if let Some(period @ Value::String(_)) = data.get_mut("period") {
            *period = json!({"from": period, "to": period});
        }
        self.decoded(&data)
    }

    /// Dates the command, unless its data do.
    fn date(&self, data: &mut Map<String, Value>) {
        let field = match self.command.name() {
            "record_commitment" | "record_statement" => "made",
            "assess_progress" | "assess_ambition" => "assessed",
            "reach_milestone" => "reached",
            "amend_commitment"
            | "withdraw_commitment"
            | "confirm_participation"
            | "leave_commitment"
            | "suspend_commitment"
            | "resume_commitment"
            | "supersede_commitment"
            | "close_commitment"
            | "reinstate_commitment" => "effective",
            _ => return,
        };
        data.entry(field)
            .or_insert_with(|| Value::String(self.at.to_string()));
    }

    /// Evidence that was never written has a digest all the same: that of its commitment's key and its title.
    fn digest(&self, title: &str) -> String {
        let text = format!("illustrative evidence: {}: {title}", self.key);
        let digest: [u8; 32] = Sha256::digest(text).into();
        ledger_domain::wire::v1::Sha256(digest).to_string()
    }

    /// The command as the ledger would read it, so that a fault in a file is found with its field.
    fn decoded(&self, data: &Map<String, Value>) -> Result<Command, SeedError> {
        let time = noon(&self.at.first_day().to_string())?;
        let id = self.sender.id(&self.subject, &self.what);
        let bytes = json!({
            "specversion": "1.0",
            "id": id,
            "source": format!("partner/{}", self.sender.partner),
            "type": format!("ledger.{}.v1", self.command.name()),
            "subject": self.subject,
            "time": time.to_rfc3339_opts(SecondsFormat::Secs, true),
            "party": self.sender.party,
            "data": data,
        })
        .to_string();
        Command::decode(bytes.as_bytes(), &Policy::default()).map_err(|refusal| {
            SeedError::Refused {
                key: self.key.clone(),
                rejection: refusal.rejection,
            }
        })
    }
}
