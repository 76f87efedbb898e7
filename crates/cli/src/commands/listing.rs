//! `partner show` and `review` without an id: what there is to ask for.

use super::connect;
use super::view::{dated, known, parse};
use crate::args::KnownArgs;
use crate::failure::Failure;
use crate::output::{Output, Table, json_line, shown, text};
use ledger_bus::NatsAccess;
use ledger_client::is_not_found;
use ledger_domain::wire::v1::view::{Family, ViewKey};
use serde_json::{Value, json};

/// Lists the partners.
pub(crate) async fn partners(
    nats: &NatsAccess,
    at: &KnownArgs,
    output: Output,
) -> Result<(), Failure> {
    list(nats, "partner", ViewKey::Partner, at, output).await
}

/// Lists the review cycles.
pub(crate) async fn reviews(
    nats: &NatsAccess,
    at: &KnownArgs,
    output: Output,
) -> Result<(), Failure> {
    list(nats, "review", ViewKey::Review, at, output).await
}

async fn list(
    nats: &NatsAccess,
    kind: &str,
    of: fn(String) -> ViewKey,
    at: &KnownArgs,
    output: Output,
) -> Result<(), Failure> {
    let connection = connect(nats).await?;
    let keys = connection.projection(Family::Summary).await?.views;
    let query = dated(&known(at))?;
    if at.as_of.is_some() {
        // Where nothing is listed nothing else is asked, and a moment that has not come would pass for one without any.
        connection.view(&ViewKey::Summary, &query).await?;
    }
    let mut rows = Vec::new();
    let keys = keys.iter().filter_map(|key| ViewKey::read(key));
    // Those of the kind that is listed.
    for key in keys.filter(|key| of(key.argument().to_owned()) == *key) {
        let view = match connection.view(&key, &query).await {
            Ok(served) => parse(&served.json)?,
            // What there was not yet at the moment asked about is not in the list.
            Err(error) if is_not_found(&error) => continue,
            Err(error) => return Err(error.into()),
        };
        let at = |pointer: &str| shown(&view, pointer);
        rows.push(json!({
            (kind): key.argument(),
            "status": at("/view/status"),
            "title": at("/title"),
        }));
    }
    if output.json {
        let answer = json!({ (format!("{kind}s")): rows });
        return Ok(json_line(answer.to_string().as_bytes())?);
    }
    Ok(text(&page(kind, &rows))?)
}

fn page(kind: &str, rows: &[Value]) -> String {
    if rows.is_empty() {
        return format!("There is no {kind}.\n");
    }
    let mut table = Table::new(&[kind, "status", "title"]);
    for row in rows {
        let cells = [
            format!("/{kind}"),
            "/status".to_owned(),
            "/title".to_owned(),
        ];
        table.row(cells.map(|pointer| shown(row, &pointer)));
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_says_what_can_be_asked_for_or_that_there_is_nothing() {
        let rows = [json!({"review": "r-1", "status": "open", "title": "First"})];
        assert_eq!(
            page("review", &rows),
            "review  status  title\nr-1     open    First\n"
        );
        assert_eq!(page("review", &[]), "There is no review.\n");
    }
}
