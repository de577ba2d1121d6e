use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use email_model::{FolderKey, FolderRole, MessageQuery, Timestamp};
use email_provider::{
    ByteStream, Call, Detail, EmailProvider, EntryState, Fetched, FolderModel, MessageRef,
    Priority, ProviderResult, SearchRequest, SearchScope,
};
use futures::StreamExt as _;
use tokio::time::{Instant, sleep};

use crate::{Harness, HarnessFacts, Mail};

/// A mailbox under test, and what tests do with it over and over.
pub struct Bench {
    /// The server's side.
    pub harness: Arc<dyn Harness>,
    /// The provider's side.
    pub provider: Arc<dyn EmailProvider>,
    /// What it can be put through.
    pub facts: HarnessFacts,
    /// Folders that the test made, with their names.
    made: Arc<Mutex<BTreeMap<FolderKey, String>>>,
}

/// A call that somebody waits for, with time enough.
pub fn call() -> Call {
    Call {
        priority: Priority::Interactive,
        deadline: Instant::now() + Duration::from_secs(30),
    }
}

/// Reads a stream to its end.
pub async fn bytes(stream: ProviderResult<ByteStream>) -> Vec<u8> {
    let mut stream = stream.expect("a stream");
    let mut all = Vec::new();
    while let Some(chunk) = stream.next().await {
        all.extend_from_slice(&chunk.expect("a chunk"));
    }
    all
}

impl Bench {
    /// Opens the mailbox.
    pub async fn new(harness: impl Harness + 'static) -> Self {
        let facts = harness.facts();
        let provider = harness.provider().await;
        Self {
            harness: Arc::new(harness),
            provider,
            facts,
            made: Arc::default(),
        }
    }

    /// The same mailbox, opened anew.
    pub async fn reopened(&self) -> Self {
        let provider = self.harness.provider().await;
        Self {
            harness: self.harness.clone(),
            provider,
            facts: self.facts,
            made: Arc::clone(&self.made),
        }
    }

    /// Whether a message can be in several places.
    pub fn has_labels(&self) -> bool {
        self.provider.capabilities().folders == FolderModel::Labels
    }

    /// Keywords that this mailbox stores: these, or none.
    pub fn keywords(&self, words: &[&str]) -> Vec<String> {
        let stored = self.provider.capabilities().keywords;
        words
            .iter()
            .filter(|_| stored)
            .map(|&word| word.to_owned())
            .collect()
    }

    /// Asks until the answer is `Ok`, for as long as the server may take.
    pub async fn eventually<T>(
        &self,
        what: &str,
        mut ask: impl AsyncFnMut() -> Result<T, String>,
    ) -> T {
        let end = Instant::now() + self.facts.patience;
        let mut pause = Duration::from_millis(10);
        loop {
            match ask().await {
                Ok(answer) => return answer,
                Err(error) if Instant::now() >= end => panic!("{what}: {error}"),
                Err(_) => sleep(pause).await,
            }
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }

    /// The folder with this role, where there is one.
    pub async fn role(&self, role: FolderRole) -> Option<FolderKey> {
        let folders = self.provider.folders(call()).await.expect("folders");
        folders
            .into_iter()
            .find(|folder| folder.role == Some(role))
            .map(|folder| folder.key)
    }

    /// The inbox.
    pub async fn inbox(&self) -> FolderKey {
        self.role(FolderRole::Inbox).await.expect("an inbox")
    }

    /// A new folder.
    pub async fn folder(&self, name: &str) -> FolderKey {
        let key = self.harness.create_folder(name, None).await;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.insert(key.clone(), name.to_owned());
        key
    }

    /// The state with each thing told once: where keywords are folders too, those that the test made as
    /// folders as folders, all others as keywords.
    pub async fn told_once(&self, mut state: EntryState) -> EntryState {
        if !self.facts.keywords_are_folders {
            return state;
        }
        let folders = self.provider.folders(call()).await.expect("folders");
        let with_role: Vec<FolderKey> = folders
            .into_iter()
            .filter(|folder| folder.role.is_some())
            .map(|folder| folder.key)
            .collect();
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        state
            .folders
            .retain(|key| made.contains_key(key) || with_role.contains(key));
        let is_folder = |word: &String| made.values().any(|name| name == word);
        state.labels.keywords.retain(|word| !is_folder(word));
        state
    }

    /// Stores messages and waits until the provider shows them; their references, in order.
    pub async fn stored(&self, folder: &FolderKey, mails: &[Mail]) -> Vec<MessageRef> {
        for mail in mails {
            self.harness.append(folder, mail.stored()).await;
        }
        self.eventually("stored messages are shown", async || {
            let found = self.by_id(&self.list(folder).await).await;
            mails
                .iter()
                .map(|mail| {
                    found
                        .get(&mail.id)
                        .cloned()
                        .ok_or(format!("{} is missing", mail.id))
                })
                .collect()
        })
        .await
    }

    /// Stores a message and waits until the provider shows it.
    pub async fn store(&self, folder: &FolderKey, mail: &Mail) -> MessageRef {
        self.stored(folder, std::slice::from_ref(mail))
            .await
            .remove(0)
    }

    /// All messages of a folder, by search.
    pub async fn list(&self, folder: &FolderKey) -> Vec<MessageRef> {
        let hits = self
            .search(
                SearchScope::Folder(folder.clone()),
                MessageQuery::default(),
                100,
            )
            .await;
        hits.expect("a listing")
            .0
            .into_iter()
            .map(|(at, _)| at)
            .collect()
    }

    /// All pages of a search, and the terms left unchecked.
    pub async fn search(
        &self,
        scope: SearchScope,
        query: MessageQuery,
        limit: usize,
    ) -> ProviderResult<(Vec<(MessageRef, Option<Timestamp>)>, Vec<usize>)> {
        let mut hits = Vec::new();
        let mut request = SearchRequest {
            scope,
            query,
            position: None,
            limit,
        };
        for _ in 0..1000 {
            let page = self.provider.search(call(), request.clone()).await?;
            assert!(
                page.hits.len() <= limit,
                "a page holds at most what was asked for"
            );
            hits.extend(page.hits);
            if page.next.is_none() {
                return Ok((hits, page.unchecked));
            }
            assert_ne!(page.next, request.position, "a search goes on");
            request.position = page.next;
        }
        panic!("a search ends");
    }

    /// The messages by their `Message-ID`.
    pub async fn by_id(&self, refs: &[MessageRef]) -> BTreeMap<String, MessageRef> {
        let fetched = self
            .provider
            .fetch(call(), refs, Detail::Envelope)
            .await
            .expect("envelopes");
        fetched
            .into_iter()
            .filter_map(|message| Some((message.envelope?.message_id?, message.at)))
            .collect()
    }

    /// One message, if it is there.
    pub async fn fetch(&self, at: &MessageRef, detail: Detail) -> Option<Fetched> {
        let refs = std::slice::from_ref(at);
        let mut fetched = self
            .provider
            .fetch(call(), refs, detail)
            .await
            .expect("an answer");
        assert!(fetched.len() <= 1, "nothing is answered that was not asked");
        fetched.pop()
    }

    /// The state of a message that is there.
    pub async fn state(&self, at: &MessageRef) -> EntryState {
        let fetched = self
            .fetch(at, Detail::State)
            .await
            .expect("the message is there");
        self.told_once(fetched.state.expect("a state")).await
    }

    /// Where a message is in a folder, if it is.
    pub async fn locate(&self, folder: &FolderKey, id: &str) -> Option<MessageRef> {
        self.by_id(&self.list(folder).await).await.remove(id)
    }

    /// Waits until a message is in a folder.
    pub async fn located(&self, folder: &FolderKey, id: &str) -> MessageRef {
        let ask = async || {
            self.locate(folder, id)
                .await
                .ok_or(format!("{id} is not in {folder}"))
        };
        self.eventually("a message arrives", ask).await
    }

    /// Waits until a message is not in a folder.
    pub async fn gone(&self, folder: &FolderKey, id: &str) {
        let ask = async || match self.locate(folder, id).await {
            Some(_) => Err(format!("{id} is still in {folder}")),
            None => Ok(()),
        };
        self.eventually("a message goes", ask).await;
    }
}
