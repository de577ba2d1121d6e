//! Open mailboxes: one provider an account, kept while its connection stays the same.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use email_model::digest;
use email_provider::{
    AccountBudget, ConnectContext, Connection, EmailProvider, ErrorKind, ProviderError,
    ProviderPlugin, SignInError,
    layers::{Budget, BudgetConfig, RetryConfig, layered},
};
use gateway_store::{Account, AccountId, CredentialState, TokenStatus, sealing::Place};
use secrecy::{ExposeSecret, SecretString};

use crate::{Gateway, OperationError, OperationErrorKind, OperationResult};

/// How long a refused password is answered from memory before the server is asked again: providers
/// lock accounts after repeated bad sign-ins.
const REFUSED_FOR: chrono::Duration = chrono::Duration::minutes(15);
/// The same for a token, which locks nothing and may be another one by then.
const TOKEN_REFUSED_FOR: chrono::Duration = chrono::Duration::minutes(1);

/// A mailbox that is open.
#[derive(Clone, Debug)]
pub(crate) struct OpenMailbox {
    pub account: AccountId,
    /// Whose mailbox it is: the root of every id in it.
    pub identity: Arc<str>,
    pub provider: Arc<dyn EmailProvider>,
    pub budget: Arc<Budget>,
    connection: [u8; 16],
}

/// The open mailboxes of this process.
#[derive(Debug, Default)]
pub(crate) struct Mailboxes {
    open: Mutex<HashMap<AccountId, OpenMailbox>>,
    /// What was spent is spent, also when a mailbox is opened again.
    budgets: Mutex<HashMap<AccountId, (String, Arc<Budget>)>>,
}

impl Mailboxes {
    fn budget(&self, account: &Account, config: BudgetConfig) -> Arc<Budget> {
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || (account.kind.clone(), Budget::new(config));
        let kept = budgets.entry(account.id).or_insert_with(make);
        if kept.0 != account.kind {
            *kept = make();
        }
        Arc::clone(&kept.1)
    }

    pub fn forget_budget(&self, account: AccountId) {
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        budgets.remove(&account);
    }

    fn get(&self, account: AccountId) -> Option<OpenMailbox> {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&account)
            .cloned()
    }

    /// The mailbox to use, and the one to close. Who else opened it at the same time uses what they put here, so that
    /// stays where the connection is the same.
    fn put(&self, mailbox: OpenMailbox) -> (OpenMailbox, Option<OpenMailbox>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get(&mailbox.account) {
            Some(kept) if kept.connection == mailbox.connection => (kept.clone(), Some(mailbox)),
            _ => (mailbox.clone(), open.insert(mailbox.account, mailbox)),
        }
    }

    fn take(&self, account: AccountId) -> Option<OpenMailbox> {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&account)
    }

    fn take_all(&self) -> Vec<OpenMailbox> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.drain().map(|(_, mailbox)| mailbox).collect()
    }
}

impl Gateway {
    /// The account's mailbox, opened if it is not. Credentials that were refused lately are not tried.
    pub(crate) async fn mailbox(&self, account: &Account) -> OperationResult<OpenMailbox> {
        self.check_credentials(account)?;
        let connection = connection_digest(account);
        if let Some(open) = self.inner.mailboxes.get(account.id)
            && open.connection == connection
        {
            return Ok(open);
        }
        let (provider, budget) = match self.open_provider(account).await {
            Ok(opened) => opened,
            Err(error) => return Err(self.note_failure(account, error).await),
        };
        let mailbox = OpenMailbox {
            account: account.id,
            identity: account.mailbox.as_str().into(),
            provider,
            budget,
            connection,
        };
        let (mailbox, unused) = self.inner.mailboxes.put(mailbox);
        if let Some(unused) = unused {
            unused.provider.close().await;
        }
        Ok(mailbox)
    }

    async fn open_provider(
        &self,
        account: &Account,
    ) -> Result<(Arc<dyn EmailProvider>, Arc<Budget>), ProviderError> {
        let plugin = self.plugin(&account.kind).map_err(|_| {
            ProviderError::new(
                ErrorKind::Unsupported,
                "this gateway has no backend of this kind",
            )
        })?;
        let connection = self
            .connection(account)
            .await
            .map_err(|error| ProviderError::new(ErrorKind::Unexpected, error.message))?;
        let mut context = self.connect_context(&account.kind);
        let AccountBudget { config, charged } =
            plugin.budget(&context).map_err(|error| match error {
                SignInError::Provider(error) => error,
                error => ProviderError::new(ErrorKind::Unexpected, error.to_string()),
            })?;
        let budget = self.inner.mailboxes.budget(account, config);
        context.budget = Some(Arc::clone(&budget));
        if plugin.oauth().is_some() {
            context.tokens = Some(self.tokens_of(account, &plugin));
        }
        let provider = plugin.open(&context, &connection).await?;
        let kind = plugin.info().kind;
        let provider = layered(
            provider,
            kind,
            Arc::clone(&budget),
            charged,
            RetryConfig::default(),
        );
        Ok((provider, budget))
    }

    pub(crate) fn plugin(&self, kind: &str) -> OperationResult<Arc<dyn ProviderPlugin>> {
        self.inner.registry.by_kind(kind).ok_or_else(|| {
            OperationError::new(
                OperationErrorKind::NotSupported,
                "this gateway has no backend of this kind",
            )
        })
    }

    pub(crate) fn connect_context(&self, kind: &str) -> ConnectContext {
        let context = &self.inner.context;
        ConnectContext {
            public_url: context.public_url.clone(),
            network: Arc::clone(&context.network),
            clock: Arc::clone(&context.clock),
            tokens: None,
            budget: None,
            config: context
                .provider_config
                .get(kind)
                .cloned()
                .unwrap_or_default(),
        }
    }

    /// Seals a connection's secret for this account.
    pub(crate) fn seal_secret(
        &self,
        account: AccountId,
        secret: &SecretString,
    ) -> OperationResult<Vec<u8>> {
        let row = account.to_string();
        self.inner
            .sealer
            .seal(secret_place(&row), secret.expose_secret().as_bytes())
            .map_err(|_| OperationError::internal("sealing failed"))
    }

    /// The account's connection, its secret opened: the grant as it is stored now, where it has one.
    pub(crate) async fn connection(&self, account: &Account) -> OperationResult<Connection> {
        let unreadable = || OperationError::internal("the stored credentials cannot be opened");
        let secret = if self.is_by_oauth(account) {
            let row = self.inner.store.grant(account.id).await?;
            let row = row.ok_or_else(unreadable)?;
            self.open_grant(account.id, &account.mailbox, &row)?
                .to_secret()
        } else {
            let row = account.id.to_string();
            let opened = self
                .inner
                .sealer
                .open(secret_place(&row), &account.connection_secret);
            let text = opened.ok().and_then(|bytes| String::from_utf8(bytes).ok());
            SecretString::from(text.ok_or_else(unreadable)?)
        };
        Ok(Connection {
            settings: account.connection_settings.clone(),
            secret,
        })
    }

    fn is_by_oauth(&self, account: &Account) -> bool {
        let plugin = self.inner.registry.by_kind(&account.kind);
        plugin.is_some_and(|plugin| plugin.oauth().is_some())
    }

    fn check_credentials(&self, account: &Account) -> OperationResult<()> {
        let state = &account.credentials;
        let reason = || {
            state
                .error
                .clone()
                .unwrap_or_else(|| "the mailbox refused the credentials".into())
        };
        match state.status {
            TokenStatus::Dead => Err(OperationError::new(OperationErrorKind::TokenDead, reason())),
            TokenStatus::Invalid
                if state
                    .refused_at
                    .is_some_and(|at| self.now() - at < self.refused_for(account)) =>
            {
                Err(OperationError::new(
                    OperationErrorKind::TokenRefreshFailed,
                    reason(),
                ))
            }
            TokenStatus::Active | TokenStatus::Invalid => Ok(()),
        }
    }

    fn refused_for(&self, account: &Account) -> chrono::Duration {
        match self.is_by_oauth(account) {
            true => TOKEN_REFUSED_FOR,
            false => REFUSED_FOR,
        }
    }

    /// Turns a failed call into the operation's error, and keeps refused credentials in mind.
    pub(crate) async fn note_failure(
        &self,
        account: &Account,
        error: ProviderError,
    ) -> OperationError {
        if error.kind == ErrorKind::Unauthenticated {
            let state = CredentialState {
                status: TokenStatus::Invalid,
                error: Some(error.message.clone()),
                refused_at: Some(self.now()),
            };
            if let Err(failure) = self.inner.store.set_credentials(account.id, &state).await {
                tracing::warn!(error = %failure, "could not note refused credentials");
            }
            self.forget_mailbox(account.id).await;
            if let Ok(Some(account)) = self.inner.store.account(account.id).await
                && account.credentials.status == TokenStatus::Dead
                && let Err(dead) = self.check_credentials(&account)
            {
                return dead;
            }
        }
        error.into()
    }

    /// Notes that the credentials work, where they were thought not to.
    pub(crate) async fn note_success(&self, account: &Account) -> OperationResult<()> {
        if account.credentials.status == TokenStatus::Invalid {
            self.inner
                .store
                .set_credentials(account.id, &CredentialState::default())
                .await?;
        }
        Ok(())
    }

    /// Closes the account's mailbox, if it is open.
    pub(crate) async fn forget_mailbox(&self, account: AccountId) {
        if let Some(mailbox) = self.inner.mailboxes.take(account) {
            mailbox.provider.close().await;
        }
    }

    /// The account's mailbox, if it is open.
    pub(crate) fn open_mailbox(&self, account: AccountId) -> Option<OpenMailbox> {
        self.inner.mailboxes.get(account)
    }

    pub(crate) async fn close_mailboxes(&self) {
        let closing = self.inner.mailboxes.take_all();
        futures::future::join_all(closing.iter().map(|mailbox| mailbox.provider.close())).await;
    }
}

fn secret_place(row: &str) -> Place<'_> {
    Place {
        table: "account",
        row,
        column: "secret",
    }
}

/// Tokens are no part of it: a mailbox stays open while they are refreshed.
fn connection_digest(account: &Account) -> [u8; 16] {
    let settings = account.connection_settings.to_string();
    let parts = [
        account.kind.as_bytes(),
        account.mailbox.as_bytes(),
        settings.as_bytes(),
        &account.connection_secret,
    ];
    digest("polypost.connection.1", &parts).0
}
