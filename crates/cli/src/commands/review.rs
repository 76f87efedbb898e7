//! `review`: a review cycle, who spoke in it, and the position its figures are frozen at.

use super::view::{Changed, fetch, heading, known, parse};
use crate::args::KnownArgs;
use crate::failure::Failure;
use crate::output::{Output, Table, json_line, text};
use ledger_bus::NatsAccess;
use ledger_domain::PartialDate;
use ledger_domain::wire::v1::answer::ViewAnswer;
use ledger_domain::wire::v1::view::{RecordedAt, ReviewBody, ViewKey};

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
    let answer: ViewAnswer<ReviewBody> = parse(&json)?;
    let body = &answer.view;
    let title = answer.title.as_deref().unwrap_or_default();
    let changed = Changed {
        position: &body.position,
        recorded: &body.recorded,
    };
    let mut page = heading(&answer, changed, &format!("{id}  {title}"));
    page.push_str(&cycle(body));
    Ok(text(&page)?)
}

fn cycle(body: &ReviewBody) -> String {
    let recorded = |event: &Option<RecordedAt>| {
        let event = event.as_ref();
        event.map_or_else(String::new, |event| event.recorded.clone())
    };
    let date = |date: Option<PartialDate>| date.map_or_else(String::new, |date| date.to_string());
    let frozen = body.closed.as_ref();
    let frozen = frozen.map_or_else(String::new, |closed| closed.position.clone());
    let mut table = Table::new(&["review", ""]);
    let mut row = |name: &str, value: String| table.row([name.to_owned(), value]);
    row("status", body.status.as_str().to_owned());
    row("instrument", body.instrument.clone().unwrap_or_default());
    row("looks at", span(&date(body.from), &date(body.to)));
    row("opened", recorded(&body.opened));
    row("closed", recorded(&body.closed));
    row("figures frozen at position", frozen);
    row("statements", body.statements.recorded.to_string());
    let mut parties = Table::new(&["party", "statements"]);
    for (party, count) in &body.statements_by_party {
        parties.row([party.clone(), count.to_string()]);
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

    fn body(extra: serde_json::Value) -> ReviewBody {
        let mut body = serde_json::json!({"view": "review", "review": "r", "status": "open",
            "statements": {"recorded": 0}, "parties": {"spoke": 0}, "statements_by_party": {}, "parties_left_out": 0});
        if let (Some(body), serde_json::Value::Object(extra)) = (body.as_object_mut(), extra) {
            body.extend(extra);
        }
        serde_json::from_value(body).expect("a body")
    }

    #[test]
    fn what_a_review_looks_at_is_said_as_far_as_it_is_known() {
        let shown = [("2022", "2026"), ("2022", ""), ("", "2026"), ("", "")];
        let shown = shown.map(|(from, to)| span(from, to));
        assert_eq!(shown, ["2022 to 2026", "from 2022", "until 2026", ""]);
        let page = cycle(&body(serde_json::json!({})));
        assert!(page.contains("looks at\n"), "{page}");
    }

    #[test]
    fn a_closed_review_names_the_position_of_its_figures() {
        let page = cycle(&body(
            serde_json::json!({"status": "closed", "from": "2022", "to": "2026",
            "closed": {"position": "77", "recorded": "2026-05-01T00:00:00Z"},
            "statements": {"recorded": 2}, "statements_by_party": {"KEN": 2}}),
        ));
        assert!(page.contains("figures frozen at position  77\n"), "{page}");
        assert!(page.contains("2022 to 2026"), "{page}");
        assert!(page.contains("KEN    2\n"), "{page}");
    }
}
