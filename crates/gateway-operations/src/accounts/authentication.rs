//! Who calls: applications by their secret, accounts by a token or by their number.

use gateway_store::{Account, AccountId, Application, ApplicationId};
use secrecy::{ExposeSecret, SecretString};

use super::secrets;
use crate::{Gateway, OperationError, OperationErrorKind, OperationResult};

/// Longest client id, in characters.
const LONGEST_CLIENT_ID: usize = 200;
/// Longest secret that is looked at, in octets.
const LONGEST_SECRET: usize = 1_024;
/// Most addresses that a sign-in of one application may return to.
const MOST_RETURN_URLS: usize = 100;
/// Longest such address, in octets.
const LONGEST_URL: usize = 2_000;

impl Gateway {
    /// The account of an account token.
    ///
    /// # Errors
    /// `Unauthorized` for anything but a token that is in force.
    pub async fn account_by_token(&self, token: &str) -> OperationResult<Account> {
        if !secrets::is_token(token) {
            return Err(unauthorized());
        }
        let account = self
            .inner
            .store
            .account_of_token(&secrets::hash(token))
            .await?;
        account.ok_or_else(unauthorized)
    }

    /// The application with this client id and secret.
    ///
    /// # Errors
    /// `Unauthorized`, the same whether the id or the secret is wrong.
    pub async fn application_by_secret(
        &self,
        client_id: &str,
        secret: &str,
    ) -> OperationResult<Application> {
        if !is_client_id(client_id) || secret.len() > LONGEST_SECRET {
            return Err(unauthorized());
        }
        let application = self.inner.store.application(client_id).await?;
        let kept = application
            .as_ref()
            .map_or([0; 32], |application| application.secret_hash);
        let fits = secrets::same(&kept, &secrets::hash(secret));
        application.filter(|_| fits).ok_or_else(unauthorized)
    }

    /// An account of an application by its number.
    ///
    /// # Errors
    /// `NotFound` where there is none, or it is another application's.
    pub async fn account_of(&self, application: &Application, id: i64) -> OperationResult<Account> {
        let account = self.inner.store.account(AccountId(id)).await?;
        account
            .filter(|account| account.application == application.id)
            .ok_or_else(|| OperationError::not_found("account"))
    }

    /// Makes an application, or gives the one with this client id another secret, other return
    /// addresses, and the right to have account tokens returned by a sign-in itself or not.
    ///
    /// # Errors
    /// `BadRequest` for a client id that Basic authentication cannot carry (RFC 7617 section 2), an
    /// empty secret, or a return address that is no URL.
    pub async fn put_application(
        &self,
        client_id: &str,
        secret: &SecretString,
        return_urls: Vec<String>,
        token_response: bool,
    ) -> OperationResult<Application> {
        if !is_client_id(client_id) {
            return Err(OperationError::bad_request(
                "a client id is 1 to 200 visible ASCII characters without a colon",
            ));
        }
        let length = secret.expose_secret().len();
        if length == 0 || length > LONGEST_SECRET {
            return Err(OperationError::bad_request("a secret is 1 to 1,024 octets"));
        }
        if return_urls.len() > MOST_RETURN_URLS || !return_urls.iter().all(|url| is_return_url(url))
        {
            return Err(OperationError::bad_request(
                "return addresses are at most 100 absolute URLs of http or https without a fragment",
            ));
        }
        let application = Application {
            id: ApplicationId(secrets::new_id()?),
            client_id: client_id.to_owned(),
            secret_hash: secrets::hash(secret.expose_secret()),
            return_urls,
            token_response,
            created_at: self.now(),
        };
        Ok(self.inner.store.put_application(&application).await?)
    }

    /// All applications, by client id.
    pub async fn applications(&self) -> OperationResult<Vec<Application>> {
        Ok(self.inner.store.applications().await?)
    }

    /// Removes an application with its accounts. False: there was none.
    pub async fn remove_application(&self, client_id: &str) -> OperationResult<bool> {
        let Some(application) = self.inner.store.application(client_id).await? else {
            return Ok(false);
        };
        let accounts = self.every_account(application.id, None).await?;
        let mut ended = Vec::with_capacity(accounts.len());
        for account in accounts {
            let connection = self.connection_to_end(&account).await;
            self.forget_account(account.id).await;
            ended.push((account, connection));
        }
        let removed = self.inner.store.remove_application(client_id).await?;
        for (account, connection) in ended {
            self.forget_all_of(account.id).await;
            self.inner.store.wake(account.id).await?;
            self.end_connection(account, connection);
        }
        Ok(removed)
    }

    /// Ends one account token. One that is not in force is as good as ended.
    pub async fn delete_token(&self, token: &str) -> OperationResult<()> {
        if secrets::is_token(token) {
            self.inner
                .store
                .remove_access_token(&secrets::hash(token))
                .await?;
        }
        Ok(())
    }

    /// Ends all tokens of an account.
    pub async fn delete_tokens(&self, account: &Account) -> OperationResult<()> {
        Ok(self.inner.store.remove_access_tokens(account.id).await?)
    }

    /// A new token of an account; the oldest beyond the number kept ends.
    pub(super) async fn new_access_token(
        &self,
        account: AccountId,
    ) -> OperationResult<SecretString> {
        let token = secrets::new_token()?;
        let hash = secrets::hash(token.expose_secret());
        let keep = self.inner.config.access_tokens;
        self.inner
            .store
            .add_access_token(account, &hash, self.now(), keep)
            .await?;
        Ok(token)
    }
}

fn unauthorized() -> OperationError {
    OperationError::new(
        OperationErrorKind::Unauthorized,
        "missing or unknown credentials",
    )
}

fn is_client_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST_CLIENT_ID
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b':')
}

/// It is compared as text, so that only its form matters here.
fn is_return_url(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    text.len() <= LONGEST_URL
        && rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#', '\\']))
        && !text.contains('#')
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}
