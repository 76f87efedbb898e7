//! Decisions about review cycles.

use super::{Context, Decision, Route, refuse};
use crate::ids::{ReviewId, Subject, Version};
use crate::rejection::{Rejection, RejectionCode};
use crate::wire::v1::{
    CloseReview, OpenReview, RecordStatement, ReviewClosed, ReviewOpened, StatementRecorded,
};

impl Context<'_> {
    fn review_subject(&self) -> Result<&ReviewId, Rejection> {
        match &self.command.subject {
            Subject::Review(id) => Ok(id),
            Subject::Commitment(_)
            | Subject::Instrument(_)
            | Subject::Party(_)
            | Subject::Partner(_)
            | Subject::Ledger => self.wrong_subject(),
        }
    }

    /// The version of the review the command is about, which was opened and not closed.
    fn open_review(&self) -> Result<Version, Rejection> {
        let id = self.review_subject()?;
        let Some(review) = self.reference.review(id) else {
            return refuse(
                RejectionCode::UnknownReview,
                "subject",
                format!("review {id} was not opened; open it first, or correct the id"),
            );
        };
        self.expect_version(review.version)?;
        if review.closed {
            return refuse(
                RejectionCode::ReviewClosed,
                "subject",
                format!("review {id} is closed, and its figures are frozen; open another"),
            );
        }
        Ok(review.version)
    }
}

pub(super) fn open(context: &Context<'_>, data: &OpenReview) -> Decision {
    let id = context.review_subject()?;
    if context.reference.review(id).is_some() {
        return refuse(
            RejectionCode::ReviewExists,
            "subject",
            format!("review {id} was opened already; use a new id"),
        );
    }
    context.spelt_alone(RejectionCode::ReviewExists)?;
    context.expect_version(Version(0))?;
    if let Some(instrument) = &data.instrument
        && context.reference.instrument(instrument).is_none()
    {
        return refuse(
            RejectionCode::UnknownInstrument,
            "data.instrument",
            format!("instrument {instrument} is not published; publish it first"),
        );
    }
    context.foreseeable(data.from, "data.from")?;
    context.foreseeable(data.to, "data.to")?;
    if let (Some(from), Some(to)) = (data.from, data.to)
        && to.last_day() < from.first_day()
    {
        return refuse(
            RejectionCode::DateOrder,
            "data.to",
            format!("the review ends {to} before it begins {from}; correct one of them"),
        );
    }
    let body = ReviewOpened {
        title: data.title.clone(),
        from: data.from,
        to: data.to,
        instrument: data.instrument.clone(),
    };
    Ok(context.event(Version(0), None, Route::default(), body))
}

pub(super) fn record_statement(context: &Context<'_>, data: &RecordStatement) -> Decision {
    let version = context.open_review()?;
    context.active_party(&data.speaker, "data.speaker")?;
    context.happened(data.made, "data.made")?;
    let body = StatementRecorded {
        speaker: data.speaker.clone(),
        statement: data.statement.clone(),
        url: data.url.clone(),
        made: data.made,
        language: data.language.clone(),
    };
    Ok(context.event(version, data.made, Route::default(), body))
}

pub(super) fn close(context: &Context<'_>, data: &CloseReview) -> Decision {
    let version = context.open_review()?;
    let body = ReviewClosed {
        note: data.note.clone(),
    };
    Ok(context.event(version, None, Route::default(), body))
}
