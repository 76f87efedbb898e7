//! The evidence of one commitment, as a decision needs to know it: 16 bytes for each thing that a piece is named of.

use smallvec::SmallVec;

use super::measure::mark_of;
use crate::ids::Position;
use crate::wire::v1::{Evidence, EvidencePlace, NamedEvidence, Sha256};

/// All pieces that were named, by whomever. None is ever taken out.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Pieces(SmallVec<[Piece; 1]>);

/// One piece, or one further thing that a piece is named of. Hash marks stand for digests and texts, so that two of them may be taken for
/// one: of digests, with a chance of 2^-48.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    /// The first six bytes of the digest; of a piece that came without one, where it was named. Then a mark of the title it has now, 0
    /// for none. Of a further thing: the number of the piece.
    key: [u32; 2],
    /// The mark of the URL it has now, 0 for none. Of a piece that was given its digest later: the number of the piece with that digest.
    url: u32,
    /// The thing that the piece is named of, and the flags below.
    of: u32,
}

/// It came without a digest.
const PLACED: u32 = 1 << 31;
/// It came without a digest, and has one now.
const DIGESTED: u32 = 1 << 30;
/// It could not be found when it was looked for last.
const UNAVAILABLE: u32 = 1 << 29;
/// A participant named it of that.
const BY_PARTICIPANT: u32 = 1 << 28;
/// It is a further thing that a piece is named of.
const FURTHER: u32 = 1 << 27;
const OF: u32 = FURTHER - 1;
/// It is named of nothing that evidence can be attached to: an entry for a further thing takes its place.
const ELSEWHERE: u32 = OF;
/// The mark of a title in a key.
const TITLE: u32 = 0xffff;

/// What evidence is named of: a report, the commitment as a whole, or what the event that names it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Naming {
    of: u32,
}

impl Naming {
    /// Of a report at a position, the commitment as a whole if none.
    pub(super) fn of(report: Option<Position>, by_participant: bool) -> Self {
        // Positions that are the same here are 2^27 events apart: the worst of it is that such evidence is not attached again.
        let of = report.map_or(0, |position| {
            u32::try_from(position.0 % u64::from(ELSEWHERE - 1)).unwrap_or_default() + 1
        });
        Self::by(of, by_participant)
    }

    /// Of what its event says, to which nothing is attached: a milestone, a contest, an assessment.
    pub(super) fn elsewhere(by_participant: bool) -> Self {
        Self::by(ELSEWHERE, by_participant)
    }

    fn by(of: u32, by_participant: bool) -> Self {
        let flag = if by_participant { BY_PARTICIPANT } else { 0 };
        Self { of: of | flag }
    }
}

/// Bits of a position in a place's key. A log of as many events as that takes a million disks.
const POSITION_BITS: u32 = 40;

fn digest_key(digest: &Sha256) -> [u32; 2] {
    let (high, low) = digest.0.split_at(4);
    let [high, low] =
        [high, low].map(|bytes| bytes.first_chunk().map_or(0, |it| u32::from_be_bytes(*it)));
    [high, low & !TITLE]
}

/// Position, index and the mark of a title, from the highest bits down; none of a place that cannot be.
fn place_key(place: EvidencePlace, title: u16) -> Option<[u32; 2]> {
    let index = u8::try_from(place.index).ok()?;
    let position = (place.position.0 >> POSITION_BITS == 0).then_some(place.position.0)?;
    let key = position << 24 | u64::from(index) << 16 | u64::from(title);
    let half = |bits: u64| u32::try_from(bits & 0xffff_ffff).unwrap_or_default();
    Some([half(key >> 32), half(key)])
}

fn url_mark(url: Option<&String>) -> u32 {
    url.map_or(0, |text| mark_of(text))
}

fn title_mark(title: Option<&String>) -> u16 {
    let mark = title.map_or(0, |text| mark_of(text) & TITLE);
    u16::try_from(mark).unwrap_or_default()
}

impl Piece {
    fn has(self, flags: u32) -> bool {
        self.of & flags != 0
    }

    fn set(&mut self, flag: u32, on: bool) {
        if on {
            self.of |= flag;
        } else {
            self.of &= !flag;
        }
    }

    /// Returns true when it is named of that thing.
    fn is_of(self, of: u32) -> bool {
        self.of & OF == of & OF
    }

    /// Whether it was named of that already, by somebody whose word weighs as much.
    fn is_named_of(self, naming: Naming) -> bool {
        let by_participant = naming.of & BY_PARTICIPANT != 0;
        self.is_of(naming.of) && (self.has(BY_PARTICIPANT) || !by_participant)
    }

    /// Returns true when the entry belongs to the piece with a number, and gives a further thing
    /// that this piece is named of.
    fn is_further(self, number: usize) -> bool {
        self.has(FURTHER) && usize::try_from(self.key[0]) == Ok(number)
    }

    fn has_key(self, [high, low]: [u32; 2]) -> bool {
        let [own_high, own_low] = self.key;
        own_high == high && own_low & !TITLE == low
    }

    fn title(self) -> u32 {
        let [_, low] = self.key;
        low & TITLE
    }

    fn call(&mut self, title: Option<&String>) {
        if title.is_some() {
            let [_, low] = &mut self.key;
            *low = *low & !TITLE | u32::from(title_mark(title));
        }
    }

    fn find_at(&mut self, url: u32) {
        self.url = url;
        self.set(UNAVAILABLE, false);
    }
}

impl Pieces {
    /// Takes the evidence of an event in. Whatever is named with a URL was found there.
    pub(super) fn name(&mut self, position: Position, evidence: &[Evidence], naming: Naming) {
        for (index, piece) in evidence.iter().enumerate() {
            let url = url_mark(piece.url.as_ref());
            match NamedEvidence::listed(position, index, piece) {
                NamedEvidence::Digest(digest) => {
                    let at = self.digested(&digest, naming.of);
                    if let Some(known) = self.0.get_mut(at) {
                        known.call(piece.title.as_ref());
                        if piece.url.is_some() {
                            known.find_at(url);
                        }
                    }
                }
                NamedEvidence::Place(place) => {
                    if let Some(key) = place_key(place, title_mark(piece.title.as_ref())) {
                        let of = PLACED | naming.of;
                        self.push(Piece { key, url, of });
                    }
                }
            }
        }
    }

    fn push(&mut self, piece: Piece) {
        // Most commitments have a piece or two: grow by what is needed, not by four.
        if self.0.len() == self.0.capacity() {
            self.0.reserve_exact(self.0.len().clamp(1, 16));
        }
        self.0.push(piece);
    }

    fn find_digest(&self, digest: &Sha256) -> Option<usize> {
        let key = digest_key(digest);
        let mut pieces = self.0.iter();
        pieces.position(|piece| !piece.has(PLACED | FURTHER) && piece.has_key(key))
    }

    /// The number of the piece with a digest, which is known from now on, and named of that.
    fn digested(&mut self, digest: &Sha256, of: u32) -> usize {
        if let Some(at) = self.find_digest(digest) {
            self.name_of(at, of);
            return at;
        }
        let key = digest_key(digest);
        self.push(Piece { key, url: 0, of });
        self.0.len() - 1
    }

    /// Names the piece with a number of one thing more. What a participant said once stays said by one.
    fn name_of(&mut self, number: usize, of: u32) {
        let mut entries = self.0.iter_mut().enumerate();
        let named = |at, entry: &Piece| at == number || entry.is_further(number);
        let known = entries.find(|(at, entry)| named(*at, entry) && entry.is_of(of));
        if let Some((_, entry)) = known {
            entry.of |= of & BY_PARTICIPANT;
            return;
        }
        let mut entries = self.0.iter_mut().enumerate();
        let unused = entries.find(|(at, entry)| named(*at, entry) && entry.is_of(ELSEWHERE));
        if let Some((_, entry)) = unused {
            entry.of = entry.of & !(OF | BY_PARTICIPANT) | of & (OF | BY_PARTICIPANT);
            return;
        }
        self.push(Piece {
            key: [u32::try_from(number).unwrap_or(u32::MAX), 0],
            url: 0,
            of: of & (OF | BY_PARTICIPANT) | FURTHER,
        });
    }

    /// Nothing is attached to a report any more: another took its place, or none did.
    pub(super) fn leave(&mut self, report: Position) {
        let Naming { of } = Naming::of(Some(report), false);
        for entry in self.0.iter_mut().filter(|entry| entry.is_of(of)) {
            entry.of |= ELSEWHERE;
        }
    }

    /// Returns true when the piece with a number was named of that already.
    fn is_named_of(&self, number: usize, naming: Naming) -> bool {
        let mut entries = self.0.iter().enumerate();
        entries.any(|(at, entry)| {
            (at == number || entry.is_further(number)) && entry.is_named_of(naming)
        })
    }

    fn find_place(&self, place: EvidencePlace) -> Option<usize> {
        let key = place_key(place, 0)?;
        let mut pieces = self.0.iter();
        pieces.position(|piece| piece.has(PLACED) && piece.has_key(key))
    }

    /// The piece that is meant: of one that was given its digest later, that with the digest.
    fn find(&self, named: NamedEvidence) -> Option<usize> {
        let place = match named {
            NamedEvidence::Digest(digest) => return self.find_digest(&digest),
            NamedEvidence::Place(place) => place,
        };
        let at = self.find_place(place)?;
        let piece = self.0.get(at)?;
        if piece.has(DIGESTED) {
            usize::try_from(piece.url).ok()
        } else {
            Some(at)
        }
    }

    /// The number of a piece.
    pub(super) fn number(&self, named: NamedEvidence) -> Option<u32> {
        u32::try_from(self.find(named)?).ok()
    }

    /// Returns true when a piece was looked for in vain last.
    pub(super) fn is_unavailable(&self, named: NamedEvidence) -> bool {
        let piece = self.find(named).and_then(|at| self.0.get(at));
        piece.is_some_and(|piece| piece.has(UNAVAILABLE))
    }

    pub(super) fn knows(&self, named: NamedEvidence) -> bool {
        self.find(named).is_some()
    }

    /// Whether the piece that was named there has a digest by now; none where no piece was named there without one.
    pub(super) fn has_digest(&self, place: EvidencePlace) -> Option<bool> {
        let piece = self.0.get(self.find_place(place)?)?;
        Some(piece.has(DIGESTED))
    }

    /// Whether a piece is where the URL says, for all that is known.
    pub(super) fn is_at(&self, named: NamedEvidence, url: &String) -> bool {
        let piece = self.find(named).and_then(|at| self.0.get(at));
        piece.is_some_and(|piece| !piece.has(UNAVAILABLE) && piece.url == url_mark(Some(url)))
    }

    /// Returns true when naming the piece of that thing once more would say nothing new. The piece
    /// is known then, of the same thing, by its title and at its stated place.
    pub(super) fn says_nothing_new(&self, piece: &Evidence, naming: Naming) -> bool {
        let url = url_mark(piece.url.as_ref());
        let title = u32::from(title_mark(piece.title.as_ref()));
        if let Some(digest) = &piece.sha256 {
            let number = self.find_digest(digest);
            let known = number.and_then(|at| Some((at, self.0.get(at)?)));
            return known.is_some_and(|(at, known)| {
                let found = piece.url.is_none() || known.url == url && !known.has(UNAVAILABLE);
                let called = piece.title.is_none() || known.title() == title;
                found && called && self.is_named_of(at, naming)
            });
        }
        self.0.iter().any(|known| {
            known.has(PLACED)
                && !known.has(DIGESTED | UNAVAILABLE)
                && (known.url, known.title()) == (url, title)
                && known.is_named_of(naming)
        })
    }

    pub(super) fn move_to(&mut self, named: NamedEvidence, url: &String) {
        let piece = self.find(named).and_then(|at| self.0.get_mut(at));
        if let Some(piece) = piece {
            piece.find_at(url_mark(Some(url)));
        }
    }

    pub(super) fn flag_unavailable(&mut self, named: NamedEvidence) {
        let piece = self.find(named).and_then(|at| self.0.get_mut(at));
        if let Some(piece) = piece {
            piece.set(UNAVAILABLE, true);
        }
    }

    /// Gives the piece that was named there its digest. It keeps its URL, unless a piece with that digest was known already.
    pub(super) fn digest(&mut self, place: EvidencePlace, digest: &Sha256) {
        let Some(at) = self.find_place(place) else {
            return;
        };
        let Some(former) = self.0.get(at).copied().filter(|it| !it.has(DIGESTED)) else {
            return;
        };
        let known = self.find_digest(digest).is_some();
        let number = self.digested(digest, former.of & !PLACED);
        if let Some(placed) = self.0.get_mut(at) {
            placed.set(DIGESTED, true);
            placed.url = u32::try_from(number).unwrap_or(u32::MAX);
        }
        if let Some(piece) = self.0.get_mut(number).filter(|_| !known) {
            let [high, low] = piece.key;
            piece.key = [high, low | former.title()];
            piece.url = former.url;
        }
    }

    /// The number of things that pieces are named of. The ledger bounds this number.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn heap_bytes(&self) -> usize {
        if self.0.spilled() {
            self.0.capacity() * size_of::<Piece>()
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_takes_sixteen_bytes_and_the_first_no_more_than_its_place() {
        assert_eq!(size_of::<Piece>(), 16);
        assert_eq!(size_of::<Pieces>(), 24);
    }

    #[test]
    fn places_are_told_apart_and_found_whatever_the_title() {
        let place = |text: &str| text.parse::<EvidencePlace>().unwrap();
        let key = |text| place_key(place(text), 0xabcd);
        assert_ne!(key("1.0"), key("1.1"));
        assert_ne!(key("1.0"), key("2.0"));
        assert_eq!(key("1.256"), None, "no list is as long");
        assert_eq!(key("1099511627776.0"), None);
        let piece = |title: &str| Evidence {
            sha256: None,
            url: Some("https://example.org/".to_owned()),
            title: Some(title.to_owned()),
        };
        let mut pieces = Pieces::default();
        let naming = Naming::of(None, true);
        pieces.name(Position(7), &[piece("One"), piece("Two")], naming);
        assert!(pieces.knows(NamedEvidence::Place(place("7.1"))));
        assert!(!pieces.knows(NamedEvidence::Place(place("7.2"))));
        assert!(pieces.says_nothing_new(&piece("Two"), naming));
        assert!(!pieces.says_nothing_new(&piece("Three"), naming));
    }
}
