use chrono::{DateTime, Utc};
use gateway_operations::AccountInput;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    error::{ApiError, ApiResult},
    wire::literals::Scope,
};

/// A mailbox to be connected, by credentials that the client holds.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiAccountInDto {
    /// Service type, one of those that this gateway has a backend for. Required.
    service_type: Option<String>,
    /// The brand behind the service type.
    service_provider: Option<String>,
    /// What the account's tokens are to allow; everything where it is left out.
    #[schema(value_type = Option<Vec<Scope>>)]
    auth_scopes: Option<Vec<String>>,
    /// The provider's organisation id.
    auth_org_id: Option<String>,
    /// The provider's user id.
    auth_user_id: Option<String>,
    /// The client's own organisation id.
    client_org_id: Option<String>,
    /// Reading server: `imaps://host:993`, `imap://host:143` (STARTTLS) or `host[:port]`. Found from
    /// the address where it is left out.
    server_url: Option<String>,
    /// Login name; the address where it is left out.
    login_string: Option<String>,
    /// Accepted, without effect.
    #[expect(
        dead_code,
        reason = "part of the contract's shape, without effect here"
    )]
    oauth_client_id: Option<String>,
    /// Accepts calls; true where it is left out.
    active: Option<bool>,
    /// Access token or password.
    #[schema(value_type = Option<String>, format = Password)]
    auth_string1: Option<SecretString>,
    /// Refresh token.
    #[schema(value_type = Option<String>, format = Password)]
    auth_string2: Option<SecretString>,
    /// Password.
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<SecretString>,
    /// Accepted, without effect.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[expect(
        dead_code,
        reason = "part of the contract's shape, without effect here"
    )]
    auth_obtained_at: Option<String>,
    /// When the access token ends.
    auth_expires_at: Option<DateTime<Utc>>,
    /// Address.
    email: Option<String>,
    /// A second address.
    email2: Option<String>,
    /// Name of its owner.
    name: Option<String>,
    /// The same as `serverUrl2`.
    server_info: Option<String>,
    /// Sending server: `smtps://host:465`, `smtp://host:587` (STARTTLS) or `host[:port]`. Found from
    /// the address where it is left out. Addition.
    server_url2: Option<String>,
    /// IANA name of the time zone.
    timezone: Option<String>,
    /// Whether sent mail is filed by the gateway.
    copy_to_sent: Option<bool>,
    /// Accept a certificate that nobody vouches for, where the operator allows that.
    trust_server: Option<bool>,
    /// The client's own user id; the query parameter of this name wins.
    user_id: Option<String>,
}

impl ApiAccountInDto {
    /// What the operations take; `user_id` is the query's.
    pub(crate) fn into_input(self, user_id: Option<String>) -> ApiResult<AccountInput> {
        let Some(service_type) = given(self.service_type) else {
            return Err(ApiError::bad_request("serviceType is required"));
        };
        let scopes = self.auth_scopes.unwrap_or_default();
        if scopes.iter().any(|name| Scope::named(name).is_none()) {
            return Err(ApiError::bad_request("authScopes: unknown scope"));
        }
        Ok(AccountInput {
            service_type,
            service_provider: given(self.service_provider),
            active: self.active.unwrap_or(true),
            email: given(self.email),
            email2: given(self.email2),
            login: given(self.login_string),
            password: self.password,
            auth_string1: self.auth_string1,
            auth_string2: self.auth_string2,
            id_token: None,
            auth_expires_at: self.auth_expires_at,
            granted_scopes: Vec::new(),
            server_url: given(self.server_url),
            server_url2: given(self.server_url2).or(given(self.server_info)),
            name: given(self.name),
            client_org_id: given(self.client_org_id),
            auth_org_id: given(self.auth_org_id),
            auth_user_id: given(self.auth_user_id),
            user_id: user_id.or(given(self.user_id)),
            timezone: given(self.timezone),
            copy_to_sent: self.copy_to_sent,
            trust_server: self.trust_server.unwrap_or(false),
            scopes,
        })
    }
}

/// An empty text is no text.
fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(body: &str) -> ApiResult<AccountInput> {
        let dto: ApiAccountInDto = serde_json::from_str(body).unwrap();
        dto.into_input(None)
    }

    #[test]
    fn the_sending_server_has_two_names() {
        let both = r#"{"serviceType":"x","serverInfo":"a","serverUrl2":"b"}"#;
        assert_eq!(input(both).unwrap().server_url2.unwrap(), "b");
        let one = r#"{"serviceType":"x","serverInfo":"a","serverUrl2":""}"#;
        assert_eq!(input(one).unwrap().server_url2.unwrap(), "a");
    }

    #[test]
    fn an_account_is_active_unless_it_says_otherwise() {
        assert!(input(r#"{"serviceType":"x"}"#).unwrap().active);
        assert!(
            !input(r#"{"serviceType":"x","active":false}"#)
                .unwrap()
                .active
        );
    }

    #[test]
    fn a_service_type_is_needed_and_scopes_are_known_ones() {
        assert!(input("{}").is_err());
        assert!(input(r#"{"serviceType":"x","authScopes":["Mail.Read"]}"#).is_ok());
        assert!(input(r#"{"serviceType":"x","authScopes":["Mail.Everything"]}"#).is_err());
    }

    #[test]
    fn secrets_are_not_shown_for_debugging() {
        let dto: ApiAccountInDto =
            serde_json::from_str(r#"{"password":"s3cret","authString1":"s3cret"}"#).unwrap();
        assert!(!format!("{dto:?}").contains("s3cret"));
    }
}
