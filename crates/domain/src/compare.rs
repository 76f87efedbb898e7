//! Free names compared: units, indicators, milestones, dimensions of a grade.
//!
//! People write one name in many forms: composed or decomposed letters, another case, a no-break space. Two names are
//! *the same* if their [folded] forms are equal. Every comparison of names that people wrote goes through this module,
//! in decisions and in views; what is shown stays as it was first written.

use std::borrow::Cow;

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;

/// Whether two names are the same.
pub fn same(one: &str, other: &str) -> bool {
    one == other || folded(one) == folded(other)
}

/// The form in which names are compared: no invisible marks, full case folding, normalization form C (Unicode 3.13,
/// D145), every run of white space one space, none at the ends.
pub fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return folded_ascii(text);
    }
    let seen = text.chars().filter(|letter| !is_unseen(*letter));
    let letters = seen.nfd().default_case_fold().nfc();
    Cow::Owned(spaced_once(&letters.collect::<String>()))
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

/// Marks that show nothing and join nothing: a soft hyphen, the marks of direction, a space of no width, a byte-order mark.
pub(crate) fn is_unseen(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    )
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
            ("a\u{200d}b", "ab"),
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
        fn a_folded_name_is_folded(text in "(\\PC|[A-Z \t\u{a0}\u{301}\u{323}ßςİ]){0,40}") {
            let once = folded(&text).into_owned();
            proptest::prop_assert_eq!(folded(&once), once.as_str());
            proptest::prop_assert!(same(&text, &text.to_lowercase()) || !text.is_ascii());
            proptest::prop_assert!(same(&text, &text.nfd().collect::<String>()));
        }
    }
}
