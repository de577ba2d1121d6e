//! The token endpoint: refresh tokens are replaced at every use, and the old ones stay good for a while.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Aadsts, is_tenant, resources, short};
use crate::authorize::join;
use crate::reply::Reply;
use crate::state::State;
use crate::token::{TokenRequest, basic_credentials, verify_pkce};

pub(crate) fn token(state: &mut State, tenant: &str, request: &TokenRequest<'_>) -> Reply {
    if !is_tenant(tenant) {
        return Aadsts::new(400, "invalid_request", 90002)
            .reply("Tenant not found.")
            .violation("tenant");
    }
    let mut names: Vec<&str> = request.form.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Aadsts::new(400, "invalid_request", 90100)
            .reply("A parameter is given twice.")
            .violation("repeated");
    }
    let client = match authenticate(state, request) {
        Ok(client) => client,
        Err(reply) => return reply,
    };
    if let Some(error) = &state.settings.aadsts {
        return error.reply("The request is refused on demand.");
    }
    if state.settings.invalid_grant {
        return Aadsts::invalid_grant(70000)
            .reply("The provided value for the grant is not valid.");
    }
    match request.get("grant_type") {
        Some("authorization_code") => exchange(state, request, &client),
        Some("refresh_token") => refresh(state, request, &client),
        _ => Aadsts::new(400, "unsupported_grant_type", 70003)
            .reply("The app requested an unsupported grant type.")
            .violation("grant_type"),
    }
}

fn authenticate(state: &State, request: &TokenRequest<'_>) -> Result<String, Reply> {
    let refused = |status: u16, code: u32, why: &str| {
        Aadsts::new(status, "invalid_client", code)
            .reply(why)
            .violation(why)
    };
    let basic = request.authorization.and_then(basic_credentials);
    let (id, secret) = match basic {
        Some((id, secret)) => (id, Some(secret)),
        None => (
            request.get("client_id").unwrap_or_default().to_owned(),
            request.get("client_secret").map(str::to_owned),
        ),
    };
    let client = state.clients.get(&id).ok_or_else(|| {
        Aadsts::new(400, "unauthorized_client", 700_016)
            .reply("Application was not found in the directory.")
            .violation("unknown client")
    })?;
    match (&client.secret, &secret) {
        (Some(_), None) => Err(refused(
            401,
            7_000_218,
            "The request body must contain client_secret.",
        )),
        (None, Some(_)) => Err(refused(
            401,
            700_025,
            "Client is public so client_secret must not be presented.",
        )),
        (known, given) if known != given => {
            Err(refused(401, 7_000_215, "Invalid client secret provided."))
        }
        _ => Ok(id),
    }
}

fn exchange(state: &mut State, request: &TokenRequest<'_>, client: &str) -> Reply {
    let name = request.get("code").unwrap_or_default();
    let Some(code) = state.codes.get(name).cloned() else {
        return Aadsts::new(400, "invalid_grant", 9_002_313)
            .reply("Invalid request. Request is malformed or invalid.")
            .violation("unknown code");
    };
    if code.used_for.is_some() {
        return Aadsts::invalid_grant(54005)
            .reply("OAuth2 Authorization code was already redeemed.")
            .violation("code used twice");
    }
    if code.client != client {
        return Aadsts::invalid_grant(700_005)
            .reply("Provided Authorization Code is intended to use against other tenant or client.")
            .violation("code of another client");
    }
    if code.expires_ms <= request.now_ms {
        return Aadsts::invalid_grant(70008).reply("The provided authorization code has expired.");
    }
    if request.get("redirect_uri") != Some(&code.redirect_uri) {
        return Aadsts::invalid_grant(500_112)
            .reply("The reply address does not match the one that was used for the code.")
            .violation("redirect_uri");
    }
    if let Err(problem) = verify_pkce(&code, request.get("code_verifier")) {
        return Aadsts::invalid_grant(501_481)
            .reply("The Code_Verifier does not match the code_challenge supplied in the authorization request.")
            .violation(problem);
    }
    let grant = state.add_grant(client, &code.user, code.scopes.clone());
    if let Some(code) = state.codes.get_mut(name) {
        code.used_for = Some(grant);
    }
    give(state, request, grant, &code.scopes, code.nonce.as_deref())
}

fn refresh(state: &mut State, request: &TokenRequest<'_>, client: &str) -> Reply {
    let name = request.get("refresh_token").unwrap_or_default();
    let Some(token) = state.refresh.get(name).cloned() else {
        return Aadsts::new(400, "invalid_grant", 9_002_313)
            .reply("Invalid request. Request is malformed or invalid.")
            .violation("unknown refresh token");
    };
    let Some(grant) = state.grants.get(&token.grant).cloned() else {
        return Aadsts::invalid_grant(70000).reply("The grant is not valid.");
    };
    if grant.client != client {
        return Aadsts::invalid_grant(700_005)
            .reply("The refresh token was issued to another client.")
            .violation("refresh token of another client");
    }
    if grant.revoked {
        return Aadsts::invalid_grant(50173).suberror("bad_token").reply(
            "The provided grant has expired due to it being revoked, a fresh auth token is needed.",
        );
    }
    let mut scopes = grant.scopes.clone();
    if let Some(asked) = request.get("scope") {
        let asked_short: BTreeSet<String> = asked
            .split_ascii_whitespace()
            .map(|scope| short(scope).to_owned())
            .collect();
        if resources(asked).len() > 1 {
            return Aadsts::new(400, "invalid_scope", 28000)
                .reply("The scope contains more than one resource.")
                .violation("two resources");
        }
        if !asked_short.is_subset(&grant.scopes) {
            return Aadsts::invalid_grant(65001)
                .suberror("consent_required")
                .reply("The user or administrator has not consented to use the application.");
        }
        scopes = asked_short;
    }
    give(state, request, token.grant, &scopes, None)
}

/// The answer with tokens. `offline_access` is not among the scopes that it names.
fn give(
    state: &mut State,
    request: &TokenRequest<'_>,
    grant: u64,
    scopes: &BTreeSet<String>,
    nonce: Option<&str>,
) -> Reply {
    let (access, seconds) = state.add_access(grant, scopes.clone(), request.now_ms);
    let mut named = scopes.clone();
    let offline = named.remove("offline_access");
    let mut body = json!({
        "token_type": "Bearer",
        "scope": join(&named),
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "access_token": access,
    });
    if offline {
        body["refresh_token"] = json!(state.add_refresh(grant));
    }
    if scopes.contains("openid") {
        let claims = claims(state, request, grant, scopes, nonce);
        body["id_token"] = json!(request.key.sign(&claims));
    }
    Reply::json(200, &body)
}

/// "ID token claims reference": who the user is, is `oid` with `tid`; addresses change hands.
fn claims(
    state: &State,
    request: &TokenRequest<'_>,
    grant: u64,
    scopes: &BTreeSet<String>,
    nonce: Option<&str>,
) -> Value {
    let Some(grant) = state.grants.get(&grant) else {
        return Value::Null;
    };
    let user = &grant.user;
    let tenant = state.tenant(user);
    let now = request.now_ms / 1000;
    let mut claims = json!({
        "ver": "2.0",
        "iss": format!("{}/{tenant}/v2.0", request.issuer),
        "aud": grant.client,
        "sub": state.subject(user).map(|subject| format!("AAAA{subject}-{}", grant.client)),
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "tid": tenant,
    });
    if scopes.contains("profile") {
        claims["oid"] = json!(state.object_id(user));
        claims["name"] = json!(user.split('@').next());
        claims["preferred_username"] = json!(user);
    }
    if scopes.contains("email") {
        claims["email"] = json!(user);
    }
    if let Some(nonce) = nonce {
        claims["nonce"] = json!(nonce);
    }
    claims
}
