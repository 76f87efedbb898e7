//! Which crate may know which. The drawing is in ARCHITECTURE.md; this is the same as a table.

use crate::workspace::{Kind, Package};

/// A member, and the members it may depend on. `tests/` may use all and is not listed.
const ARROWS: [(&str, &[&str]); 11] = [
    ("ledger-domain", &[]),
    ("ledger-proof", &[]),
    ("ledger-store", &["ledger-domain", "ledger-proof"]),
    ("ledger-bus", &["ledger-domain", "ledger-proof"]),
    (
        "ledger-node",
        &[
            "ledger-store",
            "ledger-bus",
            "ledger-domain",
            "ledger-proof",
        ],
    ),
    (
        "ledger-web",
        &["ledger-bus", "ledger-domain", "ledger-proof"],
    ),
    (
        "ledger-client",
        &["ledger-bus", "ledger-domain", "ledger-proof"],
    ),
    ("ledger-import", &["ledger-domain"]),
    ("ledger-nats-server", &["ledger-bus"]),
    (
        "compact-ledger",
        &[
            "ledger-import",
            "ledger-nats-server",
            "ledger-node",
            "ledger-web",
            "ledger-client",
            "ledger-store",
            "ledger-bus",
            "ledger-domain",
            "ledger-proof",
        ],
    ),
    ("xtask", &[]),
];

const TESTS: &str = "ledger-tests";

/// A library that one crate alone may use, so that replacing it touches one crate.
const CONFINED: [(&str, &str); 2] = [("sled", "ledger-store"), ("async-nats", "ledger-bus")];

/// Crates that compute and nothing else.
const PURE: [&str; 2] = ["ledger-domain", "ledger-proof"];

/// What a pure crate has no use for: runtimes, clocks that run, randomness, files.
const IMPURE: [&str; 12] = [
    "tokio",
    "async-nats",
    "futures",
    "async-trait",
    "sled",
    "rand",
    "getrandom",
    "rustix",
    "libc",
    "time",
    "tracing",
    "tempfile",
];

pub(crate) fn check(members: &[Package]) -> Vec<String> {
    let mut violations = Vec::new();
    for member in members.iter().filter(|member| member.name != TESTS) {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == member.name) else {
            violations.push(format!(
                "{} has no place in the table of crate arrows: decide what it may know",
                member.name
            ));
            continue;
        };
        for (dependency, kind) in &member.dependencies {
            let known = ARROWS.iter().any(|(name, _)| name == dependency) || dependency == TESTS;
            if known && !allowed.contains(&dependency.as_str()) {
                violations.push(format!("{} may not depend on {dependency}", member.name));
            }
            if let Some((library, owner)) =
                CONFINED.iter().find(|(library, _)| library == dependency)
                && *owner != member.name
            {
                violations.push(format!(
                    "{} uses {library}, which is {owner}'s alone",
                    member.name
                ));
            }
            if PURE.contains(&member.name.as_str())
                && *kind != Kind::Dev
                && IMPURE.contains(&dependency.as_str())
            {
                violations.push(format!(
                    "{} is pure and may not use {dependency}",
                    member.name
                ));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn member(name: &str, dependencies: &[(&str, Kind)]) -> Package {
        Package {
            name: name.to_owned(),
            folder: PathBuf::new(),
            licence: None,
            dependencies: dependencies
                .iter()
                .map(|(name, kind)| ((*name).to_owned(), *kind))
                .collect(),
            externs: Vec::new(),
            test_targets: Vec::new(),
        }
    }

    fn violations(name: &str, dependency: &str, kind: Kind) -> usize {
        check(&[member(name, &[(dependency, kind)])]).len()
    }

    #[test]
    fn an_arrow_to_the_right_is_fine() {
        assert_eq!(
            violations("compact-ledger", "ledger-store", Kind::Normal),
            0
        );
        assert_eq!(violations("ledger-node", "ledger-bus", Kind::Normal), 0);
        assert_eq!(violations("ledger-store", "ledger-proof", Kind::Normal), 0);
    }

    #[test]
    fn an_arrow_the_other_way_is_named() {
        assert_eq!(
            check(&[member("ledger-domain", &[("ledger-proof", Kind::Normal)])]),
            ["ledger-domain may not depend on ledger-proof"]
        );
        assert_eq!(violations("ledger-web", "ledger-store", Kind::Normal), 1);
        assert_eq!(violations("ledger-client", "ledger-store", Kind::Normal), 1);
        assert_eq!(violations("ledger-node", "ledger-web", Kind::Normal), 1);
        assert_eq!(violations("ledger-node", "ledger-client", Kind::Build), 1);
        assert_eq!(violations("ledger-bus", "ledger-store", Kind::Dev), 1);
        assert_eq!(violations("ledger-node", "ledger-tests", Kind::Dev), 1);
    }

    #[test]
    fn the_tests_may_use_everything() {
        assert_eq!(violations("ledger-tests", "ledger-store", Kind::Normal), 0);
        assert_eq!(violations("ledger-tests", "async-nats", Kind::Normal), 0);
    }

    #[test]
    fn a_crate_without_a_place_is_named() {
        assert_eq!(check(&[member("ledger-new", &[])]).len(), 1);
    }

    #[test]
    fn a_confined_library_elsewhere_is_named() {
        assert_eq!(violations("ledger-store", "sled", Kind::Normal), 0);
        assert_eq!(violations("ledger-node", "sled", Kind::Normal), 1);
        assert_eq!(violations("ledger-client", "async-nats", Kind::Normal), 1);
    }

    #[test]
    fn a_pure_crate_with_a_runtime_is_named() {
        assert_eq!(violations("ledger-domain", "tokio", Kind::Normal), 1);
        assert_eq!(violations("ledger-proof", "rand", Kind::Normal), 1);
        assert_eq!(violations("ledger-proof", "tempfile", Kind::Dev), 0);
    }
}
