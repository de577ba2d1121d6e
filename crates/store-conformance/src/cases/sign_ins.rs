//! Sign-ins in the browser and the codes that they end with.

use futures::future::try_join_all;
use gateway_store::{ApplicationId, PendingSignIn, Redeemed};

use crate::fixture::{Fixture, Outcome, account, at, other_owner, owner};

fn pending(application: ApplicationId, expires_at: i64) -> PendingSignIn {
    PendingSignIn {
        application,
        request: vec![0, 1, 255],
        expires_at: at(expires_at),
    }
}

/// It can be looked at before.
pub async fn a_sign_in_is_taken_once(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let begun = pending(owner(&*store).await?, 1_000);
    store.put_sign_in(&[1; 32], &begun, at(1)).await?;
    assert_eq!(store.sign_in(&[1; 32], at(2)).await?, Some(begun.clone()));
    assert_eq!(store.sign_in(&[2; 32], at(2)).await?, None);
    assert_eq!(store.take_sign_in(&[2; 32], at(2)).await?, None);
    assert_eq!(store.take_sign_in(&[1; 32], at(2)).await?, Some(begun));
    assert_eq!(store.take_sign_in(&[1; 32], at(2)).await?, None);
    assert_eq!(store.sign_in(&[1; 32], at(2)).await?, None);
    Ok(())
}

/// Whoever is first.
pub async fn of_many_that_take_a_sign_in_at_once_one_gets_it(fixture: &Fixture) -> Outcome {
    let stores = [fixture.ready().await?, fixture.open().await];
    let begun = pending(owner(&*stores[0]).await?, 1_000);
    stores[0].put_sign_in(&[1; 32], &begun, at(1)).await?;
    let taking = (0..16).map(|place| stores[place % 2].take_sign_in(&[1; 32], at(2)));
    let taken = try_join_all(taking).await?;
    assert_eq!(taken.into_iter().flatten().count(), 1);
    Ok(())
}

/// To the millisecond; its row goes with the next one that begins.
pub async fn a_sign_in_that_has_run_out_is_gone(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let owner = owner(&*store).await?;
    store
        .put_sign_in(&[1; 32], &pending(owner, 1_000), at(1))
        .await?;
    assert!(store.sign_in(&[1; 32], at(999)).await?.is_some());
    assert!(store.sign_in(&[1; 32], at(1_000)).await?.is_none());
    assert!(store.take_sign_in(&[1; 32], at(1_000)).await?.is_none());
    store
        .put_sign_in(&[2; 32], &pending(owner, 2_000), at(1_000))
        .await?;
    assert!(store.sign_in(&[1; 32], at(1)).await?.is_none());
    assert!(store.sign_in(&[2; 32], at(1)).await?.is_some());
    Ok(())
}

/// Nobody is there to return to.
pub async fn an_application_takes_its_sign_ins_with_it(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let owner = owner(&*store).await?;
    let other = other_owner(&*store).await?;
    for (state, application) in [([1; 32], owner), ([2; 32], other.id)] {
        let begun = pending(application, 1_000);
        store.put_sign_in(&state, &begun, at(1)).await?;
    }
    store.remove_application(&other.client_id).await?;
    assert!(store.sign_in(&[1; 32], at(2)).await?.is_some());
    assert!(store.sign_in(&[2; 32], at(2)).await?.is_none());
    Ok(())
}

/// Of the account that it is for.
pub async fn a_code_gives_one_token(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let owner = owner(&*store).await?;
    let account = account(&*store, owner, 1).await?;
    store
        .add_access_token(account.id, &[9; 32], at(1), 1)
        .await?;
    store
        .put_code(&[1; 32], account.id, at(1_000), at(1))
        .await?;
    let redeemed = store
        .redeem_code(&[1; 32], owner, &[2; 32], at(2), 1)
        .await?;
    assert_eq!(redeemed, Redeemed::Account(account.id));
    assert_eq!(store.account_of_token(&[2; 32]).await?, Some(account));
    // of the older tokens no more are kept than otherwise
    assert_eq!(store.account_of_token(&[9; 32]).await?, None);
    Ok(())
}

/// Whoever has it did not come by it honestly (RFC 6749 section 4.1.2).
pub async fn a_code_that_comes_again_ends_its_token(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let owner = owner(&*store).await?;
    let account = account(&*store, owner, 1).await?;
    store
        .add_access_token(account.id, &[9; 32], at(1), 9)
        .await?;
    store
        .put_code(&[1; 32], account.id, at(1_000), at(1))
        .await?;
    let redeem = async |token: u8| {
        let token = [token; 32];
        store.redeem_code(&[1; 32], owner, &token, at(2), 9).await
    };
    assert_eq!(redeem(2).await?, Redeemed::Account(account.id));
    for token in [3, 4] {
        assert_eq!(redeem(token).await?, Redeemed::Again);
        assert_eq!(store.account_of_token(&[2; 32]).await?, None);
        assert_eq!(store.account_of_token(&[token; 32]).await?, None);
    }
    assert_eq!(store.account_of_token(&[9; 32]).await?, Some(account));
    Ok(())
}

/// The others end it.
pub async fn of_many_that_redeem_a_code_at_once_at_most_one_gets_a_token(
    fixture: &Fixture,
) -> Outcome {
    let stores = [fixture.ready().await?, fixture.open().await];
    let owner = owner(&*stores[0]).await?;
    let account = account(&*stores[0], owner, 1).await?;
    stores[0]
        .put_code(&[1; 32], account.id, at(1_000), at(1))
        .await?;
    let redeeming = (0..16_u8).map(|place| {
        let store = &stores[usize::from(place % 2)];
        async move {
            let token = [100 + place; 32];
            store.redeem_code(&[1; 32], owner, &token, at(2), 20).await
        }
    });
    let redeemed = try_join_all(redeeming).await?;
    let first = Redeemed::Account(account.id);
    assert_eq!(redeemed.iter().filter(|one| **one == first).count(), 1);
    for place in 0..16 {
        let token = [100 + place; 32];
        assert_eq!(stores[0].account_of_token(&token).await?, None);
    }
    Ok(())
}

/// And stays as it is.
pub async fn a_code_of_another_application_or_time_is_unknown(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let owner = owner(&*store).await?;
    let other = other_owner(&*store).await?.id;
    let account = account(&*store, owner, 1).await?;
    store
        .put_code(&[1; 32], account.id, at(1_000), at(1))
        .await?;
    for (code, application, now) in [(1, other, 2), (1, owner, 1_000), (2, owner, 2)] {
        let redeemed = store
            .redeem_code(&[code; 32], application, &[7; 32], at(now), 9)
            .await?;
        assert_eq!(redeemed, Redeemed::Unknown);
        assert_eq!(store.account_of_token(&[7; 32]).await?, None);
    }
    let redeemed = store
        .redeem_code(&[1; 32], owner, &[7; 32], at(999), 9)
        .await?;
    assert_eq!(redeemed, Redeemed::Account(account.id));
    Ok(())
}

/// A code for nothing is none.
pub async fn an_account_takes_its_codes_with_it(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let owner = owner(&*store).await?;
    let gone = account(&*store, owner, 1).await?;
    store.put_code(&[1; 32], gone.id, at(1_000), at(1)).await?;
    store.remove_account(gone.id).await?;
    account(&*store, owner, 1).await?;
    let redeemed = store
        .redeem_code(&[1; 32], owner, &[7; 32], at(2), 9)
        .await?;
    assert_eq!(redeemed, Redeemed::Unknown);
    Ok(())
}
