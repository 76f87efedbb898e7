//! Why bytes are no command: the second, slower reading of what the typed reader refused.
//!
//! The text is scanned first, then its values are read again into the same types through [`Probe`], whose error says
//! which rule was broken and where. So there is one description of a command, its type, and no table to drift from it.

use std::fmt;

use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::Value;

use super::command::{Command, Refusal};
use super::envelope::{Envelope, head};
use super::path::{push_index, push_key, rejection};
use super::scan::{Found, scan};
use crate::rejection::{Rejection, RejectionCode};

/// Reads `bytes`, which the typed reader did not take, or says why they are no command.
pub(super) fn diagnose(bytes: &[u8]) -> Result<Command, Refusal> {
    let mut found = Found::default();
    scan(bytes, &mut found)
        .and_then(|()| read_again(bytes))
        .map_err(|rejection| Refusal {
            command_id: found.id.and_then(|id| id.parse().ok()),
            rejection,
        })
}

fn read_again(bytes: &[u8]) -> Result<Command, Rejection> {
    let mut value: Value = serde_json::from_slice(bytes).map_err(|error| {
        Rejection::new(
            RejectionCode::MalformedJson,
            format!("{error}; send one JSON object"),
        )
    })?;
    if let Value::Object(attributes) = &mut value {
        attributes.retain(|_, value| !value.is_null());
    }
    let envelope: Envelope<'_, de::IgnoredAny> =
        read(&value).map_err(|fault| fault.into_rejection("", false))?;
    let head = head(&envelope)?;
    let changes = head.command_type.changes();
    let data = value.get_mut("data").map_or(Value::Null, Value::take);
    let data = if changes { data } else { without_nulls(data) };
    let body = head
        .command_type
        .read(Probe(&data))
        .map_err(|fault| fault.into_rejection("data", changes))?;
    Ok(head.with(body))
}

/// The value without the members that are null. A null in a list stays: it is not unset, but in the way.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, without_nulls(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

fn read<'de, T: de::Deserialize<'de>>(value: &'de Value) -> Result<T, Fault> {
    T::deserialize(Probe(value))
}

/// What a typed reading found wrong, and where, innermost step first.
#[derive(Debug)]
pub(super) struct Fault {
    code: RejectionCode,
    message: String,
    null: bool,
    path: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    Key(String),
    Index(usize),
}

impl Fault {
    fn new(code: RejectionCode, message: String) -> Self {
        Self {
            code,
            message,
            null: false,
            path: Vec::new(),
        }
    }

    fn within(mut self, step: Step) -> Self {
        self.path.push(step);
        self
    }

    fn into_rejection(self, root: &str, blanks: bool) -> Rejection {
        let mut path = root.to_owned();
        for step in self.path.iter().rev() {
            match step {
                Step::Key(key) => push_key(&mut path, key),
                Step::Index(index) => push_index(&mut path, *index),
            }
        }
        if self.null && blanks {
            return rejection(
                RejectionCode::BlankingRefused,
                path,
                "null would blank the field; leave it out, or give it a new value".to_owned(),
            );
        }
        rejection(self.code, path, self.message)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    /// A sentence, with its code in front when it has one of its own: `unknown_country: …`.
    fn custom<T: fmt::Display>(sentence: T) -> Self {
        let sentence = sentence.to_string();
        if let Some((code, rest)) = sentence.split_once(": ")
            && let Ok(code) = code.parse()
        {
            return Self::new(code, rest.to_owned());
        }
        Self::new(RejectionCode::InvalidValue, sentence)
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let null = unexpected == Unexpected::Unit;
        let found = match unexpected {
            Unexpected::Bool(_) => "true or false",
            Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
            Unexpected::Char(_) | Unexpected::Str(_) => "a string",
            Unexpected::Unit | Unexpected::Option => "null",
            Unexpected::Seq => "an array",
            Unexpected::Bytes(_)
            | Unexpected::NewtypeStruct
            | Unexpected::Map
            | Unexpected::Enum
            | Unexpected::UnitVariant
            | Unexpected::NewtypeVariant
            | Unexpected::TupleVariant
            | Unexpected::StructVariant
            | Unexpected::Other(_) => "an object",
        };
        Self {
            null,
            ..Self::new(
                RejectionCode::WrongType,
                format!("{found} stands where {expected} is expected"),
            )
        }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let variant: String = variant.chars().take(80).collect();
        Self::new(
            RejectionCode::InvalidValue,
            format!("{variant:?} is not one of {}", expected.join(", ")),
        )
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let message = if matches!(field, "traceparent" | "tracestate") {
            "a trace differs at each attempt, and a command sent again must have the same bytes; send this as a header of the NATS message".to_owned()
        } else {
            format!(
                "the ledger does not know this field; it knows {}",
                expected.join(", ")
            )
        };
        Self::new(RejectionCode::UnknownField, message).within(Step::Key(field.to_owned()))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(
            RejectionCode::MissingField,
            "the field is required; add it".to_owned(),
        )
        .within(Step::Key(field.to_owned()))
    }
}

/// Reads a JSON value and tells where it does not fit.
struct Probe<'de>(&'de Value);

impl<'de> IntoDeserializer<'de, Fault> for Probe<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Probe<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(value), _, _) => visitor.visit_u64(value),
                (None, Some(value), _) => visitor.visit_i64(value),
                (None, None, value) => visitor.visit_f64(value.unwrap_or(f64::INFINITY)),
            },
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(values) => visitor.visit_seq(Items {
                values: values.iter().enumerate(),
            }),
            Value::Object(members) => visitor.visit_map(Members {
                members: members.iter(),
                next: None,
            }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            Value::String(word) => visitor.visit_enum(Word(word)),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => {
                let expected = format!("one of {}", variants.join(", "));
                self.deserialize_any(WordOnly(expected))
                    .map(|never| match never {})
            }
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

enum Never {}

/// Expects a word of a list, where none stands: every value is of the wrong type.
struct WordOnly(String);

impl Visitor<'_> for WordOnly {
    type Value = Never;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

struct Word<'de>(&'de str);

impl<'de> EnumAccess<'de> for Word<'de> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        let variant = seed.deserialize(de::value::BorrowedStrDeserializer::new(self.0))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Word<'de> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _seed: T) -> Result<T::Value, Fault> {
        Err(de::Error::invalid_type(Unexpected::UnitVariant, &"a word"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Fault> {
        Err(de::Error::invalid_type(Unexpected::UnitVariant, &visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        Err(de::Error::invalid_type(Unexpected::UnitVariant, &visitor))
    }
}

struct Items<'de> {
    values: std::iter::Enumerate<std::slice::Iter<'de, Value>>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        self.values
            .next()
            .map(|(index, value)| {
                seed.deserialize(Probe(value))
                    .map_err(|fault| fault.within(Step::Index(index)))
            })
            .transpose()
    }
}

struct Members<'de> {
    members: serde_json::map::Iter<'de>,
    next: Option<(&'de String, &'de Value)>,
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        self.next = self.members.next();
        self.next
            .map(|(key, _)| seed.deserialize(de::value::BorrowedStrDeserializer::new(key)))
            .transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (key, value) = self
            .next
            .take()
            .ok_or_else(|| de::Error::custom("a value was asked for before its key"))?;
        seed.deserialize(Probe(value))
            .map_err(|fault: Fault| fault.within(Step::Key(key.clone())))
    }
}
