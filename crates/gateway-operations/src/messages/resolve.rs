//! From a message's id to the place where the provider has it now.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
};

use email_model::{
    MessageId,
    query::{Condition, MessageQuery, Term},
};
use email_provider::{
    Call, Detail, ErrorKind, MessageRef, ProviderError, SearchRequest, SearchScope,
};
use gateway_store::{Account, MessageRow};

use crate::{
    Gateway, OperationError, OperationResult, journal::JournalHandle, mailboxes::OpenMailbox,
};

/// Most hits of a search by Message-ID that are looked at.
const MOST_COPIES: usize = 50;

/// What is done next when no known place is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Bring the journal up to date.
    Pass,
    /// Look for the Message-ID.
    Search,
    /// Nothing is left to try.
    GiveUp,
}

/// The places of one message, those that the journal knows first. A message that was moved by
/// somebody else is looked for, so that its id stays good before any feed has told of the move.
#[derive(Debug)]
pub(super) struct Places<'a> {
    gateway: &'a Gateway,
    account: &'a Account,
    pub mailbox: OpenMailbox,
    pub journal: Arc<JournalHandle>,
    pub row: MessageRow,
    untried: VecDeque<MessageRef>,
    tried: HashSet<MessageRef>,
    next: Next,
}

impl Gateway {
    /// Where a message is.
    ///
    /// # Errors
    /// `NotFound` for an id that was never given, and for a message that is known to be gone.
    pub(super) async fn places<'a>(
        &'a self,
        account: &'a Account,
        id: MessageId,
    ) -> OperationResult<Places<'a>> {
        let (mailbox, journal) = self.reach(account).await?;
        let Some((row, places)) = journal.places(id).await? else {
            return Err(not_found());
        };
        if row.gone && places.is_empty() {
            return Err(not_found());
        }
        Ok(Places {
            gateway: self,
            account,
            mailbox,
            journal,
            row,
            untried: places.into(),
            tried: HashSet::new(),
            next: Next::Pass,
        })
    }
}

impl Gateway {
    /// Where the journal has a message.
    ///
    /// # Errors
    /// As [`Self::places`].
    pub(crate) async fn place_of(
        &self,
        account: &Account,
        id: MessageId,
    ) -> OperationResult<Option<MessageRef>> {
        Ok(self.places(account, id).await?.first().cloned())
    }
}

pub(super) fn not_found() -> OperationError {
    OperationError::not_found("message")
}

/// Whether an answer means that the message is not at this place.
pub(super) fn is_absent(error: &ProviderError) -> bool {
    error.kind == ErrorKind::NotFound
}

impl Places<'_> {
    /// A place known now, before anything is asked of the provider.
    pub fn first(&self) -> Option<&MessageRef> {
        self.untried.front()
    }

    /// The next place to try. `None`: the message is nowhere.
    pub async fn next(&mut self, call: Call) -> OperationResult<Option<MessageRef>> {
        loop {
            while let Some(at) = self.untried.pop_front() {
                if self.tried.insert(at.clone()) {
                    return Ok(Some(at));
                }
            }
            match self.next {
                Next::Pass => {
                    self.next = Next::Search;
                    if !self.look_after_a_pass().await? {
                        return Ok(None);
                    }
                }
                Next::Search => {
                    self.next = Next::GiveUp;
                    self.look_for_message_id(call).await?;
                }
                Next::GiveUp => return Ok(None),
            }
        }
    }

    /// False: the pass has shown that the message is gone.
    async fn look_after_a_pass(&mut self) -> OperationResult<bool> {
        if self.journal.journal().await?.record.started_at.is_none() {
            return Ok(true);
        }
        // A pass that fails is no reason to give up: the search may find the message.
        if let Err(error) = self.gateway.fresh_pass(self.account).await {
            tracing::debug!(account = %self.account.id, %error, "no pass for a message that has moved");
        }
        self.reload().await
    }

    /// The message as the journal has it now. False: it is gone.
    pub async fn reload(&mut self) -> OperationResult<bool> {
        let Some((row, places)) = self.journal.places(self.row.id).await? else {
            return Ok(false);
        };
        let gone = row.gone && places.is_empty();
        self.row = row;
        self.untried.extend(places);
        Ok(!gone)
    }

    async fn look_for_message_id(&mut self, call: Call) -> OperationResult<()> {
        let Some(message_id) = &self.row.message_id else {
            return Ok(());
        };
        let id = self.row.id;
        let found = self
            .gateway
            .copies(self.account, &self.mailbox, &self.journal, message_id, call)
            .await?;
        for (row, at) in found {
            if row.id == id {
                self.row = row;
                self.untried.push_back(at);
            }
        }
        Ok(())
    }
}

impl Gateway {
    /// Every message with this Message-ID, wherever it is. None where the backend cannot search.
    pub(crate) async fn copies(
        &self,
        account: &Account,
        mailbox: &OpenMailbox,
        journal: &JournalHandle,
        message_id: &str,
        call: Call,
    ) -> OperationResult<Vec<(MessageRow, MessageRef)>> {
        let bare = message_id
            .trim_start_matches('<')
            .trim_end_matches('>')
            .to_owned();
        let term = Term {
            negated: false,
            condition: Condition::MessageId(bare),
        };
        let request = SearchRequest {
            scope: SearchScope::Everywhere {
                trash_and_junk: true,
            },
            query: MessageQuery { terms: vec![term] },
            position: None,
            limit: MOST_COPIES,
        };
        let page = match mailbox.provider.search(call, request).await {
            Err(error) if matches!(error.kind, ErrorKind::Unsupported | ErrorKind::Invalid) => {
                return Ok(Vec::new());
            }
            answer => self.told(account, answer).await?,
        };
        let refs: Vec<MessageRef> = page.hits.into_iter().map(|(at, _)| at).collect();
        let answer = mailbox.provider.fetch(call, &refs, Detail::Envelope).await;
        let mut fetched = self.told(account, answer).await?;
        // A search may go by a part of the id, or not go by it at all.
        fetched.retain(|one| {
            let envelope = one.envelope.as_ref();
            envelope.and_then(|envelope| envelope.message_id.as_deref()) == Some(message_id)
        });
        fetched.truncate(MOST_COPIES);
        let places: Vec<MessageRef> = fetched.iter().map(|one| one.at.clone()).collect();
        let recognised = self.recognise(mailbox, journal, call, &fetched).await?;
        if recognised.len() != places.len() {
            return Ok(Vec::new());
        }
        Ok(recognised
            .into_iter()
            .map(|(_, row)| row)
            .zip(places)
            .collect())
    }
}
