//! Values that commands and events share.

use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use super::object::objects;
use super::shape::{Outlined, outlined};
use super::words::{ParticipantRole, Pattern};
use crate::date::PartialDate;
use crate::ids::{PartyId, PrincipleCode};
use crate::rejection::RejectionCode;

/// The largest magnitude of a number: every integer up to it is exact in any JSON reader.
const MAX_NUMBER: f64 = 9_007_199_254_740_992.0;

/// A finite number of at most 2^53 in magnitude. A whole one is written without a fraction.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Amount(f64);

// No amount is one that is not a number, so that each equals itself.
impl Eq for Amount {}

impl Amount {
    /// `None` if the number is not finite or lies beyond 2^53.
    pub fn new(number: f64) -> Option<Self> {
        // Adding zero turns -0 into 0: one amount has one text.
        (number.abs() <= MAX_NUMBER).then_some(Self(number + 0.0))
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a whole number of at most 2^53 in magnitude fits an i64 exactly"
            )]
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AmountVisitor;

        fn checked<E: de::Error>(number: f64) -> Result<Amount, E> {
            Amount::new(number).ok_or_else(|| {
                E::custom(format_args!(
                    "{}: {number} lies beyond 2^53; use a larger unit",
                    RejectionCode::NumberOutOfRange
                ))
            })
        }

        impl Visitor<'_> for AmountVisitor {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            // With a fraction or an exponent, 2^53 is also what rounding makes of numbers beyond it.
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Amount, E> {
                checked(if number.abs() < MAX_NUMBER {
                    number
                } else {
                    f64::INFINITY
                })
            }

            #[expect(
                clippy::cast_precision_loss,
                reason = "rounding cannot bring a number beyond 2^53 back below it, except 2^53 + 1, which is checked"
            )]
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Amount, E> {
                checked(if number > 1 << 53 {
                    f64::INFINITY
                } else {
                    number as f64
                })
            }

            #[expect(
                clippy::cast_precision_loss,
                reason = "numbers beyond 2^53 are turned away first"
            )]
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Amount, E> {
                checked(if number.unsigned_abs() > 1 << 53 {
                    f64::NEG_INFINITY
                } else {
                    number as f64
                })
            }
        }

        deserializer.deserialize_f64(AmountVisitor)
    }
}

/// The SHA-256 of a piece of evidence: 64 hexadecimal digits, read in any case and written in lowercase.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sha256(pub [u8; 32]);

impl Sha256 {
    /// Reads 64 hexadecimal digits, in capitals too: some tools print them so.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut digest = [0; 32];
        let read = super::hex::read_hex(text.as_bytes(), &mut digest)
            || super::hex::read_hex(text.to_ascii_lowercase().as_bytes(), &mut digest);
        read.then_some(Self(digest))
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = super::hex::hex_digits(&self.0);
        f.write_str(str::from_utf8(&digits).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Sha256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HexVisitor;

        impl Visitor<'_> for HexVisitor {
            type Value = Sha256;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a SHA-256 of 64 hexadecimal digits")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Sha256, E> {
                Sha256::from_hex(text)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_str(HexVisitor)
    }
}

/// A guiding principle as its instrument states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Principle {
    /// Its code.
    pub code: PrincipleCode,
    /// Its name.
    pub name: String,
}

/// A participant beside the lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Participant {
    /// Who. Claimed until it confirms.
    pub party: PartyId,
    /// Its part.
    pub role: ParticipantRole,
}

/// What a commitment is measured by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Measure {
    /// What is counted.
    pub indicator: String,
    /// In which unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Where it stood when the commitment was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Amount>,
    /// Where it is to stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Amount>,
}

/// New values of a measure; what is absent stays as it was.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct MeasureChange {
    /// What is counted; required when there was no measure before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub indicator: Option<String>,
    /// In which unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Where it stood when the commitment was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Amount>,
    /// Where it is to stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Amount>,
}

/// Where a commitment was published first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Source {
    /// The system it comes from.
    pub system: String,
    /// Its reference there.
    pub reference: String,
    /// Where to read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// The time a report is about, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Period {
    /// Its first day, month or year.
    pub from: PartialDate,
    /// Its last day, month or year.
    pub to: PartialDate,
}

impl Period {
    /// Whether both begin and end on the same days, however precisely they say so: `2025` to `2025` is `2025-01-01` to `2025-12`.
    pub fn covers_same_days(&self, other: &Self) -> bool {
        self == other
            || (self.from.first_day() == other.from.first_day()
                && self.to.last_day() == other.to.last_day())
    }
}

/// One indicator's value in a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Indicator {
    /// What was counted.
    pub name: String,
    /// How many.
    pub value: Amount,
    /// In which unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// A piece of evidence, identified by its digest; the URL may move. One without a digest is *undigested*: it is identified by the event
/// that named it and its place in that event's list, never by its URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Evidence {
    /// The digest of its bytes; may be absent where a URL is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
    /// Where it was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// A step on the way to a commitment's end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Milestone {
    /// What it is called: within its commitment a name stands once.
    pub name: String,
    /// When it is to be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<PartialDate>,
}

/// What an assessor said of one side of a commitment's ambition, in the words of its method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Grade {
    /// Which side.
    pub dimension: String,
    /// The grade, verbatim.
    pub grade: String,
}

objects!(
    Principle,
    Participant,
    Milestone,
    Grade,
    Measure,
    MeasureChange,
    Source,
    Period,
    Indicator,
    Evidence
);

impl Outlined for Amount {}
impl Outlined for Sha256 {}

// What an outline keeps of each. Names of milestones, indicators, units and grades are what others join on; so are a
// source's system and reference.
outlined!(Principle { code, name: free });
outlined!(Participant { party, role });
outlined!(Milestone { name: joined, due });
outlined!(Grade {
    dimension: joined,
    grade: joined
});
outlined!(Measure {
    indicator: joined,
    unit: joined,
    baseline,
    target
});
outlined!(MeasureChange {
    indicator: joined,
    unit: joined,
    baseline,
    target
});
outlined!(Source {
    system: joined,
    reference: joined,
    url: free
});
outlined!(Period { from, to });
outlined!(Indicator {
    name: joined,
    value,
    unit: joined
});
outlined!(Evidence {
    sha256,
    url: free,
    title: free
});
outlined!(Policy {
    max_text_bytes,
    max_command_bytes,
    max_batch_commands,
    max_batch_bytes,
    refused_patterns,
    accept_unsigned,
});

/// What the ledger takes: stated in position 0, and changed by events only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The longest free-text field, in bytes of UTF-8.
    pub max_text_bytes: usize,
    /// The longest command, in bytes.
    pub max_command_bytes: usize,
    /// The most commands in one message.
    pub max_batch_commands: usize,
    /// The longest message, in bytes.
    pub max_batch_bytes: usize,
    /// Personal identifiers that free text may not hold.
    pub refused_patterns: Vec<Pattern>,
    /// Whether submissions without a signature are taken.
    pub accept_unsigned: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_text_bytes: 32 * 1024,
            max_command_bytes: 256 * 1024,
            max_batch_commands: 1000,
            max_batch_bytes: 4 * 1024 * 1024,
            refused_patterns: Pattern::ALL.to_vec(),
            accept_unsigned: true,
        }
    }
}
