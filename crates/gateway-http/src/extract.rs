//! What handlers take from a request: who calls, for which account, and what they ask.

mod address;
mod authentication;
mod body;
mod path;
mod query;

pub(crate) use address::{ClientAddress, Peer, TrustedProxies};
pub(crate) use authentication::{AnyAccount, CallingApplication, ReadableAccount, WritableAccount};
pub(crate) use body::{JsonBody, Octets};
pub(crate) use path::{AttachmentPath, CodePath, Id, id};
pub(crate) use query::{Fields, FromQuery, Query};
