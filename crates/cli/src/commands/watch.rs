//! `watch`: the commitments that somebody should look at.

use super::connect;
use super::view::heading_of;
use crate::args::WatchArgs;
use crate::failure::Failure;
use crate::output::{Output, Table, json_line, text};
use ledger_bus::query::{WatchEnvelope, WatchQuery};
use ledger_client::is_not_found;
use ledger_domain::view::{WatchRow, WatchRows};

/// Prints the counts of all watch lists, or one list.
pub(crate) async fn run(nats: &str, args: WatchArgs, output: Output) -> Result<(), Failure> {
    let query = WatchQuery {
        list: args.list,
        country: args.country.map(|code| code.to_ascii_uppercase()),
        action: args.action,
        limit: args.limit.into(),
        after: args.after,
        as_of: args.known.as_of,
    };
    let answer = match connect(nats).await?.watch(&query).await {
        Ok(answer) => answer,
        // Of the past, the ledger itself says what there was not yet.
        Err(error) if is_not_found(&error) && query.as_of.is_none() => {
            return Err(Failure::because(
                "the ledger knows no such country or action",
            ));
        }
        Err(error) => return Err(error.into()),
    };
    if output.json {
        let json = serde_json::to_vec(&answer).map_err(|error| Failure::failed(&error))?;
        return Ok(json_line(&json)?);
    }
    let known = heading_of(answer.as_of_position.as_deref(), &answer.as_of);
    let page = match &answer.lists.watch {
        Some(list) if known.is_empty() => rows(list),
        Some(list) => format!("{known}\n{}", rows(list)),
        None => counts(&answer, &known),
    };
    Ok(text(&page)?)
}

fn counts(answer: &WatchEnvelope, known: &str) -> String {
    let mut table = Table::new(&["watch list", "commitments"]);
    for (list, count) in &answer.lists.commitments_by_list {
        table.row([list.as_str().to_owned(), count.to_string()]);
    }
    let known = match known {
        "" => format!("As of {}.\n", answer.as_of),
        known => known.to_owned(),
    };
    format!("{known}\n{}", table.render())
}

fn rows(list: &WatchRows) -> String {
    if list.rows.is_empty() {
        return format!("No commitment is on the list {}.\n", list.list.as_str());
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
        let page = rows(&list);
        assert!(
            page.contains("2026-01-01  due 2025, 30 days late  [illustrative] T\n"),
            "{page}"
        );
        assert!(page.ends_with("more: --after 7\n"), "{page}");
    }
}
