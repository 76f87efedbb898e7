//! What the views know of one commitment. Millions are held at once, so this is small: what repeats is an index into the book's
//! tables, and what few commitments have stands aside in one box.

use chrono::NaiveDate;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};
use smallvec::SmallVec;

use super::RestoreError;
use super::body::second_text;
use super::book::{ActionIndex, Book, PartyIndex};
use super::codec::{RowReader, RowWriter};
use super::envelope::Timeliness;
use super::fold::Moment;
use super::list::{CommitmentRow, ParticipationRole};
use crate::date::PartialDate;
use crate::ids::CommitmentId;
use crate::wire::v1::{Form, Nature, Stage};

/// One commitment as the views count it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Facts {
    pub(crate) id: CommitmentId,
    pub(crate) title: Box<str>,
    pub(crate) recorded_position: u64,
    pub(crate) changed_position: u64,
    pub(crate) recorded_s: i64,
    /// When a participant's last report was recorded.
    pub(crate) last_report_s: Option<i64>,
    pub(crate) lead: PartyIndex,
    pub(crate) actions: SmallVec<[ActionIndex; 4]>,
    /// What most commitments do not have.
    pub(crate) rare: Option<Box<Rare>>,
    pub(crate) made: Option<PartialDate>,
    pub(crate) original_due: Option<PartialDate>,
    pub(crate) due: Option<PartialDate>,
    /// The end of the period that `stage` was reported for.
    pub(crate) stage_period_end: Option<PartialDate>,
    /// What the lead reported for the latest period; none before its first report.
    pub(crate) stage: Option<Stage>,
    pub(crate) form: Form,
    pub(crate) nature: Option<Nature>,
    pub(crate) flags: Flags,
}

/// Participants other than the lead, and the standing reports that name evidence.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rare {
    pub(crate) participations: Vec<Participation>,
    evidenced: Vec<ReportKey>,
}

/// A party's part in a commitment it does not lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Participation {
    pub(crate) party: PartyIndex,
    pub(crate) role: ParticipationRole,
    /// Named by the lead, not confirmed by the party.
    pub(crate) claimed: bool,
}

/// What makes two reports on one commitment the same report, the later one correcting the earlier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ReportKey {
    pub(crate) reporter: PartyIndex,
    pub(crate) from: PartialDate,
    pub(crate) to: PartialDate,
}

/// Yes-or-no facts, one bit each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flags(u8);

impl Flags {
    pub(crate) const BASELINE: Self = Self(1);
    pub(crate) const TARGET: Self = Self(1 << 1);
    pub(crate) const WEAKENED: Self = Self(1 << 2);
    pub(crate) const ILLUSTRATIVE: Self = Self(1 << 3);
    pub(crate) const WITHDRAWN: Self = Self(1 << 4);
    /// The facts differ from the row that was taken last.
    pub(crate) const UNSAVED: Self = Self(1 << 5);

    pub(crate) fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    pub(crate) fn set(&mut self, flag: Self, on: bool) {
        if on {
            self.0 |= flag.0;
        } else {
            self.0 &= !flag.0;
        }
    }
}

impl Facts {
    pub(crate) fn is_active(&self) -> bool {
        !self.flags.has(Flags::WITHDRAWN)
    }

    /// Progress can be measured: there is a baseline, a target and a due date.
    pub(crate) fn is_measurable(&self) -> bool {
        self.flags.has(Flags::BASELINE) && self.flags.has(Flags::TARGET) && self.due.is_some()
    }

    pub(crate) fn is_weakened(&self) -> bool {
        self.flags.has(Flags::WEAKENED)
    }

    pub(crate) fn is_illustrative(&self) -> bool {
        self.flags.has(Flags::ILLUSTRATIVE)
    }

    /// A standing report of some participant names evidence.
    pub(crate) fn has_evidence(&self) -> bool {
        self.rare
            .as_ref()
            .is_some_and(|rare| !rare.evidenced.is_empty())
    }

    /// The participations of others than the lead.
    pub(crate) fn participations(&self) -> &[Participation] {
        self.rare.as_ref().map_or(&[], |rare| &rare.participations)
    }

    pub(crate) fn set_participations(&mut self, participations: Vec<Participation>) {
        if !participations.is_empty() || self.rare.is_some() {
            self.rare.get_or_insert_default().participations = participations;
        }
    }

    /// Takes in a report or the correction of one.
    ///
    /// The stage is the lead's own word on the latest period: a report filed late on an earlier period does not set it back, and
    /// the correction of an earlier period leaves it alone.
    pub(crate) fn report(&mut self, key: ReportKey, stage: Stage, evidence: bool, at: Moment) {
        self.last_report_s = Some(at.second());
        if key.reporter == self.lead
            && self
                .stage_period_end
                .is_none_or(|end| end.last_day() <= key.to.last_day())
        {
            self.stage = Some(stage);
            self.stage_period_end = Some(key.to);
        }
        if evidence {
            let evidenced = &mut self.rare.get_or_insert_default().evidenced;
            if !evidenced.contains(&key) {
                evidenced.push(key);
            }
        } else if let Some(rare) = &mut self.rare {
            rare.evidenced.retain(|other| *other != key);
        }
    }

    /// Counts the commitment if it is late on `today`. A commitment reported as fulfilled owes nothing more.
    pub(crate) fn count_timeliness(
        &self,
        today: NaiveDate,
        stale_before: NaiveDate,
        counts: &mut Timeliness,
    ) {
        if !self.is_active() {
            return;
        }
        if self.last_report_s.is_none() {
            counts.never_reported += 1;
        }
        if self.stage == Some(Stage::Fulfilled) {
            return;
        }
        let past =
            |due: Option<PartialDate>| u64::from(due.is_some_and(|due| due.last_day() < today));
        counts.overdue_original += past(self.original_due);
        counts.overdue_amended += past(self.due);
        let reported = self
            .last_report_s
            .and_then(|second| chrono::DateTime::from_timestamp(second, 0));
        counts.stale += u64::from(reported.is_some_and(|time| time.date_naive() < stale_before));
    }

    pub(crate) fn stage_text(&self) -> &'static str {
        self.stage.map_or("none_reported", Stage::as_str)
    }

    /// The commitment as a list shows it.
    pub(crate) fn row(
        &self,
        book: &Book,
        role: Option<(ParticipationRole, bool)>,
    ) -> CommitmentRow {
        let text = |date: Option<PartialDate>| date.map(|date| date.to_string());
        CommitmentRow {
            commitment: self.id.to_string(),
            title: self.title.to_string(),
            lead: book.party_text(self.lead),
            role: role.map(|(role, _)| role),
            claimed: role.is_some_and(|(_, claimed)| claimed),
            actions: self
                .actions
                .iter()
                .map(|&action| book.action_text(action))
                .collect(),
            status: if self.is_active() {
                "active"
            } else {
                "withdrawn"
            }
            .to_owned(),
            stage: self.stage_text().to_owned(),
            measurable: self.is_measurable(),
            evidence: self.has_evidence(),
            weakened: self.is_weakened(),
            illustrative: self.is_illustrative(),
            made: text(self.made),
            due: text(self.due),
            original_due: text(self.original_due.filter(|_| self.original_due != self.due)),
            last_report: self.last_report_s.map(second_text),
            recorded: second_text(self.recorded_s),
            position: self.recorded_position.to_string(),
            changed: self.changed_position.to_string(),
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut row = RowWriter::new();
        row.array(self.id.0.as_bytes());
        row.text(&self.title);
        row.u64(self.recorded_position);
        row.u64(self.changed_position);
        row.i64(self.recorded_s);
        row.u8(u8::from(self.last_report_s.is_some()));
        row.i64(self.last_report_s.unwrap_or_default());
        row.u32(self.lead);
        row.count(self.actions.len());
        self.actions.iter().for_each(|&action| row.u32(action));
        for date in [
            self.made,
            self.original_due,
            self.due,
            self.stage_period_end,
        ] {
            write_date(&mut row, date);
        }
        row.text(self.stage.map_or("", Stage::as_str));
        row.text(self.form.as_str());
        row.text(self.nature.map_or("", Nature::as_str));
        let mut flags = self.flags;
        flags.set(Flags::UNSAVED, false);
        row.u8(flags.0);
        let rare = self.rare.as_deref();
        let participations = self.participations();
        row.count(participations.len());
        for part in participations {
            row.u32(part.party);
            row.u8(match part.role {
                ParticipationRole::Lead => 0,
                ParticipationRole::Partner => 1,
                ParticipationRole::Supporter => 2,
            });
            row.u8(u8::from(part.claimed));
        }
        let evidenced = rare.map_or(&[][..], |rare| &rare.evidenced);
        row.count(evidenced.len());
        for key in evidenced {
            row.u32(key.reporter);
            write_date(&mut row, Some(key.from));
            write_date(&mut row, Some(key.to));
        }
        row.finish()
    }

    pub(crate) fn decode(value: &[u8]) -> Result<Self, RestoreError> {
        let mut row = RowReader::new("commitment", value)?;
        let id = CommitmentId(uuid::Uuid::from_bytes(row.array()?));
        let title = row.text()?.into();
        let recorded_position = row.u64()?;
        let changed_position = row.u64()?;
        let recorded_s = row.i64()?;
        let reported = row.u8()? == 1;
        let last_report_s = Some(row.i64()?).filter(|_| reported);
        let lead = row.u32()?;
        let actions = (0..row.count()?)
            .map(|_| row.u32())
            .collect::<Result<_, _>>()?;
        let made = read_date(&mut row)?;
        let original_due = read_date(&mut row)?;
        let due = read_date(&mut row)?;
        let stage_period_end = read_date(&mut row)?;
        let stage = read_name(&mut row)?;
        let form = read_name(&mut row)?.ok_or_else(|| row.damaged())?;
        let nature = read_name(&mut row)?;
        let flags = Flags(row.u8()?);
        let rare = read_rare(&mut row)?;
        row.finish()?;
        Ok(Self {
            id,
            title,
            recorded_position,
            changed_position,
            recorded_s,
            last_report_s,
            lead,
            actions,
            rare,
            made,
            original_due,
            due,
            stage_period_end,
            stage,
            form,
            nature,
            flags,
        })
    }

    /// Whether every index lies inside the book's tables.
    pub(crate) fn is_within(&self, parties: usize, actions: usize) -> bool {
        let party = |index: PartyIndex| usize::try_from(index).is_ok_and(|index| index < parties);
        let evidenced = self.rare.as_deref().map_or(&[][..], |rare| &rare.evidenced);
        party(self.lead)
            && self
                .actions
                .iter()
                .all(|&index| usize::try_from(index).is_ok_and(|index| index < actions))
            && self.participations().iter().all(|part| party(part.party))
            && evidenced.iter().all(|key| party(key.reporter))
    }
}

fn write_date(row: &mut RowWriter, date: Option<PartialDate>) {
    match date {
        Some(date) => row.text(&date.to_string()),
        None => row.text(""),
    }
}

fn read_date(row: &mut RowReader<'_>) -> Result<Option<PartialDate>, RestoreError> {
    read_name(row)
}

/// Reads something by its word on the wire; an empty word stands for none.
pub(crate) fn read_name<T: DeserializeOwned>(
    row: &mut RowReader<'_>,
) -> Result<Option<T>, RestoreError> {
    let name = row.text()?;
    if name.is_empty() {
        return Ok(None);
    }
    let name: StrDeserializer<'_, serde::de::value::Error> = name.into_deserializer();
    T::deserialize(name).map(Some).map_err(|_| row.damaged())
}

fn read_rare(row: &mut RowReader<'_>) -> Result<Option<Box<Rare>>, RestoreError> {
    let mut rare = Rare::default();
    for _ in 0..row.count()? {
        let party = row.u32()?;
        let role = match row.u8()? {
            0 => ParticipationRole::Lead,
            1 => ParticipationRole::Partner,
            2 => ParticipationRole::Supporter,
            _ => return Err(row.damaged()),
        };
        rare.participations.push(Participation {
            party,
            role,
            claimed: row.u8()? == 1,
        });
    }
    for _ in 0..row.count()? {
        let reporter = row.u32()?;
        let from = read_date(row)?.ok_or_else(|| row.damaged())?;
        let to = read_date(row)?.ok_or_else(|| row.damaged())?;
        rare.evidenced.push(ReportKey { reporter, from, to });
    }
    let empty = rare.participations.is_empty() && rare.evidenced.is_empty();
    Ok((!empty).then(|| Box::new(rare)))
}
