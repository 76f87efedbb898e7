//! Free text, and the outline of an event: what stays of its data when its free texts are withheld.
//!
//! [`outline`] gives the same JSON with each free text replaced by [`WITHHELD`]. Keys, types and list lengths stay, so
//! the same decoder and the same fold read it, and no count moves. The digest of the outline stands in the leaf beside
//! that of the data: a later redaction can be checked against it.
use std::borrow::Cow;

use super::event_body::EventType;
use super::members::{Elements, Members, OtherForm};
use super::shape::{Field, Shape};

/// The text that stands where a free text was withheld.
pub const WITHHELD: &str = "[withheld]";
/// The same as a JSON string.
const WITHHELD_JSON: &[u8] = b"\"[withheld]\"";

/// Data that is not written as the ledger writes it: it has no outline.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the data of a {} event is not written as the ledger writes it", event_type.name())]
pub struct NoOutline {
    /// The type of the event.
    pub event_type: EventType,
}

/// What stays of an event's data when its free texts are withheld: the data itself where it has none.
///
/// # Errors
/// [`NoOutline`] if the data is not written as the ledger writes it.
pub fn outline(event_type: EventType, data: &[u8]) -> Result<Cow<'_, [u8]>, NoOutline> {
    let mut outline = Outline {
        data,
        copied: 0,
        out: Vec::new(),
    };
    match outline.value(event_type.shape(), data) {
        Ok(()) => Ok(outline.finish()),
        Err(OtherForm) => Err(NoOutline { event_type }),
    }
}

/// An outline being written.
struct Outline<'a> {
    data: &'a [u8],
    /// Bytes of the data that were copied or replaced.
    copied: usize,
    out: Vec<u8>,
}

impl<'a> Outline<'a> {
    /// Goes through a value, which is a part of the data.
    fn value(&mut self, shape: &Shape, value: &'a [u8]) -> Result<(), OtherForm> {
        match shape {
            Shape::Kept | Shape::Joined => Ok(()),
            Shape::Free => self.withhold(value),
            Shape::Object(fields) => self.object(fields, value),
            Shape::List(each) => {
                for element in Elements::of(value).ok_or(OtherForm)? {
                    self.value(each, element?)?;
                }
                Ok(())
            }
        }
    }

    fn object(&mut self, fields: &[Field], value: &'a [u8]) -> Result<(), OtherForm> {
        for member in Members::of(value).ok_or(OtherForm)? {
            let (name, value) = member?;
            if let Some(field) = fields.iter().find(|field| field.name.as_bytes() == name) {
                self.value(&field.shape, value)?;
            }
        }
        Ok(())
    }

    fn withhold(&mut self, text: &[u8]) -> Result<(), OtherForm> {
        if !text.starts_with(b"\"") {
            return Err(OtherForm);
        }
        let start = text.as_ptr().addr() - self.data.as_ptr().addr();
        let before = self.data.get(self.copied..start).ok_or(OtherForm)?;
        if self.copied == 0 {
            self.out.reserve(self.data.len());
        }
        self.out.extend_from_slice(before);
        self.out.extend_from_slice(WITHHELD_JSON);
        self.copied = start + text.len();
        Ok(())
    }

    fn finish(mut self) -> Cow<'a, [u8]> {
        if self.copied == 0 {
            return Cow::Borrowed(self.data);
        }
        let rest = self.data.get(self.copied..).unwrap_or_default();
        self.out.extend_from_slice(rest);
        Cow::Owned(self.out)
    }
}

#[cfg(test)]
mod tests;
