//! The store itself.

use std::collections::BTreeSet;

use futures::future::{join_all, try_join_all};
use gateway_store::StoreError;

use crate::{
    fixture::{Fixture, Mailbox, Outcome, account, owner},
    samples,
};

/// Migrating once more changes nothing.
pub async fn migrations_may_run_again(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    store.init_setting("check", b"value").await?;
    store.migrate().await?;
    assert_eq!(
        store.setting("check").await?.as_deref(),
        Some(&b"value"[..])
    );
    Ok(())
}

/// Each waits for the one that is migrating.
pub async fn processes_that_migrate_at_once_wait_for_each_other(fixture: &Fixture) -> Outcome {
    let stores = join_all((0..6).map(|_| fixture.open())).await;
    try_join_all(stores.iter().map(|store| store.migrate())).await?;
    for store in &stores {
        assert!(store.applications().await?.is_empty());
    }
    Ok(())
}

/// The first value stays.
pub async fn a_setting_is_given_once(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    assert_eq!(store.setting("check").await?, None);
    assert_eq!(store.init_setting("check", b"first").await?, b"first");
    assert_eq!(store.init_setting("check", b"second").await?, b"first");
    assert_eq!(store.init_setting("other", b"").await?, b"");
    assert_eq!(
        store.setting("check").await?.as_deref(),
        Some(&b"first"[..])
    );
    Ok(())
}

/// Whoever is first.
pub async fn twenty_that_give_a_setting_at_once_get_one_value(fixture: &Fixture) -> Outcome {
    let stores = [fixture.ready().await?, fixture.open().await];
    let given = (0..20_u8).map(|place| {
        let store = &stores[usize::from(place % 2)];
        async move { store.init_setting("check", &[place]).await }
    });
    let values: BTreeSet<Vec<u8>> = try_join_all(given).await?.into_iter().collect();
    assert_eq!(values.len(), 1);
    assert_eq!(stores[0].setting("check").await?, values.first().cloned());
    Ok(())
}

/// Secrets of accounts, keys of journals and what is sent.
pub async fn it_tells_whether_anything_sealed_is_kept(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    store.init_setting("check", b"sealed").await?;
    assert!(!store.holds_sealed().await?);

    let owner = owner(&*store).await?;
    let mut open = samples::account(owner, 1);
    open.connection_secret.clear();
    store.insert_account(&open, None).await?;
    assert!(!store.holds_sealed().await?);
    let secret = account(&*store, owner, 2).await?;
    assert!(store.holds_sealed().await?);

    store.remove_account(secret.id).await?;
    assert!(!store.holds_sealed().await?);
    store.reconnect_account(&open, Some(b"sealed")).await?;
    assert!(store.holds_sealed().await?);
    store.reconnect_account(&open, None).await?;
    assert!(!store.holds_sealed().await?);
    let mut send = samples::send(open.id, 1, 1);
    store.open_send(&send).await?;
    assert!(store.holds_sealed().await?);
    send.content = None;
    assert!(store.write_send(&send).await?);
    assert!(!store.holds_sealed().await?);
    store.open_journal(open.id, &samples::journal(1)).await?;
    assert!(store.holds_sealed().await?);
    Ok(())
}

/// A closed store answers with an error, not with silence.
pub async fn it_answers_pings_until_it_is_closed(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    store.ping().await?;
    store.close().await;
    assert!(matches!(store.ping().await, Err(StoreError::Database(_))));
    assert!(matches!(
        store.init_setting("check", b"").await,
        Err(StoreError::Database(_))
    ));
    Ok(())
}

/// Their sum grows with what is kept.
pub async fn sizes_of_tables_grow_with_what_they_hold(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let bytes = async || -> Result<u64, StoreError> {
        Ok(store
            .table_sizes()
            .await?
            .iter()
            .map(|size| size.bytes)
            .sum())
    };
    let empty = bytes().await?;
    let mailbox = Mailbox::create(store.clone(), 1).await?;
    let messages = (1..500).map(samples::message).collect();
    mailbox
        .commit(gateway_store::Commit {
            messages,
            ..Default::default()
        })
        .await?;
    let names: Vec<_> = store
        .table_sizes()
        .await?
        .into_iter()
        .map(|size| size.name)
        .collect();
    assert!(names.iter().all(|name| !name.is_empty()));
    assert!(bytes().await? > empty + 50_000);
    Ok(())
}
