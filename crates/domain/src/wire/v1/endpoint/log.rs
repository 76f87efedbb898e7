//! The answers of a node about the log.

use super::table::{Argument, Ask, Endpoint, EndpointSpec, endpoints};
use crate::wire::v1::answer::{CommitmentAnswer, HeadAnswer, ScrubAnswer, StoredBlocks};
use crate::wire::v1::problem::{Problem, ProblemCode};
use crate::wire::v1::query::{CommitmentQuery, NoQuery, QueryPayload, ReplayQuery};

endpoints! {
    /// An endpoint that a node answers.
    LogEndpoint,
    /// A query to a node.
    LogQuery;

    /// The extent of the log, and its newest signed tree head.
    Head = "head" {
        subject: "head" None,
        http: ["/log/checkpoint"],
        query: NoQuery,
        answer: HeadAnswer,
        problems: [Failed, Unavailable],
    }
    /// Events of the log, as the blocks that hold them.
    Replay = "replay" {
        subject: "replay" None,
        http: ["/api/v1/events"],
        query: ReplayQuery,
        answer: StoredBlocks,
        problems: [BadQuery, NotFound, NotReached, Failed, Unavailable],
    }
    /// One commitment: how it stands, or its history.
    Commitment = "commitment" {
        subject: "commitment" Tokens,
        http: ["/api/v1/commitments/{id}", "/api/v1/commitments/{id}/history"],
        query: CommitmentQuery,
        answer: CommitmentAnswer,
        problems: [BadQuery, NotFound, NotReached, Failed, Unavailable, TooLarge],
    }
    /// The log checked against itself, from end to end.
    Scrub = "scrub" {
        subject: "scrub" None,
        http: [],
        query: NoQuery,
        answer: ScrubAnswer,
        problems: [Failed, Unavailable, TooLarge],
    }
}
