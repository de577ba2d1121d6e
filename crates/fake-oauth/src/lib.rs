//! An OAuth 2.0 authorisation server in the test's own process, on a free loopback port.
//!
//! It follows RFC 6749, RFC 7636 and RFC 7009 with Google's ways where those leave a choice: a refresh token comes with the
//! first consent only, unless `prompt=consent` asks again; redirects carry `scope` and `iss`. Its consent page
//! answers at once. Every request is recorded, and so is every one that no correct client makes.
//!
//! Under the paths of tenants it follows the Microsoft identity platform v2.0 instead: a refresh token comes with
//! `offline_access` and another at every use, errors carry their AADSTS numbers, the id token has `oid` and `tid`.

mod authorize;
mod clock;
pub mod loopback;
mod microsoft;
mod record;
mod reply;
mod server;
mod settings;
pub mod signing;
mod state;
mod token;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use clock::TestClock;
pub use microsoft::Aadsts;
pub use record::{RecordedRequest, Violation};
pub use settings::OAuthSettings;
pub use signing::SigningKey;

use loopback::Running;
use server::Inner;
use state::{Client, State};

/// The running server; clones are the same server, which ends with the last of them.
#[derive(Clone)]
pub struct FakeOAuth {
    inner: Arc<Inner>,
    running: Arc<Running>,
}

/// Whose access a token gives, and to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenOwner {
    /// The user's email address.
    pub user: String,
    /// The client that it was issued to.
    pub client: String,
    /// What was granted.
    pub scopes: BTreeSet<String>,
}

/// Why a token gives no access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenProblem {
    /// This server never issued it.
    Unknown,
    /// Its time is over.
    Expired,
    /// It or its grant was revoked.
    Revoked,
}

/// Tokens that a test got without the browser.
#[derive(Clone, Debug)]
pub struct IssuedTokens {
    /// The bearer token.
    pub access_token: String,
    /// Exchangeable at the token endpoint by the client that the tokens were issued to.
    pub refresh_token: String,
}

impl FakeOAuth {
    /// Starts a server without clients and users.
    ///
    /// # Errors
    /// When no loopback port is free.
    pub async fn start() -> std::io::Result<Self> {
        let inner = Arc::new(Inner {
            clock: TestClock::default(),
            key: SigningKey::published(),
            state: std::sync::Mutex::new(State::default()),
        });
        let running = loopback::serve(server::router(Arc::clone(&inner))).await?;
        Ok(Self {
            inner,
            running: Arc::new(running),
        })
    }

    /// The server's URL and issuer, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        self.running.url()
    }

    /// Where the browser goes.
    #[must_use]
    pub fn authorize_url(&self) -> String {
        format!("{}/o/oauth2/v2/auth", self.url())
    }

    /// The token endpoint.
    #[must_use]
    pub fn token_url(&self) -> String {
        format!("{}/token", self.url())
    }

    /// Where the browser goes for a tenant of Microsoft's: `common`, `organizations`, `consumers`, a GUID or a domain.
    #[must_use]
    pub fn tenant_authorize_url(&self, tenant: &str) -> String {
        format!("{}/{tenant}/oauth2/v2.0/authorize", self.url())
    }

    /// The token endpoint of a tenant of Microsoft's.
    #[must_use]
    pub fn tenant_token_url(&self, tenant: &str) -> String {
        format!("{}/{tenant}/oauth2/v2.0/token", self.url())
    }

    /// The revocation endpoint.
    #[must_use]
    pub fn revoke_url(&self) -> String {
        format!("{}/revoke", self.url())
    }

    /// The endpoint that tells whose token it is (OpenID Connect Core §5.3).
    #[must_use]
    pub fn userinfo_url(&self) -> String {
        format!("{}/v1/userinfo", self.url())
    }

    /// The server's clock.
    #[must_use]
    pub fn clock(&self) -> TestClock {
        self.inner.clock.clone()
    }

    /// Registers an application; without a secret it is a public client.
    pub fn add_client(&self, id: &str, secret: Option<&str>, redirect_uris: &[&str]) {
        let client = Client {
            secret: secret.map(str::to_owned),
            redirect_uris: redirect_uris.iter().map(|&uri| uri.to_owned()).collect(),
        };
        self.inner.state().clients.insert(id.to_owned(), client);
    }

    /// Registers a user; the first one is signed in where no hint says otherwise.
    pub fn add_user(&self, email: &str) {
        let mut state = self.inner.state();
        if state.subject(email).is_none() {
            state.users.push(email.to_owned());
        }
    }

    /// Puts a user into a tenant of Microsoft's; `9188040d-6c67-4c5b-b112-36a304b66dad` is that of personal accounts.
    pub fn set_tenant(&self, email: &str, tenant: &str) {
        self.add_user(email);
        let mut state = self.inner.state();
        state
            .tenants
            .insert(email.to_lowercase(), tenant.to_owned());
    }

    /// A user's `tid` and `oid`.
    #[must_use]
    pub fn microsoft_ids(&self, email: &str) -> Option<(String, String)> {
        let state = self.inner.state();
        let object = state.object_id(email)?;
        Some((state.tenant(email).to_owned(), object))
    }

    /// Tokens as after the user's consent, for a client that need not be registered unless it refreshes.
    #[must_use]
    pub fn issue(&self, client: &str, email: &str, scopes: &[&str]) -> IssuedTokens {
        self.add_user(email);
        let now_ms = self.inner.clock.now_ms();
        let scopes: BTreeSet<String> = scopes.iter().map(|&scope| scope.to_owned()).collect();
        let mut state = self.inner.state();
        let grant = state.add_grant(client, email, scopes.clone());
        let (access_token, _) = state.add_access(grant, scopes, now_ms);
        let refresh_token = state.add_refresh(grant);
        IssuedTokens {
            access_token,
            refresh_token,
        }
    }

    /// Whose a bearer token is.
    ///
    /// # Errors
    /// When it gives no access.
    pub fn check(&self, token: &str) -> Result<TokenOwner, TokenProblem> {
        let now_ms = self.inner.clock.now_ms();
        let state = self.inner.state();
        let access = state.access.get(token).ok_or(TokenProblem::Unknown)?;
        let grant = state
            .grants
            .get(&access.grant)
            .ok_or(TokenProblem::Unknown)?;
        if grant.revoked {
            return Err(TokenProblem::Revoked);
        }
        if access.expires_ms <= now_ms {
            return Err(TokenProblem::Expired);
        }
        Ok(TokenOwner {
            user: grant.user.clone(),
            client: grant.client.clone(),
            scopes: access.scopes.clone(),
        })
    }

    /// Every access token of the user has expired; refresh tokens still work.
    pub fn expire_access_tokens(&self, email: &str) {
        let mut state = self.inner.state();
        let State { access, grants, .. } = &mut *state;
        for token in access.values_mut() {
            if grants
                .get(&token.grant)
                .is_some_and(|grant| grant.user == email)
            {
                token.expires_ms = 0;
            }
        }
    }

    /// The user withdraws every consent: access and refresh tokens are dead.
    pub fn revoke_user(&self, email: &str) {
        let mut state = self.inner.state();
        for grant in state.grants.values_mut() {
            grant.revoked |= grant.user == email;
        }
    }

    /// Changes the server's behaviour.
    pub fn set(&self, change: impl FnOnce(&mut OAuthSettings)) {
        change(&mut self.inner.state().settings);
    }

    /// Every request so far.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.inner.state().requests.clone()
    }

    /// Every request so far that no correct client makes.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.inner.state().violations.clone()
    }
}
