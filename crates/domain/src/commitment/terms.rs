//! The values of a commitment that an amendment may name again, as a decision needs to know them: marks of the texts and lists, and the
//! words of the measure, which an amendment of it repeats as those before.

use crate::compare;
use crate::ids::{CountryCode, Language};
use crate::wire::v1::{Grade, MeasureChange};

/// Eight bytes that stand for a value: enough to tell that another value is another. The default stands for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ValueMark(u64);

impl ValueMark {
    /// FNV-1a of the text in 64 bits: the same on every machine and in every version.
    pub(crate) fn of(text: &str) -> Self {
        Self(fnv(0xcbf2_9ce4_8422_2325, text).max(1))
    }

    /// That of an optional text; none stands for none.
    pub(crate) fn maybe(text: Option<&String>) -> Self {
        text.map_or_else(Self::default, |text| Self::of(text))
    }

    /// That of a list whose order says nothing.
    pub(crate) fn of_set<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        texts.fold(Self::default(), |sum, text| {
            Self(sum.0.wrapping_add(Self::of(text).0))
        })
    }

    /// That of grades, whose order says nothing: each has a dimension of its own.
    pub(crate) fn of_grades(grades: &[Grade]) -> Self {
        grades.iter().fold(Self::default(), |sum, grade| {
            // No name has a line feed, so that no dimension runs into its grade.
            let dimension = Self::of(&compare::folded(&grade.dimension));
            let mark = fnv(fnv(dimension.0, "\n"), &grade.grade);
            Self(sum.0.wrapping_add(mark))
        })
    }
}

/// Four bytes of a mark, for what is short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ShortMark(u32);

impl ShortMark {
    pub(super) fn of_countries(countries: &[CountryCode]) -> Self {
        Self::of(ValueMark::of_set(countries.iter().map(CountryCode::as_str)))
    }

    pub(super) fn of_language(language: &Language) -> Self {
        // A tag means the same in whatever case it is written (RFC 5646, section 2.1.1).
        Self::of(ValueMark::of(&language.as_str().to_ascii_lowercase()))
    }

    pub(super) fn of_text(text: &str) -> Self {
        Self::of(ValueMark::of(text))
    }

    fn of(mark: ValueMark) -> Self {
        Self(u32::try_from(mark.0 >> 32).unwrap_or_default())
    }
}

fn fnv(hash: u64, text: &str) -> u64 {
    text.bytes().fold(hash, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The values of one commitment.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Terms {
    pub(super) title: ValueMark,
    pub(super) description: ValueMark,
    pub(super) countries: ShortMark,
    pub(super) language: ShortMark,
    measure: Option<MeasureWords>,
}

/// The unit and the indicator of a measure, a line each: one text, as most commitments of a ledger may have a measure.
#[derive(Debug, Clone, PartialEq)]
struct MeasureWords(Box<str>);

impl MeasureWords {
    /// No name has a line feed, so that the first one parts them. A unit is never empty.
    fn new(unit: Option<&str>, indicator: &str) -> Self {
        Self([unit.unwrap_or_default(), "\n", indicator].concat().into())
    }

    fn parts(&self) -> (Option<&str>, &str) {
        let (unit, indicator) = self.0.split_once('\n').unwrap_or_default();
        (Some(unit).filter(|unit| !unit.is_empty()), indicator)
    }
}

impl Terms {
    /// Takes in the language of the texts, if one is named.
    pub(super) fn name_language(&mut self, language: Option<&Language>) {
        if let Some(language) = language {
            self.language = ShortMark::of_language(language);
        }
    }

    /// Takes in the words that a change of the measure names; the others stay.
    pub(super) fn measure(&mut self, change: &MeasureChange) {
        let unit = change.unit.as_deref().or(self.unit());
        let indicator = change.indicator.as_deref().or(self.indicator());
        self.measure = Some(MeasureWords::new(unit, indicator.unwrap_or_default()));
    }

    pub(super) fn is_measured(&self) -> bool {
        self.measure.is_some()
    }

    pub(super) fn unit(&self) -> Option<&str> {
        self.measure.as_ref()?.parts().0
    }

    pub(super) fn indicator(&self) -> Option<&str> {
        Some(self.measure.as_ref()?.parts().1)
    }

    /// Its bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        self.measure.as_ref().map_or(0, |words| words.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_by_its_mark() {
        assert_ne!(ValueMark::of("Visas"), ValueMark::of("visas"));
        assert_ne!(ValueMark::of(""), ValueMark::default());
        let set = |texts: &[&str]| ValueMark::of_set(texts.iter().copied());
        assert_eq!(set(&["KEN", "UGA"]), set(&["UGA", "KEN"]));
        assert_ne!(set(&["KEN"]), set(&["KEN", "UGA"]));
        assert_eq!(set(&[]), ValueMark::default());
        // Published with the algorithm: FNV-1a of "a" in 64 bits.
        assert_eq!(ValueMark::of("a"), ValueMark(0xaf63_dc4c_8601_ec8c));
    }

    #[test]
    fn the_words_of_a_measure_stay_until_they_are_changed() {
        let change = |indicator: Option<&str>, unit: Option<&str>| MeasureChange {
            indicator: indicator.map(Into::into),
            unit: unit.map(Into::into),
            ..MeasureChange::default()
        };
        let mut terms = Terms::default();
        assert_eq!((terms.unit(), terms.indicator()), (None, None));
        terms.measure(&change(Some("Homes built"), None));
        assert_eq!(
            (terms.unit(), terms.indicator()),
            (None, Some("Homes built"))
        );
        terms.measure(&change(None, Some("homes")));
        let both = (Some("homes"), Some("Homes built"));
        assert_eq!((terms.unit(), terms.indicator()), both);
    }
}
