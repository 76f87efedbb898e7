//! What a number may be, going by its unit.

use std::borrow::Cow;

use super::check::TextPath;
use super::text::is_default_ignorable;
use super::values::{Amount, Indicator};
use crate::compare::{folded, folded_compatibly};
use crate::rejection::{Rejection, RejectionCode};

/// The names of percent in the UN's six languages, as [`percent_key`] writes them.
const PERCENT: [&str; 38] = [
    "%",
    "percent",
    "per cent",
    "per-cent",
    "percents",
    "per cents",
    "percentage",
    "percentages",
    "pct",
    "pour cent",
    "pour-cent",
    "pourcent",
    "pourcents",
    "pourcentage",
    "pourcentages",
    "por ciento",
    "porciento",
    "por cien",
    "porcentaje",
    "porcentajes",
    "процент",
    "проценты",
    "процента",
    "процентов",
    "процентах",
    "проц",
    "百分比",
    "百分之",
    "百分率",
    "百分数",
    "في المئة",
    "في المائة",
    "بالمئة",
    "بالمائة",
    "نسبة مئوية",
    "نسب مئوية",
    "النسبة المئوية",
    "النسب المئوية",
];

/// Words before a name of percent that change nothing: "in %", "en pour cent".
const IN: [&str; 5] = ["in ", "as ", "en ", "в ", "以"];

/// Whether values in this unit are shares of a whole. Growth in percent is another unit, like `% a year`.
pub(crate) fn is_percent(unit: &str) -> bool {
    let unit = percent_key(unit);
    let mut name = plain_name(&unit);
    // The sign after the word says it again.
    if let Some(word) = name.strip_suffix("(%)").map(plain_name)
        && !word.is_empty()
    {
        name = word;
    }
    PERCENT.contains(&name)
}

/// Folded, and with the signs of one sound or shape that people write for each other: hyphens, forms of the Arabic yeh and
/// percent sign. Nothing joins or parts the letters of percent.
fn percent_key(unit: &str) -> String {
    let folded = folded_compatibly(unit);
    let letters = folded
        .chars()
        .filter(|letter| !is_default_ignorable(*letter));
    let one = |letter| match letter {
        '\u{2010}'..='\u{2012}' => '-',
        'ى' | 'ی' => 'ي',
        '٪' => '%',
        other => other,
    };
    letters.map(one).collect()
}

/// A name without what stands around it: parentheses, a full stop, "in".
fn plain_name(name: &str) -> &str {
    let mut name = name.trim();
    if let Some(inner) = name
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    {
        name = inner.trim();
    }
    let name = IN
        .iter()
        .find_map(|word| name.strip_prefix(word))
        .unwrap_or(name);
    name.trim_end_matches('.').trim()
}

/// The form in which units are compared: percent has several names.
pub(crate) fn unit_key(unit: &str) -> Cow<'_, str> {
    if is_percent(unit) {
        Cow::Borrowed("%")
    } else {
        folded(unit)
    }
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

/// The signs of Unicode's category Sc, and what else its currency block may come to hold.
fn is_currency_sign(letter: char) -> bool {
    matches!(
        letter,
        '$' | '\u{a2}'..='\u{a5}'
            | '\u{58f}'
            | '\u{60b}'
            | '\u{7fe}'..='\u{7ff}'
            | '\u{9f2}'..='\u{9f3}'
            | '\u{9fb}'
            | '\u{af1}'
            | '\u{bf9}'
            | '\u{e3f}'
            | '\u{17db}'
            | '\u{20a0}'..='\u{20cf}'
            | '\u{a838}'
            | '\u{fdfc}'
            | '\u{fe69}'
            | '\u{ff04}'
            | '\u{ffe0}'..='\u{ffe1}'
            | '\u{ffe5}'..='\u{ffe6}'
            | '\u{11fdd}'..='\u{11fe0}'
            | '\u{1e2ff}'
            | '\u{1ecb0}'
    )
}

#[cfg(test)]
mod tests {
    use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

    use super::*;

    #[test]
    fn percent_is_known_by_its_names() {
        for unit in [
            "%",
            " % ",
            "percent",
            "Per Cent",
            "per  cent",
            "per\u{a0}cent",
            "％",
            "﹪",
            "٪",
            "\u{200f}٪\u{200f}",
            "Pct.",
            "ｐｅｒｃｅｎｔ",
            "Pour cent",
            "por ciento",
            "ПРОЦЕНТОВ",
            "百分比",
            "في المئة",
            "per\u{2011}cent",
            "per\u{2010}cent",
            "％\u{fe0e}",
            "per\u{200c}cent",
            "في\u{200c} المئة",
            "(%)",
            "percent (%)",
            "Percentage (%)",
            "in %",
            "In per cent",
            "en %",
            "percentages",
            "процента",
            "проц.",
            "в процентах",
            "百分率",
            "فى المئة",
            "فی المئة",
        ] {
            assert!(is_percent(unit), "{unit}");
        }
        for unit in [
            "% a year",
            "percentage points",
            "persons",
            "‰",
            "",
            "()",
            "(%) of GDP",
            "in",
            "visas (%)",
            "百分点",
            "degrees (%)",
            "مئوية",
        ] {
            assert!(!is_percent(unit), "{unit}");
        }
    }

    #[test]
    fn currency_signs_are_those_of_unicode() {
        for letter in '\0'..=char::MAX {
            let sign = letter.general_category() == GeneralCategory::CurrencySymbol;
            assert!(!sign || is_currency_sign(letter), "{letter:?}");
            let block = ('\u{20a0}'..='\u{20cf}').contains(&letter);
            assert!(sign || block || !is_currency_sign(letter), "{letter:?}");
        }
    }

    #[test]
    fn a_share_lies_between_none_and_all() {
        let share = |number| is_share(Amount::new(number).expect("in range"));
        assert!(share(0.0) && share(100.0) && share(12.5));
        assert!(!share(-0.1) && !share(100.1));
    }
}
