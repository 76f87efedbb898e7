//! `diff`: what changed in a view between two positions or times.

use super::view::{fetch, parse};
use crate::args::DiffArgs;
use crate::failure::Failure;
use crate::output::{Output, Table, json_line, shown, text};
use ledger_bus::query::ViewQuery;
use serde::Serialize;
use serde_json::Value;

/// What differs.
#[derive(Debug, Serialize)]
struct Difference {
    /// The view that was compared: its family and its key.
    view: String,
    from: Moment,
    to: Moment,
    /// Every value of the body that is not the same.
    changes: Vec<Change>,
    /// The events between, as the view's projector lists them.
    events: Value,
}

/// A moment compared.
#[derive(Debug, Serialize)]
struct Moment {
    position: String,
    as_of: String,
}

/// One value that changed.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Change {
    /// Where it stands in the body, as a JSON pointer (RFC 6901).
    path: String,
    before: Value,
    after: Value,
}

/// Prints the figures that changed, and the events that changed them.
pub(crate) async fn run(nats: &str, args: &DiffArgs, output: Output) -> Result<(), Failure> {
    let (family, key) = match (&args.country, &args.action) {
        (Some(country), _) => ("country", country.to_ascii_uppercase()),
        (None, Some(action)) => ("action", action.clone()),
        (None, None) => ("summary", "summary".to_owned()),
    };
    let earlier = ViewQuery {
        as_of: Some(args.from.clone()),
        ..ViewQuery::default()
    };
    let earlier = parse(&fetch(nats, family, &key, &earlier).await?)?;
    let later = ViewQuery {
        limit: args.limit.into(),
        as_of: args.to.clone(),
        since: Some(args.from.clone()),
        ..ViewQuery::default()
    };
    let mut later = parse(&fetch(nats, family, &key, &later).await?)?;
    let (from, to) = (moment(&earlier), moment(&later));
    if from.index() > to.index() {
        return Err(Failure::usage(format!(
            "--from is position {} and --to is {}: give the earlier one first",
            from.position, to.position
        )));
    }
    let mut changes = Vec::new();
    for part in ["/view", "/commitments_today"] {
        let at = |answer: &Value| answer.pointer(part).cloned().unwrap_or_default();
        compare(part, &at(&earlier), &at(&later), &mut changes);
    }
    let difference = Difference {
        view: format!("{family} {key}"),
        from,
        to,
        changes,
        events: later.get_mut("events").map(Value::take).unwrap_or_default(),
    };
    if output.json {
        let json = serde_json::to_vec(&difference).map_err(|error| Failure::failed(&error))?;
        return Ok(json_line(&json)?);
    }
    Ok(text(&page(&difference))?)
}

impl Moment {
    fn index(&self) -> Option<u64> {
        self.position.parse().ok()
    }
}

fn moment(answer: &Value) -> Moment {
    Moment {
        position: shown(answer, "/as_of_position"),
        as_of: shown(answer, "/as_of"),
    }
}

/// Collects every value that differs, down to the last leaf; what stands on one side only is null on the other.
fn compare(path: &str, before: &Value, after: &Value, changes: &mut Vec<Change>) {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            for (name, value) in old {
                let other = new.get(name).unwrap_or(&Value::Null);
                compare(&below(path, name), value, other, changes);
            }
            for (name, value) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
                compare(&below(path, name), &Value::Null, value, changes);
            }
        }
        (Value::Null, Value::Object(new)) => {
            for (name, value) in new {
                compare(&below(path, name), &Value::Null, value, changes);
            }
        }
        (Value::Object(old), Value::Null) => {
            for (name, value) in old {
                compare(&below(path, name), value, &Value::Null, changes);
            }
        }
        (old, new) if old != new => changes.push(Change {
            path: path.to_owned(),
            before: old.clone(),
            after: new.clone(),
        }),
        (_, _) => {}
    }
}

fn below(path: &str, name: &str) -> String {
    format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn page(difference: &Difference) -> String {
    let (from, to) = (&difference.from, &difference.to);
    let view = match difference.view.as_str() {
        "summary summary" => "the whole ledger",
        view => view,
    };
    let mut page = format!(
        "{view}: from position {} ({}) to position {} ({})\n",
        from.position, from.as_of, to.position, to.as_of
    );
    if difference.changes.is_empty() {
        page.push_str("Nothing changed.\n");
        return page;
    }
    let mut figures = Table::new(&["figure", "before", "after"]);
    for change in difference
        .changes
        .iter()
        .filter(|change| !is_new_zero(change))
    {
        let path = change.path.trim_start_matches("/view").trim_matches('/');
        figures.row([path.to_owned(), value(&change.before), value(&change.after)]);
    }
    page.push('\n');
    page.push_str(&figures.render());
    let rows = difference.events.get("rows").and_then(Value::as_array);
    let mut events = Table::new(&["position", "recorded", "effective", "event", "about"]);
    for row in rows.into_iter().flatten() {
        let about = ["/title", "/commitment", "/subject"]
            .iter()
            .map(|pointer| shown(row, pointer))
            .find(|text| !text.is_empty());
        events.row([
            shown(row, "/position"),
            shown(row, "/recorded"),
            shown(row, "/effective"),
            shown(row, "/event"),
            about.unwrap_or_default(),
        ]);
    }
    let between = shown(&difference.events, "/events");
    page.push_str("\nevents between: ");
    page.push_str(&between);
    page.push('\n');
    page.push_str(&events.render());
    page
}

/// A count that there was not, and that is nothing now: a new row of a table brings a dozen of them.
fn is_new_zero(change: &Change) -> bool {
    change.before.is_null() && change.after == 0
}

fn value(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_page_leaves_out_the_zeros_of_new_rows() {
        let change = |before: Value, after: Value| Change {
            path: "/view/count".to_owned(),
            before,
            after,
        };
        assert!(is_new_zero(&change(Value::Null, json!(0))));
        assert!(!is_new_zero(&change(Value::Null, json!(1))));
        assert!(!is_new_zero(&change(json!(1), json!(0))));
    }

    #[test]
    fn every_value_that_differs_is_named_with_its_place() {
        let before = json!({"same": 1, "count": 1, "gone": {"a/b": 2}, "name": "x"});
        let after = json!({"same": 1, "count": 3, "new": {"c": 4}, "name": "x"});
        let mut changes = Vec::new();
        compare("/view", &before, &after, &mut changes);
        let found: Vec<(&str, &Value, &Value)> = changes
            .iter()
            .map(|change| (change.path.as_str(), &change.before, &change.after))
            .collect();
        assert_eq!(
            found,
            [
                ("/view/count", &json!(1), &json!(3)),
                ("/view/gone/a~1b", &json!(2), &Value::Null),
                ("/view/new/c", &Value::Null, &json!(4)),
            ]
        );
    }
}
