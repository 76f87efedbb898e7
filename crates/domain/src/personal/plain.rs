//! A text as the scanner reads it: every decimal digit and every full-width sign is that of ASCII, what shows nothing is left out.

use std::borrow::Cow;
use std::ops::Range;

use crate::wire::v1::is_default_ignorable;

/// A text in plain signs, and where each of its bytes stands in the original.
pub(super) struct Plain<'a> {
    original: &'a str,
    text: Cow<'a, str>,
    /// For each byte of `text` where its character begins in the original; empty where both are the same.
    places: Vec<usize>,
}

impl<'a> Plain<'a> {
    pub(super) fn of(original: &'a str) -> Self {
        let same = |letter: char| plain(letter) == Some(letter);
        if original.is_ascii() || original.chars().all(same) {
            return Self {
                original,
                text: Cow::Borrowed(original),
                places: Vec::new(),
            };
        }
        let mut text = String::with_capacity(original.len());
        let mut places = Vec::with_capacity(original.len());
        for (place, letter) in original.char_indices() {
            if let Some(letter) = plain(letter) {
                text.push(letter);
                places.resize(text.len(), place);
            }
        }
        Self {
            original,
            text: Cow::Owned(text),
            places,
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The first byte of the plain text that stands at this byte of the original or after it.
    pub(super) fn at(&self, original: usize) -> usize {
        if self.places.is_empty() {
            return original;
        }
        self.places.partition_point(|place| *place < original)
    }

    /// The bytes of the original that these bytes of the plain text stand for.
    pub(super) fn range(&self, plain: Range<usize>) -> Range<usize> {
        if self.places.is_empty() {
            return plain;
        }
        let place = |at: usize| self.places.get(at).copied();
        let start = place(plain.start).unwrap_or(self.original.len());
        let last = plain.end.checked_sub(1).and_then(place).unwrap_or(start);
        let rest = self.original.get(last..).unwrap_or_default();
        start..last + rest.chars().next().map_or(0, char::len_utf8)
    }
}

/// The sign that a character is read as; none where it shows nothing.
fn plain(letter: char) -> Option<char> {
    if letter.is_ascii() {
        return Some(letter);
    }
    if shows_nothing(letter) {
        return None;
    }
    if let Some(digit) = decimal_digit(letter) {
        return Some(digit);
    }
    Some(match letter {
        // The full-width forms of ASCII, in its order.
        '\u{ff01}'..='\u{ff5e}' => u32::from(letter)
            .checked_sub(0xfee0)
            .and_then(char::from_u32)
            .unwrap_or(letter),
        '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
        space if space.is_whitespace() => ' ',
        '\u{2010}'..='\u{2012}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => '-',
        '\u{2014}' | '\u{2015}' => '\u{2013}',
        '\u{207a}' | '\u{fe62}' => '+',
        '\u{fe6b}' => '@',
        '\u{fe59}' | '\u{207d}' => '(',
        '\u{fe5a}' | '\u{207e}' => ')',
        '\u{2024}' | '\u{fe52}' | '\u{ff61}' | '\u{66b}' => '.',
        '\u{60c}' | '\u{66c}' | '\u{3001}' | '\u{fe50}' | '\u{ff64}' => ',',
        '\u{2044}' | '\u{2215}' => '/',
        other => other,
    })
}

/// Marks of direction, joiners, spaces of no width, and what makes a keycap of a digit.
fn shows_nothing(letter: char) -> bool {
    is_default_ignorable(letter) || letter == '\u{20e3}'
}

/// The ASCII digit of the same value, for a character of Unicode's category Nd.
fn decimal_digit(letter: char) -> Option<char> {
    if letter < '\u{660}' {
        return None;
    }
    let before = ZEROS
        .partition_point(|zero| *zero <= letter)
        .checked_sub(1)?;
    let value = u32::from(letter) - u32::from(*ZEROS.get(before)?);
    char::from_digit(value, 10)
}

/// The zeros of Unicode's decimal digits (category Nd), each with nine more after it.
const ZEROS: [char; 76] = [
    '\u{660}',
    '\u{6f0}',
    '\u{7c0}',
    '\u{966}',
    '\u{9e6}',
    '\u{a66}',
    '\u{ae6}',
    '\u{b66}',
    '\u{be6}',
    '\u{c66}',
    '\u{ce6}',
    '\u{d66}',
    '\u{de6}',
    '\u{e50}',
    '\u{ed0}',
    '\u{f20}',
    '\u{1040}',
    '\u{1090}',
    '\u{17e0}',
    '\u{1810}',
    '\u{1946}',
    '\u{19d0}',
    '\u{1a80}',
    '\u{1a90}',
    '\u{1b50}',
    '\u{1bb0}',
    '\u{1c40}',
    '\u{1c50}',
    '\u{a620}',
    '\u{a8d0}',
    '\u{a900}',
    '\u{a9d0}',
    '\u{a9f0}',
    '\u{aa50}',
    '\u{abf0}',
    '\u{ff10}',
    '\u{104a0}',
    '\u{10d30}',
    '\u{10d40}',
    '\u{11066}',
    '\u{110f0}',
    '\u{11136}',
    '\u{111d0}',
    '\u{112f0}',
    '\u{11450}',
    '\u{114d0}',
    '\u{11650}',
    '\u{116c0}',
    '\u{116d0}',
    '\u{116da}',
    '\u{11730}',
    '\u{118e0}',
    '\u{11950}',
    '\u{11bf0}',
    '\u{11c50}',
    '\u{11d50}',
    '\u{11da0}',
    '\u{11de0}',
    '\u{11f50}',
    '\u{16130}',
    '\u{16a60}',
    '\u{16ac0}',
    '\u{16b50}',
    '\u{16d70}',
    '\u{1ccf0}',
    '\u{1d7ce}',
    '\u{1d7d8}',
    '\u{1d7e2}',
    '\u{1d7ec}',
    '\u{1d7f6}',
    '\u{1e140}',
    '\u{1e2f0}',
    '\u{1e4f0}',
    '\u{1e5f1}',
    '\u{1e950}',
    '\u{1fbf0}',
];

#[cfg(test)]
mod tests {
    use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

    use super::*;

    #[test]
    fn every_decimal_digit_of_unicode_is_known_and_nothing_else_is_one() {
        for letter in '\u{80}'..=char::MAX {
            let decimal = letter.general_category() == GeneralCategory::DecimalNumber;
            assert_eq!(decimal_digit(letter).is_some(), decimal, "{letter:?}");
        }
        assert!(ZEROS.is_sorted());
    }

    #[test]
    fn a_text_is_read_in_plain_signs_and_found_in_its_own() {
        let text = "é ＋٢٥٤\u{200f} ७１\u{301}２＠";
        let plain = Plain::of(text);
        assert_eq!(plain.text(), "é +254 71\u{301}2@");
        let at = plain.text().find("+254").expect("a sign");
        assert_eq!(text.get(plain.range(at..at + 4)), Some("＋٢٥٤"));
        let end = plain.text().len();
        assert_eq!(text.get(plain.range(end - 1..end)), Some("＠"));
        assert_eq!(plain.at(text.find('＠').expect("a sign")), end - 1);
        assert_eq!(plain.at(text.len()), end);
        assert_eq!(Plain::of("é 12").range(3..5), 3..5);
    }

    proptest::proptest! {
        #[test]
        fn every_range_of_a_plain_text_is_one_of_its_text(text in "(\\PC|[٠-٩０-９＠\u{200f}\u{ad}]){0,30}") {
            let plain = Plain::of(&text);
            for (start, letter) in plain.text().char_indices() {
                let range = plain.range(start..start + letter.len_utf8());
                proptest::prop_assert!(text.get(range.clone()).is_some_and(|it| it.chars().count() == 1));
                proptest::prop_assert_eq!(plain.at(range.start), start);
            }
        }
    }
}
