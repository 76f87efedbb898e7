//! The form of each command's data: which texts it has, how long its lists are, and what its numbers may be.

use std::borrow::Cow;

use super::check::TextKind::{Free, Name, Url};
use super::check::{CheckForm, TextPath, Texts, list, maybe_list};
use super::commands::{
    AmendActionText, AmendCommitment, AmendParty, AnswerContest, AssessAmbition, AssessProgress,
    AttachEvidence, CatalogueAction, ChangePartner, ChangePartyStatus, CloseCommitment,
    CloseReview, ConfirmParticipation, ContestReport, CorrectReport, DigestEvidence,
    FlagEvidenceUnavailable, LapseCommitment, LeaveCommitment, MapActions, MoveEvidence,
    OpenReview, PublishInstrument, ReachMilestone, RecordCommitment, RecordStatement,
    RegisterPartner, RegisterParty, ReinstateCommitment, ReportProgress, ResolveContest,
    ResumeCommitment, RetractReport, ReturnReport, ReviseAssessment, RevokePartner,
    SupersedeCommitment, SuspendCommitment, ValidateReport, WithdrawCommitment,
};
use super::evidence::EvidencePlace;
use super::quantity::{check_indicators, check_unit, negative_money, unit_key};
use super::values::{
    Amount, Evidence, Grade, Indicator, MeasureChange, Milestone, Participant, Sha256,
};
use super::words::Nature;
use crate::compare::folded;
use crate::ids::PartyId;
use crate::rejection::{Rejection, RejectionCode};

const MAX_PARTIES: usize = 1000;
const MAX_ACTIONS: usize = 64;
const MAX_PARTICIPANTS: usize = 256;
const MAX_COUNTRIES: usize = 249;
const MAX_PRINCIPLES: usize = 64;
const MAX_INDICATORS: usize = 50;
const MAX_EVIDENCE: usize = 50;
const MAX_MILESTONES: usize = 50;
const MAX_GRADES: usize = 20;
const MAX_ROLES: usize = 16;

type Checked = Result<(), Rejection>;

fn evidence_texts(texts: &mut Texts<'_, '_>, evidence: &[Evidence]) -> Checked {
    evidence.iter().enumerate().try_for_each(|(index, piece)| {
        let outer = ("evidence", Some(index));
        texts.within(outer, "url", Url, piece.url.as_ref())?;
        texts.within(outer, "title", Name, piece.title.as_ref())
    })
}

fn indicator_texts(texts: &mut Texts<'_, '_>, indicators: &[Indicator]) -> Checked {
    indicators.iter().enumerate().try_for_each(|(index, item)| {
        let outer = ("indicators", Some(index));
        texts.within(outer, "name", Name, Some(&item.name))?;
        texts.within(outer, "unit", Name, item.unit.as_ref())
    })
}

fn milestone_texts(texts: &mut Texts<'_, '_>, milestones: &[Milestone]) -> Checked {
    milestones.iter().enumerate().try_for_each(|(index, item)| {
        texts.within(("milestones", Some(index)), "name", Name, Some(&item.name))
    })
}

fn grade_texts(texts: &mut Texts<'_, '_>, grades: &[Grade]) -> Checked {
    grades.iter().enumerate().try_for_each(|(index, item)| {
        let outer = ("grades", Some(index));
        texts.within(outer, "dimension", Name, Some(&item.dimension))?;
        texts.within(outer, "grade", Name, Some(&item.grade))
    })
}

fn evidence_list(evidence: &[Evidence], least: usize) -> Checked {
    // A piece without a digest is no other for its URL alone, but twice the same words in one list are twice the same piece.
    list("evidence", evidence, least, MAX_EVIDENCE, |piece| {
        let words = piece.sha256.is_none().then_some((&piece.url, &piece.title));
        (piece.sha256, words)
    })?;
    let unnamed = |piece: &Evidence| piece.sha256.is_none() && piece.url.is_none();
    match evidence.iter().position(unnamed) {
        None => Ok(()),
        Some(index) => Err(Rejection::at(
            RejectionCode::MissingField,
            format!("data.evidence[{index}].sha256"),
            "evidence needs its sha256, or else the url where it was found; add one of them",
        )),
    }
}

/// A command about one piece of evidence names it in one way.
fn one_name(sha256: Option<Sha256>, evidence: Option<EvidencePlace>) -> Checked {
    match (sha256, evidence) {
        (Some(_), None) | (None, Some(_)) => Ok(()),
        (None, None) => Err(Rejection::at(
            RejectionCode::MissingField,
            "data.sha256",
            "name the evidence by its sha256, or by where it was named without one: evidence as <position>.<index>",
        )),
        (Some(_), Some(_)) => Err(Rejection::at(
            RejectionCode::Contradiction,
            "data.evidence",
            "the evidence is named by its sha256 and by where it was named; leave one of them out",
        )),
    }
}

fn indicator_list(indicators: &[Indicator]) -> Checked {
    list("indicators", indicators, 0, MAX_INDICATORS, |item| {
        let unit = item.unit.as_deref().map(unit_key);
        (folded(&item.name), unit)
    })?;
    check_indicators(indicators)
}

fn party(participant: &Participant) -> &PartyId {
    &participant.party
}

fn name(milestone: &Milestone) -> Cow<'_, str> {
    folded(&milestone.name)
}

fn dimension(grade: &Grade) -> Cow<'_, str> {
    folded(&grade.dimension)
}

/// The numbers of a measure, going by its unit and by what the commitment is made of.
fn measure(
    unit: Option<&String>,
    numbers: [(&'static str, Option<Amount>); 2],
    nature: Option<Nature>,
) -> Checked {
    let path = |field| TextPath::within(("measure", None), field);
    let numbers = numbers.map(|(field, value)| (path(field), value));
    check_unit(unit, path("unit"), &numbers)?;
    if nature != Some(Nature::Financial) {
        return Ok(());
    }
    numbers.iter().try_for_each(|(path, value)| match value {
        Some(value) if value.get() < 0.0 => Err(negative_money(path.to_string(), *value)),
        Some(_) | None => Ok(()),
    })
}

/// Commands whose only text is why they are sent.
macro_rules! reason_only {
    ($($name:ident)+) => {$(
        impl CheckForm for $name {
            fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
                texts.one("reason", Free, &self.reason)
            }
        }
    )+};
}

reason_only!(
    RevokePartner ChangePartyStatus WithdrawCommitment LeaveCommitment SuspendCommitment
    ResumeCommitment SupersedeCommitment CloseCommitment LapseCommitment ReinstateCommitment RetractReport
    ResolveContest ReturnReport
);

/// Commands whose only text is a note.
macro_rules! note_only {
    ($($name:ident)+) => {$(
        impl CheckForm for $name {
            fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
                texts.maybe("note", Free, self.note.as_ref())
            }
        }
    )+};
}

note_only!(ConfirmParticipation ValidateReport CloseReview);

impl CheckForm for RegisterPartner {
    fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
        texts.one("name", Name, &self.name)
    }

    fn values(&self) -> Checked {
        list("roles", &self.roles, 1, MAX_ROLES, |role| role)?;
        list("parties", &self.parties, 1, MAX_PARTIES, |party| party)?;
        let states = &self.focal_point_for;
        list("focal_point_for", states, 0, MAX_PARTIES, |party| party)
    }
}

impl CheckForm for ChangePartner {
    fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
        texts.maybe("name", Name, self.name.as_ref())
    }

    fn values(&self) -> Checked {
        maybe_list("roles", self.roles.as_ref(), MAX_ROLES, |role| role)?;
        maybe_list("parties", self.parties.as_ref(), MAX_PARTIES, |party| party)?;
        // Empty is a value here: the partner is nobody's focal point any more.
        let states = self.focal_point_for.as_deref().unwrap_or_default();
        list("focal_point_for", states, 0, MAX_PARTIES, |party| party)
    }
}

impl CheckForm for PublishInstrument {
    fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
        texts.one("title", Name, &self.title)?;
        texts.maybe("symbol", Name, self.symbol.as_ref())?;
        texts.maybe("url", Url, self.url.as_ref())?;
        let mut principles = self.principles.iter().enumerate();
        principles.try_for_each(|(index, principle)| {
            texts.within(
                ("principles", Some(index)),
                "name",
                Name,
                Some(&principle.name),
            )
        })
    }

    fn values(&self) -> Checked {
        let principles = &self.principles;
        list("principles", principles, 0, MAX_PRINCIPLES, |principle| {
            &principle.code
        })
    }
}

impl CheckForm for CatalogueAction {
    fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
        texts.one("title", Name, &self.title)?;
        texts.maybe("description", Free, self.description.as_ref())
    }
}

impl CheckForm for AmendActionText {
    fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
        texts.maybe("title", Name, self.title.as_ref())?;
        texts.maybe("description", Free, self.description.as_ref())?;
        texts.one("reason", Free, &self.reason)
    }
}

impl CheckForm for MapActions {
    fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
        texts.maybe("basis", Free, self.basis.as_ref())
    }

    fn values(&self) -> Checked {
        list("to", &self.to, 1, MAX_ACTIONS, |code| code)
    }
}

impl CheckForm for RegisterParty {
    fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
        texts.one("name", Name, &self.name)
    }
}

impl CheckForm for AmendParty {
    fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
        texts.one("name", Name, &self.name)?;
        texts.one("reason", Free, &self.reason)
    }
}

impl CheckForm for RecordCommitment {
    fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
        texts.one("title", Name, &self.title)?;
        texts.maybe("description", Free, self.description.as_ref())?;
        if let Some(measure) = &self.measure {
            let outer = ("measure", None);
            texts.within(outer, "indicator", Name, Some(&measure.indicator))?;
            texts.within(outer, "unit", Name, measure.unit.as_ref())?;
        }
        milestone_texts(texts, &self.milestones)?;
        if let Some(source) = &self.source {
            let outer = ("source", None);
            texts.within(outer, "system", Name, Some(&source.system))?;
            texts.within(outer, "reference", Name, Some(&source.reference))?;
            texts.within(outer, "url", Url, source.url.as_ref())?;
        }
        Ok(())
    }

    fn values(&self) -> Checked {
        list("actions", &self.actions, 1, MAX_ACTIONS, |code| code)?;
        let participants = &self.participants;
        list("participants", participants, 0, MAX_PARTICIPANTS, party)?;
        list("countries", &self.countries, 0, MAX_COUNTRIES, |country| {
            country
        })?;
        list("principles", &self.principles, 0, MAX_PRINCIPLES, |code| {
            code
        })?;
        list("milestones", &self.milestones, 0, MAX_MILESTONES, name)?;
        self.measure.as_ref().map_or(Ok(()), |data| {
            let numbers = [("baseline", data.baseline), ("target", data.target)];
            measure(data.unit.as_ref(), numbers, self.nature)
        })
    }
}

impl CheckForm for AmendCommitment {
    fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
        texts.maybe("title", Name, self.title.as_ref())?;
        texts.maybe("description", Free, self.description.as_ref())?;
        if let Some(measure) = &self.measure {
            let outer = ("measure", None);
            texts.within(outer, "indicator", Name, measure.indicator.as_ref())?;
            texts.within(outer, "unit", Name, measure.unit.as_ref())?;
        }
        milestone_texts(texts, self.milestones.as_deref().unwrap_or_default())?;
        texts.one("reason", Free, &self.reason)
    }

    fn values(&self) -> Checked {
        maybe_list("actions", self.actions.as_ref(), MAX_ACTIONS, |code| code)?;
        let countries = self.countries.as_ref();
        maybe_list("countries", countries, MAX_COUNTRIES, |country| country)?;
        let participants = self.participants.as_ref();
        maybe_list("participants", participants, MAX_PARTICIPANTS, party)?;
        let milestones = self.milestones.as_ref();
        maybe_list("milestones", milestones, MAX_MILESTONES, name)?;
        let change = |data: &MeasureChange| {
            let numbers = [("baseline", data.baseline), ("target", data.target)];
            measure(data.unit.as_ref(), numbers, self.nature)
        };
        self.measure.as_ref().map_or(Ok(()), change)
    }
}

impl CheckForm for ReachMilestone {
    fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
        texts.one("milestone", Name, &self.milestone)?;
        texts.maybe("note", Free, self.note.as_ref())?;
        evidence_texts(texts, &self.evidence)
    }

    fn values(&self) -> Checked {
        evidence_list(&self.evidence, 0)
    }
}

impl CheckForm for ReportProgress {
    fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
        indicator_texts(texts, &self.indicators)?;
        texts.maybe("narrative", Free, self.narrative.as_ref())?;
        evidence_texts(texts, &self.evidence)?;
        texts.maybe("no_evidence_reason", Free, self.no_evidence_reason.as_ref())
    }

    fn values(&self) -> Checked {
        indicator_list(&self.indicators)?;
        evidence_list(&self.evidence, 0)
    }
}

impl CheckForm for CorrectReport {
    fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
        indicator_texts(texts, &self.indicators)?;
        texts.maybe("narrative", Free, self.narrative.as_ref())?;
        evidence_texts(texts, &self.evidence)?;
        texts.maybe("no_evidence_reason", Free, self.no_evidence_reason.as_ref())?;
        texts.one("reason", Free, &self.reason)
    }

    fn values(&self) -> Checked {
        indicator_list(&self.indicators)?;
        evidence_list(&self.evidence, 0)
    }
}

impl CheckForm for ContestReport {
    fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
        texts.one("reason", Free, &self.reason)?;
        evidence_texts(texts, &self.evidence)
    }

    fn values(&self) -> Checked {
        evidence_list(&self.evidence, 0)
    }
}

impl CheckForm for AnswerContest {
    fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
        texts.one("answer", Free, &self.answer)
    }
}

impl CheckForm for AssessProgress {
    fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
        texts.one("grade", Name, &self.grade)?;
        texts.maybe("summary", Free, self.summary.as_ref())?;
        evidence_texts(texts, &self.evidence)
    }

    fn values(&self) -> Checked {
        evidence_list(&self.evidence, 0)
    }
}

impl CheckForm for AssessAmbition {
    fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
        grade_texts(texts, &self.grades)?;
        texts.maybe("summary", Free, self.summary.as_ref())
    }

    fn values(&self) -> Checked {
        list("grades", &self.grades, 1, MAX_GRADES, dimension)
    }
}

impl CheckForm for ReviseAssessment {
    fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
        texts.one("reason", Free, &self.reason)?;
        texts.maybe("grade", Name, self.grade.as_ref())?;
        grade_texts(texts, self.grades.as_deref().unwrap_or_default())?;
        texts.maybe("summary", Free, self.summary.as_ref())
    }

    fn values(&self) -> Checked {
        maybe_list("grades", self.grades.as_ref(), MAX_GRADES, dimension)
    }
}

impl CheckForm for AttachEvidence {
    fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
        evidence_texts(texts, &self.evidence)
    }

    fn values(&self) -> Checked {
        evidence_list(&self.evidence, 1)
    }
}

impl CheckForm for MoveEvidence {
    fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
        texts.one("url", Url, &self.url)?;
        texts.maybe("reason", Free, self.reason.as_ref())
    }

    fn values(&self) -> Checked {
        one_name(self.sha256, self.evidence)
    }
}

impl CheckForm for DigestEvidence {
    fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
        texts.maybe("reason", Free, self.reason.as_ref())
    }
}

impl CheckForm for FlagEvidenceUnavailable {
    fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
        texts.one("reason", Free, &self.reason)
    }

    fn values(&self) -> Checked {
        one_name(self.sha256, self.evidence)
    }
}

impl CheckForm for OpenReview {
    fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
        texts.one("title", Name, &self.title)
    }
}

impl CheckForm for RecordStatement {
    fn texts(&self, texts: &mut Texts<'_, '_>) -> Checked {
        texts.one("statement", Free, &self.statement)?;
        texts.maybe("url", Url, self.url.as_ref())
    }
}
