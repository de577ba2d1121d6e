//! How mailboxes of Office 365 and Outlook.com are signed in to.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU32, AtomicUsize},
    },
    time::Duration,
};

use async_trait::async_trait;
use email_provider::{
    AccountBudget, Call, Charged, ConnectContext, ConnectedMailbox, Connection, CredentialField,
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
    api::{Api, Parts, Places, Prefer},
    client_state::ClientStates,
    config::Config,
    folders::Roles,
    id_token,
    mailbox::Mailbox,
    proof::{self, Stored},
    provider::GraphProvider,
    push::{PushTarget, Signals},
    token::Tokens,
    transport::SharedTransport,
    watch,
};

/// How long a sign-in may take.
const SIGN_IN_WAIT: Duration = Duration::from_secs(30);

/// Mailboxes of Office 365 and Outlook.com. They share one HTTP client.
#[derive(Debug, Default)]
pub struct GraphPlugin {
    transport: SharedTransport,
    pub(crate) signals: Signals,
    places: Mutex<HashMap<String, Weak<Places>>>,
}

impl GraphPlugin {
    /// Places for requests under way at a mailbox, shared by all that is opened for it.
    fn places(&self, stored: &Stored, config: &Config) -> Arc<Places> {
        let quota = config.quota.account();
        let new = || Places::new(quota.concurrency, quota.background_concurrency);
        let Some(user) = stored.user() else {
            return new();
        };
        let mut all = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = all.get(user).and_then(Weak::upgrade) {
            return places;
        }
        all.retain(|_, places| places.strong_count() > 0);
        let places = new();
        all.insert(user.to_owned(), Arc::downgrade(&places));
        places
    }

    fn api(
        &self,
        context: &ConnectContext,
        connection: &Connection,
        config: &Config,
    ) -> ProviderResult<Api> {
        let account = context.budget.clone();
        let stored = Stored::of(&connection.settings);
        Ok(Api::new(Parts {
            transport: self.transport.get(&context.network)?,
            root: config.root(),
            tokens: Tokens::of(context, connection)?,
            clock: Arc::clone(&context.clock),
            account: account.unwrap_or_else(|| Budget::new(config.quota.account())),
            places: self.places(&stored, config),
            quota: config.quota.clone(),
            throttled: AtomicU32::new(0),
            page: AtomicUsize::new(Prefer::LARGEST_PAGE),
        }))
    }

    /// Where the mailbox's hints go, if the operator has said.
    fn push_target(&self, config: &Config, stored: &Stored) -> Option<PushTarget> {
        let (url, subject) = (config.push_url.as_ref()?, stored.subject.as_ref()?);
        Some(PushTarget {
            url: url.to_string(),
            client_state: ClientStates::of(config)?.make(subject)?,
            signal: self.signals.of(subject),
        })
    }
}

fn config_of(context: &ConnectContext) -> ProviderResult<Config> {
    Config::of(context)
        .map_err(|error| ProviderError::new(ErrorKind::Unexpected, error.to_string()))
}

/// Who has signed in. The mailbox tells as well whose it is: a token that names nobody ends no sign-in.
fn signed_in(config: &Config, token: &SecretString) -> Option<id_token::User> {
    let user = id_token::User::of(token, config.client_id.as_deref());
    if user.is_none() {
        tracing::warn!("an ID token that names no user of this client is not used");
    }
    user
}

fn call() -> Call {
    Call {
        priority: Priority::Interactive,
        deadline: Instant::now() + SIGN_IN_WAIT,
    }
}

#[async_trait]
impl ProviderPlugin for GraphPlugin {
    fn info(&self) -> PluginInfo {
        PluginInfo {
            kind: "graph",
            environment: &["MICROSOFT", "GRAPH"],
            service_types: vec![ServiceTypeInfo {
                name: "Office365",
                credentials: vec![CredentialField::AccessToken, CredentialField::RefreshToken],
            }],
        }
    }

    /// The address may be unknown still: the mailbox tells it.
    async fn resolve(
        &self,
        context: &ConnectContext,
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
        let stored = Stored {
            signed_in: match &sign_in.id_token {
                Some(token) => signed_in(&Config::of(context)?, token),
                None => None,
            },
            ..Stored::default()
        };
        let no_token = || SecretString::from("");
        let grant = Grant {
            access_token: sign_in.access_token.clone().unwrap_or_else(no_token),
            refresh_token: sign_in.refresh_token.clone(),
            expires_at: sign_in.expires_at,
            scopes: sign_in.granted_scopes.clone(),
        };
        Ok(ConnectedMailbox {
            connection: Connection {
                // Text has a JSON form.
                settings: serde_json::to_value(&stored).unwrap_or_default(),
                secret: grant.to_secret(),
            },
            identity: MailboxIdentity {
                subject: login.to_lowercase(),
            },
            email: sign_in.email.clone(),
            login,
            server_url: None,
            server_url2: None,
            service_provider: Some("Office365"),
        })
    }

    async fn prove(
        &self,
        context: &ConnectContext,
        mailbox: ConnectedMailbox,
    ) -> Result<ConnectedMailbox, SignInError> {
        let config = Config::of(context)?;
        let api = self.api(context, &mailbox.connection, &config)?;
        Ok(proof::prove(&api, call(), mailbox).await?)
    }

    fn is_same_mailbox(&self, earlier: &Value, later: &Value) -> Option<bool> {
        proof::is_same(&Stored::of(earlier), &Stored::of(later))
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
            let Some(url) = &config.push_url else {
                return Ok(());
            };
            watch::end(&self.api(context, connection, &config)?, url.as_str()).await
        };
        if let Err(error) = ended.await {
            tracing::info!(%error, "a subscription is left to end by itself");
        }
    }

    async fn open(
        &self,
        context: &ConnectContext,
        connection: &Connection,
    ) -> ProviderResult<Arc<dyn EmailProvider>> {
        let config = config_of(context)?;
        let api = self.api(context, connection, &config)?;
        let stored = Stored::of(&connection.settings);
        let push = self.push_target(&config, &stored);
        let roles = match stored.folders {
            Some(roles) => roles,
            None => Roles::of(&api, call()).await?,
        };
        let largest = config.largest_message;
        let mailbox = Mailbox::new(api, roles, push, largest);
        Ok(Arc::new(GraphProvider::new(mailbox)))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A context with this section of the configuration.
    pub(crate) fn context(config: Value) -> ConnectContext {
        ConnectContext {
            public_url: None,
            network: Arc::new(email_provider::network::GuardedNetwork::new(
                Vec::new(),
                email_provider::network::GuardOptions::default(),
            )),
            clock: Arc::new(email_provider::SystemClock),
            config,
            tokens: None,
            budget: None,
        }
    }

    #[tokio::test]
    async fn a_sign_in_needs_a_token_and_keeps_it_as_a_grant() {
        let plugin = GraphPlugin::default();
        let context = context(Value::Null);
        let nothing = plugin.resolve(&context, &SignIn::default()).await;
        assert!(matches!(nothing, Err(SignInError::Invalid(_))));
        let sign_in = SignIn {
            email: Some("Ann@Example.com".into()),
            access_token: Some("a".into()),
            refresh_token: Some("r".into()),
            ..SignIn::default()
        };
        let mailbox = plugin.resolve(&context, &sign_in).await.unwrap();
        assert_eq!(mailbox.identity.subject, "ann@example.com");
        let grant = Grant::from_secret(&mailbox.connection.secret).unwrap();
        assert!(grant.refresh_token.is_some());
    }

    #[tokio::test]
    async fn an_api_on_this_machine_is_refused_unless_the_operator_allows_it() {
        for url in [
            "http://127.0.0.1:9/",
            "http://[::1]:443/",
            "http://localhost:9/",
        ] {
            let context = context(serde_json::json!({"graph_url": url}));
            let plugin = GraphPlugin::default();
            let sign_in = SignIn {
                access_token: Some("a".into()),
                ..SignIn::default()
            };
            let mailbox = plugin.resolve(&context, &sign_in).await.unwrap();
            let refused = plugin.prove(&context, mailbox).await;
            let Err(SignInError::Provider(error)) = refused else {
                panic!("{refused:?}");
            };
            assert_eq!(error.kind, ErrorKind::Unexpected, "{url}: {error}");
            assert!(error.message.contains("may not connect"), "{error}");
        }
    }
}
