//! The proof that clients need not know what mailbox they have: one history of changes is told to mailboxes of different
//! kinds, and everything that a client gets of them is compared, record for record.
//!
//! What may differ stands in [`normal`], and nowhere else.

mod client;
mod compare;
mod kept;
mod letters;
mod normal;
mod script;
mod side;

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use self::client::Client;
use self::compare::differences;
use self::script::{Change, Script};
use self::side::{DovecotSide, GmailSide, GraphSide, Side};
use crate::{GatewayOptions, GatewayProcess, Google, Microsoft, StoreKind, now};

/// More than any history spends.
const PLENTY: u32 = 1_000_000;

/// A history, told by its seed.
#[derive(Debug, Clone)]
pub struct Alike {
    /// Everything random comes from it.
    pub seed: u64,
    /// The gateway's store.
    pub store: StoreKind,
    /// Rounds of changes, after each of which all is compared.
    pub rounds: usize,
    /// The gateway's program.
    pub program: PathBuf,
}

/// One account of each kind at one gateway.
struct World {
    gateway: GatewayProcess,
    clients: Vec<Client>,
    sides: Vec<Side>,
    told: Vec<String>,
}

impl Alike {
    /// Lets it happen.
    ///
    /// # Errors
    /// With every difference of the round in which the first one showed, and all changes until then.
    pub async fn run(&self) -> Result<()> {
        let mut script = Script::new(self.seed);
        let mut world = World::new(self, &mut script).await?;
        match self.happen(&mut world, &mut script).await {
            Ok(()) => Ok(()),
            Err(error) => Err(error.context(format!(
                "seed {}\n{}\nthe gateway's log ends:\n{}",
                self.seed,
                world.told.join("\n"),
                world.gateway.log_tail(15)
            ))),
        }
    }

    async fn happen(&self, world: &mut World, script: &mut Script) -> Result<()> {
        world.compare(script).await.context("the first walk")?;
        for round in 1..=self.rounds {
            world.told.push(format!("round {round}"));
            for change in script.round() {
                world.apply(&change).await?;
            }
            world
                .compare(script)
                .await
                .with_context(|| format!("round {round}"))?;
        }
        world.sides.iter().try_for_each(Side::check)
    }
}

impl World {
    /// The mailboxes have some mail already when the clients begin.
    async fn new(history: &Alike, script: &mut Script) -> Result<Self> {
        let google = Google::start("alice@gmail.test").await?;
        google.gmail.settings(|settings| {
            settings.units_per_user = PLENTY;
            settings.units_per_project = PLENTY;
        });
        let microsoft = Microsoft::start("alice@contoso.test").await?;
        microsoft
            .graph
            .settings(|settings| settings.requests_per_window = PLENTY);
        // Passes run when the clients ask, and at no other time: what is in one walk is then no matter of chance.
        let options = GatewayOptions::new(history.store)
            .set("POLYPOST_SYNC__FRESHNESS", "0s")
            .set("POLYPOST_SYNC__PUSH", "false");
        let units = json!({ "user_units": PLENTY, "project_units": PLENTY });
        let options = google.options(options, &units);
        let options = microsoft.options(options, &json!({ "requests": PLENTY }));
        let gateway = GatewayProcess::start(&history.program, options).await?;
        let dovecot = DovecotSide::start().await?;
        let apis = [
            ("IMAP", dovecot.connect(&gateway).await?),
            ("Gmail", google.connect(&gateway).await?),
            ("Graph", microsoft.connect(&gateway).await?),
        ];
        let sides = vec![
            Side::Dovecot(Box::new(dovecot)),
            Side::Gmail(GmailSide::new(google)),
            Side::Graph(GraphSide::new(microsoft)),
        ];
        let mut world = Self {
            gateway,
            clients: Vec::new(),
            sides,
            told: Vec::new(),
        };
        for change in script.beginning() {
            world.apply(&change).await?;
        }
        let body_type = if history.seed.is_multiple_of(2) {
            "html"
        } else {
            "text"
        };
        for (name, api) in apis {
            world
                .clients
                .push(Client::begin(name, api, body_type).await?);
        }
        Ok(world)
    }

    /// The same change of every mailbox.
    async fn apply(&mut self, change: &Change) -> Result<()> {
        self.told.push(format!("  {change}"));
        for side in &mut self.sides {
            side.apply(change)
                .await
                .with_context(|| change.to_string())?;
        }
        if let Change::Ask(letter, ask) = change {
            for client in &self.clients {
                client
                    .ask(&letter.message_id, ask)
                    .await
                    .with_context(|| format!("{}: {change}", client.name))?;
            }
        }
        Ok(())
    }

    /// Everything that a client can get.
    async fn compare(&mut self, script: &Script) -> Result<()> {
        let since = now();
        let mut views = Vec::new();
        for client in &mut self.clients {
            client.follow(since).await?;
            views.push((client.name, client.view(script).await?));
        }
        let mut told = String::new();
        let mut count = 0;
        for difference in differences(&views) {
            count += 1;
            if count <= 60 {
                writeln!(told, "{difference}")?;
            }
        }
        if count > 0 {
            bail!("{count} differences:\n{told}");
        }
        let (_, view) = views.first().context("clients")?;
        ensure!(view["folders"].is_object(), "nothing was compared");
        Ok(())
    }
}
