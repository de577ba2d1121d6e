//! Hints that a backend sends over HTTP.

use async_trait::async_trait;
use bytes::Bytes;

use crate::{ConnectContext, MailboxIdentity};

/// A request to the backend's push address.
#[derive(Clone, Debug)]
pub struct PushRequest {
    /// Names in lower case.
    pub headers: Vec<(String, Bytes)>,
    /// Decoded parameters of the address.
    pub query: Vec<(String, String)>,
    /// At most [`PushRequest::LARGEST_BODY`] octets.
    pub body: Bytes,
}

impl PushRequest {
    /// Larger bodies are refused unread, in octets.
    pub const LARGEST_BODY: usize = 1 << 20;

    /// The first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(one, _)| one == name)?;
        std::str::from_utf8(value).ok()
    }
}

/// Whose mailbox may have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushedMailbox {
    /// Told by what proves it.
    Identity(MailboxIdentity),
    /// Told by its address, in any case.
    Email(String),
}

/// What to do with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushAnswer {
    /// Genuine: these mailboxes may have changed. Unknown ones are of no account.
    Hints(Vec<PushedMailbox>),
    /// A handshake: answered with this text as `text/plain`.
    Echo(String),
    /// Not genuine: nothing is done, and the sender learns no more than that.
    Refused,
}

/// A backend that sends hints over HTTP. They are believed only when they are proved to come from it, and
/// even then they start a pass and nothing else.
#[async_trait]
pub trait PushReceiver: Send + Sync {
    /// The backend's part of the address, `/push/{name}/email`.
    fn name(&self) -> &'static str;

    /// Verifies a request. It must be quick: backends give up within seconds.
    async fn receive(&self, context: &ConnectContext, request: &PushRequest) -> PushAnswer;
}
