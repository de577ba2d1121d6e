//! Histories of a mailbox behind Gmail's API, on a fake of it whose answers can be troubled.

mod faults;
mod steps;
mod truth;

use anyhow::{Result, ensure};
use fake_gmail::{FakeGmail, Faults, HistoryLabels, PushIdentity, QuotaAnswer, User};
use fake_oauth::FakeOAuth;
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::world::{Side, World};
use super::{Course, History};
use crate::{Api, GatewayOptions, GatewayProcess, Truth};

const EMAIL: &str = "alice@gmail.test";
/// Everything, permanent deletion included.
const SCOPE: &str = "https://mail.google.com/";
/// The gateway's registration.
const CLIENT: &str = "the-gateway";
const SECRET: &str = "its secret";
const TOPIC: &str = "projects/tests/topics/mail";
const AUDIENCE: &str = "https://gateway.test/push";
const PUSHER: &str = "pusher@tests.iam.gserviceaccount.com";
/// Units a minute, of the fake as of the gateway: no history comes near it, since it is held to be a fault.
const UNITS: u32 = 1_000_000;

/// The servers of the API and of its tokens.
pub(super) struct GmailSide {
    oauth: FakeOAuth,
    gmail: FakeGmail,
    user: User,
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
        let oauth = FakeOAuth::start().await?;
        oauth.add_client(CLIENT, Some(SECRET), &[]);
        let gmail = FakeGmail::start(&oauth).await?;
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
        let user = gmail.user(EMAIL);
        Ok(Self {
            oauth,
            gmail,
            user,
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
        let options = options
            .set("POLYPOST_GOOGLE_CLIENT_ID", CLIENT)
            .set("POLYPOST_GOOGLE_CLIENT_SECRET", SECRET)
            .set("POLYPOST_GOOGLE_API_URL", &self.gmail.url())
            .set("POLYPOST_GOOGLE_AUTH_URL", &self.oauth.authorize_url())
            .set("POLYPOST_GOOGLE_TOKEN_URL", &self.oauth.token_url())
            .set("POLYPOST_GOOGLE_REVOKE_URL", &self.oauth.revoke_url())
            .set("POLYPOST_GOOGLE_USERINFO_URL", &self.oauth.userinfo_url())
            .set("POLYPOST_GOOGLE_JWKS_URL", &self.gmail.certs_url())
            .set("POLYPOST_GOOGLE_QUOTA", &quota.to_string());
        if !self.pushes {
            return options;
        }
        options
            .set("POLYPOST_GOOGLE_PUBSUB_TOPIC", TOPIC)
            .set("POLYPOST_GOOGLE_PUSH_AUDIENCE", AUDIENCE)
            .set("POLYPOST_GOOGLE_PUSH_SERVICE_ACCOUNT", PUSHER)
    }

    async fn connect(&self, gateway: &GatewayProcess) -> Result<Api> {
        let tokens = self.oauth.issue(CLIENT, EMAIL, &[SCOPE]);
        let credentials = json!({
            "serviceType": "Google",
            "active": true,
            "email": EMAIL,
            "authString1": tokens.access_token,
            "authString2": tokens.refresh_token,
        });
        let (_, api) = gateway.account_by(credentials).await?;
        Ok(api)
    }

    async fn truth(&self) -> Result<Truth> {
        Ok(truth::of(&self.user))
    }

    async fn end_faults(&mut self) -> Result<()> {
        self.gmail.set_faults(self.usual.clone());
        self.oauth.set(|settings| *settings = Default::default());
        Ok(())
    }

    /// What no correct client asks was not asked, and nothing was asked beyond the quota.
    fn check(&self) -> Result<()> {
        let violations = self.gmail.violations();
        ensure!(violations.is_empty(), "{violations:#?}");
        let violations = self.oauth.violations();
        ensure!(violations.is_empty(), "{violations:#?}");
        let spent = self.user.units();
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
        match self.side.gmail.deliver_pushes(&url, &identity).await {
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
