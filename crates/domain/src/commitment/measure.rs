//! What a commitment is measured by, as a decision needs to know it: numbers, and the mark of a text.

use crate::wire::v1::Amount;

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

/// Four bytes that stand for a text as it is written, never 0: FNV-1a, the same on every machine.
pub(super) fn mark_of(text: &str) -> u32 {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    text.bytes().fold(0x811c_9dc5, step).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_known_by_its_mark() {
        assert_ne!(mark_of("visas"), mark_of("visa"));
        // Published with the algorithm: FNV-1a of "a" in 32 bits.
        assert_eq!(mark_of("a"), 0xe40c_292c);
    }
}
