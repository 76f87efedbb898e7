//! Codes of countries and actions as people write them: in any case, and with a suggestion for one that there is not.

use crate::failure::Failure;
use ledger_client::{Connection, is_unreachable};
use ledger_domain::compare::folded;
use ledger_domain::country::{self, NO_COUNTRY};
use ledger_domain::wire::v1::view::Family;

/// The most codes that a suggestion names.
const SUGGESTIONS_MAX: usize = 3;

/// The shortest text that is looked for within the names of countries.
const NAME_LETTERS_MIN: usize = 4;

/// A country's code, or that of no country, in capitals.
pub(super) fn country(code: &str) -> Result<String, Failure> {
    let capitals = code.to_ascii_uppercase();
    if capitals == NO_COUNTRY || country::find(&capitals).is_some() {
        return Ok(capitals);
    }
    let name = folded(code);
    let is_named = |country: &&country::Country| folded(country.name).contains(&*name);
    let mut close: Vec<&str> = Vec::new();
    if name.len() >= NAME_LETTERS_MIN {
        let named = country::all().iter().filter(is_named);
        close.extend(named.map(|country| country.code.as_str()));
    } else {
        let codes = country::all().iter().map(|country| country.code.as_str());
        close.extend(codes.filter(|known| distance(known, &capitals) <= 1));
    }
    Err(Failure::unknown(format!(
        "there is no country `{code}`: a country's code has three letters, like KEN; INT stands for organizations{}",
        suggestion(&close)
    )))
}

/// The code of an action of the catalogue.
pub(super) async fn action(connection: &Connection, code: &str) -> Result<String, Failure> {
    let known = connection.projection(Family::Action).await?.views;
    catalogued(&known, code)
}

/// The same where events are read, which the ledger has without any projector: the code is then taken as it is.
pub(super) async fn action_of_events(
    connection: &Connection,
    code: &str,
) -> Result<String, Failure> {
    match connection.projection(Family::Action).await {
        Ok(answer) => catalogued(&answer.views, code),
        Err(error) if is_unreachable(&error) => Ok(code.to_owned()),
        Err(error) => Err(error.into()),
    }
}

fn catalogued(known: &[String], code: &str) -> Result<String, Failure> {
    let exact = known.iter().find(|known| *known == code);
    let mut in_other_case = known
        .iter()
        .filter(|known| known.eq_ignore_ascii_case(code));
    let found = exact.or_else(|| {
        let first = in_other_case.next();
        first.filter(|_| in_other_case.next().is_none())
    });
    if let Some(found) = found {
        return Ok(found.clone());
    }
    let wanted = bare(code);
    let mut close: Vec<(usize, &str)> = known
        .iter()
        .map(|known| (distance(&bare(known), &wanted), known.as_str()))
        .filter(|(distance, _)| *distance <= 1)
        .collect();
    close.sort_unstable();
    // The very letters in another spelling leave nothing to guess.
    if close.first().is_some_and(|(distance, _)| *distance == 0) {
        close.retain(|(distance, _)| *distance == 0);
    }
    let close: Vec<&str> = close.into_iter().map(|(_, known)| known).collect();
    Err(Failure::unknown(format!(
        "there is no action `{code}` in the catalogue: an action's code is like GCM-10 or GCM-10a{}",
        suggestion(&close)
    )))
}

/// The letters and digits alone.
fn bare(code: &str) -> String {
    let letters = code.chars().filter(|letter| letter.is_alphanumeric());
    letters.collect::<String>().to_ascii_uppercase()
}

fn distance(one: &str, other: &str) -> usize {
    strsim::damerau_levenshtein(one, other)
}

fn suggestion(close: &[&str]) -> String {
    let shown: Vec<&str> = close.iter().copied().take(SUGGESTIONS_MAX).collect();
    if shown.is_empty() {
        String::new()
    } else {
        format!("; did you mean {}?", shown.join(" or "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_found_in_any_case_and_a_near_miss_or_a_name_suggests_it() {
        assert_eq!(country("ken").ok().as_deref(), Some("KEN"));
        assert_eq!(country("int").ok().as_deref(), Some("INT"));
        let said = |code: &str| format!("{:?}", country(code).expect_err("no country"));
        assert!(said("KEM").contains("KEN"), "{}", said("KEM"));
        assert!(said("kenya").contains("did you mean KEN?"));
        assert!(!said("KE NYA").contains("did you mean"));
    }

    #[test]
    fn an_action_is_found_in_any_case_where_only_one_is_meant() {
        let known = ["GCM-10", "GCM-10a", "SDG-10.7.1", "X-a", "X-A"].map(str::to_owned);
        let found = |code: &str| catalogued(&known, code).ok();
        assert_eq!(found("gcm-10").as_deref(), Some("GCM-10"));
        assert_eq!(found("GCM-10A").as_deref(), Some("GCM-10a"));
        assert_eq!(found("X-A").as_deref(), Some("X-A"));
        assert_eq!(found("x-a"), None);
        let said = |code: &str| format!("{:?}", catalogued(&known, code).expect_err("no action"));
        assert!(said("GCM10").contains("did you mean GCM-10?"));
        assert!(said("GCM 10a").contains("did you mean GCM-10a?"));
        assert!(!said("UPR-1").contains("did you mean"));
    }
}
