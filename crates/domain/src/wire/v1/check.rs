//! The form of a command's data: limits on texts and lists, which need no knowledge of what was recorded.

use std::collections::BTreeSet;
use std::fmt;

use super::command::CommandBody;
use super::values::Policy;
use crate::rejection::{Rejection, RejectionCode};

const MAX_PARTIES: usize = 1000;
const MAX_ACTIONS: usize = 64;
const MAX_PARTICIPANTS: usize = 256;
const MAX_COUNTRIES: usize = 249;
const MAX_PRINCIPLES: usize = 64;
const MAX_INDICATORS: usize = 50;
const MAX_EVIDENCE: usize = 50;

/// The longest name, title or unit, in characters.
const MAX_NAME_CHARS: usize = 300;
/// The longest URL, in bytes.
const MAX_URL_BYTES: usize = 2048;

/// What a text is for; it decides how long it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextKind {
    /// A name, a title or a unit.
    Name,
    /// Free text: the policy says how long it may be.
    Free,
    /// A URL: no words of a person.
    Url,
}

/// Where a text stands in a command's data.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextPath {
    outer: Option<(&'static str, Option<usize>)>,
    field: &'static str,
}

impl fmt::Display for TextPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.outer {
            None => write!(f, "data.{}", self.field),
            Some((outer, None)) => write!(f, "data.{outer}.{}", self.field),
            Some((outer, Some(index))) => write!(f, "data.{outer}[{index}].{}", self.field),
        }
    }
}

type Seen<'a> = dyn FnMut(TextPath, TextKind, &str) -> Result<(), Rejection> + 'a;

struct Texts<'a, 'b>(&'a mut Seen<'b>);

impl Texts<'_, '_> {
    fn one(&mut self, field: &'static str, kind: TextKind, text: &str) -> Result<(), Rejection> {
        (self.0)(TextPath { outer: None, field }, kind, text)
    }

    fn maybe(
        &mut self,
        field: &'static str,
        kind: TextKind,
        text: Option<&String>,
    ) -> Result<(), Rejection> {
        text.map_or(Ok(()), |text| self.one(field, kind, text))
    }

    fn within(
        &mut self,
        outer: (&'static str, Option<usize>),
        field: &'static str,
        kind: TextKind,
        text: Option<&String>,
    ) -> Result<(), Rejection> {
        let path = TextPath {
            outer: Some(outer),
            field,
        };
        text.map_or(Ok(()), |text| (self.0)(path, kind, text))
    }
}

/// Visits every text of a command's data that a person may have written, in the order of the fields.
pub(crate) fn texts(body: &CommandBody, seen: &mut Seen<'_>) -> Result<(), Rejection> {
    use TextKind::{Free, Name, Url};
    let mut texts = Texts(seen);
    match body {
        CommandBody::RegisterPartner(data) => texts.one("name", Name, &data.name),
        CommandBody::ChangePartner(data) => texts.maybe("name", Name, data.name.as_ref()),
        CommandBody::RevokePartner(data) => texts.one("reason", Free, &data.reason),
        CommandBody::PublishInstrument(data) => {
            texts.one("title", Name, &data.title)?;
            texts.maybe("symbol", Name, data.symbol.as_ref())?;
            texts.maybe("url", Url, data.url.as_ref())?;
            data.principles
                .iter()
                .enumerate()
                .try_for_each(|(index, principle)| {
                    texts.within(
                        ("principles", Some(index)),
                        "name",
                        Name,
                        Some(&principle.name),
                    )
                })
        }
        CommandBody::CatalogueAction(data) => {
            texts.one("title", Name, &data.title)?;
            texts.maybe("description", Free, data.description.as_ref())
        }
        CommandBody::AmendActionText(data) => {
            texts.maybe("title", Name, data.title.as_ref())?;
            texts.maybe("description", Free, data.description.as_ref())?;
            texts.one("reason", Free, &data.reason)
        }
        CommandBody::MapActions(data) => texts.maybe("basis", Free, data.basis.as_ref()),
        CommandBody::RegisterParty(data) => texts.one("name", Name, &data.name),
        CommandBody::ChangePartyStatus(data) => texts.one("reason", Free, &data.reason),
        CommandBody::RecordCommitment(_)
        | CommandBody::ReportProgress(_)
        | CommandBody::AmendCommitment(_)
        | CommandBody::WithdrawCommitment(_) => commitment_texts(body, &mut texts),
    }
}

fn commitment_texts(body: &CommandBody, texts: &mut Texts<'_, '_>) -> Result<(), Rejection> {
    use TextKind::{Free, Name, Url};
    match body {
        CommandBody::RecordCommitment(data) => {
            texts.one("title", Name, &data.title)?;
            texts.maybe("description", Free, data.description.as_ref())?;
            if let Some(measure) = &data.measure {
                let outer = ("measure", None);
                texts.within(outer, "indicator", Name, Some(&measure.indicator))?;
                texts.within(outer, "unit", Name, measure.unit.as_ref())?;
            }
            if let Some(source) = &data.source {
                let outer = ("source", None);
                texts.within(outer, "system", Name, Some(&source.system))?;
                texts.within(outer, "reference", Name, Some(&source.reference))?;
                texts.within(outer, "url", Url, source.url.as_ref())?;
            }
            Ok(())
        }
        CommandBody::ReportProgress(data) => {
            for (index, indicator) in data.indicators.iter().enumerate() {
                let outer = ("indicators", Some(index));
                texts.within(outer, "name", Name, Some(&indicator.name))?;
                texts.within(outer, "unit", Name, indicator.unit.as_ref())?;
            }
            texts.maybe("narrative", Free, data.narrative.as_ref())?;
            for (index, evidence) in data.evidence.iter().enumerate() {
                let outer = ("evidence", Some(index));
                texts.within(outer, "url", Url, evidence.url.as_ref())?;
                texts.within(outer, "title", Name, evidence.title.as_ref())?;
            }
            texts.maybe("no_evidence_reason", Free, data.no_evidence_reason.as_ref())
        }
        CommandBody::AmendCommitment(data) => {
            texts.maybe("title", Name, data.title.as_ref())?;
            texts.maybe("description", Free, data.description.as_ref())?;
            if let Some(measure) = &data.measure {
                let outer = ("measure", None);
                texts.within(outer, "indicator", Name, measure.indicator.as_ref())?;
                texts.within(outer, "unit", Name, measure.unit.as_ref())?;
            }
            texts.one("reason", Free, &data.reason)
        }
        CommandBody::WithdrawCommitment(data) => texts.one("reason", Free, &data.reason),
        CommandBody::RegisterPartner(_)
        | CommandBody::ChangePartner(_)
        | CommandBody::RevokePartner(_)
        | CommandBody::PublishInstrument(_)
        | CommandBody::CatalogueAction(_)
        | CommandBody::AmendActionText(_)
        | CommandBody::MapActions(_)
        | CommandBody::RegisterParty(_)
        | CommandBody::ChangePartyStatus(_) => Ok(()),
    }
}

/// Checks the form of a command's data.
pub(super) fn check(body: &CommandBody, policy: &Policy) -> Result<(), Rejection> {
    texts(body, &mut |path, kind, text| {
        check_text(path, kind, text, policy)
    })?;
    lists(body)
}

fn check_text(
    path: TextPath,
    kind: TextKind,
    text: &str,
    policy: &Policy,
) -> Result<(), Rejection> {
    let refuse = |code, message: String| Err(Rejection::at(code, path.to_string(), message));
    if text.trim().is_empty() {
        let message = "the text is blank; write it, or leave the field out if it is optional";
        return refuse(RejectionCode::TextEmpty, message.to_owned());
    }
    let (length, limit, unit) = match kind {
        // Bytes bound characters from above, so that most texts are not counted.
        TextKind::Name if text.len() <= MAX_NAME_CHARS => (0, MAX_NAME_CHARS, "characters"),
        TextKind::Name => (text.chars().count(), MAX_NAME_CHARS, "characters"),
        TextKind::Free => (text.len(), policy.max_text_bytes, "bytes"),
        TextKind::Url => (text.len(), MAX_URL_BYTES, "bytes"),
    };
    if length > limit {
        return refuse(
            RejectionCode::TextTooLong,
            format!("the text has {length} {unit}; the ledger takes {limit}"),
        );
    }
    if let Some(control) = control_character(kind, text) {
        return refuse(
            RejectionCode::ControlCharacter,
            format!(
                "the text has the control character U+{:04X}; remove it",
                u32::from(control)
            ),
        );
    }
    let web = |text: &str| text.starts_with("https://") || text.starts_with("http://");
    if kind == TextKind::Url && (!web(text) || text.contains(char::is_whitespace)) {
        return refuse(
            RejectionCode::InvalidValue,
            "the URL must begin with https:// or http:// and have no spaces".to_owned(),
        );
    }
    Ok(())
}

/// The first control character (C0 or C1) but for the line ends and tabs of free text.
fn control_character(kind: TextKind, text: &str) -> Option<char> {
    // Without branches, so that the compiler looks at many bytes at once; C1 begins with 0xC2 in UTF-8.
    let suspicious = text.bytes().fold(0, |found, byte| {
        found | u8::from(byte < 0x20) | u8::from(byte == 0x7f) | u8::from(byte == 0xc2)
    });
    if suspicious == 0 {
        return None;
    }
    let allowed = |letter| kind == TextKind::Free && matches!(letter, '\n' | '\t' | '\r');
    text.chars()
        .find(|letter| letter.is_control() && !allowed(*letter))
}

fn lists(body: &CommandBody) -> Result<(), Rejection> {
    match body {
        CommandBody::RegisterPartner(data) => {
            list("roles", &data.roles, 1, 16, |role| role)?;
            list("parties", &data.parties, 1, MAX_PARTIES, |party| party)
        }
        CommandBody::ChangePartner(data) => {
            maybe_list("roles", data.roles.as_ref(), 16)?;
            maybe_list("parties", data.parties.as_ref(), MAX_PARTIES)
        }
        CommandBody::PublishInstrument(data) => list(
            "principles",
            &data.principles,
            0,
            MAX_PRINCIPLES,
            |principle| &principle.code,
        ),
        CommandBody::MapActions(data) => list("to", &data.to, 1, MAX_ACTIONS, |code| code),
        CommandBody::RecordCommitment(data) => {
            list("actions", &data.actions, 1, MAX_ACTIONS, |code| code)?;
            list(
                "participants",
                &data.participants,
                0,
                MAX_PARTICIPANTS,
                |participant| &participant.party,
            )?;
            list("countries", &data.countries, 0, MAX_COUNTRIES, |country| {
                country
            })?;
            list("principles", &data.principles, 0, MAX_PRINCIPLES, |code| {
                code
            })
        }
        CommandBody::ReportProgress(data) => {
            list(
                "indicators",
                &data.indicators,
                0,
                MAX_INDICATORS,
                |indicator| (&indicator.name, indicator.unit.as_ref()),
            )?;
            list("evidence", &data.evidence, 0, MAX_EVIDENCE, |evidence| {
                evidence.sha256.0
            })
        }
        CommandBody::AmendCommitment(data) => {
            maybe_list("actions", data.actions.as_ref(), MAX_ACTIONS)?;
            maybe_list("countries", data.countries.as_ref(), MAX_COUNTRIES)
        }
        CommandBody::RevokePartner(_)
        | CommandBody::CatalogueAction(_)
        | CommandBody::AmendActionText(_)
        | CommandBody::RegisterParty(_)
        | CommandBody::ChangePartyStatus(_)
        | CommandBody::WithdrawCommitment(_) => Ok(()),
    }
}

/// Checks a list of a change: an empty one would blank what stands.
fn maybe_list<T: Ord>(
    field: &'static str,
    items: Option<&Vec<T>>,
    most: usize,
) -> Result<(), Rejection> {
    match items {
        None => Ok(()),
        Some(items) if items.is_empty() => Err(Rejection::at(
            RejectionCode::BlankingRefused,
            format!("data.{field}"),
            "an empty list would blank the field; leave it out, or name at least one",
        )),
        Some(items) => list(field, items, 1, most, |item| item),
    }
}

/// Checks how many items a list has, and that none stands twice.
fn list<'a, T, K: Ord>(
    field: &'static str,
    items: &'a [T],
    least: usize,
    most: usize,
    key: impl Fn(&'a T) -> K,
) -> Result<(), Rejection> {
    if items.len() < least {
        return Err(Rejection::at(
            RejectionCode::MissingField,
            format!("data.{field}"),
            "the list is empty; name at least one",
        ));
    }
    if items.len() > most {
        return Err(Rejection::at(
            RejectionCode::TooManyItems,
            format!("data.{field}"),
            format!(
                "the list has {} items; the ledger takes {most}",
                items.len()
            ),
        ));
    }
    match second_of_a_pair(items, key) {
        None => Ok(()),
        Some(index) => Err(Rejection::at(
            RejectionCode::DuplicateValue,
            format!("data.{field}[{index}]"),
            "this stands twice in the list; name it once",
        )),
    }
}

/// The index of the first item whose key came before. Short lists are compared item by item, which needs no memory.
fn second_of_a_pair<'a, T, K: Ord>(items: &'a [T], key: impl Fn(&'a T) -> K) -> Option<usize> {
    if items.len() <= 8 {
        return items.iter().enumerate().position(|(index, item)| {
            let mut before = items.iter().take(index);
            before.any(|other| key(other) == key(item))
        });
    }
    let mut seen = BTreeSet::new();
    items.iter().position(|item| !seen.insert(key(item)))
}
