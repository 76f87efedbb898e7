//! Places: a country, or none for the commitments of organizations.

use crate::country::{self, NO_COUNTRY};
use crate::ids::CountryCode;

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
