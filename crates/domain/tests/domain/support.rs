//! Given events, when a command comes, then an event or a refusal.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use ledger_domain::ids::{CommandId, CommitmentId, EventId, Position, Subject, Version};
use ledger_domain::wire::v1::{
    ActionCatalogued, AmendCommitment, Command, CommandBody, CommitmentRecorded, Event, EventBody,
    EventHeader, Form, InstrumentKind, InstrumentPublished, LedgerOpened, PartnerRegistered,
    PartyKind, PartyRegistered, PartyStatus, PartyStatusChanged, Period, Policy, Principle,
    RecordCommitment, ReportProgress, Role, Root, Stage, TextStatus, WithdrawCommitment,
};
use ledger_domain::{
    Commitment, NewEvent, RULES_VERSION, Reference, Rejection, RejectionCode, RulesVersion, decide,
    screen,
};
use uuid::Uuid;

/// Parses any id or date of a test.
pub(crate) fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect(text)
}

pub(crate) fn now() -> DateTime<Utc> {
    id("2026-11-23T09:00:00Z")
}

/// The nth commitment of a test.
pub(crate) fn commitment(number: u128) -> CommitmentId {
    CommitmentId(Uuid::from_u128(0xc0 << 112 | number))
}

/// A ledger in memory: the folds, and all events so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    pub(crate) reference: Reference,
    pub(crate) commitments: HashMap<CommitmentId, Commitment>,
    pub(crate) events: Vec<Event>,
    versions: HashMap<Subject, Version>,
}

impl World {
    /// Records an event as a ledger would, and folds it in.
    pub(crate) fn record(&mut self, partner: &str, party: &str, new: NewEvent) {
        let position = Position(self.events.len() as u64);
        let header = EventHeader {
            id: EventId(Uuid::from_u128(u128::from(position.0))),
            ledger: id("test"),
            event_type: new.body.event_type(),
            subject: new.subject.clone(),
            time: now(),
            position,
            stream_version: new.stream_version,
            partner: id(partner),
            party: id(party),
            causation_id: None,
            submission: None,
            submission_index: None,
            effective: new.effective,
            rules_version: RULES_VERSION,
            data_digest: [0; 32],
            outline_digest: None,
        };
        self.versions.insert(new.subject, new.stream_version);
        self.fold(Event {
            header,
            body: new.body,
        });
    }

    pub(crate) fn fold(&mut self, event: Event) {
        self.reference.evolve(&event);
        if let Some(id) = event.header.subject.commitment() {
            let next = Commitment::evolve(self.commitments.remove(&id), &event);
            self.commitments.insert(id, next);
        }
        self.events.push(event);
    }

    pub(crate) fn version(&self, subject: &Subject) -> Version {
        self.versions.get(subject).copied().unwrap_or_default()
    }

    /// Records an event that is given, without deciding it.
    pub(crate) fn given(mut self, party: &str, subject: &str, body: impl Into<EventBody>) -> Self {
        let subject: Subject = id(subject);
        let new = NewEvent {
            body: body.into(),
            stream_version: self.version(&subject).next(),
            subject,
            effective: None,
            route: ledger_domain::Route::default(),
        };
        self.record("given", party, new);
        self
    }

    pub(crate) fn decide(&self, command: &Command) -> Result<Vec<NewEvent>, Rejection> {
        let (rules, reference) = (RulesVersion::CURRENT, &self.reference);
        let events = decide(rules, reference, &self.commitments, command, now())?;
        screen(reference, command)?;
        Ok(events)
    }

    /// Decides a command and records what it becomes.
    pub(crate) fn take(&mut self, command: &Command) -> Result<(), Rejection> {
        for new in self.decide(command)? {
            self.record(command.partner.as_str(), command.party.as_str(), new);
        }
        Ok(())
    }

    /// Decides a command that must be accepted, and goes on from there.
    pub(crate) fn and(mut self, command: &Command) -> Self {
        self.take(command).expect("accepted");
        self
    }

    /// The position of the newest event.
    pub(crate) fn last(&self) -> Position {
        Position(self.events.len() as u64 - 1)
    }

    pub(crate) fn when(&self, command: &Command) -> Outcome {
        Outcome(self.decide(command))
    }
}

/// What a command became.
pub(crate) struct Outcome(Result<Vec<NewEvent>, Rejection>);

impl Outcome {
    /// Exactly one event, whose data is this.
    pub(crate) fn then(self, body: impl Into<EventBody>) -> NewEvent {
        let event = self.accepted();
        assert_eq!(event.body, body.into());
        event
    }

    /// Exactly one event.
    pub(crate) fn accepted(self) -> NewEvent {
        let mut events = self.0.expect("accepted");
        assert_eq!(events.len(), 1);
        events.remove(0)
    }

    /// A refusal with this code, at this field.
    pub(crate) fn then_refused(self, code: RejectionCode, field: &str) {
        let rejection = self.0.expect_err("refused");
        assert_eq!(
            (rejection.code, rejection.field.as_deref()),
            (code, Some(field)),
            "{rejection}"
        );
        assert!(rejection.message.len() > 10, "{rejection}");
    }
}

/// A ledger that was opened and knows nobody but its root.
pub(crate) fn opened() -> World {
    World::default().given(
        "ledger",
        "ledger",
        LedgerOpened {
            ledger: id("test"),
            verifier_key: "compact-ledger/test+00000000+AA==".into(),
            root: Root {
                partner: id("root"),
                party: id("ledger"),
            },
            policy: Policy::default(),
        },
    )
}

fn partner(roles: &[Role], parties: &[&str]) -> PartnerRegistered {
    PartnerRegistered {
        name: "A partner".into(),
        roles: roles.to_vec(),
        parties: parties.iter().map(|party| id(party)).collect(),
        focal_point_for: Vec::new(),
    }
}

fn party(kind: PartyKind, country: Option<&str>) -> PartyRegistered {
    PartyRegistered {
        name: "A party".into(),
        kind,
        country: country.map(id),
    }
}

fn action(code: &str) -> ActionCatalogued {
    ActionCatalogued {
        code: id(code),
        title: code.into(),
        parent: None,
        text_status: TextStatus::Seen,
        description: None,
        kind: None,
    }
}

/// A ledger with partners, parties and a catalogue:
/// `sec` is the secretariat, `gov` reports for KEN, UGA, NBO (a city in Kenya), OLD (inactive) and NEW (not registered),
/// `ngo` reports for NGO and has the secretariat's role too, `audit` only reads, `ind` assesses for IND, UNI and UGA, `focal`
/// reports for KEN, UGA and NBO and is the focal point of KEN.
pub(crate) fn given() -> World {
    let inactive = PartyStatusChanged {
        status: PartyStatus::Inactive,
        reason: "closed".into(),
    };
    let instrument = InstrumentPublished {
        language: None,
        title: "Global Compact".into(),
        kind: InstrumentKind::Compact,
        adopted: None,
        symbol: None,
        url: None,
        principles: vec![Principle {
            code: id("GP-1"),
            name: "People-centred".into(),
        }],
    };
    let other = InstrumentPublished {
        title: "Other".into(),
        kind: InstrumentKind::Other,
        principles: Vec::new(),
        ..instrument.clone()
    };
    let reporter = partner(
        &[Role::Reporter],
        &["KEN", "UGA", "NBO", "OLD", "NEW", "UNK"],
    );
    let mixed = partner(&[Role::Reporter, Role::Secretariat], &["NGO"]);
    opened()
        .given(
            "ledger",
            "partner/sec",
            partner(&[Role::Secretariat], &["UNNM"]),
        )
        .given("ledger", "partner/gov", reporter)
        .given("ledger", "partner/ngo", mixed)
        .given(
            "ledger",
            "partner/audit",
            partner(&[Role::Auditor], &["KEN"]),
        )
        .given("UNNM", "instrument/GCM-2018", instrument)
        .given("UNNM", "instrument/GCM-2018", action("GCM-05"))
        .given("UNNM", "instrument/GCM-2018", action("GCM-05a"))
        .given("UNNM", "instrument/GCM-2018", action("GCM-10"))
        .given("UNNM", "instrument/OTHER", other)
        .given("UNNM", "instrument/OTHER", action("OTH-1"))
        .given("UNNM", "party/UNNM", party(PartyKind::UnEntity, None))
        .given(
            "UNNM",
            "party/KEN",
            party(PartyKind::MemberState, Some("KEN")),
        )
        .given(
            "UNNM",
            "party/UGA",
            party(PartyKind::MemberState, Some("UGA")),
        )
        .given(
            "UNNM",
            "party/NBO",
            party(PartyKind::LocalAuthority, Some("KEN")),
        )
        .given("UNNM", "party/NGO", party(PartyKind::CivilSociety, None))
        .given("UNNM", "party/OLD", party(PartyKind::Academia, None))
        .given("UNNM", "party/OLD", inactive)
        .given("UNNM", "party/IND", party(PartyKind::Academia, None))
        .given("UNNM", "party/UNI", party(PartyKind::Academia, None))
        .given(
            "ledger",
            "partner/ind",
            partner(&[Role::Assessor], &["IND", "UNI", "UGA"]),
        )
        .given(
            "ledger",
            "partner/focal",
            PartnerRegistered {
                focal_point_for: vec![id("KEN")],
                ..partner(&[Role::Reporter], &["KEN", "UGA", "NBO"])
            },
        )
}

/// A command as its sender writes it, read as the ledger reads it.
pub(crate) fn say(partner: &str, party: &str, subject: &str, name: &str, data: &str) -> Command {
    let text = format!(
        r#"{{"specversion":"1.0","id":"0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e8f","source":"partner/{partner}","type":"ledger.{name}.v1","subject":"{subject}","time":"2026-11-23T08:30:00Z","party":"{party}","data":{data}}}"#
    );
    Command::decode(text.as_bytes(), &Policy::default())
        .unwrap_or_else(|refusal| panic!("{}: {text}", refusal.rejection))
}

/// A command about commitment 1.
pub(crate) fn about(partner: &str, party: &str, name: &str, data: &str) -> Command {
    say(partner, party, &commitment(1).to_string(), name, data)
}

/// The ledger of `given()` with KEN's commitment 1, in which UGA is named as a partner and which has one milestone.
pub(crate) fn committed() -> World {
    let data = r#"{"title":"Visas","actions":["GCM-05a"],"participants":[{"party":"UGA","role":"partner"}],"milestones":[{"name":"Law","due":"2027"}],"made":"2026-03","due":"2028"}"#;
    given().and(&about("gov", "KEN", "record_commitment", data))
}

/// A digest of evidence, as text.
pub(crate) fn digest(byte: u8) -> String {
    format!("{byte:02x}").repeat(32)
}

/// KEN's report on commitment 1 over a year, with evidence whose digest is `digest(1)`.
pub(crate) fn evidenced(year: &str) -> Command {
    let digest = digest(1);
    let data = format!(
        r#"{{"period":{{"from":"{year}","to":"{year}"}},"stage":"fulfilled","evidence":[{{"sha256":"{digest}"}}]}}"#
    );
    about("gov", "KEN", "report_progress", &data)
}

/// A command of `partner` for `party`.
pub(crate) fn command(partner: &str, party: &str, subject: &str, body: CommandBody) -> Command {
    Command {
        id: CommandId(Uuid::from_u128(7)),
        partner: id(partner),
        subject: id(subject),
        time: now(),
        party: id(party),
        expected_version: None,
        nonce: None,
        body,
    }
}

/// `command`, expecting a version of its subject.
pub(crate) fn expecting(version: u32, mut command: Command) -> Command {
    command.expected_version = Some(Version(version));
    command
}

pub(crate) fn record() -> RecordCommitment {
    RecordCommitment {
        language: None,
        title: "Extend skills visas".into(),
        description: None,
        actions: vec![id("GCM-05a")],
        form: None,
        nature: None,
        matches: None,
        participants: Vec::new(),
        countries: Vec::new(),
        principles: Vec::new(),
        measure: None,
        made: Some(id("2026-03")),
        due: None,
        source: None,
        illustrative: false,
        milestones: Vec::new(),
    }
}

/// What `record()` becomes when KEN leads it in the ledger of `given()`.
pub(crate) fn recorded() -> CommitmentRecorded {
    CommitmentRecorded {
        language: None,
        lead: id("KEN"),
        country: Some(id("KEN")),
        catalogue: Some(Position(10)),
        title: "Extend skills visas".into(),
        description: None,
        actions: vec![id("GCM-05a")],
        form: Form::Individual,
        nature: None,
        matches: None,
        participants: Vec::new(),
        countries: Vec::new(),
        principles: Vec::new(),
        measure: None,
        made: Some(id("2026-03")),
        due: None,
        source: None,
        illustrative: false,
        milestones: Vec::new(),
    }
}

/// Records commitment `number` for `party`.
pub(crate) fn recording(number: u128, party: &str, data: RecordCommitment) -> Command {
    let subject = commitment(number).to_string();
    command("gov", party, &subject, CommandBody::RecordCommitment(data))
}

pub(crate) fn report(from: &str, to: &str) -> ReportProgress {
    ReportProgress {
        language: None,
        period: Period {
            from: id(from),
            to: id(to),
        },
        stage: Stage::InProgress,
        indicators: Vec::new(),
        narrative: None,
        evidence: Vec::new(),
        no_evidence_reason: None,
    }
}

/// Reports on commitment 1 for `party`.
pub(crate) fn reporting(party: &str, data: ReportProgress) -> Command {
    let subject = commitment(1).to_string();
    command("gov", party, &subject, CommandBody::ReportProgress(data))
}

pub(crate) fn amendment() -> AmendCommitment {
    AmendCommitment {
        language: None,
        title: None,
        description: None,
        due: None,
        measure: None,
        actions: None,
        countries: None,
        nature: None,
        made: None,
        form: None,
        reason: "New plan".into(),
        effective: None,
        milestones: None,
        participants: None,
    }
}

/// Amends commitment 1 for `party`.
pub(crate) fn amending(party: &str, data: AmendCommitment) -> Command {
    let subject = commitment(1).to_string();
    command("gov", party, &subject, CommandBody::AmendCommitment(data))
}

/// Withdraws commitment 1 as `partner` for `party`.
pub(crate) fn withdrawing(partner: &str, party: &str) -> Command {
    let subject = commitment(1).to_string();
    let data = WithdrawCommitment {
        reason: "Superseded by law".into(),
        effective: None,
    };
    command(
        partner,
        party,
        &subject,
        CommandBody::WithdrawCommitment(data),
    )
}
