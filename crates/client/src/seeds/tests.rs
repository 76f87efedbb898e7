use std::collections::{BTreeMap, BTreeSet, HashMap};

use ledger_domain::ids::{EventId, LedgerId, Position, Version};
use ledger_domain::wire::v1::{Event, EventBody, EventHeader, LedgerOpened, Policy};
use ledger_domain::{Commitment, NewEvent, RULES_VERSION, Reference, decide};

use super::*;

fn root() -> Root {
    Root {
        partner: "root".parse().unwrap(),
        party: "ledger".parse().unwrap(),
    }
}

fn all() -> Vec<Command> {
    let mut commands = reference_commands(&root()).unwrap();
    commands.extend(illustrative_commands(&root()).unwrap());
    commands
}

/// A ledger that only decides and remembers.
#[derive(Default)]
struct Ledger {
    reference: Reference,
    commitments: HashMap<CommitmentId, Commitment>,
    events: Vec<Event>,
}

impl Ledger {
    fn opened() -> Self {
        let mut ledger = Self::default();
        let body = EventBody::LedgerOpened(LedgerOpened {
            ledger: "test".parse().unwrap(),
            verifier_key: "compact-ledger/test+00000000+key".to_owned(),
            root: root(),
            policy: Policy::default(),
        });
        ledger.record(
            None,
            NewEvent {
                body,
                subject: Subject::Ledger,
                stream_version: Version(1),
                effective: None,
                route: ledger_domain::Route::default(),
            },
        );
        ledger
    }

    fn take(&mut self, command: &Command) {
        let now = noon(REFERENCE_DAY).unwrap();
        let events = decide(&self.reference, &self.commitments, command, now)
            .unwrap_or_else(|rejection| panic!("{command:?}\n{rejection:?}"));
        for event in events {
            self.record(Some(command), event);
        }
    }

    fn record(&mut self, command: Option<&Command>, new: NewEvent) {
        let position = u64::try_from(self.events.len()).unwrap();
        let root = root();
        let header = EventHeader {
            id: EventId(Uuid::from_u128(u128::from(position))),
            ledger: "test".parse::<LedgerId>().unwrap(),
            event_type: new.body.event_type(),
            subject: new.subject,
            time: noon(REFERENCE_DAY).unwrap(),
            position: Position(position),
            stream_version: new.stream_version,
            partner: command.map_or(root.partner, |command| command.partner.clone()),
            party: command.map_or(root.party, |command| command.party.clone()),
            causation_id: command.map(|command| command.id),
            submission: None,
            submission_index: None,
            effective: new.effective,
            rules_version: RULES_VERSION,
            data_digest: [0; 32],
        };
        let event = Event {
            header,
            body: new.body,
        };
        self.reference.evolve(&event);
        if let Subject::Commitment(id) = &event.header.subject {
            let before = self.commitments.remove(id);
            let after = Commitment::evolve(before, &event);
            self.commitments.insert(*id, after);
        }
        self.events.push(event);
    }

    fn count(&self, name: &str) -> usize {
        let of_type = |event: &&Event| event.body.event_type().name() == name;
        self.events.iter().filter(of_type).count()
    }
}

#[test]
fn every_seed_is_accepted_in_order() {
    let mut ledger = Ledger::opened();
    for command in all() {
        ledger.take(&command);
    }
    assert_eq!(ledger.count("instrument_published"), 3);
    assert_eq!(ledger.count("action_catalogued"), 23 + 187 + 26 + 5);
    assert_eq!(ledger.count("actions_mapped"), 8);
    assert_eq!(ledger.count("party_registered"), 1 + 193 + 2 + 7);
    assert_eq!(ledger.count("commitment_recorded"), 42);
    assert_eq!(
        ledger.count("progress_reported") + ledger.count("report_corrected"),
        76
    );
    assert_eq!(ledger.count("report_corrected"), 1);
    assert_eq!(ledger.count("commitment_withdrawn"), 2);
}

#[test]
fn the_reference_catalogue_alone_is_accepted() {
    let mut ledger = Ledger::opened();
    for command in reference_commands(&root()).unwrap() {
        ledger.take(&command);
    }
    assert_eq!(ledger.count("commitment_recorded"), 0);
}

#[test]
fn every_seed_survives_the_wire() {
    for command in all() {
        let bytes = command.encode();
        assert_eq!(
            Command::decode(&bytes, &Policy::default()).unwrap(),
            command
        );
    }
}

#[test]
fn a_second_load_is_the_same_bytes_and_no_id_repeats() {
    let bytes = |commands: Vec<Command>| commands.iter().map(Command::encode).collect::<Vec<_>>();
    assert_eq!(bytes(all()), bytes(all()));
    let ids: BTreeSet<_> = all().iter().map(|command| command.id.0).collect();
    assert_eq!(ids.len(), all().len());
}

#[test]
fn the_amendments_weaken_and_say_what_was_before() {
    let mut ledger = Ledger::opened();
    for command in all() {
        ledger.take(&command);
    }
    let weakened = ledger.events.iter().filter(
        |event| matches!(&event.body, EventBody::CommitmentAmended(amended) if amended.weakened),
    );
    assert_eq!(weakened.count(), 4);
}

#[test]
fn every_illustrative_commitment_is_marked_and_they_span_the_world() {
    let mut regions = BTreeSet::new();
    let mut countries = BTreeSet::new();
    for command in illustrative_commands(&root()).unwrap() {
        if let CommandBody::RecordCommitment(record) = &command.body {
            assert!(record.illustrative, "{}", record.title);
            if let Some(country) = country::find(command.party.as_str()) {
                regions.insert(country.region.map(|region| format!("{region:?}")));
                countries.insert(country.code);
            }
        }
    }
    assert_eq!(countries.len(), 22);
    assert_eq!(regions.len(), 5, "{regions:?}");
}

#[test]
fn what_was_not_seen_has_no_description() {
    let mut not_seen = 0;
    for command in reference_commands(&root()).unwrap() {
        if let CommandBody::CatalogueAction(action) = &command.body
            && action.text_status == TextStatus::NotSeen
        {
            not_seen += 1;
            assert_eq!(action.description, None, "{}", action.code);
        }
    }
    assert_eq!(not_seen, 18);
}

#[test]
fn lettered_actions_stand_under_their_objective() {
    let mut under: BTreeMap<String, usize> = BTreeMap::new();
    for command in reference_commands(&root()).unwrap() {
        if let CommandBody::CatalogueAction(action) = &command.body
            && let Some(parent) = &action.parent
        {
            assert!(action.code.as_str().starts_with(parent.as_str()));
            *under.entry(parent.to_string()).or_default() += 1;
        }
    }
    assert_eq!(under["GCM-01"], 11);
    assert_eq!(under["GCM-22"], 3);
    assert_eq!(under["SDG-10.7"], 4);
    assert_eq!(under.values().sum::<usize>(), 187 + 4);
}
