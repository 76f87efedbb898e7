//! The ledger's signing key and its public half, in the text forms of C2SP signed notes.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ed25519_dalek::SigningKey;
use rand_core::{OsRng, RngCore as _};
use signed_note::{Signer as _, StandardSigner, StandardVerifier, Verifier as _};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// What every ledger's origin line and key name begin with.
const ORIGIN_PREFIX: &str = "compact-ledger/";

/// Longest ledger id, in bytes.
const LEDGER_ID_BYTES_MAX: usize = 32;

/// Signed notes' number for Ed25519 (C2SP signed-note, "Signatures").
const ALGORITHM_ED25519: u8 = 1;

/// Why a text is not a key of a ledger.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum KeyError {
    /// The ledger id is not `[a-z0-9-]{1,32}`.
    #[error("`{0}` is not a ledger id: 1 to 32 of a-z, 0-9 and -")]
    LedgerId(String),
    /// The key's name is not that of a ledger.
    #[error("the key's name `{0}` is not `compact-ledger/` and a ledger id")]
    Name(String),
    /// The text has not the form of such a key.
    #[error("not a key in the form of C2SP signed notes")]
    Malformed,
    /// The key is for another algorithm than Ed25519.
    #[error("the key is not for Ed25519")]
    Algorithm,
    /// The key id in the text is not that of the key.
    #[error("the key id does not belong to the key")]
    KeyId,
}

/// Whether `text` is a ledger id: `[a-z0-9-]{1,32}`.
pub fn is_ledger_id(text: &str) -> bool {
    (1..=LEDGER_ID_BYTES_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The origin line of a ledger's tree heads, which is also its key's name: `compact-ledger/<ledger id>`.
pub fn origin_of(ledger_id: &str) -> String {
    format!("{ORIGIN_PREFIX}{ledger_id}")
}

fn check_name(name: &str) -> Result<(), KeyError> {
    match name.strip_prefix(ORIGIN_PREFIX) {
        Some(ledger_id) if is_ledger_id(ledger_id) => Ok(()),
        Some(_) | None => Err(KeyError::Name(name.to_owned())),
    }
}

/// The private key that signs a ledger's tree heads.
///
/// Its `Debug` form shows the public half only; [`LedgerKey::secret_text`] is the one way to the secret.
#[derive(Clone)]
pub struct LedgerKey {
    secret: SigningKey,
    signer: StandardSigner,
    verifier: VerifierKey,
}

impl LedgerKey {
    /// A new key for a ledger, from the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`KeyError::LedgerId`] if `ledger_id` is not one.
    pub fn generate(ledger_id: &str) -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        OsRng.fill_bytes(&mut seed);
        Self::from_seed(ledger_id, seed)
    }

    /// The key that this seed always gives: for tests and simulations that must repeat.
    ///
    /// # Errors
    ///
    /// [`KeyError::LedgerId`] if `ledger_id` is not one.
    pub fn from_seed(ledger_id: &str, seed: [u8; 32]) -> Result<Self, KeyError> {
        if !is_ledger_id(ledger_id) {
            return Err(KeyError::LedgerId(ledger_id.to_owned()));
        }
        Self::new(&origin_of(ledger_id), SigningKey::from_bytes(&seed))
    }

    fn new(name: &str, secret: SigningKey) -> Result<Self, KeyError> {
        let public = signed_note::new_ed25519_verifier_key(name, &secret.verifying_key());
        let verifier: VerifierKey = public.parse()?;
        let signer = StandardSigner::new(&secret_text(name, verifier.key_id(), &secret))
            .map_err(|error| signer_error(&error))?;
        Ok(Self {
            secret,
            signer,
            verifier,
        })
    }

    /// The public half.
    pub fn verifier_key(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The key's name, which is the origin of the heads it signs.
    pub fn name(&self) -> &str {
        self.verifier.name()
    }

    /// The secret as text, `PRIVATE+KEY+<name>+<key id>+<base64>`: for the key's file alone.
    pub fn secret_text(&self) -> String {
        secret_text(self.name(), self.verifier.key_id(), &self.secret)
    }

    pub(crate) fn signer(&self) -> &StandardSigner {
        &self.signer
    }
}

impl fmt::Debug for LedgerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LedgerKey")
            .field(&self.verifier.text)
            .finish()
    }
}

impl FromStr for LedgerKey {
    type Err = KeyError;

    /// Reads what [`LedgerKey::secret_text`] wrote; white space around it is ignored, as a file ends in a line end.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let signer = StandardSigner::new(text).map_err(|error| signer_error(&error))?;
        check_name(signer.name())?;
        // Base64 has pluses of its own, so the key is all that follows the fourth.
        let encoded = text.splitn(5, '+').nth(4).ok_or(KeyError::Malformed)?;
        let bytes = BASE64_STANDARD
            .decode(encoded)
            .map_err(|_| KeyError::Malformed)?;
        let Some((&ALGORITHM_ED25519, seed)) = bytes.split_first() else {
            return Err(KeyError::Algorithm);
        };
        let seed = <[u8; 32]>::try_from(seed).map_err(|_| KeyError::Malformed)?;
        Self::new(signer.name(), SigningKey::from_bytes(&seed))
    }
}

fn secret_text(name: &str, key_id: u32, secret: &SigningKey) -> String {
    let mut key = vec![ALGORITHM_ED25519];
    key.extend_from_slice(secret.as_bytes());
    format!(
        "PRIVATE+KEY+{name}+{key_id:08x}+{}",
        BASE64_STANDARD.encode(key)
    )
}

fn signer_error(error: &signed_note::SignerError) -> KeyError {
    match error {
        signed_note::SignerError::Format => KeyError::Malformed,
        signed_note::SignerError::Alg => KeyError::Algorithm,
        signed_note::SignerError::Id => KeyError::KeyId,
    }
}

/// The public key that verifies a ledger's tree heads: `<name>+<key id>+<base64>`.
#[derive(Clone)]
pub struct VerifierKey {
    text: String,
    verifier: StandardVerifier,
}

impl VerifierKey {
    /// The key's name, which is the origin of the heads it verifies.
    pub fn name(&self) -> &str {
        self.verifier.name()
    }

    /// The ledger id within the name.
    pub fn ledger_id(&self) -> &str {
        self.name()
            .strip_prefix(ORIGIN_PREFIX)
            .unwrap_or_else(|| self.name())
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn key_id(&self) -> u32 {
        self.verifier.key_id()
    }

    pub(crate) fn verifier(&self) -> &StandardVerifier {
        &self.verifier
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    /// Reads a verifier key; white space around it is ignored, as it may come from a file or a prompt.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let verifier = StandardVerifier::new(text).map_err(|error| match error {
            signed_note::VerifierError::Format => KeyError::Malformed,
            signed_note::VerifierError::Alg => KeyError::Algorithm,
            signed_note::VerifierError::Id => KeyError::KeyId,
        })?;
        check_name(verifier.name())?;
        Ok(Self {
            text: text.to_owned(),
            verifier,
        })
    }
}

impl PartialEq for VerifierKey {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for VerifierKey {}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VerifierKey").field(&self.text).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_text_form() {
        for seed in 0..64 {
            let key = LedgerKey::from_seed("test-1", [seed; 32]).unwrap();
            let again: LedgerKey = format!("{}\n", key.secret_text()).parse().unwrap();
            assert_eq!(again.secret_text(), key.secret_text());
            assert_eq!(again.verifier_key(), key.verifier_key());
        }
    }

    #[test]
    fn the_verifier_key_is_named_after_the_ledger() {
        let key = LedgerKey::generate("test-1").unwrap();
        let text = key.verifier_key().to_string();
        let parsed: VerifierKey = text.parse().unwrap();
        assert_eq!(parsed.name(), "compact-ledger/test-1");
        assert_eq!(parsed.ledger_id(), "test-1");
        assert!(text.starts_with("compact-ledger/test-1+"));
    }

    #[test]
    fn two_generated_keys_differ_and_hide_their_secret() {
        let (one, two) = (
            LedgerKey::generate("a").unwrap(),
            LedgerKey::generate("a").unwrap(),
        );
        assert_ne!(one.verifier_key(), two.verifier_key());
        assert!(!format!("{one:?}").contains("PRIVATE"));
    }

    #[test]
    fn texts_that_are_no_keys_are_refused() {
        let key = LedgerKey::from_seed("a", [7; 32]).unwrap();
        let secret = key.secret_text();
        assert!(matches!(
            LedgerKey::generate("A"),
            Err(KeyError::LedgerId(_))
        ));
        assert!(matches!(
            LedgerKey::generate(""),
            Err(KeyError::LedgerId(_))
        ));
        for (text, expected) in [
            (String::new(), KeyError::Malformed),
            (key.verifier_key().to_string(), KeyError::Malformed),
            (secret[..secret.len() - 4].to_owned(), KeyError::Malformed),
            (
                secret.replace("compact-ledger/a", "compact-ledger/b"),
                KeyError::KeyId,
            ),
        ] {
            assert_eq!(text.parse::<LedgerKey>().unwrap_err(), expected, "{text}");
        }
        let foreign = LedgerKey::new("elsewhere", SigningKey::from_bytes(&[7; 32])).unwrap_err();
        assert_eq!(foreign, KeyError::Name("elsewhere".to_owned()));
    }
}
