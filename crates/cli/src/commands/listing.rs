//! `partner show` and `review` without an id: what there is to ask for.

use super::connect;
use super::view::{dated, known, parse};
use crate::args::KnownArgs;
use crate::failure::Failure;
use crate::output::{Output, Table, json_line, text};
use ledger_bus::NatsAccess;
use ledger_client::is_not_found;
use ledger_domain::wire::v1::answer::ViewAnswer;
use ledger_domain::wire::v1::view::{Family, PartnerBody, ReviewBody, ViewKey};
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
        match connection.view(&key, &query).await {
            Ok(served) => rows.extend(row(&key, &served.json)?),
            // What there was not yet at the moment asked about is not in the list.
            Err(error) if is_not_found(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if output.json {
        let rows: Vec<Value> = rows
            .iter()
            .map(|row| json!({ (kind): row.id, "status": row.status, "title": row.title }))
            .collect();
        let answer = json!({ (format!("{kind}s")): rows });
        return Ok(json_line(answer.to_string().as_bytes())?);
    }
    Ok(text(&page(kind, &rows))?)
}

/// One that there is.
struct Row {
    id: String,
    status: &'static str,
    title: String,
}

impl Row {
    fn new<B>(answer: &ViewAnswer<B>, id: &str, status: &'static str) -> Self {
        Self {
            id: id.to_owned(),
            status,
            title: answer.title.clone().unwrap_or_default(),
        }
    }
}

/// The row of a partner or a review cycle; nothing else is listed.
fn row(key: &ViewKey, json: &[u8]) -> Result<Option<Row>, Failure> {
    Ok(match key {
        ViewKey::Partner(id) => {
            let answer: ViewAnswer<PartnerBody> = parse(json)?;
            Some(Row::new(&answer, id, answer.view.status.as_str()))
        }
        ViewKey::Review(id) => {
            let answer: ViewAnswer<ReviewBody> = parse(json)?;
            Some(Row::new(&answer, id, answer.view.status.as_str()))
        }
        ViewKey::Country(_) | ViewKey::Action(_) | ViewKey::Summary | ViewKey::Gaps => None,
    })
}

fn page(kind: &str, rows: &[Row]) -> String {
    if rows.is_empty() {
        return format!("There is no {kind}.\n");
    }
    let mut table = Table::new(&[kind, "status", "title"]);
    for row in rows {
        table.row([row.id.clone(), row.status.to_owned(), row.title.clone()]);
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_says_what_can_be_asked_for_or_that_there_is_nothing() {
        let row = Row {
            id: "r-1".to_owned(),
            status: "open",
            title: "First".to_owned(),
        };
        assert_eq!(
            page("review", &[row]),
            "review  status  title\nr-1     open    First\n"
        );
        assert_eq!(page("review", &[]), "There is no review.\n");
    }
}
