//! A client that knows only the change feed.

mod copy;
mod hashes;
mod walk;

use std::collections::BTreeMap;

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use self::copy::Change;
pub use self::copy::{Copy, Record};
pub use self::hashes::Hashes;
use self::walk::Stream;
use crate::truth::Folders;
use crate::{Answer, Api, Call, Failure, Key, Truth, Window, now};

/// How a mirror fetches and applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// One stream after the other, pages in the order received, `version` ignored.
    Sequential,
    /// Both streams at once, records shuffled, of two for one id the higher version wins.
    Concurrent,
}

/// Why a walk did not come to its end. What it got until then is applied, and the next one goes on from there.
#[derive(Debug)]
pub enum WalkError {
    /// No answer came.
    NoAnswer(String),
    /// 429 or 503: the token stays good.
    NotNow(Box<Answer>),
    /// 410 for a token that was given out at this step.
    Expired(Box<Answer>, u64),
    /// Any other answer, or one that breaks the contract.
    Violation(String),
}

impl From<Failure> for WalkError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NoAnswer(why) => Self::NoAnswer(why),
            Failure::Violation(what) => Self::Violation(what),
        }
    }
}

impl std::fmt::Display for WalkError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoAnswer(why) => write!(f, "no answer: {why}"),
            Self::NotNow(answer) => write!(f, "not now: {}", answer.told()),
            Self::Expired(answer, step) => {
                write!(f, "a token of step {step} expired: {}", answer.told())
            }
            Self::Violation(what) => f.write_str(what),
        }
    }
}

/// A walk over both streams, to their ends.
#[derive(Debug, Clone, Copy)]
pub struct Poll {
    /// Records of both.
    pub records: usize,
    /// The gateway's claim: changes before this moment are in the answers.
    pub verified: DateTime<Utc>,
}

/// When a token may expire: only where the store was put back to a time before the token was given out. Times are steps
/// of the history.
#[derive(Debug, Clone, Default)]
pub struct Expiry {
    /// Each restoration: the step of the backup, and the step at which it was restored.
    pub restorations: Vec<(u64, u64)>,
}

impl Expiry {
    /// Whether a token given out at this step may be refused.
    #[must_use]
    pub fn allows(&self, issued: u64) -> bool {
        self.restorations
            .iter()
            .any(|(backup, restored)| *backup <= issued && issued <= *restored)
    }
}

/// A client's copy of a mailbox, and where it stands in both streams. A clone is another client at the same point.
#[derive(Debug, Clone)]
pub struct Mirror {
    /// For messages.
    pub name: String,
    /// How it works.
    pub mode: Mode,
    /// `daysWithin` of its sync.
    pub days_within: Option<u32>,
    api: Api,
    copy: Copy,
    updated: Stream,
    deleted: Stream,
    window: Option<Window>,
    told: Vec<String>,
}

impl Mirror {
    /// Begins a sync. `before` is the mailbox as it is now. Fails with [`WalkError::NotNow`] until the sync is ready.
    ///
    /// # Errors
    /// As any walk.
    pub async fn begin(
        name: &str,
        api: Api,
        mode: Mode,
        days_within: Option<u32>,
        before: Truth,
        step: u64,
    ) -> Result<Self, WalkError> {
        let mut call = Call::post("/v1/email/sync").query("awaitReady", true);
        if let Some(days) = days_within {
            call = call.query("daysWithin", days);
        }
        let window = days_within.map(|days| Window {
            start: now() - TimeDelta::days(days.into()),
            before,
        });
        let answer = walk::accepted(api.call(call).await?, step)?;
        let token = |name: &str| {
            let token = answer.json[name].as_str().map(str::to_owned);
            token.ok_or_else(|| WalkError::Violation(format!("no {name}: {}", answer.told())))
        };
        // Until it is ready the tokens are given all the same and answer 503.
        Ok(Self {
            name: name.to_owned(),
            mode,
            days_within,
            updated: Stream::updated(token("syncUpdatedToken")?, step),
            deleted: Stream::deleted(token("syncDeletedToken")?, step),
            api,
            copy: Copy::default(),
            window,
            told: Vec::new(),
        })
    }

    /// Throws the copy away and begins anew, as a client does after 410.
    ///
    /// # Errors
    /// As [`Mirror::begin`].
    pub async fn begin_again(&mut self, before: Truth, step: u64) -> Result<(), WalkError> {
        let api = self.api.clone();
        *self = Self::begin(&self.name, api, self.mode, self.days_within, before, step).await?;
        Ok(())
    }

    /// Walks both streams, to their ends or for at most so many pages each, and applies what came, also when the walk
    /// fails on the way. `None` where an end was not reached.
    ///
    /// # Errors
    /// When an answer is no page.
    pub async fn walk(
        &mut self,
        rng: &mut ChaCha8Rng,
        step: u64,
        pages: usize,
    ) -> Result<Option<Poll>, WalkError> {
        let limit = match rng.random_range(0..3) {
            0 => Some(rng.random_range(1..=4)),
            1 => Some(rng.random_range(5..=500)),
            _ => None,
        };
        self.told.clear();
        let (first, second) = match self.mode {
            Mode::Concurrent => {
                let (updated, deleted) = tokio::join!(
                    self.updated.walk(&self.api, limit, pages, step),
                    self.deleted.walk(&self.api, limit, pages, step)
                );
                let mut all = updated.changes.clone();
                all.extend(deleted.changes.iter().cloned());
                all.shuffle(rng);
                for change in all {
                    self.told.push(self.copy.describe(&change));
                    self.copy.apply_by_version(change);
                }
                (updated, deleted)
            }
            Mode::Sequential => {
                let turned = rng.random_bool(0.5);
                let (one, other) = if turned {
                    (&mut self.deleted, &mut self.updated)
                } else {
                    (&mut self.updated, &mut self.deleted)
                };
                let first = one.walk(&self.api, limit, pages, step).await;
                note(&mut self.told, &self.copy, &first.changes);
                self.copy.apply_in_order(&first.changes)?;
                if let Some(error) = first.error {
                    return Err(error);
                }
                let second = other.walk(&self.api, limit, pages, step).await;
                note(&mut self.told, &self.copy, &second.changes);
                self.copy.apply_in_order(&second.changes)?;
                (first, second)
            }
        };
        let records = first.changes.len() + second.changes.len();
        if let Some(error) = first.error.or(second.error) {
            return Err(error);
        }
        Ok(match (first.verified, second.verified) {
            (Some(one), Some(other)) => Some(Poll {
                records,
                verified: one.min(other),
            }),
            _ => None,
        })
    }

    /// What the last walk told, beside what was known.
    #[must_use]
    pub fn told(&self) -> String {
        self.told.join("\n")
    }

    /// Fetches one page of a stream and forgets it, as a client does that dies on the way.
    ///
    /// # Errors
    /// When the answer is no page.
    pub async fn lose_a_page(&self, rng: &mut ChaCha8Rng, step: u64) -> Result<(), WalkError> {
        let stream = if rng.random_bool(0.5) {
            &self.updated
        } else {
            &self.deleted
        };
        let walked = stream.clone().walk(&self.api, None, 1, step).await;
        walked.error.map_or(Ok(()), Err)
    }

    /// The copy's messages as a comparison needs them: ids by key.
    ///
    /// # Errors
    /// When a message lacks something, or its bytes cannot be had.
    pub async fn contents(
        &self,
        folders: &Folders,
        hashes: &mut Hashes,
    ) -> anyhow::Result<BTreeMap<Key, Vec<String>>> {
        let mut all: BTreeMap<Key, Vec<String>> = BTreeMap::new();
        for (id, record) in self.copy.live() {
            let folder = folders.of_message(record.folder.as_deref(), &record.keywords);
            let key = Key {
                folder: folder.with_context(|| id.clone())?,
                hash: hashes.of(&self.api, id, record).await?,
                labels: record.labels.clone(),
                classifications: record.classifications.clone(),
                keywords: record.keywords.clone(),
                received: record
                    .received
                    .with_context(|| format!("{id} has no receivedAt"))?,
            };
            all.entry(key).or_default().push(id.clone());
        }
        Ok(all)
    }

    /// What its sync must hold, where that is not everything.
    #[must_use]
    pub fn window(&self) -> Option<&Window> {
        self.window.as_ref()
    }

    /// Its copy.
    #[must_use]
    pub fn copy(&self) -> &Copy {
        &self.copy
    }
}

fn note(told: &mut Vec<String>, copy: &Copy, changes: &[Change]) {
    told.extend(changes.iter().map(|change| copy.describe(change)));
}
