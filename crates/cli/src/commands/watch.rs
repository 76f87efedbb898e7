//! `watch`: the commitments that somebody should look at.

use super::view::heading_of;
use super::{codes, connect, moment};
use crate::args::WatchArgs;
use crate::failure::Failure;
use crate::output::{Output, Table, json_line, text};
use ledger_bus::NatsAccess;
use ledger_domain::wire::v1::answer::WatchEnvelope;
use ledger_domain::wire::v1::query::WatchQuery;
use ledger_domain::wire::v1::view::{WatchRow, WatchRows};

/// Prints the counts of all watch lists, or one list.
pub(crate) async fn run(nats: &NatsAccess, args: WatchArgs, output: Output) -> Result<(), Failure> {
    let country = args.country.as_deref().map(codes::country).transpose()?;
    let as_of = moment::read_any(args.known.as_of.as_deref())?;
    let connection = connect(nats).await?;
    let action = match &args.action {
        Some(code) => Some(codes::action(&connection, code).await?),
        None => None,
    };
    let query = WatchQuery {
        list: args.list,
        country,
        action,
        limit: args.limit.into(),
        after: args.after,
        as_of,
    };
    let answer = connection.watch(&query).await?;
    if output.json {
        let json = serde_json::to_vec(&answer).map_err(|error| Failure::failed(&error))?;
        return Ok(json_line(&json)?);
    }
    let known = heading_of(answer.as_of_position.as_deref(), &answer.as_of);
    let page = match &answer.lists.watch {
        Some(list) if known.is_empty() => rows(list, &query),
        Some(list) => format!("{known}\n{}", rows(list, &query)),
        None => counts(&answer, &known),
    };
    Ok(text(&page)?)
}

fn counts(answer: &WatchEnvelope, known: &str) -> String {
    let mut table = Table::new(&["watch list", "commitments", "illustrative"]);
    let illustrative = &answer.lists.illustrative_commitments_by_list;
    for (list, count) in &answer.lists.commitments_by_list {
        let examples = illustrative.get(list).map(ToString::to_string);
        table.row([
            list.as_str().to_owned(),
            count.to_string(),
            examples.unwrap_or_default(),
        ]);
    }
    let known = match known {
        "" => format!("As of {}.\n", answer.as_of),
        known => known.to_owned(),
    };
    format!(
        "{known}\n{}illustrative: examples, nobody's pledge\n",
        table.render()
    )
}

fn rows(list: &WatchRows, query: &WatchQuery) -> String {
    if list.rows.is_empty() {
        return nothing(list.list.as_str(), query);
    }
    let mut table = Table::new(&["commitment", "lead", "since", "why", "title"]);
    for row in &list.rows {
        table.row(cells(row));
    }
    let more = list
        .next
        .iter()
        .map(|next| format!("more: --after {next}\n"));
    table.render() + &more.collect::<String>()
}

/// That the page is empty: of a list, of what was asked for of it, or after its end.
fn nothing(list: &str, query: &WatchQuery) -> String {
    let more = if query.after.is_some() { "more " } else { "" };
    let of_country = query.country.iter().map(|code| format!(" of {code}"));
    let under = query.action.iter().map(|code| format!(" under {code}"));
    let of = of_country.chain(under).collect::<String>();
    format!("No {more}commitments{of} are on the list {list}.\n")
}

fn cells(row: &WatchRow) -> [String; 5] {
    let mark = if row.commitment.illustrative {
        "[illustrative] "
    } else {
        ""
    };
    [
        row.commitment.commitment.clone(),
        row.commitment.lead.clone(),
        row.since.clone().unwrap_or_default(),
        row.why.clone(),
        format!("{mark}{}", row.commitment.title),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_why_it_is_on_the_list_and_that_it_is_an_example() {
        let list = serde_json::json!({"list": "overdue", "next": "7", "rows": [{
            "why": "due 2025, 30 days late", "since": "2026-01-01", "commitment": "c", "lead": "KEN", "title": "T",
            "actions": [], "status": "active", "stage": "planning", "measurable": true, "evidence": false,
            "weakened": false, "illustrative": true, "recorded": "x", "position": "3", "changed": "3",
        }]});
        let list: WatchRows = serde_json::from_value(list).expect("a page");
        let page = rows(&list, &WatchQuery::default());
        assert!(
            page.contains("2026-01-01  due 2025, 30 days late  [illustrative] T\n"),
            "{page}"
        );
        assert!(page.ends_with("more: --after 7\n"), "{page}");
    }

    #[test]
    fn an_empty_page_says_what_it_is_a_page_of() {
        let mut query = WatchQuery::default();
        assert_eq!(
            nothing("contested", &query),
            "No commitments are on the list contested.\n"
        );
        query.after = Some(4000);
        assert_eq!(
            nothing("contested", &query),
            "No more commitments are on the list contested.\n"
        );
        query.country = Some("KEN".to_owned());
        query.action = Some("GCM-10".to_owned());
        assert_eq!(
            nothing("stale", &query),
            "No more commitments of KEN under GCM-10 are on the list stale.\n"
        );
    }
}
