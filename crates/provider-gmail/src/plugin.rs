//! How Gmail mailboxes are signed in to.

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU32},
    time::Duration,
};

use async_trait::async_trait;
use email_provider::{
    AccountBudget, Charged, ConnectContext, ConnectedMailbox, Connection, CredentialField,
    EmailProvider, ErrorKind, MailboxIdentity, PluginInfo, Priority, ProviderError, ProviderPlugin,
    ProviderResult, ServiceTypeInfo, SignIn, SignInError,
    layers::Budget,
    oauth::{Grant, OAuthPlugin},
    push::PushReceiver,
};
use secrecy::SecretString;
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    api::{Api, Parts},
    client::SharedClient,
    config::Config,
    mailbox::Mailbox,
    proof,
    provider::GmailProvider,
    push::Keys,
    token::Tokens,
    watch,
};

/// The backend's kind.
pub(crate) const KIND: &str = "gmail";
/// How long a sign-in may take.
const SIGN_IN_WAIT: Duration = Duration::from_secs(30);

/// Gmail mailboxes. They share one HTTP client and the budget of the gateway's registration.
#[derive(Debug, Default)]
pub struct GmailPlugin {
    pub(crate) client: SharedClient,
    pub(crate) keys: Keys,
    project: Mutex<Option<Arc<Budget>>>,
}

impl GmailPlugin {
    /// The budget of all mailboxes, with the figures that were first configured.
    fn project(&self, config: &Config) -> Arc<Budget> {
        let mut project = self.project.lock().unwrap_or_else(PoisonError::into_inner);
        let budget = project.get_or_insert_with(|| Budget::new(config.quota.project()));
        Arc::clone(budget)
    }

    fn api(
        &self,
        context: &ConnectContext,
        connection: &Connection,
        config: &Config,
    ) -> ProviderResult<Api> {
        let account = context.budget.clone();
        Ok(Api::new(Parts {
            client: self.client.get(&context.network)?,
            root: config.api_root(),
            tokens: Tokens::of(context, connection)?,
            clock: Arc::clone(&context.clock),
            account: account.unwrap_or_else(|| Budget::new(config.quota.account())),
            project: self.project(config),
            quota: config.quota.clone(),
            throttled: AtomicU32::new(0),
        }))
    }
}

fn config_of(context: &ConnectContext) -> ProviderResult<Config> {
    Config::of(context)
        .map_err(|error| ProviderError::new(ErrorKind::Unexpected, error.to_string()))
}

#[async_trait]
impl ProviderPlugin for GmailPlugin {
    fn info(&self) -> PluginInfo {
        PluginInfo {
            kind: KIND,
            environment: &["GOOGLE"],
            service_types: vec![ServiceTypeInfo {
                name: "Google",
                credentials: vec![CredentialField::AccessToken, CredentialField::RefreshToken],
            }],
        }
    }

    /// The address may be unknown still: the mailbox tells it.
    async fn resolve(
        &self,
        _context: &ConnectContext,
        sign_in: &SignIn,
    ) -> Result<ConnectedMailbox, SignInError> {
        if sign_in.access_token.is_none() && sign_in.refresh_token.is_none() {
            let what = "authString1 (an access token) or authString2 (a refresh token) is needed";
            return Err(SignInError::Invalid(what.to_owned()));
        }
        let login = sign_in.email.as_ref().or(sign_in.login.as_ref());
        let login = login
            .map(|login| login.trim().to_owned())
            .unwrap_or_default();
        if login.len() > 320 || login.contains(char::is_control) {
            return Err(SignInError::Invalid("email is none".to_owned()));
        }
        let no_token = || SecretString::from("");
        let grant = Grant {
            access_token: sign_in.access_token.clone().unwrap_or_else(no_token),
            refresh_token: sign_in.refresh_token.clone(),
            expires_at: sign_in.expires_at,
            scopes: sign_in.granted_scopes.clone(),
        };
        Ok(ConnectedMailbox {
            connection: Connection {
                settings: serde_json::json!({}),
                secret: grant.to_secret(),
            },
            identity: MailboxIdentity {
                subject: login.to_lowercase(),
            },
            email: sign_in.email.clone(),
            login,
            server_url: None,
            server_url2: None,
            service_provider: Some("Google"),
        })
    }

    async fn prove(
        &self,
        context: &ConnectContext,
        mailbox: ConnectedMailbox,
    ) -> Result<ConnectedMailbox, SignInError> {
        let config = Config::of(context)?;
        let api = self.api(context, &mailbox.connection, &config)?;
        let call = email_provider::Call {
            priority: Priority::Interactive,
            deadline: Instant::now() + SIGN_IN_WAIT,
        };
        Ok(proof::prove(&api, call, &config, mailbox).await?)
    }

    fn is_same_mailbox(&self, earlier: &Value, later: &Value) -> Option<bool> {
        proof::is_same(earlier, later)
    }

    fn oauth(&self) -> Option<&dyn OAuthPlugin> {
        Some(self)
    }

    fn push(&self) -> Option<&dyn PushReceiver> {
        Some(self)
    }

    fn budget(&self, context: &ConnectContext) -> Result<AccountBudget, SignInError> {
        Ok(AccountBudget {
            config: Config::of(context)?.quota.account(),
            charged: Charged::Request,
        })
    }

    async fn disconnect(&self, context: &ConnectContext, connection: &Connection) {
        let ended = async {
            let config = config_of(context)?;
            if config.pubsub_topic.is_none() {
                return Ok(());
            }
            watch::end(&self.api(context, connection, &config)?).await
        };
        if let Err(error) = ended.await {
            tracing::info!(%error, "a watch is left to end by itself");
        }
    }

    async fn open(
        &self,
        context: &ConnectContext,
        connection: &Connection,
    ) -> ProviderResult<Arc<dyn EmailProvider>> {
        let config = config_of(context)?;
        let api = self.api(context, connection, &config)?;
        let mailbox = Mailbox::new(api, config.pubsub_topic);
        Ok(Arc::new(GmailProvider::new(mailbox)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> ConnectContext {
        ConnectContext {
            public_url: None,
            network: Arc::new(email_provider::network::GuardedNetwork::new(
                Vec::new(),
                email_provider::network::GuardOptions::default(),
            )),
            clock: Arc::new(email_provider::SystemClock),
            config: Value::Null,
            tokens: None,
            budget: None,
        }
    }

    #[tokio::test]
    async fn a_sign_in_needs_a_token_and_keeps_it_as_a_grant() {
        let plugin = GmailPlugin::default();
        let nothing = plugin.resolve(&context(), &SignIn::default()).await;
        assert!(matches!(nothing, Err(SignInError::Invalid(_))));
        let sign_in = SignIn {
            email: Some("Ann@Example.com".into()),
            access_token: Some("a".into()),
            refresh_token: Some("r".into()),
            ..SignIn::default()
        };
        let mailbox = plugin.resolve(&context(), &sign_in).await.unwrap();
        assert_eq!(mailbox.identity.subject, "ann@example.com");
        let grant = Grant::from_secret(&mailbox.connection.secret).unwrap();
        assert!(grant.refresh_token.is_some());
    }

    #[tokio::test]
    async fn an_api_on_this_machine_is_refused_unless_the_operator_allows_it() {
        let mut context = context();
        context.config = serde_json::json!({"api_url": "http://127.0.0.1:9/"});
        let plugin = GmailPlugin::default();
        let sign_in = SignIn {
            access_token: Some("a".into()),
            ..SignIn::default()
        };
        let mailbox = plugin.resolve(&context, &sign_in).await.unwrap();
        let refused = plugin.prove(&context, mailbox).await;
        let Err(SignInError::Provider(error)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(error.kind, ErrorKind::Unexpected);
        assert!(error.message.contains("may not connect"), "{error}");
    }
}
