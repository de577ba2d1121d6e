use std::sync::Arc;

use async_trait::async_trait;
use email_provider::{
    Clock, ErrorKind, ProviderError, ProviderPlugin, ProviderResult,
    oauth::{AccessTokens, Grant, OAuthClient, Refusal},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::{
    endpoint::{self, TokenFailure},
    http::TokenHttp,
};
use crate::{Gateway, OperationResult};

/// The tokens of a grant that no account has, yet or any more. What a refresh gives is kept here, to be
/// stored with the account.
pub(crate) struct UnsavedTokens {
    http: Arc<TokenHttp>,
    clock: Arc<dyn Clock>,
    plugin: Arc<dyn ProviderPlugin>,
    client: OAuthClient,
    state: Mutex<State>,
}

struct State {
    grant: Grant,
    refused: bool,
    refreshed: bool,
}

impl std::fmt::Debug for UnsavedTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UnsavedTokens")
    }
}

impl UnsavedTokens {
    pub fn new(
        gateway: &Gateway,
        plugin: &Arc<dyn ProviderPlugin>,
        grant: Grant,
    ) -> OperationResult<Arc<Self>> {
        Ok(Arc::new(Self {
            http: Arc::clone(gateway.token_http()),
            clock: Arc::clone(&gateway.inner.context.clock),
            client: gateway.oauth_client(plugin.as_ref())?,
            plugin: Arc::clone(plugin),
            state: Mutex::new(State {
                grant,
                refused: false,
                refreshed: false,
            }),
        }))
    }

    /// The grant as it is now.
    pub async fn grant(&self) -> Grant {
        self.state.lock().await.grant.clone()
    }

    fn judge(&self, failure: TokenFailure) -> ProviderError {
        let passing = |why: String| {
            let message = "the authorisation server gives no token now";
            ProviderError::new(ErrorKind::Unavailable, message).with_source(why)
        };
        match failure {
            TokenFailure::Passing { why, retry_after } => match retry_after {
                Some(wait) => passing(why).with_retry_after(wait),
                None => passing(why),
            },
            TokenFailure::Refused(refusal) => {
                let verdict = self.plugin.oauth().map(|oauth| oauth.refusal(&refusal));
                match verdict {
                    Some(Refusal::Passing) | None => passing(refusal.code),
                    Some(Refusal::GrantEnded | Refusal::NotAllowed) => ProviderError::new(
                        ErrorKind::Unauthenticated,
                        format!("the grant was refused: {}", refusal.code),
                    ),
                }
            }
        }
    }
}

#[async_trait]
impl AccessTokens for UnsavedTokens {
    async fn token(&self) -> ProviderResult<SecretString> {
        let mut state = self.state.lock().await;
        let now = self.clock.now();
        if state.grant.is_fresh(now) && !state.refused {
            return Ok(state.grant.access_token.clone());
        }
        let refused = |why| Err(ProviderError::new(ErrorKind::Unauthenticated, why));
        let Some(refresh_token) = state.grant.refresh_token.clone() else {
            return refused("the access token is not good and there is no refresh token");
        };
        if state.refused && state.refreshed {
            return refused("a token that was just given is refused");
        }
        let old = state.grant.clone();
        let answer = endpoint::refresh(&self.http, &self.client, &old, &refresh_token, now).await;
        state.grant = answer.map_err(|failure| self.judge(failure))?;
        (state.refused, state.refreshed) = (false, true);
        Ok(state.grant.access_token.clone())
    }

    async fn refused(&self, token: &SecretString) {
        let mut state = self.state.lock().await;
        if state.grant.access_token.expose_secret() == token.expose_secret() {
            state.refused = true;
        }
    }
}
