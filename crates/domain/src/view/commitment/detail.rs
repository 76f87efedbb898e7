//! Texts and evidence of one commitment. No list shows them, so they are folded for one commitment alone.

use std::collections::BTreeMap;

use crate::ids::{CountryCode, Language, PartyId, Position};
use crate::view::read_model::event_ref::EventRef;
use crate::wire::v1::view::EvidenceRow;
use crate::wire::v1::{EventBody, Evidence, EvidencePlace, NamedEvidence, Sha256, Source};

/// The bytes that the texts of the evidence may take in an answer.
const MAX_EVIDENCE_BYTES: usize = 256 * 1024;
/// What a piece takes beside its URL and its title.
const PIECE_BYTES: usize = 400;

/// What a commitment says of itself, as it was amended.
#[derive(Debug, Default)]
pub(crate) struct Detail {
    pub(crate) description: Option<String>,
    pub(crate) language: Option<Language>,
    pub(crate) countries: Vec<CountryCode>,
    pub(crate) source: Option<Source>,
    pieces: Vec<Piece>,
    /// The number of each piece under every name that it has.
    names: BTreeMap<NamedEvidence, usize>,
}

#[derive(Debug)]
struct Piece {
    position: Position,
    index: usize,
    sha256: Option<Sha256>,
    url: Option<String>,
    title: Option<String>,
    party: PartyId,
    report: Option<Position>,
    unavailable: bool,
    /// It turned out to be another piece, which was known by its digest already.
    merged: bool,
}

impl Detail {
    /// Takes an event of the commitment in.
    pub(crate) fn apply(&mut self, event: &EventRef<'_>) {
        self.take_in_terms(event.body);
        let position = Position(event.at.position);
        if let EventBody::ProgressReported(data) = event.body {
            self.name(event, &data.evidence, Some(position));
        }
        if let EventBody::ReportCorrected(data) = event.body {
            self.name(event, &data.report.evidence, Some(position));
        }
        if let EventBody::EvidenceAttached(data) = event.body {
            self.name(event, &data.evidence, data.report);
        }
        if let EventBody::MilestoneReached(data) = event.body {
            self.name(event, &data.evidence, None);
        }
        if let EventBody::ReportContested(data) = event.body {
            self.name(event, &data.evidence, None);
        }
        if let EventBody::ProgressAssessed(data) = event.body {
            self.name(event, &data.evidence, None);
        }
        self.take_in_words(event.body);
    }

    fn take_in_terms(&mut self, body: &EventBody) {
        if let EventBody::CommitmentRecorded(data) = body {
            self.description.clone_from(&data.description);
            self.language.clone_from(&data.language);
            self.countries.clone_from(&data.countries);
            self.source.clone_from(&data.source);
        }
        if let EventBody::CommitmentAmended(data) = body {
            if data.description.is_some() {
                self.description.clone_from(&data.description);
            }
            if data.language.is_some() {
                self.language.clone_from(&data.language);
            }
            if let Some(countries) = &data.countries {
                self.countries.clone_from(countries);
            }
        }
    }

    /// Takes in where evidence is, whether it was found, and which digest it has.
    fn take_in_words(&mut self, body: &EventBody) {
        if let EventBody::EvidenceMoved(data) = body
            && let Some(piece) = self.named_mut(data.sha256, data.evidence)
        {
            piece.url = Some(data.url.clone());
            piece.unavailable = false;
        }
        if let EventBody::EvidenceFlaggedUnavailable(data) = body
            && let Some(piece) = self.named_mut(data.sha256, data.evidence)
        {
            piece.unavailable = true;
        }
        if let EventBody::EvidenceDigested(data) = body {
            self.digest(NamedEvidence::Place(data.evidence), data.sha256);
        }
    }

    fn named_mut(
        &mut self,
        sha256: Option<Sha256>,
        evidence: Option<EvidencePlace>,
    ) -> Option<&mut Piece> {
        let named = NamedEvidence::of(sha256, evidence)?;
        self.pieces.get_mut(*self.names.get(&named)?)
    }

    fn name(&mut self, event: &EventRef<'_>, evidence: &[Evidence], report: Option<Position>) {
        let position = Position(event.at.position);
        for (index, piece) in evidence.iter().enumerate() {
            let named = NamedEvidence::listed(position, index, piece);
            let known = self.names.get(&named);
            if let Some(known) = known.and_then(|number| self.pieces.get_mut(*number)) {
                known.title = piece.title.clone().or(known.title.take());
                known.report = known.report.or(report);
                if piece.url.is_some() {
                    known.url.clone_from(&piece.url);
                    known.unavailable = false;
                }
                continue;
            }
            self.names.insert(named, self.pieces.len());
            self.pieces.push(Piece {
                position,
                index,
                sha256: piece.sha256,
                url: piece.url.clone(),
                title: piece.title.clone(),
                party: event.party.clone(),
                report,
                unavailable: false,
                merged: false,
            });
        }
    }

    fn digest(&mut self, named: NamedEvidence, digest: Sha256) {
        let Some(&number) = self.names.get(&named) else {
            return;
        };
        let by_digest = NamedEvidence::Digest(digest);
        let other = self.names.get(&by_digest).copied();
        let Some(piece) = self.pieces.get_mut(number).filter(|it| it.sha256.is_none()) else {
            return;
        };
        piece.sha256 = Some(digest);
        let Some(other) = other else {
            self.names.insert(by_digest, number);
            return;
        };
        piece.merged = true;
        let unavailable = piece.unavailable;
        self.names.insert(named, other);
        if let Some(other) = self.pieces.get_mut(other) {
            other.unavailable |= unavailable;
        }
    }

    /// The evidence in the order in which it was named, and how many pieces had no room.
    pub(crate) fn evidence(&self) -> (Vec<EvidenceRow>, usize) {
        let all = || self.pieces.iter().filter(|piece| !piece.merged);
        let mut room = MAX_EVIDENCE_BYTES;
        let fitting = all().map_while(|piece| {
            room = room.checked_sub(piece.bytes())?;
            Some(piece.row())
        });
        let rows: Vec<EvidenceRow> = fitting.collect();
        let left_out = all().count() - rows.len();
        (rows, left_out)
    }
}

impl Piece {
    fn bytes(&self) -> usize {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        PIECE_BYTES + length(&self.url) + length(&self.title)
    }

    fn row(&self) -> EvidenceRow {
        EvidenceRow {
            evidence: format!("{}.{}", self.position, self.index),
            sha256: self.sha256.map(|digest| digest.to_string()),
            undigested: self.sha256.is_none(),
            url: self.url.clone(),
            title: self.title.clone(),
            party: self.party.to_string(),
            report: self.report.map(|report| report.to_string()),
            unavailable: self.unavailable,
        }
    }
}
