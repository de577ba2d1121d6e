//! Hints that the vendor pushes: <https://learn.microsoft.com/graph/change-notifications-delivery-webhooks>.
//!
//! Whoever knows the address can send to it, so a notification counts only with the word that its subscription was
//! made with. It is answered at once: what it leads to happens elsewhere.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use email_provider::{
    ConnectContext, MailboxIdentity,
    push::{PushAnswer, PushReceiver, PushRequest, PushedMailbox},
};
use serde::Deserialize;
use tokio::sync::Notify;

use crate::{client_state::ClientStates, config::Config, id_token, plugin::GraphPlugin};

/// Our part of the address of pushes.
pub(crate) const PUSH_NAME: &str = "office365";
/// Most notifications of one request that are looked at.
const MOST: usize = 1_000;
/// Longest token of a handshake, in octets.
const LONGEST_TOKEN: usize = 4_096;

#[derive(Deserialize)]
struct Notifications {
    value: Vec<Notification>,
}

/// A change, or something about the subscription. What changed is not read: the mailbox's feeds tell it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    #[serde(default)]
    client_state: Option<String>,
    #[serde(default)]
    lifecycle_event: Option<String>,
}

/// Where a mailbox's hints are pushed to.
#[derive(Clone)]
pub(crate) struct PushTarget {
    /// The gateway's address.
    pub url: String,
    /// The word that comes with them.
    pub client_state: String,
    /// What is told about the subscription.
    pub signal: Arc<Signal>,
}

impl fmt::Debug for PushTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PushTarget").field(&self.url).finish()
    }
}

/// Tells a mailbox's watch what the vendor said about its subscription.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    /// There is something to do.
    pub wake: Notify,
    /// A pass began. A hint that came to another process may have started it, and may have been about the subscription.
    pub passed: Notify,
    is_removed: AtomicBool,
}

impl Signal {
    /// Whether the subscription was said to be gone since this was asked last.
    pub(crate) fn take_removed(&self) -> bool {
        self.is_removed.swap(false, Ordering::Relaxed)
    }

    fn tell(&self, event: &str) {
        match event {
            "subscriptionRemoved" => self.is_removed.store(true, Ordering::Relaxed),
            "reauthorizationRequired" => {}
            // What was missed is looked for by the pass that every hint starts.
            _ => return,
        }
        self.wake.notify_one();
    }
}

/// The watches of this process by mailbox. What reaches another process about a subscription is known there as a hint alone,
/// which starts a pass of the process that watches: soon after a pass it looks whether the subscription is still there.
#[derive(Debug, Default)]
pub(crate) struct Signals(Mutex<HashMap<String, Weak<Signal>>>);

impl Signals {
    /// That of a mailbox.
    pub(crate) fn of(&self, subject: &str) -> Arc<Signal> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signal) = all.get(subject).and_then(Weak::upgrade) {
            return signal;
        }
        all.retain(|_, signal| signal.strong_count() > 0);
        let signal = Arc::new(Signal::default());
        all.insert(subject.to_owned(), Arc::downgrade(&signal));
        signal
    }

    fn tell(&self, subject: &str, event: &str) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let signal = all.get(subject).and_then(Weak::upgrade);
        drop(all);
        if let Some(signal) = signal {
            signal.tell(event);
        }
    }
}

#[async_trait]
impl PushReceiver for GraphPlugin {
    fn name(&self) -> &'static str {
        PUSH_NAME
    }

    async fn receive(&self, context: &ConnectContext, request: &PushRequest) -> PushAnswer {
        let states = Config::of(context)
            .ok()
            .filter(|config| config.push_url.is_some())
            .and_then(|config| ClientStates::of(&config));
        let Some(states) = states else {
            tracing::info!("a pushed request was refused: push_url is not configured");
            return PushAnswer::Refused;
        };
        if let Some(token) = handshake(request) {
            return PushAnswer::Echo(token.to_owned());
        }
        let Ok(notifications) = serde_json::from_slice::<Notifications>(&request.body) else {
            return PushAnswer::Refused;
        };
        let mut hints = Vec::new();
        let mut is_any_genuine = notifications.value.is_empty();
        for one in notifications.value.iter().take(MOST) {
            let word = one.client_state.as_deref().unwrap_or_default();
            let Some(mailbox) = states.check(word) else {
                continue;
            };
            is_any_genuine = true;
            if let Some(event) = &one.lifecycle_event {
                self.signals.tell(&mailbox.subject, event);
            }
            // An account of the same mailbox that was connected by tokens alone is known by less.
            let other = id_token::without_tenant(&mailbox.subject);
            let other = other.map(|subject| MailboxIdentity { subject });
            for mailbox in [Some(mailbox), other].into_iter().flatten() {
                let hint = PushedMailbox::Identity(mailbox);
                if !hints.contains(&hint) {
                    hints.push(hint);
                }
            }
        }
        match is_any_genuine {
            true => PushAnswer::Hints(hints),
            false => {
                tracing::info!("a pushed request was refused: its clientState is not ours");
                PushAnswer::Refused
            }
        }
    }
}

/// The token that a new address has to repeat.
fn handshake(request: &PushRequest) -> Option<&str> {
    let (_, token) = request
        .query
        .iter()
        .find(|(name, _)| name == "validationToken")?;
    let is_text = token.len() <= LONGEST_TOKEN && !token.contains(char::is_control);
    is_text.then_some(token)
}
