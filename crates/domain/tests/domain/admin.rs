//! The rules of partners, the catalogue and parties.

use std::collections::BTreeSet;

use ledger_domain::RejectionCode as Code;
use ledger_domain::wire::v1::{
    AmendActionText, CatalogueAction, ChangePartner, ChangePartyStatus, Command, CommandBody,
    CommandType, InstrumentKind, MapActions, PartnerChanged, PartnerRegistered, PartnerRevoked,
    PartyKind, PartyRegistered, PartyStatus, PartyStatusChanged, Policy, PublishInstrument,
    RegisterPartner, RegisterParty, RevokePartner, Role, TextStatus,
};

use crate::support::{command, expecting, given, id, opened, record, recording};

fn register_partner(sender: &str, subject: &str) -> Command {
    let data = RegisterPartner {
        name: "Kenya".into(),
        roles: vec![Role::Reporter],
        parties: vec![id("KEN")],
        focal_point_for: Vec::new(),
    };
    command(
        sender,
        "ledger",
        subject,
        CommandBody::RegisterPartner(data),
    )
}

fn change_partner(subject: &str, data: ChangePartner) -> Command {
    command("root", "ledger", subject, CommandBody::ChangePartner(data))
}

fn new_roles() -> ChangePartner {
    ChangePartner {
        name: None,
        roles: Some(vec![Role::Auditor]),
        parties: None,
        focal_point_for: None,
    }
}

fn revoke_partner(subject: &str) -> Command {
    let data = RevokePartner {
        reason: "Key lost".into(),
    };
    command("root", "ledger", subject, CommandBody::RevokePartner(data))
}

fn publish(subject: &str) -> Command {
    let data = PublishInstrument {
        language: None,
        title: "Declaration".into(),
        kind: InstrumentKind::Declaration,
        adopted: Some(id("2022-05-20")),
        symbol: Some("A/RES/76/266".into()),
        url: None,
        principles: Vec::new(),
    };
    command("sec", "UNNM", subject, CommandBody::PublishInstrument(data))
}

fn catalogue(subject: &str, code: &str, parent: Option<&str>) -> Command {
    let data = CatalogueAction {
        code: id(code),
        title: "An action".into(),
        parent: parent.map(id),
        text_status: TextStatus::NotSeen,
        description: None,
        kind: None,
    };
    command("sec", "UNNM", subject, CommandBody::CatalogueAction(data))
}

fn amend_text(subject: &str, code: &str, title: Option<&str>) -> Command {
    let data = AmendActionText {
        code: id(code),
        title: title.map(str::to_owned),
        description: None,
        text_status: None,
        reason: "Seen now".into(),
    };
    command("sec", "UNNM", subject, CommandBody::AmendActionText(data))
}

fn map(subject: &str, from: &str, to: &[&str]) -> Command {
    let data = MapActions {
        from: id(from),
        to: to.iter().map(|code| id(code)).collect(),
        basis: None,
    };
    command("sec", "UNNM", subject, CommandBody::MapActions(data))
}

fn register_party(party: &str, kind: PartyKind, country: Option<&str>) -> Command {
    let data = RegisterParty {
        name: "A party".into(),
        kind,
        country: country.map(id),
    };
    let subject = format!("party/{party}");
    command("sec", "UNNM", &subject, CommandBody::RegisterParty(data))
}

fn party_status(party: &str, status: PartyStatus) -> Command {
    let data = ChangePartyStatus {
        status,
        reason: "Said so".into(),
    };
    let subject = format!("party/{party}");
    command(
        "sec",
        "UNNM",
        &subject,
        CommandBody::ChangePartyStatus(data),
    )
}

#[test]
fn before_it_is_opened_nobody_may_do_anything() {
    crate::support::World::default()
        .when(&register_partner("root", "partner/ken"))
        .then_refused(Code::SenderUnknown, "source");
}

#[test]
fn the_root_registers_partners() {
    let event = opened()
        .when(&register_partner("root", "partner/ken"))
        .then(PartnerRegistered {
            name: "Kenya".into(),
            roles: vec![Role::Reporter],
            parties: vec![id("KEN")],
            focal_point_for: Vec::new(),
        });
    assert_eq!(event.stream_version.0, 1);
    assert_eq!(event.route.to_string(), "|");
}

#[test]
fn nobody_but_the_root_registers_partners() {
    let mut registering = register_partner("sec", "partner/ken");
    registering.party = id("UNNM");
    given()
        .when(&registering)
        .then_refused(Code::RoleMissing, "type");
}

#[test]
fn an_unknown_partner_is_refused() {
    given()
        .when(&register_partner("nobody", "partner/ken"))
        .then_refused(Code::SenderUnknown, "source");
}

#[test]
fn a_partner_speaks_for_the_parties_of_its_list_only() {
    let mut registering = register_partner("root", "partner/ken");
    registering.party = id("KEN");
    opened()
        .when(&registering)
        .then_refused(Code::PartyNotAllowed, "party");
}

#[test]
fn a_partner_is_registered_once() {
    let world = given();
    for subject in ["partner/gov", "partner/root"] {
        world
            .when(&register_partner("root", subject))
            .then_refused(Code::PartnerExists, "subject");
    }
}

#[test]
fn a_changed_partner_has_its_new_roles_and_its_old_parties() {
    let world = given();
    let changing = change_partner("partner/gov", new_roles());
    let event = world.when(&changing).then(PartnerChanged {
        name: None,
        roles: Some(vec![Role::Auditor]),
        parties: None,
        focal_point_for: None,
    });
    assert_eq!(event.stream_version.0, 2);
    let world = world.and(&changing);
    let partner = world.reference.partner(&id("gov")).expect("registered");
    assert_eq!(partner.roles, [Role::Auditor]);
    assert!(partner.parties.contains("KEN"));
    world
        .when(&recording(1, "KEN", record()))
        .then_refused(Code::RoleMissing, "type");
}

#[test]
fn a_change_of_nothing_is_refused() {
    let nothing = ChangePartner {
        name: None,
        roles: None,
        parties: None,
        focal_point_for: None,
    };
    given()
        .when(&change_partner("partner/gov", nothing))
        .then_refused(Code::NothingToChange, "data");
}

#[test]
fn a_partner_that_is_changed_or_revoked_exists_and_is_not_the_root() {
    let world = given();
    for (subject, code) in [
        ("partner/none", Code::UnknownPartner),
        ("partner/root", Code::PartnerIsRoot),
    ] {
        world
            .when(&revoke_partner(subject))
            .then_refused(code, "subject");
        world
            .when(&change_partner(subject, new_roles()))
            .then_refused(code, "subject");
    }
}

#[test]
fn a_revoked_partner_is_heard_no_more() {
    let world = given();
    world
        .when(&revoke_partner("partner/gov"))
        .then(PartnerRevoked {
            reason: "Key lost".into(),
        });
    let world = world.and(&revoke_partner("partner/gov"));
    world
        .when(&recording(1, "KEN", record()))
        .then_refused(Code::SenderRevoked, "source");
    world
        .when(&revoke_partner("partner/gov"))
        .then_refused(Code::PartnerRevoked, "subject");
    world
        .when(&change_partner("partner/gov", new_roles()))
        .then_refused(Code::PartnerRevoked, "subject");
    world
        .when(&register_partner("root", "partner/gov"))
        .then_refused(Code::PartnerExists, "subject");
}

#[test]
fn each_command_needs_its_role() {
    let world = given().and(&recording(1, "KEN", record()));
    let mut seen = BTreeSet::new();
    for (name, subject, data) in crate::form::EXAMPLES {
        let text = crate::form::example(name, subject, data);
        let mut command = Command::decode(text.as_bytes(), &Policy::default()).expect(name);
        command.partner = id("audit");
        command.party = id("KEN");
        world.when(&command).then_refused(Code::RoleMissing, "type");
        seen.insert(command.body.command_type());
    }
    assert_eq!(seen.len(), CommandType::ALL.len());
}

#[test]
fn an_instrument_is_published_once() {
    let event = given().when(&publish("instrument/IMRF-2022")).accepted();
    assert_eq!(event.effective, Some(id("2022-05-20")));
    given()
        .when(&publish("instrument/GCM-2018"))
        .then_refused(Code::InstrumentExists, "subject");
}

#[test]
fn an_instrument_is_not_adopted_in_the_future() {
    let mut publishing = publish("instrument/IMRF-2030");
    if let CommandBody::PublishInstrument(data) = &mut publishing.body {
        data.adopted = Some(id("2030"));
    }
    given()
        .when(&publishing)
        .then_refused(Code::DateInFuture, "data.adopted");
}

#[test]
fn an_action_joins_the_catalogue_under_its_instrument_and_parent() {
    let event = given()
        .when(&catalogue("instrument/GCM-2018", "GCM-05b", Some("GCM-05")))
        .accepted();
    assert_eq!(event.stream_version.0, 5);
    assert_eq!(event.route.to_string(), "|GCM-05b");
}

#[test]
fn a_code_is_never_reused_not_even_by_another_instrument() {
    for subject in ["instrument/GCM-2018", "instrument/OTHER"] {
        given()
            .when(&catalogue(subject, "GCM-10", None))
            .then_refused(Code::ActionExists, "data.code");
    }
}

#[test]
fn an_action_needs_its_instrument_and_its_parent() {
    let world = given();
    world
        .when(&catalogue("instrument/NONE", "GCM-11", None))
        .then_refused(Code::UnknownInstrument, "subject");
    world
        .when(&catalogue("instrument/GCM-2018", "GCM-11a", Some("GCM-11")))
        .then_refused(Code::UnknownAction, "data.parent");
    // An objective counts what stands under it: an action of another instrument is mapped to it, and counted apart.
    given()
        .when(&catalogue("instrument/OTHER", "OTH-2", Some("GCM-05")))
        .then_refused(Code::UnknownAction, "data.parent");
    world
        .when(&catalogue("instrument/GCM-2018", "GCM-11", Some("GCM-11")))
        .then_refused(Code::SelfReference, "data.parent");
}

#[test]
fn a_text_is_amended_under_its_own_instrument() {
    let world = given();
    world
        .when(&amend_text(
            "instrument/GCM-2018",
            "GCM-10",
            Some("Trafficking"),
        ))
        .accepted();
    world
        .when(&amend_text(
            "instrument/OTHER",
            "GCM-10",
            Some("Trafficking"),
        ))
        .then_refused(Code::UnknownAction, "data.code");
    world
        .when(&amend_text("instrument/GCM-2018", "GCM-10", None))
        .then_refused(Code::NothingToChange, "data");
}

#[test]
fn a_mapping_joins_actions_that_exist() {
    let world = given();
    let event = world
        .when(&map("instrument/OTHER", "OTH-1", &["GCM-05", "GCM-10"]))
        .accepted();
    assert_eq!(event.route.to_string(), "|OTH-1,GCM-05,GCM-10");
    world
        .when(&map("instrument/OTHER", "GCM-10", &["OTH-1"]))
        .then_refused(Code::UnknownAction, "data.from");
    world
        .when(&map("instrument/OTHER", "OTH-1", &["GCM-05", "GCM-99"]))
        .then_refused(Code::UnknownAction, "data.to[1]");
    world
        .when(&map("instrument/OTHER", "OTH-1", &["OTH-1"]))
        .then_refused(Code::SelfReference, "data.to[0]");
}

#[test]
fn the_country_of_a_state_is_itself() {
    for country in [None, Some("TZA")] {
        given()
            .when(&register_party("TZA", PartyKind::MemberState, country))
            .then(PartyRegistered {
                name: "A party".into(),
                kind: PartyKind::MemberState,
                country: Some(id("TZA")),
            });
    }
    let observer = given()
        .when(&register_party("PSE", PartyKind::Observer, None))
        .accepted();
    assert!(
        matches!(observer.body, ledger_domain::wire::v1::EventBody::PartyRegistered(data) if data.country == Some(id("PSE")))
    );
}

#[test]
fn only_a_state_has_the_code_of_a_state() {
    let world = given();
    for (party, kind, country, field) in [
        ("XKX", PartyKind::MemberState, None, "subject"),
        ("ABW", PartyKind::MemberState, None, "subject"),
        ("VAT", PartyKind::MemberState, None, "subject"),
        ("TZA", PartyKind::LocalAuthority, Some("TZA"), "subject"),
        ("TZA", PartyKind::Observer, None, "subject"),
        ("TZA", PartyKind::MemberState, Some("UGA"), "data.country"),
    ] {
        world
            .when(&register_party(party, kind, country))
            .then_refused(Code::CountryMismatch, field);
    }
}

#[test]
fn what_is_no_country_may_be_a_party() {
    for (party, kind, country) in [
        ("XKX", PartyKind::Observer, None),
        ("ABW", PartyKind::LocalAuthority, Some("ABW")),
        ("Mombasa", PartyKind::LocalAuthority, Some("KEN")),
        ("IOM", PartyKind::UnEntity, None),
    ] {
        given()
            .when(&register_party(party, kind, country))
            .accepted();
    }
}

#[test]
fn a_party_is_registered_once_and_changes_its_status() {
    let world = given();
    world
        .when(&register_party("KEN", PartyKind::MemberState, None))
        .then_refused(Code::PartyExists, "subject");
    world
        .when(&party_status("none", PartyStatus::Inactive))
        .then_refused(Code::PartyUnknown, "subject");
    world
        .when(&party_status("KEN", PartyStatus::Active))
        .then_refused(Code::NothingToChange, "data.status");
    world
        .when(&party_status("KEN", PartyStatus::Inactive))
        .then(PartyStatusChanged {
            status: PartyStatus::Inactive,
            reason: "Said so".into(),
        });
    let world = world.and(&party_status("KEN", PartyStatus::Inactive));
    world
        .when(&recording(1, "KEN", record()))
        .then_refused(Code::PartyInactive, "party");
    world
        .and(&party_status("KEN", PartyStatus::Active))
        .when(&recording(1, "KEN", record()))
        .accepted();
}

#[test]
fn an_expected_version_must_be_the_subjects() {
    let world = given();
    for (command, version) in [
        (register_partner("root", "partner/new"), 0),
        (change_partner("partner/gov", new_roles()), 1),
        (revoke_partner("partner/gov"), 1),
        (publish("instrument/NEW"), 0),
        (catalogue("instrument/GCM-2018", "GCM-11", None), 4),
        (amend_text("instrument/GCM-2018", "GCM-10", Some("T")), 4),
        (map("instrument/OTHER", "OTH-1", &["GCM-10"]), 2),
        (register_party("TZA", PartyKind::MemberState, None), 0),
        (party_status("OLD", PartyStatus::Active), 2),
        (recording(1, "KEN", record()), 0),
    ] {
        assert_eq!(world.reference.version(&command.subject).0, version);
        world.when(&expecting(version, command.clone())).accepted();
        world
            .when(&expecting(version + 1, command))
            .then_refused(Code::VersionConflict, "expectedversion");
    }
}

#[test]
fn a_command_about_the_wrong_kind_of_subject_is_refused() {
    let world = given();
    for (mut command, subject) in [
        (register_partner("root", "partner/new"), "party/new"),
        (publish("instrument/NEW"), "party/new"),
        (
            register_party("new", PartyKind::Academia, None),
            "partner/new",
        ),
        (recording(1, "KEN", record()), "party/new"),
    ] {
        command.subject = id(subject);
        world
            .when(&command)
            .then_refused(Code::WrongSubject, "subject");
    }
}
