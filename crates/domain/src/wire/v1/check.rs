//! The form of a command's data: limits on texts and lists, which need no knowledge of what was recorded.

use std::collections::BTreeSet;
use std::fmt;

use super::text::{fault_of_url, is_blank, is_refused_in_line, is_refused_in_text};
use super::values::Policy;
use crate::rejection::{Rejection, RejectionCode};

/// The longest name, title or unit, in characters.
const MAX_NAME_CHARS: usize = 300;
/// The longest URL, in bytes.
const MAX_URL_BYTES: usize = 2048;

/// What a text is for; it decides how long it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextKind {
    /// A name, a title or a unit.
    Name,
    /// Free text: the policy says how long it may be.
    Free,
    /// A URL: no words of a person.
    Url,
}

/// Where a text stands in a command's data.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextPath {
    outer: Option<(&'static str, Option<usize>)>,
    field: &'static str,
}

impl TextPath {
    /// A field of an object of the data: `measure.unit`, `indicators[2].name`.
    pub(super) fn within(outer: (&'static str, Option<usize>), field: &'static str) -> Self {
        Self {
            outer: Some(outer),
            field,
        }
    }
}

impl fmt::Display for TextPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.outer {
            None => write!(f, "data.{}", self.field),
            Some((outer, None)) => write!(f, "data.{outer}.{}", self.field),
            Some((outer, Some(index))) => write!(f, "data.{outer}[{index}].{}", self.field),
        }
    }
}

/// The action on each text.
pub(crate) type SeeText<'a> = dyn FnMut(TextPath, TextKind, &str) -> Result<(), Rejection> + 'a;

/// Who visits the texts of a command's data.
pub(super) struct Texts<'a, 'b>(&'a mut SeeText<'b>);

/// What is checked of a command's data without knowing what was recorded.
pub(super) trait CheckForm {
    /// Visits every text that a person may have written, in the order of the fields.
    fn texts(&self, texts: &mut Texts<'_, '_>) -> Result<(), Rejection>;

    /// Checks how long its lists are, that nothing stands twice in them, and what its numbers may be.
    fn values(&self) -> Result<(), Rejection> {
        Ok(())
    }
}

impl Texts<'_, '_> {
    pub(super) fn one(
        &mut self,
        field: &'static str,
        kind: TextKind,
        text: &str,
    ) -> Result<(), Rejection> {
        (self.0)(TextPath { outer: None, field }, kind, text)
    }

    pub(super) fn maybe(
        &mut self,
        field: &'static str,
        kind: TextKind,
        text: Option<&String>,
    ) -> Result<(), Rejection> {
        text.map_or(Ok(()), |text| self.one(field, kind, text))
    }

    pub(super) fn within(
        &mut self,
        outer: (&'static str, Option<usize>),
        field: &'static str,
        kind: TextKind,
        text: Option<&String>,
    ) -> Result<(), Rejection> {
        text.map_or(Ok(()), |text| {
            (self.0)(TextPath::within(outer, field), kind, text)
        })
    }
}

/// Visits every text of a command's data that a person may have written, in the order of the fields.
pub(super) fn texts(data: &dyn CheckForm, seen: &mut SeeText<'_>) -> Result<(), Rejection> {
    data.texts(&mut Texts(seen))
}

/// Checks the form of a command's data.
pub(super) fn check(data: &dyn CheckForm, policy: &Policy) -> Result<(), Rejection> {
    texts(data, &mut |path, kind, text| {
        check_text(path, kind, text, policy)
    })?;
    data.values()
}

fn check_text(
    path: TextPath,
    kind: TextKind,
    text: &str,
    policy: &Policy,
) -> Result<(), Rejection> {
    let refuse = |code, message: String| Err(Rejection::at(code, path.to_string(), message));
    if is_blank(text) {
        let message =
            "the text has nothing to see; write it, or leave the field out if it is optional";
        return refuse(RejectionCode::TextEmpty, message.to_owned());
    }
    let (length, limit, unit) = match kind {
        // Bytes bound characters from above, so that most texts are not counted.
        TextKind::Name if text.len() <= MAX_NAME_CHARS => (0, MAX_NAME_CHARS, "characters"),
        TextKind::Name => (text.chars().count(), MAX_NAME_CHARS, "characters"),
        TextKind::Free => (text.len(), policy.max_text_bytes, "bytes"),
        TextKind::Url => (text.len(), MAX_URL_BYTES, "bytes"),
    };
    if length > limit {
        return refuse(
            RejectionCode::TextTooLong,
            format!("the text has {length} {unit}; the ledger takes {limit}"),
        );
    }
    if let Some(control) = control_character(kind, text) {
        return refuse(
            RejectionCode::ControlCharacter,
            format!(
                "the text has the control character U+{:04X}; remove it",
                u32::from(control)
            ),
        );
    }
    let fault = (kind == TextKind::Url).then(|| fault_of_url(text));
    match fault.flatten() {
        Some(fault) => refuse(RejectionCode::InvalidValue, fault.to_owned()),
        None => Ok(()),
    }
}

/// The first control character (C0 or C1) but for the line ends and tabs of free text; where a text is one line, also those that break
/// it or turn its direction.
fn control_character(kind: TextKind, text: &str) -> Option<char> {
    let free = kind == TextKind::Free;
    let beyond_ascii = if free { 0xc2 } else { 0xe2 };
    // Without branches, so that the compiler looks at many bytes at once; in UTF-8 C1 begins with 0xC2, and what disorders a line with 0xE2.
    let suspicious = text.bytes().fold(0, |found, byte| {
        let c0 = u8::from(byte < 0x20) | u8::from(byte == 0x7f);
        found | c0 | u8::from(byte == 0xc2) | u8::from(byte == beyond_ascii)
    });
    if suspicious == 0 {
        return None;
    }
    let is_refused = if free {
        is_refused_in_text
    } else {
        is_refused_in_line
    };
    text.chars().find(|letter| is_refused(*letter))
}

/// Checks a list of a change: an empty one would blank what stands.
pub(super) fn maybe_list<'a, T, K: Ord>(
    field: &'static str,
    items: Option<&'a Vec<T>>,
    most: usize,
    key: impl Fn(&'a T) -> K,
) -> Result<(), Rejection> {
    match items {
        None => Ok(()),
        Some(items) if items.is_empty() => Err(Rejection::at(
            RejectionCode::BlankingRefused,
            format!("data.{field}"),
            "an empty list would blank the field; leave it out, or name at least one",
        )),
        Some(items) => list(field, items, 1, most, key),
    }
}

/// Checks how many items a list has, and that none stands twice.
pub(super) fn list<'a, T, K: Ord>(
    field: &'static str,
    items: &'a [T],
    least: usize,
    most: usize,
    key: impl Fn(&'a T) -> K,
) -> Result<(), Rejection> {
    if items.len() < least {
        return Err(Rejection::at(
            RejectionCode::MissingField,
            format!("data.{field}"),
            "the list is empty; name at least one",
        ));
    }
    if items.len() > most {
        return Err(Rejection::at(
            RejectionCode::TooManyItems,
            format!("data.{field}"),
            format!(
                "the list has {} items; the ledger takes {most}",
                items.len()
            ),
        ));
    }
    match second_of_a_pair(items, key) {
        None => Ok(()),
        Some(index) => Err(Rejection::at(
            RejectionCode::DuplicateValue,
            format!("data.{field}[{index}]"),
            "this stands twice in the list; name it once",
        )),
    }
}

/// The index of the first item whose key came before. Short lists are compared item by item, which needs no memory.
fn second_of_a_pair<'a, T, K: Ord>(items: &'a [T], key: impl Fn(&'a T) -> K) -> Option<usize> {
    if items.len() <= 8 {
        return items.iter().enumerate().position(|(index, item)| {
            let mut before = items.iter().take(index);
            before.any(|other| key(other) == key(item))
        });
    }
    let mut seen = BTreeSet::new();
    items.iter().position(|item| !seen.insert(key(item)))
}
