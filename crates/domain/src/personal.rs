//! Personal identifiers in free text: e-mail addresses, phone numbers, passport numbers.
//!
//! The log is immutable, so the obvious ones are refused before they are written. The scanner reads each text once, in
//! linear time. It would rather miss an unusual form than refuse an honest text: years, document symbols, amounts and
//! dates must pass.

use std::ops::Range;

use smallvec::SmallVec;

use crate::wire::v1::Pattern;

/// An identifier that was found, and where it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub pattern: Pattern,
    /// Its bytes in the text.
    pub range: Range<usize>,
}

impl Found {
    /// How many characters of the text stand before it.
    pub fn chars_before(&self, text: &str) -> usize {
        let before = text.char_indices();
        before.take_while(|(at, _)| *at < self.range.start).count()
    }
}

/// The first place of the first of the `refused` patterns that the text has.
pub fn find(text: &str, refused: &[Pattern]) -> Option<Found> {
    // Most texts have no @ and few digits: counting them costs a fraction of looking at what they mean.
    let bytes = text.as_bytes();
    let has_at = memchr::memchr(b'@', bytes).is_some();
    let digits = count_digits(bytes);
    refused.iter().copied().find_map(|pattern| {
        let possible = match pattern {
            Pattern::Email => has_at,
            Pattern::Phone => digits >= MIN_PHONE_DIGITS,
            Pattern::Passport => digits >= MIN_PASSPORT_DIGITS || bytes.contains(&b'<'),
        };
        let range = possible.then(|| locate(text, pattern, 0)).flatten()?;
        Some(Found { pattern, range })
    })
}

/// The first place of the first of the `refused` patterns that a URL has. It names a place, and places have numbers of all forms: so only e-mail
/// addresses are looked for, and only in what is asked of the place.
pub fn find_in_url(url: &str, refused: &[Pattern]) -> Option<Found> {
    let at = url.find(['?', '#'])?;
    if !refused.contains(&Pattern::Email) {
        return None;
    }
    let asked = url.get(at + 1..)?;
    let found = find(&asked.replace("%40", "@"), &[Pattern::Email])?;
    // Each sign that was written in three bytes before a place moves it by two.
    let in_url = |place: usize| {
        let signs = asked.match_indices("%40").map(|(sign, _)| sign).enumerate();
        let before = signs.take_while(|(earlier, sign)| sign - 2 * earlier < place);
        at + 1 + place + 2 * before.count()
    };
    let range = in_url(found.range.start)..in_url(found.range.end);
    Some(Found { range, ..found })
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
        Pattern::Email => next_email(text, from),
        Pattern::Phone => next_phone(text.as_bytes(), from),
        Pattern::Passport => next_passport(text, from),
    }
}

/// The first address with its `@` at `from` or after it: a local part, and a domain with a top-level name.
fn next_email(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let in_local = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-')
            || !byte.is_ascii()
    };
    let after = bytes.get(from..).unwrap_or_default();
    (from..)
        .zip(after)
        .filter(|(_, byte)| **byte == b'@')
        .find_map(|(at, _)| {
            let before = bytes.get(from..at).unwrap_or_default();
            let local = before
                .iter()
                .rev()
                .take_while(|byte| in_local(byte))
                .count();
            let domain = domain_bytes(text.get(at + 1..).unwrap_or_default())?;
            (local > 0).then_some(at - local..at + 1 + domain)
        })
}

/// How many bytes at the beginning are a name like `example.org` or `пример.рф`, if it has a top-level name.
fn domain_bytes(text: &str) -> Option<usize> {
    // A domain name has 253 characters at most: what is longer is none, and the look ahead stays bounded.
    let in_name = |letter: char| {
        letter.is_alphanumeric() || matches!(letter, '.' | '-' | '\u{300}'..='\u{36f}')
    };
    let end = text
        .char_indices()
        .take(254)
        .find(|(_, letter)| !in_name(*letter))
        .map_or_else(
            || {
                text.char_indices()
                    .nth(254)
                    .map_or(text.len(), |(at, _)| at)
            },
            |(at, _)| at,
        );
    let name = text.get(..end)?;
    let mut labels = name.split('.').filter(|label| !label.is_empty());
    labels.next()?;
    let last = labels.rfind(|label| top_level_bytes(label).is_some())?;
    // A text in a script without spaces goes on right after the name: what is no part of it is left.
    if name.ends_with(last) {
        return Some(end - last.len() + top_level_bytes(last)?);
    }
    // A full stop after the name ends the sentence, not the name.
    Some(name.trim_end_matches('.').len())
}

/// How many bytes at the beginning of the label are a top-level name: two letters or more, all of ASCII or none.
fn top_level_bytes(label: &str) -> Option<usize> {
    let ascii = label.starts_with(|first: char| first.is_ascii());
    let end = label
        .find(|letter: char| letter.is_ascii() != ascii)
        .unwrap_or(label.len());
    let name = label.get(..end)?;
    let letters = name
        .chars()
        .all(|letter| !letter.is_numeric() && letter != '-');
    (letters && name.chars().nth(1).is_some()).then_some(end)
}

/// A run of digits with single separators between its groups.
#[derive(Default)]
struct Run {
    groups: SmallVec<[Group; 8]>,
    digits: usize,
    separators: SmallVec<[u8; 16]>,
    leading_zeros: usize,
    plus: bool,
    parenthesis: bool,
}

/// Digits without a separator between them.
#[derive(Clone, Copy, Default)]
struct Group {
    length: u8,
    value: u32,
}

impl Group {
    fn push(&mut self, digit: u8) {
        self.length = self.length.saturating_add(1);
        let value = self.value.saturating_mul(10);
        self.value = value.saturating_add(u32::from(digit - b'0'));
    }
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
        let (run, end) = read_run(text, at, Separators::All);
        if is_phone(&run, text, at..end) {
            return Some(at..end);
        }
        // A dash may also stand between two numbers: read again up to it.
        let (short, short_end) = read_run(text, at, Separators::Ascii);
        if short_end < end && is_phone(&short, text, at..short_end) {
            return Some(at..short_end);
        }
        let next = if run.digits > MAX_PHONE_DIGITS {
            short_end
        } else {
            end
        };
        at = next.max(at + 1);
    }
    None
}

/// Whether neither side of the run continues a word, a path, a code or a number.
fn stands_free(run: &Run, text: &[u8], place: &Range<usize>, cued: bool) -> bool {
    let before = place.start.checked_sub(1).and_then(|index| text.get(index));
    let joins = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'/' | b'_' | b'-' | b'=' | b'&' | b'%' | b'$' | b'#' | b'@' | b'+'
            )
    };
    let after = text.get(place.end);
    // A decimal or a thousands comma with digits after it makes an amount of it.
    let amount = after == Some(&b',') && text.get(place.end + 1).is_some_and(u8::is_ascii_digit);
    // `id=0712345678` is a code, `phone=0712345678` is not.
    let assigned = cued && before == Some(&b'=');
    let continued =
        !assigned && before.is_some_and(|byte| joins(byte) || matches!(byte, b'.' | b','));
    let another = run.plus && after == Some(&b'/');
    !continued && !amount && (another || !after.is_some_and(joins))
}

/// Which characters may stand between the groups of a run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Separators {
    /// Spaces and hyphens of all kinds.
    All,
    /// Those of ASCII.
    Ascii,
}

/// Reads the run that begins at `start`, and where it ends.
fn read_run(text: &[u8], start: usize, separators: Separators) -> (Run, usize) {
    let mut run = Run::default();
    let mut at = start;
    let mut end = start;
    let mut group = Group::default();
    let mut pending: SmallVec<[u8; 4]> = SmallVec::new();
    while let Some(byte) = text.get(at) {
        let mut length = 1;
        match byte {
            b'0'..=b'9' => {
                if !pending.is_empty() && run.digits > 0 {
                    run.groups.push(std::mem::take(&mut group));
                    let visible = pending.iter().copied().find(|byte| *byte != b' ');
                    run.separators.push(visible.unwrap_or(b' '));
                }
                pending.clear();
                if *byte == b'0' && run.digits == run.leading_zeros {
                    run.leading_zeros += 1;
                }
                run.digits += 1;
                group.push(*byte);
                end = at + 1;
            }
            b'+' if run.digits == 0 && !run.plus => run.plus = true,
            b'/' if run.plus && run.digits > 0 && pending.is_empty() => pending.push(b'/'),
            b'(' | b')' | b' ' | b'-' | b'.' if pending.len() < 3 => {
                run.parenthesis |= *byte == b'(';
                pending.push(*byte);
            }
            _ if separators == Separators::All && pending.len() < 3 => {
                // What is too long for a phone number is not read to its end, as the caller reads it again from further on.
                let rest = text.get(at..).unwrap_or_default();
                let Some((folded, bytes)) =
                    folded(rest, pending.is_empty()).filter(|_| run.digits <= MAX_PHONE_DIGITS)
                else {
                    break;
                };
                length = bytes;
                pending.push(folded);
            }
            _ => break,
        }
        at += length;
    }
    run.groups.push(group);
    (run, end)
}

/// The ASCII space or hyphen that the text's first character stands for, and how many bytes that has. A dash is a hyphen
/// where it stands close between digits; between spaces it parts sentences.
fn folded(text: &[u8], close: bool) -> Option<(u8, usize)> {
    let close = |after: &[u8]| close && after.first().is_some_and(u8::is_ascii_digit);
    match text {
        // U+00A0; U+00AD, a soft hyphen, is not seen.
        [0xc2, 0xa0 | 0xad, ..] => Some((b' ', 2)),
        // U+1680, U+2000 to U+200D, U+202F, U+205F, U+2060, U+3000 and U+FEFF: spaces, seen or not.
        [0xe1, 0x9a, 0x80, ..]
        | [0xe2, 0x80, 0x80..=0x8d | 0xaf, ..]
        | [0xe2, 0x81, 0x9f | 0xa0, ..]
        | [0xe3, 0x80, 0x80, ..]
        | [0xef, 0xbb, 0xbf, ..] => Some((b' ', 3)),
        // U+2010 to U+2012, U+2212, U+FE58, U+FE63, U+FF0D: hyphens, and signs like them.
        [0xe2, 0x80, 0x90..=0x92, ..]
        | [0xe2, 0x88, 0x92, ..]
        | [0xef, 0xb9, 0x98 | 0xa3, ..]
        | [0xef, 0xbc, 0x8d, ..] => Some((b'-', 3)),
        // U+2013 to U+2015: dashes.
        [0xe2, 0x80, 0x93..=0x95, after @ ..] if close(after) => Some((b'-', 3)),
        _ => None,
    }
}

/// Whether the run at this place of the text is a phone number.
fn is_phone(run: &Run, text: &[u8], place: Range<usize>) -> bool {
    if !(MIN_PHONE_DIGITS..=MAX_PHONE_DIGITS).contains(&run.digits) {
        return false;
    }
    let before = text.get(place.start.saturating_sub(24)..place.start);
    let cued = follows_cue(before.unwrap_or_default(), &PHONE_CUES);
    stands_free(run, text, &place, cued) && !is_amount(run) && (cued || has_phone_form(run))
}

fn has_phone_form(run: &Run) -> bool {
    let lengths: SmallVec<[u8; 8]> = run.groups.iter().map(|group| group.length).collect();
    let lengths = lengths.as_slice();
    // +254 20 123 4567; an amount like +12 500 000 has fewer digits.
    let international = run.plus && (9..=15).contains(&run.digits);
    // 0044 20 7946 0958
    let dialled_out = run.leading_zeros == 2 && run.digits >= 11;
    // 0712 345 678, (020) 7946 0958; not 01.02.2014 12, which is a date and an hour.
    let national = run.leading_zeros == 1
        && (9..=11).contains(&run.digits)
        && lengths.first().is_some_and(|first| *first >= 2)
        && (run.has_one_separator() || run.parenthesis)
        && !matches!(lengths, [2, 2, 4, ..])
        && !is_enumeration(run);
    // 555-123-4567, (555) 123-4567
    let north_american =
        matches!(lengths, [3, 3, 4]) && run.separators.iter().all(|separator| *separator != b' ');
    international || dialled_out || national || north_american
}

impl Run {
    fn has_one_separator(&self) -> bool {
        let mut pairs = self.separators.windows(2);
        pairs.all(|pair| matches!(pair, [a, b] if a == b))
    }
}

/// `1 500 000`, `12.500.000.000`: thousands. Phone numbers are written in threes too, like +254 700 123 456, but none begins with
/// one digit alone, and few end in three zeros.
fn is_amount(run: &Run) -> bool {
    let (Some((first, thousands)), Some(b' ' | b'.')) =
        (run.groups.split_first(), run.separators.first())
    else {
        return false;
    };
    let round = thousands.last().is_some_and(|last| last.value == 0);
    run.leading_zeros == 0
        && !run.parenthesis
        && run.has_one_separator()
        && thousands.len() >= 2
        && thousands.iter().all(|group| group.length == 3)
        && (first.length == 1 || first.length <= 3 && round)
}

/// `05 06 07 08 09`: objectives, months or days, each a number of two digits and above the one before.
fn is_enumeration(run: &Run) -> bool {
    let mut pairs = run.groups.windows(2);
    let few = |group: &Group| group.length == 2 && group.value <= 31;
    run.groups.iter().all(few) && pairs.all(|pair| matches!(pair, [a, b] if a.value < b.value))
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
const COPULAS: [&str; 5] = ["is", "was", "est", "es", "ist"];
const NUMBER_WORDS: [&str; 7] = ["no", "nr", "number", "num", "n°", "nº", "numéro"];

/// Whether a cue word, and after it perhaps a word for "number", ends right before.
fn follows_cue(before: &[u8], cues: &[&str]) -> bool {
    let before = String::from_utf8_lossy(before).to_lowercase();
    let parts = |letter: char| {
        letter.is_whitespace()
            || matches!(letter, '.' | ':' | '(' | '#' | '=' | '_' | '-' | '"' | '\'')
    };
    let mut words = before.split(parts).rev().filter(|word| !word.is_empty());
    match words.next() {
        Some(last) if cues.contains(&last) => true,
        Some(last) if NUMBER_WORDS.contains(&last) => {
            words.next().is_some_and(|word| cues.contains(&word))
        }
        Some(_) | None => false,
    }
}

/// What was read before a word that may be the number of a passport.
#[derive(Clone, Copy, Default)]
struct Cue {
    /// The word for passport.
    passport: bool,
    /// A word for "number" after it.
    number: bool,
    /// Where a letter stands that is set apart from its number, like that of `A 1234567`.
    letter: Option<usize>,
}

/// A number that follows the word for passport, or a machine-readable line (ICAO 9303), that begins at `from` or after it.
fn next_passport(text: &str, from: usize) -> Option<Range<usize>> {
    let mut cue = Cue::default();
    let separators = |letter: char| {
        letter.is_whitespace()
            || matches!(
                letter,
                ':' | '.' | ',' | ';' | '(' | ')' | '#' | '"' | '\'' | '='
            )
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
            cue = Cue::default();
            continue;
        }
        if cue.passport {
            let digits = word.bytes().all(|byte| byte.is_ascii_digit());
            if let Some(letter) = cue.letter
                && digits
                && (6..=8).contains(&word.len())
            {
                return Some(letter..start + word.len());
            }
            if is_passport_number(word, cue.number) {
                return Some(start..start + word.len());
            }
        }
        cue = cue.after(word, start);
    }
    None
}

impl Cue {
    /// What is known after the word, which begins at byte `start`.
    fn after(self, word: &str, start: usize) -> Self {
        let lower = word.to_lowercase();
        let capitals = word.bytes().all(|byte| byte.is_ascii_uppercase());
        if PASSPORT_CUES.contains(&lower.as_str()) {
            let passport = true;
            Self {
                passport,
                ..Self::default()
            }
        } else if self.passport && !self.number && NUMBER_WORDS.contains(&lower.as_str()) {
            let number = true;
            Self { number, ..self }
        } else if self.passport && COPULAS.contains(&lower.as_str()) {
            self
        } else if self.passport && capitals && word.len() <= 1 + usize::from(self.number) {
            let letter = Some(start);
            Self { letter, ..self }
        } else {
            Self::default()
        }
    }
}

/// `A1234567`, `a1234567`; digits alone only after a word for "number", as amounts follow passports too.
fn is_passport_number(word: &str, after_number_word: bool) -> bool {
    let count = |of: fn(&u8) -> bool| word.bytes().filter(of).count();
    let digits = count(u8::is_ascii_digit);
    let capitals = count(u8::is_ascii_uppercase);
    let small = count(u8::is_ascii_lowercase);
    let in_front = || {
        let number = word.trim_start_matches(|letter: char| letter.is_ascii_lowercase());
        small <= 2 && number.len() == digits
    };
    digits + capitals + small == word.len()
        && (6..=9).contains(&word.len())
        && digits >= MIN_PASSPORT_DIGITS
        && (capitals + small > 0 || after_number_word)
        && (small == 0 || in_front())
}

/// A line of a passport's machine-readable zone: the first with the name, or the second with the number.
fn is_machine_readable(word: &str) -> bool {
    let zone = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'<';
    let first = word.len() >= 30 && word.starts_with("P<") && word.contains("<<");
    (first || is_second_line(word.as_bytes())) && word.bytes().all(zone)
}

/// Number and check digit, nationality, date of birth, sex, date of expiry (ICAO 9303, parts 4 and 6).
fn is_second_line(line: &[u8]) -> bool {
    let all = |range: Range<usize>, of: fn(&u8) -> bool| {
        line.get(range).is_some_and(|part| part.iter().all(of))
    };
    matches!(line.len(), 36 | 44)
        && all(9..10, u8::is_ascii_digit)
        && all(10..13, |byte| byte.is_ascii_uppercase() || *byte == b'<')
        && all(13..20, u8::is_ascii_digit)
        && all(20..21, |byte| matches!(byte, b'M' | b'F' | b'X' | b'<'))
        && all(21..28, u8::is_ascii_digit)
}

#[cfg(test)]
mod tests;
