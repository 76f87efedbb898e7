//! The rules of participation: each party speaks for itself.

use ledger_domain::RejectionCode as Code;
use ledger_domain::commitment::Participation;
use ledger_domain::wire::v1::{
    Command, CommitmentLeft, EventBody, Participant, ParticipantRole, ParticipationConfirmed,
};

use crate::support::{World, about, commitment, committed, id};

fn confirming(party: &str) -> Command {
    about("gov", party, "confirm_participation", "{}")
}

fn leaving(party: &str) -> Command {
    about(
        "gov",
        party,
        "leave_commitment",
        r#"{"reason":"No budget"}"#,
    )
}

fn naming(party: &str) -> Command {
    let data = format!(
        r#"{{"participants":[{{"party":"{party}","role":"supporter"}}],"reason":"It joins"}}"#
    );
    about("gov", "KEN", "amend_commitment", &data)
}

fn part(world: &World, party: &str) -> Option<Participation> {
    world.commitments[&commitment(1)].participation(&id(party))
}

#[test]
fn a_named_participant_confirms_for_itself() {
    let command = about(
        "gov",
        "UGA",
        "confirm_participation",
        r#"{"note":"With pleasure","effective":"2026-04"}"#,
    );
    let event = committed().when(&command).then(ParticipationConfirmed {
        note: Some("With pleasure".into()),
    });
    assert_eq!(event.effective, Some(id("2026-04")));
    assert_eq!(event.route.to_string(), "KEN|GCM-05a");
    assert_eq!(event.stream_version.0, 2);
    let world = committed();
    assert_eq!(part(&world, "UGA"), Some(Participation::Claimed));
    let world = world.and(&command);
    assert_eq!(part(&world, "UGA"), Some(Participation::Confirmed));
}

#[test]
fn a_participation_is_confirmed_once_and_by_whom_the_lead_named() {
    let world = committed().and(&confirming("UGA"));
    world
        .when(&confirming("UGA"))
        .then_refused(Code::AlreadyConfirmed, "party");
    world
        .when(&confirming("KEN"))
        .then_refused(Code::AlreadyConfirmed, "party");
    world
        .when(&confirming("NBO"))
        .then_refused(Code::NotParticipant, "party");
}

#[test]
fn a_participant_leaves_whether_it_confirmed_or_not() {
    let left = CommitmentLeft {
        reason: "No budget".into(),
    };
    let claimed = committed();
    claimed.when(&leaving("UGA")).then(left.clone());
    let confirmed = claimed.and(&confirming("UGA"));
    confirmed.when(&leaving("UGA")).then(left);
}

#[test]
fn the_lead_cannot_leave_and_a_stranger_has_nothing_to_leave() {
    let world = committed();
    world
        .when(&leaving("KEN"))
        .then_refused(Code::LeadCannotLeave, "party");
    world
        .when(&leaving("NBO"))
        .then_refused(Code::NotParticipant, "party");
}

#[test]
fn who_left_says_nothing_more_as_a_participant() {
    let world = committed().and(&leaving("UGA"));
    let report = r#"{"period":{"from":"2026","to":"2026"},"stage":"planning"}"#;
    for command in [
        leaving("UGA"),
        confirming("UGA"),
        about("gov", "UGA", "report_progress", report),
        about("gov", "UGA", "reach_milestone", r#"{"milestone":"Law"}"#),
    ] {
        world
            .when(&command)
            .then_refused(Code::NotParticipant, "party");
    }
}

#[test]
fn who_left_may_be_named_again_and_is_claimed_again() {
    let world = committed().and(&confirming("UGA")).and(&leaving("UGA"));
    let world = world.and(&naming("UGA"));
    assert_eq!(part(&world, "UGA"), Some(Participation::Claimed));
    let world = world.and(&confirming("UGA"));
    assert_eq!(world.commitments[&commitment(1)].participant_count(), 1);
}

#[test]
fn the_lead_names_further_participants_that_are_claimed_until_they_confirm() {
    let world = committed().and(&naming("NBO"));
    assert_eq!(part(&world, "NBO"), Some(Participation::Claimed));
    let world = world.and(&confirming("NBO"));
    assert_eq!(part(&world, "NBO"), Some(Participation::Confirmed));
    for (party, code) in [
        ("NBO", Code::DuplicateValue),
        ("KEN", Code::DuplicateValue),
        ("OLD", Code::PartyInactive),
        ("NEW", Code::PartyUnknown),
    ] {
        world
            .when(&naming(party))
            .then_refused(code, "data.participants[0].party");
    }
}

#[test]
fn parties_speak_for_themselves_whatever_became_of_the_commitment() {
    let world = committed().and(&about(
        "gov",
        "KEN",
        "withdraw_commitment",
        r#"{"reason":"Law"}"#,
    ));
    world.when(&confirming("UGA")).accepted();
    world.when(&leaving("UGA")).accepted();
}

#[test]
fn a_participation_is_not_confirmed_or_left_in_the_future() {
    let world = committed();
    for (name, data) in [
        ("confirm_participation", r#"{"effective":"2026-11-24"}"#),
        ("leave_commitment", r#"{"reason":"x","effective":"2027"}"#),
    ] {
        world
            .when(&about("gov", "UGA", name, data))
            .then_refused(Code::DateInFuture, "data.effective");
    }
}

#[test]
fn the_lead_corrects_the_role_of_a_participant_and_its_word_stays() {
    for (world, state) in [
        (committed(), Participation::Claimed),
        (
            committed().and(&confirming("UGA")),
            Participation::Confirmed,
        ),
    ] {
        let event = world.when(&naming("UGA")).accepted();
        let EventBody::CommitmentAmended(data) = event.body else {
            panic!("{event:?}");
        };
        let before = [Participant {
            party: id("UGA"),
            role: ParticipantRole::Partner,
        }];
        assert_eq!(data.before.participants, before);
        let world = world.and(&naming("UGA"));
        assert_eq!(part(&world, "UGA"), Some(state));
        let known = &world.commitments[&commitment(1)];
        assert_eq!(known.role(&id("UGA")), Some(ParticipantRole::Supporter));
        assert_eq!(known.participant_count(), 1);
        world
            .when(&naming("UGA"))
            .then_refused(Code::DuplicateValue, "data.participants[0].party");
    }
}

#[test]
fn a_party_that_has_itself_reported_has_confirmed_its_part() {
    let report = r#"{"period":{"from":"2026","to":"2026"},"stage":"planning"}"#;
    for (name, data) in [
        ("report_progress", report),
        ("reach_milestone", r#"{"milestone":"Law"}"#),
    ] {
        let world = committed().and(&about("gov", "UGA", name, data));
        assert_eq!(part(&world, "UGA"), Some(Participation::Confirmed));
        world
            .when(&confirming("UGA"))
            .then_refused(Code::AlreadyConfirmed, "party");
        world.when(&leaving("UGA")).accepted();
    }
}
