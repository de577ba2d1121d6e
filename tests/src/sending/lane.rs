//! A mailbox with its servers and a gateway, where one run follows the other.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::database;
use super::mailbag::DOMAIN;
use super::plan::{Plan, Trouble, Way, What};
use super::servers::{Known, Servers};
use super::talk::{Ending, talk};
use super::wish::Wish;
use crate::{Api, Call, GatewayOptions, GatewayProcess, StoreKind};

/// How long anything may take that happens by itself.
const PATIENCE: Duration = Duration::from_secs(45);
/// How long trouble lasts where nobody gives up: what is scheduled is tried for a day.
const SCHEDULED_TROUBLE: Duration = Duration::from_secs(2);

/// See the module.
pub struct Lane {
    servers: Servers,
    gateway: GatewayProcess,
    api: Api,
    store: StoreKind,
    /// The message in the inbox.
    question: String,
    /// What must hold to the end, by the word of each run.
    promises: Vec<(Plan, String, Promise)>,
}

/// What a run has shown, and must stay so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Promise {
    /// It arrived once.
    Once,
    /// It did not arrive.
    Never,
    /// It arrived once or not.
    AtMostOnce,
}

impl Lane {
    /// Starts everything.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn start(program: &Path, way: Way, store: StoreKind) -> Result<Self> {
        let servers = Servers::start(way).await?;
        let options = servers.options(GatewayOptions::new(store));
        let gateway = GatewayProcess::start(program, options).await?;
        let api = servers.connect(&gateway).await?;
        let list = api.call(Call::get("/v1/email/messages")).await?;
        let question = list.records().first().and_then(|one| one["id"].as_str());
        let question = question.with_context(|| list.told())?.to_owned();
        Ok(Self {
            servers,
            gateway,
            api,
            store,
            question,
            promises: Vec::new(),
        })
    }

    /// One run.
    ///
    /// # Errors
    /// With what went wrong.
    pub async fn play(&mut self, plan: Plan) -> Result<()> {
        let wish = Wish::of(&plan, &self.question);
        let word = wish.word.clone();
        self.servers.trouble(Trouble::None);
        self.servers.seed(plan.seed);
        let call = wish
            .call(&self.api, &plan)
            .await
            .context("before it is sent")?;
        if plan.what == What::Scheduled {
            self.schedule(&call).await?;
        }
        let ending = self.ask(&plan, &call).await?;
        self.servers.trouble(Trouble::None);
        let promise = self.judge(&plan, &wish, &call, ending).await?;
        self.promises.push((plan, word, promise));
        Ok(())
    }

    /// Whatever was found after each run is so still.
    ///
    /// # Errors
    /// With what went wrong.
    pub async fn end(self) -> Result<()> {
        self.servers.end().await?;
        for (plan, word, promise) in &self.promises {
            let known = self.servers.known(word).await?;
            let kept = match promise {
                Promise::Once => wish_of(&known) == Some(1),
                Promise::Never => known.arrived.is_empty() && known.copies == 0,
                Promise::AtMostOnce => wish_of(&known).is_some_and(|count| count <= 1),
            };
            ensure!(
                kept && known.copies <= 1,
                "{plan}: at the end of all {promise:?}: {known:?}"
            );
        }
        Ok(())
    }

    /// The end of the gateway's log.
    #[must_use]
    pub fn log_tail(&self) -> String {
        self.gateway.log_tail(20)
    }

    /// Asks for a send at a time far away, which is now.
    async fn schedule(&mut self, call: &Call) -> Result<()> {
        let answer = self.api.call(call.clone()).await?;
        ensure!(
            answer.status == 200 && answer.json["status"] == "Scheduled",
            "{}",
            answer.told()
        );
        if self.store == StoreKind::Sqlite {
            // A gateway that is alone looks into its outbox when it has reason to, or starts.
            self.gateway.kill_hard()?;
            database::make_due(self.gateway.storage()).await?;
        }
        Ok(())
    }

    /// The calls, and what troubles them.
    async fn ask(&mut self, plan: &Plan, call: &Call) -> Result<Ending> {
        self.servers.trouble(plan.trouble);
        if plan.what == What::Scheduled {
            match self.store {
                StoreKind::Sqlite => self.gateway.resume().await?,
                StoreKind::Postgres => database::make_due(self.gateway.storage()).await?,
            }
        }
        let api = self.api.clone();
        let talking = async {
            match plan.twice {
                true => {
                    let (one, other) = tokio::join!(talk(&api, call), talk(&api, call));
                    both(one?, other?)
                }
                false => talk(&api, call).await,
            }
        };
        tokio::pin!(talking);
        let ends_by_itself = async {
            tokio::time::sleep(SCHEDULED_TROUBLE).await;
            if plan.what == What::Scheduled {
                self.servers.trouble(Trouble::None);
            }
            std::future::pending().await
        };
        tokio::select! {
            ending = &mut talking => return ending,
            () = ends_by_itself => {}
            () = self.servers.until_to_be_killed(plan.trouble) => {}
        }
        self.gateway.kill_hard()?;
        self.servers.trouble(Trouble::None);
        if self.store == StoreKind::Postgres {
            database::let_lapse(self.gateway.storage()).await?;
        }
        self.gateway.resume().await?;
        talking.await
    }

    async fn judge(
        &self,
        plan: &Plan,
        wish: &Wish,
        call: &Call,
        mut ending: Ending,
    ) -> Result<Promise> {
        let word = wish.word.as_str();
        if matches!(ending, Ending::Refused(_)) {
            let known = self.servers.known(word).await?;
            ensure!(
                known.arrived.is_empty() && known.copies == 0,
                "{ending:?}, and yet {known:?}"
            );
            // Half of the clients try once more later.
            if plan.seed.is_multiple_of(2) {
                return Ok(Promise::Never);
            }
            ending = talk(&self.api, call).await.context("later")?;
            ensure!(
                !matches!(ending, Ending::Refused(_)),
                "refused again when nothing was wrong: {ending:?}"
            );
        }
        if ending == Ending::Unconfirmed {
            ending = self.settled(plan, word, call).await?;
        }
        let Ending::Sent(answer) = ending else {
            return Ok(Promise::AtMostOnce);
        };
        let is_complete = answer["processingStatus"] == "Ok";
        ensure!(
            !(plan.return_ids && is_complete) || answer["id"].is_string(),
            "no id: {answer}"
        );
        let what = format!("{answer}");
        self.until(word, &what, |known| {
            let is_filed = known.copies == 1 || (!is_complete && known.copies == 0);
            Ok(wish.arrived_whole(known)? && is_filed && known.drafts == 0)
        })
        .await?;
        Ok(Promise::Once)
    }

    /// A send of which the client knows nothing: what the mailbox itself files is found.
    async fn settled(&self, plan: &Plan, word: &str, call: &Call) -> Result<Ending> {
        let known = self.servers.known(word).await?;
        ensure!(
            wish_of(&known).is_some_and(|count| count <= 1) && known.copies <= 1,
            "not known to the client: {known:?}"
        );
        if plan.way == Way::Smtp || known.arrived.is_empty() {
            return Ok(Ending::Unconfirmed);
        }
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            match talk(&self.api, call).await? {
                Ending::Unconfirmed => tokio::time::sleep(Duration::from_millis(300)).await,
                Ending::Refused(why) => bail!("it was sent, and yet: {why}"),
                sent @ Ending::Sent(_) => return Ok(sent),
            }
        }
        bail!("it was sent, and stays unconfirmed: {known:?}")
    }

    /// Looks until it is as it must be. Fails at once on what never may be.
    async fn until(
        &self,
        word: &str,
        told: &str,
        is_good: impl Fn(&Known) -> Result<bool>,
    ) -> Result<()> {
        let start = Instant::now();
        loop {
            let known = self.servers.known(word).await?;
            let count = wish_of(&known);
            let is_too_much = known.copies > 1 || count.is_some_and(|count| count > 1);
            ensure!(!is_too_much, "more than once: {known:?}; told {told}");
            if is_good(&known)? {
                return Ok(());
            }
            ensure!(
                start.elapsed() < PATIENCE,
                "it stays so: {known:?}; told {told}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// How often it arrived, at whom it did most; `None` where a stranger got it.
fn wish_of(known: &Known) -> Option<usize> {
    let mut most = 0;
    for one in &known.arrived {
        if !one.recipient.ends_with(DOMAIN) {
            return None;
        }
        let times = known
            .arrived
            .iter()
            .filter(|other| other.recipient == one.recipient);
        most = most.max(times.count());
    }
    Some(most)
}

/// What two calls with one key have come to.
fn both(one: Ending, other: Ending) -> Result<Ending> {
    match (one, other) {
        (Ending::Sent(one), Ending::Sent(other)) => {
            let id = "submittedMessageId";
            ensure!(one[id] == other[id], "two answers: {one} and {other}");
            Ok(Ending::Sent(one))
        }
        (sent @ Ending::Sent(_), _) | (_, sent @ Ending::Sent(_)) => Ok(sent),
        (Ending::Unconfirmed, _) | (_, Ending::Unconfirmed) => Ok(Ending::Unconfirmed),
        (refused, _) => Ok(refused),
    }
}
