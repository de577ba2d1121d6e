//! Messages from wherever they are cheapest: the journal's envelopes, the cache of contents, the
//! provider.

use std::{collections::HashMap, sync::Arc};

use email_provider::{Call, Detail, Fetched, MessageRef};
use gateway_store::{Account, MessageRow};

use super::{
    fetch::{Answer, Answers, Plan, is_of_one_message},
    view::Found,
};
use crate::{
    CacheMode, Gateway, OperationError, OperationResult,
    journal::{Directory, JournalHandle},
    mailboxes::OpenMailbox,
};

/// A message asked for: its place, and its row where it is known already.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub at: MessageRef,
    pub row: Option<MessageRow>,
}

/// How much of each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// Flags and folders as they are now, not as the journal has them.
    pub state: bool,
    /// Body and header fields.
    pub content: bool,
    /// The beginning of the text.
    pub snippet: bool,
}

/// What became of an [`Item`].
#[derive(Debug)]
pub(super) enum Gathered {
    Found(Box<Found>),
    /// It is not at its place (any more).
    Absent,
    /// It could not be had now.
    Failed,
}

/// What was gathered.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    /// One an item, in order.
    pub messages: Vec<Gathered>,
    /// Why something failed.
    pub failure: Option<OperationError>,
    /// It failed as a whole: nothing more is to be had now.
    pub stopped: bool,
}

impl Gateway {
    /// Gathers messages. What the provider tells of them fills what the journal does not know yet,
    /// and gives ids to those that it has never met.
    pub(super) async fn gather(
        &self,
        account: &Account,
        mailbox: &OpenMailbox,
        journal: &JournalHandle,
        items: Vec<Item>,
        wanted: Wanted,
        call: Call,
    ) -> OperationResult<Gathering> {
        let mut plan = Plan::default();
        let mut founds: Vec<Option<Found>> = Vec::with_capacity(items.len());
        for item in &items {
            let found = item
                .row
                .as_ref()
                .map(|row| self.found_in_memory(account, journal, row, &item.at));
            if let Some(detail) = detail_needed(found.as_ref(), wanted) {
                plan.ask(detail, &item.at);
            }
            founds.push(found);
        }
        let mut answers = plan.run(mailbox, call).await;
        let failure = answers.failure.take();
        self.absorb(
            account,
            mailbox,
            journal,
            &items,
            &mut founds,
            &mut answers,
            call,
        )
        .await?;
        let stopped = failure
            .as_ref()
            .is_some_and(|error| !is_of_one_message(error));
        let mut gathering = Gathering {
            stopped,
            ..Gathering::default()
        };
        for (item, found) in items.iter().zip(founds) {
            gathering
                .messages
                .push(match (found, answers.asked.get(&item.at)) {
                    (Some(found), None | Some(Answer::Told)) => Gathered::Found(Box::new(found)),
                    (_, Some(Answer::Absent)) => Gathered::Absent,
                    _ => Gathered::Failed,
                });
        }
        gathering.failure = match failure {
            Some(error) => Some(self.note_failure(account, error).await),
            None => {
                self.note_success(account).await?;
                None
            }
        };
        Ok(gathering)
    }

    fn found_in_memory(
        &self,
        account: &Account,
        journal: &JournalHandle,
        row: &MessageRow,
        at: &MessageRef,
    ) -> Found {
        let mut envelope = journal.open_envelope(row);
        let snippet = self.inner.contents.snippet(account.id, row.id, at);
        let has_snippet = snippet.is_some();
        if let (Some(envelope), Some(Some(snippet))) = (&mut envelope, snippet) {
            envelope.snippet = Some(snippet.as_ref().to_owned());
        }
        Found {
            row: row.clone(),
            state: None,
            envelope,
            content: self.inner.contents.get(account.id, row.id, at),
            has_snippet,
        }
    }

    /// Takes what was fetched into the founds, the journal and the cache.
    #[expect(
        clippy::too_many_arguments,
        reason = "the mailbox, its journal, the question and the answers"
    )]
    async fn absorb(
        &self,
        account: &Account,
        mailbox: &OpenMailbox,
        journal: &JournalHandle,
        items: &[Item],
        founds: &mut [Option<Found>],
        answers: &mut Answers,
        call: Call,
    ) -> OperationResult<()> {
        let states = answers
            .fetched
            .values()
            .filter_map(|one| one.state.as_ref());
        self.know_folders(
            mailbox,
            journal,
            call,
            states.flat_map(|state| &state.folders),
        )
        .await?;
        let to_recognise: Vec<Fetched> = items
            .iter()
            .zip(founds.iter())
            .filter(|(_, found)| found.as_ref().is_none_or(|found| self.has_gaps(&found.row)))
            .filter_map(|(item, _)| answers.fetched.get(&item.at))
            .filter(|fetched| fetched.identity.is_some())
            .map(without_body)
            .collect();
        let mut rows = self
            .recognise_each(mailbox, journal, &to_recognise, call)
            .await?;
        let directory = journal.directory();
        for (item, slot) in items.iter().zip(founds) {
            let Some(fetched) = answers.fetched.remove(&item.at) else {
                continue;
            };
            let row = rows
                .remove(&item.at)
                .or_else(|| slot.as_ref().map(|found| found.row.clone()));
            let Some(row) = row else { continue };
            let before = slot.take();
            let content = fetched.content.map(Arc::new);
            let kept = before.map(|found| (found.envelope, found.content, found.has_snippet));
            let (old_envelope, old_content, had_snippet) = kept.unwrap_or_default();
            let has_snippet = had_snippet || fetched.envelope.is_some();
            let is_told = fetched.envelope.is_some();
            let found = Found {
                row,
                state: fetched.state,
                envelope: fetched.envelope.or(old_envelope),
                content: content.or(old_content),
                has_snippet,
            };
            self.keep(account, &item.at, &found, is_told, &directory);
            *slot = Some(found);
        }
        Ok(())
    }

    /// Keeps in memory what cannot change of a message; its snippet if its envelope was told just now.
    fn keep(
        &self,
        account: &Account,
        at: &MessageRef,
        found: &Found,
        is_told: bool,
        directory: &Directory,
    ) {
        let Some(labels) = found.labels() else {
            return;
        };
        let (contents, id) = (&self.inner.contents, found.row.id);
        let roles = directory.roles_of(&found.folders(directory));
        if let Some(content) = &found.content {
            contents.keep(account.id, id, at, labels, &roles, content);
        }
        if let Some(envelope) = found.envelope.as_ref().filter(|_| is_told) {
            let snippet = envelope.snippet.as_deref();
            contents.keep_snippet(account.id, id, at, labels, &roles, snippet);
        }
    }

    /// Rows by place. Where all at once does not give one each, one after another is tried.
    async fn recognise_each(
        &self,
        mailbox: &OpenMailbox,
        journal: &JournalHandle,
        fetched: &[Fetched],
        call: Call,
    ) -> OperationResult<HashMap<MessageRef, MessageRow>> {
        let mut rows = HashMap::with_capacity(fetched.len());
        for some in fetched.chunks(RECOGNISED_AT_ONCE) {
            let recognised = self.recognise(mailbox, journal, call, some).await?;
            if recognised.len() == some.len() {
                let places = some.iter().map(|one| one.at.clone());
                rows.extend(places.zip(recognised.into_iter().map(|(_, row)| row)));
                continue;
            }
            for one in some {
                let recognised = self
                    .recognise(mailbox, journal, call, std::slice::from_ref(one))
                    .await?;
                rows.extend(recognised.into_iter().map(|(_, row)| (one.at.clone(), row)));
            }
        }
        Ok(rows)
    }

    /// Whether a read can teach the journal something about the message.
    fn has_gaps(&self, row: &MessageRow) -> bool {
        row.labels.is_none()
            || row.thread.is_none()
            || row.received_at.is_none()
            || (row.envelope.is_none() && self.inner.config.cache == CacheMode::Envelopes)
    }
}

/// Messages whose ids are looked up in one go: half of what one load of the store takes, because each
/// is looked for by several keys.
const RECOGNISED_AT_ONCE: usize = 200;

/// What has to be asked for, if anything.
fn detail_needed(found: Option<&Found>, wanted: Wanted) -> Option<Detail> {
    let Some(found) = found else {
        return Some(if wanted.content {
            Detail::Content
        } else {
            Detail::Envelope
        });
    };
    if wanted.content && found.content.is_none() {
        return Some(Detail::Content);
    }
    let envelope = found
        .content
        .as_ref()
        .map(|content| &content.envelope)
        .or(found.envelope.as_ref());
    let lacks_snippet = wanted.snippet && !found.has_snippet && found.content.is_none();
    if found.row.thread.is_none()
        || envelope.is_none_or(|envelope| envelope.attachments.is_none())
        || lacks_snippet
    {
        return Some(Detail::Envelope);
    }
    (wanted.state || found.row.labels.is_none()).then_some(Detail::State)
}

/// What the journal needs of an answer.
fn without_body(fetched: &Fetched) -> Fetched {
    let envelope = fetched.content.as_ref().map(|content| &content.envelope);
    Fetched {
        at: fetched.at.clone(),
        state: fetched.state.clone(),
        identity: fetched.identity.clone(),
        thread: fetched.thread.clone(),
        envelope: envelope.or(fetched.envelope.as_ref()).cloned(),
        content: None,
    }
}
