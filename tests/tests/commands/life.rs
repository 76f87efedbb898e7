//! The whole life of a commitment over NATS: every command that changes one, each decided on state that was folded from the log.

use std::collections::{BTreeMap, BTreeSet};

use ledger_domain::RejectionCode as Code;
use ledger_domain::wire::v1::{CommandType, Receipt, Status};
use ledger_tests::System;
use uuid::Uuid;

const ONE: &str = "0197a5b4-6d1e-7c3a-9f00-000000000001";
const TWO: &str = "0197a5b4-6d1e-7c3a-9f00-000000000002";
const ANOTHER: &str = "6f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";
const SHA: &str = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

/// `<partner> <party> <subject> <command> <data>`; a line that begins with `name=` names the position of what it becomes, and
/// `<name>` stands for that position in what follows.
const LIFE: &str = r#"
root ledger partner/tester register_partner {"name":"T","roles":["reporter"],"parties":["KEN","UGA","TZA"]}
root ledger partner/point register_partner {"name":"P","roles":["reporter"],"parties":["KEN"],"focal_point_for":["KEN"]}
root ledger partner/bureau register_partner {"name":"B","roles":["secretariat"],"parties":["FRA"]}
root ledger partner/judge register_partner {"name":"J","roles":["assessor"],"parties":["CHE","UGA"]}
tester KEN ONE record_commitment {"title":"Visas","actions":["GCM-05a"],"participants":[{"party":"UGA","role":"partner"}],"milestones":[{"name":"Law"}],"due":"2028"}
tester KEN TWO record_commitment {"title":"More visas","actions":["GCM-05a"]}
tester UGA ONE confirm_participation {"note":"With pleasure"}
tester KEN ONE amend_commitment {"participants":[{"party":"TZA","role":"supporter"}],"milestones":[{"name":"Budget"}],"due":"2029","reason":"Wider"}
tester TZA ONE leave_commitment {"reason":"No budget"}
tester UGA ONE reach_milestone {"milestone":"Law","reached":"2026-03"}
first=tester KEN ONE report_progress {"period":{"from":"2025","to":"2025"},"stage":"planning"}
second=tester KEN ONE correct_report {"report":"<first>","stage":"in_progress","reason":"Counted twice"}
tester KEN ONE attach_evidence {"report":"<second>","evidence":[{"sha256":"SHA"}]}
tester KEN ONE move_evidence {"sha256":"SHA","url":"https://example.org/report"}
judge CHE ONE flag_evidence_unavailable {"sha256":"SHA","reason":"Answers 404"}
link=tester KEN ONE attach_evidence {"evidence":[{"url":"https://example.org/note"}]}
tester KEN ONE flag_evidence_unavailable {"evidence":"<link>.0","reason":"Answers 404"}
judge CHE ONE digest_evidence {"evidence":"<link>.0","sha256":"ANOTHER"}
tester KEN ONE move_evidence {"evidence":"<link>.0","url":"https://example.org/found"}
contest=tester UGA ONE contest_report {"report":"<second>","reason":"Fewer"}
tester KEN ONE answer_contest {"contest":"<contest>","answer":"No"}
bureau FRA ONE resolve_contest {"contest":"<contest>","outcome":"dismissed","reason":"The register agrees"}
bureau FRA ONE return_report {"report":"<second>","reason":"Say where"}
point KEN ONE validate_report {"report":"<second>"}
third=tester UGA ONE report_progress {"period":{"from":"2025","to":"2025"},"stage":"stalled"}
tester UGA ONE retract_report {"report":"<third>","reason":"Another commitment"}
grade=judge CHE ONE assess_progress {"method":"IRM","method_version":"1","grade":"Some","completion":"substantial"}
judge CHE ONE assess_ambition {"method":"IRM","method_version":"1","grades":[{"dimension":"specificity","grade":"Low"}]}
judge CHE ONE revise_assessment {"assessment":"<grade>","completion":"limited","reason":"Read again"}
tester KEN ONE suspend_commitment {"reason":"Elections"}
bureau FRA ONE resume_commitment {"reason":"They are over"}
tester KEN ONE lapse_commitment {"reason":"Its register archived it"}
tester KEN ONE amend_commitment {"made":"2025-02","form":"common","reason":"It was signed then"}
bureau FRA ONE reinstate_commitment {"reason":"It goes on"}
bureau FRA party/UGA amend_party {"name":"Another name","reason":"It asked for it"}
tester KEN ONE supersede_commitment {"successor":"TWO","reason":"Wider"}
tester KEN TWO withdraw_commitment {"reason":"No budget"}
tester KEN TWO reinstate_commitment {"reason":"There is one"}
bureau FRA ONE reinstate_commitment {"reason":"By mistake"}
tester KEN ONE withdraw_commitment {"reason":"Law"}
tester KEN ONE reinstate_commitment {"reason":"Law again"}
tester KEN ONE close_commitment {"outcome":"fulfilled","reason":"Done"}
bureau FRA review/forum open_review {"title":"Forum","instrument":"GCM-2018"}
bureau FRA review/forum record_statement {"speaker":"KEN","statement":"We go on"}
bureau FRA review/forum close_review {}
"#;

/// What the rules refuse after all that, and why.
const AFTER: [(&str, Code); 12] = [
    (
        r#"tester KEN ONE correct_report {"report":"<first>","stage":"stalled","reason":"x"}"#,
        Code::ReportCorrectedAlready,
    ),
    (
        r#"tester UGA ONE contest_report {"report":"<third>","reason":"x"}"#,
        Code::ReportRetracted,
    ),
    (
        r#"tester KEN ONE answer_contest {"contest":"<contest>","answer":"x"}"#,
        Code::ContestResolved,
    ),
    (
        r#"tester KEN ONE digest_evidence {"evidence":"<link>.0","sha256":"SHA"}"#,
        Code::NothingToChange,
    ),
    (
        r#"tester KEN ONE move_evidence {"sha256":"ANOTHER","url":"https://example.org/found"}"#,
        Code::NothingToChange,
    ),
    (
        r#"tester KEN ONE attach_evidence {"report":"<second>","evidence":[{"sha256":"SHA"}]}"#,
        Code::NothingToChange,
    ),
    (
        r#"tester KEN ONE digest_evidence {"evidence":"<second>.0","sha256":"SHA"}"#,
        Code::UnknownEvidence,
    ),
    (
        r#"judge CHE ONE revise_assessment {"assessment":"<grade>","completion":"complete","reason":"x"}"#,
        Code::AssessmentRevisedAlready,
    ),
    (
        r#"judge UGA ONE assess_progress {"method":"IRM","method_version":"1","grade":"x"}"#,
        Code::AssessorParticipates,
    ),
    (
        "tester UGA ONE confirm_participation {}",
        Code::AlreadyConfirmed,
    ),
    (
        r#"tester KEN ONE report_progress {"period":{"from":"2026","to":"2026"},"stage":"planning"}"#,
        Code::StatusConflict,
    ),
    (
        "bureau FRA review/forum close_review {}",
        Code::ReviewClosed,
    ),
];

/// The ledger, and the positions that were named on the way.
struct Story {
    system: System,
    named: BTreeMap<String, u64>,
    told: u128,
}

impl Story {
    async fn tell(&mut self, line: &str) -> Receipt {
        let mut text = line
            .replace("SHA", SHA)
            .replace("ANOTHER", ANOTHER)
            .replace("ONE", ONE)
            .replace("TWO", TWO);
        for (name, position) in &self.named {
            text = text.replace(&format!("<{name}>"), &position.to_string());
        }
        let words: Vec<&str> = text.splitn(5, ' ').collect();
        let (partner, party, subject, name) = (words[0], words[1], words[2], words[3]);
        self.told += 1;
        let id = Uuid::from_u128(0x11fe << 100 | self.told);
        let command = format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"partner/{partner}","type":"ledger.{name}.v1","subject":"{subject}","time":"2026-11-23T08:30:00Z","party":"{party}","data":{}}}"#,
            words[4]
        );
        let receipts = self.system.ask(partner, command).await;
        receipts.into_iter().next().expect("a receipt")
    }

    async fn shows_its_evidence_and_when_it_was_said(&self) {
        let connection = self.system.connection();
        let answer = connection.commitment_state(ONE, None).await;
        let state = answer.expect("its state").state.expect("a state");
        let place = format!("{}.0", self.named["link"]);
        let mut pieces = state.evidence_pieces.iter();
        let digested = pieces.find(|piece| piece.evidence == place);
        let digested = digested.expect("the evidence that came without a digest");
        assert_eq!(digested.sha256.as_deref(), Some(ANOTHER));
        assert_eq!(digested.url.as_deref(), Some("https://example.org/found"));
        assert!(!digested.undigested && !digested.unavailable);
        // As it was known when it was named.
        let then = self.named["link"].to_string();
        let answer = connection.commitment_state(ONE, Some(&then)).await;
        let state = answer.expect("its state").state.expect("a state");
        let mut pieces = state.evidence_pieces.iter();
        let undigested = pieces.find(|piece| piece.evidence == place);
        assert!(undigested.is_some_and(|piece| piece.undigested && piece.sha256.is_none()));
        let history = connection.commitment(ONE, None).await.expect("its history");
        assert_eq!(history.partner_times.len(), history.events.len());
        for time in history.partner_times.values() {
            assert_eq!(time, "2026-11-23T08:30:00Z");
        }
        let recorded = history.events.first().expect("an event").get();
        assert!(!recorded.contains(r#""time":"2026-11-23T08:30:00Z""#));
    }

    async fn refuses(&mut self) {
        for (line, code) in AFTER {
            let before = self.system.tree_size().await;
            let receipt = self.tell(line).await;
            let refusal = receipt.rejection.expect(line);
            assert_eq!(refusal.code, code, "{line}: {refusal}");
            assert_eq!(self.system.tree_size().await, before);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commitment_lives_through_every_command_and_its_views_agree() {
    let system = System::start_whole(&["--cached-commitments", "1"]).await;
    let mut story = Story {
        system,
        named: BTreeMap::new(),
        told: 0,
    };
    let mut sent = BTreeSet::new();
    for line in LIFE.lines().filter(|line| !line.is_empty()) {
        let (name, line) = match line.split_once('=') {
            Some((name, rest)) if !name.contains(' ') => (Some(name), rest),
            _ => (None, line),
        };
        let receipt = story.tell(line).await;
        assert_eq!(receipt.status, Status::Accepted, "{line}: {receipt:?}");
        sent.insert(line.split(' ').nth(3).expect("a command"));
        if let Some(name) = name {
            story
                .named
                .insert(name.to_owned(), receipt.events[0].position);
        }
    }
    // The catalogue and the parties came with the seeds; their changes are tested elsewhere.
    let elsewhere = |kind: &CommandType| {
        matches!(
            kind,
            CommandType::ChangePartner
                | CommandType::RevokePartner
                | CommandType::PublishInstrument
                | CommandType::CatalogueAction
                | CommandType::AmendActionText
                | CommandType::MapActions
                | CommandType::RegisterParty
                | CommandType::ChangePartyStatus
        )
    };
    let missing: Vec<&str> = CommandType::ALL
        .iter()
        .filter(|kind| !elsewhere(kind))
        .map(|kind| kind.name())
        .filter(|name| !sent.contains(name))
        .collect();
    assert!(missing.is_empty(), "never sent: {missing:?}");
    story.shows_its_evidence_and_when_it_was_said().await;
    story.refuses().await;
    // The same from a state that was folded from the log alone.
    story.system.restart_node().await;
    story.refuses().await;
    story.system.verify().await;
}
