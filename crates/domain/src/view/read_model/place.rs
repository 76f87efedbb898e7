//! Places: a country, or none for the commitments of organizations.

use crate::country;
use crate::ids::CountryCode;

/// The key of what belongs to no country: the commitments of organizations.
pub(crate) const NO_COUNTRY: &str = "INT";

/// A country's code; none for the view of what belongs to no country.
pub(crate) type Place = Option<CountryCode>;

/// The place that a key names.
pub(crate) fn place(key: &str) -> Option<Place> {
    if key == NO_COUNTRY {
        Some(None)
    } else {
        country::find(key).map(|country| Some(country.code))
    }
}
