//! An event's excerpt: the event without what nothing is counted from, most attributes of its header, and the free texts of the two kinds of events that are nearly all
//! of a log. Whoever folds a whole log reads this of it, at half the cost.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::event_body::{EventBody, EventType, UnreadableEvent};
use super::events::{CommitmentRecorded, ProgressReported};
use super::header::{Cursor, HeaderError, read_event_type, read_subject, read_written_time};
use super::members::{Elements, Members, plain_text};
use super::values::{Measure, Period};
use super::words::{Form, Nature, Stage};
use crate::date::PartialDate;
use crate::ids::{ActionCode, PartnerId, PartyId, Position, Subject};

/// What is read of an event.
#[derive(Debug, Clone, PartialEq)]
pub struct EventExcerpt {
    /// What the header says.
    pub heading: Heading,
    /// The data. Of a recorded commitment there is what it is counted by and its title, of a report its period, stage and evidence: what else those
    /// two may have may be left out, as if it had not been given.
    pub body: EventBody,
}

/// What is read of an event's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// What happened.
    pub event_type: EventType,
    /// To what.
    pub subject: Subject,
    /// When it was recorded.
    pub time: DateTime<Utc>,
    /// Where it stands in the log.
    pub position: Position,
    /// The partner that sent the command.
    pub partner: PartnerId,
    /// The party it acted for.
    pub party: PartyId,
    /// When it was true, as precisely as that is known.
    pub effective: Option<PartialDate>,
}

impl Heading {
    /// Reads the bytes of a leaf up to the last attribute that is wanted; what is passed over is not checked.
    ///
    /// # Errors
    /// Names the first attribute that is not as it must be.
    pub fn decode(bytes: &[u8]) -> Result<Self, HeaderError> {
        let mut cursor = Cursor::new(bytes);
        cursor.literal(br#"{"specversion":"1.0"#, "specversion")?;
        cursor.skip(br#"","id":""#, "id")?;
        cursor.skip(br#"","source":"ledger/"#, "source")?;
        let event_type = cursor.required(br#"","type":"ledger."#, "type", read_event_type)?;
        let subject = cursor.required(br#"","subject":""#, "subject", read_subject)?;
        let time = cursor.required(br#"","time":""#, "time", read_written_time)?;
        let position =
            cursor.required(br#"","position":""#, "position", |text| text.parse().ok())?;
        cursor.skip(br#"","streamversion":""#, "streamversion")?;
        let partner = cursor.required(br#"","partner":""#, "partner", |text| text.parse().ok())?;
        let party = cursor.required(br#"","party":""#, "party", |text| text.parse().ok())?;
        cursor.skip_if_there(br#"","causationid":""#, "causationid")?;
        cursor.skip_if_there(br#"","submission":""#, "submission")?;
        cursor.skip_if_there(br#"","submissionindex":""#, "submissionindex")?;
        let effective =
            cursor.optional(br#"","effective":""#, "effective", |text| text.parse().ok())?;
        Ok(Self {
            event_type,
            subject,
            time,
            position,
            partner,
            party,
            effective,
        })
    }
}

impl EventBody {
    /// Reads an event's data bytes as [`EventExcerpt`] has them.
    ///
    /// # Errors
    /// When the bytes are not the data of such an event.
    pub fn decode_excerpt(event_type: EventType, data: &[u8]) -> Result<Self, UnreadableEvent> {
        let excerpt = if event_type == EventType::ProgressReported {
            report(data).map(Self::ProgressReported)
        } else if event_type == EventType::CommitmentRecorded {
            commitment(data).map(Self::CommitmentRecorded)
        } else {
            None
        };
        match excerpt {
            Some(excerpt) => Ok(excerpt),
            // It is written in another way than the ledger writes: the JSON reader takes it, or says what is wrong with it.
            None => Self::decode(event_type, data),
        }
    }
}

fn report(data: &[u8]) -> Option<ProgressReported> {
    let (mut period, mut stage, mut evidence) = (None, None, Vec::new());
    for member in Members::of(data)? {
        let (name, value) = member.ok()?;
        match name {
            b"period" => period = Some(self::period(value)?),
            b"stage" => stage = Some(word(value, Stage::ALL, Stage::as_str)?),
            b"evidence" => evidence = json(value)?,
            _ => {}
        }
    }
    Some(ProgressReported {
        language: None,
        period: period?,
        stage: stage?,
        indicators: Vec::new(),
        narrative: None,
        evidence,
        no_evidence_reason: None,
    })
}

fn commitment(data: &[u8]) -> Option<CommitmentRecorded> {
    let (mut lead, mut title, mut actions, mut form) = (None, None, None, None);
    let (mut nature, mut measure, mut made, mut due) = (None, None, None, None);
    let (mut participants, mut milestones) = (Vec::new(), Vec::new());
    let mut illustrative = false;
    for member in Members::of(data)? {
        let (name, value) = member.ok()?;
        match name {
            b"lead" => lead = Some(parsed(value)?),
            b"title" => title = Some(plain_text(value)?.to_owned()),
            b"actions" => actions = Some(codes(value)?),
            b"form" => form = Some(word(value, Form::ALL, Form::as_str)?),
            b"nature" => nature = Some(word(value, Nature::ALL, Nature::as_str)?),
            b"participants" => participants = json(value)?,
            b"measure" => measure = Some(self::measure(value)?),
            b"made" => made = Some(parsed(value)?),
            b"due" => due = Some(parsed(value)?),
            b"milestones" => milestones = json(value)?,
            b"illustrative" => illustrative = json(value)?,
            _ => {}
        }
    }
    Some(CommitmentRecorded {
        language: None,
        lead: lead?,
        country: None,
        catalogue: None,
        title: title?,
        description: None,
        actions: actions?,
        form: form?,
        nature,
        matches: None,
        participants,
        countries: Vec::new(),
        principles: Vec::new(),
        measure,
        made,
        due,
        milestones,
        source: None,
        illustrative,
    })
}

fn period(value: &[u8]) -> Option<Period> {
    let (mut from, mut to) = (None, None);
    for member in Members::of(value)? {
        let (name, value) = member.ok()?;
        match name {
            b"from" => from = Some(parsed(value)?),
            b"to" => to = Some(parsed(value)?),
            _ => {}
        }
    }
    Some(Period {
        from: from?,
        to: to?,
    })
}

/// What a commitment is measured by, without the words.
fn measure(value: &[u8]) -> Option<Measure> {
    let (mut baseline, mut target) = (None, None);
    for member in Members::of(value)? {
        let (name, value) = member.ok()?;
        match name {
            b"baseline" => baseline = Some(json(value)?),
            b"target" => target = Some(json(value)?),
            _ => {}
        }
    }
    Some(Measure {
        indicator: String::new(),
        unit: None,
        baseline,
        target,
    })
}

fn codes(value: &[u8]) -> Option<Vec<ActionCode>> {
    // Most commitments are made under one action or two.
    let mut codes = Vec::with_capacity(2);
    for code in Elements::of(value)? {
        codes.push(parsed(code.ok()?)?);
    }
    Some(codes)
}

/// A value whose text says it all.
fn parsed<T: FromStr>(value: &[u8]) -> Option<T> {
    plain_text(value)?.parse().ok()
}

/// A word of a closed list.
fn word<T: Copy>(value: &[u8], words: &[T], text: fn(T) -> &'static str) -> Option<T> {
    let found = plain_text(value)?;
    words.iter().copied().find(|word| text(*word) == found)
}

/// A value of any kind, by the JSON reader.
fn json<'a, T: Deserialize<'a>>(value: &'a [u8]) -> Option<T> {
    serde_json::from_slice(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::v1::EventHeader;

    fn full(event_type: EventType, data: &str) -> EventBody {
        EventBody::decode(event_type, data.as_bytes()).unwrap()
    }

    fn excerpt(event_type: EventType, data: &str) -> EventBody {
        EventBody::decode_excerpt(event_type, data.as_bytes()).unwrap()
    }

    const COMMITMENT: &str = r#"{"lead":"KEN","country":"KEN","catalogue":"7","title":"A title","description":"Said \"so\"","actions":["GCM-05a","GCM-10"],"form":"partnership","nature":"process","participants":[{"party":"CHE","role":"partner"}],"countries":["UGA"],"measure":{"indicator":"persons, \"reached\"","unit":"persons","baseline":0,"target":12.5},"made":"2020","due":"2030-12","milestones":[{"name":"one"}],"illustrative":true}"#;

    #[test]
    fn the_excerpt_of_a_commitment_leaves_its_words_out() {
        let mut expected = full(EventType::CommitmentRecorded, COMMITMENT);
        let EventBody::CommitmentRecorded(data) = &mut expected else {
            panic!("it is one");
        };
        (data.country, data.catalogue, data.description) = (None, None, None);
        data.countries.clear();
        let measure = data.measure.as_mut().unwrap();
        (measure.indicator, measure.unit) = (String::new(), None);
        assert_eq!(excerpt(EventType::CommitmentRecorded, COMMITMENT), expected);
    }

    #[test]
    fn the_excerpt_of_a_report_is_its_period_stage_and_evidence() {
        let data = r#"{"period":{"from":"2024-01","to":"2024-06"},"stage":"in_progress","indicators":[{"name":"x","value":1}],"narrative":"a, \"b\" }","evidence":[{"sha256":"0000000000000000000000000000000000000000000000000000000000000000","url":"https://example.org/"}],"no_evidence_reason":"none"}"#;
        let mut expected = full(EventType::ProgressReported, data);
        let EventBody::ProgressReported(report) = &mut expected else {
            panic!("it is one");
        };
        report.indicators.clear();
        (report.narrative, report.no_evidence_reason) = (None, None);
        assert_eq!(excerpt(EventType::ProgressReported, data), expected);
    }

    #[test]
    fn what_is_written_otherwise_is_read_whole() {
        let spaced = COMMITMENT.replace("\"lead\":", "\"lead\" : ");
        let escaped = COMMITMENT.replace("A title", "A \\u0074itle");
        for data in [&spaced, &escaped] {
            let expected = full(EventType::CommitmentRecorded, data);
            assert_eq!(excerpt(EventType::CommitmentRecorded, data), expected);
        }
        for damaged in [
            "",
            "{}",
            r#"{"lead":"KEN"}"#,
            r#"{"period":{"from":"2024","to":"20"},"stage":"planning"}"#,
        ] {
            for event_type in [EventType::CommitmentRecorded, EventType::ProgressReported] {
                let read = EventBody::decode_excerpt(event_type, damaged.as_bytes());
                assert!(read.is_err(), "{damaged}");
            }
        }
    }

    #[test]
    fn a_heading_is_what_the_header_says() {
        for optional in [true, false] {
            let header = EventHeader {
                id: "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e8f".parse().unwrap(),
                ledger: "main".parse().unwrap(),
                event_type: EventType::ProgressReported,
                subject: "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e8f".parse().unwrap(),
                time: DateTime::from_timestamp_micros(1_700_000_000_000_001).unwrap(),
                position: Position(5),
                stream_version: crate::ids::Version(2),
                partner: "P".parse().unwrap(),
                party: "KEN".parse().unwrap(),
                causation_id: optional
                    .then(|| "0197a5b4-6d1e-7c3a-9f00-3b2a1c0d9e8f".parse().unwrap()),
                submission: optional.then_some([7; 32]),
                submission_index: optional.then_some(3),
                effective: optional.then(|| "2024-06".parse().unwrap()),
                rules_version: 1,
                data_digest: [9; 32],
                outline_digest: optional.then_some([8; 32]),
            };
            let heading = Heading::decode(&header.encode()).unwrap();
            let expected = Heading {
                event_type: header.event_type,
                subject: header.subject,
                time: header.time,
                position: header.position,
                partner: header.partner,
                party: header.party,
                effective: header.effective,
            };
            assert_eq!(heading, expected);
        }
        assert!(Heading::decode(b"{}").is_err());
    }
}
