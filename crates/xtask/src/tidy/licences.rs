//! Only permissive licences come in. What a package states is read as an SPDX expression.

use crate::workspace::Package;

const PERMISSIVE: [&str; 11] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

pub(crate) fn check(foreign: &[Package]) -> Vec<String> {
    foreign
        .iter()
        .filter_map(|package| match &package.licence {
            None => Some(format!("{} states no licence", package.name)),
            Some(licence) if permits(licence) => None,
            Some(licence) => Some(format!(
                "{} is licensed `{licence}`, which is not on the list",
                package.name
            )),
        })
        .collect()
}

/// Whether some choice within the expression is permissive throughout. `/` is the registry's older way to write OR.
fn permits(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    let mut rest = expression.trim();
    let verdict = any_of(&mut rest);
    verdict && rest.is_empty()
}

fn any_of(rest: &mut &str) -> bool {
    let mut verdict = all_of(rest);
    while take(rest, "OR ") {
        let other = all_of(rest);
        verdict = verdict || other;
    }
    verdict
}

fn all_of(rest: &mut &str) -> bool {
    let mut verdict = one(rest);
    while take(rest, "AND ") {
        let other = one(rest);
        verdict = verdict && other;
    }
    verdict
}

fn one(rest: &mut &str) -> bool {
    if take(rest, "(") {
        let inner = any_of(rest);
        return take(rest, ")") && inner;
    }
    let end = [" OR ", " AND ", ")"]
        .iter()
        .filter_map(|mark| rest.find(mark))
        .min()
        .unwrap_or(rest.len());
    let (name, tail) = rest.split_at(end);
    *rest = tail.trim_start();
    PERMISSIVE.contains(&name.trim())
}

fn take(rest: &mut &str, mark: &str) -> bool {
    let Some(tail) = rest.strip_prefix(mark) else {
        return false;
    };
    *rest = tail.trim_start();
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_permissive_choice_is_enough() {
        assert!(permits("MIT OR GPL-3.0-only"));
        assert!(permits("MIT/Apache-2.0"));
        assert!(permits("GPL-2.0-only OR (MIT AND BSD-3-Clause)"));
        assert!(permits("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(permits(
            "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT"
        ));
    }

    #[test]
    fn every_part_of_a_conjunction_counts() {
        assert!(!permits("MIT AND GPL-3.0-only"));
        assert!(!permits("(MIT OR Apache-2.0) AND AGPL-3.0-only"));
        assert!(!permits("MPL-2.0"));
        assert!(!permits(""));
        assert!(!permits("(MIT"));
    }

    #[test]
    fn a_package_without_a_permissive_licence_is_named() {
        let package = |name: &str, licence: Option<&str>| Package {
            name: name.to_owned(),
            folder: std::path::PathBuf::new(),
            licence: licence.map(str::to_owned),
            dependencies: Vec::new(),
            externs: Vec::new(),
            test_targets: Vec::new(),
        };
        let found = check(&[
            package("fine", Some("MIT")),
            package("silent", None),
            package("strict", Some("GPL-3.0-only")),
        ]);
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("silent "));
        assert!(found[1].starts_with("strict "));
    }
}
