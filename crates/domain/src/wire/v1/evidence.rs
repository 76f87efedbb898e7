//! How a piece of evidence is named: by its digest, or, before it has one, by where it was named.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserializer, Error as _};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use super::shape::Outlined;
use super::values::{Evidence, Sha256};
use crate::ids::Position;

/// A piece of evidence by the event that named it: `<position>.<index>`, its place in that event's list of evidence, counted
/// from 0. It names a piece that came without a digest, before and after it is given one; its URL may move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EvidencePlace {
    /// The event that named it.
    pub position: Position,
    /// Its place in that event's list.
    pub index: u16,
}

/// A text is not the place of a piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "evidence is named as <position>.<index>, like 1042.0: the event's position, and its place in that event's list from 0"
)]
pub struct NoEvidencePlace;

impl Outlined for EvidencePlace {}

impl fmt::Display for EvidencePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.position, self.index)
    }
}

impl FromStr for EvidencePlace {
    type Err = NoEvidencePlace;

    fn from_str(text: &str) -> Result<Self, NoEvidencePlace> {
        let (position, index) = text.split_once('.').ok_or(NoEvidencePlace)?;
        // One place has one text: no sign and no zeros before it.
        let is_plain = |digits: &str| {
            digits.bytes().all(|byte| byte.is_ascii_digit())
                && (digits == "0" || !digits.starts_with('0'))
        };
        if !is_plain(position) || !is_plain(index) {
            return Err(NoEvidencePlace);
        }
        Ok(Self {
            position: Position(position.parse().map_err(|_| NoEvidencePlace)?),
            index: index.parse().map_err(|_| NoEvidencePlace)?,
        })
    }
}

impl Serialize for EvidencePlace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EvidencePlace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// A piece of evidence as a command or an event names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NamedEvidence {
    /// By its digest.
    Digest(Sha256),
    /// By where it was named without one.
    Place(EvidencePlace),
}

impl NamedEvidence {
    /// What a command or an event names that has a field for either; none where it has neither.
    pub fn of(sha256: Option<Sha256>, evidence: Option<EvidencePlace>) -> Option<Self> {
        sha256
            .map(Self::Digest)
            .or_else(|| evidence.map(Self::Place))
    }

    /// The piece that stands at an index of an event's list.
    pub fn listed(position: Position, index: usize, piece: &Evidence) -> Self {
        match piece.sha256 {
            Some(digest) => Self::Digest(digest),
            None => Self::Place(EvidencePlace {
                position,
                index: u16::try_from(index).unwrap_or(u16::MAX),
            }),
        }
    }
}

impl fmt::Display for NamedEvidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digest(digest) => digest.fmt(f),
            Self::Place(place) => place.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_one_text() {
        let place: EvidencePlace = "1042.3".parse().unwrap();
        assert_eq!((place.position, place.index), (Position(1042), 3));
        assert_eq!(place.to_string(), "1042.3");
        for other in [
            "",
            ".",
            "1042",
            "1042.",
            ".3",
            "01.3",
            "1.03",
            "+1.3",
            "1.+3",
            "1.3.4",
            "1.65536",
            "1. 3",
            "99999999999999999999.0",
            "1,3",
            "-1.0",
        ] {
            assert!(other.parse::<EvidencePlace>().is_err(), "{other}");
        }
    }
}
