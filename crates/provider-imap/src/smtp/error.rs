//! What goes wrong when something is sent, and what it means to the gateway.

use std::{fmt, io};

use email_provider::{ErrorKind, ProviderError, RefusedRecipient, network::NetworkError};

use super::{
    refusal::{refusal_kind, retry_after},
    reply::Reply,
};

/// What a reply was the answer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The connection.
    Greeting,
    /// EHLO, RSET and the like.
    Session,
    /// AUTH, for another cause than the credentials.
    SignIn,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Recipient,
    /// DATA.
    Data,
    /// The end of the message.
    Message,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Greeting => "the sending server wants no connection",
            Self::Session => "the sending server refused",
            Self::SignIn => "the sending server refused to sign in",
            Self::Sender => "the sending server refused the sender",
            Self::Recipient => "the sending server refused the recipients",
            Self::Data | Self::Message => "the sending server refused the message",
        })
    }
}

/// A failed sending. Never holds a secret: what a server says is bounded and cleaned.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The server answered, and not as was hoped.
    #[error("{stage}: {reply}")]
    Refused {
        /// To what.
        stage: Stage,
        /// What it said.
        reply: Reply,
    },
    /// The server refused the credentials; no other cause is named.
    #[error("the sending server refused the credentials: {0}")]
    Credentials(Reply),
    /// Nobody is left to send to; the reply of the one that is most worth another attempt.
    #[error("the sending server refused every recipient: {1}")]
    Recipients(Vec<RefusedRecipient>, Reply),
    /// The connection was closed.
    #[error("the sending server closed the connection")]
    Closed,
    /// Nothing came within the time allowed for this.
    #[error("the sending server gave no answer within the time for {0}")]
    Timeout(&'static str),
    /// The connection failed.
    #[error("the connection to the sending server failed")]
    Io(#[source] io::Error),
    /// No connection came about.
    #[error("the sending server is {0}")]
    Network(#[from] NetworkError),
    /// No encrypted connection came about.
    #[error("no secure connection to the sending server: {0}")]
    Tls(String),
    /// The server broke the protocol or exceeded a limit.
    #[error("the sending server broke the protocol: {0}")]
    Protocol(&'static str),
    /// This cannot be sent as it stands.
    #[error("{0}")]
    Invalid(String),
    /// The server does not offer it.
    #[error("the sending server does not offer {0}")]
    Unsupported(&'static str),
    /// What is to be sent, or a token to sign in with, could not be had.
    #[error("{0}")]
    Source(ProviderError),
    /// The message may have been taken.
    #[error("it is not known whether the message was sent: {0}")]
    OutcomeUnknown(#[source] Box<Self>),
}

/// The result of a sending.
pub(crate) type Result<T> = std::result::Result<T, Error>;

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        match error.kind() {
            UnexpectedEof | ConnectionReset | BrokenPipe | ConnectionAborted => Self::Closed,
            _ => Self::Io(error),
        }
    }
}

impl Error {
    /// Whether the connection is of no use any more, so that another one may be.
    pub(super) fn is_lost(&self) -> bool {
        match self {
            Self::Closed | Self::Io(_) => true,
            // RFC 5321 section 3.8: the server is about to close the connection.
            Self::Refused { reply, .. } => reply.code() == 421,
            _ => false,
        }
    }

    /// Marks a failure after which the server may have the whole message.
    pub(super) fn after_the_end(self) -> Self {
        match self {
            unknown @ Self::OutcomeUnknown(_) => unknown,
            lost => Self::OutcomeUnknown(Box::new(lost)),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused { stage, reply } => refusal_kind(*stage, reply),
            Self::Recipients(_, reply) => refusal_kind(Stage::Recipient, reply),
            // The mailbox itself may take them: a server that only does not send must not end reading.
            Self::Credentials(_) => ErrorKind::Forbidden,
            Self::Network(NetworkError::Forbidden) => ErrorKind::Forbidden,
            Self::Closed
            | Self::Timeout(_)
            | Self::Io(_)
            | Self::Tls(_)
            | Self::Network(NetworkError::Unreachable) => ErrorKind::Unavailable,
            Self::Protocol(_) => ErrorKind::Unexpected,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Unsupported(_) => ErrorKind::Unsupported,
            Self::Source(error) => error.kind,
            Self::OutcomeUnknown(_) => ErrorKind::OutcomeUnknown,
        }
    }
}

impl From<Error> for ProviderError {
    fn from(error: Error) -> Self {
        let wait = match &error {
            Error::Refused { stage, reply } => retry_after(*stage, reply),
            Error::Recipients(_, reply) => retry_after(Stage::Recipient, reply),
            Error::Source(_) => None,
            _ => None,
        };
        let provider = match error {
            Error::Source(provider) => return provider,
            error => Self::new(error.kind(), error.to_string()).with_source(error),
        };
        match wait {
            Some(wait) => provider.with_retry_after(wait),
            None => provider,
        }
    }
}
