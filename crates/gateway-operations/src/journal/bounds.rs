//! What a backend may have the journal keep for it.

use email_model::Cursor;
use email_provider::{ErrorKind, Position, ProviderError};

/// Most octets of a cursor or position.
const MOST: usize = 64 << 10;

/// Refuses a cursor that is longer than backends are allowed.
pub(crate) fn check_cursor(cursor: &Cursor) -> Result<(), ProviderError> {
    check("cursor", cursor.0.len())
}

/// Refuses a position that is longer than backends are allowed.
pub(crate) fn check_position(position: &Position) -> Result<(), ProviderError> {
    check("position", position.0.len())
}

fn check(what: &str, length: usize) -> Result<(), ProviderError> {
    if length <= MOST {
        return Ok(());
    }
    let message = format!("the backend gave a {what} of {length} octets; at most {MOST} are kept");
    Err(ProviderError::new(ErrorKind::Unexpected, message))
}
