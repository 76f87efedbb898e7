//! Identifiers, as `docs/formats.md` fixes them: each is parsed once, at the edge, and is valid ever after.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};
use uuid::Uuid;

use crate::country;
pub use crate::country::CountryCode;
use crate::name::Name;
use crate::rejection::RejectionCode;

/// A text that is no such identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not {what}: it must be {rule}")]
pub struct IdError {
    /// The kind of identifier, with its article.
    pub what: &'static str,
    /// What was found, cut to 80 characters.
    pub value: String,
    /// What it must look like.
    pub rule: &'static str,
}

impl IdError {
    fn new(what: &'static str, value: &str, rule: &'static str) -> Self {
        Self {
            what,
            value: value.chars().take(80).collect(),
            rule,
        }
    }
}

/// Parses an identifier from a JSON string; any failure carries `code` in front of its sentence (see `wire::v1::diagnose`).
struct StrVisitor<T> {
    what: &'static str,
    code: RejectionCode,
    parse: fn(&str) -> Result<T, IdError>,
}

impl<T> Visitor<'_> for StrVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.parse)(text)
            .map_err(|error| E::custom(format_args!("{}: {error}", self.code.as_str())))
    }
}

macro_rules! serde_as_text {
    ($name:ident, $what:literal, $code:expr) => {
        impl crate::wire::v1::Outlined for $name {}

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(StrVisitor {
                    what: $what,
                    code: $code,
                    parse: |text| text.parse(),
                })
            }
        }

        impl TryFrom<&str> for $name {
            type Error = IdError;

            fn try_from(text: &str) -> Result<Self, IdError> {
                text.parse()
            }
        }
    };
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Name);

        impl $name {
            /// The identifier's text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                if $check(text) {
                    Ok(Self(Name::from(text)))
                } else {
                    Err(IdError::new($what, text, $rule))
                }
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        serde_as_text!($name, $what, RejectionCode::InvalidValue);
    };
}

const MAX_ID_BYTES: usize = 64;

fn is_id(text: &str) -> bool {
    (1..=MAX_ID_BYTES).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

fn is_instrument_id(text: &str) -> bool {
    text.len() <= MAX_ID_BYTES
        && text
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

/// `[A-Z][A-Z0-9]*-[A-Za-z0-9]+(\.[0-9]+)*`
fn is_code(text: &str) -> bool {
    let Some((prefix, rest)) = text.split_once('-') else {
        return false;
    };
    let mut parts = rest.split('.');
    text.len() <= MAX_ID_BYTES
        && prefix.starts_with(|first: char| first.is_ascii_uppercase())
        && prefix
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && parts.next().is_some_and(|first| {
            !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
        && parts.all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_ledger_id(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

text_id!(
    /// A system that publishes to the ledger.
    PartnerId,
    "a partner id",
    "1 to 64 of A-Z, a-z, 0-9, _ and -",
    is_id
);
text_id!(
    /// One who commits. A State's party id is its ISO 3166-1 alpha-3 code.
    PartyId,
    "a party id",
    "1 to 64 of A-Z, a-z, 0-9, _ and -",
    is_id
);
text_id!(
    /// A review cycle.
    ReviewId,
    "a review id",
    "1 to 64 of A-Z, a-z, 0-9, _ and -",
    is_id
);
text_id!(
    /// A source of actions: `GCM-2018`, `IMRF-2022`, `SDG-10.7`.
    InstrumentId,
    "an instrument id",
    "1 to 64 of A-Z, a-z, 0-9, _, - and ., beginning with a letter or digit",
    is_instrument_id
);
text_id!(
    /// A method of assessment, or its version: `OGP-IRM`, `2014-2`.
    MethodId,
    "a method",
    "1 to 64 of A-Z, a-z, 0-9, _, - and ., beginning with a letter or digit",
    is_instrument_id
);
text_id!(
    /// The language of a text, as a tag of BCP 47: `en`, `pt-BR`, `zh-Hant`. It is kept as it was written.
    Language,
    "a language",
    "a tag of BCP 47, like en, pt-BR or zh-Hant",
    crate::language::is_well_formed
);
text_id!(
    /// One thing to be done under an instrument: `GCM-05a`, `IMRF22-59`, `SDG-10.7.2`. Codes are never reused.
    ActionCode,
    "an action code",
    "like GCM-05a, IMRF22-59 or SDG-10.7.2: capitals, a hyphen, letters and digits, then numbers after dots; 64 bytes at most",
    is_code
);
text_id!(
    /// A guiding principle of an instrument: `GP-1`.
    PrincipleCode,
    "a principle code",
    "like GP-1: capitals, a hyphen, letters and digits, then numbers after dots; 64 bytes at most",
    is_code
);
text_id!(
    /// A ledger's own id, given at its creation.
    LedgerId,
    "a ledger id",
    "1 to 32 of a-z, 0-9 and -",
    is_ledger_id
);

impl PartyId {
    /// The id of a recorded event, which was checked before it was interned.
    pub(crate) fn from_interned(name: Arc<str>) -> Self {
        Self(Name::Shared(name))
    }
}

impl ActionCode {
    /// The code of a recorded event, which was checked before it was interned.
    pub(crate) fn from_interned(name: Arc<str>) -> Self {
        Self(Name::Shared(name))
    }
}

/// Reads a UUID in its hyphenated form only: one id has one text, whatever the case of its digits on the way in.
fn parse_uuid(what: &'static str, text: &str) -> Result<Uuid, IdError> {
    let rule = "a UUID of 36 characters, like 0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e8f";
    if text.len() != 36 {
        return Err(IdError::new(what, text, rule));
    }
    Uuid::try_parse(text).map_err(|_| IdError::new(what, text, rule))
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse_uuid($what, text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut buffer = Uuid::encode_buffer();
                f.write_str(self.0.hyphenated().encode_lower(&mut buffer))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        serde_as_text!($name, $what, RejectionCode::InvalidValue);
    };
}

uuid_id!(
    /// A commitment's id, given by the partner that records it.
    CommitmentId,
    "a commitment id"
);
uuid_id!(
    /// A command's id: together with the partner it makes a command unique for ever.
    CommandId,
    "a command id"
);
uuid_id!(
    /// An event's id (version 7), made by the ledger.
    EventId,
    "an event id"
);

impl FromStr for CountryCode {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        country::find(text)
            .map(|country| country.code)
            .ok_or_else(|| {
                IdError::new(
                    "a known country",
                    text,
                    "an ISO 3166-1 alpha-3 code, like KEN",
                )
            })
    }
}

serde_as_text!(CountryCode, "a country code", RejectionCode::UnknownCountry);

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident($inner:ty), $what:literal, $rule:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub $inner);

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let canonical = text == "0" || text.starts_with(|first: char| matches!(first, '1'..='9'));
                text.parse()
                    .ok()
                    .filter(|_| canonical)
                    .map(Self)
                    .ok_or_else(|| IdError::new($what, text, $rule))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        serde_as_text!($name, $what, RejectionCode::InvalidValue);
    };
}

number_id!(
    /// The 0-based global index of an event; positions have no gaps.
    Position(u64),
    "a position",
    "a whole number below 2^64 without leading zeros, as a string"
);
number_id!(
    /// How many events a stream has: 0 for one that does not exist yet.
    Version(u32),
    "a version",
    "a whole number below 2^32 without leading zeros, as a string"
);

impl Position {
    /// The position after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl Version {
    /// The version after one more event.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// What a command or an event is about: the stream it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// One commitment; its text is the bare UUID.
    Commitment(CommitmentId),
    /// One instrument with its actions: `instrument/<id>`.
    Instrument(InstrumentId),
    /// One party: `party/<id>`.
    Party(PartyId),
    /// One partner: `partner/<id>`.
    Partner(PartnerId),
    /// One review cycle: `review/<id>`.
    Review(ReviewId),
    /// The ledger itself, its opening and its policy: `ledger`.
    Ledger,
}

impl Subject {
    /// The commitment, if the subject is one.
    pub fn commitment(&self) -> Option<CommitmentId> {
        match self {
            Self::Commitment(id) => Some(*id),
            Self::Instrument(_)
            | Self::Party(_)
            | Self::Partner(_)
            | Self::Review(_)
            | Self::Ledger => None,
        }
    }
}

impl FromStr for Subject {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.split_once('/') {
            None if text == "ledger" => Ok(Self::Ledger),
            None => text
                .parse()
                .map(Self::Commitment)
                .map_err(|_| bad_subject(text)),
            Some(("instrument", id)) => id.parse().map(Self::Instrument),
            Some(("party", id)) => id.parse().map(Self::Party),
            Some(("partner", id)) => id.parse().map(Self::Partner),
            Some(("review", id)) => id.parse().map(Self::Review),
            Some(_) => Err(bad_subject(text)),
        }
    }
}

fn bad_subject(text: &str) -> IdError {
    IdError::new(
        "a subject",
        text,
        "a commitment's UUID, or instrument/<id>, party/<id>, partner/<id> or review/<id>",
    )
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commitment(id) => id.fmt(f),
            Self::Instrument(id) => write!(f, "instrument/{id}"),
            Self::Party(id) => write!(f, "party/{id}"),
            Self::Partner(id) => write!(f, "partner/{id}"),
            Self::Review(id) => write!(f, "review/{id}"),
            Self::Ledger => f.write_str("ledger"),
        }
    }
}

serde_as_text!(Subject, "a subject", RejectionCode::InvalidValue);

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts<T: FromStr>(text: &str) -> bool {
        text.parse::<T>().is_ok()
    }

    #[test]
    fn action_codes_are_those_of_the_format() {
        for good in [
            "GCM-05",
            "GCM-05a",
            "IMRF22-59",
            "SDG-10.7.2",
            "UPR-RightsOfTheChild",
            "A-1",
        ] {
            assert!(accepts::<ActionCode>(good), "{good}");
        }
        for bad in [
            "",
            "-",
            "GCM",
            "GCM-",
            "gcm-05",
            "2GCM-05",
            "GCM-05-a",
            "SDG-10.c.1",
            "SDG-10.",
            "SDG-.7",
            "GCM 05",
            "GCM-05*",
            "GCM-05>",
            "GCM-é",
            "GC_M-05",
        ] {
            assert!(!accepts::<ActionCode>(bad), "{bad}");
        }
        assert!(accepts::<ActionCode>(&format!("A-{}", "1".repeat(62))));
        assert!(!accepts::<ActionCode>(&format!("A-{}", "1".repeat(63))));
    }

    #[test]
    fn ids_are_those_of_the_format() {
        assert!(accepts::<PartyId>("KEN") && accepts::<PartnerId>("import-upr"));
        assert!(accepts::<PartyId>(&"a".repeat(64)) && !accepts::<PartyId>(&"a".repeat(65)));
        for bad in ["", "a b", "a.b", "a/b", "a*", "é"] {
            assert!(
                !accepts::<PartyId>(bad) && !accepts::<PartnerId>(bad),
                "{bad}"
            );
        }
        assert!(accepts::<InstrumentId>("SDG-10.7") && !accepts::<InstrumentId>(".7"));
        assert!(accepts::<LedgerId>("demo-1") && !accepts::<LedgerId>("Demo"));
        assert!(accepts::<Position>("18446744073709551615"));
        for bad in ["", "-1", "+1", "01", " 1", "18446744073709551616"] {
            assert!(!accepts::<Position>(bad), "{bad}");
        }
    }

    #[test]
    fn a_uuid_has_one_text_whatever_the_case_it_came_in() {
        let lower = "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e8f";
        let read: CommandId = lower.to_uppercase().parse().expect("a UUID");
        assert_eq!(read.to_string(), lower);
        for bad in [
            "0197a5b46d1e7c3a9f003b2a1c0d9e8f",
            "{0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e8f}",
            "urn:uuid:0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e8f",
            "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e8g",
        ] {
            assert!(!accepts::<CommandId>(bad), "{bad}");
        }
    }

    #[test]
    fn a_subject_reads_back_from_its_text() {
        for text in [
            "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e8f",
            "instrument/SDG-10.7",
            "party/KEN",
            "partner/gov",
            "review/2026",
            "ledger",
        ] {
            let subject: Subject = text.parse().expect(text);
            assert_eq!(subject.to_string(), text);
        }
        for bad in [
            "",
            "party/",
            "party/a/b",
            "country/KEN",
            "Ledger",
            "commitment/1",
        ] {
            assert!(!accepts::<Subject>(bad), "{bad}");
        }
    }
}
