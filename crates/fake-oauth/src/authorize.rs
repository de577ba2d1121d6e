//! The consent page, which answers at once (RFC 6749 §4.1.1; Google's "OAuth 2.0 for Web Server Applications").

use std::collections::BTreeSet;

use url::Url;

use crate::reply::Reply;
use crate::state::{Code, State, random};

/// What this vendor documents for the endpoint.
const PARAMETERS: [&str; 15] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "access_type",
    "prompt",
    "login_hint",
    "include_granted_scopes",
    "enable_granular_consent",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "hd",
    "hl",
];
const CODE_LIFETIME_MS: i64 = 600_000;

/// Sends the browser back, or shows an error page where the redirect URI is not the client's own.
pub(crate) fn authorize(
    state: &mut State,
    issuer: &str,
    now_ms: i64,
    parameters: &[(String, String)],
) -> Reply {
    let get = |name: &str| {
        parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    for (name, _) in parameters {
        if !PARAMETERS.contains(&name.as_str()) {
            return Reply::page(400, &format!("invalid_request: unknown parameter {name}"));
        }
    }
    let client_id = get("client_id").unwrap_or_default();
    let Some(client) = state.clients.get(client_id) else {
        return Reply::page(401, "invalid_client: The OAuth client was not found.");
    };
    let redirect_uri = get("redirect_uri").unwrap_or_default();
    let known = client.redirect_uris.iter().any(|uri| uri == redirect_uri);
    let (true, Ok(mut target)) = (known, Url::parse(redirect_uri)) else {
        return Reply::page(400, "redirect_uri_mismatch");
    };
    let answer = decide(state, client_id, redirect_uri, now_ms, &get);
    {
        let mut query = target.query_pairs_mut();
        if let Some(sent) = get("state") {
            let returned = if state.settings.wrong_state {
                "another-state"
            } else {
                sent
            };
            query.append_pair("state", returned);
        }
        query.append_pair("iss", issuer);
        match &answer {
            Ok((code, scopes)) => {
                query.append_pair("code", code);
                query.append_pair("scope", &join(scopes));
                query.append_pair("authuser", "0");
                query.append_pair("prompt", get("prompt").unwrap_or("none"));
            }
            Err(error) => {
                query.append_pair("error", error);
            }
        }
    }
    let reply = Reply::redirect(target.as_str());
    match answer {
        Err(error) if error != "access_denied" => reply.violation(error),
        _ => reply,
    }
}

fn decide<'a>(
    state: &mut State,
    client: &str,
    redirect_uri: &str,
    now_ms: i64,
    get: &dyn Fn(&str) -> Option<&'a str>,
) -> Result<(String, BTreeSet<String>), &'static str> {
    if get("response_type") != Some("code") {
        return Err("unsupported_response_type");
    }
    let asked: BTreeSet<String> = get("scope")
        .unwrap_or_default()
        .split_ascii_whitespace()
        .map(str::to_owned)
        .collect();
    if asked.is_empty() {
        return Err("invalid_scope");
    }
    let challenge = match (get("code_challenge"), get("code_challenge_method")) {
        (None, None) => None,
        // Base64url of 32 octets has 43 characters (RFC 7636 §4.2).
        (Some(challenge), Some("S256")) if challenge.len() == 43 => Some(challenge.to_owned()),
        _ => return Err("invalid_request"),
    };
    if !matches!(get("access_type"), None | Some("online" | "offline")) {
        return Err("invalid_request");
    }
    let prompts: Vec<&str> = get("prompt").unwrap_or_default().split(' ').collect();
    let user = signed_in(state, get("login_hint")).ok_or("access_denied")?;
    if state.settings.deny {
        return Err("access_denied");
    }
    let mut scopes = asked;
    scopes.retain(|scope| !state.settings.unticked_scopes.contains(scope));
    let first = !state.has_grant(client, &user);
    if get("include_granted_scopes") == Some("true") {
        scopes.extend(state.granted_scopes(client, &user));
    }
    let code = random("4/");
    let issued = Code {
        client: client.to_owned(),
        user,
        redirect_uri: redirect_uri.to_owned(),
        scopes: scopes.clone(),
        challenge,
        nonce: get("nonce").map(str::to_owned),
        // A refresh token comes with the first consent only, unless consent is asked for again.
        offline: get("access_type") == Some("offline") && (first || prompts.contains(&"consent")),
        expires_ms: now_ms + CODE_LIFETIME_MS,
        used_for: None,
    };
    state.codes.insert(code.clone(), issued);
    Ok((code, scopes))
}

pub(crate) fn signed_in(state: &State, hint: Option<&str>) -> Option<String> {
    let find = |wanted: &str| {
        state
            .users
            .iter()
            .find(|user| user.eq_ignore_ascii_case(wanted))
            .cloned()
    };
    if let Some(forced) = &state.settings.sign_in_as {
        return find(forced);
    }
    hint.and_then(find).or_else(|| state.users.first().cloned())
}

pub(crate) fn join(scopes: &BTreeSet<String>) -> String {
    scopes
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(" ")
}
