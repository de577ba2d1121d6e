use std::{
    collections::VecDeque,
    ops::Range,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use email_model::PartId;

use crate::{
    ByteStream, Call, Capabilities, ChangePage, Cursor, Detail, EmailProvider, EntryKey, ErrorKind,
    Fetched, Folder, MessageEdit, MessageRef, ProviderError, ProviderResult, Removal, ScanPage,
    ScanRequest, ScopeKey, SearchPage, SearchRequest, Survey,
};

/// Fails as scripted, then works; answers after a while.
#[derive(Debug, Default)]
pub struct Fake {
    failures: Mutex<VecDeque<ProviderError>>,
    pace: Duration,
    calls: AtomicUsize,
    running: AtomicUsize,
    most: AtomicUsize,
}

pub fn somewhere() -> MessageRef {
    MessageRef {
        scope: ScopeKey("inbox".into()),
        key: EntryKey(vec![1]),
    }
}

impl Fake {
    pub fn failing(failures: impl IntoIterator<Item = ProviderError>) -> Arc<Self> {
        let failures = Mutex::new(failures.into_iter().collect());
        Arc::new(Self {
            failures,
            ..Self::default()
        })
    }

    pub fn slow(pace: Duration) -> Arc<Self> {
        Arc::new(Self {
            pace,
            ..Self::default()
        })
    }

    pub fn calls(&self) -> usize {
        self.calls.load(SeqCst)
    }

    pub fn most_at_once(&self) -> usize {
        self.most.load(SeqCst)
    }

    async fn answer<T>(&self, answer: T) -> ProviderResult<T> {
        struct Leave<'a>(&'a AtomicUsize);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, SeqCst);
            }
        }
        self.calls.fetch_add(1, SeqCst);
        let running = self.running.fetch_add(1, SeqCst) + 1;
        let _leave = Leave(&self.running);
        self.most.fetch_max(running, SeqCst);
        tokio::time::sleep(self.pace).await;
        match self.failures.lock().unwrap().pop_front() {
            Some(failure) => Err(failure),
            None => Ok(answer),
        }
    }
}

fn not_used<T>() -> ProviderResult<T> {
    Err(ProviderError::new(ErrorKind::Unsupported, "not used here"))
}

#[async_trait]
impl EmailProvider for Fake {
    fn capabilities(&self) -> Capabilities {
        unreachable!("not used here")
    }

    async fn folders(&self, _call: Call) -> ProviderResult<Vec<Folder>> {
        self.answer(Vec::new()).await
    }

    async fn search(&self, _call: Call, _request: SearchRequest) -> ProviderResult<SearchPage> {
        not_used()
    }

    async fn fetch(
        &self,
        _call: Call,
        _refs: &[MessageRef],
        _detail: Detail,
    ) -> ProviderResult<Vec<Fetched>> {
        not_used()
    }

    async fn raw(&self, _call: Call, _at: &MessageRef) -> ProviderResult<ByteStream> {
        not_used()
    }

    async fn attachment(
        &self,
        _call: Call,
        _at: &MessageRef,
        _part: &PartId,
        _range: Option<Range<u64>>,
    ) -> ProviderResult<ByteStream> {
        not_used()
    }

    async fn survey(&self, _call: Call, _known: &[(ScopeKey, Cursor)]) -> ProviderResult<Survey> {
        not_used()
    }

    async fn begin(&self, _call: Call, _scope: &ScopeKey) -> ProviderResult<Option<Cursor>> {
        not_used()
    }

    async fn scan(
        &self,
        _call: Call,
        _scope: &ScopeKey,
        _request: ScanRequest<'_>,
    ) -> ProviderResult<ScanPage> {
        not_used()
    }

    async fn changes(
        &self,
        _call: Call,
        _scope: &ScopeKey,
        _cursor: &Cursor,
        _limit: usize,
    ) -> ProviderResult<ChangePage> {
        not_used()
    }

    async fn update(
        &self,
        _call: Call,
        _at: &MessageRef,
        _edit: &MessageEdit,
    ) -> ProviderResult<Option<MessageRef>> {
        self.answer(None).await
    }

    async fn remove(&self, _call: Call, _at: &MessageRef, _removal: Removal) -> ProviderResult<()> {
        not_used()
    }
}
