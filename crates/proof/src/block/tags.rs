//! Under which country and actions an event is found: its route, as it stands in a block.

/// A route, read: `KEN|GCM-05a,GCM-10`, where either side may be empty. One without `|` is a country alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tags<'a> {
    /// The country; none for what belongs to no country.
    pub country: Option<&'a str>,
    actions: &'a str,
}

impl<'a> Tags<'a> {
    /// Reads a route.
    pub fn read(route: &'a str) -> Self {
        let (country, actions) = route.split_once('|').unwrap_or((route, ""));
        Self {
            country: Some(country).filter(|country| !country.is_empty()),
            actions,
        }
    }

    /// The codes of the actions.
    pub fn actions(self) -> impl Iterator<Item = &'a str> {
        self.actions.split(',').filter(|action| !action.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_has_a_country_or_none_and_any_actions() {
        for (route, country, actions) in [
            (
                "KEN|GCM-05a,GCM-10",
                Some("KEN"),
                &["GCM-05a", "GCM-10"][..],
            ),
            ("KEN|", Some("KEN"), &[]),
            ("KEN", Some("KEN"), &[]),
            ("|GCM-10", None, &["GCM-10"]),
            ("|", None, &[]),
            ("", None, &[]),
        ] {
            let tags = Tags::read(route);
            assert_eq!(tags.country, country, "{route}");
            assert_eq!(tags.actions().collect::<Vec<_>>(), actions, "{route}");
        }
    }
}
