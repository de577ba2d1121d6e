//! Applications.

use gateway_store::{ApplicationId, StoreError};

use crate::{
    fixture::{Fixture, Outcome, account, at, other_owner},
    samples,
};

/// And only by its own.
pub async fn an_application_is_found_by_its_client_id(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let application = samples::application(1);
    assert_eq!(store.put_application(&application).await?, application);
    assert_eq!(store.application("client-1").await?, Some(application));
    assert_eq!(store.application("CLIENT-1").await?, None);
    Ok(())
}

/// Its number and its beginning stay.
pub async fn putting_an_application_again_changes_what_it_may_do_alone(
    fixture: &Fixture,
) -> Outcome {
    let store = fixture.ready().await?;
    let first = store.put_application(&samples::application(1)).await?;
    let mut again = first.clone();
    again.id = ApplicationId(99);
    again.created_at = at(5);
    again.secret_hash = [200; 32];
    again.return_urls = Vec::new();
    again.token_response = true;
    let stored = store.put_application(&again).await?;
    again.id = first.id;
    again.created_at = first.created_at;
    assert_eq!(stored, again);
    assert_eq!(store.applications().await?, [stored]);
    Ok(())
}

/// Two client ids never share a number.
pub async fn an_application_with_a_number_that_is_taken_is_refused(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    store.put_application(&samples::application(1)).await?;
    let mut other = samples::application(1);
    other.client_id = "other".into();
    assert!(matches!(
        store.put_application(&other).await,
        Err(StoreError::Exists)
    ));
    Ok(())
}

/// Byte by byte, whatever the database's language.
pub async fn applications_are_listed_by_client_id(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let sorted = ["", "B", "B-1", "a", "a_b", "ab", "z", "Å", "ä"];
    for (id, client_id) in sorted.into_iter().enumerate().rev() {
        let mut application = samples::application(1 + id as i64);
        application.client_id = client_id.into();
        store.put_application(&application).await?;
    }
    let listed = store.applications().await?.into_iter();
    assert!(listed.map(|application| application.client_id).eq(sorted));
    Ok(())
}

/// And leaves those of others.
pub async fn removing_an_application_removes_its_accounts(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let gone = store.put_application(&samples::application(1)).await?;
    let stays = other_owner(&*store).await?;
    for id in [11, 12] {
        account(&*store, gone.id, id).await?;
    }
    let kept = account(&*store, stays.id, 13).await?;
    let messages = vec![samples::message(5)];
    for id in [11, 13] {
        let account = gateway_store::AccountId(id);
        store.open_journal(account, &samples::journal(id)).await?;
        let commit = gateway_store::Commit {
            messages: messages.clone(),
            ..Default::default()
        };
        store.commit(account, &commit).await?;
        store
            .add_access_token(account, &[id as u8; 32], at(1), 9)
            .await?;
        store.lease(&samples::lease(account, "holder", 1)).await?;
    }

    assert!(store.remove_application(&gone.client_id).await?);
    assert!(!store.remove_application(&gone.client_id).await?);
    assert_eq!(store.application(&gone.client_id).await?, None);
    assert_eq!(store.account(gateway_store::AccountId(11)).await?, None);
    assert_eq!(store.account(gateway_store::AccountId(12)).await?, None);
    assert_eq!(store.account_of_token(&[11; 32]).await?, None);
    assert_eq!(store.account_of_token(&[13; 32]).await?, Some(kept.clone()));
    let message = store.message(kept.id, messages[0].id).await?;
    assert_eq!(message.map(|(row, _)| row), messages.into_iter().next());
    Ok(())
}
