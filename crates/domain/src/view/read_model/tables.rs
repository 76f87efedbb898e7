//! The tables of the read model: commitments, parties, actions and instruments, folded from events.

use std::hash::BuildHasher;
use std::sync::LazyLock;

use hashbrown::{DefaultHashBuilder, HashTable};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::event_time::EventTime;
use super::facts::CommitmentFacts;
use super::index::{ActionIndex, InstrumentIndex, Keys, PartyIndex, Slot, entry_at, number};
use super::shared::SharedTables;
use super::table::{Table, Titles};
use crate::country::UnStatus;
use crate::ids::{ActionCode, CommitmentId, CountryCode, InstrumentId, PartyId};
use crate::wire::v1::{EventType, PartyKind, TextStatus};

/// An action counts towards at most this many levels above it. Catalogues have two or three; the bound keeps a
/// catalogue whose parents form a ring from holding the fold up.
const MAX_LEVELS: usize = 8;

/// The most former names that are kept of a party: each change of a party writes all of them into the change log, and one party's have to fit into a body.
const MAX_FORMER_NAMES: usize = 8;

/// What an event was about, for the views that its commitment does not lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum About {
    /// Nothing a country or an action shows.
    Other,
    /// A new commitment.
    Recorded(Slot),
    /// A report on a commitment known before.
    Reported,
    /// Another event of a commitment known before.
    Commitment,
    /// A party.
    Party(PartyIndex),
    /// What a party said in a review.
    Statement(PartyIndex),
    /// Actions of the catalogue.
    Actions(Vec<ActionIndex>),
}

/// A party as far as it was named or registered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PartyEntry {
    pub(crate) id: PartyId,
    /// Empty until it is registered.
    pub(crate) name: String,
    /// The names that others took the place of, in the order in which they were given first, each once: the newest of them.
    pub(crate) former_names: Vec<String>,
    /// None until it is registered.
    pub(crate) kind: Option<PartyKind>,
    pub(crate) country: Option<CountryCode>,
    pub(crate) active: bool,
    pub(crate) statements: Statements,
}

impl PartyEntry {
    /// Gives the party another name. A name that it goes back to stays among those it had, and is not shown while it has it.
    pub(crate) fn rename(&mut self, name: &str) {
        let before = std::mem::replace(&mut self.name, name.to_owned());
        if !before.is_empty() && !self.former_names.contains(&before) {
            if self.former_names.len() >= MAX_FORMER_NAMES {
                self.former_names.remove(0);
            }
            self.former_names.push(before);
        }
    }
}

/// What was said in reviews, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Statements {
    pub(crate) recorded: u64,
    pub(crate) last: Option<EventTime>,
}

/// An action as far as it was named or catalogued.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ActionEntry {
    pub(crate) code: ActionCode,
    pub(crate) title: Option<String>,
    /// None until it is catalogued.
    pub(crate) instrument: Option<InstrumentIndex>,
    pub(crate) parent: Option<ActionIndex>,
    pub(crate) text_status: Option<TextStatus>,
    pub(crate) maps_to: Vec<ActionIndex>,
    /// Those that name this one as their parent: follows from `parent`.
    pub(crate) children: Vec<ActionIndex>,
    /// Those that map to this one: follows from `maps_to`.
    pub(crate) mapped_from: Vec<ActionIndex>,
}

/// Everything the views count from.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub(crate) parties: Vec<PartyEntry>,
    pub(crate) actions: Vec<ActionEntry>,
    pub(crate) instruments: Vec<InstrumentId>,
    pub(crate) commitments: Table<CommitmentFacts>,
    pub(crate) titles: Titles,
    pub(crate) shared: SharedTables,
    pub(crate) watermark: Option<EventTime>,
    /// How many events of each type, in the order they were first seen.
    pub(crate) events: Vec<(EventType, u64)>,
    pub(crate) unsaved: Unsaved,
    pub(crate) party_numbers: FxHashMap<PartyId, PartyIndex>,
    pub(crate) action_numbers: FxHashMap<ActionCode, ActionIndex>,
    /// Slots by the hash of their commitment's id; the id itself stands in the facts.
    pub(crate) slots: HashTable<Slot>,
    /// The commitments that were superseded by one, also by one that another took the place of since.
    pub(crate) predecessors: FxHashMap<CommitmentId, SmallVec<[Slot; 1]>>,
}

/// What differs from the rows that were taken last.
#[derive(Debug, Default)]
pub(crate) struct Unsaved {
    pub(crate) parties: Vec<PartyIndex>,
    pub(crate) actions: Vec<ActionIndex>,
    pub(crate) instruments: Vec<InstrumentIndex>,
    pub(crate) commitments: Vec<Slot>,
    pub(crate) watermark: bool,
}

impl Tables {
    pub(crate) fn watermark(&self) -> Option<EventTime> {
        self.watermark
    }

    pub(crate) fn facts(&self, slot: Slot) -> Option<&CommitmentFacts> {
        self.commitments.get(slot)
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = Slot> + use<> {
        0..number(self.commitments.len())
    }

    pub(crate) fn slot(&self, id: CommitmentId) -> Option<Slot> {
        self.slots
            .find(hash(id), |&slot| {
                self.facts(slot).is_some_and(|facts| facts.id == id)
            })
            .copied()
    }

    pub(crate) fn party_text(&self, party: PartyIndex) -> String {
        entry_at(&self.parties, party)
            .map(|party| party.id.to_string())
            .unwrap_or_default()
    }

    pub(crate) fn party_kind(&self, party: PartyIndex) -> Option<PartyKind> {
        entry_at(&self.parties, party).and_then(|party| party.kind)
    }

    pub(crate) fn country_of(&self, party: PartyIndex) -> Option<CountryCode> {
        entry_at(&self.parties, party).and_then(|party| party.country)
    }

    /// The country of a party that is one of the member States itself.
    pub(crate) fn member_state(&self, party: PartyIndex) -> Option<CountryCode> {
        let party = entry_at(&self.parties, party)
            .filter(|party| party.kind == Some(PartyKind::MemberState))?;
        party
            .country
            .filter(|country| country.country().un_status == UnStatus::Member)
    }

    /// The registered parties of a country with their kinds, in the order of their ids.
    pub(crate) fn registered_in(
        &self,
        country: Option<CountryCode>,
    ) -> Vec<(&PartyEntry, PartyKind)> {
        let of_country = self.parties.iter().filter(|it| it.country == country);
        let mut parties: Vec<(&PartyEntry, PartyKind)> = of_country
            .filter_map(|party| Some((party, party.kind?)))
            .collect();
        parties.sort_unstable_by(|(a, _), (b, _)| a.id.cmp(&b.id));
        parties
    }

    /// What the registered parties of a country said in reviews.
    pub(crate) fn statements_in(&self, country: Option<CountryCode>) -> Statements {
        let mut sum = Statements::default();
        let is_of = |party: &&PartyEntry| party.kind.is_some() && party.country == country;
        for Statements { recorded, last } in
            self.parties.iter().filter(is_of).map(|it| it.statements)
        {
            sum.recorded += recorded;
            let is_newer = |last: &EventTime| sum.last.is_none_or(|it| it.position < last.position);
            sum.last = last.filter(is_newer).or(sum.last);
        }
        sum
    }

    /// The kind of every registered party, and whether it is active.
    pub(crate) fn registered(&self) -> impl Iterator<Item = (PartyKind, bool)> {
        self.parties
            .iter()
            .filter_map(|party| party.kind.map(|kind| (kind, party.active)))
    }

    pub(crate) fn action(&self, action: ActionIndex) -> Option<&ActionEntry> {
        entry_at(&self.actions, action)
    }

    pub(crate) fn action_code(&self, action: ActionIndex) -> &str {
        self.action(action)
            .map_or("", |action| action.code.as_str())
    }

    pub(crate) fn action_text(&self, action: ActionIndex) -> String {
        self.action_code(action).to_owned()
    }

    pub(crate) fn action_title(&self, action: ActionIndex) -> Option<&str> {
        self.action(action)?.title.as_deref()
    }

    pub(crate) fn find_action(&self, code: &str) -> Option<ActionIndex> {
        self.action_numbers.get(code).copied()
    }

    pub(crate) fn maps_to(&self, action: ActionIndex) -> &[ActionIndex] {
        self.action(action).map_or(&[], |action| &action.maps_to)
    }

    /// The actions that were catalogued, rather than only named.
    pub(crate) fn catalogued(&self) -> impl Iterator<Item = ActionIndex> {
        (0..)
            .zip(&self.actions)
            .filter(|(_, action)| action.instrument.is_some())
            .map(|(number, _)| number)
    }

    pub(crate) fn instruments(&self) -> usize {
        self.instruments.len()
    }

    pub(crate) fn instrument_id(&self, instrument: InstrumentIndex) -> &str {
        entry_at(&self.instruments, instrument).map_or("", InstrumentId::as_str)
    }

    /// The instruments of some actions, each once.
    pub(crate) fn instruments_of(
        &self,
        actions: &[ActionIndex],
    ) -> SmallVec<[Option<InstrumentIndex>; 4]> {
        let mut instruments = SmallVec::new();
        for &action in actions {
            let instrument = self.action(action).and_then(|action| action.instrument);
            if !instruments.contains(&instrument) {
                instruments.push(instrument);
            }
        }
        instruments
    }

    /// Some actions and those they stand under, each once.
    pub(crate) fn lineages(&self, actions: &[ActionIndex]) -> Keys<ActionIndex> {
        let mut lineages = Keys::new();
        for &action in actions {
            let mut next = Some(action);
            for _ in 0..MAX_LEVELS {
                let Some(action) = next else { break };
                if !lineages.contains(&action) {
                    lineages.push(action);
                }
                next = self.action(action).and_then(|action| action.parent);
            }
        }
        lineages
    }

    /// The actions that stand under one, at whatever level.
    pub(crate) fn beneath(&self, action: ActionIndex) -> Vec<ActionIndex> {
        let mut found = vec![action];
        let mut next = 0;
        while let Some(entry) = found.get(next).and_then(|&action| self.action(action)) {
            for child in &entry.children {
                if !found.contains(child) {
                    found.push(*child);
                }
            }
            next += 1;
        }
        found.remove(0);
        found
    }

    pub(crate) fn events(&self) -> u64 {
        self.events.iter().map(|(_, count)| count).sum()
    }

    pub(crate) fn events_by_type(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.events
            .iter()
            .map(|(kind, count)| (kind.name(), *count))
    }
}

/// Seeded anew in every process: partners choose the ids, and with a hash that they know they could choose ids that all meet in one
/// place. It decides where a slot is looked for and nothing that is shown.
static SEED: LazyLock<DefaultHashBuilder> = LazyLock::new(DefaultHashBuilder::default);

pub(crate) fn hash(id: CommitmentId) -> u64 {
    SEED.hash_one(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn nobody_can_choose_ids_that_meet_in_one_place() {
        // The first seed of the hash that was used here: ids that begin with it had one hash, whatever followed.
        const SEED: u64 = 0x243f_6a88_85a3_08d3;
        let chosen = (0..1_000_u64).map(|n| Uuid::from_u64_pair(SEED.swap_bytes(), n));
        let mut hashes: Vec<u64> = chosen.map(|id| hash(CommitmentId(id))).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert!(hashes.len() > 990, "{} different hashes", hashes.len());
    }
}
