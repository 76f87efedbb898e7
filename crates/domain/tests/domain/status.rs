//! The rules of where a commitment stands.

use ledger_domain::RejectionCode as Code;
use ledger_domain::wire::v1::{
    ActedBy, Command, CommitmentClosed, CommitmentLapsed, CommitmentReinstated, CommitmentResumed,
    CommitmentStatus, CommitmentSuperseded, CommitmentSuspended, CommitmentWithdrawn, EventBody,
    Outcome,
};

use crate::support::{World, about, commitment, committed, digest, evidenced, id, say};

/// Every command that changes a status, with data that fits.
const CHANGES: [&str; 7] = [
    "suspend_commitment",
    "resume_commitment",
    "withdraw_commitment",
    "supersede_commitment",
    "close_commitment",
    "lapse_commitment",
    "reinstate_commitment",
];

fn data(name: &str) -> String {
    let more = match name {
        "supersede_commitment" => format!(r#","successor":"{}""#, commitment(2)),
        "close_commitment" => r#","outcome":"not_fulfilled""#.to_owned(),
        _ => String::new(),
    };
    format!(r#"{{"reason":"Why not","effective":"2026-05-01"{more}}}"#)
}

fn change(name: &str) -> Command {
    about("gov", "KEN", name, &data(name))
}

/// Makes commitment `number` of KEN.
fn recording(number: u128) -> Command {
    let subject = commitment(number).to_string();
    let data = r#"{"title":"Another","actions":["GCM-10"]}"#;
    say("gov", "KEN", &subject, "record_commitment", data)
}

fn superseding(number: u128, successor: u128) -> Command {
    let data = format!(
        r#"{{"successor":"{}","reason":"Merged"}}"#,
        commitment(successor)
    );
    let subject = commitment(number).to_string();
    say("gov", "KEN", &subject, "supersede_commitment", &data)
}

/// Commitments 1, 2 and 3 stand.
fn three() -> World {
    committed().and(&recording(2)).and(&recording(3))
}

/// The world in which commitment 1 has this status.
fn standing_at(status: CommitmentStatus) -> World {
    let world = three();
    match status {
        CommitmentStatus::Active => world,
        CommitmentStatus::Suspended => world.and(&change("suspend_commitment")),
        CommitmentStatus::Withdrawn => world.and(&change("withdraw_commitment")),
        CommitmentStatus::Superseded => world.and(&change("supersede_commitment")),
        CommitmentStatus::Closed => world.and(&change("close_commitment")),
        CommitmentStatus::Lapsed => world.and(&change("lapse_commitment")),
    }
}

#[test]
fn each_change_is_recorded_with_its_reason_and_who_made_it() {
    let reason = || "Why not".to_owned();
    for (party, sender, by) in [
        ("KEN", "gov", ActedBy::Lead),
        ("UNNM", "sec", ActedBy::Secretariat),
    ] {
        let bodies: [(CommitmentStatus, &str, EventBody); 7] = [
            (
                CommitmentStatus::Suspended,
                "lapse_commitment",
                CommitmentLapsed {
                    reason: reason(),
                    by,
                }
                .into(),
            ),
            (
                CommitmentStatus::Active,
                "suspend_commitment",
                CommitmentSuspended {
                    reason: reason(),
                    by,
                }
                .into(),
            ),
            (
                CommitmentStatus::Suspended,
                "resume_commitment",
                CommitmentResumed {
                    reason: reason(),
                    by,
                }
                .into(),
            ),
            (
                CommitmentStatus::Active,
                "withdraw_commitment",
                CommitmentWithdrawn {
                    reason: reason(),
                    by,
                }
                .into(),
            ),
            (
                CommitmentStatus::Suspended,
                "supersede_commitment",
                CommitmentSuperseded {
                    successor: commitment(2),
                    reason: reason(),
                    by,
                }
                .into(),
            ),
            (
                CommitmentStatus::Active,
                "close_commitment",
                CommitmentClosed {
                    outcome: Outcome::NotFulfilled,
                    reason: reason(),
                    by,
                }
                .into(),
            ),
            (
                CommitmentStatus::Closed,
                "reinstate_commitment",
                CommitmentReinstated {
                    reason: reason(),
                    by,
                }
                .into(),
            ),
        ];
        for (status, name, body) in bodies {
            let command = about(sender, party, name, &data(name));
            let event = standing_at(status).when(&command).then(body);
            assert_eq!(event.effective, Some(id("2026-05-01")), "{name}");
            assert_eq!(event.route.to_string(), "KEN|GCM-05a", "{name}");
        }
    }
}

#[test]
fn nobody_else_changes_where_a_commitment_stands() {
    for name in CHANGES {
        for status in CommitmentStatus::ALL {
            let world = standing_at(*status);
            let command = about("gov", "UGA", name, &data(name));
            let refusal = world.decide(&command).expect_err("a participant");
            let withdrawn =
                *status == CommitmentStatus::Withdrawn && name != "reinstate_commitment";
            let ended = name == "reinstate_commitment" || name == "withdraw_commitment";
            let stands = *status <= CommitmentStatus::Suspended || ended;
            let expected = if withdrawn {
                Code::CommitmentWithdrawn
            } else if stands {
                Code::NotLead
            } else {
                Code::StatusConflict
            };
            assert_eq!(refusal.code, expected, "{name} when {status}");
        }
    }
}

#[test]
fn each_status_allows_some_changes_and_refuses_the_others() {
    use CommitmentStatus::{Active, Closed, Lapsed, Superseded, Suspended, Withdrawn};
    let allowed = |name: &str, status: CommitmentStatus| match name {
        "suspend_commitment" => status == Active,
        "resume_commitment" => status == Suspended,
        "reinstate_commitment" => matches!(status, Withdrawn | Superseded | Closed | Lapsed),
        // What has ended can still be withdrawn.
        "withdraw_commitment" => status != Withdrawn,
        _ => matches!(status, Active | Suspended),
    };
    for status in CommitmentStatus::ALL {
        let world = standing_at(*status);
        assert_eq!(world.commitments[&commitment(1)].status(), *status);
        for name in CHANGES {
            let outcome = world.decide(&change(name));
            if allowed(name, *status) {
                outcome.unwrap_or_else(|refusal| panic!("{name} when {status}: {refusal}"));
                continue;
            }
            let refusal = outcome.expect_err(name);
            let own_code = *status == Withdrawn && name != "reinstate_commitment";
            let code = if own_code {
                Code::CommitmentWithdrawn
            } else {
                Code::StatusConflict
            };
            let found = (refusal.code, refusal.field.as_deref());
            assert_eq!(found, (code, Some("subject")), "{name} when {status}");
        }
    }
}

#[test]
fn what_does_not_stand_is_not_reported_on_and_what_ended_is_still_corrected() {
    let report = r#"{"period":{"from":"2026","to":"2026"},"stage":"planning"}"#;
    for (status, code) in [
        (CommitmentStatus::Withdrawn, Code::CommitmentWithdrawn),
        (CommitmentStatus::Superseded, Code::StatusConflict),
        (CommitmentStatus::Closed, Code::StatusConflict),
        (CommitmentStatus::Lapsed, Code::StatusConflict),
    ] {
        let world = standing_at(status);
        for (name, data) in [
            ("report_progress", report),
            ("reach_milestone", r#"{"milestone":"Law"}"#),
        ] {
            world
                .when(&about("gov", "KEN", name, data))
                .then_refused(code, "subject");
        }
        let data = r#"{"title":"New","made":"2026-02","reason":"x"}"#;
        let amended = world.when(&about("gov", "KEN", "amend_commitment", data));
        if status == CommitmentStatus::Withdrawn {
            amended.then_refused(code, "subject");
        } else {
            amended.accepted();
        }
    }
    for status in ["suspend", "close", "lapse", "withdraw", "supersede"] {
        let world = three().and(&evidenced("2026"));
        let report = world.last();
        let world = world.and(&change(&format!("{status}_commitment")));
        let data = format!(r#"{{"report":"{report}","stage":"planning","reason":"Wrong"}}"#);
        world
            .when(&about("gov", "KEN", "correct_report", &data))
            .accepted();
        let data = format!(r#"{{"report":"{report}","reason":"Wrong"}}"#);
        world
            .when(&about("gov", "KEN", "retract_report", &data))
            .accepted();
    }
    let resting = standing_at(CommitmentStatus::Suspended);
    resting
        .when(&about("gov", "KEN", "report_progress", report))
        .accepted();
}

#[test]
fn a_successor_exists_stands_and_is_another() {
    let world = three();
    world
        .when(&superseding(1, 1))
        .then_refused(Code::SelfReference, "data.successor");
    world
        .when(&superseding(1, 9))
        .then_refused(Code::UnknownCommitment, "data.successor");
    let gone = |name: &str| {
        let subject = commitment(2).to_string();
        let data = match name {
            "close_commitment" => r#"{"reason":"x","outcome":"partly_fulfilled"}"#,
            _ => r#"{"reason":"x"}"#,
        };
        three().and(&say("gov", "KEN", &subject, name, data))
    };
    for name in [
        "withdraw_commitment",
        "close_commitment",
        "lapse_commitment",
    ] {
        gone(name)
            .when(&superseding(1, 2))
            .then_refused(Code::StatusConflict, "data.successor");
    }
    gone("suspend_commitment")
        .when(&superseding(1, 2))
        .accepted();
    assert_eq!(
        superseding(1, 2).commitments().as_slice(),
        [commitment(1), commitment(2)]
    );
}

#[test]
fn nothing_is_superseded_in_a_circle() {
    let world = three().and(&superseding(1, 2));
    world
        .when(&superseding(2, 1))
        .then_refused(Code::SupersedeCycle, "data.successor");
    let world = world.and(&superseding(2, 3));
    world
        .when(&superseding(3, 2))
        .then_refused(Code::SupersedeCycle, "data.successor");
    // A longer circle is refused too: its first commitment does not stand.
    world
        .when(&superseding(3, 1))
        .then_refused(Code::StatusConflict, "data.successor");
}

#[test]
fn a_reinstated_commitment_has_no_successor_and_may_take_its_successors_place() {
    let world = three().and(&superseding(1, 2));
    assert_eq!(
        world.commitments[&commitment(1)].successor(),
        Some(commitment(2))
    );
    let world = world.and(&change("reinstate_commitment"));
    assert_eq!(world.commitments[&commitment(1)].successor(), None);
    world.when(&superseding(2, 1)).accepted();
}

#[test]
fn closing_as_fulfilled_needs_a_standing_report_with_evidence() {
    let fulfilled = about(
        "gov",
        "KEN",
        "close_commitment",
        r#"{"outcome":"fulfilled","reason":"Done"}"#,
    );
    let refused = |world: &World| {
        world
            .when(&fulfilled)
            .then_refused(Code::EvidenceRequired, "data.outcome");
    };
    refused(&committed());
    let bare = r#"{"period":{"from":"2026","to":"2026"},"stage":"fulfilled"}"#;
    let reported = committed().and(&about("gov", "KEN", "report_progress", bare));
    refused(&reported);
    let attached = format!(
        r#"{{"report":"{}","evidence":[{{"sha256":"{}"}}]}}"#,
        reported.last(),
        digest(3)
    );
    let attached = reported.and(&about("gov", "UGA", "attach_evidence", &attached));
    attached.when(&fulfilled).accepted();
    let evidenced = committed().and(&evidenced("2026"));
    evidenced.when(&fulfilled).accepted();
    let retraction = format!(r#"{{"report":"{}","reason":"Wrong"}}"#, evidenced.last());
    refused(&evidenced.and(&about("gov", "KEN", "retract_report", &retraction)));
}

#[test]
fn a_status_does_not_change_in_the_future_or_before_its_world() {
    for name in CHANGES {
        let world = standing_at(match name {
            "resume_commitment" => CommitmentStatus::Suspended,
            "reinstate_commitment" => CommitmentStatus::Closed,
            _ => CommitmentStatus::Active,
        });
        for (date, code) in [
            ("2026-11-24", Code::DateInFuture),
            ("9999", Code::DateInFuture),
            ("1944-12-31", Code::DateOutOfRange),
            ("1000", Code::DateOutOfRange),
        ] {
            let data = data(name).replace("2026-05-01", date);
            world
                .when(&about("gov", "KEN", name, &data))
                .then_refused(code, "data.effective");
        }
    }
}

#[test]
fn effective_dates_may_come_out_of_order() {
    let dated = |name: &str, date: &str| {
        let data = data(name).replace("2026-05-01", date);
        about("gov", "KEN", name, &data)
    };
    let world = three()
        .and(&dated("suspend_commitment", "2026-10"))
        .and(&dated("resume_commitment", "2026-09-30"))
        .and(&dated("withdraw_commitment", "1999"));
    assert_eq!(
        world.commitments[&commitment(1)].status(),
        CommitmentStatus::Withdrawn
    );
}
