//! Personal identifiers in free text: e-mail addresses, phone numbers, passport numbers.
//!
//! The log is immutable, so the obvious ones are refused before they are written, and an importer of old data masks them: by
//! one rule, which is this module. It reads each text once, in linear time, in any script: decimal digits of all scripts and full-width signs
//! are read as those of ASCII. It would rather miss an unusual form than refuse an honest text: years, document
//! symbols, amounts, counts and dates must pass, and so must a published hot line.
//!
//! How often it is right is measured with `cargo run -p ledger-domain --example personal`; `docs/personal-data.md` has the figures.

mod calling_codes;
mod cue;
mod email;
mod id;
mod passport;
mod phone;
mod plain;
mod run;
mod words;

use std::ops::Range;

use crate::wire::v1::Pattern;
use plain::Plain;

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
    let plain = Plain::of(text);
    // Most texts have no @ and few digits: counting them costs a fraction of looking at what they mean.
    let bytes = plain.text().as_bytes();
    let has_at = memchr::memchr(b'@', bytes).is_some();
    let digits = count_digits(bytes);
    refused.iter().copied().find_map(|pattern| {
        let possible = match pattern {
            Pattern::Email => has_at,
            Pattern::Phone => phone::is_possible(digits),
            Pattern::Passport => digits >= passport::MIN_DIGITS || bytes.contains(&b'<'),
        };
        let range = possible.then(|| next(plain.text(), pattern, 0)).flatten()?;
        let range = plain.range(range);
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

/// The first place of the first of the `refused` patterns that an id has. Ids have no spaces and no `+`: an underscore or a hyphen parts
/// words, letters part from digits, and digits alone are a phone number where they begin with a calling code and are as many as
/// its country has.
pub fn find_in_id(id: &str, refused: &[Pattern]) -> Option<Found> {
    // As long as before, so that what is found stands at the same place.
    let words = id.replace('_', " ");
    let found = find(&words, refused).or_else(|| find(&words.replace('-', " "), refused));
    found.or_else(|| {
        let refused = refused.contains(&Pattern::Phone);
        let range = refused.then(|| id::phone(id)).flatten()?;
        Some(Found {
            pattern: Pattern::Phone,
            range,
        })
    })
}

/// The first place of the first of the `refused` patterns that a tag of a language has. It has no count and no amount: what it says after a
/// subtag of one letter, for private use or for an extension, is read as if it stood behind a label.
pub fn find_in_language(tag: &str, refused: &[Pattern]) -> Option<Found> {
    const LABEL: &str = "tel-";
    find_in_id(tag, refused).or_else(|| {
        let mut ends = tag.split('-').scan(0, |at, subtag| {
            *at += subtag.len() + 1;
            Some((*at, subtag.len()))
        });
        let (at, _) = ends.find(|(_, length)| *length == 1)?;
        let found = find_in_id(&[LABEL, tag.get(at..)?].concat(), refused)?;
        let in_tag = |place: usize| at + place.saturating_sub(LABEL.len());
        let range = in_tag(found.range.start)..in_tag(found.range.end);
        Some(Found { range, ..found })
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
    let plain = Plain::of(text);
    let found = next(plain.text(), pattern, plain.at(from))?;
    Some(plain.range(found))
}

/// The first identifier in the plain text.
fn next(text: &str, pattern: Pattern, from: usize) -> Option<Range<usize>> {
    match pattern {
        Pattern::Email => email::next_email(text, from),
        Pattern::Phone => phone::next(text, from),
        Pattern::Passport => passport::next(text, from),
    }
}

#[cfg(test)]
mod tests;
