//! The version of the rules: every event names the version that decided it (`rulesversion`).
//!
//! From version 3 on, a changed rule is a branch on the version in [`decide()`](crate::decide()), so that an auditor can run a
//! decision again under the rules of its day. A change of what is accepted, or of what follows from it, is a new version.
//!
//! Three checks are no part of the rules, and may change without a new version: how a command's bytes are decoded, the
//! form its data must have ([`Command::decode`](crate::wire::v1::Command::decode)), and the search for personal data
//! ([`screen`](crate::screen)). Rules 1 and 2 are not kept: what they decided is verified, and cannot be decided again.

/// A version of the rules that this program can decide under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RulesVersion {
    /// The first version that is kept.
    V3,
}

/// A version of the rules that this program cannot decide under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this program cannot decide under rules {version}; it has rules {} to {}", first(), RulesVersion::CURRENT.number())]
pub struct UnknownRules {
    /// The version that was asked for.
    pub version: u32,
}

fn first() -> u32 {
    RulesVersion::V3.number()
}

impl RulesVersion {
    /// All versions that are kept, the oldest first.
    pub const ALL: &'static [Self] = &[Self::V3];

    /// The version that decides today.
    pub const CURRENT: Self = Self::V3;

    /// The number in an event's header.
    pub const fn number(self) -> u32 {
        match self {
            Self::V3 => 3,
        }
    }
}

impl TryFrom<u32> for RulesVersion {
    type Error = UnknownRules;

    fn try_from(version: u32) -> Result<Self, UnknownRules> {
        let mut known = Self::ALL.iter().copied();
        known
            .find(|known| known.number() == version)
            .ok_or(UnknownRules { version })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kept_version_is_found_by_its_number_and_no_other_is() {
        for version in RulesVersion::ALL {
            assert_eq!(RulesVersion::try_from(version.number()), Ok(*version));
        }
        for version in [0, 1, 2, RulesVersion::CURRENT.number() + 1, u32::MAX] {
            assert_eq!(
                RulesVersion::try_from(version),
                Err(UnknownRules { version })
            );
        }
    }
}
