//! What a leaf says of itself: its attributes, read by slicing and never by building a value.
//!
//! A leaf is one JSON object without spaces whose attributes are strings in a fixed order (`docs/formats.md`, "Event, leaf
//! and delivery"). Anything else is refused here, so that there is one way to write an event and no attribute can be
//! smuggled in twice.

use crate::hash::{HASH_SIZE, decode_hex};
use thiserror::Error;

/// Longest leaf, in bytes.
pub const HEADER_BYTES_MAX: usize = 4096;

/// Attributes of a leaf in their order; those marked may be absent.
const ATTRIBUTES: [(&str, Presence); ATTRIBUTE_COUNT] = [
    ("specversion", Presence::Required),
    ("id", Presence::Required),
    ("source", Presence::Required),
    ("type", Presence::Required),
    ("subject", Presence::Required),
    ("time", Presence::Required),
    ("position", Presence::Required),
    ("streamversion", Presence::Required),
    ("partner", Presence::Required),
    ("party", Presence::Required),
    ("causationid", Presence::Optional),
    ("submission", Presence::Optional),
    ("submissionindex", Presence::Optional),
    ("effective", Presence::Optional),
    ("rulesversion", Presence::Required),
    ("datadigest", Presence::Required),
    ("outlinedigest", Presence::Optional),
];

const ATTRIBUTE_COUNT: usize = 17;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
}

/// The attributes of a leaf, borrowed from its bytes.
///
/// `causationid` and the submission are absent where no command caused the event: `ledger_opened`, which names the root
/// partner and its party all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeafHeader<'a> {
    /// The event's id: a UUID.
    pub id: &'a str,
    /// `ledger/<ledger id>`.
    pub source: &'a str,
    /// `ledger.<event>.v1`.
    pub event_type: &'a str,
    /// What the event is about.
    pub subject: &'a str,
    /// Recorded time: UTC, microseconds, `2026-11-23T08:30:00.000000Z`.
    pub time: &'a str,
    /// Global index of the event.
    pub position: u64,
    /// Number of events in the subject's stream, this one included.
    pub stream_version: u64,
    /// The partner whose command caused it.
    pub partner: &'a str,
    /// The party that the partner acted for.
    pub party: &'a str,
    /// The command's id.
    pub causation_id: Option<&'a str>,
    /// Digest of the submission's manifest, in hex.
    pub submission: Option<&'a str>,
    /// Index of the command within its submission.
    pub submission_index: Option<u64>,
    /// When it was true, in its own precision.
    pub effective: Option<&'a str>,
    /// Version of the rules that decided.
    pub rules_version: &'a str,
    /// SHA-256(salt ‖ data).
    pub data_digest: [u8; HASH_SIZE],
    /// SHA-256 of the data's outline, which is what stays of the data when its free texts are withheld; absent where the
    /// outline is the data itself, and in leaves of before rules 3.
    pub outline_digest: Option<[u8; HASH_SIZE]>,
}

/// Why bytes are not a leaf.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum HeaderError {
    /// The leaf is longer than a leaf may be.
    #[error("a leaf of {bytes} bytes is longer than {HEADER_BYTES_MAX}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not an object of strings without spaces, or an attribute that is unknown, doubled or out of its order.
    #[error("not a leaf from byte {at} on")]
    Malformed {
        /// Offset of the first byte that does not fit.
        at: usize,
    },
    /// An attribute that every leaf has is missing.
    #[error("the leaf has no `{attribute}`")]
    Missing {
        /// Its name.
        attribute: &'static str,
    },
    /// An attribute has not the form it must have.
    #[error("the leaf's `{attribute}` is not in its form")]
    Form {
        /// Its name.
        attribute: &'static str,
    },
}

impl<'a> LeafHeader<'a> {
    /// Reads the attributes of a leaf.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for anything that the ledger does not write, hostile or not.
    pub fn parse(leaf: &'a [u8]) -> Result<Self, HeaderError> {
        if leaf.len() > HEADER_BYTES_MAX {
            return Err(HeaderError::TooLong { bytes: leaf.len() });
        }
        let values = attribute_values(leaf)?;
        let [
            spec_version,
            id,
            source,
            event_type,
            subject,
            time,
            position,
            stream_version,
            partner,
            party,
            causation_id,
            submission,
            submission_index,
            effective,
            rules_version,
            digest,
            outline,
        ] = values;
        if spec_version != Some("1.0") {
            return Err(form("specversion"));
        }
        let time = time.unwrap_or_default();
        if !is_recorded_time(time) {
            return Err(form("time"));
        }
        let data_digest = read_digest("datadigest", digest.unwrap_or_default())?;
        let outline_digest = outline
            .map(|text| read_digest("outlinedigest", text))
            .transpose()?;
        Ok(Self {
            id: id.unwrap_or_default(),
            source: source.unwrap_or_default(),
            event_type: event_type.unwrap_or_default(),
            subject: subject.unwrap_or_default(),
            time,
            position: number("position", position.unwrap_or_default())?,
            stream_version: number("streamversion", stream_version.unwrap_or_default())?,
            partner: partner.unwrap_or_default(),
            party: party.unwrap_or_default(),
            causation_id,
            submission,
            submission_index: submission_index
                .map(|text| number("submissionindex", text))
                .transpose()?,
            effective,
            rules_version: rules_version.unwrap_or_default(),
            data_digest,
            outline_digest,
        })
    }

    /// The version of the rules that decided, as a number.
    ///
    /// # Errors
    ///
    /// [`HeaderError::Form`] if it is not written as one.
    pub fn rules_number(&self) -> Result<u64, HeaderError> {
        number("rulesversion", self.rules_version)
    }

    /// The event's own name within its type: `commitment_recorded` of `ledger.commitment_recorded.v1`.
    pub fn event_name(&self) -> Option<&'a str> {
        self.event_type.strip_prefix("ledger.")?.strip_suffix(".v1")
    }
}

/// The event's own name in a leaf, without reading the rest of it: for who knows that these bytes are a leaf.
pub fn event_name_of(leaf: &[u8]) -> Option<&str> {
    // `type` is the fourth attribute: its value stands after the fifteenth quote.
    let (quote, _) = memchr::memchr_iter(b'"', leaf).zip(0..=14).last()?;
    let rest = leaf.get(quote + 1..)?.strip_prefix(b"ledger.")?;
    let end = memchr::memchr(b'.', rest)?;
    std::str::from_utf8(rest.get(..end)?).ok()
}

fn form(attribute: &'static str) -> HeaderError {
    HeaderError::Form { attribute }
}

/// A digest as the ledger writes it: lowercase hexadecimal digits.
fn read_digest(attribute: &'static str, text: &str) -> Result<[u8; HASH_SIZE], HeaderError> {
    let mut digest = [0; HASH_SIZE];
    if decode_hex(text.as_bytes(), &mut digest) {
        Ok(digest)
    } else {
        Err(form(attribute))
    }
}

/// A number as the ledger writes it: decimal digits without a leading zero.
fn number(attribute: &'static str, text: &str) -> Result<u64, HeaderError> {
    let canonical = text == "0" || !text.starts_with(['0', '+']);
    match text.parse() {
        Ok(value) if canonical => Ok(value),
        Ok(_) | Err(_) => Err(form(attribute)),
    }
}

/// Whether `text` is `dddd-dd-ddTdd:dd:dd.ddddddZ`, the one form of a recorded time, in which text order is time order.
fn is_recorded_time(text: &str) -> bool {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00.000000Z";
    text.len() == SHAPE.len()
        && text.bytes().zip(SHAPE).all(|(byte, &shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            _ => byte == shape,
        })
}

/// The values in the order of [`ATTRIBUTES`], required ones all present.
fn attribute_values(leaf: &[u8]) -> Result<[Option<&str>; ATTRIBUTE_COUNT], HeaderError> {
    let leaf = plain_text(leaf)?;
    let mut values = [None; ATTRIBUTE_COUNT];
    let mut rest = leaf;
    let malformed = |rest: &str| HeaderError::Malformed {
        at: leaf.len() - rest.len(),
    };
    let mut opening = "{\"";
    for ((name, presence), value) in ATTRIBUTES.iter().zip(&mut values) {
        let Some(after_name) = after_name(rest, opening, name) else {
            if *presence == Presence::Required {
                return if rest.starts_with(opening) || rest == "}" {
                    Err(HeaderError::Missing { attribute: name })
                } else {
                    Err(malformed(rest))
                };
            }
            continue;
        };
        let (text, after) = up_to_quote(after_name).ok_or_else(|| malformed(after_name))?;
        *value = Some(text);
        rest = after;
        opening = ",\"";
    }
    if rest == "}" {
        Ok(values)
    } else {
        Err(malformed(rest))
    }
}

/// The leaf as text. A leaf's strings are ids, numbers and dates: one with an escape, a control character or a letter
/// beyond ASCII was not written by a ledger, and without escapes a string ends at its next quote.
fn plain_text(leaf: &[u8]) -> Result<&str, HeaderError> {
    let is_plain = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'\\';
    // Without an early end the compiler checks many bytes at once: this is the auditor's hot loop.
    let all_plain = leaf.iter().fold(true, |all, &byte| all & is_plain(byte));
    match std::str::from_utf8(leaf) {
        Ok(text) if all_plain => Ok(text),
        Ok(_) | Err(_) => Err(HeaderError::Malformed {
            at: leaf
                .iter()
                .position(|&byte| !is_plain(byte))
                .unwrap_or_default(),
        }),
    }
}

/// What follows `opening` `name` `":"`.
fn after_name<'a>(rest: &'a str, opening: &str, name: &str) -> Option<&'a str> {
    rest.strip_prefix(opening)?
        .strip_prefix(name)?
        .strip_prefix("\":\"")
}

/// The text up to the next quote, and what follows the quote.
fn up_to_quote(rest: &str) -> Option<(&str, &str)> {
    let end = memchr::memchr(b'"', rest.as_bytes())?;
    let (text, rest) = rest.split_at_checked(end)?;
    Some((text, rest.strip_prefix('"')?))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A leaf as the ledger writes one.
    pub(crate) fn leaf(position: u64, time: &str, digest: [u8; HASH_SIZE]) -> Vec<u8> {
        format!(
            "{{\"specversion\":\"1.0\",\"id\":\"01938f3e-7b5a-7000-8000-00000000{position:04}\",\
             \"source\":\"ledger/test-1\",\"type\":\"ledger.commitment_recorded.v1\",\
             \"subject\":\"5f0c3a52-9d0e-4c3b-8a53-1f2a0e6f0001\",\"time\":\"{time}\",\
             \"position\":\"{position}\",\"streamversion\":\"1\",\"partner\":\"acme\",\
             \"party\":\"KEN\",\"causationid\":\"5f0c3a52-9d0e-4c3b-8a53-1f2a0e6f0002\",\
             \"submission\":\"{}\",\"submissionindex\":\"0\",\"effective\":\"2026-03\",\
             \"rulesversion\":\"1\",\"datadigest\":\"{}\"}}",
            hex::encode([7; 32]),
            hex::encode(digest)
        )
        .into_bytes()
    }

    fn good() -> String {
        String::from_utf8(leaf(12, "2026-11-23T08:30:00.000001Z", [9; 32])).unwrap()
    }

    #[test]
    fn a_leaf_gives_its_attributes() {
        let text = good();
        let header = LeafHeader::parse(text.as_bytes()).unwrap();
        assert_eq!(header.position, 12);
        assert_eq!(header.source, "ledger/test-1");
        assert_eq!(header.event_name(), Some("commitment_recorded"));
        assert_eq!(event_name_of(text.as_bytes()), header.event_name());
        assert_eq!(event_name_of(b"{}"), None);
        assert_eq!(header.party, "KEN");
        assert_eq!(header.effective, Some("2026-03"));
        assert_eq!(header.submission_index, Some(0));
        assert_eq!(header.data_digest, [9; 32]);
        assert_eq!(header.outline_digest, None);
    }

    #[test]
    fn the_digest_of_the_outline_comes_last_and_may_be_absent() {
        let with = |value: &str| {
            let mut text = good();
            text.pop();
            format!("{text},\"outlinedigest\":\"{value}\"}}")
        };
        let digest = hex::encode([8; 32]);
        let text = with(&digest);
        let header = LeafHeader::parse(text.as_bytes()).unwrap();
        assert_eq!(header.outline_digest, Some([8; 32]));
        for value in ["", &digest[1..], &digest.replace('8', "A")] {
            assert_eq!(
                LeafHeader::parse(with(value).as_bytes()),
                Err(HeaderError::Form {
                    attribute: "outlinedigest"
                })
            );
        }
        let early = good().replace(
            ",\"datadigest\"",
            &format!(",\"outlinedigest\":\"{digest}\",\"datadigest\""),
        );
        assert!(LeafHeader::parse(early.as_bytes()).is_err());
    }

    #[test]
    fn optional_attributes_may_be_absent_and_required_ones_not() {
        let text = good().replace(",\"effective\":\"2026-03\"", "");
        let header = LeafHeader::parse(text.as_bytes()).unwrap();
        assert_eq!(header.effective, None);
        for (attribute, value) in [("position", "12"), ("partner", "acme"), ("party", "KEN")] {
            let text = good().replace(&format!(",\"{attribute}\":\"{value}\""), "");
            assert_eq!(
                LeafHeader::parse(text.as_bytes()),
                Err(HeaderError::Missing { attribute })
            );
        }
    }

    #[test]
    fn one_event_has_one_written_form() {
        let text = good();
        for (from, to) in [
            (":\"12\"", ": \"12\""),
            ("{\"specversion", "{ \"specversion"),
            (
                "\"partner\":\"acme\",\"party\":\"KEN\"",
                "\"party\":\"KEN\",\"partner\":\"acme\"",
            ),
            (",\"party\":\"KEN\"", ",\"party\":\"KEN\",\"party\":\"KEN\""),
            (",\"party\":\"KEN\"", ",\"extra\":\"x\",\"party\":\"KEN\""),
            ("\"KEN\"", "\"K\\u0045N\""),
            ("\"KEN\"", "\"K\nN\""),
            ("\"KEN\"", "17"),
            ("\"KEN\"", "null"),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from}");
            assert!(LeafHeader::parse(changed.as_bytes()).is_err(), "{changed}");
        }
        assert!(LeafHeader::parse(format!("{text} ").as_bytes()).is_err());
        assert!(LeafHeader::parse(b"").is_err());
        assert!(LeafHeader::parse(b"{}").is_err());
    }

    #[test]
    fn values_out_of_their_form_are_named() {
        for (from, to, attribute) in [
            (":\"12\"", ":\"012\"", "position"),
            (":\"12\"", ":\"+12\"", "position"),
            (":\"12\"", ":\"18446744073709551616\"", "position"),
            (".000001Z", ".001Z", "time"),
            (".000001Z", ".000001+", "time"),
            ("1.0", "1.1", "specversion"),
            ("\"0909", "\"0x09", "datadigest"),
        ] {
            let changed = good().replacen(from, to, 1);
            assert_eq!(
                LeafHeader::parse(changed.as_bytes()),
                Err(HeaderError::Form { attribute }),
                "{changed}"
            );
        }
        let long = good().replace("acme", &"a".repeat(HEADER_BYTES_MAX));
        assert!(matches!(
            LeafHeader::parse(long.as_bytes()),
            Err(HeaderError::TooLong { .. })
        ));
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(LeafHeader::parse(&bytes).is_err());
        }

        #[test]
        fn a_cut_leaf_is_refused(at in 0_usize..600) {
            let text = good();
            let at = at % text.len();
            prop_assert!(LeafHeader::parse(&text.as_bytes()[..at]).is_err());
        }
    }
}
