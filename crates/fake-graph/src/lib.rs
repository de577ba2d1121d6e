//! Microsoft Graph's mail API v1.0 in the test's own process, on a free loopback port.
//!
//! Every request is held against [`tables`] of paths, query options, types and scopes; what no correct client asks is
//! refused as the vendor refuses it, and kept in [`FakeGraph::violations`]. Tokens are those of a
//! [`fake_oauth::FakeOAuth`]. Tests see and change a mailbox through [`User`], and make things go wrong with [`Faults`].

mod answer;
mod batch;
mod call;
mod content;
mod deliver;
mod delta;
mod draft;
mod encoding;
mod error;
mod faults;
mod handlers;
mod headers;
mod limits;
mod links;
mod mailbox;
mod mime;
mod notify;
mod odata;
mod query;
mod record;
mod render;
mod search;
mod server;
mod settings;
mod subscribe;
pub mod tables;
mod upload;
mod user;
mod validate;
mod world;

use std::sync::{Arc, Mutex};

use fake_oauth::loopback::{self, Running};
use fake_oauth::{FakeOAuth, TestClock};
use rand::SeedableRng;

pub use deliver::Lifecycle;
pub use faults::{ErrorFault, ErrorKind, Expiry, Faults, Lag, When};
pub use record::{Delivery, RecordedRequest, SentMail, Violation};
pub use settings::{DeletedFolders, Settings};
pub use tables::scopes;
pub use user::{TrueFolder, Truth, User};

use server::Inner;
use world::World;

/// The running server; clones are the same server, which ends with the last of them.
#[derive(Clone)]
pub struct FakeGraph {
    inner: Arc<Inner>,
    running: Arc<Running>,
}

impl FakeGraph {
    /// Starts a server without users that takes the tokens of this authorisation server.
    ///
    /// # Errors
    /// When no loopback port is free.
    pub async fn start(oauth: &FakeOAuth) -> std::io::Result<Self> {
        let inner = Arc::new(Inner {
            oauth: oauth.clone(),
            clock: oauth.clock(),
            world: Mutex::new(World::new(1)),
        });
        let running = loopback::serve(server::router(Arc::clone(&inner))).await?;
        Ok(Self {
            inner,
            running: Arc::new(running),
        })
    }

    /// The root, without a slash at the end: `/v1.0/me/…` follows.
    #[must_use]
    pub fn url(&self) -> String {
        self.running.url()
    }

    /// The clock that it shares with the authorisation server.
    #[must_use]
    pub fn clock(&self) -> TestClock {
        self.inner.clock.clone()
    }

    /// A user, who has a mailbox with the well-known folders from the first call on.
    #[must_use]
    pub fn user(&self, email: &str) -> User {
        self.inner.oauth.add_user(email);
        let ids = self.inner.oauth.microsoft_ids(email);
        // `oid` of a user's ID token is the id that this API gives the user ("ID token claims reference").
        self.inner.world().add_user(email).object_id = ids.unwrap_or_default().1;
        User {
            inner: Arc::clone(&self.inner),
            email: email.to_owned(),
        }
    }

    /// A bearer token of a user, for these scopes, of which [`scopes`] has the names.
    #[must_use]
    pub fn token(&self, email: &str, scopes: &[&str]) -> String {
        self.inner.oauth.issue("tests", email, scopes).access_token
    }

    /// Sets the faults.
    pub fn set_faults(&self, faults: Faults) {
        self.inner.world().faults = faults;
    }

    /// Changes the faults.
    pub fn faults(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.inner.world().faults);
    }

    /// Changes limits and manners.
    pub fn settings(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.inner.world().settings);
    }

    /// Starts the chances of the faults anew.
    pub fn seed(&self, seed: u64) {
        self.inner.world().rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    }

    /// Every request so far, each of a batch on its own after the batch's.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.inner.world().requests.iter().cloned().collect()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.inner.world().requests.clear();
    }

    /// Every request so far that no correct client makes.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.inner.world().violations.clone()
    }

    /// Forgets the violations so far.
    pub fn clear_violations(&self) {
        self.inner.world().violations.clear();
    }

    /// Every message that was handed over for delivery.
    #[must_use]
    pub fn sent(&self) -> Vec<SentMail> {
        self.inner.world().sent.clone()
    }
}
