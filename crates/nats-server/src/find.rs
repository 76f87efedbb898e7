//! Which nats-server to start: the one named, one on the path, or the one that was fetched for us.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest server that has everything the ledger's streams need.
pub const OLDEST: Version = Version {
    major: 2,
    minor: 12,
};

/// The part of a server's version that decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Why there is no server to start.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The server that was asked for by name cannot be used.
    #[error("NATS_SERVER names {path}, which cannot be used: {why}")]
    Named {
        /// What was named.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        why: VersionError,
    },
    /// Nothing usable anywhere.
    #[error(
        "no nats-server ≥ {OLDEST} was found (looked at NATS_SERVER, PATH and .tools/nats-server{}): \
         run `cargo xtask nats-server` to fetch one, or install it and name it in NATS_SERVER",
        list(passed_over)
    )]
    Nowhere {
        /// Servers that were found and are too old or do not run.
        passed_over: Vec<PathBuf>,
    },
}

fn list(passed_over: &[PathBuf]) -> String {
    let paths = passed_over
        .iter()
        .map(|path| format!("; passed over {}", path.display()));
    paths.collect()
}

/// Why a program is not a usable nats-server.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// It could not be run.
    #[error("it does not run: {0}")]
    NotRunnable(std::io::Error),
    /// What it printed for `--version` holds no version.
    #[error("it does not say its version but {0:?}")]
    Unreadable(String),
    /// It is too old.
    #[error("it is version {0}, and {OLDEST} is the oldest that will do")]
    TooOld(Version),
}

/// Where to look, in this order.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// The value of `NATS_SERVER`: when set, nothing else is looked at.
    pub named: Option<PathBuf>,
    /// The value of `PATH`.
    pub path: Option<OsString>,
    /// Files to try last.
    pub fetched: Vec<PathBuf>,
}

impl Places {
    /// The environment's variables, and `.tools/nats-server` of the working directory and of every folder above this program.
    pub fn from_environment() -> Self {
        let program = std::env::current_exe().ok();
        let above = program
            .iter()
            .flat_map(|program| program.ancestors().skip(1));
        let here = std::env::current_dir().ok();
        Self {
            named: std::env::var_os("NATS_SERVER")
                .filter(|name| !name.is_empty())
                .map(PathBuf::from),
            path: std::env::var_os("PATH"),
            fetched: here
                .iter()
                .map(PathBuf::as_path)
                .chain(above)
                .map(|folder| folder.join(".tools").join("nats-server"))
                .collect(),
        }
    }
}

/// The first usable server among `places`. Runs each candidate once with `--version`.
///
/// # Errors
/// A named server that cannot be used is an error, never passed over; without a named one, that there is none.
pub fn find(places: &Places) -> Result<PathBuf, FindError> {
    if let Some(path) = &places.named {
        return match usable(path) {
            Ok(_) => Ok(path.clone()),
            Err(why) => Err(FindError::Named {
                path: path.clone(),
                why,
            }),
        };
    }
    let on_path = places.path.iter().flat_map(std::env::split_paths);
    let candidates = on_path
        .map(|folder| folder.join("nats-server"))
        .chain(places.fetched.iter().cloned());
    let mut passed_over = Vec::new();
    for candidate in candidates.filter(|candidate| candidate.is_file()) {
        match usable(&candidate) {
            Ok(_) => return Ok(candidate),
            Err(why) => {
                tracing::warn!(path = %candidate.display(), %why, "passing over this nats-server");
                passed_over.push(candidate);
            }
        }
    }
    Err(FindError::Nowhere { passed_over })
}

/// Asks a server for its version.
///
/// # Errors
/// It does not run, says nothing that can be read, or is older than [`OLDEST`].
pub fn usable(server: &Path) -> Result<Version, VersionError> {
    let output = Command::new(server)
        .arg("--version")
        .output()
        .map_err(VersionError::NotRunnable)?;
    let said = String::from_utf8_lossy(&output.stdout);
    let version = parse(&said).ok_or_else(|| {
        let first = said.trim().lines().next().unwrap_or_default();
        VersionError::Unreadable(first.to_owned())
    })?;
    if version < OLDEST {
        return Err(VersionError::TooOld(version));
    }
    Ok(version)
}

/// Reads `nats-server: v2.15.1`.
fn parse(said: &str) -> Option<Version> {
    let mut numbers = said.trim().rsplit_once('v')?.1.split('.');
    Some(Version {
        major: numbers.next()?.parse().ok()?,
        minor: numbers.next()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn server_saying(version: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("nats-server");
        std::fs::write(&path, format!("#!/bin/sh\necho 'nats-server: {version}'\n"))
            .expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
            .expect("executable");
        await_closed(&path);
        folder
    }

    /// A process that another test is just starting may hold the script open for writing until its own exec.
    fn await_closed(script: &Path) {
        let busy = |error: std::io::Error| error.kind() == std::io::ErrorKind::ExecutableFileBusy;
        while Command::new(script).output().is_err_and(busy) {}
    }

    #[test]
    fn versions_compare_by_number_and_a_candidate_release_counts() {
        assert!(parse("nats-server: v2.9.25").expect("a version") < OLDEST);
        assert!(parse("nats-server: v2.12.0-RC.1\n").expect("a version") >= OLDEST);
        assert_eq!(parse("nonsense"), None);
    }

    #[test]
    fn a_named_server_is_never_passed_over() {
        let (old, good) = (server_saying("v2.10.4"), server_saying("v2.15.1"));
        let places = Places {
            named: Some(old.path().join("nats-server")),
            path: Some(good.path().into()),
            fetched: Vec::new(),
        };
        assert!(matches!(
            find(&places),
            Err(FindError::Named {
                why: VersionError::TooOld(_),
                ..
            })
        ));
        let missing = Places {
            named: Some(PathBuf::from("/nowhere/nats-server")),
            ..places
        };
        assert!(matches!(
            find(&missing),
            Err(FindError::Named {
                why: VersionError::NotRunnable(_),
                ..
            })
        ));
    }

    #[test]
    fn an_old_server_on_the_path_gives_way_to_the_fetched_one() {
        let (old, good) = (server_saying("v2.10.4"), server_saying("v2.15.1"));
        let fetched = good.path().join("nats-server");
        let places = Places {
            named: None,
            path: Some(old.path().into()),
            fetched: vec![fetched.clone()],
        };
        assert_eq!(find(&places).expect("a server"), fetched);
    }

    #[test]
    fn when_there_is_none_the_error_names_what_was_passed_over() {
        let silent = server_saying("who knows");
        let places = Places {
            named: None,
            path: Some(silent.path().into()),
            fetched: Vec::new(),
        };
        let Err(FindError::Nowhere { passed_over }) = find(&places) else {
            panic!("found something");
        };
        assert_eq!(passed_over, [silent.path().join("nats-server")]);
    }
}
