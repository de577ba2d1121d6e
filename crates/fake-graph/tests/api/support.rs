//! A server with one user, and a client that speaks JSON.

use fake_graph::{FakeGraph, User, scopes};
use fake_oauth::FakeOAuth;
use reqwest::Method;
use serde_json::{Value, json};

pub const ALICE: &str = "alice@test.local";
/// 2024-03-01T12:00:00Z.
pub const NOON_MS: i64 = 1_709_294_400_000;
pub const HOUR_MS: i64 = 3_600_000;

pub struct Api {
    pub graph: FakeGraph,
    pub oauth: FakeOAuth,
    pub alice: User,
    pub token: String,
    pub http: reqwest::Client,
    /// Ask for immutable ids.
    pub immutable: bool,
}

/// An answer: status, headers and body, null where it is not JSON.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Reply {
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }
}

impl Api {
    pub async fn start() -> Self {
        Self::with_scopes(&[
            scopes::MAIL_READ_WRITE,
            scopes::MAIL_SEND,
            scopes::USER_READ,
            scopes::MAILBOX_SETTINGS_READ_WRITE,
        ])
        .await
    }

    pub async fn with_scopes(scopes: &[&str]) -> Self {
        let oauth = FakeOAuth::start().await.expect("a port");
        let graph = FakeGraph::start(&oauth).await.expect("a port");
        let alice = graph.user(ALICE);
        let token = graph.token(ALICE, scopes);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client");
        Self {
            graph,
            oauth,
            alice,
            token,
            http,
            immutable: true,
        }
    }

    /// A path after `/v1.0`, or a link.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}/v1.0{path}", self.graph.url())
        };
        let request = self.http.request(method, url).bearer_auth(&self.token);
        if self.immutable {
            request.header("prefer", "IdType=\"ImmutableId\"")
        } else {
            request
        }
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await.expect("a whole answer");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Reply {
            status,
            headers,
            body,
            text,
        }
    }

    pub async fn try_get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn get(&self, path: &str) -> Value {
        let reply = self.try_get(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        reply.body
    }

    pub async fn call(&self, method: Method, path: &str, body: Value) -> Reply {
        let request = self.request(method, path);
        let request = if body.is_null() {
            request
        } else {
            request
                .header("content-type", "application/json")
                .body(body.to_string())
        };
        self.send(request).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let reply = self.call(Method::POST, path, body).await;
        assert!(reply.status < 300, "{path}: {}", reply.text);
        reply.body
    }

    pub async fn patch(&self, path: &str, body: Value) -> Value {
        let reply = self.call(Method::PATCH, path, body).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        reply.body
    }

    pub async fn delete(&self, path: &str) {
        let reply = self.call(Method::DELETE, path, Value::Null).await;
        assert_eq!(reply.status, 204, "{path}: {}", reply.text);
    }

    pub async fn batch(&self, requests: Value) -> Reply {
        self.call(Method::POST, "/$batch", json!({"requests": requests}))
            .await
    }

    pub fn append(&self, subject: &str, folder: &str) -> String {
        self.alice.append(&mail(subject), folder, NOON_MS)
    }

    /// One round of a delta: its items and the link of the next.
    pub async fn round(&self, path: &str) -> (Vec<Value>, String) {
        let mut items = Vec::new();
        let mut at = path.to_owned();
        loop {
            let page = self.get(&at).await;
            items.extend(page["value"].as_array().cloned().unwrap_or_default());
            if let Some(link) = page["@odata.deltaLink"].as_str() {
                return (items, link.to_owned());
            }
            at = text(&page["@odata.nextLink"]).to_owned();
        }
    }

    /// All pages of a list.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut at = path.to_owned();
        loop {
            let page = self.get(&at).await;
            items.extend(page["value"].as_array().cloned().unwrap_or_default());
            match page["@odata.nextLink"].as_str() {
                Some(next) => at = next.to_owned(),
                None => return items,
            }
        }
    }

    pub fn assert_no_violations(&self) {
        assert_eq!(self.graph.violations(), []);
    }

    /// The problems of the requests since the last call.
    pub fn problems(&self) -> Vec<String> {
        let problems = self
            .graph
            .violations()
            .into_iter()
            .map(|violation| violation.problem)
            .collect();
        self.graph.clear_violations();
        problems
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

/// The ids of items.
pub fn ids(items: &[Value]) -> Vec<String> {
    items
        .iter()
        .map(|item| text(&item["id"]).to_owned())
        .collect()
}

/// The ids of items that are said to be gone.
pub fn removed(items: &[Value]) -> Vec<String> {
    let gone: Vec<Value> = items
        .iter()
        .filter(|item| item.get("@removed").is_some())
        .cloned()
        .collect();
    ids(&gone)
}

pub fn subjects(items: &[Value]) -> Vec<&str> {
    items
        .iter()
        .map(|item| item["subject"].as_str().unwrap_or("-"))
        .collect()
}

pub fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}
