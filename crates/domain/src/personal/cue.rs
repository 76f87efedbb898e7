//! What is said right before a number: that it is a phone's, a document's, or a published line's.
//!
//! The words before the number are read backwards, as far as each of them belongs to it: `Email and telephone [email removed], + 385 1
//! 3714 204` announces a phone, `we phoned 1500 people` does not. Words are compared folded.

use std::borrow::Cow;

use super::words::{
    ABBREVIATIONS, ADJECTIVES, ARTICLES, CALLS, COLON_LABELS, CONTACT_ENDS, CONTACTS, COPULA_ENDS,
    COPULAS, DOCUMENT_ENDS, DOCUMENTS, JOINT_ENDS, JOINTS, MAILS, NUMBER_ENDS, NUMBERS, OTHERS,
    OWNERS, PERSONS, PHONE_ENDS, PHONES, PUBLISHED, PUBLISHED_ENDS, PUBLISHED_FILLERS, REGISTERS,
};
use crate::compare::folded;

/// What the words before a number say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cue {
    /// Nothing.
    None,
    /// That it is the number of something that has a name.
    Number,
    /// That it is a number, and not of what: `No. ` at the beginning.
    Bare,
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
/// The most bytes in parentheses that are passed over.
const ASIDE_BYTES_MAX: usize = 32;
/// The most names that may say whose a published line is.
const OWNER_NAMES_MAX: usize = 3;

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
            | Self::Bare
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

/// The folded form, with line ends and tabs: they are signs of a label. Every apostrophe is that of ASCII.
fn lower(tail: &str) -> Cow<'_, str> {
    if tail.is_ascii() {
        return Cow::Owned(tail.to_ascii_lowercase());
    }
    let parts = tail.split_inclusive(['\n', '\t', ' ']).map(|part| {
        let word = part.trim_end_matches(['\n', '\t', ' ']);
        let end = part.get(word.len()..).unwrap_or_default();
        format!("{}{end}", folded(word))
    });
    let lower: String = parts.collect();
    Cow::Owned(lower.replace(['\u{2019}', '\u{2018}', '\u{2bc}', '\u{b4}'], "'"))
}

/// What was read of the words so far.
#[derive(Default)]
struct Reading {
    /// A sign stood between the word and the number that makes a label of it.
    marked: bool,
    /// A word for "number".
    numbered: bool,
    /// A word in parentheses was passed over.
    aside: bool,
    joint: Joint,
    /// The phone or the mail that was named.
    named: Option<Strength>,
}

/// The sign or word that joins the words already read to those before them.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Joint {
    /// Nothing.
    #[default]
    None,
    /// A comma.
    Comma,
    /// A word like "and", or another sign.
    Word,
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
            None if self.numbered && names_nothing(rest) => Cue::Bare,
            None if self.numbered => Cue::Number,
            None => Cue::None,
        }
    }

    fn step<'t>(&mut self, tail: &'t str) -> Option<Step<'t>> {
        let trimmed = self.signs(tail);
        if trimmed.is_empty() {
            return None;
        }
        let signs = tail.get(trimmed.len()..).unwrap_or_default();
        // `hotline, 0800 123 456` is one line; `hotline, mobile 0712 345 678` is two.
        let joined = match self.joint {
            Joint::None => false,
            Joint::Comma => self.named.is_some(),
            Joint::Word => true,
        };
        if !joined && is_published(trimmed, signs) {
            return Some(Step::Said(Cue::Published));
        }
        if let Some(shorter) = self.phone(trimmed, signs).or_else(|| self.mail(trimmed)) {
            return Some(Step::On(shorter));
        }
        if let Some(cue) = self.whose(trimmed, signs) {
            return Some(Step::Said(cue));
        }
        if let Some(shorter) = self.between(trimmed) {
            return Some(Step::On(shorter));
        }
        let word = last_word(trimmed);
        let documented = DOCUMENTS.contains(&word) || REGISTERS.contains(&word);
        if self.named.is_none() && (documented || ends_with_any(trimmed, DOCUMENT_ENDS).is_some()) {
            return Some(Step::Said(Cue::Document));
        }
        let number = self.number(trimmed);
        number.or_else(|| self.aside(trimmed, signs)).map(Step::On)
    }

    /// A word for "number", a word that joins or a copula at the end: what stands before it.
    fn between<'t>(&mut self, trimmed: &'t str) -> Option<&'t str> {
        let ends = |words: &[&str], endings: &[&str]| {
            before_word(trimmed, words).or_else(|| ends_with_any(trimmed, endings))
        };
        if let Some(shorter) = ends(NUMBERS, NUMBER_ENDS) {
            self.numbered = true;
            return Some(shorter);
        }
        if let Some(shorter) = ends(JOINTS, JOINT_ENDS) {
            self.joint = Joint::Word;
            return Some(shorter);
        }
        ends(COPULAS, COPULA_ENDS)
    }

    /// The cue of an owner at the end: the number is somebody's. In `numéro de contact` the owner
    /// stands after the word for "number".
    fn whose(&self, trimmed: &str, signs: &str) -> Option<Cue> {
        if self.named.is_some() || signs.contains(')') {
            return None;
        }
        let word = last_word(trimmed);
        let contact =
            || before_word(trimmed, CONTACTS).or_else(|| ends_with_any(trimmed, CONTACT_ENDS));
        if !self.numbered {
            let before = contact()?.trim_end();
            let before = before_word(before, COPULAS).map_or(before, str::trim_end);
            let numbered = NUMBERS.contains(&last_word(before));
            return numbered.then_some(Cue::Phone(Strength::Label));
        }
        let possessive = || word == "s" && trimmed.ends_with("'s");
        if contact().is_some() {
            Some(Cue::Phone(Strength::Label))
        } else if PERSONS.contains(&word) {
            Some(Cue::Phone(Strength::Contact))
        } else {
            (CALLS.contains(&word) || possessive()).then_some(Cue::None)
        }
    }

    /// A word in parentheses at the end, as in `phone (office): `: what stands before it.
    fn aside<'t>(&mut self, trimmed: &'t str, signs: &str) -> Option<&'t str> {
        if self.aside || !signs.contains(')') {
            return None;
        }
        let (before, inside) = trimmed.rsplit_once('(')?;
        let in_word = |letter: char| letter.is_alphabetic() || matches!(letter, ' ' | '-' | '.');
        self.aside = inside.len() <= ASIDE_BYTES_MAX && inside.chars().all(in_word);
        self.aside.then_some(before)
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
        self.joint = if signs.contains([';', '/', '&', '|']) {
            Joint::Word
        } else if signs.contains(',') {
            self.joint.max(Joint::Comma)
        } else {
            self.joint
        };
        if self.named.is_none() {
            self.marked |= signs.contains([':', '=', '#', '\n', '\r', '\t']);
        }
        trimmed
    }

    /// A word for phone at the end: what stands before it.
    fn phone<'t>(&mut self, trimmed: &'t str, signs: &str) -> Option<&'t str> {
        let word = last_word(trimmed);
        if let Some(shorter) = before_colon(trimmed, signs) {
            self.named.get_or_insert(Strength::Contact);
            return Some(shorter);
        }
        let shorter =
            before_word(trimmed, PHONES).or_else(|| ends_with_any(trimmed, PHONE_ENDS))?;
        let stop = signs.starts_with('.');
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
        let masked = || {
            let (before, mask) = trimmed.strip_suffix(']')?.rsplit_once('[')?;
            (mask.contains("mail") || mask.contains("phone")).then_some(before)
        };
        let address = || {
            let start = trimmed.rfind(char::is_whitespace).map_or(0, |at| at + 1);
            let (before, address) = trimmed.split_at_checked(start)?;
            address.contains('@').then_some(before)
        };
        let shorter = before_word(trimmed, MAILS)
            .or_else(masked)
            .or_else(address)?;
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
        if self.joint == Joint::None || self.named.is_some() || count < 3 {
            return None;
        }
        // What joins a number to another of its list parts neither from the word before them.
        self.joint = Joint::None;
        Some(before)
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

/// The text before the last word, if that word is one of these.
fn before_word<'t>(text: &'t str, words: &[&str]) -> Option<&'t str> {
    let word = last_word(text);
    let before = text.get(..text.len() - word.len());
    before.filter(|_| words.contains(&word))
}

/// The text before a word that announces a phone only with a colon: `T: `, and not the unit in
/// `1500 t: `.
fn before_colon<'t>(text: &'t str, signs: &str) -> Option<&'t str> {
    let before = before_word(text, COLON_LABELS)?;
    let apart = before.is_empty() || before.ends_with([' ', '\n', '\t', '|', ',', ';', '(']);
    let unit = before
        .trim_end()
        .ends_with(|last: char| last.is_ascii_digit());
    (apart && !unit && signs.trim_start().starts_with([':', '#'])).then_some(before)
}

/// Returns true when the text before a word for "number" does not name the numbered thing. That
/// text ends a sentence or a line, or is empty. A short word before a full stop is itself short for
/// something, as in `Reg. no. `.
fn names_nothing(before: &str) -> bool {
    let before = before.trim_end_matches([' ', '(', '[', '"', '\'', '“', '«', '*', '•', '-']);
    before.is_empty()
        || before.ends_with(['\n', ';', '!', '?', '|'])
        || before
            .strip_suffix('.')
            .is_some_and(|sentence| last_word(sentence).chars().count() >= 5)
}

/// Returns true when the words end with those for a published line. Words for its hours, its price
/// or its owner may belong to them.
fn is_published(words: &str, signs: &str) -> bool {
    let mut rest = Some(words);
    while let Some(words) = rest {
        if before_published(words).is_some() {
            return true;
        }
        rest = before_filler(words);
    }
    signs.contains([':', '(']) && is_published_of(words)
}

/// The text before a word that is told of a published line, at the end.
fn before_filler(words: &str) -> Option<&str> {
    let in_word = |letter: char| letter.is_alphanumeric() || letter == '/';
    let before = words.trim_end_matches(in_word);
    let filler = words.get(before.len()..)?;
    let before = before.trim_end_matches([' ', '(', ')', '-', '\u{2013}', ',', ':']);
    PUBLISHED_FILLERS.contains(&filler).then_some(before)
}

/// Returns true when this is the name of a published line and no more, like
/// `national hotline, 24h`.
pub(super) fn is_published_name(name: &str) -> bool {
    let name = lower(name);
    let words = name.trim();
    // What is told of the line stands before its name or after it; a name or a phone's word is another's.
    let mut rest = words;
    loop {
        if let Some(before) = before_published(rest) {
            let told = |word: &str| {
                let known = [ARTICLES, CALLS, PUBLISHED_FILLERS];
                word.is_empty() || known.iter().any(|words| words.contains(&word))
            };
            return before.split([' ', '-']).all(told);
        }
        let shorter = before_filler(rest)
            .or_else(|| before_word(rest, NUMBERS))
            .or_else(|| before_word(rest, JOINTS));
        let Some(shorter) = shorter else {
            return false;
        };
        rest = shorter.trim_end();
    }
}

/// The text before the words for a published line, at the end.
fn before_published(words: &str) -> Option<&str> {
    let line = PUBLISHED.iter().find_map(|line| before_words(words, line));
    line.or_else(|| ends_with_any(words, PUBLISHED_ENDS))
}

/// `hotline of the Ministry of Labour`: up to so many names after a word that says whose the line is, and no word for another.
fn is_published_of(words: &str) -> bool {
    let mut rest = words;
    let mut names = 0;
    while names <= OWNER_NAMES_MAX {
        let word = last_word(rest);
        let Some(before) = rest
            .get(..rest.len() - word.len())
            .filter(|_| !word.is_empty())
        else {
            return false;
        };
        let shorter = before.trim_end_matches([' ', '\'', '-']);
        let owner = OWNERS.contains(&word);
        if owner && names > 0 && before_published(shorter).is_some() {
            return true;
        }
        let others = [JOINTS, PHONES, MAILS, CALLS, CONTACTS, PERSONS, OTHERS];
        if !owner && !ARTICLES.contains(&word) {
            if others.iter().any(|words| words.contains(&word)) {
                return false;
            }
            names += 1;
        }
        rest = shorter;
    }
    false
}

/// What stands before the first of these endings that the text has.
fn ends_with_any<'t>(text: &'t str, endings: &[&str]) -> Option<&'t str> {
    endings.iter().find_map(|ending| text.strip_suffix(ending))
}

/// The text before these words, if the text ends with them and not with a part of one. Hyphens,
/// spaces or ends of lines may stand between them.
fn before_words<'t>(text: &'t str, words: &str) -> Option<&'t str> {
    let mut rest = text;
    for (index, word) in words.rsplit(' ').enumerate() {
        if index > 0 {
            let shorter = rest.trim_end_matches([' ', '\t', '\n', '\r', '-', '\u{2013}']);
            if shorter.len() == rest.len() {
                return None;
            }
            rest = shorter;
        }
        rest = rest.strip_suffix(word)?;
    }
    (!rest.ends_with(char::is_alphanumeric)).then_some(rest)
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
            "मोबाइल नंबर ",
            "Mob: ",
            "Ph. ",
            "handphone ",
            "T: ",
            "Contact: ",
            "我的号码",
            "Amina | T : ",
            "phone (office): ",
            "Phone: (office) ",
            "contact no. ",
            "Contact (office) number: ",
            "numéro de contact : ",
            "número de contacto: ",
            "контактный номер: ",
            "联系方式：",
            "联系号码：",
            "رقم الاتصال: ",
            "my no. ",
            "her number is ",
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
            "call no. ",
            "our number ",
            "Amina’s no. ",
            "contact ",
            "1500 t: ",
            "don't: ",
            "a hotel (mobile phones work there, mostly) ",
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
            "ligne d’écoute ",
            "numéro d’urgence : ",
            "ligne d\u{2bc}assistance : ",
            "toll-free line ",
            "numéro vert gratuit ",
            "helpline, ",
            "hotline 24h: ",
            "national hotline (24/7): ",
            "hotline, 24 hours a day: ",
            "hotline of the Ministry of Labour: ",
            "hotline in Kampala: ",
            "helpline for migrants (",
            "ligne d’écoute du ministère : ",
        ] {
            assert_eq!(cue(text), Cue::Published, "{text:?}");
        }
        for text in [
            "hotline and mobile ",
            "our hotline, or Amina's mobile ",
            "hotlines fail; tel. ",
            "the hotline, mobile ",
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
        assert_eq!(cue("Parcel no. "), Cue::Number);
        assert_eq!(cue("Reg. no. "), Cue::Number);
        assert_eq!(cue("No. "), Cue::Bare);
        assert_eq!(cue("We waited. No. "), Cue::Bare);
    }

    #[test]
    fn what_somebody_else_has_is_no_published_line() {
        for text in [
            "a hotline in Kampala or Amina: ",
            "the hotline of the Ministry is closed: ",
            "a hotline in Kampala, Amina: ",
            "the hotline for those who call Amina: ",
            "hotline of one and of two and of three and four: ",
            "hotline in Kampala ",
        ] {
            assert_eq!(cue(text), Cue::None, "{text:?}");
        }
    }
}
