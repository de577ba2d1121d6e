//! Changes of one folder: <https://learn.microsoft.com/graph/delta-query-overview>.
//!
//! The feed may tell an item twice, tell it again later, tell a part of it, and tell that it was removed where it was moved
//! or has come back. So the last word on an item counts, what was told in part is left to be read, and what was removed is
//! asked for.

use std::collections::{HashMap, HashSet};

use email_provider::{
    Call, ChangeNext, ChangePage, Cursor, Detail, Entry, EntryKey, ErrorKind, ProviderError,
    ProviderResult, Removed, ScopeKey,
};

use crate::{
    arrivals, convert,
    cursor::ReadUpTo,
    feed,
    ids::{FolderId, ItemId},
    mailbox::Mailbox,
    versions::Versions,
    wire::{Message, Page},
};

/// Most items of a page: each may have to be read.
const MOST_ITEMS: usize = 200;
/// Empty pages that one call goes over.
const MOST_EMPTY_PAGES: usize = 20;
/// How often what was told to be removed must be absent to be believed gone: the feed has said so too.
const ABSENCES: u8 = 2;

/// Items by their last mention, in its order.
fn folded(items: Vec<Message>) -> Vec<(ItemId, Message)> {
    let mut seen = HashSet::new();
    let mut folded: Vec<(ItemId, Message)> = items
        .into_iter()
        .rev()
        .filter_map(|item| Some((ItemId::parse(&item.id)?, item)))
        .filter(|(id, _)| seen.insert(id.clone()))
        .collect();
    folded.reverse();
    folded
}

/// Whether an item is not to be believed to be in the folder.
pub(crate) fn has_left(folder: &FolderId, item: &Message) -> bool {
    let is_elsewhere = item
        .parent_folder_id
        .as_deref()
        .is_some_and(|parent| parent != folder.as_str());
    item.removed.is_some() || is_elsewhere
}

pub(crate) async fn changes(
    mailbox: &Mailbox,
    call: Call,
    scope: &ScopeKey,
    cursor: &Cursor,
    limit: usize,
) -> ProviderResult<ChangePage> {
    let folder = FolderId::of_scope(scope)?;
    let read = ReadUpTo::from_cursor(cursor)?;
    let page = match page(mailbox, call, &read, limit).await {
        Ok(page) => page,
        Err(error) => return Err(feed::why(mailbox, call, &folder, error).await),
    };
    let mut told = Told {
        drafts: read.drafts,
        ..Told::default()
    };
    let mut doubtful = Vec::new();
    for (id, item) in folded(page.value) {
        // What is told in part does not say in which version a draft is.
        let is_unclear = item.is_draft.is_none() && told.drafts.are_of(&id);
        match has_left(&folder, &item) || is_unclear {
            true => doubtful.push(id),
            false => told.add(&id, &item),
        }
    }
    let is_quiet = told.entries.is_empty() && doubtful.is_empty();
    settle(mailbox, call, &folder, doubtful, &mut told).await?;
    let (link, is_last) = match (page.next_link, page.delta_link) {
        (Some(next), _) => (next, false),
        (None, Some(delta)) => (delta, true),
        (None, None) => {
            let what = "a page of changes that leads nowhere";
            return Err(ProviderError::new(ErrorKind::Unexpected, what));
        }
    };
    let mut next = ReadUpTo {
        link: mailbox.api.link(&link)?,
        looked: read.looked,
        drafts: Versions::default(),
    };
    if !is_quiet {
        // What is told on a page before the last one changes the count too.
        next.looked.count = None;
    }
    if !is_last {
        next.drafts = told.drafts.clone();
        return Ok(told.page(ChangeNext::More(next.to_cursor())));
    }
    let mut is_cut = false;
    if !arrivals::is_needless(mailbox, &folder, &next.looked) {
        let found = arrivals::look(mailbox, call, &folder, &next.looked, is_quiet).await?;
        for (id, message) in folded(found.messages) {
            if !has_left(&folder, &message) {
                told.add(&id, &message);
            }
        }
        (next.looked, is_cut) = (found.looked, found.is_cut);
    }
    next.drafts = told.drafts.clone();
    let next = next.to_cursor();
    Ok(told.page(match is_cut {
        true => ChangeNext::More(next),
        false => ChangeNext::CaughtUp(next),
    }))
}

/// The next page with anything on it, or the last one.
async fn page(
    mailbox: &Mailbox,
    call: Call,
    read: &ReadUpTo,
    limit: usize,
) -> ProviderResult<Page<Message>> {
    let size = limit.clamp(1, MOST_ITEMS);
    let mut page = mailbox.page(call, read.link.clone(), size).await?;
    for _ in 0..MOST_EMPTY_PAGES {
        let Some(link) = page.next_link.as_deref().filter(|_| page.value.is_empty()) else {
            break;
        };
        let link = mailbox.api.link(link)?;
        page = mailbox.page(call, link, size).await?;
    }
    Ok(page)
}

/// Asks for messages that were told to have left, or too little of: moved and gone from here, here (again), or gone.
async fn settle(
    mailbox: &Mailbox,
    call: Call,
    folder: &FolderId,
    doubtful: Vec<ItemId>,
    told: &mut Told,
) -> ProviderResult<()> {
    if doubtful.is_empty() {
        return Ok(());
    }
    let read = mailbox
        .messages(call, doubtful.clone(), Detail::State, ABSENCES)
        .await?;
    let here: HashMap<&ItemId, &Message> = read
        .iter()
        .filter(|read| convert::folder(&read.message).as_ref() == Some(folder))
        .map(|read| (&read.id, &read.message))
        .collect();
    for id in &doubtful {
        match here.get(id) {
            Some(message) => told.add(id, message),
            None => {
                told.gone.insert(id.key());
            }
        }
    }
    Ok(())
}

/// What a page tells.
#[derive(Debug, Default)]
struct Told {
    entries: Vec<Entry>,
    gone: HashSet<EntryKey>,
    /// Which versions of drafts were told, here and before.
    drafts: Versions,
}

impl Told {
    /// The later word on a message counts.
    fn add(&mut self, id: &ItemId, message: &Message) {
        let mut entry = convert::entry(id, message);
        entry.revised = self.drafts.note(id, message);
        self.gone.remove(&entry.key);
        self.entries.retain(|told| {
            let is_it = told.key == entry.key;
            entry.revised |= is_it && told.revised;
            !is_it
        });
        self.entries.push(entry);
    }

    fn page(self, next: ChangeNext) -> ChangePage {
        ChangePage {
            entries: self.entries,
            removed: Removed::Vanished(self.gone.into_iter().collect()),
            next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(text: serde_json::Value) -> Vec<Message> {
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn the_last_mention_of_an_item_counts() {
        let folded = folded(items(serde_json::json!([
            {"id": "a", "isRead": false},
            {"id": "b", "@removed": {"reason": "deleted"}},
            {"id": "a", "isRead": true},
            {"id": "b"},
            {"id": "../x"},
        ])));
        let ids: Vec<_> = folded.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(ids, ["a", "b"]);
        assert_eq!(folded[0].1.is_read, Some(true));
        assert!(folded[1].1.removed.is_none());
    }

    #[test]
    fn an_item_of_another_folder_has_left() {
        let folder = FolderId::parse("F").unwrap();
        let items = items(serde_json::json!([
            {"id": "a"},
            {"id": "a", "parentFolderId": "F"},
            {"id": "a", "parentFolderId": "f"},
            {"id": "a", "parentFolderId": "F", "@removed": {}},
        ]));
        let left: Vec<bool> = items.iter().map(|item| has_left(&folder, item)).collect();
        assert_eq!(left, [false, false, true, true]);
    }

    #[test]
    fn what_is_here_is_not_gone() {
        let (id, message) = (ItemId::parse("a").unwrap(), Message::default());
        let mut told = Told::default();
        told.gone.insert(id.key());
        told.add(&id, &message);
        told.add(&id, &message);
        let page = told.page(ChangeNext::CaughtUp(Cursor(Vec::new())));
        assert_eq!(page.entries.len(), 1);
        assert_eq!(page.removed, Removed::Vanished(Vec::new()));
    }
}
