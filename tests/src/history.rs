//! Random histories of a mailbox, and the proof that a mirror follows each of them.
//!
//! A history is a few rounds of random steps, all drawn from one seed: changes on the mail server behind the gateway's
//! back, calls of the API, faults of the connection or of the server, kills of the gateway, stores put back to a backup. After each round
//! the faults end, and every mirror must come to equal the mailbox; then the feed must be quiet. At the end tokens that
//! were kept since the first round must still lead there.

mod calls;
mod check;
mod faults;
mod gmail;
mod graph;
mod imap;
mod mails;
mod world;

use std::path::PathBuf;

use anyhow::{Context, Result};
use rand::Rng;
use test_servers::Dialect;

use self::gmail::GmailSide;
use self::graph::GraphSide;
use self::imap::ImapSide;
use self::world::{Side, World};
use crate::{Mirror, StoreKind};

pub use self::imap::MailServer;

/// Which mail server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerKind {
    /// Dovecot in one of its dialects.
    Dovecot(Dialect),
    /// Courier.
    Courier,
    /// Gmail's API, as its fake answers.
    Gmail,
    /// Microsoft Graph, as its fake answers.
    Graph,
}

/// How much happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// Changes of the mailbox and calls only.
    Calm,
    /// Faults, kills and restored backups as well, from the second round on.
    Full,
}

/// A history, told by its seed.
#[derive(Debug, Clone)]
pub struct History {
    /// Everything random comes from it.
    pub seed: u64,
    /// The mail server.
    pub server: ServerKind,
    /// The gateway's store.
    pub store: StoreKind,
    /// How much happens.
    pub course: Course,
    /// Rounds; at least 1.
    pub rounds: usize,
    /// The gateway's program.
    pub program: PathBuf,
}

impl History {
    /// Lets it happen.
    ///
    /// # Errors
    /// With what went wrong, the seed, every step, and the end of the gateway's log.
    pub async fn run(&self) -> Result<String> {
        match self.server {
            ServerKind::Dovecot(_) | ServerKind::Courier => self.run_on::<ImapSide>().await,
            ServerKind::Gmail => self.run_on::<GmailSide>().await,
            ServerKind::Graph => self.run_on::<GraphSide>().await,
        }
    }

    async fn run_on<S: Side>(&self) -> Result<String> {
        let mut world = World::<S>::new(self)
            .await
            .with_context(|| format!("{self}: the start"))?;
        match self.happen(&mut world).await {
            Ok(()) => Ok(world.summary()),
            Err(error) => {
                let kept = world.keep_log();
                Err(error.context(format!(
                    "{self}\n{}\nthe gateway's log ({kept}) ends:\n{}\n",
                    world.told(),
                    world.gateway.log_tail(25)
                )))
            }
        }
    }

    async fn happen<S: Side>(&self, world: &mut World<S>) -> Result<()> {
        world.begin().await?;
        world.converge().await?;
        let mut kept: Vec<(u64, Mirror)> = Vec::new();
        for round in 0..self.rounds {
            world.tell(format!("round {}", round + 1));
            let faults = self.course == Course::Full && round > 0;
            let steps = world.rng.random_range(5..=10);
            for _ in 0..steps {
                world.any_step(faults).await?;
            }
            world.end_faults().await?;
            world.converge().await?;
            if round == 0 {
                let step = world.step;
                kept = world.mirrors.iter().map(|m| (step, m.clone())).collect();
            }
        }
        world.replay(kept).await
    }
}

impl std::fmt::Display for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "history {} of {:?} on {:?} ({:?})",
            self.seed, self.server, self.store, self.course
        )
    }
}

/// `POLYPOST_MIRROR_WITHOUT` leaves out what is known to fail, for who looks for other failures.
fn without(what: &str) -> bool {
    std::env::var("POLYPOST_MIRROR_WITHOUT").is_ok_and(|all| all.split(',').any(|one| one == what))
}
