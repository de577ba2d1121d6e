//! SMTP submission (RFC 6409), by lettre's commands and replies over connections of our own.
//!
//! lettre's transport gives a message up at the first recipient that is refused, opens sockets by itself and bounds no
//! wait but that for the connection. Here sockets come from [`Network`](email_provider::network::Network), every wait
//! ends at a deadline, each recipient has an answer of his own, and it is known at any time whether the server may have
//! taken the message: [`error::Error::OutcomeUnknown`].

mod connect;
mod connection;
mod envelope;
mod error;
mod offer;
mod pool;
mod refusal;
mod reply;
mod sign_in;
mod stuffing;
mod transaction;
mod wire;

pub(crate) use connect::{Secret, SmtpConfig};
pub(crate) use connection::Connection;
pub(crate) use envelope::Envelope;
pub(crate) use offer::Offer;
pub(crate) use pool::SmtpPool;
pub(crate) use transaction::{Content, ContentFacts};

#[cfg(test)]
mod tests;
