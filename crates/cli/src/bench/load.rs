//! The load: 60 % reports on random existing commitments, 40 % new commitments, with texts of real length.
//!
//! Bytes are made from templates before a round is timed, so that the generator's own work is not measured.

use bytes::Bytes;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

/// Share of reports among the commands, in percent.
pub(crate) const REPORT_PERCENT: u32 = 60;
/// Words of one free text: about 230 characters, the mean of the recommendations of the Universal Periodic Review.
const TEXT_WORDS: usize = 34;
/// The first commitments of a load stand before its reports can name any.
const FIRST_COMMITMENTS: usize = 100;

const WORDS: &[&str] = &[
    "access",
    "accountability",
    "adopt",
    "agreement",
    "assistance",
    "authorities",
    "awareness",
    "bilateral",
    "border",
    "capacity",
    "cases",
    "census",
    "children",
    "cities",
    "civil",
    "combat",
    "community",
    "comprehensive",
    "consular",
    "continue",
    "cooperation",
    "coordination",
    "countries",
    "courts",
    "data",
    "decent",
    "detention",
    "develop",
    "diaspora",
    "discrimination",
    "documents",
    "education",
    "efforts",
    "employers",
    "employment",
    "enhance",
    "ensure",
    "establish",
    "families",
    "framework",
    "fund",
    "gender",
    "government",
    "guidelines",
    "health",
    "housing",
    "identification",
    "identity",
    "implementation",
    "improve",
    "inclusion",
    "information",
    "inspection",
    "institutions",
    "integration",
    "international",
    "investigate",
    "judges",
    "labour",
    "language",
    "law",
    "legal",
    "legislation",
    "local",
    "measures",
    "mechanism",
    "members",
    "migrants",
    "migration",
    "ministry",
    "mobility",
    "monitoring",
    "municipal",
    "national",
    "network",
    "officers",
    "organizations",
    "partners",
    "pathways",
    "persons",
    "plan",
    "police",
    "policy",
    "practice",
    "prevention",
    "principles",
    "procedures",
    "programme",
    "promote",
    "prosecution",
    "protection",
    "provide",
    "public",
    "qualifications",
    "recognition",
    "recruitment",
    "referral",
    "regional",
    "registration",
    "reintegration",
    "remittances",
    "report",
    "residence",
    "resources",
    "return",
    "review",
    "rights",
    "rural",
    "safe",
    "schools",
    "screening",
    "secretariat",
    "security",
    "services",
    "shelter",
    "skills",
    "smuggling",
    "social",
    "standards",
    "statistics",
    "strategy",
    "strengthen",
    "students",
    "support",
    "survey",
    "system",
    "technical",
    "trafficking",
    "training",
    "transfer",
    "transit",
    "translation",
    "trends",
    "unaccompanied",
    "union",
    "university",
    "urban",
    "vaccination",
    "victims",
    "visa",
    "voluntary",
    "vulnerable",
    "welfare",
    "witness",
    "women",
    "workers",
    "young",
];

/// Makes commands of the partner `bench`.
pub(crate) struct Load {
    rng: SmallRng,
    parties: Vec<String>,
    actions: Vec<String>,
    /// Commitments made so far, with who leads each.
    commitments: Vec<(Uuid, u16)>,
}

impl Load {
    pub(crate) fn new(seed: u64, parties: Vec<String>, actions: Vec<String>) -> Self {
        Self {
            rng: SmallRng::seed_from_u64(seed),
            parties,
            actions,
            commitments: Vec::new(),
        }
    }

    /// The next commands, in the order in which they must be sent.
    pub(crate) fn commands(&mut self, count: usize) -> Vec<Bytes> {
        (0..count).map(|_| self.command()).collect()
    }

    /// The next commands as arrays of `batch` commands each.
    pub(crate) fn batches(&mut self, count: usize, batch: usize) -> Vec<Bytes> {
        (0..count.div_ceil(batch))
            .map(|_| {
                let mut array = vec![b'['];
                for index in 0..batch {
                    if index > 0 {
                        array.push(b',');
                    }
                    array.extend_from_slice(&self.command());
                }
                array.push(b']');
                array.into()
            })
            .collect()
    }

    fn command(&mut self) -> Bytes {
        let reports = self.commitments.len() >= FIRST_COMMITMENTS
            && self.rng.random_ratio(REPORT_PERCENT, 100);
        if reports {
            self.report()
        } else {
            self.record()
        }
        .into()
    }

    fn record(&mut self) -> String {
        let subject = self.uuid();
        let party = self.rng.random_range(0..self.parties.len());
        let lead = self.parties.get(party).cloned().unwrap_or_default();
        self.commitments
            .push((subject, u16::try_from(party).unwrap_or_default()));
        let (title, description) = (self.text(9), self.text(TEXT_WORDS));
        let (first, second) = (self.action(), self.action());
        let actions = if first == second {
            format!("\"{first}\"")
        } else {
            format!("\"{first}\",\"{second}\"")
        };
        let made = self.rng.random_range(2018..2026);
        let due = self.rng.random_range(2027..2035);
        let target = self.rng.random_range(100..100_000);
        self.envelope(
            "record_commitment",
            subject,
            &lead,
            &format!(
                r#"{{"title":"{title}","description":"{description}","actions":[{actions}],"nature":"process","measure":{{"indicator":"persons reached","unit":"persons","baseline":0,"target":{target}}},"made":"{made}","due":"{due}-12"}}"#
            ),
        )
    }

    fn report(&mut self) -> String {
        let (subject, party) = self
            .commitments
            .choose(&mut self.rng)
            .copied()
            .unwrap_or_default();
        let lead = self
            .parties
            .get(usize::from(party))
            .cloned()
            .unwrap_or_default();
        let year = self.rng.random_range(2019..2026);
        let half = if self.rng.random_bool(0.5) {
            ("01", "06")
        } else {
            ("07", "12")
        };
        let stage = if self.rng.random_bool(0.8) {
            "in_progress"
        } else {
            "planning"
        };
        let value = self.rng.random_range(0..100_000);
        let narrative = self.text(TEXT_WORDS);
        self.envelope(
            "report_progress",
            subject,
            &lead,
            &format!(
                r#"{{"period":{{"from":"{year}-{}","to":"{year}-{}"}},"stage":"{stage}","indicators":[{{"name":"persons reached","value":{value},"unit":"persons"}}],"narrative":"{narrative}","no_evidence_reason":"published at the end of the year"}}"#,
                half.0, half.1
            ),
        )
    }

    fn envelope(&mut self, command: &str, subject: Uuid, party: &str, data: &str) -> String {
        let id = self.uuid();
        format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"partner/bench","type":"ledger.{command}.v1","subject":"{subject}","time":"2026-01-05T09:00:00Z","party":"{party}","data":{data}}}"#
        )
    }

    fn uuid(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.rng.random()).into_uuid()
    }

    fn action(&mut self) -> String {
        self.actions
            .choose(&mut self.rng)
            .cloned()
            .unwrap_or_default()
    }

    fn text(&mut self, words: usize) -> String {
        let mut text = String::with_capacity(words * 9);
        for index in 0..words {
            if index > 0 {
                text.push(' ');
            }
            text.push_str(WORDS.choose(&mut self.rng).copied().unwrap_or("and"));
        }
        text
    }
}
