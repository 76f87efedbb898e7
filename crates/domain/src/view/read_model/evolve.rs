//! Changes of the facts by an event.

use smallvec::SmallVec;

use super::event_ref::EventRef;
use super::event_time::EventTime;
use super::evidence::{AddedTo, has_digests};
use super::facts::{CommitmentFacts, Flags, PartState, Participation, Status};
use super::index::{Slot, entry_at, number};
use super::reference::{instrument_of, party_of};
use super::reports::Report;
use super::shared::SharedTables;
use super::tables::{About, Tables, hash};
use crate::ids::{CommitmentId, PartyId, Position};
use crate::wire::v1::view::ParticipationRole;
use crate::wire::v1::{
    AmbitionAssessed, AssessmentRevised, CommitmentAmended, CommitmentRecorded, ContestOutcome,
    ContestResolved, EventBody, EventType, EvidenceAttached, EvidenceDigested, MilestoneReached,
    NamedEvidence, Outcome, Participant, ParticipantRole, PartyStatus, ProgressAssessed,
    ProgressReported, ReportContested, ReportCorrected,
};

impl Tables {
    /// Moves the watermark to an event, unless it was taken in before.
    pub(crate) fn advance(&mut self, event: &EventRef<'_>) -> Option<EventTime> {
        let moment = event.at;
        if self
            .watermark
            .is_some_and(|watermark| moment.position <= watermark.position)
        {
            return None;
        }
        self.watermark = Some(moment);
        self.unsaved.watermark = true;
        self.count_event(event.body.event_type());
        Some(moment)
    }

    pub(crate) fn count_event(&mut self, kind: EventType) {
        match self.events.iter_mut().find(|(other, _)| *other == kind) {
            Some((_, count)) => *count += 1,
            None => self.events.push((kind, 1)),
        }
    }

    /// The commitments whose standing in the views an event may change: its own; and, where a party or an action is made known only
    /// after commitments named it, all of those.
    pub(crate) fn slots_of(&self, event: &EventRef<'_>) -> SmallVec<[Slot; 1]> {
        let naming = |names: &dyn Fn(&CommitmentFacts) -> bool| {
            (0..)
                .zip(self.commitments.iter())
                .filter(|(_, facts)| names(facts))
                .map(|(slot, _)| slot)
                .collect()
        };
        if let EventBody::PartyRegistered(_) = event.body {
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
        if let EventBody::ActionCatalogued(data) = event.body {
            return match self.action_numbers.get(&data.code) {
                Some(action) => naming(&|facts| self.lineages(facts.actions()).contains(action)),
                None => SmallVec::new(),
            };
        }
        let Some((id, slot)) = event
            .subject
            .commitment()
            .and_then(|id| Some((id, self.slot(id)?)))
        else {
            return SmallVec::new();
        };
        let mut slots = SmallVec::new();
        if let EventBody::CommitmentWithdrawn(_) | EventBody::CommitmentReinstated(_) = event.body {
            slots = self.predecessors_of(id);
        }
        slots.push(slot);
        slots.sort_unstable();
        slots.dedup();
        slots
    }

    /// The commitments that this one took the place of.
    fn predecessors_of(&self, id: CommitmentId) -> SmallVec<[Slot; 1]> {
        let superseded_by = |slot: &Slot| {
            let scrutiny = self.facts(*slot).and_then(CommitmentFacts::scrutiny);
            scrutiny.is_some_and(|scrutiny| scrutiny.successor == Some(id))
        };
        let known = self.predecessors.get(&id).into_iter().flatten().copied();
        known.filter(superseded_by).collect()
    }

    /// Takes an event into the facts. `slots` is what [`Tables::slots_of`] said of it.
    pub(crate) fn evolve(&mut self, event: &EventRef<'_>, slots: &[Slot]) -> About {
        let at = event.at;
        let slot = self.own_slot(event, slots);
        let party = event.party;
        match event.body {
            EventBody::CommitmentRecorded(data) => match (slot, event.subject.commitment()) {
                (None, Some(id)) => About::Recorded(self.record(id, data, at)),
                (Some(_), _) | (None, None) => About::Other,
            },
            EventBody::ProgressReported(data) => self.report(slot, party, data, at),
            EventBody::ReportCorrected(data) => self.correct(slot, party, data, at),
            EventBody::ReportRetracted(data) => self.retract(slot, party, data.report, at),
            EventBody::ReportContested(data) => self.contest(slot, party, data, at),
            EventBody::ContestAnswered(_) => self.change(slot, at, |_, _| ()),
            EventBody::ContestResolved(data) => self.resolve(slot, data, at),
            EventBody::ReportValidated(data) => self.check(slot, data.report, true, at),
            EventBody::ReportReturned(data) => self.check(slot, data.report, false, at),
            EventBody::CommitmentAmended(data) => self.amend(slot, data, at),
            EventBody::CommitmentSuspended(_) => self.move_to(slot, Status::Suspended, at),
            EventBody::CommitmentResumed(_) => self.move_to(slot, Status::Active, at),
            EventBody::CommitmentReinstated(_) => {
                self.tell_predecessors(slots, slot, false, at);
                self.move_to(slot, Status::Active, at)
            }
            EventBody::CommitmentWithdrawn(_) => {
                self.tell_predecessors(slots, slot, true, at);
                self.move_to(slot, Status::Withdrawn, at)
            }
            EventBody::CommitmentLapsed(_) => self.move_to(slot, Status::Lapsed, at),
            EventBody::CommitmentSuperseded(data) => self.supersede(slot, data.successor, at),
            EventBody::CommitmentClosed(data) => self.close(slot, data.outcome, at),
            EventBody::ParticipationConfirmed(_) => {
                self.set_part(slot, party, PartState::Confirmed, at)
            }
            EventBody::CommitmentLeft(_) => self.set_part(slot, party, PartState::Left, at),
            EventBody::MilestoneReached(data) => self.reach_milestone(slot, party, data, at),
            EventBody::ProgressAssessed(data) => self.assess_progress(slot, party, data, at),
            EventBody::AmbitionAssessed(data) => self.assess_ambition(slot, party, data, at),
            EventBody::AssessmentRevised(data) => self.revise(slot, data, at),
            EventBody::EvidenceAttached(data) => self.attach(slot, party, data, at),
            EventBody::EvidenceDigested(data) => self.digest(slot, data, at),
            EventBody::EvidenceMoved(data) => {
                let named = NamedEvidence::of(data.sha256, data.evidence);
                self.find_evidence(slot, named, true, at)
            }
            EventBody::EvidenceFlaggedUnavailable(data) => {
                let named = NamedEvidence::of(data.sha256, data.evidence);
                self.find_evidence(slot, named, false, at)
            }
            EventBody::PartyRegistered(data) => self.register_party(event, data),
            EventBody::PartyAmended(data) => {
                self.change_party(party_of(event), |entry| entry.rename(&data.name))
            }
            EventBody::PartyStatusChanged(data) => self.change_party(party_of(event), |entry| {
                entry.active = data.status == PartyStatus::Active;
            }),
            EventBody::InstrumentPublished(_) => self.publish(event),
            EventBody::ActionCatalogued(data) => self.catalogue(instrument_of(event), data),
            EventBody::ActionTextAmended(data) => self.amend_action(data),
            EventBody::ActionsMapped(data) => self.map(&data.from, &data.to),
            EventBody::LedgerOpened(_)
            | EventBody::PartnerRegistered(_)
            | EventBody::PartnerChanged(_)
            | EventBody::PartnerRevoked(_)
            | EventBody::ReviewOpened(_)
            | EventBody::ReviewClosed(_) => About::Other,
            EventBody::StatementRecorded(data) => self.speak(&data.speaker, at),
        }
    }

    /// The commitment that an event is about, of those that it touches.
    fn own_slot(&self, event: &EventRef<'_>, slots: &[Slot]) -> Option<Slot> {
        match slots {
            [] => None,
            [slot] => Some(*slot),
            _ => event.subject.commitment().and_then(|id| self.slot(id)),
        }
    }

    fn record(&mut self, id: CommitmentId, data: &CommitmentRecorded, at: EventTime) -> Slot {
        let mut facts = CommitmentFacts::new(id, self.party(&data.lead), data.form, at);
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
        facts.add_participations(&self.claimed(&data.participants));
        facts.name_milestones(data.milestones.len());
        let slot = self.insert(facts);
        self.change(Some(slot), at, |_, _| ());
        slot
    }

    /// The parts that a lead named: claimed until their parties confirm them.
    fn claimed(&mut self, participants: &[Participant]) -> Vec<Participation> {
        let mut parts = Vec::with_capacity(participants.len());
        for participant in participants {
            parts.push(Participation {
                party: self.party(&participant.party),
                role: match participant.role {
                    ParticipantRole::Partner => ParticipationRole::Partner,
                    ParticipantRole::Supporter => ParticipationRole::Supporter,
                },
                state: PartState::Claimed,
            });
        }
        parts
    }

    /// Gives a commitment the next slot.
    pub(crate) fn insert(&mut self, facts: CommitmentFacts) -> Slot {
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
        at: EventTime,
    ) -> About {
        let report = self.report_of(slot, reporter, data, at);
        let reporter = self.party_numbers.get(reporter).copied();
        reported(self.change(slot, at, |facts, shared| {
            facts.add_report(report, &mut shared.reports);
            if let Some(reporter) = reporter {
                facts.confirm_part(reporter);
                if let Some(scrutiny) = facts.scrutiny_mut() {
                    scrutiny.contests.reported(reporter, data.period, at);
                }
            }
            facts.name_evidence(&data.evidence);
        }))
    }

    fn correct(
        &mut self,
        slot: Option<Slot>,
        reporter: &PartyId,
        data: &ReportCorrected,
        at: EventTime,
    ) -> About {
        let report = self.report_of(slot, reporter, &data.report, at);
        let reporter = self.party_numbers.get(reporter).copied();
        reported(self.change(slot, at, |facts, shared| {
            if let Some(reporter) = reporter {
                facts.confirm_part(reporter);
            }
            facts.correct_report(data.corrects.0, report, &mut shared.reports);
            if let Some(scrutiny) = facts.scrutiny_mut() {
                scrutiny.report_corrected(data.corrects.0, at.position);
            }
            facts.name_evidence(&data.report.evidence);
        }))
    }

    fn report_of(
        &self,
        slot: Option<Slot>,
        reporter: &PartyId,
        data: &ProgressReported,
        at: EventTime,
    ) -> Report {
        let lead = slot
            .and_then(|slot| entry_at(&self.parties, self.facts(slot)?.lead))
            .is_some_and(|lead| lead.id == *reporter);
        let mut report = Report::new(data.period, data.stage, at);
        report.set(Report::BY_LEAD, lead);
        report.set(Report::EVIDENCE, !data.evidence.is_empty());
        let (digested, _) = has_digests(&data.evidence);
        report.set(Report::DIGESTED, digested);
        report
    }

    fn retract(
        &mut self,
        slot: Option<Slot>,
        reporter: &PartyId,
        report: Position,
        at: EventTime,
    ) -> About {
        let reporter = self.party(reporter);
        self.change(slot, at, |facts, shared| {
            facts.retract_report(report.0, reporter, &mut shared.reports);
        })
    }

    fn contest(
        &mut self,
        slot: Option<Slot>,
        party: &PartyId,
        data: &ReportContested,
        at: EventTime,
    ) -> About {
        let party = self.party(party);
        self.change(slot, at, |facts, _| {
            facts.scrutinise().contests.open(party, data.report.0, at);
            facts.name_evidence(&data.evidence);
        })
    }

    /// A contest that is upheld stays with its report until that is corrected or retracted.
    fn resolve(&mut self, slot: Option<Slot>, data: &ContestResolved, at: EventTime) -> About {
        self.change(slot, at, |facts, shared| {
            let scrutiny = facts.scrutiny_mut();
            let report = scrutiny.and_then(|scrutiny| scrutiny.contests.resolve(data.contest.0));
            let report = report.and_then(|report| facts.report_mut(report, &mut shared.reports));
            if let (Some(report), ContestOutcome::Upheld) = (report, data.outcome) {
                report.set(Report::CONTEST_UPHELD, true);
            }
        })
    }

    /// A report was validated, or returned: the later word on it counts.
    fn check(&mut self, slot: Option<Slot>, report: Position, valid: bool, at: EventTime) -> About {
        self.change(slot, at, |facts, shared| {
            if let Some(report) = facts.report_mut(report.0, &mut shared.reports) {
                report.set(Report::VALIDATED, valid);
                report.set(Report::RETURNED, !valid);
            }
        })
    }

    fn move_to(&mut self, slot: Option<Slot>, status: Status, at: EventTime) -> About {
        self.change(slot, at, |facts, _| {
            facts.status = status;
            facts.follow(None, false);
        })
    }

    fn close(&mut self, slot: Option<Slot>, outcome: Outcome, at: EventTime) -> About {
        self.change(slot, at, |facts, shared| {
            facts.close(outcome, &shared.reports);
            facts.follow(None, false);
        })
    }

    fn supersede(&mut self, slot: Option<Slot>, successor: CommitmentId, at: EventTime) -> About {
        let withdrawn = self
            .slot(successor)
            .and_then(|slot| self.facts(slot))
            .is_some_and(|facts| facts.status == Status::Withdrawn);
        if let Some(slot) = slot {
            let known = self.predecessors.entry(successor).or_default();
            if !known.contains(&slot) {
                known.push(slot);
            }
        }
        self.change(slot, at, |facts, _| {
            facts.status = Status::Superseded;
            facts.follow(Some(successor), withdrawn);
        })
    }

    /// What the commitment at `own` took the place of shows whether that one is withdrawn.
    fn tell_predecessors(
        &mut self,
        slots: &[Slot],
        own: Option<Slot>,
        withdrawn: bool,
        at: EventTime,
    ) {
        for slot in slots.iter().copied().filter(|slot| Some(*slot) != own) {
            self.change(Some(slot), at, |facts, _| {
                facts.flags.set(Flags::SUCCESSOR_WITHDRAWN, withdrawn);
            });
        }
    }

    /// Says of a superseded commitment whether its successor was withdrawn by the event at a position, where the successor's events are not folded with it.
    pub(crate) fn follow_successor(
        &mut self,
        id: CommitmentId,
        withdrawn: bool,
        position: Position,
    ) {
        let slot = self.slot(id);
        if let Some(facts) = slot.and_then(|slot| self.commitments.get_mut(slot)) {
            facts.flags.set(Flags::SUCCESSOR_WITHDRAWN, withdrawn);
            facts.changed_position = facts.changed_position.max(position.0);
        }
    }

    fn set_part(
        &mut self,
        slot: Option<Slot>,
        party: &PartyId,
        state: PartState,
        at: EventTime,
    ) -> About {
        let party = self.party(party);
        self.change(slot, at, |facts, _| facts.set_part(party, state))
    }

    fn reach_milestone(
        &mut self,
        slot: Option<Slot>,
        party: &PartyId,
        data: &MilestoneReached,
        at: EventTime,
    ) -> About {
        let party = self.party_numbers.get(party).copied();
        self.change(slot, at, |facts, _| {
            if let Some(party) = party {
                facts.confirm_part(party);
            }
            facts.reach_milestone();
            facts.name_evidence(&data.evidence);
            facts.add_evidence(&data.evidence, at);
        })
    }

    fn assess_progress(
        &mut self,
        slot: Option<Slot>,
        assessor: &PartyId,
        data: &ProgressAssessed,
        at: EventTime,
    ) -> About {
        let assessor = self.party(assessor);
        self.change(slot, at, |facts, shared| {
            let method = shared.method_index(&data.method, &data.method_version);
            let assessments = &mut facts.scrutinise().assessments;
            assessments.progress_assessed(assessor, method, data, at);
            facts.name_evidence(&data.evidence);
        })
    }

    fn assess_ambition(
        &mut self,
        slot: Option<Slot>,
        assessor: &PartyId,
        data: &AmbitionAssessed,
        at: EventTime,
    ) -> About {
        let assessor = self.party(assessor);
        self.change(slot, at, |facts, shared| {
            let method = shared.method_index(&data.method, &data.method_version);
            let assessments = &mut facts.scrutinise().assessments;
            assessments.ambition_assessed(assessor, method, data, at);
        })
    }

    fn revise(&mut self, slot: Option<Slot>, data: &AssessmentRevised, at: EventTime) -> About {
        self.change(slot, at, |facts, _| {
            if let Some(scrutiny) = facts.scrutiny_mut() {
                scrutiny.assessments.revise(data, at);
            }
        })
    }

    /// Evidence was added to a report, or to the commitment itself. What an assessor adds is not the participants' evidence: theirs is still missing.
    /// Whoever says where it is to be found, it was found.
    fn attach(
        &mut self,
        slot: Option<Slot>,
        party: &PartyId,
        data: &EvidenceAttached,
        at: EventTime,
    ) -> About {
        let party = self.party_numbers.get(party).copied();
        self.change(slot, at, |facts, shared| {
            facts.name_evidence(&data.evidence);
            if !party.is_some_and(|party| facts.takes_part(party)) {
                return;
            }
            match data.report {
                None => facts.add_evidence(&data.evidence, at),
                Some(position) => {
                    let Some(report) = facts.report_mut(position.0, &mut shared.reports) else {
                        return;
                    };
                    report.set(Report::ATTACHED, true);
                    let (digested, undigested) = has_digests(&data.evidence);
                    let known = report.has(Report::ATTACHED_DIGESTED);
                    report.set(Report::ATTACHED_DIGESTED, known || digested);
                    if undigested {
                        let to = AddedTo::Report(position.0);
                        facts.scrutinise().evidence.added(at.position, to);
                    }
                }
            }
        })
    }

    /// Evidence was found, or was not.
    fn find_evidence(
        &mut self,
        slot: Option<Slot>,
        named: Option<NamedEvidence>,
        found: bool,
        at: EventTime,
    ) -> About {
        self.change(slot, at, |facts, _| {
            let Some(named) = named else { return };
            if !found {
                facts.scrutinise().evidence.not_found(named);
            } else if let Some(scrutiny) = facts.scrutiny_mut() {
                scrutiny.evidence.found(named);
            }
        })
    }

    /// Evidence was given a digest: what it was named of has digested evidence from now on, unless an assessor or a contest named it.
    fn digest(&mut self, slot: Option<Slot>, data: &EvidenceDigested, at: EventTime) -> About {
        self.change(slot, at, |facts, shared| {
            let words = &mut facts.scrutinise().evidence;
            let (mut report, mut flag) = (data.evidence.position.0, Report::DIGESTED);
            match words.digested(data.evidence, data.sha256) {
                Some(AddedTo::Commitment) => {
                    facts.flags.set(Flags::DIGESTED_BESIDE_REPORTS, true);
                    return;
                }
                Some(AddedTo::Report(to)) => (report, flag) = (to, Report::ATTACHED_DIGESTED),
                None => {}
            }
            if let Some(report) = facts.report_mut(report, &mut shared.reports) {
                report.set(flag, true);
            }
        })
    }

    fn amend(&mut self, slot: Option<Slot>, data: &CommitmentAmended, at: EventTime) -> About {
        let title = data.title.as_ref().map(|title| self.titles.push(title));
        let actions = data
            .actions
            .as_ref()
            .map(|actions| self.action_numbers(actions));
        let parts = self.claimed(&data.participants);
        self.change(slot, at, |facts, _| {
            facts.add_participations(&parts);
            facts.name_milestones(data.milestones.len());
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
            facts.made = data.made.or(facts.made);
            facts.form = data.form.unwrap_or(facts.form);
            // Once weakened, always weakened: a later amendment does not undo that the pledge was moved.
            facts
                .flags
                .set(Flags::WEAKENED, facts.is_weakened() || data.weakened);
        })
    }

    fn change(
        &mut self,
        slot: Option<Slot>,
        at: EventTime,
        change: impl FnOnce(&mut CommitmentFacts, &mut SharedTables),
    ) -> About {
        let Some((slot, facts)) =
            slot.and_then(|slot| Some((slot, self.commitments.get_mut(slot)?)))
        else {
            return About::Other;
        };
        change(facts, &mut self.shared);
        facts.settle(&self.shared.reports);
        facts.changed_position = at.position;
        if !facts.flags.has(Flags::UNSAVED) {
            facts.flags.set(Flags::UNSAVED, true);
            self.unsaved.commitments.push(slot);
        }
        About::Commitment
    }
}

/// What a report was about, if its commitment is known.
fn reported(about: About) -> About {
    if about == About::Commitment {
        About::Reported
    } else {
        about
    }
}
