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
            let rest = text.get(at + 1..).unwrap_or_default();
            let line_end = line_end_bytes(rest);
            let ascii = before.last().is_some_and(u8::is_ascii);
            let domain = domain_bytes(rest.get(line_end..).unwrap_or_default(), ascii)?;
            (local > 0).then_some(at - local..at + 1 + line_end + domain)
        })
}

/// The length in bytes of the end of a line that stands here, with spaces on both sides. A long
/// line was wrapped at the `@`.
fn line_end_bytes(text: &str) -> usize {
    let spaces = [' ', '\t'];
    let rest = text.trim_start_matches(spaces);
    let Some(line) = rest
        .strip_prefix("\r\n")
        .or_else(|| rest.strip_prefix(['\n', '\r']))
    else {
        return 0;
    };
    text.len() - line.trim_start_matches(spaces).len()
}

/// The ideographic full stop, which parts the labels of a name too (RFC 3490, section 3.1). Those of half and of full width are read as
/// that of ASCII.
const IDEOGRAPHIC_STOP: char = '\u{3002}';

/// Returns true when the ideographic full stop with these texts before and after it parts two
/// labels. The sign also ends a sentence, after a name that has its top-level name. It does so too
/// after a mention like `@张三`, which has no local part of ASCII.
fn parts_labels(before: &str, after: &str, ascii_local: bool) -> bool {
    let Some(next) = after.chars().next().filter(|next| next.is_alphanumeric()) else {
        return false;
    };
    let mut labels = before.rsplit(['.', IDEOGRAPHIC_STOP]);
    let is_top = labels.next().is_some_and(|last| {
        top_level_bytes(last) == Some(last.len())
            && labels.next().is_some_and(|label| !label.is_empty())
    });
    if is_top {
        next.is_ascii_lowercase() && before.ends_with(|last: char| last.is_ascii())
    } else {
        next.is_ascii() || ascii_local
    }
}

/// How many bytes at the beginning are a name like `example.org` or `пример.рф`, if it has a top-level name.
fn domain_bytes(text: &str, ascii_local: bool) -> Option<usize> {
    // A domain name has 253 characters at most: what is longer is none, and the look ahead stays bounded.
    let in_name = |letter: char| {
        letter.is_alphanumeric() || matches!(letter, '.' | '-' | '\u{300}'..='\u{36f}')
    };
    let stops = |(at, letter): &(usize, char)| {
        let (before, rest) = text.split_at_checked(*at).unwrap_or_default();
        let parts = || {
            rest.strip_prefix(IDEOGRAPHIC_STOP)
                .is_some_and(|after| parts_labels(before, after, ascii_local))
        };
        !in_name(*letter) && !parts()
    };
    let end = text.char_indices().take(254).find(stops).map_or_else(
        || {
            text.char_indices()
                .nth(254)
                .map_or(text.len(), |(at, _)| at)
        },
        |(at, _)| at,
    );
    let name = text.get(..end)?;
    let mut labels = name
        .split(['.', IDEOGRAPHIC_STOP])
        .filter(|label| !label.is_empty());
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
