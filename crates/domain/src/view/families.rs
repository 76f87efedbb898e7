//! Families of views, and which one a key belongs to.

use crate::wire::v1::view::ViewKey;

pub use crate::wire::v1::view::Family;

/// The name of a projection of some families: that of its only family, or `all`.
pub const fn projection_name(families: &[Family]) -> &'static str {
    match families {
        [family] => family.name(),
        _ => "all",
    }
}

/// The family that a view belongs to, by the form of its key.
pub fn family_of(key: &str) -> Family {
    ViewKey::read(key).map_or(Family::Summary, |key| key.family())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_form_of_their_family() {
        for (key, family) in [
            ("KEN", Family::Country),
            ("INT", Family::Country),
            ("GCM-05a", Family::Action),
            ("SDG-10.7.2", Family::Action),
            ("summary", Family::Summary),
            ("gaps", Family::Summary),
            ("partner.A-1", Family::Summary),
            ("review.IMRF26-x", Family::Summary),
        ] {
            assert_eq!(family_of(key), family, "{key}");
        }
    }
}
