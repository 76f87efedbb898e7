//! The roles that run until they are told to stop: node, projector, and `up`, which is all of them at once.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ledger_bus::LogThrottle;
use ledger_bus::{Bus, BusOptions, NatsAccess};
use ledger_domain::view::Family;
use ledger_nats_server::{Launch, NatsServer, Places, Port, Reviver, StartError};
use ledger_node::{
    NodeOptions, ProjectorOptions, Shutdown, Telemetry, raise_open_files, run_node, run_projector,
};
use ledger_web::{MetricsText, Ready, ReadyGate, WebServer, WhyNot, readiness};
use tokio::task::JoinSet;

use crate::args::{NodeArgs, ProjectorArgs, UpArgs, ViewFamily};
use crate::environment::{http_address, http_address_or_default};
use crate::failure::Failure;
use crate::logging;
use crate::output::{Output, text};
use crate::seeding::{self, Illustrate};
use crate::signals::shutdown_on_signals;

/// Recovering large streams after a crash takes nats-server a while.
const NATS_READY_WITHIN: Duration = Duration::from_mins(2);
const READY_POLL: Duration = Duration::from_millis(100);

/// What every role does before anything else.
fn begin(log_filter: &str) -> Result<Shutdown, Failure> {
    logging::start(log_filter)?;
    raise_open_files();
    shutdown_on_signals()
}

fn metrics(telemetry: &Telemetry) -> MetricsText {
    let telemetry = telemetry.clone();
    Arc::new(move || telemetry.text())
}

fn why_not(telemetry: &Telemetry) -> WhyNot {
    let lease = telemetry.lease.clone();
    Arc::new(move || lease.why_not())
}

/// Serves HTTP until everything stops.
async fn serve_http(
    address: SocketAddr,
    nats: &NatsAccess,
    telemetry: &Telemetry,
    ready: Ready,
    mut shutdown: Shutdown,
) -> Result<
    (
        SocketAddr,
        impl Future<Output = Result<(), Failure>> + Send + use<>,
    ),
    Failure,
> {
    let bus = Bus::connect(&BusOptions::service(nats, "web")).await?;
    let server = WebServer::bind(address, bus.clone(), metrics(telemetry), ready).await?;
    let address = server.local_address()?;
    let serving = server.serve(async move { shutdown.requested().await });
    let serving = async move {
        serving.await;
        bus.close().await;
        Ok(())
    };
    Ok((address, serving))
}

/// `compact-ledger node`.
pub(crate) async fn node(nats: &NatsAccess, args: NodeArgs) -> Result<(), Failure> {
    let shutdown = begin("info,async_nats=warn")?;
    let telemetry = Telemetry::default();
    let mut running = JoinSet::new();
    if let Some(http) = http_address(args.http)? {
        let (address, serving) = serve_http(
            http,
            nats,
            &telemetry,
            Ready::Node(why_not(&telemetry)),
            shutdown.clone(),
        )
        .await?;
        tracing::info!(%address, "serving HTTP");
        running.spawn(serving);
    }
    let options = node_options(&args, nats);
    running.spawn(async move { Ok(run_node(options, telemetry, shutdown).await?) });
    first_failure(running).await
}

fn node_options(args: &NodeArgs, nats: &NatsAccess) -> NodeOptions {
    NodeOptions {
        ledger_id: args.ledger.clone(),
        cached_commitments: args.cached_commitments,
        free_space_floor_bytes: args.log.free_space_floor_mib << 20,
        accept_clock: args.log.accept_clock,
        queue_submissions: args.queue_submissions,
        queue_bytes: args.queue_kib << 10,
        lease_seconds: args.lease_seconds,
        ..NodeOptions::new(&args.data, nats)
    }
}

/// `compact-ledger projector`.
pub(crate) async fn projector(nats: &NatsAccess, args: ProjectorArgs) -> Result<(), Failure> {
    let shutdown = begin("info,async_nats=warn")?;
    let telemetry = Telemetry::of_projector();
    let mut running = JoinSet::new();
    if let Some(http) = http_address(args.http)? {
        let (counts, name) = (telemetry.clone(), first_family(args.view));
        let buckets = telemetry.clone();
        let families = families(args.view);
        let ready = Ready::Projector {
            views: Arc::new(move || counts.checkpoint(name)),
            buckets: Arc::new(move || {
                let mut least = u64::MAX;
                for family in families {
                    least = least.min(buckets.bucket_checkpoint(family.name())?);
                }
                Ok(least)
            }),
        };
        let (address, serving) =
            serve_http(http, nats, &telemetry, ready, shutdown.clone()).await?;
        tracing::info!(%address, "serving HTTP");
        running.spawn(serving);
    }
    spawn_projector(
        &mut running,
        args.view,
        nats,
        args.data,
        &telemetry,
        &shutdown,
    );
    first_failure(running).await
}

/// The families that a projector folds.
fn families(view: ViewFamily) -> &'static [Family] {
    match view {
        ViewFamily::Country => &[Family::Country],
        ViewFamily::Action => &[Family::Action],
        ViewFamily::Summary => &[Family::Summary],
        ViewFamily::All => &Family::ALL,
    }
}

/// A family that a projector folds: all of its families have come equally far.
fn first_family(view: ViewFamily) -> &'static str {
    match view {
        ViewFamily::Country | ViewFamily::All => Family::Country.name(),
        ViewFamily::Action => Family::Action.name(),
        ViewFamily::Summary => Family::Summary.name(),
    }
}

fn spawn_projector(
    running: &mut JoinSet<Result<(), Failure>>,
    view: ViewFamily,
    nats: &NatsAccess,
    dir: PathBuf,
    telemetry: &Telemetry,
    shutdown: &Shutdown,
) {
    let options = ProjectorOptions {
        nats_url: nats.clone(),
        dir,
        families: families(view),
    };
    let (telemetry, shutdown) = (telemetry.clone(), shutdown.clone());
    running.spawn(async move { Ok(run_projector(options, telemetry, shutdown).await?) });
}

/// Waits for all of them; the first failure ends the others by dropping them.
async fn first_failure(mut running: JoinSet<Result<(), Failure>>) -> Result<(), Failure> {
    while let Some(ended) = running.join_next().await {
        ended.map_err(|error| Failure::fault(&error))??;
    }
    Ok(())
}

/// `compact-ledger up`: everything on this machine, in one process with nats-server as its child.
pub(crate) async fn up(args: UpArgs, output: Output) -> Result<(), Failure> {
    let mut shutdown = begin("warn,async_nats=error")?;
    let http = http_address_or_default(args.http)?;
    let folder = args.data.join("nats");
    let Some(nats) = start_nats(&folder, args.nats_port, &mut shutdown).await? else {
        return Ok(());
    };
    let url = nats.url();
    let reviver = nats.reviver();
    let outcome = run_up(&args, http, &url, reviver, output, shutdown).await;
    tokio::task::spawn_blocking(move || nats.stop())
        .await
        .map_err(|error| Failure::fault(&error))?;
    outcome
}

/// Starts nats-server, which waits where its disk is full; nothing when told to stop meanwhile.
async fn start_nats(
    folder: &Path,
    port: u16,
    shutdown: &mut Shutdown,
) -> Result<Option<NatsServer>, Failure> {
    let options = ledger_nats_server::Options {
        server: ledger_nats_server::find(&Places::from_environment())?,
        folder: folder.to_owned(),
        port: if port == 0 {
            Port::Free
        } else {
            Port::Fixed(port)
        },
        launch: Launch::Guarded {
            program: std::env::current_exe()?,
            arguments: vec![crate::EXEC_CHILD.to_owned()],
        },
        ready_within: NATS_READY_WITHIN,
        stream_bytes: None,
        max_payload: None,
    };
    let called_off = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&called_off);
    let go_on = move || !seen.load(Ordering::Relaxed);
    let mut starting =
        tokio::task::spawn_blocking(move || NatsServer::start_while(&options, go_on));
    let started = tokio::select! {
        started = &mut starting => started,
        () = shutdown.requested() => {
            called_off.store(true, Ordering::Relaxed);
            starting.await
        }
    };
    match started.map_err(|error| Failure::fault(&error))? {
        Err(StartError::CalledOff) => Ok(None),
        started => Ok(Some(started?)),
    }
}

async fn run_up(
    args: &UpArgs,
    http: SocketAddr,
    nats_url: &str,
    reviver: Reviver,
    output: Output,
    mut shutdown: Shutdown,
) -> Result<(), Failure> {
    let nats = &NatsAccess::from(nats_url);
    let telemetry = Telemetry::default();
    let mut running = JoinSet::new();
    // The address is taken before the log is opened: a second `up` on it fails before it has begun.
    let gate = ReadyGate::default();
    let ready = Ready::Ledger(gate.clone(), why_not(&telemetry));
    let (address, serving) = serve_http(http, nats, &telemetry, ready, shutdown.clone()).await?;
    running.spawn(serving);
    let options = NodeOptions {
        free_space_floor_bytes: args.log.free_space_floor_mib << 20,
        accept_clock: args.log.accept_clock,
        ..NodeOptions::new(args.data.join("ledger"), nats)
    };
    let (node_telemetry, node_shutdown) = (telemetry.clone(), shutdown.clone());
    running.spawn(async move { Ok(run_node(options, node_telemetry, node_shutdown).await?) });
    let view = ViewFamily::All;
    let dir = args.data.join("views").join(view.name());
    spawn_projector(&mut running, view, nats, dir, &telemetry, &shutdown);
    // Ends with this function.
    let mut reviving = JoinSet::new();
    reviving.spawn(reviver.run(telemetry.transport.clone()));
    let starting = async {
        let bus = Bus::connect(&BusOptions::service(nats, "up")).await?;
        wait_until(&bus).await;
        let illustrate = if args.no_demo {
            Illustrate::Never
        } else {
            Illustrate::IntoNew
        };
        let illustrated = seeding::load(nats, illustrate).await?.is_illustrated;
        let size = wait_until(&bus).await;
        gate.open();
        bus.close().await;
        let announcement = if output.json {
            in_json(args, nats_url, address, size, illustrated)
        } else {
            in_words(args, nats_url, address, size, illustrated)
        };
        // Whoever started it may have stopped reading: it is up all the same.
        if let Err(error) = text(&announcement) {
            tracing::warn!(%error, "nobody reads where everything is");
        }
        Ok::<(), Failure>(())
    };
    tokio::select! {
        started = starting => started?,
        failed = running.join_next() => return ended_early(failed),
        () = shutdown.requested() => {}
    }
    first_failure(running).await
}

fn ended_early(
    ended: Option<Result<Result<(), Failure>, tokio::task::JoinError>>,
) -> Result<(), Failure> {
    match ended {
        Some(Ok(Err(failure))) => Err(failure),
        Some(Err(error)) => Err(Failure::fault(&error)),
        Some(Ok(Ok(()))) | None => Ok(()),
    }
}

/// Waits until commands are taken and views have caught up; gives the log's size.
async fn wait_until(bus: &Bus) -> u64 {
    let mut waiting = LogThrottle::default();
    loop {
        match readiness(bus).await {
            Ok(size) => return size,
            Err(why) if waiting.should_log(&why, Instant::now()) => {
                tracing::info!(why, "not ready yet");
            }
            Err(_) => {}
        }
        tokio::time::sleep(READY_POLL).await;
    }
}

fn in_json(args: &UpArgs, nats: &str, http: SocketAddr, size: u64, illustrated: bool) -> String {
    let announcement = serde_json::json!({
        "tree_size": size,
        "illustrative": illustrated,
        "nats": nats,
        "http": format!("http://{http}"),
        "data": args.data,
    });
    format!("{announcement}\n")
}

fn in_words(args: &UpArgs, nats: &str, http: SocketAddr, size: u64, illustrated: bool) -> String {
    let (demo, left_out) = match (illustrated, args.no_demo) {
        (true, _) => (
            ", with illustrative commitments that are marked as such",
            "",
        ),
        (false, true) => ("", ""),
        (false, false) => (
            "",
            "\nIllustrative commitments were left out: they go into a new ledger only, and this one was made without them.\n",
        ),
    };
    let data = args.data.display();
    let prefix = if nats == "nats://127.0.0.1:4222" {
        String::new()
    } else {
        format!("NATS_URL={nats} ")
    };
    let program = std::env::args_os().next().map(PathBuf::from);
    let here = std::env::current_dir().ok();
    let program = program_as_typed(program, here.as_deref());
    let to_try = [
        "country KEN",
        "action GCM-10",
        "replay --to 3",
        "audit verify",
    ]
    .map(|command| format!("  {prefix}{program} {command}"))
    .join("\n");
    format!(
        "compact-ledger is up: {size} events on disk{demo}.
{left_out}
  commands and queries   {nats}
  readiness and metrics  http://{http}/readyz  http://{http}/metrics
  data                   {data}

Try, in another terminal:
{to_try}

Stop with Ctrl-C.
"
    )
}

/// What to type to run this program again from `here`: its name alone only where a shell finds it by that.
fn program_as_typed(program: Option<PathBuf>, here: Option<&Path>) -> String {
    let Some(program) = program else {
        return "compact-ledger".to_owned();
    };
    let below = here.and_then(|here| program.strip_prefix(here).ok());
    below
        .filter(|path| path.components().count() > 1)
        .unwrap_or(&program)
        .display()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_to_try_are_ones_that_a_shell_finds() {
        let typed = |program: &str| program_as_typed(Some(program.into()), Some("/clone".as_ref()));
        assert_eq!(typed("compact-ledger"), "compact-ledger");
        let built = "target/release/compact-ledger";
        assert_eq!(typed(built), built);
        assert_eq!(typed(&format!("/clone/{built}")), built);
        assert_eq!(typed(&format!("/other/{built}")), format!("/other/{built}"));
        assert_eq!(typed("/clone/compact-ledger"), "/clone/compact-ledger");
        assert_eq!(program_as_typed(None, None), "compact-ledger");
    }
}
