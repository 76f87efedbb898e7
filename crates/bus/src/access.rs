//! The way of a process to nats-server, and its identity there. The secrets in it are shown
//! nowhere.

use std::fmt;

use async_nats::{ConnectOptions, ServerAddr};
use thiserror::Error;

/// The form of an address with a user, for messages: these are no secrets.
pub(crate) const EXAMPLE: &str = "nats://USER:PASSWORD@host:4222, or nats://TOKEN@host:4222";
const EXAMPLES: [&str; 2] = ["USER:PASSWORD", "TOKEN"];
/// The sign that stands for a secret where an address is shown.
const HIDDEN: &str = "***";
/// Room for a user, a host and the token of a request beside it in a subject.
const MAX_PREFIX_BYTES: usize = 128;

/// The servers, the user and the place for answers of every connection that a process makes.
///
/// It is made of the text that people write: one address or several, separated by commas, each like
/// `nats://host:4222`, `nats://user:password@host` or `nats://token@host`. The text is read when a
/// connection is made. Neither `Display` nor `Debug` shows user, password or token.
#[derive(Clone, PartialEq, Eq)]
pub struct NatsAccess {
    servers: String,
    inbox_prefix: Option<InboxPrefix>,
}

impl NatsAccess {
    /// The same, with answers that come to subjects under `prefix`.
    #[must_use]
    pub fn with_inbox_prefix(mut self, prefix: Option<InboxPrefix>) -> Self {
        self.inbox_prefix = prefix;
        self
    }

    /// The first part of the subjects on which answers arrive.
    pub(crate) fn inbox_prefix(&self) -> &str {
        let prefix = self.inbox_prefix.as_ref();
        prefix.map_or("_INBOX", |InboxPrefix(prefix)| prefix)
    }

    /// Reads the text. An address that cannot be read fails here as it would at a connection.
    ///
    /// # Errors
    /// [`AddressError`], which repeats no secret.
    pub fn check(&self) -> Result<(), AddressError> {
        self.read().map(|_| ())
    }

    /// The servers without anything secret, and what this process shows them.
    fn read(&self) -> Result<(Vec<ServerAddr>, Option<Credentials>), AddressError> {
        let wrong = |why| AddressError {
            shown: shown_if_harmless(&self.servers),
            why,
        };
        let mut addresses = Vec::new();
        let mut credentials: Option<Credentials> = None;
        for server in self.servers.split(',') {
            let (address, own) = read_server(server.trim()).map_err(wrong)?;
            addresses.push(address);
            match (&credentials, own) {
                (Some(first), Some(other)) if *first != other => {
                    return Err(wrong(AddressFault::TwoUsers));
                }
                (None, Some(first)) => credentials = Some(first),
                (_, Some(_) | None) => {}
            }
        }
        Ok((addresses, credentials))
    }

    /// The addresses that the client connects to, and its options but for those of one connection.
    /// The identity of this process comes together here.
    pub(crate) fn options(&self) -> Result<(Vec<ServerAddr>, ConnectOptions), AddressError> {
        let (addresses, credentials) = self.read()?;
        let mut options = ConnectOptions::new();
        options = match credentials {
            None => options,
            Some(Credentials::User { name, password }) => options.user_and_password(name, password),
            Some(Credentials::Token(token)) => options.token(token),
        };
        if let Some(InboxPrefix(prefix)) = &self.inbox_prefix {
            options = options.custom_inbox_prefix(prefix);
        }
        Ok((addresses, options))
    }
}

impl From<&str> for NatsAccess {
    fn from(servers: &str) -> Self {
        servers.to_owned().into()
    }
}

impl From<String> for NatsAccess {
    fn from(servers: String) -> Self {
        Self {
            servers,
            inbox_prefix: None,
        }
    }
}

impl From<&String> for NatsAccess {
    fn from(servers: &String) -> Self {
        servers.clone().into()
    }
}

impl From<&Self> for NatsAccess {
    fn from(access: &Self) -> Self {
        access.clone()
    }
}

impl fmt::Display for NatsAccess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.read() {
            Ok((addresses, _)) => {
                let shown: Vec<String> = addresses.iter().map(plain_address).collect();
                formatter.write_str(&shown.join(","))
            }
            Err(_) => formatter.write_str(
                shown_if_harmless(&self.servers)
                    .as_deref()
                    .unwrap_or(HIDDEN),
            ),
        }
    }
}

impl fmt::Debug for NatsAccess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("NatsAccess")
            .field("servers", &self.to_string())
            .field("inbox_prefix", &self.inbox_prefix)
            .finish()
    }
}

/// The identity that a process gives.
#[derive(PartialEq, Eq)]
enum Credentials {
    User { name: String, password: String },
    Token(String),
}

/// An address of a nats-server cannot be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{}: {why}", named(.shown.as_deref()))]
pub struct AddressError {
    /// The address as given, where nothing in it can be a secret.
    pub shown: Option<String>,
    /// The fault in it.
    pub why: AddressFault,
}

fn named(shown: Option<&str>) -> String {
    shown.map_or_else(
        || {
            "the address of nats-server cannot be read (it may hold a password and is not repeated)"
                .to_owned()
        },
        |shown| format!("`{shown}` is not a NATS address"),
    )
}

/// The fault in an address.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum AddressFault {
    /// It is no address at all.
    #[error(
        "write it like nats://127.0.0.1:4222, {EXAMPLE}, with signs like \
         `@ / ? # % ,` in a password as %40 %2F %3F %23 %25 %2C; several with commas between"
    )]
    Form,
    /// The scheme is not one that is spoken.
    #[error("it begins with nats:// or tls://")]
    Scheme,
    /// User, password or token are not percent-encoded UTF-8.
    #[error("a percent sign in a user, password or token is written %25")]
    Percent,
    /// Several servers, and not the same user.
    #[error("all servers of a list are given the same user and password, or the same token")]
    TwoUsers,
}

/// One server's address without its secrets, and those.
fn read_server(text: &str) -> Result<(ServerAddr, Option<Credentials>), AddressFault> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("nats", text));
    let scheme = scheme.to_ascii_lowercase();
    if !matches!(scheme.as_str(), "nats" | "tls") {
        return Err(AddressFault::Scheme);
    }
    let (user, host) = match rest.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, rest),
    };
    let host = host.strip_suffix('/').unwrap_or(host);
    if host.is_empty() || host.contains(['/', '?', '#', '\\']) || text.contains(is_unseen) {
        return Err(AddressFault::Form);
    }
    let address: ServerAddr = format!("{scheme}://{host}")
        .parse()
        .map_err(|_| AddressFault::Form)?;
    if address.host().is_empty() {
        return Err(AddressFault::Form);
    }
    Ok((address, user.map(read_user).transpose()?.flatten()))
}

fn is_unseen(letter: char) -> bool {
    letter.is_whitespace() || letter.is_control()
}

fn read_user(text: &str) -> Result<Option<Credentials>, AddressFault> {
    if text.contains(['/', '?', '#']) {
        return Err(AddressFault::Form);
    }
    Ok(match text.split_once(':') {
        None if text.is_empty() => None,
        None => Some(Credentials::Token(percent_decoded(text)?)),
        Some((name, password)) => Some(Credentials::User {
            name: percent_decoded(name)?,
            password: percent_decoded(password)?,
        }),
    })
}

/// RFC 3986, 2.1.
fn percent_decoded(text: &str) -> Result<String, AddressFault> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (hex, rest) = part.split_at_checked(2).ok_or(AddressFault::Percent)?;
        if !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(AddressFault::Percent);
        }
        bytes.push(u8::from_str_radix(hex, 16).map_err(|_| AddressFault::Percent)?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).map_err(|_| AddressFault::Percent)
}

/// A server as a person writes it, with the port.
fn plain_address(address: &ServerAddr) -> String {
    let host = address.host();
    let (open, close) = if host.contains(':') {
        ("[", "]")
    } else {
        ("", "")
    };
    format!(
        "{}://{open}{host}{close}:{}",
        address.scheme(),
        address.port()
    )
}

/// An address that cannot be read, if no part of it can be a secret: one that has no `@`, and behind each colon a port.
fn shown_if_harmless(text: &str) -> Option<String> {
    let is_harmless = |server: &str| {
        let rest = server.split_once("://").map_or(server, |(_, rest)| rest);
        let mut parts = rest.split(':').skip(1);
        parts.all(|port| {
            let port = port.trim_end_matches('/');
            !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit())
        })
    };
    (!text.contains('@') && text.split(',').all(is_harmless)).then(|| text.to_owned())
}

/// Text with `***` in place of the user and password of each address in it: for words of others that may repeat one.
pub fn without_secrets(text: &str) -> String {
    text.split_inclusive(char::is_whitespace)
        .map(address_without_secrets)
        .collect()
}

/// The same for a text that is one address, or none.
pub fn address_without_secrets(word: &str) -> String {
    let Some((before, host)) = word.rsplit_once('@') else {
        return word.to_owned();
    };
    // An option may stand before the address, and quotes around it.
    let option = if before.starts_with('-') {
        before.find('=').map_or(0, |sign| sign + 1)
    } else {
        0
    };
    let quotes = before.get(option..).unwrap_or_default();
    let start = option + (quotes.len() - quotes.trim_start_matches(['\'', '`', '"', '(']).len());
    let address = before.get(start..).unwrap_or_default();
    let start = match address.find("://") {
        Some(scheme) => start + scheme + "://".len(),
        None if address.contains(':') => start,
        // An e-mail address.
        None => return word.to_owned(),
    };
    let (shown, secret) = before.split_at(start);
    if EXAMPLES.contains(&secret) {
        return word.to_owned();
    }
    format!("{shown}{HIDDEN}@{host}")
}

/// The prefix of the subjects on which a process takes answers, in place of `_INBOX`. A server can
/// then let each user read its own answers only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxPrefix(String);

/// A prefix for answers cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "`{prefix}` cannot begin the subjects of answers: write letters, digits, `-` and `_` in parts with dots between, \
     {MAX_PREFIX_BYTES} in all at most, the first part not `ledger`, for example _INBOX_acme"
)]
pub struct PrefixError {
    /// The prefix as given.
    pub prefix: String,
}

impl std::str::FromStr for InboxPrefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let is_part = |part: &str| {
            let is_plain = |letter: u8| letter.is_ascii_alphanumeric() || b"-_".contains(&letter);
            !part.is_empty() && part.bytes().all(is_plain)
        };
        let is_usable = text.len() <= MAX_PREFIX_BYTES
            && text.split('.').all(is_part)
            && crate::subject::takes_answers(text);
        is_usable
            .then(|| Self(text.to_owned()))
            .ok_or_else(|| PrefixError {
                prefix: text.to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, Option<(String, String)>) {
        let (addresses, credentials) = NatsAccess::from(text).read().expect("an address");
        let credentials = credentials.map(|credentials| match credentials {
            Credentials::User { name, password } => (name, password),
            Credentials::Token(token) => (String::new(), token),
        });
        (addresses.iter().map(plain_address).collect(), credentials)
    }

    fn user(name: &str, password: &str) -> (String, String) {
        (name.to_owned(), password.to_owned())
    }

    #[test]
    fn user_password_and_token_are_taken_from_the_address() {
        let one = vec!["nats://host:4222".to_owned()];
        assert_eq!(read("nats://host"), (one.clone(), None));
        assert_eq!(read("NATS://host:4222/"), (one.clone(), None));
        assert_eq!(read("host"), (one.clone(), None));
        assert_eq!(read("nats://@host"), (one.clone(), None));
        assert_eq!(read("nats://u:p@host"), (one.clone(), Some(user("u", "p"))));
        assert_eq!(read("u:p@host:4222"), (one.clone(), Some(user("u", "p"))));
        assert_eq!(read("nats://u:@host"), (one.clone(), Some(user("u", ""))));
        assert_eq!(
            read("nats://t0ken@host"),
            (one.clone(), Some(user("", "t0ken")))
        );
        let encoded = "nats://no%64e:p%40%3a%2F%C3%A9%25:@host";
        assert_eq!(read(encoded), (one.clone(), Some(user("node", "p@:/é%:"))));
        assert_eq!(read("nats://u:a@b@host"), (one, Some(user("u", "a@b"))));
        assert_eq!(read("tls://u:p@[::1]:7").0, ["tls://[::1]:7"]);
    }

    #[test]
    fn several_servers_share_one_user() {
        let (servers, who) = read("nats://u:p@one, two:4223,nats://u:p@three");
        assert_eq!(
            servers,
            ["nats://one:4222", "nats://two:4223", "nats://three:4222"]
        );
        assert_eq!(who, Some(user("u", "p")));
        assert_eq!(read("one,nats://u:p@two").1, Some(user("u", "p")));
        let two = NatsAccess::from("nats://u:p@one,nats://v:q@two");
        assert_eq!(
            two.check().map_err(|error| error.why),
            Err(AddressFault::TwoUsers)
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for (bad, why) in [
            ("", AddressFault::Form),
            ("nats://", AddressFault::Form),
            ("nats://u:p@", AddressFault::Form),
            ("a,,b", AddressFault::Form),
            ("a,", AddressFault::Form),
            ("nats://host:port", AddressFault::Form),
            ("nats://host/path", AddressFault::Form),
            ("nats://host?user=x", AddressFault::Form),
            ("nats://u:12/34@host", AddressFault::Form),
            ("nats://u:p@ho st", AddressFault::Form),
            ("http://host:4222", AddressFault::Scheme),
            ("ws://host:4222", AddressFault::Scheme),
            ("nats://u:100%@host", AddressFault::Percent),
            ("nats://u:%zz@host", AddressFault::Percent),
            ("nats://u:%+1@host", AddressFault::Percent),
            ("nats://u:%ff@host", AddressFault::Percent),
        ] {
            let refused = NatsAccess::from(bad).check();
            assert_eq!(refused.map_err(|error| error.why), Err(why), "{bad}");
        }
    }

    #[test]
    fn nothing_that_shows_an_address_shows_a_secret() {
        for address in [
            "nats://user:s3cret@host:4222",
            "nats://s3cret@host",
            "user:s3cret@host",
            "nats://user:s3cret@one,nats://user:s3cret@two",
            "nats://user:s3cret@one,nats://other:s3cret@two",
            "nats://user:s3cret",
            "nats://user:s3cret@",
            "nats://user:s3cret@host:port",
            "nats://user:s3cret@host/path",
            "nats://user:s3cret/x@host",
            "nats://user:x,s3cret@host",
            "nats://user:s3cret,x@host",
            "nats://user:s3cret%@host",
            "http://user:s3cret@host",
            "user:s3cret",
        ] {
            let access = NatsAccess::from(address);
            let refused = access.check().map_err(|error| (error.to_string(), error));
            let shown = format!("{access} {access:?} {access:#?} {refused:?}");
            assert!(!shown.contains("s3cret"), "{address}: {shown}");
        }
        let error = NatsAccess::from("http://host:4222")
            .check()
            .expect_err("HTTP");
        assert!(error.to_string().contains("`http://host:4222`"), "{error}");
    }

    #[test]
    fn words_of_others_lose_what_is_secret_in_an_address() {
        let said =
            "'nats://u:s3cret@host:1' and http://a\nb://s3@cret@c,d x@y --nats='u:p@q' `u:p@q`";
        let shown = "'nats://***@host:1' and http://a\nb://***@c,d x@y --nats='***@q' `***@q`";
        assert_eq!(without_secrets(said), shown);
        assert_eq!(without_secrets(EXAMPLE), EXAMPLE);
        assert_eq!(
            without_secrets("nats://u:p@one,nats://u:p@two"),
            "nats://***@two"
        );
    }

    #[test]
    fn a_prefix_is_a_plain_subject_that_answers_may_go_to() {
        for good in ["_INBOX_acme", "acme.answers", "a", "INBOX-7"] {
            assert!(good.parse::<InboxPrefix>().is_ok(), "{good}");
        }
        let long = "a".repeat(MAX_PREFIX_BYTES + 1);
        for bad in [
            "", ".", "a.", ".a", "a..b", "a b", "a.*", ">", "é", "$JS", "$KV.x", &long,
        ] {
            assert!(bad.parse::<InboxPrefix>().is_err(), "{bad}");
        }
        for closed in ["ledger", "ledger.v1.event.INT"] {
            assert!(closed.parse::<InboxPrefix>().is_err(), "{closed}");
        }
    }
}
