//! How an event changes the facts.

use smallvec::SmallVec;

use super::book::{
    About, ActionEntry, ActionIndex, Book, InstrumentIndex, PartyEntry, PartyIndex, Slot,
    entry_at_mut, hash, number,
};
use super::facts::{Facts, Flags, Participation, ReportKey};
use super::fold::Moment;
use super::list::ParticipationRole;
use crate::ids::{ActionCode, CommitmentId, InstrumentId, PartyId, Subject};
use crate::wire::v1::{
    ActionCatalogued, CommitmentAmended, CommitmentRecorded, Event, EventBody, ParticipantRole,
    PartyStatus, ProgressReported,
};

impl Book {
    /// Moves the watermark to an event, unless it was taken in before.
    pub(crate) fn advance(&mut self, event: &Event) -> Option<Moment> {
        let moment = Moment {
            position: event.header.position.0,
            recorded_us: event.header.time.timestamp_micros(),
        };
        if self
            .watermark
            .is_some_and(|watermark| moment.position <= watermark.position)
        {
            return None;
        }
        self.watermark = Some(moment);
        self.unsaved.watermark = true;
        let kind = event.body.event_type();
        match self.events.iter_mut().find(|(other, _)| *other == kind) {
            Some((_, count)) => *count += 1,
            None => self.events.push((kind, 1)),
        }
        Some(moment)
    }

    /// The commitments whose standing in the views an event may change: its own; and, where a party or an action is made known only
    /// after commitments named it, all of those.
    pub(crate) fn slots_of(&self, event: &Event) -> SmallVec<[Slot; 1]> {
        let naming = |names: &dyn Fn(&Facts) -> bool| {
            (0..)
                .zip(self.commitments.iter())
                .filter(|(_, facts)| names(facts))
                .map(|(slot, _)| slot)
                .collect()
        };
        if let EventBody::PartyRegistered(_) = &event.body {
            return match party_of(event).and_then(|id| self.party_numbers.get(id)) {
                Some(&party) => naming(&|facts| {
                    facts.lead == party
                        || facts
                            .participations()
                            .iter()
                            .any(|part| part.party == party)
                }),
                None => SmallVec::new(),
            };
        }
        if let EventBody::ActionCatalogued(data) = &event.body {
            return match self.action_numbers.get(&data.code) {
                Some(action) => naming(&|facts| self.lineages(facts.actions()).contains(action)),
                None => SmallVec::new(),
            };
        }
        event
            .header
            .subject
            .commitment()
            .and_then(|id| self.slot(id))
            .into_iter()
            .collect()
    }

    /// Takes an event into the facts. `slots` is what [`Book::slots_of`] said of it.
    pub(crate) fn evolve(&mut self, event: &Event, slots: &[Slot]) -> About {
        let at = Moment {
            position: event.header.position.0,
            recorded_us: event.header.time.timestamp_micros(),
        };
        let slot = slots.first().copied();
        match &event.body {
            EventBody::CommitmentRecorded(data) => {
                match (slot, event.header.subject.commitment()) {
                    (None, Some(id)) => About::Recorded(self.record(id, data, at)),
                    (Some(_), _) | (None, None) => About::Other,
                }
            }
            EventBody::ProgressReported(data) => self.report(slot, &event.header.party, data, at),
            EventBody::ReportCorrected(data) => {
                self.report(slot, &event.header.party, &data.report, at)
            }
            EventBody::CommitmentAmended(data) => self.amend(slot, data, at),
            EventBody::CommitmentWithdrawn(_) => {
                self.change(slot, at, |facts| facts.flags.set(Flags::WITHDRAWN, true))
            }
            EventBody::CommitmentReinstated(_) => {
                self.change(slot, at, |facts| facts.flags.set(Flags::WITHDRAWN, false))
            }
            EventBody::ParticipationConfirmed(_)
            | EventBody::CommitmentLeft(_)
            | EventBody::CommitmentSuspended(_)
            | EventBody::CommitmentResumed(_)
            | EventBody::CommitmentSuperseded(_)
            | EventBody::CommitmentClosed(_)
            | EventBody::MilestoneReached(_)
            | EventBody::ReportRetracted(_)
            | EventBody::ReportContested(_)
            | EventBody::ContestAnswered(_)
            | EventBody::ContestResolved(_)
            | EventBody::ReportValidated(_)
            | EventBody::ReportReturned(_)
            | EventBody::ProgressAssessed(_)
            | EventBody::AmbitionAssessed(_)
            | EventBody::AssessmentRevised(_)
            | EventBody::EvidenceAttached(_)
            | EventBody::EvidenceMoved(_)
            | EventBody::EvidenceFlaggedUnavailable(_) => self.change(slot, at, |_| ()),
            EventBody::PartyRegistered(data) => self.change_party(party_of(event), |entry| {
                entry.kind = Some(data.kind);
                entry.country = data.country;
                entry.active = true;
            }),
            EventBody::PartyStatusChanged(data) => self.change_party(party_of(event), |entry| {
                entry.active = data.status == PartyStatus::Active;
            }),
            EventBody::InstrumentPublished(_) => {
                if let Some(id) = instrument_of(event) {
                    self.instrument(id);
                }
                About::Other
            }
            EventBody::ActionCatalogued(data) => self.catalogue(instrument_of(event), data),
            EventBody::ActionTextAmended(data) => {
                let action = self.action_number(&data.code);
                self.change_action(action, |entry| {
                    if let Some(title) = &data.title {
                        entry.title = Some(title.clone());
                    }
                    entry.text_status = data.text_status.or(entry.text_status);
                });
                About::Actions(vec![action])
            }
            EventBody::ActionsMapped(data) => self.map(&data.from, &data.to),
            EventBody::LedgerOpened(_)
            | EventBody::PartnerRegistered(_)
            | EventBody::PartnerChanged(_)
            | EventBody::PartnerRevoked(_)
            | EventBody::ReviewOpened(_)
            | EventBody::StatementRecorded(_)
            | EventBody::ReviewClosed(_) => About::Other,
        }
    }

    fn record(&mut self, id: CommitmentId, data: &CommitmentRecorded, at: Moment) -> Slot {
        let mut facts = Facts::new(id, self.party(&data.lead), data.form, at);
        facts.title = self.titles.push(&data.title);
        facts.set_actions(&self.action_numbers(&data.actions));
        facts.made = data.made;
        facts.original_due = data.due;
        facts.due = data.due;
        facts.nature = data.nature;
        let measure = data.measure.as_ref();
        facts.flags.set(
            Flags::BASELINE,
            measure.is_some_and(|measure| measure.baseline.is_some()),
        );
        facts.flags.set(
            Flags::TARGET,
            measure.is_some_and(|measure| measure.target.is_some()),
        );
        facts.flags.set(Flags::ILLUSTRATIVE, data.illustrative);
        let participations = data.participants.iter().map(|participant| Participation {
            party: self.party(&participant.party),
            role: match participant.role {
                ParticipantRole::Partner => ParticipationRole::Partner,
                ParticipantRole::Supporter => ParticipationRole::Supporter,
            },
            claimed: true,
        });
        facts.set_participations(participations.collect());
        let slot = self.insert(facts);
        self.change(Some(slot), at, |_| ());
        slot
    }

    /// Gives a commitment the next slot.
    pub(super) fn insert(&mut self, facts: Facts) -> Slot {
        let slot = number(self.commitments.len());
        let id = facts.id;
        self.commitments.push(facts);
        let commitments = &self.commitments;
        self.slots.insert_unique(hash(id), slot, |&slot| {
            commitments.get(slot).map_or(0, |facts| hash(facts.id))
        });
        slot
    }

    fn report(
        &mut self,
        slot: Option<Slot>,
        reporter: &PartyId,
        data: &ProgressReported,
        at: Moment,
    ) -> About {
        let key = ReportKey {
            reporter: self.party(reporter),
            from: data.period.from,
            to: data.period.to,
        };
        let about = self.change(slot, at, |facts| {
            facts.report(key, data.stage, !data.evidence.is_empty(), at);
        });
        if about == About::Commitment {
            About::Reported
        } else {
            about
        }
    }

    fn amend(&mut self, slot: Option<Slot>, data: &CommitmentAmended, at: Moment) -> About {
        let title = data.title.as_ref().map(|title| self.titles.push(title));
        let actions = data
            .actions
            .as_ref()
            .map(|actions| self.action_numbers(actions));
        self.change(slot, at, |facts| {
            facts.title = title.unwrap_or(facts.title);
            if let Some(actions) = actions {
                facts.set_actions(&actions);
            }
            if let Some(measure) = &data.measure {
                let (baseline, target) = (measure.baseline.is_some(), measure.target.is_some());
                facts.flags.set(
                    Flags::BASELINE,
                    facts.flags.has(Flags::BASELINE) || baseline,
                );
                facts
                    .flags
                    .set(Flags::TARGET, facts.flags.has(Flags::TARGET) || target);
            }
            facts.due = data.due.or(facts.due);
            // A commitment that had no due date is measured against the first one it was given.
            facts.original_due = facts.original_due.or(data.due);
            facts.nature = data.nature.or(facts.nature);
            // Once weakened, always weakened: a later amendment does not undo that the pledge was moved.
            facts
                .flags
                .set(Flags::WEAKENED, facts.is_weakened() || data.weakened);
        })
    }

    fn change(&mut self, slot: Option<Slot>, at: Moment, change: impl FnOnce(&mut Facts)) -> About {
        let Some((slot, facts)) =
            slot.and_then(|slot| Some((slot, self.commitments.get_mut(slot)?)))
        else {
            return About::Other;
        };
        change(facts);
        facts.changed_position = at.position;
        if !facts.flags.has(Flags::UNSAVED) {
            facts.flags.set(Flags::UNSAVED, true);
            self.unsaved.commitments.push(slot);
        }
        About::Commitment
    }

    fn change_party(
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

    fn change_action(&mut self, action: ActionIndex, change: impl FnOnce(&mut ActionEntry)) {
        if let Some(entry) = entry_at_mut(&mut self.actions, action) {
            change(entry);
        }
        self.unsaved.actions.push(action);
    }

    fn catalogue(&mut self, instrument: Option<&InstrumentId>, data: &ActionCatalogued) -> About {
        let action = self.action_number(&data.code);
        let instrument = instrument.map(|id| self.instrument(id));
        let parent = data
            .parent
            .as_ref()
            .map(|parent| self.action_number(parent));
        let before = self.action(action).and_then(|entry| entry.parent);
        self.change_action(action, |entry| {
            entry.title = Some(data.title.clone());
            entry.instrument = instrument;
            entry.parent = parent;
            entry.text_status = Some(data.text_status);
        });
        if let Some(entry) = before.and_then(|before| entry_at_mut(&mut self.actions, before)) {
            entry.children.retain(|child| *child != action);
        }
        if let Some(entry) = parent.and_then(|parent| entry_at_mut(&mut self.actions, parent)) {
            entry.children.push(action);
        }
        // An objective shows how many actions stand under it, at whatever level.
        let ends: SmallVec<[ActionIndex; 2]> = before.into_iter().chain([action]).collect();
        About::Actions(self.lineages(&ends).into_vec())
    }

    fn map(&mut self, from: &ActionCode, to: &[ActionCode]) -> About {
        let from = self.action_number(from);
        let to = self.action_numbers(to);
        for &target in &to {
            let known = self.maps_to(from).contains(&target);
            if let (false, Some(entry)) = (known, entry_at_mut(&mut self.actions, target)) {
                entry.mapped_from.push(from);
                self.change_action(from, |entry| entry.maps_to.push(target));
            }
        }
        About::Actions(to.into_iter().chain([from]).collect())
    }

    pub(super) fn party(&mut self, id: &PartyId) -> PartyIndex {
        if let Some(&party) = self.party_numbers.get(id) {
            return party;
        }
        let party = number(self.parties.len());
        self.parties.push(PartyEntry {
            id: id.clone(),
            kind: None,
            country: None,
            active: false,
        });
        self.party_numbers.insert(id.clone(), party);
        self.unsaved.parties.push(party);
        party
    }

    pub(super) fn action_number(&mut self, code: &ActionCode) -> ActionIndex {
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
    fn action_numbers(&mut self, codes: &[ActionCode]) -> SmallVec<[ActionIndex; 4]> {
        let mut numbers = SmallVec::new();
        for code in codes {
            let action = self.action_number(code);
            if !numbers.contains(&action) {
                numbers.push(action);
            }
        }
        numbers
    }

    pub(super) fn instrument(&mut self, id: &InstrumentId) -> InstrumentIndex {
        if let Some(known) = self.instruments.iter().position(|other| other == id) {
            return number(known);
        }
        let instrument = number(self.instruments.len());
        self.instruments.push(id.clone());
        self.unsaved.instruments.push(instrument);
        instrument
    }
}

fn party_of(event: &Event) -> Option<&PartyId> {
    match &event.header.subject {
        Subject::Party(id) => Some(id),
        Subject::Commitment(_)
        | Subject::Instrument(_)
        | Subject::Partner(_)
        | Subject::Review(_)
        | Subject::Ledger => None,
    }
}

fn instrument_of(event: &Event) -> Option<&InstrumentId> {
    match &event.header.subject {
        Subject::Instrument(id) => Some(id),
        Subject::Commitment(_)
        | Subject::Party(_)
        | Subject::Partner(_)
        | Subject::Review(_)
        | Subject::Ledger => None,
    }
}
