//! Everything that the server knows.

use std::collections::{BTreeMap, VecDeque};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::faults::Faults;
use crate::mailbox::Mailbox;
use crate::quota::Quota;
use crate::record::{RecordedRequest, SentMail, Violation};
use crate::settings::Settings;
use crate::upload::Session;

pub(crate) struct World {
    /// By address in lower case.
    pub users: BTreeMap<String, Mailbox>,
    pub settings: Settings,
    pub faults: Faults,
    pub rng: ChaCha8Rng,
    pub quota: Quota,
    pub requests: VecDeque<RecordedRequest>,
    pub violations: Vec<Violation>,
    pub sent: Vec<SentMail>,
    /// Resumable uploads under way.
    pub sessions: BTreeMap<String, Session>,
    /// Makes tokens differ.
    pub counter: u64,
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self {
            users: BTreeMap::new(),
            settings: Settings::default(),
            faults: Faults::default(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            quota: Quota::default(),
            requests: VecDeque::new(),
            violations: Vec::new(),
            sent: Vec::new(),
            sessions: BTreeMap::new(),
            counter: 0,
        }
    }

    pub fn mailbox(&mut self, email: &str) -> Option<&mut Mailbox> {
        self.users.get_mut(&email.to_lowercase())
    }

    pub fn add_user(&mut self, email: &str) -> &mut Mailbox {
        let seed = 7_000 + self.users.len() as u64;
        self.users
            .entry(email.to_lowercase())
            .or_insert_with(|| Mailbox::new(email, seed))
    }

    pub fn next_number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }
}
