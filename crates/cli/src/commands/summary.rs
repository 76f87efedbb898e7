//! `summary`: the whole ledger in figures.

use super::figures::{Counts, left_out};
use super::view::{coverage, fetch, heading, known, parse};
use crate::args::KnownArgs;
use crate::failure::Failure;
use crate::output::{Output, Table, json_line, text};
use ledger_bus::NatsAccess;
use ledger_domain::wire::v1::answer::ViewAnswer;
use ledger_domain::wire::v1::view::{SummaryBody, ViewKey};

/// Prints the summary.
pub(crate) async fn run(nats: &NatsAccess, at: &KnownArgs, output: Output) -> Result<(), Failure> {
    let json = fetch(nats, &ViewKey::Summary, &known(at)).await?;
    if output.json {
        return Ok(json_line(&json)?);
    }
    let answer: ViewAnswer<SummaryBody> = parse(&json)?;
    let body = &answer.view;
    let mut page = heading(&answer, &body.last, "The whole ledger");
    let counts = Counts::from(body);
    page.push_str(&counts.table(answer.commitments_today.as_ref()));
    page.push_str(&counts.assessed());
    page.push_str(&counts.participations());
    page.push('\n');
    page.push_str(&coverage(
        body.countries.committed,
        body.member_states,
        &body.member_states_by_region,
    ));
    page.push_str(&totals(body));
    page.push_str(&breakdowns(body));
    Ok(text(&page)?)
}

/// What is counted in other units than commitments.
fn totals(body: &SummaryBody) -> String {
    let mut table = Table::new(&["recorded beside commitments", ""]);
    let mut row = |name: &str, count: u64| table.row([name.to_owned(), count.to_string()]);
    let many = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    row("events", body.events.recorded);
    row("parties registered", body.parties.registered);
    row("  active", body.parties.active);
    row("  leading a commitment", many(body.parties.leading));
    row("instruments", many(body.catalogue.instruments));
    row("actions", many(body.catalogue.actions));
    let without = body.catalogue.actions_without_commitment;
    row("  without a commitment", many(without));
    row("milestones named", body.apart.milestones.named);
    row("  reached", body.apart.milestones.reached);
    format!("\n{}", table.render())
}

/// One table for each breakdown that has something in it, the largest figure first.
fn breakdowns(body: &SummaryBody) -> String {
    let active = &body.active_commitments;
    let kinds = &body.parties.registered_by_kind;
    let mut page = String::new();
    for (name, figures) in [
        ("standing commitments by instrument", &active.by_instrument),
        (
            "standing commitments by region of the lead",
            &active.by_region_of_lead,
        ),
        ("standing commitments by form", &active.by_form),
        ("standing commitments by nature", &active.by_nature),
        ("registered parties by kind", kinds),
        ("events by type", &body.events.by_type),
    ] {
        let mut figures: Vec<(&String, &u64)> = figures.iter().collect();
        figures.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let mut table = Table::new(&[name, ""]);
        for (key, count) in figures {
            table.row([key.clone(), count.to_string()]);
        }
        if !table.is_empty() {
            page.push('\n');
            page.push_str(&table.render());
        }
    }
    page.push_str(&left_out(active.instruments_left_out, "instruments"));
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_domain::wire::v1::view::{
        ActiveInLedger, ApartFromActive, Catalogue, CommittedCountries, Coverage, LastEvents,
        LedgerEvents, LedgerParties, Participations, RecordedCommitments, ViewKind,
    };
    use std::collections::BTreeMap;

    #[test]
    fn breakdowns_begin_with_the_largest_and_empty_ones_are_left_out() {
        let mut body = SummaryBody {
            view: ViewKind::Summary,
            last: LastEvents::default(),
            events: LedgerEvents::default(),
            commitments: RecordedCommitments::default(),
            active_commitments: ActiveInLedger::default(),
            apart: ApartFromActive::default(),
            participations: Participations::default(),
            parties: LedgerParties::default(),
            countries: CommittedCountries::default(),
            member_states: Coverage::default(),
            member_states_by_region: BTreeMap::new(),
            catalogue: Catalogue::default(),
        };
        let count = |name: &str, count| (name.to_owned(), count);
        body.active_commitments.by_instrument = [count("A", 1), count("B", 7)].into();
        body.active_commitments.instruments_left_out = 3;
        body.parties.registered_by_kind = [count("member_state", 2)].into();
        let page = breakdowns(&body);
        let (b, a) = (page.find("B  "), page.find("A  "));
        assert!(b.is_some() && b < a, "{page}");
        assert!(page.contains("member_state"), "{page}");
        assert!(page.contains("3 instruments"), "{page}");
        assert!(!page.contains("by form"), "{page}");
        assert!(totals(&body).contains("parties registered"), "{page}");
    }
}
