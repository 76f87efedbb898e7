//! The index of the epochs that are not sealed yet, in memory.

use ledger_proof::block::Tags;

use super::keys::{EventKeys, Kind};
use super::run::{Chunk, RunBuilder};
use hashbrown::HashMap;
use ledger_proof::Hash;
use smallvec::SmallVec;
use std::collections::VecDeque;
use std::sync::Arc;

type Offsets = SmallVec<[u16; 4]>;

/// The unsealed epochs, one after the other. A full one is shared while it is being sealed; the one that grows is nobody else's.
#[derive(Debug, Default)]
pub(crate) struct Tails {
    full: VecDeque<Arc<EpochTail>>,
    growing: Option<EpochTail>,
}

impl Tails {
    /// Adds the event at a position: the one after the event added last, or the first of an epoch.
    pub(crate) fn push(&mut self, position: u64, epoch_bits: u8, keys: &EventKeys, route: &str) {
        let epoch = u32::try_from(position >> epoch_bits).unwrap_or(u32::MAX);
        let growing = self.growing.get_or_insert_with(|| EpochTail::new(epoch));
        growing.push(keys, route);
        if growing.leaves.len() >> epoch_bits != 0 {
            self.full.extend(self.growing.take().map(Arc::new));
        }
    }

    /// All of them, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &EpochTail> {
        self.full.iter().map(Arc::as_ref).chain(&self.growing)
    }

    /// The first full one.
    pub(crate) fn first_full(&self) -> Option<Arc<EpochTail>> {
        self.full.front().map(Arc::clone)
    }

    /// Forgets the first full one, which was sealed.
    pub(crate) fn drop_first_full(&mut self) {
        self.full.pop_front();
    }
}

/// All keys of one epoch so far. Offsets count from the epoch's first position.
#[derive(Debug, Default)]
pub(crate) struct EpochTail {
    pub(crate) epoch: u32,
    pub(crate) leaves: Vec<Hash>,
    /// First offset and count: the events of a command are consecutive.
    commands: HashMap<[u8; 16], (u16, u16)>,
    commitments: HashMap<[u8; 16], Offsets>,
    countries: HashMap<Box<str>, Vec<u16>>,
    actions: HashMap<Box<str>, Vec<u16>>,
    reference: Vec<u16>,
}

impl EpochTail {
    pub(crate) fn new(epoch: u32) -> Self {
        Self {
            epoch,
            ..Self::default()
        }
    }

    /// Adds the next event.
    pub(crate) fn push(&mut self, keys: &EventKeys, route: &str) {
        let offset = u16::try_from(self.leaves.len()).unwrap_or(u16::MAX);
        self.leaves.push(keys.leaf);
        if let Some(command) = &keys.command {
            let span = self
                .commands
                .entry(*command.as_bytes())
                .or_insert((offset, 0));
            span.1 = span.1.saturating_add(1);
        }
        match keys.commitment {
            Some(commitment) => self.commitments.entry(commitment).or_default().push(offset),
            None => self.reference.push(offset),
        }
        let tags = Tags::read(route);
        if let Some(country) = tags.country {
            post(&mut self.countries, country, offset);
        }
        for action in tags.actions() {
            post(&mut self.actions, action, offset);
        }
    }

    /// Appends the positions under a key, `base` being the epoch's first position.
    pub(crate) fn positions(&self, kind: Kind, key: &[u8], base: u64, out: &mut Vec<u64>) {
        let at = |offset: &u16| base.saturating_add(u64::from(*offset));
        let text = || std::str::from_utf8(key).unwrap_or_default();
        match kind {
            Kind::Command => {
                if let Some((first, count)) = key_of(key).and_then(|key| self.commands.get(&key)) {
                    out.extend((0..u64::from(*count)).map(|n| at(first).saturating_add(n)));
                }
            }
            Kind::Commitment => {
                let found = key_of(key).and_then(|key| self.commitments.get(&key));
                out.extend(found.into_iter().flatten().map(at));
            }
            Kind::Country => out.extend(self.countries.get(text()).into_iter().flatten().map(at)),
            Kind::Action => out.extend(self.actions.get(text()).into_iter().flatten().map(at)),
            Kind::Reference => out.extend(self.reference.iter().map(at)),
        }
    }

    /// The keys that filters are made of.
    pub(crate) fn filter_keys(&self, kind: Kind) -> impl Iterator<Item = &[u8; 16]> {
        let commands = (kind == Kind::Command).then(|| self.commands.keys());
        let commitments = (kind == Kind::Commitment).then(|| self.commitments.keys());
        commands
            .into_iter()
            .flatten()
            .chain(commitments.into_iter().flatten())
    }

    /// The sorted run of one kind. The same events always give the same bytes.
    pub(crate) fn run(&self, kind: Kind) -> Vec<Chunk> {
        let mut builder = RunBuilder::default();
        match kind {
            Kind::Command => {
                let mut entries: Vec<_> = self.commands.iter().collect();
                entries.sort_unstable();
                let mut offsets = Vec::new();
                for (key, (first, count)) in entries {
                    offsets.clear();
                    offsets.extend((0..*count).map(|n| first.saturating_add(n)));
                    builder.push(key, &offsets);
                }
            }
            Kind::Commitment => {
                let mut entries: Vec<_> = self.commitments.iter().collect();
                entries.sort_unstable_by_key(|(key, _)| *key);
                for (key, offsets) in entries {
                    builder.push(key, offsets);
                }
            }
            Kind::Country => push_text(&mut builder, &self.countries),
            Kind::Action => push_text(&mut builder, &self.actions),
            Kind::Reference if self.reference.is_empty() => {}
            Kind::Reference => builder.push(b"", &self.reference),
        }
        builder.finish()
    }
}

fn key_of(key: &[u8]) -> Option<[u8; 16]> {
    key.try_into().ok()
}

fn post(postings: &mut HashMap<Box<str>, Vec<u16>>, key: &str, offset: u16) {
    let offsets = postings.entry_ref(key).or_default();
    // A route may name an action twice; a position is listed once.
    if offsets.last() != Some(&offset) {
        offsets.push(offset);
    }
}

fn push_text(builder: &mut RunBuilder, postings: &HashMap<Box<str>, Vec<u16>>) {
    let mut entries: Vec<_> = postings.iter().collect();
    entries.sort_unstable();
    for (key, offsets) in entries {
        builder.push(key.as_bytes(), offsets);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_indexed_whoever_holds_a_full_epoch() {
        let mut tails = Tails::default();
        let mut held = Vec::new();
        for position in 0..700_u16 {
            let keys = EventKeys {
                command: None,
                commitment: None,
                leaf: Hash([0; 32]),
            };
            tails.push(position.into(), 8, &keys, "KEN|");
            held.extend(tails.first_full());
        }
        let spans = |tails: &Tails| -> Vec<(u32, usize)> {
            let tails = tails.iter();
            tails.map(|tail| (tail.epoch, tail.leaves.len())).collect()
        };
        assert_eq!(spans(&tails), [(0, 256), (1, 256), (2, 188)]);
        let mut found = Vec::new();
        for tail in tails.iter() {
            let base = u64::from(tail.epoch) << 8;
            tail.positions(Kind::Country, b"KEN", base, &mut found);
        }
        assert_eq!(found, (0..700).collect::<Vec<u64>>());
        tails.drop_first_full();
        assert_eq!(spans(&tails), [(1, 256), (2, 188)]);
    }
}
