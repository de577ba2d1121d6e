//! The token and revocation endpoints (RFC 6749 §4.1.3, §6; RFC 7009).

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::authorize::join;
use crate::reply::Reply;
use crate::signing::SigningKey;
use crate::state::{Code, State};

/// What a token request is judged by.
pub(crate) struct TokenRequest<'a> {
    pub issuer: &'a str,
    pub key: &'a SigningKey,
    pub now_ms: i64,
    pub authorization: Option<&'a str>,
    pub form: &'a [(String, String)],
}

impl TokenRequest<'_> {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.form
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

pub(crate) fn token(state: &mut State, request: &TokenRequest<'_>) -> Reply {
    let mut names: Vec<&str> = request.form.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return error(400, "invalid_request", "Parameter given twice").violation("repeated");
    }
    let client = match authenticate(state, request) {
        Ok(client) => client,
        Err(reply) => return reply,
    };
    if state.settings.invalid_grant {
        let mut body = json!({"error": "invalid_grant", "error_description": "Bad Request"});
        if let Some(subtype) = &state.settings.invalid_grant_subtype {
            body["error_subtype"] = json!(subtype);
        }
        return Reply::json(400, &body);
    }
    match request.get("grant_type") {
        Some("authorization_code") => exchange(state, request, &client),
        Some("refresh_token") => refresh(state, request, &client),
        _ => error(400, "unsupported_grant_type", "Invalid grant_type").violation("grant_type"),
    }
}

/// The client by `client_secret_basic` or `client_secret_post` (RFC 6749 §2.3.1), but not both.
fn authenticate(state: &State, request: &TokenRequest<'_>) -> Result<String, Reply> {
    let refused = |why: &str| error(401, "invalid_client", "Unauthorized").violation(why);
    let basic = match request.authorization {
        None => None,
        Some(header) => Some(basic_credentials(header).ok_or_else(|| refused("authorization"))?),
    };
    if basic.is_some() && request.get("client_secret").is_some() {
        return Err(
            error(400, "invalid_request", "Two ways of authentication").violation("two secrets")
        );
    }
    let (id, secret) = match basic {
        Some((id, secret)) => (id, Some(secret)),
        None => (
            request.get("client_id").unwrap_or_default().to_owned(),
            request.get("client_secret").map(str::to_owned),
        ),
    };
    let client = state
        .clients
        .get(&id)
        .ok_or_else(|| refused("unknown client"))?;
    if client.secret != secret {
        return Err(refused("wrong secret"));
    }
    Ok(id)
}

pub(crate) fn basic_credentials(header: &str) -> Option<(String, String)> {
    let decoded = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    let unescape = |text: &str| {
        url::form_urlencoded::parse(format!("v={text}").as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
    };
    Some((unescape(id)?, unescape(secret)?))
}

fn exchange(state: &mut State, request: &TokenRequest<'_>, client: &str) -> Reply {
    let name = request.get("code").unwrap_or_default();
    let Some(code) = state.codes.get(name).cloned() else {
        return invalid_grant("Malformed auth code.").violation("unknown code");
    };
    if let Some(grant) = code.used_for {
        // RFC 6749 §4.1.2: a code used twice takes the tokens of its first use with it.
        state.revoke(grant);
        return invalid_grant("Bad Request").violation("code used twice");
    }
    if code.client != client {
        return invalid_grant("Bad Request").violation("code of another client");
    }
    if code.expires_ms <= request.now_ms {
        return invalid_grant("Bad Request");
    }
    if request.get("redirect_uri") != Some(&code.redirect_uri) {
        return error(400, "redirect_uri_mismatch", "Bad Request").violation("redirect_uri");
    }
    if let Err(problem) = verify_pkce(&code, request.get("code_verifier")) {
        return invalid_grant(problem).violation(problem);
    }
    let grant = state.add_grant(client, &code.user, code.scopes.clone());
    if let Some(code) = state.codes.get_mut(name) {
        code.used_for = Some(grant);
    }
    let (access, seconds) = state.add_access(grant, code.scopes.clone(), request.now_ms);
    let mut body = json!({
        "access_token": access,
        "expires_in": seconds,
        "scope": join(&code.scopes),
        "token_type": "Bearer",
    });
    if code.offline {
        body["refresh_token"] = json!(state.add_refresh(grant));
    }
    if code.scopes.contains("openid") {
        body["id_token"] = json!(request.key.sign(&id_claims(state, request, &code, client)));
    }
    Reply::json(200, &body)
}

/// RFC 7636 §4.6.
pub(crate) fn verify_pkce(code: &Code, verifier: Option<&str>) -> Result<(), &'static str> {
    match (&code.challenge, verifier) {
        (None, None) => Ok(()),
        (Some(_), None) => Err("Missing code verifier."),
        (None, Some(_)) => Err("code_verifier or verifier is not needed."),
        (Some(_), Some(verifier)) if !(43..=128).contains(&verifier.len()) => {
            Err("Invalid code verifier.")
        }
        (Some(challenge), Some(verifier)) => {
            let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
            (&hash == challenge)
                .then_some(())
                .ok_or("Invalid code verifier.")
        }
    }
}

fn id_claims(state: &State, request: &TokenRequest<'_>, code: &Code, client: &str) -> Value {
    let mut claims = json!({
        "iss": request.issuer,
        "aud": client,
        "azp": client,
        "sub": state.subject(&code.user),
        "iat": request.now_ms / 1000,
        "exp": request.now_ms / 1000 + 3600,
    });
    if code.scopes.iter().any(|scope| scope.ends_with("email")) {
        claims["email"] = json!(code.user);
        claims["email_verified"] = json!(true);
    }
    if let Some(nonce) = &code.nonce {
        claims["nonce"] = json!(nonce);
    }
    claims
}

fn refresh(state: &mut State, request: &TokenRequest<'_>, client: &str) -> Reply {
    let name = request.get("refresh_token").unwrap_or_default();
    let expired = || invalid_grant("Token has been expired or revoked.");
    let Some(token) = state.refresh.get(name).cloned() else {
        return expired().violation("unknown refresh token");
    };
    let Some(grant) = state.grants.get(&token.grant).cloned() else {
        return expired();
    };
    if grant.client != client {
        return expired().violation("refresh token of another client");
    }
    if grant.revoked {
        return expired();
    }
    if token.spent {
        state.revoke(token.grant);
        return expired().violation("spent refresh token used again");
    }
    let scopes: BTreeSet<String> = match request.get("scope") {
        None => grant.scopes,
        Some(asked) => {
            let asked: BTreeSet<String> =
                asked.split_ascii_whitespace().map(str::to_owned).collect();
            if !asked.is_subset(&grant.scopes) {
                return error(400, "invalid_scope", "Bad Request").violation("wider scope");
            }
            asked
        }
    };
    let (access, seconds) = state.add_access(token.grant, scopes.clone(), request.now_ms);
    let mut body = json!({
        "access_token": access,
        "expires_in": seconds,
        "scope": join(&scopes),
        "token_type": "Bearer",
    });
    if state.settings.rotate_refresh_tokens {
        if let Some(token) = state.refresh.get_mut(name) {
            token.spent = true;
        }
        body["refresh_token"] = json!(state.add_refresh(token.grant));
    }
    Reply::json(200, &body)
}

/// RFC 7009 §2.1: either token takes the whole grant with it.
pub(crate) fn revoke(state: &mut State, parameters: &[(String, String)]) -> Reply {
    let Some((_, token)) = parameters.iter().find(|(name, _)| name == "token") else {
        return error(400, "invalid_request", "Missing required parameter: token")
            .violation("no token");
    };
    let refresh = state.refresh.get(token).map(|found| found.grant);
    let grant = refresh.or_else(|| state.access.get(token).map(|found| found.grant));
    match grant {
        Some(grant) if state.grants.get(&grant).is_some_and(|found| !found.revoked) => {
            state.revoke(grant);
            Reply::json(200, &json!({}))
        }
        _ => error(400, "invalid_token", "Token expired or revoked"),
    }
}

fn invalid_grant(description: &str) -> Reply {
    error(400, "invalid_grant", description)
}

fn error(status: u16, error: &str, description: &str) -> Reply {
    Reply::json(
        status,
        &json!({"error": error, "error_description": description}),
    )
}
