use std::collections::BTreeSet;

use email_model::{Flags, FolderKey};
use email_provider::{Detail, ScopeKey};
use rand::{Rng as _, SeedableRng as _, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;

use crate::{Bench, Mail, call};

/// What the mailbox is to hold, as the test made it.
pub struct World {
    random: ChaCha8Rng,
    seed: u64,
    folders: Vec<FolderKey>,
    mails: Vec<Held>,
    made: usize,
}

#[derive(Clone, Debug)]
struct Held {
    id: String,
    folder: FolderKey,
    flags: Flags,
    keywords: Vec<String>,
    deleted: bool,
}

/// A message as it is to be shown.
type Shown = (FolderKey, String, Flags, Vec<String>);

impl World {
    /// Three folders with some mail.
    pub async fn new(bench: &Bench, seed: u64) -> Self {
        let mut folders = Vec::new();
        for name in ["North", "East", "South"] {
            folders.push(bench.folder(&format!("{name} {seed}")).await);
        }
        let random = ChaCha8Rng::seed_from_u64(seed);
        let mut world = Self {
            random,
            seed,
            folders,
            mails: Vec::new(),
            made: 0,
        };
        for _ in 0..9 {
            world.append(bench).await;
        }
        world
    }

    /// The scopes of its folders.
    pub async fn scopes(&self, bench: &Bench) -> BTreeSet<ScopeKey> {
        let mut scopes = BTreeSet::new();
        for (at, folder) in self.folders.iter().enumerate() {
            let probe = Mail::new(&format!("probe-{}-{at}", self.seed), 0);
            scopes.insert(bench.store(folder, &probe).await.scope);
            bench.harness.expunge(folder, &probe.id).await;
            bench.gone(folder, &probe.id).await;
        }
        scopes
    }

    /// One thing happens at the server.
    pub async fn change(&mut self, bench: &Bench) {
        let Some(at) = (0..self.mails.len())
            .collect::<Vec<_>>()
            .choose(&mut self.random)
            .copied()
        else {
            return self.append(bench).await;
        };
        let held = self.mails[at].clone();
        let harness = &bench.harness;
        match self.random.random_range(0..100) {
            0..25 => self.append(bench).await,
            25..50 if !held.deleted => {
                let flags = self.flags();
                let keywords = self.keywords(bench);
                harness
                    .set_flags(&held.folder, &held.id, flags, &keywords)
                    .await;
                (self.mails[at].flags, self.mails[at].keywords) = (flags, keywords);
            }
            50..65 if !held.deleted => {
                if let Some(to) = self.elsewhere(&held.id) {
                    harness.move_message(&held.folder, &held.id, &to).await;
                    self.mails[at].folder = to;
                }
            }
            65..72 if !held.deleted && bench.facts.copies => {
                if let Some(to) = self.elsewhere(&held.id) {
                    harness.copy_message(&held.folder, &held.id, &to).await;
                    self.mails.push(Held { folder: to, ..held });
                }
            }
            72..86 if bench.facts.deleted_mark => {
                harness
                    .mark_deleted(&held.folder, &held.id, !held.deleted)
                    .await;
                self.mails[at].deleted = !held.deleted;
            }
            86..100 => {
                harness.expunge(&held.folder, &held.id).await;
                self.mails.remove(at);
            }
            _ => self.append(bench).await,
        }
    }

    /// A folder without a message of this id.
    fn elsewhere(&mut self, id: &str) -> Option<FolderKey> {
        let taken: BTreeSet<&FolderKey> = self
            .mails
            .iter()
            .filter(|held| held.id == id)
            .map(|held| &held.folder)
            .collect();
        let free: Vec<&FolderKey> = self
            .folders
            .iter()
            .filter(|folder| !taken.contains(folder))
            .collect();
        free.choose(&mut self.random)
            .map(|folder| (*folder).clone())
    }

    async fn append(&mut self, bench: &Bench) {
        let name = format!("made-{}-{}", self.seed, self.made);
        let mut mail = Mail::new(&name, self.random.random_range(0..100_000));
        self.made += 1;
        mail.flags = self.flags();
        mail.keywords = self.keywords(bench);
        let folder = self
            .folders
            .choose(&mut self.random)
            .expect("a folder")
            .clone();
        bench.harness.append(&folder, mail.stored()).await;
        let Mail {
            id,
            flags,
            keywords,
            ..
        } = mail;
        self.mails.push(Held {
            id,
            folder,
            flags,
            keywords,
            deleted: false,
        });
    }

    fn flags(&mut self) -> Flags {
        let mut flags = Flags::empty();
        flags.set(Flags::SEEN, self.random.random());
        flags.set(Flags::FLAGGED, self.random.random_bool(0.3));
        flags
    }

    fn keywords(&mut self, bench: &Bench) -> Vec<String> {
        let words = bench.keywords(&["amber", "ivory"]);
        words
            .into_iter()
            .filter(|_| self.random.random_bool(0.3))
            .collect()
    }

    /// Waits until the provider shows exactly what happened.
    pub async fn assert_shown(&self, bench: &Bench) {
        let there = self.mails.iter().filter(|held| !held.deleted).cloned();
        let mut expected: Vec<Shown> = there
            .map(|held| (held.folder, held.id, held.flags, held.keywords))
            .collect();
        expected.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        let what = format!("the mailbox after the history of seed {}", self.seed);
        bench
            .eventually(&what, async || {
                let shown = self.shown(bench).await;
                if shown == expected {
                    Ok(())
                } else {
                    Err(format!("{shown:#?} for {expected:#?}"))
                }
            })
            .await;
    }

    async fn shown(&self, bench: &Bench) -> Vec<Shown> {
        let mut shown = Vec::new();
        for folder in &self.folders {
            let refs = bench.list(folder).await;
            let fetched = bench
                .provider
                .fetch(call(), &refs, Detail::Envelope)
                .await
                .expect("envelopes");
            for message in fetched {
                let (Some(state), Some(envelope)) = (message.state, message.envelope) else {
                    continue;
                };
                let labels = bench.told_once(state).await.labels;
                let Some(id) = envelope.message_id else {
                    continue;
                };
                shown.push((folder.clone(), id, labels.flags, labels.keywords));
            }
        }
        shown.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        shown
    }
}
