//! Grants of accounts that are connected by OAuth.

use futures::future::try_join_all;
use gateway_store::{
    Account, AccountId, CredentialState, GrantRow, Store, StoreError, StoreResult, TokenStatus,
};

use crate::{
    fixture::{Fixture, Outcome, account, at, owner},
    samples::{self, lease},
};

/// An account with a grant.
async fn granted(store: &dyn Store, secret: &[u8]) -> StoreResult<(Account, GrantRow)> {
    let account = samples::account(owner(store).await?, 1);
    store.insert_account(&account, Some(secret)).await?;
    let grant = store.grant(account.id).await?;
    Ok((account, grant.expect("the grant is there")))
}

/// Or there is none.
pub async fn a_grant_is_kept_with_its_account(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let (account, grant) = granted(&*store, b"one").await?;
    assert_eq!(grant.secret, b"one");
    assert_eq!(store.account(account.id).await?, Some(account.clone()));
    let without = crate::fixture::account(&*store, account.application, 2).await?;
    assert_eq!(store.grant(without.id).await?, None);
    let hold = store.hold_grant(&lease(without.id, "one", 1)).await;
    assert!(matches!(hold, Err(StoreError::NotFound)));
    // an account that is refused leaves no grant
    let refused = store.insert_account(&account, Some(b"two")).await;
    assert!(matches!(refused, Err(StoreError::Exists)));
    assert_eq!(store.grant(account.id).await?, Some(grant));
    Ok(())
}

/// With a higher version, and nobody holds it.
pub async fn an_update_leaves_the_grant_and_a_reconnection_replaces_it(
    fixture: &Fixture,
) -> Outcome {
    let store = fixture.ready().await?;
    let (mut account, first) = granted(&*store, b"one").await?;
    store.hold_grant(&lease(account.id, "one", 1)).await?;
    account.login = "else".into();
    store.update_account(&account).await?;
    assert_eq!(store.grant(account.id).await?, Some(first.clone()));

    account.mailbox = "other:1".into();
    store.reconnect_account(&account, Some(b"two")).await?;
    let second = store.grant(account.id).await?.expect("a grant");
    assert_eq!(second.secret, b"two");
    assert!(second.version > first.version);
    assert_eq!(store.account(account.id).await?, Some(account.clone()));
    let held = store.hold_grant(&lease(account.id, "two", 2)).await?;
    assert_eq!(held, Some(second.clone()));

    account.updated_at = at(samples::NOW + 60_000);
    store.reconnect_account(&account, None).await?;
    assert_eq!(store.grant(account.id).await?, None);
    store.reconnect_account(&account, Some(b"three")).await?;
    let third = store.grant(account.id).await?.expect("a grant");
    assert!(third.version > second.version);

    account.id = AccountId(404);
    let nobody = store.reconnect_account(&account, Some(b"four")).await;
    assert!(matches!(nobody, Err(StoreError::NotFound)));
    Ok(())
}

/// To the millisecond, and longer by its holder.
pub async fn a_grant_is_held_by_one_until_its_time_runs_out(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let (account, grant) = granted(&*store, b"one").await?;
    let id = account.id;
    let hold = |holder, now| {
        let request = lease(id, holder, now);
        let store = store.clone();
        async move { store.hold_grant(&request).await }
    };
    assert_eq!(hold("one", 1_000).await?, Some(grant.clone()));
    assert_eq!(hold("two", 30_999).await?, None);
    assert_eq!(hold("one", 2_000).await?, Some(grant.clone()));
    assert_eq!(hold("two", 31_999).await?, None);
    assert_eq!(hold("two", 32_000).await?, Some(grant.clone()));
    store.release_grant(id, "one").await?;
    assert_eq!(hold("one", 32_001).await?, None);
    store.release_grant(id, "two").await?;
    assert_eq!(hold("one", 32_001).await?, Some(grant));
    store.release_grant(AccountId(404), "one").await
}

/// Whoever is first.
pub async fn of_many_that_want_a_grant_at_once_one_gets_it(fixture: &Fixture) -> Outcome {
    let stores = [fixture.ready().await?, fixture.open().await];
    let (account, _) = granted(&*stores[0], b"one").await?;
    for round in 0..5 {
        let wanting = (0..16).map(|place| {
            let store = &stores[place % 2];
            let request = lease(account.id, &format!("holder {place}"), round * 60_000);
            async move { store.hold_grant(&request).await }
        });
        let held = try_join_all(wanting).await?;
        assert_eq!(held.into_iter().flatten().count(), 1);
    }
    Ok(())
}

/// And is free afterwards.
pub async fn a_grant_is_replaced_by_who_knows_its_version(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let (account, first) = granted(&*store, b"one").await?;
    let id = account.id;
    store.hold_grant(&lease(id, "one", 1)).await?;
    assert!(!store.replace_grant(id, first.version - 1, b"two").await?);
    assert_eq!(store.hold_grant(&lease(id, "two", 2)).await?, None);
    assert!(store.replace_grant(id, first.version, b"two").await?);
    let second = store.hold_grant(&lease(id, "two", 2)).await?;
    let second = second.expect("the grant is free");
    assert_eq!(second.secret, b"two");
    assert!(second.version > first.version);
    assert!(!store.replace_grant(id, first.version, b"three").await?);
    assert!(!store.replace_grant(AccountId(404), 1, b"three").await?);
    assert_eq!(store.grant(id).await?, Some(second));
    Ok(())
}

/// No token is lost unnoticed.
pub async fn of_many_that_replace_a_grant_at_once_one_does(fixture: &Fixture) -> Outcome {
    let stores = [fixture.ready().await?, fixture.open().await];
    let (account, grant) = granted(&*stores[0], b"one").await?;
    let replacing = (0..16_u8).map(|place| {
        let store = &stores[usize::from(place % 2)];
        async move {
            store
                .replace_grant(account.id, grant.version, &[place])
                .await
        }
    });
    let replaced = try_join_all(replacing).await?;
    assert_eq!(replaced.iter().filter(|done| **done).count(), 1);
    let winner = replaced.iter().position(|done| *done);
    let kept = stores[0].grant(account.id).await?.expect("a grant");
    assert_eq!(winner, Some(usize::from(kept.secret[0])));
    Ok(())
}

/// Who knows an older one knows nothing of this one.
pub async fn the_state_of_a_grant_is_noted_at_its_version_alone(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let (account, grant) = granted(&*store, b"one").await?;
    let dead = CredentialState {
        status: TokenStatus::Dead,
        error: Some("revoked".into()),
        refused_at: Some(at(3)),
    };
    let id = account.id;
    assert!(!store.set_grant_state(id, grant.version + 1, &dead).await?);
    assert_eq!(store.account(id).await?, Some(account));
    assert!(store.set_grant_state(id, grant.version, &dead).await?);
    let kept = store.account(id).await?.map(|account| account.credentials);
    assert_eq!(kept, Some(dead.clone()));
    assert!(!store.set_grant_state(AccountId(404), 1, &dead).await?);
    Ok(())
}

/// Whoever refreshes it meanwhile finds nothing.
pub async fn an_account_takes_its_grant_with_it(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let (gone, grant) = granted(&*store, b"one").await?;
    store.hold_grant(&lease(gone.id, "one", 1)).await?;
    store.remove_account(gone.id).await?;
    assert_eq!(store.grant(gone.id).await?, None);
    assert!(!store.replace_grant(gone.id, grant.version, b"two").await?);
    account(&*store, gone.application, gone.id.0).await?;
    assert_eq!(store.grant(gone.id).await?, None);
    Ok(())
}
