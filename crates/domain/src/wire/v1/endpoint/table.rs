//! The parts of the tables of endpoints.

use crate::wire::v1::problem::ProblemCode;
use crate::wire::v1::query::QueryPayload;

/// The address of an endpoint, and its possible problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointSpec {
    /// Its name in the NATS service's list of endpoints.
    pub name: &'static str,
    /// Its subject after `ledger.v1.query.`.
    pub subject: &'static str,
    /// The part of the subject after that.
    pub argument: Argument,
    /// Where it is found over HTTP; nowhere if it is asked on NATS alone.
    pub http: &'static [&'static str],
    /// Why there may be no answer.
    pub problems: &'static [ProblemCode],
}

/// The part after the endpoint in a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// Nothing.
    None,
    /// One or more tokens, such as `KEN` or `SDG-10.7.2`.
    Tokens,
}

/// An endpoint of one table.
pub trait Endpoint: Copy + Send + Sync + 'static {
    /// Every endpoint of the table.
    const ALL: &'static [Self];

    /// The table's entry for it.
    fn spec(self) -> &'static EndpointSpec;
}

/// The type of one endpoint: what is asked and what is answered.
pub trait Ask {
    /// The table it stands in.
    type Table: Endpoint;
    /// The payload of a query.
    type Query: QueryPayload;
    /// The answer.
    type Answer;
    /// The endpoint.
    const ENDPOINT: Self::Table;
}

macro_rules! endpoints {
    (
        $(#[$table_doc:meta])* $table:ident, $(#[$query_doc:meta])* $queries:ident;
        $($(#[$doc:meta])* $name:ident = $service_name:literal {
            subject: $subject:literal $argument:ident,
            http: [$($http:literal),*],
            query: $query:ty,
            answer: $answer:ty,
            problems: [$($problem:ident),*],
        })+
    ) => {
        $(#[$table_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $table {
            $($(#[$doc])* $name,)+
        }

        $(#[$query_doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $queries {
            $($(#[$doc])* $name($query),)+
        }

        impl $table {
            /// Reads the payload of a query.
            ///
            /// # Errors
            /// A bad query: a sentence says what in it is not as documented.
            pub fn read(self, payload: &[u8]) -> Result<$queries, Problem> {
                Ok(match self {
                    $(Self::$name => $queries::$name(QueryPayload::read(payload)?),)+
                })
            }
        }

        impl Endpoint for $table {
            const ALL: &'static [Self] = &[$(Self::$name),+];

            fn spec(self) -> &'static EndpointSpec {
                match self {
                    $(Self::$name => &EndpointSpec {
                        name: $service_name,
                        subject: $subject,
                        argument: Argument::$argument,
                        http: &[$($http),*],
                        problems: &[$(ProblemCode::$problem),*],
                    },)+
                }
            }
        }

        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct $name;

            impl Ask for $name {
                type Table = $table;
                type Query = $query;
                type Answer = $answer;
                const ENDPOINT: $table = $table::$name;
            }
        )+
    };
}

pub(super) use endpoints;
