//! The hashes everything else rests on: SHA-256 and RFC 6962's two domains of it.

use sha2::{Digest, Sha256};

pub use tlog_tiles::{EMPTY_HASH, HASH_SIZE, Hash};

/// Bytes of salt beside each event's data.
pub const SALT_SIZE: usize = 16;

/// The random bytes that keep an event's digest from confirming a guess at its data.
pub type Salt = [u8; SALT_SIZE];

/// SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> [u8; HASH_SIZE] {
    Sha256::digest(bytes).into()
}

/// [`sha256`] of the concatenation of `parts`, without joining them in memory.
pub fn sha256_of_parts(parts: &[&[u8]]) -> [u8; HASH_SIZE] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The hash of a leaf: SHA-256(0x00 ‖ leaf), RFC 6962 section 2.1.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    leaf_hash_of_parts(&[leaf])
}

/// [`leaf_hash`] of the concatenation of `parts`, without joining them in memory.
pub(crate) fn leaf_hash_of_parts(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0x00]);
    for part in parts {
        hasher.update(part);
    }
    Hash(hasher.finalize().into())
}

/// The hash of an inner node: SHA-256(0x01 ‖ left ‖ right), RFC 6962 section 2.1.
pub fn node_hash(left: Hash, right: Hash) -> Hash {
    tlog_tiles::node_hash(left, right)
}

/// The digest that a leaf carries of its data: SHA-256(salt ‖ data).
pub fn data_digest(salt: &Salt, data: &[u8]) -> [u8; HASH_SIZE] {
    sha256_of_parts(&[salt, data])
}

/// A hash as 64 lowercase hex digits, the form it has in receipts and leaves.
pub fn hash_to_hex(hash: &Hash) -> String {
    hex::encode(hash.0)
}

/// The hash written as 64 lowercase hex digits, or `None` if `text` is anything else.
///
/// Uppercase is refused: a digest has one written form, so that texts may be compared.
pub fn hash_from_hex(text: &str) -> Option<Hash> {
    let mut bytes = [0; HASH_SIZE];
    decode_hex(text.as_bytes(), &mut bytes).then_some(Hash(bytes))
}

/// Decodes lowercase hex into `out`; false if the length or any digit is wrong.
pub(crate) fn decode_hex(text: &[u8], out: &mut [u8]) -> bool {
    let (pairs, rest) = text.as_chunks::<2>();
    if pairs.len() != out.len() || !rest.is_empty() {
        return false;
    }
    let mut all_digits = true;
    for (&[high, low], byte) in pairs.iter().zip(out) {
        let (high, low) = (nibble(high), nibble(low));
        all_digits &= high | low < 16;
        *byte = high << 4 | low & 15;
    }
    all_digits
}

/// The value of a lowercase hex digit; 255 for anything else.
const fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => u8::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_match_rfc_6962_test_vectors() {
        // From certificate-transparency's merkletree tests: the empty leaf and the empty tree.
        assert_eq!(
            hash_to_hex(&leaf_hash(b"")),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        assert_eq!(sha256(b""), EMPTY_HASH.0);
        assert_eq!(leaf_hash(b"abc"), tlog_tiles::record_hash(b"abc"));
        assert_eq!(leaf_hash_of_parts(&[b"a", b"", b"bc"]), leaf_hash(b"abc"));
    }

    #[test]
    fn data_digest_is_the_hash_of_salt_then_data() {
        let salt = *b"0123456789abcdef";
        assert_eq!(data_digest(&salt, b"{}"), sha256(b"0123456789abcdef{}"));
    }

    #[test]
    fn hex_has_one_written_form() {
        let hash = leaf_hash(b"abc");
        let text = hash_to_hex(&hash);
        assert_eq!(hash_from_hex(&text), Some(hash));
        assert_eq!(hash_from_hex(&text.to_uppercase()), None);
        assert_eq!(hash_from_hex(&text[1..]), None);
        assert_eq!(hash_from_hex("é"), None);
        assert_eq!(hash_from_hex(&text.replace(&text[..1], "g")), None);
        assert_eq!(hash_from_hex(&format!("{text}00")), None);
    }
}
