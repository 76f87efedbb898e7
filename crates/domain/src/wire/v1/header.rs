//! The event header: the exact bytes of a leaf, written and read by hand because every event of the log goes through here.
//!
//! One JSON object without spaces, its attributes in the one order of `docs/formats.md`, numbers as strings, digests in
//! lowercase hexadecimal. No attribute can need an escape, because every id is of a restricted alphabet: so a reader may take
//! a value up to its next quote, and the writer never escapes. Reading then writing gives the same bytes.

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use uuid::Uuid;

use super::event_body::EventType;
use super::hex::{HEX, hex_digits, read_hex};
use crate::date::PartialDate;
use crate::ids::{CommandId, EventId, LedgerId, PartnerId, PartyId, Position, Subject, Version};

/// What the tree holds of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventHeader {
    /// The event's id.
    pub id: EventId,
    /// The ledger: `source` is `ledger/<ledger id>`.
    pub ledger: LedgerId,
    /// What happened.
    pub event_type: EventType,
    /// To what.
    pub subject: Subject,
    /// When it was recorded, to the microsecond; what is finer is not written.
    pub time: DateTime<Utc>,
    /// Where it stands in the log.
    pub position: Position,
    /// How many events its subject's stream has with it: 1 for the first.
    pub stream_version: Version,
    /// The partner that sent the command.
    pub partner: PartnerId,
    /// The party it acted for.
    pub party: PartyId,
    /// The command; absent for what no command caused.
    pub causation_id: Option<CommandId>,
    /// The SHA-256 of the submission's manifest.
    pub submission: Option<[u8; 32]>,
    /// The command's 0-based index in its submission.
    pub submission_index: Option<u32>,
    /// When it was true, as precisely as that is known.
    pub effective: Option<PartialDate>,
    /// The version of the rules that decided it.
    pub rules_version: u32,
    /// The SHA-256 of salt and data.
    pub data_digest: [u8; 32],
    /// The SHA-256 of the data's [outline](super::outline), from rules 3 on; absent where the outline is the data itself.
    pub outline_digest: Option<[u8; 32]>,
}

/// Bytes that are no event header of this version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an event header: {attribute} is absent, out of order or unreadable at byte {at}")]
pub struct HeaderError {
    /// The attribute that was expected.
    pub attribute: &'static str,
    /// Where.
    pub at: usize,
}

impl EventHeader {
    /// The leaf's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(768);
        out.extend_from_slice(br#"{"specversion":"1.0","id":""#);
        push_uuid(&mut out, self.id.0);
        out.extend_from_slice(br#"","source":"ledger/"#);
        out.extend_from_slice(self.ledger.as_str().as_bytes());
        out.extend_from_slice(br#"","type":""#);
        out.extend_from_slice(self.event_type.wire_type().as_bytes());
        out.extend_from_slice(br#"","subject":""#);
        push_subject(&mut out, &self.subject);
        out.extend_from_slice(br#"","time":""#);
        push_time(&mut out, self.time);
        out.extend_from_slice(br#"","position":""#);
        push_number(&mut out, self.position.0);
        out.extend_from_slice(br#"","streamversion":""#);
        push_number(&mut out, self.stream_version.0.into());
        out.extend_from_slice(br#"","partner":""#);
        out.extend_from_slice(self.partner.as_str().as_bytes());
        out.extend_from_slice(br#"","party":""#);
        out.extend_from_slice(self.party.as_str().as_bytes());
        if let Some(id) = self.causation_id {
            out.extend_from_slice(br#"","causationid":""#);
            push_uuid(&mut out, id.0);
        }
        if let Some(digest) = &self.submission {
            out.extend_from_slice(br#"","submission":""#);
            out.extend_from_slice(&hex_digits(digest));
        }
        if let Some(index) = self.submission_index {
            out.extend_from_slice(br#"","submissionindex":""#);
            push_number(&mut out, index.into());
        }
        if let Some(date) = self.effective {
            out.extend_from_slice(br#"","effective":""#);
            date.with_text(|text| out.extend_from_slice(text.as_bytes()));
        }
        out.extend_from_slice(br#"","rulesversion":""#);
        push_number(&mut out, self.rules_version.into());
        out.extend_from_slice(br#"","datadigest":""#);
        out.extend_from_slice(&hex_digits(&self.data_digest));
        if let Some(digest) = &self.outline_digest {
            out.extend_from_slice(br#"","outlinedigest":""#);
            out.extend_from_slice(&hex_digits(digest));
        }
        out.extend_from_slice(b"\"}");
        out
    }

    /// Reads a leaf's bytes: exactly those that [`EventHeader::encode`] writes.
    ///
    /// # Errors
    /// Names the first attribute that is not as it must be.
    pub fn decode(bytes: &[u8]) -> Result<Self, HeaderError> {
        let mut cursor = Cursor::new(bytes);
        cursor.literal(br#"{"specversion":"1.0"#, "specversion")?;
        let header = Self {
            id: EventId(cursor.required(br#"","id":""#, "id", read_uuid)?),
            ledger: cursor.required(br#"","source":"ledger/"#, "source", |text| {
                text.parse().ok()
            })?,
            event_type: cursor.required(br#"","type":"ledger."#, "type", read_event_type)?,
            subject: cursor.required(br#"","subject":""#, "subject", read_subject)?,
            time: cursor.required(br#"","time":""#, "time", read_written_time)?,
            position: cursor
                .required(br#"","position":""#, "position", |text| text.parse().ok())?,
            stream_version: cursor.required(
                br#"","streamversion":""#,
                "streamversion",
                |text| text.parse().ok(),
            )?,
            partner: cursor.required(br#"","partner":""#, "partner", |text| text.parse().ok())?,
            party: cursor.required(br#"","party":""#, "party", |text| text.parse().ok())?,
            causation_id: cursor
                .optional(br#"","causationid":""#, "causationid", read_uuid)?
                .map(CommandId),
            submission: cursor.optional(br#"","submission":""#, "submission", read_digest)?,
            submission_index: cursor
                .optional(br#"","submissionindex":""#, "submissionindex", |text| {
                    text.parse::<Version>().ok()
                })?
                .map(|index| index.0),
            effective: cursor
                .optional(br#"","effective":""#, "effective", |text| text.parse().ok())?,
            rules_version: cursor
                .required(br#"","rulesversion":""#, "rulesversion", |text| {
                    text.parse::<Version>().ok()
                })?
                .0,
            data_digest: cursor.required(br#"","datadigest":""#, "datadigest", read_digest)?,
            outline_digest: cursor.optional(
                br#"","outlinedigest":""#,
                "outlinedigest",
                read_digest,
            )?,
        };
        cursor.literal(b"\"}", "the end")?;
        if cursor.at == bytes.len() {
            Ok(header)
        } else {
            Err(cursor.error("the end"))
        }
    }
}

pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn error(&self, attribute: &'static str) -> HeaderError {
        HeaderError {
            attribute,
            at: self.at,
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    pub(super) fn literal(
        &mut self,
        literal: &[u8],
        attribute: &'static str,
    ) -> Result<(), HeaderError> {
        if !self.rest().starts_with(literal) {
            return Err(self.error(attribute));
        }
        self.at += literal.len();
        Ok(())
    }

    /// Reads a value up to the quote that ends it, and stays before that quote: the next name begins with it.
    pub(super) fn required<T>(
        &mut self,
        name: &[u8],
        attribute: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, HeaderError> {
        self.literal(name, attribute)?;
        let value = self.value(attribute)?;
        let read = str::from_utf8(value).ok().and_then(read);
        let read = read.ok_or_else(|| self.error(attribute))?;
        self.at += value.len();
        Ok(read)
    }

    fn value(&self, attribute: &'static str) -> Result<&'a [u8], HeaderError> {
        let rest = self.rest();
        let value = memchr::memchr(b'"', rest).and_then(|end| rest.get(..end));
        value.ok_or_else(|| self.error(attribute))
    }

    /// Passes over a value of any kind.
    pub(super) fn skip(&mut self, name: &[u8], attribute: &'static str) -> Result<(), HeaderError> {
        self.literal(name, attribute)?;
        self.at += self.value(attribute)?.len();
        Ok(())
    }

    /// Passes over an attribute that may be absent.
    pub(super) fn skip_if_there(
        &mut self,
        name: &[u8],
        attribute: &'static str,
    ) -> Result<(), HeaderError> {
        if self.rest().starts_with(name) {
            self.skip(name, attribute)?;
        }
        Ok(())
    }

    pub(super) fn optional<T>(
        &mut self,
        name: &[u8],
        attribute: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, HeaderError> {
        if self.rest().starts_with(name) {
            self.required(name, attribute, read).map(Some)
        } else {
            Ok(None)
        }
    }
}

fn read_digest(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    read_hex(text.as_bytes(), &mut digest).then_some(digest)
}

pub(super) fn push_uuid(out: &mut Vec<u8>, id: Uuid) {
    let mut buffer = Uuid::encode_buffer();
    out.extend_from_slice(id.hyphenated().encode_lower(&mut buffer).as_bytes());
}

/// Reads a UUID in lowercase with hyphens: the only form that is written.
fn read_uuid(text: &str) -> Option<Uuid> {
    let lower = text.len() == 36 && !text.bytes().any(|byte| byte.is_ascii_uppercase());
    Uuid::try_parse(text).ok().filter(|_| lower)
}

fn push_subject(out: &mut Vec<u8>, subject: &Subject) {
    let (prefix, id) = match subject {
        Subject::Commitment(id) => return push_uuid(out, id.0),
        Subject::Instrument(id) => ("instrument/", id.as_str()),
        Subject::Party(id) => ("party/", id.as_str()),
        Subject::Partner(id) => ("partner/", id.as_str()),
        Subject::Review(id) => ("review/", id.as_str()),
        Subject::Ledger => ("", "ledger"),
    };
    out.extend_from_slice(prefix.as_bytes());
    out.extend_from_slice(id.as_bytes());
}

/// Reads what stands between `ledger.` and the end of a wire type.
pub(super) fn read_event_type(text: &str) -> Option<EventType> {
    text.strip_suffix(".v1").and_then(EventType::from_name)
}

pub(super) fn read_subject(text: &str) -> Option<Subject> {
    let subject: Subject = text.parse().ok()?;
    let canonical =
        subject.commitment().is_none() || !text.bytes().any(|byte| byte.is_ascii_uppercase());
    canonical.then_some(subject)
}

/// `2026-11-23T08:30:00.000000Z`
const WRITTEN_TIME_BYTES: usize = 27;

/// Writes `2026-11-23T08:30:00.000000Z`.
fn push_time(out: &mut Vec<u8>, time: DateTime<Utc>) {
    let time = time.naive_utc();
    push_padded(out, u32::try_from(time.year()).unwrap_or_default(), 4);
    for (separator, value) in [
        (b'-', time.month()),
        (b'-', time.day()),
        (b'T', time.hour()),
        (b':', time.minute()),
        (b':', time.second()),
    ] {
        out.push(separator);
        push_padded(out, value, 2);
    }
    out.push(b'.');
    // A leap second shows as the last microsecond of the second before.
    push_padded(out, (time.nanosecond() / 1000).min(999_999), 6);
    out.push(b'Z');
}

fn push_padded(out: &mut Vec<u8>, value: u32, width: usize) {
    let mut digits = [b'0'; 6];
    let mut rest = value;
    for digit in digits.iter_mut().rev() {
        *digit = HEX
            .get(usize::try_from(rest % 10).unwrap_or_default())
            .copied()
            .unwrap_or(b'0');
        rest /= 10;
    }
    out.extend_from_slice(digits.get(digits.len() - width..).unwrap_or_default());
}

/// Reads the one form that is written.
pub(super) fn read_written_time(text: &str) -> Option<DateTime<Utc>> {
    read_time(text).filter(|_| text.len() == WRITTEN_TIME_BYTES)
}

/// Reads the form that is written, `2026-11-23T08:30:00.000000Z`, and the same without a fraction.
pub(super) fn read_time(text: &str) -> Option<DateTime<Utc>> {
    let (seconds, rest) = text.as_bytes().split_first_chunk::<19>()?;
    let &[
        y0,
        y1,
        y2,
        y3,
        b'-',
        m0,
        m1,
        b'-',
        d0,
        d1,
        b'T',
        h0,
        h1,
        b':',
        n0,
        n1,
        b':',
        s0,
        s1,
    ] = seconds
    else {
        return None;
    };
    let micros = match rest {
        [b'Z'] => 0,
        [b'.', micros @ .., b'Z'] if micros.len() == 6 => decimal(micros)?,
        _ => return None,
    };
    let year = i32::try_from(decimal(&[y0, y1, y2, y3])?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, decimal(&[m0, m1])?, decimal(&[d0, d1])?)?;
    let time = date.and_hms_micro_opt(
        decimal(&[h0, h1])?,
        decimal(&[n0, n1])?,
        decimal(&[s0, s1])?,
        micros,
    )?;
    Some(time.and_utc())
}

fn decimal(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + u32::from(digit - b'0'))
    })
}

pub(super) fn push_number(out: &mut Vec<u8>, number: u64) {
    let mut digits = [b'0'; 20];
    let mut rest = number;
    let mut length = 0;
    for digit in digits.iter_mut().rev() {
        if length > 0 && rest == 0 {
            break;
        }
        *digit = HEX
            .get(usize::try_from(rest % 10).unwrap_or_default())
            .copied()
            .unwrap_or(b'0');
        rest /= 10;
        length += 1;
    }
    out.extend_from_slice(digits.get(digits.len() - length..).unwrap_or_default());
}
