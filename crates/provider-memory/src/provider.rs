use std::ops::Range;

use async_trait::async_trait;
use email_model::PartId;
use email_provider::{
    ByteStream, Call, Capabilities, ChangePage, Cursor, Detail, Drafts, EmailProvider, Fetched,
    Folder, FolderModel, MessageEdit, MessageRef, NewFolder, Notifier, ProviderResult, Removal,
    ScanPage, ScanRequest, ScopeKey, SearchPage, SearchRequest, Submitter, Survey, ThreadModel,
};
use futures::stream::BoxStream;

use crate::{MemoryMailbox, feed, reading, writing};

/// A signed-in mailbox in memory.
#[derive(Clone, Debug)]
pub struct MemoryProvider {
    pub(crate) mailbox: MemoryMailbox,
}

impl MemoryProvider {
    /// Opens the mailbox.
    pub fn new(mailbox: MemoryMailbox) -> Self {
        Self { mailbox }
    }
}

#[async_trait]
impl EmailProvider for MemoryProvider {
    fn capabilities(&self) -> Capabilities {
        let state = self.mailbox.state();
        let shape = state.shape;
        Capabilities {
            folders: if shape.labels {
                FolderModel::Labels
            } else {
                FolderModel::Folders
            },
            threads: if shape.native_identity {
                ThreadModel::Native
            } else {
                ThreadModel::Derived
            },
            search: shape.search,
            keywords: shape.keywords,
            create_folders: true,
            native_identity: shape.native_identity,
            cheap_level_check: shape.cheap_level_check,
            push: true,
            largest_message: None,
            roles: state
                .folders
                .values()
                .filter_map(|folder| folder.role)
                .collect(),
        }
    }

    async fn folders(&self, call: Call) -> ProviderResult<Vec<Folder>> {
        self.mailbox.read(call, "folders", reading::folders).await
    }

    async fn search(&self, call: Call, request: SearchRequest) -> ProviderResult<SearchPage> {
        self.mailbox
            .read(call, "search", |state| reading::search(state, &request))
            .await
    }

    async fn fetch(
        &self,
        call: Call,
        refs: &[MessageRef],
        detail: Detail,
    ) -> ProviderResult<Vec<Fetched>> {
        self.mailbox
            .read(call, "fetch", |state| {
                Ok(reading::fetch(state, refs, detail))
            })
            .await
    }

    async fn raw(&self, call: Call, at: &MessageRef) -> ProviderResult<ByteStream> {
        self.mailbox
            .read(call, "raw", |state| reading::raw(state, at))
            .await
    }

    async fn attachment(
        &self,
        call: Call,
        at: &MessageRef,
        part: &PartId,
        range: Option<Range<u64>>,
    ) -> ProviderResult<ByteStream> {
        let work = |state: &_| reading::attachment(state, at, part, range);
        self.mailbox.read(call, "attachment", work).await
    }

    async fn survey(&self, call: Call, known: &[(ScopeKey, Cursor)]) -> ProviderResult<Survey> {
        self.mailbox
            .read(call, "survey", |state| feed::survey(state, known))
            .await
    }

    async fn begin(&self, call: Call, scope: &ScopeKey) -> ProviderResult<Option<Cursor>> {
        self.mailbox
            .read(call, "begin", |state| feed::begin(state, scope))
            .await
    }

    async fn scan(
        &self,
        call: Call,
        scope: &ScopeKey,
        request: ScanRequest<'_>,
    ) -> ProviderResult<ScanPage> {
        self.mailbox
            .read(call, "scan", |state| feed::scan(state, scope, request))
            .await
    }

    async fn changes(
        &self,
        call: Call,
        scope: &ScopeKey,
        cursor: &Cursor,
        limit: usize,
    ) -> ProviderResult<ChangePage> {
        let work = |state: &_| feed::changes(state, scope, cursor, limit);
        self.mailbox.read(call, "changes", work).await
    }

    async fn update(
        &self,
        call: Call,
        at: &MessageRef,
        edit: &MessageEdit,
    ) -> ProviderResult<Option<MessageRef>> {
        let work = |state: &mut _| writing::update(state, at, edit).map(Some);
        self.mailbox.write(call, "update", work).await
    }

    async fn remove(&self, call: Call, at: &MessageRef, removal: Removal) -> ProviderResult<()> {
        self.mailbox
            .write(call, "remove", |state| writing::remove(state, at, removal))
            .await
    }

    async fn create_folder(&self, call: Call, folder: NewFolder) -> ProviderResult<Folder> {
        let work = |state: &mut _| writing::create_folder(state, &folder);
        self.mailbox.write(call, "create_folder", work).await
    }

    fn notifier(&self) -> Option<&dyn Notifier> {
        Some(self)
    }

    fn submitter(&self) -> Option<&dyn Submitter> {
        self.mailbox.shape().sends.then_some(self)
    }

    fn drafts(&self) -> Option<&dyn Drafts> {
        Some(self)
    }
}

#[async_trait]
impl Notifier for MemoryProvider {
    async fn watch(&self) -> ProviderResult<BoxStream<'static, ()>> {
        Ok(self.mailbox.watch())
    }
}
