//! The number of an action plan, from its name.

use ledger_domain::compare::folded_compatibly;

use crate::texts::is_apostrophe;

/// The number of an action plan, `AP_USA01`: one or two digits at its end. What a plan that is named by its years ends with is no
/// number: after four digits (`2021-23`), other digits and signs (`21–23`), an apostrophe or a word for a year (`'23`, `FY23`).
pub(super) fn plan_number(plan: &str) -> Option<u8> {
    let plan = plan.replace(is_apostrophe, "'");
    let plan = folded_compatibly(&plan);
    let name = plan.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let digits = plan.strip_prefix(name).filter(|digits| digits.len() <= 2)?;
    let named_by_years = names_a_year(name) || ends_with_a_year(name);
    digits
        .parse()
        .ok()
        .filter(|number| *number > 0 && !named_by_years)
}

/// Returns true when four digits or more stand together.
fn names_a_year(name: &str) -> bool {
    name.split(|letter: char| !letter.is_numeric())
        .any(|digits| digits.chars().nth(3).is_some())
}

/// Returns true when the digits after this continue a year, or are the last two of one.
fn ends_with_a_year(name: &str) -> bool {
    if name.trim_end().ends_with('\'') {
        return true;
    }
    let before = name.trim_end_matches(|letter: char| !letter.is_alphanumeric());
    let start = before.trim_end_matches(char::is_alphabetic);
    let word = before.strip_prefix(start).unwrap_or_default();
    match word {
        "" => start.ends_with(char::is_numeric),
        "to" => start.trim_end().ends_with(char::is_numeric),
        "fy" | "year" => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_numbered_by_one_digit_or_two() {
        for (plan, number) in [
            ("AP_USA01", Some(1)),
            ("AP_USA12", Some(12)),
            ("Plan 3", Some(3)),
            ("Action plan 2021-2023", None),
            ("Action plan 2021-23", None),
            ("Action plan 2021/23", None),
            ("Plan 2023", None),
            ("Action plan 2021 - 23", None),
            ("Action plan 2021—23", None),
            ("Action plan 2021‑23", None),
            ("Action plan 2021−23", None),
            ("Action plan 2021 to 23", None),
            ("Action plan 2021_23", None),
            ("Action plan 2021.23", None),
            ("Action plan 2021 /23", None),
            ("Action plan 2021 23", None),
            ("Action plan ２０２１-２３", None),
            ("Plan ٢٠٢١-23", None),
            ("2021-2023 plan 2", None),
            ("Action plan 21-23", None),
            ("Action plan 21‑23", None),
            ("Action plan 21 – 23", None),
            ("Action plan 21 to 23", None),
            ("Plan '23", None),
            ("Plan ’23", None),
            ("Plan ‘23", None),
            ("Plan ʼ 23", None),
            ("Plan ´23", None),
            ("FY23", None),
            ("fy 23", None),
            ("AP_FY-23", None),
            ("Year 23", None),
            ("AP_GHA02", Some(2)),
            ("Plan 2", Some(2)),
            ("Plan ２", Some(2)),
            ("Plan no. 2", Some(2)),
            ("Plan #2", Some(2)),
            ("AP_USA123", None),
            ("AP_USA00", None),
            ("NA", None),
            ("", None),
        ] {
            assert_eq!(plan_number(plan), number, "{plan}");
        }
    }
}
