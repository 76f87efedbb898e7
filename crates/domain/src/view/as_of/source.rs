//! Sources of a change log, and which of all events concern a view.

use std::ops::{ControlFlow, RangeInclusive};

use super::bits::Bits;
use crate::view::changelog::postings::PostingsReader;
use crate::view::error::RestoreError;

/// What is done with the entries of a chunk, and whether older ones are wanted.
pub type VisitChunk<'a, E> = dyn FnMut(&[u8]) -> Result<ControlFlow<()>, E> + 'a;

/// Whether a chunk whose entries stand at these positions is wanted; of the open one the last position is not known, and the largest stands for it.
pub type WantChunk<'a> = dyn Fn(RangeInclusive<u64>) -> bool + 'a;

/// The chunks of a projection's lists, as they were kept: closed ones and the one that was open when the question was asked.
pub trait ChangelogSource {
    /// Why a chunk cannot be read.
    type Error: From<RestoreError>;

    /// Calls `visit` with the entries of the chunks of a list that begin at `position` or before and that are wanted, the newest chunk first, until it
    /// breaks. A chunk that is not wanted need not be read.
    ///
    /// # Errors
    /// When a chunk cannot be read, or what `visit` returns.
    fn newest_first(
        &self,
        list: &str,
        position: u64,
        wants: &WantChunk<'_>,
        visit: &mut VisitChunk<'_, Self::Error>,
    ) -> Result<(), Self::Error>;
}

/// Wants every chunk.
pub(crate) fn all(_: RangeInclusive<u64>) -> bool {
    true
}

/// The events that concern a view, up to a position.
pub(super) enum Concerning {
    /// All there are.
    All,
    /// Those that stand in its list.
    Listed {
        events: Bits,
        /// Those of them that touched a commitment of the view.
        of_commitments: Bits,
    },
}

impl Concerning {
    /// Reads the list of a view.
    pub(super) fn listed<S: ChangelogSource>(
        source: &S,
        list: &str,
        position: u64,
    ) -> Result<Self, S::Error> {
        let (mut events, mut of_commitments) = (Bits::default(), Bits::default());
        source.newest_first(list, position, &all, &mut |chunk| {
            for mention in PostingsReader::new(chunk) {
                let (at, of_commitment) = mention?;
                if at <= position {
                    events.insert(at);
                    if of_commitment {
                        of_commitments.insert(at);
                    }
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(Self::Listed {
            events,
            of_commitments,
        })
    }

    /// Whether the event at a position concerns the view.
    pub(super) fn has(&self, position: u64) -> bool {
        match self {
            Self::All => true,
            Self::Listed { events, .. } => events.contains(position),
        }
    }

    /// Whether it touched a commitment of the view.
    pub(super) fn is_of_commitment(&self, position: u64) -> bool {
        match self {
            Self::All => true,
            Self::Listed { of_commitments, .. } => of_commitments.contains(position),
        }
    }

    /// Whether any event in a range does.
    pub(super) fn any_of(&self, positions: RangeInclusive<u64>) -> bool {
        match self {
            Self::All => true,
            Self::Listed { events, .. } => events.any_of(positions),
        }
    }
}
