//! Names that repeat in millions of commitments, as four bytes each.
//!
//! The table is process-wide and only grows. It holds names of recorded events only, that is codes of the catalogue and
//! ids of registered parties, so its size is bounded by theirs. What a symbol's number is differs between runs; nothing
//! that is written or compared across processes may depend on it.

use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::ids::ActionCode;

/// An interned name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Symbol(u32);

/// The symbols of some actions.
pub(crate) fn symbols(codes: &[ActionCode]) -> SmallVec<[Symbol; 4]> {
    codes.iter().map(|code| Symbol::of(code.as_str())).collect()
}

#[derive(Default)]
struct Table {
    numbers: FxHashMap<Arc<str>, u32>,
    names: Vec<Arc<str>>,
}

static TABLE: LazyLock<RwLock<Table>> = LazyLock::new(RwLock::default);

impl Symbol {
    /// The symbol of a recorded name; makes one if there is none yet.
    pub(crate) fn of(name: &str) -> Self {
        if let Some(symbol) = Self::find(name) {
            return symbol;
        }
        let mut table = TABLE.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = table.numbers.get(name) {
            return Self(*number);
        }
        // Four thousand million names do not fit into memory, so the conversion cannot fail.
        let number = u32::try_from(table.names.len()).unwrap_or(u32::MAX);
        let name: Arc<str> = Arc::from(name);
        table.names.push(Arc::clone(&name));
        table.numbers.insert(name, number);
        Self(number)
    }

    /// The symbol of a name, if any recorded event had it: looking up what a partner sent must not grow the table.
    pub(crate) fn find(name: &str) -> Option<Self> {
        let table = TABLE.read().unwrap_or_else(PoisonError::into_inner);
        table.numbers.get(name).copied().map(Self)
    }

    /// The name.
    pub(crate) fn name(self) -> Arc<str> {
        let table = TABLE.read().unwrap_or_else(PoisonError::into_inner);
        usize::try_from(self.0)
            .ok()
            .and_then(|index| table.names.get(index))
            .map_or_else(|| Arc::from(""), Arc::clone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_symbol_and_looking_does_not_make_one() {
        let symbol = Symbol::of("GCM-INTERN-1");
        assert_eq!(Symbol::of("GCM-INTERN-1"), symbol);
        assert_eq!(Symbol::find("GCM-INTERN-1"), Some(symbol));
        assert_eq!(&*symbol.name(), "GCM-INTERN-1");
        assert_eq!(Symbol::find("GCM-INTERN-2"), None);
        assert_ne!(Symbol::of("GCM-INTERN-2"), symbol);
    }
}
