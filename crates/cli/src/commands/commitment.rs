//! `commitment`: its whole history.

use super::connect;
use crate::failure::Failure;
use crate::output::{Output, Table, json_line, shown, text};
use ledger_client::is_not_found;
use serde_json::Value;

/// The data fields that say the most about an event, in the order in which they are shown.
const TELLING_FIELDS: [(&str, &str); 7] = [
    ("/title", ""),
    ("/stage", "stage "),
    ("/period/from", "from "),
    ("/period/to", "to "),
    ("/due", "due "),
    ("/actions", ""),
    ("/reason", "reason: "),
];

/// Prints the history of a commitment.
pub(crate) async fn run(nats: &str, id: &str, output: Output) -> Result<(), Failure> {
    if id.parse::<uuid::Uuid>().is_err() {
        return Err(Failure::usage(format!(
            "`{id}` is not the id of a commitment: a UUID"
        )));
    }
    let answer = match connect(nats).await?.commitment(id).await {
        Ok(answer) => answer,
        Err(error) if is_not_found(&error) => {
            return Err(Failure::because(format!(
                "the ledger knows no commitment {id}"
            )));
        }
        Err(error) => return Err(error.into()),
    };
    if output.json {
        let json = serde_json::to_vec(&answer).map_err(|error| Failure::failed(&error))?;
        return Ok(json_line(&json)?);
    }
    let mut table = Table::new(&["position", "recorded", "event", "party", "partner", ""]);
    for event in &answer.events {
        let event: Value =
            serde_json::from_str(event.get()).map_err(|error| Failure::failed(&error))?;
        table.row(row(&event));
    }
    Ok(text(&format!(
        "commitment {}\n\n{}",
        answer.commitment,
        table.render()
    ))?)
}

fn row(event: &Value) -> [String; 6] {
    let kind = shown(event, "/type");
    let name = kind
        .strip_prefix("ledger.")
        .and_then(|rest| rest.strip_suffix(".v1"))
        .unwrap_or(&kind);
    [
        shown(event, "/position"),
        shown(event, "/time"),
        name.to_owned(),
        shown(event, "/party"),
        shown(event, "/partner"),
        telling(event),
    ]
}

fn telling(event: &Value) -> String {
    if let Some(Value::String(ground)) = event.get("withheld") {
        return format!("withheld: {ground}");
    }
    let mut said = Vec::new();
    if event.pointer("/data/illustrative") == Some(&Value::Bool(true)) {
        said.push("[illustrative]".to_owned());
    }
    for (pointer, prefix) in TELLING_FIELDS {
        let value = shown(event, &format!("/data{pointer}"));
        if !value.is_empty() {
            said.push(format!("{prefix}{value}"));
        }
    }
    said.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_row_names_the_event_and_what_it_says() {
        let event = json!({"position": "7", "time": "t", "type": "ledger.progress_reported.v1",
            "party": "KEN", "partner": "p", "data": {"stage": "planning",
            "period": {"from": "2025", "to": "2026-01"}}});
        let row = row(&event);
        assert_eq!(row[2], "progress_reported");
        assert_eq!(row[5], "stage planning from 2025 to 2026-01");
    }

    #[test]
    fn withheld_data_says_on_what_ground() {
        assert_eq!(telling(&json!({"withheld": "legal"})), "withheld: legal");
    }
}
