//! The authorisation code grant (RFC 6749, with PKCE of RFC 7636), as far as a backend has a say in it:
//! its endpoints, its names for scopes, what its refusals mean. The gateway does the rest, the same way for
//! every backend: state, codes, storage, refreshing under one lock an account.

use async_trait::async_trait;
use bitflags::bitflags;
use chrono::Duration;
use email_model::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{ConnectContext, ErrorKind, ProviderError, ProviderResult, SignInError};

bitflags! {
    /// What an application may do with a mailbox.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub struct Access: u8 {
        /// List, search, read.
        const READ = 1;
        /// Change flags, keywords and folders; remove.
        const MODIFY = 2;
        /// Send.
        const SEND = 4;
        /// Make and change drafts.
        const DRAFTS = 8;
    }
}

/// The gateway as a client of an authorisation server.
#[derive(Clone, Debug)]
pub struct OAuthClient {
    /// Where the user is sent.
    pub authorize_url: Url,
    /// Where codes and refresh tokens are exchanged.
    pub token_url: Url,
    /// Where grants are ended (RFC 7009), if anywhere.
    pub revoke_url: Option<Url>,
    /// The issuer that `iss` of a callback must name (RFC 9207), where the server sends it.
    pub issuer: Option<String>,
    /// Our id there.
    pub client_id: String,
    /// Our secret there; none for public clients.
    pub client_secret: Option<SecretString>,
    /// Further parameters of the authorisation request, such as what it takes to get a refresh token.
    pub authorize_parameters: Vec<(&'static str, String)>,
}

/// A backend whose mailboxes are connected by the authorisation code grant.
pub trait OAuthPlugin: Send + Sync {
    /// The gateway's registration, of the plugin's section of the configuration.
    ///
    /// # Errors
    /// `Invalid`, naming the setting, when the operator has not configured it.
    fn client(&self, context: &ConnectContext) -> Result<OAuthClient, SignInError>;

    /// The backend's own names for this access, with what it takes to know whose mailbox it is and to
    /// refresh.
    fn native_scopes(&self, access: Access) -> Vec<String>;

    /// The access that these scopes of the backend give. Users may grant less than was asked for.
    fn access_of(&self, native_scopes: &[String]) -> Access;

    /// What a refused refresh means (RFC 6749 section 5.2). The default: `invalid_grant` ends the grant,
    /// `invalid_client` and its like are the operator's to mend, anything else passes.
    fn refusal(&self, error: &TokenRefusal) -> Refusal {
        match error.code.as_str() {
            "invalid_grant" => Refusal::GrantEnded,
            "invalid_client" | "unauthorized_client" | "invalid_scope" => Refusal::NotAllowed,
            _ => Refusal::Passing,
        }
    }
}

/// A refusal of the token endpoint.
#[derive(Clone, Debug)]
pub struct TokenRefusal {
    /// `error`.
    pub code: String,
    /// `error_description`, shortened.
    pub description: String,
}

/// What a refused refresh means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The grant has ended: only the user can make another one.
    GrantEnded,
    /// Refused, and asking again soon will not help: the user or the operator has to do something.
    NotAllowed,
    /// It may work later.
    Passing,
}

/// What the gateway holds of a grant; [`crate::Connection::secret`] of accounts connected by OAuth.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The access token.
    pub access_token: SecretString,
    /// The refresh token, where there is one.
    pub refresh_token: Option<SecretString>,
    /// When the access token ends, if that is known.
    pub expires_at: Option<Timestamp>,
    /// The backend's own names for what was granted; empty: unknown.
    pub scopes: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredGrant {
    access_token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<String>,
}

impl Grant {
    /// An access token is replaced when it lasts no longer than this.
    const MARGIN: Duration = Duration::seconds(60);

    /// The form in which it is sealed and stored.
    #[must_use]
    pub fn to_secret(&self) -> SecretString {
        let stored = StoredGrant {
            access_token: self.access_token.expose_secret().to_owned(),
            refresh_token: self
                .refresh_token
                .as_ref()
                .map(|token| token.expose_secret().to_owned()),
            expires_at: self.expires_at,
            scopes: self.scopes.clone(),
        };
        // Text, times and lists of text have a JSON form.
        SecretString::from(serde_json::to_string(&stored).unwrap_or_default())
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// `Unexpected` when it is none.
    pub fn from_secret(secret: &SecretString) -> ProviderResult<Self> {
        let stored: StoredGrant = serde_json::from_str(secret.expose_secret()).map_err(|_| {
            ProviderError::new(ErrorKind::Unexpected, "the stored grant cannot be read")
        })?;
        Ok(Self {
            access_token: stored.access_token.into(),
            refresh_token: stored.refresh_token.map(SecretString::from),
            expires_at: stored.expires_at,
            scopes: stored.scopes,
        })
    }

    /// Whether the access token can still be used for a call that begins now.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        !self.access_token.expose_secret().is_empty()
            && self
                .expires_at
                .is_none_or(|expires_at| expires_at - now > Self::MARGIN)
    }
}

/// The access tokens of one account, kept fresh by the gateway.
#[async_trait]
pub trait AccessTokens: Send + Sync + std::fmt::Debug {
    /// A token to use now. Cheap while it lasts.
    ///
    /// # Errors
    /// `Unauthenticated` when the grant has ended or was refused, `Unavailable` when the authorisation
    /// server does not answer, which says nothing of the grant.
    async fn token(&self) -> ProviderResult<SecretString>;

    /// The backend refused this token before its time: the next [`AccessTokens::token`] gives another
    /// one, or fails.
    async fn refused(&self, token: &SecretString);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(expires_at: Option<Timestamp>) -> Grant {
        Grant {
            access_token: "a".into(),
            refresh_token: Some("r".into()),
            expires_at,
            scopes: vec!["s".into()],
        }
    }

    #[test]
    fn a_grant_is_read_as_it_was_stored() {
        let now = Timestamp::from_timestamp(1_700_000_000, 0);
        let read = Grant::from_secret(&grant(now).to_secret()).unwrap();
        assert_eq!(read.access_token.expose_secret(), "a");
        assert_eq!(read.refresh_token.unwrap().expose_secret(), "r");
        assert_eq!((read.expires_at, read.scopes), (now, vec!["s".to_owned()]));
        assert!(Grant::from_secret(&"password".into()).is_err());
    }

    #[test]
    fn a_token_about_to_end_is_not_fresh() {
        let now = Timestamp::from_timestamp(1_700_000_000, 0).unwrap();
        assert!(grant(None).is_fresh(now));
        assert!(grant(Some(now + Duration::seconds(61))).is_fresh(now));
        assert!(!grant(Some(now + Duration::seconds(60))).is_fresh(now));
    }
}
