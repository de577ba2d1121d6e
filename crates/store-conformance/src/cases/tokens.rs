//! Account tokens.

use futures::future::try_join_all;
use gateway_store::{AccountId, StoreError};

use crate::fixture::{Fixture, Outcome, account, at, owner};

/// As it is stored.
pub async fn a_token_leads_to_its_account(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let account = account(&*store, owner(&*store).await?, 1).await?;
    store
        .add_access_token(account.id, &[1; 32], at(1), 5)
        .await?;
    assert_eq!(store.account_of_token(&[1; 32]).await?, Some(account));
    assert_eq!(store.account_of_token(&[2; 32]).await?, None);
    Ok(())
}

/// In the order in which they were added, whatever the clock said.
pub async fn only_the_newest_tokens_are_kept(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let owner = owner(&*store).await?;
    let one = account(&*store, owner, 1).await?.id;
    let other = account(&*store, owner, 2).await?.id;
    store.add_access_token(other, &[100; 32], at(1), 3).await?;
    for place in 0..6 {
        let now = at(1_000 - i64::from(place));
        store.add_access_token(one, &[place; 32], now, 3).await?;
    }
    for place in 0..6 {
        let there = store.account_of_token(&[place; 32]).await?.is_some();
        assert_eq!(there, place >= 3, "token {place}");
    }
    assert!(store.account_of_token(&[100; 32]).await?.is_some());
    Ok(())
}

/// Neither more than asked for nor fewer.
pub async fn tokens_added_at_once_leave_the_number_to_keep(fixture: &Fixture) -> Outcome {
    let stores = [fixture.ready().await?, fixture.open().await];
    let account = account(&*stores[0], owner(&*stores[0]).await?, 1).await?.id;
    let adding = (0..24_u8).map(|place| {
        let store = &stores[usize::from(place % 2)];
        async move {
            store
                .add_access_token(account, &[place; 32], at(1), 4)
                .await
        }
    });
    try_join_all(adding).await?;
    let mut kept = 0;
    for place in 0..24 {
        kept += u32::from(stores[0].account_of_token(&[place; 32]).await?.is_some());
    }
    assert_eq!(kept, 4);
    Ok(())
}

/// One, or all of one account.
pub async fn removed_tokens_lead_nowhere(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let owner = owner(&*store).await?;
    let one = account(&*store, owner, 1).await?.id;
    let other = account(&*store, owner, 2).await?.id;
    for (account, token) in [(one, 1), (one, 2), (one, 3), (other, 4)] {
        store
            .add_access_token(account, &[token; 32], at(1), 9)
            .await?;
    }
    assert!(store.remove_access_token(&[1; 32]).await?);
    assert!(!store.remove_access_token(&[1; 32]).await?);
    assert!(store.account_of_token(&[1; 32]).await?.is_none());
    assert!(store.account_of_token(&[2; 32]).await?.is_some());
    store.remove_access_tokens(one).await?;
    assert!(store.account_of_token(&[3; 32]).await?.is_none());
    assert!(store.account_of_token(&[4; 32]).await?.is_some());
    Ok(())
}

/// A token never changes hands.
pub async fn a_token_that_is_taken_or_of_no_account_is_refused(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let owner = owner(&*store).await?;
    let one = account(&*store, owner, 1).await?;
    let other = account(&*store, owner, 2).await?.id;
    store.add_access_token(one.id, &[1; 32], at(1), 9).await?;
    let again = store.add_access_token(other, &[1; 32], at(1), 9).await;
    assert!(matches!(again, Err(StoreError::Exists)));
    assert_eq!(store.account_of_token(&[1; 32]).await?, Some(one));
    let nobody = store
        .add_access_token(AccountId(404), &[2; 32], at(1), 9)
        .await;
    assert!(matches!(nobody, Err(StoreError::NotFound)));
    Ok(())
}
