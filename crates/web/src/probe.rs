//! Asking another process over HTTP, as far as a health check needs it.

use std::time::Duration;

use ledger_bus::without_secrets;
use thiserror::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The header of an answer with the id of the ledger that it speaks for.
pub(crate) const LEDGER_HEADER: &str = "ledger-id";
/// More than any answer that a health check reads.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: String,
    /// The id of the ledger that it speaks for, where it says so.
    pub ledger: Option<String>,
}

/// There is no answer.
#[derive(Debug, Error)]
pub enum ProbeError {
    /// The address cannot be read.
    #[error("{url} is not an address to ask: write it like http://127.0.0.1:8080/readyz")]
    BadUrl {
        /// The address as given.
        url: String,
    },
    /// Nobody listens there, or the connection broke.
    #[error("nobody answers at {url}")]
    Away {
        /// The address asked.
        url: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The answer took too long.
    #[error("no answer from {url} within {within_ms} ms")]
    Late {
        /// The address asked.
        url: String,
        /// How long was waited, in milliseconds.
        within_ms: u128,
    },
    /// What answers does not speak HTTP.
    #[error("what answers at {url} does not speak HTTP")]
    Garbled {
        /// The address asked.
        url: String,
    },
}

/// Gets `url`, which begins with `http://`, and gives up after `within`.
///
/// # Errors
/// [`ProbeError`] when there is no answer; one with another status than 200 is an answer.
pub async fn probe(url: &str, within: Duration) -> Result<Answered, ProbeError> {
    let Some((address, path)) = parts(url) else {
        return Err(ProbeError::BadUrl {
            url: without_secrets(url),
        });
    };
    let answer = match tokio::time::timeout(within, exchange(&address, path)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(source)) => {
            return Err(ProbeError::Away {
                url: url.to_owned(),
                source,
            });
        }
        Err(_) => {
            return Err(ProbeError::Late {
                url: url.to_owned(),
                within_ms: within.as_millis(),
            });
        }
    };
    parse(&answer).ok_or_else(|| ProbeError::Garbled {
        url: url.to_owned(),
    })
}

/// The address to connect to, and the path to ask for.
fn parts(url: &str) -> Option<(String, &str)> {
    let rest = url.strip_prefix("http://")?;
    let (host, path) = rest
        .find('/')
        .map_or((rest, "/"), |slash| rest.split_at(slash));
    let (name, port) = host.rsplit_once(':')?;
    let port: u16 = port.parse().ok()?;
    // Anything else could add lines of its own to the request.
    let is_plain = |text: &str| text.chars().all(|letter| letter.is_ascii_graphic());
    // Nobody is asked for a password, and an address that holds one would be shown.
    let is_bare = !name.is_empty() && !host.contains('@');
    (is_bare && is_plain(rest)).then(|| (format!("{name}:{port}"), path))
}

async fn exchange(address: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    // HTTP/1.0: the answer ends with the connection (RFC 1945).
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream
        .take(ANSWER_BYTES_MAX)
        .read_to_end(&mut answer)
        .await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn parse(answer: &str) -> Option<Answered> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?;
    let ledger = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let value = value.trim();
        let is_id = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic());
        (name.eq_ignore_ascii_case(LEDGER_HEADER) && is_id).then(|| value.to_owned())
    });
    Some(Answered {
        status: status.parse().ok()?,
        body: body.to_owned(),
        ledger,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    const SOON: Duration = Duration::from_secs(10);

    /// A server that gives every caller this answer.
    async fn answering(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 256];
                if stream.read(&mut request).await.is_ok() {
                    stream.write_all(answer.as_bytes()).await.expect("sent");
                }
            }
        });
        format!("http://{address}")
    }

    #[test]
    fn an_address_has_a_host_a_port_and_maybe_a_path() {
        let whole = parts("http://node:8080/readyz").expect("an address");
        assert_eq!(whole, ("node:8080".to_owned(), "/readyz"));
        assert_eq!(parts("http://[::1]:80"), Some(("[::1]:80".to_owned(), "/")));
        for bad in [
            "https://node:1/",
            "http://node/",
            "http://:80/",
            "http://n:80/a b",
            "http://n:80/\r\nX: y",
        ] {
            assert_eq!(parts(bad), None, "{bad}");
        }
    }

    #[tokio::test]
    async fn any_status_is_an_answer() {
        let url = answering("HTTP/1.1 503 Service Unavailable\r\nx: y\r\n\r\nnot ready\n").await;
        let answered = probe(&url, SOON).await.expect("an answer");
        assert_eq!(
            (answered.status, answered.body.as_str()),
            (503, "not ready\n")
        );
    }

    #[tokio::test]
    async fn what_is_no_answer_is_told_apart() {
        let garbled = answering("+OK ready\r\n\r\n").await;
        assert!(matches!(
            probe(&garbled, SOON).await,
            Err(ProbeError::Garbled { .. })
        ));
        let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", silent.local_addr().expect("an address"));
        assert!(matches!(
            probe(&url, Duration::from_millis(50)).await,
            Err(ProbeError::Late { .. })
        ));
        drop(silent);
        assert!(matches!(
            probe(&url, SOON).await,
            Err(ProbeError::Away { .. })
        ));
    }
}
