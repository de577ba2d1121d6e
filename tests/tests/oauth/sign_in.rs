//! From the application to the provider and back.

use polypost_tests::{CLIENT_ID, Call};

use crate::browser::{Browser, parameter, with};
use crate::issuer::IssuerPlugin;
use crate::world::{OTHER, OTHER_URL, RETURN_URL, World, assert_refused, code_of, error_of};

const ANN: &str = "ann@gmail.example";

#[tokio::test]
async fn a_mailbox_is_connected_by_its_owners_consent() {
    let world = World::new().await;
    world.user(ANN);
    let end = world.signed_in(&[("loginHint", ANN)]).await;
    assert!(
        end.as_str()
            .starts_with(&format!("{RETURN_URL}&status=success")),
        "{end}"
    );
    assert_eq!(
        parameter(&end, "state").as_deref(),
        Some("the application's")
    );
    let answer = world
        .exchange(&world.replica.application(), &code_of(&end))
        .await;
    let account = crate::world::Account::of(&answer, &world.replica);
    assert_eq!(account.subjects().await, ["hello"]);
    let view = account.view().await;
    assert_eq!(
        (&view["email"], &view["tokenStatus"]),
        (&ANN.into(), &"active".into())
    );
    assert_eq!(view["authScopes"], serde_json::json!(["Mail.All"]));
    for field in [
        "authNativeScopes",
        "authObtainedAt",
        "authExpiresAt",
        "budget",
    ] {
        assert!(!view[field].is_null(), "{field}: {view}");
    }
    world.assert_correct();
}

#[tokio::test]
async fn what_goes_to_the_provider_is_what_it_needs_and_no_secret() {
    let world = World::new().await;
    world.user(ANN);
    let mut browser = Browser::new();
    let page = browser
        .get(world.authorize_url(&[("loginHint", ANN), ("nativeScopes", "extra.scope")]))
        .await;
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    let cookie = page.header("set-cookie");
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    let provider = page.location();
    assert_eq!(
        parameter(&provider, "code_challenge_method").as_deref(),
        Some("S256")
    );
    assert_eq!(parameter(&provider, "login_hint").as_deref(), Some(ANN));
    assert!(
        parameter(&provider, "scope")
            .unwrap()
            .ends_with(" extra.scope")
    );
    // 256 bits in base64url
    assert!(parameter(&provider, "state").unwrap().len() >= 43);
    assert!(!provider.as_str().contains("secret") && !provider.as_str().contains("app.example"));
}

#[tokio::test]
async fn a01_a_callback_without_a_state_or_with_a_forged_one_is_refused() {
    let world = World::new().await;
    world.user(ANN);
    let mut browser = Browser::new();
    let callback = world.consented(&mut browser, &[]).await;
    for state in [
        None,
        Some(""),
        Some("forged"),
        Some(&*"A".repeat(43)),
        Some("\u{0}; x=y"),
    ] {
        assert_refused(&browser.get(with(&callback, "state", state)).await, 400);
    }
    // what was forged ended nothing
    assert_eq!(browser.get(&callback).await.status, 303);
}

#[tokio::test]
async fn a01_a_callback_in_another_browser_is_refused_and_leaves_the_sign_in() {
    let world = World::new().await;
    world.user(ANN);
    let (mut ann, mut mallory) = (Browser::new(), Browser::new());
    let callback = world.consented(&mut ann, &[]).await;
    // one without any cookie, and one with that of a sign-in of its own
    assert_refused(&Browser::new().get(&callback).await, 400);
    let own = world.consented(&mut mallory, &[]).await;
    assert_refused(&mallory.get(&callback).await, 400);
    // nor does somebody else's code fit a state of one's own
    let mixed = with(&own, "state", parameter(&callback, "state").as_deref());
    assert_refused(&mallory.get(mixed).await, 400);
    code_of(&ann.get(&callback).await.location());
}

#[tokio::test]
async fn a01_a_callback_is_taken_once() {
    let world = World::new().await;
    world.user(ANN);
    let mut browser = Browser::new();
    let callback = world.consented(&mut browser, &[]).await;
    let mut again = browser.clone();
    code_of(&browser.get(&callback).await.location());
    assert_refused(&again.get(&callback).await, 400);
    let exchanges = world.oauth.requests().into_iter();
    let exchanges = exchanges.filter(|one| one.path == "/token").count();
    assert_eq!(exchanges, 1, "the provider is not asked again");
}

#[tokio::test]
async fn a01_a_sign_in_ends_after_ten_minutes() {
    let world = World::new().await;
    world.user(ANN);
    let mut browser = Browser::new();
    let early = world.consented(&mut browser, &[]).await;
    world.clock.advance(590);
    code_of(&browser.get(&early).await.location());
    let late = world.consented(&mut browser, &[]).await;
    world.clock.advance(601);
    assert_refused(&browser.get(&late).await, 400);
}

#[tokio::test]
async fn a01_a_provider_that_returns_another_state_is_not_believed() {
    let world = World::new().await;
    world.user(ANN);
    world.oauth.set(|settings| settings.wrong_state = true);
    let mut browser = Browser::new();
    let callback = world.consented(&mut browser, &[]).await;
    assert_refused(&browser.get(&callback).await, 400);
}

#[tokio::test]
async fn a02_a_code_gives_one_token_and_ends_it_when_it_comes_again() {
    let world = World::new().await;
    world.user(ANN);
    let code = code_of(&world.signed_in(&[]).await);
    let application = world.replica.application();
    let first = world.exchange(&application, &code).await;
    let account = crate::world::Account::of(&first, &world.replica);
    assert_eq!(account.get("/v1/account").await.status, 200);
    let again = world.exchange(&application, &code).await;
    assert_eq!((again.status, again.code()), (404, "notFound"));
    let ended = account.get("/v1/account").await;
    assert_eq!((ended.status, ended.code()), (401, "unauthorized"));
}

#[tokio::test]
async fn a02_a_code_of_another_application_is_unknown_and_stays_good() {
    let world = World::new().await;
    world.user(ANN);
    let code = code_of(&world.signed_in(&[]).await);
    for wrong in [&*code, "forged", &"A".repeat(43), "..%2f"] {
        let refused = world.exchange(&world.replica.other(), wrong).await;
        assert_eq!((refused.status, refused.code()), (404, "notFound"));
    }
    let good = world.exchange(&world.replica.application(), &code).await;
    assert_eq!(good.status, 200, "{}", good.told());
    // GET is the old twin
    let code = code_of(&world.signed_in(&[]).await);
    let call = Call::get("/v1/auth/token/{code}").with("code", code);
    let good = world.replica.application().call(call).await.unwrap();
    assert_eq!(good.status, 200, "{}", good.told());
}

#[tokio::test]
async fn a02_a_code_ends_after_ten_minutes() {
    let world = World::new().await;
    world.user(ANN);
    let code = code_of(&world.signed_in(&[]).await);
    world.clock.advance(601);
    let late = world.exchange(&world.replica.application(), &code).await;
    assert_eq!((late.status, late.code()), (404, "notFound"));
}

#[tokio::test]
async fn a02_an_answer_of_another_issuer_is_refused() {
    let expecting = |issuer: &str| {
        let plugin = IssuerPlugin::new(issuer);
        let registry = email_provider::ProviderRegistry::default().register(plugin);
        World::on(polypost_tests::StoreKind::Sqlite, registry)
    };
    let world = expecting("https://accounts.example").await;
    world.user(ANN);
    let end = world.signed_in(&[]).await;
    assert_eq!(error_of(&end), "invalid_request");
    let asked = world
        .oauth
        .requests()
        .into_iter()
        .any(|one| one.path == "/token");
    assert!(!asked, "its code is not exchanged");
}

#[tokio::test]
async fn a03_a_return_address_is_the_registered_one_letter_by_letter() {
    let world = World::new().await;
    world.user(ANN);
    let registered = RETURN_URL;
    for url in [
        "",
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "http://app.example@evil.example/return?x=%20y",
        "http://app.example.evil.example/return?x=%20y",
        "http://app.example:81/return?x=%20y",
        "https://app.example/return?x=%20y",
        "http://app.example/return",
        "http://app.example/return?x= y",
        "http://app.example/return?x=%20y&next=//evil.example",
        "http://app.example/return?x=%20y#fragment",
        "http://app.example/return/../evil?x=%20y",
        "http://app.example/%2f%2fevil.example",
        "HTTP://app.example/return?x=%20y",
        " http://app.example/return?x=%20y",
        "http://app.example/return?x=%20y\r\nLocation: https://evil.example",
        OTHER_URL,
    ] {
        assert_ne!(url, registered);
        let page = Browser::new()
            .get(world.authorize_url(&[("returnUrl", url)]))
            .await;
        assert_refused(&page, 400);
    }
    // and of this application: another one's address is none of its own
    for (client, url) in [
        (OTHER.0, RETURN_URL),
        ("nobody", RETURN_URL),
        (CLIENT_ID, OTHER_URL),
    ] {
        let url = world.authorize_url(&[("clientId", client), ("returnUrl", url)]);
        assert_refused(&Browser::new().get(url).await, 400);
    }
}

#[tokio::test]
async fn a03_what_a_callback_says_of_a_return_address_is_nothing() {
    let world = World::new().await;
    world.user(ANN);
    let mut browser = Browser::new();
    let callback = world.consented(&mut browser, &[]).await;
    let callback = with(&callback, "returnUrl", Some("https://evil.example"));
    let end = browser.get(callback).await.location();
    assert!(end.as_str().starts_with(RETURN_URL), "{end}");
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_told_to_the_application() {
    let world = World::new().await;
    for (name, value, error) in [
        ("serviceType", "Nothing", "invalid_request"),
        ("scopes", "Mail.Everything", "invalid_scope"),
        ("nativeScopes", "with\"quote", "invalid_scope"),
        ("responseType", "id_token", "unsupported_response_type"),
        ("responseType", "token", "unauthorized_client"),
        ("accountId", "4711", "invalid_request"),
        ("accountId", "x", "invalid_request"),
        ("ensureScopes", "perhaps", "invalid_request"),
        ("loginHint", "a\u{7}b", "invalid_request"),
    ] {
        let page = Browser::new()
            .get(world.authorize_url(&[(name, value)]))
            .await;
        assert_eq!(page.status, 303, "{name}: {page:?}");
        assert_eq!(error_of(&page.location()), error, "{name}");
    }
    assert!(world.oauth.requests().is_empty());
}

#[tokio::test]
async fn a_user_who_declines_and_a_provider_that_fails_are_told_apart() {
    let world = World::new().await;
    world.user(ANN);
    world.oauth.set(|settings| settings.deny = true);
    assert_eq!(error_of(&world.signed_in(&[]).await), "access_denied");
    world.oauth.set(|settings| settings.deny = false);
    world.oauth.set(|settings| settings.fail_with = Some(503));
    assert_eq!(
        error_of(&world.signed_in(&[]).await),
        "temporarily_unavailable"
    );
    world.oauth.set(|settings| settings.fail_with = None);
    world.oauth.set(|settings| settings.invalid_grant = true);
    assert_eq!(error_of(&world.signed_in(&[]).await), "server_error");
    world.oauth.set(|settings| settings.invalid_grant = false);
    world.oauth.set(|settings| settings.broken_json = true);
    assert_eq!(
        error_of(&world.signed_in(&[]).await),
        "temporarily_unavailable"
    );
}

#[tokio::test]
async fn a_token_is_returned_at_once_only_where_the_operator_allows_it() {
    let world = World::new().await;
    world.user(ANN);
    let end = world
        .signed_in(&[
            ("clientId", OTHER.0),
            ("returnUrl", OTHER_URL),
            ("responseType", "token"),
        ])
        .await;
    assert_eq!(parameter(&end, "code"), None);
    let token = parameter(&end, "accessToken").unwrap();
    let api = world.replica.with_token(&token);
    let view = api.call(Call::get("/v1/account")).await.unwrap();
    assert_eq!(
        view.json["id"].to_string(),
        parameter(&end, "accountId").unwrap()
    );
}

#[tokio::test]
async fn credentials_that_the_application_holds_need_no_browser() {
    let world = World::new().await;
    world.user(ANN);
    let scopes = ["https://mail.google.com/", "openid", "email"];
    let issued = world.oauth.issue(crate::world::AT_PROVIDER.0, ANN, &scopes);
    let expired = "2020-01-01T00:00:00Z";
    for credentials in [
        serde_json::json!({ "authString2": issued.refresh_token }),
        serde_json::json!({
            "authString1": "long gone", "authString2": issued.refresh_token, "authExpiresAt": expired,
        }),
        serde_json::json!({ "authString1": "long gone", "authString2": issued.refresh_token }),
        serde_json::json!({ "authString1": issued.access_token }),
    ] {
        let mut body = credentials.clone();
        body["serviceType"] = "Google".into();
        body["active"] = true.into();
        let call = Call::post("/v1/am/accounts").json(body);
        let saved = world.replica.application().call(call).await.unwrap();
        let account = crate::world::Account::of(&saved, &world.replica);
        assert_eq!(account.subjects().await, ["hello"], "{credentials}");
        assert_eq!(account.view().await["email"], ANN);
    }
    // the mailbox is shown a token that is long gone, the authorisation server nothing that is wrong
    assert_eq!(world.oauth.violations(), []);
}
