//! A ledger in which everything can happen next, and every command as that ledger accepts it.

use ledger_domain::ids::Position;
use ledger_domain::wire::v1::Command;

use crate::support::{World, about, commitment, committed, digest, evidenced, say};

/// Commitment 1 of KEN with a report of its own, contested by NBO and assessed by IND, and with evidence without a digest; commitment 2 of KEN; and a review.
pub(crate) struct Rich {
    pub(crate) world: World,
    pub(crate) report: Position,
    pub(crate) contest: Position,
    pub(crate) assessment: Position,
    pub(crate) undigested: Position,
}

pub(crate) fn rich() -> Rich {
    let second = commitment(2).to_string();
    let recording = r#"{"title":"Another","actions":["GCM-10"]}"#;
    let world = committed()
        .and(&say("gov", "KEN", &second, "record_commitment", recording))
        .and(&say(
            "sec",
            "UNNM",
            "review/R1",
            "open_review",
            r#"{"title":"Forum"}"#,
        ))
        .and(&evidenced("2025"));
    let report = world.last();
    let contest = format!(r#"{{"report":"{report}","reason":"Not so"}}"#);
    let world = world.and(&about("gov", "NBO", "contest_report", &contest));
    let contest = world.last();
    let assessment = r#"{"method":"IRM","method_version":"1","grade":"Limited"}"#;
    let world = world.and(&about("ind", "IND", "assess_progress", assessment));
    let assessment = world.last();
    let attaching = r#"{"evidence":[{"url":"https://example.org/undigested"}]}"#;
    let world = world.and(&about("gov", "KEN", "attach_evidence", attaching));
    let undigested = world.last();
    Rich {
        world,
        report,
        contest,
        assessment,
        undigested,
    }
}

impl Rich {
    /// Every command about commitment 1 that its world accepts as it is: who sends it for whom, its name and its data.
    fn about_commitment(&self) -> Vec<(&'static str, &'static str, &'static str, String)> {
        let (report, contest, assessment) = (self.report, self.contest, self.assessment);
        let undigested = self.undigested;
        let sha = digest(1);
        let piece = format!(
            r#""evidence":[{{"sha256":"{}","url":"https://example.org/a","title":"Gazette"}}]"#,
            digest(9)
        );
        let successor = commitment(2);
        let plain = r#"{"reason":"Because","effective":"2026-06"}"#.to_owned();
        vec![
            ("gov", "KEN", "report_progress", format!(r#"{{"period":{{"from":"2026-01","to":"2026-06"}},"stage":"planning","indicators":[{{"name":"visas","value":7,"unit":"a year"}}],"narrative":"Going on",{piece}}}"#)),
            ("gov", "KEN", "amend_commitment", r#"{"title":"Visas","description":"More","due":"2029","measure":{"indicator":"visas","unit":"a year","target":3},"actions":["GCM-10"],"countries":["KEN"],"nature":"process","made":"2026-05","form":"common","participants":[{"party":"NBO","role":"partner"}],"milestones":[{"name":"Budget","due":"2028"}],"reason":"Plan","effective":"2026-06"}"#.to_owned()),
            ("gov", "UGA", "confirm_participation", r#"{"note":"Yes","effective":"2026-06"}"#.to_owned()),
            ("gov", "UGA", "leave_commitment", plain.clone()),
            ("gov", "KEN", "withdraw_commitment", plain.clone()),
            ("gov", "KEN", "suspend_commitment", plain.clone()),
            ("gov", "KEN", "lapse_commitment", plain),
            ("gov", "KEN", "supersede_commitment", format!(r#"{{"successor":"{successor}","reason":"Merged","effective":"2026-06"}}"#)),
            ("gov", "KEN", "close_commitment", r#"{"outcome":"fulfilled","reason":"Done","effective":"2026-06"}"#.to_owned()),
            ("gov", "UGA", "reach_milestone", format!(r#"{{"milestone":"Law","reached":"2026-06","note":"Signed",{piece}}}"#)),
            ("gov", "KEN", "correct_report", format!(r#"{{"report":"{report}","stage":"stalled","indicators":[{{"name":"visas","value":7,"unit":"a year"}}],"narrative":"Less",{piece},"reason":"Typo"}}"#)),
            ("gov", "KEN", "retract_report", format!(r#"{{"report":"{report}","reason":"Wrong"}}"#)),
            ("gov", "UGA", "contest_report", format!(r#"{{"report":"{report}","reason":"Wrong",{piece}}}"#)),
            ("gov", "KEN", "answer_contest", format!(r#"{{"contest":"{contest}","answer":"Right"}}"#)),
            ("sec", "UNNM", "resolve_contest", format!(r#"{{"contest":"{contest}","outcome":"upheld","reason":"Wrong"}}"#)),
            ("focal", "KEN", "validate_report", format!(r#"{{"report":"{report}","note":"Seen"}}"#)),
            ("sec", "UNNM", "return_report", format!(r#"{{"report":"{report}","reason":"Unclear"}}"#)),
            ("ind", "UNI", "assess_progress", format!(r#"{{"method":"IRM","method_version":"1","grade":"Some","completion":"limited","period":{{"from":"2025","to":"2026"}},"assessed":"2026-06","summary":"Half",{piece}}}"#)),
            ("ind", "UNI", "assess_ambition", r#"{"method":"IRM","method_version":"1","grades":[{"dimension":"specificity","grade":"Low"}],"assessed":"2026-06","summary":"Half"}"#.to_owned()),
            ("ind", "IND", "revise_assessment", format!(r#"{{"assessment":"{assessment}","reason":"New","grade":"Much","completion":"substantial","summary":"More"}}"#)),
            ("ind", "UNI", "attach_evidence", format!(r#"{{"report":"{report}",{piece},"effective":"2026-06"}}"#)),
            ("gov", "KEN", "digest_evidence", format!(r#"{{"evidence":"{undigested}.0","sha256":"{sha}","reason":"Fetched","effective":"2026-06"}}"#)),
            ("gov", "KEN", "move_evidence", format!(r#"{{"sha256":"{sha}","url":"https://example.org/b","reason":"Moved","effective":"2026-06"}}"#)),
            ("gov", "KEN", "flag_evidence_unavailable", format!(r#"{{"sha256":"{sha}","reason":"Gone","effective":"2026-06"}}"#)),
        ]
    }

    /// Each command type once, with a world that accepts it.
    pub(crate) fn accepted(&self) -> Vec<(World, Command)> {
        let world = &self.world;
        let mut all: Vec<(World, Command)> = self
            .about_commitment()
            .into_iter()
            .map(|(partner, party, name, data)| (world.clone(), about(partner, party, name, &data)))
            .collect();
        for (before, name) in [
            ("suspend_commitment", "resume_commitment"),
            ("withdraw_commitment", "reinstate_commitment"),
        ] {
            let data = r#"{"reason":"Because","effective":"2026-06"}"#;
            let world = world.clone().and(&about("gov", "KEN", before, data));
            all.push((world, about("gov", "KEN", name, data)));
        }
        let third = commitment(3).to_string();
        let recording = format!(
            r#"{{"title":"Visas","description":"More","actions":["GCM-05a"],"nature":"process","matches":"{}","participants":[{{"party":"UGA","role":"partner"}}],"countries":["KEN"],"principles":["GP-1"],"measure":{{"indicator":"visas","unit":"a year","baseline":1,"target":2.5}},"made":"2026","due":"2028","milestones":[{{"name":"Law","due":"2027"}}],"source":{{"system":"UPR","reference":"1","url":"https://example.org/1"}}}}"#,
            commitment(2)
        );
        all.push((
            world.clone(),
            say("gov", "KEN", &third, "record_commitment", &recording),
        ));
        for (partner, party, subject, name, data) in ADMINISTRATION {
            all.push((world.clone(), say(partner, party, subject, name, data)));
        }
        all
    }
}

const ADMINISTRATION: [(&str, &str, &str, &str, &str); 13] = [
    (
        "root",
        "ledger",
        "partner/new",
        "register_partner",
        r#"{"name":"New","roles":["reporter"],"parties":["KEN"],"focal_point_for":["KEN"]}"#,
    ),
    (
        "root",
        "ledger",
        "partner/gov",
        "change_partner",
        r#"{"name":"Other"}"#,
    ),
    (
        "root",
        "ledger",
        "partner/gov",
        "revoke_partner",
        r#"{"reason":"Key lost"}"#,
    ),
    (
        "sec",
        "UNNM",
        "instrument/NEW",
        "publish_instrument",
        r#"{"title":"New","kind":"other","adopted":"2026-06","symbol":"A/1","url":"https://example.org/","principles":[{"code":"NP-1","name":"First"}]}"#,
    ),
    (
        "sec",
        "UNNM",
        "instrument/OTHER",
        "catalogue_action",
        r#"{"code":"OTH-2","title":"Second","text_status":"seen","description":"More"}"#,
    ),
    (
        "sec",
        "UNNM",
        "instrument/OTHER",
        "amend_action_text",
        r#"{"code":"OTH-1","title":"First","description":"More","reason":"Read"}"#,
    ),
    (
        "sec",
        "UNNM",
        "instrument/OTHER",
        "map_actions",
        r#"{"from":"OTH-1","to":["GCM-10"],"basis":"Its text"}"#,
    ),
    (
        "sec",
        "UNNM",
        "party/ABC",
        "register_party",
        r#"{"name":"A body","kind":"academia"}"#,
    ),
    (
        "sec",
        "UNNM",
        "party/NBO",
        "amend_party",
        r#"{"name":"Nairobi City","reason":"A new name","effective":"2026-06"}"#,
    ),
    (
        "sec",
        "UNNM",
        "party/NBO",
        "change_party_status",
        r#"{"status":"inactive","reason":"Merged"}"#,
    ),
    (
        "sec",
        "UNNM",
        "review/R2",
        "open_review",
        r#"{"title":"Second","from":"2026-05","to":"2026-06","instrument":"OTHER"}"#,
    ),
    (
        "sec",
        "UNNM",
        "review/R1",
        "record_statement",
        r#"{"speaker":"KEN","statement":"We go on","url":"https://example.org/","made":"2026-06"}"#,
    ),
    (
        "sec",
        "UNNM",
        "review/R1",
        "close_review",
        r#"{"note":"Done"}"#,
    ),
];
