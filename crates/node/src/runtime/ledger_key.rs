//! The ledger's key, against the one that position 0 names: heads signed with any other would verify for nobody.

use ledger_domain::wire::v1::{EventBody, EventType};
use ledger_proof::VerifierKey;
use ledger_proof::block::Content;
use ledger_store::Log;
use thiserror::Error;

use crate::query::history::{HistoryError, for_each_stored};

/// The file holds the key of another ledger, which may have the same id.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "position 0 names the key {named}, and ledger.key holds another one ({held}): put this ledger's own key back; nothing was signed"
)]
pub struct ForeignKey {
    /// The verifier key that position 0 names.
    pub named: String,
    /// That of the key in the file.
    pub held: String,
}

/// Compares a key with the data of the event at position 0. What does not decode names none: that is said by whoever reads it.
pub(crate) fn compare(opening: &[u8], held: &VerifierKey) -> Result<(), ForeignKey> {
    let Ok(EventBody::LedgerOpened(opened)) = EventBody::decode(EventType::LedgerOpened, opening)
    else {
        return Ok(());
    };
    if opened.verifier_key == held.as_str() {
        return Ok(());
    }
    Err(ForeignKey {
        named: opened.verifier_key,
        held: held.as_str().to_owned(),
    })
}

/// The key that the data of the event at position 0 names, if it names one.
pub(crate) fn named(opening: &[u8]) -> Option<VerifierKey> {
    match EventBody::decode(EventType::LedgerOpened, opening) {
        Ok(EventBody::LedgerOpened(opened)) => opened.verifier_key.parse().ok(),
        Ok(_) | Err(_) => None,
    }
}

/// The same for an open log that is not empty.
pub(crate) fn check(log: &Log) -> Result<Result<(), ForeignKey>, HistoryError> {
    let mut compared = Ok(());
    for_each_stored(log, &[0], |stored| {
        if let Content::Present { data, .. } = stored.content {
            compared = compare(data, log.key().verifier_key());
        }
        Ok(())
    })?;
    Ok(compared)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::node::opening_group;
    use crate::test_log::{TestLog, root};
    use ledger_proof::LedgerKey;

    #[test]
    fn a_log_has_the_key_that_its_first_event_names_and_no_other() {
        let mut log = TestLog::new();
        let opening = opening_group(&log.log, &"test".parse().expect("an id"), root());
        let data = opening.records[0].data.clone();
        log.append(&opening);
        assert_eq!(check(&log.log).expect("a log"), Ok(()));
        let other = LedgerKey::from_seed("test", [9; 32]).expect("a key");
        let foreign = compare(&data, other.verifier_key()).expect_err("another key");
        assert_eq!(foreign.named, log.log.key().verifier_key().as_str());
        assert_eq!(foreign.held, other.verifier_key().as_str());
        assert_eq!(compare(b"{}", other.verifier_key()), Ok(()));
    }
}
