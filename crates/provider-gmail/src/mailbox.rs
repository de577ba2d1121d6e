//! What one open mailbox shares among its calls.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use email_provider::{Call, ProviderError, ProviderResult};
use tokio::{
    sync::OnceCell,
    time::{Instant, sleep},
};

use crate::{
    api::Api,
    ids::{HexId, PageToken},
    labels::{CHAT, LabelTable},
    listing::{List, Listings},
    quota::Method,
    senders::Senders,
};

/// How long labels are believed where nothing hints at a change. A label that is renamed makes no history.
const LABELS_KEPT: Duration = Duration::from_secs(300);

/// A signed-in mailbox.
#[derive(Debug)]
pub(crate) struct Mailbox {
    pub api: Api,
    /// The topic that its changes are pushed to, where there is one.
    pub topic: Option<String>,
    /// Listings of labels under way.
    pub listings: Listings,
    /// Whom it may send as.
    pub senders: Senders,
    labels: Mutex<Option<(Instant, Arc<LabelTable>)>>,
    chats: OnceCell<HashSet<HexId>>,
}

impl Mailbox {
    /// Most messages of the chat service that are known by their ids; any more are found to be no mail when
    /// they are read.
    const MOST_CHATS: usize = 100_000;

    pub(crate) fn new(api: Api, topic: Option<String>) -> Self {
        Self {
            api,
            topic,
            listings: Listings::default(),
            senders: Senders::default(),
            labels: Mutex::default(),
            chats: OnceCell::new(),
        }
    }

    /// The labels as they are now.
    pub(crate) async fn labels_now(&self, call: Call) -> ProviderResult<Arc<LabelTable>> {
        let ask = |hub: crate::api::Hub, mut seen| async move {
            let request = hub.users().labels_list("me").delegate(&mut seen);
            Ok(request.doit().await?.1)
        };
        let answer = self.api.ask(call, Method::LabelsList, ask).await?;
        Ok(self.keep_labels(LabelTable::new(answer.labels.unwrap_or_default())))
    }

    /// The same for a write.
    pub(crate) async fn labels_to_write(&self, call: Call) -> ProviderResult<Arc<LabelTable>> {
        insisting(call, ProviderError::is_transient, || self.labels_now(call)).await
    }

    /// Keeps labels as they are known to be now.
    pub(crate) fn keep_labels(&self, table: LabelTable) -> Arc<LabelTable> {
        let table = Arc::new(table);
        *self.kept_labels() = Some((Instant::now(), Arc::clone(&table)));
        table
    }

    /// The labels as they were lately.
    pub(crate) async fn labels(&self, call: Call) -> ProviderResult<Arc<LabelTable>> {
        let kept = self.kept_labels().clone();
        match kept {
            Some((at, table)) if at.elapsed() < LABELS_KEPT => Ok(table),
            _ => self.labels_now(call).await,
        }
    }

    /// The labels, new enough to know all of these messages'.
    pub(crate) async fn labels_of<'a>(
        &self,
        call: Call,
        mut messages: impl Iterator<Item = &'a [String]>,
    ) -> ProviderResult<Arc<LabelTable>> {
        let table = self.labels(call).await?;
        match messages.all(|labels| table.knows(labels)) {
            true => Ok(table),
            false => self.labels_now(call).await,
        }
    }

    fn kept_labels(&self) -> std::sync::MutexGuard<'_, Option<(Instant, Arc<LabelTable>)>> {
        self.labels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The messages of the chat service, which lists do not tell apart from mail. No new ones are made.
    pub(crate) async fn chats(&self, call: Call) -> ProviderResult<&HashSet<HexId>> {
        self.chats
            .get_or_try_init(async || {
                let mut chats = HashSet::new();
                if !self.labels(call).await?.has(CHAT) {
                    return Ok(chats);
                }
                let mut page: Option<PageToken> = None;
                loop {
                    let list = List {
                        labels: vec![CHAT.to_owned()],
                        spam_and_trash: true,
                        page: page.as_ref(),
                        ..List::default()
                    };
                    let (found, next) = self.list(call, list).await?;
                    chats.extend(found.into_iter().map(|found| found.id));
                    page = next;
                    if page.is_none() || chats.len() >= Self::MOST_CHATS {
                        return Ok(chats);
                    }
                }
            })
            .await
    }
}

/// A read that a write waits for, which nobody repeats: what fails for the moment is asked again.
pub(crate) async fn insisting<T, R>(
    call: Call,
    is_for_the_moment: impl Fn(&ProviderError) -> bool,
    read: impl Fn() -> R,
) -> ProviderResult<T>
where
    R: Future<Output = ProviderResult<T>>,
{
    const WAITS: [u64; 3] = [50, 200, 800];
    for wait in WAITS {
        match read().await {
            Err(error) if is_for_the_moment(&error) => {
                let wait = error.retry_after.unwrap_or(Duration::from_millis(wait));
                if Instant::now() + wait >= call.deadline {
                    return Err(error);
                }
                sleep(wait).await;
            }
            answer => return answer,
        }
    }
    read().await
}
