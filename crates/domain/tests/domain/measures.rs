//! The rules of what a commitment is measured by: what weakens it, and what its numbers may be.

use ledger_domain::RejectionCode as Code;
use ledger_domain::wire::v1::{
    AmendCommitment, EventBody, Measure, MeasureChange, Nature, RecordCommitment,
};

use crate::commitments::{amount, committed, measured};
use crate::support::{about, amending, amendment, given, id, record};

fn weakens(data: RecordCommitment, change: AmendCommitment) -> bool {
    let event = committed(data).when(&amending("KEN", change)).accepted();
    let EventBody::CommitmentAmended(amended) = event.body else {
        panic!("{event:?}");
    };
    amended.weakened
}

#[test]
fn a_later_due_date_weakens_an_earlier_or_a_first_one_does_not() {
    let weakens_due = |old: Option<&str>, new| {
        let data = RecordCommitment {
            due: old.map(id),
            ..record()
        };
        let change = AmendCommitment {
            due: Some(id(new)),
            ..amendment()
        };
        weakens(data, change)
    };
    assert!(weakens_due(Some("2027"), "2028"));
    assert!(weakens_due(Some("2027-06"), "2027"));
    assert!(!weakens_due(Some("2027"), "2027-12-31"));
    assert!(!weakens_due(Some("2027"), "2027-06"));
    assert!(!weakens_due(None, "2040"));
}

#[test]
fn a_target_nearer_to_the_baseline_weakens() {
    let weakens_target = |baseline, old, new| {
        let change = AmendCommitment {
            measure: Some(MeasureChange {
                target: amount(new),
                ..MeasureChange::default()
            }),
            ..amendment()
        };
        weakens(measured(baseline, old), change)
    };
    assert!(weakens_target(Some(10.0), Some(100.0), 50.0));
    assert!(!weakens_target(Some(10.0), Some(100.0), 150.0));
    assert!(!weakens_target(Some(10.0), Some(100.0), 100.0));
    assert!(weakens_target(Some(100.0), Some(10.0), 50.0));
    assert!(!weakens_target(Some(100.0), Some(10.0), 5.0));
    assert!(weakens_target(None, Some(100.0), 99.0));
    assert!(!weakens_target(None, Some(100.0), 101.0));
    assert!(!weakens_target(Some(10.0), None, 5.0));
}

#[test]
fn the_direction_of_a_target_is_that_of_the_original_one() {
    let set_target = |target| AmendCommitment {
        measure: Some(MeasureChange {
            target: amount(target),
            ..MeasureChange::default()
        }),
        ..amendment()
    };
    // Less is better here; a target raised above the baseline does not turn that round.
    let world =
        committed(measured(Some(100.0), Some(10.0))).and(&amending("KEN", set_target(150.0)));
    let event = world.when(&amending("KEN", set_target(200.0))).accepted();
    assert!(matches!(event.body, EventBody::CommitmentAmended(data) if data.weakened));
}

#[test]
fn the_direction_of_a_target_is_found_with_the_first_baseline() {
    let change = |baseline, target| AmendCommitment {
        measure: Some(MeasureChange {
            baseline: amount(baseline),
            target: amount(target),
            ..MeasureChange::default()
        }),
        ..amendment()
    };
    let deaths = || measured(None, Some(100.0));
    assert!(weakens(deaths(), change(300.0, 200.0)));
    assert!(weakens(deaths(), change(300.0, 400.0)));
    assert!(!weakens(deaths(), change(300.0, 50.0)));
    assert!(weakens(deaths(), change(10.0, 50.0)));
    assert!(!weakens(deaths(), change(10.0, 200.0)));
    // It stays the one that was found, also where the new target lies on the other side of the baseline.
    let world = committed(deaths()).and(&amending("KEN", change(300.0, 400.0)));
    let event = world
        .when(&amending("KEN", change(300.0, 500.0)))
        .accepted();
    assert!(matches!(event.body, EventBody::CommitmentAmended(data) if data.weakened));
}

#[test]
fn a_target_in_another_unit_cannot_be_shown_to_ask_for_as_much() {
    let change = |unit: &str, target: Option<f64>| AmendCommitment {
        measure: Some(MeasureChange {
            unit: Some(unit.into()),
            target: target.and_then(amount),
            ..MeasureChange::default()
        }),
        ..amendment()
    };
    let visas = |unit: Option<&str>| {
        let mut data = measured(None, Some(50.0));
        data.measure = data.measure.map(|measure| Measure {
            unit: unit.map(Into::into),
            ..measure
        });
        data
    };
    assert!(weakens(
        visas(Some("thousand visas")),
        change("visas", Some(2000.0))
    ));
    assert!(weakens(
        visas(Some("visas")),
        change("thousand visas", Some(1.0))
    ));
    assert!(weakens(visas(Some("%")), change("visas", Some(60.0))));
    // The same unit in other letters is the same, and one that was not said before is said now.
    for (old, new) in [
        (Some("Visas"), "visas "),
        (Some("%"), "per cent"),
        (None, "visas"),
    ] {
        assert!(!weakens(visas(old), change(new, Some(60.0))));
        assert!(weakens(visas(old), change(new, Some(40.0))));
    }
    // A unit alone is set right: the number is as it was.
    assert!(!weakens(visas(Some("visa")), change("visas", None)));
}

#[test]
fn what_becomes_financial_has_no_numbers_below_none() {
    let financial = |target: Option<f64>| AmendCommitment {
        nature: Some(Nature::Financial),
        measure: target.map(|target| MeasureChange {
            target: amount(target),
            ..MeasureChange::default()
        }),
        ..amendment()
    };
    for (baseline, target) in [(-5.0, 10.0), (5.0, -10.0)] {
        committed(measured(Some(baseline), Some(target)))
            .when(&amending("KEN", financial(None)))
            .then_refused(Code::AmountOutOfRange, "data.nature");
    }
    let world = committed(measured(Some(5.0), Some(-10.0)));
    world
        .when(&amending("KEN", financial(Some(-1.0))))
        .then_refused(Code::AmountOutOfRange, "data.measure.target");
    world
        .when(&amending("KEN", financial(Some(1.0))))
        .accepted();
    committed(record())
        .when(&amending("KEN", financial(None)))
        .accepted();
}

#[test]
fn what_is_reported_of_the_measure_is_bound_as_its_targets_are() {
    let reporting = |name: &str, value: &str, unit: &str| {
        let data = format!(
            r#"{{"period":{{"from":"2025","to":"2025"}},"stage":"planning","indicators":[{{"name":"Other","value":-900}},{{"name":"{name}","value":{value}{unit}}}]}}"#
        );
        about("gov", "KEN", "report_progress", &data)
    };
    let recorded = |nature: &str, unit: &str| {
        let data = format!(
            r#"{{"title":"x","actions":["GCM-10"],"nature":"{nature}","measure":{{"indicator":"Spent","unit":"{unit}","target":50}}}}"#
        );
        given().and(&about("gov", "KEN", "record_commitment", &data))
    };
    let share = recorded("process", "%");
    let money = recorded("financial", "USD");
    let field = "data.indicators[1].value";
    for (world, value, unit) in [
        (&share, "400", ""),
        (&share, "-1", ""),
        (&money, "-4", ""),
        (&money, "-4", r#","unit":"EUR""#),
    ] {
        world
            .when(&reporting("spent", value, unit))
            .then_refused(Code::AmountOutOfRange, field);
        world.when(&reporting("Spent", "40", unit)).accepted();
    }
    share
        .when(&reporting("Spent", "400", r#","unit":"people""#))
        .accepted();
    money.when(&reporting("Spent", "400", "")).accepted();
    money.when(&reporting("Saved", "-4", "")).accepted();
    let world = money.and(&reporting("Spent", "40", ""));
    let data = format!(
        r#"{{"report":"{}","stage":"planning","indicators":[{{"name":"Spent","value":-4}}],"reason":"x"}}"#,
        world.last()
    );
    world
        .when(&about("gov", "KEN", "correct_report", &data))
        .then_refused(Code::AmountOutOfRange, "data.indicators[0].value");
}

#[test]
fn a_unit_in_another_form_is_the_same_unit() {
    let weakens_in = |old: &str, new: &str| {
        let measure = Measure {
            indicator: id("Inspectors"),
            unit: Some(id(old)),
            baseline: None,
            target: amount(10.0),
        };
        let data = RecordCommitment {
            measure: Some(measure),
            ..record()
        };
        let change = AmendCommitment {
            measure: Some(MeasureChange {
                unit: Some(id(new)),
                target: amount(20.0),
                ..MeasureChange::default()
            }),
            ..amendment()
        };
        weakens(data, change)
    };
    for (old, new) in [
        ("employés", "employe\u{301}s"),
        ("people a year", "people\u{a0}a year"),
        ("People a year", " people  a\u{202f}year "),
        ("Straße", "STRASSE"),
        ("per cent", "％"),
        ("٪", "pct"),
    ] {
        assert!(!weakens_in(old, new), "{old:?} {new:?}");
        assert!(!weakens_in(new, old), "{new:?} {old:?}");
    }
    assert!(weakens_in("employés", "employées"));
}
