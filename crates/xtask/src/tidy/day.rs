//! The day of the program, which its clock is compared with, keeps up with its history.

use std::fs;
use std::process::Command;

use crate::workspace::Workspace;

const FILE: &str = "crates/node/src/runtime/clock.rs";
const BEFORE: &str = "const PROGRAM_DAY: &str = \"";
/// It is at most so many years behind: every year somebody moves it on.
const YEARS: u32 = 1;

pub(crate) fn check(workspace: &Workspace) -> Vec<String> {
    let source = fs::read_to_string(workspace.root.join(FILE)).unwrap_or_default();
    let newest = Command::new("git")
        .args(["log", "-1", "--format=%cs"])
        .current_dir(&workspace.root)
        .output();
    // An archive without its history is compared with nothing.
    let newest = newest.ok().filter(|output| output.status.success());
    let newest = newest.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    check_day(&source, newest.as_deref())
}

fn check_day(source: &str, newest: Option<&str>) -> Vec<String> {
    let stated = source.split_once(BEFORE).map(|(_, rest)| rest);
    let Some(day) = stated.and_then(|rest| rest.get(..10)).and_then(parse) else {
        return vec![format!("{FILE} has no PROGRAM_DAY like 2026-11-28")];
    };
    let Some(newest) = newest.and_then(parse) else {
        return Vec::new();
    };
    if day > newest {
        return vec![format!(
            "PROGRAM_DAY in {FILE} is after the newest commit: a node would not start before that day"
        )];
    }
    let (year, month, date) = day;
    if (year + YEARS, month, date) < newest {
        return vec![format!(
            "PROGRAM_DAY in {FILE} is more than a year before the newest commit: move it on"
        )];
    }
    Vec::new()
}

/// Year, month and day, which compare as days do.
fn parse(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.split('-').map(str::parse);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    Some((year.ok()?, month.ok()?, day.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_that_is_missing_ahead_or_old_is_named() {
        let source = "/// The day.\nconst PROGRAM_DAY: &str = \"2026-11-28\";\n";
        assert_eq!(check_day(source, None), Vec::<String>::new());
        assert_eq!(check_day(source, Some("2026-11-28")), Vec::<String>::new());
        assert_eq!(check_day(source, Some("2027-11-28")), Vec::<String>::new());
        for (source, newest, said) in [
            ("", "2026-11-30", "has no PROGRAM_DAY"),
            (source, "2026-11-27", "after the newest commit"),
            (source, "2027-11-29", "move it on"),
        ] {
            let found = check_day(source, Some(newest)).concat();
            assert!(found.contains(said), "{newest}: {found}");
        }
    }
}
