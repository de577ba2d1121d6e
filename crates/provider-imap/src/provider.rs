//! A signed-in IMAP mailbox.

use std::{
    ops::Range,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use email_model::{FolderRole, PartId};
use email_provider::{
    ByteStream, Call, Capabilities, ChangePage, Cursor, Detail, Drafts, EmailProvider, ErrorKind,
    Fetched, Folder, FolderModel, MessageEdit, MessageRef, NewFolder, Notifier, Priority,
    ProviderError, ProviderResult, Removal, ScanPage, ScanRequest, ScopeKey, SearchCapability,
    SearchPage, SearchRequest, Submitter, Survey, ThreadModel,
};
use serde::{Deserialize, Serialize};

use crate::{
    convert::IdentityKind,
    protocol::{self, Capability, Class, Connection, MailboxName, Pool, PooledConnection, Quirks},
    sending::Sending,
};

/// What a sign-in taught about the mailbox; stored, so that opening it costs no connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub identity: IdentityKind,
    pub level_check: bool,
    pub idle: bool,
    pub largest_message: Option<u64>,
    pub roles: Vec<FolderRole>,
}

impl Facts {
    /// Learns them from a connection that is signed in.
    pub async fn learn(
        connection: &mut Connection,
        deadline: tokio::time::Instant,
    ) -> protocol::Result<Self> {
        let folders = crate::listing::list_folders(connection, deadline).await?;
        let has = |capability| connection.has(capability);
        Ok(Self {
            identity: if has(Capability::OBJECTID) {
                IdentityKind::ObjectId
            } else {
                IdentityKind::Content
            },
            level_check: has(Capability::LIST_STATUS) && has(Capability::CONDSTORE),
            idle: has(Capability::IDLE),
            largest_message: connection.capabilities().append_limit,
            roles: folders.iter().filter_map(|folder| folder.role).collect(),
        })
    }
}

/// An IMAP mailbox.
pub struct ImapProvider {
    pub(crate) pool: Arc<Pool>,
    facts: OnceLock<Facts>,
    /// The server offers IDLE and refuses it: there is no watch until the mailbox is opened anew.
    pub(crate) idle_refused: Arc<AtomicBool>,
    /// `None` where no server to send through is known.
    pub(crate) sending: Option<Sending>,
}

impl std::fmt::Debug for ImapProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImapProvider")
            .field("connections", &self.pool.connections())
            .finish_non_exhaustive()
    }
}

impl ImapProvider {
    pub(crate) fn new(pool: Pool, facts: Option<Facts>, sending: Option<Sending>) -> Self {
        let provider = Self {
            pool: Arc::new(pool),
            facts: OnceLock::new(),
            idle_refused: Arc::default(),
            sending,
        };
        if let Some(facts) = facts {
            let _ = provider.facts.set(facts);
        }
        provider
    }

    /// A connection for a call, best one with this mailbox selected.
    pub(crate) async fn connection(
        &self,
        call: Call,
        mailbox: Option<&MailboxName>,
    ) -> ProviderResult<PooledConnection> {
        let class = match call.priority {
            Priority::Interactive => Class::Interactive,
            Priority::Background => Class::Bulk,
        };
        Ok(self.pool.acquire(class, call.deadline, mailbox).await?)
    }

    /// Signs in once, if the facts are not known yet.
    pub(crate) async fn learn(&self, deadline: tokio::time::Instant) -> ProviderResult<()> {
        if self.facts.get().is_none() {
            let mut connection = self
                .pool
                .acquire(Class::Interactive, deadline, None)
                .await?;
            let facts = Facts::learn(&mut connection, deadline).await?;
            let _ = self.facts.set(facts);
        }
        Ok(())
    }

    pub(crate) fn identity_kind(&self) -> IdentityKind {
        self.facts
            .get()
            .map_or(IdentityKind::Content, |facts| facts.identity)
    }
}

pub(crate) fn not_found(what: &str) -> ProviderError {
    ProviderError::new(ErrorKind::NotFound, format!("{what} is not there"))
}

/// Quirks that make a listing no proof: the server shows only a part of the mailbox.
pub(crate) fn shows_part(quirks: &Quirks, exists: u32) -> bool {
    quirks.select_cap.is_some_and(|cap| exists >= cap)
}

#[async_trait]
impl EmailProvider for ImapProvider {
    fn capabilities(&self) -> Capabilities {
        let facts = self.facts.get();
        Capabilities {
            folders: FolderModel::Folders,
            threads: ThreadModel::Derived,
            search: SearchCapability::FullText,
            keywords: true,
            create_folders: true,
            native_identity: facts.is_some_and(|facts| facts.identity == IdentityKind::ObjectId),
            cheap_level_check: facts.is_some_and(|facts| facts.level_check),
            push: facts.is_some_and(|facts| facts.idle),
            largest_message: facts.and_then(|facts| facts.largest_message),
            roles: facts.map(|facts| facts.roles.clone()).unwrap_or_default(),
        }
    }

    async fn folders(&self, call: Call) -> ProviderResult<Vec<Folder>> {
        let mut connection = self.connection(call, None).await?;
        Ok(crate::listing::list_folders(&mut connection, call.deadline).await?)
    }

    async fn search(&self, call: Call, request: SearchRequest) -> ProviderResult<SearchPage> {
        self.search_page(call, request).await
    }

    async fn fetch(
        &self,
        call: Call,
        refs: &[MessageRef],
        detail: Detail,
    ) -> ProviderResult<Vec<Fetched>> {
        self.fetch_refs(call, refs, detail).await
    }

    async fn raw(&self, call: Call, at: &MessageRef) -> ProviderResult<ByteStream> {
        self.stream_raw(call, at).await
    }

    async fn attachment(
        &self,
        call: Call,
        at: &MessageRef,
        part: &PartId,
        range: Option<Range<u64>>,
    ) -> ProviderResult<ByteStream> {
        self.stream_part(call, at, part, range).await
    }

    async fn survey(&self, call: Call, known: &[(ScopeKey, Cursor)]) -> ProviderResult<Survey> {
        self.level_check(call, known).await
    }

    async fn begin(&self, call: Call, scope: &ScopeKey) -> ProviderResult<Option<Cursor>> {
        self.begin_scope(call, scope).await.map(Some)
    }

    async fn scan(
        &self,
        call: Call,
        scope: &ScopeKey,
        request: ScanRequest<'_>,
    ) -> ProviderResult<ScanPage> {
        self.scan_scope(call, scope, request).await
    }

    async fn changes(
        &self,
        call: Call,
        scope: &ScopeKey,
        cursor: &Cursor,
        limit: usize,
    ) -> ProviderResult<ChangePage> {
        self.changes_since(call, scope, cursor, limit).await
    }

    async fn update(
        &self,
        call: Call,
        at: &MessageRef,
        edit: &MessageEdit,
    ) -> ProviderResult<Option<MessageRef>> {
        self.apply_edit(call, at, edit).await
    }

    async fn remove(&self, call: Call, at: &MessageRef, removal: Removal) -> ProviderResult<()> {
        self.remove_message(call, at, removal).await
    }

    async fn create_folder(&self, call: Call, folder: NewFolder) -> ProviderResult<Folder> {
        self.make_folder(call, folder).await
    }

    fn notifier(&self) -> Option<&dyn Notifier> {
        let offered = self.facts.get().is_some_and(|facts| facts.idle);
        (offered && !self.idle_refused.load(Ordering::Relaxed)).then_some(self)
    }

    fn submitter(&self) -> Option<&dyn Submitter> {
        self.sending.as_ref().map(|_| self as &dyn Submitter)
    }

    fn drafts(&self) -> Option<&dyn Drafts> {
        let facts = self.facts.get();
        let has_folder = facts.is_some_and(|facts| facts.roles.contains(&FolderRole::Drafts));
        has_folder.then_some(self as &dyn Drafts)
    }

    async fn close(&self) {
        if let Some(sending) = &self.sending {
            sending.close();
        }
        self.pool.close();
    }
}
