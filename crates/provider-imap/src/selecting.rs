//! Selecting a mailbox for a call, and what it means that a server refuses.

use email_provider::{Call, ErrorKind, ProviderError, ProviderResult};

use crate::{
    protocol::{Connection, Error, MailboxName, ResponseCode, SelectOptions, Selected, Selection},
    provider::not_found,
};

/// Selects a mailbox as it is now. A mailbox that cannot be selected because it is not there is
/// `NotFound`.
pub(crate) async fn select(
    connection: &mut Connection,
    mailbox: &MailboxName,
    call: Call,
) -> ProviderResult<Selection> {
    let options = SelectOptions {
        read_only: false,
        fresh: true,
        qresync: None,
    };
    select_with(connection, mailbox, options, call).await
}

/// As [`select`], with other options.
pub(crate) async fn select_with(
    connection: &mut Connection,
    mailbox: &MailboxName,
    options: SelectOptions,
    call: Call,
) -> ProviderResult<Selection> {
    match connection.select(mailbox, options, call.deadline).await {
        Ok(selection) => Ok(selection),
        Err(error) => Err(refusal(connection, mailbox, error, call).await),
    }
}

/// What `NotFound` says is believed, so that it needs a proof: the code for it (RFC 5530), or a list without
/// the mailbox. SELECT refuses a missing mailbox in words that differ with every server, and one that cannot be
/// opened just now in others of the same kind.
async fn refusal(
    connection: &mut Connection,
    mailbox: &MailboxName,
    error: Error,
    call: Call,
) -> ProviderError {
    if matches!(error.code(), Some(ResponseCode::NonExistent)) {
        return error.into();
    }
    // INBOX is always there (RFC 3501 section 5.1), whether or not a list names it.
    if error.is_unexplained() && !mailbox.is_inbox() {
        match connection.is_there(mailbox, call.deadline).await {
            Ok(false) => return not_found("the folder"),
            Err(lost) if !lost.is_answer() => return lost.into(),
            _ => {}
        }
    }
    let provider = ProviderError::from(error);
    match provider.kind {
        ErrorKind::NotFound => ProviderError {
            kind: ErrorKind::Unexpected,
            ..provider
        },
        _ => provider,
    }
}

pub(crate) fn selected(connection: &Connection) -> ProviderResult<Selected> {
    connection.selected().cloned().ok_or_else(|| {
        ProviderError::new(ErrorKind::Unexpected, "the mailbox is no longer selected")
    })
}
