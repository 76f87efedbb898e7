//! `diff`: what changed in a view between two positions or times.

use super::view::{dated, fetch_over, parse};
use super::{codes, connect};
use crate::args::DiffArgs;
use crate::failure::Failure;
use crate::output::{Output, Table, json_line, text};
use ledger_bus::NatsAccess;
use ledger_client::{Connection, is_not_found};
use ledger_domain::wire::v1::answer::ViewAnswer;
use ledger_domain::wire::v1::query::ViewQuery;
use ledger_domain::wire::v1::view::{EventList, ViewKey};
use serde::Serialize;
use serde_json::Value;

/// What differs.
#[derive(Debug)]
struct Difference {
    /// The view that was compared: its family and its key.
    view: String,
    from: Moment,
    to: Moment,
    /// Every figure of the body that is not the same.
    changes: Vec<Change>,
    /// The events between, as the view's projector lists them.
    events: Option<EventList>,
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
pub(crate) async fn run(nats: &NatsAccess, args: &DiffArgs, output: Output) -> Result<(), Failure> {
    let connection = connect(nats).await?;
    let key = match (&args.country, &args.action) {
        (Some(country), _) => ViewKey::Country(codes::country(country)?),
        (None, Some(action)) => ViewKey::Action(codes::action(&connection, action).await?),
        (None, None) => ViewKey::Summary,
    };
    let earlier = earlier(&connection, &key, &args.from).await?;
    let later = ViewQuery {
        limit: args.limit.into(),
        as_of: args.to.clone(),
        since: Some(args.from.clone()),
        ..ViewQuery::default()
    };
    let later: ViewAnswer<Value> = parse(&fetch_over(&connection, &key, &later).await?)?;
    let (from, to) = (Moment::of(&earlier), Moment::of(&later));
    if from.index() > to.index() {
        return Err(Failure::usage(format!(
            "--from is position {} and --to is {}: give the earlier one first",
            from.position, to.position
        )));
    }
    let mut changes = Vec::new();
    compare("/view", &earlier.view, &later.view, &mut changes);
    let today = |answer: &ViewAnswer<Value>| {
        let today = serde_json::to_value(answer.commitments_today);
        today.map_err(|error| Failure::failed(&error))
    };
    let (before, after) = (today(&earlier)?, today(&later)?);
    compare("/commitments_today", &before, &after, &mut changes);
    changes.retain(is_a_figure);
    let difference = Difference {
        view: format!("{} {key}", key.family()),
        from,
        to,
        changes,
        events: later.events,
    };
    if output.json {
        return Ok(json_line(&json(&difference)?)?);
    }
    Ok(text(&page(&difference))?)
}

/// The difference as JSON, its bodies' values and its events with their fields in the order of their names.
fn json(difference: &Difference) -> Result<Vec<u8>, Failure> {
    #[derive(Serialize)]
    struct Sorted<'a> {
        view: &'a str,
        from: &'a Moment,
        to: &'a Moment,
        changes: &'a [Change],
        events: Value,
    }
    let events = serde_json::to_value(&difference.events);
    let json = events.and_then(|events| {
        serde_json::to_vec(&Sorted {
            view: &difference.view,
            from: &difference.from,
            to: &difference.to,
            changes: &difference.changes,
            events,
        })
    });
    json.map_err(|error| Failure::failed(&error))
}

/// The view as it was at the earlier moment. One that there was not yet, like that of an action catalogued later, is nothing but that moment, so that all
/// there is now is new.
async fn earlier(
    connection: &Connection,
    key: &ViewKey,
    from: &str,
) -> Result<ViewAnswer<Value>, Failure> {
    let query = dated(&ViewQuery {
        as_of: Some(from.to_owned()),
        ..ViewQuery::default()
    })?;
    match connection.view(key, &query).await {
        Ok(served) => parse(&served.json),
        Err(error) if is_not_found(&error) => {
            // Where the whole ledger has no view either, it is the moment that there is not.
            let whole = connection.view(&ViewKey::Summary, &query).await?;
            let whole: ViewAnswer<Value> = parse(&whole.json)?;
            Ok(ViewAnswer {
                view: Value::Null,
                commitments_today: None,
                ..whole
            })
        }
        Err(error) => Err(error.into()),
    }
}

impl Moment {
    fn of<B>(answer: &ViewAnswer<B>) -> Self {
        Self {
            position: answer.as_of_position.clone().unwrap_or_default(),
            as_of: answer.as_of.clone(),
        }
    }

    fn index(&self) -> Option<u64> {
        self.position.parse().ok()
    }
}

/// Collects every value that differs, down to the last leaf; what stands on one side only is null on the other. In a list of rows that have
/// an id, a row is compared with the one of its id.
fn compare(path: &str, before: &Value, after: &Value, changes: &mut Vec<Change>) {
    let (old, new) = (members(before), members(after));
    let comparable =
        |members: &Option<Members<'_>>, value: &Value| members.is_some() || value.is_null();
    if (old.is_none() && new.is_none()) || !comparable(&old, before) || !comparable(&new, after) {
        if before != after {
            changes.push(Change {
                path: path.to_owned(),
                before: before.clone(),
                after: after.clone(),
            });
        }
        return;
    }
    let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
    for (name, value) in &old {
        let other = new.iter().find(|(other, _)| other == name);
        let other = other.map_or(&Value::Null, |(_, value)| *value);
        compare(&below(path, name), value, other, changes);
    }
    let added = new
        .iter()
        .filter(|(name, _)| !old.iter().any(|(other, _)| other == name));
    for (name, value) in added {
        compare(&below(path, name), &Value::Null, value, changes);
    }
}

type Members<'a> = Vec<(&'a str, &'a Value)>;

/// The members of an object by name, or the rows of a list by id; none of another value.
fn members(value: &Value) -> Option<Members<'_>> {
    match value {
        Value::Object(members) => {
            let members = members.iter();
            Some(
                members
                    .map(|(name, value)| (name.as_str(), value))
                    .collect(),
            )
        }
        Value::Array(rows) => {
            let rows = rows.iter();
            rows.map(|row| Some((row.get("id")?.as_str()?, row)))
                .collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
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
    let nothing_between = from.position == to.position;
    let mut page = if nothing_between {
        format!(
            "{view}: nothing was recorded between {} and {}, both at position {}\n",
            from.as_of, to.as_of, to.position
        )
    } else {
        format!(
            "{view}: from position {} ({}) to position {} ({})\n",
            from.position, from.as_of, to.position, to.as_of
        )
    };
    if difference.changes.is_empty() {
        page.push_str("No figure changed.\n");
    } else if nothing_between {
        page.push_str("What changed is what counts from day to day.\n");
    }
    let mut figures = Table::new(&["figure", "before", "after"]);
    for change in &difference.changes {
        let path = change.path.trim_start_matches("/view").trim_matches('/');
        figures.row([path.to_owned(), value(&change.before), value(&change.after)]);
    }
    if !figures.is_empty() {
        page.push('\n');
        page.push_str(&figures.render());
    }
    if nothing_between {
        return page;
    }
    let between = difference.events.as_ref();
    let count = between.map_or(0, |events| events.events);
    page.push_str("\nevents between: ");
    page.push_str(&count.to_string());
    page.push('\n');
    page.push_str(&between.map_or_else(String::new, events));
    page
}

fn events(list: &EventList) -> String {
    let mut table = Table::new(&["position", "recorded", "effective", "event", "about"]);
    for row in &list.rows {
        let about = [&row.title, &row.commitment, &row.subject];
        let about = about.into_iter().flatten().next();
        let mark = if row.illustrative {
            "[illustrative] "
        } else {
            ""
        };
        table.row([
            row.position.clone(),
            row.recorded.clone(),
            row.effective.clone().unwrap_or_default(),
            row.event.clone(),
            format!("{mark}{}", about.map_or("", String::as_str)),
        ]);
    }
    if table.is_empty() {
        String::new()
    } else {
        table.render()
    }
}

/// Neither a moment, which the events say, nor a zero beside nothing: a new row of a table brings a dozen of them.
fn is_a_figure(change: &Change) -> bool {
    let is_moment = change.path.ends_with("/position") || change.path.ends_with("/recorded");
    let is_moment = is_moment && (change.before.is_string() || change.after.is_string());
    let is_zero = match (&change.before, &change.after) {
        (Value::Null, value) | (value, Value::Null) => value == 0,
        (_, _) => false,
    };
    !is_moment && !is_zero
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
    use ledger_domain::wire::v1::view::EventRow;
    use serde_json::json;

    #[test]
    fn moments_and_the_zeros_of_new_rows_are_no_figures() {
        let is_one = |path: &str, before: Value, after: Value| {
            let path = path.to_owned();
            is_a_figure(&Change {
                path,
                before,
                after,
            })
        };
        assert!(!is_one("/view/count", Value::Null, json!(0)));
        assert!(!is_one("/view/count", json!(0), Value::Null));
        assert!(is_one("/view/count", Value::Null, json!(1)));
        assert!(is_one("/view/count", json!(1), json!(0)));
        assert!(!is_one("/view/position", json!("1"), json!("2")));
        assert!(!is_one(
            "/view/last_report/recorded",
            Value::Null,
            json!("t")
        ));
        assert!(is_one("/view/commitments/recorded", json!(1), json!(2)));
    }

    fn difference(positions: (&str, &str), changes: Vec<Change>, events: EventList) -> Difference {
        let moment = |position: &str, as_of: &str| Moment {
            position: position.to_owned(),
            as_of: as_of.to_owned(),
        };
        Difference {
            view: "summary summary".to_owned(),
            from: moment(positions.0, "t1"),
            to: moment(positions.1, "t2"),
            changes,
            events: Some(events),
        }
    }

    #[test]
    fn between_two_times_at_one_position_nothing_was_recorded() {
        let overdue = Change {
            path: "/commitments_today/overdue_amended".to_owned(),
            before: json!(1),
            after: json!(2),
        };
        let page = page(&difference(("7", "7"), vec![overdue], EventList::default()));
        assert!(
            page.starts_with(
                "the whole ledger: nothing was recorded between t1 and t2, both at position 7\n"
            ),
            "{page}"
        );
        assert!(page.contains("overdue_amended  1       2\n"), "{page}");
        assert!(!page.contains("events between"), "{page}");
    }

    #[test]
    fn an_event_of_an_example_is_marked_also_where_no_figure_changed() {
        let row = EventRow {
            position: "8".to_owned(),
            recorded: "t".to_owned(),
            effective: None,
            event: "report_corrected".to_owned(),
            commitment: None,
            title: Some("T".to_owned()),
            illustrative: true,
            subject: None,
        };
        let events = EventList {
            events: 1,
            rows: vec![row],
            next: None,
        };
        let page = page(&difference(("7", "8"), Vec::new(), events));
        assert!(
            page.contains("No figure changed.\n\nevents between: 1\n"),
            "{page}"
        );
        assert!(page.contains("[illustrative] T\n"), "{page}");
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

    #[test]
    fn a_row_of_a_list_is_compared_with_the_one_of_its_id() {
        let row = |id: &str, name: &str| json!({"id": id, "name": name});
        let mut changes = Vec::new();
        let before =
            json!({"all": [row("KEN", "Kenya"), row("nairobi", "A city")], "codes": ["A"]});
        let after = json!({"all": [row("acme", "B"), row("KEN", "C"), row("nairobi", "A city")], "codes": []});
        compare("/view", &before, &after, &mut changes);
        let found = changes.iter().map(|change| change.path.as_str());
        let paths = [
            "/view/all/KEN/name",
            "/view/all/acme/id",
            "/view/all/acme/name",
            "/view/codes",
        ];
        assert_eq!(found.collect::<Vec<_>>(), paths);
    }
}
