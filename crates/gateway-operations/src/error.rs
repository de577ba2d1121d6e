use std::time::Duration;

use email_provider::{ErrorKind, ProviderError, SignInError};
use gateway_store::StoreError;
use serde_json::{Value, json};

/// What kind of failure a client is told of. Each one is one code of the wire contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationErrorKind {
    /// Malformed input.
    BadRequest,
    /// A malformed or altered token.
    TokenNotValid,
    /// Missing or unknown credentials of ours.
    Unauthorized,
    /// The provider's grant is dead for good.
    TokenDead,
    /// The mailbox refused the credentials.
    TokenRefreshFailed,
    /// Not allowed, here or by the provider.
    Forbidden,
    /// Unknown or deleted.
    NotFound,
    /// Not known yet: ask again.
    RequestTimeout,
    /// It exists already or changed underneath.
    Conflict,
    /// The sync token is older than what is kept, or not of this journal.
    SyncTokenExpired,
    /// Too large.
    TooLarge,
    /// Well-formed, but cannot be done as asked.
    Unprocessable,
    /// The provider's limit or ours.
    RateLimited,
    /// This mailbox cannot do it.
    NotSupported,
    /// The provider broke.
    Provider,
    /// A message was handed over and no answer came: it may have gone out.
    SendUnconfirmed,
    /// The provider is down.
    ProviderUnavailable,
    /// The mailbox is being opened or scanned.
    MailboxUnavailable,
    /// The gateway broke.
    Internal,
}

/// A failed operation.
#[derive(Debug, thiserror::Error)]
#[error("{kind:?}: {message}")]
pub struct OperationError {
    /// What kind.
    pub kind: OperationErrorKind,
    /// For people; no secrets.
    pub message: String,
    /// When to ask again.
    pub retry_after: Option<Duration>,
    /// The provider's own error, where it may be told.
    pub original: Option<Value>,
    /// The cause, for the operator's log only.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result of an operation.
pub type OperationResult<T> = Result<T, OperationError>;

impl OperationError {
    /// An error of this kind.
    pub fn new(kind: OperationErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            retry_after: None,
            original: None,
            source: None,
        }
    }

    /// Adds when to ask again.
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// A `BadRequest`.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(OperationErrorKind::BadRequest, message)
    }

    /// A `NotFound`.
    pub fn not_found(what: &str) -> Self {
        Self::new(OperationErrorKind::NotFound, format!("{what} not found"))
    }

    /// An `Internal`.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(OperationErrorKind::Internal, message)
    }
}

impl From<ProviderError> for OperationError {
    fn from(error: ProviderError) -> Self {
        use OperationErrorKind as Ours;
        let kind = match error.kind {
            ErrorKind::Unauthenticated => Ours::TokenRefreshFailed,
            ErrorKind::Forbidden => Ours::Forbidden,
            ErrorKind::NotFound => Ours::NotFound,
            ErrorKind::Invalid => Ours::Unprocessable,
            ErrorKind::Unsupported => Ours::NotSupported,
            ErrorKind::Conflict => Ours::Conflict,
            ErrorKind::RateLimited => Ours::RateLimited,
            ErrorKind::Unavailable => Ours::ProviderUnavailable,
            ErrorKind::CursorExpired | ErrorKind::OutcomeUnknown | ErrorKind::Unexpected => {
                Ours::Provider
            }
        };
        // A Retry-After that a server made up is held within reason (1 s to 15 min).
        let retry_after = match kind {
            Ours::RateLimited | Ours::ProviderUnavailable => Some(
                error
                    .retry_after
                    .unwrap_or(Duration::from_secs(5))
                    .clamp(Duration::from_secs(1), Duration::from_secs(900)),
            ),
            _ => None,
        };
        Self {
            kind,
            message: error.message.clone(),
            retry_after,
            original: Some(
                json!({ "kind": format!("{:?}", error.kind), "message": error.message }),
            ),
            source: Some(Box::new(error)),
        }
    }
}

impl From<SignInError> for OperationError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Invalid(message) => Self::bad_request(message),
            SignInError::Unreachable(class) => {
                let mut told = Self::new(
                    OperationErrorKind::ProviderUnavailable,
                    format!("the mail server could not be reached: {class}"),
                )
                .with_retry_after(Duration::from_secs(30));
                told.original = Some(json!({ "class": class }));
                told
            }
            SignInError::Provider(error) => error.into(),
        }
    }
}

impl From<StoreError> for OperationError {
    fn from(error: StoreError) -> Self {
        let kind = match error {
            StoreError::NotFound => OperationErrorKind::NotFound,
            _ => OperationErrorKind::Internal,
        };
        let message = match kind {
            OperationErrorKind::NotFound => "not found",
            _ => "the gateway's database failed",
        };
        Self {
            source: Some(Box::new(error)),
            ..Self::new(kind, message)
        }
    }
}
