//! Phone numbers.
//!
//! A number is one by its form, or by the [words before it](super::cue). By its form: with `+` or `00`, a calling code and as
//! many digits as its country has; with one leading zero and nine to eleven digits; in the form of North America; with an area code in
//! parentheses. After a word for phone or for contact details: any number but a date, an amount or a count of something.
//! No number after a word for a document, and none of a line that is published.

use std::ops::Range;

use smallvec::SmallVec;

use super::calling_codes;
use super::cue::{Cue, Strength, is_published_name};
use super::run::{Group, MAX_DIGITS, Run, Separators};
use super::words::UNITS;

/// What has fewer digits is no phone number that one could tell from another number, unless a label announces it.
const MIN_DIGITS: usize = 7;
/// What has fewer digits is none after a label either.
const MIN_LABELLED_DIGITS: usize = 5;
/// The most bytes that are read of a name in parentheses after a number.
const INSIDE_BYTES_MAX: usize = 48;
/// The most bytes that are read of a word after a number.
const WORD_BYTES_MAX: usize = 48;

/// Whether a text with so many digits may hold a number.
pub(super) fn is_possible(digits: usize) -> bool {
    digits >= MIN_LABELLED_DIGITS
}

/// The first number that begins at byte `from` of the plain text or after it.
pub(super) fn next(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        if !matches!(byte, b'+' | b'(' | b'0'..=b'9') {
            at += 1;
            continue;
        }
        let (run, further) = Run::read(bytes, at, Separators::All);
        if let Some(found) = number_at(text, &run) {
            return Some(found);
        }
        at = further.max(at + 1);
    }
    None
}

/// The number that begins where the run does, if one does.
fn number_at(text: &str, run: &Run) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let wider = run.continues_after_slash(bytes);
    let broken = run.continues_on_next_line(bytes);
    if run.digits() < MIN_LABELLED_DIGITS && !wider && !broken {
        return None;
    }
    let candidate = Candidate {
        text,
        cue: Cue::before(text, run.start),
    };
    let accepted = |run: &Run| candidate.is_number(run).then(|| run.range());
    let labelled = matches!(candidate.cue, Cue::Phone(_));
    if wider && (labelled || run.plus || run.may_be_area(bytes)) {
        let (whole, _) = Run::read(bytes, run.start, Separators::AllAndSlash);
        if let Some(found) = accepted(&whole) {
            return Some(found);
        }
    }
    // A dash may also stand between two numbers, and so may a space.
    let found = accepted(run)
        .or_else(|| accepted(&Run::read(bytes, run.start, Separators::Ascii).0))
        .or_else(|| accepted(&run.first_of_two()?));
    let is_whole = found.is_some() && (!broken || candidate.has_form(run));
    if !broken || is_whole || !(labelled || run.dials_out(bytes)) {
        return found;
    }
    let (whole, _) = Run::read(bytes, run.start, Separators::AllAndLines);
    candidate.over_lines(&whole).or(found)
}

/// A place where a number may begin, and what is said before it.
struct Candidate<'a> {
    text: &'a str,
    cue: Cue,
}

impl Candidate<'_> {
    fn is_number(&self, run: &Run) -> bool {
        let digits = run.digits();
        if digits > MAX_DIGITS || self.cue == Cue::Published || !self.stands_free(run) {
            return false;
        }
        let is_number = match self.cue {
            Cue::Phone(strength) => self.is_announced(run, strength) || self.has_form(run),
            Cue::None | Cue::Number | Cue::Bare | Cue::Document | Cue::Published => {
                self.has_form(run)
            }
        };
        is_number && !self.is_published_after(run)
    }

    /// Returns true when the words in parentheses after it are those for a published line:
    /// `0800 123 456 (hotline)`.
    fn is_published_after(&self, run: &Run) -> bool {
        let rest = self.text.get(run.range().end..).unwrap_or_default();
        let Some(inside) = rest.trim_start_matches(' ').strip_prefix('(') else {
            return false;
        };
        let to = inside.floor_char_boundary(INSIDE_BYTES_MAX);
        let name = inside.get(..to).and_then(|inside| inside.split_once(')'));
        name.is_some_and(|(name, _)| is_published_name(name))
    }

    /// The shortest number of two lines or more with which the run begins.
    fn over_lines(&self, run: &Run) -> Option<Range<usize>> {
        let is_number = |run: &Run| self.is_sure(run) && self.is_number(run);
        let counts = run.lines.iter().skip(1).copied();
        counts
            .chain([run.groups.len()])
            .map(|count| run.first_groups(count))
            .find(is_number)
            .map(|run| run.range())
    }

    /// Returns true when the number can be told from numbers below each other in a table. It is
    /// dialled from another country, or a label stands before it. The form of the number, or a
    /// place on the same line, makes sure of the label.
    fn is_sure(&self, run: &Run) -> bool {
        let text = self.text.as_bytes();
        let digits = run.digits_of(text);
        let international = run.plus && calling_codes::fits(&digits);
        if international || is_dialled_out(run, text) {
            return !run.is_date();
        }
        let line = self.text.get(..run.start).unwrap_or_default();
        let line = line.trim_end_matches([' ', '\t', '(']);
        let beside = matches!(self.cue, Cue::Phone(Strength::Label | Strength::Contact))
            && !line.ends_with(['\n', '\r']);
        let announced = beside && digits.len() >= MIN_DIGITS && !self.counts_something(run);
        let national = matches!(self.cue, Cue::Phone(_)) && is_national(run, text);
        (announced || national) && !run.groups.iter().any(Group::is_year)
    }

    /// Whether neither side of the run continues a word, a path, a code or a number.
    fn stands_free(&self, run: &Run) -> bool {
        let text = self.text.as_bytes();
        let range = run.range();
        let labelled = matches!(self.cue, Cue::Phone(_));
        let joins = |byte: &u8| {
            byte.is_ascii_alphanumeric()
                || matches!(
                    byte,
                    b'/' | b'_' | b'-' | b'=' | b'&' | b'%' | b'$' | b'#' | b'@' | b'+'
                )
        };
        let before = range.start.checked_sub(1).and_then(|index| text.get(index));
        // What stands before belongs to the label, if there is one: `tel.0712345678`. A plus sign begins a number of its own.
        let continued = !labelled
            && before.is_some_and(|byte| {
                if run.plus {
                    byte.is_ascii_digit() || matches!(byte, b'+' | b'$')
                } else {
                    joins(byte) || matches!(byte, b'.' | b',')
                }
            });
        let rest = self.text.get(range.end..).unwrap_or_default();
        let after = rest.as_bytes().first();
        let another = (run.plus || labelled)
            && matches!(
                after,
                Some(b'/' | b'-' | b'+' | b'&' | b'_' | b'=' | b'#' | b'@')
            );
        let free = another || self.word_follows(run, rest) || !after.is_some_and(joins);
        !continued && !is_fraction(rest) && free
    }

    /// Returns true when a word follows without a space: `0712 345 678Timeline`, `+254712345678x`,
    /// `0712345678-Amina`. Digits in one piece are a code where single letters, hexadecimal digits
    /// or more digits follow: `030640615X`, `0123456789abcdef`.
    fn word_follows(&self, run: &Run, rest: &str) -> bool {
        if run.digits() < MIN_DIGITS {
            return false;
        }
        if run.plus || run.groups.len() > 1 || matches!(self.cue, Cue::Phone(_)) {
            return is_word(rest) || glued(rest).is_some();
        }
        let apart = rest.strip_prefix(['-', '/']);
        let Some(word) = glued(apart.unwrap_or(rest)) else {
            return false;
        };
        let is_one = word.len() > 1 || (apart.is_none() && run.digits() > 9);
        is_one && !is_hexadecimal(word) && (apart.is_none() || is_word(word))
    }

    /// Whether a number after a word for phone is one: no date, no amount, and nothing that is counted.
    fn is_announced(&self, run: &Run, strength: Strength) -> bool {
        let text = self.text.as_bytes();
        let digits = run.digits();
        let least = match strength {
            Strength::Label => MIN_LABELLED_DIGITS,
            Strength::Word | Strength::Contact => MIN_DIGITS,
        };
        if digits < least || run.is_date() {
            return false;
        }
        let counts = run.counts() && run.leading_zeros(text) == 0;
        if counts
            && self
                .next_word(run)
                .is_some_and(|word| UNITS.contains(&word.to_lowercase().as_str()))
        {
            return false;
        }
        let counted = counts && self.counts_something(run);
        if run.is_amount(text) && (strength != Strength::Label || counted || run.is_round()) {
            return false;
        }
        match strength {
            Strength::Label => !(counted && (digits < MIN_DIGITS || run.is_round())),
            Strength::Contact => !run.is_round() && !counted,
            Strength::Word => !run.is_round() && (!counted || digits >= 9),
        }
    }

    /// Whether a word follows that may be what is counted: `1500000 clinics`, and not `4567890 or`.
    fn counts_something(&self, run: &Run) -> bool {
        const OTHERS: [&str; 28] = [
            "and",
            "or",
            "for",
            "to",
            "at",
            "in",
            "on",
            "from",
            "between",
            "after",
            "before",
            "if",
            "ext",
            "extension",
            "during",
            "fax",
            "tel",
            "phone",
            "mobile",
            "email",
            "mail",
            "y",
            "o",
            "et",
            "ou",
            "today",
            "now",
            "и",
        ];
        self.next_word(run).is_some_and(|word| {
            word.chars().next().is_some_and(char::is_lowercase) && !OTHERS.contains(&word)
        })
    }

    /// The word after a space.
    fn next_word(&self, run: &Run) -> Option<&str> {
        let rest = self
            .text
            .get(run.range().end..)?
            .strip_prefix([' ', '\t'])?;
        let to = rest.floor_char_boundary(WORD_BYTES_MAX);
        let mut words = rest
            .get(..to)?
            .split(|letter: char| !letter.is_alphabetic());
        words.next()
    }

    /// Returns true when the words before the number allow one without separators. Numbers of
    /// documents begin with zeros too. Those of mobile phones mostly go on with a digit from 4
    /// to 9.
    fn may_be_in_one_piece(&self, run: &Run) -> bool {
        let mobile = || {
            let digits = run.digits_of(self.text.as_bytes());
            digits.get(1).is_some_and(|second| *second >= b'4')
        };
        match self.cue {
            Cue::Number => run.groups.len() > 1,
            Cue::Bare => run.groups.len() > 1 || mobile(),
            Cue::None | Cue::Document | Cue::Published | Cue::Phone(_) => true,
        }
    }

    fn has_form(&self, run: &Run) -> bool {
        let text = self.text.as_bytes();
        let digits = run.digits();
        if digits < MIN_DIGITS || run.is_amount(text) {
            return false;
        }
        if is_international(run, text) {
            return true;
        }
        let documented = self.cue == Cue::Document;
        !run.plus
            && !documented
            && !run.is_date()
            && (is_dialled_out(run, text)
                || (is_national(run, text) && self.may_be_in_one_piece(run))
                || is_north_american(run)
                || is_russian(run)
                || has_area(run))
    }
}

/// Whether a word begins here: two letters of which the second is small.
fn is_word(rest: &str) -> bool {
    let mut letters = rest.chars();
    letters.next().is_some_and(char::is_alphabetic)
        && letters.next().is_some_and(char::is_lowercase)
}

/// The letters that begin here, if they are a word to its end, or announce an extension: `x12`.
fn glued(rest: &str) -> Option<&str> {
    let end = rest
        .find(|letter: char| !letter.is_alphabetic())
        .unwrap_or(rest.len());
    let (letters, after) = rest.split_at_checked(end)?;
    let goes_on = after.starts_with(|letter: char| letter.is_numeric() || letter == '_');
    let extension = ["x", "ext"]
        .iter()
        .any(|word| letters.eq_ignore_ascii_case(word));
    (!letters.is_empty() && (!goes_on || extension)).then_some(letters)
}

/// Returns true when the letters are hexadecimal digits, all small or all capitals.
fn is_hexadecimal(letters: &str) -> bool {
    let all = |digit: fn(&u8) -> bool| letters.bytes().all(|byte| digit(&byte));
    all(|byte| matches!(byte, b'a'..=b'f')) || all(|byte| matches!(byte, b'A'..=b'F'))
}

/// A comma with digits after it: a decimal or thousands. Seven digits are another number.
fn is_fraction(rest: &str) -> bool {
    let digits = rest.strip_prefix(',').map(|after| {
        let digits = after.bytes().take(MIN_DIGITS);
        digits.take_while(u8::is_ascii_digit).count()
    });
    digits.is_some_and(|digits| digits > 0 && digits < MIN_DIGITS)
}

/// `+254 20 123 4567`, `+37410-594023`: the calling code stands alone, or with an area code after it.
fn is_international(run: &Run, text: &[u8]) -> bool {
    let digits = run.digits_of(text);
    // A code set apart, and groups that are no thousands: a digit more or less than the plan has is a slip.
    let apart = run.groups.len() > 1 && !run.groups.iter().skip(1).all(|group| group.length() == 3);
    run.plus
        && begins_with_code(run, text, 0)
        && (calling_codes::fits(&digits) || apart && (8..=15).contains(&digits.len()))
}

/// Whether the first group after so many zeros is a calling code, or has one and more.
fn begins_with_code(run: &Run, text: &[u8], zeros: usize) -> bool {
    let first = run
        .groups
        .first()
        .and_then(|group| text.get(group.start + zeros..group.end));
    first.is_some_and(|first| {
        run.groups.len() == 1 || first.len() >= 4 || calling_codes::is_code(first)
    })
}

/// `0044 20 7946 0958`; `011 254 712 345 678` with what other countries than most dial first, apart from the number.
fn is_dialled_out(run: &Run, text: &[u8]) -> bool {
    const ELSEWHERE: [&[u8]; 3] = [b"011", b"0011", b"010"];
    if let [first, code, ..] = run.groups.as_slice() {
        let value = |group: &Group| text.get(group.start..group.end).unwrap_or_default();
        let dialled = ELSEWHERE.contains(&value(first));
        let begins = code.length() >= 4 || calling_codes::is_code(value(code));
        let digits = run.digits_of(text);
        let number = digits.get(first.length()..).unwrap_or_default();
        if dialled && begins && number.len() >= MIN_DIGITS && calling_codes::fits(number) {
            return true;
        }
    }
    let digits = run.digits_of(text);
    let apart = run.groups.first().is_some_and(|first| first.length() == 2);
    digits.len() >= 10
        && run.leading_zeros(text) == 2
        && (apart || begins_with_code(run, text, 2))
        && digits.get(2..).is_some_and(calling_codes::fits)
}

/// `0712 345 678`, `(020) 7946 0958`; not `01.02.2014 12`, which is a date and an hour.
fn is_national(run: &Run, text: &[u8]) -> bool {
    let lengths: SmallVec<[usize; 8]> = run.groups.iter().map(Group::length).collect();
    run.leading_zeros(text) == 1
        && (9..=11).contains(&run.digits())
        && lengths.first().is_some_and(|first| *first >= 2)
        && (run.has_one_separator() || run.parenthesis)
        && !matches!(lengths.as_slice(), [2, 2, 4, ..])
        && !run.is_path()
        && !run.is_enumeration()
}

/// `555-123-4567`, `1 (555) 123-4567`: an area code begins with 2 to 9.
fn is_north_american(run: &Run) -> bool {
    let ([area, exchange, line], separators) = (match run.groups.as_slice() {
        [one, rest @ ..] if one.length() == 1 && one.value == 1 => {
            (rest, run.separators.get(1..).unwrap_or_default())
        }
        groups => (groups, run.separators.as_slice()),
    }) else {
        return false;
    };
    [area.length(), exchange.length(), line.length()] == [3, 3, 4]
        && area.value >= 200
        && exchange.value >= 100
        && separators.iter().all(|separator| *separator != b' ')
}

/// `8-916-123-45-67`, `8 (495) 123-45-67`: 8 or 7, and the area code of a city or a mobile network.
fn is_russian(run: &Run) -> bool {
    let lengths: SmallVec<[usize; 8]> = run.groups.iter().map(Group::length).collect();
    let Some(trunk) = run.groups.first().filter(|_| run.digits() == 11) else {
        return false;
    };
    let hyphen = run.separators.contains(&b'-');
    let area = run.groups.get(1).map_or(0, |area| area.value);
    let plain = matches!(
        lengths.as_slice(),
        [1, 3, 3, 2, 2] | [1, 3, 3, 4] | [1, 3, 7]
    );
    let is_trunk = trunk.length() == 1 && matches!(trunk.value, 7 | 8);
    (run.parenthesis && trunk.length() == 1 && trunk.value == 8)
        || (is_trunk && plain && hyphen && area >= 300)
}

/// `(61) 3216-2010`: an area code in parentheses, and a number with a hyphen that is no range of numbers.
fn has_area(run: &Run) -> bool {
    let Some((area, line)) = run.groups.split_first().filter(|_| run.area) else {
        return false;
    };
    let digits: usize = line.iter().map(Group::length).sum();
    (2..=4).contains(&area.length())
        && (7..=8).contains(&digits)
        && run
            .separators
            .iter()
            .skip(1)
            .any(|separator| *separator == b'-')
        && !line.iter().any(Group::is_year)
        && line.last().is_some_and(|last| !last.has_zeros(2))
}
