//! The rules of ids, which stand for ever: no personal identifier is one, and no two differ in the case of letters only.

use ledger_domain::RejectionCode as Code;
use ledger_domain::wire::v1::Command;

use crate::support::{about, committed, given, say};

fn register_party(id: &str) -> Command {
    let data = r#"{"name":"A body","kind":"academia"}"#;
    say(
        "sec",
        "UNNM",
        &format!("party/{id}"),
        "register_party",
        data,
    )
}

fn register_partner(id: &str, parties: &str) -> Command {
    let data = format!(r#"{{"name":"A system","roles":["reporter"],"parties":{parties}}}"#);
    say(
        "root",
        "ledger",
        &format!("partner/{id}"),
        "register_partner",
        &data,
    )
}

fn publish_instrument(id: &str) -> Command {
    let data =
        r#"{"title":"An instrument","kind":"other","principles":[{"code":"PP-1","name":"One"}]}"#;
    say(
        "sec",
        "UNNM",
        &format!("instrument/{id}"),
        "publish_instrument",
        data,
    )
}

fn open_review(id: &str) -> Command {
    say(
        "sec",
        "UNNM",
        &format!("review/{id}"),
        "open_review",
        r#"{"title":"A review"}"#,
    )
}

fn catalogue_action(code: &str) -> Command {
    let data = format!(r#"{{"code":"{code}","title":"x","text_status":"seen"}}"#);
    say(
        "sec",
        "UNNM",
        "instrument/GCM-2018",
        "catalogue_action",
        &data,
    )
}

#[test]
fn no_id_that_is_given_for_ever_is_a_personal_identifier() {
    for id in [
        "254712345678",
        "0712345678",
        "0712-345-678",
        "phone_4567890",
        "KEN-254712345678",
        "amina0712345678",
        "id-0712345678",
        "passport-A1234567",
    ] {
        for command in [
            register_party(id),
            register_partner(id, r#"["KEN"]"#),
            publish_instrument(id),
            open_review(id),
        ] {
            given()
                .when(&command)
                .then_refused(Code::PersonalDataRefused, "subject");
        }
        let parties = format!(r#"["KEN","{id}"]"#);
        given()
            .when(&register_partner("new", &parties))
            .then_refused(Code::PersonalDataRefused, "data.parties[1]");
        let change = format!(r#"{{"parties":["{id}"]}}"#);
        given()
            .when(&say(
                "root",
                "ledger",
                "partner/gov",
                "change_partner",
                &change,
            ))
            .then_refused(Code::PersonalDataRefused, "data.parties[0]");
        for (method, version, field) in [(id, "1", "method"), ("OGP-IRM", id, "method_version")] {
            let assess = format!(
                r#"{{"method":"{method}","method_version":"{version}","grade":"Limited"}}"#
            );
            committed()
                .when(&about("ind", "IND", "assess_progress", &assess))
                .then_refused(Code::PersonalDataRefused, &format!("data.{field}"));
        }
    }
    for code in ["TEL-0712345678", "T-254712345678"] {
        given()
            .when(&catalogue_action(code))
            .then_refused(Code::PersonalDataRefused, "data.code");
    }
    for id in [
        "NAIROBI",
        "GB-COH-01234567",
        "FR-SIRET-73282932000074",
        "isni-0000000121032683",
        "IMRF-2026",
        "2018-2020",
        "20260507",
    ] {
        given().when(&register_party(id)).accepted();
        given().when(&open_review(id)).accepted();
    }
}

#[test]
fn no_two_ids_of_a_kind_differ_in_the_case_of_letters_only() {
    let refused = |command: Command, code: Code, field: &str, other: &str| {
        let rejection = given()
            .and(&open_review("IMRF-2026"))
            .decide(&command)
            .expect_err("refused");
        assert_eq!(
            (rejection.code, rejection.field.as_deref()),
            (code, Some(field))
        );
        assert!(rejection.message.contains(other), "{rejection}");
    };
    for id in ["ngo", "Ngo"] {
        refused(register_party(id), Code::PartyExists, "subject", "NGO");
    }
    refused(
        register_partner("GOV", r#"["KEN"]"#),
        Code::PartnerExists,
        "subject",
        "gov",
    );
    refused(
        register_partner("Root", r#"["KEN"]"#),
        Code::PartnerExists,
        "subject",
        "root",
    );
    refused(
        publish_instrument("gcm-2018"),
        Code::InstrumentExists,
        "subject",
        "GCM-2018",
    );
    refused(
        open_review("imrf-2026"),
        Code::ReviewExists,
        "subject",
        "IMRF-2026",
    );
    refused(
        catalogue_action("GCM-05A"),
        Code::ActionExists,
        "data.code",
        "GCM-05a",
    );
    // One word may name a party and a partner.
    given()
        .when(&register_partner("NGO-1", r#"["KEN"]"#))
        .accepted();
    given().when(&register_party("gov")).accepted();
}

#[test]
fn no_party_has_a_countrys_code_in_other_letters() {
    for id in ["ken", "tza", "Tza", "fRA"] {
        let command = register_party(id);
        let rejection = given().decide(&command).expect_err("refused");
        assert!(
            matches!(rejection.code, Code::PartyExists | Code::CountryMismatch),
            "{rejection}"
        );
        assert!(
            rejection.message.contains(&id.to_ascii_uppercase()),
            "{rejection}"
        );
    }
}

#[test]
fn no_party_differs_from_the_roots_own_in_the_case_of_letters_only() {
    for id in ["LEDGER", "Ledger"] {
        given()
            .when(&register_party(id))
            .then_refused(Code::PartyExists, "subject");
    }
    given().when(&register_party("ledger")).accepted();
}

#[test]
fn no_party_reads_like_a_country_or_like_none() {
    for id in ["ug", "UG", "Tz", "KE", "int", "INT", "Int"] {
        given()
            .when(&register_party(id))
            .then_refused(Code::CountryMismatch, "subject");
    }
    for id in ["XKX", "UN", "AFRICA"] {
        given().when(&register_party(id)).accepted();
    }
}

#[test]
fn a_partner_speaks_for_no_party_that_nobody_can_register() {
    for (parties, code, index) in [
        (r#"["KIR","kir"]"#, Code::DuplicateValue, 1),
        (r#"["Mombasa","KIR","MOMBASA"]"#, Code::DuplicateValue, 2),
        (r#"["ken"]"#, Code::PartyExists, 0),
        (r#"["KEN","ngo"]"#, Code::PartyExists, 1),
        (r#"["LEDGER"]"#, Code::PartyExists, 0),
        (r#"["kir"]"#, Code::CountryMismatch, 0),
        (r#"["KI"]"#, Code::CountryMismatch, 0),
        (r#"["INT"]"#, Code::CountryMismatch, 0),
    ] {
        let field = format!("data.parties[{index}]");
        given()
            .when(&register_partner("new", parties))
            .then_refused(code, &field);
        let change = format!(r#"{{"parties":{parties}}}"#);
        let change = say("root", "ledger", "partner/gov", "change_partner", &change);
        given().when(&change).then_refused(code, &field);
    }
    let parties = r#"["KEN","KIR","Mombasa","ledger"]"#;
    given().when(&register_partner("new", parties)).accepted();
}

#[test]
fn no_tag_of_a_language_holds_a_personal_identifier() {
    let record = |tag: &str| {
        let data = format!(r#"{{"title":"Visas","actions":["GCM-05a"],"language":"{tag}"}}"#);
        about("gov", "KEN", "record_commitment", &data)
    };
    let report = |tag: &str| {
        let data = format!(
            r#"{{"period":{{"from":"2026","to":"2026"}},"stage":"planning","language":"{tag}"}}"#
        );
        about("gov", "KEN", "report_progress", &data)
    };
    for tag in [
        "x-07123456",
        "en-x-0712345-678",
        "en-a-0712-345678",
        "x-2547-12345678",
    ] {
        given()
            .when(&record(tag))
            .then_refused(Code::PersonalDataRefused, "data.language");
        committed()
            .when(&report(tag))
            .then_refused(Code::PersonalDataRefused, "data.language");
    }
    for tag in [
        "de-CH-1901",
        "frm-1606nict",
        "sl-rozaj-1994",
        "es-419",
        "en-x-2026",
    ] {
        given().when(&record(tag)).accepted();
        committed().when(&report(tag)).accepted();
    }
}
