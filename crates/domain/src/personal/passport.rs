//! Passport numbers: after the word for passport, and in the machine-readable lines of ICAO 9303.

use std::ops::Range;

use crate::compare::folded;

/// What has fewer digits is no passport number.
pub(super) const MIN_DIGITS: usize = 5;

/// The words for passport, in the UN's languages and some more.
const PASSPORTS: [&str; 18] = [
    "passport",
    "passports",
    "passeport",
    "passeports",
    "pasaporte",
    "pasaportes",
    "паспорт",
    "паспорта",
    "паспорту",
    "паспортом",
    "паспорте",
    "загранпаспорт",
    "загранпаспорта",
    "reisepass",
    "passaporte",
    "passaporto",
    "pasaport",
    "paspor",
];
/// In Chinese, before a word for "number" if there is one.
const PASSPORTS_HAN: [&str; 2] = ["护照", "護照"];
/// In Arabic, articles and possessives cling to the word.
const PASSPORT_ARABIC: &str = "جواز";
const COPULAS: [&str; 8] = ["is", "was", "est", "es", "ist", "السفر", "سفر", "سفره"];
const NUMBERS: [&str; 21] = [
    "no",
    "nr",
    "number",
    "num",
    "n°",
    "nº",
    "n",
    "numéro",
    "numero",
    "número",
    "№",
    "серия",
    "серии",
    "номер",
    "رقم",
    "رقمه",
    "رقمها",
    "برقم",
    "nummer",
    "ref",
    "º",
];
const NUMBERS_HAN: [&str; 6] = ["号码", "號碼", "编号", "編號", "号", "號"];

/// What was read before a word that may be the number of a passport.
#[derive(Clone, Copy, Default)]
struct Before {
    /// The word for passport.
    passport: bool,
    /// A word for "number" after it.
    number: bool,
    /// A colon after it.
    colon: bool,
    /// Where letters or digits stand that are set apart from the rest of their number: `A 1234567`, `45 10 123456`.
    part: Option<Part>,
}

#[derive(Clone, Copy)]
struct Part {
    start: usize,
    digits: usize,
}

/// The first number or machine-readable line that begins at byte `from` of the plain text or after it.
pub(super) fn next(text: &str, from: usize) -> Option<Range<usize>> {
    let mut before = Before::default();
    let mut words = Words { text, at: from };
    while let Some((range, parting)) = words.next() {
        let word = text.get(range.clone()).unwrap_or_default();
        if is_machine_readable(word) {
            return Some(range);
        }
        // Only short words can be a cue or a number, so a long text costs no folded copy.
        if word.len() > 48 {
            before = Before::default();
            continue;
        }
        before.colon |= parting.contains(':');
        if let Some(start) = before.number_with(word, range.start) {
            return Some(start..range.end);
        }
        before = before.after(word, range.start);
    }
    None
}

/// Words, with what parts each from the one before. A word is of one script as far as that has no spaces: `护照号E12345678` is two.
struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<(Range<usize>, &'a str)> {
        let rest = self.text.get(self.at..)?;
        let in_word = |letter: char| {
            letter.is_alphanumeric() || matches!(letter, '<' | '°' | '\u{300}'..='\u{36f}')
        };
        let start = rest.find(|letter| in_word(letter) || letter == '№')?;
        let parting = rest.get(..start)?;
        let word = rest.get(start..)?;
        let first = word.chars().next()?;
        let han = is_han(first);
        let length = if first == '№' {
            first.len_utf8()
        } else {
            word.find(|letter| !in_word(letter) || is_han(letter) != han)
                .unwrap_or(word.len())
        };
        let begins = self.at + start;
        self.at = begins + length;
        Some((begins..self.at, parting))
    }
}

fn is_han(letter: char) -> bool {
    matches!(letter, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

impl Before {
    /// Where the number begins that this word is, or ends.
    fn number_with(self, word: &str, start: usize) -> Option<usize> {
        if !self.passport {
            return None;
        }
        let digits = word.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(part) = self.part.filter(|_| digits) {
            // One or two letters and the digits, or the Russian series and number.
            let whole = match part.digits {
                0 => (6..=8).contains(&word.len()),
                4 => word.len() == 6,
                _ => false,
            };
            if whole {
                return Some(part.start);
            }
        }
        let after_colon = self.colon && word.len() >= 8 && !word.ends_with("000");
        is_number(word, self.number || after_colon).then_some(start)
    }

    /// What is known after the word, which begins at byte `start`.
    fn after(self, word: &str, start: usize) -> Self {
        if let Some(named) = passport(word) {
            return named;
        }
        if !self.passport {
            return Self::default();
        }
        let lower = folded(word);
        let capitals = word.bytes().all(|byte| byte.is_ascii_uppercase());
        let digits = word.bytes().all(|byte| byte.is_ascii_digit());
        let number = NUMBERS.contains(&lower.as_ref()) || NUMBERS_HAN.contains(&lower.as_ref());
        if number {
            Self {
                number: true,
                ..self
            }
        } else if COPULAS.contains(&lower.as_ref()) || matches!(word, "为" | "為" | "是") {
            self
        } else if capitals && word.len() <= 1 + usize::from(self.number) {
            let part = Some(Part { start, digits: 0 });
            Self { part, ..self }
        } else if digits && matches!(word.len(), 2 | 4) {
            let earlier = self.part.filter(|part| part.digits == 2 && word.len() == 2);
            let part = earlier.map_or(
                Part {
                    start,
                    digits: word.len(),
                },
                |part| Part { digits: 4, ..part },
            );
            Self {
                part: Some(part),
                ..self
            }
        } else {
            Self::default()
        }
    }
}

/// What is known after a word for passport, if this is one.
fn passport(word: &str) -> Option<Before> {
    let named = Before {
        passport: true,
        ..Before::default()
    };
    if word.chars().next().is_some_and(is_han) {
        let word = word.trim_end_matches(['为', '為', '是']);
        let number = NUMBERS_HAN
            .iter()
            .find_map(|number| word.strip_suffix(number));
        let word = number.unwrap_or(word);
        let is_one = PASSPORTS_HAN
            .iter()
            .any(|passport| word.ends_with(passport));
        return is_one.then_some(Before {
            number: number.is_some(),
            ..named
        });
    }
    let lower = folded(word);
    let arabic = || {
        let (before, after) = lower.split_once(PASSPORT_ARABIC)?;
        (before.chars().count() <= 3 && after.chars().count() <= 2).then_some(())
    };
    (PASSPORTS.contains(&lower.as_ref()) || arabic().is_some()).then_some(named)
}

/// `A1234567`, `a1234567`; digits alone only after a word for "number", as amounts follow passports too.
fn is_number(word: &str, after_number_word: bool) -> bool {
    let count = |of: fn(&u8) -> bool| word.bytes().filter(of).count();
    let digits = count(u8::is_ascii_digit);
    let capitals = count(u8::is_ascii_uppercase);
    let small = count(u8::is_ascii_lowercase);
    let in_front = || {
        let number = word.trim_start_matches(|letter: char| letter.is_ascii_lowercase());
        small <= 2 && number.len() == digits
    };
    digits + capitals + small == word.len()
        && (6..=9).contains(&word.len())
        && digits >= MIN_DIGITS
        && (capitals + small > 0 || after_number_word)
        && (small == 0 || in_front())
}

/// A line of a passport's machine-readable zone: the first with the name, or the second with the number.
fn is_machine_readable(word: &str) -> bool {
    let zone = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'<';
    let first = word.len() >= 30 && word.starts_with("P<") && word.contains("<<");
    (first || is_second_line(word.as_bytes())) && word.bytes().all(zone)
}

/// Number and check digit, nationality, date of birth, sex, date of expiry (ICAO 9303, parts 4 and 6).
fn is_second_line(line: &[u8]) -> bool {
    let all = |range: Range<usize>, of: fn(&u8) -> bool| {
        line.get(range).is_some_and(|part| part.iter().all(of))
    };
    matches!(line.len(), 36 | 44)
        && all(9..10, u8::is_ascii_digit)
        && all(10..13, |byte| byte.is_ascii_uppercase() || *byte == b'<')
        && all(13..20, u8::is_ascii_digit)
        && all(20..21, |byte| matches!(byte, b'M' | b'F' | b'X' | b'<'))
        && all(21..28, u8::is_ascii_digit)
}
