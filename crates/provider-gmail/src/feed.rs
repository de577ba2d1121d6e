//! The change feed: <https://developers.google.com/workspace/gmail/api/guides/sync>.
//!
//! One scope, the whole mailbox. The history tells which messages changed, not reliably how: the labels that
//! it shows may be those of the change or today's. So changed messages are told bare, and read by whoever
//! wants to know. A message in Trash or Spam is a message; a draft's revision is another message.

use std::collections::{BTreeSet, HashSet};

use email_provider::{
    Call, ChangeNext, ChangePage, Cursor, Entry, ErrorKind, ProviderResult, Removed, ScopeKey,
    ScopeState, Survey,
};
use google_gmail1::api::{History, ListHistoryResponse, Message};

use crate::{
    api::Hub,
    convert,
    cursor::{ReadUpTo, Walk},
    error,
    ids::{HexId, PageToken, SCOPE},
    labels::CHAT,
    mailbox::Mailbox,
    quota::Method,
};

/// Most records on a page: each may be a message to be read, and a page of so many can be read within a
/// mailbox's budget of a minute.
const MOST_RECORDS: usize = 100;
/// Pages without records that one call goes over.
const MOST_EMPTY_PAGES: usize = 20;

pub(crate) fn check_scope(scope: &ScopeKey) -> ProviderResult<()> {
    match scope.0 == SCOPE {
        true => Ok(()),
        false => Err(error::no_folder()),
    }
}

pub(crate) async fn survey(
    mailbox: &Mailbox,
    call: Call,
    known: &[(ScopeKey, Cursor)],
) -> ProviderResult<Survey> {
    let (labels, history) = tokio::try_join!(mailbox.labels_now(call), history_id(mailbox, call))?;
    let read = known
        .iter()
        .find(|(scope, _)| scope.0 == SCOPE)
        .and_then(|(_, cursor)| ReadUpTo::from_cursor(cursor).ok());
    // History ids only grow: the same one is the same mailbox.
    let is_unmoved = read.is_some_and(|read| read.walk.is_none() && read.start == history);
    Ok(Survey {
        folders: labels.folders(),
        scopes: vec![ScopeState {
            key: ScopeKey(SCOPE.to_owned()),
            moved: !is_unmoved,
            count: None,
        }],
    })
}

pub(crate) async fn begin(
    mailbox: &Mailbox,
    call: Call,
    scope: &ScopeKey,
) -> ProviderResult<Cursor> {
    check_scope(scope)?;
    let start = history_id(mailbox, call).await?;
    Ok(ReadUpTo { start, walk: None }.to_cursor())
}

async fn history_id(mailbox: &Mailbox, call: Call) -> ProviderResult<u64> {
    let ask = |hub: Hub, mut seen| async move {
        let request = hub.users().get_profile("me").delegate(&mut seen);
        Ok(request.doit().await?.1)
    };
    let profile = mailbox.api.ask(call, Method::GetProfile, ask).await?;
    profile.history_id.ok_or_else(error::unreadable)
}

pub(crate) async fn changes(
    mailbox: &Mailbox,
    call: Call,
    scope: &ScopeKey,
    cursor: &Cursor,
    limit: usize,
) -> ProviderResult<ChangePage> {
    check_scope(scope)?;
    let ReadUpTo { start, mut walk } = ReadUpTo::from_cursor(cursor)?;
    let mut changed = Changed::default();
    for _ in 0..MOST_EMPTY_PAGES {
        let page = page(mailbox, call, start, walk.as_ref(), limit).await?;
        let told = page.history_id.ok_or_else(error::unreadable)?;
        let first = walk.as_ref().map_or(told, |walk| walk.first);
        let next = PageToken::next(page.next_page_token)?;
        page.history
            .into_iter()
            .flatten()
            .for_each(|record| changed.add(record));
        let Some(next) = next else {
            // A replica that is behind may tell an earlier id than the one that was read from.
            let start = first.max(start);
            let next = ChangeNext::CaughtUp(ReadUpTo { start, walk: None }.to_cursor());
            return Ok(changed.page(next));
        };
        walk = Some(Walk { first, page: next });
        if !changed.is_empty() {
            break;
        }
    }
    let next = ChangeNext::More(ReadUpTo { start, walk }.to_cursor());
    Ok(changed.page(next))
}

async fn page(
    mailbox: &Mailbox,
    call: Call,
    start: u64,
    walk: Option<&Walk>,
    limit: usize,
) -> ProviderResult<ListHistoryResponse> {
    let most = u32::try_from(limit.clamp(1, MOST_RECORDS)).unwrap_or(1);
    let ask = |hub: Hub, mut seen| async move {
        let mut request = hub
            .users()
            .history_list("me")
            .start_history_id(start)
            .max_results(most)
            .delegate(&mut seen);
        if let Some(walk) = walk {
            request = request.page_token(walk.page.as_str());
        }
        Ok(request.doit().await?.1)
    };
    let answer = mailbox.api.ask(call, Method::HistoryList, ask).await;
    answer.map_err(|error| match error.kind {
        // Nothing but the cursor can be unknown here.
        ErrorKind::NotFound | ErrorKind::Invalid => error::expired().with_source(error),
        _ => error,
    })
}

/// What a page of the history tells, each message once.
#[derive(Debug, Default)]
struct Changed {
    /// In the order of their last change.
    order: Vec<(HexId, Option<String>)>,
    gone: BTreeSet<HexId>,
    chats: HashSet<HexId>,
}

impl Changed {
    fn is_empty(&self) -> bool {
        self.order.is_empty() && self.gone.is_empty()
    }

    fn add(&mut self, record: History) {
        let added = record.messages_added.into_iter().flatten();
        let labelled = record.labels_added.into_iter().flatten();
        let unlabelled = record.labels_removed.into_iter().flatten();
        let deleted = record.messages_deleted.into_iter().flatten();
        let mut touched: Vec<Option<Message>> = added.map(|one| one.message).collect();
        touched.extend(labelled.map(|one| one.message));
        touched.extend(unlabelled.map(|one| one.message));
        let deleted: Vec<_> = deleted.filter_map(|one| one.message).collect();
        // A kind of record that is not known yet still names its messages.
        if touched.is_empty() && deleted.is_empty() {
            touched.extend(record.messages.into_iter().flatten().map(Some));
        }
        for message in touched.into_iter().flatten() {
            self.touch(message);
        }
        let gone = deleted.into_iter().filter_map(|message| id(&message));
        self.gone.extend(gone);
    }

    fn touch(&mut self, message: Message) {
        let Some(id) = id(&message) else { return };
        if message
            .label_ids
            .iter()
            .flatten()
            .any(|label| label == CHAT)
        {
            self.chats.insert(id);
            return;
        }
        self.order.push((id, message.thread_id));
    }

    /// An id is never given again: what was deleted is gone, whatever else is told of it.
    fn page(self, next: ChangeNext) -> ChangePage {
        let mut told = HashSet::new();
        let mut entries: Vec<Entry> = Vec::new();
        for (id, thread) in self.order.into_iter().rev() {
            let is_other = self.gone.contains(&id) || self.chats.contains(&id);
            if !is_other && told.insert(id.clone()) {
                entries.push(bare(&id, thread.as_deref().unwrap_or_default()));
            }
        }
        entries.reverse();
        ChangePage {
            entries,
            removed: Removed::Vanished(self.gone.iter().map(HexId::key).collect()),
            next,
        }
    }
}

fn id(message: &Message) -> Option<HexId> {
    HexId::parse(message.id.as_deref()?)
}

/// An entry of which nothing is known but what costs nothing.
pub(crate) fn bare(id: &HexId, thread: &str) -> Entry {
    Entry {
        key: id.key(),
        state: None,
        received_at: None,
        identity: Some(convert::identity(id)),
        thread: convert::thread(thread),
        envelope: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(records: serde_json::Value) -> ChangePage {
        let records: Vec<History> = serde_json::from_value(records).unwrap();
        let mut changed = Changed::default();
        records.into_iter().for_each(|record| changed.add(record));
        changed.page(ChangeNext::CaughtUp(Cursor(Vec::new())))
    }

    fn keys(page: &ChangePage) -> (Vec<String>, Vec<String>) {
        let text = |key: &email_provider::EntryKey| String::from_utf8(key.0.clone()).unwrap();
        let Removed::Vanished(gone) = &page.removed else {
            panic!("{page:?}");
        };
        let told = page.entries.iter().map(|entry| text(&entry.key)).collect();
        (told, gone.iter().map(text).collect())
    }

    #[test]
    fn each_message_is_told_once_in_the_order_of_its_last_change() {
        let one = |id: &str| serde_json::json!([{"message": {"id": id, "threadId": "f"}}]);
        let page = changed(serde_json::json!([
            {"id": "1", "messagesAdded": one("a")},
            {"id": "2", "messagesAdded": one("b")},
            {"id": "2", "messagesAdded": one("b")},
            {"id": "3", "labelsAdded": one("a")},
            {"id": "4", "messages": [{"id": "c"}]},
        ]));
        assert_eq!(keys(&page).0, ["b", "a", "c"]);
        assert!(page.entries[0].thread.is_some() && page.entries[2].thread.is_none());
    }

    #[test]
    fn a_replaced_draft_vanishes_and_its_revision_is_new() {
        let page = changed(serde_json::json!([
            {"id": "1", "labelsAdded": [{"message": {"id": "a"}, "labelIds": ["STARRED"]}]},
            {"id": "2", "messagesDeleted": [{"message": {"id": "a"}}],
                "messagesAdded": [{"message": {"id": "b", "labelIds": ["DRAFT"]}}]},
        ]));
        assert_eq!(keys(&page), (vec!["b".to_owned()], vec!["a".to_owned()]));
    }

    #[test]
    fn chats_and_odd_ids_are_not_told() {
        let page = changed(serde_json::json!([
            {"id": "1", "messagesAdded": [{"message": {"id": "a", "labelIds": ["CHAT"]}}]},
            {"id": "2", "labelsRemoved": [{"message": {"id": "a"}}, {"message": {"id": "../x"}}]},
        ]));
        assert_eq!(keys(&page), (vec![], vec![]));
    }
}
