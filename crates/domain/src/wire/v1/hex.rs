//! Lowercase hexadecimal, as digests are written.

pub(super) const HEX: &[u8; 16] = b"0123456789abcdef";

/// A byte as two digits.
fn hex_pair(byte: u8) -> [u8; 2] {
    [byte >> 4, byte & 0xf].map(|nibble| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0'))
}

/// A digest as 64 digits.
pub(super) fn hex_digits(digest: &[u8; 32]) -> [u8; 64] {
    let mut digits = [0; 64];
    for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(digest) {
        *pair = hex_pair(*byte);
    }
    digits
}

/// The value of each lowercase hexadecimal digit, and 0xff for every other byte.
const NIBBLES: [u8; 256] = {
    let mut table = [0xff; 256];
    let (mut values, mut value) = (HEX.as_slice(), 0);
    while let [digit, rest @ ..] = values {
        #[expect(
            clippy::indexing_slicing,
            reason = "a byte is always within a table of 256"
        )]
        {
            table[*digit as usize] = value;
        }
        (values, value) = (rest, value + 1);
    }
    table
};

/// Reads exactly `out.len()` bytes of lowercase hexadecimal; says whether the text was that.
pub(super) fn read_hex(text: &[u8], out: &mut [u8]) -> bool {
    let nibble = |digit: u8| NIBBLES.get(usize::from(digit)).copied().unwrap_or(0xff);
    let (pairs, []) = text.as_chunks::<2>() else {
        return false;
    };
    // Every nibble is below 16, so that one wrong digit shows in the upper half of what all have in common.
    let mut all = 0;
    for (byte, [high, low]) in out.iter_mut().zip(pairs) {
        let (high, low) = (nibble(*high), nibble(*low));
        all |= high | low;
        *byte = high << 4 | low & 0xf;
    }
    pairs.len() == out.len() && all < 16
}
