//! What is said around a view's body at the moment it is read.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;

use super::body::recorded_text;
use crate::wire::v1::view::Timeliness;

/// The moment of reading: what does not belong in a body that must fold to the same bytes for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The time that counts as "today": now, or the recorded time of the position asked for.
    pub as_of: DateTime<Utc>,
    /// The position that the view is shown as known at; none for what is known now.
    pub as_of_position: Option<u64>,
    /// The highest position the view includes; none before the first event.
    pub watermark: Option<u64>,
    /// How many events the log has that the view does not include yet; none where that is not known.
    pub lag_events: Option<u64>,
    /// The title of what the view is about.
    pub title: Option<String>,
    /// How its commitments stand on that day, if it is a view of commitments.
    pub timeliness: Option<Timeliness>,
}

#[derive(Serialize)]
struct Wrapped<'a> {
    as_of: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of_position: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    watermark: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lag_events: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(rename = "commitments_today", skip_serializing_if = "Option::is_none")]
    timeliness: Option<Timeliness>,
    view: &'a RawValue,
}

impl Envelope {
    /// Puts the envelope around a body, whose bytes stay as they are under `view`.
    ///
    /// # Errors
    /// When `body` is not JSON, which no body of a [`super::Projection`] is.
    pub fn wrap(&self, body: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&Wrapped {
            as_of: recorded_text(self.as_of.timestamp_micros()),
            as_of_position: self.as_of_position.map(|position| position.to_string()),
            watermark: self.watermark.map(|position| position.to_string()),
            lag_events: self.lag_events,
            title: self.title.as_deref(),
            timeliness: self.timeliness,
            view: serde_json::from_slice(body)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_keeps_its_bytes_inside_the_envelope() {
        let body = br#"{"view":"summary","position":"7"}"#;
        let envelope = Envelope {
            as_of: DateTime::from_timestamp_micros(1_000_001).unwrap(),
            as_of_position: None,
            watermark: Some(9),
            lag_events: Some(2),
            title: None,
            timeliness: Some(Timeliness {
                stale: 3,
                ..Timeliness::default()
            }),
        };
        let wrapped = String::from_utf8(envelope.wrap(body).unwrap()).unwrap();
        assert_eq!(
            wrapped,
            r#"{"as_of":"1970-01-01T00:00:01.000001Z","watermark":"9","lag_events":2,"commitments_today":{"overdue_original":0,"overdue_amended":0,"stale":3,"never_reported":0},"view":{"view":"summary","position":"7"}}"#
        );
        assert!(envelope.wrap(b"{").is_err());
    }
}
