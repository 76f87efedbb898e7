//! Personal identifiers in free text: e-mail addresses, phone numbers, passport numbers.
//!
//! The log is immutable, so the obvious ones are refused before they are written. The scanner reads each text once, in
//! linear time. It would rather miss an unusual form than refuse an honest text: years, document symbols, amounts and
//! dates must pass.

use std::ops::Range;

use smallvec::SmallVec;

use crate::wire::v1::Pattern;

/// The first of the `refused` patterns found in the text.
pub fn find(text: &str, refused: &[Pattern]) -> Option<Pattern> {
    // Most texts have no @ and few digits: counting them costs a fraction of looking at what they mean.
    let bytes = text.as_bytes();
    let has_at = memchr::memchr(b'@', bytes).is_some();
    let digits = count_digits(bytes);
    refused.iter().copied().find(|pattern| match pattern {
        Pattern::Email => has_at && next_email(bytes, 0).is_some(),
        Pattern::Phone => digits >= MIN_PHONE_DIGITS && next_phone(bytes, 0).is_some(),
        Pattern::Passport => {
            (digits >= MIN_PASSPORT_DIGITS || bytes.contains(&b'<'))
                && next_passport(text, 0).is_some()
        }
    })
}

/// How many decimal digits there are. Counted in bytes, 128 at a time, so that the compiler counts many at once.
fn count_digits(bytes: &[u8]) -> usize {
    let in_piece = |piece: &[u8]| {
        let digits = piece.iter().map(|byte| u8::from(byte.is_ascii_digit()));
        usize::from(digits.fold(0_u8, u8::wrapping_add))
    };
    bytes.chunks(128).map(in_piece).sum()
}

/// Where the first identifier of this pattern stands that begins at byte `from` or after it: what an importer of old
/// data masks. Nothing is found where [`find`] finds nothing.
pub fn locate(text: &str, pattern: Pattern, from: usize) -> Option<Range<usize>> {
    match pattern {
        Pattern::Email => next_email(text.as_bytes(), from),
        Pattern::Phone => next_phone(text.as_bytes(), from),
        Pattern::Passport => next_passport(text, from),
    }
}

/// The first address with its `@` at `from` or after it: a local part, and a domain with a top-level name.
fn next_email(text: &[u8], from: usize) -> Option<Range<usize>> {
    let in_local = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-')
            || !byte.is_ascii()
    };
    let after = text.get(from..).unwrap_or_default();
    (from..)
        .zip(after)
        .filter(|(_, byte)| **byte == b'@')
        .find_map(|(at, _)| {
            let before = text.get(from..at).unwrap_or_default();
            let local = before
                .iter()
                .rev()
                .take_while(|byte| in_local(byte))
                .count();
            let domain = domain_bytes(text.get(at + 1..).unwrap_or_default())?;
            (local > 0).then_some(at - local..at + 1 + domain)
        })
}

/// How many bytes at the beginning are a name like `example.org`, if it has a top-level name.
fn domain_bytes(text: &[u8]) -> Option<usize> {
    // A domain name has 253 bytes at most: what is longer is none, and the look ahead stays bounded.
    let end = text
        .iter()
        .take(254)
        .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')))
        .unwrap_or(text.len().min(254));
    let name = text.get(..end)?;
    let mut labels = name
        .split(|byte| *byte == b'.')
        .filter(|label| !label.is_empty());
    labels.next()?;
    let last = labels.rfind(|label| label.len() >= 2 && label.iter().all(u8::is_ascii_alphabetic));
    // A full stop after the name ends the sentence, not the name.
    let dots = name.iter().rev().take_while(|byte| **byte == b'.').count();
    last.map(|_| end - dots)
}

/// A run of digits with single separators between its groups.
#[derive(Default)]
struct Run {
    groups: SmallVec<[u8; 16]>,
    digits: usize,
    separators: SmallVec<[u8; 16]>,
    leading_zeros: usize,
    plus: bool,
    parenthesis: bool,
}

/// What has fewer digits is no phone number that one could tell from another number.
const MIN_PHONE_DIGITS: usize = 7;
/// What has fewer digits is no passport number.
const MIN_PASSPORT_DIGITS: usize = 5;
/// The digits of no phone number are more (ITU-T E.164 has 15, and two may dial out).
const MAX_PHONE_DIGITS: usize = 17;

fn next_phone(text: &[u8], from: usize) -> Option<Range<usize>> {
    let mut at = from;
    while let Some(byte) = text.get(at) {
        let starts = matches!(byte, b'+' | b'(' | b'0'..=b'9');
        if !starts {
            at += 1;
            continue;
        }
        let (run, end) = read_run(text, at);
        if (MIN_PHONE_DIGITS..=MAX_PHONE_DIGITS).contains(&run.digits) && stands_free(text, at, end)
        {
            let before = text.get(at.saturating_sub(24)..at).unwrap_or_default();
            if is_phone(&run, before) {
                return Some(at..end);
            }
        }
        at = end.max(at + 1);
    }
    None
}

/// Whether neither side of the run continues a word, a path, a code or a number.
fn stands_free(text: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).and_then(|index| text.get(index));
    let joins = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'/' | b'_' | b'-' | b'=' | b'&' | b'%' | b'$' | b'#' | b'@' | b'+'
            )
    };
    let after = text.get(end);
    // A decimal or a thousands comma with digits after it makes an amount of it.
    let amount = after == Some(&b',') && text.get(end + 1).is_some_and(u8::is_ascii_digit);
    let continued = before.is_some_and(|byte| joins(byte) || matches!(byte, b'.' | b','));
    !continued && !amount && !after.is_some_and(joins)
}

/// Reads the run that begins at `start`, and where it ends.
fn read_run(text: &[u8], start: usize) -> (Run, usize) {
    let mut run = Run::default();
    let mut at = start;
    let mut end = start;
    let mut group = 0_u8;
    let mut pending: SmallVec<[u8; 4]> = SmallVec::new();
    while let Some(byte) = text.get(at) {
        match byte {
            b'0'..=b'9' => {
                if !pending.is_empty() && run.digits > 0 {
                    run.groups.push(std::mem::take(&mut group));
                    run.separators.extend(
                        pending
                            .iter()
                            .copied()
                            .find(|byte| *byte != b' ')
                            .or(Some(b' ')),
                    );
                }
                pending.clear();
                if *byte == b'0' && run.digits == run.leading_zeros {
                    run.leading_zeros += 1;
                }
                run.digits += 1;
                group = group.saturating_add(1);
                end = at + 1;
            }
            b'+' if run.digits == 0 && !run.plus => run.plus = true,
            b'(' | b')' | b' ' | b'-' | b'.' if pending.len() < 3 => {
                run.parenthesis |= *byte == b'(';
                pending.push(*byte);
            }
            _ => break,
        }
        at += 1;
    }
    run.groups.push(group);
    (run, end)
}

fn is_phone(run: &Run, before: &[u8]) -> bool {
    let groups = run.groups.as_slice();
    let same_separator = run
        .separators
        .windows(2)
        .all(|pair| matches!(pair, [a, b] if a == b));
    // +254 20 123 4567; an amount like +12 500 000 has fewer digits.
    let international = run.plus && (9..=15).contains(&run.digits);
    // 0044 20 7946 0958
    let dialled_out = run.leading_zeros == 2 && run.digits >= 11;
    // 0712 345 678, (020) 7946 0958; not 01.02.2014 12, which is a date and an hour.
    let national = run.leading_zeros == 1
        && (9..=11).contains(&run.digits)
        && groups.first().is_some_and(|first| *first >= 2)
        && (same_separator || run.parenthesis)
        && !matches!(groups, [2, 2, 4, ..]);
    // 555-123-4567, (555) 123-4567
    let north_american =
        matches!(groups, [3, 3, 4]) && run.separators.iter().all(|separator| *separator != b' ');
    international || dialled_out || national || north_american || follows_cue(before, &PHONE_CUES)
}

const PHONE_CUES: [&str; 8] = [
    "tel",
    "phone",
    "telephone",
    "mobile",
    "fax",
    "whatsapp",
    "tél",
    "téléphone",
];
const PASSPORT_CUES: [&str; 4] = ["passport", "passeport", "pasaporte", "reisepass"];
const NUMBER_WORDS: [&str; 7] = ["no", "nr", "number", "num", "n°", "nº", "numéro"];

/// Whether a cue word, and after it perhaps a word for "number", ends right before.
fn follows_cue(before: &[u8], cues: &[&str]) -> bool {
    let before = String::from_utf8_lossy(before).to_lowercase();
    let mut words = before
        .split([' ', '.', ':', '(', '#', '\n', '\t'])
        .rev()
        .filter(|word| !word.is_empty());
    match words.next() {
        Some(last) if cues.contains(&last) => true,
        Some(last) if NUMBER_WORDS.contains(&last) => {
            words.next().is_some_and(|word| cues.contains(&word))
        }
        Some(_) | None => false,
    }
}

/// A number that follows the word for passport, or a machine-readable line (ICAO 9303), that begins at `from` or after it.
fn next_passport(text: &str, from: usize) -> Option<Range<usize>> {
    let mut cue = false;
    let mut number_word = false;
    let separators = |letter: char| {
        letter.is_whitespace()
            || matches!(letter, ':' | '.' | ',' | ';' | '(' | ')' | '#' | '"' | '\'')
    };
    let mut at = from;
    for piece in text.get(from..)?.split_inclusive(separators) {
        let start = at;
        at += piece.len();
        let word = piece.trim_end_matches(separators);
        if word.is_empty() {
            continue;
        }
        if is_machine_readable(word) {
            return Some(start..start + word.len());
        }
        // Only short words can be the cue or a number, so a long text costs no lowercase copy.
        if word.len() > 24 {
            (cue, number_word) = (false, false);
            continue;
        }
        let lower = word.to_lowercase();
        if PASSPORT_CUES.contains(&lower.as_str()) {
            (cue, number_word) = (true, false);
        } else if cue && !number_word && NUMBER_WORDS.contains(&lower.as_str()) {
            number_word = true;
        } else if cue && is_passport_number(word, number_word) {
            return Some(start..start + word.len());
        } else {
            (cue, number_word) = (false, false);
        }
    }
    None
}

/// `A1234567`; digits alone only after a word for "number", as amounts follow passports too.
fn is_passport_number(word: &str, after_number_word: bool) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let letters = word.bytes().filter(u8::is_ascii_uppercase).count();
    digits + letters == word.len()
        && (6..=9).contains(&word.len())
        && digits >= MIN_PASSPORT_DIGITS
        && (letters > 0 || after_number_word)
}

fn is_machine_readable(word: &str) -> bool {
    word.len() >= 30
        && word.starts_with("P<")
        && word.contains("<<")
        && word
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'<')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<Pattern> {
        find(text, Pattern::ALL)
    }

    #[test]
    fn obvious_personal_identifiers_are_found() {
        let cases = [
            ("write to amina.yusuf@example.org today", Pattern::Email),
            ("<j+d@mail.gov.ke>", Pattern::Email),
            ("call +254 20 123 4567", Pattern::Phone),
            ("call +254700123456.", Pattern::Phone),
            ("(+254) 700-123-456", Pattern::Phone),
            ("0044 20 7946 0958", Pattern::Phone),
            ("reach us on 0712 345 678", Pattern::Phone),
            ("01 23 45 67 89", Pattern::Phone),
            ("(020) 7946 0958", Pattern::Phone),
            ("555-123-4567", Pattern::Phone),
            ("(555) 123-4567", Pattern::Phone),
            ("Tel: 4567890", Pattern::Phone),
            ("phone no. 456 7890", Pattern::Phone),
            ("passport no. A1234567", Pattern::Passport),
            ("Passport: AB123456", Pattern::Passport),
            ("passport number 123456789", Pattern::Passport),
            (
                "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
                Pattern::Passport,
            ),
        ];
        for (text, pattern) in cases {
            assert_eq!(found(text), Some(pattern), "{text}");
        }
    }

    #[test]
    fn honest_texts_pass() {
        for text in [
            "",
            "2009-2012",
            "the 2030 Agenda",
            "A/RES/73/195 and A/HRC/WG.6/20/L.5",
            "from 2018-12-10 to 2019-01-31, 10-12-2018, 01.02.2014 12:30",
            "150 000 000 people, 1,250,000,000 dollars, 12.500.000 euros, US$ 100 000 000",
            "growth of +12 500 000",
            "Issue passports to 150000 migrants; passport reform 2016; passport 2016-2020",
            "a mobile team for 150 000 people",
            "contact us @home, @ministry and user@localhost",
            "ISBN 978-92-1-130362-9, ISSN 0378-5955",
            "0.123456789 and 0,123456789",
            "sha256 0123456789abcdef0123456789abcdef",
            "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e8f",
            "ILO C029 1930, C097, C143; articles 7, 8 and 9",
            "https://example.org/doc/0712345678",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn only_the_patterns_of_the_policy_are_refused() {
        assert_eq!(find("a@example.org", &[Pattern::Phone]), None);
        assert_eq!(find("a@example.org", &[]), None);
    }

    #[test]
    fn hostile_texts_cost_linear_time() {
        for text in ["@", "+", "1 ", "(", "a@a.", "0 ", "passport ", "tel "] {
            assert!(found(&text.repeat(8000)).is_none_or(|pattern| pattern == Pattern::Phone));
        }
    }

    #[test]
    fn each_identifier_is_located_by_itself() {
        let text =
            "tél. 0712 345 678 or amina.yusuf@example.org. Passport no. A1234567; (020) 7946 0958.";
        let located = |pattern| {
            let mut from = 0;
            std::iter::from_fn(|| {
                let range = locate(text, pattern, from)?;
                from = range.end;
                text.get(range)
            })
            .collect::<Vec<_>>()
        };
        assert_eq!(located(Pattern::Phone), ["0712 345 678", "(020) 7946 0958"]);
        assert_eq!(located(Pattern::Email), ["amina.yusuf@example.org"]);
        assert_eq!(located(Pattern::Passport), ["A1234567"]);
        assert_eq!(locate(text, Pattern::Phone, text.len() + 9), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_can_be_scanned(text in "(\\PC|tel |passport no |@a.bc|[0-9+(). -]{1,12}){0,40}") {
            for pattern in Pattern::ALL {
                let range = locate(&text, *pattern, 0);
                proptest::prop_assert_eq!(find(&text, &[*pattern]).is_some(), range.is_some());
                if let Some(range) = range {
                    proptest::prop_assert!(text.get(range).is_some_and(|found| !found.is_empty()));
                }
            }
        }
    }
}
