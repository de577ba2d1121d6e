//! The endpoints of Microsoft's tenants as a client sees them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fake_oauth::{Aadsts, FakeOAuth};
use reqwest::redirect::Policy;
use ring::digest::{SHA256, digest};
use serde_json::Value;
use url::Url;

const ALICE: &str = "alice@test.local";
const REDIRECT: &str = "https://gateway.test/callback";
const VERIFIER: &str = "a-verifier-of-more-than-forty-three-characters-";
const SCOPES: &str =
    "openid profile email offline_access https://graph.microsoft.com/Mail.ReadWrite User.Read";

struct Client {
    oauth: FakeOAuth,
    http: reqwest::Client,
}

impl Client {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let oauth = FakeOAuth::start().await.expect("a port");
        oauth.add_client("app", Some("secret"), &[REDIRECT]);
        oauth.add_user(ALICE);
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .build()
            .expect("a client");
        Self { oauth, http }
    }

    async fn page(&self, tenant: &str, scope: &str) -> reqwest::Response {
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
        let mut url = Url::parse(&self.oauth.tenant_authorize_url(tenant)).expect("a URL");
        url.query_pairs_mut()
            .append_pair("client_id", "app")
            .append_pair("redirect_uri", REDIRECT)
            .append_pair("response_type", "code")
            .append_pair("scope", scope)
            .append_pair("state", "st")
            .append_pair("nonce", "once")
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        self.http.get(url).send().await.expect("an answer")
    }

    async fn back(&self, tenant: &str, scope: &str) -> Vec<(String, String)> {
        let response = self.page(tenant, scope).await;
        assert_eq!(response.status(), 302);
        let location = response.headers()["location"].to_str().expect("text");
        let location = Url::parse(location).expect("a URL");
        location.query_pairs().into_owned().collect()
    }

    async fn token(&self, form: &[(&str, &str)]) -> (u16, Value) {
        let mut form = form.to_vec();
        form.extend([("client_id", "app"), ("client_secret", "secret")]);
        let request = self
            .http
            .post(self.oauth.tenant_token_url("common"))
            .form(&form);
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
async fn a_consent_gives_tokens_that_name_the_user_and_the_tenant() {
    let client = Client::start().await;
    let back = client.back("common", SCOPES).await;
    assert_eq!(get(&back, "state"), "st");
    let (status, tokens) = client.exchange(get(&back, "code")).await;
    assert_eq!(status, 200);
    assert_eq!(
        tokens["scope"],
        "Mail.ReadWrite User.Read email openid profile"
    );
    let owner = client.oauth.check(text(&tokens["access_token"])).unwrap();
    assert!(owner.scopes.contains("Mail.ReadWrite"));
    let claims = text(&tokens["id_token"]).split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    let (tenant, object) = client.oauth.microsoft_ids(ALICE).unwrap();
    assert_eq!(
        (text(&claims["tid"]), text(&claims["oid"])),
        (tenant.as_str(), object.as_str())
    );
    assert_eq!(
        claims["iss"],
        format!("{}/{tenant}/v2.0", client.oauth.url())
    );
    assert_eq!(
        (&claims["preferred_username"], &claims["nonce"]),
        (&ALICE.into(), &"once".into())
    );
    assert_eq!(client.oauth.violations(), []);
    let (status, again) = client.exchange(get(&back, "code")).await;
    assert_eq!((status, &again["error_codes"][0]), (400, &54005.into()));
}

#[tokio::test]
async fn a_refresh_token_comes_with_offline_access_and_another_at_every_use() {
    let client = Client::start().await;
    let back = client.back("common", "Mail.Read").await;
    assert!(client.exchange(get(&back, "code")).await.1["refresh_token"].is_null());
    let back = client.back("common", SCOPES).await;
    let (_, tokens) = client.exchange(get(&back, "code")).await;
    let first = text(&tokens["refresh_token"]).to_owned();
    let (_, second) = client.refresh(&first).await;
    assert_ne!(second["refresh_token"], first);
    assert_eq!(
        client.refresh(&first).await.0,
        200,
        "the old one stays good"
    );
    let narrow = client
        .token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", &first),
            ("scope", "User.Read offline_access"),
        ])
        .await;
    assert_eq!(narrow.1["scope"], "User.Read");
    let wide = client
        .token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", &first),
            ("scope", "Mail.Send"),
        ])
        .await;
    assert_eq!(
        (wide.0, &wide.1["suberror"]),
        (400, &"consent_required".into())
    );
    client.oauth.revoke_user(ALICE);
    let (status, dead) = client.refresh(&first).await;
    assert_eq!(
        (status, &dead["error"], &dead["error_codes"][0]),
        (400, &"invalid_grant".into(), &50173.into())
    );
    assert!(text(&dead["error_description"]).starts_with("AADSTS50173: "));
    assert_eq!(client.oauth.violations(), []);
}

#[tokio::test]
async fn errors_come_with_their_numbers() {
    let client = Client::start().await;
    let issued = client
        .oauth
        .issue("app", ALICE, &["Mail.Read", "offline_access"]);
    client.oauth.set(|settings| {
        settings.aadsts = Some(Aadsts::invalid_grant(50076).suberror("basic_action"));
    });
    let (status, body) = client.refresh(&issued.refresh_token).await;
    assert_eq!(
        (status, &body["error_codes"][0], &body["suberror"]),
        (400, &50076.into(), &"basic_action".into())
    );
    client.oauth.set(|settings| {
        settings.aadsts = None;
        settings.deny = true;
    });
    let back = client.back("common", SCOPES).await;
    assert_eq!(get(&back, "error"), "access_denied");
    assert!(get(&back, "error_description").starts_with("AADSTS65004"));
    let two = "Mail.Read https://outlook.office.com/IMAP.AccessAsUser.All";
    assert_eq!(
        get(&client.back("common", two).await, "error"),
        "invalid_scope"
    );
    assert_eq!(client.oauth.violations().len(), 1);
}

#[tokio::test]
async fn tenants_admit_their_own_users() {
    let client = Client::start().await;
    client
        .oauth
        .set_tenant(ALICE, "9188040d-6c67-4c5b-b112-36a304b66dad");
    assert_eq!(
        get(&client.back("organizations", SCOPES).await, "error"),
        "access_denied"
    );
    assert_ne!(get(&client.back("consumers", SCOPES).await, "code"), "");
    assert_eq!(client.page("nowhere", SCOPES).await.status(), 400);
    client
        .oauth
        .set(|settings| settings.single_tenant = Some("contoso.test".to_owned()));
    assert_eq!(client.page("common", SCOPES).await.status(), 400);
    let url = format!(
        "{}/common/v2.0/.well-known/openid-configuration",
        client.oauth.url()
    );
    let found = client
        .http
        .get(url)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(
        found["token_endpoint"],
        client.oauth.tenant_token_url("common")
    );
}
