//! Rules about single files: their size, their settings, words that belong to one crate.

use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace::Workspace;

/// More than this is more than one room.
const MAX_LINES: usize = 700;

/// A path that one crate alone may write, with that crate's folder. Spelled in two halves: this file is looked at too.
const CONFINED: [(&str, &str); 2] = [
    (concat!("sled", "::"), "crates/store/"),
    (concat!("async_nats", "::"), "crates/bus/"),
];

/// The calls that would make the domain impure.
const IMPURE_CALLS: [&str; 6] = [
    "chrono::Utc::now",
    "uuid::Uuid::new_v4",
    "uuid::Uuid::now_v7",
    "std::time::SystemTime::now",
    "std::time::Instant::now",
    "std::env::var",
];

pub(crate) fn check(workspace: &Workspace) -> Vec<String> {
    let mut violations = Vec::new();
    for folder in ["crates", "tests"] {
        let mut files = Vec::new();
        if let Err(error) = rust_files(&workspace.root.join(folder), &mut files) {
            violations.push(format!("{folder} cannot be read: {error}"));
        }
        files.sort();
        for path in files {
            let shown = path.strip_prefix(&workspace.root).unwrap_or(&path);
            match fs::read_to_string(&path) {
                Ok(text) => violations.extend(check_source(&shown.display().to_string(), &text)),
                Err(error) => {
                    violations.push(format!("{} cannot be read: {error}", shown.display()));
                }
            }
        }
    }
    for member in &workspace.members {
        let manifest = fs::read_to_string(member.folder.join("Cargo.toml")).unwrap_or_default();
        violations.extend(check_manifest(&member.name, &manifest));
    }
    let settings = workspace
        .root
        .join("crates")
        .join("domain")
        .join(".clippy.toml");
    violations.extend(check_domain_settings(
        &fs::read_to_string(settings).unwrap_or_default(),
    ));
    violations
}

fn check_source(path: &str, text: &str) -> Vec<String> {
    let mut violations = Vec::new();
    let lines = text.lines().count();
    if lines > MAX_LINES {
        violations.push(format!("{path} has {lines} lines, more than {MAX_LINES}"));
    }
    for (word, home) in CONFINED {
        if !path.starts_with(home) && !path.starts_with("tests/") && text.contains(word) {
            violations.push(format!(
                "{path} writes `{word}`, which belongs to {home} alone"
            ));
        }
    }
    for (number, line) in (1..).zip(text.lines().map(str::trim_start)) {
        if line.starts_with("#[ignore]") {
            violations.push(format!("{path}:{number} ignores a test without a reason"));
        }
        if line.starts_with("#[allow(") || line.starts_with("#![allow(") {
            violations.push(format!(
                "{path}:{number} allows a lint: `expect` it, with a reason"
            ));
        }
        if line.starts_with("#[expect(") && line.ends_with(")]") && !line.contains("reason = ") {
            violations.push(format!("{path}:{number} expects a lint without a reason"));
        }
    }
    violations
}

fn check_manifest(name: &str, manifest: &str) -> Option<String> {
    let inherits = manifest
        .lines()
        .skip_while(|line| line.trim() != "[lints]")
        .nth(1)
        .is_some_and(|line| line.trim() == "workspace = true");
    (!inherits).then(|| format!("{name} does not inherit the workspace's lints"))
}

fn check_domain_settings(settings: &str) -> Vec<String> {
    IMPURE_CALLS
        .iter()
        .filter(|call| !settings.contains(&format!("\"{call}\"")))
        .map(|call| format!("crates/domain/.clippy.toml does not forbid {call}"))
        .collect()
}

/// Adds the Rust files in a folder and the folders within it.
pub(super) fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            rust_files(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_named() {
        assert!(check_source("crates/a/src/lib.rs", &"\n".repeat(MAX_LINES)).is_empty());
        assert_eq!(
            check_source("crates/a/src/lib.rs", &"\n".repeat(MAX_LINES + 1)).len(),
            1
        );
    }

    #[test]
    fn a_confined_word_is_named_outside_its_crate() {
        for (word, home) in CONFINED {
            let text = format!("use {word}Thing;\n");
            assert_eq!(check_source("crates/node/src/lib.rs", &text).len(), 1);
            assert!(check_source(&format!("{home}src/lib.rs"), &text).is_empty());
            assert!(check_source("tests/system/main.rs", &text).is_empty());
        }
    }

    #[test]
    fn a_lint_or_test_is_not_silenced_without_a_reason() {
        let silenced = |line: &str| check_source("crates/a/src/lib.rs", line).len();
        assert_eq!(silenced(concat!("#[", "allow(dead_code)]")), 1);
        assert_eq!(silenced(concat!("#[", "ignore]")), 1);
        assert_eq!(silenced(concat!("#[", "ignore = \"takes an hour\"]")), 0);
        assert_eq!(silenced(concat!("    #[", "expect(dead_code)]")), 1);
        assert_eq!(
            silenced(concat!(
                "#[",
                "expect(dead_code, reason = \"used by tests\")]"
            )),
            0
        );
        assert_eq!(
            silenced(concat!(
                "#[",
                "expect(\n    dead_code,\n    reason = \"used by tests\"\n)]"
            )),
            0
        );
    }

    #[test]
    fn a_crate_with_lints_of_its_own_is_named() {
        assert_eq!(
            check_manifest(
                "a",
                "[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n"
            ),
            None
        );
        assert!(check_manifest("a", "[package]\nname = \"a\"\n").is_some());
        assert!(check_manifest("a", "[lints]\nrust.missing_docs = \"allow\"\n").is_some());
    }

    #[test]
    fn an_impure_call_that_the_domain_allows_is_named() {
        let all = format!("{IMPURE_CALLS:?}");
        assert!(check_domain_settings(&all).is_empty());
        assert_eq!(
            check_domain_settings(&all.replace("\"std::env::var\"", "")).len(),
            1
        );
        assert_eq!(check_domain_settings("").len(), IMPURE_CALLS.len());
    }
}
