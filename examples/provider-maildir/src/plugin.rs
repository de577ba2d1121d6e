use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use email_model::digest;
use email_provider::{
    ConnectContext, ConnectedMailbox, Connection, CredentialField, EmailProvider, ErrorKind,
    MailboxIdentity, PluginInfo, ProviderError, ProviderPlugin, ProviderResult, ServiceTypeInfo,
    SignIn, SignInError,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;

use crate::{maildir::Maildir, provider::MaildirProvider};

/// Maildirs that the operator names, each with a password: clients name no paths.
///
/// ```toml
/// [providers.maildir.mailboxes.ann]
/// path = "/home/ann/Maildir"
/// password = "…"
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MaildirPlugin;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    mailboxes: BTreeMap<String, Named>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    path: PathBuf,
    password: SecretString,
}

impl MaildirPlugin {
    /// The directory, for who knows its password.
    fn sign_in(context: &ConnectContext, connection: &Connection) -> ProviderResult<Maildir> {
        let refused = || {
            let message = "no such mailbox, or another password";
            ProviderError::new(ErrorKind::Unauthenticated, message)
        };
        let config = match context.config.is_null() {
            true => Ok(Config::default()),
            false => Config::deserialize(&context.config),
        };
        let config = config.map_err(|_| {
            let message = "[providers.maildir] cannot be read";
            ProviderError::new(ErrorKind::Unexpected, message)
        })?;
        let login = connection.settings["login"].as_str().unwrap_or_default();
        let named = config.mailboxes.get(login).ok_or_else(refused)?;
        // digests: how long it takes to compare them tells nothing of the password
        let hash = |secret: &SecretString| digest("password", &[secret.expose_secret().as_bytes()]);
        match hash(&named.password) == hash(&connection.secret) {
            true => Ok(Maildir(named.path.clone())),
            false => Err(refused()),
        }
    }
}

#[async_trait]
impl ProviderPlugin for MaildirPlugin {
    fn info(&self) -> PluginInfo {
        PluginInfo {
            kind: "maildir",
            environment: &[],
            service_types: vec![ServiceTypeInfo {
                name: "Maildir",
                credentials: vec![CredentialField::Login, CredentialField::Password],
            }],
        }
    }

    async fn resolve(
        &self,
        _context: &ConnectContext,
        sign_in: &SignIn,
    ) -> Result<ConnectedMailbox, SignInError> {
        let missing = |field| SignInError::Invalid(format!("{field} is missing"));
        let login = sign_in.login.as_ref().or(sign_in.email.as_ref());
        let login = login.map(|login| login.trim().to_lowercase());
        let login = login.filter(|login| (1..=320).contains(&login.len()));
        let login = login.ok_or_else(|| missing("loginString"))?;
        let secret = sign_in
            .password
            .clone()
            .ok_or_else(|| missing("password"))?;
        let settings = json!({ "login": login });
        Ok(ConnectedMailbox {
            connection: Connection { settings, secret },
            identity: MailboxIdentity {
                subject: login.clone(),
            },
            email: sign_in.email.clone(),
            login,
            server_url: None,
            server_url2: None,
            service_provider: None,
        })
    }

    async fn prove(
        &self,
        context: &ConnectContext,
        mailbox: ConnectedMailbox,
    ) -> Result<ConnectedMailbox, SignInError> {
        let maildir = Self::sign_in(context, &mailbox.connection)?;
        maildir.folders()?;
        Ok(mailbox)
    }

    async fn open(
        &self,
        context: &ConnectContext,
        connection: &Connection,
    ) -> ProviderResult<Arc<dyn EmailProvider>> {
        let maildir = Self::sign_in(context, connection)?;
        Ok(Arc::new(MaildirProvider(maildir)))
    }
}
