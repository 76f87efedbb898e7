//! Tables that the facts of commitments share: each commitment's row holds its part of them.

use hashbrown::HashMap;

use super::index::{MethodIndex, entry_at, number};
use super::reports::Reports;
use crate::ids::MethodId;

/// The parts of commitments' facts that are shared or kept elsewhere: each commitment's row holds
/// its part of them.
#[derive(Debug, Default)]
pub(crate) struct SharedTables {
    pub(crate) reports: Reports,
    methods: Vec<(MethodId, MethodId)>,
    /// Assessors choose the names: here too nobody is to know the hash.
    method_numbers: HashMap<(MethodId, MethodId), MethodIndex>,
}

impl SharedTables {
    /// The number of a method and version.
    pub(crate) fn method_index(&mut self, method: &MethodId, version: &MethodId) -> MethodIndex {
        let name = (method.clone(), version.clone());
        if let Some(&known) = self.method_numbers.get(&name) {
            return known;
        }
        let index = number(self.methods.len());
        self.methods.push(name.clone());
        self.method_numbers.insert(name, index);
        index
    }

    /// A method and its version.
    pub(crate) fn method(&self, method: MethodIndex) -> (&str, &str) {
        entry_at(&self.methods, method).map_or(("", ""), |(method, version)| {
            (method.as_str(), version.as_str())
        })
    }
}
