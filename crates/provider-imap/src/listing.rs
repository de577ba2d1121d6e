//! The list of mailboxes, and the level check that comes with it.

use std::collections::HashMap;

use email_model::{FolderKey, ScopeKey};
use email_provider::{
    Call, Cursor, ErrorKind, Folder, NewFolder, ProviderError, ProviderResult, ScopeState, Survey,
};
use tokio::time::Instant;

use crate::{
    cursor::MailboxCursor,
    folders::folders,
    protocol::{self, Capability, Connection, ListedMailbox, MailboxName, MailboxStatus},
    provider::ImapProvider,
};

/// Lists the mailboxes as folders.
pub(crate) async fn list_folders(
    connection: &mut Connection,
    deadline: Instant,
) -> protocol::Result<Vec<Folder>> {
    let listed = connection.list(false, deadline).await?;
    as_folders(connection, &listed, deadline).await
}

async fn as_folders(
    connection: &mut Connection,
    listed: &[ListedMailbox],
    deadline: Instant,
) -> protocol::Result<Vec<Folder>> {
    let namespaces = connection.namespace(deadline).await?;
    let prefixes: Vec<MailboxName> = namespaces
        .personal
        .into_iter()
        .map(|(prefix, _)| prefix)
        .collect();
    Ok(folders(listed, &prefixes, connection.quirks()))
}

impl ImapProvider {
    pub(crate) async fn level_check(
        &self,
        call: Call,
        known: &[(ScopeKey, Cursor)],
    ) -> ProviderResult<Survey> {
        let mut connection = self.connection(call, None).await?;
        let has_mod_seq = connection.has(Capability::CONDSTORE);
        let in_one = connection.has(Capability::LIST_STATUS);
        // Of the mailbox that a connection has selected, Dovecot tells the state that this connection
        // has seen (2.3.19, 2026), not the present one.
        connection.unselect(call.deadline).await?;
        let listed = connection
            .list(has_mod_seq && in_one, call.deadline)
            .await?;
        let folders = as_folders(&mut connection, &listed, call.deadline).await?;
        let mut statuses: HashMap<MailboxName, MailboxStatus> = HashMap::new();
        if has_mod_seq && !in_one {
            let names: Vec<MailboxName> = listed
                .iter()
                .filter(|one| one.is_selectable())
                .map(|one| one.name.clone())
                .collect();
            let answers = connection.statuses(&names, call.deadline).await?;
            statuses.extend(
                names
                    .into_iter()
                    .zip(answers)
                    .filter_map(|(name, status)| Some((name, status.ok()?))),
            );
        }
        drop(connection);
        for one in listed {
            if let Some(status) = one.status {
                statuses.insert(one.name, status);
            }
        }
        let known: HashMap<&ScopeKey, &Cursor> =
            known.iter().map(|(key, cursor)| (key, cursor)).collect();
        let scopes = folders
            .iter()
            .filter(|folder| folder.selectable && !folder.role.is_some_and(|role| role.is_view()))
            .map(|folder| {
                let key = ScopeKey(folder.key.0.clone());
                let status = statuses.get(&MailboxName::from_key(&folder.key.0));
                let cursor = known
                    .get(&key)
                    .and_then(|cursor| MailboxCursor::read(cursor).ok());
                ScopeState {
                    moved: cursor.is_none_or(|cursor| has_moved(&cursor, status)),
                    count: status.and_then(|status| status.messages).map(u64::from),
                    key,
                }
            })
            .collect();
        Ok(Survey { folders, scopes })
    }

    pub(crate) async fn make_folder(&self, call: Call, new: NewFolder) -> ProviderResult<Folder> {
        let mut connection = self.connection(call, None).await?;
        let namespaces = connection.namespace(call.deadline).await?;
        let listed = connection.list(false, call.deadline).await?;
        let (own_prefix, own_delimiter) = namespaces.personal.into_iter().next().unzip();
        let delimiter = listed
            .iter()
            .find_map(|one| one.delimiter)
            .or(own_delimiter.flatten());
        if delimiter.is_some_and(|delimiter| new.name.contains(delimiter)) {
            return Err(ProviderError::new(
                ErrorKind::Invalid,
                "the name holds the server's separator of levels",
            ));
        }
        let above = match &new.parent {
            Some(parent) => {
                let parent = MailboxName::from_key(&parent.0);
                if !listed.iter().any(|one| one.name == parent) {
                    return Err(crate::provider::not_found("the folder above it"));
                }
                let Some(delimiter) = delimiter else {
                    return Err(ProviderError::new(
                        ErrorKind::Unsupported,
                        "this mailbox has no folders within folders",
                    ));
                };
                [parent.wire(), delimiter.to_string().as_bytes()].concat()
            }
            None => own_prefix
                .map(|prefix| prefix.wire().to_vec())
                .unwrap_or_default(),
        };
        let name =
            MailboxName::from_wire(&[&above, MailboxName::encode(&new.name).wire()].concat());
        if listed.iter().any(|one| one.name == name) {
            return Err(ProviderError::new(
                ErrorKind::Conflict,
                "a folder of this name exists",
            ));
        }
        connection.create(&name, call.deadline).await?;
        // Other programs show subscribed folders only; a server without subscriptions may refuse.
        let _ = connection.subscribe(&name, call.deadline).await;
        let made = list_folders(&mut connection, call.deadline).await?;
        made.into_iter()
            .find(|folder| folder.key == FolderKey(name.to_key()))
            .ok_or_else(|| {
                ProviderError::new(ErrorKind::Unexpected, "the new folder is not listed")
            })
    }
}

/// Whether a mailbox may have changed since the cursor. Only a modification sequence is a proof that
/// no flag did.
fn has_moved(cursor: &MailboxCursor, status: Option<&MailboxStatus>) -> bool {
    let Some(status) = status else { return true };
    let is_same = cursor.mod_seq.is_some()
        && status.highest_mod_seq == cursor.mod_seq
        && status.uid_validity == Some(cursor.uid_validity)
        && status.uid_next == cursor.uid_next
        && status.messages == Some(cursor.exists);
    !is_same
}
