//! What goes wrong, as the kinds that the gateway decides by.

use std::io;

use email_provider::{ErrorKind, ProviderError};

pub(crate) fn no_message() -> ProviderError {
    ProviderError::new(ErrorKind::NotFound, "no such message")
}

pub(crate) fn no_folder() -> ProviderError {
    ProviderError::new(ErrorKind::NotFound, "no such folder")
}

pub(crate) fn expired() -> ProviderError {
    ProviderError::new(ErrorKind::CursorExpired, "not of this version")
}

pub(crate) fn unsupported(what: &str) -> ProviderError {
    let message = format!("a Maildir has no {what}");
    ProviderError::new(ErrorKind::Unsupported, message)
}

/// A folder that is gone is not found; whatever else a disk says may be over later. The path is in no message.
pub(crate) fn of_disk(error: io::Error) -> ProviderError {
    match error.kind() {
        io::ErrorKind::NotFound => no_folder(),
        io::ErrorKind::PermissionDenied => ProviderError::new(
            ErrorKind::Forbidden,
            "the gateway may not read or write this mailbox",
        ),
        _ => ProviderError::new(ErrorKind::Unavailable, "the disk failed").with_source(error),
    }
}

/// Other programs change the folder faster than it can be read.
pub(crate) fn unsettled() -> ProviderError {
    ProviderError::new(ErrorKind::Unavailable, "the folder keeps changing")
}

/// The deadline passed. Of a write nobody can say whether it was done.
pub(crate) fn late(is_write: bool) -> ProviderError {
    let kind = match is_write {
        true => ErrorKind::OutcomeUnknown,
        false => ErrorKind::Unavailable,
    };
    ProviderError::new(kind, "no answer in time")
}
