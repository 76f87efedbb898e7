//! `partner show`: what a partner sent.

use super::view::{fetch, heading, known, parse};
use crate::args::KnownArgs;
use crate::failure::Failure;
use crate::output::{Output, Table, json_line, shown, text};
use ledger_bus::NatsAccess;
use ledger_domain::wire::v1::view::ViewKey;
use serde_json::Value;

/// Prints a partner's activity.
pub(crate) async fn show(
    nats: &NatsAccess,
    id: &str,
    at: &KnownArgs,
    output: Output,
) -> Result<(), Failure> {
    if id.parse::<ledger_domain::ids::PartnerId>().is_err() {
        return Err(Failure::usage(format!("`{id}` is not the id of a partner")));
    }
    let key = ViewKey::Partner(id.to_owned());
    let json = fetch(nats, &key, &known(at)).await?;
    if output.json {
        return Ok(json_line(&json)?);
    }
    let answer = parse(&json)?;
    let mut page = heading(&answer, &format!("{id}  {}", shown(&answer, "/title")));
    page.push_str(&activity(&answer));
    Ok(text(&page)?)
}

fn activity(answer: &Value) -> String {
    let at = |pointer: &str| shown(answer, &format!("/view{pointer}"));
    let mut table = Table::new(&["partner", ""]);
    let mut row = |name: &str, value: String| table.row([name.to_owned(), value]);
    row("status", at("/status"));
    row("roles", at("/roles"));
    row("parties it speaks for", at("/parties/speaks_for"));
    row("reports sent", at("/reports/sent"));
    row("reports corrected", at("/reports/corrected"));
    row("reports retracted", at("/reports/retracted"));
    row("first event recorded", at("/events/first/recorded"));
    row("last event recorded", at("/events/last/recorded"));
    let mut events = Table::new(&["events", "sent"]);
    let by_type = answer.pointer("/view/events/by_type");
    for (kind, count) in by_type.and_then(Value::as_object).into_iter().flatten() {
        events.row([kind.clone(), shown(count, "")]);
    }
    events.row(["all".to_owned(), at("/events/sent")]);
    format!("\n{}\n{}", table.render(), events.render())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_partner_shows_its_zeros() {
        let answer = serde_json::json!({"view": {"status": "registered", "roles": ["reporter"],
            "parties": {"speaks_for": 2}, "events": {"sent": 0, "by_type": {}, "first": null, "last": null},
            "reports": {"sent": 0, "corrected": 0}}});
        let page = activity(&answer);
        assert!(page.contains("reports corrected      0\n"), "{page}");
        assert!(page.contains("all     0\n"), "{page}");
    }
}
