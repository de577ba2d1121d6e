//! A client that knows the two streams alone, and holds what it is told against what it knows.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use email_model::{FolderId, Labels, MessageId, ThreadId, Timestamp};
use gateway_operations::{
    Account, Gateway, MessageView, OperationErrorKind, OperationResult, StartSync, SyncPageRequest,
};
use provider_memory::MemoryMailbox;

/// How long it asks again where the gateway is not ready.
const PATIENCE: Duration = Duration::from_secs(10);

/// What it knows of a message.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    message_id: String,
    folder: FolderId,
    labels: Labels,
    thread: Option<ThreadId>,
    received_at: Option<Timestamp>,
}

/// Messages as a comparison needs them, by Message-ID: path of the folder that is told, labels, time of receipt.
type Shown = BTreeMap<String, (String, String, Option<Timestamp>)>;

/// A client: its copy, and where it stands in the streams. Outlives every gateway.
#[derive(Debug, Default)]
pub struct Client {
    updated: Option<String>,
    deleted: Option<String>,
    /// Where a walk of the updated stream was broken off.
    page: Option<String>,
    copy: BTreeMap<MessageId, Known>,
    versions: BTreeMap<MessageId, i64>,
    /// The id that each message was ever told under.
    ids: BTreeMap<String, MessageId>,
    has_labels: bool,
}

impl Client {
    /// A client of a mailbox of labels, or of folders.
    pub fn new(has_labels: bool) -> Self {
        Self {
            has_labels,
            ..Self::default()
        }
    }

    /// Walks both streams to their ends. What a page tells is taken over when the page has come, with its token.
    pub async fn sync(&mut self, gateway: &Gateway, account: &Account) -> Result<()> {
        if self.updated.is_none() {
            let start = StartSync {
                await_ready: true,
                ..StartSync::default()
            };
            let started = gateway.start_sync(account, start).await?;
            self.updated = Some(started.updated_token);
            self.deleted = Some(started.deleted_token);
        }
        self.walk_updated(gateway, account).await?;
        self.walk_deleted(gateway, account).await
    }

    async fn walk_updated(&mut self, gateway: &Gateway, account: &Account) -> Result<()> {
        loop {
            let request = match &self.page {
                Some(page) => go_on(Some(page.clone())),
                None => begin(self.updated.as_ref())?,
            };
            let page = patiently(|| gateway.sync_updated(account, request.clone())).await?;
            for record in &page.records {
                self.update(record)?;
            }
            self.page = page.next_page_token;
            if let Some(token) = page.next_delta_token {
                self.updated = Some(token);
                return Ok(());
            }
        }
    }

    async fn walk_deleted(&mut self, gateway: &Gateway, account: &Account) -> Result<()> {
        let mut request = begin(self.deleted.as_ref())?;
        loop {
            let page = patiently(|| gateway.sync_deleted(account, request.clone())).await?;
            for record in &page.records {
                self.remove(record.id, record.version)?;
            }
            if let Some(token) = page.next_delta_token {
                self.deleted = Some(token);
                return Ok(());
            }
            request = go_on(page.next_page_token);
        }
    }

    fn update(&mut self, record: &MessageView) -> Result<()> {
        let id = record.id;
        let envelope = record.envelope.as_ref().context("no envelope")?;
        let known = Known {
            message_id: envelope.message_id.clone().context("no Message-ID")?,
            folder: record.folder.context("no folder")?,
            labels: record.labels.clone().context("no labels")?,
            thread: record.thread,
            received_at: envelope.received_at,
        };
        let before = self.ids.insert(known.message_id.clone(), id);
        ensure!(
            before.is_none_or(|before| before == id),
            "{} was {before:?} and is {id}",
            known.message_id
        );
        self.advance(id, record.version.context("no version")?)?;
        // Of several labels one is told: another one more is a change that does not show.
        ensure!(
            self.has_labels || self.copy.get(&id) != Some(&known),
            "{} is told again, unchanged",
            known.message_id
        );
        self.copy.insert(id, known);
        Ok(())
    }

    fn remove(&mut self, id: MessageId, version: i64) -> Result<()> {
        // Its update, with a higher version, may have come first.
        if self.versions.get(&id).is_some_and(|known| *known > version) {
            return Ok(());
        }
        self.advance(id, version)?;
        let known = self.copy.remove(&id);
        ensure!(known.is_some(), "{id} is removed and was never told");
        Ok(())
    }

    /// No record is told twice: a message found by the first scan alone has the version 0.
    fn advance(&mut self, id: MessageId, version: i64) -> Result<()> {
        if let Some(known) = self.versions.insert(id, version) {
            ensure!(version > known, "{id} is told at {version} after {known}");
        }
        Ok(())
    }

    /// Syncs until the copy equals the mailbox.
    pub async fn catch_up(
        &mut self,
        gateway: &Gateway,
        account: &Account,
        mailbox: &MemoryMailbox,
    ) -> Result<()> {
        let began = Instant::now();
        loop {
            self.sync(gateway, account).await?;
            let copy = self.shown(gateway, account).await?;
            let truth = shown(mailbox, &copy);
            if copy == truth {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                bail!("the copy stays\n{copy:#?}\nand the mailbox holds\n{truth:#?}");
            }
        }
    }

    async fn shown(&self, gateway: &Gateway, account: &Account) -> Result<Shown> {
        let folders = patiently(|| gateway.folders(account)).await?;
        let shown = self.copy.values().map(|known| {
            let folder = folders.iter().find(|folder| folder.id == known.folder);
            let folder = folder.map_or_else(
                || known.folder.to_string(),
                |folder| folder.full_name.clone(),
            );
            let labels = format!("{:?} {:?}", known.labels.flags, known.labels.keywords);
            (
                known.message_id.clone(),
                (folder, labels, known.received_at),
            )
        });
        Ok(shown.collect())
    }

    /// Fails unless another client, which began anew, knows the same.
    pub fn must_equal(&self, other: &Self) -> Result<()> {
        ensure!(
            self.copy == other.copy,
            "a new client knows\n{:#?}\nand the old one\n{:#?}",
            other.copy,
            self.copy
        );
        Ok(())
    }

    /// Ids of the copy.
    pub fn ids(&self) -> impl Iterator<Item = MessageId> {
        self.copy.keys().copied()
    }
}

fn begin(token: Option<&String>) -> Result<SyncPageRequest> {
    Ok(SyncPageRequest {
        delta_token: Some(token.context("no token")?.clone()),
        limit: Some(5),
        ..SyncPageRequest::default()
    })
}

fn go_on(token: Option<String>) -> SyncPageRequest {
    SyncPageRequest {
        page_token: token,
        limit: Some(5),
        ..SyncPageRequest::default()
    }
}

/// What the mailbox holds. Of several folders that a message is in one is told: any of them is true.
fn shown(mailbox: &MemoryMailbox, copy: &Shown) -> Shown {
    let shown = mailbox.dump().into_iter().map(|stored| {
        let raw = String::from_utf8_lossy(&stored.raw);
        let id = raw
            .lines()
            .find_map(|line| line.strip_prefix("Message-ID: "));
        let id = id.unwrap_or_default().to_owned();
        let told = copy.get(&id).map(|(folder, ..)| folder);
        let folder = match told.filter(|told| stored.folders.contains(told)) {
            Some(told) => told.clone(),
            None => stored.folders.join(" "),
        };
        let labels = format!("{:?} {:?}", stored.flags, stored.keywords);
        (id, (folder, labels, Some(stored.received_at)))
    });
    shown.collect()
}

/// Asks again while the answer is that it is too early.
async fn patiently<T>(ask: impl AsyncFn() -> OperationResult<T>) -> Result<T> {
    let began = Instant::now();
    loop {
        match ask().await {
            Err(error)
                if error.kind == OperationErrorKind::MailboxUnavailable
                    && began.elapsed() < PATIENCE =>
            {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            done => return Ok(done?),
        }
    }
}
