//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::bench::BenchArgs;
use ledger_domain::wire::v1::view::WatchList;

/// The implementation ledger of the Global Compact for Migration: record commitments and progress, and let anyone check.
#[derive(Debug, Parser)]
#[command(name = "compact-ledger", version, max_term_width = 100)]
pub(crate) struct Cli {
    // The environment is not read by clap, which would show the option in every usage line as if it were required.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        display_order = 900,
        help = "The nats-server that the ledger is behind, or several with commas between; a user and password in it \
                stand in the list of processes: better in NATS_URL [env: NATS_URL] [default: nats://127.0.0.1:4222]"
    )]
    pub(crate) nats: Option<String>,
    #[arg(
        long,
        global = true,
        value_name = "PREFIX",
        display_order = 900,
        help = "What the subjects begin with on which answers are taken [env: NATS_INBOX_PREFIX] [default: _INBOX]"
    )]
    pub(crate) inbox_prefix: Option<String>,
    /// Print JSON instead of tables.
    #[arg(long, global = true, display_order = 901)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start everything on this machine: nats-server, a node, the projectors and HTTP; load the reference catalogue.
    Up(UpArgs),
    /// Run a node: the one process that owns a log.
    Node(NodeArgs),
    /// Run a projector: folds the log into one family of views, or into all.
    Projector(ProjectorArgs),
    /// Send commands, one CloudEvents JSON object a line, and print a receipt for each in the same order.
    ///
    /// Sending the same lines again is always safe: a command that was recorded gives its first receipt again.
    Submit {
        /// The file of commands; `-` for standard input.
        file: PathBuf,
    },
    /// Record what was recorded elsewhere; a second import adds nothing.
    Import {
        #[command(subcommand)]
        source: ImportCommand,
    },
    /// What a country has committed to, and what became of it.
    Country {
        /// ISO 3166-1 alpha-3 code; `INT` for the commitments of organizations.
        code: String,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Who has committed to an action, and what became of it.
    Action {
        /// The action's code, for example GCM-10 or SDG-10.7.2.
        code: String,
        #[command(flatten)]
        list: ListArgs,
    },
    /// How a commitment stands: who leads it, what its lead reports beside what independent assessors say, and its whole history.
    Commitment(CommitmentArgs),
    /// The whole ledger in figures: commitments, participations, parties, instruments and events.
    Summary {
        #[command(flatten)]
        known: KnownArgs,
    },
    /// What nobody has committed to yet: actions and countries without a commitment, in all and by region.
    Gaps {
        /// The lists of one region: Africa, Americas, Asia, Europe or Oceania.
        #[arg(long, value_name = "REGION")]
        region: Option<String>,
        #[command(flatten)]
        known: KnownArgs,
    },
    /// The systems that publish to the ledger.
    Partner {
        #[command(subcommand)]
        command: PartnerCommand,
    },
    /// A review cycle: who spoke in it, and the position that its figures are frozen at.
    Review {
        /// The review's id; without it, the reviews there are.
        id: Option<String>,
        #[command(flatten)]
        known: KnownArgs,
    },
    /// What changed between two positions or times: in a country's view, an action's, or the whole ledger's.
    Diff(DiffArgs),
    /// The commitments that somebody should look at: overdue, stale, contested and the like, and why.
    Watch(WatchArgs),
    /// Print recorded events in their order, one JSON object a line.
    Replay(ReplayArgs),
    /// Check the log without trusting the ledger.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Measure this machine: each figure beside its baselines in the same run.
    Bench(BenchArgs),
    /// Check the log against itself: every byte of the journal, sled, the indexes, the tree and its signed head.
    ///
    /// Repairs nothing. Ends with 0 only if nothing is wrong.
    Scrub {
        /// The data directory of a ledger that is not running; without it, the running one checks itself.
        dir: Option<PathBuf>,
    },
    /// Ask whether the ledger, or a part of it, is ready: a health check for service managers.
    ///
    /// What is asked says what it speaks for: `up` for everything, a node for taking commands, a projector for its
    /// views. It says which ledger answered, and where. Ends with 0 only if it is ready.
    Health {
        #[arg(
            long,
            value_name = "URL",
            help = "The address to ask, which some process serves with `--http` \
                    [env: LEDGER_HTTP, a host and port] [default: http://127.0.0.1:8080/readyz]"
        )]
        url: Option<String>,
    },
    /// Print completions for a shell.
    ///
    /// For bash: `d=~/.local/share/bash-completion/completions; mkdir -p $d; compact-ledger completions bash > $d/compact-ledger`.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page: `compact-ledger man | man -l -`.
    Man {
        /// Write the page, and one for each subcommand, into this directory instead.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

fn http_address(text: &str) -> Result<SocketAddr, String> {
    let form = "write an IP address and a port, like 127.0.0.1:8080";
    text.parse().map_err(|_| form.to_owned())
}

/// What `up` starts.
#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// Directory for everything that is kept.
    #[arg(long, default_value = "ledger-data", value_name = "DIR")]
    pub(crate) data: PathBuf,
    #[arg(long, help = "Address to serve HTTP on [env: LEDGER_HTTP] [default: 127.0.0.1:8080]", value_name = "ADDR", value_parser = http_address)]
    pub(crate) http: Option<SocketAddr>,
    /// Port of the nats-server that is started; 0 takes a free one.
    #[arg(long, default_value_t = 4222, value_name = "PORT")]
    pub(crate) nats_port: u16,
    /// Load the reference catalogue only, no illustrative commitments. Without it these go into a ledger that is new, or has them.
    #[arg(long)]
    pub(crate) no_demo: bool,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

/// How a log is opened, whoever runs its node.
#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// Space that must stay free on the disk of the log, in MiB; below it commands are refused.
    #[arg(long, default_value_t = ledger_node::FREE_FLOOR_BYTES >> 20, value_name = "MIB", value_parser = clap::value_parser!(u64).range(..=u64::MAX >> 20))]
    pub(crate) free_space_floor_mib: u64,
    /// Start although this machine's clock is far from the newest event, or from the day of this program: once, after you have
    /// looked at it. Recorded time never goes back.
    #[arg(long)]
    pub(crate) accept_clock: bool,
}

/// How a node runs.
#[derive(Debug, Args)]
pub(crate) struct NodeArgs {
    /// Directory of the log.
    #[arg(long, default_value = "ledger-data/ledger", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Id of the ledger when it is new: lowercase letters, digits and hyphens.
    #[arg(long, default_value = "main", value_name = "ID")]
    pub(crate) ledger: String,
    #[arg(long, help = "Address to serve readiness and metrics on [env: LEDGER_HTTP]", value_name = "ADDR", value_parser = http_address)]
    pub(crate) http: Option<SocketAddr>,
    /// Commitments whose state is kept in memory; others are loaded from the log when they are named.
    #[arg(long, default_value_t = 2_000_000, value_name = "COUNT")]
    pub(crate) cached_commitments: usize,
    #[command(flatten)]
    pub(crate) log: LogArgs,
    /// Submissions that may wait to be decided; over it they are refused as busy.
    #[arg(long, default_value_t = 65_536, value_name = "COUNT")]
    pub(crate) queue_submissions: usize,
    /// Bytes of submissions that may wait to be decided, in KiB; over it they are refused as busy.
    #[arg(long, default_value_t = 65_536, value_name = "KIB")]
    pub(crate) queue_kib: usize,
    /// Seconds for which the lease lasts that lets one node take commands; renewed four times meanwhile.
    #[arg(long, hide = true, default_value_t = ledger_node::LEASE_SECONDS, value_name = "SECONDS")]
    pub(crate) lease_seconds: u32,
}

/// Which projector runs, and where.
#[derive(Debug, Args)]
pub(crate) struct ProjectorArgs {
    /// The family of views.
    #[arg(value_enum)]
    pub(crate) view: ViewFamily,
    /// Directory of its own store.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    #[arg(long, help = "Address to serve readiness and metrics on [env: LEDGER_HTTP]", value_name = "ADDR", value_parser = http_address)]
    pub(crate) http: Option<SocketAddr>,
}

/// A family of views.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ViewFamily {
    /// One view for each country.
    Country,
    /// One view for each action.
    Action,
    /// The view of the whole ledger.
    Summary,
    /// All of them in one, over one reading of the log: much cheaper than one each.
    All,
}

impl ViewFamily {
    /// Its name, as the directory of its store.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Country => "country",
            Self::Action => "action",
            Self::Summary => "summary",
            Self::All => "all",
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// The seeds that `up` loads by itself: the reference catalogue, and illustrative commitments marked as such.
    Seeds {
        /// The reference catalogue only, no illustrative commitments.
        #[arg(long)]
        no_demo: bool,
        /// The illustrative commitments too, whatever the ledger holds: they stay for ever. Without it they go only where nothing but the catalogue is.
        #[arg(long, conflicts_with = "no_demo")]
        demo: bool,
    },
    /// Commitments of the Open Government Partnership, with the assessments of its Independent Reporting Mechanism.
    Ogp {
        /// The file of the Partnership's records, one JSON object a line; `-` for standard input.
        file: PathBuf,
    },
    /// Accepted recommendations on migration of the Universal Periodic Review.
    Upr {
        /// The file of the review's records, one JSON object a line; `-` for standard input.
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PartnerCommand {
    /// What a partner sent, and how often it had to correct itself.
    Show {
        /// The partner's id; without it, the partners there are.
        id: Option<String>,
        #[command(flatten)]
        known: KnownArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Compute the tree and every view again from the events, and compare with what the ledger signed and serves.
    Verify {
        /// The ledger's verifier key, as you know it from elsewhere; without it the one that the log itself names.
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
    /// Print the ledger's verifier key.
    Key,
}

/// Which commitments to list beside a view.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// How many commitments to list, at most 200.
    #[arg(long, default_value_t = 20, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(0..=200))]
    pub(crate) limit: u16,
    /// Go on after this cursor, from the page before.
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<u64>,
    #[command(flatten)]
    pub(crate) known: KnownArgs,
}

/// As of when to show a view.
#[derive(Debug, Default, Args)]
pub(crate) struct KnownArgs {
    /// Show it as it was known then, whatever was recorded since: at a position (digits alone: 2026 is a position, no
    /// year), at a time (RFC 3339), or at the end of a day (2026-03-31, UTC).
    #[arg(long, value_name = "POSITION|TIME|DAY")]
    pub(crate) as_of: Option<String>,
}

/// Which commitment to show, and what of it.
#[derive(Debug, Args)]
pub(crate) struct CommitmentArgs {
    /// The commitment's id: a UUID.
    pub(crate) id: String,
    /// Every event in its order instead: what it says, which it refers to, and what was said of it later.
    #[arg(long)]
    pub(crate) history: bool,
    #[command(flatten)]
    pub(crate) known: KnownArgs,
}

/// What to compare.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// Compare this country's view: ISO 3166-1 alpha-3 code; `INT` for organizations.
    #[arg(long, value_name = "ISO3")]
    pub(crate) country: Option<String>,
    /// Compare this action's view.
    #[arg(long, value_name = "CODE", conflicts_with = "country")]
    pub(crate) action: Option<String>,
    /// The earlier moment: a position (digits alone), a time (RFC 3339), or a day (2026-03-31), which stands for its end in UTC.
    #[arg(long, value_name = "POSITION|TIME|DAY")]
    pub(crate) from: String,
    /// The later position, time or day; without it, now.
    #[arg(long, value_name = "POSITION|TIME|DAY")]
    pub(crate) to: Option<String>,
    /// How many events to list, at most 1,000.
    #[arg(long, default_value_t = 50, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub(crate) limit: u16,
}

/// Which watch list to show.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// The list; without it, how many commitments are on each.
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(WatchList::ALL.iter().map(|list| list.as_str())))]
    pub(crate) list: Option<String>,
    /// Only commitments that this country's parties lead, on `unconfirmed` also those they are named in: ISO 3166-1 alpha-3 code; `INT` for organizations.
    #[arg(long, value_name = "ISO3", requires = "list")]
    pub(crate) country: Option<String>,
    /// Only commitments under this action.
    #[arg(long, value_name = "CODE", requires = "list")]
    pub(crate) action: Option<String>,
    /// How many commitments to show, at most 200.
    #[arg(long, default_value_t = 20, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=200), requires = "list")]
    pub(crate) limit: u16,
    /// Go on after this cursor, from the page before.
    #[arg(long, value_name = "CURSOR", requires = "list")]
    pub(crate) after: Option<u64>,
    #[command(flatten)]
    pub(crate) known: KnownArgs,
}

/// Which events to replay.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The first position.
    #[arg(long, default_value_t = 0, value_name = "POSITION")]
    pub(crate) from: u64,
    /// The position to stop before.
    #[arg(long, value_name = "POSITION")]
    pub(crate) to: Option<u64>,
    /// Only events of this country's parties; `INT` for those of no country.
    #[arg(long, value_name = "ISO3")]
    pub(crate) country: Option<String>,
    /// Only events of commitments to this action.
    #[arg(long, value_name = "CODE")]
    pub(crate) action: Option<String>,
    /// Only events of this type, for example `commitment_recorded`; may be given more than once.
    #[arg(long = "type", value_name = "EVENT")]
    pub(crate) types: Vec<String>,
    /// Go on with new events as they are recorded.
    #[arg(long, conflicts_with = "to")]
    pub(crate) follow: bool,
}
