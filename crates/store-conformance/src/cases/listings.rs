//! Listings, a page at a time.

use email_model::{EntryKey, MessageId, ThreadId};
use gateway_store::{
    AccountId, Commit, EntryRow, MessageRow, ScopeNumber, Seq, StoreResult, Stream,
};

use crate::{
    fixture::{Fixture, Mailbox, Outcome, at},
    samples::{NOW, entry, message},
};

fn ids(messages: &[MessageRow]) -> Vec<u64> {
    messages.iter().map(|message| message.id.0).collect()
}

async fn holding(fixture: &Fixture, messages: Vec<MessageRow>) -> StoreResult<Mailbox> {
    let mailbox = fixture.mailbox().await?;
    mailbox
        .commit(Commit {
            messages,
            ..Commit::default()
        })
        .await?;
    Ok(mailbox)
}

/// Live ones that were announced by then, inside the window or of unknown age.
pub async fn a_walk_lists_messages_in_the_order_of_their_discovery(fixture: &Fixture) -> Outcome {
    let row = |id, discovery, seq, received| MessageRow {
        discovery,
        seq: Seq(seq),
        received_at: Option::map(received, at),
        ..message(id)
    };
    let gone = MessageRow {
        gone: true,
        ..row(5, 5, 0, Some(NOW))
    };
    let mailbox = holding(
        fixture,
        vec![
            row(9, 1, 0, Some(NOW)),
            row(8, 2, 50, Some(NOW - 1)),
            row(7, 3, -1, Some(NOW)),
            row(6, 4, 51, Some(NOW)),
            gone,
            row(u64::MAX, 6, 0, None),
            row(3, i64::MAX, 7, Some(NOW + 1)),
        ],
    )
    .await?;
    let walk = async |after, upto, since: Option<i64>, limit| {
        let since = since.map(at);
        let rows = mailbox
            .store
            .walk(mailbox.account, after, Seq(upto), since, limit)
            .await?;
        Ok::<_, gateway_store::StoreError>(ids(&rows))
    };
    assert_eq!(walk(0, 50, None, 9).await?, [9, 8, u64::MAX, 3]);
    assert_eq!(walk(0, 51, None, 9).await?, [9, 8, 6, u64::MAX, 3]);
    assert_eq!(walk(0, 0, None, 9).await?, [9, u64::MAX]);
    assert_eq!(walk(0, 99, Some(NOW), 9).await?, [9, 6, u64::MAX, 3]);
    assert_eq!(walk(0, 99, Some(NOW), 2).await?, [9, 6]);
    assert_eq!(walk(4, 99, Some(NOW), 2).await?, [u64::MAX, 3]);
    assert_eq!(walk(i64::MAX, 99, None, 9).await?, [0; 0]);
    assert_eq!(walk(0, 99, None, 0).await?, [0; 0]);
    Ok(())
}

/// Each message in one of them, at its last change.
pub async fn changes_are_listed_in_two_streams_by_seq(fixture: &Fixture) -> Outcome {
    let head = 1_760_000_000_000_000;
    let row = |id, seq, gone| MessageRow {
        seq: Seq(seq),
        gone,
        ..message(id)
    };
    let mailbox = holding(
        fixture,
        vec![
            row(1, -1, false),
            row(2, 0, false),
            row(3, head + 3, false),
            row(4, head + 1, false),
            row(5, head + 2, true),
            row(6, head + 4, true),
            row(7, 1, false),
        ],
    )
    .await?;
    let changes = async |stream, after, upto, limit| {
        let (after, upto) = (Seq(after), Seq(upto));
        let rows = mailbox
            .store
            .changes(mailbox.account, stream, after, upto, limit)
            .await?;
        Ok::<_, gateway_store::StoreError>(ids(&rows))
    };
    use Stream::{Deleted, Updated};
    assert_eq!(changes(Updated, 0, i64::MAX, 9).await?, [7, 4, 3]);
    assert_eq!(changes(Updated, 0, i64::MAX, 2).await?, [7, 4]);
    assert_eq!(changes(Updated, head + 1, head + 3, 9).await?, [3]);
    assert_eq!(changes(Updated, head + 1, head + 2, 9).await?, [0; 0]);
    assert_eq!(changes(Updated, head + 3, i64::MAX, 9).await?, [0; 0]);
    assert_eq!(changes(Deleted, 0, i64::MAX, 9).await?, [5, 6]);
    assert_eq!(changes(Deleted, head + 2, i64::MAX, 9).await?, [6]);
    Ok(())
}

/// Whatever bytes they are of.
pub async fn entries_of_a_scope_are_listed_in_the_order_of_their_keys(
    fixture: &Fixture,
) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    let keys: [&[u8]; 8] = [b"", &[0], &[0, 0], &[0, 255], &[1], b"A", b"a", &[255; 512]];
    let entry_of = |scope, key: &[u8]| EntryRow {
        key: EntryKey(key.to_vec()),
        ..entry(scope, 0, 5)
    };
    let mut entries: Vec<_> = keys.iter().rev().map(|key| entry_of(1, key)).collect();
    entries.push(entry_of(0, b"b"));
    entries.push(entry_of(2, b"b"));
    mailbox
        .commit(Commit {
            messages: vec![message(5)],
            entries,
            ..Commit::default()
        })
        .await?;
    let (store, account, scope) = (&mailbox.store, mailbox.account, ScopeNumber(1));
    for size in [1, 3, 8, 9] {
        let mut listed: Vec<EntryRow> = Vec::new();
        loop {
            let after = listed.last().map(|entry| entry.key.clone());
            let page = store
                .scope_entries(account, scope, after.as_ref(), size)
                .await?;
            if page.is_empty() {
                break;
            }
            assert!(page.len() <= size as usize);
            listed.extend(page);
        }
        assert!(listed.iter().map(|entry| &entry.key.0[..]).eq(keys));
        assert!(listed.iter().all(|entry| entry.scope == scope));
    }
    assert_eq!(store.count_entries(account, scope).await?, 8);
    assert_eq!(store.count_entries(account, ScopeNumber(2)).await?, 1);
    assert_eq!(store.count_entries(account, ScopeNumber(3)).await?, 0);
    Ok(())
}

/// Those of earlier ticks.
pub async fn orphans_are_listed_by_id(fixture: &Fixture) -> Outcome {
    let row = |id, orphaned| MessageRow {
        orphaned,
        ..message(id)
    };
    let mailbox = holding(
        fixture,
        vec![
            row(u64::MAX, Some(3)),
            row(1 << 63, Some(3)),
            row(0, Some(4)),
            row(5, Some(5)),
            row(6, None),
            row((1 << 63) - 1, Some(1)),
        ],
    )
    .await?;
    let orphans = async |tick, after: Option<u64>, limit| {
        let after = after.map(MessageId);
        let rows = mailbox
            .store
            .orphans(mailbox.account, tick, after, limit)
            .await?;
        Ok::<_, gateway_store::StoreError>(ids(&rows))
    };
    let (middle, half) = ((1 << 63) - 1, 1 << 63);
    assert_eq!(orphans(5, None, 9).await?, [0, middle, half, u64::MAX]);
    assert_eq!(orphans(4, None, 9).await?, [middle, half, u64::MAX]);
    assert_eq!(orphans(5, None, 2).await?, [0, middle]);
    assert_eq!(orphans(5, Some(middle), 9).await?, [half, u64::MAX]);
    assert_eq!(orphans(5, Some(0), 1).await?, [middle]);
    assert_eq!(orphans(5, Some(u64::MAX), 9).await?, [0; 0]);
    assert_eq!(orphans(1, None, 9).await?, [0; 0]);
    assert!(mailbox.store.has_orphans(mailbox.account).await?);

    let found = [0, 5, middle, half, u64::MAX].map(|id| row(id, None));
    mailbox
        .commit(Commit {
            messages: found.into(),
            ..Commit::default()
        })
        .await?;
    assert!(!mailbox.store.has_orphans(mailbox.account).await?);
    assert_eq!(orphans(9, None, 9).await?, [0; 0]);
    Ok(())
}

/// Unknown times first; equal ones by id.
pub async fn a_conversation_is_listed_by_time_of_receipt(fixture: &Fixture) -> Outcome {
    let row = |id, received, gone| MessageRow {
        thread: Some(ThreadId(u64::MAX)),
        received_at: Option::map(received, at),
        gone,
        ..message(id)
    };
    let mailbox = holding(
        fixture,
        vec![
            row(9, Some(NOW), false),
            row(u64::MAX, Some(NOW), false),
            row(2, Some(NOW + 1), false),
            row(3, Some(NOW - 1), true),
            row(8, None, false),
            row(4, Some(-5), false),
            message(77),
        ],
    )
    .await?;
    let thread = async |id, limit| {
        let rows = mailbox
            .store
            .thread(mailbox.account, ThreadId(id), limit)
            .await?;
        Ok::<_, gateway_store::StoreError>(ids(&rows))
    };
    assert_eq!(thread(u64::MAX, 9).await?, [8, 4, 9, u64::MAX, 2]);
    assert_eq!(thread(u64::MAX, 3).await?, [8, 4, 9]);
    assert_eq!(thread(77, 9).await?, [77]);
    assert_eq!(thread(78, 9).await?, [0; 0]);
    Ok(())
}

/// Nothing is no error.
pub async fn listings_of_an_account_without_a_journal_are_empty(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let (none, far) = (AccountId(404), Seq(i64::MAX));
    assert!(store.scopes(none).await?.is_empty());
    assert!(store.folders(none).await?.is_empty());
    assert!(store.message(none, MessageId(1)).await?.is_none());
    assert!(store.thread(none, ThreadId(1), 9).await?.is_empty());
    assert!(
        store
            .scope_entries(none, ScopeNumber(1), None, 9)
            .await?
            .is_empty()
    );
    assert_eq!(store.count_entries(none, ScopeNumber(1)).await?, 0);
    assert!(store.walk(none, 0, far, None, 9).await?.is_empty());
    assert!(
        store
            .changes(none, Stream::Updated, Seq(0), far, 9)
            .await?
            .is_empty()
    );
    assert!(store.orphans(none, 9, None, 9).await?.is_empty());
    assert!(!store.has_orphans(none).await?);
    Ok(())
}
