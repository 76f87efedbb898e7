//! The answers of a projector about the views.

use super::table::{Argument, Ask, Endpoint, EndpointSpec, endpoints};
use crate::wire::v1::answer::{ProjectionAnswer, ViewAnswer, WatchEnvelope};
use crate::wire::v1::problem::{Problem, ProblemCode};
use crate::wire::v1::query::{NoQuery, QueryPayload, ViewQuery, WatchQuery};
use crate::wire::v1::view::{
    ActionBody, CountryBody, Family, GapsBody, PartnerBody, ReviewBody, SummaryBody, ViewKey,
};

endpoints! {
    /// An endpoint that a projector answers.
    ViewEndpoint,
    /// A query to a projector.
    ViewsQuery;

    /// The progress of the projector of countries.
    ProjectionCountry = "projection_country" {
        subject: "projection.country" None,
        http: [],
        query: NoQuery,
        answer: ProjectionAnswer,
        problems: [Failed, Unavailable, TooLarge],
    }
    /// One country.
    Country = "country" {
        subject: "country" Tokens,
        http: ["/api/v1/countries/{ISO3}"],
        query: ViewQuery,
        answer: ViewAnswer<CountryBody>,
        problems: [BadQuery, NotFound, NotReached, Failed, Unavailable, TooLarge],
    }
    /// The progress of the projector of actions.
    ProjectionAction = "projection_action" {
        subject: "projection.action" None,
        http: [],
        query: NoQuery,
        answer: ProjectionAnswer,
        problems: [Failed, Unavailable, TooLarge],
    }
    /// One action.
    Action = "action" {
        subject: "action" Tokens,
        http: ["/api/v1/actions/{code}"],
        query: ViewQuery,
        answer: ViewAnswer<ActionBody>,
        problems: [BadQuery, NotFound, NotReached, Failed, Unavailable, TooLarge],
    }
    /// The progress of the projector of the whole ledger.
    ProjectionSummary = "projection_summary" {
        subject: "projection.summary" None,
        http: [],
        query: NoQuery,
        answer: ProjectionAnswer,
        problems: [Failed, Unavailable, TooLarge],
    }
    /// The whole ledger in figures.
    Summary = "summary" {
        subject: "summary" None,
        http: ["/api/v1/summary"],
        query: ViewQuery,
        answer: ViewAnswer<SummaryBody>,
        problems: [BadQuery, NotFound, NotReached, Failed, Unavailable, TooLarge],
    }
    /// The gaps: actions and member States without a commitment that stands.
    Gaps = "gaps" {
        subject: "gaps" None,
        http: ["/api/v1/gaps"],
        query: ViewQuery,
        answer: ViewAnswer<GapsBody>,
        problems: [BadQuery, NotFound, NotReached, Failed, Unavailable, TooLarge],
    }
    /// The events that one partner sent.
    Partner = "partner" {
        subject: "partner" Tokens,
        http: ["/api/v1/partners/{id}"],
        query: ViewQuery,
        answer: ViewAnswer<PartnerBody>,
        problems: [BadQuery, NotFound, NotReached, Failed, Unavailable, TooLarge],
    }
    /// One review cycle.
    Review = "review" {
        subject: "review" Tokens,
        http: ["/api/v1/reviews/{id}"],
        query: ViewQuery,
        answer: ViewAnswer<ReviewBody>,
        problems: [BadQuery, NotFound, NotReached, Failed, Unavailable, TooLarge],
    }
    /// The watch lists. What is on them depends on the day, so that they are no view.
    Watch = "watch" {
        subject: "watch" None,
        http: ["/api/v1/watch"],
        query: WatchQuery,
        answer: WatchEnvelope,
        problems: [BadQuery, NotFound, NotReached, Failed, Unavailable, TooLarge],
    }
}

impl ViewEndpoint {
    /// The family of views that it is about: the projector that folds this family answers it.
    pub const fn family(self) -> Family {
        match self {
            Self::ProjectionCountry | Self::Country => Family::Country,
            Self::ProjectionAction | Self::Action => Family::Action,
            Self::ProjectionSummary
            | Self::Summary
            | Self::Gaps
            | Self::Partner
            | Self::Review
            | Self::Watch => Family::Summary,
        }
    }

    /// The endpoint that a view is asked for on.
    pub const fn of(key: &ViewKey) -> Self {
        match key {
            ViewKey::Country(_) => Self::Country,
            ViewKey::Action(_) => Self::Action,
            ViewKey::Summary => Self::Summary,
            ViewKey::Gaps => Self::Gaps,
            ViewKey::Partner(_) => Self::Partner,
            ViewKey::Review(_) => Self::Review,
        }
    }

    /// The endpoint that says how far the projector of a family has come.
    pub const fn projection(family: Family) -> Self {
        match family {
            Family::Country => Self::ProjectionCountry,
            Family::Action => Self::ProjectionAction,
            Family::Summary => Self::ProjectionSummary,
        }
    }
}
