//! A backend whose authorisation server names itself in its answers (RFC 9207).

use std::sync::Arc;

use async_trait::async_trait;
use email_provider::oauth::{Access, OAuthClient, OAuthPlugin};
use email_provider::{
    ConnectContext, ConnectedMailbox, Connection, EmailProvider, PluginInfo, ProviderPlugin,
    ProviderRegistry, ProviderResult, SignIn, SignInError,
};

/// The gateway's own backend of the fake provider, which expects this issuer.
#[derive(Debug)]
pub struct IssuerPlugin {
    inner: Arc<dyn ProviderPlugin>,
    issuer: String,
}

impl IssuerPlugin {
    pub fn new(issuer: &str) -> Self {
        let registry: ProviderRegistry = polypost::providers::registry();
        Self {
            inner: registry.by_service_type("Google").unwrap(),
            issuer: issuer.to_owned(),
        }
    }

    fn granting(&self) -> &dyn OAuthPlugin {
        self.inner.oauth().unwrap()
    }
}

impl OAuthPlugin for IssuerPlugin {
    fn client(&self, context: &ConnectContext) -> Result<OAuthClient, SignInError> {
        let client = self.granting().client(context)?;
        let issuer = Some(self.issuer.clone());
        Ok(OAuthClient { issuer, ..client })
    }

    fn native_scopes(&self, access: Access) -> Vec<String> {
        self.granting().native_scopes(access)
    }

    fn access_of(&self, native_scopes: &[String]) -> Access {
        self.granting().access_of(native_scopes)
    }
}

#[async_trait]
impl ProviderPlugin for IssuerPlugin {
    fn info(&self) -> PluginInfo {
        self.inner.info()
    }

    async fn resolve(
        &self,
        context: &ConnectContext,
        sign_in: &SignIn,
    ) -> Result<ConnectedMailbox, SignInError> {
        self.inner.resolve(context, sign_in).await
    }

    async fn prove(
        &self,
        context: &ConnectContext,
        mailbox: ConnectedMailbox,
    ) -> Result<ConnectedMailbox, SignInError> {
        self.inner.prove(context, mailbox).await
    }

    fn oauth(&self) -> Option<&dyn OAuthPlugin> {
        Some(self)
    }

    async fn open(
        &self,
        context: &ConnectContext,
        connection: &Connection,
    ) -> ProviderResult<Arc<dyn EmailProvider>> {
        self.inner.open(context, connection).await
    }
}
