//! Sign-ins that have begun, as they are kept.

use chrono::Duration;
use gateway_store::{Application, PendingSignIn, sealing::Place};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{AuthorizeRequest, Returning, Ticket};
use crate::{Gateway, OperationError, OperationResult, accounts::secrets};

/// How long a sign-in may take.
const LASTS: Duration = Duration::minutes(10);

/// What is kept of a sign-in.
#[derive(Serialize, Deserialize)]
pub(super) struct Pending {
    pub returning: Returning,
    pub request: AuthorizeRequest,
    /// Digest of the browser's secret.
    browser: [u8; 32],
    pub way: Way,
}

/// How it goes on.
#[derive(Clone, Serialize, Deserialize)]
pub(super) enum Way {
    /// At the provider.
    Provider {
        /// Of PKCE.
        verifier: String,
        /// As it was given to the provider.
        redirect_uri: Url,
        /// What was asked for.
        scopes: Vec<String>,
    },
    /// In the form.
    Form,
}

/// The same whatever is wrong: a guess learns nothing.
fn unknown() -> OperationError {
    OperationError::bad_request(
        "this sign-in is not known here: it has ended, took longer than ten minutes, or was begun in \
         another browser",
    )
}

impl Gateway {
    /// Keeps a sign-in.
    pub(super) async fn keep_sign_in(
        &self,
        application: &Application,
        (returning, request): (&Returning, &AuthorizeRequest),
        ticket: &Ticket,
        way: Way,
    ) -> OperationResult<()> {
        let pending = Pending {
            returning: returning.clone(),
            request: request.clone(),
            browser: secrets::hash(ticket.browser.expose_secret()),
            way,
        };
        let state = secrets::hash(ticket.state.expose_secret());
        let failed = |_| OperationError::internal("a sign-in could not be sealed");
        let written = serde_json::to_vec(&pending)
            .map_err(|_| OperationError::internal("a sign-in could not be written"))?;
        let row = row(&state);
        let sealed = self.inner.sealer.seal(place(&row), &written);
        let now = self.now();
        let pending = PendingSignIn {
            application: application.id,
            request: sealed.map_err(failed)?,
            expires_at: now + LASTS,
        };
        Ok(self.inner.store.put_sign_in(&state, &pending, now).await?)
    }

    /// A sign-in that this browser has begun, and its application. It stays.
    ///
    /// # Errors
    /// `BadRequest` where there is none, the same whatever is wrong with it.
    pub(super) async fn sign_in_of(
        &self,
        state: &str,
        browser: Option<&str>,
    ) -> OperationResult<(Application, Pending)> {
        if !secrets::is_token(state) {
            return Err(unknown());
        }
        let state = secrets::hash(state);
        let kept = self.inner.store.sign_in(&state, self.now()).await?;
        let kept = kept.ok_or_else(unknown)?;
        let opened = self.inner.sealer.open(place(&row(&state)), &kept.request);
        let opened = opened.map_err(|_| unknown())?;
        let pending: Pending = serde_json::from_slice(&opened).map_err(|_| unknown())?;
        let browser = secrets::hash(browser.unwrap_or_default());
        if !secrets::same(&browser, &pending.browser) {
            return Err(unknown());
        }
        let returning = &pending.returning;
        let application = self.inner.store.application(&returning.client_id).await?;
        // What was allowed when it began may be so no more.
        let application = application
            .filter(|one| one.id == kept.application)
            .filter(|one| one.return_urls.contains(&returning.return_url))
            .ok_or_else(unknown)?;
        Ok((application, pending))
    }

    /// Takes a sign-in out, so that it is not used again.
    ///
    /// # Errors
    /// `BadRequest` where somebody else did.
    pub(super) async fn take_sign_in(&self, state: &str) -> OperationResult<()> {
        let state = secrets::hash(state);
        let taken = self.inner.store.take_sign_in(&state, self.now()).await?;
        taken.map(drop).ok_or_else(unknown)
    }
}

pub(super) fn new_ticket() -> OperationResult<Ticket> {
    Ok(Ticket {
        state: secrets::new_token()?,
        browser: secrets::new_token()?,
    })
}

pub(super) fn verifier(way: &Way) -> Option<SecretString> {
    match way {
        Way::Provider { verifier, .. } => Some(verifier.as_str().into()),
        Way::Form => None,
    }
}

fn row(state: &[u8; 32]) -> String {
    state.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn place(row: &str) -> Place<'_> {
    Place {
        table: "pending_sign_in",
        row,
        column: "request",
    }
}
