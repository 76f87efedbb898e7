//! The themes of the Universal Periodic Review, and which of them are objectives of the Global Compact.

use ledger_domain::compare::folded_compatibly;
use ledger_domain::ids::ActionCode;
use ledger_domain::personal;
use ledger_domain::wire::v1::Pattern;

use super::LineFault;
use super::texts::is_apostrophe;

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
/// The code is `UPR-` and the words of a theme of [`NAMES`] run together, each with a capital, as a code takes letters and
/// digits only; the title is the name there. Any other theme has its letters alone for both: nothing else of it is the same in every
/// spelling (`Re-entry`, `Reentry`), and two files that write it differently must not catalogue it twice.
pub(super) fn theme(name: &str) -> Result<Theme, LineFault> {
    let unusable = || LineFault::Theme(name.to_owned());
    let key = key(name).ok_or_else(unusable)?;
    let known = NAMES
        .iter()
        .find(|known| self::key(known).as_ref() == Some(&key));
    let title = match known {
        Some(known) => (*known).to_owned(),
        None => capitalised(&key),
    };
    let mut code = String::from("UPR-");
    for word in
        title.split(|letter: char| !letter.is_ascii_alphanumeric() && !is_apostrophe(letter))
    {
        let letters: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
        code.push_str(&capitalised(&letters));
    }
    let names_somebody = personal::find(name, Pattern::ALL).is_some()
        || personal::find(&title, Pattern::ALL).is_some()
        || personal::find_in_id(&code, Pattern::ALL).is_some();
    if names_somebody {
        return Err(unusable());
    }
    let code = code.parse().map_err(|_| unusable())?;
    Ok(Theme { code, title })
}

/// The part that is the same in every spelling of a theme: its letters and digits, small and in one
/// piece. `None` if there are none, or others than those of ASCII, which no code can have.
fn key(name: &str) -> Option<String> {
    // Before they are decomposed: an acute accent alone becomes a space with a combining mark.
    let name: String = name
        .chars()
        .filter(|letter| !is_apostrophe(*letter))
        .collect();
    let name = folded_compatibly(&name);
    let mut key = String::new();
    for letter in name.chars() {
        if letter.is_ascii_alphanumeric() {
            key.push(letter);
        } else if !parts_words(letter) && !shows_nothing(letter) {
            return None;
        }
    }
    (!key.is_empty()).then_some(key)
}

/// Returns true when the sign stands between words and says nothing itself: any of ASCII, a space,
/// a dash, a quotation mark, a point.
fn parts_words(letter: char) -> bool {
    letter.is_ascii()
        || letter.is_whitespace()
        || matches!(
            letter,
            '\u{2010}'..='\u{2015}'
                | '\u{2212}'
                | '\u{201c}'..='\u{201f}'
                | '«'
                | '»'
                | '·'
                | '•'
                | '\u{2044}'
                | '\u{2215}'
        )
}

/// Returns true when the sign joins letters, or chooses how one looks, and shows nothing itself.
fn shows_nothing(letter: char) -> bool {
    matches!(
        letter,
        '\u{34f}' | '\u{180e}' | '\u{200c}' | '\u{200d}' | '\u{2061}'..='\u{2064}' | '\u{fe00}'..='\u{fe0f}'
    )
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
            ("Women's rights", "Womenʼs rights"),
            ("Women's rights", "Women´s rights"),
            ("Women's rights", "Women`s rights"),
            ("Women's rights", "Women′s rights"),
            ("Women's rights", "Women＇s Rights"),
            ("Women's rights", "Womens rights"),
            ("Migrants", "Ｍｉｇｒａｎｔｓ"),
            ("Migrants", "Mi\u{ad}grants\u{200b}"),
            ("Migrants", "\u{feff}Mig\u{200d}rants\u{fe0f}"),
            ("Trafficking", "Traﬃcking"),
            ("Sea rescue", "SEA-RESCUE"),
            ("sea rescue", " Sea Rescue."),
            ("S.E.A. rescue", "Sea rescue"),
            ("Sea\u{a0}rescue", "Searescue"),
            ("Re-entry", "Reentry"),
            ("Re\u{2011}entry", "re entry"),
            ("Re−entry", "Re—entry"),
            ("“Sea” rescue", "Sea«rescue»"),
        ] {
            assert_eq!(found(name), found(other), "{name} {other}");
        }
        assert_eq!(
            found("SEA rescue"),
            ("UPR-Searescue".to_owned(), "Searescue".to_owned())
        );
    }

    #[test]
    fn a_theme_that_no_code_can_be_made_of_is_named() {
        for name in [
            "—",
            "",
            "Réfugiés",
            "Re\u{301}fugie\u{301}s",
            "Cafés",
            "Cafe\u{301}s",
            "Migrants\u{323}",
            "移民",
            "  ",
            "Migrants €",
            "Call 0712345678",
            "Call 0712 345 678",
        ] {
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
