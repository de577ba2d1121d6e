//! What handlers take from a request: who calls, for which account, and what they ask.

mod authentication;
mod body;
mod path;
mod query;

pub(crate) use authentication::{AnyAccount, CallingApplication, ReadableAccount, WritableAccount};
pub(crate) use body::JsonBody;
pub(crate) use path::{AttachmentPath, Id, id};
pub(crate) use query::{Fields, FromQuery, Query};
