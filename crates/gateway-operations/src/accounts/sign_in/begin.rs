//! The beginning: who asks, for what, and where the browser goes.

use std::net::IpAddr;

use email_provider::CredentialField;
use gateway_store::Application;
use secrecy::ExposeSecret;
use url::Url;

use super::{
    AuthorizeRequest, Begun, MalformedRequest, ResponseType, Returning,
    pending::{Way, new_ticket},
    refusal::{Refusal, refusal},
};
use crate::{Gateway, OperationError, OperationResult, oauth};

/// Longest text of the request, in octets.
const LONGEST: usize = 1_000;
/// Longest state of an application, in octets.
const LONGEST_STATE: usize = 4_000;
/// Most scopes of the provider that are asked for beside our own.
const MOST_SCOPES: usize = 50;

impl Gateway {
    /// Begins a sign-in. `redirect_uri`: where a provider sends the browser back to this gateway.
    ///
    /// # Errors
    /// `BadRequest` while the return address is not known to be the application's own, `RateLimited`. What
    /// is wrong besides is told to the application: [`Begun::Back`].
    pub async fn begin_sign_in(
        &self,
        returning: Returning,
        request: Result<AuthorizeRequest, MalformedRequest>,
        redirect_uri: &Url,
        address: Option<IpAddr>,
    ) -> OperationResult<Begun> {
        self.inner.connecting.throttle.begin(address)?;
        let application = self.inner.store.application(&returning.client_id).await?;
        let application =
            application.ok_or_else(|| OperationError::bad_request("`clientId` is not known"))?;
        // Letter by letter: whatever else two addresses could have in common, they are not the same.
        if !application.return_urls.contains(&returning.return_url) {
            return Err(OperationError::bad_request(
                "`returnUrl` is not registered for this application",
            ));
        }
        let worked_out = match request {
            Ok(request) => {
                self.worked_out(&application, &returning, &request, redirect_uri)
                    .await
            }
            Err(malformed) => Err(refusal(malformed.word, malformed.text)),
        };
        Ok(worked_out.unwrap_or_else(|refusal| Begun::Back(returning.refused(&refusal))))
    }

    async fn worked_out(
        &self,
        application: &Application,
        returning: &Returning,
        request: &AuthorizeRequest,
        redirect_uri: &Url,
    ) -> Result<Begun, Refusal> {
        check_form(returning, request)?;
        if request.response == ResponseType::Token && !application.token_response {
            return Err(refusal(
                "unauthorized_client",
                "responseType=token is not allowed for this application",
            ));
        }
        let plugin = self
            .inner
            .registry
            .by_service_type(&request.service_type)
            .ok_or_else(|| refusal("invalid_request", "serviceType is none that is offered"))?;
        if let Some(id) = request.account {
            let account = self.account_of(application, id).await;
            let account = account.map_err(|error| match error.kind {
                crate::OperationErrorKind::NotFound => {
                    refusal("invalid_request", "accountId is not known")
                }
                _ => error.into(),
            })?;
            if account.kind != plugin.info().kind {
                return Err(super::refusal::mismatch(
                    "the account is of another service type",
                ));
            }
        }
        let ticket = new_ticket()?;
        let Some(granting) = plugin.oauth() else {
            let takes_password = plugin.info().service_types.iter().any(|one| {
                one.name == request.service_type
                    && one.credentials.contains(&CredentialField::Password)
            });
            if !takes_password {
                return Err(refusal(
                    "invalid_request",
                    "serviceType cannot be connected in the browser",
                ));
            }
            self.keep_sign_in(application, (returning, request), &ticket, Way::Form)
                .await?;
            return Ok(Begun::Form(ticket));
        };
        let client = self.oauth_client(plugin.as_ref()).map_err(|error| {
            tracing::error!(%error, "a sign-in cannot begin: the backend is not configured");
            refusal(
                "server_error",
                "the gateway is not set up for this serviceType",
            )
        })?;
        let mut scopes = granting.native_scopes(request.access);
        for scope in &request.native_scopes {
            if !scopes.contains(scope) {
                scopes.push(scope.clone());
            }
        }
        let hint = request
            .login_hint
            .as_deref()
            .or(request.auth_email.as_deref());
        let (url, verifier) =
            oauth::authorize_url(&client, redirect_uri, &ticket.state, scopes.clone(), hint);
        let way = Way::Provider {
            verifier: verifier.expose_secret().to_owned(),
            redirect_uri: redirect_uri.clone(),
            scopes,
        };
        self.keep_sign_in(application, (returning, request), &ticket, way)
            .await?;
        Ok(Begun::Elsewhere(ticket, url))
    }
}

fn check_form(returning: &Returning, request: &AuthorizeRequest) -> Result<(), Refusal> {
    let too_long = |text: &Option<String>, most| {
        let text = text.as_deref().unwrap_or_default();
        text.len() > most || (most == LONGEST && text.contains(char::is_control))
    };
    let malformed = too_long(&returning.state, LONGEST_STATE)
        || [
            &request.login_hint,
            &request.auth_email,
            &request.client_org_id,
            &request.server_url,
        ]
        .into_iter()
        .any(|text| too_long(text, LONGEST));
    if malformed {
        return Err(refusal(
            "invalid_request",
            "a parameter is malformed or too long",
        ));
    }
    let native = &request.native_scopes;
    if native.len() > MOST_SCOPES || !native.iter().all(|scope| is_scope(scope)) {
        return Err(refusal(
            "invalid_scope",
            "nativeScopes is malformed or too long",
        ));
    }
    Ok(())
}

/// `scope-token` of RFC 6749 section 3.3.
fn is_scope(scope: &str) -> bool {
    (1..=LONGEST).contains(&scope.len())
        && scope
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}
