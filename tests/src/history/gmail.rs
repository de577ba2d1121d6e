//! Histories of a mailbox behind Gmail's API, on a fake of it whose answers can be troubled.

mod faults;
mod steps;
mod truth;

use anyhow::{Result, ensure};
use fake_gmail::{Faults, HistoryLabels, PushIdentity, QuotaAnswer};
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::world::{Side, World};
use super::{Course, History};
use crate::{Api, GatewayOptions, GatewayProcess, Google, Truth};

const EMAIL: &str = "alice@gmail.test";
const TOPIC: &str = "projects/tests/topics/mail";
const AUDIENCE: &str = "https://gateway.test/push";
const PUSHER: &str = "pusher@tests.iam.gserviceaccount.com";
/// Units a minute, of the fake as of the gateway: no history comes near it, since it is held to be a fault.
const UNITS: u32 = 1_000_000;

/// The servers of the API and of its tokens.
pub(super) struct GmailSide {
    google: Google,
    /// Faults that clients get along with at any time.
    usual: Faults,
    /// Whether changes are pushed.
    pushes: bool,
    /// Whether access tokens have expired.
    have_expired: bool,
}

type GmailWorld = World<GmailSide>;

impl Side for GmailSide {
    async fn start(history: &History, rng: &mut ChaCha8Rng) -> Result<Self> {
        let google = Google::start(EMAIL).await?;
        let gmail = &google.gmail;
        gmail.seed(history.seed);
        let usual = match history.course {
            Course::Calm => Faults::default(),
            Course::Full => faults::usual(rng),
        };
        gmail.set_faults(usual.clone());
        let labels = [
            HistoryLabels::AtTheTime,
            HistoryLabels::Current,
            HistoryLabels::Absent,
        ];
        let labels = labels.choose(rng).copied().unwrap_or(labels[0]);
        let answer = match rng.random_bool(0.5) {
            true => QuotaAnswer::TooManyRequests,
            false => QuotaAnswer::Forbidden,
        };
        let decoded = rng.random_bool(0.5);
        let inline_limit = if rng.random_bool(0.3) { 16 } else { 64 << 10 };
        gmail.settings(|settings| {
            settings.units_per_user = UNITS;
            settings.units_per_project = UNITS;
            settings.quota_answer = answer;
            settings.history_labels = labels;
            settings.decoded_headers = decoded;
            settings.inline_limit = inline_limit;
        });
        Ok(Self {
            google,
            usual,
            pushes: rng.random_bool(0.5),
            have_expired: false,
        })
    }

    fn options(&self, options: GatewayOptions, _rng: &mut ChaCha8Rng) -> GatewayOptions {
        let quota = json!({
            "user_units": UNITS,
            "project_units": UNITS,
            "throttle_pause_ms": 5,
        });
        let options = self.google.options(options, &quota);
        if !self.pushes {
            return options;
        }
        options
            .set("POLYPOST_GOOGLE_PUBSUB_TOPIC", TOPIC)
            .set("POLYPOST_GOOGLE_PUSH_AUDIENCE", AUDIENCE)
            .set("POLYPOST_GOOGLE_PUSH_SERVICE_ACCOUNT", PUSHER)
    }

    async fn connect(&self, gateway: &GatewayProcess) -> Result<Api> {
        self.google.connect(gateway).await
    }

    async fn truth(&self) -> Result<Truth> {
        Ok(truth::of(&self.google.user))
    }

    async fn end_faults(&mut self) -> Result<()> {
        self.google.gmail.set_faults(self.usual.clone());
        self.google
            .oauth
            .set(|settings| *settings = Default::default());
        Ok(())
    }

    /// What no correct client asks was not asked, and nothing was asked beyond the quota.
    fn check(&self) -> Result<()> {
        let violations = self.google.gmail.violations();
        ensure!(violations.is_empty(), "{violations:#?}");
        let violations = self.google.oauth.violations();
        ensure!(violations.is_empty(), "{violations:#?}");
        let spent = self.google.user.units();
        ensure!(spent < u64::from(UNITS), "{spent} units");
        Ok(())
    }

    async fn fill(world: &mut GmailWorld) -> Result<()> {
        for _ in 0..world.rng.random_range(2..5) {
            world.create_label();
        }
        for _ in 0..world.rng.random_range(3..9) {
            world.append();
        }
        world.append_chat();
        world.create_draft();
        Ok(())
    }

    async fn change(world: &mut GmailWorld) -> Result<()> {
        world.change_something();
        world.push().await
    }

    async fn trouble(world: &mut GmailWorld) -> Result<()> {
        world.break_something().await
    }
}

impl GmailWorld {
    /// Lets the bus deliver what it has; now and then it is late.
    async fn push(&mut self) -> Result<()> {
        if !self.side.pushes || self.rng.random_bool(0.4) {
            return Ok(());
        }
        let url = format!("{}/v1/push/google/email", self.gateway.base());
        let identity = PushIdentity::new(AUDIENCE, PUSHER);
        match self.side.google.gmail.deliver_pushes(&url, &identity).await {
            Ok(statuses) => {
                let taken = statuses.iter().all(|status| *status == 200);
                ensure!(
                    taken || self.troubled,
                    "pushes are answered with {statuses:?}"
                );
                self.tell(format!("push: {statuses:?}"));
            }
            Err(error) => {
                self.tell(format!("push: {error}"));
                ensure!(self.troubled, "a push gets no answer: {error}");
            }
        }
        Ok(())
    }
}
