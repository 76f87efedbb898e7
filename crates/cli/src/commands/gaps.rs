//! `gaps`: what nobody has committed to yet.

use super::view::{Changed, fetch, heading, known, parse};
use crate::args::KnownArgs;
use crate::failure::Failure;
use crate::output::{Output, Table, json_line, sorted_json, text};
use ledger_bus::NatsAccess;
use ledger_domain::wire::v1::answer::ViewAnswer;
use ledger_domain::wire::v1::view::{GapsBody, ViewKey};

/// Codes on one line of a list.
const CODES_A_LINE: usize = 10;

/// Prints the gaps: of the whole ledger, or of one region of the member States.
pub(crate) async fn run(
    nats: &NatsAccess,
    region: Option<&str>,
    at: &KnownArgs,
    output: Output,
) -> Result<(), Failure> {
    let json = fetch(nats, &ViewKey::Gaps, &known(at)).await?;
    if output.json && region.is_none() {
        return Ok(json_line(&json)?);
    }
    let mut answer: ViewAnswer<GapsBody> = parse(&json)?;
    if let Some(region) = region {
        keep_region(&mut answer.view, region)?;
    }
    if output.json {
        return Ok(json_line(&sorted_json(&answer)?)?);
    }
    let body = &answer.view;
    let changed = Changed {
        position: &body.position,
        recorded: &body.recorded,
    };
    let mut page = heading(&answer, changed, "Gaps: what nobody has committed to");
    page.push_str(&figures(body));
    page.push_str(&codes(
        "actions without a commitment",
        &body.actions_without_commitment,
    ));
    if region.is_some() {
        page.push_str(&of_region(body));
    }
    Ok(text(&page)?)
}

/// Leaves out every region but one.
fn keep_region(body: &mut GapsBody, region: &str) -> Result<(), Failure> {
    let names: Vec<&str> = body.by_region.keys().map(String::as_str).collect();
    if !names.iter().any(|name| name.eq_ignore_ascii_case(region)) {
        return Err(Failure::unknown(format!(
            "there is no region `{region}`; there are {}",
            names.join(", ")
        )));
    }
    body.by_region
        .retain(|name, _| name.eq_ignore_ascii_case(region));
    Ok(())
}

fn figures(body: &GapsBody) -> String {
    let mut instruments = Table::new(&["actions of", "catalogued", "without commitment"]);
    for (instrument, actions) in &body.actions_by_instrument {
        instruments.row([
            instrument.clone(),
            actions.catalogued.to_string(),
            actions.without_commitment.to_string(),
        ]);
    }
    let mut states = Table::new(&[
        "member States",
        "of",
        "committed",
        "participant only",
        "other parties only",
        "without",
        "actions without",
    ]);
    for (region, gaps) in &body.by_region {
        let of = &gaps.member_states;
        let counts = [
            of.of,
            of.committed,
            of.participant_only,
            of.other_parties_only,
            of.without_commitment,
            gaps.actions.without_commitment,
        ];
        let counts = counts.map(|count| count.to_string());
        states.row(std::iter::once(region.clone()).chain(counts));
    }
    let mut commitments = Table::new(&["commitments", ""]);
    let of = &body.active_commitments;
    for (name, count) in [
        ("standing", of.total),
        ("illustrative (examples, nobody's pledge)", of.illustrative),
    ] {
        commitments.row([name.to_owned(), count.to_string()]);
    }
    format!(
        "\n{}\n{}\n{}",
        instruments.render(),
        states.render(),
        commitments.render()
    )
}

fn of_region(body: &GapsBody) -> String {
    let regions = body.by_region.iter();
    regions
        .map(|(region, gaps)| {
            let list = |what: &str, listed: &[String]| codes(&format!("{region}: {what}"), listed);
            [
                list(
                    "actions committed to elsewhere only: no party of the region leads one",
                    &gaps.actions_committed_elsewhere_only,
                ),
                list(
                    "member States that neither lead a commitment nor take part in one, and no party of theirs leads one",
                    &gaps.without_commitment,
                ),
                list(
                    "member States that lead no commitment and take part in one",
                    &gaps.participant_only,
                ),
                list(
                    "member States that do neither, while other parties of theirs lead one",
                    &gaps.other_parties_only,
                ),
            ]
            .concat()
        })
        .collect()
}

/// A list of codes under its heading, wrapped; nothing if it is empty.
fn codes(heading: &str, codes: &[String]) -> String {
    if codes.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = codes
        .chunks(CODES_A_LINE)
        .map(|line| line.join(" "))
        .collect();
    format!("\n{heading} ({})\n{}\n", codes.len(), lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_domain::wire::v1::view::RegionGaps;

    fn body() -> GapsBody {
        let body = serde_json::json!({
            "view": "gaps", "active_commitments": {}, "actions": {}, "actions_by_instrument": {},
            "instruments_left_out": 0, "actions_without_commitment": ["GCM-01", "GCM-02"],
            "actions_left_out": 0, "member_states": {}, "by_region": {},
        });
        let mut body: GapsBody = serde_json::from_value(body).expect("a body");
        let codes = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect();
        let africa = RegionGaps {
            without_commitment: codes(&["DZA"]),
            participant_only: codes(&["TGO"]),
            actions_committed_elsewhere_only: codes(&["GCM-10"]),
            ..RegionGaps::default()
        };
        let asia = RegionGaps {
            without_commitment: codes(&["JPN"]),
            ..RegionGaps::default()
        };
        body.by_region = [("Africa".to_owned(), africa), ("Asia".to_owned(), asia)].into();
        body
    }

    #[test]
    fn one_region_is_kept_whatever_its_letters_are_and_no_other_is_guessed() {
        let mut kept = body();
        assert!(keep_region(&mut kept, "africa").is_ok());
        let page = of_region(&kept);
        assert!(
            page.contains("and no party of theirs leads one (1)\nDZA"),
            "{page}"
        );
        assert!(page.contains("leads one (1)\nGCM-10"), "{page}");
        assert!(page.contains("take part in one (1)\nTGO"), "{page}");
        assert!(!page.contains("JPN"), "{page}");
        assert!(keep_region(&mut body(), "Afr").is_err());
    }

    #[test]
    fn an_empty_list_says_nothing() {
        assert_eq!(codes("x", &[]), "");
        let listed = ["A".to_owned(), "B".to_owned()];
        assert_eq!(codes("x", &listed), "\nx (2)\nA B\n");
    }
}
