//! What the views know of one commitment. Millions are held at once, so this is small: what repeats is an index into the book's
//! tables, and what few commitments have stands aside in one box.

use std::num::NonZeroU32;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};

use super::RestoreError;
use super::book::{ActionIndex, Book, PartyIndex};
use super::codec::{RowReader, RowWriter};
use super::dates::{Dates, EpochDay};
use super::fold::Moment;
use super::list::{CommitmentRow, ParticipationRole};
use super::table::TitleRef;
use crate::date::PartialDate;
use crate::ids::CommitmentId;
use crate::wire::v1::{Form, Nature, Stage};

/// Stands where a commitment has fewer than three actions.
const NO_ACTION: ActionIndex = ActionIndex::MAX;

/// One commitment as the views count it.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) id: CommitmentId,
    pub(crate) recorded_position: u64,
    pub(crate) changed_position: u64,
    pub(crate) title: TitleRef,
    pub(crate) recorded: Second,
    /// When a participant's last report was recorded.
    pub(crate) last_report: Option<Second>,
    pub(crate) lead: PartyIndex,
    pub(crate) made: Option<PartialDate>,
    pub(crate) original_due: Option<PartialDate>,
    pub(crate) due: Option<PartialDate>,
    /// The end of the period that `stage` was reported for.
    stage_period_end: Option<PartialDate>,
    /// The actions of a commitment that has no more than three, as nearly all do.
    few_actions: [ActionIndex; 3],
    /// A standing report that names evidence; further ones stand in `rare`.
    evidenced: Option<ReportKey>,
    rare: Option<Box<Rare>>,
    /// What the lead reported for the latest period; none before its first report.
    pub(crate) stage: Option<Stage>,
    pub(crate) form: Form,
    pub(crate) nature: Option<Nature>,
    pub(crate) flags: Flags,
}

/// What most commitments do not have.
#[derive(Debug, Default)]
struct Rare {
    /// Participations of others than the lead.
    participations: Vec<Participation>,
    /// All actions, where they are more than three.
    actions: Vec<ActionIndex>,
    /// Standing reports that name evidence, besides the first.
    evidenced: Vec<ReportKey>,
}

/// A recorded time to the second, in four bytes even where it is optional. It lasts until 2106.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Second(NonZeroU32);

impl Second {
    pub(crate) fn of(moment: Moment) -> Self {
        let second = moment.recorded_us.div_euclid(1_000_000);
        Self::new(u32::try_from(second.max(0)).unwrap_or(u32::MAX))
    }

    fn new(second: u32) -> Self {
        Self(NonZeroU32::new(second).unwrap_or(NonZeroU32::MIN))
    }

    fn time(self) -> DateTime<Utc> {
        DateTime::from_timestamp(i64::from(self.0.get()), 0).unwrap_or_default()
    }

    fn day(self) -> EpochDay {
        self.0.get() / 86_400
    }

    fn text(self) -> String {
        self.time().to_rfc3339_opts(SecondsFormat::Secs, true)
    }
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
    /// A commitment as it is recorded, with nothing but what every commitment has.
    pub(crate) fn new(id: CommitmentId, lead: PartyIndex, form: Form, at: Moment) -> Self {
        Self {
            id,
            recorded_position: at.position,
            changed_position: at.position,
            title: TitleRef::default(),
            recorded: Second::of(at),
            last_report: None,
            lead,
            made: None,
            original_due: None,
            due: None,
            stage_period_end: None,
            few_actions: [NO_ACTION; 3],
            evidenced: None,
            rare: None,
            stage: None,
            form,
            nature: None,
            flags: Flags::default(),
        }
    }

    /// The actions it is made under.
    pub(crate) fn actions(&self) -> &[ActionIndex] {
        if let Some(rare) = self.rare.as_ref().filter(|rare| !rare.actions.is_empty()) {
            return &rare.actions;
        }
        let named = |action: &&ActionIndex| **action != NO_ACTION;
        let count = self.few_actions.iter().take_while(named).count();
        self.few_actions.get(..count).unwrap_or_default()
    }

    pub(crate) fn set_actions(&mut self, actions: &[ActionIndex]) {
        let few = actions.len() <= self.few_actions.len();
        self.few_actions = [NO_ACTION; 3];
        if let Some(rare) = &mut self.rare {
            rare.actions.clear();
        }
        if few {
            for (cell, &action) in self.few_actions.iter_mut().zip(actions) {
                *cell = action;
            }
        } else {
            self.rare.get_or_insert_default().actions = actions.to_vec();
        }
    }

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
        self.evidenced.is_some()
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
        self.last_report = Some(Second::of(at));
        if key.reporter == self.lead
            && self
                .stage_period_end
                .is_none_or(|end| end.last_day() <= key.to.last_day())
        {
            self.stage = Some(stage);
            self.stage_period_end = Some(key.to);
        }
        self.set_evidence(key, evidence);
    }

    fn set_evidence(&mut self, key: ReportKey, evidence: bool) {
        let further = self.rare.as_mut().map(|rare| &mut rare.evidenced);
        if !evidence {
            if self.evidenced == Some(key) {
                self.evidenced = further.and_then(Vec::pop);
            } else if let Some(further) = further {
                further.retain(|other| *other != key);
            }
        } else if self.evidenced.is_none() {
            self.evidenced = Some(key);
        } else if self.evidenced != Some(key)
            && !further.is_some_and(|further| further.contains(&key))
        {
            self.rare.get_or_insert_default().evidenced.push(key);
        }
    }

    /// The dates it is held to. One that is not active owes nothing, and one reported as fulfilled nothing more.
    pub(crate) fn dates(&self) -> Dates {
        let (owes, open) = (self.is_active(), self.stage != Some(Stage::Fulfilled));
        let open = owes && open;
        Dates {
            due: self.due.filter(|_| open),
            original_due: self.original_due.filter(|_| open),
            last_report: self.last_report.filter(|_| open).map(Second::day),
            never_reported: owes && self.last_report.is_none(),
        }
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
            title: book.titles.get(self.title).to_owned(),
            lead: book.party_text(self.lead),
            role: role.map(|(role, _)| role),
            claimed: role.is_some_and(|(_, claimed)| claimed),
            actions: self
                .actions()
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
            last_report: self.last_report.map(Second::text),
            recorded: self.recorded.text(),
            position: self.recorded_position.to_string(),
            changed: self.changed_position.to_string(),
        }
    }

    pub(crate) fn encode(&self, title: &str, row: &mut RowWriter) {
        row.array(self.id.0.as_bytes());
        row.text(title);
        row.u64(self.recorded_position);
        row.u64(self.changed_position);
        row.u32(self.recorded.0.get());
        row.u32(self.last_report.map_or(0, |second| second.0.get()));
        row.u32(self.lead);
        row.count(self.actions().len());
        self.actions().iter().for_each(|&action| row.u32(action));
        for date in [
            self.made,
            self.original_due,
            self.due,
            self.stage_period_end,
        ] {
            write_date(row, date);
        }
        row.text(self.stage.map_or("", Stage::as_str));
        row.text(self.form.as_str());
        row.text(self.nature.map_or("", Nature::as_str));
        let mut flags = self.flags;
        flags.set(Flags::UNSAVED, false);
        row.u8(flags.0);
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
        row.count(self.evidenced().count());
        for key in self.evidenced() {
            row.u32(key.reporter);
            write_date(row, Some(key.from));
            write_date(row, Some(key.to));
        }
    }

    fn evidenced(&self) -> impl Iterator<Item = &ReportKey> {
        let further = self.rare.iter().flat_map(|rare| &rare.evidenced);
        self.evidenced.iter().chain(further)
    }

    /// Reads what [`Facts::encode`] wrote, and the title beside it.
    pub(crate) fn decode<'a>(row: &mut RowReader<'a>) -> Result<(Self, &'a str), RestoreError> {
        let id = CommitmentId(uuid::Uuid::from_bytes(row.array()?));
        let title = row.text()?;
        let position = row.u64()?;
        let at = Moment {
            position,
            recorded_us: 0,
        };
        let mut facts = Self::new(id, 0, Form::Individual, at);
        facts.changed_position = row.u64()?;
        facts.recorded = Second::new(row.u32()?);
        facts.last_report = NonZeroU32::new(row.u32()?).map(Second);
        facts.lead = row.u32()?;
        let actions = (0..row.count()?).map(|_| row.u32());
        facts.set_actions(&actions.collect::<Result<Vec<_>, _>>()?);
        facts.made = read_date(row)?;
        facts.original_due = read_date(row)?;
        facts.due = read_date(row)?;
        facts.stage_period_end = read_date(row)?;
        facts.stage = read_name(row)?;
        facts.form = read_name(row)?.ok_or_else(|| row.damaged())?;
        facts.nature = read_name(row)?;
        facts.flags = Flags(row.u8()?);
        facts.set_participations(read_participations(row)?);
        for _ in 0..row.count()? {
            let reporter = row.u32()?;
            let from = read_date(row)?.ok_or_else(|| row.damaged())?;
            let to = read_date(row)?.ok_or_else(|| row.damaged())?;
            facts.set_evidence(ReportKey { reporter, from, to }, true);
        }
        Ok((facts, title))
    }

    /// Whether every index lies inside the book's tables.
    pub(crate) fn is_within(&self, parties: usize, actions: usize) -> bool {
        let party = |index: PartyIndex| usize::try_from(index).is_ok_and(|index| index < parties);
        party(self.lead)
            && self
                .actions()
                .iter()
                .all(|&index| usize::try_from(index).is_ok_and(|index| index < actions))
            && self.participations().iter().all(|part| party(part.party))
            && self.evidenced().all(|key| party(key.reporter))
    }
}

/// A date in its own precision: year, month and day in decimal digits, zeros where it is not known.
fn write_date(row: &mut RowWriter, date: Option<PartialDate>) {
    row.u32(date.map_or(0, |date| {
        let (month, day) = (date.month().unwrap_or(0), date.day().unwrap_or(0));
        date.year() * 10_000 + month * 100 + day
    }));
}

fn read_date(row: &mut RowReader<'_>) -> Result<Option<PartialDate>, RestoreError> {
    let digits = row.u32()?;
    let (year, month, day) = (digits / 10_000, digits / 100 % 100, digits % 100);
    let text = match (year, month, day) {
        (0, 0, 0) => return Ok(None),
        (year, 0, 0) => format!("{year:04}"),
        (year, month, 0) => format!("{year:04}-{month:02}"),
        (year, month, day) => format!("{year:04}-{month:02}-{day:02}"),
    };
    text.parse().map(Some).map_err(|_| row.damaged())
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
        let claimed = row.u8()? == 1;
        participations.push(Participation {
            party,
            role,
            claimed,
        });
    }
    Ok(participations)
}
