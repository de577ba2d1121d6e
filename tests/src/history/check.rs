//! What must hold after each round, and at the end.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::time::Instant;

use super::world::{Side, World};
use crate::{Call, Difference, Folders, Key, Mirror, Poll, Truth, WalkError, now};

/// How long a mirror may need to come to equal a mailbox that is at rest.
const PATIENCE: Duration = Duration::from_secs(30);

const PAUSE: Duration = Duration::from_millis(150);

impl<S: Side> World<S> {
    /// Lets every mirror follow until it equals the mailbox, and holds the feed to its promises on the way.
    pub async fn converge(&mut self) -> Result<()> {
        let mut claims = Vec::new();
        for which in 0..self.mirrors.len() {
            claims.push(self.follow(which).await?);
        }
        for (which, claimed) in claims.into_iter().enumerate() {
            self.is_quiet(which, claimed).await?;
        }
        self.troubled = false;
        self.side.check()
    }

    /// Follows with one mirror until it equals the mailbox. Returns whether the gateway claimed then that it does.
    async fn follow(&mut self, which: usize) -> Result<bool> {
        let start = Instant::now();
        let mut last = String::new();
        while start.elapsed() < PATIENCE {
            let truth = self.side.truth().await?;
            let asked = now();
            let poll = match self.walk_whole(which).await? {
                Some(poll) => poll,
                None => {
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            match self.compare(which, &truth).await {
                Ok(difference) if difference.is_none() => {
                    self.tell(format!(
                        "mirror {which} equals the mailbox after {:.1} s",
                        start.elapsed().as_secs_f64()
                    ));
                    let copy = self.mirrors[which].copy();
                    let ids = copy.live().map(|(id, _)| id);
                    self.hashes
                        .verify_some(&self.api, ids, &mut self.rng)
                        .await?;
                    self.keeps_ids(which, &truth).await?;
                    return Ok(poll.verified > asked);
                }
                Ok(difference) => {
                    last = format!("{} records\n{difference}", poll.records);
                    if poll.verified > asked && truth == self.side.truth().await? {
                        let lie = format!(
                            "mirror {which} was told that all before {} is there, but:\n{last}",
                            poll.verified
                        );
                        ensure!(super::without("verified"), lie);
                    }
                }
                Err(error) => last = format!("{error:#}"),
            }
            tokio::time::sleep(PAUSE).await;
        }
        let account = self.api.call(Call::get("/v1/account")).await?;
        bail!(
            "mirror {which} does not come to equal the mailbox in 30 s:\n{last}{}",
            account.told()
        )
    }

    async fn walk_whole(&mut self, which: usize) -> Result<Option<Poll>> {
        let step = self.step;
        let walked = self.mirrors[which]
            .walk(&mut self.rng, step, usize::MAX)
            .await;
        match walked {
            Ok(poll) => {
                if let Some(poll) = poll {
                    self.tell(format!(
                        "mirror {which} got {} records, all until {} s ago",
                        poll.records,
                        (now() - poll.verified).as_seconds_f64()
                    ));
                }
                Ok(poll)
            }
            Err(error) => {
                self.troubled = true;
                self.after_walk(which, error).await?;
                Ok(None)
            }
        }
    }

    async fn compare(&mut self, which: usize, truth: &Truth) -> Result<Difference> {
        let copy = self.contents(which).await?;
        let window = self.mirrors[which].window();
        Ok(Difference::between(truth, &copy, window))
    }

    async fn contents(&mut self, which: usize) -> Result<BTreeMap<Key, Vec<String>>> {
        let answer = self.api.call(Call::get("/v1/email/folders")).await?;
        ensure!(answer.status == 200, "{}", answer.told());
        let folders = Folders::of(answer.records());
        self.mirrors[which]
            .contents(&folders, &mut self.hashes)
            .await
    }

    /// A mailbox at rest has nothing to report, once the gateway claims to have told all, and it comes to claim that.
    async fn is_quiet(&mut self, which: usize, claimed: bool) -> Result<()> {
        let start = Instant::now();
        let began = now();
        let mut claimed = claimed;
        let mut polls = 0;
        loop {
            let step = self.step;
            let walked = self.mirrors[which]
                .walk(&mut self.rng, step, usize::MAX)
                .await;
            polls += 1;
            match walked {
                Ok(Some(poll)) if poll.records > 0 => {
                    ensure!(
                        !claimed,
                        "mirror {which} is told of changes at rest: {poll:?}\n{}",
                        self.mirrors[which].told()
                    );
                    let truth = self.side.truth().await?;
                    let difference = self.compare(which, &truth).await?;
                    ensure!(
                        difference.is_none(),
                        "mirror {which} equalled the mailbox and does not any more:\n{difference}"
                    );
                    claimed = poll.verified > began;
                }
                Ok(Some(poll)) => {
                    claimed |= poll.verified > began;
                    if polls > 1 && poll.verified > began {
                        return Ok(());
                    }
                }
                Ok(None) => {}
                Err(error) => bail!("mirror {which} at rest: {error}"),
            }
            ensure!(
                start.elapsed() < PATIENCE,
                "verifiedAt does not come to pass {began}"
            );
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// A message that was never there twice keeps its id for life.
    async fn keeps_ids(&mut self, which: usize, truth: &Truth) -> Result<()> {
        let alone = truth.occurrences();
        for (key, ids) in self.contents(which).await? {
            let [id] = ids.as_slice() else { continue };
            if self.ambiguous.contains(&key.hash) || alone.get(key.hash.as_str()) != Some(&1) {
                continue;
            }
            let known = self
                .ids
                .entry(key.hash.clone())
                .or_insert_with(|| id.clone());
            ensure!(
                known == id,
                "{} in {:?} had the id {known}, now {id}",
                key.hash,
                key.folder
            );
        }
        Ok(())
    }

    /// Tokens kept since long ago lead to the mailbox as it is now.
    pub async fn replay(&mut self, kept: Vec<(u64, Mirror)>) -> Result<()> {
        for (step, mirror) in kept {
            self.tell(format!("replay mirror {} from step {step}", mirror.name));
            self.mirrors.push(mirror);
            let which = self.mirrors.len() - 1;
            let _ = self
                .follow(which)
                .await
                .with_context(|| format!("from tokens of step {step}"))?;
        }
        // A client that begins now gets the same.
        let before = self.side.truth().await?;
        let (api, step) = (self.api.clone(), self.step);
        let mode = crate::Mode::Sequential;
        self.tell("a client begins at the end");
        let fresh = Mirror::begin("fresh", api, mode, None, before, step).await;
        match fresh {
            Ok(mirror) => self.mirrors.push(mirror),
            Err(error @ (WalkError::NotNow(_) | WalkError::NoAnswer(_))) => bail!("{error}"),
            Err(error) => bail!("{error}"),
        }
        self.follow(self.mirrors.len() - 1).await.map(|_| ())
    }
}
