//! The measure of one commitment, and the value that it has reached. No count and no list shows it, so it is folded for one commitment alone.

use crate::compare::{folded, same};
use crate::wire::v1::view::{MeasureRow, ValueRow};
use crate::wire::v1::{Indicator, Measure, MeasureChange, Period, unit_key};

/// The measure of a commitment as it is now, and the first that was said of each part of it.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    now: MeasureChange,
    first: MeasureChange,
}

impl Measured {
    /// Takes in the measure that a commitment is recorded with.
    pub(crate) fn record(&mut self, measure: &Measure) {
        self.amend(&MeasureChange {
            indicator: Some(measure.indicator.clone()),
            unit: measure.unit.clone(),
            baseline: measure.baseline,
            target: measure.target,
        });
    }

    /// Takes in what an amendment says of it; what that leaves out stays.
    pub(crate) fn amend(&mut self, change: &MeasureChange) {
        self.now = merged(change, &self.now);
        self.first = merged(&self.first, &self.now);
    }

    /// The measure, with the value that was reported last; none where nothing is measured.
    pub(crate) fn row(&self, latest: Option<ValueRow>) -> Option<MeasureRow> {
        let (now, first) = (&self.now, &self.first);
        Some(MeasureRow {
            indicator: now.indicator.clone()?,
            unit: now.unit.clone(),
            baseline: now.baseline,
            target: now.target,
            first_indicator: another(first.indicator.as_ref(), now.indicator.as_ref())
                .filter(|first| now.indicator.as_ref().is_none_or(|it| !same(first, it))),
            first_unit: another(first.unit.as_ref(), now.unit.as_ref()).filter(|first| {
                let now = now.unit.as_deref().map(unit_key);
                now.is_none_or(|now| !same(&unit_key(first), &now))
            }),
            first_baseline: another(first.baseline.as_ref(), now.baseline.as_ref()),
            first_target: another(first.target.as_ref(), now.target.as_ref()),
            latest,
        })
    }

    /// The value that a report gives of the indicator: by its name, in whatever form that is written.
    pub(crate) fn value_in<'a>(&self, indicators: &'a [Indicator]) -> Option<&'a Indicator> {
        let name = folded(self.now.indicator.as_ref()?);
        indicators.iter().find(|it| folded(&it.name) == name)
    }
}

/// The values that are said, or else those said before.
fn merged(said: &MeasureChange, before: &MeasureChange) -> MeasureChange {
    MeasureChange {
        indicator: said.indicator.clone().or_else(|| before.indicator.clone()),
        unit: said.unit.clone().or_else(|| before.unit.clone()),
        baseline: said.baseline.or(before.baseline),
        target: said.target.or(before.target),
    }
}

/// The first value, where it is not the value now.
fn another<T: Clone + PartialEq>(first: Option<&T>, now: Option<&T>) -> Option<T> {
    first.filter(|_| first != now).cloned()
}

/// The value of an indicator, as the report at a position gives it.
pub(crate) fn value_row(
    indicator: &Indicator,
    party: String,
    period: Period,
    report: u64,
) -> ValueRow {
    ValueRow {
        value: indicator.value,
        unit: indicator.unit.clone(),
        party,
        from: period.from.to_string(),
        until: period.to.to_string(),
        report: report.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_or_an_indicator_in_another_form_is_no_other() {
        let change = |indicator: &str, unit: &str| MeasureChange {
            indicator: Some(indicator.to_owned()),
            unit: Some(unit.to_owned()),
            ..MeasureChange::default()
        };
        let firsts = |indicator: &str, unit: &str| {
            let mut measured = Measured::default();
            measured.amend(&change("Homes built", "%"));
            measured.amend(&change(indicator, unit));
            let row = measured.row(None).unwrap();
            (row.first_indicator, row.first_unit)
        };
        assert_eq!(firsts("homes  built", "per cent"), (None, None));
        let first = (Some("Homes built".to_owned()), Some("%".to_owned()));
        assert_eq!(firsts("Homes begun", "homes"), first);
    }
}
