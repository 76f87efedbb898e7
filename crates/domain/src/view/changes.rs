//! Changes since the last save: rows to keep and keys to publish.

/// The rows that a projection asks to be kept, and the keys that it asks to be published.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Rows to write, key and value; a later row of a key replaces the earlier one. No row is ever removed.
    pub rows: Vec<(Vec<u8>, Vec<u8>)>,
    /// The keys of the views whose bodies changed, in order, each once.
    pub keys: Vec<String>,
}

impl Changes {
    /// Returns true when there is nothing to keep and nothing to publish.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.keys.is_empty()
    }
}
