//! `summary`: the whole ledger in figures.

use super::figures::{assessed, counts, left_out, participations};
use super::view::{coverage, fetch, heading, known, parse};
use crate::args::KnownArgs;
use crate::failure::Failure;
use crate::output::{Output, Table, json_line, shown, text};
use ledger_bus::NatsAccess;
use ledger_domain::wire::v1::view::ViewKey;
use serde_json::Value;

/// What a figure of the whole ledger is broken down by, and what that is called.
const BREAKDOWNS: [(&str, &str); 6] = [
    (
        "/active_commitments/by_instrument",
        "standing commitments by instrument",
    ),
    (
        "/active_commitments/by_region_of_lead",
        "standing commitments by region of the lead",
    ),
    (
        "/active_commitments/by_form",
        "standing commitments by form",
    ),
    (
        "/active_commitments/by_nature",
        "standing commitments by nature",
    ),
    ("/parties/registered_by_kind", "registered parties by kind"),
    ("/events/by_type", "events by type"),
];

/// Prints the summary.
pub(crate) async fn run(nats: &NatsAccess, at: &KnownArgs, output: Output) -> Result<(), Failure> {
    let json = fetch(nats, &ViewKey::Summary, &known(at)).await?;
    if output.json {
        return Ok(json_line(&json)?);
    }
    let answer = parse(&json)?;
    let mut page = heading(&answer, "The whole ledger");
    page.push_str(&counts(&answer, "/view", true));
    page.push_str(&assessed(&answer, "/view"));
    page.push_str(&participations(&answer, "/view"));
    page.push_str(&coverage(&answer, "/view"));
    page.push_str(&totals(&answer));
    page.push_str(&breakdowns(&answer));
    Ok(text(&page)?)
}

/// What is counted in other units than commitments.
fn totals(answer: &Value) -> String {
    let at = |pointer: &str| shown(answer, &format!("/view{pointer}"));
    let mut table = Table::new(&["recorded beside commitments", ""]);
    for (name, pointer) in [
        ("events", "/events/recorded"),
        ("parties registered", "/parties/registered"),
        ("  active", "/parties/active"),
        ("  leading a commitment", "/parties/leading"),
        ("instruments", "/catalogue/instruments"),
        ("actions", "/catalogue/actions"),
        (
            "  without a commitment",
            "/catalogue/actions_without_commitment",
        ),
        ("milestones named", "/milestones/named"),
        ("  reached", "/milestones/reached"),
    ] {
        let value = at(pointer);
        if !value.is_empty() {
            table.row([name.to_owned(), value]);
        }
    }
    format!("\n{}", table.render())
}

/// One table for each breakdown that has something in it, the largest figure first.
fn breakdowns(answer: &Value) -> String {
    let mut page = String::new();
    for (pointer, name) in BREAKDOWNS {
        let figures = answer.pointer(&format!("/view{pointer}"));
        let figures = figures.and_then(Value::as_object).into_iter().flatten();
        let mut figures: Vec<(&String, u64)> = figures
            .map(|(key, count)| (key, count.as_u64().unwrap_or_default()))
            .collect();
        figures.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let mut table = Table::new(&[name, ""]);
        for (key, count) in figures {
            table.row([key.clone(), count.to_string()]);
        }
        if !table.is_empty() {
            page.push('\n');
            page.push_str(&table.render());
        }
    }
    page.push_str(&left_out(
        answer,
        "/view/active_commitments/instruments_left_out",
        "instruments",
    ));
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breakdowns_begin_with_the_largest_and_empty_ones_are_left_out() {
        let answer = serde_json::json!({"view": {
            "active_commitments": {"by_instrument": {"A": 1, "B": 7}, "by_form": {}, "instruments_left_out": 3},
            "parties": {"registered": 4, "registered_by_kind": {"member_state": 2}},
        }});
        let page = breakdowns(&answer);
        let (b, a) = (page.find("B  "), page.find("A  "));
        assert!(b.is_some() && b < a, "{page}");
        assert!(page.contains("member_state"), "{page}");
        assert!(page.contains("3 instruments"), "{page}");
        assert!(!page.contains("by form"), "{page}");
        assert!(totals(&answer).contains("parties registered"), "{page}");
    }
}
