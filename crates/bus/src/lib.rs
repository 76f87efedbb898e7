//! The wire: every subject, stream, bucket and service of the ledger on NATS, behind types of its own.
//!
//! This is the only crate that knows the NATS client. It moves bytes and says what became of them; what the bytes
//! mean is the domain's, and what is durable is the store's. Nothing here is a receipt: `JetStream` acknowledges
//! before it syncs and can be wiped, so all of its content can be published anew from the log.

mod access;
mod bucket;
mod commands;
mod connection;
mod denied;
mod dropped;
mod events;
mod lease;
mod query;
mod service;
pub mod subject;
mod throttle;
mod transport;

pub use access::{
    AddressError, AddressFault, InboxPrefix, NatsAccess, PrefixError, address_without_secrets,
    without_secrets,
};
pub use bucket::{BucketError, ViewBucket};
pub use commands::{
    CommandIntake, CommandSender, Incoming, IntakeError, MAX_SIGNATURE_BYTES, ReceiptInbox,
    Replier, ReplyTo, SendError,
};
pub use connection::{
    Bus, BusOptions, ConnectError, QUIET_ATTEMPTS, RECOMMENDED_MAX_PAYLOAD, Reply, RequestError,
    WhenAway,
};
pub use denied::DeniedError;
pub use events::{
    EventFeed, EventPublisher, FeedError, FeedEvent, MAX_RUN_EVENTS, PublishError, StreamState,
};
pub use lease::{LeaseBucket, LeaseBucketError, LeaseEntry};
pub use query::{QueryError, ReplayPage};
pub use service::{Answer, Query, QueryService, ServiceError};
pub use throttle::LogThrottle;
pub use transport::Transport;
