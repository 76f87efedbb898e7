//! Phone numbers in ids.
//!
//! An id has no spaces and no `+`, so the [rule of texts](super::phone) misses numbers in it that a reader sees. Here letters part from
//! digits, and digits alone are a number where they begin with a calling code and are as many as its country has.

use std::ops::Range;

use smallvec::SmallVec;

use super::calling_codes;
use super::words::{DOCUMENTS, GENERIC_DOCUMENTS, REGISTERS};

/// A number with fewer digits is as often the number of something else.
const MIN_DIGITS: usize = 10;
/// A number with more digits belongs to no person, whatever the plan allows.
const MAX_DIGITS: usize = 13;
/// The digits of a number with its leading zero.
const NATIONAL_DIGITS: Range<usize> = 10..12;
/// Countries whose VAT numbers are their code and ten digits or more.
const VAT_COUNTRIES: [&str; 14] = [
    "BE", "BG", "CZ", "FR", "HR", "IT", "LT", "LV", "NL", "PL", "PT", "RO", "SE", "SK",
];

/// The first phone number in the id.
pub(super) fn phone(id: &str) -> Option<Range<usize>> {
    if has_uuid(id) {
        return None;
    }
    let in_span = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.');
    let mut at = 0;
    while let Some(byte) = id.as_bytes().get(at) {
        if !byte.is_ascii_digit() {
            at += 1;
            continue;
        }
        let rest = id.as_bytes().get(at..)?;
        let length = rest.iter().take_while(|byte| in_span(byte)).count();
        let groups = groups(id, at..at + length);
        let singles = groups.iter().map(std::slice::from_ref);
        let mut candidates = std::iter::once(groups.as_slice()).chain(singles);
        if let Some(found) = candidates.find_map(|groups| Candidate { id, groups }.found()) {
            return Some(found);
        }
        at += length;
    }
    None
}

/// The digits that stand together.
fn groups(id: &str, span: Range<usize>) -> SmallVec<[Range<usize>; 8]> {
    let mut groups: SmallVec<[Range<usize>; 8]> = SmallVec::new();
    for at in span {
        if !id.as_bytes().get(at).is_some_and(u8::is_ascii_digit) {
            continue;
        }
        match groups.last_mut().filter(|group| group.end == at) {
            Some(group) => group.end += 1,
            None => groups.push(at..at + 1),
        }
    }
    groups
}

/// Groups of digits that may be a number.
struct Candidate<'a> {
    id: &'a str,
    groups: &'a [Range<usize>],
}

impl<'a> Candidate<'a> {
    fn found(&self) -> Option<Range<usize>> {
        let range = self.groups.first()?.start..self.groups.last()?.end;
        let digits: String = self.values().collect();
        let word = self.word_before(range.start).to_ascii_lowercase();
        if digits.len() < MIN_DIGITS
            || REGISTERS.contains(&word.as_str())
            || self.is_code(&range)
            || self.is_moment()
        {
            return None;
        }
        let documented =
            DOCUMENTS.contains(&word.as_str()) && !GENERIC_DOCUMENTS.contains(&word.as_str());
        let is_phone = self.is_dialled(&digits) || !documented && self.is_national(&digits);
        is_phone.then_some(range)
    }

    fn values(&self) -> impl Iterator<Item = &'a str> {
        let id = self.id;
        let groups = self.groups.iter();
        groups.map(move |group| id.get(group.clone()).unwrap_or_default())
    }

    /// The letters before this place, and before what parts words there.
    fn word_before(&self, start: usize) -> &'a str {
        let before = self.id.get(..start).unwrap_or_default();
        let before = before.trim_end_matches(['-', '_', '.']);
        let rest = before.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        before.get(rest.len()..).unwrap_or_default()
    }

    /// Returns true when letters touch the digits and make a code of them. The code is a
    /// hexadecimal one with letters in two places, or the number of a VAT register.
    fn is_code(&self, range: &Range<usize>) -> bool {
        let in_word = |letter: char| letter.is_ascii_alphanumeric();
        let before = self.id.get(..range.start).unwrap_or_default();
        let before = before
            .get(before.trim_end_matches(in_word).len()..)
            .unwrap_or_default();
        let after = self.id.get(range.end..).unwrap_or_default();
        let after = after
            .get(..after.len() - after.trim_start_matches(in_word).len())
            .unwrap_or_default();
        let hexadecimal = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
        let lettered = |part: &str| part.bytes().any(|byte| byte.is_ascii_alphabetic());
        let mixed = |part: &str| lettered(part) && part.bytes().any(|byte| byte.is_ascii_digit());
        let code = hexadecimal(before)
            && hexadecimal(after)
            && (lettered(before) && lettered(after) || mixed(before) || mixed(after));
        code || after.is_empty() && VAT_COUNTRIES.contains(&before)
    }

    /// Returns true when the digits are a day with an hour, or with hours and minutes:
    /// `202605071230`.
    fn is_moment(&self) -> bool {
        let [group] = self.groups else {
            return false;
        };
        let value = |from: usize, to: usize| {
            let digits = self.id.get(group.start + from..group.start + to);
            digits.and_then(|digits| digits.parse::<u16>().ok())
        };
        let within =
            |from, to, range: Range<u16>| value(from, to).is_some_and(|it| range.contains(&it));
        matches!(group.len(), 10 | 12)
            && within(0, 4, 1900..2100)
            && within(4, 6, 1..13)
            && within(6, 8, 1..32)
            && within(8, 10, 0..24)
            && (group.len() == 10 || within(10, 12, 0..60))
    }

    /// Returns true when the digits are those of an international number. Where they stand in
    /// groups, the first is the calling code or has it and more. None of the first two groups is a
    /// year.
    fn is_dialled(&self, digits: &str) -> bool {
        let digits = digits.strip_prefix("00").unwrap_or(digits);
        let mut values = self
            .values()
            .enumerate()
            .map(|(index, value)| match index {
                0 => value.strip_prefix("00").unwrap_or(value),
                _ => value,
            })
            .filter(|value| !value.is_empty());
        let (first, second) = (values.next().unwrap_or_default(), values.next());
        let apart =
            second.is_none() || first.len() >= 4 || calling_codes::is_code(first.as_bytes());
        (MIN_DIGITS..=MAX_DIGITS).contains(&digits.len())
            && apart
            && (second.is_none() || !is_year(first) && !second.is_some_and(is_year))
            && calling_codes::fits(digits.as_bytes())
    }

    /// Returns true when the digits are a number with the leading zero of its country.
    fn is_national(&self, digits: &str) -> bool {
        let zeros = digits.len() - digits.trim_start_matches('0').len();
        let first = self.groups.first().map_or(0, Range::len);
        NATIONAL_DIGITS.contains(&digits.len())
            && zeros == 1
            && first >= 2
            && !self.values().any(is_year)
    }
}

fn is_year(digits: &str) -> bool {
    digits.len() == 4 && (digits.starts_with("19") || digits.starts_with("20"))
}

/// Returns true when five parts beside each other are those of a UUID (RFC 9562).
fn has_uuid(id: &str) -> bool {
    let parts: SmallVec<[&str; 8]> = id.split(['-', '_', '.', ':']).collect();
    let hexadecimal = |part: &&str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    parts.windows(5).any(|parts| {
        let lengths = parts.iter().map(|part| part.len());
        lengths.eq([8, 4, 4, 4, 12]) && parts.iter().all(hexadecimal)
    })
}
