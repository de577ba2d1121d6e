//! Everything that the server knows.

use std::collections::{BTreeMap, HashMap, VecDeque};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::delta::Walk;
use crate::faults::Faults;
use crate::limits::Limits;
use crate::mailbox::Mailbox;
use crate::record::{RecordedRequest, SentMail, Violation};
use crate::settings::Settings;
use crate::upload::Session;

pub(crate) struct World {
    /// By address in lower case.
    pub users: BTreeMap<String, Mailbox>,
    pub settings: Settings,
    pub faults: Faults,
    pub rng: ChaCha8Rng,
    pub limits: Limits,
    /// The tokens of deltas.
    pub walks: HashMap<String, Walk>,
    /// How many pages in a row were empty on purpose.
    pub empty_pages: u8,
    /// Uploads under way, by the secret in their URL.
    pub sessions: BTreeMap<String, Session>,
    pub requests: VecDeque<RecordedRequest>,
    pub violations: Vec<Violation>,
    pub sent: Vec<SentMail>,
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self {
            users: BTreeMap::new(),
            settings: Settings::default(),
            faults: Faults::default(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            limits: Limits::default(),
            walks: HashMap::new(),
            empty_pages: 0,
            sessions: BTreeMap::new(),
            requests: VecDeque::new(),
            violations: Vec::new(),
            sent: Vec::new(),
        }
    }

    pub fn add_user(&mut self, email: &str) -> &mut Mailbox {
        let seed = 7_000 + self.users.len() as u64;
        self.users
            .entry(email.to_lowercase())
            .or_insert_with(|| Mailbox::new(email, seed))
    }
}
