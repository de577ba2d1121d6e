use std::collections::HashMap;

use anyhow::Context as _;
use serde::de::DeserializeOwned;

use super::api::{Account, Deleted, Folder, Message, SyncStarted};

/// A client's copy of a mailbox, kept up to date by the two streams of the sync feed.
pub(super) struct MailboxCopy {
    pub messages: HashMap<String, Message>,
    /// Paths of the folders by their ids.
    pub folders: HashMap<String, String>,
    /// In the order in which they came first: newest first.
    pub order: Vec<String>,
    pub updated_token: String,
    deleted_token: String,
}

/// What happened to a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    New(String),
    Changed(String),
    /// With the subject that it had.
    Gone(String, Option<String>),
}

impl MailboxCopy {
    /// Takes the first copy. `progress` is told of every page how many messages it brought.
    pub(super) async fn fetch(
        account: &Account,
        started: SyncStarted,
        progress: impl Fn(u64),
    ) -> anyhow::Result<Self> {
        let mut copy = Self {
            messages: HashMap::new(),
            folders: folders(account).await?,
            order: Vec::new(),
            updated_token: started.sync_updated_token,
            deleted_token: started.sync_deleted_token,
        };
        copy.take(account, progress).await?;
        Ok(copy)
    }

    /// Takes what changed since the last time.
    pub(super) async fn follow(&mut self, account: &Account) -> anyhow::Result<Vec<Change>> {
        let changes = self.take(account, |_| {}).await?;
        let unknown = |id: &String| !self.folders.contains_key(id);
        let mut places = self
            .messages
            .values()
            .filter_map(|message| message.folder_id.as_ref());
        if places.any(unknown) {
            self.folders = folders(account).await?;
        }
        Ok(changes)
    }

    async fn take(
        &mut self,
        account: &Account,
        progress: impl Fn(u64),
    ) -> anyhow::Result<Vec<Change>> {
        let mut changes = Vec::new();
        let (updated, next) =
            walk::<Message>(account, "updated", &self.updated_token, progress).await?;
        self.updated_token = next;
        let (deleted, next) =
            walk::<Deleted>(account, "deleted", &self.deleted_token, |_| {}).await?;
        self.deleted_token = next;
        for message in updated {
            let id = message.id.clone();
            changes.push(match self.messages.insert(id.clone(), message) {
                Some(_) => Change::Changed(id),
                None => {
                    self.order.push(id.clone());
                    Change::New(id)
                }
            });
        }
        for Deleted { id } in deleted {
            if let Some(message) = self.messages.remove(&id) {
                self.order.retain(|other| *other != id);
                changes.push(Change::Gone(id, message.subject));
            }
        }
        Ok(changes)
    }
}

async fn folders(account: &Account) -> anyhow::Result<HashMap<String, String>> {
    let folders = account.folders().await?;
    Ok(folders
        .into_iter()
        .map(|Folder { id, full_name }| (id, full_name))
        .collect())
}

/// Walks a stream to its end: what it brought, and the token with which the next walk begins.
async fn walk<T: DeserializeOwned>(
    account: &Account,
    stream: &str,
    token: &str,
    progress: impl Fn(u64),
) -> anyhow::Result<(Vec<T>, String)> {
    let mut records = Vec::new();
    let mut page_token: Option<String> = None;
    loop {
        let page = account
            .page::<T>(stream, token, page_token.as_deref())
            .await?;
        progress(u64::try_from(page.records.len())?);
        records.extend(page.records);
        match page.next_page_token {
            Some(next) => page_token = Some(next),
            None => {
                let next = page
                    .next_delta_token
                    .context("a walk ended without a token")?;
                return Ok((records, next));
            }
        }
    }
}
