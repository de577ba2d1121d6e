use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use email_model::PartId;
use email_provider::{
    ByteStream, Call, Capabilities, ChangePage, Cursor, Detail, Drafts, EmailProvider, Fetched,
    Folder, FolderModel, MessageEdit, MessageRef, NewFolder, Notifier, ProviderResult, Removal,
    ScanPage, ScanRequest, ScopeKey, SearchCapability, SearchPage, SearchRequest, Submitter,
    Survey, ThreadModel,
};

use crate::{
    changes, feed, fetching, folders, mailbox::Mailbox, scanning, searching, streams, writing,
};

/// A signed-in mailbox.
#[derive(Clone, Debug)]
pub struct GraphProvider {
    pub(crate) mailbox: Arc<Mailbox>,
}

impl GraphProvider {
    pub(crate) fn new(mailbox: Mailbox) -> Self {
        Self {
            mailbox: Arc::new(mailbox),
        }
    }
}

#[async_trait]
impl EmailProvider for GraphProvider {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            folders: FolderModel::Folders,
            threads: ThreadModel::Native,
            search: SearchCapability::FullText,
            keywords: true,
            create_folders: true,
            native_identity: true,
            cheap_level_check: false,
            push: self.mailbox.push.is_some(),
            // An organization's own, 35 to 150 MB, which the API does not tell.
            largest_message: None,
            roles: self.mailbox.roles().all(),
        }
    }

    async fn folders(&self, call: Call) -> ProviderResult<Vec<Folder>> {
        Ok(self.mailbox.folders_now(call).await?.folders.clone())
    }

    async fn search(&self, call: Call, request: SearchRequest) -> ProviderResult<SearchPage> {
        searching::search(&self.mailbox, call, &request).await
    }

    async fn fetch(
        &self,
        call: Call,
        refs: &[MessageRef],
        detail: Detail,
    ) -> ProviderResult<Vec<Fetched>> {
        fetching::fetch(&self.mailbox, call, refs, detail).await
    }

    async fn raw(&self, call: Call, at: &MessageRef) -> ProviderResult<ByteStream> {
        streams::raw(&self.mailbox, call, at).await
    }

    async fn attachment(
        &self,
        call: Call,
        at: &MessageRef,
        part: &PartId,
        range: Option<Range<u64>>,
    ) -> ProviderResult<ByteStream> {
        streams::attachment(&self.mailbox, call, at, part, range).await
    }

    async fn survey(&self, call: Call, _known: &[(ScopeKey, Cursor)]) -> ProviderResult<Survey> {
        feed::survey(&self.mailbox, call).await
    }

    async fn begin(&self, call: Call, scope: &ScopeKey) -> ProviderResult<Option<Cursor>> {
        feed::begin(&self.mailbox, call, scope).await
    }

    async fn scan(
        &self,
        call: Call,
        scope: &ScopeKey,
        request: ScanRequest<'_>,
    ) -> ProviderResult<ScanPage> {
        scanning::scan(&self.mailbox, call, scope, request).await
    }

    async fn changes(
        &self,
        call: Call,
        scope: &ScopeKey,
        cursor: &Cursor,
        limit: usize,
    ) -> ProviderResult<ChangePage> {
        changes::changes(&self.mailbox, call, scope, cursor, limit).await
    }

    async fn update(
        &self,
        call: Call,
        at: &MessageRef,
        edit: &MessageEdit,
    ) -> ProviderResult<Option<MessageRef>> {
        writing::update(&self.mailbox, call, at, edit)
            .await
            .map(Some)
    }

    async fn remove(&self, call: Call, at: &MessageRef, removal: Removal) -> ProviderResult<()> {
        writing::remove(&self.mailbox, call, at, removal).await
    }

    async fn create_folder(&self, call: Call, folder: NewFolder) -> ProviderResult<Folder> {
        folders::create(&self.mailbox, call, &folder).await
    }

    fn submitter(&self) -> Option<&dyn Submitter> {
        Some(self)
    }

    fn drafts(&self) -> Option<&dyn Drafts> {
        Some(self)
    }

    fn notifier(&self) -> Option<&dyn Notifier> {
        self.mailbox.push.is_some().then_some(self)
    }
}
