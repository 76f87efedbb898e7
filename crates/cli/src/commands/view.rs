//! `country` and `action`: a view and a page of its commitments.

use super::figures::{Counts, by_action, commitments, mapped};
use super::{codes, connect, moment};
use crate::args::{KnownArgs, ListArgs};
use crate::failure::Failure;
use crate::output::{Output, Table, clean, json_line, text};
use ledger_bus::NatsAccess;
use ledger_client::{Connection, is_not_found};
use ledger_domain::wire::v1::answer::ViewAnswer;
use ledger_domain::wire::v1::query::ViewQuery;
use ledger_domain::wire::v1::view::{
    ActionBody, ActionTally, CountryBody, CountryStatements, Coverage, LastEvents, RegisteredParty,
    Timeliness, ViewKey,
};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// The most parties that a country's page names.
const PARTIES_SHOWN: usize = 10;

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
    let answer: ViewAnswer<CountryBody> = parse(&json)?;
    let body = &answer.view;
    let mut page = heading(&answer, &body.last, &format!("{code}  {}", body.name));
    let place = [body.region.as_deref(), body.subregion.as_deref()];
    // What has no standing in the United Nations needs no word about that.
    let standing = Some(body.un_status.as_str()).filter(|status| *status != "none");
    let place: Vec<&str> = place.into_iter().chain([standing]).flatten().collect();
    if !place.is_empty() {
        page.push_str(&format_line(&place.join(", ")));
    }
    let counts = Counts::from(body);
    page.push_str(&counts.table(answer.commitments_today.as_ref()));
    page.push_str(&counts.assessed());
    page.push_str(&counts.participations());
    page.push_str(&statements(&body.statements));
    page.push_str(&by_action(body));
    page.push_str(&parties(
        &body.registered_parties,
        body.registered_parties_omitted,
    ));
    page.push_str(&commitments(answer.list.as_ref(), true));
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
    let answer: ViewAnswer<ActionBody> = parse(&json)?;
    let body = &answer.view;
    let title = answer.title.as_deref().unwrap_or_default();
    let mut page = heading(&answer, &body.last, &format!("{code}  {title}"));
    page.push_str(&action_counts(body, answer.commitments_today.as_ref()));
    page.push_str(&mapped(body));
    page.push_str(&commitments(answer.list.as_ref(), false));
    Ok(text(&page)?)
}

/// The country's parties by name, a line each: the first of them, and how many more there are.
fn parties(registered: &[RegisteredParty], omitted: usize) -> String {
    let mut table = Table::new(&["party", "name"]);
    let shown = registered.get(..PARTIES_SHOWN).unwrap_or(registered);
    for party in shown {
        let former = party.former_names.join("; ");
        let former = Some(former).filter(|former| !former.is_empty());
        let former = former.map_or_else(String::new, |former| format!(" (formerly {former})"));
        let standing = if party.active { "" } else { ", not active" };
        let name = format!("{}{former}{standing}", party.name);
        table.row([party.id.clone(), name]);
    }
    match (table.is_empty(), registered.len() - shown.len() + omitted) {
        (true, _) => String::new(),
        (false, 0) => format!("\n{}", table.render()),
        (false, more) => format!("\n{}and {more} more\n", table.render()),
    }
}

/// What the country's parties said in reviews, if they said anything.
fn statements(statements: &CountryStatements) -> String {
    match (statements.recorded, &statements.last) {
        (0, _) | (_, None) => String::new(),
        (count, Some(last)) => format!(
            "\nstatements in reviews: {count}, the last at position {}, {}\n",
            last.position, last.recorded,
        ),
    }
}

/// The action's own counts, and below them those with the actions under it. What is counted today is counted over the
/// same commitments as the list, those under an objective included: it stands beside the wider counts.
fn action_counts(body: &ActionBody, today: Option<&Timeliness>) -> String {
    let Some(rollup) = &body.rollup else {
        return tally(&body.own, today);
    };
    let mut page = tally(&body.own, None);
    page.push_str(&format_line(&format!(
        "\nWith the {} actions under it, {} of them without a commitment:",
        rollup.actions, rollup.actions_without_commitment,
    )));
    page.push_str(&tally(&rollup.tally, today));
    page
}

fn tally(tally: &ActionTally, today: Option<&Timeliness>) -> String {
    let counts = Counts::from(tally);
    let parties = format!("parties committed: {}; ", tally.parties.committed);
    let coverage = coverage(
        tally.countries.committed,
        tally.member_states,
        &tally.member_states_by_region,
    );
    [
        counts.table(today),
        counts.assessed(),
        counts.participations(),
        format!("\n{parties}{coverage}"),
    ]
    .concat()
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

pub(super) fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(json).map_err(|error| Failure::failed(&error))
}

fn format_line(text: &str) -> String {
    format!("{text}\n")
}

/// When a view changed last, as its body says.
#[derive(Clone, Copy)]
pub(super) struct Changed<'a> {
    pub(super) position: &'a Option<String>,
    pub(super) recorded: &'a Option<String>,
}

impl<'a> From<&'a LastEvents> for Changed<'a> {
    fn from(last: &'a LastEvents) -> Self {
        Self {
            position: &last.position,
            recorded: &last.recorded,
        }
    }
}

pub(super) fn heading<'a, B>(
    answer: &ViewAnswer<B>,
    changed: impl Into<Changed<'a>>,
    title: &str,
) -> String {
    let Changed { position, recorded } = changed.into();
    let change = match position {
        None => "Nothing recorded.".to_owned(),
        Some(position) => format!(
            "Last change at position {position}, {}.",
            recorded.as_deref().unwrap_or_default()
        ),
    };
    let lag = match answer.lag_events {
        None | Some(0) => String::new(),
        Some(events) => format!(" The view is {events} events behind the log."),
    };
    let known = heading_of(answer.as_of_position.as_deref(), &answer.as_of);
    format!("{}\n{known}{change}{lag}\n", clean(title.trim_end()))
}

/// When something is shown as known; nothing where it is as known now.
pub(super) fn heading_of(position: Option<&str>, as_of: &str) -> String {
    position.map_or_else(String::new, |position| {
        format!("As known at position {position}; today is {as_of}.\n")
    })
}

/// The number of countries and member States that have committed.
pub(super) fn coverage(
    countries: usize,
    all: Coverage,
    by_region: &BTreeMap<String, Coverage>,
) -> String {
    let mut table = Table::new(&["member States", "committed", "of"]);
    let mut row = |name: &str, Coverage { committed, of }: &Coverage| {
        table.row([name.to_owned(), committed.to_string(), of.to_string()]);
    };
    for (region, of_region) in by_region {
        row(region, of_region);
    }
    row("all", &all);
    format!("countries committed: {countries}\n{}", table.render())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_domain::wire::v1::PartyKind;
    use ledger_domain::wire::v1::view::{ActionRollup, RecordedAt};

    fn answer(lag_events: u64) -> ViewAnswer<()> {
        ViewAnswer {
            as_of: "t".to_owned(),
            as_of_position: None,
            watermark: None,
            lag_events: Some(lag_events),
            title: None,
            commitments_today: None,
            view: (),
            list: None,
            events: None,
        }
    }

    #[test]
    fn a_view_without_events_says_so() {
        let last = LastEvents::default();
        assert_eq!(
            heading(&answer(0), &last, "KEN  Kenya"),
            "KEN  Kenya\nNothing recorded.\n"
        );
        let title = heading(&answer(0), &last, "KEN  \u{1b}[31mKenya\u{202e}");
        assert!(title.starts_with("KEN   [31mKenya\u{fffd}\n"), "{title}");
        let behind = heading(&answer(3), &last, "KEN");
        assert!(behind.ends_with(" 3 events behind the log.\n"), "{behind}");
    }

    #[test]
    fn ten_parties_are_named_and_the_others_counted() {
        let party = |number: usize| RegisteredParty {
            id: format!("party-{number:02}"),
            name: format!("Party {number}"),
            former_names: vec![],
            kind: PartyKind::PrivateSector,
            active: true,
        };
        assert_eq!(parties(&[], 0), "");
        let ten: Vec<RegisteredParty> = (0..10).map(party).collect();
        let ten = parties(&ten, 0);
        assert!(ten.ends_with("party-09  Party 9\n"), "{ten}");
        let twelve: Vec<RegisteredParty> = (0..12).map(party).collect();
        let more = parties(&twelve, 30);
        assert!(more.ends_with("party-09  Party 9\nand 32 more\n"), "{more}");
        let renamed = RegisteredParty {
            former_names: vec!["A".to_owned(), "B".to_owned()],
            active: false,
            ..party(1)
        };
        let renamed = parties(&[renamed], 0);
        assert!(
            renamed.ends_with("party-01  Party 1 (formerly A; B), not active\n"),
            "{renamed}"
        );
    }

    #[test]
    fn statements_are_counted_where_there_are_any() {
        assert_eq!(statements(&CountryStatements::default()), "");
        let last = RecordedAt {
            position: "77".to_owned(),
            recorded: "t".to_owned(),
        };
        let two = CountryStatements {
            recorded: 2,
            last: Some(last),
        };
        assert_eq!(
            statements(&two),
            "\nstatements in reviews: 2, the last at position 77, t\n"
        );
    }

    #[test]
    fn an_objective_shows_what_is_overdue_beside_the_commitments_it_is_counted_over() {
        let today = Timeliness {
            overdue_original: 3,
            ..Timeliness::default()
        };
        let body = serde_json::json!({"view": "action", "action": "GCM-10"});
        let mut body: ActionBody = serde_json::from_value(body).expect("a body");
        let page = action_counts(&body, Some(&today));
        assert_eq!(page.matches("overdue (first").count(), 1);
        body.rollup = Some(ActionRollup {
            actions: 10,
            ..ActionRollup::default()
        });
        let page = action_counts(&body, Some(&today));
        let (own, rolled_up) = page.split_once("actions under it").expect("a roll-up");
        assert!(!own.contains("overdue"), "{page}");
        assert!(rolled_up.contains("overdue (first due date)"), "{page}");
    }
}
