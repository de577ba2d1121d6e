//! Page tokens of lists: sealed with the journal's key, so that they are of this mailbox only, and
//! bound to the question they continue.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use email_model::Digest128;
use gateway_store::sealing::Place;
use serde::{Serialize, de::DeserializeOwned};

use crate::{OperationError, OperationErrorKind, OperationResult, journal::JournalHandle};

/// Longest token that is looked at, in characters: twice what the longest position of a backend
/// (64 KiB) comes to.
const LONGEST: usize = 200_000;

/// The token of what follows. `kind` and `question` are what it is good for.
pub(super) fn write<T: Serialize>(
    journal: &JournalHandle,
    kind: &str,
    question: Digest128,
    rest: &T,
) -> OperationResult<String> {
    let failed = || OperationError::internal("a page token could not be made");
    let plain = postcard::to_allocvec(rest).map_err(|_| failed())?;
    let sealed = sealed_for(kind, question, |place| journal.sealer.seal(place, &plain));
    Ok(URL_SAFE_NO_PAD.encode(sealed.map_err(|_| failed())?))
}

/// What [`write`] put into a token of the same kind and question.
///
/// # Errors
/// `TokenNotValid` for any other token: altered, of another mailbox, of another question.
pub(super) fn read<T: DeserializeOwned>(
    journal: &JournalHandle,
    kind: &str,
    question: Digest128,
    token: &str,
) -> OperationResult<T> {
    let opened = (token.len() <= LONGEST)
        .then(|| URL_SAFE_NO_PAD.decode(token).ok())
        .flatten()
        .and_then(|sealed| {
            sealed_for(kind, question, |place| journal.sealer.open(place, &sealed)).ok()
        })
        .and_then(|plain| postcard::from_bytes(&plain).ok());
    opened.ok_or_else(not_valid)
}

pub(super) fn not_valid() -> OperationError {
    OperationError::new(
        OperationErrorKind::TokenNotValid,
        "this page token is malformed, too old, or of another mailbox or question",
    )
}

fn sealed_for<T>(kind: &str, question: Digest128, act: impl FnOnce(Place<'_>) -> T) -> T {
    let row: String = question
        .0
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    act(Place {
        table: "page-token",
        row: &row,
        column: kind,
    })
}
