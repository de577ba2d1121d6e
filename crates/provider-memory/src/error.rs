//! What goes wrong, as the kinds that the gateway decides by.

use email_provider::{ErrorKind, ProviderError};

pub(crate) fn no_message() -> ProviderError {
    ProviderError::new(ErrorKind::NotFound, "no such message")
}

pub(crate) fn no_part() -> ProviderError {
    ProviderError::new(ErrorKind::NotFound, "no such part")
}

pub(crate) fn no_folder() -> ProviderError {
    ProviderError::new(ErrorKind::NotFound, "no such folder")
}

pub(crate) fn expired() -> ProviderError {
    ProviderError::new(ErrorKind::CursorExpired, "that far back is forgotten")
}

pub(crate) fn unsupported(capability: &str) -> ProviderError {
    ProviderError::new(
        ErrorKind::Unsupported,
        format!("this mailbox has no {capability}"),
    )
}

pub(crate) fn invalid(what: &str) -> ProviderError {
    ProviderError::new(ErrorKind::Invalid, what)
}

pub(crate) fn no_draft() -> ProviderError {
    ProviderError::new(ErrorKind::NotFound, "no such draft")
}

pub(crate) fn changed() -> ProviderError {
    ProviderError::new(ErrorKind::Conflict, "the draft is another one by now")
}

pub(crate) fn forbidden(what: &str) -> ProviderError {
    ProviderError::new(ErrorKind::Forbidden, what)
}

pub(crate) fn exists() -> ProviderError {
    ProviderError::new(ErrorKind::Conflict, "a folder of that name exists")
}

/// The deadline passed. Of a write nobody can say whether it was done.
pub(crate) fn late(is_write: bool) -> ProviderError {
    let kind = if is_write {
        ErrorKind::OutcomeUnknown
    } else {
        ErrorKind::Unavailable
    };
    ProviderError::new(kind, "no answer in time")
}
