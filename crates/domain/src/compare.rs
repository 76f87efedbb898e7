//! Free names compared: units, indicators, milestones, dimensions of a grade.
//!
//! People write one name in many forms: composed or decomposed letters, another case, a no-break space. Two names are
//! *the same* if their [folded] forms are equal. Every comparison of names that people wrote goes through this module,
//! in decisions and in views; what is shown stays as it was first written.

use std::borrow::Cow;

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;

use crate::wire::v1::is_default_ignorable;

/// Whether two names are the same.
pub fn same(one: &str, other: &str) -> bool {
    one == other || folded(one) == folded(other)
}

/// The form in which names are compared: nothing that is not seen, full case folding, normalization form C (Unicode 3.13,
/// D145), every run of white space one space, none at the ends.
pub fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return folded_ascii(text);
    }
    let letters = seen(text).nfd().default_case_fold().nfc();
    Cow::Owned(spaced_once(&letters.collect::<String>()))
}

/// The characters that show something. A joiner shows between letters of a script that joins them, and is nothing elsewhere.
fn seen(text: &str) -> impl Iterator<Item = char> {
    let shown = |letter: &char| !is_default_ignorable(*letter);
    let mut before = None;
    text.char_indices().filter_map(move |(at, letter)| {
        if shown(&letter) {
            before = Some(letter);
            return Some(letter);
        }
        let joins = || {
            let rest = text.get(at..).unwrap_or_default();
            let after = rest.chars().find(shown);
            before.is_some_and(is_joined) && after.is_some_and(is_joined)
        };
        (matches!(letter, '\u{200c}' | '\u{200d}') && joins()).then_some(letter)
    })
}

/// Returns true when the letter is of a script in which a joiner, or a mark between letters, makes
/// another word. These are Arabic and its neighbours, the scripts of India and of South-East Asia,
/// and Mongolian.
fn is_joined(letter: char) -> bool {
    matches!(
        letter,
        '\u{600}'..='\u{dff}'
            | '\u{f00}'..='\u{109f}'
            | '\u{1700}'..='\u{18af}'
            | '\u{1900}'..='\u{1c7f}'
            | '\u{1cd0}'..='\u{1cff}'
            | '\u{a800}'..='\u{ab2f}'
            | '\u{abc0}'..='\u{abff}'
            | '\u{fb50}'..='\u{fdff}'
            | '\u{fe70}'..='\u{fefc}'
            | '\u{10a00}'..='\u{11fff}'
    )
}

/// As [`folded`], and compatible characters are one: full-width signs and letters are those of ASCII.
pub fn folded_compatibly(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return folded_ascii(text);
    }
    Cow::Owned(folded(&text.nfkc().collect::<String>()).into_owned())
}

fn folded_ascii(text: &str) -> Cow<'_, str> {
    let folds =
        |byte: &u8| byte.is_ascii_uppercase() || (byte.is_ascii_whitespace() && *byte != b' ');
    let bytes = text.as_bytes();
    let is_folded = !bytes.iter().any(folds)
        && !bytes.windows(2).any(|pair| pair == b"  ")
        && text.trim().len() == text.len();
    if is_folded {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(spaced_once(&text.to_ascii_lowercase()))
    }
}

fn spaced_once(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !spaced.is_empty() {
            spaced.push(' ');
        }
        spaced.push_str(word);
    }
    spaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_whatever_form_case_or_space_they_are_written_in() {
        for (one, other) in [
            ("employés", "employe\u{301}s"),
            ("people a year", "people\u{a0}a  year"),
            ("people a year", "\u{3000}People\ta\u{202f}year\n"),
            ("Straße", "STRASSE"),
            ("ΠΟΛΙΣ", "πολις"),
            ("ς", "Σ"),
            ("İstanbul", "i\u{307}stanbul"),
            ("한국", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}"),
            ("q\u{307}\u{323}", "q\u{323}\u{307}"),
            ("تدريب", "\u{200f}تدريب\u{200f}"),
            ("Ångström", "A\u{30a}NGSTRO\u{308}M"),
            ("Å", "\u{212b}"),
            ("ab", "a\u{34f}b"),
            ("ab", "a\u{206a}b"),
            ("ab", "a\u{e0020}b"),
            ("ab", "a\u{200d}b"),
            ("ab", "a\u{200c}\u{200b}b"),
            ("☑ done", "☑\u{fe0f} done"),
            ("نامه", "\u{200c}نامه\u{200d}"),
            ("می\u{200c}رود", "می\u{ad}\u{200c}رود"),
        ] {
            assert!(same(one, other), "{one:?} {other:?}");
            assert!(same(other, one), "{one:?} {other:?}");
        }
        for (one, other) in [
            ("visas", "visa"),
            ("peopleayear", "people a year"),
            ("ı", "i"),
            ("m²", "m2"),
            ("e", "é"),
            ("می\u{200c}رود", "میرود"),
            ("ක්\u{200d}ෂ", "ක්ෂ"),
        ] {
            assert!(!same(one, other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn compatible_characters_are_one_only_where_that_is_asked_for() {
        assert_eq!(folded_compatibly("Ｐｅｒ　ｃｅｎｔ"), "per cent");
        assert_eq!(folded_compatibly("％"), "%");
        assert_eq!(folded("％"), "％");
    }

    proptest::proptest! {
        #[test]
        fn a_folded_name_is_folded(text in "(\\PC|[A-Z \t\u{a0}\u{301}\u{323}ßςİ\u{200c}\u{200d}\u{34f}یක්]){0,40}") {
            let once = folded(&text).into_owned();
            proptest::prop_assert_eq!(folded(&once), once.as_str());
            proptest::prop_assert!(same(&text, &text.to_lowercase()) || !text.is_ascii());
            proptest::prop_assert!(same(&text, &text.nfd().collect::<String>()));
        }
    }
}
