//! The themes of the Universal Periodic Review, and which of them are objectives of the Global Compact.

use ledger_domain::ids::ActionCode;

use super::LineFault;

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

/// The themes that the review's records use, as they write them.
const NAMES: &[&str] = &[
    "Asylum-seekers - refugees",
    "CP rights - general",
    "Civil society",
    "Corruption",
    "Counter-terrorism",
    "Death penalty",
    "Detention",
    "Development",
    "Disabilities",
    "ESC rights - general",
    "Elections",
    "Enforced disappearances",
    "Environment",
    "Extrajudicial executions",
    "Freedom of association and peaceful assembly",
    "Freedom of movement",
    "Freedom of opinion and expression",
    "Freedom of religion and belief",
    "Freedom of the press",
    "HIV - Aids",
    "Human rights defenders",
    "Human rights education and training",
    "Human rights violations by state agents",
    "Impunity",
    "Indigenous peoples",
    "Internally displaced persons",
    "International humanitarian law",
    "International instruments",
    "Justice",
    "Labour",
    "Migrants",
    "Minorities",
    "NHRI",
    "National plan of action",
    "Poverty",
    "Public security",
    "Racial discrimination",
    "Right to education",
    "Right to food",
    "Right to health",
    "Right to housing",
    "Right to land",
    "Right to water",
    "Rights of the Child",
    "Sexual Orientation and Gender Identity",
    "Special procedures",
    "Technical assistance and cooperation",
    "Torture and other CID treatment",
    "Trafficking",
    "Treaty bodies",
    "UPR process",
    "Women's rights",
];

/// A theme as an action: its code, and the one title that goes with the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Theme {
    pub(super) code: ActionCode,
    pub(super) title: String,
}

/// The theme of this name, in whatever case and with whatever signs between its words.
///
/// The code is `UPR-` and the words run together, each with a capital, as a code takes letters and digits only. A code has
/// one title in every file: two files that write a theme differently must not catalogue it twice. So a theme of
/// [`NAMES`] is titled as there, and any other by its own words in small letters.
pub(super) fn theme(name: &str) -> Result<Theme, LineFault> {
    let unusable = || LineFault::Theme(name.to_owned());
    let words = words(name).ok_or_else(unusable)?;
    let key = words.concat();
    let known = NAMES
        .iter()
        .find(|known| self::words(known).is_some_and(|words| words.concat() == key));
    let title = match known {
        Some(known) => (*known).to_owned(),
        None => capitalised(&words.join(" ")),
    };
    let mut code = String::from("UPR-");
    for word in
        title.split(|letter: char| !letter.is_ascii_alphanumeric() && !is_apostrophe(letter))
    {
        let letters: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
        code.push_str(&capitalised(&letters));
    }
    let code = code.parse().map_err(|_| unusable())?;
    Ok(Theme { code, title })
}

/// The words of a theme in small letters; `None` if there are none, or letters that no code can have.
fn words(name: &str) -> Option<Vec<String>> {
    let foreign = |letter: char| letter.is_alphanumeric() && !letter.is_ascii_alphanumeric();
    if name.contains(foreign) {
        return None;
    }
    let plain: String = name
        .chars()
        .filter(|letter| !is_apostrophe(*letter))
        .collect();
    let words: Vec<String> = plain
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    (!words.is_empty()).then_some(words)
}

fn is_apostrophe(letter: char) -> bool {
    matches!(letter, '\'' | '’')
}

/// The text with a capital at its beginning.
fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str) -> (String, String) {
        let theme = theme(name).unwrap();
        (theme.code.as_str().to_owned(), theme.title)
    }

    #[test]
    fn a_theme_has_a_readable_code() {
        for (name, code) in [
            ("Trafficking", "UPR-Trafficking"),
            ("Rights of the Child", "UPR-RightsOfTheChild"),
            ("Asylum-seekers - refugees", "UPR-AsylumSeekersRefugees"),
            ("Women's rights", "UPR-WomensRights"),
            ("HIV - Aids", "UPR-HIVAids"),
            ("NHRI", "UPR-NHRI"),
        ] {
            assert_eq!(found(name), (code.to_owned(), name.to_owned()));
        }
    }

    #[test]
    fn every_known_theme_is_titled_as_it_is_named() {
        let mut codes = std::collections::BTreeSet::new();
        for name in NAMES {
            let (code, title) = found(name);
            assert_eq!(title, *name);
            assert!(codes.insert(code), "{name}");
        }
    }

    #[test]
    fn a_theme_has_one_code_and_one_title_however_it_is_written() {
        for (name, other) in [
            ("Migrants", "migrants"),
            ("NHRI", "nhri"),
            ("HIV - Aids", "hiv/AIDS"),
            ("Women's rights", "WOMEN’S RIGHTS"),
            ("Asylum-seekers - refugees", "Asylum seekers  – Refugees"),
            ("Sea rescue", "SEA-RESCUE"),
            ("sea rescue", " Sea Rescue."),
        ] {
            assert_eq!(found(name), found(other));
        }
        assert_eq!(
            found("SEA rescue"),
            ("UPR-SeaRescue".to_owned(), "Sea rescue".to_owned())
        );
    }

    #[test]
    fn a_theme_that_no_code_can_be_made_of_is_named() {
        for name in ["—", "", "Réfugiés", "移民", "  "] {
            assert!(matches!(theme(name), Err(LineFault::Theme(_))), "{name}");
        }
        assert!(theme(&"long ".repeat(100)).is_err());
    }

    #[test]
    fn every_mapping_names_real_codes() {
        for mapping in MAPPINGS {
            assert!(NAMES.contains(&mapping.theme));
            assert!(mapping.objective.parse::<ActionCode>().is_ok());
        }
    }
}
