//! Commands for tests: valid unless a test makes them otherwise.

use chrono::{DateTime, TimeZone as _, Utc};
use ledger_domain::PartialDate;
use ledger_domain::ids::{ActionCode, CommandId, CommitmentId, PartnerId, PartyId, Subject};
use ledger_domain::wire::v1::{
    Command, CommandBody, Period, RecordCommitment, RegisterPartner, ReportProgress, Role, Stage,
    WithdrawCommitment,
};
use uuid::Uuid;

/// Makes commands of one partner for one party, with ids that follow from a seed: the same seed makes the same bytes.
#[derive(Debug, Clone)]
pub struct Commander {
    partner: PartnerId,
    party: PartyId,
    seed: u64,
    made: u64,
}

impl Commander {
    /// A maker of commands.
    ///
    /// # Panics
    /// When an id is none.
    pub fn new(partner: &str, party: &str, seed: u64) -> Self {
        Self {
            partner: partner.parse().expect("a partner id"),
            party: party.parse().expect("a party id"),
            seed,
            made: 0,
        }
    }

    /// A command with this body, and an id that no other command of this maker has.
    ///
    /// # Panics
    /// When the subject is none.
    pub fn command(&mut self, subject: &str, body: CommandBody) -> Command {
        self.made += 1;
        Command {
            id: CommandId(self.id(self.made)),
            partner: self.partner.clone(),
            subject: subject.parse::<Subject>().expect("a subject"),
            time: moment(),
            party: self.party.clone(),
            expected_version: None,
            nonce: None,
            body,
        }
    }

    /// A new commitment that attaches to these actions.
    ///
    /// # Panics
    /// When an action code is none.
    pub fn record(&mut self, actions: &[&str]) -> (CommitmentId, Command) {
        let commitment = CommitmentId(self.id(self.made + 1 + (1 << 62)));
        let body = RecordCommitment {
            language: None,
            title: format!("Commitment {} of {}", self.made + 1, self.party),
            description: None,
            actions: actions.iter().map(|code| action(code)).collect(),
            form: None,
            nature: None,
            matches: None,
            participants: Vec::new(),
            countries: Vec::new(),
            principles: Vec::new(),
            measure: None,
            made: Some(date("2025")),
            due: Some(date("2030-12-31")),
            source: None,
            illustrative: false,
            milestones: Vec::new(),
        };
        let body = CommandBody::RecordCommitment(body);
        (commitment, self.command(&commitment.to_string(), body))
    }

    /// A report on a commitment for one month of 2026 (1 to 12).
    ///
    /// # Panics
    /// When there is no such month.
    pub fn report(&mut self, commitment: CommitmentId, month: u32, stage: Stage) -> Command {
        let period = Period {
            from: date(&format!("2026-{month:02}")),
            to: date(&format!("2026-{month:02}")),
        };
        let body = ReportProgress {
            language: None,
            period,
            stage,
            indicators: Vec::new(),
            narrative: Some("Work went on as planned.".to_owned()),
            evidence: Vec::new(),
            no_evidence_reason: Some("No document was published in this period.".to_owned()),
        };
        self.command(&commitment.to_string(), CommandBody::ReportProgress(body))
    }

    /// Withdraws a commitment.
    pub fn withdraw(&mut self, commitment: CommitmentId, reason: &str) -> Command {
        let body = WithdrawCommitment {
            reason: reason.to_owned(),
            effective: None,
        };
        self.command(
            &commitment.to_string(),
            CommandBody::WithdrawCommitment(body),
        )
    }

    /// Registers a partner that reports for these parties.
    ///
    /// # Panics
    /// When an id is none.
    pub fn register_reporter(&mut self, partner: &str, parties: &[&str]) -> Command {
        let party = |id: &&str| id.parse::<PartyId>().expect("a party id");
        let body = RegisterPartner {
            name: format!("Reporter {partner}"),
            roles: vec![Role::Reporter],
            parties: parties.iter().map(party).collect(),
            focal_point_for: Vec::new(),
        };
        let subject = format!("partner/{partner}");
        self.command(&subject, CommandBody::RegisterPartner(body))
    }

    fn id(&self, number: u64) -> Uuid {
        let name = format!("{} {} {}", self.partner, self.seed, number);
        Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
    }
}

/// The time that test commands carry.
///
/// # Panics
/// Never: the moment exists.
pub fn moment() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 1, 12, 0, 0)
        .single()
        .expect("a moment")
}

fn action(code: &str) -> ActionCode {
    code.parse().expect("an action code")
}

fn date(text: &str) -> PartialDate {
    text.parse().expect("a date")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_domain::wire::v1::Policy;

    #[test]
    fn every_command_is_one_that_the_ledger_can_read() {
        let mut commander = Commander::new("tester", "KEN", 1);
        let (commitment, record) = commander.record(&["GCM-01", "GCM-05a"]);
        let report = commander.report(commitment, 3, Stage::InProgress);
        let withdraw = commander.withdraw(commitment, "Replaced by a wider one.");
        for command in [&record, &report, &withdraw] {
            let read = Command::decode(&command.encode(), &Policy::default()).expect("readable");
            assert_eq!(&read, command);
        }
    }

    #[test]
    fn ids_follow_from_the_seed_and_never_repeat() {
        let ids = |seed| {
            let mut commander = Commander::new("tester", "KEN", seed);
            let pairs: Vec<_> = (0..50).map(|_| commander.record(&["GCM-01"])).collect();
            pairs
                .into_iter()
                .flat_map(|(commitment, command)| [commitment.0, command.id.0])
                .collect::<Vec<_>>()
        };
        let (first, again, other) = (ids(1), ids(1), ids(2));
        assert_eq!(first, again);
        let all: std::collections::BTreeSet<_> = first.iter().chain(&other).collect();
        assert_eq!(all.len(), 200);
    }
}
