//! Listing a folder.
//!
//! The first round of a feed lists the folder and ends with the feed's first cursor, so a scan is that round, newest
//! messages first, whatever its window: a feed that began with a filter would tell of nothing else, and of no
//! more than 5,000 messages. What a window leaves for later is listed by time of receipt.

use email_provider::{
    Call, Entry, ErrorKind, ProviderError, ProviderResult, ScanDetail, ScanNext, ScanPage,
    ScanRequest, ScopeKey,
};

use crate::{
    arrivals,
    changes::{folded, has_left},
    convert,
    cursor::{Listed, ListedTo, MOST_LEFT, ReadUpTo},
    error, feed,
    ids::{FolderId, ItemId},
    listing::{self, List},
    mailbox::Mailbox,
    names, wanted,
};

/// Most messages of a page with envelopes.
const MOST_ENVELOPES: usize = 100;
/// Least and most messages of a page of keys.
const KEYS: (usize, usize) = (500, 1_000);

pub(crate) async fn scan(
    mailbox: &Mailbox,
    call: Call,
    scope: &ScopeKey,
    request: ScanRequest<'_>,
) -> ProviderResult<ScanPage> {
    let folder = FolderId::of_scope(scope)?;
    let position = request.position.map(ListedTo::from_position).transpose()?;
    match (position, request.window.before) {
        (None, None) => by_feed(mailbox, call, &folder, request, None).await,
        (Some(ListedTo::Feed(read)), None) => {
            by_feed(mailbox, call, &folder, request, Some(read)).await
        }
        (None, Some(_)) => by_time(mailbox, call, &folder, request, None).await,
        (Some(ListedTo::Window(listed)), Some(_)) => {
            by_time(mailbox, call, &folder, request, Some(&listed)).await
        }
        _ => Err(error::expired()),
    }
}

async fn by_feed(
    mailbox: &Mailbox,
    call: Call,
    folder: &FolderId,
    request: ScanRequest<'_>,
    read: Option<ReadUpTo>,
) -> ProviderResult<ScanPage> {
    let size = match request.detail {
        ScanDetail::Envelopes => request.limit.clamp(1, MOST_ENVELOPES),
        ScanDetail::Keys => request.limit.clamp(KEYS.0, KEYS.1),
    };
    let (address, begun) = match read {
        Some(read) => (read.link, Some((read.looked, read.left))),
        None => {
            let feed = names::messages_delta(folder);
            let feed = match request.detail {
                ScanDetail::Envelopes => wanted::envelope(feed),
                ScanDetail::Keys => wanted::keys(feed),
            };
            (feed.with("$orderby", "receivedDateTime desc"), None)
        }
    };
    let page = match mailbox.page(call, address, size).await {
        Ok(page) => page,
        Err(error) => return Err(feed::why(mailbox, call, folder, error).await),
    };
    let (looked, mut left) = match begun {
        Some(begun) => begun,
        None => (arrivals::begin(page.value.iter()), Vec::new()),
    };
    let mut entries: Vec<Entry> = Vec::new();
    for (id, item) in folded(page.value) {
        match has_left(folder, &item) {
            true => left.push(id),
            false => entries.push(convert::entry(&id, &item)),
        }
    }
    if left.len() > MOST_LEFT {
        // Too much left while it was listed: it is listed anew.
        return Err(error::expired());
    }
    let (link, is_last) = match (page.next_link, page.delta_link) {
        (Some(next), _) => (next, false),
        (None, Some(delta)) => (delta, true),
        (None, None) => {
            let what = "a page of a scan that leads nowhere";
            return Err(ProviderError::new(ErrorKind::Unexpected, what));
        }
    };
    let read = ReadUpTo {
        link: mailbox.api.link(&link)?,
        looked,
        left,
    };
    // As they were counted lately: fewer than there are, perhaps.
    let told = u64::try_from(entries.len()).unwrap_or(u64::MAX);
    let total = mailbox.count(folder).map(|count| count.max(told));
    Ok(ScanPage {
        entries,
        next: match is_last {
            false => ScanNext::More(ListedTo::Feed(read).to_position()),
            true => ScanNext::Done {
                cursor: Some(read.to_cursor()),
                proof: false,
            },
        },
        total,
    })
}

async fn by_time(
    mailbox: &Mailbox,
    call: Call,
    folder: &FolderId,
    request: ScanRequest<'_>,
    from: Option<&Listed>,
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
        .map(|(id, message): &(ItemId, _)| convert::entry(id, message));
    Ok(ScanPage {
        entries: here.collect(),
        next: match next {
            Some(next) => ScanNext::More(ListedTo::Window(next).to_position()),
            None => ScanNext::Done {
                cursor: None,
                proof: false,
            },
        },
        total: None,
    })
}
