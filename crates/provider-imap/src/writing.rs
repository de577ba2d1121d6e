//! Changing and removing messages.

use email_model::{Flags, FolderKey, FolderRole};
use email_provider::{
    Call, ErrorKind, MessageEdit, MessageRef, ProviderError, ProviderResult, Removal, ScopeKey,
};

use crate::{
    convert::{is_deleted, stored_flags},
    cursor::{entry_key, read_key},
    listing::list_folders,
    protocol::{
        Capability, Error, FetchData, FetchItem, FetchItems, FlagSet, MailboxName,
        PooledConnection, Store, StoreAction, SystemFlags, UidSet,
    },
    provider::{ImapProvider, not_found},
    selecting::{select, selected},
};

/// A message that is there, on a connection that has its mailbox selected.
struct Target {
    connection: PooledConnection,
    mailbox: MailboxName,
    uid: u32,
    flags: FlagSet,
}

impl ImapProvider {
    pub(crate) async fn apply_edit(
        &self,
        call: Call,
        at: &MessageRef,
        edit: &MessageEdit,
    ) -> ProviderResult<Option<MessageRef>> {
        let mut target = self.target(call, at).await?;
        let (add, add_keywords) = stored_flags(edit.add_flags);
        let (remove, remove_keywords) = stored_flags(edit.remove_flags);
        self.store(&mut target, call, StoreAction::Add, add, &add_keywords)
            .await?;
        self.store(
            &mut target,
            call,
            StoreAction::Remove,
            remove,
            &remove_keywords,
        )
        .await?;
        if let Some(keywords) = &edit.keywords {
            self.replace_keywords(&mut target, call, keywords).await?;
        }
        let destination = match (&edit.move_to, edit.archived) {
            (Some(folder), _) => Some(MailboxName::from_key(&folder.0)),
            (None, Some(true)) => Some(
                self.folder_of(&mut target, call, FolderRole::Archive)
                    .await?,
            ),
            (None, Some(false)) => Some(MailboxName::inbox()),
            (None, None) => None,
        };
        match destination {
            Some(destination) => self.move_to(target, call, &destination).await,
            None => Ok(Some(at.clone())),
        }
    }

    pub(crate) async fn remove_message(
        &self,
        call: Call,
        at: &MessageRef,
        removal: Removal,
    ) -> ProviderResult<()> {
        let mut target = self.target(call, at).await?;
        match removal {
            Removal::Trash => {
                let trash = self.folder_of(&mut target, call, FolderRole::Trash).await?;
                self.move_to(target, call, &trash).await?;
            }
            Removal::Forever => self.expunge(&mut target, call).await?,
        }
        Ok(())
    }

    async fn target(&self, call: Call, at: &MessageRef) -> ProviderResult<Target> {
        let (validity, uid) = read_key(&at.key).ok_or_else(|| not_found("the message"))?;
        let mailbox = MailboxName::from_key(&at.scope.0);
        let mut connection = self.connection(call, Some(&mailbox)).await?;
        let state = select(&mut connection, &mailbox, call).await?.state;
        if state.uid_validity != validity {
            return Err(not_found("the message"));
        }
        if state.read_only {
            return Err(ProviderError::new(
                ErrorKind::Forbidden,
                "the folder is read-only",
            ));
        }
        let mut flags = None;
        let mut take = |data: FetchData| {
            flags = data.flags;
            Ok(())
        };
        let items = FetchItems::from(FetchItem::FLAGS);
        connection
            .uid_fetch(
                &UidSet::range(uid, uid),
                &items,
                None,
                call.deadline,
                &mut take,
            )
            .await?;
        let flags = flags
            .filter(|flags| !is_deleted(Some(flags)))
            .ok_or_else(|| not_found("the message"))?;
        Ok(Target {
            connection,
            mailbox,
            uid,
            flags,
        })
    }

    async fn store(
        &self,
        target: &mut Target,
        call: Call,
        action: StoreAction,
        flags: SystemFlags,
        keywords: &[String],
    ) -> ProviderResult<()> {
        if flags.is_empty() && keywords.is_empty() {
            return Ok(());
        }
        let uids = UidSet::range(target.uid, target.uid);
        let store = Store {
            action,
            flags,
            keywords,
            unchanged_since: None,
        };
        target
            .connection
            .uid_store(&uids, store, call.deadline)
            .await?;
        Ok(())
    }

    async fn replace_keywords(
        &self,
        target: &mut Target,
        call: Call,
        wanted: &[String],
    ) -> ProviderResult<()> {
        let is_flag = |keyword: &str| {
            keyword.starts_with('\\')
                || stored_flags(Flags::all())
                    .1
                    .iter()
                    .any(|flag| flag.eq_ignore_ascii_case(keyword))
        };
        let has = |list: &[String], keyword: &str| {
            list.iter().any(|one| one.eq_ignore_ascii_case(keyword))
        };
        let current = &target.flags.keywords;
        let add: Vec<String> = wanted
            .iter()
            .filter(|keyword| !has(current, keyword))
            .cloned()
            .collect();
        let remove: Vec<String> = current
            .iter()
            .filter(|keyword| !is_flag(keyword) && !has(wanted, keyword))
            .cloned()
            .collect();
        let permanent = selected(&target.connection)?.permanent_flags;
        let can_keep = |keyword: &String| {
            permanent
                .as_ref()
                .is_none_or(|flags| flags.allows_new_keywords() || has(&flags.keywords, keyword))
        };
        if !add.iter().all(can_keep) {
            return Err(ProviderError::new(
                ErrorKind::Unsupported,
                "this folder keeps no new keywords (keywords)",
            ));
        }
        self.store(target, call, StoreAction::Add, SystemFlags::empty(), &add)
            .await?;
        self.store(
            target,
            call,
            StoreAction::Remove,
            SystemFlags::empty(),
            &remove,
        )
        .await
    }

    async fn folder_of(
        &self,
        target: &mut Target,
        call: Call,
        role: FolderRole,
    ) -> ProviderResult<MailboxName> {
        let folders = list_folders(&mut target.connection, call.deadline).await?;
        let folder = folders.iter().find(|folder| folder.role == Some(role));
        folder
            .map(|folder| MailboxName::from_key(&folder.key.0))
            .ok_or_else(|| {
                let name = match role {
                    FolderRole::Archive => "this mailbox has no archive folder (archive)",
                    FolderRole::Trash => "this mailbox has no trash folder (trash)",
                    _ => "this mailbox has no such folder",
                };
                ProviderError::new(ErrorKind::Unsupported, name)
            })
    }

    /// Moves the message: at once where the server can, else copied first and removed then, so that it
    /// is never nowhere.
    async fn move_to(
        &self,
        mut target: Target,
        call: Call,
        destination: &MailboxName,
    ) -> ProviderResult<Option<MessageRef>> {
        if *destination == target.mailbox {
            let validity = selected(&target.connection)?.uid_validity;
            return Ok(Some(reference(destination, validity, target.uid)));
        }
        let uids = UidSet::range(target.uid, target.uid);
        let moves = target.connection.has(Capability::MOVE);
        let transferred = if moves {
            let moved = target
                .connection
                .uid_move(&uids, destination, call.deadline);
            moved.await
        } else {
            let copied = target
                .connection
                .uid_copy(&uids, destination, call.deadline);
            copied.await
        };
        let copied = match transferred {
            Ok(copied) => copied,
            Err(error) => return Err(transfer_error(error, &mut target, call, destination).await),
        };
        if !moves {
            self.expunge(&mut target, call).await?;
        }
        Ok(copied.and_then(|copied| {
            let (_, uid) = copied.pairs.first().filter(|_| copied.pairs.len() == 1)?;
            Some(reference(destination, copied.uid_validity, *uid))
        }))
    }

    /// Removes this message and no other: without UIDPLUS it stays marked as deleted, which hides it.
    async fn expunge(&self, target: &mut Target, call: Call) -> ProviderResult<()> {
        self.store(target, call, StoreAction::Add, SystemFlags::DELETED, &[])
            .await?;
        if target.connection.has(Capability::UIDPLUS) {
            target
                .connection
                .uid_expunge(&UidSet::range(target.uid, target.uid), call.deadline)
                .await?;
        }
        Ok(())
    }
}

/// A missing destination is refused with TRYCREATE (RFC 3501 section 6.4.7), but not by every server:
/// where the refusal gives no reason, the folders are looked at.
async fn transfer_error(
    error: Error,
    target: &mut Target,
    call: Call,
    destination: &MailboxName,
) -> ProviderError {
    let unexplained =
        matches!(error, Error::No(_) | Error::Bad(_)) && error.kind() == ErrorKind::Unexpected;
    if unexplained {
        let key = destination.to_key();
        match list_folders(&mut target.connection, call.deadline).await {
            Ok(folders) if folders.iter().all(|folder| folder.key.0 != key) => {
                return not_found("the folder");
            }
            Ok(_) => {}
            Err(error) => return error.into(),
        }
    }
    error.into()
}

pub(crate) fn reference(mailbox: &MailboxName, uid_validity: u32, uid: u32) -> MessageRef {
    let FolderKey(key) = FolderKey(mailbox.to_key());
    MessageRef {
        scope: ScopeKey(key),
        key: entry_key(uid_validity, uid),
    }
}
