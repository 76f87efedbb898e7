//! Pages of a view's commitments.

/// The most rows one page may have.
pub const MAX_PAGE_ROWS: usize = 200;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Leave out the commitments recorded at this position or before: the `next` of the page before.
    pub after: Option<u64>,
    /// At most this many rows; at least 1 and at most [`MAX_PAGE_ROWS`] are given.
    pub limit: usize,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            after: None,
            limit: 50,
        }
    }
}

impl Page {
    pub(crate) fn rows(&self) -> usize {
        self.limit.clamp(1, MAX_PAGE_ROWS)
    }
}
