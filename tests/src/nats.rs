//! A nats-server for one test.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ledger_nats_server::{Launch, NatsServer, Options, Places, Port, find};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const READY_WITHIN: Duration = Duration::from_mins(1);

/// A nats-server on a port of its own, with a folder of its own. It can go away and come back, on the same port.
#[derive(Debug)]
pub struct TestNats {
    folder: TempDir,
    port: u16,
    server: Option<NatsServer>,
    bounds: Bounds,
}

/// What the server is started with.
#[derive(Debug, Clone, Copy, Default)]
struct Bounds {
    stream_bytes: Option<u64>,
    max_payload: Option<u32>,
}

impl TestNats {
    /// Starts one.
    ///
    /// # Panics
    /// When there is no nats-server on this machine, or it does not start.
    pub fn start() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let bounds = Bounds::default();
        let server = start(folder.path(), Port::Free, bounds);
        Self {
            folder,
            port: server.port(),
            server: Some(server),
            bounds,
        }
    }

    /// Takes the server away, sets its folder aside, and brings it back with nothing; where the folder lies now.
    ///
    /// # Panics
    /// When it does not start.
    pub fn set_streams_aside(&mut self) -> PathBuf {
        self.stop();
        let nats = self.folder.path().join("streams");
        let aside = self.folder.path().join("streams-aside");
        fs::rename(&nats, &aside).expect("set aside");
        self.start_again();
        aside
    }

    /// Takes the server away and brings it back with another `max_payload`.
    ///
    /// # Panics
    /// When it does not start.
    pub fn take_messages_of(&mut self, max_payload: u32) {
        self.bounds.max_payload = Some(max_payload);
        self.start_again();
    }

    /// Takes the server away and brings it back with another bound on its streams.
    ///
    /// # Panics
    /// When it does not start.
    pub fn bound_streams(&mut self, stream_bytes: Option<u64>) {
        self.bounds.stream_bytes = stream_bytes;
        self.start_again();
    }

    /// What the streams take on the disk.
    ///
    /// # Panics
    /// When their folder cannot be read.
    pub fn stream_bytes(&self) -> u64 {
        bytes_under(&self.folder.path().join("streams"))
    }

    /// What a client connects to; good over every [`stop`](Self::stop) and [`start_again`](Self::start_again).
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Takes the server away.
    pub fn stop(&mut self) {
        self.server = None;
    }

    /// Brings the server back with what its streams held.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_again(&mut self) {
        self.stop();
        let port = Port::Fixed(self.port);
        self.server = Some(start(self.folder.path(), port, self.bounds));
    }

    /// Takes the server away and brings it back empty.
    ///
    /// # Panics
    /// When its streams cannot be removed, or it does not start.
    pub fn wipe(&mut self) {
        self.stop();
        fs::remove_dir_all(self.folder.path().join("streams")).expect("streams to remove");
        self.start_again();
    }

    /// The server's process; none while it is being started again.
    pub fn process_id(&self) -> Option<u32> {
        self.server.as_ref().and_then(NatsServer::process_id)
    }

    /// Kills the server with SIGKILL. It is started again by itself, on the same port.
    ///
    /// # Panics
    /// When it is not running.
    pub fn kill(&self) {
        let pid = self
            .process_id()
            .and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?))
            .expect("a running nats-server");
        kill_process(pid, Signal::KILL).expect("nats-server is signalled");
    }
}

fn bytes_under(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).expect("a folder");
    let sizes = entries.map(|entry| {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            bytes_under(&path)
        } else {
            // The server may have removed it meanwhile.
            fs::metadata(&path).map_or(0, |metadata| metadata.len())
        }
    });
    sizes.sum()
}

fn start(folder: &Path, port: Port, bounds: Bounds) -> NatsServer {
    let server = find(&Places::from_environment()).unwrap_or_else(|error| panic!("{error}"));
    let options = Options {
        server,
        folder: folder.to_owned(),
        port,
        launch: Launch::Direct,
        ready_within: READY_WITHIN,
        stream_bytes: bounds.stream_bytes,
        max_payload: bounds.max_payload,
    };
    NatsServer::start(&options).unwrap_or_else(|error| panic!("{error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_bus::{Bus, BusOptions};

    #[tokio::test]
    async fn a_server_goes_away_and_comes_back_at_the_same_address() {
        let mut nats = TestNats::start();
        let options = BusOptions::tool(nats.url(), "test");
        Bus::connect(&options).await.expect("connected");
        nats.stop();
        assert!(Bus::connect(&options).await.is_err());
        nats.start_again();
        Bus::connect(&options).await.expect("connected again");
        nats.wipe();
        Bus::connect(&options)
            .await
            .expect("connected after the wipe");
    }

    #[tokio::test]
    async fn a_killed_server_comes_back() {
        let nats = TestNats::start();
        let options = BusOptions::tool(nats.url(), "test");
        nats.kill();
        crate::eventually("an answer", READY_WITHIN, async || {
            Bus::connect(&options).await.ok()
        })
        .await;
    }
}
