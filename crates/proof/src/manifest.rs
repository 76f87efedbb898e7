//! A submission's manifest: the text a partner signs, and the name of the submission in every event it caused.

use crate::hash::{HASH_SIZE, sha256};
use sha2::{Digest, Sha256};
use std::fmt;

const FIRST_LINE: &[u8] = b"compact-ledger submission v1\n";

/// The manifest of a submission (`docs/formats.md`, "Submission"): which ledger, which partner, which commands, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    text: Vec<u8>,
}

impl Manifest {
    /// The manifest of the commands with these digests: each the SHA-256 of the command's bytes as received.
    ///
    /// Neither id may contain a line end; the ledger takes none that does.
    pub fn new(
        ledger_id: &str,
        partner_id: &str,
        command_digests: impl IntoIterator<Item = [u8; HASH_SIZE]>,
    ) -> Self {
        let digests = command_digests.into_iter();
        let line_bytes = 2 * HASH_SIZE + 1;
        let capacity = FIRST_LINE.len()
            + ledger_id.len()
            + partner_id.len()
            + 2
            + digests.size_hint().0.saturating_mul(line_bytes);
        let mut text = Vec::with_capacity(capacity);
        text.extend_from_slice(FIRST_LINE);
        text.extend_from_slice(ledger_id.as_bytes());
        text.push(b'\n');
        text.extend_from_slice(partner_id.as_bytes());
        text.push(b'\n');
        for digest in digests {
            push_hex(&mut text, &digest);
            text.push(b'\n');
        }
        Self { text }
    }

    /// The text: what is signed.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    /// SHA-256 of the text: the `submission` attribute of every event that came of it.
    pub fn digest(&self) -> [u8; HASH_SIZE] {
        sha256(&self.text)
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.text))
    }
}

/// A manifest of which only the digest is wanted, hashed while its commands come: however many, it stays small.
#[derive(Clone, Debug)]
pub(crate) struct ManifestHasher {
    hasher: Sha256,
    line: Vec<u8>,
}

impl ManifestHasher {
    pub(crate) fn new(ledger_id: &str, partner_id: &str) -> Self {
        let none = Manifest::new(ledger_id, partner_id, []);
        Self {
            hasher: Sha256::new_with_prefix(none.as_bytes()),
            line: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, command_digest: &[u8; HASH_SIZE]) {
        self.line.clear();
        push_hex(&mut self.line, command_digest);
        self.line.push(b'\n');
        self.hasher.update(&self.line);
    }

    pub(crate) fn digest(&self) -> [u8; HASH_SIZE] {
        self.hasher.clone().finalize().into()
    }
}

/// Appends `bytes` as lowercase hex.
pub(crate) fn push_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    let digit = |nibble: u8| {
        if nibble < 10 {
            b'0' + nibble
        } else {
            b'a' + nibble - 10
        }
    };
    out.reserve(2 * bytes.len());
    for byte in bytes {
        out.push(digit(byte >> 4));
        out.push(digit(byte & 0x0f));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_the_formats_own() {
        let manifest = Manifest::new("test-1", "acme", [sha256(b"{}"), sha256(b"abc")]);
        assert_eq!(
            manifest.to_string(),
            "compact-ledger submission v1\ntest-1\nacme\n\
             44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\n\
             ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n"
        );
        assert_eq!(manifest.digest(), sha256(manifest.as_bytes()));
        let mut hasher = ManifestHasher::new("test-1", "acme");
        hasher.push(&sha256(b"{}"));
        hasher.push(&sha256(b"abc"));
        assert_eq!(hasher.digest(), manifest.digest());
    }

    #[test]
    fn hex_is_lowercase_and_whole() {
        let all: Vec<u8> = (0..=255).collect();
        let mut text = Vec::new();
        push_hex(&mut text, &all);
        assert_eq!(text, hex::encode(&all).into_bytes());
    }
}
