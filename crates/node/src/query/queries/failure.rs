//! Problems of queries that the log could not be read for.

use ledger_domain::wire::v1::problem::Problem;
use ledger_store::ReadError;

pub(super) fn read_failure(error: ReadError) -> Problem {
    internal(error)
}

pub(super) fn internal(error: impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "a query could not be answered");
    Problem::failed(format!("the log could not be read: {error}"))
}
