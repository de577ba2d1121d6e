//! Accounts.

use gateway_store::{AccountFilter, AccountId, ApplicationId, Commit, CredentialState, StoreError};
use serde_json::json;

use crate::{
    fixture::{Fixture, Mailbox, Outcome, account, at, other_owner, owner},
    samples,
};

/// Every field.
pub async fn an_account_reads_as_it_was_written(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let owner = owner(&*store).await?;
    let mut written = account(&*store, owner, (1 << 53) - 1).await?;
    assert_eq!(store.account(written.id).await?, Some(written.clone()));

    written.id = AccountId(2);
    written.email = None;
    written.active = false;
    written.details = json!(null);
    written.connection_secret = Vec::new();
    written.credentials = CredentialState::default();
    store.insert_account(&written, None).await?;
    assert_eq!(store.account(written.id).await?, Some(written));
    assert_eq!(store.account(AccountId(3)).await?, None);
    Ok(())
}

/// Also by another application.
pub async fn an_account_with_an_id_that_is_taken_is_refused(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let first = account(&*store, owner(&*store).await?, 1).await?;
    let mut second = samples::account(other_owner(&*store).await?.id, 1);
    second.email = None;
    assert!(matches!(
        store.insert_account(&second, None).await,
        Err(StoreError::Exists)
    ));
    assert_eq!(store.account(AccountId(1)).await?, Some(first));
    Ok(())
}

/// Nobody would own it.
pub async fn an_account_of_an_unknown_application_is_refused(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let orphan = samples::account(ApplicationId(404), 1);
    assert!(matches!(
        store.insert_account(&orphan, None).await,
        Err(StoreError::NotFound)
    ));
    Ok(())
}

/// And when it began.
pub async fn an_update_changes_all_of_an_account_but_whose_it_is(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let first = account(&*store, owner(&*store).await?, 1).await?;
    let mut changed = samples::account(other_owner(&*store).await?.id, 1);
    changed.kind = "other".into();
    changed.service_type = "else".into();
    changed.mailbox = "other:1".into();
    changed.email = Some("new@mail.example".into());
    changed.login = "new".into();
    changed.active = false;
    changed.details = json!({ "name": "Grace" });
    changed.connection_settings = json!([1]);
    changed.connection_secret = vec![0; 3];
    changed.credentials = CredentialState::default();
    changed.created_at = at(1);
    changed.updated_at = at(2);
    store.update_account(&changed).await?;
    changed.application = first.application;
    changed.created_at = first.created_at;
    assert_eq!(store.account(first.id).await?, Some(changed.clone()));

    changed.id = AccountId(404);
    assert!(matches!(
        store.update_account(&changed).await,
        Err(StoreError::NotFound)
    ));
    Ok(())
}

/// Nothing else of the account changes.
pub async fn the_state_of_credentials_is_noted(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let mut account = account(&*store, owner(&*store).await?, 1).await?;
    account.credentials = CredentialState {
        status: gateway_store::TokenStatus::Dead,
        error: None,
        refused_at: Some(at(3)),
    };
    store
        .set_credentials(account.id, &account.credentials)
        .await?;
    assert_eq!(store.account(account.id).await?, Some(account.clone()));
    assert!(matches!(
        store
            .set_credentials(AccountId(404), &account.credentials)
            .await,
        Err(StoreError::NotFound)
    ));
    Ok(())
}

/// Whoever finds out something else afterwards knows less.
pub async fn dead_credentials_stay_dead_until_the_account_is_updated(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let mut account = account(&*store, owner(&*store).await?, 1).await?;
    let id = account.id;
    let dead = CredentialState {
        status: gateway_store::TokenStatus::Dead,
        error: Some("revoked".into()),
        refused_at: Some(at(3)),
    };
    store.set_credentials(id, &dead).await?;
    for status in [
        gateway_store::TokenStatus::Invalid,
        gateway_store::TokenStatus::Active,
    ] {
        let state = CredentialState {
            status,
            ..CredentialState::default()
        };
        store.set_credentials(id, &state).await?;
        let kept = store.account(id).await?.map(|account| account.credentials);
        assert_eq!(kept, Some(dead.clone()));
    }
    account.credentials = CredentialState::default();
    store.update_account(&account).await?;
    assert_eq!(store.account(id).await?, Some(account));
    Ok(())
}

/// With their number in all.
pub async fn accounts_are_listed_in_pages_by_id(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let owner = owner(&*store).await?;
    for id in [5, 1, 4, 2, 3] {
        let mut account = samples::account(owner, id);
        if id > 3 {
            account.service_type = "other".into();
        }
        store.insert_account(&account, None).await?;
    }
    account(&*store, other_owner(&*store).await?.id, 6).await?;

    for (service_type, limit, offset, ids, total) in [
        (None, 10, 0, &[1, 2, 3, 4, 5][..], 5),
        (None, 2, 1, &[2, 3], 5),
        (None, 2, 4, &[5], 5),
        (None, 2, 9, &[], 5),
        (None, 0, 0, &[], 5),
        (Some("other"), 1, 1, &[5], 2),
        (Some("OTHER"), 9, 0, &[], 0),
    ] {
        let filter = AccountFilter {
            service_type: service_type.map(str::to_owned),
            limit,
            offset,
        };
        let page = store.accounts(owner, &filter).await?;
        let listed: Vec<i64> = page.records.iter().map(|account| account.id.0).collect();
        assert_eq!(listed, ids, "{filter:?}");
        assert_eq!(page.total, total, "{filter:?}");
    }
    Ok(())
}

/// Within one application.
pub async fn accounts_are_found_by_address_in_any_case_or_by_mailbox(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let owner = owner(&*store).await?;
    account(&*store, owner, 1).await?;
    account(&*store, other_owner(&*store).await?.id, 2).await?;
    let mut accented = samples::account(owner, 3);
    accented.email = Some("ÅSA@mail.example".into());
    accented.mailbox = "imap:user1@mail.example".into();
    store.insert_account(&accented, None).await?;

    for (email, mailbox, ids) in [
        (Some("USER1@mail.example"), None, &[1][..]),
        (Some("åsa@MAIL.example"), None, &[3]),
        (Some("user2@mail.example"), None, &[]),
        (None, Some("imap:user1@mail.example"), &[1, 3]),
        (None, Some("IMAP:user1@mail.example"), &[]),
        (Some("åsa@mail.example"), Some("none"), &[3]),
        (None, None, &[]),
    ] {
        let found = store.find_accounts(owner, email, mailbox).await?;
        let found: Vec<i64> = found.iter().map(|account| account.id.0).collect();
        assert_eq!(found, ids, "{email:?} {mailbox:?}");
    }
    Ok(())
}

/// Of one kind.
pub async fn accounts_of_all_applications_are_found_by_address_or_mailbox(
    fixture: &Fixture,
) -> Outcome {
    let store = fixture.ready().await?;
    let owner = owner(&*store).await?;
    let other = other_owner(&*store).await?.id;
    account(&*store, owner, 1).await?;
    for (application, id, kind) in [(other, 2, "imap"), (owner, 3, "else")] {
        let mut account = samples::account(application, id);
        account.kind = kind.into();
        account.mailbox = "imap:user1@mail.example".into();
        account.email = Some("USER1@Mail.Example".into());
        store.insert_account(&account, None).await?;
    }
    let by_mailbox = Some("imap:user1@mail.example");
    let by_address = Some("User1@mail.example");
    for (kind, mailbox, email, limit, ids) in [
        ("imap", by_mailbox, None, 9, &[1, 2][..]),
        ("imap", None, by_address, 9, &[1, 2]),
        ("imap", None, by_address, 1, &[1]),
        ("else", None, by_address, 9, &[3]),
        ("IMAP", by_mailbox, by_address, 9, &[]),
        ("imap", Some("none"), Some("none"), 9, &[]),
        ("imap", None, None, 9, &[]),
    ] {
        let found = store.accounts_at(kind, mailbox, email, limit).await?;
        let found: Vec<i64> = found.iter().map(|id| id.0).collect();
        assert_eq!(found, ids, "{kind} {mailbox:?} {email:?}");
    }
    Ok(())
}

/// Those that are active and whose first sync was asked for.
pub async fn accounts_to_synchronise_are_listed_by_id(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let owner = owner(&*store).await?;
    for id in 1..=6 {
        let mut account = samples::account(owner, id);
        account.active = id != 2;
        store.insert_account(&account, None).await?;
        let mut journal = samples::journal(id);
        if id == 3 || id == 4 {
            journal.record.started_at = None;
        }
        if id != 5 {
            store.open_journal(account.id, &journal).await?;
        }
    }
    let commit = Commit {
        record: Some(samples::record()),
        ..Commit::default()
    };
    store.commit(AccountId(4), &commit).await?;

    let listed = |after, limit| store.synchronised_accounts(AccountId(after), limit);
    assert_eq!(listed(0, 10).await?, [1, 4, 6].map(AccountId));
    assert_eq!(listed(0, 2).await?, [1, 4].map(AccountId));
    assert_eq!(listed(4, 2).await?, [6].map(AccountId));
    assert_eq!(listed(6, 2).await?, []);
    Ok(())
}

/// An account that gets the same id later finds nothing of it.
pub async fn removing_an_account_removes_all_that_is_kept_of_it(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let mailbox = Mailbox::create(store.clone(), 1).await?;
    let id = mailbox.account;
    mailbox
        .commit(Commit {
            messages: vec![samples::message(5)],
            entries: vec![samples::entry(1, 1, 5)],
            scopes: vec![samples::scope(1, 0)],
            folders: Some(vec![samples::folder(1)]),
            ..Commit::default()
        })
        .await?;
    store.add_access_token(id, &[1; 32], at(1), 5).await?;
    store.lease(&samples::lease(id, "holder", 1)).await?;

    assert!(store.remove_account(id).await?);
    assert!(!store.remove_account(id).await?);
    assert_eq!(store.account(id).await?, None);
    assert_eq!(store.journal(id).await?, None);
    assert_eq!(store.account_of_token(&[1; 32]).await?, None);

    Mailbox::create(store.clone(), 1).await?;
    assert!(store.scopes(id).await?.is_empty());
    assert!(store.folders(id).await?.is_empty());
    assert!(store.message(id, samples::message(5).id).await?.is_none());
    assert_eq!(
        store
            .count_entries(id, gateway_store::ScopeNumber(1))
            .await?,
        0
    );
    let lease = store.lease(&samples::lease(id, "another", 1)).await?;
    assert!(lease.is_some());
    Ok(())
}
