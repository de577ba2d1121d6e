use std::ops::Range;

use async_trait::async_trait;
use email_model::PartId;
use email_provider::{
    ByteStream, Call, Capabilities, ChangePage, Cursor, Detail, EmailProvider, ErrorKind, Fetched,
    Folder, FolderModel, MessageEdit, MessageRef, NewFolder, ProviderError, ProviderResult,
    Removal, ScanPage, ScanRequest, ScopeKey, SearchCapability, SearchPage, SearchRequest, Survey,
    ThreadModel,
};
use tokio::{task::spawn_blocking, time::timeout_at};

use crate::{error, feed, folders, maildir::Maildir, reading, writing};

/// An open mailbox.
#[derive(Clone, Debug)]
pub(crate) struct MaildirProvider(pub Maildir);

impl MaildirProvider {
    /// Disks block: on a thread for that, for no longer than the call lasts.
    async fn run<T: Send + 'static>(
        &self,
        call: Call,
        is_write: bool,
        work: impl FnOnce(&Maildir) -> ProviderResult<T> + Send + 'static,
    ) -> ProviderResult<T> {
        let maildir = self.0.clone();
        let work = spawn_blocking(move || work(&maildir));
        match timeout_at(call.deadline, work).await {
            Err(_) => Err(error::late(is_write)),
            Ok(Err(_)) => Err(ProviderError::new(
                ErrorKind::Unexpected,
                "the work broke off",
            )),
            Ok(Ok(answer)) => answer,
        }
    }
}

#[async_trait]
impl EmailProvider for MaildirProvider {
    fn capabilities(&self) -> Capabilities {
        let folders = self.0.folders().unwrap_or_default();
        Capabilities {
            folders: FolderModel::Folders,
            threads: ThreadModel::Derived,
            search: SearchCapability::None,
            keywords: false,
            create_folders: true,
            native_identity: false,
            cheap_level_check: true,
            push: false,
            largest_message: None,
            roles: folders
                .iter()
                .filter_map(|key| folders::role(key))
                .collect(),
        }
    }

    async fn folders(&self, call: Call) -> ProviderResult<Vec<Folder>> {
        self.run(call, false, folders::all).await
    }

    async fn search(&self, call: Call, request: SearchRequest) -> ProviderResult<SearchPage> {
        let work = move |maildir: &_| reading::search(maildir, &request);
        self.run(call, false, work).await
    }

    async fn fetch(
        &self,
        call: Call,
        refs: &[MessageRef],
        detail: Detail,
    ) -> ProviderResult<Vec<Fetched>> {
        let refs = refs.to_vec();
        let work = move |maildir: &_| reading::fetch(maildir, &refs, detail);
        self.run(call, false, work).await
    }

    async fn raw(&self, call: Call, at: &MessageRef) -> ProviderResult<ByteStream> {
        let at = at.clone();
        let work = move |maildir: &_| reading::raw(maildir, &at);
        self.run(call, false, work).await
    }

    async fn attachment(
        &self,
        call: Call,
        at: &MessageRef,
        part: &PartId,
        range: Option<Range<u64>>,
    ) -> ProviderResult<ByteStream> {
        let (at, part) = (at.clone(), part.clone());
        let work = move |maildir: &_| reading::attachment(maildir, &at, &part, range);
        self.run(call, false, work).await
    }

    async fn survey(&self, call: Call, known: &[(ScopeKey, Cursor)]) -> ProviderResult<Survey> {
        let known = known.to_vec();
        let work = move |maildir: &_| feed::survey(maildir, &known);
        self.run(call, false, work).await
    }

    async fn begin(&self, call: Call, scope: &ScopeKey) -> ProviderResult<Option<Cursor>> {
        let scope = scope.clone();
        let work = move |maildir: &_| feed::begin(maildir, &scope).map(Some);
        self.run(call, false, work).await
    }

    async fn scan(
        &self,
        call: Call,
        scope: &ScopeKey,
        request: ScanRequest<'_>,
    ) -> ProviderResult<ScanPage> {
        let (scope, request) = (scope.clone(), feed::Scan::of(request)?);
        let work = move |maildir: &_| feed::scan(maildir, &scope, request);
        self.run(call, false, work).await
    }

    async fn changes(
        &self,
        call: Call,
        scope: &ScopeKey,
        cursor: &Cursor,
        _limit: usize,
    ) -> ProviderResult<ChangePage> {
        let (scope, cursor) = (scope.clone(), cursor.clone());
        let work = move |maildir: &_| feed::changes(maildir, &scope, &cursor);
        self.run(call, false, work).await
    }

    async fn update(
        &self,
        call: Call,
        at: &MessageRef,
        edit: &MessageEdit,
    ) -> ProviderResult<Option<MessageRef>> {
        let (at, edit) = (at.clone(), edit.clone());
        let work = move |maildir: &_| writing::update(maildir, &at, &edit).map(Some);
        self.run(call, true, work).await
    }

    async fn remove(&self, call: Call, at: &MessageRef, removal: Removal) -> ProviderResult<()> {
        let at = at.clone();
        let work = move |maildir: &_| writing::remove(maildir, &at, removal);
        self.run(call, true, work).await
    }

    async fn create_folder(&self, call: Call, folder: NewFolder) -> ProviderResult<Folder> {
        let work = move |maildir: &_| folders::create(maildir, &folder);
        self.run(call, true, work).await
    }
}
