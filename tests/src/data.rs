//! Real data that is not part of the repository.

use std::path::{Path, PathBuf};

/// The folder with the real data sets: `$LEDGER_TEST_DATA`, else `../shared/data` beside the repository. `None` when it
/// is not there, and says so: the test that asked has nothing to test.
pub fn test_data() -> Option<PathBuf> {
    let folder = std::env::var_os("LEDGER_TEST_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!(
        "no test data at {}: name its folder in LEDGER_TEST_DATA; this test checks nothing without it",
        folder.display()
    );
    None
}
