//! Lists of ids: `messages.list`, and what labels messages have by listing each label.
//!
//! A list tells neither labels nor dates, and reading a message costs as much as four lists of 500. So the
//! states of a whole mailbox are learned by listing each label once.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use email_provider::{Call, EntryState, ErrorKind, ProviderResult};
use tokio::time::Instant;

use crate::{
    error,
    ids::{HexId, PageToken},
    labels::{self, LabelTable},
    mailbox::Mailbox,
    quota::Method,
};

/// Most ids on a page.
pub(crate) const LARGEST_PAGE: usize = 500;

/// Empty pages that one call goes over.
const MOST_EMPTY_PAGES: usize = 8;

/// A list to be made.
#[derive(Clone, Debug)]
pub(crate) struct List<'a> {
    /// Labels that messages must have, all of them.
    pub labels: Vec<String>,
    /// The query.
    pub query: Option<&'a str>,
    /// Also what is in Spam or Trash.
    pub spam_and_trash: bool,
    /// Where the last page ended.
    pub page: Option<&'a PageToken>,
    /// Most ids wanted.
    pub limit: usize,
}

impl Default for List<'_> {
    fn default() -> Self {
        Self {
            labels: Vec::new(),
            query: None,
            spam_and_trash: false,
            page: None,
            limit: LARGEST_PAGE,
        }
    }
}

/// A message as a list tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub id: HexId,
    pub thread: String,
}

impl Mailbox {
    /// A page of a list, newest first. The API announces a next page of empty ones too: some are gone over,
    /// but this one may be empty still.
    pub(crate) async fn list(
        &self,
        call: Call,
        list: List<'_>,
    ) -> ProviderResult<(Vec<Listed>, Option<PageToken>)> {
        let (mut listed, mut next) = self.one_page(call, list.clone()).await?;
        for _ in 0..MOST_EMPTY_PAGES {
            let (true, Some(page)) = (listed.is_empty(), next.as_ref()) else {
                break;
            };
            let page = page.clone();
            let further = List {
                page: Some(&page),
                ..list.clone()
            };
            (listed, next) = match self.one_page(call, further).await {
                // A place that only this call knows is no longer good: once more from where the caller is.
                Err(error) if error.kind == ErrorKind::CursorExpired => {
                    self.one_page(call, list.clone()).await?
                }
                answer => answer?,
            };
        }
        Ok((listed, next))
    }

    async fn one_page(
        &self,
        call: Call,
        list: List<'_>,
    ) -> ProviderResult<(Vec<Listed>, Option<PageToken>)> {
        let most = u32::try_from(list.limit.clamp(1, LARGEST_PAGE)).unwrap_or(1);
        let ask = |hub: crate::api::Hub, mut seen| {
            let list = &list;
            async move {
                let mut request = hub
                    .users()
                    .messages_list("me")
                    .include_spam_trash(list.spam_and_trash)
                    .max_results(most)
                    .delegate(&mut seen);
                for label in &list.labels {
                    request = request.add_label_ids(label);
                }
                if let Some(query) = list.query {
                    request = request.q(query);
                }
                if let Some(page) = list.page {
                    request = request.page_token(page.as_str());
                }
                Ok(request.doit().await?.1)
            }
        };
        let answer = self.api.ask(call, Method::MessagesList, ask).await;
        let answer = answer.map_err(|error| match (error.kind, list.page) {
            // Everything else about the request is ours.
            (ErrorKind::Invalid, Some(_)) => error::expired().with_source(error),
            _ => error,
        })?;
        let next = PageToken::next(answer.next_page_token)?;
        let messages = answer.messages.unwrap_or_default();
        let listed = messages.into_iter().filter_map(|message| {
            Some(Listed {
                id: HexId::parse(&message.id?)?,
                thread: message.thread_id.unwrap_or_default(),
            })
        });
        Ok((listed.take(LARGEST_PAGE).collect(), next))
    }
}

/// Which messages have which label, learned page by page.
#[derive(Debug)]
pub(crate) struct LabelListing {
    table: Arc<LabelTable>,
    /// Labels still to be listed, and where the list of each goes on.
    open: VecDeque<(String, Option<PageToken>)>,
    /// Ids by label, as numbers, sorted once the label is complete.
    members: BTreeMap<String, Vec<u128>>,
    /// Pages listed.
    lists: u64,
}

impl LabelListing {
    /// How long one call goes on with it.
    const STRETCH: Duration = Duration::from_secs(20);

    fn new(table: Arc<LabelTable>) -> Self {
        let system = labels::of_state().filter(|label| table.has(label));
        let system = system.map(str::to_owned);
        let own = table.own().map(str::to_owned);
        let open = system.chain(own).map(|label| (label, None)).collect();
        Self {
            table,
            open,
            members: BTreeMap::new(),
            lists: 0,
        }
    }

    /// Goes on for a while. What fails for the moment ends a call that got further
    /// without an error: nothing that was paid for is lost.
    pub(crate) async fn go_on(&mut self, mailbox: &Mailbox, call: Call) -> ProviderResult<()> {
        let begun = Instant::now();
        let mut is_first = true;
        while let Some((label, page)) = self.open.front().cloned() {
            if begun.elapsed() >= Self::STRETCH {
                break;
            }
            let list = List {
                labels: vec![label.clone()],
                spam_and_trash: true,
                page: page.as_ref(),
                ..List::default()
            };
            let (listed, next) = match mailbox.list(call, list).await {
                // A label that went meanwhile.
                Err(error) if page.is_none() && error.kind == ErrorKind::Invalid => {
                    (Vec::new(), None)
                }
                Err(error) if !is_first && error.is_transient() => break,
                answer => answer?,
            };
            is_first = false;
            self.lists += 1;
            let members = self.members.entry(label).or_default();
            members.extend(listed.into_iter().map(|listed| listed.id.number()));
            if next.is_none() {
                members.sort_unstable();
                members.shrink_to_fit();
                self.open.pop_front();
            } else if let Some((_, page)) = self.open.front_mut() {
                *page = next;
            }
        }
        Ok(())
    }

    /// Whether every label is listed.
    pub(crate) fn is_complete(&self) -> bool {
        self.open.is_empty()
    }

    /// How many pages were listed: how far it is.
    pub(crate) fn lists(&self) -> u64 {
        self.lists
    }

    /// A message's state by the labels that list it; `None` for what is no mail.
    pub(crate) fn state(&self, id: &HexId) -> Option<EntryState> {
        let has = |members: &Vec<u128>| members.binary_search(&id.number()).is_ok();
        let labels = self.members.iter().filter(|(_, members)| has(members));
        let labels: Vec<String> = labels.map(|(label, _)| label.clone()).collect();
        let is_chat = labels.iter().any(|label| label == labels::CHAT);
        (!is_chat).then(|| self.table.state(&labels))
    }
}

/// Listings of labels under way, each of one scan. They are large, and lost with the mailbox: a scan whose
/// listing is gone begins anew.
#[derive(Debug, Default)]
pub(crate) struct Listings(Mutex<VecDeque<Numbered>>);

type Shared = Arc<tokio::sync::Mutex<LabelListing>>;
type Numbered = (u64, Shared);

impl Listings {
    /// Most at the same time.
    const MOST: usize = 2;

    /// Begins one.
    pub(crate) fn begin(&self, table: Arc<LabelTable>) -> Numbered {
        let listing = Arc::new(tokio::sync::Mutex::new(LabelListing::new(table)));
        let numbered = (rand::random(), listing);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.truncate(Self::MOST - 1);
        all.push_front(numbered.clone());
        numbered
    }

    /// The one of this number.
    pub(crate) fn find(&self, number: u64) -> Option<Numbered> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|(known, _)| *known == number).cloned()
    }

    /// Ends one.
    pub(crate) fn end(&self, number: u64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(known, _)| *known != number);
    }
}
