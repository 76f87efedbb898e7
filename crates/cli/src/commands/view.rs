//! `country` and `action`: a view and a page of its commitments.

use super::figures::{assessed, by_action, commitments, counts, mapped, participations};
use super::{codes, connect, moment};
use crate::args::{KnownArgs, ListArgs};
use crate::failure::Failure;
use crate::output::{Output, Table, clean, json_line, shown, text};
use ledger_bus::NatsAccess;
use ledger_client::{Connection, is_not_found};
use ledger_domain::wire::v1::query::ViewQuery;
use ledger_domain::wire::v1::view::ViewKey;
use serde_json::Value;

/// Prints a country's view.
pub(crate) async fn country(
    nats: &NatsAccess,
    code: &str,
    list: &ListArgs,
    output: Output,
) -> Result<(), Failure> {
    let code = codes::country(code)?;
    let json = fetch(nats, &ViewKey::Country(code.clone()), &page_of(list)).await?;
    if output.json {
        return Ok(json_line(&json)?);
    }
    let answer = parse(&json)?;
    let mut page = heading(
        &answer,
        &format!("{code}  {}", shown(&answer, "/view/name")),
    );
    let place: Vec<String> = ["/view/region", "/view/subregion", "/view/un_status"]
        .iter()
        .map(|pointer| shown(&answer, pointer))
        // What has no standing in the United Nations needs no word about that.
        .filter(|text| !matches!(text.as_str(), "" | "none"))
        .collect();
    if !place.is_empty() {
        page.push_str(&format_line(&place.join(", ")));
    }
    page.push_str(&counts(&answer, "/view", true));
    page.push_str(&assessed(&answer, "/view"));
    page.push_str(&participations(&answer, "/view"));
    page.push_str(&statements(&answer));
    page.push_str(&by_action(&answer));
    page.push_str(&commitments(&answer, true));
    Ok(text(&page)?)
}

/// Prints an action's view.
pub(crate) async fn action(
    nats: &NatsAccess,
    code: &str,
    list: &ListArgs,
    output: Output,
) -> Result<(), Failure> {
    let connection = connect(nats).await?;
    let code = codes::action(&connection, code).await?;
    let json = fetch_over(&connection, &ViewKey::Action(code.clone()), &page_of(list)).await?;
    if output.json {
        return Ok(json_line(&json)?);
    }
    let answer = parse(&json)?;
    let mut page = heading(&answer, &format!("{code}  {}", shown(&answer, "/title")));
    page.push_str(&action_counts(&answer));
    page.push_str(&mapped(&answer));
    page.push_str(&commitments(&answer, false));
    Ok(text(&page)?)
}

/// What the country's parties said in reviews, if they said anything.
fn statements(answer: &Value) -> String {
    match shown(answer, "/view/statements/recorded").as_str() {
        "" | "0" => String::new(),
        count => format!(
            "\nstatements in reviews: {count}, the last at position {}, {}\n",
            shown(answer, "/view/statements/last/position"),
            shown(answer, "/view/statements/last/recorded"),
        ),
    }
}

/// The action's own counts, and below them those with the actions under it. What is counted today is counted over the
/// same commitments as the list, those under an objective included: it stands beside the wider counts.
fn action_counts(answer: &Value) -> String {
    let has_rollup = answer.pointer("/view/rollup").is_some();
    let mut page = counts(answer, "/view", !has_rollup);
    page.push_str(&assessed(answer, "/view"));
    page.push_str(&participations(answer, "/view"));
    page.push_str(&coverage(answer, "/view"));
    if has_rollup {
        page.push_str(&format_line(&format!(
            "\nWith the {} actions under it, {} of them without a commitment:",
            shown(answer, "/view/rollup/actions"),
            shown(answer, "/view/rollup/actions_without_commitment"),
        )));
        page.push_str(&counts(answer, "/view/rollup", true));
        page.push_str(&assessed(answer, "/view/rollup"));
        page.push_str(&participations(answer, "/view/rollup"));
        page.push_str(&coverage(answer, "/view/rollup"));
    }
    page
}

fn page_of(list: &ListArgs) -> ViewQuery {
    ViewQuery {
        limit: list.limit.into(),
        after: list.after,
        as_of: list.known.as_of.clone(),
        since: None,
    }
}

/// A view without a list.
pub(super) fn known(at: &KnownArgs) -> ViewQuery {
    ViewQuery {
        as_of: at.as_of.clone(),
        ..ViewQuery::default()
    }
}

/// Asks for a view.
pub(super) async fn fetch(
    nats: &NatsAccess,
    key: &ViewKey,
    query: &ViewQuery,
) -> Result<bytes::Bytes, Failure> {
    fetch_over(&connect(nats).await?, key, query).await
}

/// The same over a connection that there is.
pub(super) async fn fetch_over(
    connection: &Connection,
    key: &ViewKey,
    query: &ViewQuery,
) -> Result<bytes::Bytes, Failure> {
    let query = dated(query)?;
    match connection.view(key, &query).await {
        Ok(served) => Ok(served.json),
        // Of the past, the ledger itself says what there was not yet.
        Err(error) if is_not_found(&error) && query.as_of.is_none() => Err(unknown(key)),
        Err(error) => Err(error.into()),
    }
}

/// The query with its moments as the ledger reads them.
pub(super) fn dated(query: &ViewQuery) -> Result<ViewQuery, Failure> {
    Ok(ViewQuery {
        as_of: moment::read_any(query.as_of.as_deref())?,
        since: moment::read_any(query.since.as_deref())?,
        ..query.clone()
    })
}

/// That there is no such view.
fn unknown(key: &ViewKey) -> Failure {
    Failure::unknown(match key {
        ViewKey::Partner(id) => {
            format!("the ledger knows no partner `{id}`: `partner show` without an id lists them")
        }
        ViewKey::Review(id) => {
            format!("the ledger knows no review `{id}`: `review` without an id lists them")
        }
        ViewKey::Country(_) | ViewKey::Action(_) | ViewKey::Summary | ViewKey::Gaps => {
            format!("the ledger knows no {} {key}", key.family())
        }
    })
}

pub(super) fn parse(json: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(json).map_err(|error| Failure::failed(&error))
}

fn format_line(text: &str) -> String {
    format!("{text}\n")
}

pub(super) fn heading(answer: &Value, title: &str) -> String {
    let position = shown(answer, "/view/position");
    let recorded = shown(answer, "/view/recorded");
    let change = if position.is_empty() {
        "Nothing recorded.".to_owned()
    } else {
        format!("Last change at position {position}, {recorded}.")
    };
    let lag = match shown(answer, "/lag_events").as_str() {
        "" | "0" => String::new(),
        events => format!(" The view is {events} events behind the log."),
    };
    let position = shown(answer, "/as_of_position");
    let position = Some(position.as_str()).filter(|position| !position.is_empty());
    let known = heading_of(position, &shown(answer, "/as_of"));
    format!("{}\n{known}{change}{lag}\n", clean(title.trim_end()))
}

/// When something is shown as known; nothing where it is as known now.
pub(super) fn heading_of(position: Option<&str>, as_of: &str) -> String {
    position.map_or_else(String::new, |position| {
        format!("As known at position {position}; today is {as_of}.\n")
    })
}

pub(super) fn coverage(answer: &Value, base: &str) -> String {
    let at = |pointer: &str| shown(answer, &format!("{base}{pointer}"));
    let mut table = Table::new(&["member States", "committed", "of"]);
    if let Some(Value::Object(regions)) = answer.pointer(&format!("{base}/member_states_by_region"))
    {
        for (region, count) in regions {
            table.row([
                region.clone(),
                shown(count, "/committed"),
                shown(count, "/of"),
            ]);
        }
    }
    table.row([
        "all".to_owned(),
        at("/member_states/committed"),
        at("/member_states/of"),
    ]);
    // Of the whole ledger it is said elsewhere how many parties lead.
    let parties = match at("/parties/committed").as_str() {
        "" => String::new(),
        parties => format!("parties committed: {parties}; "),
    };
    let countries = at("/countries/committed");
    format!(
        "\n{parties}countries committed: {countries}\n{}",
        table.render()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_view_without_events_says_so() {
        let answer = json!({"lag_events": 0, "view": {"position": null}});
        assert_eq!(
            heading(&answer, "KEN  Kenya"),
            "KEN  Kenya\nNothing recorded.\n"
        );
        let title = heading(&answer, "KEN  \u{1b}[31mKenya\u{202e}");
        assert!(title.starts_with("KEN   [31mKenya\u{fffd}\n"), "{title}");
    }

    #[test]
    fn statements_are_counted_where_there_are_any() {
        let none = json!({"view": {"statements": {"recorded": 0, "last": null}}});
        assert_eq!(statements(&none), "");
        let last = json!({"position": "77", "recorded": "t"});
        let two = json!({"view": {"statements": {"recorded": 2, "last": last}}});
        assert_eq!(
            statements(&two),
            "\nstatements in reviews: 2, the last at position 77, t\n"
        );
    }

    #[test]
    fn an_objective_shows_what_is_overdue_beside_the_commitments_it_is_counted_over() {
        let none = json!({"commitments": {"recorded": 0}});
        let mut answer = json!({"commitments_today": {"overdue_original": 3}, "view": none});
        assert_eq!(action_counts(&answer).matches("overdue (first").count(), 1);
        answer["view"]["rollup"] = json!({"actions": 10, "commitments": {"recorded": 5}});
        let page = action_counts(&answer);
        let (own, rolled_up) = page.split_once("actions under it").expect("a roll-up");
        assert!(!own.contains("overdue"), "{page}");
        assert!(rolled_up.contains("overdue (first due date)"), "{page}");
    }
}
