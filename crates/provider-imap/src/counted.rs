//! Listings of a whole mailbox that agree with its own count: what they do not name is not there.

use std::collections::BTreeMap;

use email_provider::{Call, ErrorKind, ProviderError, ProviderResult};

use crate::{
    protocol::{
        Connection, FetchData, FetchItem, FetchItems, FlagSet, SearchKey, Selected, UidSet,
    },
    selecting::{select, selected},
};

/// How often a listing that does not agree with the mailbox's count is asked for again.
const LISTINGS: usize = 5;

/// UIDs and flags of all messages, as many as the mailbox counts.
pub(crate) async fn counted_listing(
    connection: &mut Connection,
    call: Call,
) -> ProviderResult<(Selected, Vec<(u32, FlagSet)>)> {
    for _ in 0..LISTINGS {
        let mailbox = selected(connection)?.mailbox;
        let before = select(connection, &mailbox, call).await?.state;
        let mut listing = Vec::new();
        if before.exists > 0 {
            let mut take = |data: FetchData| {
                if let Some(flags) = data.flags {
                    listing.push((data.uid, flags));
                }
                Ok(())
            };
            let items = FetchItems::from(FetchItem::FLAGS);
            connection
                .uid_fetch(
                    &UidSet::range(1, u32::MAX),
                    &items,
                    None,
                    call.deadline,
                    &mut take,
                )
                .await?;
        }
        // Unasked news of a flag may name a message twice; the last word counts.
        let mut latest = BTreeMap::new();
        latest.extend(listing);
        if latest.len() as u64 == u64::from(before.exists) {
            return Ok((before, latest.into_iter().collect()));
        }
    }
    Err(disagreement())
}

/// UIDs of all messages that are not marked as deleted, as many as the mailbox counts with those.
pub(crate) async fn live_uids(connection: &mut Connection, call: Call) -> ProviderResult<UidSet> {
    for _ in 0..LISTINGS {
        let mailbox = selected(connection)?.mailbox;
        let exists = select(connection, &mailbox, call).await?.state.exists;
        let all = connection
            .uid_search(&SearchKey::All, call.deadline)
            .await?;
        let deleted = connection
            .uid_search(&SearchKey::Deleted, call.deadline)
            .await?;
        if all.len() == u64::from(exists) {
            return Ok(all.iter().filter(|uid| !deleted.contains(*uid)).collect());
        }
    }
    Err(disagreement())
}

/// It is about this folder alone: the server answers, and others can be listed.
fn disagreement() -> ProviderError {
    ProviderError::new(
        ErrorKind::Unexpected,
        "the server's listing does not agree with its count",
    )
}
