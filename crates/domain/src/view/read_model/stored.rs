//! The row of one commitment. Derived facts (stage, last report, most flags) are not in it.

use super::codec::{RowReader, RowWriter};
use super::event_time::{EventTime, Second};
use super::facts::{CommitmentFacts, Flags, PartState, Participation, Status};
use super::index::PartyIndex;
use super::scrutiny::Scrutiny;
use super::shared::SharedTables;
use crate::ids::CommitmentId;
use crate::view::error::RestoreError;
use crate::wire::v1::view::{MilestoneRow, ParticipationRole};
use crate::wire::v1::{Form, Nature, Outcome};

impl CommitmentFacts {
    pub(crate) fn encode(&self, title: &str, shared: &SharedTables, row: &mut RowWriter) {
        self.encode_name(title, row);
        self.encode_rest(shared, row);
    }

    /// Writes the id and the title: what comes first.
    pub(crate) fn encode_name(&self, title: &str, row: &mut RowWriter) {
        row.array(self.id.0.as_bytes());
        row.text(title);
    }

    /// Writes what comes after them.
    pub(crate) fn encode_rest(&self, shared: &SharedTables, row: &mut RowWriter) {
        row.u64(self.recorded_position);
        row.u64(self.changed_position);
        row.u32(self.recorded.get());
        row.u32(self.lead);
        row.count(self.actions().len());
        self.actions().iter().for_each(|&action| row.u32(action));
        for date in [self.made, self.original_due, self.due] {
            row.date(date);
        }
        row.u8(self.status.code());
        row.word(Form::ALL, Some(self.form));
        row.word(Nature::ALL, self.nature);
        row.u32(self.flags.0 & Flags::KEPT);
        shared.reports.encode(self.reports, row);
        self.encode_cold(shared, row);
    }

    fn encode_cold(&self, shared: &SharedTables, row: &mut RowWriter) {
        row.u8(u8::from(self.cold.is_some()));
        if self.cold.is_none() {
            return;
        }
        row.count(self.participations().len());
        for part in self.participations() {
            row.u32(part.party);
            row.u8(role_code(part.role));
            row.u8(match part.state {
                PartState::Confirmed => 0,
                PartState::Claimed => 1,
                PartState::Left => 2,
            });
        }
        let milestones = self.milestones();
        row.u32(milestones.named);
        row.u32(milestones.reached);
        row.u8(u8::from(self.scrutiny().is_some()));
        if let Some(scrutiny) = self.scrutiny() {
            scrutiny.encode(shared, row);
        }
    }

    /// Reads what [`CommitmentFacts::encode`] wrote, and the title beside it.
    pub(crate) fn decode<'a>(
        row: &mut RowReader<'a>,
        shared: &mut SharedTables,
    ) -> Result<(Self, &'a str), RestoreError> {
        let id = CommitmentId(uuid::Uuid::from_bytes(row.array()?));
        let title = row.text()?;
        let position = row.u64()?;
        let at = EventTime {
            position,
            recorded_us: 0,
        };
        let mut facts = Self::new(id, 0, Form::Individual, at);
        facts.changed_position = row.u64()?;
        facts.recorded = Second::new(row.u32()?);
        facts.lead = row.u32()?;
        let actions = (0..row.count()?).map(|_| row.u32());
        facts.set_actions(&actions.collect::<Result<Vec<_>, _>>()?);
        facts.made = row.date()?;
        facts.original_due = row.date()?;
        facts.due = row.date()?;
        facts.status = Status::from_code(row.u8()?).ok_or_else(|| row.damaged())?;
        facts.form = row.word(Form::ALL)?.ok_or_else(|| row.damaged())?;
        facts.nature = row.word(Nature::ALL)?;
        facts.flags = Flags(row.u32()? & Flags::KEPT);
        facts.reports = shared.reports.decode(row)?;
        if row.u8()? == 1 {
            facts.decode_cold(row, shared)?;
        }
        facts.settle(&shared.reports);
        Ok((facts, title))
    }

    fn decode_cold(
        &mut self,
        row: &mut RowReader<'_>,
        shared: &mut SharedTables,
    ) -> Result<(), RestoreError> {
        self.add_participations(&read_participations(row)?);
        let milestones = MilestoneRow {
            named: row.u32()?,
            reached: row.u32()?,
        };
        let scrutinised = row.u8()? == 1;
        let cold = self.cold.get_or_insert_default();
        cold.milestones = milestones;
        if scrutinised {
            cold.scrutiny = Some(Box::new(Scrutiny::decode(row, shared)?));
        }
        Ok(())
    }

    /// Returns true when every index lies inside the tables.
    pub(crate) fn is_within(&self, parties: usize, actions: usize) -> bool {
        let party = |index: PartyIndex| usize::try_from(index).is_ok_and(|index| index < parties);
        party(self.lead)
            && self
                .actions()
                .iter()
                .all(|&index| usize::try_from(index).is_ok_and(|index| index < actions))
            && self.participations().iter().all(|part| party(part.party))
            && self
                .scrutiny()
                .is_none_or(|scrutiny| scrutiny.parties().all(party))
    }
}

impl Status {
    fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Active,
            1 => Self::Suspended,
            2 => Self::Withdrawn,
            3 => Self::Superseded,
            4 => Self::Closed(Outcome::Fulfilled),
            5 => Self::Closed(Outcome::PartlyFulfilled),
            6 => Self::Closed(Outcome::NotFulfilled),
            7 => Self::Lapsed,
            _ => return None,
        })
    }

    fn code(self) -> u8 {
        match self {
            Self::Active => 0,
            Self::Suspended => 1,
            Self::Withdrawn => 2,
            Self::Superseded => 3,
            Self::Closed(Outcome::Fulfilled) => 4,
            Self::Closed(Outcome::PartlyFulfilled) => 5,
            Self::Closed(Outcome::NotFulfilled) => 6,
            Self::Lapsed => 7,
        }
    }
}

fn role_code(role: ParticipationRole) -> u8 {
    match role {
        ParticipationRole::Lead => 0,
        ParticipationRole::Partner => 1,
        ParticipationRole::Supporter => 2,
    }
}

fn read_participations(row: &mut RowReader<'_>) -> Result<Vec<Participation>, RestoreError> {
    let mut participations = Vec::new();
    for _ in 0..row.count()? {
        let party = row.u32()?;
        let role = match row.u8()? {
            0 => ParticipationRole::Lead,
            1 => ParticipationRole::Partner,
            2 => ParticipationRole::Supporter,
            _ => return Err(row.damaged()),
        };
        let state = match row.u8()? {
            0 => PartState::Confirmed,
            1 => PartState::Claimed,
            2 => PartState::Left,
            _ => return Err(row.damaged()),
        };
        participations.push(Participation { party, role, state });
    }
    Ok(participations)
}
