//! Google as the gateway meets it in tests: the fakes of its API and of the server of its tokens.

use anyhow::Result;
use fake_gmail::{FakeGmail, User};
use fake_oauth::FakeOAuth;
use serde_json::{Value, json};

use crate::{Api, GatewayOptions, GatewayProcess};

/// Everything, permanent deletion included.
const SCOPE: &str = "https://mail.google.com/";
/// The gateway's registration.
const CLIENT: &str = "the-gateway";
const SECRET: &str = "its secret";

/// Both servers, with one user.
pub struct Google {
    /// The server of tokens.
    pub oauth: FakeOAuth,
    /// The API.
    pub gmail: FakeGmail,
    /// The user.
    pub user: User,
}

impl Google {
    /// Starts both.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(email: &str) -> Result<Self> {
        let oauth = FakeOAuth::start().await?;
        oauth.add_client(CLIENT, Some(SECRET), &[]);
        let gmail = FakeGmail::start(&oauth).await?;
        let user = gmail.user(email);
        Ok(Self { oauth, gmail, user })
    }

    /// What a gateway must be told; `quota` as in its configuration.
    #[must_use]
    pub fn options(&self, options: GatewayOptions, quota: &Value) -> GatewayOptions {
        options
            .set("POLYPOST_GOOGLE_CLIENT_ID", CLIENT)
            .set("POLYPOST_GOOGLE_CLIENT_SECRET", SECRET)
            .set("POLYPOST_GOOGLE_API_URL", &self.gmail.url())
            .set("POLYPOST_GOOGLE_AUTH_URL", &self.oauth.authorize_url())
            .set("POLYPOST_GOOGLE_TOKEN_URL", &self.oauth.token_url())
            .set("POLYPOST_GOOGLE_REVOKE_URL", &self.oauth.revoke_url())
            .set("POLYPOST_GOOGLE_USERINFO_URL", &self.oauth.userinfo_url())
            .set("POLYPOST_GOOGLE_JWKS_URL", &self.gmail.certs_url())
            .set("POLYPOST_GOOGLE_QUOTA", &quota.to_string())
    }

    /// Connects the user's mailbox by tokens.
    ///
    /// # Errors
    /// When the gateway refuses.
    pub async fn connect(&self, gateway: &GatewayProcess) -> Result<Api> {
        let email = self.user.email();
        let tokens = self.oauth.issue(CLIENT, email, &[SCOPE]);
        let credentials = json!({
            "serviceType": "Google",
            "active": true,
            "email": email,
            "authString1": tokens.access_token,
            "authString2": tokens.refresh_token,
        });
        let (_, api) = gateway.account_by(credentials).await?;
        Ok(api)
    }
}
