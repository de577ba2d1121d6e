//! The endpoints of the Microsoft identity platform v2.0 ("OAuth 2.0 authorization code flow"), beside those of the other
//! vendor and with the same clients, users and tokens.

mod authorize;
mod errors;
mod token;

use serde_json::{Value, json};

pub(crate) use authorize::authorize;
pub use errors::Aadsts;
pub(crate) use token::token;

use crate::state::State;

/// The tenant of users who have no other.
pub(crate) const TENANT: &str = "84bd8158-6d4d-4958-8b9f-9d6445542f95";
/// The tenant of personal accounts.
pub(crate) const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// An endpoint's path under a tenant, as `/common/oauth2/v2.0/token` is.
pub(crate) fn endpoint(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix('/')?.split_once('/').filter(|(_, rest)| {
        matches!(
            *rest,
            "oauth2/v2.0/authorize"
                | "oauth2/v2.0/token"
                | "discovery/v2.0/keys"
                | "v2.0/.well-known/openid-configuration"
        )
    })
}

/// Whether a name stands for any tenant or for one: a GUID or a domain.
fn is_tenant(name: &str) -> bool {
    let guid = name.len() == 36 && name.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    matches!(name, "common" | "organizations" | "consumers") || guid || name.contains('.')
}

/// Whether users of a tenant may sign in under this name.
fn admits(name: &str, tenant: &str) -> bool {
    match name {
        "common" => true,
        "organizations" => tenant != PERSONAL,
        "consumers" => tenant == PERSONAL,
        // A domain is an organisation's, whichever it is.
        _ if name.contains('.') => tenant != PERSONAL,
        _ => name == tenant,
    }
}

/// A scope without its resource where that is Microsoft Graph, as the vendor's own names are.
fn short(scope: &str) -> &str {
    scope
        .strip_prefix("https://graph.microsoft.com/")
        .unwrap_or(scope)
}

/// The resources of scopes; a token is for one.
fn resources(scopes: &str) -> Vec<&str> {
    const COMMON: [&str; 4] = ["openid", "profile", "email", "offline_access"];
    let mut found: Vec<&str> = scopes
        .split_ascii_whitespace()
        .filter(|scope| !COMMON.contains(scope))
        .map(|scope| match scope.strip_prefix("https://") {
            Some(rest) => rest.split('/').next().unwrap_or(rest),
            None => "graph.microsoft.com",
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

impl State {
    /// The user's tenant.
    pub(crate) fn tenant(&self, user: &str) -> &str {
        self.tenants
            .get(&user.to_lowercase())
            .map_or(TENANT, String::as_str)
    }

    /// The user's object id in the tenant.
    pub(crate) fn object_id(&self, user: &str) -> Option<String> {
        let index = self
            .users
            .iter()
            .position(|known| known.eq_ignore_ascii_case(user))?;
        Some(format!("00000000-0000-4000-8000-{index:012x}"))
    }
}

/// OpenID Connect Discovery §4; the issuer names no tenant where the path does not.
pub(crate) fn discovery(origin: &str, tenant: &str) -> Value {
    let issuer = match tenant {
        "common" | "organizations" => "{tenantid}",
        "consumers" => PERSONAL,
        one => one,
    };
    json!({
        "issuer": format!("{origin}/{issuer}/v2.0"),
        "authorization_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/token"),
        "jwks_uri": format!("{origin}/{tenant}/discovery/v2.0/keys"),
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    })
}
