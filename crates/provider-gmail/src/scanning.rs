//! Listing the whole mailbox.
//!
//! For a first scan ids and conversations, 500 for five units: what else there is to know costs a read of
//! each message, and is learned when it is wanted. For comparing also states, by the lists of labels.

use email_model::Timestamp;
use email_provider::{
    Call, ProviderResult, ScanDetail, ScanNext, ScanPage, ScanRequest, ScanWindow, ScopeKey,
};

use crate::{
    cursor::ListedTo,
    error, feed,
    ids::PageToken,
    listing::{LARGEST_PAGE, List, Listed},
    mailbox::Mailbox,
};

pub(crate) async fn scan(
    mailbox: &Mailbox,
    call: Call,
    scope: &ScopeKey,
    request: ScanRequest<'_>,
) -> ProviderResult<ScanPage> {
    feed::check_scope(scope)?;
    let position = request.position.map(ListedTo::from_position).transpose()?;
    match (request.detail, position) {
        (ScanDetail::Envelopes, None) => bare(mailbox, call, request, None).await,
        (ScanDetail::Envelopes, Some(ListedTo::Scan(page))) => {
            bare(mailbox, call, request, Some(&page)).await
        }
        (ScanDetail::Keys, None) => {
            let table = mailbox.labels_now(call).await?;
            let (number, _) = mailbox.listings.begin(table);
            with_states(mailbox, call, request, number, None).await
        }
        (ScanDetail::Keys, Some(ListedTo::States { listing, page, .. })) => {
            with_states(mailbox, call, request, listing, page.as_ref()).await
        }
        _ => Err(error::expired()),
    }
}

async fn bare(
    mailbox: &Mailbox,
    call: Call,
    request: ScanRequest<'_>,
    page: Option<&PageToken>,
) -> ProviderResult<ScanPage> {
    let chats = mailbox.chats(call).await?;
    let (listed, next) = listed(mailbox, call, request.window, page, request.limit).await?;
    let mail = listed.iter().filter(|listed| !chats.contains(&listed.id));
    Ok(ScanPage {
        entries: mail
            .map(|listed| feed::bare(&listed.id, &listed.thread))
            .collect(),
        next: match next {
            Some(next) => ScanNext::More(ListedTo::Scan(next).to_position()),
            None => DONE,
        },
        total: None,
    })
}

/// First the labels are listed, for as many calls as it takes, then the messages.
async fn with_states(
    mailbox: &Mailbox,
    call: Call,
    request: ScanRequest<'_>,
    number: u64,
    page: Option<&PageToken>,
) -> ProviderResult<ScanPage> {
    let (_, listing) = mailbox.listings.find(number).ok_or_else(error::expired)?;
    let mut listing = listing.lock().await;
    let position = |lists, page| {
        ListedTo::States {
            listing: number,
            lists,
            page,
        }
        .to_position()
    };
    // A call that lists labels does nothing else: what fails later does not undo it.
    if !listing.is_complete() {
        listing.go_on(mailbox, call).await?;
        return Ok(ScanPage {
            entries: Vec::new(),
            next: ScanNext::More(position(listing.lists(), None)),
            total: None,
        });
    }
    let (listed, next) = listed(mailbox, call, request.window, page, LARGEST_PAGE).await?;
    let entries = listed.iter().filter_map(|listed| {
        let state = listing.state(&listed.id)?;
        let mut entry = feed::bare(&listed.id, &listed.thread);
        entry.state = Some(state);
        Some(entry)
    });
    let entries = entries.collect();
    if next.is_none() {
        mailbox.listings.end(number);
    }
    Ok(ScanPage {
        entries,
        next: next.map_or(DONE, |next| ScanNext::More(position(0, Some(next)))),
        total: None,
    })
}

/// A list is no proof: nothing tells how many messages it should hold.
const DONE: ScanNext = ScanNext::Done {
    cursor: None,
    proof: false,
};

async fn listed(
    mailbox: &Mailbox,
    call: Call,
    window: ScanWindow,
    page: Option<&PageToken>,
    limit: usize,
) -> ProviderResult<(Vec<Listed>, Option<PageToken>)> {
    let query = query(window);
    let list = List {
        query: query.as_deref(),
        spam_and_trash: true,
        page,
        limit,
        ..List::default()
    };
    mailbox.list(call, list).await
}

/// The window as a query, a second wider on each side: whether the bounds themselves belong to it is not
/// documented.
fn query(window: ScanWindow) -> Option<String> {
    let after = |time: Timestamp| format!("after:{}", (time.timestamp() - 1).max(0));
    let before = |time: Timestamp| format!("before:{}", time.timestamp().saturating_add(2).max(1));
    let terms: Vec<String> = [window.since.map(after), window.before.map(before)]
        .into_iter()
        .flatten()
        .collect();
    (!terms.is_empty()).then(|| terms.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_told_in_seconds_and_a_little_wider() {
        let time = |seconds, nanos| Timestamp::from_timestamp(seconds, nanos);
        let window = ScanWindow {
            since: time(1_000, 5),
            before: time(2_000, 500_000_000),
        };
        assert_eq!(query(window).as_deref(), Some("after:999 before:2002"));
        assert_eq!(query(ScanWindow::default()), None);
        let old = ScanWindow {
            since: time(-5, 0),
            before: None,
        };
        assert_eq!(query(old).as_deref(), Some("after:0"));
    }
}
