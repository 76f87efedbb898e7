//! The themes of the Universal Periodic Review, and which of them are objectives of the Global Compact.

use ledger_domain::ids::{ActionCode, IdError};

/// A theme that is the subject of an objective of the Global Compact, and why.
pub(super) struct Mapping {
    /// The theme's name in the review.
    pub(super) theme: &'static str,
    /// The objective.
    pub(super) objective: &'static str,
    /// Why the one says the other.
    pub(super) basis: &'static str,
}

/// Themes with an objective of their own.
///
/// The others have none: `Migrants` is what all 23 objectives are about, and asylum-seekers and refugees are the subject
/// of the other compact. A mapping moves no commitment; what comes over it is counted apart.
pub(super) const MAPPINGS: &[Mapping] = &[
    Mapping {
        theme: "Trafficking",
        objective: "GCM-10",
        basis: "Objective 10 is to prevent, combat and eradicate trafficking in persons.",
    },
    Mapping {
        theme: "Detention",
        objective: "GCM-13",
        basis: "Objective 13 is to use detention in the context of migration only as a last resort.",
    },
    Mapping {
        theme: "Labour",
        objective: "GCM-06",
        basis: "Objective 6 is fair and ethical recruitment and the safeguards of decent work.",
    },
    Mapping {
        theme: "Racial discrimination",
        objective: "GCM-17",
        basis: "Objective 17 is to eliminate all forms of discrimination, racism and xenophobia among them.",
    },
    Mapping {
        theme: "Right to education",
        objective: "GCM-15",
        basis: "Objective 15 is access to basic services, and names education.",
    },
    Mapping {
        theme: "Right to health",
        objective: "GCM-15",
        basis: "Objective 15 is access to basic services, and names health care.",
    },
];

/// The action code of a theme: `UPR-` and its words run together, each with a capital, as a code takes letters and
/// digits only.
pub(super) fn action_code(theme: &str) -> Result<ActionCode, IdError> {
    let mut code = String::from("UPR-");
    let plain = theme.replace(['\'', '’'], "");
    for word in plain.split(|letter: char| !letter.is_ascii_alphanumeric()) {
        let mut letters = word.chars();
        code.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        code.push_str(letters.as_str());
    }
    code.parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_has_a_readable_code() {
        for (theme, code) in [
            ("Trafficking", "UPR-Trafficking"),
            ("Rights of the Child", "UPR-RightsOfTheChild"),
            ("Asylum-seekers - refugees", "UPR-AsylumSeekersRefugees"),
            ("Women's rights", "UPR-WomensRights"),
            ("HIV - Aids", "UPR-HIVAids"),
            ("NHRI", "UPR-NHRI"),
        ] {
            assert_eq!(action_code(theme).unwrap().as_str(), code);
        }
        assert!(action_code("—").is_err());
    }

    #[test]
    fn every_mapping_names_real_codes() {
        for mapping in MAPPINGS {
            assert!(action_code(mapping.theme).is_ok());
            assert!(mapping.objective.parse::<ActionCode>().is_ok());
        }
    }
}
