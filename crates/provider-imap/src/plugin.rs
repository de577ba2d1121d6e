//! How IMAP mailboxes are signed in to.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use email_provider::{
    AccountBudget, ConnectContext, ConnectedMailbox, Connection, CredentialField, EmailProvider,
    ErrorKind, MailboxIdentity, PluginInfo, ProviderError, ProviderPlugin, ProviderResult,
    ServiceTypeInfo, SignIn, SignInError, layers::BudgetConfig, network::NetworkError,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::Instant;

use crate::{
    discovery::{Discovery, Found},
    known_servers,
    protocol::{self, Auth, ImapConfig, Limits, Pool, PoolOptions, Timeouts},
    provider::{Facts, ImapProvider},
    sending::Sending,
    settings::{AuthKind, Protocol, Server, ServerSecurity, Settings},
    smtp::{self, Offer, Secret, SmtpConfig, SmtpPool},
};

/// How long a sign-in may take.
const SIGN_IN_WAIT: Duration = Duration::from_secs(45);

/// How long the sending server may take then.
const SENDING_WAIT: Duration = Duration::from_secs(5);

/// The plugin's section of the configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Section {
    /// PEM file of authorities to trust instead of the machine's.
    ca_file: Option<std::path::PathBuf>,
    /// Connections for waiting, for interactive calls, for transfers and scans.
    watch_connections: Option<usize>,
    interactive_connections: Option<usize>,
    bulk_connections: Option<usize>,
    /// Seconds after which an unused connection is closed.
    keep_seconds: Option<u64>,
    /// What one account may do at the same time and over time.
    budget: Option<BudgetConfig>,
}

impl Section {
    fn of(context: &ConnectContext) -> ProviderResult<Self> {
        match &context.config {
            serde_json::Value::Null => Ok(Self::default()),
            section => serde_json::from_value(section.clone()).map_err(|error| {
                ProviderError::new(
                    ErrorKind::Unexpected,
                    format!("the configuration of IMAP cannot be read: {error}"),
                )
            }),
        }
    }

    /// PEM of the authorities to trust instead of the machine's.
    fn authorities(&self) -> ProviderResult<Option<String>> {
        let Some(file) = &self.ca_file else {
            return Ok(None);
        };
        let text = std::fs::read_to_string(file)
            .map_err(|error| broken("the file of authorities").with_source(error))?;
        Ok(Some(text))
    }
}

fn broken(what: &str) -> ProviderError {
    ProviderError::new(ErrorKind::Unexpected, format!("{what} cannot be read"))
}

/// A stored connection, ready to be made.
struct Configured {
    imap: ImapConfig,
    facts: Option<Facts>,
    smtp: Option<SmtpConfig>,
    offer: Option<Offer>,
}

/// IMAP mailboxes.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImapPlugin;

impl ImapPlugin {
    fn config(context: &ConnectContext, connection: &Connection) -> ProviderResult<Configured> {
        let settings: Settings = serde_json::from_value(connection.settings.clone())
            .map_err(|error| broken("the stored connection").with_source(error))?;
        let section = Section::of(context)?;
        let ca_pem = section.authorities()?;
        let usual = PoolOptions::default();
        let secret = connection.secret.clone();
        let login = settings.login.clone();
        let smtp = settings.smtp.map(|server| SmtpConfig {
            host: server.host,
            port: server.port,
            security: server.security.into(),
            login: settings.smtp_login.unwrap_or_else(|| login.clone()),
            secret: match (settings.auth, &context.tokens) {
                (AuthKind::Password, _) => Secret::Password(secret.clone()),
                (AuthKind::OAuth, Some(tokens)) => Secret::Tokens(Arc::clone(tokens)),
                (AuthKind::OAuth, None) => Secret::Token(secret.clone()),
            },
        });
        let imap = ImapConfig {
            host: settings.imap.host,
            port: settings.imap.port,
            security: settings.imap.security.into(),
            ca_pem,
            trust_server: settings.trust_server,
            auth: match settings.auth {
                AuthKind::Password => Auth::Password {
                    login,
                    password: secret,
                },
                AuthKind::OAuth => Auth::OAuth {
                    login,
                    token: secret,
                },
            },
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            pool: PoolOptions {
                watch: section.watch_connections.unwrap_or(usual.watch),
                interactive: section.interactive_connections.unwrap_or(usual.interactive),
                bulk: section.bulk_connections.unwrap_or(usual.bulk),
                keep: section.keep_seconds.map_or(usual.keep, Duration::from_secs),
                ..usual
            },
        };
        Ok(Configured {
            imap,
            facts: settings.facts,
            smtp,
            offer: settings.smtp_offer,
        })
    }

    /// What the sending server offers, if it takes the account: the mailbox can be read without it.
    async fn learn_offer(
        context: &ConnectContext,
        smtp: &SmtpConfig,
        tls: &protocol::Tls,
    ) -> Option<Offer> {
        let deadline = Instant::now() + SENDING_WAIT;
        match smtp::Connection::open(smtp, tls, context.network.as_ref(), deadline).await {
            Ok(connection) => {
                let offer = connection.offer();
                connection.close().await;
                Some(offer)
            }
            Err(error) => {
                tracing::info!(%error, "the sending server was not asked what it offers");
                None
            }
        }
    }

    async fn servers(context: &ConnectContext, sign_in: &SignIn) -> Result<Found, SignInError> {
        let address = sign_in
            .email
            .as_deref()
            .or(sign_in.login.as_deref())
            .unwrap_or_default();
        let authorities = Section::of(context)?.authorities()?;
        let discovery = Discovery {
            context,
            authorities: authorities.as_deref(),
        };
        let mut found = match &sign_in.server_url {
            Some(url) => {
                let imap = Server::parse(Protocol::Imap, url)?;
                // Who vouches for servers himself names them all: one that was found would be trusted blindly.
                let is_left_out = sign_in.server_url2.is_none() && !sign_in.trust_server;
                let smtp = match is_left_out {
                    true => discovery.sending_server(&imap, address).await,
                    false => None,
                };
                Found {
                    brand: known_servers::brand_of_host(&imap.host),
                    smtp,
                    imap,
                    login: address.to_owned(),
                }
            }
            None => discovery.servers(&sign_in.service_type, address).await?,
        };
        if let Some(url) = &sign_in.server_url2 {
            found.smtp = Some(Server::parse(Protocol::Smtp, url)?);
        }
        if let Some(login) = &sign_in.login {
            found.login.clone_from(login);
        }
        Ok(found)
    }
}

#[async_trait]
impl ProviderPlugin for ImapPlugin {
    fn info(&self) -> PluginInfo {
        let credentials = vec![
            CredentialField::Login,
            CredentialField::Password,
            CredentialField::ServerUrl,
        ];
        let service_types = ["IMAP", "iCloud", "Zoho"]
            .map(|name| ServiceTypeInfo {
                name,
                credentials: credentials.clone(),
            })
            .to_vec();
        PluginInfo {
            kind: "imap",
            service_types,
            environment: &["IMAP"],
        }
    }

    fn budget(&self, context: &ConnectContext) -> Result<AccountBudget, SignInError> {
        let usual = AccountBudget::default();
        let section = Section::of(context).map_err(|error| SignInError::Invalid(error.message))?;
        Ok(AccountBudget {
            config: section.budget.unwrap_or(usual.config),
            ..usual
        })
    }

    async fn resolve(
        &self,
        context: &ConnectContext,
        sign_in: &SignIn,
    ) -> Result<ConnectedMailbox, SignInError> {
        if sign_in.email.is_none() && sign_in.login.is_none() {
            return Err(SignInError::Invalid(
                "email or loginString is needed".into(),
            ));
        }
        let (auth, secret) = (AuthKind::Password, password(sign_in)?);
        let found = Self::servers(context, sign_in).await?;
        for server in [Some(&found.imap), found.smtp.as_ref()]
            .into_iter()
            .flatten()
        {
            let what = match server.security {
                ServerSecurity::None => "security=none",
                _ if sign_in.trust_server => "trustServer",
                _ => continue,
            };
            if !context.network.is_operator_allowed(&server.host).await {
                let why = format!(
                    "{what} is allowed only for hosts that the operator of this gateway named"
                );
                return Err(SignInError::Invalid(why));
            }
        }
        let settings = Settings {
            imap: found.imap.clone(),
            smtp: found.smtp.clone(),
            login: found.login.clone(),
            smtp_login: found.smtp.as_ref().and_then(|smtp| {
                let address = sign_in.email.as_deref().unwrap_or_default();
                known_servers::smtp_login(&smtp.host, &found.login, address)
            }),
            auth,
            trust_server: sign_in.trust_server,
            facts: None,
            smtp_offer: None,
        };
        let subject = format!(
            "{}@{}:{}",
            found.login.to_lowercase(),
            found.imap.host.to_lowercase(),
            found.imap.port
        );
        Ok(ConnectedMailbox {
            connection: Connection {
                settings: serde_json::to_value(&settings).unwrap_or_default(),
                secret,
            },
            identity: MailboxIdentity { subject },
            email: sign_in
                .email
                .clone()
                .or_else(|| Some(found.login.clone()).filter(|login| login.contains('@'))),
            login: found.login,
            server_url: Some(found.imap.url(Protocol::Imap)),
            server_url2: found.smtp.map(|server| server.url(Protocol::Smtp)),
            service_provider: found.brand,
        })
    }

    async fn prove(
        &self,
        context: &ConnectContext,
        mut mailbox: ConnectedMailbox,
    ) -> Result<ConnectedMailbox, SignInError> {
        let Configured { imap, smtp, .. } = Self::config(context, &mailbox.connection)?;
        let deadline = Instant::now() + SIGN_IN_WAIT;
        let tls = protocol::Tls::new(&imap).map_err(ProviderError::from)?;
        let opened =
            protocol::Connection::open(&imap, &tls, context.network.as_ref(), deadline).await;
        let mut connection = opened.map_err(before_sign_in)?;
        let facts = Facts::learn(&mut connection, deadline)
            .await
            .map_err(ProviderError::from)?;
        connection.close().await;
        let offer = match &smtp {
            Some(smtp) => Self::learn_offer(context, smtp, &tls).await,
            None => None,
        };
        if let Some(settings) = mailbox.connection.settings.as_object_mut() {
            let mut learned = |name: &str, value| settings.insert(name.to_owned(), value);
            learned("facts", serde_json::to_value(&facts).unwrap_or_default());
            learned(
                "smtp_offer",
                serde_json::to_value(offer).unwrap_or_default(),
            );
        }
        Ok(mailbox)
    }

    async fn open(
        &self,
        context: &ConnectContext,
        connection: &Connection,
    ) -> ProviderResult<Arc<dyn EmailProvider>> {
        let configured = Self::config(context, connection)?;
        let network = &context.network;
        let pool = Pool::new(configured.imap, Arc::clone(network))?;
        let sending = configured.smtp.map(|smtp| {
            let smtp = SmtpPool::new(smtp, pool.tls(), Arc::clone(network), configured.offer);
            Sending::new(smtp, Arc::clone(&context.clock))
        });
        let provider = ImapProvider::new(pool, configured.facts, sending);
        provider.learn(Instant::now() + SIGN_IN_WAIT).await?;
        Ok(Arc::new(provider))
    }
}

/// Longer than any password that a mail server takes, in octets; access tokens are.
const LONGEST_PASSWORD: usize = 1_000;

/// The password of a sign-in. Tokens are refused by name: this gateway is no client of the authorisation servers behind
/// IMAP servers, so that it could not renew them, and a token that is sent as a password is told to a server that
/// it may not be for.
fn password(sign_in: &SignIn) -> Result<SecretString, SignInError> {
    let refused = |what: &str| {
        Err(SignInError::Invalid(format!(
            "{what}: this service type is not connected by OAuth; give a password, or one that the provider makes \
             for applications"
        )))
    };
    if sign_in.refresh_token.is_some() {
        return refused("authString2 cannot be used");
    }
    let password = sign_in.password.as_ref().or(sign_in.access_token.as_ref());
    let password = password.ok_or_else(|| SignInError::Invalid("password is needed".into()))?;
    match is_access_token(password.expose_secret()) {
        true => refused("what was given as a password is an access token"),
        false => Ok(password.clone()),
    }
}

/// Google's tokens begin with a mark of theirs, others are JSON Web Tokens (RFC 7519) or longer than passwords are.
fn is_access_token(text: &str) -> bool {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let is_web_token = text.starts_with("eyJ")
        && text.split('.').count() >= 3
        && text.chars().all(|c| c == '.' || is_base64(c));
    text.starts_with("ya29.") || is_web_token || text.len() > LONGEST_PASSWORD
}

/// Before a sign-in succeeded only a class is told: what answers at a host and port that a caller
/// named is not the caller's to read. A refusal of the credentials is an answer of a mail server to its
/// own user.
fn before_sign_in(error: protocol::Error) -> SignInError {
    match &error {
        protocol::Error::Credentials(_) | protocol::Error::Backoff { .. } => {
            SignInError::Provider(error.into())
        }
        protocol::Error::Tls(_) => SignInError::Unreachable("tls"),
        protocol::Error::Network(NetworkError::Forbidden) => SignInError::Unreachable("refused"),
        _ => SignInError::Unreachable("unreachable"),
    }
}

#[cfg(test)]
mod tests;
