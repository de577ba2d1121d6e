//! Access tokens: the gateway keeps them fresh, this hands them out.

use std::sync::Arc;

use email_provider::{
    ConnectContext, Connection, ErrorKind, ProviderError, ProviderResult, oauth::AccessTokens,
    oauth::Grant,
};
use secrecy::{ExposeSecret as _, SecretString};

/// Where a mailbox's access tokens come from.
#[derive(Clone, Debug)]
pub(crate) enum Tokens {
    /// An account's: replaced when they end.
    Kept(Arc<dyn AccessTokens>),
    /// A sign-in that is no account yet: this one only.
    Only(SecretString),
}

impl Tokens {
    /// Of the account where there is one, else the connection's own.
    pub(crate) fn of(context: &ConnectContext, connection: &Connection) -> ProviderResult<Self> {
        if let Some(tokens) = &context.tokens {
            return Ok(Self::Kept(Arc::clone(tokens)));
        }
        let grant = Grant::from_secret(&connection.secret)?;
        if grant.access_token.expose_secret().is_empty() {
            return Err(ProviderError::new(
                ErrorKind::Unauthenticated,
                "there is no access token",
            ));
        }
        Ok(Self::Only(grant.access_token))
    }

    /// One to use now.
    pub(crate) async fn token(&self) -> ProviderResult<SecretString> {
        match self {
            Self::Kept(tokens) => tokens.token().await,
            Self::Only(token) => Ok(token.clone()),
        }
    }

    /// Another one after this was refused; `None` where there is no other.
    pub(crate) async fn after(
        &self,
        refused: &SecretString,
    ) -> ProviderResult<Option<SecretString>> {
        let Self::Kept(tokens) = self else {
            return Ok(None);
        };
        tokens.refused(refused).await;
        tokens.token().await.map(Some)
    }
}
