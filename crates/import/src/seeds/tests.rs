use std::collections::{BTreeMap, BTreeSet, HashMap};

use ledger_domain::date::PartialDate;
use ledger_domain::ids::{CommitmentId, EventId, LedgerId, Position, Version};
use ledger_domain::wire::v1::{
    Completion, Durability, Event, EventBody, EventHeader, EventType, LedgerOpened, Policy,
    Receipt, ReceiptEvent, RecordCommitment, Sha256, Status,
};
use ledger_domain::{Commitment, NewEvent, RULES_VERSION, Reference, RulesVersion, decide};

use super::*;

fn root() -> Root {
    Root {
        partner: "root".parse().unwrap(),
        party: "ledger".parse().unwrap(),
    }
}

/// Loads everything into a ledger, and gives the commands in the order in which they were sent.
fn load(ledger: &mut Ledger) -> Vec<Command> {
    let mut sent = reference_commands(&root()).unwrap();
    for command in &sent {
        ledger.take(command);
    }
    let mut seeds = Illustrative::read(&root()).unwrap();
    while let Some(phase) = seeds.next_phase().unwrap() {
        for command in phase {
            seeds.note(&ledger.take(&command));
            sent.push(command);
        }
    }
    sent
}

fn loaded() -> (Ledger, Vec<Command>) {
    let mut ledger = Ledger::opened();
    let commands = load(&mut ledger);
    (ledger, commands)
}

fn records(commands: &[Command]) -> Vec<(&Command, &RecordCommitment)> {
    let mut records = Vec::new();
    for command in commands {
        if let CommandBody::RecordCommitment(record) = &command.body {
            records.push((command, record));
        }
    }
    records
}

/// A ledger that only decides and remembers.
#[derive(Default)]
struct Ledger {
    reference: Reference,
    commitments: HashMap<CommitmentId, Commitment>,
    events: Vec<Event>,
    receipts: HashMap<CommandId, (Vec<u8>, Receipt)>,
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

    /// Decides the command, or gives the first receipt again.
    fn take(&mut self, command: &Command) -> Receipt {
        if let Some((bytes, receipt)) = self.receipts.get(&command.id) {
            assert_eq!(*bytes, command.encode(), "{command:?}");
            return receipt.clone();
        }
        let now = noon(REFERENCE_DAY).unwrap();
        let first = self.events.len();
        let events = decide(
            RulesVersion::CURRENT,
            &self.reference,
            &self.commitments,
            command,
            now,
        )
        .unwrap_or_else(|rejection| panic!("{command:?}\n{rejection:?}"));
        for event in events {
            self.record(Some(command), event);
        }
        let recorded = self.events[first..].iter().map(|event| ReceiptEvent {
            position: event.header.position.0,
            id: event.header.id,
            event_type: event.header.event_type,
            leaf_hash: Sha256([0; 32]),
        });
        let receipt = Receipt {
            command_id: Some(command.id),
            status: Status::Accepted,
            events: recorded.collect(),
            durability: Some(Durability::Fsync),
            tree_size: None,
            rejection: None,
        };
        let bytes = command.encode();
        self.receipts.insert(command.id, (bytes, receipt.clone()));
        receipt
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
            outline_digest: None,
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
fn the_reference_catalogue_is_accepted_in_order() {
    let mut ledger = Ledger::opened();
    for command in reference_commands(&root()).unwrap() {
        ledger.take(&command);
    }
    assert_eq!(ledger.count("instrument_published"), 3);
    assert_eq!(ledger.count("action_catalogued"), 23 + 187 + 26 + 5);
    assert_eq!(ledger.count("actions_mapped"), 8);
    assert_eq!(ledger.count("party_registered"), 1 + 193 + 2);
    assert_eq!(ledger.count("commitment_recorded"), 0);
}

#[test]
fn the_illustrative_seeds_are_accepted_and_show_every_event_of_a_commitment() {
    let (ledger, commands) = loaded();
    assert!(ledger.count("commitment_recorded") >= 300);
    assert_eq!(
        ledger.count("commitment_recorded"),
        records(&commands).len()
    );
    let administration = [
        "ledger_opened",
        "partner_changed",
        "partner_revoked",
        "action_text_amended",
        "party_status_changed",
        // No party of the illustrative data was renamed, and none of its commitments ended without a verdict.
        "party_amended",
        "commitment_lapsed",
        // All evidence of the illustrative data has a digest.
        "evidence_digested",
    ];
    for event in EventType::ALL {
        let shown = ledger.count(event.name()) > 0;
        let expected = *event == EventType::LedgerOpened || !administration.contains(&event.name());
        assert_eq!(shown, expected, "{}", event.name());
    }
}

#[test]
fn every_seed_survives_the_wire() {
    for command in loaded().1 {
        let bytes = command.encode();
        assert_eq!(
            Command::decode(&bytes, &Policy::default()).unwrap(),
            command
        );
    }
}

#[test]
fn a_second_load_is_the_same_bytes_and_no_id_repeats() {
    let (mut ledger, commands) = loaded();
    let ids: BTreeSet<_> = commands.iter().map(|command| command.id.0).collect();
    assert_eq!(ids.len(), commands.len());
    let event_count = ledger.events.len();
    assert_eq!(load(&mut ledger), commands);
    assert_eq!(
        ledger.events.len(),
        event_count,
        "a second load adds nothing"
    );
}

#[test]
fn a_second_load_after_other_commands_finds_the_first_positions() {
    let mut ledger = Ledger::opened();
    for command in reference_commands(&root()).unwrap() {
        ledger.take(&command);
    }
    let mut seeds = Illustrative::read(&root()).unwrap();
    let (first, second) = (
        seeds.next_phase().unwrap().unwrap(),
        seeds.next_phase().unwrap().unwrap(),
    );
    // An interrupted load: the first two phases only, and half of the second.
    for command in first.iter().chain(&second[..second.len() / 2]) {
        ledger.take(command);
    }
    let commands = load(&mut ledger);
    assert_eq!(load(&mut ledger), commands);
    assert_eq!(
        ledger.count("commitment_recorded"),
        records(&commands).len()
    );
}

#[test]
fn a_phase_waits_for_the_receipts_of_the_one_before() {
    let mut seeds = Illustrative::read(&root()).unwrap();
    seeds.next_phase().unwrap();
    seeds.next_phase().unwrap();
    assert!(matches!(seeds.next_phase(), Err(SeedError::UnknownName(_))));
}

#[test]
fn every_illustrative_commitment_is_marked_and_they_span_the_world() {
    let (ledger, commands) = loaded();
    let (mut regions, mut countries, mut actions) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut years = BTreeSet::new();
    for (command, record) in records(&commands) {
        assert!(record.illustrative, "{}", record.title);
        years.extend(record.made.map(PartialDate::year));
        actions.extend(record.actions.iter().map(ActionCode::as_str));
        if let Some(country) = country::find(command.party.as_str()) {
            regions.insert(country.region.map(|region| format!("{region:?}")));
            countries.insert(country.code);
        }
    }
    assert!(countries.len() >= 60, "{}", countries.len());
    assert!(actions.len() >= 100, "{}", actions.len());
    assert_eq!(regions.len(), 5, "{regions:?}");
    assert!(years.len() >= 6, "{years:?}");
    let marked = |event: &Event| {
        let subject = event.header.subject.to_string();
        if let EventBody::PartyRegistered(party) = &event.body {
            let id = subject.trim_start_matches("party/");
            country::find(id).is_some()
                || id == SECRETARIAT_PARTY
                || party.name.ends_with("(illustrative)")
        } else if let EventBody::PartnerRegistered(partner) = &event.body {
            subject == format!("partner/{SECRETARIAT}")
                || partner.name.to_lowercase().contains("illustrative")
        } else {
            true
        }
    };
    let unmarked = ledger.events.iter().filter(|event| !marked(event));
    assert_eq!(unmarked.count(), 0);
}

#[test]
fn effective_dates_are_years_apart_though_all_was_recorded_at_once() {
    let (ledger, _) = loaded();
    let dated = |event: &&Event| event.header.effective.is_some();
    let years: BTreeSet<_> = ledger
        .events
        .iter()
        .filter_map(|event| event.header.effective)
        .map(PartialDate::year)
        .collect();
    assert!(years.range(2019..=2026).count() == 8, "{years:?}");
    let of_commitments = |event: &&Event| event.header.subject.commitment().is_some();
    let events: Vec<_> = ledger.events.iter().filter(of_commitments).collect();
    let share = events.iter().copied().filter(dated).count() * 100 / events.len();
    assert!(
        share > 80,
        "{share} per cent of the events have an effective date"
    );
}

#[test]
fn assessments_fall_below_reports_and_are_revised_down() {
    let (ledger, _) = loaded();
    let mut last: HashMap<Position, Completion> = HashMap::new();
    let mut downgraded = 0;
    for event in &ledger.events {
        if let EventBody::ProgressAssessed(assessed) = &event.body {
            last.extend(
                assessed
                    .completion
                    .map(|found| (event.header.position, found)),
            );
        }
        if let EventBody::AssessmentRevised(revised) = &event.body
            && let Some(before) = last.get(&revised.assessment)
            && let Some(now) = revised.completion
        {
            downgraded += usize::from(now < *before);
        }
    }
    assert!(downgraded >= 3, "{downgraded}");
    let graded_otherwise = ledger.events.iter().filter(|event| {
        matches!(&event.body, EventBody::ProgressAssessed(assessed) if assessed.completion.is_none())
    });
    assert!(graded_otherwise.count() >= 3);
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
