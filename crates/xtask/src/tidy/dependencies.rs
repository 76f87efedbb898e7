//! A crate declares what it uses, and nothing else: every dependency costs time to build and to trust.

use super::sources::rust_files;
use crate::workspace::Package;
use std::fs;

pub(crate) fn check(members: &[Package]) -> Vec<String> {
    let mut violations = Vec::new();
    for member in members {
        match sources_of(member) {
            Ok(sources) => violations.extend(unused(member, &sources)),
            Err(error) => violations.push(format!(
                "the sources of {} cannot be read: {error}",
                member.name
            )),
        }
    }
    violations
}

/// All that a member has of Rust: its library or binary, its tests, its examples.
fn sources_of(member: &Package) -> std::io::Result<Vec<String>> {
    let mut files = Vec::new();
    rust_files(&member.folder, &mut files)?;
    files.into_iter().map(fs::read_to_string).collect()
}

fn unused(member: &Package, sources: &[String]) -> Vec<String> {
    member
        .externs
        .iter()
        .filter(|name| !sources.iter().any(|source| mentions(source, name)))
        .map(|name| format!("{} depends on {name} and does not use it", member.name))
        .collect()
}

/// Whether code, and not a comment alone, names the crate: in a path or an import.
fn mentions(source: &str, name: &str) -> bool {
    let code = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.into_iter().any(|line| {
        line.match_indices(name).any(|(at, _)| {
            let (before, rest) = line.split_at(at);
            let after = rest.strip_prefix(name).unwrap_or_default();
            let is_within = |c: char| c.is_alphanumeric() || c == '_';
            let is_whole = !before.ends_with(is_within) && !after.starts_with(is_within);
            let is_imported = before.trim_end().ends_with("use");
            is_whole && (after.starts_with("::") || is_imported)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn unused_in(source: &str) -> Vec<String> {
        let member = Package {
            name: "a".to_owned(),
            folder: PathBuf::new(),
            licence: None,
            dependencies: Vec::new(),
            externs: vec!["serde_json".to_owned()],
            test_targets: Vec::new(),
        };
        unused(&member, &["mod b;\n".to_owned(), source.to_owned()])
    }

    #[test]
    fn a_dependency_that_no_source_names_is_named() {
        for source in [
            "",
            "// serde_json::Value would do.\n",
            "    /// As [`serde_json::Value`].\n",
            "fn serde_json() {}\n",
            "use my_serde_json::Value;\n",
            "use serde_json_too::Value;\n",
        ] {
            assert_eq!(
                unused_in(source),
                ["a depends on serde_json and does not use it"],
                "{source}"
            );
        }
    }

    #[test]
    fn a_dependency_in_a_path_or_an_import_is_used() {
        for source in [
            "use serde_json::Value;\n",
            "use serde_json as json;\n",
            "pub use serde_json;\n",
            "    let value = serde_json::json!({});\n",
            "use {::serde_json::Value};\n",
        ] {
            assert_eq!(unused_in(source), Vec::<String>::new(), "{source}");
        }
    }

    #[test]
    fn the_sources_of_a_member_are_read_from_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let tests = folder.path().join("tests");
        fs::create_dir(&tests).unwrap();
        fs::write(tests.join("one.rs"), "use b::Thing;\n").unwrap();
        let member = Package {
            name: "a".to_owned(),
            folder: folder.path().to_path_buf(),
            licence: None,
            dependencies: Vec::new(),
            externs: vec!["b".to_owned(), "c".to_owned()],
            test_targets: Vec::new(),
        };
        assert_eq!(check(&[member]), ["a depends on c and does not use it"]);
    }
}
