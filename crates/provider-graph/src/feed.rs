//! Which folders there are, and where their feeds begin.
//!
//! Every folder has a feed of its own (<https://learn.microsoft.com/graph/delta-query-messages>), and none tells
//! whether it has anything to tell without being asked.

use email_provider::{Call, Cursor, ErrorKind, ProviderResult, ScopeKey, ScopeState, Survey};

use crate::{api::Prefer, error, ids::FolderId, mailbox::Mailbox, names, wire::MailFolder};

pub(crate) async fn survey(mailbox: &Mailbox, call: Call) -> ProviderResult<Survey> {
    if let Some(push) = &mailbox.push {
        push.signal.passed.notify_one();
    }
    mailbox.learn_roles(call).await?;
    let table = mailbox.folders_now(call).await?;
    let scopes = table.folders.iter().map(|folder| ScopeState {
        key: ScopeKey(folder.key.0.clone()),
        moved: true,
        count: table.count(&folder.key),
    });
    Ok(Survey {
        scopes: scopes.collect(),
        folders: table.folders.clone(),
    })
}

/// A feed's first cursor comes at the end of a listing of the folder: there is no other way to get one.
pub(crate) async fn begin(
    mailbox: &Mailbox,
    call: Call,
    scope: &ScopeKey,
) -> ProviderResult<Option<Cursor>> {
    check(mailbox, call, &FolderId::of_scope(scope)?).await?;
    Ok(None)
}

/// Whether there is such a folder.
///
/// # Errors
/// `NotFound` where there is none.
pub(crate) async fn check(mailbox: &Mailbox, call: Call, folder: &FolderId) -> ProviderResult<()> {
    let address = names::folder(folder).with("$select", "id");
    let found: ProviderResult<MailFolder> =
        mailbox.api.read(call, address, Prefer::default()).await;
    found.map(|_| ()).map_err(|error| match error.kind {
        ErrorKind::NotFound | ErrorKind::Invalid => error::no_folder().with_source(error),
        _ => error,
    })
}

/// Why a feed cannot be read: because the folder is gone, or because its token is no longer good. The statuses and codes do
/// not tell these apart.
pub(crate) async fn why(
    mailbox: &Mailbox,
    call: Call,
    folder: &FolderId,
    error: email_provider::ProviderError,
) -> email_provider::ProviderError {
    let may_be_expiry = [
        ErrorKind::CursorExpired,
        ErrorKind::NotFound,
        ErrorKind::Invalid,
    ];
    if !may_be_expiry.contains(&error.kind) {
        return error;
    }
    match check(mailbox, call, folder).await {
        Ok(()) => error::expired().with_source(error),
        Err(other) => other,
    }
}
