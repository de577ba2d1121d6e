//! Everything that the server knows.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::faults::Faults;
use crate::mailbox::Mailbox;
use crate::record::{Delivery, RecordedRequest, SentMail, Violation};
use crate::settings::Settings;

pub(crate) struct World {
    /// By address in lower case.
    pub users: BTreeMap<String, Mailbox>,
    pub settings: Settings,
    pub faults: Faults,
    pub rng: ChaCha8Rng,
    pub requests: VecDeque<RecordedRequest>,
    pub violations: Vec<Violation>,
    pub sent: Vec<SentMail>,
    pub deliveries: Vec<Delivery>,
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self {
            users: BTreeMap::new(),
            settings: Settings::default(),
            faults: Faults::default(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            requests: VecDeque::new(),
            violations: Vec::new(),
            sent: Vec::new(),
            deliveries: Vec::new(),
        }
    }

    pub fn add_user(&mut self, email: &str) -> &mut Mailbox {
        let seed = 7_000 + self.users.len() as u64;
        self.users
            .entry(email.to_lowercase())
            .or_insert_with(|| Mailbox::new(email, seed))
    }
}
