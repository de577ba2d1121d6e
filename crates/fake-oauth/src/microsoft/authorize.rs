//! The consent page, which answers at once.

use std::collections::BTreeSet;

use url::Url;

use super::{admits, is_tenant, resources, short};
use crate::authorize::signed_in;
use crate::reply::Reply;
use crate::state::{Code, State, random};

/// What this vendor documents for the endpoint.
const PARAMETERS: [&str; 14] = [
    "client_id",
    "response_type",
    "redirect_uri",
    "scope",
    "response_mode",
    "state",
    "prompt",
    "login_hint",
    "domain_hint",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "claims",
    "client_info",
];
const PROMPTS: [&str; 4] = ["login", "none", "consent", "select_account"];
const CODE_LIFETIME_MS: i64 = 600_000;

/// `error` and its description.
type Refusal = (&'static str, &'static str);

/// Sends the browser back, or shows an error page where the redirect URI is not the client's own.
pub(crate) fn authorize(
    state: &mut State,
    tenant: &str,
    now_ms: i64,
    parameters: &[(String, String)],
) -> Reply {
    let get = |name: &str| {
        parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    if let Some((name, _)) = parameters
        .iter()
        .find(|(name, _)| !PARAMETERS.contains(&name.as_str()))
    {
        return Reply::page(400, &format!("unknown parameter {name}"));
    }
    if !is_tenant(tenant) {
        return Reply::page(400, "AADSTS90002: Tenant not found.");
    }
    let client_id = get("client_id").unwrap_or_default();
    let Some(client) = state.clients.get(client_id) else {
        return Reply::page(400, "AADSTS700016: Application was not found.");
    };
    let redirect_uri = get("redirect_uri").unwrap_or_default();
    let known = client.redirect_uris.iter().any(|uri| uri == redirect_uri);
    let (true, Ok(mut target)) = (known, Url::parse(redirect_uri)) else {
        return Reply::page(400, "AADSTS50011: The redirect URI does not match.");
    };
    if state
        .settings
        .single_tenant
        .as_ref()
        .is_some_and(|single| single != tenant)
    {
        return Reply::page(400, "AADSTS50194: Application is not a multi-tenant one.");
    }
    let answer = decide(state, tenant, client_id, redirect_uri, now_ms, &get);
    {
        let mut query = target.query_pairs_mut();
        match &answer {
            Ok(code) => {
                query.append_pair("code", code);
            }
            Err((error, description)) => {
                query.append_pair("error", error);
                query.append_pair("error_description", description);
            }
        }
        if let Some(sent) = get("state") {
            let wrong = state.settings.wrong_state;
            query.append_pair("state", if wrong { "another-state" } else { sent });
        }
        query.append_pair("session_state", "e0ad2b0c-3a5f-4b8a-9c4e-7f1f0f6f2d3a");
    }
    let reply = Reply::redirect(target.as_str());
    match answer {
        Err((error, _)) if error == "invalid_request" || error == "invalid_scope" => {
            reply.violation(error)
        }
        _ => reply,
    }
}

fn decide<'a>(
    state: &mut State,
    tenant: &str,
    client: &str,
    redirect_uri: &str,
    now_ms: i64,
    get: &dyn Fn(&str) -> Option<&'a str>,
) -> Result<String, Refusal> {
    let invalid = ("invalid_request", "AADSTS900144: The request is not valid.");
    if get("response_type") != Some("code")
        || !matches!(get("response_mode"), None | Some("query"))
        || get("prompt").is_some_and(|prompt| !PROMPTS.contains(&prompt))
    {
        return Err(invalid);
    }
    let asked = get("scope").unwrap_or_default();
    if asked.is_empty() {
        return Err(invalid);
    }
    if resources(asked).len() > 1 {
        let message = "AADSTS28000: Provided value for the input parameter scope is not valid because it contains more than one resource.";
        return Err(("invalid_scope", message));
    }
    let challenge = match (get("code_challenge"), get("code_challenge_method")) {
        (None, None) => None,
        // Base64url of 32 octets has 43 characters (RFC 7636 §4.2).
        (Some(challenge), Some("S256")) if challenge.len() == 43 => Some(challenge.to_owned()),
        _ => return Err(invalid),
    };
    let declined = (
        "access_denied",
        "AADSTS65004: User declined to consent to access the app.",
    );
    let user = signed_in(state, get("login_hint")).ok_or(declined)?;
    if state.settings.deny {
        return Err(declined);
    }
    if !admits(tenant, state.tenant(&user)) {
        return Err((
            "access_denied",
            "AADSTS50020: User account from another identity provider does not exist in the tenant.",
        ));
    }
    let mut scopes: BTreeSet<String> = asked
        .split_ascii_whitespace()
        .map(|scope| short(scope).to_owned())
        .collect();
    scopes.retain(|scope| !state.settings.unticked_scopes.contains(scope));
    let code = random("1.A");
    let issued = Code {
        client: client.to_owned(),
        user,
        redirect_uri: redirect_uri.to_owned(),
        offline: scopes.contains("offline_access"),
        scopes,
        challenge,
        nonce: get("nonce").map(str::to_owned),
        expires_ms: now_ms + CODE_LIFETIME_MS,
        used_for: None,
    };
    state.codes.insert(code.clone(), issued);
    Ok(code)
}
