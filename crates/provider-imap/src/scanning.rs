//! Listing a mailbox, newest first.

use std::collections::HashSet;

use email_model::ScopeKey;
use email_provider::{
    Call, ProviderResult, ScanDetail, ScanNext, ScanPage, ScanRequest, ScanWindow,
};

use crate::{
    convert::{bare_entry, entry, is_deleted},
    counted::counted_listing,
    cursor::{ScanPosition, expired},
    protocol::{Connection, FetchData, MailboxName, SearchKey, SelectOptions, UidSet},
    provider::{ImapProvider, shows_part},
    reading::listed_items,
    selecting::{select, select_with, selected},
};

impl ImapProvider {
    pub(crate) async fn scan_scope(
        &self,
        call: Call,
        scope: &ScopeKey,
        request: ScanRequest<'_>,
    ) -> ProviderResult<ScanPage> {
        let mailbox = MailboxName::from_key(&scope.0);
        let mut connection = self.connection(call, Some(&mailbox)).await?;
        match request.detail {
            ScanDetail::Keys if request.window == ScanWindow::default() => {
                self.scan_keys(&mut connection, call, &mailbox).await
            }
            ScanDetail::Keys | ScanDetail::Envelopes => {
                self.scan_envelopes(&mut connection, call, &mailbox, request)
                    .await
            }
        }
    }

    /// One listing of all keys and flags: a proof, if the server shows the whole mailbox.
    async fn scan_keys(
        &self,
        connection: &mut Connection,
        call: Call,
        mailbox: &MailboxName,
    ) -> ProviderResult<ScanPage> {
        select(connection, mailbox, call).await?;
        let (state, listing) = counted_listing(connection, call).await?;
        let live = listing.iter().filter(|(_, flags)| !is_deleted(Some(flags)));
        let entries = live
            .map(|(uid, flags)| bare_entry(mailbox, state.uid_validity, *uid, flags))
            .collect();
        let proof = !shows_part(connection.quirks(), state.exists);
        let next = ScanNext::Done {
            cursor: None,
            proof,
        };
        Ok(ScanPage {
            entries,
            next,
            total: Some(u64::from(state.exists)),
        })
    }

    async fn scan_envelopes(
        &self,
        connection: &mut Connection,
        call: Call,
        mailbox: &MailboxName,
        request: ScanRequest<'_>,
    ) -> ProviderResult<ScanPage> {
        let mut is_kept = false;
        let (mut remaining, below, total) = match request.position {
            None => {
                select(connection, mailbox, call).await?;
                let all = window_uids(connection, call, request.window, None).await?;
                let total = all.len();
                (all, None, total)
            }
            Some(position) => {
                let position = ScanPosition::read(position)?;
                is_kept = connection.selected().is_some_and(|s| s.mailbox == *mailbox);
                select_with(connection, mailbox, SelectOptions::default(), call).await?;
                if selected(connection)?.uid_validity != position.uid_validity {
                    return Err(expired());
                }
                let remaining = UidSet::from_ranges(position.remaining.iter().copied());
                (remaining, position.below, position.total)
            }
        };
        let validity = selected(connection)?.uid_validity;
        let mut below = below;
        if remaining.is_empty()
            && let Some(limit) = below.take()
        {
            remaining = window_uids(connection, call, request.window, Some(limit)).await?;
        }
        let (page, rest) = newest(&remaining, request.limit.max(1));
        let mut entries = Vec::with_capacity(request.limit);
        let mut asked = page;
        while !asked.is_empty() {
            let kind = self.identity_kind();
            let mut told = HashSet::new();
            let mut take = |data: FetchData| {
                told.insert(data.uid);
                if !is_deleted(data.flags.as_ref()) {
                    entries.push(entry(kind, mailbox, validity, &data));
                }
                Ok(())
            };
            connection
                .uid_fetch(&asked, &listed_items(kind), None, call.deadline, &mut take)
                .await?;
            asked = asked.iter().filter(|uid| !told.contains(uid)).collect();
            // The listing may be another connection's, and this one not have been told of what came before it.
            if !std::mem::take(&mut is_kept) {
                break;
            }
            if !asked.is_empty()
                && select(connection, mailbox, call).await?.state.uid_validity != validity
            {
                return Err(expired());
            }
        }
        entries.reverse();
        let next = if rest.is_empty() && below.is_none() {
            ScanNext::Done {
                cursor: None,
                proof: false,
            }
        } else {
            ScanNext::More(ScanPosition::new(validity, &rest, below, total).write()?)
        };
        Ok(ScanPage {
            entries,
            next,
            total: Some(total),
        })
    }
}

/// UIDs of a window; SEARCH goes by days of the server's own time zone, so both ends are widened by
/// one.
async fn window_uids(
    connection: &mut Connection,
    call: Call,
    window: ScanWindow,
    below: Option<u32>,
) -> ProviderResult<UidSet> {
    let mut keys = Vec::new();
    if let Some(since) = window.since {
        keys.push(SearchKey::Since(
            (since - chrono::Duration::days(1)).date_naive(),
        ));
    }
    if let Some(before) = window.before {
        keys.push(SearchKey::Before(
            (before + chrono::Duration::days(2)).date_naive(),
        ));
    }
    if let Some(below) = below {
        keys.push(SearchKey::Uid(UidSet::range(
            1,
            below.saturating_sub(1).max(1),
        )));
    }
    let key = if keys.is_empty() {
        SearchKey::All
    } else {
        SearchKey::And(keys)
    };
    let found = connection.uid_search(&key, call.deadline).await?;
    Ok(match below {
        Some(below) => found.within(1, below.saturating_sub(1)),
        None => found,
    })
}

/// The newest UIDs of a set, and the rest.
fn newest(set: &UidSet, count: usize) -> (UidSet, UidSet) {
    let Some(lowest) = set.iter().rev().take(count).last() else {
        return (UidSet::new(), UidSet::new());
    };
    (
        set.within(lowest, u32::MAX),
        set.within(1, lowest.saturating_sub(1)),
    )
}
