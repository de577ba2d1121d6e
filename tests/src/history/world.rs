//! Everything that a history happens to.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::mails::Mails;
use super::{Course, History};
use crate::{
    Api, Backup, Expiry, GatewayOptions, GatewayProcess, Hashes, Mirror, Mode, Truth, WalkError,
};

/// The mailbox of a history, and what can go wrong on the way to it.
pub(super) trait Side: Sized {
    /// A draft that is edited keeps its id, so that the bytes of a draft's id may change.
    const EDITED_DRAFTS_KEEP_IDS: bool = false;

    /// An empty mailbox.
    async fn start(history: &History, rng: &mut ChaCha8Rng) -> Result<Self>;

    /// What the gateway must be told.
    fn options(&self, options: GatewayOptions, rng: &mut ChaCha8Rng) -> GatewayOptions;

    /// Connects it and gives a client of its account.
    async fn connect(&self, gateway: &GatewayProcess) -> Result<Api>;

    /// What the mailbox holds now.
    async fn truth(&self) -> Result<Truth>;

    /// Everything works again.
    async fn end_faults(&mut self) -> Result<()>;

    /// Whether the gateway has behaved until now.
    fn check(&self) -> Result<()>;

    /// Puts folders and mail in.
    async fn fill(world: &mut World<Self>) -> Result<()>;

    /// Changes the mailbox behind the gateway's back.
    async fn change(world: &mut World<Self>) -> Result<()>;

    /// Lets something break.
    async fn trouble(world: &mut World<Self>) -> Result<()>;
}

/// A mailbox, a gateway, and mirrors.
pub(super) struct World<S> {
    pub seed: u64,
    pub rng: ChaCha8Rng,
    pub side: S,
    pub gateway: GatewayProcess,
    pub api: Api,
    pub mirrors: Vec<Mirror>,
    pub hashes: Hashes,
    pub mails: Mails,
    /// Counts steps.
    pub step: u64,
    /// The newest backup and the step at which it was made.
    pub backup: Option<(u64, Backup)>,
    pub expiry: Expiry,
    /// Messages that were there more than once for a moment, by hash: nothing tells which one is which.
    pub ambiguous: BTreeSet<String>,
    /// The ids of all others, by hash.
    pub ids: BTreeMap<String, String>,
    /// Since the last convergence something broke, so that calls may fail.
    pub troubled: bool,
    told: Vec<String>,
    started: tokio::time::Instant,
}

impl<S: Side> World<S> {
    /// A mailbox with some mail, and a gateway that is connected to it.
    pub async fn new(history: &History) -> Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(history.seed);
        let side = S::start(history, &mut rng).await?;
        let options = GatewayOptions::new(history.store)
            .set("POLYPOST_LIMITS__CALL_DEADLINE", "5s")
            .set("POLYPOST_LIMITS__BACKGROUND_DEADLINE", "8s");
        let options = side.options(options, &mut rng);
        let gateway = GatewayProcess::start(&history.program, options).await?;
        let api = side.connect(&gateway).await?;
        Ok(Self {
            seed: history.seed,
            rng,
            side,
            gateway,
            api,
            mirrors: Vec::new(),
            hashes: Hashes::new(S::EDITED_DRAFTS_KEEP_IDS),
            mails: Mails::default(),
            step: 0,
            backup: None,
            expiry: Expiry::default(),
            ambiguous: BTreeSet::new(),
            ids: BTreeMap::new(),
            troubled: history.course == Course::Full,
            told: Vec::new(),
            started: tokio::time::Instant::now(),
        })
    }

    /// Fills the mailbox and begins two syncs.
    pub async fn begin(&mut self) -> Result<()> {
        S::fill(self).await?;
        let (one, other) = if self.rng.random_bool(0.5) {
            (Mode::Sequential, Mode::Concurrent)
        } else {
            (Mode::Concurrent, Mode::Sequential)
        };
        for (name, mode, days) in [("whole", one, None), ("window", other, Some(30))] {
            self.tell(format!("a {mode:?} mirror of {days:?} days"));
            let before = self.side.truth().await?;
            let api = self.api.clone();
            let mirror = self
                .patiently(async || {
                    Mirror::begin(name, api.clone(), mode, days, before.clone(), 0).await
                })
                .await?;
            self.mirrors.push(mirror);
        }
        Ok(())
    }

    /// Repeats what is not possible yet, for at most 30 s.
    async fn patiently<T>(&self, what: impl AsyncFn() -> Result<T, WalkError>) -> Result<T> {
        let start = tokio::time::Instant::now();
        loop {
            match what().await {
                Ok(done) => return Ok(done),
                Err(WalkError::NotNow(answer)) if start.elapsed().as_secs() < 30 => {
                    let wait = answer.retry_after().unwrap_or_default();
                    tokio::time::sleep(wait.min(std::time::Duration::from_millis(300))).await;
                }
                Err(error) => bail!("{error}"),
            }
        }
    }

    /// A step of any kind.
    pub async fn any_step(&mut self, faults: bool) -> Result<()> {
        self.step += 1;
        match self.rng.random_range(0..100) {
            0..55 => S::change(self).await,
            55..80 => self.call_api().await,
            _ if faults => {
                self.troubled = true;
                S::trouble(self).await
            }
            _ => S::change(self).await,
        }
    }

    /// Everything works again.
    pub async fn end_faults(&mut self) -> Result<()> {
        self.step += 1;
        self.side.end_faults().await?;
        if !self.gateway.is_running() {
            self.gateway.resume().await?;
        }
        Ok(())
    }

    /// Notes what happens, for the report.
    pub fn tell(&mut self, what: impl Into<String>) {
        let at = self.started.elapsed();
        self.told.push(format!(
            "{:7.3} [{}] {}",
            at.as_secs_f64(),
            self.step,
            what.into()
        ));
    }

    /// All that happened.
    pub fn told(&self) -> String {
        self.told.join("\n")
    }

    /// A line about a history that went well.
    pub fn summary(&self) -> String {
        format!(
            "{} steps, {} mails, {:.1} s",
            self.step,
            self.mails.count(),
            self.started.elapsed().as_secs_f64()
        )
    }

    /// Copies the gateway's log to where it stays, and says where.
    pub fn keep_log(&self) -> String {
        let path = std::env::temp_dir().join(format!(
            "polypost-history-{}-{}.log",
            self.seed,
            std::process::id()
        ));
        match std::fs::write(&path, self.gateway.log()) {
            Ok(()) => path.display().to_string(),
            Err(error) => error.to_string(),
        }
    }
}
