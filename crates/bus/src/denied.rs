//! Subjects that the nats-server does not let this user publish on or subscribe to.
//!
//! The server says so in a message of its own, beside whatever was asked: without a look at it a request whose
//! answer can never come waits until its time is up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use thiserror::Error;
use tokio::sync::watch;

/// Subjects that are remembered; a user who is denied more of them has the wrong permissions anyway.
const MAX_SUBJECTS: usize = 256;

/// The nats-server denied this user a subject.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DeniedError {
    /// The user may not publish on the subject.
    #[error(
        "the nats-server does not let this user publish on {subject}: ask whoever runs it for the permission"
    )]
    Publish {
        /// The subject.
        subject: String,
    },
    /// The user may not subscribe to the inbox where replies would arrive.
    #[error(
        "the nats-server does not let this user subscribe to {subject}, where the replies would arrive: give the \
         inbox prefix that the user may read with --inbox-prefix or NATS_INBOX_PREFIX"
    )]
    Inbox {
        /// The subject.
        subject: String,
    },
}

/// The server's denials on one connection.
#[derive(Debug, Default)]
struct Denied {
    /// The number of denials of publishing, by subject.
    publish: BTreeMap<String, u64>,
    subscribe: BTreeSet<String>,
}

/// Keeps what the server denies.
#[derive(Debug, Default)]
pub(crate) struct Denials(watch::Sender<Denied>);

impl Denials {
    /// Notes what the server says, if that is a denial.
    pub(crate) fn note(&self, said: &str) {
        let Some(denial) = Denial::read(said) else {
            return;
        };
        self.0.send_modify(|denied| match denial {
            Denial::Publish(subject) => {
                let is_known = denied.publish.contains_key(subject);
                if is_known || denied.publish.len() < MAX_SUBJECTS {
                    *denied.publish.entry(subject.to_owned()).or_default() += 1;
                }
            }
            Denial::Subscribe(subject) => {
                if denied.subscribe.len() < MAX_SUBJECTS {
                    denied.subscribe.insert(subject.to_owned());
                }
            }
        });
    }

    /// Forgets everything: a new connection may have other permissions.
    pub(crate) fn forget(&self) {
        self.0.send_modify(|denied| *denied = Denied::default());
    }

    /// A watch over them for a connection whose replies arrive under a prefix.
    pub(crate) fn watch(&self, inbox_prefix: &str) -> DenialWatch {
        DenialWatch {
            denied: self.0.subscribe(),
            inbox: format!("{inbox_prefix}.").into(),
        }
    }
}

/// Sees what the server denies.
#[derive(Clone, Debug)]
pub(crate) struct DenialWatch {
    denied: watch::Receiver<Denied>,
    /// The beginning of every subject on which replies arrive.
    inbox: Arc<str>,
}

impl DenialWatch {
    /// Waits until the server denies publishing on a subject from now on, or has denied the inbox. Call it before
    /// publishing, and wait beside the reply.
    pub(crate) fn of(&self, subject: &str) -> impl Future<Output = DeniedError> + use<> {
        let mut receiver = self.denied.clone();
        let before = receiver.borrow().publish.get(subject).copied();
        let (subject, inbox) = (subject.to_owned(), Arc::clone(&self.inbox));
        async move {
            let find = |denied: &Denied| {
                if let Some(subject) = denied.subscribe.iter().find(|it| it.starts_with(&*inbox)) {
                    let subject = subject.clone();
                    return Some(DeniedError::Inbox { subject });
                }
                let times = denied.publish.get(&subject).copied();
                (times > before).then(|| DeniedError::Publish {
                    subject: subject.clone(),
                })
            };
            loop {
                let found = find(&receiver.borrow_and_update());
                if let Some(error) = found {
                    return error;
                }
                if receiver.changed().await.is_err() {
                    // The connection is gone: nothing more is denied.
                    std::future::pending::<()>().await;
                }
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Denial<'a> {
    Publish(&'a str),
    Subscribe(&'a str),
}

impl<'a> Denial<'a> {
    /// Reads the server's words, such as `Permissions Violation for Publish to "a.b"`.
    fn read(said: &'a str) -> Option<Self> {
        let (before, rest) = said.split_once('"')?;
        let (subject, _) = rest.split_once('"')?;
        let before = before.to_ascii_lowercase();
        if !before.contains("permissions violation") {
            None
        } else if before.contains("for publish") {
            Some(Self::Publish(subject))
        } else if before.contains("for subscription") {
            Some(Self::Subscribe(subject))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_words_are_read() {
        for (said, denial) in [
            (
                r#"nats: Permissions Violation for Publish to "ledger.v1.query.head""#,
                Some(Denial::Publish("ledger.v1.query.head")),
            ),
            (
                r#"nats: permissions violation for subscription to "_INBOX.a.*" using queue "q""#,
                Some(Denial::Subscribe("_INBOX.a.*")),
            ),
            (r#"nats: "Permissions Violation for Publish to "x""#, None),
            ("nats: maximum connections exceeded", None),
        ] {
            assert_eq!(Denial::read(said), denial, "{said}");
        }
    }

    #[tokio::test]
    async fn a_denial_ends_the_wait_of_whom_it_concerns() {
        let denials = Denials::default();
        let watch = denials.watch("_INBOX");
        denials.note(r#"Permissions Violation for Publish to "a""#);
        let late = watch.of("a");
        let other = watch.of("b");
        denials.note(r#"Permissions Violation for Publish to "a""#);
        let subject = "a".to_owned();
        assert_eq!(late.await, DeniedError::Publish { subject });
        denials.note(r#"Permissions Violation for Subscription to "_INBOX.x.*""#);
        let subject = "_INBOX.x.*".to_owned();
        assert_eq!(other.await, DeniedError::Inbox { subject });
        denials.forget();
        let mut none = std::pin::pin!(watch.of("a"));
        assert!(futures::poll!(none.as_mut()).is_pending());
    }
}
