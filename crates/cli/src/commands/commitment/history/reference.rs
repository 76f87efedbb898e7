//! The effect of an event of a commitment on another one.

use ledger_domain::wire::v1::EventBody;

/// The effect of an event on another of the commitment.
pub(super) struct Reference {
    /// The other's position, or the place of a piece of evidence that it named.
    pub(super) at: String,
    /// The deed, told of the event.
    pub(super) does: &'static str,
    /// The deed, told of the other.
    pub(super) done: &'static str,
    /// The word for the other.
    pub(super) what: &'static str,
}

/// The effect of an event on another, if it names one.
pub(super) fn reference(body: &EventBody) -> Option<Reference> {
    let reference = |at: String, does, done, what| {
        Some(Reference {
            at,
            does,
            done,
            what,
        })
    };
    let of_report = |at: &dyn ToString, does, done| reference(at.to_string(), does, done, "report");
    if let EventBody::ReportCorrected(data) = body {
        return of_report(&data.corrects, "corrects", "corrected");
    }
    if let EventBody::ReportRetracted(data) = body {
        return of_report(&data.report, "retracts", "retracted");
    }
    if let EventBody::ReportContested(data) = body {
        return of_report(&data.report, "contests", "contested");
    }
    if let EventBody::ReportValidated(data) = body {
        return of_report(&data.report, "validates", "validated");
    }
    if let EventBody::ReportReturned(data) = body {
        return of_report(&data.report, "returns", "returned");
    }
    if let EventBody::EvidenceAttached(data) = body {
        return of_report(&data.report?, "adds evidence to", "given evidence");
    }
    if let EventBody::ContestAnswered(data) = body {
        return reference(data.contest.to_string(), "answers", "answered", "contest");
    }
    if let EventBody::ContestResolved(data) = body {
        return reference(data.contest.to_string(), "resolves", "resolved", "contest");
    }
    if let EventBody::AssessmentRevised(data) = body {
        let at = data.assessment.to_string();
        return reference(at, "revises", "revised", "assessment");
    }
    // Evidence without a digest, by the position and the place of the event that named it.
    let evidence =
        |at: &dyn ToString, does, done| reference(at.to_string(), does, done, "evidence");
    if let EventBody::EvidenceDigested(data) = body {
        return evidence(&data.evidence, "digests", "digested");
    }
    if let EventBody::EvidenceMoved(data) = body {
        return evidence(&data.evidence?, "moves", "moved");
    }
    if let EventBody::EvidenceFlaggedUnavailable(data) = body {
        return evidence(&data.evidence?, "did not find", "not found");
    }
    None
}
