//! Histories of a mailbox behind Microsoft Graph, on a fake of it whose answers can be troubled.

mod faults;
mod steps;
mod truth;

use std::time::Duration;

use anyhow::{Result, ensure};
use fake_graph::{DeletedFolders, Faults, Lifecycle};
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::world::{Side, World};
use super::{Course, History};
use crate::{Api, GatewayOptions, GatewayProcess, Microsoft, Truth};

const EMAIL: &str = "alice@contoso.test";
/// Requests in ten minutes, of the fake as of the gateway: no history comes near it, since it is held to be a fault.
const REQUESTS: u32 = 1_000_000;
/// Where notifications go, as the fake reaches the gateway.
const PUSH_PATH: &str = "v1/push/office365/email";

/// The servers of the API and of its tokens.
pub(super) struct GraphSide {
    microsoft: Microsoft,
    /// Faults that clients get along with at any time.
    usual: Faults,
    /// Whether changes are pushed.
    pushes: bool,
    /// Whether access tokens have expired.
    have_expired: bool,
}

type GraphWorld = World<GraphSide>;

impl Side for GraphSide {
    const EDITED_DRAFTS_KEEP_IDS: bool = true;

    async fn start(history: &History, rng: &mut ChaCha8Rng) -> Result<Self> {
        let microsoft = Microsoft::start(EMAIL).await?;
        let graph = &microsoft.graph;
        graph.seed(history.seed);
        let usual = match history.course {
            Course::Calm => Faults::default(),
            Course::Full => faults::usual(rng),
        };
        graph.set_faults(usual.clone());
        let deleted_folders = match rng.random_bool(0.7) {
            true => DeletedFolders::Moved,
            false => DeletedFolders::Gone,
        };
        let readable = rng.random_bool(0.5);
        let texts = rng.random_bool(0.5);
        let reason = ["deleted", "changed"].choose(rng).copied();
        let page = [3, 10, 1_000].choose(rng).copied();
        graph.settings(|settings| {
            settings.requests_per_window = REQUESTS;
            settings.deleted_folders = deleted_folders;
            settings.readable_after_deletion = readable;
            settings.plain_bodies_as_text = texts;
            settings.removed_reason = reason.unwrap_or("deleted");
            settings.largest_delta_page = page.unwrap_or(10);
        });
        Ok(Self {
            microsoft,
            usual,
            pushes: rng.random_bool(0.5),
            have_expired: false,
        })
    }

    fn options(&self, options: GatewayOptions, rng: &mut ChaCha8Rng) -> GatewayOptions {
        let quota = json!({ "requests": REQUESTS, "throttle_pause_ms": 5 });
        let freshness = ["0s", "0s", "300ms"].choose(rng).copied();
        let options = self
            .microsoft
            .options(options, &quota)
            .set("POLYPOST_SYNC__FRESHNESS", freshness.unwrap_or("0s"));
        match self.pushes {
            true => options.set(
                "POLYPOST_MICROSOFT_PUSH_URL",
                &format!("{{base}}/{PUSH_PATH}"),
            ),
            false => options,
        }
    }

    async fn connect(&self, gateway: &GatewayProcess) -> Result<Api> {
        self.microsoft.connect(gateway).await
    }

    async fn truth(&self) -> Result<Truth> {
        Ok(truth::of(&self.microsoft.user))
    }

    async fn end_faults(&mut self) -> Result<()> {
        self.microsoft.graph.set_faults(self.usual.clone());
        self.microsoft
            .oauth
            .set(|settings| *settings = Default::default());
        Ok(())
    }

    /// What no correct client asks was not asked.
    fn check(&self) -> Result<()> {
        let violations = self.microsoft.graph.violations();
        ensure!(violations.is_empty(), "{violations:#?}");
        let violations = self.microsoft.oauth.violations();
        ensure!(violations.is_empty(), "{violations:#?}");
        Ok(())
    }

    async fn fill(world: &mut GraphWorld) -> Result<()> {
        for _ in 0..world.rng.random_range(2..5) {
            world.create_folder();
        }
        for _ in 0..world.rng.random_range(3..9) {
            world.append();
        }
        world.append_chat();
        world.append_hidden();
        world.create_draft();
        let user = &world.side.microsoft.user;
        let _ = user.create_search_folder("Unread mail", "isRead eq false");
        Ok(())
    }

    async fn change(world: &mut GraphWorld) -> Result<()> {
        world.change_something();
        world.push().await
    }

    async fn trouble(world: &mut GraphWorld) -> Result<()> {
        world.break_something().await
    }
}

impl GraphWorld {
    /// Lets the service post what it has; now and then it is late, and now and then it has something to say itself.
    async fn push(&mut self) -> Result<()> {
        if !self.side.pushes || self.rng.random_bool(0.4) {
            return Ok(());
        }
        let graph = self.side.microsoft.graph.clone();
        if self.rng.random_bool(0.1) {
            let events = [
                Lifecycle::Missed,
                Lifecycle::ReauthorizationRequired,
                Lifecycle::SubscriptionRemoved,
            ];
            let event = events.choose(&mut self.rng).copied();
            for subscription in self.side.microsoft.user.subscriptions() {
                graph.lifecycle(&subscription, event.unwrap_or(Lifecycle::Missed));
            }
            self.tell(format!("push {event:?}"));
        }
        let started = tokio::time::Instant::now();
        let statuses: Vec<Option<u16>> = graph
            .deliver_notifications()
            .await
            .into_iter()
            .map(|delivery| delivery.status)
            .collect();
        let took = started.elapsed();
        self.tell(format!("push: {statuses:?}, {took:?}"));
        let taken = statuses
            .iter()
            .all(|status| status.is_some_and(|status| (200..300).contains(&status)));
        ensure!(
            self.troubled || (taken && took < Duration::from_secs(3)),
            "pushes are answered with {statuses:?} after {took:?}"
        );
        Ok(())
    }
}
