//! Accounts side by side, of one mailbox even: the same ids, keys and conversations.

use email_model::{MessageId, ThreadId};
use gateway_store::{Commit, LoadRequest, MessageRow, ScopeNumber, Seq, StoreResult, Stream};

use crate::{
    fixture::{Fixture, Mailbox, Outcome},
    samples::{entry, folder, journal, key, message, scope},
};

/// What one account holds of everything, marked as its own.
fn all(mark: i64) -> (Commit, Vec<MessageRow>) {
    let row = |id| MessageRow {
        thread: Some(ThreadId(1)),
        thread_provisional: true,
        discovery: mark,
        orphaned: Some(1),
        ..message(id)
    };
    let messages = vec![
        row(1),
        MessageRow {
            seq: Seq(50 + mark),
            ..row(2)
        },
        MessageRow {
            seq: Seq(60 + mark),
            gone: true,
            orphaned: None,
            ..row(3)
        },
    ];
    let mut folder = folder(1);
    folder.name = mark.to_string();
    let mut scope = scope(1, 0);
    scope.row.state = mark.to_string();
    let commit = Commit {
        messages: messages.clone(),
        entries: vec![entry(1, 1, if mark == 1 { 1 } else { 2 })],
        scopes: vec![scope],
        folders: Some(vec![folder]),
        ..Commit::default()
    };
    (commit, messages)
}

async fn holds_its_own(mailbox: &Mailbox, mark: i64) -> StoreResult<()> {
    let (store, id) = (&mailbox.store, mailbox.account);
    let (commit, messages) = all(mark);
    assert_eq!(Some(store.folders(id).await?), commit.folders);
    assert_eq!(store.scopes(id).await?[0].state, commit.scopes[0].row.state);
    let request = LoadRequest {
        keys: vec![(ScopeNumber(1), key(1))],
        ids: [1, 2, 3].map(MessageId).into(),
        message_ids: vec!["<1@mail.example>".into(), "<2@mail.example>".into()],
        provisional_threads: vec![ThreadId(1)],
    };
    let mut loaded = store.load(id, &request).await?;
    loaded.messages.sort_by_key(|message| message.id);
    assert_eq!(loaded.messages, messages);
    assert_eq!(loaded.entries, commit.entries);

    let far = Seq(i64::MAX);
    let live = &messages[..2];
    assert_eq!(store.walk(id, 0, far, None, 9).await?.len(), 2);
    assert_eq!(store.thread(id, ThreadId(1), 9).await?, live);
    assert_eq!(store.orphans(id, 9, None, 9).await?, live);
    assert_eq!(
        store.changes(id, Stream::Updated, Seq(0), far, 9).await?,
        messages[1..2]
    );
    assert_eq!(
        store.changes(id, Stream::Deleted, Seq(0), far, 9).await?,
        messages[2..]
    );
    assert_eq!(
        store.scope_entries(id, ScopeNumber(1), None, 9).await?,
        commit.entries
    );
    assert_eq!(store.count_entries(id, ScopeNumber(1)).await?, 1);
    Ok(())
}

/// In no read and by no write.
pub async fn accounts_with_the_same_ids_never_mix(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let one = Mailbox::create(store.clone(), 1).await?;
    let two = Mailbox::create(store.clone(), 2).await?;
    one.commit(all(1).0).await?;
    two.commit(all(2).0).await?;
    holds_its_own(&one, 1).await?;
    holds_its_own(&two, 2).await?;

    one.commit(Commit {
        messages_removed: [1, 2, 3].map(MessageId).into(),
        entries_removed: vec![(ScopeNumber(1), key(1))],
        scopes_removed: vec![ScopeNumber(1)],
        folders: Some(Vec::new()),
        ..Commit::default()
    })
    .await?;
    assert!(!store.has_orphans(one.account).await?);
    holds_its_own(&two, 2).await
}

/// Nor by a reset, nor by a removal.
pub async fn what_becomes_of_one_account_leaves_the_other(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let one = Mailbox::create(store.clone(), 1).await?;
    let two = Mailbox::create(store.clone(), 2).await?;
    for round in 0..2 {
        one.commit(all(1).0).await?;
        if round == 0 {
            two.commit(all(2).0).await?;
        }
        store.reset_journal(one.account, &journal(round)).await?;
        holds_its_own(&two, 2).await?;
    }
    one.commit(all(1).0).await?;
    store.remove_account(one.account).await?;
    holds_its_own(&two, 2).await
}
