//! The rules of texts: what can be seen in them, and whom they name.

use ledger_domain::RejectionCode as Code;
use ledger_domain::wire::v1::{Evidence, ReportProgress, Sha256};

use crate::commitments::committed;
use crate::form::{EXAMPLES, example};
use crate::support::{record, report, reporting};
use crate::wire::decode;

#[test]
fn a_name_is_one_line_in_one_direction_and_a_url_can_be_seen() {
    let (name, subject, data) = EXAMPLES
        .iter()
        .find(|(known, _, _)| *known == "publish_instrument")
        .expect("an example");
    let decode_with = |old: &str, new: &str| {
        let data = data.replace(old, new);
        decode(&example(name, subject, &data)).map(drop)
    };
    let refused = |code, field: &str| Err((code, Some(format!("data.{field}"))));
    for control in [
        '\u{2028}', '\u{2029}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}',
    ] {
        assert_eq!(
            decode_with("\"Compact", &format!("\"Com{control}pact")),
            refused(Code::ControlCharacter, "title")
        );
        assert_eq!(
            decode_with("example.org/", &format!("example.org/{control}")),
            refused(Code::ControlCharacter, "url")
        );
    }
    for joiner in ['\u{200e}', '\u{200f}', '\u{200d}', '\u{200c}'] {
        let title = decode_with("\"Compact", &format!("\"Com{joiner}pact"));
        assert_eq!(title, Ok(()));
        assert_eq!(
            decode_with("example.org/", &format!("example.org/{joiner}")),
            refused(Code::InvalidValue, "url")
        );
    }
    for url in [
        "https://",
        "https:///x",
        "https://a:b@example.org/",
        "ftp://example.org",
    ] {
        assert_eq!(
            decode_with("https://example.org/", url),
            refused(Code::InvalidValue, "url")
        );
    }
    assert_eq!(
        decode_with("https://example.org/", "HTTPS://example.org"),
        Ok(())
    );
}

#[test]
fn an_address_in_what_a_url_asks_for_is_a_persons() {
    let with_url = |url: &str| ReportProgress {
        evidence: vec![Evidence {
            sha256: Some(Sha256([1; 32])),
            url: Some(url.into()),
            title: None,
        }],
        ..report("2026", "2026")
    };
    let world = committed(record());
    world
        .when(&reporting(
            "KEN",
            with_url("https://example.org/?to=amina%40example.org"),
        ))
        .then_refused(Code::PersonalDataRefused, "data.evidence[0].url");
    world
        .when(&reporting(
            "KEN",
            with_url("https://example.org/@ministry?doc=0712345678"),
        ))
        .accepted();
}
