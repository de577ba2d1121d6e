use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use email_provider::{
    ConnectContext, ConnectedMailbox, Connection, CredentialField, EmailProvider, ErrorKind,
    MailboxIdentity, PluginInfo, ProviderError, ProviderPlugin, ProviderResult, ServiceTypeInfo,
    SignIn, SignInError,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{
    MemoryMailbox, MemoryProvider, Shape,
    sample::{self, Arrivals},
};

/// Mailboxes in memory as a kind of backend. Clones share their mailboxes.
#[derive(Clone, Debug, Default)]
pub struct MemoryPlugin {
    mailboxes: Arc<Mutex<BTreeMap<String, Held>>>,
    samples: Option<Samples>,
}

/// A mailbox, and what keeps happening in it.
#[derive(Debug)]
struct Held {
    mailbox: MemoryMailbox,
    _arrivals: Option<Arrivals>,
}

/// How sample mailboxes are made.
#[derive(Clone, Copy, Debug)]
struct Samples {
    arrivals: Option<Duration>,
}

/// What is stored of a connection.
#[derive(Debug, Serialize, Deserialize)]
struct Settings {
    login: String,
}

impl MemoryPlugin {
    /// Most sample mailboxes at a time.
    const MOST_SAMPLES: usize = 16;

    /// A plugin that knows the mailboxes given to it.
    pub fn new() -> Self {
        Self::default()
    }

    /// A plugin that makes a sample mailbox for whoever signs in, under any name. Where `arrivals`
    /// is given, something happens in it each time that so much has passed.
    pub fn with_samples(arrivals: Option<Duration>) -> Self {
        Self {
            samples: Some(Samples { arrivals }),
            ..Self::default()
        }
    }

    /// The mailbox of this name; a new empty one of the default shape where there is none.
    pub fn mailbox(&self, name: &str) -> MemoryMailbox {
        let name = name.to_ascii_lowercase();
        let mut mailboxes = self.mailboxes();
        let make = || MemoryMailbox::new(name.clone(), Shape::default(), 1);
        let make = || Held {
            mailbox: make(),
            _arrivals: None,
        };
        mailboxes
            .entry(name.clone())
            .or_insert_with(make)
            .mailbox
            .clone()
    }

    /// Adds a mailbox, in the place of one of the same name.
    pub fn insert(&self, mailbox: MemoryMailbox) {
        let name = mailbox.name().to_ascii_lowercase();
        let held = Held {
            mailbox,
            _arrivals: None,
        };
        self.mailboxes().insert(name, held);
    }

    fn mailboxes(&self) -> MutexGuard<'_, BTreeMap<String, Held>> {
        self.mailboxes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, context: &ConnectContext, login: &str) -> ProviderResult<MemoryMailbox> {
        let mut mailboxes = self.mailboxes();
        if let Some(held) = mailboxes.get(login) {
            return Ok(held.mailbox.clone());
        }
        match self.samples {
            Some(samples) if mailboxes.len() < Self::MOST_SAMPLES => {
                let mailbox = sample::mailbox(login, context.clock.now());
                let arrive = |interval| {
                    sample::keep_arriving(mailbox.clone(), context.clock.clone(), interval)
                };
                let held = Held {
                    mailbox: mailbox.clone(),
                    _arrivals: samples.arrivals.map(arrive),
                };
                mailboxes.insert(login.to_owned(), held);
                Ok(mailbox)
            }
            _ => Err(ProviderError::new(
                ErrorKind::Unauthenticated,
                "no such mailbox",
            )),
        }
    }

    /// Signs in.
    fn sign_in(
        &self,
        context: &ConnectContext,
        connection: &Connection,
    ) -> ProviderResult<MemoryMailbox> {
        let settings: Settings =
            serde_json::from_value(connection.settings.clone()).map_err(|error| {
                ProviderError::new(ErrorKind::Invalid, "not our settings").with_source(error)
            })?;
        let mailbox = self.find(context, &settings.login)?;
        if mailbox.accepts(&connection.secret) {
            Ok(mailbox)
        } else {
            Err(ProviderError::new(
                ErrorKind::Unauthenticated,
                "wrong password",
            ))
        }
    }
}

#[async_trait]
impl ProviderPlugin for MemoryPlugin {
    fn info(&self) -> PluginInfo {
        PluginInfo {
            kind: "memory",
            environment: &[],
            service_types: vec![ServiceTypeInfo {
                name: "Sample",
                credentials: vec![CredentialField::Login, CredentialField::Password],
            }],
        }
    }

    async fn resolve(
        &self,
        _context: &ConnectContext,
        sign_in: &SignIn,
    ) -> Result<ConnectedMailbox, SignInError> {
        let login = sign_in.login.as_ref().or(sign_in.email.as_ref());
        let login = login.map(|login| login.trim().to_ascii_lowercase());
        let login = login
            .filter(|login| (1..=320).contains(&login.len()) && !login.contains(char::is_control))
            .ok_or_else(|| SignInError::Invalid("email or loginString is missing".to_owned()))?;
        let settings = serde_json::json!(Settings {
            login: login.clone()
        });
        let secret = sign_in
            .password
            .clone()
            .unwrap_or_else(|| SecretString::from(""));
        Ok(ConnectedMailbox {
            connection: Connection { settings, secret },
            identity: MailboxIdentity {
                subject: login.clone(),
            },
            email: sign_in
                .email
                .clone()
                .or_else(|| login.contains('@').then(|| login.clone())),
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
        self.sign_in(context, &mailbox.connection)?;
        Ok(mailbox)
    }

    async fn open(
        &self,
        context: &ConnectContext,
        connection: &Connection,
    ) -> ProviderResult<Arc<dyn EmailProvider>> {
        Ok(Arc::new(MemoryProvider::new(
            self.sign_in(context, connection)?,
        )))
    }
}

#[cfg(test)]
mod tests;
