//! E-mail addresses.

use std::ops::Range;

/// The first address with its `@` at `from` or after it: a local part, and a domain with a top-level name.
pub(super) fn next_email(text: &str, from: usize) -> Option<Range<usize>> {
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
