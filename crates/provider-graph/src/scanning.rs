//! Listing a folder.
//!
//! The first round of a feed ends with the feed's first cursor, and there is no other way to get one: so a scan first goes
//! through that round, whole, since a feed that began with a filter would tell of nothing else, and of no more
//! than 5,000 messages. What the round tells may be behind the mailbox; the messages themselves are listed afterwards by
//! time of receipt, newest first, as they are. What changes meanwhile, the feed tells from its cursor.

use std::time::Duration;

use email_provider::{
    Call, Entry, ErrorKind, ProviderError, ProviderResult, ScanDetail, ScanNext, ScanPage,
    ScanRequest, ScopeKey,
};
use tokio::time::Instant;

use crate::{
    address::Address,
    api::Prefer,
    arrivals,
    changes::has_left,
    convert,
    cursor::{Listed, ListedTo, ReadUpTo},
    error, feed,
    ids::{FolderId, ItemId},
    listing::{self, List},
    mailbox::Mailbox,
    names,
    versions::Versions,
    wanted,
};

/// Most messages of a page with envelopes.
const MOST_ENVELOPES: usize = 100;
/// Least and most messages of a page of keys.
const KEYS: (usize, usize) = (500, 1_000);
/// How long, and over how many pages, one call goes through the feed.
const STRETCH: Duration = Duration::from_secs(10);
const MOST_PAGES: usize = 64;

pub(crate) async fn scan(
    mailbox: &Mailbox,
    call: Call,
    scope: &ScopeKey,
    request: ScanRequest<'_>,
) -> ProviderResult<ScanPage> {
    let folder = FolderId::of_scope(scope)?;
    let position = request.position.map(ListedTo::from_position).transpose()?;
    let begun = match (position, request.window.before) {
        (None, None) => None,
        (Some(ListedTo::Feed(read)), None) => Some(read),
        // What an earlier window left out needs no cursor.
        (None, Some(_)) => return list(mailbox, call, &folder, request, None, None).await,
        (Some(ListedTo::Window(listed, read)), _) => {
            return list(mailbox, call, &folder, request, Some(&listed), read).await;
        }
        _ => return Err(error::expired()),
    };
    let (read, is_first_round_over) = match go_through(mailbox, call, &folder, begun).await {
        Ok(read) => read,
        Err(error) => return Err(feed::why(mailbox, call, &folder, error).await),
    };
    match is_first_round_over {
        true => list(mailbox, call, &folder, request, None, Some(read)).await,
        false => Ok(ScanPage {
            entries: Vec::new(),
            next: ScanNext::More(ListedTo::Feed(read).to_position()),
            total: mailbox.count(&folder),
        }),
    }
}

/// Goes through the first round of a feed for a while. Where it is then, and whether the round is over.
async fn go_through(
    mailbox: &Mailbox,
    call: Call,
    folder: &FolderId,
    mut read: Option<ReadUpTo>,
) -> ProviderResult<(ReadUpTo, bool)> {
    let begun = Instant::now();
    let first = || {
        let feed = wanted::keys(names::messages_delta(folder));
        feed.with("$orderby", "receivedDateTime desc")
    };
    for _ in 0..MOST_PAGES {
        let address: Address = match &read {
            Some(read) => read.link.clone(),
            None => first(),
        };
        let page = mailbox.page(call, address, Prefer::LARGEST_PAGE).await?;
        let (looked, mut drafts) = match read {
            Some(read) => (read.looked, read.drafts),
            None => (arrivals::begin(page.value.iter()), Versions::default()),
        };
        for item in &page.value {
            if let Some(id) = ItemId::parse(&item.id) {
                drafts.note(&id, item);
            }
        }
        let (link, is_over) = match (page.next_link, page.delta_link) {
            (Some(next), _) => (next, false),
            (None, Some(delta)) => (delta, true),
            (None, None) => {
                let what = "a page of a feed that leads nowhere";
                return Err(ProviderError::new(ErrorKind::Unexpected, what));
            }
        };
        let link = mailbox.api.link(&link)?;
        let next = ReadUpTo {
            link,
            looked,
            drafts,
        };
        if is_over || begun.elapsed() >= STRETCH {
            return Ok((next, is_over));
        }
        read = Some(next);
    }
    match read {
        Some(read) => Ok((read, false)),
        None => Err(error::expired()),
    }
}

/// A page of the messages as they are, newest first. The last one gives the cursor.
async fn list(
    mailbox: &Mailbox,
    call: Call,
    folder: &FolderId,
    request: ScanRequest<'_>,
    from: Option<&Listed>,
    read: Option<ReadUpTo>,
) -> ProviderResult<ScanPage> {
    let messages = names::folder_messages(folder);
    let (messages, limit) = match request.detail {
        ScanDetail::Envelopes => (
            wanted::envelope(messages),
            request.limit.clamp(1, MOST_ENVELOPES),
        ),
        ScanDetail::Keys => (wanted::keys(messages), request.limit.clamp(KEYS.0, KEYS.1)),
    };
    let list = List {
        messages,
        conditions: Vec::new(),
        since: request.window.since,
        until: request.window.before,
    };
    let listed = mailbox.list(call, &list, from, limit).await;
    let (found, next) = listed.map_err(|error| listing::failed(error, true))?;
    let here = found
        .iter()
        .filter(|(_, message)| !has_left(folder, message))
        .map(|(id, message): &(ItemId, _)| {
            let entry = convert::entry(id, message);
            Entry {
                // What a draft says is told here.
                revised: entry.revised && request.detail == ScanDetail::Keys,
                ..entry
            }
        });
    Ok(ScanPage {
        entries: here.collect(),
        // As they were counted lately: fewer than there are, perhaps.
        total: mailbox
            .count(folder)
            .map(|count| count.max(u64::try_from(found.len()).unwrap_or(u64::MAX))),
        next: match next {
            Some(next) => ScanNext::More(ListedTo::Window(next, read).to_position()),
            None => ScanNext::Done {
                cursor: read.map(|read| read.to_cursor()),
                proof: false,
            },
        },
    })
}
