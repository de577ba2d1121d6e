//! A client of the API that believes nothing: every answer is held against the OpenAPI document and the conventions.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use serde_json::Value;

use crate::Spec;

/// How a call signs in.
#[derive(Debug, Clone)]
pub enum Auth {
    /// Not at all.
    None,
    /// With an account token.
    Bearer(String),
    /// As an application, for one of its accounts or for none.
    Basic {
        /// The application.
        id: String,
        /// Its secret.
        secret: String,
        /// The account.
        account: Option<i64>,
    },
}

/// Why a call has no answer to look at.
#[derive(Debug)]
pub enum Failure {
    /// The gateway could not be reached, or the connection ended before the answer did.
    NoAnswer(String),
    /// The answer breaks the contract. Always a fault of the gateway.
    Violation(String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoAnswer(why) => write!(f, "no answer: {why}"),
            Self::Violation(what) => write!(f, "the answer breaks the contract: {what}"),
        }
    }
}

impl std::error::Error for Failure {}

/// A request in the making.
#[derive(Debug, Clone)]
pub struct Call {
    method: Method,
    template: &'static str,
    parameters: Vec<(&'static str, String)>,
    query: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, String)>,
    body: Option<Value>,
}

impl Call {
    fn new(method: Method, template: &'static str) -> Self {
        Self {
            method,
            template,
            parameters: Vec::new(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// GET of a path as the document writes it: `/v1/email/messages/{messageId}`.
    #[must_use]
    pub fn get(template: &'static str) -> Self {
        Self::new(Method::GET, template)
    }

    /// POST.
    #[must_use]
    pub fn post(template: &'static str) -> Self {
        Self::new(Method::POST, template)
    }

    /// PUT.
    #[must_use]
    pub fn put(template: &'static str) -> Self {
        Self::new(Method::PUT, template)
    }

    /// PATCH.
    #[must_use]
    pub fn patch(template: &'static str) -> Self {
        Self::new(Method::PATCH, template)
    }

    /// DELETE.
    #[must_use]
    pub fn delete(template: &'static str) -> Self {
        Self::new(Method::DELETE, template)
    }

    /// Fills a place of the path; ids need no escaping.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.parameters.push((name, value.to_string()));
        self
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn query(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    fn path(&self) -> String {
        let mut path = self.template.to_owned();
        for (name, value) in &self.parameters {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        path
    }
}

/// An answer that keeps the contract.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What was asked, for messages.
    pub asked: String,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub body: Bytes,
    /// The body parsed; null unless it is JSON.
    pub json: Value,
}

impl Answer {
    /// `code` of an error's body; empty for others.
    #[must_use]
    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    /// A header's text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// `Retry-After`.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let seconds = self.headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
        Some(Duration::from_secs(seconds))
    }

    /// `records` of a page.
    #[must_use]
    pub fn records(&self) -> &[Value] {
        self.json["records"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The answer in a line or two, for messages.
    #[must_use]
    pub fn told(&self) -> String {
        let body = String::from_utf8_lossy(&self.body);
        let short: String = body.chars().take(2_000).collect();
        format!("{} -> {} {short}", self.asked, self.status)
    }
}

/// A client.
#[derive(Debug, Clone)]
pub struct Api {
    http: reqwest::Client,
    base: String,
    auth: Auth,
    spec: Arc<Spec>,
}

impl Api {
    /// A client of the gateway at `base`, such as `http://127.0.0.1:8080`.
    ///
    /// # Panics
    /// When the HTTP client cannot be made.
    #[must_use]
    pub fn new(base: &str, auth: Auth) -> Self {
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let http = reqwest::Client::builder()
            .no_proxy()
            .tls_built_in_root_certs(false)
            .timeout(Duration::from_secs(90))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("an HTTP client");
        Self {
            http,
            base: base.to_owned(),
            auth,
            spec: Spec::shared(),
        }
    }

    /// The same client signed in otherwise.
    #[must_use]
    pub fn signed_in(&self, auth: Auth) -> Self {
        Self {
            auth,
            ..self.clone()
        }
    }

    /// The same client of another gateway.
    #[must_use]
    pub fn moved_to(&self, base: &str) -> Self {
        Self {
            base: base.to_owned(),
            ..self.clone()
        }
    }

    /// Where the gateway is.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Sends a request and judges the answer.
    ///
    /// # Errors
    /// When there is no answer, or one that breaks the contract.
    pub async fn call(&self, call: Call) -> Result<Answer, Failure> {
        let path = call.path();
        let mut request = self
            .http
            .request(call.method.clone(), format!("{}{path}", self.base));
        let query: Vec<_> = call.query.iter().map(|(n, v)| (*n, v.as_str())).collect();
        if !query.is_empty() {
            request = request.query(&query);
        }
        request = match &self.auth {
            Auth::None => request,
            Auth::Bearer(token) => request.bearer_auth(token),
            Auth::Basic {
                id,
                secret,
                account,
            } => {
                let request = request.basic_auth(id, Some(secret));
                match account {
                    Some(account) => request.header("X-Aurinko-Account-Id", account.to_string()),
                    None => request,
                }
            }
        };
        for (name, value) in &call.headers {
            let value = HeaderValue::from_str(value).expect("a header value");
            request = request.header(HeaderName::from_static(name), value);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        } else if call.method == Method::POST {
            request = request.header("content-length", "0");
        }
        let shown: Vec<_> = query.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let asked = format!("{} {path}?{}", call.method, shown.join("&"));
        let no_answer = |error: reqwest::Error| Failure::NoAnswer(format!("{asked}: {error:?}"));
        let response = request.send().await.map_err(no_answer)?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.bytes().await.map_err(no_answer)?;
        let mut answer = Answer {
            asked,
            status,
            headers,
            body,
            json: Value::Null,
        };
        match self.judge(&call, &mut answer) {
            Ok(()) => Ok(answer),
            Err(what) => Err(Failure::Violation(format!("{what:#}\n{}", answer.told()))),
        }
    }

    fn judge(&self, call: &Call, answer: &mut Answer) -> anyhow::Result<()> {
        let media = answer.headers.get(CONTENT_TYPE);
        let media = media.and_then(|value| value.to_str().ok());
        if media.is_some_and(|media| media.starts_with("application/json")) {
            answer.json = serde_json::from_slice(&answer.body)?;
        }
        anyhow::ensure!(answer.status != 500, "status 500");
        let json = (!answer.json.is_null()).then_some(&answer.json);
        let method = call.method.as_str();
        self.spec
            .check(call.template, method, answer.status, media, json)?;
        anyhow::ensure!(
            !holds_null(&answer.json) || answer.json.is_null(),
            "a value is null"
        );
        if answer.status >= 400 {
            check_error(answer)?;
        }
        Ok(())
    }
}

/// The statuses, each with the codes that the contract gives it; an empty list leaves the code open.
const CODES: [(u16, &[&str]); 14] = [
    (400, &["badRequest", "token.notValid"]),
    (401, &["unauthorized", "token.dead", "token.refresh.failed"]),
    (403, &["forbidden"]),
    (404, &["notFound"]),
    (408, &["requestTimeout"]),
    (409, &["conflict"]),
    (410, &["syncToken.expired"]),
    (413, &["tooLarge"]),
    (415, &["unsupportedMediaType"]),
    (422, &["unprocessable"]),
    (429, &["rateLimited"]),
    (501, &["notSupported"]),
    (502, &["provider.error", "send.unconfirmed"]),
    (503, &["provider.unavailable", "mailbox.unavailable"]),
];

fn check_error(answer: &Answer) -> anyhow::Result<()> {
    let (_, codes) = CODES
        .iter()
        .find(|(status, _)| *status == answer.status)
        .ok_or_else(|| anyhow::anyhow!("the contract has no status {}", answer.status))?;
    let code = answer.code();
    anyhow::ensure!(
        codes.contains(&code),
        "status {} with code {code:?}",
        answer.status
    );
    for field in ["message", "requestId"] {
        anyhow::ensure!(answer.json[field].is_string(), "an error without {field}");
    }
    if matches!(answer.status, 408 | 429 | 503) {
        anyhow::ensure!(
            answer.retry_after().is_some(),
            "status {} without Retry-After",
            answer.status
        );
    }
    Ok(())
}

/// Absent values are left out, never null.
fn holds_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.iter().any(holds_null),
        Value::Object(members) => members.values().any(holds_null),
        _ => false,
    }
}
