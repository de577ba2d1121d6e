//! What is done at the provider when an account is gone.

use std::{sync::Arc, time::Duration};

use email_provider::{
    Connection, ProviderPlugin,
    oauth::{AccessTokens, Grant},
};
use gateway_store::Account;

use super::{UnsavedTokens, endpoint};
use crate::Gateway;

/// How long the provider is waited for, twice.
const PATIENCE: Duration = Duration::from_secs(10);

impl Gateway {
    /// How an account was connected, to be given to [`Self::end_connection`] once it is gone. None where
    /// there is nothing to end.
    pub(crate) async fn connection_to_end(&self, account: &Account) -> Option<Connection> {
        match self.connection(account).await {
            Ok(connection) => Some(connection),
            Err(error) => {
                tracing::warn!(%error, "nothing is ended at the provider");
                None
            }
        }
    }

    /// Ends in the background, as far as the provider is to be had, what was begun there for an account
    /// that is gone: subscriptions, and the grant unless another account lives by it.
    pub(crate) fn end_connection(&self, account: Account, connection: Option<Connection>) {
        let (Some(connection), Ok(plugin)) = (connection, self.plugin(&account.kind)) else {
            return;
        };
        let gateway = self.clone();
        self.inner.tasks.spawn(async move {
            gateway
                .end_at_provider(&account, &plugin, &connection)
                .await;
        });
    }

    async fn end_at_provider(
        &self,
        account: &Account,
        plugin: &Arc<dyn ProviderPlugin>,
        connection: &Connection,
    ) {
        let mut context = self.connect_context(&account.kind);
        let mut tokens = None;
        if plugin.oauth().is_some() {
            let grant = Grant::from_secret(&connection.secret);
            let Ok(Ok(unsaved)) = grant.map(|grant| UnsavedTokens::new(self, plugin, grant)) else {
                return;
            };
            context.tokens = Some(Arc::clone(&unsaved) as Arc<dyn AccessTokens>);
            tokens = Some(unsaved);
        }
        let ended = tokio::time::timeout(PATIENCE, plugin.disconnect(&context, connection)).await;
        if ended.is_err() {
            tracing::warn!(
                kind = account.kind,
                "the provider was not told of a removal"
            );
        }
        if let Some(tokens) = tokens {
            let grant = tokens.grant().await;
            let revoked = self.give_back(account, plugin, &grant);
            if tokio::time::timeout(PATIENCE, revoked).await.is_err() {
                tracing::warn!(kind = account.kind, "a grant was not given back");
            }
        }
    }

    /// Revokes a grant. A provider may end with it all that its user granted to this gateway.
    async fn give_back(&self, account: &Account, plugin: &Arc<dyn ProviderPlugin>, grant: &Grant) {
        let store = &self.inner.store;
        let others = store.accounts_at(&account.kind, Some(&account.mailbox), None, 1);
        if !others.await.is_ok_and(|others| others.is_empty()) {
            return;
        }
        let Ok(client) = self.oauth_client(plugin.as_ref()) else {
            return;
        };
        let Some(url) = &client.revoke_url else {
            return;
        };
        let revoked = endpoint::revoke(self.token_http(), &client, url, grant).await;
        let outcome = match revoked {
            Ok(()) => "revoked",
            Err(error) => {
                tracing::warn!(kind = account.kind, %error, "a grant was not given back");
                "failed"
            }
        };
        metrics::counter!("polypost_grants_given_back_total", "outcome" => outcome).increment(1);
    }
}
