//! Hints that backends send over HTTP.

use email_provider::push::{PushAnswer, PushRequest, PushedMailbox};

use crate::{Gateway, OperationError, OperationResult};

/// Most accounts that one mailbox is looked up for.
const MOST_ACCOUNTS: u32 = 1_000;
/// Most mailboxes that one request can name.
const MOST_HINTS: usize = 1_000;

/// What became of a request to a push address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// Taken; what it names is looked at, if it is known here.
    Accepted,
    /// A handshake: to be answered with this text.
    Echo(String),
    /// Not genuine.
    Refused,
}

impl Gateway {
    /// Takes a request to the push address of this name.
    ///
    /// # Errors
    /// `NotFound` where no backend has it.
    pub async fn receive_push(&self, name: &str, request: &PushRequest) -> OperationResult<Pushed> {
        let plugin = self
            .inner
            .registry
            .plugins()
            .find(|plugin| plugin.push().is_some_and(|push| push.name() == name))
            .cloned()
            .ok_or_else(|| OperationError::not_found("push address"))?;
        let kind = plugin.info().kind;
        let Some(push) = plugin.push() else {
            return Err(OperationError::not_found("push address"));
        };
        let context = self.connect_context(kind);
        let answer = push.receive(&context, request).await;
        let count = |outcome: &'static str| {
            metrics::counter!("polypost_pushes_total", "kind" => kind, "outcome" => outcome)
                .increment(1);
        };
        match answer {
            PushAnswer::Echo(text) => {
                count("handshake");
                Ok(Pushed::Echo(text))
            }
            PushAnswer::Refused => {
                count("refused");
                Ok(Pushed::Refused)
            }
            PushAnswer::Hints(hints) => {
                for hint in hints.iter().take(MOST_HINTS) {
                    match self.hint(kind, hint).await? {
                        0 => count("unknown"),
                        _ => count("hint"),
                    }
                }
                Ok(Pushed::Accepted)
            }
        }
    }

    /// Asks for a pass of each account of a mailbox; returns how many there are.
    async fn hint(&self, kind: &str, hint: &PushedMailbox) -> OperationResult<usize> {
        let identity = match hint {
            PushedMailbox::Identity(identity) => Some(format!("{kind}:{}", identity.subject)),
            PushedMailbox::Email(_) => None,
        };
        let email = match hint {
            PushedMailbox::Email(email) => Some(email.as_str()),
            PushedMailbox::Identity(_) => None,
        };
        let store = &self.inner.store;
        let accounts = store.accounts_at(kind, identity.as_deref(), email, MOST_ACCOUNTS);
        let accounts = accounts.await?;
        for account in &accounts {
            self.hint_pass(*account);
        }
        Ok(accounts.len())
    }
}
