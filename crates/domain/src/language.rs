//! Tags of languages as BCP 47 (RFC 5646, section 2.1) forms them. Whether a subtag is registered is not asked: the registry grows.

use std::iter::Peekable;
use std::str::Split;

/// The longest tag: what RFC 5646 (section 4.4.1) tells implementations to have room for.
const MAX_BYTES: usize = 35;

/// The tags of before RFC 4646 that no rule forms (RFC 5646, section 2.1, `irregular`). Those that a rule forms need no list.
const IRREGULAR: [&str; 17] = [
    "en-gb-oed",
    "i-ami",
    "i-bnn",
    "i-default",
    "i-enochian",
    "i-hak",
    "i-klingon",
    "i-lux",
    "i-mingo",
    "i-navajo",
    "i-pwn",
    "i-tao",
    "i-tay",
    "i-tsu",
    "sgn-be-fr",
    "sgn-be-nl",
    "sgn-ch-de",
];

type Subtags<'a> = Peekable<Split<'a, char>>;

/// Returns true when the text is a well-formed tag, or one of the irregular tags of before, like
/// `i-klingon`. A well-formed tag has language, script, region, variants, extensions and private
/// use, in that order. It has no variant and no extension twice.
pub(crate) fn is_well_formed(tag: &str) -> bool {
    let tag = tag.to_ascii_lowercase();
    let subtags = || tag.split('-');
    let formed = |subtag: &str| {
        (1..=8).contains(&subtag.len()) && subtag.bytes().all(|it| it.is_ascii_alphanumeric())
    };
    if tag.len() > MAX_BYTES || !subtags().all(formed) {
        return false;
    }
    if IRREGULAR.contains(&tag.as_str()) {
        return true;
    }
    let mut rest = subtags().peekable();
    let Some(language) = takes(&mut rest, is_language) else {
        return is_private_use(&mut rest);
    };
    // Only a language of two or three letters has further ones.
    for _ in 0..if language.len() < 4 { 3 } else { 0 } {
        takes(&mut rest, |it| it.len() == 3 && is_alphabetic(it));
    }
    takes(&mut rest, |it| it.len() == 4 && is_alphabetic(it));
    takes(&mut rest, is_region);
    let mut variants = Vec::new();
    while let Some(variant) = takes(&mut rest, is_variant) {
        variants.push(variant);
    }
    let mut singletons = Vec::new();
    while let Some(singleton) = takes(&mut rest, is_singleton) {
        singletons.push(singleton);
        if takes(&mut rest, |it| it.len() > 1).is_none() {
            return false;
        }
        while takes(&mut rest, |it| it.len() > 1).is_some() {}
    }
    let ends = rest.peek().is_none() || is_private_use(&mut rest);
    ends && stand_once(&variants) && stand_once(&singletons)
}

fn stand_once(subtags: &[&str]) -> bool {
    let mut each = subtags.iter().enumerate();
    each.all(|(index, subtag)| !subtags.iter().take(index).any(|other| other == subtag))
}

/// Goes on by one subtag if it is of a kind.
fn takes<'a>(rest: &mut Subtags<'a>, kind: fn(&str) -> bool) -> Option<&'a str> {
    rest.next_if(|subtag| kind(subtag))
}

fn is_private_use(rest: &mut Subtags<'_>) -> bool {
    takes(rest, |it| it == "x").is_some() && rest.next().is_some()
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
    subtag.len() == 1 && subtag != "x"
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
            "zh-cmn",
            "ar-a-aaa-b-bbb-x-a-ccc-a",
            "sl-rozaj-x-rozaj",
            // The tags of before RFC 4646, irregular and regular.
            "i-klingon",
            "I-Default",
            "en-GB-oed",
            "sgn-BE-FR",
            "art-lojban",
            "cel-gaulish",
            "no-bok",
            "zh-min-nan",
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
            "ar-a-aaa-b-bbb-a-ccc",
            "en-a-bbb-A-ccc",
            "sl-rozaj-rozaj",
            "sl-rozaj-ROZAJ",
            "abcd-cmn",
            "abcde-cmn-Hans",
            "zh-cmn-yue-hak-nan",
            "i-klingonian",
            "i-x",
            "en-Latn-US-a-aaaaaaaa-b-bbbbbbbb-cccc",
        ] {
            assert!(!is_well_formed(tag), "{tag}");
        }
    }
}
