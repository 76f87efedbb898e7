//! What others made of a commitment: contests of its reports, independent assessments, evidence that is gone, the commitment that took its place.
//! Hardly any commitment has these, so they stand in a box of their own.

use chrono::Datelike;
use smallvec::SmallVec;

use super::RestoreError;
use super::codec::{RowReader, RowWriter};
use super::evidence::EvidenceWords;
use super::fold::EventTime;
use super::stored::{read_date, read_name, write_date};
use super::tables::{MethodIndex, PartyIndex, SharedTables, Tables};
use crate::date::PartialDate;
use crate::ids::CommitmentId;
use crate::wire::v1::view::AssessmentRow;
use crate::wire::v1::{
    AmbitionAssessed, AssessmentKind, AssessmentRevised, Completion, Grade, Period,
    ProgressAssessed,
};

/// The bytes that the assessments of one commitment may take in a list, so that a page of them fits into a message.
const MAX_ROW_BYTES: usize = 16 * 1024;
/// What an assessment takes beside its grades: names of the assessor, the method and the version, and what stands around them.
const ROW_BYTES: usize = 400;

/// What others made of a commitment.
#[derive(Debug, Default, Clone)]
pub(crate) struct Scrutiny {
    /// Those that are not resolved.
    contests: Vec<Contest>,
    series: Vec<Series>,
    pub(crate) evidence: EvidenceWords,
    pub(crate) successor: Option<CommitmentId>,
}

/// An open contest and the report it is about. Both go by position.
#[derive(Debug, Clone, Copy)]
struct Contest {
    position: u64,
    report: u64,
    /// Who contests it.
    party: PartyIndex,
    /// Whose report over which period it was, if it was retracted: the contest is about the next such one.
    retracted: Option<(PartyIndex, Period)>,
}

/// An open contest as it is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenContest {
    /// Who contests.
    pub(crate) party: PartyIndex,
    /// The position of the report, as it was corrected last.
    pub(crate) report: u64,
    /// Whether the report was retracted, and none of its reporter over its period has come after it.
    pub(crate) retracted: bool,
}

/// What one assessor said under one method and version, of progress or of ambition: an assessment made later comes later, whenever it was
/// recorded; of one day, the one that was recorded later.
#[derive(Debug, Clone)]
struct Series {
    assessor: PartyIndex,
    method: MethodIndex,
    kind: AssessmentKind,
    assessments: Vec<Assessment>,
}

/// An assessment as it was revised last.
#[derive(Debug, Clone)]
struct Assessment {
    /// The position of the event that made it; a revision does not move it.
    first: u64,
    /// The position of its newest revision, or `first`.
    position: u64,
    /// The day it is of, as a number: the last day that `assessed` can mean up to the day it was recorded, which it is where nothing was said.
    day: i32,
    assessed: Option<PartialDate>,
    verdict: Verdict,
}

#[derive(Debug, Clone)]
enum Verdict {
    Progress {
        completion: Option<Completion>,
        grade: Box<str>,
        /// The last completion it had: `completion`, or the one before a grade that none translates.
        last: Option<Completion>,
        /// The completion it had before, where the last revision that changed it lowered it.
        lowered_from: Option<Completion>,
    },
    Ambition(Vec<Grade>),
}

/// What follows from the newest assessments of every assessor, method and version.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Verdicts {
    /// There is an assessment of progress.
    pub(crate) assessed: bool,
    /// Somebody assessed it as complete.
    pub(crate) complete: bool,
    /// The lowest completion.
    pub(crate) lowest: Option<Completion>,
    /// Somebody's newest word is lower than the one before.
    pub(crate) downgraded: bool,
}

impl Scrutiny {
    pub(crate) fn contest(&mut self, party: PartyIndex, report: u64, at: EventTime) {
        self.contests.push(Contest {
            position: at.position,
            report,
            party,
            retracted: None,
        });
    }

    /// Closes a contest; gives the position of the report that it was about, if that was not retracted.
    pub(crate) fn resolve(&mut self, contest: u64) -> Option<u64> {
        let mut contests = self.contests.iter();
        let place = contests.position(|open| open.position == contest)?;
        let resolved = self.contests.remove(place);
        resolved.retracted.is_none().then_some(resolved.report)
    }

    /// A corrected report stays contested until its contest is resolved.
    pub(crate) fn report_corrected(&mut self, report: u64, at: EventTime) {
        for contest in &mut self.contests {
            if contest.report == report && contest.retracted.is_none() {
                contest.report = at.position;
            }
        }
        self.evidence.report_corrected(report, at.position);
    }

    /// A contest of a report that is retracted stays open: to retract and report again settles nothing.
    pub(crate) fn report_retracted(&mut self, report: u64, reporter: PartyIndex, period: Period) {
        for contest in &mut self.contests {
            if contest.report == report {
                contest.retracted = Some((reporter, period));
            }
        }
    }

    /// What was said of a retracted report is said of the next one of its reporter over its period.
    pub(crate) fn reported(&mut self, reporter: PartyIndex, period: Period, at: EventTime) {
        let same =
            |(by, over): (PartyIndex, Period)| by == reporter && over.covers_same_days(&period);
        for contest in &mut self.contests {
            if contest.retracted.is_some_and(same) {
                contest.report = at.position;
                contest.retracted = None;
            }
        }
    }

    /// Whether an open contest is about the report at this position.
    pub(crate) fn contests_report(&self, report: u64) -> bool {
        self.contests.iter().any(|open| open.report == report)
    }

    pub(crate) fn open_contests(&self) -> impl Iterator<Item = OpenContest> {
        self.contests.iter().map(|open| OpenContest {
            party: open.party,
            report: open.report,
            retracted: open.retracted.is_some(),
        })
    }

    pub(crate) fn has_contests(&self) -> bool {
        !self.contests.is_empty()
    }

    pub(crate) fn assess_progress(
        &mut self,
        assessor: PartyIndex,
        method: MethodIndex,
        data: &ProgressAssessed,
        at: EventTime,
    ) {
        let verdict = Verdict::Progress {
            completion: data.completion,
            grade: data.grade.as_str().into(),
            last: data.completion,
            lowered_from: None,
        };
        let assessment = Assessment::new(data.assessed, verdict, at);
        self.assess(assessor, method, AssessmentKind::Progress, assessment);
    }

    pub(crate) fn assess_ambition(
        &mut self,
        assessor: PartyIndex,
        method: MethodIndex,
        data: &AmbitionAssessed,
        at: EventTime,
    ) {
        let assessment = Assessment::new(data.assessed, Verdict::Ambition(data.grades.clone()), at);
        self.assess(assessor, method, AssessmentKind::Ambition, assessment);
    }

    fn assess(
        &mut self,
        assessor: PartyIndex,
        method: MethodIndex,
        kind: AssessmentKind,
        assessment: Assessment,
    ) {
        let same = |series: &&mut Series| {
            (series.assessor, series.method, series.kind) == (assessor, method, kind)
        };
        if let Some(series) = self.series.iter_mut().find(same) {
            let later = |other: &Assessment| other.order() < assessment.order();
            let place = series.assessments.partition_point(later);
            series.assessments.insert(place, assessment);
        } else {
            self.series.push(Series {
                assessor,
                method,
                kind,
                assessments: vec![assessment],
            });
        }
        self.forget_words();
    }

    /// Puts a revision in the place of what it revises; what it leaves out stays, but that no completion outlives the grade it translates.
    pub(crate) fn revise(&mut self, data: &AssessmentRevised, at: EventTime) {
        let mut assessments = self
            .series
            .iter_mut()
            .filter(|series| series.kind == data.kind)
            .flat_map(|series| &mut series.assessments);
        if let Some(assessment) = assessments.find(|it| it.position == data.assessment.0) {
            assessment.revise(data, at);
            self.forget_words();
        }
    }

    /// Forgets the grades that no list shows: of assessments that are not the newest of their series, and of those that have no room
    /// in a row. All of this is written for every event of the commitment, so its size is not to be what assessors make it.
    fn forget_words(&mut self) {
        let mut newest: SmallVec<[&mut Assessment; 8]> = SmallVec::new();
        for series in &mut self.series {
            if let Some((last, earlier)) = series.assessments.split_last_mut() {
                earlier.iter_mut().for_each(Assessment::forget_words);
                newest.push(last);
            }
        }
        newest.sort_unstable_by_key(|it| std::cmp::Reverse(it.order()));
        let mut room = Some(MAX_ROW_BYTES);
        for assessment in newest {
            room = room.and_then(|room| room.checked_sub(assessment.row_bytes()?));
            if room.is_none() {
                assessment.forget_words();
            }
        }
    }

    /// The series of assessments of progress, each with its newest.
    fn progress(&self) -> impl Iterator<Item = (&Series, &Assessment)> {
        self.series
            .iter()
            .filter(|series| series.kind == AssessmentKind::Progress)
            .filter_map(|series| Some((series, series.assessments.last()?)))
    }

    pub(crate) fn verdicts(&self) -> Verdicts {
        let mut verdicts = Verdicts::default();
        for (series, newest) in self.progress() {
            verdicts.assessed = true;
            let Some(completion) = newest.completion() else {
                continue;
            };
            verdicts.complete |= completion == Completion::Complete;
            verdicts.lowest = Some(verdicts.lowest.map_or(completion, |it| it.min(completion)));
            verdicts.downgraded |= series.downgraded_from().is_some();
        }
        verdicts
    }

    /// The series whose newest completion is lower than the one before, in words: whose, from what to what, under which method.
    pub(crate) fn downgrades(&self, tables: &Tables) -> Vec<String> {
        let said = |(series, newest): (&Series, &Assessment)| {
            let (before, now) = (series.downgraded_from()?, newest.completion()?);
            let (method, version) = tables.shared.method(series.method);
            let assessor = tables.party_text(series.assessor);
            Some(format!(
                "{assessor}: {now}, {before} before ({method} {version})"
            ))
        };
        self.progress().filter_map(said).collect()
    }

    /// The completion under each method and version, each once: the newest word of any assessor. None is a grade that the method does not translate.
    pub(crate) fn completions(&self) -> SmallVec<[(MethodIndex, Option<Completion>); 4]> {
        let mut newest: SmallVec<[(MethodIndex, &Assessment); 4]> = self
            .progress()
            .map(|(series, newest)| (series.method, newest))
            .collect();
        newest.sort_unstable_by_key(|(method, it)| (*method, std::cmp::Reverse(it.order())));
        newest.dedup_by_key(|(method, _)| *method);
        newest
            .into_iter()
            .map(|(method, newest)| (method, newest.completion()))
            .collect()
    }

    /// The newest assessments as a list shows them, the newest first, and how many of them had no room.
    pub(crate) fn rows(&self, tables: &Tables) -> (Vec<AssessmentRow>, usize) {
        let mut newest: Vec<(&Series, &Assessment)> = self
            .series
            .iter()
            .filter_map(|series| Some((series, series.assessments.last()?)))
            .collect();
        newest.sort_unstable_by_key(|(_, newest)| std::cmp::Reverse(newest.order()));
        let mut room = MAX_ROW_BYTES;
        let rows: Vec<_> = newest
            .iter()
            .map_while(|(series, assessment)| {
                room = room.checked_sub(assessment.row_bytes()?)?;
                Some(series.row(assessment, tables))
            })
            .collect();
        let left_out = newest.len() - rows.len();
        (rows, left_out)
    }

    pub(crate) fn parties(&self) -> impl Iterator<Item = PartyIndex> {
        let contestants = self.contests.iter().flat_map(|contest| {
            let reporter = contest.retracted.map(|(reporter, _)| reporter);
            std::iter::once(contest.party).chain(reporter)
        });
        self.series
            .iter()
            .map(|series| series.assessor)
            .chain(contestants)
    }
}

impl Series {
    /// The completion before the newest one, where that is lower: what the newest assessment was revised from, or what the last one before it had that
    /// had a completion.
    fn downgraded_from(&self) -> Option<Completion> {
        let (newest, earlier) = self.assessments.split_last()?;
        let completion = newest.completion()?;
        let before = || earlier.iter().rev().find_map(Assessment::completion);
        let fell = || before().filter(|before| completion < *before);
        newest.lowered_from().or_else(fell)
    }

    fn row(&self, assessment: &Assessment, tables: &Tables) -> AssessmentRow {
        let (method, version) = tables.shared.method(self.method);
        let mut row = AssessmentRow {
            kind: self.kind.as_str().to_owned(),
            assessor: tables.party_text(self.assessor),
            method: method.to_owned(),
            method_version: version.to_owned(),
            completion: assessment.completion().map(|it| it.as_str().to_owned()),
            grade: None,
            grades: Vec::new(),
            assessed: assessment.assessed.map(|date| date.to_string()),
            position: assessment.position.to_string(),
        };
        match &assessment.verdict {
            Verdict::Progress { grade, .. } => row.grade = Some(grade.to_string()),
            Verdict::Ambition(grades) => row.grades.clone_from(grades),
        }
        row
    }

    fn encode(&self, shared: &SharedTables, row: &mut RowWriter) {
        row.u32(self.assessor);
        let (method, version) = shared.method(self.method);
        row.text(method);
        row.text(version);
        row.text(self.kind.as_str());
        row.count(self.assessments.len());
        for assessment in &self.assessments {
            assessment.encode(row);
        }
    }

    fn decode(row: &mut RowReader<'_>, shared: &mut SharedTables) -> Result<Self, RestoreError> {
        let assessor = row.u32()?;
        let method = read_name(row)?.ok_or_else(|| row.damaged())?;
        let version = read_name(row)?.ok_or_else(|| row.damaged())?;
        let kind = read_name(row)?.ok_or_else(|| row.damaged())?;
        let mut assessments = Vec::new();
        for _ in 0..row.count()? {
            assessments.push(Assessment::decode(row, kind)?);
        }
        Ok(Self {
            assessor,
            method: shared.method_index(&method, &version),
            kind,
            assessments,
        })
    }
}

impl Assessment {
    fn new(assessed: Option<PartialDate>, verdict: Verdict, at: EventTime) -> Self {
        let recorded = at.time().unwrap_or_default();
        let day = assessed.map_or(recorded.date_naive(), |date| date.last_day_by(recorded));
        Self {
            first: at.position,
            position: at.position,
            day: day.num_days_from_ce(),
            assessed,
            verdict,
        }
    }

    fn order(&self) -> (i32, u64) {
        (self.day, self.first)
    }

    fn revise(&mut self, data: &AssessmentRevised, at: EventTime) {
        self.position = at.position;
        match &mut self.verdict {
            Verdict::Progress {
                completion,
                grade,
                last,
                lowered_from,
            } => {
                if let Some(revised) = &data.grade {
                    *grade = revised.as_str().into();
                }
                if data.grade.is_some() || data.completion.is_some() {
                    *completion = data.completion;
                    // To say the same again, or in a grade that nothing translates, takes nothing back.
                    if let Some(revised) = data.completion.filter(|it| Some(*it) != *last) {
                        *lowered_from = last.filter(|before| revised < *before);
                        *last = Some(revised);
                    }
                }
            }
            Verdict::Ambition(grades) => {
                if let Some(revised) = &data.grades {
                    grades.clone_from(revised);
                }
            }
        }
    }

    fn completion(&self) -> Option<Completion> {
        match &self.verdict {
            Verdict::Progress { completion, .. } => *completion,
            Verdict::Ambition(_) => None,
        }
    }

    /// What it takes in a list; none once its grades are forgotten, as no assessment is without one.
    fn row_bytes(&self) -> Option<usize> {
        let words: usize = match &self.verdict {
            Verdict::Progress { grade, .. } => grade.len(),
            Verdict::Ambition(grades) => grades
                .iter()
                .map(|grade| grade.dimension.len() + grade.grade.len())
                .sum(),
        };
        (words > 0).then_some(ROW_BYTES + words)
    }

    fn forget_words(&mut self) {
        match &mut self.verdict {
            Verdict::Progress { grade, .. } => *grade = Box::default(),
            Verdict::Ambition(grades) => *grades = Vec::new(),
        }
    }

    fn lowered_from(&self) -> Option<Completion> {
        match &self.verdict {
            Verdict::Progress { lowered_from, .. } => *lowered_from,
            Verdict::Ambition(_) => None,
        }
    }

    fn encode(&self, row: &mut RowWriter) {
        row.u64(self.first);
        row.u64(self.position);
        row.i64(self.day.into());
        write_date(row, self.assessed);
        match &self.verdict {
            Verdict::Progress {
                completion,
                grade,
                last,
                lowered_from,
            } => {
                row.text(completion.map_or("", Completion::as_str));
                row.text(grade);
                row.text(last.map_or("", Completion::as_str));
                row.text(lowered_from.map_or("", Completion::as_str));
            }
            Verdict::Ambition(grades) => {
                row.count(grades.len());
                for grade in grades {
                    row.text(&grade.dimension);
                    row.text(&grade.grade);
                }
            }
        }
    }

    fn decode(row: &mut RowReader<'_>, kind: AssessmentKind) -> Result<Self, RestoreError> {
        let first = row.u64()?;
        let position = row.u64()?;
        let day = i32::try_from(row.i64()?).map_err(|_| row.damaged())?;
        let assessed = read_date(row)?;
        let verdict = match kind {
            AssessmentKind::Progress => Verdict::Progress {
                completion: read_name(row)?,
                grade: row.text()?.into(),
                last: read_name(row)?,
                lowered_from: read_name(row)?,
            },
            AssessmentKind::Ambition => {
                let mut grades = Vec::new();
                for _ in 0..row.count()? {
                    grades.push(Grade {
                        dimension: row.text()?.to_owned(),
                        grade: row.text()?.to_owned(),
                    });
                }
                Verdict::Ambition(grades)
            }
        };
        Ok(Self {
            first,
            position,
            day,
            assessed,
            verdict,
        })
    }
}

impl Scrutiny {
    pub(crate) fn encode(&self, shared: &SharedTables, row: &mut RowWriter) {
        row.count(self.contests.len());
        for contest in &self.contests {
            row.u64(contest.position);
            row.u64(contest.report);
            row.u32(contest.party);
            row.u8(u8::from(contest.retracted.is_some()));
            if let Some((reporter, period)) = contest.retracted {
                row.u32(reporter);
                write_date(row, Some(period.from));
                write_date(row, Some(period.to));
            }
        }
        row.count(self.series.len());
        for series in &self.series {
            series.encode(shared, row);
        }
        self.evidence.encode(row);
        row.u8(u8::from(self.successor.is_some()));
        if let Some(successor) = self.successor {
            row.array(successor.0.as_bytes());
        }
    }

    pub(crate) fn decode(
        row: &mut RowReader<'_>,
        shared: &mut SharedTables,
    ) -> Result<Self, RestoreError> {
        let mut scrutiny = Self::default();
        for _ in 0..row.count()? {
            scrutiny.contests.push(Contest {
                position: row.u64()?,
                report: row.u64()?,
                party: row.u32()?,
                retracted: read_retracted(row)?,
            });
        }
        for _ in 0..row.count()? {
            scrutiny.series.push(Series::decode(row, shared)?);
        }
        scrutiny.evidence = EvidenceWords::decode(row)?;
        if row.u8()? == 1 {
            scrutiny.successor = Some(CommitmentId(uuid::Uuid::from_bytes(row.array()?)));
        }
        Ok(scrutiny)
    }
}

fn read_retracted(row: &mut RowReader<'_>) -> Result<Option<(PartyIndex, Period)>, RestoreError> {
    if row.u8()? == 0 {
        return Ok(None);
    }
    let reporter = row.u32()?;
    let from = read_date(row)?.ok_or_else(|| row.damaged())?;
    let to = read_date(row)?.ok_or_else(|| row.damaged())?;
    Ok(Some((reporter, Period { from, to })))
}
