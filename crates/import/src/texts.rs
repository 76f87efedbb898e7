//! Texts that the ledger takes: no personal identifiers, no control characters, not too long.

use std::fmt;
use std::ops::Range;

use ledger_domain::personal;
use ledger_domain::wire::v1::{Pattern, Policy, clean_line, clean_text};

/// Longest title or name, in characters.
const TITLE_CHARS_MAX: usize = 300;

/// What was done to the texts of an import before they were sent.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Edits {
    /// Texts in which something was masked.
    pub masked_text_count: u64,
    /// E-mail addresses masked.
    pub email_count: u64,
    /// Phone numbers masked.
    pub phone_count: u64,
    /// Passport numbers masked.
    pub passport_count: u64,
    /// Texts cut because they were longer than the ledger takes.
    pub cut_text_count: u64,
}

impl fmt::Display for Edits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "masked in {} texts: {} phone numbers, {} e-mail addresses, {} passport numbers; {} texts cut",
            self.masked_text_count,
            self.phone_count,
            self.email_count,
            self.passport_count,
            self.cut_text_count
        )
    }
}

impl Edits {
    /// The text without what the ledger refuses: personal identifiers are masked where they stand, control characters are
    /// spaces, separators of lines line feeds, and what turns the direction of a text is left out. What was masked is
    /// counted.
    pub(super) fn clean(&mut self, text: &str) -> String {
        self.masked(clean_text(text).trim().to_owned())
    }

    /// The same on one line, for names, grades and references. An identifier may stand in the joined lines that each of them
    /// has only a part of.
    pub(super) fn clean_line(&mut self, text: &str) -> String {
        self.masked(clean_line(&clean_text(text)).trim().to_owned())
    }

    /// The clean text as a title: on one line, and cut at a word where it is too long. What was masked in the text is counted
    /// already; only what the joined lines or the cut bring about is counted here.
    pub(super) fn title(&mut self, text: &str) -> String {
        let mut title = self.masked(clean_line(text));
        while title.chars().count() > TITLE_CHARS_MAX {
            // Each turn that masks something leaves fewer digits and signs to mask.
            title = self.masked(cut_at_word(&title));
        }
        title
    }

    /// The clean text `tail` after as much of the clean text `head` as the ledger takes together with it. What only both
    /// together or the cut bring about is masked.
    pub(super) fn fitting(&mut self, head: &str, tail: &str) -> String {
        let bytes_max = Policy::default().max_text_bytes;
        let mut room = bytes_max.saturating_sub(tail.len());
        loop {
            let mut edits = *self;
            let text = if head.len() <= room {
                format!("{head}{tail}")
            } else {
                edits.cut_text_count += 1;
                let end = head.floor_char_boundary(room.saturating_sub('…'.len_utf8()));
                format!("{}…{tail}", head.get(..end).unwrap_or_default())
            };
            let text = edits.masked(text);
            let excess = text.len().saturating_sub(bytes_max);
            if excess == 0 || room == 0 {
                *self = edits;
                return text;
            }
            room = room.min(head.len()).saturating_sub(excess);
        }
    }

    /// The text with its identifiers masked and counted.
    fn masked(&mut self, mut text: String) -> String {
        let mut masked = false;
        // From the beginning each time: a mask is a label too, and what else stands beside it is of its kind.
        while let Some((pattern, range)) = first_identifier(&text) {
            let (count, mask) = match pattern {
                Pattern::Email => (&mut self.email_count, "[e-mail address masked]"),
                Pattern::Phone => (&mut self.phone_count, "[phone number masked]"),
                Pattern::Passport => (&mut self.passport_count, "[passport number masked]"),
            };
            *count += 1;
            masked = true;
            text.replace_range(range, mask);
        }
        self.masked_text_count += u64::from(masked);
        text
    }
}

/// As much of the line as a title has room for, to the end of a word.
fn cut_at_word(line: &str) -> String {
    let mut cut: String = line.chars().take(TITLE_CHARS_MAX - 1).collect();
    if let Some(space) = cut.rfind(' ') {
        cut.truncate(space);
    }
    cut.push('…');
    cut
}

/// Returns true when the sign is one of those that stand for an apostrophe.
pub(super) fn is_apostrophe(letter: char) -> bool {
    matches!(
        letter,
        '\'' | '`'
            | '\u{b4}'
            | '\u{2bc}'
            | '\u{2018}'
            | '\u{2019}'
            | '\u{201b}'
            | '\u{2032}'
            | '\u{ff07}'
            | '\u{ff40}'
    )
}

fn first_identifier(text: &str) -> Option<(Pattern, Range<usize>)> {
    if let Some(address) = scanned_address(text) {
        return Some((Pattern::Email, address));
    }
    personal::find(text, Pattern::ALL).map(|found| (found.pattern, found.range))
}

/// An e-mail address whose `@` came out of a scanner as `©`.
fn scanned_address(text: &str) -> Option<Range<usize>> {
    if !text.contains('©') {
        return None;
    }
    // As long as before, so that what is found stands at the same place.
    let address = personal::locate(&text.replace('©', "_@"), Pattern::Email, 0)?;
    let found = text.get(address.clone())?;
    (found.contains('©') && !found.starts_with('©')).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(text: &str) -> (String, Edits) {
        let mut edits = Edits::default();
        let clean = edits.clean(text);
        (clean, edits)
    }

    #[test]
    fn identifiers_are_masked_where_they_stand_and_counted() {
        let (clean, edits) = cleaned(
            " Contact: amina@example.org, tel. 0712 345 678 or +254 20 123 4567. Passport no. A1234567.\u{7} ",
        );
        assert_eq!(
            clean,
            "Contact: [e-mail address masked], tel. [phone number masked] or [phone number masked]. \
             Passport no. [passport number masked]."
        );
        assert_eq!(
            edits,
            Edits {
                masked_text_count: 1,
                email_count: 1,
                phone_count: 2,
                passport_count: 1,
                cut_text_count: 0
            }
        );
        assert_eq!(personal::find(&clean, Pattern::ALL), None);
        let (scanned, _) = cleaned("write to amina©example.org.");
        assert_eq!(scanned, "write to [e-mail address masked].");
    }

    #[test]
    fn a_number_after_a_label_of_contact_details_is_masked_in_any_form() {
        for number in [
            "333 4203",
            "02 3248-942",
            "(61) 3216-2010/2045",
            "+31(0)6-14796822",
            "8 618 72 994",
        ] {
            for label in [
                "Email and Phone\t",
                "[email removed], ",
                "e-mail:\n",
                "Tel.: ",
            ] {
                let (clean, edits) = cleaned(&format!("{label}{number}\nOther actors"));
                assert_eq!(clean, format!("{label}[phone number masked]\nOther actors"));
                assert_eq!(edits.phone_count, 1);
            }
        }
    }

    #[test]
    fn an_honest_text_is_left_as_it_is() {
        for text in [
            "The period 2018-2020; 50 000 000 were spent, 15 000 000 in 2019.",
            "Phone line open 2018-2020, 01.09.2019 - 30.10.2019",
            "Telephone hotline: 12 calls",
            "Law No. 8503 of 30.06.1999\n\tline two",
            "mail A1234567890",
            "©example.org 2020",
        ] {
            assert_eq!(cleaned(text), (text.to_owned(), Edits::default()));
        }
    }

    #[test]
    fn a_text_that_is_too_long_gives_way_to_its_tail() {
        let mut edits = Edits::default();
        let text = edits.fitting(&"é".repeat(20_000), "\n\ntail");
        assert!(text.len() <= Policy::default().max_text_bytes);
        assert!(text.len() > Policy::default().max_text_bytes - 4);
        assert!(text.ends_with("é…\n\ntail"));
        assert_eq!(edits.cut_text_count, 1);
        assert_eq!(edits.fitting("head", " tail"), "head tail");
        assert_eq!(edits.cut_text_count, 1);
    }

    #[test]
    fn what_the_joined_lines_hold_is_masked_in_the_title_and_counted_once() {
        for end in ["\u{2028}", "\n", "\r\n", "\t", "\u{85}"] {
            let mut edits = Edits::default();
            let text = edits.clean(&format!("call +254 712{end}345 678 or 0712{end}345 678"));
            let title = edits.title(&text);
            assert_eq!(
                title, "call [phone number masked] or [phone number masked]",
                "{end:?}"
            );
            assert_eq!(edits.phone_count, 2, "{end:?}");
            let mut edits = Edits::default();
            let line = edits.clean_line(&format!("0712{end}345 678"));
            assert_eq!(line, "[phone number masked]", "{end:?}");
            assert_eq!((edits.phone_count, edits.masked_text_count), (1, 1));
        }
    }

    #[test]
    fn what_a_cut_leaves_is_masked() {
        // Too many digits for a phone, of which the cut leaves a phone.
        let long = |chars: usize| {
            let number = "+254 712 345 678";
            let words = "word ".repeat(chars / 5 - 5);
            let words = format!(
                "{words}{}",
                "x".repeat(chars - words.len() - number.len() - 2)
            );
            format!("{words} {number} 12345678901234567 more")
        };
        let title = Edits::default().title(&long(TITLE_CHARS_MAX - 1));
        assert_eq!(personal::find(&title, Pattern::ALL), None, "{title}");
        assert!(title.chars().count() <= TITLE_CHARS_MAX, "{title}");
        let bytes_max = Policy::default().max_text_bytes;
        let mut edits = Edits::default();
        let text = edits.fitting(&long(bytes_max - 2), "\n\ntail");
        assert_eq!(personal::find(&text, Pattern::ALL), None);
        assert!(text.len() <= bytes_max && text.ends_with("…\n\ntail"));
        assert_eq!(edits.cut_text_count, 1);
        // The end of one text announces what the other begins with.
        let joined = edits.fitting("Phone:", "\n4567890");
        assert_eq!(joined, "Phone:\n[phone number masked]");
    }

    #[test]
    fn a_long_text_is_cut_at_a_word_for_the_title() {
        let mut edits = Edits::default();
        let long = edits.title(&"word ".repeat(100));
        assert!(long.chars().count() <= TITLE_CHARS_MAX);
        assert!(long.ends_with("word…"));
        assert_eq!(edits.title("two\nlines"), "two lines");
        assert_eq!(edits, Edits::default());
    }
}
