//! Commands whose ids follow from their names.

use chrono::{DateTime, NaiveTime, Utc};
use ledger_domain::date::PartialDate;
use ledger_domain::ids::{CommandId, CommitmentId, PartnerId, PartyId, Subject};
use ledger_domain::wire::v1::{Command, CommandBody};
use uuid::Uuid;

/// Makes the commands of one importer.
pub(super) struct Sender {
    /// Namespace of all ids that it derives (UUID version 5); never to be changed, or a second import would record
    /// everything again.
    pub(super) namespace: Uuid,
    /// The time of commands that have no date of their own.
    pub(super) since: Option<PartialDate>,
}

impl Sender {
    /// The command of this name. Among the commands of one importer a name stands once.
    pub(super) fn command(
        &self,
        name: &str,
        (partner, party): (&PartnerId, &PartyId),
        subject: Subject,
        made: Option<PartialDate>,
        body: CommandBody,
    ) -> Command {
        Command {
            id: CommandId(self.derived(name)),
            partner: partner.clone(),
            subject,
            time: made.or(self.since).map(start_of).unwrap_or_default(),
            party: party.clone(),
            expected_version: None,
            nonce: None,
            body,
        }
    }

    /// The commitment that the source knows by this reference.
    pub(super) fn commitment(&self, reference: &str) -> CommitmentId {
        CommitmentId(self.derived(&format!("commitment {reference}")))
    }

    fn derived(&self, name: &str) -> Uuid {
        Uuid::new_v5(&self.namespace, name.as_bytes())
    }
}

fn start_of(date: PartialDate) -> DateTime<Utc> {
    date.first_day().and_time(NaiveTime::MIN).and_utc()
}
