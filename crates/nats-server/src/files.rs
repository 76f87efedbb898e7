//! The folder of the server: its configuration, its lock, its log and its streams.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{LOG_BYTES, MAX_PENDING_BYTES, Port, ROOM_BYTES, StartError};

const LOCK: &str = "lock";

/// The files in the server's folder.
#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) folder: PathBuf,
    pub(super) config: PathBuf,
    pub(super) log: PathBuf,
    pub(super) ports: PathBuf,
    pub(super) streams: PathBuf,
}

/// A lock on the folder, and which file it is on.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
    device: u64,
    inode: u64,
}

/// What the server writes into its ports file.
#[derive(Deserialize)]
struct Ports {
    nats: Vec<String>,
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> StartError + use<> {
    let path = path.to_owned();
    move |source| StartError::Folder { path, source }
}

impl Files {
    /// Makes the folder, and what is in it.
    pub(super) fn prepare(folder: &Path) -> Result<Self, StartError> {
        fs::create_dir_all(folder).map_err(failed(folder))?;
        // The same folder must give the same path, whatever way it was named: left-behind servers are found by it.
        let folder = folder.canonicalize().map_err(failed(folder))?;
        let files = Self {
            config: folder.join("nats-server.conf"),
            log: folder.join("nats-server.log"),
            ports: folder.join("ports"),
            streams: folder.join("streams"),
            folder,
        };
        files.make_folders()?;
        Ok(files)
    }

    /// Makes the folders that are not there.
    pub(super) fn make_folders(&self) -> Result<(), StartError> {
        for path in [&self.folder, &self.ports, &self.streams] {
            fs::create_dir_all(path).map_err(failed(path))?;
        }
        Ok(())
    }

    /// Takes the lock of the folder.
    pub(super) fn lock(&self) -> Result<Lock, StartError> {
        let path = self.folder.join(LOCK);
        let opened = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path);
        let file = opened.map_err(failed(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StartError::InUse {
                    folder: self.folder.clone(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(&path)(source)),
        }
        let metadata = file.metadata().map_err(failed(&path))?;
        Ok(Lock {
            _file: file,
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }

    /// Whether the lock is on the file that is in the folder now.
    pub(super) fn holds(&self, lock: &Lock) -> bool {
        fs::metadata(self.folder.join(LOCK))
            .is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == (lock.device, lock.inode))
    }

    /// Bytes that are free for streams.
    pub(super) fn free_bytes(&self) -> std::io::Result<u64> {
        free_bytes(&self.streams)
    }

    /// Checks that there is room for a server to be started.
    pub(super) fn check_room(&self) -> Result<(), StartError> {
        let free = self.free_bytes().map_err(failed(&self.streams))?;
        if free >= ROOM_BYTES {
            return Ok(());
        }
        let folder = self.folder.clone();
        Err(StartError::NoRoom { folder, free })
    }

    /// Removes the ports files of servers that had no time to.
    pub(super) fn forget_ports(&self) -> Result<(), StartError> {
        let forget = || {
            for entry in fs::read_dir(&self.ports)? {
                fs::remove_file(entry?.path())?;
            }
            Ok(())
        };
        forget().map_err(|source| StartError::Folder {
            path: self.ports.clone(),
            source,
        })
    }

    /// Writes the configuration, unless it stands there already. What the streams may take is what they hold now and three quarters of what is free, if nothing else is given: the
    /// server's own default leaves out the first part, and would refuse to publish once the streams are larger than what is left of the disk.
    pub(super) fn write_config(
        &self,
        port: Port,
        max_payload: u32,
        stream_bytes: Option<u64>,
    ) -> Result<(), StartError> {
        let room = || room_for_streams(&self.streams).map_err(failed(&self.streams));
        let stream_bytes = stream_bytes.map_or_else(room, Ok)?;
        let next = self.folder.join("nats-server.conf.next");
        let write = || {
            let text = self.config_text(port, max_payload, stream_bytes)?;
            if fs::read(&self.config).is_ok_and(|found| found == text.as_bytes()) {
                return Ok(());
            }
            File::create(&next)?.write_all(text.as_bytes())?;
            fs::rename(&next, &self.config)
        };
        write().map_err(|source| StartError::Folder {
            path: self.config.clone(),
            source,
        })
    }

    fn config_text(
        &self,
        port: Port,
        max_payload: u32,
        stream_bytes: u64,
    ) -> std::io::Result<String> {
        let port = match port {
            Port::Free => "-1".to_owned(),
            Port::Fixed(port) => port.to_string(),
        };
        Ok(format!(
            "# Written at every start: changes are lost.\n\
             host: \"{host}\"\n\
             port: {port}\n\
             max_payload: {max_payload}\n\
             max_pending: {MAX_PENDING_BYTES}\n\
             ports_file_dir: {ports}\n\
             log_file: {log}\n\
             log_size_limit: {LOG_BYTES}\n\
             jetstream {{\n  store_dir: {streams}\n  max_file_store: {limit}\n}}\n",
            host = Ipv4Addr::LOCALHOST,
            ports = quoted(&self.ports)?,
            log = quoted(&self.log)?,
            streams = quoted(&self.streams)?,
            limit = stream_bytes,
        ))
    }

    /// The port that a server with this process id says it listens on, once it does.
    pub(super) fn port_of(&self, pid: u32) -> Option<u16> {
        let ending = format!("_{pid}.ports");
        let entry = fs::read_dir(&self.ports)
            .ok()?
            .filter_map(Result::ok)
            .find(|entry| entry.file_name().to_string_lossy().ends_with(&ending))?;
        let ports: Ports = serde_json::from_slice(&fs::read(entry.path()).ok()?).ok()?;
        ports.nats.first()?.rsplit_once(':')?.1.parse().ok()
    }

    pub(super) fn end_of_log(&self) -> String {
        const LINES: usize = 10;
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines.iter().skip(lines.len().saturating_sub(LINES));
        tail.copied().collect::<Vec<_>>().join("\n")
    }
}

/// A path as a string of the configuration's own grammar, which knows backslash escapes within double quotes.
fn quoted(path: &Path) -> std::io::Result<String> {
    let text = path.to_str().ok_or_else(|| {
        let message = format!("{} is not UTF-8, which nats-server needs", path.display());
        std::io::Error::new(std::io::ErrorKind::InvalidInput, message)
    })?;
    Ok(format!(
        "\"{}\"",
        text.replace('\\', "\\\\").replace('"', "\\\"")
    ))
}

fn room_for_streams(streams: &Path) -> std::io::Result<u64> {
    Ok(bytes_under(streams)?.saturating_add(free_bytes(streams)? / 4 * 3))
}

fn free_bytes(folder: &Path) -> std::io::Result<u64> {
    let space = rustix::fs::statvfs(folder)?;
    Ok(space.f_bavail.saturating_mul(space.f_frsize))
}

fn bytes_under(folder: &Path) -> std::io::Result<u64> {
    let mut total = 0_u64;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        total = total.saturating_add(if metadata.is_dir() {
            bytes_under(&entry.path())?
        } else {
            metadata.len()
        });
    }
    Ok(total)
}
