use std::{fmt::Debug, ops::Range, sync::Arc};

use async_trait::async_trait;
use email_model::PartId;
use futures::future::BoxFuture;

use super::Operation;
use crate::{
    ByteStream, Call, Capabilities, ChangePage, Cursor, Detail, Drafts, EmailProvider, Fetched,
    Folder, MessageEdit, MessageRef, NewFolder, Notifier, ProviderResult, Removal, ScanPage,
    ScanRequest, ScopeKey, SearchPage, SearchRequest, Submitter, Survey,
};

/// What happens around a call.
pub trait Layer: Send + Sync + Debug {
    /// Runs the call: once, several times or not at all. `run` starts it anew each time.
    fn around<'a, T, F>(
        &'a self,
        operation: Operation,
        call: Call,
        run: F,
    ) -> impl Future<Output = ProviderResult<T>> + Send + 'a
    where
        T: Send + 'a,
        F: Fn() -> BoxFuture<'a, ProviderResult<T>> + Send + Sync + 'a;
}

/// A mailbox with a layer around each of its calls. Facts, pushed hints and closing go through as
/// they are. A byte stream counts as answered when it begins.
#[derive(Debug)]
pub struct Layered<L> {
    pub(super) inner: Arc<dyn EmailProvider>,
    pub(super) layer: L,
}

impl<L: Layer> Layered<L> {
    /// Puts the layer around the mailbox.
    pub fn around(inner: Arc<dyn EmailProvider>, layer: L) -> Self {
        Self { inner, layer }
    }
}

#[async_trait]
impl<L: Layer> EmailProvider for Layered<L> {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn folders(&self, call: Call) -> ProviderResult<Vec<Folder>> {
        let run = || self.inner.folders(call);
        self.layer.around(Operation::Folders, call, run).await
    }

    async fn search(&self, call: Call, request: SearchRequest) -> ProviderResult<SearchPage> {
        let operation = Operation::Search {
            limit: request.limit,
        };
        let run = || self.inner.search(call, request.clone());
        self.layer.around(operation, call, run).await
    }

    async fn fetch(
        &self,
        call: Call,
        refs: &[MessageRef],
        detail: Detail,
    ) -> ProviderResult<Vec<Fetched>> {
        let operation = Operation::Fetch {
            messages: refs.len(),
            detail,
        };
        let run = || self.inner.fetch(call, refs, detail);
        self.layer.around(operation, call, run).await
    }

    async fn raw(&self, call: Call, at: &MessageRef) -> ProviderResult<ByteStream> {
        let run = || self.inner.raw(call, at);
        self.layer.around(Operation::Raw, call, run).await
    }

    async fn attachment(
        &self,
        call: Call,
        at: &MessageRef,
        part: &PartId,
        range: Option<Range<u64>>,
    ) -> ProviderResult<ByteStream> {
        let run = || self.inner.attachment(call, at, part, range.clone());
        self.layer.around(Operation::Attachment, call, run).await
    }

    async fn survey(&self, call: Call, known: &[(ScopeKey, Cursor)]) -> ProviderResult<Survey> {
        let run = || self.inner.survey(call, known);
        self.layer.around(Operation::Survey, call, run).await
    }

    async fn begin(&self, call: Call, scope: &ScopeKey) -> ProviderResult<Option<Cursor>> {
        let run = || self.inner.begin(call, scope);
        self.layer.around(Operation::Begin, call, run).await
    }

    async fn scan(
        &self,
        call: Call,
        scope: &ScopeKey,
        request: ScanRequest<'_>,
    ) -> ProviderResult<ScanPage> {
        let operation = Operation::Scan {
            limit: request.limit,
            detail: request.detail,
        };
        let run = || self.inner.scan(call, scope, request);
        self.layer.around(operation, call, run).await
    }

    async fn changes(
        &self,
        call: Call,
        scope: &ScopeKey,
        cursor: &Cursor,
        limit: usize,
    ) -> ProviderResult<ChangePage> {
        let run = || self.inner.changes(call, scope, cursor, limit);
        self.layer
            .around(Operation::Changes { limit }, call, run)
            .await
    }

    async fn update(
        &self,
        call: Call,
        at: &MessageRef,
        edit: &MessageEdit,
    ) -> ProviderResult<Option<MessageRef>> {
        let run = || self.inner.update(call, at, edit);
        self.layer.around(Operation::Update, call, run).await
    }

    async fn remove(&self, call: Call, at: &MessageRef, removal: Removal) -> ProviderResult<()> {
        let run = || self.inner.remove(call, at, removal);
        self.layer.around(Operation::Remove, call, run).await
    }

    async fn create_folder(&self, call: Call, folder: NewFolder) -> ProviderResult<Folder> {
        let run = || self.inner.create_folder(call, folder.clone());
        self.layer.around(Operation::CreateFolder, call, run).await
    }

    fn notifier(&self) -> Option<&dyn Notifier> {
        self.inner.notifier()
    }

    fn submitter(&self) -> Option<&dyn Submitter> {
        self.inner.submitter().map(|_| self as &dyn Submitter)
    }

    fn drafts(&self) -> Option<&dyn Drafts> {
        self.inner.drafts().map(|_| self as &dyn Drafts)
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
