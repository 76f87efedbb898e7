//! Shapes of an event's data: what an outline does with each field.
//!
//! Each struct of an event declares its fields with [`outlined!`]. A field of type [`String`] must be `free` (words of a
//! person, which a redaction withholds) or `joined` (a text that stays, because others join on it): it does not compile
//! otherwise. Every other type is [`Outlined`] by itself.

/// The treatment of a value by an outline.
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
    /// The treatment of such a value by an outline.
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
        impl $crate::wire::v1::shape::Outlined for $name {
            const SHAPE: $crate::wire::v1::shape::Shape = {
                const FIELDS: &[$crate::wire::v1::shape::Field] = &[$(
                    $crate::wire::v1::shape::Field {
                        name: stringify!($field),
                        shape: outlined!(@shape $name $field $($rule)?),
                    },
                )+];
                $crate::wire::v1::shape::Shape::Object(FIELDS)
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
        $crate::wire::v1::shape::$rule(|data: &$name| &data.$field)
    };
}
pub(super) use outlined;
