//! Free text, and the outline of an event: what stays of its data when its free texts are withheld.
//!
//! [`outline`] gives the same JSON with each free text replaced by [`WITHHELD`]. Keys, types and list lengths stay, so
//! the same decoder and the same fold read it, and no count moves. The digest of the outline stands in the leaf beside
//! that of the data: a later redaction can be checked against it.
//!
//! Each struct of an event declares its fields with [`outlined!`]. A field of type [`String`] must be `free` (words of a
//! person, which a redaction withholds) or `joined` (a text that stays, because others join on it): it does not compile
//! otherwise. Every other type is [`Outlined`] by itself.

use std::borrow::Cow;

use super::event::EventType;
use super::members::{Elements, Members, OtherForm};

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

/// What an outline does with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The value stays: an id, a code, a date, a number, a digest, a word of a list.
    Kept,
    /// The value is a text that others join on: it stays.
    Joined,
    /// The value is a free text: it is withheld.
    Free,
    /// The value is an object with these fields.
    Object(&'static [Field]),
    /// The value is a list of such values.
    List(&'static Shape),
}

/// A field of an event's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
}

impl Shape {
    /// The shape of a list of such values.
    const fn list(each: &'static Self) -> Self {
        match each {
            Self::Kept => Self::Kept,
            Self::Joined | Self::Free | Self::Object(_) | Self::List(_) => Self::List(each),
        }
    }
}

/// A type whose values an outline knows how to treat. [`String`] is none: a field of it is declared `free` or `joined`.
pub(crate) trait Outlined {
    /// What an outline does with such a value.
    const SHAPE: Shape = Shape::Kept;
}

impl Outlined for bool {}
impl Outlined for usize {}

impl<T: Outlined> Outlined for Option<T> {
    const SHAPE: Shape = T::SHAPE;
}

impl<T: Outlined> Outlined for Vec<T> {
    const SHAPE: Shape = Shape::list(&T::SHAPE);
}

/// A type of texts: one, one that may be absent, or a list.
pub(super) trait Text {
    const FREE: Shape;
    const JOINED: Shape;
}

impl Text for String {
    const FREE: Shape = Shape::Free;
    const JOINED: Shape = Shape::Joined;
}

impl<T: Text> Text for Option<T> {
    const FREE: Shape = T::FREE;
    const JOINED: Shape = T::JOINED;
}

impl<T: Text> Text for Vec<T> {
    const FREE: Shape = Shape::list(&T::FREE);
    const JOINED: Shape = Shape::list(&T::JOINED);
}

/// The shape of the field that the function picks.
pub(super) const fn kept<S, T: Outlined>(_: fn(&S) -> &T) -> Shape {
    T::SHAPE
}

/// The shape of the free text that the function picks.
pub(super) const fn free<S, T: Text>(_: fn(&S) -> &T) -> Shape {
    T::FREE
}

/// The shape of the text that the function picks and that others join on.
pub(super) const fn joined<S, T: Text>(_: fn(&S) -> &T) -> Shape {
    T::JOINED
}

/// Declares what an outline does with each field of a struct: `name: free`, `name: joined`, or nothing for what is no
/// text. All fields must be named.
macro_rules! outlined {
    ($name:ident { $($field:ident $(: $rule:ident)?),+ $(,)? }) => {
        impl $crate::wire::v1::free_text::Outlined for $name {
            const SHAPE: $crate::wire::v1::free_text::Shape = {
                const FIELDS: &[$crate::wire::v1::free_text::Field] = &[$(
                    $crate::wire::v1::free_text::Field {
                        name: stringify!($field),
                        shape: outlined!(@shape $name $field $($rule)?),
                    },
                )+];
                $crate::wire::v1::free_text::Shape::Object(FIELDS)
            };
        }

        // A field that is not named above does not compile here.
        const _: fn($name) = |data| {
            let $name { $($field: _),+ } = data;
        };
    };
    (@shape $name:ident $field:ident) => {
        outlined!(@shape $name $field kept)
    };
    (@shape $name:ident $field:ident $rule:ident) => {
        $crate::wire::v1::free_text::$rule(|data: &$name| &data.$field)
    };
}
pub(super) use outlined;

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
