//! Leases.

use futures::future::try_join_all;
use gateway_store::{AccountId, StoreError};

use crate::{
    fixture::{Fixture, Outcome, account, at, owner},
    samples::lease,
};

/// To the millisecond.
pub async fn a_lease_is_refused_to_others_until_it_runs_out(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let id = account(&*store, owner(&*store).await?, 1).await?.id;
    let granted = store.lease(&lease(id, "one", 1_000)).await?;
    assert_eq!(granted.map(|lease| lease.until), Some(at(31_000)));
    assert_eq!(store.lease(&lease(id, "two", 30_999)).await?, None);
    let granted = store.lease(&lease(id, "two", 31_000)).await?;
    assert_eq!(granted.map(|lease| lease.until), Some(at(61_000)));
    assert_eq!(store.lease(&lease(id, "one", 31_001)).await?, None);
    Ok(())
}

/// Before it has run out and after.
pub async fn a_lease_is_prolonged_by_its_holder(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let id = account(&*store, owner(&*store).await?, 1).await?.id;
    for now in [1_000, 2_000, 90_000] {
        let granted = store.lease(&lease(id, "one", now)).await?;
        assert_eq!(granted.map(|lease| lease.until), Some(at(now + 30_000)));
    }
    assert_eq!(store.lease(&lease(id, "two", 119_999)).await?, None);
    Ok(())
}

/// By its holder alone.
pub async fn a_lease_given_back_is_free(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let owner = owner(&*store).await?;
    let id = account(&*store, owner, 1).await?.id;
    let other = account(&*store, owner, 2).await?.id;
    store.lease(&lease(id, "one", 1)).await?;
    store.lease(&lease(other, "one", 1)).await?;
    store.release(id, "two").await?;
    assert_eq!(store.lease(&lease(id, "two", 2)).await?, None);
    store.release(id, "one").await?;
    store.release(id, "one").await?;
    assert!(store.lease(&lease(id, "two", 2)).await?.is_some());
    assert_eq!(store.lease(&lease(other, "two", 2)).await?, None);
    Ok(())
}

/// Whoever is first.
pub async fn of_many_that_want_a_lease_at_once_one_gets_it(fixture: &Fixture) -> Outcome {
    let stores = [fixture.ready().await?, fixture.open().await];
    let id = account(&*stores[0], owner(&*stores[0]).await?, 1).await?.id;
    for round in 0..5 {
        let now = round * 60_000;
        let wanting = (0..16).map(|place| {
            let store = &stores[place % 2];
            async move {
                store
                    .lease(&lease(id, &format!("holder {place}"), now))
                    .await
            }
        });
        let granted = try_join_all(wanting).await?;
        assert_eq!(granted.into_iter().flatten().count(), 1);
    }
    Ok(())
}

/// There is nothing to work on.
pub async fn a_lease_on_no_account_is_refused(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let refused = store.lease(&lease(AccountId(404), "one", 1)).await;
    assert!(matches!(refused, Err(StoreError::NotFound)));
    store.release(AccountId(404), "one").await
}
