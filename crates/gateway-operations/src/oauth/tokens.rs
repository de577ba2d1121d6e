use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use async_trait::async_trait;
use email_provider::{
    ErrorKind, ProviderError, ProviderPlugin, ProviderResult,
    oauth::{AccessTokens, Grant},
};
use gateway_store::{Account, AccountId};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use crate::{Gateway, accounts::secrets, gateway::Inner};

/// How long a token that was just given is not replaced although it is refused: the refusal is not
/// the token's then.
const JUST_GIVEN: Duration = Duration::from_secs(60);
/// Between two tries of a server that gives no answer.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// The longest wait that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// The access tokens of an account: one of these for all that is opened for it in this process.
pub(crate) struct AccountTokens {
    pub(super) gateway: Weak<Inner>,
    pub(super) account: AccountId,
    /// Whose mailbox the grant is for.
    pub(super) mailbox: String,
    pub(super) plugin: Arc<dyn ProviderPlugin>,
    /// Names this towards other processes and its own predecessors.
    pub(super) holder: String,
    pub(super) refreshing: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

/// What is known of the stored grant.
#[derive(Default)]
struct State {
    current: Option<Kept>,
    /// Digest of a token that was refused before its time.
    refused: Option<[u8; 32]>,
    refreshed_at: Option<Instant>,
    /// Given by the server and not stored yet.
    unstored: Option<Kept>,
    verdict: Option<Verdict>,
    failures: u32,
    not_before: Option<Instant>,
}

impl State {
    /// Whether the token in memory was refused.
    fn is_refused(&self) -> bool {
        self.current.as_ref().is_some_and(|current| {
            let token = current.grant.access_token.expose_secret();
            self.refused == Some(secrets::hash(token))
        })
    }
}

/// A grant and the version at which it is stored, or which it is to replace.
#[derive(Clone)]
pub(super) struct Kept {
    pub version: i64,
    pub grant: Grant,
}

/// A refusal of this version of the grant.
#[derive(Clone)]
pub(super) struct Verdict {
    pub version: i64,
    pub why: String,
    /// None: for good.
    pub until: Option<Instant>,
}

impl std::fmt::Debug for AccountTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AccountTokens({})", self.account)
    }
}

impl AccountTokens {
    pub fn new(gateway: &Gateway, account: &Account, plugin: Arc<dyn ProviderPlugin>) -> Self {
        Self {
            gateway: Arc::downgrade(&gateway.inner),
            account: account.id,
            mailbox: account.mailbox.clone(),
            plugin,
            holder: uuid::Uuid::new_v4().to_string(),
            refreshing: tokio::sync::Mutex::default(),
            state: Mutex::default(),
        }
    }

    pub fn kind(&self) -> &'static str {
        self.plugin.info().kind
    }

    fn state<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether these are the tokens of this account as it is now.
    pub fn are_of(&self, account: &Account) -> bool {
        self.kind() == account.kind && self.mailbox == account.mailbox
    }

    /// Another grant may be stored: what is in memory is not used before the store was looked at.
    pub fn look_again(&self) {
        self.state(|state| state.current = None);
    }

    /// Another grant is stored.
    pub fn clear(&self) {
        self.state(|state| *state = State::default());
    }

    /// The token in memory, while it is good.
    pub(super) fn good(&self, now: email_model::Timestamp) -> Option<SecretString> {
        self.state(|state| {
            let grant = &state.current.as_ref()?.grant;
            (grant.is_fresh(now) && !state.is_refused()).then(|| grant.access_token.clone())
        })
    }

    /// Whether the token in memory was refused although the server just gave it.
    pub(super) fn refused_when_new(&self) -> bool {
        self.state(|state| {
            let just_given = |at: Instant| at.elapsed() < JUST_GIVEN;
            state.is_refused() && state.refreshed_at.is_some_and(just_given)
        })
    }

    /// What is stored now; another version is another grant, of which nothing is known.
    pub(super) fn stored(&self, kept: Kept) {
        self.state(|state| {
            let version = kept.version;
            if state.current.as_ref().map(|current| current.version) != Some(version) {
                state.refreshed_at = None;
                state.failures = 0;
                state.not_before = None;
            }
            if state
                .unstored
                .as_ref()
                .is_some_and(|one| one.version != version)
            {
                state.unstored = None;
            }
            if state
                .verdict
                .as_ref()
                .is_some_and(|one| one.version != version)
            {
                state.verdict = None;
            }
            state.current = Some(kept);
        });
    }

    /// The server gave this, and it is stored.
    pub(super) fn refreshed(&self, kept: Kept) {
        self.state(|state| {
            *state = State {
                current: Some(kept),
                refreshed_at: Some(Instant::now()),
                ..State::default()
            };
        });
    }

    pub(super) fn unstored(&self) -> Option<Kept> {
        self.state(|state| state.unstored.clone())
    }

    pub(super) fn keep_unstored(&self, kept: Kept) {
        self.state(|state| state.unstored = Some(kept));
    }

    pub(super) fn judge(&self, verdict: Verdict) {
        self.state(|state| state.verdict = Some(verdict));
    }

    /// Why the server is not asked now.
    pub(super) fn restraint(&self, version: i64) -> Option<ProviderError> {
        self.state(|state| {
            let now = Instant::now();
            if let Some(verdict) = &state.verdict
                && verdict.version == version
                && verdict.until.is_none_or(|until| now < until)
            {
                return Some(ProviderError::new(ErrorKind::Unauthenticated, &verdict.why));
            }
            let wait = state.not_before?.checked_duration_since(now)?;
            (!wait.is_zero()).then(|| unavailable(wait))
        })
    }

    /// The server gave no answer: it is asked again after a wait.
    pub(super) fn back_off(&self, asked: Option<Duration>) -> ProviderError {
        self.state(|state| {
            let wait = BACK_OFF.0 * 2_u32.saturating_pow(state.failures.min(10));
            let wait = wait.min(BACK_OFF.1).max(asked.unwrap_or_default());
            let wait = wait.min(LONGEST_WAIT);
            state.failures = state.failures.saturating_add(1);
            state.not_before = Some(Instant::now() + wait);
            unavailable(wait)
        })
    }
}

pub(super) fn unavailable(wait: Duration) -> ProviderError {
    let message = "the authorisation server gives no token now";
    ProviderError::new(ErrorKind::Unavailable, message).with_retry_after(wait)
}

#[async_trait]
impl AccessTokens for AccountTokens {
    async fn token(&self) -> ProviderResult<SecretString> {
        let inner = self.gateway.upgrade().ok_or_else(|| {
            ProviderError::new(ErrorKind::Unavailable, "the gateway is about to stop")
        })?;
        let gateway = Gateway { inner };
        if let Some(token) = self.good(gateway.now()) {
            return Ok(token);
        }
        gateway.refreshed_token(self.account).await
    }

    async fn refused(&self, token: &SecretString) {
        let digest = secrets::hash(token.expose_secret());
        self.state(|state| state.refused = Some(digest));
    }
}
