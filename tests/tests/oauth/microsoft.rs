//! Whose mailbox Microsoft says that it is.

use polypost_tests::Call;
use serde_json::{Value, json};
use url::Url;

use crate::browser::Browser;
use crate::world::{AT_PROVIDER, Account, World, code_of, error_of};

const ANN: &str = "ann@contoso.example";
const BOB: &str = "bob@contoso.example";
const SCOPES: [&str; 6] = [
    "Mail.ReadWrite",
    "Mail.Send",
    "User.Read",
    "offline_access",
    "openid",
    "profile",
];

fn append(world: &World, email: &str) {
    let raw = format!("From: {BOB}\r\nTo: {email}\r\nSubject: hello\r\n\r\nHi.\r\n");
    world.graph.user(email).deliver(raw.as_bytes());
}

/// By tokens that the application holds.
async fn connected_by_tokens(world: &World, email: &str) -> Account {
    let tokens = world.oauth.issue(AT_PROVIDER.0, email, &SCOPES);
    let call = Call::post("/v1/am/accounts").json(json!({
        "serviceType": "Office365",
        "email": email,
        "authString1": tokens.access_token,
        "authString2": tokens.refresh_token,
    }));
    let answer = world.replica.application().call(call).await.unwrap();
    Account::of(&answer, &world.replica)
}

/// In the browser; where it ends.
async fn signed_in(world: &World, parameters: &[(&str, &str)]) -> Url {
    let mut browser = Browser::new();
    let mut all = vec![("serviceType", "Office365")];
    all.extend(parameters);
    let provider = browser.get(world.authorize_url(&all)).await.location();
    let callback = browser.get(&provider).await.location();
    browser.get(&callback).await.location()
}

async fn connected(world: &World, email: &str) -> Account {
    let end = signed_in(world, &[("loginHint", email)]).await;
    let application = world.replica.application();
    let answer = world.exchange(&application, &code_of(&end)).await;
    Account::of(&answer, &world.replica)
}

/// The ids of its messages.
async fn ids(account: &Account) -> Vec<Value> {
    let answer = account.get("/v1/email/messages").await;
    assert_eq!(answer.status, 200, "{}", answer.told());
    answer
        .records()
        .iter()
        .map(|record| record["id"].clone())
        .collect()
}

#[tokio::test]
async fn a_sign_in_renews_the_account_that_was_connected_by_tokens_and_keeps_its_ids() {
    let world = World::new().await;
    append(&world, ANN);
    let by_tokens = connected_by_tokens(&world, ANN).await;
    let before = ids(&by_tokens).await;
    assert_eq!(before.len(), 1);
    let by_code = connected(&world, ANN).await;
    assert_eq!(by_code.id, by_tokens.id);
    assert_eq!(ids(&by_code).await, before);
    let number = by_tokens.id.to_string();
    append(&world, BOB);
    let other = signed_in(&world, &[("loginHint", BOB), ("accountId", &number)]).await;
    assert_eq!(error_of(&other), "account_mismatch");
    assert_eq!(world.oauth.violations(), []);
    assert!(world.graph.violations().is_empty());
}

#[tokio::test]
async fn each_user_has_a_mailbox_of_his_own() {
    let world = World::new().await;
    append(&world, ANN);
    let first = connected(&world, ANN).await;
    let before = ids(&first).await;
    let again = connected(&world, ANN).await;
    assert_eq!((again.id, ids(&again).await), (first.id, before.clone()));
    append(&world, BOB);
    let other = connected(&world, BOB).await;
    assert_ne!(other.id, first.id);
    assert_ne!(ids(&other).await, before);
}
