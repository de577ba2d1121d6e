//! Folders with a part in sending, and the messages with a given Message-ID in them.

use chrono::NaiveDate;
use email_model::FolderRole;
use email_provider::{Call, ErrorKind, ProviderError, ProviderResult};

use crate::{
    listing::list_folders,
    protocol::{
        Capability, Class, Connection, FetchData, FetchItem, FetchItems, MailboxName,
        PooledConnection, SearchKey, Selected, Store, StoreAction, SystemFlags, UidSet,
    },
    provider::ImapProvider,
    selecting::select,
};

impl ImapProvider {
    /// A connection for short commands: while a message is read over another one, too.
    pub(super) async fn short(&self, call: Call) -> ProviderResult<PooledConnection> {
        Ok(self
            .pool
            .acquire(Class::Interactive, call.deadline, None)
            .await?)
    }
}

/// The folder of a role.
pub(super) async fn folder_of(
    connection: &mut Connection,
    role: FolderRole,
    call: Call,
) -> ProviderResult<Option<MailboxName>> {
    let folders = list_folders(connection, call.deadline).await?;
    let found = folders
        .iter()
        .find(|folder| folder.role == Some(role) && folder.selectable);
    Ok(found.map(|folder| MailboxName::from_key(&folder.key.0)))
}

/// Selects a mailbox as it is now, to be changed.
pub(super) async fn select_to_change(
    connection: &mut Connection,
    mailbox: &MailboxName,
    call: Call,
) -> ProviderResult<Selected> {
    let state = select(connection, mailbox, call).await?.state;
    match state.read_only {
        false => Ok(state),
        true => Err(ProviderError::new(
            ErrorKind::Forbidden,
            "the folder is read-only",
        )),
    }
}

/// The messages with this Message-ID in the selected mailbox, those marked as deleted aside.
pub(super) async fn with_id(
    connection: &mut Connection,
    message_id: &str,
    call: Call,
) -> ProviderResult<UidSet> {
    if message_id.is_empty() {
        return Ok(UidSet::new());
    }
    search_id(connection, message_id, None, call).await
}

/// The same, of those that came on this day or later: headers of a large folder are long to read.
pub(super) async fn with_id_since(
    connection: &mut Connection,
    message_id: &str,
    since: NaiveDate,
    call: Call,
) -> ProviderResult<UidSet> {
    search_id(connection, message_id, Some(since), call).await
}

async fn search_id(
    connection: &mut Connection,
    message_id: &str,
    since: Option<NaiveDate>,
    call: Call,
) -> ProviderResult<UidSet> {
    let mut keys = vec![
        SearchKey::Header("Message-ID".into(), message_id.into()),
        SearchKey::Deleted.negated(),
    ];
    // Servers look at the first conditions first.
    keys.splice(0..0, since.map(SearchKey::Since));
    let key = SearchKey::And(keys);
    Ok(connection.uid_search(&key, call.deadline).await?)
}

/// Whether a message is in the selected mailbox and not marked as deleted; its Message-ID, empty where it has none.
pub(super) async fn id_of(
    connection: &mut Connection,
    uid: u32,
    call: Call,
) -> ProviderResult<Option<String>> {
    let mut found = None;
    let mut take = |data: FetchData| {
        let is_there = data
            .flags
            .is_some_and(|flags| !flags.system.contains(SystemFlags::DELETED));
        let id = data.envelope.and_then(|envelope| envelope.message_id);
        let ids = id.map(|id| email_mime::headers::message_ids(&id));
        let id = ids.unwrap_or_default().into_iter().next();
        found = is_there.then(|| id.unwrap_or_default());
        Ok(())
    };
    let items = FetchItems::from(FetchItem::FLAGS | FetchItem::ENVELOPE);
    connection
        .uid_fetch(
            &UidSet::range(uid, uid),
            &items,
            None,
            call.deadline,
            &mut take,
        )
        .await?;
    Ok(found)
}

/// Removes these messages of the selected mailbox and no others: without UIDPLUS they stay marked as deleted, which
/// hides them.
pub(super) async fn remove(
    connection: &mut Connection,
    uids: &UidSet,
    call: Call,
) -> ProviderResult<()> {
    if uids.is_empty() {
        return Ok(());
    }
    let store = Store {
        action: StoreAction::Add,
        flags: SystemFlags::DELETED,
        keywords: &[],
        unchanged_since: None,
    };
    connection.uid_store(uids, store, call.deadline).await?;
    if connection.has(Capability::UIDPLUS) {
        connection.uid_expunge(uids, call.deadline).await?;
    }
    Ok(())
}
