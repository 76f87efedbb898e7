//! Independent assessments of one commitment: what each assessor said under each method and version.

use chrono::Datelike;
use smallvec::SmallVec;

use super::codec::{RowReader, RowWriter};
use super::event_time::EventTime;
use super::index::{MethodIndex, PartyIndex};
use super::shared::SharedTables;
use crate::date::PartialDate;
use crate::view::error::RestoreError;
use crate::wire::v1::{
    AmbitionAssessed, AssessmentKind, AssessmentRevised, Completion, Grade, ProgressAssessed,
};

/// The bytes that the assessments of one commitment may take in a list, so that a page of them fits into a message.
const MAX_ROW_BYTES: usize = 16 * 1024;
/// What an assessment takes beside its grades: names of the assessor, the method and the version, and what stands around them.
const ROW_BYTES: usize = 400;

/// The assessments of one commitment, a series for each assessor, method, version and kind.
#[derive(Debug, Default, Clone)]
pub(crate) struct Assessments(Vec<Series>);

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

/// The newest assessment of one assessor under one method and version, as it is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewestAssessment<'a> {
    pub(crate) kind: AssessmentKind,
    pub(crate) assessor: PartyIndex,
    pub(crate) method: MethodIndex,
    pub(crate) completion: Option<Completion>,
    /// The grade of an assessment of progress.
    pub(crate) grade: Option<&'a str>,
    /// The grades of an assessment of ambition.
    pub(crate) grades: &'a [Grade],
    pub(crate) assessed: Option<PartialDate>,
    /// The position of the assessment or of its newest revision.
    pub(crate) position: u64,
}

/// A newest completion that is lower than the one before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Downgrade {
    pub(crate) assessor: PartyIndex,
    pub(crate) method: MethodIndex,
    pub(crate) before: Completion,
    pub(crate) now: Completion,
}

impl Assessments {
    pub(crate) fn progress_assessed(
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

    pub(crate) fn ambition_assessed(
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
        if let Some(series) = self.0.iter_mut().find(same) {
            let later = |other: &Assessment| other.order() < assessment.order();
            let place = series.assessments.partition_point(later);
            series.assessments.insert(place, assessment);
        } else {
            self.0.push(Series {
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
            .0
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
        for series in &mut self.0 {
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
        self.0
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

    /// The series whose newest completion is lower than the one before.
    pub(crate) fn downgrades(&self) -> impl Iterator<Item = Downgrade> {
        self.progress().filter_map(|(series, newest)| {
            Some(Downgrade {
                assessor: series.assessor,
                method: series.method,
                before: series.downgraded_from()?,
                now: newest.completion()?,
            })
        })
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

    /// The newest assessment of each series, the newest first, and how many of them have no room in a row.
    pub(crate) fn newest(&self) -> (Vec<NewestAssessment<'_>>, usize) {
        let mut newest: Vec<(&Series, &Assessment)> = self
            .0
            .iter()
            .filter_map(|series| Some((series, series.assessments.last()?)))
            .collect();
        newest.sort_unstable_by_key(|(_, newest)| std::cmp::Reverse(newest.order()));
        let mut room = MAX_ROW_BYTES;
        let shown: Vec<_> = newest
            .iter()
            .map_while(|(series, assessment)| {
                room = room.checked_sub(assessment.row_bytes()?)?;
                Some(series.shown(assessment))
            })
            .collect();
        let left_out = newest.len() - shown.len();
        (shown, left_out)
    }

    pub(crate) fn assessors(&self) -> impl Iterator<Item = PartyIndex> {
        self.0.iter().map(|series| series.assessor)
    }

    pub(crate) fn encode(&self, shared: &SharedTables, row: &mut RowWriter) {
        row.count(self.0.len());
        for series in &self.0 {
            series.encode(shared, row);
        }
    }

    pub(crate) fn decode(
        row: &mut RowReader<'_>,
        shared: &mut SharedTables,
    ) -> Result<Self, RestoreError> {
        let mut assessments = Self::default();
        for _ in 0..row.count()? {
            assessments.0.push(Series::decode(row, shared)?);
        }
        Ok(assessments)
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

    fn shown<'a>(&self, assessment: &'a Assessment) -> NewestAssessment<'a> {
        let (grade, grades) = match &assessment.verdict {
            Verdict::Progress { grade, .. } => (Some(&**grade), &[][..]),
            Verdict::Ambition(grades) => (None, grades.as_slice()),
        };
        NewestAssessment {
            kind: self.kind,
            assessor: self.assessor,
            method: self.method,
            completion: assessment.completion(),
            grade,
            grades,
            assessed: assessment.assessed,
            position: assessment.position,
        }
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
        let method = row.name()?.ok_or_else(|| row.damaged())?;
        let version = row.name()?.ok_or_else(|| row.damaged())?;
        let kind = row.name()?.ok_or_else(|| row.damaged())?;
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
        row.date(self.assessed);
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
        let assessed = row.date()?;
        let verdict = match kind {
            AssessmentKind::Progress => Verdict::Progress {
                completion: row.name()?,
                grade: row.text()?.into(),
                last: row.name()?,
                lowered_from: row.name()?,
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
