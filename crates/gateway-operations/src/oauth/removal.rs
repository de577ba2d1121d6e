//! What is done at the provider when an account is gone.

use std::{sync::Arc, time::Duration};

use email_provider::{
    Connection, ProviderPlugin,
    oauth::{AccessTokens, Grant},
};
use gateway_store::Account;

use super::{UnsavedTokens, endpoint};
use crate::Gateway;

/// How long the provider is waited for, each time.
const PATIENCE: Duration = Duration::from_secs(10);
/// Before a provider that gives no answer is asked again to end a grant.
const AGAIN: [Duration; 4] = [
    Duration::from_secs(2),
    Duration::from_secs(30),
    Duration::from_secs(5 * 60),
    Duration::from_secs(60 * 60),
];

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
    /// that is gone: subscriptions and the grant, unless another account lives by them. A provider may end
    /// with the one all that its user granted to this gateway, and with the other all pushes of the mailbox.
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
        let store = &self.inner.store;
        let others = store.accounts_at(&account.kind, Some(&account.mailbox), None, 1);
        if !others.await.is_ok_and(|others| others.is_empty()) {
            return;
        }
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
            self.give_back(plugin, &tokens.grant().await).await;
        }
    }

    /// Revokes a grant: again and again where the provider gives no answer, for as long as this process lives.
    async fn give_back(&self, plugin: &Arc<dyn ProviderPlugin>, grant: &Grant) {
        let Ok(client) = self.oauth_client(plugin.as_ref()) else {
            return;
        };
        let Some(url) = &client.revoke_url else {
            return;
        };
        let kind = plugin.info().kind;
        let mut outcome = "failed";
        for wait in AGAIN.into_iter().map(Some).chain([None]) {
            let revoked = endpoint::revoke(self.token_http(), &client, url, grant);
            let error = match tokio::time::timeout(PATIENCE, revoked).await {
                Ok(Ok(())) => {
                    outcome = "revoked";
                    break;
                }
                Ok(Err(error)) => Some(error),
                Err(_) => None,
            };
            let cause = error.as_ref().map(tracing::field::display);
            tracing::warn!(kind, cause, again_in = ?wait, "a grant was not given back");
            let Some(wait) = wait else { break };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.inner.stopping.cancelled() => {
                    tracing::warn!(kind, "a grant is not given back: its user has to end it");
                    break;
                }
            }
        }
        metrics::counter!("polypost_grants_given_back_total", "outcome" => outcome).increment(1);
    }
}
