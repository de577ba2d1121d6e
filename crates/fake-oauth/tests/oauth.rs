//! The server as a client sees it.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use fake_oauth::{FakeOAuth, TokenProblem};
use reqwest::redirect::Policy;
use ring::digest::{SHA256, digest};
use serde_json::Value;
use url::Url;

const ALICE: &str = "alice@test.local";
const REDIRECT: &str = "https://gateway.test/callback";
const VERIFIER: &str = "a-verifier-of-more-than-forty-three-characters-";

struct Client {
    oauth: FakeOAuth,
    http: reqwest::Client,
}

impl Client {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let oauth = FakeOAuth::start().await.expect("a port");
        oauth.add_client("app", Some("se:cret"), &[REDIRECT]);
        oauth.add_user(ALICE);
        oauth.add_user("bob@test.local");
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .build()
            .expect("a client");
        Self { oauth, http }
    }

    /// The parameters that the browser comes back with.
    async fn consent(&self, more: &[(&str, &str)]) -> Vec<(String, String)> {
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
        let mut url = Url::parse(&self.oauth.authorize_url()).expect("a URL");
        url.query_pairs_mut()
            .append_pair("client_id", "app")
            .append_pair("redirect_uri", REDIRECT)
            .append_pair("response_type", "code")
            .append_pair("scope", "openid email mail")
            .append_pair("state", "st=1&2")
            .append_pair("access_type", "offline")
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .extend_pairs(more);
        let response = self.http.get(url).send().await.expect("an answer");
        assert_eq!(response.status(), 302);
        let location = response.headers()["location"].to_str().expect("text");
        assert!(location.starts_with(REDIRECT), "{location}");
        let location = Url::parse(location).expect("a URL");
        location.query_pairs().into_owned().collect()
    }

    async fn token(&self, form: &[(&str, &str)]) -> (u16, Value) {
        let credentials = STANDARD.encode("app:se%3Acret");
        let request = self
            .http
            .post(self.oauth.token_url())
            .header("authorization", format!("Basic {credentials}"))
            .form(form);
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        let text = response.text().await.expect("a whole answer");
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn exchange(&self, code: &str) -> (u16, Value) {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ])
        .await
    }

    async fn refresh(&self, token: &str) -> (u16, Value) {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)])
            .await
    }

    async fn sign_in(&self, more: &[(&str, &str)]) -> Value {
        let back = self.consent(more).await;
        let (status, tokens) = self.exchange(get(&back, "code")).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    }
}

fn get<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    pairs
        .iter()
        .find(|(key, _)| key == name)
        .map_or("", |(_, value)| value)
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

#[tokio::test]
async fn a_consent_gives_tokens_for_the_user() {
    let client = Client::start().await;
    let back = client.consent(&[("login_hint", "bob@test.local")]).await;
    assert_eq!(get(&back, "state"), "st=1&2");
    assert_eq!(get(&back, "scope"), "email mail openid");
    assert_eq!(get(&back, "iss"), client.oauth.url());
    let (_, tokens) = client.exchange(get(&back, "code")).await;
    assert_eq!(tokens["expires_in"], 3599);
    let owner = client.oauth.check(text(&tokens["access_token"])).unwrap();
    assert_eq!(owner.user, "bob@test.local");
    assert!(owner.scopes.contains("mail"));
    let claims = text(&tokens["id_token"]).split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(claims["email"], "bob@test.local");
    let info = client
        .http
        .get(client.oauth.userinfo_url())
        .bearer_auth(text(&tokens["access_token"]))
        .send()
        .await
        .unwrap();
    let info: Value = serde_json::from_str(&info.text().await.unwrap()).unwrap();
    assert_eq!(info["sub"], claims["sub"]);
    assert_eq!(info["email"], "bob@test.local");
    assert_eq!(client.oauth.violations(), []);
    assert_eq!(client.oauth.requests().len(), 3);
}

#[tokio::test]
async fn a_refresh_token_comes_with_the_first_consent_or_when_asked() {
    let client = Client::start().await;
    assert!(client.sign_in(&[]).await["refresh_token"].is_string());
    assert!(client.sign_in(&[]).await["refresh_token"].is_null());
    let again = client.sign_in(&[("prompt", "consent")]).await;
    assert!(again["refresh_token"].is_string());
    client.oauth.revoke_user(ALICE);
    assert!(client.sign_in(&[]).await["refresh_token"].is_string());
}

#[tokio::test]
async fn a_code_works_once_with_its_verifier_and_redirect_uri() {
    let client = Client::start().await;
    let back = client.consent(&[]).await;
    let code = get(&back, "code");
    let try_with = async |verifier: &str, redirect: &str| {
        client
            .token(&[
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", redirect),
                ("code_verifier", verifier),
            ])
            .await
    };
    let wrong = format!("{VERIFIER}x");
    let (_, answer) = try_with(&wrong, REDIRECT).await;
    assert_eq!(answer["error"], "invalid_grant");
    let (_, answer) = try_with(VERIFIER, "https://gateway.test/other").await;
    assert_eq!(answer["error"], "redirect_uri_mismatch");
    let (status, tokens) = try_with(VERIFIER, REDIRECT).await;
    assert_eq!(status, 200);
    let (_, answer) = try_with(VERIFIER, REDIRECT).await;
    assert_eq!(answer["error"], "invalid_grant");
    let problem = client.oauth.check(text(&tokens["access_token"]));
    assert_eq!(problem, Err(TokenProblem::Revoked));
    assert_eq!(client.oauth.violations().len(), 3);
}

#[tokio::test]
async fn foreign_redirects_and_unknown_clients_get_a_page() {
    let client = Client::start().await;
    for (id, redirect) in [
        ("app", "https://gateway.test/callback/x"),
        ("other", REDIRECT),
    ] {
        let mut url = Url::parse(&client.oauth.authorize_url()).unwrap();
        url.query_pairs_mut()
            .append_pair("client_id", id)
            .append_pair("redirect_uri", redirect)
            .append_pair("response_type", "code")
            .append_pair("scope", "mail");
        let response = client.http.get(url).send().await.unwrap();
        assert!(response.status().is_client_error());
        assert!(response.headers().get("location").is_none());
    }
    assert_eq!(client.oauth.violations().len(), 2);
}

#[tokio::test]
async fn the_user_can_refuse_untick_and_be_somebody_else() {
    let client = Client::start().await;
    client.oauth.set(|settings| settings.deny = true);
    let back = client.consent(&[]).await;
    assert_eq!(get(&back, "error"), "access_denied");
    assert_eq!(get(&back, "code"), "");
    client.oauth.set(|settings| {
        settings.deny = false;
        settings.unticked_scopes = vec!["mail".to_owned()];
        settings.sign_in_as = Some("bob@test.local".to_owned());
    });
    let tokens = client.sign_in(&[("login_hint", ALICE)]).await;
    assert_eq!(tokens["scope"], "email openid");
    let owner = client.oauth.check(text(&tokens["access_token"])).unwrap();
    assert_eq!(owner.user, "bob@test.local");
    client.oauth.set(|settings| settings.wrong_state = true);
    assert_ne!(get(&client.consent(&[]).await, "state"), "st=1&2");
    assert_eq!(client.oauth.violations(), []);
}

#[tokio::test]
async fn refresh_tokens_stay_or_rotate_and_a_replay_ends_the_family() {
    let client = Client::start().await;
    let tokens = client.sign_in(&[]).await;
    let first = text(&tokens["refresh_token"]);
    let (_, answer) = client.refresh(first).await;
    assert!(answer["access_token"].is_string() && answer["refresh_token"].is_null());
    client
        .oauth
        .set(|settings| settings.rotate_refresh_tokens = true);
    let (_, answer) = client.refresh(first).await;
    let second = text(&answer["refresh_token"]);
    let access = text(&answer["access_token"]);
    assert!(client.oauth.check(access).is_ok());
    let (status, answer) = client.refresh(first).await;
    assert_eq!((status, &answer["error"]), (400, &"invalid_grant".into()));
    assert_eq!(client.refresh(second).await.0, 400);
    assert_eq!(client.oauth.check(access), Err(TokenProblem::Revoked));
}

#[tokio::test]
async fn tokens_expire_and_are_revoked() {
    let client = Client::start().await;
    client
        .oauth
        .set(|settings| settings.expires_in = Duration::from_secs(60));
    let tokens = client.sign_in(&[]).await;
    assert_eq!(tokens["expires_in"], 60);
    let access = text(&tokens["access_token"]);
    client.oauth.clock().advance(Duration::from_secs(61));
    assert_eq!(client.oauth.check(access), Err(TokenProblem::Expired));
    assert_eq!(client.oauth.check("x"), Err(TokenProblem::Unknown));
    let refresh = text(&tokens["refresh_token"]);
    let revoke = async || {
        let request = client
            .http
            .post(client.oauth.revoke_url())
            .form(&[("token", refresh)]);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(revoke().await, 200);
    assert_eq!(revoke().await, 400);
    assert_eq!(client.refresh(refresh).await.0, 400);
    assert_eq!(client.oauth.violations(), []);
}

#[tokio::test]
async fn the_secret_goes_in_the_header_or_the_form_but_not_both() {
    let client = Client::start().await;
    let tokens = client.oauth.issue("app", ALICE, &["mail"]);
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh_token.as_str()),
        ("client_id", "app"),
        ("client_secret", "se:cret"),
    ];
    let (status, _) = client.token(&form).await;
    assert_eq!(status, 400);
    let post = async |form: &[(&str, &str)]| {
        let request = client.http.post(client.oauth.token_url()).form(form);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(post(&form).await, 200);
    assert_eq!(post(&form[..3]).await, 401);
    assert_eq!(client.oauth.violations().len(), 2);
}

#[tokio::test]
async fn the_back_channel_fails_on_demand() {
    let client = Client::start().await;
    let tokens = client.oauth.issue("app", ALICE, &["mail"]);
    let refresh = &tokens.refresh_token;
    client.oauth.set(|settings| settings.fail_with = Some(503));
    assert_eq!(client.refresh(refresh).await.0, 503);
    client.oauth.set(|settings| {
        settings.fail_with = None;
        settings.broken_json = true;
    });
    assert_eq!(client.refresh(refresh).await, (200, Value::Null));
    client.oauth.set(|settings| {
        settings.broken_json = false;
        settings.invalid_grant = true;
        settings.invalid_grant_subtype = Some("invalid_rapt".to_owned());
    });
    let (status, answer) = client.refresh(refresh).await;
    assert_eq!((status, &answer["error"]), (400, &"invalid_grant".into()));
    assert_eq!(answer["error_subtype"], "invalid_rapt");
    client.oauth.set(|settings| {
        settings.invalid_grant = false;
        settings.delay = Duration::from_millis(80);
    });
    let before = std::time::Instant::now();
    assert_eq!(client.refresh(refresh).await.0, 200);
    assert!(before.elapsed() >= Duration::from_millis(80));
    assert_eq!(client.oauth.violations(), []);
}

#[tokio::test]
async fn a_lost_answer_has_had_its_effect() {
    let client = Client::start().await;
    let tokens = client.oauth.issue("app", ALICE, &["mail"]);
    client.oauth.set(|settings| {
        settings.rotate_refresh_tokens = true;
        settings.lose_answers = true;
    });
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &tokens.refresh_token),
        ("client_id", "app"),
        ("client_secret", "se:cret"),
    ];
    let request = client.http.post(client.oauth.token_url()).form(&form);
    let lost = match request.send().await {
        Ok(response) => response.text().await.is_err(),
        Err(_) => true,
    };
    assert!(lost);
    client.oauth.set(|settings| settings.lose_answers = false);
    assert_eq!(client.refresh(&tokens.refresh_token).await.0, 400);
}
