//! Groups of digits in a text, with what stands between them.

use std::ops::Range;

use smallvec::SmallVec;

/// The digits of no phone number are more (ITU-T E.164 has 15, and two may dial out).
pub(super) const MAX_DIGITS: usize = 17;
/// Two numbers beside each other have more digits.
const MAX_DIGITS_OF_ONE: usize = 13;

/// Digits without a separator between them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) value: u64,
}

impl Group {
    pub(super) fn length(&self) -> usize {
        self.end - self.start
    }

    pub(super) fn is_year(&self) -> bool {
        self.length() == 4 && (1900..2100).contains(&self.value)
    }

    pub(super) fn has_zeros(&self, zeros: u32) -> bool {
        self.value.is_multiple_of(10_u64.saturating_pow(zeros))
    }
}

/// Groups of digits with separators between them.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) start: usize,
    pub(super) groups: SmallVec<[Group; 8]>,
    pub(super) separators: SmallVec<[u8; 8]>,
    pub(super) plus: bool,
    /// The first group stands in parentheses.
    pub(super) area: bool,
    pub(super) parenthesis: bool,
    /// The number of groups before each end of a line.
    pub(super) lines: SmallVec<[usize; 4]>,
}

/// Which signs may stand between the groups of a run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Separators {
    /// Spaces, hyphens, full stops, parentheses.
    Ascii,
    /// A dash between digits too.
    All,
    /// A slash between digits too.
    AllAndSlash,
    /// The end of a line too.
    AllAndLines,
}

/// The byte that stands for the end of a line.
const LINE_END: u8 = b'\n';

/// The length of the end of a line in bytes, with the spaces at the beginning of the next line.
/// `None` if the next line begins with the number of an item: `2. `, `10) `.
fn next_line(rest: &[u8]) -> Option<usize> {
    let end = 1 + usize::from(rest.starts_with(b"\r\n"));
    let spaces = rest.iter().skip(end).take_while(|byte| is_space(**byte));
    let length = end + spaces.count();
    let line = rest.get(length..).unwrap_or_default();
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let item = (1..=2).contains(&digits)
        && matches!(line.get(digits), Some(b'.' | b')'))
        && line.get(digits + 1).is_none_or(u8::is_ascii_whitespace);
    (!item).then_some(length)
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

impl Separators {
    /// The length of the sign at the beginning in bytes, and the ASCII sign that it stands for.
    pub(super) fn sign(self, rest: &[u8]) -> Option<(usize, u8)> {
        let close = |after: &[u8]| after.first().is_some_and(u8::is_ascii_digit);
        match rest {
            [sign @ (b'(' | b')' | b' ' | b'-' | b'.'), ..] => Some((1, *sign)),
            [b'\t', ..] => Some((1, b' ')),
            [b'\n' | b'\r', ..] if self == Self::AllAndLines => Some((next_line(rest)?, LINE_END)),
            [b'/', after @ ..] if self == Self::AllAndSlash && close(after) => Some((1, b'/')),
            // U+2013: the plain text has no other dash.
            [0xe2, 0x80, 0x93, after @ ..] if self != Self::Ascii && close(after) => {
                Some((3, b'-'))
            }
            _ => None,
        }
    }
}

impl Run {
    /// Reads the run that begins at `start`, and where to look for the next one. What has too many digits for a phone number is read
    /// to the end of the digits that stand together, and no further.
    pub(super) fn read(text: &[u8], start: usize, separators: Separators) -> (Self, usize) {
        let mut run = Self {
            start,
            groups: SmallVec::new(),
            separators: SmallVec::new(),
            plus: text.get(start) == Some(&b'+'),
            area: false,
            parenthesis: false,
            lines: SmallVec::new(),
        };
        let mut at = start + usize::from(run.plus);
        let mut further = at;
        let mut signs: SmallVec<[u8; 4]> = SmallVec::new();
        let mut inner = None;
        while run.digits() <= MAX_DIGITS {
            let rest = text.get(at..).unwrap_or_default();
            if let Some(group) = group(rest, at) {
                if !run.groups.is_empty() {
                    let shown = |sign: &u8| !matches!(*sign, b' ' | LINE_END);
                    let seen = signs.iter().copied().find(shown);
                    run.separators.push(seen.unwrap_or(b' '));
                    if signs.contains(&LINE_END) {
                        run.lines.push(run.groups.len());
                    }
                }
                run.area |= run.groups.is_empty()
                    && signs.contains(&b'(')
                    && text.get(group.end) == Some(&b')');
                run.parenthesis |= signs.contains(&b'(');
                signs.clear();
                run.groups.push(group);
                at = group.end;
                further = at;
                continue;
            }
            let Some((length, sign)) = separators.sign(rest).filter(|_| signs.len() < 3) else {
                break;
            };
            if sign == b'(' && run.digits() >= 4 {
                inner.get_or_insert(at);
            }
            signs.push(sign);
            at += length;
        }
        // A parenthesis within may begin another number.
        (run, inner.map_or(further, |inner| inner.min(further)))
    }

    pub(super) fn digits(&self) -> usize {
        self.groups.iter().map(Group::length).sum()
    }

    pub(super) fn range(&self) -> Range<usize> {
        let end = self.groups.last().map_or(self.start, |group| group.end);
        self.start..end
    }

    /// The number of zeros at the beginning.
    pub(super) fn leading_zeros(&self, text: &[u8]) -> usize {
        let digits = self.digits_of(text);
        digits.iter().take_while(|digit| **digit == b'0').count()
    }

    pub(super) fn digits_of(&self, text: &[u8]) -> SmallVec<[u8; 24]> {
        let groups = self.groups.iter();
        groups
            .filter_map(|group| text.get(group.start..group.end))
            .flatten()
            .copied()
            .collect()
    }

    pub(super) fn continues_after_slash(&self, text: &[u8]) -> bool {
        let end = self.range().end;
        text.get(end) == Some(&b'/') && text.get(end + 1).is_some_and(u8::is_ascii_digit)
    }

    /// Returns true when digits begin the next line, and nothing but spaces or a hyphen stands
    /// before them.
    pub(super) fn continues_on_next_line(&self, text: &[u8]) -> bool {
        let rest = text.get(self.range().end..).unwrap_or_default();
        let signs = rest
            .iter()
            .take(3)
            .take_while(|byte| is_space(**byte) || matches!(byte, b'-' | b'.' | b')'));
        let rest = rest.get(signs.count()..).unwrap_or_default();
        matches!(rest, [b'\n' | b'\r', ..])
            && next_line(rest)
                .and_then(|length| rest.get(length))
                .is_some_and(|byte| matches!(byte, b'0'..=b'9' | b'(' | b'-' | b'\n' | b'\r'))
    }

    /// Returns true when the run begins like a call to another country: with `+` or `00`.
    pub(super) fn dials_out(&self, text: &[u8]) -> bool {
        self.plus || self.leading_zeros(text) == 2
    }

    /// As much of it as has so many groups.
    pub(super) fn first_groups(&self, count: usize) -> Self {
        let mut first = self.clone();
        first.groups.truncate(count);
        first.separators.truncate(count.saturating_sub(1));
        first
    }

    /// Returns true when the run may be the area code before a slash: `0712/345678`.
    pub(super) fn may_be_area(&self, text: &[u8]) -> bool {
        self.groups.len() == 1 && (3..=5).contains(&self.digits()) && self.leading_zeros(text) == 1
    }

    /// Returns true when a slash stands between groups, and not only after an area code.
    pub(super) fn is_path(&self) -> bool {
        let mut separators = self.separators.iter();
        let area = separators.next() == Some(&b'/');
        separators.any(|separator| *separator == b'/')
            || area && self.groups.iter().any(Group::is_year)
    }

    /// The first of two numbers with a space between them: the second begins with a zero too.
    pub(super) fn first_of_two(&self) -> Option<Self> {
        if self.digits() <= MAX_DIGITS_OF_ONE {
            return None;
        }
        let mut digits = 0;
        let starts_second = |group: &Group| {
            let second = digits >= 9
                && group.length() > 1
                && group.value < 10_u64.saturating_pow(number(group.length() - 1));
            digits += group.length();
            second
        };
        let count = self.groups.iter().position(starts_second)?;
        Some(self.first_groups(count))
    }

    /// Returns true when all separators are the same, but for a slash after an area code.
    pub(super) fn has_one_separator(&self) -> bool {
        let area = usize::from(self.separators.first() == Some(&b'/'));
        let rest = self.separators.get(area..).unwrap_or_default();
        let mut pairs = rest.windows(2);
        pairs.all(|pair| matches!(pair, [a, b] if a == b))
    }

    /// `1 500 000`, `12.500.000.000`: thousands. Phone numbers are written in threes too, like +254 700 123 456, but none begins with
    /// one digit alone, and few end in three zeros.
    pub(super) fn is_amount(&self, text: &[u8]) -> bool {
        let (Some((first, thousands)), Some(b' ' | b'.')) =
            (self.groups.split_first(), self.separators.first())
        else {
            return false;
        };
        let round = thousands.last().is_some_and(|last| last.value == 0);
        self.leading_zeros(text) == 0
            && !self.parenthesis
            && self.has_one_separator()
            && thousands.len() >= 2
            && thousands.iter().all(|group| group.length() == 3)
            && (first.length() == 1 || first.length() <= 3 && round)
    }

    /// Days, months and years, or years alone.
    pub(super) fn is_date(&self) -> bool {
        self.groups.iter().any(Group::is_year)
            && self
                .groups
                .iter()
                .all(|group| group.length() <= 2 || group.is_year())
    }

    /// `05 06 07 08 09`: objectives, months or days, each a number of two digits and above the one before.
    pub(super) fn is_enumeration(&self) -> bool {
        let mut pairs = self.groups.windows(2);
        let few = |group: &Group| group.length() == 2 && group.value <= 31;
        self.groups.iter().all(few) && pairs.all(|pair| matches!(pair, [a, b] if a.value < b.value))
    }

    /// Returns true when three zeros or more end a number in the form of a count: in one piece, or
    /// in thousands.
    pub(super) fn is_round(&self) -> bool {
        let last = self.groups.last();
        last.is_some_and(|last| last.has_zeros(3)) && self.counts()
    }

    /// Returns true when the number has the form of a count: in one piece, or in thousands.
    pub(super) fn counts(&self) -> bool {
        let thousands = self.groups.iter().skip(1).all(|group| group.length() == 3);
        !self.plus
            && thousands
            && self
                .separators
                .iter()
                .all(|separator| matches!(separator, b' ' | b'.'))
    }
}

/// A small number as a power.
fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// The digits at the beginning, which stand at `at`.
fn group(rest: &[u8], at: usize) -> Option<Group> {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
    let mut value = 0_u64;
    let mut length = 0;
    for digit in digits {
        value = value
            .saturating_mul(10)
            .saturating_add(u64::from(digit - b'0'));
        length += 1;
    }
    (length > 0).then_some(Group {
        start: at,
        end: at + length,
        value,
    })
}
