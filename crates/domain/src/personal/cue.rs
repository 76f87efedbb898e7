//! What is said right before a number: that it is a phone's, a document's, or a published line's.
//!
//! The words before the number are read backwards, as far as each of them belongs to it: `Email and telephone [email removed], + 385 1
//! 3714 204` announces a phone, `we phoned 1500 people` does not. Words are compared folded.

use std::borrow::Cow;

use super::words::{
    ABBREVIATIONS, ADJECTIVES, COPULA_ENDS, COPULAS, DOCUMENT_ENDS, DOCUMENTS, JOINT_ENDS, JOINTS,
    MAILS, NUMBER_ENDS, NUMBERS, PHONE_ENDS, PHONES, PUBLISHED, PUBLISHED_ENDS,
};
use crate::compare::folded;

/// What the words before a number say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cue {
    /// Nothing.
    None,
    /// That it is the number of something, and not of what.
    Number,
    /// That it is the number of a document, a case or an account.
    Document,
    /// That it is a line for the public.
    Published,
    /// That it is a phone's.
    Phone(Strength),
}

/// How surely a word announces a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strength {
    /// A word that may go with what is counted: `mobile 1500000 clinics`.
    Word,
    /// A label of contact details in general: an e-mail address, or what stands in place of one.
    Contact,
    /// A word with a sign or another word that makes a label of it: `Tel.: `, `phone no. `.
    Label,
}

/// How far before a number its words may stand, in bytes.
const TAIL_BYTES_MAX: usize = 96;

impl Cue {
    /// What is said before the byte `start` of the text.
    pub(super) fn before(text: &str, start: usize) -> Self {
        let from = text.floor_char_boundary(start.saturating_sub(TAIL_BYTES_MAX));
        let mut tail = text.get(from..start).unwrap_or_default();
        if from > 0 {
            // A word that is cut reads as another.
            tail = tail
                .split_once(|letter: char| !letter.is_alphanumeric())
                .map_or("", |(_, rest)| rest);
        }
        let said = Reading::default().read(&lower(tail));
        let Some(label) = before_names(tail).filter(|_| said == Self::None) else {
            return said;
        };
        match Reading::default().read(&lower(label)) {
            Self::Phone(Strength::Label | Strength::Contact) => Self::Phone(Strength::Contact),
            Self::Phone(Strength::Word)
            | Self::None
            | Self::Number
            | Self::Document
            | Self::Published => said,
        }
    }
}

/// What stands before one to three words with capitals, like a name between a label and its number: `Email and phone number
/// Amina Yusuf, 333 4203`.
fn before_names(tail: &str) -> Option<&str> {
    let mut rest = tail;
    for _ in 0..3 {
        let trimmed = rest.trim_end_matches([' ', ',', '.', '-', ':', '(', '\n', '\r', '\t']);
        let word = last_word(trimmed);
        let mut letters = word.chars();
        let is_name = letters.next().is_some_and(char::is_uppercase)
            && letters.next().is_some_and(char::is_lowercase);
        // A label is no name, though it has a capital.
        if !is_name
            || PHONES.contains(&folded(word).as_ref())
            || MAILS.contains(&folded(word).as_ref())
        {
            break;
        }
        rest = trimmed.get(..trimmed.len() - word.len())?;
    }
    (rest.len() < tail.len()).then_some(rest)
}

/// The folded form, with line ends and tabs: they are signs of a label.
fn lower(tail: &str) -> Cow<'_, str> {
    if tail.is_ascii() {
        return Cow::Owned(tail.to_ascii_lowercase());
    }
    let parts = tail.split_inclusive(['\n', '\t', ' ']).map(|part| {
        let word = part.trim_end_matches(['\n', '\t', ' ']);
        let end = part.get(word.len()..).unwrap_or_default();
        format!("{}{end}", folded(word))
    });
    Cow::Owned(parts.collect())
}

/// What was read of the words so far.
#[derive(Default)]
struct Reading {
    /// A sign stood between the word and the number that makes a label of it.
    marked: bool,
    /// A word for "number".
    numbered: bool,
    /// A comma, or a word like "and".
    joined: bool,
    /// The phone or the mail that was named.
    named: Option<Strength>,
}

impl Reading {
    fn read(mut self, tail: &str) -> Cue {
        let mut rest = tail;
        // Each turn takes a word or more away.
        while let Some(shorter) = self.step(rest) {
            match shorter {
                Step::Said(cue) => return cue,
                Step::On(shorter) => rest = shorter,
            }
        }
        match self.named {
            Some(strength) => Cue::Phone(strength),
            None if self.numbered => Cue::Number,
            None => Cue::None,
        }
    }

    fn step<'t>(&mut self, tail: &'t str) -> Option<Step<'t>> {
        let trimmed = self.signs(tail);
        if trimmed.is_empty() {
            return None;
        }
        let published = PUBLISHED.iter().any(|line| ends_with_words(trimmed, line))
            || ends_with_any(trimmed, PUBLISHED_ENDS).is_some();
        if published && !self.joined {
            return Some(Step::Said(Cue::Published));
        }
        if let Some(shorter) = self.phone(trimmed, tail).or_else(|| self.mail(trimmed)) {
            return Some(Step::On(shorter));
        }
        let word = last_word(trimmed);
        let before = trimmed
            .get(..trimmed.len() - word.len())
            .unwrap_or_default();
        if NUMBERS.contains(&word) {
            self.numbered = true;
            return Some(Step::On(before));
        }
        if let Some(shorter) = ends_with_any(trimmed, NUMBER_ENDS) {
            self.numbered = true;
            return Some(Step::On(shorter));
        }
        if JOINTS.contains(&word) {
            self.joined = true;
            return Some(Step::On(before));
        }
        if let Some(shorter) = ends_with_any(trimmed, JOINT_ENDS) {
            self.joined = true;
            return Some(Step::On(shorter));
        }
        if COPULAS.contains(&word) {
            return Some(Step::On(before));
        }
        if let Some(shorter) = ends_with_any(trimmed, COPULA_ENDS) {
            return Some(Step::On(shorter));
        }
        if self.named.is_none()
            && (DOCUMENTS.contains(&word) || ends_with_any(trimmed, DOCUMENT_ENDS).is_some())
        {
            return Some(Step::Said(Cue::Document));
        }
        self.number(trimmed).map(Step::On)
    }

    /// Takes away what stands between words.
    fn signs<'t>(&mut self, tail: &'t str) -> &'t str {
        let is_sign = |letter: char| {
            letter.is_whitespace()
                || matches!(
                    letter,
                    '.' | ':'
                        | '('
                        | ')'
                        | '['
                        | '#'
                        | '='
                        | '_'
                        | '-'
                        | '"'
                        | '\''
                        | '/'
                        | '|'
                        | '•'
                        | ','
                        | ';'
                        | '\u{2013}'
                        | '&'
                        | '“'
                        | '”'
                        | '«'
                        | '»'
                        | '*'
                        | '+'
                )
        };
        let trimmed = tail.trim_end_matches(is_sign);
        let signs = tail.get(trimmed.len()..).unwrap_or_default();
        self.joined |= signs.contains([',', ';', '/', '&', '|']);
        if self.named.is_none() {
            self.marked |= signs.contains([':', '=', '#', '\n', '\r', '\t']);
        }
        trimmed
    }

    /// A word for phone at the end: what stands before it.
    fn phone<'t>(&mut self, trimmed: &'t str, tail: &str) -> Option<&'t str> {
        let word = last_word(trimmed);
        let shorter = if PHONES.contains(&word) {
            trimmed.get(..trimmed.len() - word.len())?
        } else {
            ends_with_any(trimmed, PHONE_ENDS)?
        };
        let stop = tail.get(trimmed.len()..)?.starts_with('.');
        let label = self.marked || self.numbered || (stop && ABBREVIATIONS.contains(&word));
        // `mobile phone 4567890`: an adjective before its noun says no more than the noun.
        let label =
            label || (!ADJECTIVES.contains(&word) && last_word(shorter.trim_end()) == "mobile");
        let strength = if label {
            Strength::Label
        } else {
            Strength::Word
        };
        self.named = Some(match self.named {
            Some(Strength::Label) => Strength::Label,
            Some(Strength::Word | Strength::Contact) | None => strength,
        });
        Some(shorter)
    }

    /// A word for mail, an address, or what stands in place of one, at the end: what stands before it.
    fn mail<'t>(&mut self, trimmed: &'t str) -> Option<&'t str> {
        let word = last_word(trimmed);
        let masked = || {
            let (before, mask) = trimmed.strip_suffix(']')?.rsplit_once('[')?;
            (mask.contains("mail") || mask.contains("phone")).then_some(before)
        };
        let address = || {
            let start = trimmed.rfind(char::is_whitespace).map_or(0, |at| at + 1);
            let (before, address) = trimmed.split_at_checked(start)?;
            address.contains('@').then_some(before)
        };
        let shorter = if MAILS.contains(&word) {
            trimmed.get(..trimmed.len() - word.len())
        } else {
            masked().or_else(address)
        }?;
        self.named.get_or_insert(Strength::Contact);
        Some(shorter)
    }

    /// Another number of a list: what stands before it.
    fn number<'t>(&mut self, trimmed: &'t str) -> Option<&'t str> {
        let digits = |letter: char| {
            letter.is_ascii_digit() || matches!(letter, ' ' | '-' | '.' | '(' | ')' | '+' | '/')
        };
        let before = trimmed.trim_end_matches(digits);
        let number = trimmed.get(before.len()..)?;
        let count = number.bytes().filter(u8::is_ascii_digit).count();
        let listed = self.joined && self.named.is_none() && count >= 3;
        // What joins a number to another of its list parts neither from the word before them.
        self.joined &= !listed;
        listed.then_some(before)
    }
}

enum Step<'t> {
    /// All is said.
    Said(Cue),
    /// To be read on.
    On(&'t str),
}

/// The letters and signs of the last word.
fn last_word(text: &str) -> &str {
    let in_word = |letter: char| {
        letter.is_alphabetic()
            || matches!(letter, '°' | '№' | '\u{300}'..='\u{36f}' | '\u{900}'..='\u{963}')
    };
    let before = text.trim_end_matches(in_word);
    text.get(before.len()..).unwrap_or_default()
}

/// What stands before the first of these endings that the text has.
fn ends_with_any<'t>(text: &'t str, endings: &[&str]) -> Option<&'t str> {
    endings.iter().find_map(|ending| text.strip_suffix(ending))
}

/// Whether the text ends with these words, with hyphens, spaces or ends of lines between them, and not with a part of one.
fn ends_with_words(text: &str, words: &str) -> bool {
    let mut rest = text;
    for (index, word) in words.rsplit(' ').enumerate() {
        if index > 0 {
            let between = [' ', '\t', '\n', '\r', '-', '\u{2013}'];
            let shorter = rest.trim_end_matches(between);
            if shorter.len() == rest.len() {
                return false;
            }
            rest = shorter;
        }
        let Some(shorter) = rest.strip_suffix(word) else {
            return false;
        };
        rest = shorter;
    }
    !rest.ends_with(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cue(text: &str) -> Cue {
        Cue::before(text, text.len())
    }

    #[test]
    fn words_in_the_languages_of_the_united_nations_announce_a_phone() {
        for text in [
            "Tel.: ",
            "tel ",
            "phone no. ",
            "Telephone\n",
            "Téléphone : ",
            "Te\u{301}le\u{301}phone : ",
            "tél. ",
            "Teléfono: ",
            "móvil: ",
            "тел. ",
            "Телефон: ",
            "мобильный телефон ",
            "电话：",
            "联系电话是",
            "手机号码 ",
            "传真:",
            "هاتف: ",
            "رقم الهاتف: ",
            "وهاتفه ",
            "phone_number=",
            "Phone and e-mail\n",
            "TEL",
            "WhatsApp: ",
            "फोन ",
        ] {
            let text = text.replace('：', ":");
            assert!(
                matches!(cue(&text), Cue::Phone(_)),
                "{text:?} {:?}",
                cue(&text)
            );
        }
        for text in [
            "hotel ",
            "Intel ",
            "e-government ",
            "",
            "telephoned ",
            "cells ",
        ] {
            assert_eq!(cue(text), Cue::None, "{text:?}");
        }
    }

    #[test]
    fn a_mask_or_a_mail_is_a_label_of_contact_details() {
        for text in [
            "[email removed], ",
            "e-mail:\n",
            "amina@example.org, ",
            "[phone number masked], ",
        ] {
            assert_eq!(cue(text), Cue::Phone(Strength::Contact), "{text:?}");
        }
        assert!(matches!(
            cue("Email and Phone\t[email removed] "),
            Cue::Phone(_)
        ));
    }

    #[test]
    fn a_published_line_is_told_from_a_persons() {
        for text in [
            "hotline ",
            "the hot line: ",
            "Hot-line number ",
            "helpline is ",
            "toll-free number: ",
            "Toll free (",
            "hotline telephone: ",
            "numéro vert : ",
            "línea gratuita ",
            "горячая линия: ",
            "телефон горячей линии ",
            "热线:",
            "热线电话:",
            "الخط الساخن: ",
            "هاتف مجاني ",
            "hotline 1195 / ",
        ] {
            assert_eq!(cue(text), Cue::Published, "{text:?}");
        }
        for text in [
            "hotline and mobile ",
            "our hotline, or Amina's mobile ",
            "hotlines fail; tel. ",
        ] {
            assert!(matches!(cue(text), Cue::Phone(_)), "{text:?}");
        }
    }

    #[test]
    fn the_number_of_a_document_is_no_phones() {
        for text in [
            "Case no. ",
            "Tender ",
            "Award ",
            "invoice #",
            "Закон № ",
            "合同号 ",
            "ID: ",
        ] {
            assert_eq!(cue(text), Cue::Document, "{text:?}");
        }
        assert_eq!(cue("No. "), Cue::Number);
    }
}
