//! Journals.

use futures::future::try_join_all;
use gateway_store::{
    AccountId, Commit, Journal, JournalRecord, LoadRequest, NewJournal, Seq, StoreError,
};

use crate::{
    fixture::{Fixture, Outcome, account, at, owner},
    samples,
};

fn as_new(new: &NewJournal) -> Journal {
    Journal {
        epoch: new.epoch,
        head: Seq(0),
        horizon: Seq(0),
        tick: 0,
        revision: 0,
        discovered: 0,
        key: new.key.clone(),
        record: new.record.clone(),
    }
}

/// What a second call brings is passed over.
pub async fn a_journal_is_opened_once(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let id = account(&*store, owner(&*store).await?, 1).await?.id;
    assert_eq!(store.journal(id).await?, None);
    let new = samples::journal(i64::MIN);
    assert_eq!(store.open_journal(id, &new).await?, as_new(&new));
    let commit = Commit {
        tick: Some(3),
        ..Commit::default()
    };
    store.commit(id, &commit).await?;
    let opened = store.open_journal(id, &samples::journal(8)).await?;
    assert_eq!((opened.epoch, opened.tick), (i64::MIN, 3));
    assert_eq!(store.journal(id).await?, Some(opened));
    Ok(())
}

/// Whoever is first.
pub async fn many_that_open_a_journal_at_once_get_one(fixture: &Fixture) -> Outcome {
    let stores = [fixture.ready().await?, fixture.open().await];
    let id = account(&*stores[0], owner(&*stores[0]).await?, 1).await?.id;
    let opening = (0..16).map(|epoch| {
        let store = &stores[usize::from(epoch % 2 == 0)];
        async move { store.open_journal(id, &samples::journal(epoch)).await }
    });
    let opened = try_join_all(opening).await?;
    assert!(
        opened
            .iter()
            .all(|journal| journal.epoch == opened[0].epoch)
    );
    assert_eq!(
        store_epoch(&opened),
        stores[0].journal(id).await?.map(|journal| journal.epoch)
    );
    Ok(())
}

fn store_epoch(opened: &[Journal]) -> Option<i64> {
    opened.first().map(|journal| journal.epoch)
}

/// Nobody's mail.
pub async fn a_journal_of_no_account_is_not_found(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let nobody = AccountId(404);
    let new = samples::journal(1);
    let commit = Commit::default();
    let load = LoadRequest::default();
    assert!(matches!(
        store.open_journal(nobody, &new).await,
        Err(StoreError::NotFound)
    ));
    assert!(matches!(
        store.reset_journal(nobody, &new).await,
        Err(StoreError::NotFound)
    ));
    assert!(matches!(
        store.commit(nobody, &commit).await,
        Err(StoreError::NotFound)
    ));
    assert!(matches!(
        store.load(nobody, &load).await,
        Err(StoreError::NotFound)
    ));
    assert_eq!(store.journal(nobody).await?, None);

    let id = account(&*store, owner(&*store).await?, 1).await?.id;
    assert!(matches!(
        store.commit(id, &commit).await,
        Err(StoreError::NotFound)
    ));
    assert!(matches!(
        store.load(id, &load).await,
        Err(StoreError::NotFound)
    ));
    Ok(())
}

/// A window that was never asked for, one without a bound, and one with.
pub async fn a_record_reads_as_it_was_written(fixture: &Fixture) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    for window in [None, Some(None), Some(Some(at(5)))] {
        let record = JournalRecord {
            window,
            ..samples::record()
        };
        mailbox
            .commit(Commit {
                record: Some(record.clone()),
                ..Commit::default()
            })
            .await?;
        assert_eq!(mailbox.journal().await?.record, record);
        mailbox.commit(Commit::default()).await?;
        assert_eq!(mailbox.journal().await?.record, record);
    }
    Ok(())
}

/// As if it had never been.
pub async fn a_reset_forgets_all_that_a_journal_holds(fixture: &Fixture) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    let (store, id) = (&mailbox.store, mailbox.account);
    mailbox
        .commit(Commit {
            head: Some(Seq(5)),
            horizon: Some(Seq(4)),
            tick: Some(3),
            discovered: Some(2),
            messages: vec![samples::message(5)],
            entries: vec![samples::entry(1, 1, 5)],
            scopes: vec![samples::scope(1, 0)],
            folders: Some(vec![samples::folder(1)]),
            ..Commit::default()
        })
        .await?;
    let new = NewJournal {
        record: JournalRecord::default(),
        ..samples::journal(99)
    };
    let reset = store.reset_journal(id, &new).await?;
    let revision = reset.revision;
    assert_eq!(
        reset,
        Journal {
            revision,
            ..as_new(&new)
        }
    );
    assert_eq!(store.journal(id).await?, Some(reset));
    assert!(store.scopes(id).await?.is_empty());
    assert!(store.folders(id).await?.is_empty());
    assert!(store.message(id, samples::message(5).id).await?.is_none());
    let one = gateway_store::ScopeNumber(1);
    assert_eq!(store.count_entries(id, one).await?, 0);
    assert!(
        store
            .synchronised_accounts(AccountId(0), 5)
            .await?
            .is_empty()
    );

    store
        .commit(
            id,
            &Commit {
                revision,
                scopes: vec![samples::scope(1, 0)],
                ..Commit::default()
            },
        )
        .await?;
    Ok(())
}

/// What was computed from rows that are forgotten is never written.
pub async fn a_commit_that_was_computed_before_a_reset_conflicts(fixture: &Fixture) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    let (store, id) = (&mailbox.store, mailbox.account);
    mailbox.commit(Commit::default()).await?;
    let mut reached = mailbox.journal().await?.revision;
    for epoch in 0..3 {
        let stale = Commit {
            revision: reached,
            messages: vec![samples::message(1)],
            ..Commit::default()
        };
        store.reset_journal(id, &samples::journal(epoch)).await?;
        for _ in 0..4 {
            let refused = store.commit(id, &stale).await;
            assert!(matches!(refused, Err(StoreError::Conflict)));
            mailbox.commit(Commit::default()).await?;
        }
        reached = mailbox.journal().await?.revision;
    }
    Ok(())
}

/// The same as opening it.
pub async fn a_reset_opens_a_journal_that_is_not_there(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let id = account(&*store, owner(&*store).await?, 1).await?.id;
    let new = samples::journal(4);
    assert_eq!(store.reset_journal(id, &new).await?, as_new(&new));
    Ok(())
}
