use email_model::FolderRole;
use gateway_operations::{
    AccountFilter, AccountInput, OperationErrorKind, RecycleKey, SaveOptions, StartSync,
    SyncPageRequest, TokenStatus,
};
use provider_memory::{MemoryMailbox, Shape};
use secrecy::{ExposeSecret, SecretString};

use crate::harness::{Harness, Mail, input};

const PROVED: SaveOptions = SaveOptions {
    recycle_keys: Vec::new(),
    ensure_access: true,
};

#[tokio::test]
async fn a_saved_account_is_found_by_its_token_and_by_its_number() {
    let harness = Harness::new(Shape::folders()).await;
    let gateway = &harness.gateway;
    let saved = gateway
        .save_account(&harness.application, input(), PROVED)
        .await
        .unwrap();
    let token = saved.access_token.expose_secret();
    assert_eq!(token.len(), 43);
    assert_eq!(
        gateway.account_by_token(token).await.unwrap().id,
        saved.account.id
    );
    let application = gateway
        .application_by_secret("app", "secret")
        .await
        .unwrap();
    let found = gateway.account_of(&application, saved.account.id.0).await;
    assert_eq!(found.unwrap().id, saved.account.id);
}

#[tokio::test]
async fn wrong_credentials_of_ours_are_unauthorized() {
    let harness = Harness::new(Shape::folders()).await;
    let gateway = &harness.gateway;
    for (id, secret) in [
        ("app", "Secret"),
        ("app", ""),
        ("other", "secret"),
        ("", ""),
    ] {
        let refused = gateway.application_by_secret(id, secret).await.unwrap_err();
        assert_eq!(
            refused.kind,
            OperationErrorKind::Unauthorized,
            "{id} {secret}"
        );
    }
    for token in ["", "x", &"A".repeat(43)] {
        let refused = gateway.account_by_token(token).await.unwrap_err();
        assert_eq!(refused.kind, OperationErrorKind::Unauthorized, "{token}");
    }
}

#[tokio::test]
async fn another_applications_account_is_not_found() {
    let harness = Harness::new(Shape::folders()).await;
    let secret = SecretString::from("secret");
    let other = harness
        .gateway
        .put_application("other", &secret, Vec::new(), false)
        .await
        .unwrap();
    let refused = harness
        .gateway
        .account_of(&other, harness.account.id.0)
        .await
        .unwrap_err();
    assert_eq!(refused.kind, OperationErrorKind::NotFound);
}

#[tokio::test]
async fn the_same_mailbox_keeps_its_account() {
    let harness = Harness::new(Shape::folders()).await;
    let gateway = &harness.gateway;
    let again = gateway
        .save_account(&harness.application, input(), SaveOptions::default())
        .await
        .unwrap();
    assert_eq!(again.account.id, harness.account.id);
    let filter = AccountFilter::default();
    assert_eq!(
        gateway
            .list_accounts(&harness.application, filter)
            .await
            .unwrap()
            .total,
        1
    );
}

#[tokio::test]
async fn two_sign_ins_at_the_same_time_make_one_account() {
    let harness = Harness::new(Shape::folders()).await;
    let gateway = &harness.gateway;
    harness
        .plugin
        .insert(MemoryMailbox::new("bob@example.org", Shape::folders(), 1));
    let bob = || AccountInput {
        email: Some("bob@example.org".into()),
        ..input()
    };
    let (one, other) = tokio::join!(
        gateway.save_account(&harness.application, bob(), PROVED),
        gateway.save_account(&harness.application, bob(), PROVED),
    );
    assert_eq!(one.unwrap().account.id, other.unwrap().account.id);
}

#[tokio::test]
async fn a_wrong_password_takes_over_no_account() {
    let harness = Harness::new(Shape::folders()).await;
    let wrong = AccountInput {
        password: Some(SecretString::from("wrong")),
        ..input()
    };
    let gateway = &harness.gateway;
    let refused = gateway
        .save_account(&harness.application, wrong, SaveOptions::default())
        .await
        .unwrap_err();
    assert_eq!(refused.kind, OperationErrorKind::TokenRefreshFailed);
    // Only a class is told, nothing that the server said.
    assert_eq!(
        refused.original,
        Some(serde_json::json!({ "class": "refused" }))
    );
    assert!(!refused.message.contains("wrong password"));
    assert!(harness.gateway.folders(&harness.account).await.is_ok());
}

#[tokio::test]
async fn another_mailbox_keeps_the_number_and_starts_a_new_journal() {
    let harness = Harness::new(Shape::folders()).await;
    harness.deliver(
        FolderRole::Inbox,
        &Mail {
            id: "1",
            subject: "old",
            ..Mail::default()
        },
    );
    let gateway = &harness.gateway;
    gateway.start().await.unwrap();
    let request = StartSync {
        await_ready: true,
        ..StartSync::default()
    };
    let started = gateway.start_sync(&harness.account, request).await.unwrap();
    assert!(started.ready);
    let old = harness.ids().await;
    harness
        .plugin
        .insert(MemoryMailbox::new("new@example.org", Shape::folders(), 1));
    let moved = AccountInput {
        login: Some("new@example.org".into()),
        client_org_id: Some("org".into()),
        ..input()
    };
    let saved = gateway
        .save_account(&harness.application, moved, SaveOptions::default())
        .await
        .unwrap();
    assert_eq!(saved.account.id, harness.account.id);
    assert_ne!(saved.account.mailbox, harness.account.mailbox);
    let request = SyncPageRequest {
        delta_token: Some(started.updated_token),
        ..SyncPageRequest::default()
    };
    let expired = gateway
        .sync_updated(&saved.account, request)
        .await
        .unwrap_err();
    assert!(
        matches!(
            expired.kind,
            OperationErrorKind::SyncTokenExpired | OperationErrorKind::TokenNotValid
        ),
        "{expired:?}"
    );
    let gone = gateway
        .message(&saved.account, old[0], Default::default())
        .await
        .unwrap_err();
    assert_eq!(gone.kind, OperationErrorKind::NotFound);
    gateway.stop().await;
}

#[tokio::test]
async fn recycle_keys_must_all_agree() {
    let harness = Harness::new(Shape::folders()).await;
    harness
        .plugin
        .insert(MemoryMailbox::new("bob@example.org", Shape::folders(), 1));
    let bob = |org: &str| AccountInput {
        email: Some("bob@example.org".into()),
        client_org_id: Some(org.into()),
        ..input()
    };
    let options = || SaveOptions {
        recycle_keys: vec![RecycleKey::Email, RecycleKey::ClientOrgId],
        ensure_access: false,
    };
    let save = |input| {
        harness
            .gateway
            .save_account(&harness.application, input, options())
    };
    let one = save(bob("a")).await.unwrap().account.id;
    let other = save(bob("b")).await.unwrap().account.id;
    assert_ne!(one, other);
    assert_eq!(save(bob("a")).await.unwrap().account.id, one);
}

#[tokio::test]
async fn what_the_client_leaves_out_stays_as_it_was() {
    let harness = Harness::new(Shape::folders()).await;
    let named = AccountInput {
        name: Some("Ann".into()),
        ..input()
    };
    let save = |input| {
        harness
            .gateway
            .save_account(&harness.application, input, PROVED)
    };
    save(named).await.unwrap();
    let saved = save(input()).await.unwrap();
    assert_eq!(
        gateway_operations::AccountDetails::of(&saved.account)
            .name
            .as_deref(),
        Some("Ann")
    );
}

#[tokio::test]
async fn an_account_that_is_connected_anew_is_given_no_more_than_it_had() {
    let harness = Harness::new(Shape::folders()).await;
    let scoped = |scopes: &[&str]| AccountInput {
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        ..input()
    };
    for (given, kept) in [
        (vec!["Mail.Read"], "Mail.Read"),
        (vec![], "Mail.Read"),
        (vec!["Mail.All"], "Mail.All"),
    ] {
        let saved = harness
            .gateway
            .save_account(&harness.application, scoped(&given), PROVED)
            .await
            .unwrap();
        let details = gateway_operations::AccountDetails::of(&saved.account);
        assert_eq!(details.scopes, [kept], "{given:?}");
    }
}

#[tokio::test]
async fn guessing_a_password_is_stopped() {
    let harness = Harness::new(Shape::folders()).await;
    let wrong = |n: usize| AccountInput {
        password: Some(SecretString::from(format!("guess {n}"))),
        ..input()
    };
    let mut kinds = Vec::new();
    for n in 0..10 {
        let refused = harness
            .gateway
            .check_connection(&harness.application, wrong(n))
            .await
            .unwrap_err();
        kinds.push(refused.kind);
    }
    assert_eq!(kinds[0], OperationErrorKind::TokenRefreshFailed);
    assert_eq!(kinds[9], OperationErrorKind::RateLimited);
}

#[tokio::test]
async fn a_checked_connection_is_not_stored() {
    let harness = Harness::new(Shape::folders()).await;
    harness
        .plugin
        .insert(MemoryMailbox::new("bob@example.org", Shape::folders(), 1));
    let bob = AccountInput {
        email: Some("bob@example.org".into()),
        ..input()
    };
    harness
        .gateway
        .check_connection(&harness.application, bob)
        .await
        .unwrap();
    let page = harness
        .gateway
        .list_accounts(&harness.application, AccountFilter::default())
        .await;
    assert_eq!(page.unwrap().total, 1);
}

#[tokio::test]
async fn an_inactive_account_can_be_seen_but_its_mail_not() {
    let harness = Harness::new(Shape::folders()).await;
    let asleep = AccountInput {
        active: false,
        ..input()
    };
    let saved = harness
        .gateway
        .save_account(&harness.application, asleep, SaveOptions::default())
        .await
        .unwrap();
    assert!(
        harness
            .gateway
            .account_view(saved.account.clone(), true)
            .await
            .is_ok()
    );
    let refused = harness.gateway.folders(&saved.account).await.unwrap_err();
    assert_eq!(refused.kind, OperationErrorKind::Forbidden);
}

#[tokio::test]
async fn a_ping_tells_that_the_password_was_changed() {
    let harness = Harness::new(Shape::folders()).await;
    let view = harness
        .gateway
        .account_view(harness.account.clone(), true)
        .await
        .unwrap();
    assert_eq!(view.account.credentials.status, TokenStatus::Active);
    assert!(view.capabilities.is_some());
    harness
        .mailbox
        .require_password(Some(SecretString::from("another")));
    harness.mailbox.inject(
        Some("folders"),
        provider_memory::Fault::Fail(email_provider::ErrorKind::Unauthenticated),
        1,
    );
    let view = harness
        .gateway
        .account_view(harness.account.clone(), true)
        .await
        .unwrap();
    assert_eq!(view.account.credentials.status, TokenStatus::Invalid);
    let refused = harness.gateway.folders(&view.account).await.unwrap_err();
    assert_eq!(refused.kind, OperationErrorKind::TokenRefreshFailed);
}

#[tokio::test]
async fn a_deleted_account_leaves_nothing() {
    let harness = Harness::new(Shape::folders()).await;
    let gateway = &harness.gateway;
    let saved = gateway
        .save_account(&harness.application, input(), PROVED)
        .await
        .unwrap();
    gateway.delete_account(&saved.account).await.unwrap();
    let token = saved.access_token.expose_secret();
    assert_eq!(
        gateway.account_by_token(token).await.unwrap_err().kind,
        OperationErrorKind::Unauthorized
    );
    let number = saved.account.id.0;
    let refused = gateway
        .account_of(&harness.application, number)
        .await
        .unwrap_err();
    assert_eq!(refused.kind, OperationErrorKind::NotFound);
}

#[tokio::test]
async fn only_the_newest_tokens_stay_good() {
    let harness = Harness::new(Shape::folders()).await;
    let gateway = &harness.gateway;
    let mut tokens = Vec::new();
    for _ in 0..22 {
        let saved = gateway
            .save_account(&harness.application, input(), SaveOptions::default())
            .await;
        tokens.push(saved.unwrap().access_token);
    }
    assert!(
        gateway
            .account_by_token(tokens[0].expose_secret())
            .await
            .is_err()
    );
    assert!(
        gateway
            .account_by_token(tokens[2].expose_secret())
            .await
            .is_ok()
    );
    gateway
        .delete_token(tokens[2].expose_secret())
        .await
        .unwrap();
    assert!(
        gateway
            .account_by_token(tokens[2].expose_secret())
            .await
            .is_err()
    );
    gateway.delete_tokens(&harness.account).await.unwrap();
    assert!(
        gateway
            .account_by_token(tokens[21].expose_secret())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_removed_application_takes_its_accounts_with_it() {
    let harness = Harness::new(Shape::folders()).await;
    let gateway = &harness.gateway;
    let saved = gateway
        .save_account(&harness.application, input(), PROVED)
        .await
        .unwrap();
    assert!(gateway.remove_application("app").await.unwrap());
    assert!(!gateway.remove_application("app").await.unwrap());
    assert!(
        gateway
            .account_by_token(saved.access_token.expose_secret())
            .await
            .is_err()
    );
}
