//! From what a client says to a mailbox that accepts it.

use std::{net::IpAddr, sync::Arc};

use email_provider::{
    ConnectedMailbox, ErrorKind, ProviderPlugin, SignIn, SignInError,
    oauth::{Access, AccessTokens, Grant},
};
use gateway_store::{Account, ApplicationId};
use secrecy::SecretString;
use serde_json::json;

use super::{AccountInput, validate};
use crate::{Gateway, OperationError, OperationErrorKind, OperationResult, oauth::UnsavedTokens};

/// Who has a sign-in tried: what the number of failures is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// An application, with its own credentials.
    Application(ApplicationId),
    /// Anybody, in a browser.
    Visitor(Option<IpAddr>),
}

/// A sign-in that was worked out, and whether the mailbox has accepted it.
pub(super) struct Resolved {
    pub plugin: Arc<dyn ProviderPlugin>,
    pub kind: &'static str,
    pub mailbox: ConnectedMailbox,
    pub proved: bool,
    /// Where the mailbox is connected by OAuth.
    pub tokens: Option<Arc<UnsavedTokens>>,
}

impl Resolved {
    /// Whose mailbox it is: the root of every id in it.
    pub fn identity(&self) -> String {
        format!("{}:{}", self.kind, self.mailbox.identity.subject)
    }

    /// Whether it is the account's mailbox: by the plugin's word where it has one, else by the identity.
    pub fn is_of(&self, account: &Account) -> bool {
        let (earlier, later) = (
            &account.connection_settings,
            &self.mailbox.connection.settings,
        );
        let by_identity = || account.mailbox == self.identity();
        let known = self.plugin.is_same_mailbox(earlier, later);
        account.kind == self.kind && known.unwrap_or_else(by_identity)
    }

    /// What was granted, where the mailbox is connected by OAuth.
    pub async fn grant(&self) -> Option<Grant> {
        match &self.tokens {
            Some(tokens) => Some(tokens.grant().await),
            None => None,
        }
    }

    /// The access that a grant gives, where that is known.
    pub fn access(&self, grant: &Grant) -> Option<Access> {
        let oauth = self.plugin.oauth()?;
        (!grant.scopes.is_empty()).then(|| oauth.access_of(&grant.scopes))
    }
}

impl Gateway {
    pub(super) async fn resolve(&self, input: &AccountInput) -> OperationResult<Resolved> {
        validate::input(input)?;
        let plugin = self
            .inner
            .registry
            .by_service_type(&input.service_type)
            .ok_or_else(|| {
                OperationError::bad_request("`serviceType` is none that this gateway offers")
            })?;
        let kind = plugin.info().kind;
        let mut context = self.connect_context(kind);
        let sign_in = sign_in(input, plugin.oauth().is_some());
        let mut tokens = None;
        if plugin.oauth().is_some() {
            let unsaved = UnsavedTokens::new(self, &plugin, grant_of(&sign_in))?;
            context.tokens = Some(Arc::clone(&unsaved) as Arc<dyn AccessTokens>);
            tokens = Some(unsaved);
        }
        let mailbox = plugin.resolve(&context, &sign_in).await.map_err(failure)?;
        Ok(Resolved {
            plugin,
            kind,
            mailbox,
            proved: false,
            tokens,
        })
    }

    /// Has the mailbox accept the sign-in, if it has not.
    pub(super) async fn prove(
        &self,
        asker: Asker,
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
        let attempt = throttle.attempt(asker, &server, &resolved.mailbox.login)?;
        let mut context = self.connect_context(resolved.kind);
        if let Some(tokens) = &resolved.tokens {
            context.tokens = Some(Arc::clone(tokens) as Arc<dyn AccessTokens>);
        }
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
}

fn sign_in(input: &AccountInput, by_oauth: bool) -> SignIn {
    // The wire contract lets a password stand in `authString1` too.
    let other_password = input.auth_string1.clone().filter(|_| !by_oauth);
    SignIn {
        service_type: input.service_type.clone(),
        email: input.email.clone(),
        login: input.login.clone(),
        password: input.password.clone().or(other_password),
        access_token: input.auth_string1.clone(),
        refresh_token: input.auth_string2.clone(),
        server_url: input.server_url.clone(),
        server_url2: input.server_url2.clone(),
        trust_server: input.trust_server,
        id_token: input.id_token.clone(),
        expires_at: input.auth_expires_at,
        granted_scopes: input.granted_scopes.clone(),
    }
}

fn grant_of(sign_in: &SignIn) -> Grant {
    let none = || SecretString::from("");
    Grant {
        access_token: sign_in.access_token.clone().unwrap_or_else(none),
        refresh_token: sign_in.refresh_token.clone(),
        expires_at: sign_in.expires_at,
        scopes: sign_in.granted_scopes.clone(),
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
