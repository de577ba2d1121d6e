//! Several at work at once.

use std::collections::BTreeMap;

use email_model::MessageId;
use futures::future::{join_all, try_join};
use gateway_store::{
    Commit, LoadRequest, MessageRow, ScopeNumber, Seq, StoreError, StoreResult, Stream,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    fixture::{Fixture, Mailbox, Outcome},
    samples::{entry, key, message, scope},
};

/// The others conflict, and nothing of them is written.
pub async fn of_commits_on_one_revision_exactly_one_is_written(fixture: &Fixture) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    let other = fixture.open().await;
    for _ in 0..15 {
        let revision = mailbox.journal().await?.revision;
        let racing = (1..=6_u64).map(|racer| {
            let store = [&mailbox.store, &other][usize::from(racer % 2 == 0)];
            let commit = Commit {
                revision,
                messages: vec![message(racer), message(1_000 + racer)],
                ..Commit::default()
            };
            async move { (racer, store.commit(mailbox.account, &commit).await) }
        });
        let (won, refused): (Vec<_>, Vec<_>) = join_all(racing)
            .await
            .into_iter()
            .partition(|(_, result)| result.is_ok());
        let [(winner, _)] = won[..] else {
            panic!("{won:?}");
        };
        let conflict =
            |(_, result): &(_, StoreResult<i64>)| matches!(result, Err(StoreError::Conflict));
        assert!(refused.iter().all(conflict), "{refused:?}");
        let written = mailbox
            .store
            .walk(mailbox.account, 0, Seq(0), None, 99)
            .await?;
        assert_eq!(written, [message(winner), message(1_000 + winner)]);
        mailbox
            .commit(Commit {
                messages_removed: written.iter().map(|message| message.id).collect(),
                ..Commit::default()
            })
            .await?;
    }
    Ok(())
}

/// Who computed anew after a conflict finds the page read.
pub async fn a_page_is_applied_by_one_of_many_workers(fixture: &Fixture) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    mailbox
        .commit(Commit {
            scopes: vec![scope(1, 0)],
            ..Commit::default()
        })
        .await?;
    let apply = async |worker: u64| loop {
        let commit = Commit {
            revision: mailbox.journal().await?.revision,
            scopes: vec![scope(1, 1)],
            messages: vec![message(worker)],
            ..Commit::default()
        };
        match mailbox.store.commit(mailbox.account, &commit).await {
            Err(StoreError::Conflict) => {}
            Err(StoreError::Fenced) => return StoreResult::Ok(0),
            Err(error) => return Err(error),
            Ok(_) => return Ok(1),
        }
    };
    let applied = join_all((1..=8).map(apply)).await;
    assert_eq!(applied.into_iter().sum::<StoreResult<u32>>()?, 1);
    let written = mailbox
        .store
        .walk(mailbox.account, 0, Seq(0), None, 9)
        .await?;
    assert_eq!(written.len(), 1);
    Ok(())
}

/// Journal, messages and entries, while others write.
pub async fn what_is_loaded_is_of_one_moment(fixture: &Fixture) -> Outcome {
    const ROWS: u64 = 30;
    const ROUNDS: i64 = 60;
    let mailbox = fixture.mailbox().await?;
    let round = |revision: i64| Commit {
        revision,
        messages: (0..ROWS)
            .map(|id| MessageRow {
                seq: Seq(revision + 1),
                ..message(id)
            })
            .collect(),
        entries: (0..ROWS)
            .map(|number| entry(1, number, (number + revision as u64) % ROWS))
            .collect(),
        ..Commit::default()
    };
    mailbox.store.commit(mailbox.account, &round(0)).await?;
    let write = async {
        for revision in 1..ROUNDS {
            mailbox
                .store
                .commit(mailbox.account, &round(revision))
                .await?;
        }
        Ok(())
    };
    let request = LoadRequest {
        keys: (0..ROWS)
            .map(|number| (ScopeNumber(1), key(number)))
            .collect(),
        ids: (0..ROWS).map(MessageId).collect(),
        ..LoadRequest::default()
    };
    let read = async |store: &dyn gateway_store::Store| loop {
        let loaded = store.load(mailbox.account, &request).await?;
        let Seq(now) = Seq(loaded.journal.revision);
        assert_eq!(loaded.messages.len(), ROWS as usize);
        assert!(
            loaded
                .messages
                .iter()
                .all(|message| message.seq == Seq(now))
        );
        let entries = loaded.entries.into_iter();
        let entries: BTreeMap<_, _> = entries.map(|entry| (entry.key, entry.message)).collect();
        for number in 0..ROWS {
            let expected = MessageId((number + now as u64 - 1) % ROWS);
            assert_eq!(entries.get(&key(number)), Some(&expected));
        }
        if now == ROUNDS {
            return StoreResult::Ok(());
        }
    };
    let other = fixture.open().await;
    let readers = try_join(read(&*mailbox.store), read(&*other));
    try_join(write, readers).await?;
    Ok(())
}

/// Each at its last change, as the two streams tell it.
type Mirror = BTreeMap<MessageId, (Seq, bool)>;

fn apply(mirror: &mut Mirror, rows: &[MessageRow]) {
    for row in rows {
        let known = mirror.entry(row.id).or_insert((row.seq, row.gone));
        *known = (*known).max((row.seq, row.gone));
    }
}

async fn follow(mailbox: &Mailbox, mirror: &mut Mirror, after: Seq, upto: Seq) -> StoreResult<()> {
    for stream in [Stream::Deleted, Stream::Updated] {
        let mut from = after;
        loop {
            let (store, account) = (&mailbox.store, mailbox.account);
            let page = store.changes(account, stream, from, upto, 7).await?;
            let Some(last) = page.last() else { break };
            from = last.seq;
            apply(mirror, &page);
        }
    }
    Ok(())
}

/// However often they change meanwhile.
pub async fn pages_read_while_others_write_miss_no_message(fixture: &Fixture) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut state: BTreeMap<u64, MessageRow> = BTreeMap::new();
    let mut head = 0;
    for id in 1..=200 {
        state.insert(id, message(id));
    }
    mailbox
        .commit(Commit {
            messages: state.values().cloned().collect(),
            ..Commit::default()
        })
        .await?;

    let write = async {
        for round in 0..80 {
            let mut messages = Vec::new();
            for place in 0..5 {
                head += 1;
                let id = match place {
                    0 => 1_000 + round,
                    _ => random.random_range(1..=200),
                };
                let row = state.entry(id).or_insert_with(|| message(id));
                row.seq = Seq(head);
                row.gone = random.random_ratio(1, 3);
                messages.push(row.clone());
            }
            mailbox
                .commit(Commit {
                    head: Some(Seq(head)),
                    messages,
                    ..Commit::default()
                })
                .await?;
        }
        StoreResult::Ok(state)
    };
    let mirror = async {
        let mut mirror = Mirror::new();
        let start = mailbox.journal().await?.head;
        let mut discovery = 0;
        loop {
            let (store, account) = (&mailbox.store, mailbox.account);
            let page = store.walk(account, discovery, start, None, 7).await?;
            let Some(last) = page.last() else { break };
            discovery = last.discovery;
            apply(&mut mirror, &page);
        }
        let mut after = start;
        while after < Seq(400) {
            let upto = mailbox.journal().await?.head;
            follow(&mailbox, &mut mirror, after, upto).await?;
            after = upto;
        }
        Ok(mirror)
    };
    let (state, mirror) = try_join(write, mirror).await?;
    let live = |mirror: Mirror| -> Vec<(MessageId, Seq)> {
        let rows = mirror.into_iter().filter(|(_, (_, gone))| !gone);
        rows.map(|(id, (seq, _))| (id, seq)).collect()
    };
    let expected = state.into_values().map(|row| (row.id, (row.seq, row.gone)));
    assert_eq!(live(mirror), live(expected.collect()));
    Ok(())
}

/// Neither waits for the other to end.
pub async fn accounts_are_written_side_by_side(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let mut mailboxes = Vec::new();
    for id in 1..=8 {
        mailboxes.push(Mailbox::create(store.clone(), id).await?);
    }
    let filling = mailboxes.iter().map(|mailbox| async move {
        for page in 0..10 {
            let ids = page * 20..(page + 1) * 20;
            mailbox
                .commit(Commit {
                    messages: ids.clone().map(|id| message(id + 1)).collect(),
                    entries: ids.map(|id| entry(1, id, id + 1)).collect(),
                    ..Commit::default()
                })
                .await?;
        }
        StoreResult::Ok(())
    });
    join_all(filling)
        .await
        .into_iter()
        .collect::<StoreResult<()>>()?;
    for mailbox in &mailboxes {
        let count = store.count_entries(mailbox.account, ScopeNumber(1)).await?;
        assert_eq!((mailbox.journal().await?.revision, count), (10, 200));
    }
    Ok(())
}

/// No row is left of a journal that was removed under a writer.
pub async fn a_removal_beside_commits_leaves_nothing(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    for id in 1..=10 {
        let mailbox = Mailbox::create(store.clone(), id).await?;
        let write = async {
            for page in 0.. {
                let commit = Commit {
                    revision: page,
                    messages: vec![message(7)],
                    entries: vec![entry(1, 1, 7)],
                    ..Commit::default()
                };
                match store.commit(mailbox.account, &commit).await {
                    Ok(_) => {}
                    Err(StoreError::NotFound) => break,
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        };
        let remove = async {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            store.remove_account(mailbox.account).await
        };
        let ((), removed) = try_join(write, remove).await?;
        assert!(removed);
        assert!(
            store
                .message(mailbox.account, MessageId(7))
                .await?
                .is_none()
        );
    }
    assert!(!store.holds_sealed().await?);
    Ok(())
}
