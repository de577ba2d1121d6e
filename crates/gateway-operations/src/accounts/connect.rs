//! Connecting a mailbox: from a sign-in to a stored account.

use std::sync::Arc;

use email_provider::{ConnectedMailbox, ErrorKind, ProviderPlugin, SignIn, SignInError};
use gateway_store::{Account, AccountId, Application, CredentialState, StoreError, TokenStatus};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{AccountDetails, AccountInput, SaveOptions, SavedAccount, recycle, secrets, validate};
use crate::{Gateway, OperationError, OperationErrorKind, OperationResult};

/// How often a number that is taken is thrown again.
const ATTEMPTS: usize = 5;

/// A sign-in that was worked out, and whether the mailbox has accepted it.
struct Resolved {
    plugin: Arc<dyn ProviderPlugin>,
    kind: &'static str,
    mailbox: ConnectedMailbox,
    proved: bool,
}

impl Resolved {
    /// Whose mailbox it is: the root of every id in it.
    fn identity(&self) -> String {
        format!("{}:{}", self.kind, self.mailbox.identity.subject)
    }
}

impl Gateway {
    /// Saves an account and gives it a new token. An account that the options propose for reuse
    /// keeps its number; it keeps its journal too if the mailbox is the same one.
    ///
    /// The mailbox is asked where the options say so, and where an account is to be reused with other
    /// credentials than it has: its journal must not fall to somebody who merely names its address.
    ///
    /// # Errors
    /// `BadRequest` for missing or malformed fields, `TokenRefreshFailed` for refused credentials,
    /// `ProviderUnavailable` for a server that cannot be reached, `RateLimited` after too many failed
    /// sign-ins. Nothing is saved then.
    pub async fn save_account(
        &self,
        application: &Application,
        input: AccountInput,
        options: SaveOptions,
    ) -> OperationResult<SavedAccount> {
        let mut resolved = self.resolve(&input).await?;
        if options.ensure_access {
            self.prove(application, &input, &mut resolved).await?;
        }
        let account = loop {
            // Two sign-ins of one mailbox at the same time must not make two accounts.
            let saving = self.inner.connecting.saving.lock().await;
            let proposed = recycle::propose(
                self,
                application,
                &input,
                &resolved.mailbox,
                &resolved.identity(),
                &options,
            )
            .await?;
            match proposed {
                None => break self.insert_account(application, &input, &resolved).await?,
                Some(old) if resolved.proved || self.is_unchanged(&old, &input, &resolved) => {
                    break self.reuse_account(old, &input, &resolved).await?;
                }
                Some(_) => {
                    drop(saving);
                    self.prove(application, &input, &mut resolved).await?;
                }
            }
        };
        self.inner.store.wake(account.id).await?;
        let access_token = self.new_access_token(account.id).await?;
        Ok(SavedAccount {
            account,
            access_token,
        })
    }

    /// Signs in with what [`Self::save_account`] would save, and saves nothing.
    ///
    /// # Errors
    /// As [`Self::save_account`].
    pub async fn check_connection(
        &self,
        application: &Application,
        input: AccountInput,
    ) -> OperationResult<()> {
        let mut resolved = self.resolve(&input).await?;
        self.prove(application, &input, &mut resolved).await
    }

    async fn resolve(&self, input: &AccountInput) -> OperationResult<Resolved> {
        validate::input(input)?;
        let plugin = self
            .inner
            .registry
            .by_service_type(&input.service_type)
            .ok_or_else(|| {
                OperationError::bad_request("`serviceType` is none that this gateway offers")
            })?;
        let kind = plugin.info().kind;
        let context = self.connect_context(kind);
        let mailbox = plugin
            .resolve(&context, &sign_in(input))
            .await
            .map_err(failure)?;
        Ok(Resolved {
            plugin,
            kind,
            mailbox,
            proved: false,
        })
    }

    async fn prove(
        &self,
        application: &Application,
        input: &AccountInput,
        resolved: &mut Resolved,
    ) -> OperationResult<()> {
        if resolved.proved {
            return Ok(());
        }
        let server = resolved
            .mailbox
            .server_url
            .clone()
            .or_else(|| input.server_url.clone());
        let server = server.unwrap_or_else(|| resolved.kind.to_owned());
        let throttle = &self.inner.connecting.throttle;
        let attempt = throttle.attempt(application.id, &server, &resolved.mailbox.login)?;
        let context = self.connect_context(resolved.kind);
        let proving = resolved.plugin.prove(&context, resolved.mailbox.clone());
        let proved = tokio::time::timeout(self.inner.config.call_deadline, proving)
            .await
            .map_err(|_| OperationError::from(SignInError::Unreachable("unreachable")))?;
        match proved {
            Ok(mailbox) => {
                attempt.succeeded();
                resolved.mailbox = mailbox;
                resolved.proved = true;
                Ok(())
            }
            Err(error) => {
                if matches!(&error, SignInError::Provider(error) if error.is_transient()) {
                    attempt.succeeded();
                }
                Err(failure(error))
            }
        }
    }

    /// Whether the account is already connected in just this way, and that is thought to work.
    fn is_unchanged(&self, old: &Account, input: &AccountInput, resolved: &Resolved) -> bool {
        let mailbox = &resolved.mailbox;
        let details = AccountDetails::of(old);
        let same_servers = details.trust_server == input.trust_server
            && details.server_url
                == mailbox
                    .server_url
                    .clone()
                    .or_else(|| input.server_url.clone())
            && details.server_url2
                == mailbox
                    .server_url2
                    .clone()
                    .or_else(|| input.server_url2.clone());
        old.credentials.status == TokenStatus::Active
            && old.mailbox == resolved.identity()
            && same_servers
            && self.connection(old).is_ok_and(|kept| {
                let kept = secrets::hash(kept.secret.expose_secret());
                let given = mailbox.connection.secret.expose_secret();
                secrets::same(&kept, &secrets::hash(given))
            })
    }

    async fn insert_account(
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
        for _ in 0..ATTEMPTS {
            account.id = AccountId(secrets::new_id()?);
            self.fill(&mut account, input, resolved)?;
            match self.inner.store.insert_account(&account, None).await {
                Ok(()) => return Ok(account),
                Err(StoreError::Exists) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(OperationError::internal("no free account number was found"))
    }

    async fn reuse_account(
        &self,
        old: Account,
        input: &AccountInput,
        resolved: &Resolved,
    ) -> OperationResult<Account> {
        let mut account = old.clone();
        self.fill(&mut account, input, resolved)?;
        if resolved.proved {
            account.credentials = CredentialState::default();
        } else {
            // What earlier sign-ins have learned of the servers is better than a first guess.
            account
                .connection_settings
                .clone_from(&old.connection_settings);
            account.connection_secret.clone_from(&old.connection_secret);
        }
        account.updated_at = self.now();
        if account.mailbox == old.mailbox && account.kind == old.kind {
            self.inner.store.update_account(&account).await?;
            return Ok(account);
        }
        // Another mailbox: what is known of the old one must not be shown as the new one's. The
        // journal goes first, so that a crash in between costs a scan and nothing else.
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
        self.inner.store.update_account(&account).await?;
        self.forget_all_of(old.id).await;
        Ok(account)
    }

    /// Writes a sign-in into an account. What the client left out stays as it is.
    fn fill(
        &self,
        account: &mut Account,
        input: &AccountInput,
        resolved: &Resolved,
    ) -> OperationResult<()> {
        let mailbox = &resolved.mailbox;
        account.mailbox = resolved.identity();
        account.kind = resolved.kind.to_owned();
        account.service_type.clone_from(&input.service_type);
        account.email = mailbox.email.clone().or_else(|| input.email.clone());
        account.login.clone_from(&mailbox.login);
        account.active = input.active;
        account.connection_settings = mailbox.connection.settings.clone();
        account.connection_secret = self.seal_secret(account.id, &mailbox.connection.secret)?;
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
            scopes: input.scopes.clone(),
            well_known_archive: old.well_known_archive,
            well_known_sent: old.well_known_sent,
        };
        details.store_in(account)
    }
}

fn sign_in(input: &AccountInput) -> SignIn {
    SignIn {
        service_type: input.service_type.clone(),
        email: input.email.clone(),
        login: input.login.clone(),
        // The wire contract lets a password stand in `authString1` too.
        password: input
            .password
            .clone()
            .or_else(|| input.auth_string1.clone()),
        access_token: input.auth_string1.clone(),
        refresh_token: input.auth_string2.clone(),
        server_url: input.server_url.clone(),
        server_url2: input.server_url2.clone(),
        trust_server: input.trust_server,
        expires_at: None,
        granted_scopes: Vec::new(),
    }
}

/// What a client is told of a sign-in that did not work: a class only, because the text of a server
/// that the client named would make the gateway a network scanner.
fn failure(error: SignInError) -> OperationError {
    let SignInError::Provider(error) = error else {
        return error.into();
    };
    let (class, message) = match error.kind {
        ErrorKind::Unauthenticated => ("refused", "the mailbox refused the credentials"),
        ErrorKind::Forbidden => ("refused", "the mailbox does not allow this sign-in"),
        ErrorKind::Invalid => ("refused", "the server does not take this sign-in"),
        ErrorKind::Unsupported => ("refused", "the server lacks what is needed"),
        ErrorKind::RateLimited => ("refused", "the server asks to wait"),
        ErrorKind::Unavailable => ("unreachable", "the server does not answer"),
        _ => ("refused", "the server does not behave as a mail server"),
    };
    let mut told = OperationError::from(error);
    if told.kind == OperationErrorKind::NotFound {
        told.kind = OperationErrorKind::Provider;
    }
    message.clone_into(&mut told.message);
    told.original = Some(json!({ "class": class }));
    told
}
