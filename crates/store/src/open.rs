//! Opening a log: look at everything first, change something only when nothing contradicts it.

use crate::append::Appender;
use crate::core::{Core, Overlay, Pending};
use crate::error::{Damage, OpenError, SledFault, Witness};
use crate::feed;
use crate::head::{self, Heads, LastFrame};
use crate::index::sealed::SealedIndex;
use crate::journal::recover::{self, Recovered, recover};
use crate::journal::writer::{JournalWriter, cut};
use crate::journal::{DIR, Journal};
use crate::log::Log;
use crate::options::Options;
use crate::place::{self, Place};
use crate::shards::Shards;
use crate::sledbox;
use ledger_proof::block::Decoder;
use ledger_proof::{Frontier, Hash, LedgerKey, SignedTreeHead};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, RwLock};

/// What opening found and did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovery {
    /// The tree size.
    pub tree_size: u64,
    /// Bytes of a torn last frame that were cut: it had never been acknowledged.
    pub cut_bytes: Option<u64>,
    /// Shards whose sled database was removed and made anew, and the index database's name.
    pub rebuilt: Vec<String>,
    /// Blocks that sled lacked and was fed.
    pub fed_blocks: u64,
    /// Events indexed anew.
    pub indexed_events: u64,
}

/// The databases, and which of them had to be made anew.
struct Databases {
    shards: Shards,
    sealed: SealedIndex,
    rebuilt: Vec<String>,
    /// The first position that the newest shard lacks.
    fed: u64,
}

pub(crate) fn open(options: Options) -> Result<(Log, Appender, Recovery), OpenError> {
    let journal = options.dir.join(DIR);
    open_log(options).map_err(|error| error.of_journal(journal))
}

fn open_log(options: Options) -> Result<(Log, Appender, Recovery), OpenError> {
    options.check()?;
    if is_untouched(&options)? {
        // A new log would be made: not where one is known to have been.
        shorter(0, options.witnessed_size, Witness::Caller)?;
    }
    // Its name is made durable with that of the journal within it.
    std::fs::create_dir_all(&options.dir).map_err(|error| OpenError::File {
        path: options.dir.clone(),
        what: format!(
            "the data directory cannot be made ({error}): make room for it, or choose another directory"
        ),
    })?;
    let has_room = has_room(&options)?;
    let lock = lock(&options.dir)?;
    let found = recover(options.disk.as_ref())?;
    let key = load_key(&options, found.is_some())?;
    let frontier = found
        .as_ref()
        .map_or_else(Frontier::new, |found| found.frontier.clone());
    let tree_size = frontier.size();
    let head = head::load(options.disk.as_ref(), &options.dir, key.verifier_key())?;
    check_witnesses(&options, tree_size, head.as_ref())?;
    if let (Some(found), Some(head)) = (&found, &head)
        && let Some(root) = found.root_at(head.head().size)
    {
        check_root(head, root)?;
    }
    let databases = open_databases(&options, tree_size, found.as_ref())?;
    let mut recovery = Recovery {
        tree_size,
        rebuilt: databases.rebuilt,
        ..Recovery::default()
    };
    let writer = resume(&options, found, has_room, &mut recovery)?;
    let place = Place::of(&options.dir, options.disk.as_ref(), &lock);
    let place = place.map_err(OpenError::io("looking at the lock and the journal"))?;
    let core = Core {
        key,
        journal: Arc::clone(writer.journal()),
        sealed: databases.sealed,
        shards: databases.shards,
        tails: RwLock::default(),
        overlay: Mutex::new(Overlay::default()),
        overlay_changed: Condvar::new(),
        synced: AtomicU64::new(tree_size),
        applied: AtomicU64::new(databases.fed.min(tree_size)),
        heads: Mutex::new(Heads {
            last: LastFrame::Verified(frontier.clone()),
            newest: head,
        }),
        signing: Mutex::default(),
        poison: OnceLock::new(),
        refilling: Mutex::new(()),
        options,
        _lock: lock,
        place,
    };
    catch_up(&core, databases.fed, &mut recovery)?;
    if !has_room {
        tracing::warn!(
            dir = %core.options.dir.display(),
            needed_mib = core.options.free_floor_bytes >> 20,
            "commands are refused until there is room on the disk of this directory (--free-space-floor-mib)"
        );
    }
    check_head_root(&core)?;
    let core = Arc::new(core);
    let appender = Appender::start(Arc::clone(&core), writer, frontier)
        .map_err(OpenError::io("starting the feeding thread"))?;
    Ok((Log::new(core), appender, recovery))
}

/// Whether there is as much space as the options ask for. Where there is not, a log that exists is opened for its readers, and appends
/// wait for room; none is begun.
fn has_room(options: &Options) -> Result<bool, OpenError> {
    let (disk, floor) = (options.disk.as_ref(), options.free_floor_bytes);
    let free = disk.free_space();
    let free = free.map_err(OpenError::io("looking at free space"))?;
    if free >= floor {
        return Ok(true);
    }
    let dir = options.dir.clone();
    if recover::segments(disk)?.is_empty() {
        return Err(OpenError::NoSpace { dir, free, floor });
    }
    Ok(false)
}

/// Whether nothing at all is where the log should be.
fn is_untouched(options: &Options) -> Result<bool, OpenError> {
    let is_empty = match std::fs::read_dir(&options.dir) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => {
            return Err(OpenError::File {
                path: options.dir.clone(),
                what: format!(
                    "cannot be looked into ({error}): it is the directory of the log, which whoever runs the ledger may read and \
                     write; move away what is in its place, or choose another directory"
                ),
            });
        }
    };
    let segments = options.disk.list(DIR).map_err(|error| OpenError::File {
        path: options.dir.join(DIR),
        what: format!(
            "cannot be looked into ({error}): it is the directory of the journal, without which there is no log; move away \
             what is in its place, and put the journal back from your copy"
        ),
    })?;
    Ok(is_empty && segments.is_empty())
}

pub(crate) fn lock(dir: &Path) -> Result<File, OpenError> {
    let path = dir.join(place::LOCK);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| OpenError::File {
            what: format!(
                "the lock file cannot be opened ({error}): it is an empty file that whoever runs the ledger may write; \
                 where it is anything else, move it away while nothing runs here, and it is made anew"
            ),
            path: path.clone(),
        })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked { path }),
        Err(TryLockError::Error(error)) => Err(OpenError::File {
            path,
            what: format!(
                "cannot be locked ({error}): choose a directory on a file system with locks"
            ),
        }),
    }
}

/// Keeps everybody from writing who locks the directory, without writing there: several may read. Nothing where there is no lock
/// file, as in a backup, for then nobody has it open.
pub(crate) fn lock_shared(dir: &Path) -> Result<Option<File>, OpenError> {
    let path = dir.join(place::LOCK);
    let unusable = |error: std::io::Error| OpenError::File {
        path: path.clone(),
        what: format!(
            "cannot be read ({error}): whether a process has the log open cannot be told"
        ),
    };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked { path }),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

/// Reads the ledger's key; makes one for a log that has no journal yet.
fn load_key(options: &Options, has_journal: bool) -> Result<LedgerKey, OpenError> {
    let path = key_path(options);
    if has_journal || path.exists() {
        return read_key(options, has_journal);
    }
    let generated = LedgerKey::generate(&options.ledger_id);
    let key = generated.map_err(|error| OpenError::Key {
        path: path.clone(),
        what: error.to_string(),
    })?;
    store_key(&path, &key).map_err(|error| OpenError::Key {
        what: format!("cannot be written ({error})"),
        path,
    })?;
    Ok(key)
}

/// The remedy for a key that is not to be used.
const OWN_KEY: &str =
    "put this ledger's own key back from your copy; no other key can sign for this log";

fn key_path(options: &Options) -> PathBuf {
    options.dir.join("ledger.key")
}

/// Reads the ledger's key, which must be of the ledger that the options name.
fn read_key(options: &Options, has_journal: bool) -> Result<LedgerKey, OpenError> {
    let path = key_path(options);
    let wrong = |what: String| OpenError::Key {
        path: path.clone(),
        what,
    };
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(wrong(format!(
                "missing beside a log that has a journal: {OWN_KEY}"
            )));
        }
        Err(error) => {
            return Err(wrong(format!(
                "cannot be read ({error}): the user that runs the ledger must be able to, and nobody else"
            )));
        }
    };
    // What is in the file is a secret, or was: nothing of it is said.
    let key = str::from_utf8(&bytes).ok();
    let key = key.and_then(|text| text.parse::<LedgerKey>().ok());
    let key = key.ok_or_else(|| {
        let remedy = if has_journal {
            OWN_KEY
        } else {
            "there is no log here yet; remove the file, and a key is made with the log"
        };
        let what = if bytes.iter().all(u8::is_ascii_whitespace) {
            "is empty"
        } else {
            "holds no ledger's key"
        };
        wrong(format!("{what}: {remedy}"))
    })?;
    let ledger = key.verifier_key().ledger_id();
    if ledger != options.ledger_id {
        return Err(wrong(format!(
            "is the key of ledger `{ledger}`, not of `{}`: name it with --ledger, or choose another directory",
            options.ledger_id
        )));
    }
    Ok(key)
}

fn store_key(path: &Path, key: &LedgerKey) -> std::io::Result<()> {
    let temporary = path.with_extension("key.tmp");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(format!("{}\n", key.secret_text()).as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    path.parent()
        .map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

fn check_witnesses(
    options: &Options,
    tree_size: u64,
    head: Option<&SignedTreeHead>,
) -> Result<(), OpenError> {
    let head_size = head.map_or(0, |head| head.head().size);
    shorter(tree_size, head_size, Witness::Head)?;
    shorter(tree_size, options.witnessed_size, Witness::Caller)
}

fn shorter(journal: u64, known: u64, witness: Witness) -> Result<(), OpenError> {
    if known <= journal {
        return Ok(());
    }
    Err(OpenError::Damaged {
        journal: None,
        position: journal,
        what: Damage::Shorter {
            journal,
            known,
            witness,
        },
    })
}

/// Whether the block store is of another log, or of another course of this one (a copy of the journal was put back beside it): its
/// last block is not the journal's, or lies beyond the journal's end while its first is not the journal's either.
fn is_foreign(shards: &Shards, options: &Options, found: &Recovered) -> Result<bool, SledFault> {
    let Some(newest) = shards.numbers().last().copied() else {
        return Ok(false);
    };
    let Some((header, last)) = shards.get(newest)?.last_block()? else {
        return Ok(false);
    };
    let tree_size = found.frontier.size();
    let journal = Journal::new(Arc::clone(&options.disk), found.segments.clone());
    // Where the journal is damaged it is said elsewhere, and nothing is removed.
    let differs = |position: u64, bytes: &[u8]| {
        let ours = journal.block_at(position);
        position < tree_size && ours.is_ok_and(|(_, ours)| ours != bytes)
    };
    if header.end_position() <= tree_size {
        return Ok(differs(header.first_position, &last));
    }
    let first = shards.get(0)?.raw(0)?;
    Ok(first.is_some_and(|first| differs(0, &first)))
}

/// Opens the index and the newest shard; what sled cannot open, or what is not of this journal, is removed, to be fed again.
fn open_databases(
    options: &Options,
    tree_size: u64,
    found: Option<&Recovered>,
) -> Result<Databases, OpenError> {
    let mut rebuilt = Vec::new();
    let dir = options.dir.join("log");
    let mut shards = Shards::new(dir.clone(), options.sled_cache_bytes);
    if let Some(found) = found
        && is_foreign(&shards, options, found).unwrap_or(false)
    {
        tracing::warn!(
            "the block store and the index are not of this journal: making them anew from it"
        );
        rebuilt.push("log".to_owned());
        drop(shards);
        sledbox::remove(&dir).map_err(OpenError::sled(&dir))?;
        shards = Shards::new(dir.clone(), options.sled_cache_bytes);
    }
    let path = dir.join("index");
    let open_index = || SealedIndex::open(&path, options.sled_cache_bytes, options.epoch_bits);
    let sealed = match open_index() {
        Ok(sealed) => sealed,
        Err(fault) => {
            tracing::warn!(%fault, "the index cannot be opened: making it anew from the journal");
            rebuilt.push("index".to_owned());
            sledbox::remove(&path)
                .and_then(|()| open_index())
                .map_err(OpenError::sled(&dir))?
        }
    };
    shorter(
        tree_size,
        u64::from(sealed.epochs()) << options.epoch_bits,
        Witness::Index,
    )?;
    let mut fed = 0;
    if let Some(newest) = shards.numbers().last().copied() {
        let start = u64::from(newest) << options.shard_bits;
        let looked = shards
            .get(newest)
            .and_then(|shard| Ok((shard.end()?, shard.highest_key()?)));
        let (end, highest) = match looked {
            Ok(found) => found,
            Err(fault) => {
                tracing::warn!(%fault, shard = newest, "a block store cannot be opened: making it anew from the journal");
                rebuilt.push(format!("{newest:06}"));
                shards.remove(newest).map_err(OpenError::sled(&dir))?;
                (None, None)
            }
        };
        shorter(
            tree_size,
            end.or(highest.map(|key| key + 1)).unwrap_or(0),
            Witness::Blocks,
        )?;
        fed = end.unwrap_or(start);
    }
    Ok(Databases {
        shards,
        sealed,
        rebuilt,
        fed,
    })
}

/// Cuts the torn tail, now that nobody has shown the log to be longer, and gets ready to write.
fn resume(
    options: &Options,
    found: Option<Recovered>,
    has_room: bool,
    recovery: &mut Recovery,
) -> Result<JournalWriter, OpenError> {
    let doing = OpenError::io("preparing the journal");
    let Some(found) = found else {
        return JournalWriter::create(&options.disk, options.segment_bytes).map_err(doing);
    };
    if let (Some(torn), Some(segment)) = (&found.torn, found.segments.last()) {
        let bytes = torn.end.saturating_sub(torn.offset);
        tracing::warn!(
            bytes,
            position = found.frontier.size(),
            "the last frame is torn and was never acknowledged: cutting it"
        );
        cut(segment, torn).map_err(OpenError::io("cutting the torn tail"))?;
        recovery.cut_bytes = Some(bytes);
    }
    match JournalWriter::resume(&options.disk, found, options.segment_bytes, has_room)
        .map_err(doing)?
    {
        Some(writer) => Ok(writer),
        None => JournalWriter::create(&options.disk, options.segment_bytes)
            .map_err(OpenError::io("preparing the journal")),
    }
}

/// Feeds sled and the indexes what they lack, through the code that feeds them live.
fn catch_up(core: &Core, fed: u64, recovery: &mut Recovery) -> Result<(), OpenError> {
    let tree_size = core.synced();
    let indexed = core.epoch_start(core.sealed.epochs());
    let unusable = || OpenError::sled(&core.options.dir.join("log"));
    // The newest shard is the only one filled here: an older one is rebuilt when it is first read.
    let fed = fed.max(
        core.shard_range(core.shard_of(tree_size))
            .start
            .min(tree_size),
    );
    let mut decoder = Decoder::default();
    for frame in core.journal.frames(indexed.min(fed), tree_size) {
        for (header, bytes) in frame?.blocks()? {
            if header.first_position >= indexed {
                let (keys, routes) = Core::keys_of(&bytes, &header, &mut decoder)?;
                recovery.indexed_events += keys.len() as u64;
                core.index(
                    header.first_position,
                    keys.iter().zip(routes.iter().map(String::as_str)),
                );
                feed::seal_full(core).map_err(unusable())?;
            }
            if header.first_position >= fed {
                let pending = Pending {
                    first_position: header.first_position,
                    end_position: header.end_position(),
                    bytes,
                };
                feed::feed(core, &[pending])?;
                recovery.fed_blocks += 1;
            }
        }
    }
    core.applied.store(tree_size, Ordering::Release);
    flush_newest(core).map_err(unusable())
}

fn flush_newest(core: &Core) -> Result<(), SledFault> {
    core.shards.get(core.shard_of(core.synced()))?.flush()
}

/// Compares the stored head at whatever size it has, which may lie before the newest segment.
fn check_head_root(core: &Core) -> Result<(), OpenError> {
    let newest = crate::core::held(&core.heads).newest.clone();
    let Some(newest) = newest else {
        return Ok(());
    };
    check_root(&newest, core.root_at(newest.head().size)?)
}

/// The stored head must name the root that the log has at its size.
fn check_root(head: &SignedTreeHead, root: Hash) -> Result<(), OpenError> {
    let size = head.head().size;
    if head.head().root == root {
        return Ok(());
    }
    Err(OpenError::Damaged {
        journal: None,
        position: size,
        what: Damage::HeadRoot { size },
    })
}
