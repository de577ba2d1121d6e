//! Drafts: messages in the folder of drafts, which IMAP can only replace.

use async_trait::async_trait;
use email_model::FolderRole;
use email_provider::{
    Call, DraftQuery, DraftRef, Drafts, ErrorKind, KeptDraft, MessageCopy, Outgoing, ProviderError,
    ProviderResult,
};

use super::{
    draft_key::DraftKey,
    folders::{folder_of, id_of, remove, select_to_change, with_id},
    sent_copy::{append, newest_new},
    stored_draft::versions,
};
use crate::{
    cursor::read_key,
    protocol::{Connection, MailboxName, SystemFlags, UidSet},
    provider::{ImapProvider, not_found},
};

#[async_trait]
impl Drafts for ImapProvider {
    async fn create(&self, call: Call, outgoing: &Outgoing) -> ProviderResult<KeptDraft> {
        let mut connection = self.short(call).await?;
        let folder = drafts_folder(&mut connection, call).await?;
        select_to_change(&mut connection, &folder, call).await?;
        let before = with_id(&mut connection, &outgoing.message_id, call).await?;
        keep(&mut connection, &folder, outgoing, &before, call).await
    }

    async fn replace(
        &self,
        call: Call,
        draft: &DraftRef,
        outgoing: &Outgoing,
    ) -> ProviderResult<KeptDraft> {
        let mut found = self.find_unchanged(call, draft).await?;
        let folder = found.key.mailbox();
        let before = with_id(&mut found.connection, &outgoing.message_id, call).await?;
        let kept = keep(&mut found.connection, &folder, outgoing, &before, call).await?;
        // The new one is there: whatever goes wrong from here on leaves both.
        let unknown = |error: ProviderError| ProviderError {
            kind: ErrorKind::OutcomeUnknown,
            ..error
        };
        let state = select_to_change(&mut found.connection, &folder, call)
            .await
            .map_err(unknown)?;
        if state.uid_validity == found.key.uid_validity {
            remove(&mut found.connection, &found.versions, call)
                .await
                .map_err(unknown)?;
        }
        Ok(kept)
    }

    async fn discard(&self, call: Call, draft: &DraftRef) -> ProviderResult<()> {
        let key = DraftKey::read(draft)?;
        let mut connection = self.short(call).await?;
        let versions = versions(&mut connection, &key, call).await?;
        match versions.uids.is_empty() {
            true => Err(not_found("the draft")),
            false => remove(&mut connection, &versions.uids, call).await,
        }
    }

    async fn find(&self, call: Call, query: &DraftQuery) -> ProviderResult<Option<KeptDraft>> {
        let mut connection = self.short(call).await?;
        let folder = drafts_folder(&mut connection, call).await?;
        let state = select_to_change(&mut connection, &folder, call).await?;
        let (uid, message_id) = match query {
            DraftQuery::MessageId(id) => {
                let found = with_id(&mut connection, id, call).await?;
                (found.last(), Some(id.clone()))
            }
            DraftQuery::Message(at) => match read_key(&at.key) {
                Some((validity, uid))
                    if at.scope.0 == folder.to_key() && validity == state.uid_validity =>
                {
                    (Some(uid), id_of(&mut connection, uid, call).await?)
                }
                _ => (None, None),
            },
        };
        match (uid, message_id) {
            (Some(uid), Some(message_id)) => {
                Ok(Some(kept(&folder, state.uid_validity, uid, message_id)?))
            }
            _ => Ok(None),
        }
    }
}

async fn drafts_folder(connection: &mut Connection, call: Call) -> ProviderResult<MailboxName> {
    let folder = folder_of(connection, FolderRole::Drafts, call).await?;
    folder.ok_or_else(|| {
        ProviderError::new(
            ErrorKind::Unsupported,
            "this mailbox has no folder of drafts (drafts)",
        )
    })
}

/// Appends a draft. `before` are the messages with its Message-ID that are there already.
async fn keep(
    connection: &mut Connection,
    folder: &MailboxName,
    outgoing: &Outgoing,
    before: &UidSet,
    call: Call,
) -> ProviderResult<KeptDraft> {
    let flags = SystemFlags::DRAFT | SystemFlags::SEEN;
    let length = outgoing.octets.length(MessageCopy::Kept);
    let octets = outgoing.octets.read(MessageCopy::Kept);
    let told = append(connection, folder, flags, length, octets, call).await?;
    let (validity, uid) = match told {
        Some(place) => place,
        None => {
            let unknown = |error: ProviderError| ProviderError {
                kind: ErrorKind::OutcomeUnknown,
                ..error
            };
            let state = select_to_change(connection, folder, call).await;
            let found = with_id(connection, &outgoing.message_id, call).await;
            let uid = newest_new(&found.map_err(unknown)?, before).ok_or_else(|| {
                ProviderError::new(
                    ErrorKind::OutcomeUnknown,
                    "the draft was kept and is not to be found",
                )
            })?;
            (state.map_err(unknown)?.uid_validity, uid)
        }
    };
    kept(folder, validity, uid, outgoing.message_id.clone())
}

fn kept(
    folder: &MailboxName,
    uid_validity: u32,
    uid: u32,
    message_id: String,
) -> ProviderResult<KeptDraft> {
    let key = DraftKey {
        folder: folder.to_key(),
        uid_validity,
        uid,
        message_id,
    };
    Ok(KeptDraft {
        draft: key.write()?,
        at: key.message(),
        web_link: None,
    })
}
