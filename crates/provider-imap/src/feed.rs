//! The change feed of a mailbox, in the tier that the server and the mailbox allow: QRESYNC (RFC 7162
//! section 3.2), CONDSTORE with a comparison of UIDs, or a comparison of UIDs and flags.

use email_model::ScopeKey;
use email_provider::{Call, ChangeNext, ChangePage, Cursor, ProviderResult, Removed};

use crate::{
    convert::{bare_entry, is_deleted, listing_digest},
    counted::{counted_listing, live_uids},
    cursor::{MailboxCursor, entry_key, expired},
    protocol::{
        self, ChangedSince, Connection, FetchData, FetchItem, FetchItems, FlagSet, MailboxName,
        SelectOptions, Selected, Selection, UidSet,
    },
    provider::{ImapProvider, shows_part},
    selecting::{select, select_with, selected},
};

/// UIDs of one VANISHED that are passed on: a server may name every UID that ever was. Of more, what is left is
/// told instead.
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
        } = select_with(connection, mailbox, options, call).await?;
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
        if vanished.len() <= MOST_VANISHED {
            return page(mailbox, cursor, &state, changes, vanished, limit);
        }
        if shows_part(connection.quirks(), state.exists) {
            return Err(expired());
        }
        listed_page(connection, call, mailbox, cursor, changes, limit).await
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
        listed_page(connection, call, mailbox, cursor, changes, limit).await
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

/// A page of changes by modification sequence; what is gone is what a listing does not name.
async fn listed_page(
    connection: &mut Connection,
    call: Call,
    mailbox: &MailboxName,
    cursor: &MailboxCursor,
    mut changes: Vec<Change>,
    limit: usize,
) -> ProviderResult<ChangePage> {
    let state = selected(connection)?;
    let listing = live_uids(connection, call).await?;
    if selected(connection)?.uid_validity != state.uid_validity {
        return Err(expired());
    }
    // What went away after it was told of is gone, and told so once only.
    changes.retain(|(_, uid, flags)| is_deleted(Some(flags)) || listing.contains(*uid));
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

async fn fetch_changes(
    connection: &mut Connection,
    call: Call,
    since: ChangedSince,
    changes: &mut Vec<Change>,
) -> ProviderResult<UidSet> {
    let mut take = |data: FetchData| {
        changes.extend(change(data.into()));
        Ok(())
    };
    let items = FetchItems::from(FetchItem::FLAGS | FetchItem::MOD_SEQ);
    let all = UidSet::range(1, u32::MAX);
    Ok(connection
        .uid_fetch(&all, &items, Some(since), call.deadline, &mut take)
        .await?)
}

fn change(told: protocol::Change) -> Option<Change> {
    Some((told.mod_seq.unwrap_or(u64::MAX), told.uid, told.flags?))
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
