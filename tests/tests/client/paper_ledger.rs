//! A ledger on paper: the domain's own decisions, kept in memory and served over NATS, honestly or with one lie.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use chrono::{DateTime, Utc};
use ledger_bus::{Answer, Bus, Query, QueryService};
use ledger_domain::ids::{CommitmentId, EventId, LedgerId, PartyId, Position, Subject, Version};
use ledger_domain::view::{Family, Views};
use ledger_domain::wire::v1::answer::{
    CHECKPOINT_HEADER, HeadAnswer, NEXT_HEADER, ProjectionAnswer, TREE_SIZE_HEADER, ViewAnswer,
};
use ledger_domain::wire::v1::endpoint::{Endpoint, LogEndpoint, LogQuery, ViewEndpoint};
use ledger_domain::wire::v1::problem::Problem;
use ledger_domain::wire::v1::query::{NoQuery, ReplayQuery};
use ledger_domain::wire::v1::{
    Command, Event, EventBody, EventHeader, EventType, LedgerOpened, Policy, Root, outline,
};
use ledger_domain::{
    Commitment, NewEvent, RULES_VERSION, Reference, Rejection, Route, RulesVersion, decide,
};
use ledger_proof::block::{BlockBuilder, Content, KeptCommand};
use ledger_proof::verify::outline_digest;
use ledger_proof::{
    Frontier, Hash, LedgerKey, Manifest, SignedTreeHead, data_digest, leaf_hash, sha256,
};
use serde_json::value::RawValue;
use tokio::task::JoinHandle;
use uuid::Uuid;

const LEDGER: &str = "paper";
const SALT: [u8; 16] = [7; 16];
const EVENTS_PER_BLOCK: usize = 5;
const BLOCKS_PER_ANSWER: usize = 2;

/// What the ledger says that is not so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Nothing: it is honest.
    None,
    /// The data of the event at this position is not the recorded one.
    Data(u64),
    /// The event at this position is told as another one, its digest and its route made to fit.
    Rewritten(u64),
    /// The leaf at this position has the digest of another outline.
    Outline(u64),
    /// The command kept for the event at this position is not the one received.
    Command(u64),
    /// The commitment at this position is kept under another country.
    Route(u64),
    /// The event at this position is left out, later ones moved up.
    LeftOut(u64),
    /// The signed root is not that of the leaves.
    Root,
    /// The head is signed with another key.
    Key,
    /// This view has a count that the log does not give.
    Body(&'static str, &'static str),
    /// This view is not served.
    Missing(&'static str, &'static str),
    /// A view is served that the log does not give.
    Unfounded(&'static str),
}

/// The digest that a leaf has of its outline.
fn outline_of(event_type: EventType, data: &[u8]) -> Option<[u8; 32]> {
    outline_digest(data, &outline(event_type, data).unwrap())
}

struct Record {
    header: EventHeader,
    data: Vec<u8>,
    route: String,
    /// The command that it is the first event of, and how many there are.
    command: Option<(Vec<u8>, u32)>,
}

/// The ledger's state; clones share it.
#[derive(Clone)]
pub(crate) struct PaperLedger(Arc<Mutex<State>>);

struct State {
    key: LedgerKey,
    reference: Reference,
    commitments: HashMap<CommitmentId, Commitment>,
    records: Vec<Record>,
    events: Vec<Event>,
}

impl PaperLedger {
    /// A ledger with position 0 and nothing more.
    pub(crate) fn open() -> Self {
        let key = LedgerKey::from_seed(LEDGER, [1; 32]).unwrap();
        let opened = LedgerOpened {
            ledger: LEDGER.parse().unwrap(),
            verifier_key: key.verifier_key().to_string(),
            root: Root {
                partner: "root".parse().unwrap(),
                party: "ledger".parse().unwrap(),
            },
            policy: Policy::default(),
        };
        let event = NewEvent {
            body: EventBody::LedgerOpened(opened),
            subject: Subject::Ledger,
            stream_version: Version(1),
            effective: None,
            route: Route::default(),
        };
        let mut state = State {
            key,
            reference: Reference::new(),
            commitments: HashMap::new(),
            records: Vec::new(),
            events: Vec::new(),
        };
        let root: PartyId = "ledger".parse().unwrap();
        state.record(event, "root", &root, None);
        Self(Arc::new(Mutex::new(state)))
    }

    /// Decides and records a command.
    pub(crate) fn submit(&self, command: &Command) -> Result<(), Rejection> {
        let mut state = self.state();
        let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let decided = decide(
            RulesVersion::CURRENT,
            &state.reference,
            &state.commitments,
            command,
            now,
        )?;
        let first = state.records.len();
        let kept = (command.encode(), u32::try_from(decided.len()).unwrap());
        for event in decided {
            state.record(
                event,
                command.partner.as_str(),
                &command.party,
                Some(command),
            );
        }
        state.records.get_mut(first).unwrap().command = Some(kept);
        Ok(())
    }

    /// Events recorded.
    pub(crate) fn tree_size(&self) -> u64 {
        self.state().records.len() as u64
    }

    /// Answers queries until the task is dropped.
    pub(crate) async fn serve(&self, bus: &Bus, lie: Lie) -> JoinHandle<()> {
        let what = "a ledger on paper";
        let mut log = QueryService::start(bus, what, LogEndpoint::ALL)
            .await
            .unwrap();
        let mut views = QueryService::start(bus, what, ViewEndpoint::ALL)
            .await
            .unwrap();
        let ledger = self.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    Some(query) = log.next() => {
                        let answer = ledger.state().answer_of_log(&query, &lie);
                        query.respond(answer).await;
                    }
                    Some(query) = views.next() => {
                        let answer = ledger.state().answer_of_views(&query, &lie);
                        query.respond(answer).await;
                    }
                    else => return,
                }
            }
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl State {
    fn record(&mut self, new: NewEvent, partner: &str, party: &PartyId, command: Option<&Command>) {
        let position = self.records.len() as u64;
        let data = new.body.encode();
        let submission = command.map(|command| {
            let digest = sha256(&command.encode());
            Manifest::new(LEDGER, partner, [digest]).digest()
        });
        let header = EventHeader {
            id: EventId(Uuid::from_u128(u128::from(position))),
            ledger: LEDGER.parse::<LedgerId>().unwrap(),
            event_type: new.body.event_type(),
            subject: new.subject,
            time: time_of(position),
            position: Position(position),
            stream_version: new.stream_version,
            partner: partner.parse().unwrap(),
            party: party.clone(),
            causation_id: command.map(|command| command.id),
            submission,
            submission_index: command.map(|_| 0),
            effective: new.effective,
            rules_version: RULES_VERSION,
            data_digest: data_digest(&SALT, &data),
            outline_digest: outline_of(new.body.event_type(), &data),
        };
        let event = Event {
            header: header.clone(),
            body: new.body,
        };
        self.reference.evolve(&event);
        if let Some(id) = event.header.subject.commitment() {
            let before = self.commitments.remove(&id);
            self.commitments
                .insert(id, Commitment::evolve(before, &event));
        }
        self.records.push(Record {
            header,
            data,
            route: new.route.to_string(),
            command: None,
        });
        self.events.push(event);
    }

    fn answer_of_log(&self, query: &Query<LogEndpoint>, lie: &Lie) -> Result<Answer, Problem> {
        match query.endpoint.read(&query.payload)? {
            LogQuery::Head(NoQuery) => Ok(self.head(lie)),
            LogQuery::Replay(query) => Ok(self.replay(&query, lie)),
            LogQuery::Commitment(_) | LogQuery::Scrub(NoQuery) => {
                Err(Problem::not_found("this is on paper"))
            }
        }
    }

    fn answer_of_views(&self, query: &Query<ViewEndpoint>, lie: &Lie) -> Result<Answer, Problem> {
        let argument = &query.argument;
        match query.endpoint {
            ViewEndpoint::ProjectionCountry => Ok(self.projection(Family::Country, lie)),
            ViewEndpoint::ProjectionAction => Ok(self.projection(Family::Action, lie)),
            ViewEndpoint::ProjectionSummary => Ok(self.projection(Family::Summary, lie)),
            ViewEndpoint::Country => self.view(Family::Country, argument, lie),
            ViewEndpoint::Action => self.view(Family::Action, argument, lie),
            ViewEndpoint::Summary => self.view(Family::Summary, "summary", lie),
            ViewEndpoint::Gaps => self.view(Family::Summary, "gaps", lie),
            ViewEndpoint::Partner => {
                self.view(Family::Summary, &format!("partner.{argument}"), lie)
            }
            ViewEndpoint::Review => self.view(Family::Summary, &format!("review.{argument}"), lie),
            ViewEndpoint::Watch => Err(Problem::not_found("this is on paper")),
        }
    }

    fn head(&self, lie: &Lie) -> Answer {
        let mut frontier = Frontier::new();
        frontier.extend(
            self.records
                .iter()
                .map(|record| leaf_hash(&record.header.encode())),
        );
        let root = if *lie == Lie::Root {
            Hash([9; 32])
        } else {
            frontier.root()
        };
        let other = LedgerKey::from_seed(LEDGER, [2; 32]).unwrap();
        let key = if *lie == Lie::Key { &other } else { &self.key };
        let signed = SignedTreeHead::sign(frontier.size(), root, key).unwrap();
        json(&HeadAnswer {
            ledger: LEDGER.to_owned(),
            tree_size: frontier.size(),
            recorded: String::new(),
            tree_head: Some(String::from_utf8(signed.as_bytes().to_vec()).unwrap()),
            published: 0,
            refusing: None,
        })
    }

    fn replay(&self, query: &ReplayQuery, lie: &Lie) -> Answer {
        let size = self.records.len();
        let mut first = usize::try_from(query.from).unwrap() / EVENTS_PER_BLOCK * EVENTS_PER_BLOCK;
        let mut blocks = Vec::new();
        for _ in 0..BLOCKS_PER_ANSWER {
            let end = (first + EVENTS_PER_BLOCK).min(size);
            if first >= end {
                break;
            }
            let mut builder = BlockBuilder::new(first as u64).unwrap();
            for position in first..end {
                self.tell(position, lie, &mut builder);
            }
            builder.finish(&mut blocks).unwrap();
            first = end;
        }
        Answer {
            payload: blocks.into(),
            headers: vec![
                (NEXT_HEADER, first.to_string()),
                (TREE_SIZE_HEADER, size.to_string()),
            ],
        }
    }

    fn tell(&self, position: usize, lie: &Lie, builder: &mut BlockBuilder) {
        let here = position as u64;
        let moved = matches!(lie, Lie::LeftOut(left_out) if here >= *left_out);
        let told = (position + usize::from(moved)).min(self.records.len() - 1);
        let record = self.records.get(told).unwrap();
        let mut data = record.data.clone();
        let mut header = record.header.clone();
        if *lie == Lie::Data(here) || *lie == Lie::Rewritten(here) {
            data = String::from_utf8(data)
                .unwrap()
                .replace("Trafficking", "Traffickinh")
                .into();
            assert_ne!(data, record.data, "the lie must change something");
        }
        if *lie == Lie::Rewritten(here) {
            header.data_digest = data_digest(&SALT, &data);
            header.outline_digest = outline_of(header.event_type, &data);
        }
        if *lie == Lie::Outline(here) {
            header.outline_digest = Some([0; 32]);
        }
        let content = Content::Present {
            salt: &SALT,
            data: &data,
        };
        if let Some((bytes, events)) = &record.command {
            let mut bytes = bytes.clone();
            if *lie == Lie::Command(here) {
                bytes.push(b' ');
            }
            builder.open_part(here, 0, 1, header.partner.as_str(), None);
            builder.push_command(KeptCommand::Bytes(&bytes), *events);
        }
        let mut route = record.route.clone();
        if *lie == Lie::Route(here) {
            route.replace_range(..3, "CHE");
        }
        if *lie == Lie::Rewritten(here) {
            route = route.replace("Trafficking", "Traffickinh");
        }
        builder.push_event(&header.encode(), content, &route);
    }

    fn fold(&self, family: Family) -> Views {
        let mut projection = Views::of(&[family]);
        self.events.iter().for_each(|event| projection.apply(event));
        projection
    }

    fn projection(&self, family: Family, lie: &Lie) -> Answer {
        let mut views = self.fold(family).keys();
        if let Lie::Missing(projection, key) = lie
            && *projection == family.name()
        {
            views.retain(|view| view != key);
        }
        if let Lie::Unfounded(key) = lie
            && family.name() == "action"
        {
            views.push((*key).to_owned());
        }
        json(&ProjectionAnswer {
            projection: family.name().to_owned(),
            checkpoint: self.events.len() as u64,
            views,
            bucket: None,
        })
    }

    fn view(&self, family: Family, key: &str, lie: &Lie) -> Result<Answer, Problem> {
        let mut body = self
            .fold(family)
            .body(key)
            .ok_or_else(|| Problem::not_found("no such view"))?;
        if *lie == Lie::Body(family.name(), leak(key)) {
            let text = String::from_utf8(body).unwrap();
            let changed = text.replacen("\"recorded\":1", "\"recorded\":2", 1);
            assert_ne!(text, changed, "the lie must change something");
            body = changed.into();
        }
        let answer = ViewAnswer {
            as_of: String::new(),
            as_of_position: None,
            watermark: Some((self.events.len() as u64 - 1).to_string()),
            lag_events: Some(0),
            title: None,
            commitments_today: None,
            view: serde_json::from_slice::<Box<RawValue>>(&body).unwrap(),
            list: None,
            events: None,
        };
        Ok(Answer {
            payload: serde_json::to_vec(&answer).unwrap().into(),
            headers: vec![(CHECKPOINT_HEADER, self.events.len().to_string())],
        })
    }
}

/// The key as text that lives as long as the test.
fn leak(key: &str) -> &'static str {
    Box::leak(key.to_owned().into_boxed_str())
}

fn time_of(position: u64) -> DateTime<Utc> {
    let seconds = 1_795_000_000 + i64::try_from(position).unwrap();
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn json(answer: &impl serde::Serialize) -> Answer {
    serde_json::to_vec(answer).unwrap().into()
}
