//! The environment's settings where no option is given. Clap does not read them: it would show such
//! an option in every usage line as if it were required. It would also show the value, which may be
//! secret, in the help.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ledger_bus::NatsAccess;

use crate::failure::Failure;

/// Names the nats-server, or several with commas between.
pub(crate) const NATS_URL: &str = "NATS_URL";
/// The beginning of the subjects on which answers are taken.
pub(crate) const NATS_INBOX_PREFIX: &str = "NATS_INBOX_PREFIX";

/// The address of HTTP: the roles serve it, `health` asks it.
pub(crate) const LEDGER_HTTP: &str = "LEDGER_HTTP";
/// The filter of the roles' log.
pub(crate) const RUST_LOG: &str = "RUST_LOG";

/// Where `up` serves HTTP, and `health` asks, if nothing says otherwise.
const DEFAULT_HTTP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

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

/// The address to serve HTTP on, if there is one: as the option says, else the environment.
pub(crate) fn http_address(option: Option<SocketAddr>) -> Result<Option<SocketAddr>, Failure> {
    if option.is_some() {
        return Ok(option);
    }
    let named = variable(LEDGER_HTTP)?;
    let address = named.map(|named| {
        bare(&named).parse().map_err(|_| {
            Failure::usage(format!(
                "{LEDGER_HTTP} is no address to serve on: write an IP address and a port, like {DEFAULT_HTTP}"
            ))
        })
    });
    address.transpose()
}

/// The same where HTTP is served in any case.
pub(crate) fn http_address_or_default(option: Option<SocketAddr>) -> Result<SocketAddr, Failure> {
    Ok(http_address(option)?.unwrap_or(DEFAULT_HTTP))
}

/// Where to ask whether a ledger is ready: as the option says, else the environment.
pub(crate) fn ready_url(option: Option<String>) -> Result<String, Failure> {
    if let Some(url) = option {
        return Ok(url);
    }
    let named = variable(LEDGER_HTTP)?;
    Ok(ready_url_at(
        &named.unwrap_or_else(|| DEFAULT_HTTP.to_string()),
    ))
}

fn ready_url_at(named: &str) -> String {
    let host = bare(named);
    // Where a role serves on all addresses, this machine has one of them.
    let host = match host.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_unspecified() => {
            let ip = if address.is_ipv4() {
                IpAddr::V4(Ipv4Addr::LOCALHOST)
            } else {
                IpAddr::V6(Ipv6Addr::LOCALHOST)
            };
            SocketAddr::new(ip, address.port()).to_string()
        }
        Ok(_) | Err(_) => host.to_owned(),
    };
    format!("http://{host}/readyz")
}

/// An address without what makes a URL of it.
fn bare(named: &str) -> &str {
    let rest = named.strip_prefix("http://").unwrap_or(named);
    rest.strip_suffix('/').unwrap_or(rest)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_asks_where_a_role_with_the_same_address_serves() {
        for (named, url) in [
            ("127.0.0.1:8081", "http://127.0.0.1:8081/readyz"),
            ("http://127.0.0.1:8081/", "http://127.0.0.1:8081/readyz"),
            ("0.0.0.0:8081", "http://127.0.0.1:8081/readyz"),
            ("[::]:8081", "http://[::1]:8081/readyz"),
            ("node:8081", "http://node:8081/readyz"),
        ] {
            assert_eq!(ready_url_at(named), url);
        }
    }
}
