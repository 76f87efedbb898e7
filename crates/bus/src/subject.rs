//! The names of the contract: subjects, streams, buckets.

use ledger_domain::wire::v1::endpoint::EndpointSpec;

/// Prefix of every subject of this version of the contract.
pub const PREFIX: &str = "ledger.v1";
/// What the node listens on for commands: one token, the partner's id, follows `cmd`.
pub const ALL_COMMANDS: &str = "ledger.v1.cmd.*";
/// The stream that holds every event, in the order of the log: sequence = position + 1.
pub const EVENT_STREAM: &str = "LEDGER_EVENTS";
/// Every event subject.
pub const ALL_EVENTS: &str = "ledger.v1.event.>";
/// The name of the NATS service that answers queries.
pub const SERVICE_NAME: &str = "compact-ledger";
/// The KV bucket with the lease of the node that takes commands.
pub const LEASE_BUCKET: &str = "ledger_lease";
/// The stream behind that bucket.
pub(crate) const LEASE_STREAM: &str = "KV_ledger_lease";
/// The subject of its one key, `holder`.
pub(crate) const LEASE_KEY: &str = "$KV.ledger_lease.holder";
/// The KV bucket with the fence: which node gave receipts last, and how many events its log had.
pub const FENCE_BUCKET: &str = "ledger_fence";
/// The stream behind that bucket.
pub(crate) const FENCE_STREAM: &str = "KV_ledger_fence";
/// The subject of its one key, `holder`.
pub(crate) const FENCE_KEY: &str = "$KV.ledger_fence.holder";
/// Group of the query endpoints.
pub const QUERY_GROUP: &str = "ledger.v1.query";

/// The subject on which a partner's commands are sent.
pub fn command(partner: &str) -> String {
    format!("{PREFIX}.cmd.{partner}")
}

/// The partner named by a command subject, or `None` when the subject is not one.
pub fn partner_of(subject: &str) -> Option<&str> {
    subject
        .strip_prefix("ledger.v1.cmd.")
        .filter(|partner| !partner.is_empty() && !partner.contains('.'))
}

/// The subject of an event: `country` is the ISO alpha-3 code of the lead party's country, or `INT`.
pub fn event(country: &str, event: &str) -> String {
    format!("{PREFIX}.event.{country}.{event}")
}

/// Whether an answer may be sent to the subject that somebody asked for it on. The ledger's own subjects and the server's
/// are closed to answers: whoever may only send commands could else have the ledger itself publish into the event stream,
/// send commands, purge a stream or write a view.
pub fn takes_answers(reply_to: &str) -> bool {
    let first = reply_to.split('.').next().unwrap_or_default();
    first != "ledger" && !first.starts_with('$')
}

/// The subject of an endpoint with its argument, such as `ledger.v1.query.country.KEN`; no argument is an empty one.
pub fn query(endpoint: &EndpointSpec, argument: &str) -> String {
    let subject = endpoint.subject;
    match argument {
        "" => format!("{QUERY_GROUP}.{subject}"),
        argument => format!("{QUERY_GROUP}.{subject}.{argument}"),
    }
}

/// The KV bucket of a projection: `country`, `action` or `summary`.
pub fn bucket(projection: &str) -> String {
    format!("ledger_{projection}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_subject_names_its_partner() {
        assert_eq!(partner_of(&command("import-upr")), Some("import-upr"));
        assert_eq!(partner_of("ledger.v1.cmd."), None);
        assert_eq!(partner_of("ledger.v1.cmd.a.b"), None);
        assert_eq!(partner_of("ledger.v1.query.head"), None);
    }

    #[test]
    fn answers_go_to_no_subject_of_the_ledger_or_the_server() {
        for inbox in ["_INBOX.a.1", "partner.receipts", "ledgers.a", "a.$JS.API"] {
            assert!(takes_answers(inbox), "{inbox}");
        }
        for closed in [
            "ledger.v1.event.INT.x",
            "ledger.v1.cmd.root",
            "ledger",
            "$JS.API.STREAM.PURGE.LEDGER_EVENTS",
            "$KV.ledger_country.KEN",
            "$JS.ACK.LEDGER_EVENTS.c.1.1.1.1.1",
        ] {
            assert!(!takes_answers(closed), "{closed}");
        }
    }
}
