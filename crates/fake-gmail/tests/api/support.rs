//! A server with one user, and a client that speaks JSON.

use fake_gmail::{FakeGmail, User, scopes};
use fake_oauth::FakeOAuth;
use reqwest::Method;
use serde_json::Value;

pub const ALICE: &str = "alice@test.local";
pub const DAY_MS: i64 = 86_400_000;
/// 2024-03-01T12:00:00Z.
pub const NOON_MS: i64 = 1_709_294_400_000;

pub struct Api {
    pub gmail: FakeGmail,
    pub oauth: FakeOAuth,
    pub alice: User,
    pub token: String,
    pub http: reqwest::Client,
}

/// An answer: status and body, null where it is not JSON.
pub struct Reply {
    pub status: u16,
    pub body: Value,
}

impl Api {
    pub async fn start() -> Self {
        Self::with_scopes(&[scopes::FULL]).await
    }

    pub async fn with_scopes(scopes: &[&str]) -> Self {
        let oauth = FakeOAuth::start().await.expect("a port");
        let gmail = FakeGmail::start(&oauth).await.expect("a port");
        let alice = gmail.user(ALICE);
        let token = gmail.token(ALICE, scopes);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client");
        Self {
            gmail,
            oauth,
            alice,
            token,
            http,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}/gmail/v1/users/me/{path}", self.gmail.url())
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, self.url(path))
            .bearer_auth(&self.token)
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        let text = response.text().await.expect("a whole answer");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Reply { status, body }
    }

    pub async fn get(&self, path: &str) -> Value {
        let reply = self.send(self.request(Method::GET, path)).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        reply.body
    }

    pub async fn status(&self, path: &str) -> u16 {
        self.send(self.request(Method::GET, path)).await.status
    }

    pub async fn call(&self, method: Method, path: &str, body: Value) -> Reply {
        let request = self
            .request(method, path)
            .header("content-type", "application/json")
            .body(body.to_string());
        self.send(request).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let reply = self.call(Method::POST, path, body).await;
        assert!(reply.status < 300, "{path}: {}", reply.body);
        reply.body
    }

    pub fn append(&self, subject: &str, labels: &[&str]) -> String {
        self.alice.append(&mail(subject), labels, NOON_MS)
    }

    /// All pages of a list.
    pub async fn all(&self, path: &str, name: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = match &token {
                None => path.to_owned(),
                Some(token) => format!("{path}&pageToken={token}"),
            };
            let page = self.get(&page).await;
            items.extend(page[name].as_array().cloned().unwrap_or_default());
            match page["nextPageToken"].as_str() {
                Some(next) => token = Some(next.to_owned()),
                None => return items,
            }
        }
    }

    pub fn assert_no_violations(&self) {
        assert_eq!(self.gmail.violations(), []);
    }
}

/// A small message.
pub fn mail(subject: &str) -> Vec<u8> {
    let id = subject.replace(' ', "-");
    format!(
        "From: Bob <bob@test.local>\r\nTo: alice@test.local\r\nSubject: {subject}\r\n\
         Message-ID: <{id}@test.local>\r\nDate: Fri, 1 Mar 2024 12:00:00 +0000\r\n\r\nAbout {subject}.\r\n"
    )
    .into_bytes()
}

/// The ids in a list's items.
pub fn ids(items: &[Value]) -> Vec<String> {
    items
        .iter()
        .map(|item| item["id"].as_str().expect("an id").to_owned())
        .collect()
}

pub fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

/// Sends octets as they are and gives all that comes back.
#[expect(
    clippy::disallowed_methods,
    reason = "the server under test is on loopback, which the gateway's own dialer refuses"
)]
pub async fn raw_request(api: &Api, request: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let url = api.gmail.url();
    let address = url.strip_prefix("http://").expect("plain HTTP");
    let mut stream = tokio::net::TcpStream::connect(address)
        .await
        .expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    // The end of the connection may be an error after what came before it.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}
