//! `partner show`: what a partner sent.

use super::view::{Changed, fetch, heading, known, parse};
use crate::args::KnownArgs;
use crate::failure::Failure;
use crate::output::{Output, Table, json_line, text};
use ledger_bus::NatsAccess;
use ledger_domain::wire::v1::answer::ViewAnswer;
use ledger_domain::wire::v1::view::{PartnerBody, RecordedAt, ViewKey};

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
    let answer: ViewAnswer<PartnerBody> = parse(&json)?;
    let body = &answer.view;
    let title = answer.title.as_deref().unwrap_or_default();
    let changed = Changed {
        position: &body.position,
        recorded: &body.recorded,
    };
    let mut page = heading(&answer, changed, &format!("{id}  {title}"));
    page.push_str(&activity(body));
    Ok(text(&page)?)
}

fn activity(body: &PartnerBody) -> String {
    let recorded = |event: &Option<RecordedAt>| {
        let event = event.as_ref();
        event.map_or_else(String::new, |event| event.recorded.clone())
    };
    let roles: Vec<&str> = body.roles.iter().map(|role| role.as_str()).collect();
    let (reports, sent) = (&body.reports, &body.events);
    let mut table = Table::new(&["partner", ""]);
    let mut row = |name: &str, value: String| table.row([name.to_owned(), value]);
    row("status", body.status.as_str().to_owned());
    row("roles", roles.join(" "));
    row("parties it speaks for", body.parties.speaks_for.to_string());
    row("reports sent", reports.sent.to_string());
    row("reports corrected", reports.corrected.to_string());
    row("reports retracted", reports.retracted.to_string());
    row("first event recorded", recorded(&sent.first));
    row("last event recorded", recorded(&sent.last));
    let mut events = Table::new(&["events", "sent"]);
    for (kind, count) in &sent.by_type {
        events.row([kind.clone(), count.to_string()]);
    }
    events.row(["all".to_owned(), sent.sent.to_string()]);
    format!("\n{}\n{}", table.render(), events.render())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_partner_shows_its_zeros() {
        let body = serde_json::json!({"view": "partner", "partner": "p", "status": "registered", "roles": ["reporter"],
            "parties": {"speaks_for": 2}, "events": {"sent": 0, "by_type": {}, "first": null, "last": null},
            "reports": {"sent": 0, "corrected": 0}});
        let page = activity(&serde_json::from_value(body).expect("a body"));
        assert!(page.contains("reports corrected      0\n"), "{page}");
        assert!(page.contains("all     0\n"), "{page}");
    }
}
