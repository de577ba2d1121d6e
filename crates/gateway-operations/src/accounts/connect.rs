//! Connecting a mailbox with credentials that the application holds.

use gateway_store::{Account, Application, TokenStatus};
use secrecy::ExposeSecret;

use super::{
    AccountDetails, AccountInput, SaveOptions, SavedAccount, recycle,
    resolve::{Asker, Resolved},
    secrets,
};
use crate::{Gateway, OperationResult};

impl Gateway {
    /// Saves an account and gives it a new token. An account that the options propose for reuse
    /// keeps its number; it keeps its journal too if the mailbox is the same one.
    ///
    /// The mailbox is asked where the options say so, where it alone can tell whose it is (OAuth), and where an
    /// account is to be reused with other credentials than it has: its journal must not fall to somebody who
    /// merely names its address.
    ///
    /// # Errors
    /// `BadRequest` for missing or malformed fields, `TokenRefreshFailed` for refused credentials,
    /// `ProviderUnavailable` for a server that cannot be reached, `RateLimited` after too many failed
    /// sign-ins. Nothing is saved then.
    pub async fn save_account(
        &self,
        application: &Application,
        input: AccountInput,
        options: SaveOptions,
    ) -> OperationResult<SavedAccount> {
        let (gateway, application) = (self.clone(), application.clone());
        self.to_the_end(async move { gateway.save(&application, &input, &options).await })
            .await
    }

    async fn save(
        &self,
        application: &Application,
        input: &AccountInput,
        options: &SaveOptions,
    ) -> OperationResult<SavedAccount> {
        let asker = Asker::Application(application.id);
        let mut resolved = self.resolve(input).await?;
        if options.ensure_access || resolved.tokens.is_some() {
            self.prove(asker, input, &mut resolved).await?;
        }
        let account = loop {
            // Two sign-ins of one mailbox at the same time must not make two accounts.
            let saving = self.inner.connecting.saving.lock().await;
            let proposed = recycle::propose(
                self,
                application,
                input,
                &resolved.mailbox,
                &resolved.identity(),
                options,
            )
            .await?;
            match proposed {
                None => break self.insert_account(application, input, &resolved).await?,
                Some(old) if resolved.proved || self.is_unchanged(&old, input, &resolved).await => {
                    break self.reuse_account(old, input, &resolved).await?;
                }
                Some(_) => {
                    drop(saving);
                    self.prove(asker, input, &mut resolved).await?;
                }
            }
        };
        self.inner.store.wake(account.id).await?;
        let access_token = self.new_access_token(account.id).await?;
        Ok(SavedAccount {
            account,
            access_token,
        })
    }

    /// Signs in with what [`Self::save_account`] would save, and saves nothing.
    ///
    /// # Errors
    /// As [`Self::save_account`].
    pub async fn check_connection(
        &self,
        application: &Application,
        input: AccountInput,
    ) -> OperationResult<()> {
        let mut resolved = self.resolve(&input).await?;
        let asker = Asker::Application(application.id);
        self.prove(asker, &input, &mut resolved).await
    }

    /// Whether the account is already connected in just this way, and that is thought to work.
    async fn is_unchanged(&self, old: &Account, input: &AccountInput, resolved: &Resolved) -> bool {
        let mailbox = &resolved.mailbox;
        let details = AccountDetails::of(old);
        let same_servers = details.trust_server == input.trust_server
            && details.server_url
                == mailbox
                    .server_url
                    .clone()
                    .or_else(|| input.server_url.clone())
            && details.server_url2
                == mailbox
                    .server_url2
                    .clone()
                    .or_else(|| input.server_url2.clone());
        old.credentials.status == TokenStatus::Active
            && old.mailbox == resolved.identity()
            && same_servers
            && self.connection(old).await.is_ok_and(|kept| {
                let kept = secrets::hash(kept.secret.expose_secret());
                let given = mailbox.connection.secret.expose_secret();
                secrets::same(&kept, &secrets::hash(given))
            })
    }
}
