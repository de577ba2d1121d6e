//! Messages that came into a folder without its feed telling.
//!
//! With ids that stay, a message that was moved may be told as gone where it was and not as new where it is
//! (<https://github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/72>). A move changes a message's time of last
//! change, so at the end of each round of the feed the folder's messages are asked for in the order of that time, from
//! where they were asked for last. Where the round told nothing and the folder holds as many items as when all of them had
//! been looked at, nothing came.

use std::collections::HashSet;

use email_model::Timestamp;
use email_provider::{Call, ProviderResult};

use crate::{
    api::Prefer,
    cursor::{Looked, MOST_MARKS},
    ids::{FolderId, ItemId},
    listing::floor,
    mailbox::Mailbox,
    names, wanted,
    wire::{MailFolder, Message},
};

/// Messages looked at in one go.
const PAGE: usize = 200;
/// Empty pages that one call goes over.
const MOST_EMPTY_PAGES: usize = 20;

/// What was found.
pub(crate) struct Found {
    pub messages: Vec<Message>,
    pub looked: Looked,
    /// There is more to look at.
    pub is_cut: bool,
}

/// From where to look after a scan whose first page told these: what comes later was changed later than any of them.
pub(crate) fn begin<'a>(first_page: impl Iterator<Item = &'a Message>) -> Looked {
    let times = first_page.filter_map(second);
    Looked {
        since: times.max().unwrap_or(0),
        ..Looked::default()
    }
}

/// Whether nothing can have come, though the feed is no proof of it.
pub(crate) fn is_needless(mailbox: &Mailbox, folder: &FolderId, looked: &Looked) -> bool {
    let count = mailbox.count(folder);
    count.is_some() && count == looked.count
}

/// Looks once, after a round that told nothing, or not.
pub(crate) async fn look(
    mailbox: &Mailbox,
    call: Call,
    folder: &FolderId,
    looked: &Looked,
    is_quiet: bool,
) -> ProviderResult<Found> {
    let before = mailbox.count(folder);
    let since = Timestamp::from_timestamp(looked.since, 0).unwrap_or_default();
    let size = PAGE + looked.told.len().min(1_000 - PAGE);
    let messages = wanted::keys(names::folder_messages(folder))
        .with(
            "$filter",
            &format!("lastModifiedDateTime ge {}", floor(since)),
        )
        .with("$orderby", "lastModifiedDateTime asc")
        .with("$top", &size.to_string());
    let mut page = mailbox.page(call, messages, size).await?;
    for _ in 0..MOST_EMPTY_PAGES {
        let Some(link) = page.next_link.take_if(|_| page.value.is_empty()) else {
            break;
        };
        let link = mailbox.api.link(&link)?;
        page = mailbox.page(call, link, size).await?;
    }
    let is_cut = page.next_link.is_some();
    let (messages, mut looked) = apply(looked, page.value);
    if is_quiet && !is_cut {
        looked.count = steady(mailbox, call, folder, before).await;
    }
    Ok(Found {
        messages,
        looked,
        is_cut,
    })
}

/// The count before a look, if it is the same after it. Counted with a message that is gone by now, it would hide the next
/// one that comes in silence.
async fn steady(
    mailbox: &Mailbox,
    call: Call,
    folder: &FolderId,
    before: Option<u64>,
) -> Option<u64> {
    let before = before?;
    let address = names::folder(folder).with("$select", wanted::FOLDER);
    let after: ProviderResult<MailFolder> =
        mailbox.api.read(call, address, Prefer::default()).await;
    // Without it the next round looks again.
    let after = after.ok()?.total_item_count?;
    (after == before).then_some(after)
}

/// What of a page is new, and how far it was looked.
fn apply(looked: &Looked, page: Vec<Message>) -> (Vec<Message>, Looked) {
    let known: HashSet<u64> = looked.told.iter().copied().collect();
    let last = page.iter().filter_map(second).max();
    let since = last.unwrap_or(looked.since).max(looked.since);
    let mut told = match since == looked.since {
        true => looked.told.clone(),
        false => Vec::new(),
    };
    let mut is_new = false;
    let mut messages = Vec::new();
    for message in page {
        let Some(mark) = mark(&message) else { continue };
        if known.contains(&mark) {
            continue;
        }
        is_new = true;
        if second(&message) == Some(since) {
            told.push(mark);
        }
        messages.push(message);
    }
    let mut next = Looked {
        since,
        told,
        count: None,
    };
    // More of one second than can be told apart: the feed tells of most of them anyway.
    if next.told.len() > MOST_MARKS || (!is_new && next.told.len() >= 1_000 - PAGE) {
        next = Looked {
            since: since + 1,
            ..Looked::default()
        };
    }
    (messages, next)
}

fn second(message: &Message) -> Option<i64> {
    message.last_modified_date_time.map(|time| time.timestamp())
}

/// Another one after each change.
fn mark(message: &Message) -> Option<u64> {
    let version = message.change_key.as_deref().unwrap_or_default();
    Some(ItemId::parse(&message.id)?.mark(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str, version: &str, second: i64) -> Message {
        Message {
            id: id.into(),
            change_key: Some(version.into()),
            last_modified_date_time: Timestamp::from_timestamp(second, 0),
            ..Message::default()
        }
    }

    fn ids(messages: &[Message]) -> Vec<&str> {
        messages.iter().map(|message| message.id.as_str()).collect()
    }

    #[test]
    fn each_change_is_found_once() {
        let (found, looked) = apply(
            &Looked::default(),
            vec![message("a", "1", 5), message("b", "1", 6)],
        );
        assert_eq!((ids(&found), looked.since), (vec!["a", "b"], 6));
        let (found, looked) = apply(&looked, vec![message("b", "1", 6), message("c", "1", 6)]);
        assert_eq!((ids(&found), looked.since), (vec!["c"], 6));
        let again = vec![
            message("b", "2", 6),
            message("c", "1", 6),
            message("d", "1", 9),
        ];
        let (found, looked) = apply(&looked, again);
        assert_eq!((ids(&found), looked.since), (vec!["b", "d"], 9));
        assert_eq!(looked.told.len(), 1);
    }

    #[test]
    fn a_second_with_too_many_changes_does_not_stop_the_rest() {
        let many: Vec<Message> = (0..MOST_MARKS + 1)
            .map(|n| message(&format!("m{n}"), "1", 5))
            .collect();
        let (found, looked) = apply(&Looked::default(), many);
        assert_eq!(found.len(), MOST_MARKS + 1);
        assert_eq!((looked.since, looked.told.len()), (6, 0));
    }

    #[test]
    fn looking_begins_with_the_last_change_of_the_first_page() {
        let page = [
            message("a", "1", 5),
            message("b", "1", 9),
            message("c", "1", 7),
        ];
        assert_eq!(begin(page.iter()).since, 9);
        assert_eq!(begin([].iter()).since, 0);
    }
}
