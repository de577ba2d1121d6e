//! The end: a mailbox that has accepted the sign-in becomes an account, and the application gets a code.

use chrono::Duration;
use gateway_store::{Account, Application, Redeemed};
use secrecy::ExposeSecret;

use super::{
    AuthorizeRequest, ResponseType,
    pending::Pending,
    refusal::{Refusal, mismatch, refusal},
};
use crate::{
    Gateway, OperationError, OperationResult,
    accounts::{AccountInput, SavedAccount, resolve::Resolved, secrets},
};

/// How long a code can be exchanged.
const CODE_LASTS: Duration = Duration::minutes(10);

impl Gateway {
    /// Saves the account of a proved mailbox. Returns where the browser is sent.
    pub(super) async fn finish_sign_in(
        &self,
        application: &Application,
        pending: &Pending,
        input: &AccountInput,
        resolved: &Resolved,
    ) -> Result<String, Refusal> {
        let request = &pending.request;
        check_owner(request, resolved)?;
        check_scopes(request, resolved).await?;
        let account = {
            // Two sign-ins of one mailbox at the same time must not make two accounts.
            let _saving = self.inner.connecting.saving.lock().await;
            match self.to_be_reused(application, request, resolved).await? {
                Some(old) => self.reuse_account(old, input, resolved).await?,
                None => self.insert_account(application, input, resolved).await?,
            }
        };
        self.inner
            .store
            .wake(account.id)
            .await
            .map_err(OperationError::from)?;
        Ok(self.result(&account, pending).await?)
    }

    /// The account that the sign-in renews: never one of another mailbox.
    async fn to_be_reused(
        &self,
        application: &Application,
        request: &AuthorizeRequest,
        resolved: &Resolved,
    ) -> Result<Option<Account>, Refusal> {
        if let Some(id) = request.account {
            let account = self.account_of(application, id).await?;
            if !resolved.is_of(&account) {
                return Err(mismatch("another mailbox than the account's has signed in"));
            }
            return Ok(Some(account));
        }
        if !request.recycle {
            return Ok(None);
        }
        let (store, identity) = (&self.inner.store, resolved.identity());
        let mut found = store
            .find_accounts(application.id, None, Some(&identity))
            .await
            .map_err(OperationError::from)?;
        // One that was connected in another way may go by another identity.
        if let Some(email) = &resolved.mailbox.email {
            let others = store.find_accounts(application.id, Some(email), None);
            found.extend(others.await.map_err(OperationError::from)?);
        }
        found.retain(|account| {
            account.service_type == request.service_type && resolved.is_of(account)
        });
        Ok(found
            .into_iter()
            .min_by_key(|account| (account.created_at, account.id)))
    }

    async fn result(&self, account: &Account, pending: &Pending) -> OperationResult<String> {
        let returning = &pending.returning;
        let done = [("status", "success"), ("type", "accountAuthResult")];
        Ok(match pending.request.response {
            ResponseType::Code => {
                let code = secrets::new_token()?;
                let hash = secrets::hash(code.expose_secret());
                let now = self.now();
                self.inner
                    .store
                    .put_code(&hash, account.id, now + CODE_LASTS, now)
                    .await?;
                returning.back(done.into_iter().chain([("code", code.expose_secret())]))
            }
            ResponseType::Token => {
                let token = self.new_access_token(account.id).await?;
                let id = account.id.to_string();
                let given = [("accountId", &*id), ("accessToken", token.expose_secret())];
                returning.back(done.into_iter().chain(given))
            }
        })
    }

    /// Exchanges a code for its account and a new token of it, once. One that comes again ends that
    /// token: somebody else has the code too (RFC 6749 section 4.1.2).
    ///
    /// # Errors
    /// `NotFound` for any other code than one of this application that is not used and not ten minutes old.
    pub async fn redeem_code(
        &self,
        application: &Application,
        code: &str,
    ) -> OperationResult<SavedAccount> {
        let unknown = || OperationError::not_found("code");
        if !secrets::is_token(code) {
            return Err(unknown());
        }
        let token = secrets::new_token()?;
        let redeemed = self
            .inner
            .store
            .redeem_code(
                &secrets::hash(code),
                application.id,
                &secrets::hash(token.expose_secret()),
                self.now(),
                self.inner.config.access_tokens,
            )
            .await?;
        let id = match redeemed {
            Redeemed::Account(id) => id,
            Redeemed::Again => {
                tracing::warn!("a code was presented again: the token that it gave is ended");
                return Err(unknown());
            }
            Redeemed::Unknown => return Err(unknown()),
        };
        let account = self.inner.store.account(id).await?.ok_or_else(unknown)?;
        Ok(SavedAccount {
            account,
            access_token: token,
        })
    }
}

fn check_owner(request: &AuthorizeRequest, resolved: &Resolved) -> Result<(), Refusal> {
    let Some(wanted) = &request.auth_email else {
        return Ok(());
    };
    let mailbox = &resolved.mailbox;
    let email = mailbox.email.as_ref().unwrap_or(&mailbox.login);
    match email.to_lowercase() == wanted.trim().to_lowercase() {
        true => Ok(()),
        false => Err(mismatch("another address than authEmail has signed in")),
    }
}

async fn check_scopes(request: &AuthorizeRequest, resolved: &Resolved) -> Result<(), Refusal> {
    if !request.ensure_scopes {
        return Ok(());
    }
    let Some(grant) = resolved.grant().await else {
        // A password gives all that there is.
        return Ok(());
    };
    let access = resolved.access(&grant);
    let covers = access.is_some_and(|access| access.contains(request.access))
        && request
            .native_scopes
            .iter()
            .all(|scope| grant.scopes.contains(scope));
    match covers {
        true => Ok(()),
        false => Err(refusal(
            "insufficient_scope",
            "less was granted than was asked for",
        )),
    }
}
