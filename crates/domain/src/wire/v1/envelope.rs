//! The envelope of a command: its CloudEvents attributes.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::command::{Command, CommandBody, CommandType, Nonce};
use super::header::read_time;
use super::object::ObjectOnly;
use crate::ids::{CommandId, PartnerId, PartyId, Subject, Version};
use crate::rejection::{Rejection, RejectionCode};

/// The attributes of a command, as CloudEvents has them. `D` is its data: the text of it, or ignored.
#[derive(Deserialize)]
#[serde(
    remote = "Self",
    deny_unknown_fields,
    bound(deserialize = "D: Deserialize<'de>")
)]
pub(super) struct Envelope<'a, D> {
    #[serde(borrow)]
    specversion: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    subject: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(borrow)]
    party: Cow<'a, str>,
    #[serde(borrow, default)]
    expectedversion: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    nonce: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    datacontenttype: Option<Cow<'a, str>>,
    // Taken because CloudEvents producers send it; the type alone says what the data is.
    #[serde(borrow, default, rename = "dataschema")]
    _dataschema: Option<Cow<'a, str>>,
    pub(super) data: D,
}

impl<'de: 'a, 'a, D: Deserialize<'de>> Deserialize<'de> for Envelope<'a, D> {
    fn deserialize<R: serde::Deserializer<'de>>(deserializer: R) -> Result<Self, R::Error> {
        Self::deserialize(ObjectOnly(deserializer))
    }
}

/// A command but for its body.
pub(super) struct Head {
    pub(super) command_type: CommandType,
    id: CommandId,
    partner: PartnerId,
    subject: Subject,
    time: DateTime<Utc>,
    party: PartyId,
    expected_version: Option<Version>,
    nonce: Option<Nonce>,
}

impl Head {
    pub(super) fn with(self, body: CommandBody) -> Command {
        Command {
            id: self.id,
            partner: self.partner,
            subject: self.subject,
            time: self.time,
            party: self.party,
            expected_version: self.expected_version,
            nonce: self.nonce,
            body,
        }
    }
}

/// Reads the attributes; the first that does not hold is the one refused.
pub(super) fn head<D>(envelope: &Envelope<'_, D>) -> Result<Head, Rejection> {
    if envelope.specversion != "1.0" {
        return Err(Rejection::at(
            RejectionCode::UnsupportedEnvelope,
            "specversion",
            "the ledger takes CloudEvents 1.0 only; set specversion to \"1.0\"",
        ));
    }
    if let Some(content) = &envelope.datacontenttype
        && !is_json(content)
    {
        return Err(Rejection::at(
            RejectionCode::UnsupportedEnvelope,
            "datacontenttype",
            "the data must be application/json",
        ));
    }
    let command_type = command_type(&envelope.kind)?;
    let subject: Subject = parse("subject", &envelope.subject)?;
    if !command_type.takes(&subject) {
        return Err(Rejection::at(
            RejectionCode::WrongSubject,
            "subject",
            format!("{} is not about {subject}", command_type.name()),
        ));
    }
    let partner = envelope
        .source
        .strip_prefix("partner/")
        .ok_or_else(|| invalid("source", "the source must be partner/<your partner id>"))?;
    Ok(Head {
        command_type,
        id: parse("id", &envelope.id)?,
        partner: parse("source", partner)?,
        subject,
        time: time(&envelope.time)?,
        party: parse("party", &envelope.party)?,
        expected_version: envelope
            .expectedversion
            .as_deref()
            .map(|text| parse("expectedversion", text))
            .transpose()?,
        nonce: envelope
            .nonce
            .as_deref()
            .map(|text| {
                Nonce::parse(text).ok_or_else(|| {
                    invalid(
                        "nonce",
                        "the nonce must be 16 bytes as base64url without padding",
                    )
                })
            })
            .transpose()?,
    })
}

/// Returns true when a media type is that of JSON. Its case does not matter (RFC 2045, 5.1), nor do
/// its parameters.
fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

fn invalid(field: &str, message: &str) -> Rejection {
    Rejection::at(RejectionCode::InvalidValue, field, message)
}

fn parse<T>(field: &str, text: &str) -> Result<T, Rejection>
where
    T: std::str::FromStr<Err = crate::ids::IdError>,
{
    text.parse()
        .map_err(|error: T::Err| invalid(field, &error.to_string()))
}

fn command_type(kind: &str) -> Result<CommandType, Rejection> {
    let unknown = |code, message: String| Err(Rejection::at(code, "type", message));
    let cut: String = kind.chars().take(80).collect();
    let parts = kind
        .strip_prefix("ledger.")
        .and_then(|rest| rest.rsplit_once('.'));
    match parts {
        Some((name, version)) => match (CommandType::from_name(name), version) {
            (Some(command_type), "v1") => Ok(command_type),
            (Some(_), _) => unknown(
                RejectionCode::UnknownVersion,
                format!("{cut:?} is of a version this ledger does not know; use v1"),
            ),
            (None, _) => unknown(
                RejectionCode::UnknownCommand,
                format!("{cut:?} is no command of this ledger"),
            ),
        },
        None => unknown(
            RejectionCode::UnknownCommand,
            format!("{cut:?} is no command; a type is ledger.<command>.v1"),
        ),
    }
}

/// An RFC 3339 time in the years 1000 to 9999, whatever its offset.
fn time(text: &str) -> Result<DateTime<Utc>, Rejection> {
    read_time(text)
        .or_else(|| {
            DateTime::parse_from_rfc3339(text)
                .ok()
                .map(|time| time.to_utc())
        })
        .filter(|time| (1000..=9999).contains(&chrono::Datelike::year(time)))
        .ok_or_else(|| {
            invalid(
                "time",
                "the time must be RFC 3339, like 2026-03-31T09:30:00Z",
            )
        })
}
