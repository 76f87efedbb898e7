//! The keys of views, and the families that they fall into.

use std::fmt;

/// A family of views: what one projector folds and one bucket holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// One view for each country.
    Country,
    /// One view for each action.
    Action,
    /// The views of the whole ledger.
    Summary,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 3] = [Self::Country, Self::Action, Self::Summary];

    /// Its name: that of its projection and of its bucket.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Country => "country",
            Self::Action => "action",
            Self::Summary => "summary",
        }
    }

    /// The family of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The key of a view. Its text is the key in the bucket of its family.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ViewKey {
    /// A country's, by its code: `KEN`, or `INT`.
    Country(String),
    /// An action's, by its code: `GCM-05a`.
    Action(String),
    /// The whole ledger's: `summary`.
    Summary,
    /// The gaps': `gaps`.
    Gaps,
    /// A partner's, by its id: `partner.<id>`.
    Partner(String),
    /// A review cycle's, by its id: `review.<id>`.
    Review(String),
}

impl ViewKey {
    /// Reads a key as buckets and projections name it, by its form: codes of countries are capital letters, codes of actions have a
    /// hyphen after some, and the views of the whole ledger begin with a small letter. None for any other text.
    pub fn read(text: &str) -> Option<Self> {
        if text.starts_with(|first: char| first.is_ascii_lowercase()) {
            return match (text, text.split_once('.')) {
                ("summary", _) => Some(Self::Summary),
                ("gaps", _) => Some(Self::Gaps),
                (_, Some(("partner", id))) => Some(Self::Partner(id.to_owned())),
                (_, Some(("review", id))) => Some(Self::Review(id.to_owned())),
                _ => None,
            };
        }
        Some(if text.contains('-') {
            Self::Action(text.to_owned())
        } else {
            Self::Country(text.to_owned())
        })
    }

    /// The view's name among the views of its kind; empty where there is only one.
    pub fn argument(&self) -> &str {
        match self {
            Self::Country(code) | Self::Action(code) => code,
            Self::Partner(id) | Self::Review(id) => id,
            Self::Summary | Self::Gaps => "",
        }
    }

    /// The family it is of.
    pub const fn family(&self) -> Family {
        match self {
            Self::Country(_) => Family::Country,
            Self::Action(_) => Family::Action,
            Self::Summary | Self::Gaps | Self::Partner(_) | Self::Review(_) => Family::Summary,
        }
    }
}

impl fmt::Display for ViewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Country(code) | Self::Action(code) => f.write_str(code),
            Self::Summary => f.write_str("summary"),
            Self::Gaps => f.write_str("gaps"),
            Self::Partner(id) => write!(f, "partner.{id}"),
            Self::Review(id) => write!(f, "review.{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_from_its_text() {
        for (text, family) in [
            ("KEN", Family::Country),
            ("INT", Family::Country),
            ("SDG-10.7.2", Family::Action),
            ("summary", Family::Summary),
            ("gaps", Family::Summary),
            ("partner.gov-ke", Family::Summary),
            ("review.IMRF-2026", Family::Summary),
        ] {
            let key = ViewKey::read(text).unwrap();
            assert_eq!((key.to_string().as_str(), key.family()), (text, family));
        }
        assert_eq!(ViewKey::read("summary.x"), None);
        assert_eq!(ViewKey::read("partner"), None);
    }
}
