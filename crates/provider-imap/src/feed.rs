//! The change feed of a mailbox, in the tier that the server and the mailbox allow: QRESYNC (RFC 7162
//! section 3.2), CONDSTORE with a comparison of UIDs, or a comparison of UIDs and flags.

use email_model::ScopeKey;
use email_provider::{
    Call, ChangeNext, ChangePage, Cursor, ErrorKind, ProviderError, ProviderResult, Removed,
};

use crate::{
    convert::{bare_entry, is_deleted, listing_digest},
    cursor::{MailboxCursor, entry_key, expired},
    protocol::{
        ChangedSince, Connection, FetchData, FetchItem, FetchItems, FlagSet, MailboxName,
        SearchKey, SelectOptions, Selected, Selection, UidSet,
    },
    provider::{ImapProvider, shows_part},
};

/// How often a listing that does not agree with the mailbox's count is asked for again.
const LISTINGS: usize = 5;
/// UIDs of one VANISHED that are passed on: a server may name every UID that ever was.
const MOST_VANISHED: u64 = 1_000_000;

/// A changed message: modification sequence, UID, flags.
type Change = (u64, u32, FlagSet);

impl ImapProvider {
    pub(crate) async fn begin_scope(&self, call: Call, scope: &ScopeKey) -> ProviderResult<Cursor> {
        let mailbox = MailboxName::from_key(&scope.0);
        let mut connection = self.connection(call, Some(&mailbox)).await?;
        let state = select(&mut connection, &mailbox, call).await?.state;
        cursor_of(&state, None).write()
    }

    pub(crate) async fn changes_since(
        &self,
        call: Call,
        scope: &ScopeKey,
        cursor: &Cursor,
        limit: usize,
    ) -> ProviderResult<ChangePage> {
        let cursor = MailboxCursor::read(cursor)?;
        let mailbox = MailboxName::from_key(&scope.0);
        let mut connection = self.connection(call, Some(&mailbox)).await?;
        let resync = cursor.mod_seq.filter(|_| connection.has_qresync());
        if let Some(mod_seq) = resync {
            return self
                .resync(&mut connection, call, &mailbox, &cursor, mod_seq, limit)
                .await;
        }
        let state = select(&mut connection, &mailbox, call).await?.state;
        if state.uid_validity != cursor.uid_validity {
            return Err(expired());
        }
        match (cursor.mod_seq, state.highest_mod_seq) {
            (Some(known), Some(now)) if !is_frozen(&cursor, &state) => {
                if known == now {
                    return caught_up(&cursor_of(&state, None));
                }
                self.condstore(&mut connection, call, &mailbox, &cursor, known, limit)
                    .await
            }
            _ => self.compare(&mut connection, call, &mailbox, &cursor).await,
        }
    }

    /// One SELECT tells what changed and what is gone.
    async fn resync(
        &self,
        connection: &mut Connection,
        call: Call,
        mailbox: &MailboxName,
        cursor: &MailboxCursor,
        mod_seq: u64,
        limit: usize,
    ) -> ProviderResult<ChangePage> {
        let options = SelectOptions {
            read_only: false,
            fresh: true,
            qresync: Some((cursor.uid_validity, mod_seq)),
        };
        let Selection {
            state,
            changed,
            vanished,
            overflow,
        } = connection
            .select(mailbox, options, call.deadline)
            .await
            .map_err(select_error)?;
        if state.uid_validity != cursor.uid_validity {
            return Err(expired());
        }
        if state.highest_mod_seq.is_none() || is_frozen(cursor, &state) {
            return self.compare(connection, call, mailbox, cursor).await;
        }
        let mut changes: Vec<Change> = changed.into_iter().filter_map(change).collect();
        let mut vanished = vanished;
        if overflow {
            changes.clear();
            let since = ChangedSince {
                mod_seq,
                vanished: true,
            };
            vanished = vanished.union(&fetch_changes(connection, call, since, &mut changes).await?);
        }
        let gone = UidSet::from_ranges(vanished.ranges().iter().copied());
        page(mailbox, cursor, &state, changes, gone, limit)
    }

    /// What changed comes by modification sequence; what is gone, where the numbers say that
    /// something is, by a listing.
    async fn condstore(
        &self,
        connection: &mut Connection,
        call: Call,
        mailbox: &MailboxName,
        cursor: &MailboxCursor,
        mod_seq: u64,
        limit: usize,
    ) -> ProviderResult<ChangePage> {
        let state = selected(connection)?;
        let mut changes = Vec::new();
        let since = ChangedSince {
            mod_seq,
            vanished: false,
        };
        fetch_changes(connection, call, since, &mut changes).await?;
        let is_new = |uid: u32| cursor.uid_next.is_none_or(|next| uid >= next);
        let new = changes.iter().filter(|(_, uid, _)| is_new(*uid)).count() as u64;
        let all_there =
            cursor.uid_next.is_some() && u64::from(cursor.exists) + new == u64::from(state.exists);
        if all_there || shows_part(connection.quirks(), state.exists) {
            return page(mailbox, cursor, &state, changes, UidSet::new(), limit);
        }
        let listing = live_uids(connection, call).await?;
        let deleted: UidSet = changes
            .iter()
            .filter(|(_, _, flags)| is_deleted(Some(flags)))
            .map(|(_, uid, _)| *uid)
            .collect();
        let mut page = page(mailbox, cursor, &state, changes, UidSet::new(), limit)?;
        let there = listing.iter().filter(|uid| !deleted.contains(*uid));
        page.removed = Removed::Listing(
            there
                .map(|uid| entry_key(state.uid_validity, uid))
                .collect(),
        );
        Ok(page)
    }

    /// All UIDs and flags: the server tells nothing less. Nothing is reported while they are the same.
    async fn compare(
        &self,
        connection: &mut Connection,
        call: Call,
        mailbox: &MailboxName,
        cursor: &MailboxCursor,
    ) -> ProviderResult<ChangePage> {
        let (state, listing) = counted_listing(connection, call).await?;
        let digest = listing_digest(&listing);
        let next = cursor_of(&state, Some(digest.0));
        if cursor.digest == Some(digest.0) {
            return caught_up(&next);
        }
        let live: Vec<&(u32, FlagSet)> = listing
            .iter()
            .filter(|(_, flags)| !is_deleted(Some(flags)))
            .collect();
        let keys = live
            .iter()
            .map(|(uid, _)| entry_key(state.uid_validity, *uid))
            .collect();
        let removed = if shows_part(connection.quirks(), state.exists) {
            let deleted = listing.iter().filter(|(_, flags)| is_deleted(Some(flags)));
            Removed::Vanished(
                deleted
                    .map(|(uid, _)| entry_key(state.uid_validity, *uid))
                    .collect(),
            )
        } else {
            Removed::Listing(keys)
        };
        let entries = live
            .iter()
            .map(|(uid, flags)| bare_entry(mailbox, state.uid_validity, *uid, flags))
            .collect();
        Ok(ChangePage {
            entries,
            removed,
            next: ChangeNext::CaughtUp(next.write()?),
        })
    }
}

/// Selects a mailbox as it is now. A mailbox that cannot be selected because it is not there is
/// `NotFound`.
pub(crate) async fn select(
    connection: &mut Connection,
    mailbox: &MailboxName,
    call: Call,
) -> ProviderResult<Selection> {
    let options = SelectOptions {
        read_only: false,
        fresh: true,
        qresync: None,
    };
    connection
        .select(mailbox, options, call.deadline)
        .await
        .map_err(select_error)
}

/// SELECT refuses a missing mailbox in words that differ with every server; a refusal of anything
/// else (rights, load) has a code or says so.
pub(crate) fn select_error(error: crate::protocol::Error) -> ProviderError {
    let is_refusal = matches!(error, crate::protocol::Error::No(_));
    let kind = error.kind();
    let provider = ProviderError::from(error);
    match kind {
        ErrorKind::Unexpected if is_refusal => ProviderError {
            kind: ErrorKind::NotFound,
            ..provider
        },
        _ => provider,
    }
}

pub(crate) fn selected(connection: &Connection) -> ProviderResult<Selected> {
    connection.selected().cloned().ok_or_else(|| {
        ProviderError::new(ErrorKind::Unavailable, "the mailbox is no longer selected")
    })
}

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
        let mut latest = std::collections::BTreeMap::new();
        latest.extend(listing);
        if latest.len() as u64 == u64::from(before.exists) {
            return Ok((before, latest.into_iter().collect()));
        }
    }
    Err(ProviderError::new(
        ErrorKind::Unavailable,
        "the server's listing does not agree with its count",
    ))
}

/// UIDs of all messages that are not marked as deleted, as many as the mailbox counts with those.
async fn live_uids(connection: &mut Connection, call: Call) -> ProviderResult<UidSet> {
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
    Err(ProviderError::new(
        ErrorKind::Unavailable,
        "the server's listing does not agree with its count",
    ))
}

async fn fetch_changes(
    connection: &mut Connection,
    call: Call,
    since: ChangedSince,
    changes: &mut Vec<Change>,
) -> ProviderResult<UidSet> {
    let mut take = |data: FetchData| {
        changes.extend(change(data));
        Ok(())
    };
    let items = FetchItems::from(FetchItem::FLAGS | FetchItem::MOD_SEQ);
    let all = UidSet::range(1, u32::MAX);
    Ok(connection
        .uid_fetch(&all, &items, Some(since), call.deadline, &mut take)
        .await?)
}

fn change(data: FetchData) -> Option<Change> {
    Some((data.mod_seq.unwrap_or(u64::MAX), data.uid, data.flags?))
}

/// A mailbox whose messages change while its modification sequence stands still does not keep one.
fn is_frozen(cursor: &MailboxCursor, state: &Selected) -> bool {
    state.highest_mod_seq == cursor.mod_seq
        && (state.exists != cursor.exists
            || (cursor.uid_next.is_some()
                && state.uid_next.is_some()
                && state.uid_next != cursor.uid_next))
}

fn cursor_of(state: &Selected, digest: Option<[u8; 16]>) -> MailboxCursor {
    MailboxCursor {
        uid_validity: state.uid_validity,
        uid_next: state.uid_next,
        mod_seq: state.highest_mod_seq,
        exists: state.exists,
        digest,
    }
}

fn caught_up(cursor: &MailboxCursor) -> ProviderResult<ChangePage> {
    Ok(ChangePage {
        entries: Vec::new(),
        removed: Removed::Vanished(Vec::new()),
        next: ChangeNext::CaughtUp(cursor.write()?),
    })
}

/// A page of changes by modification sequence, oldest first. What does not fit is told from a cursor
/// that goes only as far as this page does.
fn page(
    mailbox: &MailboxName,
    cursor: &MailboxCursor,
    state: &Selected,
    mut changes: Vec<Change>,
    vanished: UidSet,
    limit: usize,
) -> ProviderResult<ChangePage> {
    changes.sort_by_key(|(mod_seq, uid, _)| (*mod_seq, *uid));
    let mut next = cursor_of(state, None);
    let mut cut = changes.len();
    if changes.len() > limit.max(1) {
        // Whatever has the last sequence of the page goes with it: the next page begins after that.
        let last = changes[limit.max(1) - 1].0;
        cut = changes.partition_point(|(mod_seq, _, _)| *mod_seq <= last);
        if cut < changes.len() {
            // Its counts are the old ones, so that the next page still sees what is gone.
            next = MailboxCursor {
                mod_seq: Some(last),
                ..cursor.clone()
            };
        }
    }
    let is_last = cut == changes.len();
    changes.truncate(cut);
    let validity = state.uid_validity;
    let mut gone: Vec<_> = vanished
        .iter()
        .take(usize::try_from(MOST_VANISHED).unwrap_or(usize::MAX))
        .map(|uid| entry_key(validity, uid))
        .collect();
    let mut entries = Vec::with_capacity(changes.len());
    for (_, uid, flags) in &changes {
        if vanished.contains(*uid) {
            continue;
        }
        if is_deleted(Some(flags)) {
            gone.push(entry_key(validity, *uid));
        } else {
            entries.push(bare_entry(mailbox, validity, *uid, flags));
        }
    }
    let next = next.write()?;
    let next = if is_last {
        ChangeNext::CaughtUp(next)
    } else {
        ChangeNext::More(next)
    };
    Ok(ChangePage {
        entries,
        removed: Removed::Vanished(gone),
        next,
    })
}
