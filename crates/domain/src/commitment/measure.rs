//! What a commitment is measured by, as a decision needs to know it: numbers, and marks of the texts.

use crate::compare::folded;
use crate::wire::v1::{Amount, unit_key};

/// An amount, or none, in eight bytes: no amount is NaN.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known(f64);

impl Default for Known {
    fn default() -> Self {
        Self(f64::NAN)
    }
}

impl PartialEq for Known {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Known {
    pub(super) fn get(self) -> Option<Amount> {
        Amount::new(self.0)
    }

    pub(super) fn set(&mut self, amount: Option<Amount>) {
        if let Some(amount) = amount {
            self.0 = amount.get();
        }
    }
}

/// Four bytes that stand for an indicator's name or a unit, in whatever form it is written: enough to tell that another text is another.
/// The default stands for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct TextMark(u32);

impl TextMark {
    /// FNV-1a of the [folded] text: the same on every machine. It is never stored, so old logs are folded with the newest form.
    pub(super) fn of(text: &str) -> Self {
        Self(Self::of_bytes(folded(text).as_bytes()))
    }

    /// FNV-1a of bytes as they are, never 0.
    pub(super) fn of_bytes(bytes: &[u8]) -> u32 {
        let step = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        bytes.iter().fold(0x811c_9dc5, step).max(1)
    }

    /// That of a unit; percent has several names.
    pub(super) fn of_unit(unit: &str) -> Self {
        Self::of(&unit_key(unit))
    }

    pub(super) fn is_none(self) -> bool {
        self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_known_by_its_mark_in_whatever_form_it_is_written() {
        assert_eq!(
            TextMark::of("Visas Échelle"),
            TextMark::of(" visas échelle ")
        );
        assert_eq!(TextMark::of("employés"), TextMark::of("employe\u{301}s"));
        assert_eq!(TextMark::of("a year"), TextMark::of("a\u{a0} year"));
        assert_ne!(TextMark::of("visas"), TextMark::of("visa"));
        assert_eq!(TextMark::of_unit("Per cent"), TextMark::of_unit("%"));
        assert!(TextMark::default().is_none() && !TextMark::of("").is_none());
        // Published with the algorithm: FNV-1a of "a" in 32 bits.
        assert_eq!(TextMark::of("a"), TextMark(0xe40c_292c));
    }
}
