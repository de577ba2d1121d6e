//! Writing changes.

use email_model::MessageId;
use gateway_store::{Commit, MessageRow, ScopeNumber, Seq, StoreError, Stream};

use crate::{
    fixture::{Fixture, Outcome},
    samples::{bare_message, entry, folder, key, message, record, scope},
};

/// And returns it, even if it changes nothing else.
pub async fn a_commit_raises_the_revision_by_one(fixture: &Fixture) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    for revision in 0..3 {
        let commit = Commit {
            revision,
            ..Commit::default()
        };
        let raised = mailbox.store.commit(mailbox.account, &commit).await?;
        assert_eq!(raised, revision + 1);
        assert_eq!(mailbox.journal().await?.revision, raised);
    }
    Ok(())
}

/// Whether it is behind or ahead.
pub async fn a_commit_on_another_revision_conflicts_and_changes_nothing(
    fixture: &Fixture,
) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    mailbox.commit(Commit::default()).await?;
    let before = mailbox.journal().await?;
    for revision in [-1, 0, 2, i64::MAX] {
        let commit = Commit {
            revision,
            head: Some(Seq(5)),
            record: Some(Default::default()),
            folders: Some(vec![folder(1)]),
            scopes: vec![scope(1, 0)],
            messages: vec![message(1)],
            entries: vec![entry(1, 1, 1)],
            ..Commit::default()
        };
        let refused = mailbox.store.commit(mailbox.account, &commit).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "{revision}");
    }
    assert_eq!(mailbox.journal().await?, before);
    assert!(mailbox.store.folders(mailbox.account).await?.is_empty());
    assert!(mailbox.store.scopes(mailbox.account).await?.is_empty());
    let found = mailbox.store.message(mailbox.account, MessageId(1)).await?;
    assert!(found.is_none());
    Ok(())
}

/// None ever falls.
pub async fn counters_rise_where_a_commit_says_so(fixture: &Fixture) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    let counters = async || {
        let journal = mailbox.journal().await?;
        let Seq(head) = journal.head;
        let Seq(horizon) = journal.horizon;
        Ok::<_, StoreError>((head, journal.discovered, journal.tick, horizon))
    };
    let raise = |head, discovered, tick, horizon: Option<i64>| Commit {
        head: Option::map(head, Seq),
        discovered,
        tick,
        horizon: horizon.map(Seq),
        ..Commit::default()
    };
    mailbox
        .commit(raise(
            Some(1_760_000_000_000_000),
            Some(2),
            Some(3),
            Some(4),
        ))
        .await?;
    assert_eq!(counters().await?, (1_760_000_000_000_000, 2, 3, 4));
    mailbox.commit(raise(None, Some(9), None, Some(8))).await?;
    assert_eq!(counters().await?, (1_760_000_000_000_000, 9, 3, 8));
    mailbox
        .commit(raise(Some(5), Some(5), Some(2), Some(5)))
        .await?;
    assert_eq!(counters().await?, (1_760_000_000_000_000, 9, 3, 8));
    mailbox
        .commit(raise(Some(i64::MAX), None, Some(i64::MAX), None))
        .await?;
    assert_eq!(counters().await?, (i64::MAX, 9, i64::MAX, 8));
    Ok(())
}

/// From 1, by one.
pub async fn every_write_of_a_scope_raises_its_version(fixture: &Fixture) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    let scopes = |writes| Commit {
        scopes: writes,
        ..Commit::default()
    };
    mailbox
        .commit(scopes(vec![scope(9, 0), scope(2, 0)]))
        .await?;
    let mut changed = scope(2, 1);
    changed.row.key = email_model::ScopeKey("renamed".into());
    changed.row.cursor = None;
    changed.row.state = "other".into();
    mailbox.commit(scopes(vec![changed.clone()])).await?;
    changed.row.version = 2;
    let mut new = scope(9, 0).row;
    new.version = 1;
    let stored = mailbox.store.scopes(mailbox.account).await?;
    assert_eq!(stored, [changed.row, new]);
    Ok(())
}

/// Also what stands beside the scope in the commit.
pub async fn a_commit_that_is_fenced_changes_nothing(fixture: &Fixture) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    let first = Commit {
        scopes: vec![scope(1, 0), scope(2, 0)],
        ..Commit::default()
    };
    mailbox.commit(first).await?;
    let before = mailbox.journal().await?;
    let scopes = mailbox.store.scopes(mailbox.account).await?;
    for fenced in [scope(2, 2), scope(2, 0), scope(3, 1), scope(2, -1)] {
        let commit = Commit {
            scopes: vec![scope(1, 1), fenced.clone()],
            folders: Some(vec![folder(1)]),
            messages: vec![message(1)],
            ..Commit::default()
        };
        let refused = mailbox.commit(commit).await;
        assert!(matches!(refused, Err(StoreError::Fenced)), "{fenced:?}");
    }
    assert_eq!(mailbox.journal().await?, before);
    assert_eq!(mailbox.store.scopes(mailbox.account).await?, scopes);
    assert!(mailbox.store.folders(mailbox.account).await?.is_empty());
    let found = mailbox.store.message(mailbox.account, MessageId(1)).await?;
    assert!(found.is_none());
    Ok(())
}

/// And its number may be asked for by nobody's mistake.
pub async fn a_removed_scope_is_gone(fixture: &Fixture) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    mailbox
        .commit(Commit {
            scopes: vec![scope(1, 0), scope(2, 0)],
            ..Commit::default()
        })
        .await?;
    mailbox
        .commit(Commit {
            scopes: vec![scope(3, 0)],
            scopes_removed: vec![ScopeNumber(1), ScopeNumber(404)],
            ..Commit::default()
        })
        .await?;
    let stored = mailbox.store.scopes(mailbox.account).await?;
    let numbers: Vec<i32> = stored.iter().map(|scope| scope.number.0).collect();
    assert_eq!(numbers, [2, 3]);
    Ok(())
}

/// In the order given, as they are.
pub async fn folders_are_replaced_as_a_whole(fixture: &Fixture) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    let folders = async || mailbox.store.folders(mailbox.account).await;
    let mut plain = folder(2);
    plain.parent = None;
    plain.role = None;
    plain.selectable = false;
    for given in [vec![folder(9), plain, folder(3)], vec![folder(1)], vec![]] {
        mailbox
            .commit(Commit {
                folders: Some(given.clone()),
                ..Commit::default()
            })
            .await?;
        assert_eq!(folders().await?, given);
        mailbox.commit(Commit::default()).await?;
        assert_eq!(folders().await?, given);
    }
    Ok(())
}

/// Fields that are known and fields that are not, in either order.
pub async fn a_message_is_inserted_or_replaced_whole(fixture: &Fixture) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    let tombstone = MessageRow {
        thread_provisional: true,
        seq: Seq(1_760_000_000_000_000),
        born: Seq(17),
        orphaned: Some(4),
        gone: true,
        ..message(5)
    };
    for row in [message(5), bare_message(5), tombstone, message(5)] {
        mailbox
            .commit(Commit {
                messages: vec![message(4), row.clone(), message(6)],
                ..Commit::default()
            })
            .await?;
        let found = mailbox.store.message(mailbox.account, row.id).await?;
        assert_eq!(found, Some((row, Vec::new())));
    }
    Ok(())
}

/// Entries of a message come with it.
pub async fn an_entry_is_inserted_or_pointed_elsewhere(fixture: &Fixture) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    let first = vec![entry(1, 1, 5), entry(2, 1, 5), entry(1, 2, 6)];
    let entries = async |id| -> Result<_, StoreError> {
        let found = mailbox
            .store
            .message(mailbox.account, MessageId(id))
            .await?;
        Ok(found.expect("the message is there").1)
    };
    mailbox
        .commit(Commit {
            messages: vec![message(5), message(6)],
            entries: first.clone(),
            ..Commit::default()
        })
        .await?;
    assert_eq!(entries(5).await?, first[..2]);
    mailbox
        .commit(Commit {
            entries: vec![entry(2, 1, 6)],
            entries_removed: vec![
                (ScopeNumber(1), key(1)),
                (ScopeNumber(1), key(404)),
                (ScopeNumber(404), key(1)),
            ],
            ..Commit::default()
        })
        .await?;
    assert_eq!(entries(5).await?, []);
    assert_eq!(entries(6).await?, [entry(1, 2, 6), entry(2, 1, 6)]);
    Ok(())
}

/// The removal comes first.
pub async fn an_entry_removed_and_given_in_one_commit_is_there(fixture: &Fixture) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    for id in [5, 6] {
        mailbox
            .commit(Commit {
                messages: vec![message(id)],
                entries: vec![entry(1, 1, id)],
                entries_removed: vec![(ScopeNumber(1), key(1))],
                ..Commit::default()
            })
            .await?;
        let (account, scope) = (mailbox.account, ScopeNumber(1));
        let stored = mailbox.store.scope_entries(account, scope, None, 9).await?;
        assert_eq!(stored, [entry(1, 1, id)]);
    }
    Ok(())
}

/// Those that are not there are passed over.
pub async fn messages_are_forgotten(fixture: &Fixture) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    mailbox
        .commit(Commit {
            messages: vec![message(5), message(6)],
            ..Commit::default()
        })
        .await?;
    mailbox
        .commit(Commit {
            messages_removed: vec![MessageId(404), MessageId(5), MessageId(5)],
            ..Commit::default()
        })
        .await?;
    let found = async |id| mailbox.store.message(mailbox.account, MessageId(id)).await;
    assert!(found(5).await?.is_none());
    assert!(found(6).await?.is_some());
    Ok(())
}

/// With what entries they still have; those that are left are listed as before.
pub async fn removals_are_forgotten_as_the_horizon_rises(fixture: &Fixture) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    let head = 1_760_000_000_000_000;
    let removals = 1..=1_200_u64;
    let seq = |id| Seq(head + i64::try_from(id).unwrap_or(0));
    mailbox
        .commit(Commit {
            head: Some(seq(1_200)),
            messages: removals.clone().map(|id| removal(id, seq(id))).collect(),
            entries: vec![entry(1, 1, 700), entry(1, 2, 701)],
            ..Commit::default()
        })
        .await?;
    let (store, account) = (&mailbox.store, mailbox.account);
    let kept = async |after, limit| {
        let (far, gone) = (Seq(i64::MAX), Stream::Deleted);
        let rows = store.changes(account, gone, after, far, limit).await?;
        Ok::<Vec<u64>, StoreError>(rows.iter().map(|row| row.id.0).collect())
    };
    mailbox
        .commit(Commit {
            horizon: Some(seq(700)),
            messages_removed: (1..=700).map(MessageId).collect(),
            entries_removed: vec![(ScopeNumber(1), key(1))],
            ..Commit::default()
        })
        .await?;
    let left: Vec<u64> = (701..=1_200).collect();
    assert_eq!(kept(Seq(0), 9_999).await?, left);
    assert_eq!(kept(seq(700), 2).await?, [701, 702]);
    assert_eq!(mailbox.journal().await?.horizon, seq(700));
    assert_eq!(mailbox.journal().await?.head, seq(1_200));
    let scope = ScopeNumber(1);
    let entries = store.scope_entries(account, scope, None, 9).await?;
    assert_eq!(entries, [entry(1, 2, 701)]);
    Ok(())
}

/// Whichever of its parts was refused.
pub async fn a_refused_commit_leaves_removals_and_horizon(fixture: &Fixture) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    let kept = removal(5, Seq(7));
    mailbox
        .commit(Commit {
            head: Some(Seq(7)),
            messages: vec![kept.clone()],
            ..Commit::default()
        })
        .await?;
    let before = mailbox.journal().await?;
    let forgetting = Commit {
        revision: before.revision,
        horizon: Some(Seq(7)),
        messages_removed: vec![MessageId(5)],
        ..Commit::default()
    };
    let late = Commit {
        revision: before.revision - 1,
        ..forgetting.clone()
    };
    let fenced = Commit {
        scopes: vec![scope(1, 4)],
        ..forgetting
    };
    let (store, account) = (&mailbox.store, mailbox.account);
    let refused = store.commit(account, &late).await;
    assert!(matches!(refused, Err(StoreError::Conflict)));
    let refused = store.commit(account, &fenced).await;
    assert!(matches!(refused, Err(StoreError::Fenced)));
    assert_eq!(mailbox.journal().await?, before);
    let (gone, far) = (Stream::Deleted, Seq(i64::MAX));
    assert_eq!(store.changes(account, gone, Seq(0), far, 9).await?, [kept]);
    Ok(())
}

fn removal(id: u64, seq: Seq) -> MessageRow {
    MessageRow {
        seq,
        gone: true,
        envelope: None,
        ..message(id)
    }
}

/// The others are as if they had not been given.
pub async fn of_rows_given_twice_in_one_commit_the_last_counts(fixture: &Fixture) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    let mut messages: Vec<_> = (1..60).map(bare_message).collect();
    messages.push(message(30));
    mailbox
        .commit(Commit {
            messages,
            entries: vec![entry(1, 1, 29), entry(1, 1, 30)],
            ..Commit::default()
        })
        .await?;
    let found = mailbox
        .store
        .message(mailbox.account, MessageId(30))
        .await?;
    assert_eq!(found, Some((message(30), vec![entry(1, 1, 30)])));
    Ok(())
}

/// More than any one statement takes.
pub async fn a_commit_of_thousands_of_rows_is_written_whole(fixture: &Fixture) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    let ids = || 1..=5_003;
    mailbox
        .commit(Commit {
            record: Some(record()),
            messages: ids().map(message).collect(),
            entries: ids().map(|id| entry(1, id, id)).collect(),
            ..Commit::default()
        })
        .await?;
    let count = async || {
        mailbox
            .store
            .count_entries(mailbox.account, ScopeNumber(1))
            .await
    };
    assert_eq!(count().await?, 5_003);
    let listed = mailbox
        .store
        .walk(mailbox.account, 0, Seq(0), None, 9_999)
        .await?;
    assert_eq!(listed, ids().map(message).collect::<Vec<_>>());

    mailbox
        .commit(Commit {
            messages_removed: ids().skip(1).map(MessageId).collect(),
            entries_removed: ids().skip(1).map(|id| (ScopeNumber(1), key(id))).collect(),
            ..Commit::default()
        })
        .await?;
    assert_eq!(count().await?, 1);
    let listed = mailbox
        .store
        .walk(mailbox.account, 0, Seq(0), None, 9)
        .await?;
    assert_eq!(listed, [message(1)]);
    Ok(())
}
