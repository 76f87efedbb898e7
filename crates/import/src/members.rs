//! Whom the sources mean by a code: States, and local members that are parties and not countries.

use ledger_domain::country::{self, Country, UnStatus};
use ledger_domain::wire::v1::{PartyKind, RegisterParty};

/// What local members are called; the records have their codes only.
const NAMES: [(&str, &str); 8] = [
    ("ARBA", "Buenos Aires, Argentina"),
    ("ESMD", "Madrid, Spain"),
    ("GBSC", "Scotland, United Kingdom"),
    ("GETB", "Tbilisi, Georgia"),
    ("MXJL", "Jalisco, Mexico"),
    ("NGKD", "Kaduna State, Nigeria"),
    ("PHSC", "South Cotabato, Philippines"),
    ("XKX", "Kosovo (Security Council resolution 1244 (1999))"),
];

/// A member of the Partnership.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Member {
    /// A member State of the United Nations: the importer's own partner speaks for it.
    State(&'static Country),
    /// An observer State: a party of every ledger, and no partner speaks for it yet.
    Observer(&'static Country),
    /// A local member, and others that no ledger has as a party.
    Other {
        /// Its code, in capitals.
        code: String,
        /// Its registration as a party.
        party: RegisterParty,
    },
}

/// The member State of this code of ISO 3166-1, of three letters or two, in any case.
pub(super) fn state(code: &str) -> Option<&'static Country> {
    of_code(&code.trim().to_ascii_uppercase())
        .filter(|country| country.un_status == UnStatus::Member)
}

/// The member of this code: a country's code of ISO 3166-1 (three letters or two), a code of [`NAMES`], or, where the level of the
/// commitment is a local one, a country's two letters and two more. All in any case. `None` for any other: a code that is
/// misspelt, like `KENY`, must not become a party, which a ledger cannot forget.
pub(super) fn member(code: &str, level: &str) -> Option<Member> {
    let code = code.trim().to_ascii_uppercase();
    let country = of_code(&code);
    if let Some(country) = country {
        match country.un_status {
            UnStatus::Member => return Some(Member::State(country)),
            UnStatus::Observer => return Some(Member::Observer(country)),
            UnStatus::None => {}
        }
    }
    let code = country.map_or(code, |country| country.code.to_string());
    let name = NAMES.iter().find(|(known, _)| *known == code);
    let is_local = name.is_some() || is_local(level);
    let country = country.or_else(|| local_country(&code).filter(|_| is_local));
    if name.is_none() && country.is_none() {
        return None;
    }
    let party = RegisterParty {
        name: name.map_or_else(
            || format!("Member {code} of the Open Government Partnership"),
            |(_, name)| (*name).to_owned(),
        ),
        kind: PartyKind::LocalAuthority,
        country: country.map(|country| country.code),
    };
    Some(Member::Other { code, party })
}

/// Returns true when the level of a commitment is that of a local member: `Local`, `Legacy Local`.
fn is_local(level: &str) -> bool {
    level
        .split(|letter: char| !letter.is_alphabetic())
        .any(|word| word.eq_ignore_ascii_case("local"))
}

fn of_code(code: &str) -> Option<&'static Country> {
    country::find(code).or_else(|| of_alpha2(code))
}

/// The country of a local member's code of four letters.
fn local_country(code: &str) -> Option<&'static Country> {
    let letters = code.len() == 4 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    of_alpha2(code.get(..2).filter(|_| letters)?)
}

fn of_alpha2(code: &str) -> Option<&'static Country> {
    country::all().iter().find(|country| country.alpha2 == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(code: &str) -> Option<(String, Option<String>)> {
        match member(code, "Legacy Local")? {
            Member::Other { code, party } => {
                Some((code, party.country.map(|country| country.to_string())))
            }
            Member::State(_) | Member::Observer(_) => None,
        }
    }

    #[test]
    fn a_local_member_belongs_to_the_country_of_its_code() {
        let is =
            |code: &str, country: Option<&str>| Some((code.to_owned(), country.map(str::to_owned)));
        assert_eq!(local("GBSC"), is("GBSC", Some("GBR")));
        assert_eq!(local("mxjl"), is("MXJL", Some("MEX")));
        assert_eq!(local("XKX"), is("XKX", None));
        assert_eq!(local("KEZZ"), is("KEZZ", Some("KEN")));
        assert_eq!(local("grl"), is("GRL", Some("GRL")));
        assert_eq!(local("GL"), is("GRL", Some("GRL")));
    }

    #[test]
    fn a_state_is_found_by_either_code_in_any_case() {
        for code in ["GHA", "gha", "GH", "gh", " Gha "] {
            assert_eq!(state(code).unwrap().code.as_str(), "GHA", "{code}");
            let member = member(code, "National");
            assert!(matches!(member, Some(Member::State(_))), "{code}");
        }
        assert!(matches!(
            member("pse", "National"),
            Some(Member::Observer(_))
        ));
        assert_eq!(state("PSE"), None);
    }

    #[test]
    fn a_code_of_nobody_is_nobody() {
        for code in [
            "ZZZ", "ZZ", "", "Ghana", "GHA1", "GH-A", "ZZAB", "GBSCO", "KE1Z", "é",
        ] {
            assert_eq!(member(code, "Local"), None, "{code}");
        }
    }

    #[test]
    fn four_letters_are_a_local_member_only_at_a_local_level() {
        for code in ["KENY", "GHAN", "INDI", "CHIN", "GREE", "USAA", "KEZZ"] {
            for level in ["National", "Other", "", "Locality"] {
                assert_eq!(member(code, level), None, "{code} {level}");
            }
        }
        for level in ["Local", "Legacy Local", "local", "Sub-national/LOCAL"] {
            assert!(member("KEZZ", level).is_some(), "{level}");
        }
        assert!(member("GBSC", "National").is_some());
    }

    #[test]
    fn a_member_is_the_same_by_either_code_of_its_country() {
        for (long, short) in [("TWN", "TW"), ("grl", "gl"), ("XKX", " xkx ")] {
            assert_eq!(member(long, "National"), member(short, "National"));
            assert!(member(long, "National").is_some(), "{long}");
        }
    }
}
