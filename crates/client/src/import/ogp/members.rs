//! The Partnership's members: States, and local ones that are parties and no countries.

use ledger_domain::country::{self, Country, UnStatus};
use ledger_domain::ids::{PartnerId, PartyId};
use ledger_domain::wire::v1::{PartyKind, RegisterParty};

/// Who leads a commitment, and the partner that speaks for it.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) partner: PartnerId,
    pub(super) party: PartyId,
}

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

/// The registration of a member that is no State of every ledger. Its country is that of its code's first two letters;
/// where these are of no country, it has none.
pub(super) fn local(code: &str) -> Option<RegisterParty> {
    let own = country::find(code);
    if own.is_some_and(|country| country.un_status == UnStatus::Member) {
        return None;
    }
    let name = NAMES.iter().find(|(known, _)| *known == code);
    Some(RegisterParty {
        name: name.map_or_else(
            || format!("Member {code} of the Open Government Partnership"),
            |(_, name)| (*name).to_owned(),
        ),
        kind: PartyKind::LocalAuthority,
        country: own.or_else(|| of_alpha2(code)).map(|country| country.code),
    })
}

fn of_alpha2(code: &str) -> Option<&'static Country> {
    let alpha2 = code.get(..2)?;
    country::all()
        .iter()
        .find(|country| country.alpha2 == alpha2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_member_belongs_to_the_country_of_its_code() {
        let country = |code| {
            local(code).map(|party: RegisterParty| party.country.map(|code| code.to_string()))
        };
        assert_eq!(country("GBSC"), Some(Some("GBR".to_owned())));
        assert_eq!(country("MXJL"), Some(Some("MEX".to_owned())));
        assert_eq!(country("XKX"), Some(None));
        assert_eq!(country("KEN"), None);
        let unknown = local("KEZZ").unwrap();
        assert!(unknown.name.contains("KEZZ"));
        assert_eq!(unknown.kind, PartyKind::LocalAuthority);
    }
}
