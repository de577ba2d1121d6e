//! A backend that would have the journal keep too much for it, and one whose feed leaves something out.

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use email_model::{FolderRole, PartId};
use email_provider::{
    ByteStream, Call, Capabilities, ChangeNext, ChangePage, Clock, ConnectContext,
    ConnectedMailbox, Connection, Cursor, Detail, EmailProvider, Fetched, Folder, MessageEdit,
    MessageRef, PluginInfo, Position, ProviderPlugin, ProviderRegistry, ProviderResult, Removal,
    ScanNext, ScanPage, ScanRequest, ScopeKey, SearchPage, SearchRequest, SignIn, SignInError,
    Survey, SystemClock,
};
use gateway_operations::{OperationsConfig, StartSync, SyncPageRequest};
use provider_memory::{MemoryPlugin, Shape};

use crate::harness::{Harness, Mail};

/// What is wrong with the scope of this name.
#[derive(Clone, Debug)]
struct Flawed {
    scope: String,
    flaw: Flaw,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    WordyCursors,
    WordyPositions,
    /// It never says that it has moved.
    Silent,
}

const TOO_MUCH: usize = (64 << 10) + 1;

#[derive(Debug)]
struct FlawedPlugin(MemoryPlugin, Flawed);

#[async_trait]
impl ProviderPlugin for FlawedPlugin {
    fn info(&self) -> PluginInfo {
        self.0.info()
    }
    async fn resolve(
        &self,
        context: &ConnectContext,
        sign_in: &SignIn,
    ) -> Result<ConnectedMailbox, SignInError> {
        self.0.resolve(context, sign_in).await
    }
    async fn prove(
        &self,
        context: &ConnectContext,
        mailbox: ConnectedMailbox,
    ) -> Result<ConnectedMailbox, SignInError> {
        self.0.prove(context, mailbox).await
    }
    async fn open(
        &self,
        context: &ConnectContext,
        connection: &Connection,
    ) -> ProviderResult<Arc<dyn EmailProvider>> {
        let mailbox = self.0.open(context, connection).await?;
        Ok(Arc::new(FlawedProvider(mailbox, self.1.clone())))
    }
}

#[derive(Debug)]
struct FlawedProvider(Arc<dyn EmailProvider>, Flawed);

#[async_trait]
impl EmailProvider for FlawedProvider {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }
    async fn folders(&self, call: Call) -> ProviderResult<Vec<Folder>> {
        self.0.folders(call).await
    }
    async fn search(&self, call: Call, request: SearchRequest) -> ProviderResult<SearchPage> {
        self.0.search(call, request).await
    }
    async fn fetch(
        &self,
        call: Call,
        refs: &[MessageRef],
        detail: Detail,
    ) -> ProviderResult<Vec<Fetched>> {
        self.0.fetch(call, refs, detail).await
    }
    async fn raw(&self, call: Call, at: &MessageRef) -> ProviderResult<ByteStream> {
        self.0.raw(call, at).await
    }
    async fn attachment(
        &self,
        call: Call,
        at: &MessageRef,
        part: &PartId,
        range: Option<Range<u64>>,
    ) -> ProviderResult<ByteStream> {
        self.0.attachment(call, at, part, range).await
    }
    async fn survey(&self, call: Call, known: &[(ScopeKey, Cursor)]) -> ProviderResult<Survey> {
        let mut survey = self.0.survey(call, known).await?;
        let is_silent = |key: &ScopeKey| self.1.flaw == Flaw::Silent && key.0 == self.1.scope;
        for state in survey
            .scopes
            .iter_mut()
            .filter(|state| is_silent(&state.key))
        {
            state.moved &= known.iter().all(|(key, _)| *key != state.key);
        }
        Ok(survey)
    }
    async fn begin(&self, call: Call, scope: &ScopeKey) -> ProviderResult<Option<Cursor>> {
        self.0.begin(call, scope).await
    }
    async fn scan(
        &self,
        call: Call,
        scope: &ScopeKey,
        request: ScanRequest<'_>,
    ) -> ProviderResult<ScanPage> {
        let mut page = self.0.scan(call, scope, request).await?;
        if self.1.flaw == Flaw::WordyPositions && scope.0 == self.1.scope {
            page.next = ScanNext::More(Position(vec![1; TOO_MUCH]));
        }
        Ok(page)
    }
    async fn changes(
        &self,
        call: Call,
        scope: &ScopeKey,
        cursor: &Cursor,
        limit: usize,
    ) -> ProviderResult<ChangePage> {
        let mut page = self.0.changes(call, scope, cursor, limit).await?;
        if self.1.flaw == Flaw::WordyCursors && scope.0 == self.1.scope {
            page.next = ChangeNext::CaughtUp(Cursor(vec![1; TOO_MUCH]));
        }
        Ok(page)
    }
    async fn update(
        &self,
        call: Call,
        at: &MessageRef,
        edit: &MessageEdit,
    ) -> ProviderResult<Option<MessageRef>> {
        self.0.update(call, at, edit).await
    }
    async fn remove(&self, call: Call, at: &MessageRef, removal: Removal) -> ProviderResult<()> {
        self.0.remove(call, at, removal).await
    }
}

/// A mailbox whose archive is too wordy, with a message in the inbox and one in the archive.
async fn harness(flaw: Flaw) -> Harness {
    harness_at(flaw, Arc::new(SystemClock)).await
}

async fn harness_at(flaw: Flaw, clock: Arc<dyn Clock>) -> Harness {
    let of_archive = |plugin: MemoryPlugin| {
        let mailbox = plugin.mailbox("elsewhere@example.org");
        let scope = mailbox.folder(FolderRole::Archive).unwrap().0;
        let flawed = Flawed { scope, flaw };
        ProviderRegistry::default().register(FlawedPlugin(plugin, flawed))
    };
    let config = OperationsConfig::default();
    let harness = Harness::at(Shape::folders(), config, clock, of_archive).await;
    let mail = |id| Mail {
        id,
        ..Mail::default()
    };
    harness.deliver(FolderRole::Inbox, &mail("one"));
    harness.deliver(FolderRole::Archive, &mail("two"));
    harness
}

/// The folder that was set aside, and why; what is kept for it is as short as ever.
async fn set_aside(harness: &Harness) -> (String, String) {
    let account = harness.account.clone();
    let view = harness.gateway.account_view(account, false).await.unwrap();
    let [folder] = view.sync.unwrap().quarantined.try_into().unwrap();
    for scope in harness.store.scopes(harness.account.id).await.unwrap() {
        assert!(scope.cursor.is_none_or(|cursor| cursor.0.len() < 100));
        assert!(scope.state.to_string().len() < 1_000);
    }
    (folder.folder, folder.reason)
}

#[tokio::test]
async fn a_cursor_over_64_kib_is_refused_and_sets_its_folder_alone_aside() {
    let harness = harness(Flaw::WordyCursors).await;
    let start = StartSync {
        await_ready: true,
        ..StartSync::default()
    };
    let account = &harness.account;
    let started = harness.gateway.start_sync(account, start).await.unwrap();
    assert!(started.ready);
    let three = Mail {
        id: "three",
        ..Mail::default()
    };
    harness.deliver(FolderRole::Archive, &three);
    let four = Mail {
        id: "four",
        ..Mail::default()
    };
    harness.deliver(FolderRole::Inbox, &four);
    let request = SyncPageRequest {
        delta_token: Some(started.updated_token),
        ..SyncPageRequest::default()
    };
    let page = harness
        .gateway
        .sync_updated(account, request)
        .await
        .unwrap();
    // All but the third, which came with the cursor.
    assert_eq!(page.records.len(), 3);
    let (folder, reason) = set_aside(&harness).await;
    assert_eq!(folder, "Archive");
    let why = "the backend gave a cursor of 65537 octets; at most 65536 are kept";
    assert_eq!(reason, why);
}

#[tokio::test]
async fn a_position_over_64_kib_is_refused_and_sets_its_folder_alone_aside() {
    let harness = harness(Flaw::WordyPositions).await;
    let start = StartSync {
        await_ready: true,
        ..StartSync::default()
    };
    let account = &harness.account;
    let started = harness.gateway.start_sync(account, start).await.unwrap();
    assert!(started.ready);
    let (folder, reason) = set_aside(&harness).await;
    assert_eq!(folder, "Archive");
    let why = "the backend gave a position of 65537 octets; at most 65536 are kept";
    assert_eq!(reason, why);
}

/// A clock that is set forward.
#[derive(Debug, Default)]
struct Later(std::sync::atomic::AtomicI64);

impl Clock for Later {
    fn now(&self) -> email_model::Timestamp {
        let hours = self.0.load(std::sync::atomic::Ordering::SeqCst);
        SystemClock.now() + chrono::Duration::hours(hours)
    }
}

#[tokio::test]
async fn what_a_feed_leaves_out_is_found_by_counting() {
    let clock = Arc::new(Later::default());
    let harness = harness_at(Flaw::Silent, Arc::clone(&clock) as _).await;
    let start = StartSync {
        await_ready: true,
        ..StartSync::default()
    };
    let account = &harness.account;
    let started = harness.gateway.start_sync(account, start).await.unwrap();
    let mut token = started.updated_token;
    let mut follow = async |hours| {
        clock
            .0
            .fetch_add(hours, std::sync::atomic::Ordering::SeqCst);
        let request = SyncPageRequest {
            delta_token: Some(token.clone()),
            ..SyncPageRequest::default()
        };
        let page = harness
            .gateway
            .sync_updated(account, request)
            .await
            .unwrap();
        token = page.next_delta_token.unwrap();
        page.records.len()
    };
    assert_eq!(follow(0).await, 2);
    assert_eq!(follow(2).await, 0);
    let three = Mail {
        id: "three",
        ..Mail::default()
    };
    harness.deliver(FolderRole::Archive, &three);
    assert_eq!(follow(0).await, 0);
    let mut found = 0;
    for _ in 0..600 {
        found += follow(2).await;
        if found > 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(found, 1);
}
