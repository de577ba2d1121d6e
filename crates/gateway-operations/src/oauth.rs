//! What providers grant: codes exchanged, tokens kept fresh, grants ended.

mod endpoint;
mod http;
mod refresh;
mod removal;
mod tokens;
mod unsaved;

pub(crate) use endpoint::{Exchanged, ReturnedCode, TokenFailure, authorize_url, exchange};
pub(crate) use tokens::AccountTokens;
pub(crate) use unsaved::UnsavedTokens;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use email_provider::{ProviderPlugin, network::Network, oauth::OAuthClient};
use gateway_store::{Account, AccountId};

use self::http::TokenHttp;
use crate::{Gateway, OperationError, OperationResult};

/// What the process holds of grants.
#[derive(Debug)]
pub(crate) struct Grants {
    http: Arc<TokenHttp>,
    tokens: Mutex<HashMap<AccountId, Arc<AccountTokens>>>,
}

impl Grants {
    pub fn new(network: Arc<dyn Network>) -> Self {
        Self {
            http: Arc::new(TokenHttp::new(network)),
            tokens: Mutex::default(),
        }
    }

    fn known(&self, account: AccountId) -> Option<Arc<AccountTokens>> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(&account).cloned()
    }

    /// The account was connected anew: what is in memory of its grant is of another one.
    pub fn changed(&self, account: AccountId) {
        if let Some(tokens) = self.known(account) {
            tokens.clear();
        }
    }

    /// Another process may have connected the account anew.
    pub fn may_have_changed(&self, account: AccountId) {
        if let Some(tokens) = self.known(account) {
            tokens.look_again();
        }
    }

    pub fn forget(&self, account: AccountId) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.remove(&account);
    }
}

impl Gateway {
    pub(crate) fn token_http(&self) -> &Arc<TokenHttp> {
        &self.inner.grants.http
    }

    /// The tokens of an account that is connected by OAuth: the same for all that is opened for it.
    pub(crate) fn tokens_of(
        &self,
        account: &Account,
        plugin: &Arc<dyn ProviderPlugin>,
    ) -> Arc<AccountTokens> {
        let grants = &self.inner.grants.tokens;
        let mut grants = grants.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || Arc::new(AccountTokens::new(self, account, Arc::clone(plugin)));
        let tokens = grants.entry(account.id).or_insert_with(make);
        if !tokens.are_of(account) {
            *tokens = make();
        }
        Arc::clone(tokens)
    }

    /// This gateway as a client of the plugin's authorisation server.
    pub(crate) fn oauth_client(&self, plugin: &dyn ProviderPlugin) -> OperationResult<OAuthClient> {
        let oauth = plugin.oauth().ok_or_else(|| {
            OperationError::bad_request("this service type is not connected by OAuth")
        })?;
        let context = self.connect_context(plugin.info().kind);
        Ok(oauth.client(&context)?)
    }

    /// Runs what must come to its end although its caller goes away: a token that was given and not
    /// stored is lost for good.
    pub(crate) async fn to_the_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = OperationResult<T>> + Send + 'static,
    ) -> OperationResult<T> {
        let running = self.inner.tasks.spawn(work);
        let ended = running.await;
        ended.unwrap_or_else(|_| Err(OperationError::internal("the work broke off")))
    }
}
