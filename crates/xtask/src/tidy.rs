//! The rules that no compiler checks. Each is a pure function of what it looks at, with a test that shows it firing.

mod arrows;
mod circles;
mod day;
mod dependencies;
mod licences;
mod sources;

use crate::workspace::Workspace;

/// Everything that is wrong, as sentences; empty when nothing is.
pub(crate) fn check(workspace: &Workspace) -> Vec<String> {
    let mut violations = arrows::check(&workspace.members);
    violations.extend(dependencies::check(&workspace.members));
    violations.extend(licences::check(&workspace.foreign));
    violations.extend(circles::check(workspace));
    violations.extend(sources::check(workspace));
    violations.extend(day::check(workspace));
    violations
}
