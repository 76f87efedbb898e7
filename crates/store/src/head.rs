//! Signed tree heads: over synced leaves only, read back from the disk, and on the disk before they are shown.

use crate::core::{Core, held};
use crate::disk::{self, Disk};
use crate::error::{AppendError, OpenError, ReadError};
use crate::journal::recover::check_frame;
use crate::journal::writer::Place;
use ledger_proof::block::Decoder;
use ledger_proof::{Frontier, Hash, SignedTreeHead, TreeHeadError, VerifierKey};
use std::io;
use std::path::Path;

const FILE: &str = "head";

/// The end of the log as the signer needs it.
#[derive(Debug, Clone)]
pub(crate) enum LastFrame {
    /// Everything was read and hashed when the log was opened.
    Verified(Frontier),
    /// A frame written since, and the tree before it.
    Written { place: Place, before: Frontier },
}

#[derive(Debug)]
pub(crate) struct Heads {
    pub(crate) last: LastFrame,
    pub(crate) newest: Option<SignedTreeHead>,
}

/// Why a tree head was not signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// The leaves read back from the disk could not be read or do not give the root that was written.
    #[error("the last frame does not read back as it was written")]
    Read(#[from] ReadError),
    /// The head could not be made durable, so it is not shown.
    #[error("the tree head could not be written")]
    Write(#[source] io::Error),
    /// The log is poisoned.
    #[error(transparent)]
    Poisoned(#[from] AppendError),
    /// The key refused to sign.
    #[error("the tree head could not be signed")]
    Sign(#[from] TreeHeadError),
}

impl HeadError {
    /// Whether it is only that the disk is full: the head before it stands, and a later attempt may succeed.
    pub fn is_for_want_of_room(&self) -> bool {
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
        matches!(self, Self::Write(error) if full.contains(&error.kind()))
    }
}

/// Reads the stored head, if there is one, and checks that this ledger signed it.
pub(crate) fn load(
    disk: &dyn Disk,
    dir: &Path,
    key: &VerifierKey,
) -> Result<Option<SignedTreeHead>, OpenError> {
    let wrong = |what: String| OpenError::File {
        path: dir.join(FILE),
        what: format!(
            "{what}. It is the newest signed tree head, which witnesses how long the log was: put it back from your copy, or, \
             if `scrub` finds nothing else, move it away, and the node signs the log again"
        ),
    };
    let bytes = disk::read_whole(disk, FILE);
    let bytes = bytes.map_err(|error| wrong(format!("cannot be read ({error})")))?;
    let Some(bytes) = bytes else {
        return Ok(None);
    };
    if bytes.iter().all(|byte| *byte == 0) {
        return Err(wrong("is empty".to_owned()));
    }
    let head = SignedTreeHead::parse(&bytes);
    let head = head.map_err(|error| wrong(format!("is damaged ({error})")))?;
    let verified = head.verify(key);
    verified.map_err(|error| wrong(format!("is damaged, or is another ledger's ({error})")))?;
    Ok(Some(head))
}

/// Signs the root of everything synced so far, unless the newest head is of that size already.
pub(crate) fn sign(core: &Core) -> Result<SignedTreeHead, HeadError> {
    // One at a time, so that an older head never replaces a newer one. Appends need the other lock, which is held neither while a
    // frame is read nor while the head is written: no receipt waits for a signature.
    let _signing = held(&core.signing);
    let (last, newest) = {
        let heads = held(&core.heads);
        (heads.last.clone(), heads.newest.clone())
    };
    let (size, root) = match &last {
        LastFrame::Verified(frontier) => (frontier.size(), frontier.root()),
        LastFrame::Written { place, before } => read_back(place, before)?,
    };
    if let Some(newest) = newest.filter(|newest| newest.head().size == size) {
        return Ok(newest);
    }
    let signed = SignedTreeHead::sign(size, root, &core.key)?;
    // A copy in this log's place keeps the head that it came with.
    core.check_place()?;
    disk::replace(core.options.disk.as_ref(), FILE, signed.as_bytes()).map_err(HeadError::Write)?;
    held(&core.heads).newest = Some(signed.clone());
    Ok(signed)
}

fn read_back(place: &Place, before: &Frontier) -> Result<(u64, Hash), ReadError> {
    let frame = place.read()?;
    let mut frontier = before.clone();
    check_frame(&frame, &mut frontier, &mut Decoder::default())?;
    Ok((frontier.size(), frontier.root()))
}
