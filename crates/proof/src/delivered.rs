//! Events as they are delivered: the leaf with its data hung on, and the cut that gives the leaf back.
//!
//! A delivered event is the leaf with its last `}` replaced by `,"salt":"…","data":…}`, or by `,"withheld":"<ground>"}`
//! where the data is withheld. The leaf is found again by cutting at that comma, never by serialising again.
//!
//! The cut is unambiguous. Within a JSON string a quote is always escaped, so the bytes `,"salt":"` cannot stand in
//! the middle of a string; and a leaf is a flat object without an attribute of that name. So the first place where
//! they stand is where the leaf was cut. A text made to deceive can at worst give other bytes than the ledger's, and
//! their hash is then not in the tree.

use crate::block::Content;
use crate::hash::{Hash, SALT_SIZE, Salt, decode_hex, leaf_hash_of_parts};
use crate::manifest::push_hex;
use thiserror::Error;

const SALT_OPENING: &[u8] = b",\"salt\":\"";
const DATA_OPENING: &[u8] = b"\",\"data\":";
const WITHHELD_OPENING: &[u8] = b",\"withheld\":\"";

/// Longest name of a ground, in bytes.
const GROUND_BYTES_MAX: usize = 64;

/// Why bytes are not a delivered event, or cannot become one.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum DeliveredError {
    /// A leaf ends in `}`.
    #[error("the leaf does not end in a brace")]
    NotALeaf,
    /// A ground is `[a-z_]{1,64}`.
    #[error("the ground is not in its form: 1 to {GROUND_BYTES_MAX} of a-z and _")]
    Ground,
    /// Neither data nor a ground for withholding it hangs on the leaf.
    #[error("neither data nor a ground for withholding it is there")]
    NoPayload,
    /// The salt is not 32 lowercase hex digits followed by data.
    #[error("the salt is not in its form")]
    Salt,
    /// The data is missing or the event does not end after it.
    #[error("the data is not in its form")]
    Data,
}

/// What hangs on the leaf of a delivered event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload<'a> {
    /// The data and its salt, which the leaf's `datadigest` is of.
    Data {
        /// The salt.
        salt: Salt,
        /// The data's bytes as recorded.
        data: &'a [u8],
    },
    /// The data is withheld.
    Withheld {
        /// Why, in one word: `personal_data`, `safety`, `legal`, `confidential`.
        ground: &'a str,
    },
}

impl<'a> From<Content<'a>> for Payload<'a> {
    fn from(content: Content<'a>) -> Self {
        match content {
            Content::Present { salt, data } => Self::Data { salt: *salt, data },
            Content::Withheld { ground } => Self::Withheld { ground },
        }
    }
}

/// A delivered event, cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered<'a> {
    /// The leaf less its closing brace.
    head: &'a [u8],
    /// What hung on it.
    pub payload: Payload<'a>,
}

impl Delivered<'_> {
    /// The leaf's bytes.
    pub fn leaf(&self) -> Vec<u8> {
        let mut leaf = Vec::with_capacity(self.head.len() + 1);
        leaf.extend_from_slice(self.head);
        leaf.push(b'}');
        leaf
    }

    /// The leaf's hash, without copying the leaf.
    pub fn leaf_hash(&self) -> Hash {
        leaf_hash_of_parts(&[self.head, b"}"])
    }
}

/// Writes the delivered form of an event to the end of `out`. `data` is one JSON value.
///
/// # Errors
///
/// [`DeliveredError::NotALeaf`] if `leaf` does not end in `}`; nothing is written then.
pub fn join_into(
    out: &mut Vec<u8>,
    leaf: &[u8],
    salt: &Salt,
    data: &[u8],
) -> Result<(), DeliveredError> {
    let head = leaf.strip_suffix(b"}").ok_or(DeliveredError::NotALeaf)?;
    out.reserve(leaf.len() + data.len() + 2 * SALT_SIZE + 20);
    out.extend_from_slice(head);
    out.extend_from_slice(SALT_OPENING);
    push_hex(out, salt);
    out.extend_from_slice(DATA_OPENING);
    out.extend_from_slice(data);
    out.push(b'}');
    Ok(())
}

/// The delivered form of an event. `data` is one JSON value.
///
/// # Errors
///
/// As [`join_into`].
pub fn join(leaf: &[u8], salt: &Salt, data: &[u8]) -> Result<Vec<u8>, DeliveredError> {
    let mut out = Vec::new();
    join_into(&mut out, leaf, salt, data)?;
    Ok(out)
}

/// Writes the delivered form of an event whose data is withheld to the end of `out`.
///
/// # Errors
///
/// [`DeliveredError::NotALeaf`] if `leaf` does not end in `}`, [`DeliveredError::Ground`] if `ground` is not
/// `[a-z_]{1,64}`; nothing is written then.
pub fn withhold_into(out: &mut Vec<u8>, leaf: &[u8], ground: &str) -> Result<(), DeliveredError> {
    let head = leaf.strip_suffix(b"}").ok_or(DeliveredError::NotALeaf)?;
    if !is_ground(ground) {
        return Err(DeliveredError::Ground);
    }
    out.extend_from_slice(head);
    out.extend_from_slice(WITHHELD_OPENING);
    out.extend_from_slice(ground.as_bytes());
    out.extend_from_slice(b"\"}");
    Ok(())
}

/// The delivered form of an event whose data is withheld.
///
/// # Errors
///
/// As [`withhold_into`].
pub fn withhold(leaf: &[u8], ground: &str) -> Result<Vec<u8>, DeliveredError> {
    let mut out = Vec::with_capacity(leaf.len() + ground.len() + 16);
    withhold_into(&mut out, leaf, ground)?;
    Ok(out)
}

/// Cuts a delivered event into its leaf and what hangs on it.
///
/// The data's bytes are taken as they are: whether they are the recorded ones is for the leaf's digest to say, not for
/// a JSON parser.
///
/// # Errors
///
/// [`DeliveredError`] for bytes that are no delivered event, hostile or not.
pub fn cut(delivered: &[u8]) -> Result<Delivered<'_>, DeliveredError> {
    let salt_at = memchr::memmem::find(delivered, SALT_OPENING);
    let before_salt = salt_at.and_then(|at| delivered.get(..at));
    let withheld_at = memchr::memmem::find(before_salt.unwrap_or(delivered), WITHHELD_OPENING);
    match (withheld_at, salt_at) {
        (Some(at), _) => cut_withheld(delivered, at),
        (None, Some(at)) => cut_data(delivered, at),
        (None, None) => Err(DeliveredError::NoPayload),
    }
}

fn cut_data(delivered: &[u8], at: usize) -> Result<Delivered<'_>, DeliveredError> {
    let (head, rest) = delivered.split_at_checked(at).ok_or(DeliveredError::Salt)?;
    let (digits, rest) = rest
        .strip_prefix(SALT_OPENING)
        .and_then(|rest| rest.split_at_checked(2 * SALT_SIZE))
        .ok_or(DeliveredError::Salt)?;
    let mut salt = Salt::default();
    if !decode_hex(digits, &mut salt) {
        return Err(DeliveredError::Salt);
    }
    let data = rest
        .strip_prefix(DATA_OPENING)
        .ok_or(DeliveredError::Salt)?
        .strip_suffix(b"}")
        .ok_or(DeliveredError::Data)?;
    if data.is_empty() {
        return Err(DeliveredError::Data);
    }
    Ok(Delivered {
        head,
        payload: Payload::Data { salt, data },
    })
}

fn cut_withheld(delivered: &[u8], at: usize) -> Result<Delivered<'_>, DeliveredError> {
    let (head, rest) = delivered
        .split_at_checked(at)
        .ok_or(DeliveredError::Ground)?;
    let ground = rest
        .strip_prefix(WITHHELD_OPENING)
        .and_then(|rest| rest.strip_suffix(b"\"}"))
        .and_then(|ground| std::str::from_utf8(ground).ok())
        .filter(|ground| is_ground(ground))
        .ok_or(DeliveredError::Ground)?;
    Ok(Delivered {
        head,
        payload: Payload::Withheld { ground },
    })
}

fn is_ground(text: &str) -> bool {
    (1..=GROUND_BYTES_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::leaf_hash;
    use proptest::prelude::*;

    const LEAF: &[u8] = br#"{"specversion":"1.0","id":"x","datadigest":"00"}"#;

    #[test]
    fn a_delivered_event_is_the_leaf_with_its_data() {
        let joined = join(LEAF, &[0xab; 16], b"{\"a\":1}").unwrap();
        assert_eq!(
            joined,
            br#"{"specversion":"1.0","id":"x","datadigest":"00","salt":"abababababababababababababababab","data":{"a":1}}"#
        );
        let value: serde_json::Value = serde_json::from_slice(&joined).unwrap();
        assert_eq!(value["data"]["a"], 1);
    }

    #[test]
    fn a_withheld_event_names_its_ground() {
        let withheld = withhold(LEAF, "personal_data").unwrap();
        let cut = cut(&withheld).unwrap();
        assert_eq!(cut.leaf(), LEAF);
        assert_eq!(
            cut.payload,
            Payload::Withheld {
                ground: "personal_data"
            }
        );
        assert_eq!(withhold(LEAF, "a\"b"), Err(DeliveredError::Ground));
        assert_eq!(withhold(b"{", "legal"), Err(DeliveredError::NotALeaf));
    }

    #[test]
    fn data_that_looks_like_a_payload_does_not_move_the_cut() {
        for data in [
            &br#"{"text":",\"salt\":\"x","salt":"y","withheld":"z"}"#[..],
            br#"{"x":1,"withheld":"legal"}"#,
            br#"{"x":1,"salt":"00000000000000000000000000000000","data":{}}"#,
        ] {
            let joined = join(LEAF, &[1; 16], data).unwrap();
            let cut = cut(&joined).unwrap();
            assert_eq!(cut.leaf(), LEAF);
            assert_eq!(cut.leaf_hash(), leaf_hash(LEAF));
            assert_eq!(
                cut.payload,
                Payload::Data {
                    salt: [1; 16],
                    data
                }
            );
        }
    }

    #[test]
    fn what_is_no_delivered_event_is_refused() {
        for (bytes, expected) in [
            (&b""[..], DeliveredError::NoPayload),
            (LEAF, DeliveredError::NoPayload),
            (br#"{"a":"b","salt":"00"#, DeliveredError::Salt),
            (
                br#"{"a":"b","salt":"ABABABABABABABABABABABABABABABAB","data":{}}"#,
                DeliveredError::Salt,
            ),
            (
                br#"{"a":"b","salt":"abababababababababababababababab","data":}"#,
                DeliveredError::Data,
            ),
            (
                br#"{"a":"b","salt":"abababababababababababababababab","data":{"#,
                DeliveredError::Data,
            ),
            (br#"{"a":"b","withheld":"A"}"#, DeliveredError::Ground),
            (br#"{"a":"b","withheld":""}"#, DeliveredError::Ground),
        ] {
            assert_eq!(cut(bytes), Err(expected), "{}", bytes.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn join_then_cut_gives_leaf_salt_and_data_back(
            attribute in "[ -~]{0,40}",
            salt in any::<[u8; 16]>(),
            text in ".{0,60}",
        ) {
            let leaf = serde_json::to_vec(&serde_json::json!({ "subject": attribute })).unwrap();
            let data = serde_json::to_vec(&serde_json::json!({ "text": text })).unwrap();
            let joined = join(&leaf, &salt, &data).unwrap();
            let cut = cut(&joined).unwrap();
            prop_assert_eq!(cut.leaf(), leaf);
            prop_assert_eq!(cut.payload, Payload::Data { salt, data: &data });
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(cut(&bytes).is_err());
        }

        #[test]
        fn changed_or_cut_events_never_panic(at in 0_usize..200, byte in any::<u8>()) {
            let mut joined = join(LEAF, &[1; 16], br#"{"x":1}"#).unwrap();
            let at = at % joined.len();
            joined[at] = byte;
            if let Ok(event) = cut(&joined) {
                prop_assert!(event.leaf().len() < joined.len());
            }
            let cut_at_brace = joined[..at].ends_with(b"}");
            prop_assert!(cut(&joined[..at]).is_err() || cut_at_brace);
        }
    }
}
