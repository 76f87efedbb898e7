//! The text of an identifier: a short one stands in place, so that reading an event takes no memory for each id in it.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The longest text that stands in place, in bytes: longer than all but a few ids, and no larger than a pointer would be beside its length.
const IN_PLACE_BYTES: usize = 22;

/// A text that is never changed.
#[derive(Clone)]
pub(crate) enum Name {
    InPlace {
        len: u8,
        bytes: [u8; IN_PLACE_BYTES],
    },
    Shared(Arc<str>),
}

impl Name {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            // It was a text when it was put there.
            Self::InPlace { .. } => str::from_utf8(self.as_bytes()).unwrap_or_default(),
            Self::Shared(text) => text,
        }
    }

    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::InPlace { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Self::Shared(text) => text.as_bytes(),
        }
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        let mut bytes = [0; IN_PLACE_BYTES];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(place), Ok(len)) => {
                place.copy_from_slice(text.as_bytes());
                Self::InPlace { len, bytes }
            }
            (None, _) | (_, Err(_)) => Self::Shared(Arc::from(text)),
        }
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Name {
    /// As its text is hashed, so that it is found by that.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::hash_map::DefaultHasher;

    fn hash_of(value: impl Hash) -> u64 {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn a_name_takes_three_words() {
        assert_eq!(size_of::<Name>(), 24);
        assert_eq!(size_of::<Option<Name>>(), 24);
    }

    proptest! {
        #[test]
        fn a_name_is_like_its_text_wherever_it_stands(a in ".{0,30}", b in ".{0,30}") {
            let (name, other) = (Name::from(a.as_str()), Name::from(b.as_str()));
            let shared = Name::Shared(Arc::from(a.as_str()));
            prop_assert_eq!(name.as_str(), a.as_str());
            prop_assert!(name == shared);
            prop_assert_eq!(hash_of(&name), hash_of(a.as_str()));
            prop_assert_eq!(hash_of(&shared), hash_of(a.as_str()));
            prop_assert_eq!(name.cmp(&other), a.cmp(&b));
            prop_assert_eq!(name == other, a == b);
        }
    }
}
