//! The return from the provider.

use std::net::IpAddr;

use gateway_store::Application;
use secrecy::ExposeSecret;

use super::{
    Callback,
    pending::{Pending, Way, verifier},
    refusal::{Refusal, of_provider, refusal},
};
use crate::{
    Gateway, OperationError, OperationResult,
    accounts::{AccountInput, resolve::Asker},
    oauth::{Exchanged, ReturnedCode, TokenFailure, exchange},
};

/// Longest code of a provider, in octets.
const LONGEST_CODE: usize = 8 << 10;

impl Gateway {
    /// Ends a sign-in at the provider. Returns where the browser is sent: to the application, with a code or
    /// with what went wrong.
    ///
    /// # Errors
    /// `BadRequest` where this browser has not begun such a sign-in: nothing is trusted then.
    pub async fn finish_oauth(
        &self,
        callback: Callback,
        browser: Option<&str>,
        address: Option<IpAddr>,
    ) -> OperationResult<String> {
        let (application, pending) = self.sign_in_of(&callback.state, browser).await?;
        if matches!(pending.way, Way::Form) {
            return Err(OperationError::bad_request(
                "this sign-in is not the provider's",
            ));
        }
        self.take_sign_in(&callback.state).await?;
        let gateway = self.clone();
        self.to_the_end(async move {
            let finished = gateway
                .granted(&application, &pending, callback, address)
                .await;
            Ok(finished.unwrap_or_else(|refusal| pending.returning.refused(&refusal)))
        })
        .await
    }

    async fn granted(
        &self,
        application: &Application,
        pending: &Pending,
        callback: Callback,
        address: Option<IpAddr>,
    ) -> Result<String, Refusal> {
        let request = &pending.request;
        let plugin = self
            .inner
            .registry
            .by_service_type(&request.service_type)
            .ok_or_else(|| refusal("server_error", "serviceType is offered no more"))?;
        let client = self.oauth_client(plugin.as_ref())?;
        // RFC 9207 section 2.4: an answer of another server is no answer, an error neither.
        if let (Some(expected), Some(issuer)) = (&client.issuer, &callback.issuer)
            && expected != issuer
        {
            return Err(refusal("invalid_request", "another server answered"));
        }
        if let Some(error) = &callback.error {
            return Err(of_provider(error));
        }
        let code = callback
            .code
            .filter(|code| (1..=LONGEST_CODE).contains(&code.expose_secret().len()))
            .ok_or_else(|| refusal("server_error", "the provider sent no code"))?;
        let (
            Some(verifier),
            Way::Provider {
                redirect_uri,
                scopes,
                ..
            },
        ) = (verifier(&pending.way), &pending.way)
        else {
            return Err(refusal(
                "invalid_request",
                "this sign-in is not the provider's",
            ));
        };
        let exchanged = ReturnedCode {
            redirect_uri,
            code: code.expose_secret().to_owned(),
            verifier: &verifier,
            asked: scopes,
        };
        // Before the code is spent: who is refused afterwards has consented for nothing.
        let visit = self.inner.connecting.throttle.visit(address)?;
        let exchanged = exchange(self.token_http(), &client, exchanged, self.now()).await;
        if !matches!(exchanged, Err(TokenFailure::Refused(_))) {
            visit.succeeded();
        }
        let exchanged = exchanged.map_err(|failure| match failure {
            TokenFailure::Passing { why, .. } => {
                tracing::warn!(why, "no answer to a code");
                refusal("temporarily_unavailable", "the provider does not answer")
            }
            TokenFailure::Refused(refused) => {
                let (code, description) = (refused.code, refused.description);
                tracing::warn!(code, description, "a code was refused");
                refusal("server_error", "the provider refused its own code")
            }
        })?;
        let input = input(pending, exchanged);
        let mut resolved = self.resolve(&input).await?;
        self.prove(Asker::Visitor(address), &input, &mut resolved)
            .await?;
        self.finish_sign_in(application, pending, &input, &resolved)
            .await
    }
}

fn input(pending: &Pending, exchanged: Exchanged) -> AccountInput {
    let request = &pending.request;
    let grant = exchanged.grant;
    AccountInput {
        service_type: request.service_type.clone(),
        active: true,
        auth_string1: Some(grant.access_token),
        auth_string2: grant.refresh_token,
        id_token: exchanged.id_token,
        auth_expires_at: grant.expires_at,
        granted_scopes: grant.scopes,
        client_org_id: request.client_org_id.clone(),
        scopes: request.scopes.clone(),
        ..AccountInput::default()
    }
}
