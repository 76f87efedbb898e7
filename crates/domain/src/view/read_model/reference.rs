//! Changes of the parties and the catalogue by an event.

use smallvec::SmallVec;

use super::event_ref::EventRef;
use super::event_time::EventTime;
use super::index::{ActionIndex, InstrumentIndex, PartyIndex, entry_at_mut, number};
use super::tables::{About, ActionEntry, PartyEntry, Statements, Tables};
use crate::ids::{ActionCode, InstrumentId, PartyId, Subject};
use crate::wire::v1::{ActionCatalogued, ActionTextAmended, PartyRegistered};

impl Tables {
    pub(crate) fn register_party(&mut self, event: &EventRef<'_>, data: &PartyRegistered) -> About {
        self.change_party(party_of(event), |entry| {
            entry.name.clone_from(&data.name);
            entry.kind = Some(data.kind);
            entry.country = data.country;
            entry.active = true;
        })
    }

    pub(crate) fn publish(&mut self, event: &EventRef<'_>) -> About {
        if let Some(id) = instrument_of(event) {
            self.instrument(id);
        }
        About::Other
    }

    pub(crate) fn amend_action(&mut self, data: &ActionTextAmended) -> About {
        let action = self.action_number(&data.code);
        self.change_action(action, |entry| {
            if let Some(title) = &data.title {
                entry.title = Some(title.clone());
            }
            entry.text_status = data.text_status.or(entry.text_status);
        });
        About::Actions(vec![action])
    }

    pub(crate) fn change_party(
        &mut self,
        id: Option<&PartyId>,
        change: impl FnOnce(&mut PartyEntry),
    ) -> About {
        let Some(id) = id else { return About::Other };
        let party = self.party(id);
        if let Some(entry) = entry_at_mut(&mut self.parties, party) {
            change(entry);
        }
        self.unsaved.parties.push(party);
        About::Party(party)
    }

    /// Counts a statement for its speaker.
    pub(crate) fn speak(&mut self, speaker: &PartyId, at: EventTime) -> About {
        let party = self.party(speaker);
        self.change_party(Some(speaker), |entry| {
            entry.statements.recorded += 1;
            entry.statements.last = Some(at);
        });
        About::Statement(party)
    }

    fn change_action(&mut self, action: ActionIndex, change: impl FnOnce(&mut ActionEntry)) {
        if let Some(entry) = entry_at_mut(&mut self.actions, action) {
            change(entry);
        }
        self.unsaved.actions.push(action);
    }

    pub(crate) fn catalogue(
        &mut self,
        instrument: Option<&InstrumentId>,
        data: &ActionCatalogued,
    ) -> About {
        let action = self.action_number(&data.code);
        let instrument = instrument.map(|id| self.instrument(id));
        let parent = data
            .parent
            .as_ref()
            .map(|parent| self.action_number(parent));
        if self
            .action(action)
            .is_some_and(|entry| entry.instrument.is_some())
        {
            // Codes are never reused: no decision catalogues one twice.
            return About::Other;
        }
        self.change_action(action, |entry| {
            entry.title = Some(data.title.clone());
            entry.instrument = instrument;
            entry.parent = parent;
            entry.text_status = Some(data.text_status);
        });
        if let Some(entry) = parent.and_then(|parent| entry_at_mut(&mut self.actions, parent)) {
            entry.children.push(action);
        }
        // An objective shows how many actions stand under it, at whatever level.
        About::Actions(self.lineages(&[action]).into_vec())
    }

    pub(crate) fn map(&mut self, from: &ActionCode, to: &[ActionCode]) -> About {
        let from = self.action_number(from);
        let to = self.action_numbers(to);
        for &target in &to {
            let known = self.maps_to(from).contains(&target);
            if let (false, Some(entry)) = (known, entry_at_mut(&mut self.actions, target)) {
                entry.mapped_from.push(from);
                self.change_action(from, |entry| entry.maps_to.push(target));
            }
        }
        // An objective shows what is mapped to the actions under it.
        let mut actions = self.lineages(&to).into_vec();
        actions.push(from);
        About::Actions(actions)
    }

    pub(crate) fn party(&mut self, id: &PartyId) -> PartyIndex {
        if let Some(&party) = self.party_numbers.get(id) {
            return party;
        }
        let party = number(self.parties.len());
        self.parties.push(PartyEntry {
            id: id.clone(),
            name: String::new(),
            former_names: Vec::new(),
            kind: None,
            country: None,
            active: false,
            statements: Statements::default(),
        });
        self.party_numbers.insert(id.clone(), party);
        self.unsaved.parties.push(party);
        party
    }

    pub(crate) fn action_number(&mut self, code: &ActionCode) -> ActionIndex {
        if let Some(&action) = self.action_numbers.get(code) {
            return action;
        }
        let action = number(self.actions.len());
        self.actions.push(ActionEntry {
            code: code.clone(),
            title: None,
            instrument: None,
            parent: None,
            text_status: None,
            maps_to: Vec::new(),
            children: Vec::new(),
            mapped_from: Vec::new(),
        });
        self.action_numbers.insert(code.clone(), action);
        self.unsaved.actions.push(action);
        action
    }

    /// The numbers of some codes, each once.
    pub(crate) fn action_numbers(&mut self, codes: &[ActionCode]) -> SmallVec<[ActionIndex; 4]> {
        let mut numbers = SmallVec::new();
        for code in codes {
            let action = self.action_number(code);
            if !numbers.contains(&action) {
                numbers.push(action);
            }
        }
        numbers
    }

    pub(crate) fn instrument(&mut self, id: &InstrumentId) -> InstrumentIndex {
        if let Some(known) = self.instruments.iter().position(|other| other == id) {
            return number(known);
        }
        let instrument = number(self.instruments.len());
        self.instruments.push(id.clone());
        self.unsaved.instruments.push(instrument);
        instrument
    }
}

pub(crate) fn party_of<'a>(event: &EventRef<'a>) -> Option<&'a PartyId> {
    match event.subject {
        Subject::Party(id) => Some(id),
        Subject::Commitment(_)
        | Subject::Instrument(_)
        | Subject::Partner(_)
        | Subject::Review(_)
        | Subject::Ledger => None,
    }
}

pub(crate) fn instrument_of<'a>(event: &EventRef<'a>) -> Option<&'a InstrumentId> {
    match event.subject {
        Subject::Instrument(id) => Some(id),
        Subject::Commitment(_)
        | Subject::Party(_)
        | Subject::Partner(_)
        | Subject::Review(_)
        | Subject::Ledger => None,
    }
}
