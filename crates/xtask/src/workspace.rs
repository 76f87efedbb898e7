//! What `cargo metadata` says about the workspace.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// Why the workspace could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cargo could not be started: {0}")]
    Start(std::io::Error),
    #[error("cargo metadata failed: {0}")]
    Metadata(String),
    #[error("cargo metadata wrote something that is not JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// A package: a member of the workspace, or one from a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) licence: Option<String>,
    /// Names of direct dependencies of every kind (normal, build, dev) beside the kind.
    pub(crate) dependencies: Vec<(String, Kind)>,
    /// What its sources call these: `_` for `-`, and the other name where it has one.
    pub(crate) externs: Vec<String>,
    /// Names of its integration test targets.
    pub(crate) test_targets: Vec<String>,
}

/// What a dependency is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Build,
    Dev,
}

/// The workspace as Cargo sees it on this platform.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) members: Vec<Package>,
    pub(crate) foreign: Vec<Package>,
}

/// The cargo that runs us, so that a toolchain override holds for its children too.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"))
}

impl Workspace {
    /// Asks Cargo, for the platform it runs on.
    pub(crate) fn load() -> Result<Self, Error> {
        let output = Command::new(cargo())
            .args(["metadata", "--format-version", "1"])
            .args(["--filter-platform", &host()?])
            .output()
            .map_err(Error::Start)?;
        if !output.status.success() {
            return Err(Error::Metadata(text_of(&output.stderr)));
        }
        Ok(Self::from_metadata(&serde_json::from_slice(
            &output.stdout,
        )?))
    }

    fn from_metadata(metadata: &Value) -> Self {
        let packages = |values: Vec<&Value>| {
            let values = values.into_iter();
            values.map(|value| package(value, metadata)).collect()
        };
        let member_ids: Vec<&Value> = items(metadata, "workspace_members").collect();
        let (members, foreign): (Vec<&Value>, Vec<&Value>) = items(metadata, "packages")
            .partition(|package| package.get("id").is_some_and(|id| member_ids.contains(&id)));
        Self {
            root: PathBuf::from(text(metadata, "workspace_root")),
            target: PathBuf::from(text(metadata, "target_directory")),
            members: packages(members),
            foreign: packages(foreign),
        }
    }
}

fn package(value: &Value, metadata: &Value) -> Package {
    let mut folder = PathBuf::from(text(value, "manifest_path"));
    folder.pop();
    Package {
        name: text(value, "name"),
        folder,
        licence: value
            .get("license")
            .and_then(Value::as_str)
            .map(str::to_owned),
        dependencies: items(value, "dependencies")
            .map(|dependency| (text(dependency, "name"), kind(dependency)))
            .collect(),
        externs: externs(value, metadata),
        test_targets: items(value, "targets")
            .filter(|target| items(target, "kind").any(|kind| kind == "test"))
            .map(|target| text(target, "name"))
            .collect(),
    }
}

/// The names under which a package finds its dependencies, as Cargo resolved them.
fn externs(package: &Value, metadata: &Value) -> Vec<String> {
    metadata
        .get("resolve")
        .into_iter()
        .flat_map(|resolve| items(resolve, "nodes"))
        .filter(|node| node.get("id") == package.get("id"))
        .flat_map(|node| items(node, "deps"))
        .map(|dependency| text(dependency, "name"))
        .collect()
}

fn kind(dependency: &Value) -> Kind {
    match dependency.get("kind").and_then(Value::as_str) {
        Some("dev") => Kind::Dev,
        Some("build") => Kind::Build,
        Some(_) | None => Kind::Normal,
    }
}

fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn text(value: &Value, key: &str) -> String {
    value
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

/// The target triple of this machine, as rustc names it.
fn host() -> Result<String, Error> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let output = Command::new(rustc)
        .arg("-vV")
        .output()
        .map_err(Error::Start)?;
    text_of(&output.stdout)
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .ok_or_else(|| Error::Metadata("rustc -vV names no host".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_are_told_from_registry_packages() {
        let metadata = json!({
            "workspace_root": "/w", "target_directory": "/w/target",
            "workspace_members": ["path+file:///w/a#0.1.0"],
            "packages": [
                {"id": "path+file:///w/a#0.1.0", "name": "a", "manifest_path": "/w/a/Cargo.toml",
                 "license": "Apache-2.0",
                 "dependencies": [{"name": "b", "kind": null}, {"name": "c", "kind": "dev"}, {"name": "d", "kind": "build"}],
                 "targets": [{"name": "a", "kind": ["lib"]}, {"name": "system", "kind": ["test"]}]},
                {"id": "registry#b@1.0.0", "name": "b", "manifest_path": "/r/b/Cargo.toml", "license": null,
                 "dependencies": [], "targets": []},
            ],
            "resolve": {"nodes": [
                {"id": "path+file:///w/a#0.1.0", "deps": [{"name": "b"}, {"name": "other_c"}]},
                {"id": "registry#b@1.0.0", "deps": [{"name": "e"}]},
            ]},
        });
        let workspace = Workspace::from_metadata(&metadata);
        assert_eq!(
            workspace.members,
            [Package {
                name: "a".to_owned(),
                folder: PathBuf::from("/w/a"),
                licence: Some("Apache-2.0".to_owned()),
                dependencies: vec![
                    ("b".to_owned(), Kind::Normal),
                    ("c".to_owned(), Kind::Dev),
                    ("d".to_owned(), Kind::Build)
                ],
                externs: vec!["b".to_owned(), "other_c".to_owned()],
                test_targets: vec!["system".to_owned()],
            }]
        );
        assert_eq!(workspace.foreign.len(), 1);
        assert_eq!(workspace.foreign[0].licence, None);
    }
}
