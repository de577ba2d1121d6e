//! Writing what was worked out of a sign-in into an account.

use email_provider::oauth::Grant;
use gateway_store::{Account, AccountId, Application, CredentialState, StoreError};
use serde_json::Value;

use super::{AccountDetails, AccountInput, resolve::Resolved, secrets};
use crate::{Gateway, OperationError, OperationResult};

/// How often a number that is taken is thrown again.
const ATTEMPTS: usize = 5;

impl Gateway {
    pub(super) async fn insert_account(
        &self,
        application: &Application,
        input: &AccountInput,
        resolved: &Resolved,
    ) -> OperationResult<Account> {
        let now = self.now();
        let mut account = Account {
            id: AccountId(0),
            application: application.id,
            kind: resolved.kind.to_owned(),
            service_type: String::new(),
            mailbox: String::new(),
            email: None,
            login: String::new(),
            active: true,
            details: Value::Null,
            connection_settings: Value::Null,
            connection_secret: Vec::new(),
            credentials: CredentialState::default(),
            created_at: now,
            updated_at: now,
        };
        let grant = resolved.grant().await;
        for _ in 0..ATTEMPTS {
            account.id = AccountId(secrets::new_id()?);
            self.fill(&mut account, input, resolved, grant.as_ref())?;
            let sealed = self.sealed(&account, grant.as_ref())?;
            let store = &self.inner.store;
            match store.insert_account(&account, sealed.as_deref()).await {
                Ok(()) => return Ok(account),
                Err(StoreError::Exists) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(OperationError::internal("no free account number was found"))
    }

    pub(super) async fn reuse_account(
        &self,
        old: Account,
        input: &AccountInput,
        resolved: &Resolved,
    ) -> OperationResult<Account> {
        let mut account = old.clone();
        let is_same = resolved.is_of(&old);
        let mut grant = resolved.grant().await;
        if let Some(grant) = &mut grant
            && is_same
        {
            self.keep_refresh_token(&old, grant).await;
        }
        self.fill(&mut account, input, resolved, grant.as_ref())?;
        if is_same {
            // The mailbox may have another address by now: its ids stay.
            account.mailbox.clone_from(&old.mailbox);
        }
        account.updated_at = self.now();
        if !resolved.proved {
            // What earlier sign-ins have learned of the servers is better than a first guess.
            account
                .connection_settings
                .clone_from(&old.connection_settings);
            account.connection_secret.clone_from(&old.connection_secret);
            self.inner.store.update_account(&account).await?;
            return Ok(account);
        }
        account.credentials = CredentialState::default();
        if is_same {
            self.reconnect(&account, grant.as_ref()).await?;
            return Ok(account);
        }
        // Another mailbox: what is known of the old one must not be shown as the new one's. The
        // journal goes first, so that a crash in between costs a scan and nothing else.
        let ended = self.connection_to_end(&old).await;
        self.forget_account(old.id).await;
        self.forget_all_of(old.id).await;
        let mut details = AccountDetails::of(&account);
        details.well_known_archive = None;
        details.well_known_sent = None;
        details.store_in(&mut account)?;
        if self.inner.store.journal(old.id).await?.is_some() {
            let journal = self.new_journal(old.id)?;
            self.inner.store.reset_journal(old.id, &journal).await?;
        }
        self.reconnect(&account, grant.as_ref()).await?;
        self.forget_all_of(old.id).await;
        self.end_connection(old, ended);
        Ok(account)
    }

    async fn reconnect(&self, account: &Account, grant: Option<&Grant>) -> OperationResult<()> {
        let sealed = self.sealed(account, grant)?;
        let store = &self.inner.store;
        store.reconnect_account(account, sealed.as_deref()).await?;
        self.inner.grants.changed(account.id);
        Ok(())
    }

    /// Providers give a refresh token with the first consent and not with every later one.
    async fn keep_refresh_token(&self, old: &Account, grant: &mut Grant) {
        if grant.refresh_token.is_none()
            && let Ok(Some(row)) = self.inner.store.grant(old.id).await
            && let Ok(kept) = self.open_grant(old.id, &old.mailbox, &row)
        {
            grant.refresh_token = kept.refresh_token;
        }
    }

    fn sealed(&self, account: &Account, grant: Option<&Grant>) -> OperationResult<Option<Vec<u8>>> {
        let seal = |grant| self.seal_grant(account.id, &account.mailbox, grant);
        grant.map(seal).transpose()
    }

    /// Writes a sign-in into an account. What the client left out stays as it is.
    fn fill(
        &self,
        account: &mut Account,
        input: &AccountInput,
        resolved: &Resolved,
        grant: Option<&Grant>,
    ) -> OperationResult<()> {
        let mailbox = &resolved.mailbox;
        account.mailbox = resolved.identity();
        account.kind = resolved.kind.to_owned();
        account.service_type.clone_from(&input.service_type);
        account.email = mailbox.email.clone().or_else(|| input.email.clone());
        account.login.clone_from(&mailbox.login);
        account.active = input.active;
        account.connection_settings = mailbox.connection.settings.clone();
        account.connection_secret = match grant {
            Some(_) => Vec::new(),
            None => self.seal_secret(account.id, &mailbox.connection.secret)?,
        };
        let old = AccountDetails::of(account);
        let details = AccountDetails {
            service_provider: input
                .service_provider
                .clone()
                .or_else(|| mailbox.service_provider.map(str::to_owned))
                .or(old.service_provider),
            email2: input.email2.clone().or(old.email2),
            name: input.name.clone().or(old.name),
            server_url: mailbox
                .server_url
                .clone()
                .or_else(|| input.server_url.clone()),
            server_url2: mailbox
                .server_url2
                .clone()
                .or_else(|| input.server_url2.clone()),
            client_org_id: input.client_org_id.clone().or(old.client_org_id),
            auth_org_id: input.auth_org_id.clone().or(old.auth_org_id),
            auth_user_id: input.auth_user_id.clone().or(old.auth_user_id),
            user_id: input.user_id.clone().or(old.user_id),
            timezone: input.timezone.clone().or(old.timezone),
            copy_to_sent: input.copy_to_sent.or(old.copy_to_sent),
            trust_server: input.trust_server,
            // None is all: left out, they would widen what an account was given.
            scopes: match input.scopes.as_slice() {
                [] => old.scopes,
                given => given.to_vec(),
            },
            granted: grant.and_then(|grant| resolved.access(grant)),
            auth_obtained_at: grant.map(|_| self.now()),
            well_known_archive: old.well_known_archive,
            well_known_sent: old.well_known_sent,
        };
        details.store_in(account)
    }
}
