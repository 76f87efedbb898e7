//! The countries of the world as the ledger knows them: ISO 3166-1 codes, UN M49 regions, membership of the United Nations,
//! and the groups of least developed, landlocked developing and small island developing States.

use std::fmt;
use std::sync::LazyLock;

use rustc_hash::FxHashMap;

/// An ISO 3166-1 alpha-3 code that stands in the country table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountryCode([u8; 3]);

impl CountryCode {
    /// The code's three capitals.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or("???")
    }

    /// The code's three bytes.
    pub fn as_bytes(&self) -> &[u8; 3] {
        &self.0
    }

    /// The country the code stands for.
    pub fn country(self) -> &'static Country {
        of(self)
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Standing in the United Nations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnStatus {
    /// One of the 193 member States.
    Member,
    /// One of the two observer States.
    Observer,
    /// A territory, or a State that is neither.
    None,
}

/// A UN M49 region or sub-region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region {
    /// The M49 code, three digits: `002`.
    pub code: &'static str,
    /// Its English name: `Africa`.
    pub name: &'static str,
}

/// One country or territory of ISO 3166-1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Country {
    /// ISO 3166-1 alpha-3.
    pub code: CountryCode,
    /// ISO 3166-1 alpha-2.
    pub alpha2: &'static str,
    /// UN M49, three digits.
    pub m49: &'static str,
    /// English name.
    pub name: &'static str,
    /// M49 region; absent for the few that M49 puts in none.
    pub region: Option<Region>,
    /// M49 sub-region.
    pub subregion: Option<Region>,
    /// Member, observer, or neither.
    pub un_status: UnStatus,
    /// A least developed country.
    pub ldc: bool,
    /// A landlocked developing country.
    pub lldc: bool,
    /// A small island developing State.
    pub sids: bool,
}

/// The code that stands where there is no country, as for organizations.
pub const NO_COUNTRY: &str = "INT";

const TABLE: &str = include_str!("../../../seeds/countries.csv");

/// The M49 regions and sub-regions that the table names by code.
const REGIONS: [Region; 22] = [
    Region {
        code: "002",
        name: "Africa",
    },
    Region {
        code: "009",
        name: "Oceania",
    },
    Region {
        code: "015",
        name: "Northern Africa",
    },
    Region {
        code: "019",
        name: "Americas",
    },
    Region {
        code: "021",
        name: "Northern America",
    },
    Region {
        code: "030",
        name: "Eastern Asia",
    },
    Region {
        code: "034",
        name: "Southern Asia",
    },
    Region {
        code: "035",
        name: "South-eastern Asia",
    },
    Region {
        code: "039",
        name: "Southern Europe",
    },
    Region {
        code: "053",
        name: "Australia and New Zealand",
    },
    Region {
        code: "054",
        name: "Melanesia",
    },
    Region {
        code: "057",
        name: "Micronesia",
    },
    Region {
        code: "061",
        name: "Polynesia",
    },
    Region {
        code: "142",
        name: "Asia",
    },
    Region {
        code: "143",
        name: "Central Asia",
    },
    Region {
        code: "145",
        name: "Western Asia",
    },
    Region {
        code: "150",
        name: "Europe",
    },
    Region {
        code: "151",
        name: "Eastern Europe",
    },
    Region {
        code: "154",
        name: "Northern Europe",
    },
    Region {
        code: "155",
        name: "Western Europe",
    },
    Region {
        code: "202",
        name: "Sub-Saharan Africa",
    },
    Region {
        code: "419",
        name: "Latin America and the Caribbean",
    },
];

struct Countries {
    rows: Vec<Country>,
    by_code: FxHashMap<[u8; 3], usize>,
}

static COUNTRIES: LazyLock<Countries> = LazyLock::new(|| {
    let rows: Vec<Country> = TABLE.lines().skip(1).filter_map(row).collect();
    let by_code = rows
        .iter()
        .enumerate()
        .map(|(index, country)| (country.code.0, index))
        .collect();
    Countries { rows, by_code }
});

/// Reads one row; the name comes last, so that its commas need no quotes. A test holds the table to all of its rows.
fn row(line: &'static str) -> Option<Country> {
    let mut cells = line.splitn(10, ',');
    let mut next = || cells.next();
    Some(Country {
        code: CountryCode(next()?.as_bytes().try_into().ok()?),
        alpha2: next()?,
        m49: next()?,
        region: region(next()?),
        subregion: region(next()?),
        un_status: match next()? {
            "member" => UnStatus::Member,
            "observer" => UnStatus::Observer,
            _ => UnStatus::None,
        },
        ldc: next()? == "1",
        lldc: next()? == "1",
        sids: next()? == "1",
        name: next()?,
    })
}

fn region(code: &str) -> Option<Region> {
    REGIONS.iter().find(|region| region.code == code).copied()
}

/// The country with this alpha-3 code, in capitals.
pub fn find(code: &str) -> Option<&'static Country> {
    let key: [u8; 3] = code.as_bytes().try_into().ok()?;
    let index = *COUNTRIES.by_code.get(&key)?;
    COUNTRIES.rows.get(index)
}

/// The alpha-3 code of a country for its code in whatever case, or `INT`, which stands for no
/// country.
pub(crate) fn spelling(code: &str) -> Option<&'static str> {
    let capitals = code.to_ascii_uppercase();
    let country = find(&capitals).or_else(|| all().iter().find(|it| it.alpha2 == capitals));
    match country {
        Some(country) => Some(country.code.as_str()),
        None => (capitals == NO_COUNTRY).then_some(NO_COUNTRY),
    }
}

/// The country of a code: a [`CountryCode`] is only ever made from the table.
pub(crate) fn of(code: CountryCode) -> &'static Country {
    static UNKNOWN: Country = Country {
        code: CountryCode(*b"???"),
        alpha2: "??",
        m49: "",
        name: "",
        region: None,
        subregion: None,
        un_status: UnStatus::None,
        ldc: false,
        lldc: false,
        sids: false,
    };
    find(code.as_str()).unwrap_or(&UNKNOWN)
}

/// All countries and territories, by code.
pub fn all() -> &'static [Country] {
    &COUNTRIES.rows
}

/// The 193 member States, by code.
pub fn members() -> impl Iterator<Item = &'static Country> {
    all()
        .iter()
        .filter(|country| country.un_status == UnStatus::Member)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_territory_and_the_united_nations_figures() {
        assert_eq!(all().len(), 249);
        assert_eq!(TABLE.lines().count(), 250);
        assert_eq!(members().count(), 193);
        let observers: Vec<_> = all()
            .iter()
            .filter(|country| country.un_status == UnStatus::Observer)
            .map(|country| country.code.to_string())
            .collect();
        assert_eq!(observers, ["PSE", "VAT"]);
        assert!(all().is_sorted_by_key(|country| country.code));
    }

    #[test]
    fn members_fall_into_the_five_regions_as_the_united_nations_count_them() {
        let count = |name| {
            members()
                .filter(|country| country.region.is_some_and(|region| region.name == name))
                .count()
        };
        let counts = ["Africa", "Asia", "Europe", "Americas", "Oceania"].map(count);
        assert_eq!(counts, [54, 47, 43, 35, 14]);
        assert!(members().all(|country| country.subregion.is_some()));
    }

    #[test]
    fn a_country_is_found_by_its_exact_code_only() {
        let kenya = find("KEN").expect("Kenya is in the table");
        assert_eq!(
            (kenya.name, kenya.alpha2, kenya.m49),
            ("Kenya", "KE", "404")
        );
        assert_eq!(kenya.region.map(|region| region.code), Some("002"));
        assert_eq!(kenya.code.country(), kenya);
        for absent in ["", "ken", "KE", "XKX", "KENN", "ÀÀ"] {
            assert_eq!(find(absent), None);
        }
    }

    #[test]
    fn a_code_of_a_country_reads_like_it_in_any_case_and_with_two_letters() {
        for code in ["KEN", "ken", "Ken", "KE", "ke"] {
            assert_eq!(spelling(code), Some("KEN"), "{code}");
        }
        assert_eq!(spelling("int"), Some("INT"));
        for absent in ["", "XKX", "K", "KENN", "ledger"] {
            assert_eq!(spelling(absent), None, "{absent}");
        }
    }

    #[test]
    fn names_keep_their_commas() {
        let names: Vec<_> = all()
            .iter()
            .filter(|country| country.name.contains(','))
            .map(|country| country.code.to_string())
            .collect();
        assert_eq!(names, ["BES", "HKG", "MAC"]);
        assert!(find("BES").is_some_and(|bes| bes.ldc == bes.lldc));
    }
}
