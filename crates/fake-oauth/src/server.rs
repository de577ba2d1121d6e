//! The routes, the faults, and the record of every request.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State as Shared;
use axum::http::{HeaderMap, Method, Response, Uri, header};
use futures::stream;
use serde_json::json;

use crate::authorize::{authorize, join};
use crate::clock::TestClock;
use crate::microsoft;
use crate::record::{RecordedRequest, Violation};
use crate::reply::Reply;
use crate::settings::OAuthSettings;
use crate::signing::SigningKey;
use crate::state::State;
use crate::token::{TokenRequest, revoke, token};

pub(crate) struct Inner {
    pub clock: TestClock,
    pub key: SigningKey,
    pub state: Mutex<State>,
}

impl Inner {
    pub fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn router(inner: Arc<Inner>) -> Router {
    Router::new().fallback(answer).with_state(inner)
}

async fn answer(
    Shared(inner): Shared<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let settings = inner.state().settings.clone();
    let back_channel = matches!(uri.path(), "/token" | "/revoke")
        || is_userinfo(uri.path())
        || uri.path().ends_with("/oauth2/v2.0/token");
    if back_channel && settings.delay > Duration::ZERO {
        tokio::time::sleep(settings.delay).await;
    }
    let mut parameters: Vec<(String, String)> = pairs(uri.query().unwrap_or_default().as_bytes());
    if is_form(&headers) {
        parameters.extend(pairs(&body));
    }
    let failing = settings.fail_with.filter(|_| back_channel);
    let mut reply = match failing {
        Some(status) => Reply::json(status, &json!({"error": "internal_failure"})),
        None => route(&inner, &method, &uri, &headers, &parameters),
    };
    {
        let mut state = inner.state();
        state.requests.push(RecordedRequest {
            at_ms: inner.clock.now_ms(),
            method: method.to_string(),
            path: uri.path().to_owned(),
            parameters,
            status: reply.status,
        });
        if let Some(problem) = reply.violation.take() {
            let request = format!("{method} {}", uri.path());
            state.violations.push(Violation { request, problem });
        }
    }
    if back_channel {
        spoil(reply, &settings)
    } else {
        reply.into_response()
    }
}

fn route(
    inner: &Inner,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    parameters: &[(String, String)],
) -> Reply {
    let issuer = issuer(headers);
    let now_ms = inner.clock.now_ms();
    let authorization = text(headers, header::AUTHORIZATION.as_str());
    let mut state = inner.state();
    if let Some((tenant, endpoint)) = microsoft::endpoint(uri.path()) {
        return match (method.as_str(), endpoint) {
            ("GET", "oauth2/v2.0/authorize") => {
                microsoft::authorize(&mut state, tenant, now_ms, parameters)
            }
            ("POST", "oauth2/v2.0/token") if uri.query().is_none() && is_form(headers) => {
                let request = TokenRequest {
                    issuer: &issuer,
                    key: &inner.key,
                    now_ms,
                    authorization,
                    form: parameters,
                };
                microsoft::token(&mut state, tenant, &request)
            }
            ("GET", "discovery/v2.0/keys") => Reply::json(200, &inner.key.key_set()),
            ("GET", "v2.0/.well-known/openid-configuration") => {
                Reply::json(200, &microsoft::discovery(&issuer, tenant))
            }
            _ => Reply::json(400, &json!({"error": "invalid_request"})).violation("no form"),
        };
    }
    match (method.as_str(), uri.path()) {
        ("GET", "/o/oauth2/v2/auth" | "/authorize") => {
            authorize(&mut state, &issuer, now_ms, parameters)
        }
        ("POST", "/token") if uri.query().is_some() || !is_form(headers) => {
            Reply::json(400, &json!({"error": "invalid_request"})).violation("no form")
        }
        ("POST", "/token") => {
            let request = TokenRequest {
                issuer: &issuer,
                key: &inner.key,
                now_ms,
                authorization,
                form: parameters,
            };
            token(&mut state, &request)
        }
        ("POST", "/revoke") => revoke(&mut state, parameters),
        ("GET" | "POST", path) if is_userinfo(path) => userinfo(&state, now_ms, authorization),
        ("GET", "/oauth2/v3/certs") => Reply::json(200, &inner.key.key_set()),
        ("GET", "/.well-known/openid-configuration") => Reply::json(200, &discovery(&issuer)),
        (_, path) => Reply::page(404, &format!("no such page: {path}")),
    }
}

fn userinfo(state: &State, now_ms: i64, authorization: Option<&str>) -> Reply {
    let token = authorization.and_then(|header| header.strip_prefix("Bearer "));
    let found = token.and_then(|token| state.access.get(token));
    let live = found
        .filter(|access| access.expires_ms > now_ms)
        .and_then(|access| {
            let grant = state.grants.get(&access.grant)?;
            (!grant.revoked).then_some((access, grant))
        });
    let Some((access, grant)) = live else {
        let body = json!({"error": "invalid_request", "error_description": "Invalid Credentials"});
        return Reply::json(401, &body);
    };
    let mut body = json!({"sub": state.subject(&grant.user)});
    let scopes = join(&access.scopes);
    let has = |wanted: &str| {
        scopes
            .split(' ')
            .any(|scope| scope == wanted || scope.ends_with(&format!("/userinfo.{wanted}")))
    };
    if has("email") {
        body["email"] = json!(grant.user);
        body["email_verified"] = json!(true);
    }
    if has("profile") {
        body["name"] = json!(grant.user.split('@').next());
    }
    Reply::json(200, &body)
}

fn discovery(issuer: &str) -> serde_json::Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/o/oauth2/v2/auth"),
        "token_endpoint": format!("{issuer}/token"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "userinfo_endpoint": format!("{issuer}/v1/userinfo"),
        "jwks_uri": format!("{issuer}/oauth2/v3/certs"),
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "id_token_signing_alg_values_supported": ["RS256"],
    })
}

fn spoil(mut reply: Reply, settings: &OAuthSettings) -> Response<Body> {
    if settings.broken_json && reply.status == 200 {
        reply.body.truncate(reply.body.len() / 2);
    }
    let response = reply.into_response();
    if settings.lose_answers {
        let (mut parts, _) = response.into_parts();
        parts.headers.insert(header::CONTENT_LENGTH, 4096.into());
        let lost = stream::once(async { Err::<Bytes, _>(io::Error::other("the answer is lost")) });
        return Response::from_parts(parts, Body::from_stream(lost));
    }
    response
}

fn is_userinfo(path: &str) -> bool {
    matches!(path, "/v1/userinfo" | "/oauth2/v3/userinfo" | "/userinfo")
}

fn is_form(headers: &HeaderMap) -> bool {
    text(headers, header::CONTENT_TYPE.as_str())
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
}

fn issuer(headers: &HeaderMap) -> String {
    format!("http://{}", text(headers, "host").unwrap_or_default())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(encoded).into_owned().collect()
}
