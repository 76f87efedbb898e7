//! Evidence of one commitment that is gone, or that was named without a digest, and the digests that it was given since. Only commitments
//! that have some of this pay for it.

use super::codec::{RowReader, RowWriter};
use crate::ids::Position;
use crate::view::error::RestoreError;
use crate::wire::v1::{Evidence, EvidencePlace, NamedEvidence, Sha256};

/// What was said of the evidence of one commitment.
#[derive(Debug, Default, Clone)]
pub(crate) struct EvidenceWords {
    /// Evidence that could not be found when it was looked for last.
    unavailable: Vec<NamedEvidence>,
    /// The digests that evidence was given after it was named.
    digested: Vec<(EvidencePlace, Sha256)>,
    /// The events by which participants added evidence without a digest.
    added: Vec<Added>,
}

/// An event that named evidence without a digest, and is no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Added {
    position: u64,
    to: AddedTo,
}

/// To what evidence was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddedTo {
    /// The report that the event at this position made, or corrected last.
    Report(u64),
    /// The commitment itself, or one of its milestones.
    Commitment,
}

impl EvidenceWords {
    /// How a piece is known now: by its digest, where it was given one.
    fn known_as(&self, named: NamedEvidence) -> NamedEvidence {
        let digested = |place| self.digested.iter().find(|(other, _)| *other == place);
        match named {
            NamedEvidence::Digest(_) => named,
            NamedEvidence::Place(place) => {
                digested(place).map_or(named, |(_, digest)| NamedEvidence::Digest(*digest))
            }
        }
    }

    /// A piece is where somebody says that it is.
    pub(crate) fn found(&mut self, named: NamedEvidence) {
        let known = self.known_as(named);
        self.unavailable.retain(|other| *other != known);
    }

    /// Whatever is named again with a URL was found there. A piece without a digest is a new one.
    pub(crate) fn named_again(&mut self, evidence: &[Evidence]) {
        let named = evidence.iter().filter(|piece| piece.url.is_some());
        for digest in named.filter_map(|piece| piece.sha256) {
            self.found(NamedEvidence::Digest(digest));
        }
    }

    /// A piece was looked for and not found.
    pub(crate) fn not_found(&mut self, named: NamedEvidence) {
        self.found(named);
        self.unavailable.push(self.known_as(named));
    }

    /// How many pieces could not be found.
    pub(crate) fn unavailable_count(&self) -> usize {
        self.unavailable.len()
    }

    pub(crate) fn forget_unavailable(&mut self) {
        self.unavailable.clear();
    }

    /// An event adds evidence, some of it without a digest.
    pub(crate) fn added(&mut self, position: u64, to: AddedTo) {
        self.added.push(Added { position, to });
    }

    /// Gives a piece its digest; what it was added to, if it was not named by a report itself.
    pub(crate) fn digested(&mut self, place: EvidencePlace, digest: Sha256) -> Option<AddedTo> {
        if self.digested.iter().all(|(other, _)| *other != place) {
            let gone = self.unavailable.contains(&NamedEvidence::Place(place));
            self.found(NamedEvidence::Place(place));
            self.digested.push((place, digest));
            if gone {
                self.not_found(NamedEvidence::Digest(digest));
            }
        }
        let by = |added: &&Added| added.position == place.position.0;
        self.added.iter().find(by).map(|added| added.to)
    }

    /// What was added to a report stays with its correction; what the report named itself is gone, unless the correction names it.
    pub(crate) fn report_corrected(&mut self, report: u64, correction: u64) {
        for added in &mut self.added {
            if added.to == AddedTo::Report(report) {
                added.to = AddedTo::Report(correction);
            }
        }
        self.forget_named_by(report);
    }

    /// A report was retracted, and what it named and was added to it with it.
    pub(crate) fn report_gone(&mut self, report: u64) {
        let to_it = |added: &Added| added.to == AddedTo::Report(report);
        let gone: Vec<u64> = self
            .added
            .iter()
            .filter(|it| to_it(it))
            .map(|it| it.position)
            .collect();
        self.added.retain(|added| !to_it(added));
        for position in gone.into_iter().chain([report]) {
            self.forget_named_by(position);
        }
    }

    /// Who asks where evidence is does not ask for what no event that stands names: where it has no digest, none but its own event names it.
    fn forget_named_by(&mut self, position: u64) {
        self.unavailable.retain(|named| match named {
            NamedEvidence::Place(place) => place.position.0 != position,
            NamedEvidence::Digest(_) => true,
        });
    }

    pub(crate) fn encode(&self, row: &mut RowWriter) {
        row.count(self.unavailable.len());
        for named in &self.unavailable {
            match named {
                NamedEvidence::Digest(digest) => {
                    row.u8(0);
                    row.array(&digest.0);
                }
                NamedEvidence::Place(place) => {
                    row.u8(1);
                    write_place(row, *place);
                }
            }
        }
        row.count(self.digested.len());
        for (place, digest) in &self.digested {
            write_place(row, *place);
            row.array(&digest.0);
        }
        row.count(self.added.len());
        for added in &self.added {
            row.u64(added.position);
            row.u64(match added.to {
                AddedTo::Commitment => 0,
                // Position 0 opens the ledger: no report stands there.
                AddedTo::Report(position) => position,
            });
        }
    }

    pub(crate) fn decode(row: &mut RowReader<'_>) -> Result<Self, RestoreError> {
        let mut words = Self::default();
        for _ in 0..row.count()? {
            words.unavailable.push(match row.u8()? {
                0 => NamedEvidence::Digest(Sha256(row.array()?)),
                1 => NamedEvidence::Place(read_place(row)?),
                _ => return Err(row.damaged()),
            });
        }
        for _ in 0..row.count()? {
            words
                .digested
                .push((read_place(row)?, Sha256(row.array()?)));
        }
        for _ in 0..row.count()? {
            words.added.push(Added {
                position: row.u64()?,
                to: match row.u64()? {
                    0 => AddedTo::Commitment,
                    position => AddedTo::Report(position),
                },
            });
        }
        Ok(words)
    }
}

fn write_place(row: &mut RowWriter, place: EvidencePlace) {
    row.u64(place.position.0);
    row.u32(place.index.into());
}

fn read_place(row: &mut RowReader<'_>) -> Result<EvidencePlace, RestoreError> {
    Ok(EvidencePlace {
        position: Position(row.u64()?),
        index: u16::try_from(row.u32()?).map_err(|_| row.damaged())?,
    })
}

/// Whether any piece has a digest, and whether any has none.
pub(crate) fn has_digests(evidence: &[Evidence]) -> (bool, bool) {
    let digested = |piece: &Evidence| piece.sha256.is_some();
    (
        evidence.iter().any(digested),
        evidence.iter().any(|piece| !digested(piece)),
    )
}
