//! Accounts connected by OAuth: <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow>.

use email_provider::{
    ConnectContext, SignInError,
    oauth::{Access, OAuthClient, OAuthPlugin, Refusal, TokenRefusal},
};

use crate::{config::Config, plugin::GraphPlugin};

/// Read and change mail; drafts among it.
const READ_WRITE: &str = "Mail.ReadWrite";
const READ: &str = "Mail.Read";
const SEND: &str = "Mail.Send";
/// Whose mailbox it is, and a refresh token. Names without an address are those of the cloud that is asked.
const BESIDE: [&str; 5] = ["User.Read", "offline_access", "openid", "profile", "email"];

/// Codes of refused refreshes after which only the user can make another grant
/// (<https://learn.microsoft.com/entra/identity-platform/reference-error-codes>): a password that was changed, a session
/// that was ended, a token that is too old, a consent that is missing, a user who is gone.
const ENDED: [u32; 19] = [
    50_034, 50_057, 50_078, 50_089, 50_132, 50_133, 50_144, 50_173, 65_001, 65_004, 70_000, 70_008,
    70_043, 700_003, 700_081, 700_082, 700_084, 700_005, 7_000_014,
];
/// Codes after which the user, an administrator or the operator has to do something, and the grant may be good then: a
/// second factor, a rule of the organization, a registration that is wrong.
const NOT_ALLOWED: [u32; 31] = [
    28_000, 50_005, 50_011, 50_020, 50_055, 50_072, 50_074, 50_076, 50_079, 50_097, 50_105, 50_131,
    50_158, 50_194, 53_000, 53_001, 53_002, 53_003, 53_004, 54_005, 70_011, 90_002, 90_094, 90_095,
    500_011, 530_003, 700_016, 700_025, 700_027, 7_000_215, 7_000_222,
];
/// Codes that pass: too many requests of one kind, servers that cannot.
const PASSING: [u32; 5] = [50_196, 90_024, 90_033, 90_055, 1_000_031];

/// The vendor's own code, at the beginning of the description.
fn code(description: &str) -> Option<u32> {
    let (_, rest) = description.split_once("AADSTS")?;
    let digits: String = rest
        .chars()
        .take_while(char::is_ascii_digit)
        .take(9)
        .collect();
    digits.parse().ok()
}

impl OAuthPlugin for GraphPlugin {
    fn client(&self, context: &ConnectContext) -> Result<OAuthClient, SignInError> {
        let config = Config::of(context)?;
        let client_id = config.client_id.clone().filter(|id| !id.is_empty());
        let client_id = client_id.ok_or_else(|| {
            let what = "client_id of the Microsoft backend is not configured";
            SignInError::Invalid(what.to_owned())
        })?;
        Ok(OAuthClient {
            authorize_url: config.login("authorize"),
            token_url: config.login("token"),
            // Grants are ended by the user or an administrator.
            revoke_url: None,
            issuer: None,
            client_id,
            client_secret: config.client_secret,
            // Who is signed in to several accounts is asked which one it is about.
            authorize_parameters: vec![
                ("response_mode", "query".to_owned()),
                ("prompt", "select_account".to_owned()),
            ],
        })
    }

    /// The least that gives the access.
    fn native_scopes(&self, access: Access) -> Vec<String> {
        let mut scopes = Vec::new();
        if access.intersects(Access::MODIFY | Access::DRAFTS) {
            scopes.push(READ_WRITE);
        } else if access.contains(Access::READ) {
            scopes.push(READ);
        }
        if access.contains(Access::SEND) {
            scopes.push(SEND);
        }
        scopes.extend(BESIDE);
        scopes.into_iter().map(str::to_owned).collect()
    }

    /// Scopes are told with the address of the API before them or without, in any case.
    fn access_of(&self, native_scopes: &[String]) -> Access {
        let access = native_scopes.iter().map(|scope| {
            let name = scope.rsplit('/').next().unwrap_or_default();
            let is = |known: &str| name.eq_ignore_ascii_case(known);
            match () {
                () if is(READ_WRITE) => Access::READ | Access::MODIFY | Access::DRAFTS,
                () if is(READ) => Access::READ,
                () if is(SEND) => Access::SEND,
                () => Access::empty(),
            }
        });
        access.fold(Access::empty(), Access::union)
    }

    /// Most refusals are an `invalid_grant`; the vendor's own code says which of them end the grant.
    fn refusal(&self, error: &TokenRefusal) -> Refusal {
        match code(&error.description) {
            Some(code) if PASSING.contains(&code) => return Refusal::Passing,
            Some(code) if NOT_ALLOWED.contains(&code) => return Refusal::NotAllowed,
            Some(code) if ENDED.contains(&code) => return Refusal::GrantEnded,
            _ => {}
        }
        match error.code.as_str() {
            "invalid_grant" => Refusal::GrantEnded,
            "invalid_client"
            | "unauthorized_client"
            | "invalid_scope"
            | "invalid_request"
            | "unsupported_grant_type"
            | "invalid_resource"
            | "interaction_required"
            | "consent_required"
            | "login_required"
            | "access_denied" => Refusal::NotAllowed,
            _ => Refusal::Passing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::tests::context;

    fn refusal(code: &str, description: &str) -> Refusal {
        GraphPlugin::default().refusal(&TokenRefusal {
            code: code.to_owned(),
            description: description.to_owned(),
        })
    }

    #[test]
    fn the_vendors_own_codes_tell_what_a_refusal_means() {
        for (error, code, meaning) in [
            ("invalid_grant", 50_173, Refusal::GrantEnded),
            ("invalid_grant", 700_082, Refusal::GrantEnded),
            ("invalid_grant", 50_078, Refusal::GrantEnded),
            ("invalid_grant", 65_001, Refusal::GrantEnded),
            ("invalid_grant", 70_008, Refusal::GrantEnded),
            ("invalid_grant", 50_057, Refusal::GrantEnded),
            ("invalid_grant", 99_999, Refusal::GrantEnded),
            ("invalid_grant", 50_076, Refusal::NotAllowed),
            ("interaction_required", 53_003, Refusal::NotAllowed),
            ("invalid_client", 7_000_215, Refusal::NotAllowed),
            ("invalid_client", 7_000_222, Refusal::NotAllowed),
            ("unauthorized_client", 700_016, Refusal::NotAllowed),
            ("invalid_grant", 90_033, Refusal::Passing),
            ("invalid_grant", 50_196, Refusal::Passing),
            ("temporarily_unavailable", 90_033, Refusal::Passing),
        ] {
            let description = format!("AADSTS{code}: Something. Trace ID: 1");
            assert_eq!(refusal(error, &description), meaning, "{error} {code}");
        }
    }

    #[test]
    fn without_a_code_the_error_itself_counts() {
        assert_eq!(refusal("invalid_grant", ""), Refusal::GrantEnded);
        assert_eq!(refusal("consent_required", "x"), Refusal::NotAllowed);
        assert_eq!(refusal("server_error", "AADSTS"), Refusal::Passing);
        assert_eq!(
            refusal("server_error", "AADSTS99999999999999999"),
            Refusal::Passing
        );
    }

    #[test]
    fn the_scopes_asked_for_give_the_access_and_no_more_than_needed() {
        let plugin = GraphPlugin::default();
        for bits in 1..16 {
            let access = Access::from_bits(bits).unwrap();
            let scopes = plugin.native_scopes(access);
            assert!(plugin.access_of(&scopes).contains(access), "{access:?}");
            assert!(scopes.iter().any(|scope| scope == "offline_access"));
        }
        let only_reading = plugin.native_scopes(Access::READ);
        assert!(
            only_reading.contains(&READ.to_owned())
                && !only_reading.contains(&READ_WRITE.to_owned())
        );
        let granted = [
            "https://graph.microsoft.us/mail.read".to_owned(),
            "openid".to_owned(),
        ];
        assert_eq!(plugin.access_of(&granted), Access::READ);
        assert_eq!(
            plugin.access_of(&["Mail.ReadBasic".to_owned()]),
            Access::empty()
        );
    }

    #[test]
    fn users_are_sent_to_the_tenant_and_cloud_that_are_configured() {
        let plugin = GraphPlugin::default();
        assert!(
            plugin.client(&context(serde_json::Value::Null)).is_err(),
            "no client id"
        );
        let section = serde_json::json!({"client_id": "c"});
        let client = plugin.client(&context(section)).unwrap();
        assert_eq!(
            client.authorize_url.as_str(),
            "https://login.microsoftonline.com/common/oauth2/v2.0/authorize"
        );
        let section = serde_json::json!({
            "client_id": "c",
            "client_secret": "s",
            "tenant": "72f988bf-86f1-41af-91ab-2d7cd011db47",
            "login_url": "https://login.partner.microsoftonline.cn/",
        });
        let client = plugin.client(&context(section)).unwrap();
        assert_eq!(
            client.token_url.as_str(),
            "https://login.partner.microsoftonline.cn/72f988bf-86f1-41af-91ab-2d7cd011db47/oauth2/v2.0/token"
        );
        assert!(client.client_secret.is_some() && client.revoke_url.is_none());
    }
}
