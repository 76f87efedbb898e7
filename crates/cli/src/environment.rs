//! What the environment says where no option does. Clap does not read it: it would show such an option in every usage line as if it were
//! required, and the value, which may be secret, in the help.

use ledger_bus::NatsAccess;

use crate::failure::Failure;

/// Names the nats-server, or several with commas between.
pub(crate) const NATS_URL: &str = "NATS_URL";
/// What the subjects begin with on which answers are taken.
pub(crate) const NATS_INBOX_PREFIX: &str = "NATS_INBOX_PREFIX";

/// Where the ledger is looked for if nothing says otherwise.
const DEFAULT_SERVER: &str = "nats://127.0.0.1:4222";

/// The nats-server, and who this process is to it: as the options say, else the environment.
pub(crate) fn nats_access(
    servers: Option<String>,
    inbox_prefix: Option<String>,
) -> Result<NatsAccess, Failure> {
    let servers = match servers {
        Some(servers) => servers,
        None => variable(NATS_URL)?.unwrap_or_else(|| DEFAULT_SERVER.to_owned()),
    };
    let prefix = match inbox_prefix {
        Some(prefix) => Some(prefix),
        None => variable(NATS_INBOX_PREFIX)?,
    };
    let prefix = prefix.map(|prefix| prefix.parse()).transpose();
    let prefix =
        prefix.map_err(|error: ledger_bus::PrefixError| Failure::usage(error.to_string()))?;
    Ok(NatsAccess::from(servers).with_inbox_prefix(prefix))
}

/// A variable's value; an empty one says nothing.
pub(crate) fn variable(name: &str) -> Result<Option<String>, Failure> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Failure::usage(format!(
            "{name} cannot be used: it is not UTF-8"
        ))),
    }
}
