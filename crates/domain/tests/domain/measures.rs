//! The rules of what a commitment is measured by: what weakens it, and what its numbers may be.

use ledger_domain::RejectionCode as Code;
use ledger_domain::wire::v1::{
    AmendCommitment, Before, EventBody, Form, Measure, MeasureChange, Nature, RecordCommitment,
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
    assert!(weakens_target(Some(100.0), Some(10.0), 50.0));
    assert!(!weakens_target(Some(100.0), Some(10.0), 5.0));
    assert!(weakens_target(None, Some(100.0), 99.0));
    assert!(!weakens_target(None, Some(100.0), 101.0));
    assert!(!weakens_target(Some(10.0), None, 5.0));
}

fn change(baseline: Option<f64>, target: Option<f64>) -> AmendCommitment {
    AmendCommitment {
        measure: Some(MeasureChange {
            baseline: baseline.and_then(amount),
            target: target.and_then(amount),
            ..MeasureChange::default()
        }),
        ..amendment()
    }
}

/// Whether each of the amendments, one after the other, weakens.
fn weaken_in_turn(data: RecordCommitment, changes: &[(Option<f64>, Option<f64>)]) -> Vec<bool> {
    let mut world = committed(data);
    let amended = changes.iter().map(|&(baseline, target)| {
        let command = amending("KEN", change(baseline, target));
        let event = world.when(&command).accepted();
        world.take(&command).expect("accepted");
        matches!(event.body, EventBody::CommitmentAmended(data) if data.weakened)
    });
    amended.collect()
}

#[test]
fn the_direction_of_a_target_follows_the_values_that_stand_when_it_changes() {
    let typing_error = || measured(Some(1000.0), Some(100.0));
    let corrected = (Some(10.0), None);
    assert_eq!(
        weaken_in_turn(typing_error(), &[corrected, (None, Some(50.0))]),
        [false, true]
    );
    assert_eq!(
        weaken_in_turn(typing_error(), &[corrected, (None, Some(150.0))]),
        [false, false]
    );
    // A target that was a typing error, and is corrected, turns the direction round as well.
    let corrected = [(None, Some(10.0)), (None, Some(50.0)), (None, Some(5.0))];
    assert_eq!(
        weaken_in_turn(measured(Some(100.0), Some(1000.0)), &corrected),
        [true, true, false]
    );
    // Where the target is the baseline, or there is none, more is better.
    for baseline in [Some(100.0), None] {
        let data = || measured(baseline, Some(100.0));
        assert_eq!(weaken_in_turn(data(), &[(None, Some(99.0))]), [true]);
        assert_eq!(weaken_in_turn(data(), &[(None, Some(101.0))]), [false]);
    }
}

#[test]
fn a_baseline_that_changes_with_the_target_does_not_hide_that_it_asks_for_less() {
    let at_once = |baseline, target, change: (f64, f64)| {
        weakens(
            measured(baseline, Some(target)),
            crate::measures::change(Some(change.0), Some(change.1)),
        )
    };
    // The direction is turned round with the new target.
    assert!(at_once(Some(10.0), 100.0, (200.0, 50.0)));
    // The baseline is corrected with the new target, which asks for less.
    assert!(at_once(Some(1000.0), 100.0, (10.0, 50.0)));
    assert!(!at_once(Some(10.0), 100.0, (20.0, 150.0)));
    assert!(!at_once(Some(300.0), 100.0, (200.0, 50.0)));
}

#[test]
fn the_direction_of_a_target_is_found_with_the_first_baseline() {
    let weakens = |first: (f64, f64)| {
        weakens(
            measured(None, Some(100.0)),
            change(Some(first.0), Some(first.1)),
        )
    };
    assert!(weakens((300.0, 200.0)));
    assert!(weakens((300.0, 400.0)));
    // More is better where there is no baseline: one that comes with a lower target does not hide that it is lower.
    assert!(weakens((300.0, 50.0)));
    assert!(weakens((10.0, 50.0)));
    assert!(!weakens((10.0, 200.0)));
}

proptest::proptest! {
    #[test]
    fn a_target_that_asks_for_less_in_the_direction_that_stands_weakens(
        baseline in proptest::option::of(0_u8..5),
        target in 0_u8..5,
        new_baseline in proptest::option::of(0_u8..5),
        new_target in 0_u8..5,
    ) {
        let less_is_better = baseline.is_some_and(|baseline| target < baseline);
        let asks_for_less = if less_is_better {
            new_target > target
        } else {
            new_target < target
        };
        let change = change(new_baseline.map(f64::from), Some(f64::from(new_target)));
        let old = measured(baseline.map(f64::from), Some(f64::from(target)));
        let world = committed(old);
        if let Ok(events) = world.decide(&amending("KEN", change)) {
            let EventBody::CommitmentAmended(amended) = &events[0].body else {
                panic!("{events:?}");
            };
            proptest::prop_assert!(amended.weakened || !asks_for_less);
            let same = new_baseline.is_none() || new_baseline == baseline;
            proptest::prop_assert!(!same || amended.weakened == asks_for_less);
        }
    }
}

#[test]
fn a_name_or_a_tag_in_another_form_changes_nothing() {
    let first = r#"{"title":"Homes","actions":["GCM-05a"],"language":"en","measure":{"indicator":"Homes built","unit":"homes","target":9}}"#;
    let percent = r#"{"title":"Homes","actions":["GCM-05a"],"measure":{"indicator":"Homes","unit":"%","target":9}}"#;
    let amend = |data: &str| {
        let data = format!(r#"{{"reason":"Spelling",{data}}}"#);
        about("gov", "KEN", "amend_commitment", &data)
    };
    let recorded = |data: &str| given().and(&about("gov", "KEN", "record_commitment", data));
    for data in [
        r#""language":"EN""#,
        r#""measure":{"unit":"HOMES"}"#,
        r#""measure":{"unit":" homes "}"#,
        r#""measure":{"unit":"homes\u00a0"}"#,
        r#""measure":{"unit":"Homes","target":9}"#,
        r#""measure":{"indicator":"homes  BUILT"}"#,
    ] {
        recorded(first)
            .when(&amend(data))
            .then_refused(Code::NothingToChange, "data");
    }
    for unit in ["per cent", "％", "(%)"] {
        recorded(percent)
            .when(&amend(&format!(r#""measure":{{"unit":"{unit}"}}"#)))
            .then_refused(Code::NothingToChange, "data");
    }
    // Beside a value that changes, a unit in another form is none of those that stood before.
    let event = recorded(first)
        .when(&amend(r#""measure":{"unit":"HOMES","target":10}"#))
        .accepted();
    let EventBody::CommitmentAmended(amended) = event.body else {
        panic!("{event:?}");
    };
    let before = Before {
        target: amount(9.0),
        ..Before::default()
    };
    assert_eq!((amended.before, amended.weakened), (before, false));
    recorded(first)
        .when(&amend(r#""language":"en-GB""#))
        .accepted();
}

#[test]
fn what_is_amended_was_not_made_after_a_milestone_was_due() {
    let milestones = r#"{"title":"Visas","actions":["GCM-05a"],"made":"2025","milestones":[{"name":"Plan"},{"name":"Law","due":"2026-06"},{"name":"Bill","due":"2026-03"}]}"#;
    let amend = |data: &str| {
        let data = format!(r#"{{"reason":"It was signed later",{data}}}"#);
        about("gov", "KEN", "amend_commitment", &data)
    };
    let world = given().and(&about("gov", "KEN", "record_commitment", milestones));
    for made in ["2026-04", "2026-07"] {
        world
            .when(&amend(&format!(r#""made":"{made}""#)))
            .then_refused(Code::DateOrder, "data.made");
    }
    world.when(&amend(r#""made":"2026-03""#)).accepted();
    let added = amend(r#""milestones":[{"name":"Draft","due":"2025-09"}]"#);
    world
        .and(&added)
        .when(&amend(r#""made":"2026-03""#))
        .then_refused(Code::DateOrder, "data.made");
}

#[test]
fn another_unit_alone_weakens_and_the_old_measure_is_kept() {
    let homes = RecordCommitment {
        measure: Some(Measure {
            indicator: "Homes built".into(),
            unit: Some("thousand homes".into()),
            baseline: amount(100.0),
            target: amount(400.0),
        }),
        ..record()
    };
    let amended = |measure: MeasureChange| {
        let data = AmendCommitment {
            measure: Some(measure),
            ..amendment()
        };
        let event = committed(homes.clone())
            .when(&amending("KEN", data))
            .accepted();
        let EventBody::CommitmentAmended(amended) = event.body else {
            panic!("{event:?}");
        };
        amended
    };
    let whole = Before {
        indicator: Some("Homes built".into()),
        unit: Some("thousand homes".into()),
        baseline: amount(100.0),
        target: amount(400.0),
        ..Before::default()
    };
    let unit = |unit: &str| MeasureChange {
        unit: Some(unit.into()),
        ..MeasureChange::default()
    };
    let other = amended(unit("homes"));
    assert_eq!((other.weakened, &other.before), (true, &whole));
    let indicator = amended(MeasureChange {
        indicator: Some("Homes begun".into()),
        ..MeasureChange::default()
    });
    assert_eq!(indicator.before, whole);
    let target = amended(MeasureChange {
        target: amount(500.0),
        ..MeasureChange::default()
    });
    let only = Before {
        target: amount(400.0),
        ..Before::default()
    };
    assert_eq!((target.weakened, target.before), (false, only));
    // Without a target there is nothing that could ask for less.
    let untargeted = RecordCommitment {
        measure: homes.measure.clone().map(|measure| Measure {
            target: None,
            ..measure
        }),
        ..record()
    };
    let data = AmendCommitment {
        measure: Some(unit("homes")),
        ..amendment()
    };
    assert!(!weakens(untargeted, data));
}

#[test]
fn an_amendment_to_the_values_that_stand_changes_nothing() {
    let world = committed(RecordCommitment {
        description: Some("In words".into()),
        countries: vec![id("KEN"), id("UGA")],
        actions: vec![id("GCM-05a"), id("GCM-10")],
        nature: Some(Nature::Process),
        due: Some(id("2028")),
        ..measured(Some(10.0), Some(100.0))
    });
    let say = |data: &str| {
        let data = format!(r#"{{"reason":"Again"{data}}}"#);
        about("gov", "KEN", "amend_commitment", &data)
    };
    let same = [
        r#","title":"Extend skills visas""#,
        r#","description":"In words""#,
        r#","due":"2028""#,
        r#","made":"2026-03""#,
        r#","form":"individual""#,
        r#","nature":"process""#,
        r#","countries":["UGA","KEN"]"#,
        r#","actions":["GCM-10","GCM-05a"]"#,
        r#","measure":{"baseline":10}"#,
        r#","measure":{"target":100}"#,
    ];
    for data in same {
        world
            .when(&say(data))
            .then_refused(Code::NothingToChange, "data");
    }
    let other = [
        r#","title":"Extend skills visas.""#,
        r#","description":"In other words""#,
        r#","due":"2028-12-31""#,
        r#","made":"2026-03-01""#,
        r#","form":"common""#,
        r#","nature":"financial""#,
        r#","countries":["UGA"]"#,
        r#","actions":["GCM-10"]"#,
        r#","measure":{"unit":"visas"}"#,
    ];
    for data in other {
        world.when(&say(data)).accepted();
    }
    // Where some of the values change and some do not, it is recorded, and only what was replaced stands under before.
    let event = world
        .when(&say(r#","due":"2028","made":"2026-04","title":"Visas""#))
        .accepted();
    let EventBody::CommitmentAmended(amended) = event.body else {
        panic!("{event:?}");
    };
    let before = Before {
        made: Some(id("2026-03")),
        ..Before::default()
    };
    assert_eq!(amended.before, before);
    assert_eq!(amended.due, Some(id("2028")));
}

#[test]
fn the_date_it_was_made_and_its_form_are_amended_like_the_rest() {
    let world = committed(RecordCommitment {
        due: Some(id("2028")),
        ..record()
    });
    let say = |data: &str| {
        let data = format!(r#"{{"reason":"It was signed later",{data}}}"#);
        about("gov", "KEN", "amend_commitment", &data)
    };
    let event = world
        .when(&say(r#""made":"2026-04-02","form":"common""#))
        .accepted();
    let EventBody::CommitmentAmended(amended) = event.body else {
        panic!("{event:?}");
    };
    let before = Before {
        made: Some(id("2026-03")),
        form: Some(Form::Individual),
        ..Before::default()
    };
    assert_eq!((amended.before, amended.weakened), (before, false));
    for (data, code, field) in [
        (r#""made":"2027""#, Code::DateInFuture, "data.made"),
        (r#""made":"1944""#, Code::DateOutOfRange, "data.made"),
        (r#""form":"matching""#, Code::Contradiction, "data.form"),
        (
            r#""made":"2026-04","due":"2026-03""#,
            Code::DateOrder,
            "data.due",
        ),
    ] {
        world.when(&say(data)).then_refused(code, field);
    }
    let overdue = committed(RecordCommitment {
        due: Some(id("2026-05")),
        ..record()
    });
    overdue
        .when(&say(r#""made":"2026-06""#))
        .then_refused(Code::DateOrder, "data.made");
    // What was amended stands: the next amendment is held to it.
    let amended = world.and(&say(r#""made":"2026-04-02""#));
    amended
        .when(&say(r#""made":"2026-04-02""#))
        .then_refused(Code::NothingToChange, "data");
    amended
        .when(&say(r#""due":"2026-03""#))
        .then_refused(Code::DateOrder, "data.due");
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
    // To say a unit for the first time asks for as much.
    assert!(weakens(visas(Some("visa")), change("visas", None)));
    assert!(!weakens(visas(None), change("visas", None)));
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
