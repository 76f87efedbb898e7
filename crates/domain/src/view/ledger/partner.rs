//! The activity of partners: the events that each sent, by type, and how often it had to correct itself. A source can be judged by it.

use rustc_hash::FxHashMap;

use crate::ids::{PartnerId, Subject};
use crate::view::as_of::AsOfView;
use crate::view::error::RestoreError;
use crate::view::family::body::encoded;
use crate::view::read_model::codec::{RowReader, RowWriter};
use crate::view::read_model::event_ref::EventRef;
use crate::view::read_model::event_time::EventTime;
use crate::view::read_model::index::{entry_at, entry_at_mut, number};
use crate::view::read_model::rows::{Row, expect, key};
use crate::wire::v1::view::{
    PartnerBody, PartnerEvents, PartnerParties, PartnerReports, PartnerStatus, RecordedAt, ViewKind,
};
use crate::wire::v1::{EventBody, EventType, Role};

/// The first byte of the keys of partners' rows.
pub(crate) const PARTNER_ROW: u8 = b'w';

/// What a partner's key begins with.
const KEY_PREFIX: &str = "partner.";

/// The number of a partner in the order they were first named.
pub(crate) type PartnerIndex = u32;

/// The activity of every partner.
#[derive(Debug, Default)]
pub(crate) struct Partners {
    entries: Vec<Activity>,
    numbers: FxHashMap<PartnerId, PartnerIndex>,
    /// Who sent the last event: likely to have sent the next.
    last_sender: PartnerIndex,
    /// Whose keys and whose rows are to be taken.
    changed: Vec<PartnerIndex>,
    unsaved: Vec<PartnerIndex>,
}

#[derive(Debug, PartialEq)]
struct Activity {
    id: PartnerId,
    status: PartnerStatus,
    name: Option<String>,
    roles: Vec<Role>,
    /// How many parties it may speak for.
    parties: u64,
    /// The events it sent, in the order of their first.
    by_type: Vec<(EventType, u64)>,
    first: Option<EventTime>,
    last: Option<EventTime>,
    /// The last event that concerned it, sent by itself or not.
    stamp: Option<EventTime>,
    changed: bool,
    unsaved: bool,
}

impl Activity {
    fn new(id: PartnerId) -> Self {
        Self {
            id,
            status: PartnerStatus::Unregistered,
            name: None,
            roles: Vec::new(),
            parties: 0,
            by_type: Vec::new(),
            first: None,
            last: None,
            stamp: None,
            changed: false,
            unsaved: false,
        }
    }

    fn sent(&self, kind: EventType) -> u64 {
        let of_kind = self.by_type.iter().find(|(other, _)| *other == kind);
        of_kind.map_or(0, |(_, count)| *count)
    }

    fn send(&mut self, kind: EventType, at: EventTime) {
        self.first.get_or_insert(at);
        self.last = Some(at);
        match self.by_type.iter_mut().find(|(other, _)| *other == kind) {
            Some((_, count)) => *count += 1,
            None => self.by_type.push((kind, 1)),
        }
    }

    fn body(&self) -> PartnerBody {
        let stamp = self.stamp.map(RecordedAt::from);
        PartnerBody {
            view: ViewKind::Partner,
            partner: self.id.to_string(),
            position: stamp.as_ref().map(|moment| moment.position.clone()),
            recorded: stamp.map(|moment| moment.recorded),
            status: self.status,
            roles: self.roles.clone(),
            parties: PartnerParties {
                speaks_for: self.parties,
            },
            events: PartnerEvents {
                sent: self.by_type.iter().map(|(_, count)| count).sum(),
                by_type: self
                    .by_type
                    .iter()
                    .map(|(kind, count)| (kind.name().to_owned(), *count))
                    .collect(),
                first: self.first.map(RecordedAt::from),
                last: self.last.map(RecordedAt::from),
            },
            reports: PartnerReports {
                sent: self.sent(EventType::ProgressReported),
                corrected: self.sent(EventType::ReportCorrected),
                retracted: self.sent(EventType::ReportRetracted),
            },
        }
    }
}

impl Partners {
    /// Takes an event in: for its sender, and for the partner it is about.
    pub(crate) fn apply(&mut self, event: &EventRef<'_>, at: EventTime) {
        let sender = self.sender(event.partner);
        self.touch(sender, at, |entry| {
            entry.send(event.body.event_type(), at);
        });
        if let EventBody::LedgerOpened(data) = event.body {
            let root = self.number(&data.root.partner);
            self.touch(root, at, |entry| {
                entry.status = PartnerStatus::Root;
                entry.parties = 1;
            });
        }
        if let Subject::Partner(id) = event.subject {
            let subject = self.number(id);
            self.touch(subject, at, |entry| entry.register(event.body));
        }
    }

    fn sender(&mut self, id: &PartnerId) -> PartnerIndex {
        let last = entry_at(&self.entries, self.last_sender);
        if last.is_none_or(|entry| entry.id != *id) {
            self.last_sender = self.number(id);
        }
        self.last_sender
    }

    fn number(&mut self, id: &PartnerId) -> PartnerIndex {
        if let Some(&known) = self.numbers.get(id) {
            return known;
        }
        let partner = number(self.entries.len());
        self.entries.push(Activity::new(id.clone()));
        self.numbers.insert(id.clone(), partner);
        partner
    }

    fn touch(&mut self, partner: PartnerIndex, at: EventTime, change: impl FnOnce(&mut Activity)) {
        let Some(entry) = entry_at_mut(&mut self.entries, partner) else {
            return;
        };
        change(entry);
        entry.stamp = Some(at);
        if !entry.changed {
            entry.changed = true;
            self.changed.push(partner);
        }
        if !entry.unsaved {
            entry.unsaved = true;
            self.unsaved.push(partner);
        }
    }

    fn find(&self, view: &str) -> Option<&Activity> {
        let partner = self.numbers.get(view.strip_prefix(KEY_PREFIX)?)?;
        entry_at(&self.entries, *partner)
    }

    pub(crate) fn body(&self, view: &str) -> Option<PartnerBody> {
        Some(self.find(view)?.body())
    }

    pub(crate) fn title(&self, view: &str) -> Option<String> {
        self.find(view)?.name.clone()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = String> {
        self.entries.iter().map(|entry| view_key(&entry.id))
    }

    /// The keys of the partners that changed since the last call.
    pub(crate) fn take_keys(&mut self, keys: &mut Vec<String>) {
        for partner in std::mem::take(&mut self.changed) {
            if let Some(entry) = entry_at_mut(&mut self.entries, partner) {
                entry.changed = false;
                keys.push(view_key(&entry.id));
            }
        }
    }

    /// The rows of the partners that changed since the last call.
    pub(crate) fn take_rows(&mut self, rows: &mut Vec<Row>) {
        for partner in std::mem::take(&mut self.unsaved) {
            if let Some(entry) = entry_at_mut(&mut self.entries, partner) {
                entry.unsaved = false;
                rows.push((key(PARTNER_ROW, partner), entry.encode()));
            }
        }
    }

    /// Takes one row back in; `rest` is its key after the first letter.
    pub(crate) fn restore_row(&mut self, rest: &[u8], value: &[u8]) -> Result<(), RestoreError> {
        expect("partner", rest, self.entries.len())?;
        let entry = Activity::decode(value)?;
        self.numbers
            .insert(entry.id.clone(), number(self.entries.len()));
        self.entries.push(entry);
        Ok(())
    }
}

/// Access for the change log of partners.
impl Partners {
    /// The sender of the event taken in last.
    pub(crate) fn last_sender(&self) -> PartnerIndex {
        self.last_sender
    }

    /// The partners that an event registered, changed or revoked.
    pub(crate) fn registered_by(&self, event: &EventRef<'_>) -> impl Iterator<Item = PartnerIndex> {
        let mut named = None;
        if let EventBody::LedgerOpened(data) = event.body {
            named = self.numbers.get(&data.root.partner);
        } else if let Subject::Partner(id) = event.subject {
            named = self.numbers.get(id);
        }
        named.into_iter().copied()
    }

    pub(crate) fn find_number(&self, view: &str) -> Option<PartnerIndex> {
        self.numbers.get(view.strip_prefix(KEY_PREFIX)?).copied()
    }

    pub(crate) fn view_key(&self, partner: PartnerIndex) -> String {
        entry_at(&self.entries, partner).map_or_else(String::new, |entry| view_key(&entry.id))
    }

    pub(crate) fn encode(&self, partner: PartnerIndex) -> Vec<u8> {
        entry_at(&self.entries, partner).map_or_else(Vec::new, Activity::encode)
    }

    /// The view of a partner as its row says, after some more events that it sent.
    pub(crate) fn as_of(
        row: &[u8],
        sent: impl Iterator<Item = (EventType, EventTime)>,
    ) -> Result<Option<AsOfView>, RestoreError> {
        let mut entry = Activity::decode(row)?;
        for (kind, at) in sent {
            entry.send(kind, at);
            entry.stamp = Some(at);
        }
        Ok(encoded(&entry.body()).map(|body| AsOfView::apart(body, entry.name)))
    }
}

fn view_key(id: &PartnerId) -> String {
    format!("{KEY_PREFIX}{id}")
}

impl Activity {
    /// What an event about the partner makes of it.
    fn register(&mut self, body: &EventBody) {
        if let EventBody::PartnerRegistered(data) = body {
            self.status = PartnerStatus::Registered;
            self.name = Some(data.name.clone());
            self.roles.clone_from(&data.roles);
            self.parties = data.parties.len().try_into().unwrap_or(u64::MAX);
        } else if let EventBody::PartnerChanged(data) = body {
            self.name = data.name.clone().or(self.name.take());
            if let Some(roles) = &data.roles {
                self.roles.clone_from(roles);
            }
            if let Some(parties) = &data.parties {
                self.parties = parties.len().try_into().unwrap_or(u64::MAX);
            }
        } else if let EventBody::PartnerRevoked(_) = body {
            self.status = PartnerStatus::Revoked;
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut row = RowWriter::new();
        row.text(self.id.as_str());
        row.u8(match self.status {
            PartnerStatus::Unregistered => 0,
            PartnerStatus::Registered => 1,
            PartnerStatus::Revoked => 2,
            PartnerStatus::Root => 3,
        });
        row.u8(u8::from(self.name.is_some()));
        row.text(self.name.as_deref().unwrap_or_default());
        row.count(self.roles.len());
        self.roles.iter().for_each(|role| row.text(role.as_str()));
        row.u64(self.parties);
        row.count(self.by_type.len());
        for (kind, count) in &self.by_type {
            row.text(kind.name());
            row.u64(*count);
        }
        for moment in [self.first, self.last, self.stamp] {
            row.moment(moment);
        }
        row.finish()
    }

    fn decode(value: &[u8]) -> Result<Self, RestoreError> {
        let mut row = RowReader::new("partner", value)?;
        let id = row.name()?.ok_or_else(|| row.damaged())?;
        let mut entry = Self::new(id);
        entry.status = match row.u8()? {
            0 => PartnerStatus::Unregistered,
            1 => PartnerStatus::Registered,
            2 => PartnerStatus::Revoked,
            3 => PartnerStatus::Root,
            _ => return Err(row.damaged()),
        };
        let named = row.u8()? == 1;
        entry.name = Some(row.text()?.to_owned()).filter(|_| named);
        for _ in 0..row.count()? {
            let role = row.name()?.ok_or_else(|| row.damaged())?;
            entry.roles.push(role);
        }
        entry.parties = row.u64()?;
        for _ in 0..row.count()? {
            let kind = EventType::from_name(row.text()?).ok_or_else(|| row.damaged())?;
            entry.by_type.push((kind, row.u64()?));
        }
        entry.first = row.moment()?;
        entry.last = row.moment()?;
        entry.stamp = row.moment()?;
        row.finish()?;
        Ok(entry)
    }
}
