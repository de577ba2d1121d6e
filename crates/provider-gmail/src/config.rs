//! The plugin's section of the configuration.

use email_provider::{ConnectContext, SignInError};
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use crate::quota::Quota;

/// Everything has a default but what the operator registered with the vendor.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// The gateway's registration.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<SecretString>,
    /// Root of the API.
    pub api_url: Url,
    /// Where users are sent.
    pub auth_url: Url,
    /// Where codes and refresh tokens are exchanged.
    pub token_url: Url,
    /// Where grants are ended.
    pub revoke_url: Url,
    /// Where an access token tells whose it is.
    pub userinfo_url: Url,
    /// Keys that prove pushed requests.
    pub jwks_url: Url,
    /// The topic that mailboxes are watched with: `projects/…/topics/…`. Without it nothing is pushed.
    pub pubsub_topic: Option<String>,
    /// `aud` of pushed requests: what the push subscription was made with.
    pub push_audience: Option<String>,
    /// `email` of pushed requests: the service account of the push subscription.
    pub push_service_account: Option<String>,
    /// What calls cost and how much may be spent.
    pub quota: Quota,
}

impl Default for Config {
    fn default() -> Self {
        let url = |text: &str| match Url::parse(text) {
            Ok(url) => url,
            Err(error) => unreachable!("a constant address: {error}"),
        };
        Self {
            client_id: None,
            client_secret: None,
            api_url: url("https://gmail.googleapis.com/"),
            auth_url: url("https://accounts.google.com/o/oauth2/v2/auth"),
            token_url: url("https://oauth2.googleapis.com/token"),
            revoke_url: url("https://oauth2.googleapis.com/revoke"),
            userinfo_url: url("https://openidconnect.googleapis.com/v1/userinfo"),
            jwks_url: url("https://www.googleapis.com/oauth2/v3/certs"),
            pubsub_topic: None,
            push_audience: None,
            push_service_account: None,
            quota: Quota::default(),
        }
    }
}

impl Config {
    /// Reads the section.
    ///
    /// # Errors
    /// `Invalid`, naming what is wrong.
    pub(crate) fn of(context: &ConnectContext) -> Result<Self, SignInError> {
        if context.config.is_null() {
            return Ok(Self::default());
        }
        let config: Self = serde_json::from_value(context.config.clone())
            .map_err(|error| invalid(&format!("{error}")))?;
        let urls = [
            &config.api_url,
            &config.auth_url,
            &config.token_url,
            &config.revoke_url,
            &config.userinfo_url,
            &config.jwks_url,
        ];
        let is_odd = |url: &&Url| {
            !matches!(url.scheme(), "http" | "https")
                || url.host().is_none()
                || url.query().is_some()
        };
        let odd = urls.into_iter().find(is_odd).cloned();
        match odd {
            Some(url) => Err(invalid(&format!("{url} is no http or https address"))),
            None => Ok(config),
        }
    }

    /// Root of the API, with a slash at its end.
    pub(crate) fn api_root(&self) -> String {
        let mut root = self.api_url.to_string();
        if !root.ends_with('/') {
            root.push('/');
        }
        root
    }
}

fn invalid(what: &str) -> SignInError {
    SignInError::Invalid(format!("the configuration of the Google backend: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_setting_is_named() {
        let section = serde_json::json!({"client_idd": "x"});
        let error = serde_json::from_value::<Config>(section).unwrap_err();
        assert!(error.to_string().contains("client_idd"));
    }

    #[test]
    fn a_root_ends_with_a_slash() {
        let section = serde_json::json!({"api_url": "http://127.0.0.1:1/x"});
        let config: Config = serde_json::from_value(section).unwrap();
        assert_eq!(config.api_root(), "http://127.0.0.1:1/x/");
    }
}
