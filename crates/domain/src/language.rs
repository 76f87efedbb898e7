//! Tags of languages as BCP 47 (RFC 5646, section 2.1) forms them. Whether a subtag is registered is not asked: the registry grows.

use std::iter::Peekable;
use std::str::Split;

/// The longest tag: what RFC 5646 (section 4.4.1) tells implementations to have room for.
const MAX_BYTES: usize = 35;

type Subtags<'a> = Peekable<Split<'a, char>>;

/// Whether the text is a well-formed tag: language, script, region, variants, extensions and private use, in that order. The irregular tags of
/// before RFC 4646, like `i-klingon`, have successors.
pub(crate) fn is_well_formed(tag: &str) -> bool {
    let subtags = || tag.split('-');
    let formed = |subtag: &str| {
        (1..=8).contains(&subtag.len()) && subtag.bytes().all(|it| it.is_ascii_alphanumeric())
    };
    if tag.len() > MAX_BYTES || !subtags().all(formed) {
        return false;
    }
    let mut rest = subtags().peekable();
    if !takes(&mut rest, is_language) {
        return is_private_use(&mut rest);
    }
    for _ in 0..3 {
        takes(&mut rest, |it| it.len() == 3 && is_alphabetic(it));
    }
    takes(&mut rest, |it| it.len() == 4 && is_alphabetic(it));
    takes(&mut rest, is_region);
    while takes(&mut rest, is_variant) {}
    while takes(&mut rest, is_singleton) {
        if !takes(&mut rest, |it| it.len() > 1) {
            return false;
        }
        while takes(&mut rest, |it| it.len() > 1) {}
    }
    rest.peek().is_none() || is_private_use(&mut rest)
}

/// Goes on by one subtag if it is of a kind.
fn takes(rest: &mut Subtags<'_>, kind: fn(&str) -> bool) -> bool {
    rest.next_if(|subtag| kind(subtag)).is_some()
}

fn is_private_use(rest: &mut Subtags<'_>) -> bool {
    takes(rest, |it| it.eq_ignore_ascii_case("x")) && rest.next().is_some()
}

fn is_alphabetic(subtag: &str) -> bool {
    subtag.bytes().all(|it| it.is_ascii_alphabetic())
}

fn is_language(subtag: &str) -> bool {
    subtag.len() > 1 && is_alphabetic(subtag)
}

fn is_region(subtag: &str) -> bool {
    let digits = || subtag.bytes().all(|it| it.is_ascii_digit());
    (subtag.len() == 2 && is_alphabetic(subtag)) || (subtag.len() == 3 && digits())
}

fn is_variant(subtag: &str) -> bool {
    let dated = subtag.starts_with(|first: char| first.is_ascii_digit());
    subtag.len() > 4 || (subtag.len() == 4 && dated)
}

/// What begins an extension.
fn is_singleton(subtag: &str) -> bool {
    subtag.len() == 1 && !subtag.eq_ignore_ascii_case("x")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_formed_as_bcp_47_says() {
        // Most are examples of RFC 5646, appendix A.
        for tag in [
            "en",
            "fr",
            "swh",
            "zh-Hant",
            "sr-Latn-RS",
            "es-419",
            "zh-cmn-Hans-CN",
            "sl-rozaj-biske",
            "de-CH-1901",
            "hy-Latn-IT-arevela",
            "de-CH-x-phonebk",
            "x-whatever",
            "en-US-u-islamcal",
            "en-a-myext-b-another",
            "PT-br",
        ] {
            assert!(is_well_formed(tag), "{tag}");
        }
        for tag in [
            "",
            "e",
            "-",
            "en-",
            "en--US",
            "en_US",
            "english language",
            "abcdefghi",
            "de-419-DE",
            "a-DE",
            "en-u",
            "en-x",
            "x",
            "123",
            "français",
            "en-US-1a",
            "en-Latn-US-a-aaaaaaaa-b-bbbbbbbb-cccc",
        ] {
            assert!(!is_well_formed(tag), "{tag}");
        }
    }
}
