//! `gaps`: what nobody has committed to yet.

use super::view::{fetch, heading, known, parse};
use crate::args::KnownArgs;
use crate::failure::Failure;
use crate::output::{Output, Table, json_line, shown, text};
use ledger_bus::NatsAccess;
use ledger_domain::wire::v1::view::ViewKey;
use serde_json::Value;

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
    let mut answer = parse(&json)?;
    if let Some(region) = region {
        keep_region(&mut answer, region)?;
    }
    if output.json {
        let json = serde_json::to_vec(&answer).map_err(|error| Failure::failed(&error))?;
        return Ok(json_line(&json)?);
    }
    let mut page = heading(&answer, "Gaps: what nobody has committed to");
    page.push_str(&figures(&answer));
    page.push_str(&codes(
        "actions without a commitment",
        &answer,
        "/view/actions_without_commitment",
    ));
    if region.is_some() {
        page.push_str(&of_region(&answer));
    }
    Ok(text(&page)?)
}

/// Leaves out every region but one.
fn keep_region(answer: &mut Value, region: &str) -> Result<(), Failure> {
    let Some(Value::Object(regions)) = answer.pointer_mut("/view/by_region") else {
        return Ok(());
    };
    let names: Vec<&str> = regions.keys().map(String::as_str).collect();
    if !names.iter().any(|name| name.eq_ignore_ascii_case(region)) {
        return Err(Failure::unknown(format!(
            "there is no region `{region}`; there are {}",
            names.join(", ")
        )));
    }
    regions.retain(|name, _| name.eq_ignore_ascii_case(region));
    Ok(())
}

/// The regions of the answer, each with its gaps.
fn regions(answer: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let regions = answer.pointer("/view/by_region").and_then(Value::as_object);
    regions.into_iter().flatten()
}

fn figures(answer: &Value) -> String {
    let mut instruments = Table::new(&["actions of", "catalogued", "without commitment"]);
    let by_instrument = answer.pointer("/view/actions_by_instrument");
    for (instrument, actions) in by_instrument
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        instruments.row([
            instrument.clone(),
            shown(actions, "/catalogued"),
            shown(actions, "/without_commitment"),
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
    for (region, gaps) in regions(answer) {
        let at = |pointer| shown(gaps, pointer);
        states.row([
            region.clone(),
            at("/member_states/of"),
            at("/member_states/committed"),
            at("/member_states/participant_only"),
            at("/member_states/other_parties_only"),
            at("/member_states/without_commitment"),
            at("/actions/without_commitment"),
        ]);
    }
    let mut commitments = Table::new(&["commitments", ""]);
    let figures = [
        ("standing", "total"),
        ("illustrative (examples, nobody's pledge)", "illustrative"),
    ];
    for (name, figure) in figures {
        let count = shown(answer, &format!("/view/active_commitments/{figure}"));
        commitments.row([name.to_owned(), count]);
    }
    format!(
        "\n{}\n{}\n{}",
        instruments.render(),
        states.render(),
        commitments.render()
    )
}

fn of_region(answer: &Value) -> String {
    regions(answer)
        .map(|(region, gaps)| {
            let list = |what: &str, pointer| codes(&format!("{region}: {what}"), gaps, pointer);
            [
                list(
                    "actions committed to elsewhere only: no party of the region leads one",
                    "/actions_committed_elsewhere_only",
                ),
                list(
                    "member States that neither lead a commitment nor take part in one, and no party of theirs leads one",
                    "/without_commitment",
                ),
                list(
                    "member States that lead no commitment and take part in one",
                    "/participant_only",
                ),
                list(
                    "member States that do neither, while other parties of theirs lead one",
                    "/other_parties_only",
                ),
            ]
            .concat()
        })
        .collect()
}

/// A list of codes under its heading, wrapped; nothing if it is empty.
fn codes(heading: &str, value: &Value, pointer: &str) -> String {
    let codes = value.pointer(pointer).and_then(Value::as_array);
    let codes: Vec<String> = codes
        .into_iter()
        .flatten()
        .map(|code| shown(code, ""))
        .collect();
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
    use serde_json::json;

    fn answer() -> Value {
        json!({"view": {
            "actions_without_commitment": ["GCM-01", "GCM-02"],
            "by_region": {
                "Africa": {"without_commitment": ["DZA"], "participant_only": ["TGO"], "actions_committed_elsewhere_only": ["GCM-10"]},
                "Asia": {"without_commitment": ["JPN"]},
            },
        }})
    }

    #[test]
    fn one_region_is_kept_whatever_its_letters_are_and_no_other_is_guessed() {
        let mut kept = answer();
        assert!(keep_region(&mut kept, "africa").is_ok());
        let page = of_region(&kept);
        assert!(
            page.contains("and no party of theirs leads one (1)\nDZA"),
            "{page}"
        );
        assert!(page.contains("leads one (1)\nGCM-10"), "{page}");
        assert!(page.contains("take part in one (1)\nTGO"), "{page}");
        assert!(!page.contains("JPN"), "{page}");
        assert!(keep_region(&mut answer(), "Afr").is_err());
    }

    #[test]
    fn an_empty_list_says_nothing() {
        assert_eq!(codes("x", &json!({"list": []}), "/list"), "");
        assert_eq!(
            codes("x", &json!({"list": ["A", "B"]}), "/list"),
            "\nx (2)\nA B\n"
        );
    }
}
