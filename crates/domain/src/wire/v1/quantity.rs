//! What a number may be, going by its unit.

use super::check::TextPath;
use super::values::{Amount, Indicator};
use crate::rejection::{Rejection, RejectionCode};

/// Whether values in this unit are shares of a whole. Growth in percent is another unit, like `% a year`.
pub(crate) fn is_percent(unit: &str) -> bool {
    let unit = unit.trim();
    unit == "%" || unit.eq_ignore_ascii_case("percent") || unit.eq_ignore_ascii_case("per cent")
}

/// Whether the share, in percent, is one.
pub(crate) fn is_share(value: Amount) -> bool {
    (0.0..=100.0).contains(&value.get())
}

/// The refusal of a number that is no share.
pub(crate) fn no_share(field: String, value: Amount) -> Rejection {
    Rejection::at(
        RejectionCode::AmountOutOfRange,
        field,
        format!("{value} is no share in percent: it must be 0 to 100, or the unit another"),
    )
}

/// The refusal of money that is less than none.
pub(crate) fn negative_money(field: String, value: Amount) -> Rejection {
    Rejection::at(
        RejectionCode::AmountOutOfRange,
        field,
        format!("a financial commitment of {value} is less than nothing; correct it"),
    )
}

/// Checks a unit, and the numbers that are measured in it.
pub(super) fn check_unit(
    unit: Option<&String>,
    at: TextPath,
    values: &[(TextPath, Option<Amount>)],
) -> Result<(), Rejection> {
    let Some(unit) = unit else { return Ok(()) };
    if let Some(sign) = unit.chars().find(|letter| is_currency_sign(*letter)) {
        return Err(Rejection::at(
            RejectionCode::CurrencySign,
            at.to_string(),
            format!("{sign} stands for more than one currency; write its ISO 4217 code, like USD"),
        ));
    }
    if !is_percent(unit) {
        return Ok(());
    }
    values.iter().try_for_each(|(path, value)| match value {
        Some(value) if !is_share(*value) => Err(no_share(path.to_string(), *value)),
        Some(_) | None => Ok(()),
    })
}

pub(super) fn check_indicators(indicators: &[Indicator]) -> Result<(), Rejection> {
    indicators.iter().enumerate().try_for_each(|(index, item)| {
        let path = |field| TextPath::within(("indicators", Some(index)), field);
        check_unit(
            item.unit.as_ref(),
            path("unit"),
            &[(path("value"), Some(item.value))],
        )
    })
}

/// The signs of Unicode's currency block and the older ones before it.
fn is_currency_sign(letter: char) -> bool {
    matches!(
        letter,
        '$' | '¢' | '£' | '¤' | '¥' | '\u{20a0}'..='\u{20cf}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_is_known_by_its_names() {
        for unit in ["%", " % ", "percent", "Per Cent"] {
            assert!(is_percent(unit), "{unit}");
        }
        for unit in ["% a year", "percentage points", "persons", ""] {
            assert!(!is_percent(unit), "{unit}");
        }
    }

    #[test]
    fn a_share_lies_between_none_and_all() {
        let share = |number| is_share(Amount::new(number).expect("in range"));
        assert!(share(0.0) && share(100.0) && share(12.5));
        assert!(!share(-0.1) && !share(100.1));
    }
}
