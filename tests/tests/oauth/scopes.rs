//! What was asked for and what was granted.

use fake_gmail::scopes;
use polypost_tests::Call;
use serde_json::json;

use crate::world::{AT_PROVIDER, Account, World, error_of};

const ANN: &str = "ann@gmail.example";

#[tokio::test]
async fn a12_less_than_was_asked_for_is_refused_where_the_application_wants_all_of_it() {
    let world = World::new().await;
    world.user(ANN);
    world
        .oauth
        .set(|settings| settings.unticked_scopes = vec![scopes::SEND.to_owned()]);
    let wanted = [("scopes", "Mail.Read Mail.Send"), ("ensureScopes", "true")];
    assert_eq!(
        error_of(&world.signed_in(&wanted).await),
        "insufficient_scope"
    );
    let page = world
        .replica
        .application()
        .call(Call::get("/v1/am/accounts"))
        .await
        .unwrap();
    assert_eq!(page.json["totalSize"], 0, "nothing is saved");
}

#[tokio::test]
async fn a12_an_account_allows_what_was_granted_and_tells_it() {
    let world = World::new().await;
    world.user(ANN);
    world
        .oauth
        .set(|settings| settings.unticked_scopes = vec![scopes::SEND.to_owned()]);
    let account = world
        .connected_with(&[("scopes", "Mail.Read,Mail.Send")])
        .await;
    let view = account.view().await;
    assert_eq!(view["authScopes"], json!(["Mail.Read"]));
    let native = view["authNativeScopes"].as_array().unwrap();
    assert!(native.contains(&json!(scopes::READONLY)) && !native.contains(&json!(scopes::SEND)));
    let list = account.get("/v1/email/messages").await;
    let id = list.records()[0]["id"].as_str().unwrap().to_owned();
    let status = Call::post("/v1/email/messages/{messageId}/status").with("messageId", id);
    let refused = account
        .api
        .call(status.json(json!({ "unread": false })))
        .await
        .unwrap();
    assert_eq!((refused.status, refused.code()), (403, "forbidden"));
    world.assert_correct();
}

#[tokio::test]
async fn a12_an_account_shows_what_a_refresh_was_granted() {
    let world = World::new().await;
    world.user(ANN);
    // An application hands over tokens and says nothing of what they allow.
    let issued = world
        .oauth
        .issue(AT_PROVIDER.0, ANN, &[scopes::READONLY, "openid", "email"]);
    let body = json!({
        "serviceType": "Google", "active": true,
        "authString1": issued.access_token, "authString2": issued.refresh_token,
    });
    let saved = Call::post("/v1/am/accounts").json(body);
    let saved = world.replica.application().call(saved).await.unwrap();
    let account = Account::of(&saved, &world.replica);
    assert_eq!(account.view().await["authScopes"], json!(["Mail.All"]));
    world.oauth.expire_access_tokens(ANN);
    assert_eq!(account.subjects().await, ["hello"]);
    assert_eq!(world.refreshes(), 1);
    assert_eq!(account.view().await["authScopes"], json!(["Mail.Read"]));
    let page = Call::get("/v1/am/accounts");
    let page = world.replica.application().call(page).await.unwrap();
    assert_eq!(page.records()[0]["authScopes"], json!(["Mail.Read"]));
}

#[tokio::test]
async fn a12_a_user_who_grants_no_mail_at_all_connects_nothing() {
    let world = World::new().await;
    world.user(ANN);
    world
        .oauth
        .set(|settings| settings.unticked_scopes = vec![scopes::READONLY.to_owned()]);
    assert_eq!(
        error_of(&world.signed_in(&[("scopes", "Mail.Read")]).await),
        "access_denied"
    );
}

#[tokio::test]
async fn only_the_expected_address_may_sign_in() {
    let world = World::new().await;
    world.user(ANN);
    world.user("bob@gmail.example");
    let expected = [("authEmail", "ANN@Gmail.example")];
    world.connected_with(&expected).await;
    world
        .oauth
        .set(|settings| settings.sign_in_as = Some("bob@gmail.example".to_owned()));
    assert_eq!(
        error_of(&world.signed_in(&expected).await),
        "account_mismatch"
    );
}
