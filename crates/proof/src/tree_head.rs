//! Tree heads: the root of the log at a size, and its signed form (C2SP tlog-checkpoint over C2SP signed-note).

use crate::hash::Hash;
use crate::key::{LedgerKey, VerifierKey};
use signed_note::{Note, NoteError, VerificationError, VerifierList};
use thiserror::Error;
use tlog_tiles::Checkpoint;

/// The root of a log at a size.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeHead {
    /// The log's name: `compact-ledger/<ledger id>`.
    pub origin: String,
    /// The number of leaves: last position + 1.
    pub size: u64,
    /// The RFC 6962 root over them.
    pub root: Hash,
}

/// Why bytes are not a signed tree head, or not one of this ledger.
#[derive(Debug, Error)]
pub enum TreeHeadError {
    /// Not a signed note (C2SP signed-note).
    #[error("not a signed note")]
    Note,
    /// A signed note, but its text is not a tree head (C2SP tlog-checkpoint).
    #[error("the note's text is not a tree head")]
    Text,
    /// The head is another log's than the key's.
    #[error("the head is of `{found}`, the key is for `{expected}`")]
    Origin {
        /// The key's name.
        expected: String,
        /// The head's origin line.
        found: String,
    },
    /// The key has not signed this head.
    #[error("the head bears no signature by {name}+{key_id:08x}")]
    Unsigned {
        /// The key's name.
        name: String,
        /// The key's id.
        key_id: u32,
    },
    /// There is a signature in the key's name, but it does not verify.
    #[error("the signature by {name}+{key_id:08x} is not valid")]
    Signature {
        /// The key's name.
        name: String,
        /// The key's id.
        key_id: u32,
    },
}

impl TreeHead {
    fn parse(text: &[u8]) -> Result<Self, TreeHeadError> {
        let checkpoint = Checkpoint::from_bytes(text).map_err(|_| TreeHeadError::Text)?;
        Ok(Self {
            origin: checkpoint.origin().to_owned(),
            size: checkpoint.size(),
            root: *checkpoint.hash(),
        })
    }

    /// The text that is signed: origin, size and root, each on a line of its own.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root)
    }
}

/// A tree head with the note that signs it.
///
/// Holding one says that the note is well formed, not who signed it: [`SignedTreeHead::verify`] says that.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedTreeHead {
    head: TreeHead,
    note: Vec<u8>,
}

impl SignedTreeHead {
    /// Signs the root of `size` leaves in the name of the key.
    ///
    /// # Errors
    ///
    /// [`TreeHeadError::Note`] if the signer refuses, which an Ed25519 key read or made by [`LedgerKey`] does not.
    pub fn sign(size: u64, root: Hash, key: &LedgerKey) -> Result<Self, TreeHeadError> {
        let head = TreeHead {
            origin: key.name().to_owned(),
            size,
            root,
        };
        let mut note = Note::new(head.text().as_bytes(), &[]).map_err(|_| TreeHeadError::Note)?;
        note.add_sigs(&[key.signer()])
            .map_err(|_| TreeHeadError::Note)?;
        Ok(Self {
            head,
            note: note.to_bytes(),
        })
    }

    /// Reads a signed note without checking who signed it.
    ///
    /// # Errors
    ///
    /// [`TreeHeadError::Note`] or [`TreeHeadError::Text`] if it is not a note, or its text not a tree head.
    pub fn parse(note: &[u8]) -> Result<Self, TreeHeadError> {
        let parsed = Note::from_bytes(note).map_err(|_| TreeHeadError::Note)?;
        Ok(Self {
            head: TreeHead::parse(parsed.text())?,
            note: note.to_vec(),
        })
    }

    /// Checks that `key` signed this head and that it is of the key's own log.
    ///
    /// # Errors
    ///
    /// [`TreeHeadError::Origin`], [`TreeHeadError::Unsigned`] or [`TreeHeadError::Signature`].
    pub fn verify(&self, key: &VerifierKey) -> Result<&TreeHead, TreeHeadError> {
        if self.head.origin != key.name() {
            return Err(TreeHeadError::Origin {
                expected: key.name().to_owned(),
                found: self.head.origin.clone(),
            });
        }
        let name = key.name().to_owned();
        let key_id = key.key_id();
        let note = Note::from_bytes(&self.note).map_err(|_| TreeHeadError::Note)?;
        let known = VerifierList::new(vec![Box::new(key.verifier().clone())]);
        match note.verify(&known) {
            Ok(_) => Ok(&self.head),
            Err(NoteError::InvalidSignature { .. }) => {
                Err(TreeHeadError::Signature { name, key_id })
            }
            Err(
                NoteError::UnverifiedNote
                | NoteError::MismatchedVerifier
                | NoteError::VerificationError(
                    VerificationError::UnknownKey { .. } | VerificationError::AmbiguousKey { .. },
                ),
            ) => Err(TreeHeadError::Unsigned { name, key_id }),
            Err(
                NoteError::MalformedNote | NoteError::InvalidSigner | NoteError::SignatureError(_),
            ) => Err(TreeHeadError::Note),
        }
    }

    /// The head, whoever signed it.
    pub fn head(&self) -> &TreeHead {
        &self.head
    }

    /// The signed note as it is stored and served.
    pub fn as_bytes(&self) -> &[u8] {
        &self.note
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::leaf_hash;
    use proptest::prelude::*;

    fn key(ledger_id: &str, seed: u8) -> LedgerKey {
        LedgerKey::from_seed(ledger_id, [seed; 32]).unwrap()
    }

    fn signed() -> SignedTreeHead {
        SignedTreeHead::sign(42, leaf_hash(b"abc"), &key("test-1", 1)).unwrap()
    }

    #[test]
    fn a_signed_head_is_a_note_that_verifies_under_its_key() {
        let head = signed();
        let text = String::from_utf8(head.as_bytes().to_vec()).unwrap();
        assert!(text.starts_with("compact-ledger/test-1\n42\n"), "{text}");
        assert!(text.contains("\n\n— compact-ledger/test-1 "), "{text}");
        let read = SignedTreeHead::parse(text.as_bytes()).unwrap();
        assert_eq!(read, head);
        let verified = read.verify(key("test-1", 1).verifier_key()).unwrap();
        assert_eq!((verified.size, verified.root), (42, leaf_hash(b"abc")));
    }

    #[test]
    fn another_key_or_log_does_not_verify() {
        assert!(matches!(
            signed().verify(key("test-1", 2).verifier_key()),
            Err(TreeHeadError::Unsigned { .. })
        ));
        assert!(matches!(
            signed().verify(key("test-2", 1).verifier_key()),
            Err(TreeHeadError::Origin { .. })
        ));
    }

    #[test]
    fn a_changed_head_does_not_verify() {
        let text = String::from_utf8(signed().as_bytes().to_vec()).unwrap();
        let changed = SignedTreeHead::parse(text.replace("\n42\n", "\n43\n").as_bytes()).unwrap();
        assert!(matches!(
            changed.verify(key("test-1", 1).verifier_key()),
            Err(TreeHeadError::Signature { .. })
        ));
    }

    #[test]
    fn what_is_no_head_is_refused() {
        assert!(matches!(
            SignedTreeHead::parse(b"compact-ledger/test-1\n42\n"),
            Err(TreeHeadError::Note)
        ));
        let text = String::from_utf8(signed().as_bytes().to_vec()).unwrap();
        assert!(matches!(
            SignedTreeHead::parse(text.replace("\n42\n", "\n042\n").as_bytes()),
            Err(TreeHeadError::Text)
        ));
    }

    proptest! {
        #[test]
        fn hostile_bytes_give_errors(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(SignedTreeHead::parse(&bytes).is_err());
        }

        #[test]
        fn no_single_changed_byte_verifies(at in 0_usize..200, flip in 1_u8..=255) {
            let mut bytes = signed().as_bytes().to_vec();
            let at = at % bytes.len();
            bytes[at] ^= flip;
            let key = key("test-1", 1);
            let verified = SignedTreeHead::parse(&bytes)
                .is_ok_and(|head| head.verify(key.verifier_key()).is_ok());
            prop_assert!(!verified);
        }
    }
}
