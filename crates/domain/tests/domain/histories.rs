//! The invariants over random histories of all commands.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ledger_domain::ids::{CommitmentId, PartyId, Position, Subject, Version};
use ledger_domain::wire::v1::{
    Command, CommitmentStatus, Event, EventBody, EventHeader, Evidence, EvidencePlace,
    NamedEvidence, Sha256,
};
use ledger_domain::{Commitment, Reference, RejectionCode, RulesVersion, decide};
use proptest::prelude::*;

use crate::support::{World, commitment, digest, given, now, say};

/// A command of any type about one of four commitments, in which `{report}`, `{contest}`, `{assessment}` and `{undigested}` stand for a position
/// that fits, if there is one, and is chosen by `pick` among those that do.
#[derive(Debug, Clone)]
struct Attempt {
    sender: (&'static str, &'static str),
    name: &'static str,
    data: String,
    commitment: u128,
    pick: usize,
}

const SENDERS: [(&str, &str); 10] = [
    ("gov", "KEN"),
    ("gov", "KEN"),
    ("gov", "UGA"),
    ("gov", "NBO"),
    ("ngo", "NGO"),
    ("sec", "UNNM"),
    ("focal", "KEN"),
    ("ind", "IND"),
    ("ind", "UNI"),
    ("ind", "UGA"),
];

/// Who may be expected to send a command: most attempts come from them, so that much happens, and some from anybody.
fn likely(name: &str) -> &'static [(&'static str, &'static str)] {
    match name {
        "assess_progress" | "assess_ambition" | "revise_assessment" => &[("ind", "IND")],
        "open_review" | "record_statement" | "close_review" | "resolve_contest" => {
            &[("sec", "UNNM")]
        }
        "validate_report" | "return_report" => &[("focal", "KEN"), ("sec", "UNNM")],
        "contest_report" | "confirm_participation" | "leave_commitment" => {
            &[("gov", "UGA"), ("gov", "NBO")]
        }
        _ => &[("gov", "KEN")],
    }
}

const DATES: [&str; 5] = ["2025", "2026-03", "2026-10-31", "2027", "1900"];
const PARTIES: [&str; 5] = ["KEN", "UGA", "NBO", "NGO", "IND"];

/// The data of a command, from a few numbers.
fn data(name: &str, [a, b, c]: [usize; 3]) -> String {
    let date = DATES[a % DATES.len()];
    let year = ["2024", "2025", "2026"][b % 3];
    let party = PARTIES[c % PARTIES.len()];
    let sha = digest(u8::try_from(c % 3).unwrap_or_default());
    let url = format!("https://example.org/{}", b % 2);
    let piece = match a % 5 {
        0 => format!(r#"{{"sha256":"{sha}","url":"{url}"}}"#),
        1 => format!(r#"{{"url":"{url}"}}"#),
        _ => format!(r#"{{"sha256":"{sha}"}}"#),
    };
    let evidence = if a % 5 < 3 {
        format!(r#","evidence":[{piece}]"#)
    } else {
        String::new()
    };
    // By its digest, or by where it was named without one.
    let named = if a % 3 == 0 {
        r#""evidence":"{undigested}.0""#.to_owned()
    } else {
        format!(r#""sha256":"{sha}""#)
    };
    let effective = if b % 3 == 0 {
        format!(r#","effective":"{date}""#)
    } else {
        String::new()
    };
    match name {
        "record_commitment" => format!(
            r#"{{"title":"x","actions":["GCM-10"],"due":"{}","milestones":[{{"name":"m{}"}}],"participants":[{{"party":"{party}","role":"partner"}}]}}"#,
            2027 + a % 3,
            b % 2
        ),
        "amend_commitment" => format!(
            r#"{{"reason":"x","due":"{}","participants":[{{"party":"{party}","role":"supporter"}}]{effective}}}"#,
            2027 + b % 4
        ),
        "report_progress" => {
            format!(
                r#"{{"period":{{"from":"{year}","to":"{year}"}},"stage":"in_progress"{evidence}}}"#
            )
        }
        "supersede_commitment" => format!(
            r#"{{"reason":"x","successor":"{}"{effective}}}"#,
            commitment(u128::try_from(c % 4).unwrap_or_default())
        ),
        "close_commitment" => {
            let outcome = ["fulfilled", "not_fulfilled"][c % 2];
            format!(r#"{{"reason":"x","outcome":"{outcome}"{effective}}}"#)
        }
        "confirm_participation" => r#"{"note":"x"}"#.to_owned(),
        "reach_milestone" => format!(r#"{{"milestone":"m{}"{evidence}}}"#, c % 2),
        "correct_report" => {
            format!(r#"{{"report":"{{report}}","stage":"stalled","reason":"x"{evidence}}}"#)
        }
        "retract_report" | "return_report" => r#"{"report":"{report}","reason":"x"}"#.to_owned(),
        "contest_report" => format!(r#"{{"report":"{{report}}","reason":"x"{evidence}}}"#),
        "answer_contest" => r#"{"contest":"{contest}","answer":"x"}"#.to_owned(),
        "resolve_contest" => {
            r#"{"contest":"{contest}","outcome":"upheld","reason":"x"}"#.to_owned()
        }
        "validate_report" => r#"{"report":"{report}"}"#.to_owned(),
        "assess_progress" => {
            format!(r#"{{"method":"M","method_version":"1","grade":"g"{evidence}}}"#)
        }
        "assess_ambition" => {
            r#"{"method":"M","method_version":"1","grades":[{"dimension":"d","grade":"g"}]}"#
                .to_owned()
        }
        "revise_assessment" => {
            r#"{"assessment":"{assessment}","reason":"x","summary":"s"}"#.to_owned()
        }
        "attach_evidence" => {
            let report = [r#""report":"{report}","#, ""][c % 2];
            format!(r#"{{{report}"evidence":[{piece}]}}"#)
        }
        "digest_evidence" => {
            format!(r#"{{"evidence":"{{undigested}}.0","sha256":"{sha}"}}"#)
        }
        "move_evidence" => format!(r#"{{{named},"url":"{url}"}}"#),
        "flag_evidence_unavailable" => format!(r#"{{{named},"reason":"x"}}"#),
        "open_review" => r#"{"title":"x"}"#.to_owned(),
        "record_statement" => format!(r#"{{"speaker":"{party}","statement":"x"}}"#),
        "close_review" => "{}".to_owned(),
        _ => format!(r#"{{"reason":"x"{effective}}}"#),
    }
}

/// Every command about commitments and reviews; those that make something come more often than those that end it.
const NAMES: [&str; 42] = [
    "record_commitment",
    "record_commitment",
    "record_commitment",
    "record_commitment",
    "amend_commitment",
    "report_progress",
    "report_progress",
    "report_progress",
    "report_progress",
    "correct_report",
    "correct_report",
    "retract_report",
    "contest_report",
    "contest_report",
    "answer_contest",
    "resolve_contest",
    "validate_report",
    "return_report",
    "confirm_participation",
    "leave_commitment",
    "withdraw_commitment",
    "suspend_commitment",
    "suspend_commitment",
    "resume_commitment",
    "resume_commitment",
    "supersede_commitment",
    "supersede_commitment",
    "close_commitment",
    "lapse_commitment",
    "reinstate_commitment",
    "reinstate_commitment",
    "reach_milestone",
    "assess_progress",
    "assess_ambition",
    "revise_assessment",
    "attach_evidence",
    "attach_evidence",
    "digest_evidence",
    "digest_evidence",
    "move_evidence",
    "flag_evidence_unavailable",
    "review",
];

fn attempt() -> impl Strategy<Value = Attempt> {
    let senders = proptest::sample::select(&SENDERS[..]);
    let names = proptest::sample::select(&NAMES[..]);
    let numbers = (0_usize..60, 0_usize..60, 0_usize..60);
    (senders, names, numbers, 0_u128..4, any::<usize>()).prop_map(
        |(sender, name, (a, b, c), commitment, pick)| {
            let name = match name {
                "review" => ["open_review", "record_statement", "close_review"][c % 3],
                name => name,
            };
            let sender = if pick % 4 == 0 {
                sender
            } else {
                likely(name)[pick % likely(name).len()]
            };
            Attempt {
                sender,
                name,
                data: data(name, [a, b, c]),
                commitment,
                pick,
            }
        },
    )
}

/// Whether an event is of a kind.
type Kind = fn(&EventBody) -> bool;

/// The positions of a commitment's events of one kind.
fn positions(world: &World, subject: &Subject, kind: Kind) -> Vec<Position> {
    let events = world.events.iter();
    events
        .filter(|event| event.header.subject == *subject && kind(&event.body))
        .map(|event| event.header.position)
        .collect()
}

fn is_report(body: &EventBody) -> bool {
    matches!(
        body,
        EventBody::ProgressReported(_) | EventBody::ReportCorrected(_)
    )
}

fn is_assessment(body: &EventBody) -> bool {
    matches!(
        body,
        EventBody::ProgressAssessed(_)
            | EventBody::AmbitionAssessed(_)
            | EventBody::AssessmentRevised(_)
    )
}

/// The evidence that an event names.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "only these events name evidence"
)]
fn evidence_of(body: &EventBody) -> &[Evidence] {
    match body {
        EventBody::ProgressReported(data) => &data.evidence,
        EventBody::ReportCorrected(data) => &data.report.evidence,
        EventBody::MilestoneReached(data) => &data.evidence,
        EventBody::ReportContested(data) => &data.evidence,
        EventBody::ProgressAssessed(data) => &data.evidence,
        EventBody::EvidenceAttached(data) => &data.evidence,
        _ => &[],
    }
}

/// The earlier event that an event takes the place of, and what kind of event that must be.
fn replaces(body: &EventBody) -> Option<(Position, Kind)> {
    if let EventBody::ReportCorrected(data) = body {
        return Some((data.corrects, is_report));
    }
    if let EventBody::ReportRetracted(data) = body {
        return Some((data.report, is_report));
    }
    if let EventBody::AssessmentRevised(data) = body {
        return Some((data.assessment, is_assessment));
    }
    None
}

impl Attempt {
    fn command(&self, world: &World) -> Command {
        let subject = Subject::Commitment(commitment(self.commitment));
        let mut data = self.data.clone();
        for (mark, kind) in [
            ("{report}", is_report as Kind),
            ("{contest}", |body| {
                matches!(body, EventBody::ReportContested(_))
            }),
            ("{assessment}", is_assessment),
            ("{undigested}", |body| {
                evidence_of(body).iter().any(|it| it.sha256.is_none())
            }),
        ] {
            let fitting = positions(world, &subject, kind);
            let chosen = fitting
                .get(self.pick % fitting.len().max(1))
                .copied()
                .unwrap_or(Position(3));
            data = data.replace(mark, &chosen.to_string());
        }
        let subject = match self.name {
            "open_review" | "record_statement" | "close_review" => "review/R".to_owned(),
            _ => subject.to_string(),
        };
        say(self.sender.0, self.sender.1, &subject, self.name, &data)
    }
}

/// To attach, move or digest evidence once more would change nothing.
fn says_it_once(world: &World, attempt: &Attempt, command: &Command) {
    if ["attach_evidence", "move_evidence", "digest_evidence"].contains(&attempt.name) {
        let again = world
            .decide(command)
            .expect_err("nothing is left to change");
        assert_eq!(again.code, RejectionCode::NothingToChange, "{again}");
    }
}

/// Lets all attempts happen that may.
fn history(attempts: &[Attempt], mut each: impl FnMut(&World)) -> World {
    let mut world = given();
    for attempt in attempts {
        let command = attempt.command(&world);
        if world.take(&command).is_ok() {
            says_it_once(&world, attempt, &command);
            each(&world);
        }
    }
    world
}

/// What takes whose place: of the events alone.
fn successions(events: &[Event]) -> HashMap<CommitmentId, CommitmentId> {
    let mut successions = HashMap::new();
    for event in events {
        let Subject::Commitment(id) = event.header.subject else {
            continue;
        };
        if let EventBody::CommitmentSuperseded(data) = &event.body {
            successions.insert(id, data.successor);
        }
        if let EventBody::CommitmentReinstated(_) | EventBody::CommitmentWithdrawn(_) = &event.body
        {
            successions.remove(&id);
        }
    }
    successions
}

proptest! {
    #[test]
    fn superseding_never_makes_a_circle(attempts in proptest::collection::vec(attempt(), 1..80)) {
        history(&attempts, |world| {
            let successions = successions(&world.events);
            for (start, first) in &successions {
                let mut seen = BTreeSet::from([*start]);
                let mut next = Some(first);
                while let Some(id) = next {
                    assert!(seen.insert(*id), "a circle through {id}");
                    next = successions.get(id);
                }
            }
            for (id, state) in &world.commitments {
                assert_eq!(state.successor(), successions.get(id).copied());
                let superseded = state.status() == CommitmentStatus::Superseded;
                assert_eq!(superseded, successions.contains_key(id));
            }
        });
    }

    #[test]
    fn reports_and_assessments_are_linear_chains_of_one_voice(
        attempts in proptest::collection::vec(attempt(), 1..80),
    ) {
        let world = history(&attempts, |_| ());
        let mut replaced = BTreeSet::new();
        for event in &world.events {
            let header = &event.header;
            let Some((earlier, kind)) = replaces(&event.body) else {
                continue;
            };
            prop_assert!(replaced.insert(earlier), "replaced twice");
            let earlier = &world.events[usize::try_from(earlier.0).expect("small")];
            prop_assert!(kind(&earlier.body));
            prop_assert!(earlier.header.position < header.position);
            prop_assert_eq!(&earlier.header.subject, &header.subject);
            prop_assert_eq!(&earlier.header.party, &header.party);
        }
        // What stands is what nothing replaced, each once for its reporter and period.
        for (id, state) in &world.commitments {
            let subject = Subject::Commitment(*id);
            let reports = positions(&world, &subject, is_report);
            let standing = reports.iter().filter(|report| !replaced.contains(*report)).count();
            prop_assert_eq!(state.report_count(), standing);
        }
    }

    /// Evidence is known once it was named, as long as the log lasts, and has a digest once it was given one.
    #[test]
    fn evidence_is_known_by_its_digest_or_by_where_it_was_named(
        attempts in proptest::collection::vec(attempt(), 1..80),
    ) {
        let world = history(&attempts, |_| ());
        let mut given: HashMap<EvidencePlace, Sha256> = HashMap::new();
        for event in &world.events {
            if let EventBody::EvidenceDigested(data) = &event.body {
                prop_assert!(given.insert(data.evidence, data.sha256).is_none(), "digested once");
            }
        }
        for event in &world.events {
            let Some(id) = event.header.subject.commitment() else {
                continue;
            };
            let state = &world.commitments[&id];
            for (index, piece) in evidence_of(&event.body).iter().enumerate() {
                let named = NamedEvidence::listed(event.header.position, index, piece);
                prop_assert!(state.has_evidence(named), "{}", named);
                if let NamedEvidence::Place(place) = named {
                    let digest = given.get(&place);
                    prop_assert_eq!(state.is_digested(place), Some(digest.is_some()));
                    let known = digest.is_none_or(|it| state.has_evidence(NamedEvidence::Digest(*it)));
                    prop_assert!(known, "{}", place);
                }
            }
        }
    }

    #[test]
    fn nobody_takes_part_in_what_it_assesses(
        attempts in proptest::collection::vec(attempt(), 1..80),
    ) {
        let world = history(&attempts, |_| ());
        let mut participants: BTreeSet<(Subject, PartyId)> = BTreeSet::new();
        let mut assessors = BTreeSet::new();
        for event in &world.events {
            let subject = event.header.subject.clone();
            // By its own word, that is: whom only the lead named may assess.
            if matches!(
                event.body,
                EventBody::CommitmentRecorded(_)
                    | EventBody::ParticipationConfirmed(_)
                    | EventBody::ProgressReported(_)
                    | EventBody::ReportCorrected(_)
                    | EventBody::MilestoneReached(_)
            ) {
                participants.insert((subject.clone(), event.header.party.clone()));
            }
            if is_assessment(&event.body) {
                assessors.insert((subject, event.header.party.clone()));
            }
        }
        prop_assert!(participants.is_disjoint(&assessors));
    }

    #[test]
    fn the_commitments_of_all_leads_are_all_commitments(
        attempts in proptest::collection::vec(attempt(), 1..60),
    ) {
        let world = history(&attempts, |_| ());
        let mut led: BTreeMap<PartyId, usize> = BTreeMap::new();
        for state in world.commitments.values() {
            *led.entry(state.lead()).or_default() += 1;
        }
        let recorded = world.events.iter();
        let recorded = recorded.filter(|event| matches!(event.body, EventBody::CommitmentRecorded(_)));
        prop_assert_eq!(led.values().sum::<usize>(), recorded.count());
        prop_assert_eq!(led.values().sum::<usize>(), world.commitments.len());
    }

    #[test]
    fn positions_and_versions_go_on_without_gaps_and_a_replay_of_the_bytes_gives_the_same_state(
        attempts in proptest::collection::vec(attempt(), 1..80),
    ) {
        let world = history(&attempts, |_| ());
        let mut versions: HashMap<Subject, u32> = HashMap::new();
        let mut replayed = World::default();
        for (position, event) in (0..).zip(&world.events) {
            prop_assert_eq!(event.header.position, Position(position));
            let version = versions.entry(event.header.subject.clone()).or_default();
            *version += 1;
            prop_assert_eq!(event.header.stream_version, Version(*version));
            let header = EventHeader::decode(&event.header.encode()).expect("a header");
            let body = EventBody::decode(header.event_type, &event.body.encode()).expect("data");
            prop_assert_eq!(&body, &event.body);
            replayed.fold(Event { header, body });
        }
        prop_assert_eq!(&replayed.reference, &world.reference);
        prop_assert_eq!(&replayed.commitments, &world.commitments);
    }

    #[test]
    fn a_party_has_one_open_contest_of_a_report(
        attempts in proptest::collection::vec(attempt(), 1..80),
    ) {
        let world = history(&attempts, |_| ());
        let mut open: BTreeMap<Position, (PartyId, Position)> = BTreeMap::new();
        for event in &world.events {
            if let EventBody::ReportContested(data) = &event.body {
                let contest = (event.header.party.clone(), data.report);
                prop_assert!(open.values().all(|other| *other != contest));
                open.insert(event.header.position, contest);
            }
            if let EventBody::ContestResolved(data) = &event.body {
                prop_assert!(open.remove(&data.contest).is_some(), "resolved once");
            }
        }
    }

    /// A fold takes events as they come, also those that no decision would have let through, and every decision on what it
    /// gives is an event or a refusal.
    #[test]
    fn deciding_never_fails_on_any_state(
        attempts in proptest::collection::vec(attempt(), 20..60),
        order in proptest::collection::vec(any::<proptest::sample::Index>(), 1..60),
        swaps in any::<u64>(),
    ) {
        let world = history(&attempts, |_| ());
        let mut reference = Reference::new();
        let mut states: HashMap<CommitmentId, Commitment> = HashMap::new();
        for (round, index) in (0_u32..).zip(&order) {
            let mut event = index.get(&world.events).clone();
            if swaps >> (round % 64) & 1 == 1
                && let Subject::Commitment(_) = event.header.subject
            {
                event.header.subject = Subject::Commitment(commitment(u128::from(round % 4)));
            }
            reference.evolve(&event);
            if let Some(id) = event.header.subject.commitment() {
                let next = Commitment::evolve(states.remove(&id), &event);
                prop_assert!(next.size_bytes() > 0);
                states.insert(id, next);
            }
        }
        for attempt in &attempts {
            let command = attempt.command(&world);
            for reference in [&reference, &world.reference] {
                match decide(RulesVersion::CURRENT, reference, &states, &command, now()) {
                    Ok(events) => prop_assert_eq!(events.len(), 1),
                    Err(refusal) => prop_assert!(refusal.field.is_some(), "{}", refusal),
                }
            }
        }
    }
}

#[test]
fn the_histories_are_rich_enough_to_break_an_invariant() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..150 {
        let attempts = proptest::collection::vec(attempt(), 60..80)
            .new_tree(&mut runner)
            .expect("a value")
            .current();
        let world = history(&attempts, |_| ());
        seen.extend(world.events.iter().map(|event| event.body.event_type()));
    }
    let all = ledger_domain::wire::v1::EventType::ALL;
    let never: Vec<_> = all.iter().filter(|kind| !seen.contains(kind)).collect();
    // Partners change and catalogues grow in the tests of administration.
    let elsewhere = [
        "partner_changed",
        "partner_revoked",
        "action_text_amended",
        "actions_mapped",
        "party_amended",
    ];
    let never: Vec<&str> = never.iter().map(|kind| kind.name()).collect();
    assert!(
        never.iter().all(|name| elsewhere.contains(name)),
        "never happened: {never:?}"
    );
}
