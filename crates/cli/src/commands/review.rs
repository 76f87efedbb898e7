//! `review`: a review cycle, who spoke in it, and the position its figures are frozen at.

use super::view::{fetch, heading, known, parse};
use crate::args::KnownArgs;
use crate::failure::Failure;
use crate::output::{Output, Table, json_line, shown, text};
use ledger_bus::NatsAccess;
use ledger_domain::wire::v1::view::ViewKey;
use serde_json::Value;

/// Prints a review cycle.
pub(crate) async fn run(
    nats: &NatsAccess,
    id: &str,
    at: &KnownArgs,
    output: Output,
) -> Result<(), Failure> {
    if id.parse::<ledger_domain::ids::ReviewId>().is_err() {
        return Err(Failure::usage(format!("`{id}` is not the id of a review")));
    }
    let key = ViewKey::Review(id.to_owned());
    let json = fetch(nats, &key, &known(at)).await?;
    if output.json {
        return Ok(json_line(&json)?);
    }
    let answer = parse(&json)?;
    let mut page = heading(&answer, &format!("{id}  {}", shown(&answer, "/title")));
    page.push_str(&cycle(&answer));
    Ok(text(&page)?)
}

fn cycle(answer: &Value) -> String {
    let at = |pointer: &str| shown(answer, &format!("/view{pointer}"));
    let mut table = Table::new(&["review", ""]);
    let mut row = |name: &str, value: String| table.row([name.to_owned(), value]);
    row("status", at("/status"));
    row("instrument", at("/instrument"));
    row("looks at", span(&at("/from"), &at("/to")));
    row("opened", at("/opened/recorded"));
    row("closed", at("/closed/recorded"));
    row("figures frozen at position", at("/closed/position"));
    row("statements", at("/statements/recorded"));
    let mut parties = Table::new(&["party", "statements"]);
    let by_party = answer.pointer("/view/statements_by_party");
    for (party, count) in by_party.and_then(Value::as_object).into_iter().flatten() {
        parties.row([party.clone(), shown(count, "")]);
    }
    let spoke = if parties.is_empty() {
        String::new()
    } else {
        format!("\n{}", parties.render())
    };
    format!("\n{}{spoke}", table.render())
}

/// The time between two dates, as far as they are known.
fn span(from: &str, to: &str) -> String {
    match (from, to) {
        ("", "") => String::new(),
        (from, "") => format!("from {from}"),
        ("", to) => format!("until {to}"),
        (from, to) => format!("{from} to {to}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_review_looks_at_is_said_as_far_as_it_is_known() {
        let shown = [("2022", "2026"), ("2022", ""), ("", "2026"), ("", "")];
        let shown = shown.map(|(from, to)| span(from, to));
        assert_eq!(shown, ["2022 to 2026", "from 2022", "until 2026", ""]);
        let page = cycle(&serde_json::json!({"view": {"status": "open"}}));
        assert!(page.contains("looks at\n"), "{page}");
    }

    #[test]
    fn a_closed_review_names_the_position_of_its_figures() {
        let answer = serde_json::json!({"view": {"status": "closed", "from": "2022", "to": "2026",
            "closed": {"position": "77", "recorded": "2026-05-01T00:00:00Z"},
            "statements": {"recorded": 2}, "statements_by_party": {"KEN": 2}}});
        let page = cycle(&answer);
        assert!(page.contains("figures frozen at position  77\n"), "{page}");
        assert!(page.contains("KEN    2\n"), "{page}");
    }
}
