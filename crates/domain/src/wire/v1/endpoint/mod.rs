//! The endpoints: everything that may be asked of a ledger, each named once.
//!
//! The node answers [`LogEndpoint`]s and a projector [`ViewEndpoint`]s. For each endpoint the tables in [`log`] and [`views`] name
//! the subject on NATS, the path in HTTP, the type of the query, the type of the answer and the problems there may be. Whoever
//! answers reads a query into [`LogQuery`] or [`ViewsQuery`] and matches all of its variants: an endpoint that nobody answers does not
//! compile. Whoever asks names the endpoint by its type, as in `ask::<views::Watch>`, and gets the answer's type.
//!
//! To add an endpoint, add it to a table and follow the compiler.

pub mod log;
mod table;
pub mod views;

pub use log::{LogEndpoint, LogQuery};
pub use table::{Argument, Ask, Endpoint, EndpointSpec};
pub use views::{ViewEndpoint, ViewsQuery};

/// The entries of both tables, in their order.
pub fn all() -> impl Iterator<Item = &'static EndpointSpec> {
    let log = LogEndpoint::ALL.iter().map(|endpoint| endpoint.spec());
    let views = ViewEndpoint::ALL.iter().map(|endpoint| endpoint.spec());
    log.chain(views)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_endpoints_share_a_name_a_subject_or_a_path() {
        let names: BTreeSet<&str> = all().map(|spec| spec.name).collect();
        let subjects: BTreeSet<&str> = all().map(|spec| spec.subject).collect();
        assert_eq!(
            (names.len(), subjects.len()),
            (all().count(), all().count())
        );
        let paths: Vec<&str> = all().flat_map(|spec| spec.http).copied().collect();
        let distinct: BTreeSet<&str> = paths.iter().copied().collect();
        assert_eq!(distinct.len(), paths.len());
    }

    #[test]
    fn what_takes_an_argument_has_a_place_for_it_in_its_paths() {
        for spec in all() {
            for path in spec.http {
                assert!(path.starts_with('/'), "{path}");
                let takes = spec.argument == Argument::Tokens;
                assert_eq!(path.contains('{'), takes, "{path}");
            }
        }
    }
}
