//! Microsoft as the gateway meets it in tests: the fakes of Graph and of the server of its tokens.

use anyhow::Result;
use fake_graph::{FakeGraph, User, scopes};
use fake_oauth::FakeOAuth;
use serde_json::{Value, json};

use crate::{Api, GatewayOptions, GatewayProcess};

/// What the gateway asks for when everything is wanted of it.
const SCOPES: [&str; 7] = [
    scopes::MAIL_READ_WRITE,
    scopes::MAIL_SEND,
    scopes::USER_READ,
    "offline_access",
    "openid",
    "profile",
    "email",
];
/// The gateway's registration.
const CLIENT: &str = "the-gateway";
const SECRET: &str = "its secret";

/// Both servers, with one user.
pub struct Microsoft {
    /// The server of tokens.
    pub oauth: FakeOAuth,
    /// The API.
    pub graph: FakeGraph,
    /// The user.
    pub user: User,
}

impl Microsoft {
    /// Starts both.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(email: &str) -> Result<Self> {
        let oauth = FakeOAuth::start().await?;
        oauth.add_client(CLIENT, Some(SECRET), &[]);
        let graph = FakeGraph::start(&oauth).await?;
        let user = graph.user(email);
        Ok(Self { oauth, graph, user })
    }

    /// What a gateway must be told; `quota` as in its configuration.
    #[must_use]
    pub fn options(&self, options: GatewayOptions, quota: &Value) -> GatewayOptions {
        options
            .set("POLYPOST_MICROSOFT_CLIENT_ID", CLIENT)
            .set("POLYPOST_MICROSOFT_CLIENT_SECRET", SECRET)
            .set("POLYPOST_MICROSOFT_LOGIN_URL", &self.oauth.url())
            .set("POLYPOST_MICROSOFT_GRAPH_URL", &self.graph.url())
            .set("POLYPOST_MICROSOFT_QUOTA", &quota.to_string())
    }

    /// Connects the user's mailbox by tokens.
    ///
    /// # Errors
    /// When the gateway refuses.
    pub async fn connect(&self, gateway: &GatewayProcess) -> Result<Api> {
        let email = self.user.email();
        let tokens = self.oauth.issue(CLIENT, email, &SCOPES);
        let credentials = json!({
            "serviceType": "Office365",
            "active": true,
            "email": email,
            "authString1": tokens.access_token,
            "authString2": tokens.refresh_token,
        });
        let (_, api) = gateway.account_by(credentials).await?;
        Ok(api)
    }
}
