//! The names that a query may filter the log by: a name that the ledger does not know is refused, not
//! answered as one of which nothing was recorded.

use std::sync::{Mutex, PoisonError};

use ledger_domain::Reference;
use ledger_domain::country::{self, NO_COUNTRY};
use ledger_domain::ids::ActionCode;
use ledger_domain::wire::v1::problem::Problem;
use ledger_store::Log;

use super::failure::{internal, read_failure};
use crate::query::history::for_each_event;

/// The ledger's reference data as far as a query has needed it.
#[derive(Default)]
pub(crate) struct Names(Mutex<Folded>);

#[derive(Default)]
struct Folded {
    reference: Reference,
    /// Events of the log below this position are folded.
    tree_size: u64,
}

impl Names {
    /// Fails where there is no country of this code.
    pub(super) fn expect_country(code: &str) -> Result<(), Problem> {
        let known = code == NO_COUNTRY || country::find(code).is_some();
        known.then_some(()).ok_or_else(|| unknown("country", code))
    }

    /// Fails where no action of this code was published.
    pub(super) fn expect_action(&self, log: &Log, code: &str) -> Result<(), Problem> {
        let indexed = log.action_positions(code, 0, 1).map_err(read_failure)?;
        if !indexed.is_empty() {
            return Ok(());
        }
        let parsed = code.parse::<ActionCode>();
        let parsed = parsed.map_err(|_| unknown("action", code))?;
        let mut folded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if folded.reference.action(&parsed).is_none() {
            folded.follow(log)?;
        }
        let known = folded.reference.action(&parsed).is_some();
        known.then_some(()).ok_or_else(|| unknown("action", code))
    }
}

impl Folded {
    /// Folds what the log has gained.
    fn follow(&mut self, log: &Log) -> Result<(), Problem> {
        let tree_size = log.tree_size();
        if tree_size == self.tree_size {
            return Ok(());
        }
        let mut positions = log.reference_positions().map_err(read_failure)?;
        positions.retain(|position| (self.tree_size..tree_size).contains(position));
        let reference = &mut self.reference;
        for_each_event(log, &positions, |event| reference.evolve(&event)).map_err(internal)?;
        self.tree_size = tree_size;
        Ok(())
    }
}

fn unknown(what: &str, code: &str) -> Problem {
    Problem::not_found(format!("the ledger knows no {what} {code}"))
}
