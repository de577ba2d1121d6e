//! What goes wrong on an IMAP connection, and what it means to the gateway.

use std::{io, time::Duration};

use email_provider::{ErrorKind, ProviderError, network::NetworkError};

use super::{
    lexer::ParseError,
    refusal::{backoff_time, is_passing, is_throttle, passes, status_kind},
    response_code::ResponseCode,
    untagged::{Condition, StatusResponse},
};

/// A failed IMAP operation. Never holds a secret: what a server says is bounded and cleaned.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// NO: the server understood and refuses.
    #[error("refused: {}", .0.text)]
    No(StatusResponse),
    /// BAD: the server did not understand. Courier says NO to that.
    #[error("not understood: {}", .0.text)]
    Bad(StatusResponse),
    /// BYE: the server ends the connection.
    #[error("the server ends the connection: {}", .0.text)]
    Bye(StatusResponse),
    /// The server refused the credentials; no other cause is named.
    #[error("the server refused the credentials: {}", .0.text)]
    Credentials(StatusResponse),
    /// The server as a whole refuses for a cause that passes; the credentials are not it.
    #[error("refused for now: {}", .0.text)]
    NotNow(StatusResponse),
    /// The connection was closed.
    #[error("the server closed the connection")]
    Closed,
    /// Nothing came within the time allowed for this.
    #[error("no answer within the time for {0}")]
    Timeout(&'static str),
    /// The connection failed.
    #[error("the connection failed")]
    Io(#[source] io::Error),
    /// No connection came about.
    #[error("the server is {0}")]
    Network(#[from] NetworkError),
    /// No encrypted connection came about.
    #[error("no secure connection: {0}")]
    Tls(String),
    /// The server broke the protocol or exceeded a limit.
    #[error("the server broke the protocol: {0}")]
    Protocol(String),
    /// What was asked for cannot be written as a command.
    #[error("{0}")]
    Invalid(String),
    /// The server does not offer it.
    #[error("the server does not offer {0}")]
    Unsupported(&'static str),
    /// An earlier refusal still stands; the server is not asked again so soon.
    #[error("the server refused the last connection: {message}")]
    Backoff {
        /// The kind of that refusal.
        kind: ErrorKind,
        /// Its text.
        message: String,
        /// How long to wait.
        wait: Duration,
    },
    /// What was to be written could not be read.
    #[error("{0}")]
    Source(ProviderError),
    /// The command went out, and then the connection was lost: it may have had its effect.
    #[error("the outcome is unknown: {0}")]
    OutcomeUnknown(#[source] Box<Self>),
}

/// The result of an IMAP operation.
pub type Result<T> = std::result::Result<T, Error>;

impl From<ParseError> for Error {
    fn from(error: ParseError) -> Self {
        Self::Protocol(error.to_string())
    }
}

impl Error {
    /// A protocol violation.
    pub(super) fn protocol(what: impl Into<String>) -> Self {
        Self::Protocol(what.into())
    }

    /// The error of a tagged response that is not OK.
    pub(super) fn refused(status: StatusResponse) -> Self {
        match status.condition {
            Condition::Bye => Self::Bye(status),
            // Courier 5.0: every syntax error is a NO with this text.
            Condition::No if !status.text.contains("Error in IMAP command") => Self::No(status),
            _ => Self::Bad(status),
        }
    }

    /// The error of a refused sign-in. Many servers name no code: then it is the credentials, unless
    /// the text speaks of something that passes.
    pub(super) fn sign_in_refused(status: StatusResponse) -> Self {
        let credentials = match &status.code {
            Some(ResponseCode::AuthenticationFailed | ResponseCode::Expired) => true,
            None | Some(ResponseCode::Alert | ResponseCode::Other(_)) => {
                status.condition == Condition::No
                    && !is_throttle(&status)
                    && !is_passing(&status.text)
            }
            Some(_) => false,
        };
        if credentials {
            Self::Credentials(status)
        } else {
            Self::refused(status).of_the_server()
        }
    }

    /// The error of a refusal that is about no folder: where its cause passes, it is the server's.
    pub(super) fn of_the_server(self) -> Self {
        match self {
            Self::No(status) | Self::Bad(status) if passes(&status) => Self::NotNow(status),
            other => other,
        }
    }

    /// Whether a command was refused without a reason that can be relied on: there is no code that says
    /// why, and the text speaks of nothing that passes.
    pub fn is_unexplained(&self) -> bool {
        use ResponseCode as Code;
        let Self::No(status) = self else { return false };
        let code = matches!(
            status.code,
            None | Some(Code::Alert | Code::ClientBug | Code::TryCreate | Code::Other(_))
        );
        code && !passes(status)
            && matches!(self.kind(), ErrorKind::Unexpected | ErrorKind::NotFound)
    }

    /// What the server said.
    pub fn status(&self) -> Option<&StatusResponse> {
        match self {
            Self::No(status)
            | Self::Bad(status)
            | Self::Bye(status)
            | Self::Credentials(status)
            | Self::NotNow(status) => Some(status),
            Self::OutcomeUnknown(cause) => cause.status(),
            _ => None,
        }
    }

    /// The response code, if there is one.
    pub fn code(&self) -> Option<&ResponseCode> {
        self.status()?.code.as_ref()
    }

    /// Whether the server answered, and the connection is in order.
    pub fn is_answer(&self) -> bool {
        matches!(
            self,
            Self::No(_) | Self::Bad(_) | Self::NotNow(_) | Self::Invalid(_) | Self::Unsupported(_)
        )
    }

    /// Marks a failure in the midst of a command that changes something.
    pub(super) fn after_sending(self) -> Self {
        match self {
            answer if answer.is_answer() => answer,
            unknown @ Self::OutcomeUnknown(_) => unknown,
            lost => Self::OutcomeUnknown(Box::new(lost)),
        }
    }

    /// What it means to the gateway.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::No(status) | Self::Bad(status) | Self::Bye(status) => status_kind(status),
            Self::Credentials(_) => ErrorKind::Unauthenticated,
            Self::NotNow(_) | Self::Closed | Self::Timeout(_) | Self::Io(_) => {
                ErrorKind::Unavailable
            }
            Self::Network(NetworkError::Forbidden) => ErrorKind::Forbidden,
            Self::Network(NetworkError::Unreachable) => ErrorKind::Unavailable,
            Self::Tls(_) => ErrorKind::Unavailable,
            Self::Protocol(_) => ErrorKind::Unexpected,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Unsupported(_) => ErrorKind::Unsupported,
            Self::Backoff { kind, .. } => *kind,
            Self::Source(error) => error.kind,
            Self::OutcomeUnknown(_) => ErrorKind::OutcomeUnknown,
        }
    }

    /// How long the server, or the back-off, asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Backoff { wait, .. } => Some(*wait),
            _ => self.status().and_then(|status| backoff_time(&status.text)),
        }
    }
}

impl From<Error> for ProviderError {
    fn from(error: Error) -> Self {
        let error = match error {
            Error::Source(provider) => return provider,
            error => error,
        };
        let provider = Self::new(error.kind(), error.to_string());
        let provider = match error.retry_after() {
            Some(wait) => provider.with_retry_after(wait),
            None => provider,
        };
        provider.with_source(error)
    }
}
