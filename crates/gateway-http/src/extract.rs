//! What handlers take from a request: who calls, for which account, and what they ask.

mod address;
mod authentication;
mod body;
mod idempotency;
mod outgoing;
mod path;
mod query;

pub(crate) use address::{ClientAddress, Peer, TrustedProxies};
pub(crate) use authentication::{
    AnyAccount, CallingApplication, DraftSendingAccount, DraftsAccount, ReadableAccount,
    SendingAccount, WritableAccount,
};
pub(crate) use body::{JsonBody, Octets, says_json};
pub(crate) use idempotency::framed;
pub(crate) use outgoing::{OnceJson, Outgoing};
pub(crate) use path::{AttachmentPath, CodePath, Id, id};
pub(crate) use query::{Fields, FromQuery, Query};
