//! The terms of a commitment, as events set and change them.

use ledger_domain::wire::v1::{
    Amount, Before, CommitmentAmended, CommitmentRecorded, MeasureChange,
};

/// Terms under their names, in the order in which they are read; none that is empty.
pub(super) type Terms = Vec<(&'static str, String)>;

/// The terms that were said.
fn said_terms(terms: [(&'static str, Option<String>); 13]) -> Terms {
    let said = terms.into_iter();
    said.filter_map(|(name, term)| Some((name, term.filter(|term| !term.is_empty())?)))
        .collect()
}

pub(super) fn terms_recorded(data: &CommitmentRecorded) -> Terms {
    let measure = data.measure.as_ref();
    said_terms([
        ("title", Some(data.title.clone())),
        ("description", data.description.clone()),
        ("due", data.due.map(|it| it.to_string())),
        ("actions", Some(joined(&data.actions))),
        ("countries", Some(joined(&data.countries))),
        ("nature", data.nature.map(|it| it.to_string())),
        ("made", data.made.map(|it| it.to_string())),
        ("form", Some(data.form.to_string())),
        ("language", data.language.as_ref().map(ToString::to_string)),
        ("indicator", measure.map(|it| it.indicator.clone())),
        ("unit", measure.and_then(|it| it.unit.clone())),
        ("baseline", measure.and_then(|it| it.baseline).map(amount)),
        ("target", measure.and_then(|it| it.target).map(amount)),
    ])
}

pub(super) fn terms_amended(data: &CommitmentAmended) -> Terms {
    let none = MeasureChange::default();
    let measure = data.measure.as_ref().unwrap_or(&none);
    said_terms([
        ("title", data.title.clone()),
        ("description", data.description.clone()),
        ("due", data.due.map(|it| it.to_string())),
        ("actions", data.actions.as_deref().map(joined)),
        ("countries", data.countries.as_deref().map(joined)),
        ("nature", data.nature.map(|it| it.to_string())),
        ("made", data.made.map(|it| it.to_string())),
        ("form", data.form.map(|it| it.to_string())),
        ("language", data.language.as_ref().map(ToString::to_string)),
        ("indicator", measure.indicator.clone()),
        ("unit", measure.unit.clone()),
        ("baseline", measure.baseline.map(amount)),
        ("target", measure.target.map(amount)),
    ])
}

/// The terms that weigh, as they were before, in an amendment's words. The others' earlier values
/// stand in the events before it.
pub(super) fn terms_before(before: &Before) -> Terms {
    said_terms([
        ("title", None),
        ("description", None),
        ("due", before.due.map(|it| it.to_string())),
        ("actions", before.actions.as_deref().map(joined)),
        ("countries", None),
        ("nature", before.nature.map(|it| it.to_string())),
        ("made", before.made.map(|it| it.to_string())),
        ("form", before.form.map(|it| it.to_string())),
        ("language", None),
        ("indicator", before.indicator.clone()),
        ("unit", before.unit.clone()),
        ("baseline", before.baseline.map(amount)),
        ("target", before.target.map(amount)),
    ])
}

fn joined(items: &[impl ToString]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    items.join(" ")
}

/// An amount as it stands in the event.
pub(super) fn amount(amount: Amount) -> String {
    serde_json::to_string(&amount).unwrap_or_default()
}
