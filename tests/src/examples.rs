//! What the illustrative seeds amount to, so that no test repeats a count of them.

use ledger_domain::country;
use ledger_domain::wire::v1::{CommandBody, Root};
use ledger_import::seeds::Illustrative;
use std::collections::HashMap;

/// How many illustrative commitments show under this country: those of its State, and those of the parties in it.
///
/// # Panics
/// When the seeds cannot be read.
pub fn illustrative_commitments(country: &str) -> u64 {
    let root = Root {
        partner: "root".parse().expect("an id"),
        party: "ledger".parse().expect("an id"),
    };
    let mut seeds = Illustrative::read(&root).expect("the seeds");
    let mut home = HashMap::new();
    let mut count = 0;
    // The registrations, then the records among what needs no receipt.
    for _ in 0..2 {
        for command in seeds.next_phase().expect("the seeds").expect("a phase") {
            if let CommandBody::RegisterParty(party) = &command.body {
                home.insert(command.subject.to_string(), party.country);
            }
            if let CommandBody::RecordCommitment(_) = &command.body {
                let registered = home.get(&format!("party/{}", command.party));
                let own = country::find(command.party.as_str()).map(|state| state.code);
                let code = registered.copied().unwrap_or(own);
                count += u64::from(code.is_some_and(|code| code.as_str() == country));
            }
        }
    }
    count
}
