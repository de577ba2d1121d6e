//! Notifications as the service posts them, when a test says so.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::FakeGraph;
use crate::mailbox::Subscription;
use crate::notify::Notification;
use crate::record::Delivery;
use crate::subscribe::client;
use crate::world::World;

/// How long the service waits for an answer before it counts as none ("Receive change notifications").
const PATIENCE: Duration = Duration::from_secs(10);

/// What the service tells of a subscription itself ("Reduce missing subscriptions and change notifications").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifecycle {
    /// Notifications were lost.
    Missed,
    /// The subscription goes silent unless it is authorised anew.
    ReauthorizationRequired,
    /// The subscription is no more.
    SubscriptionRemoved,
}

impl Lifecycle {
    const fn name(self) -> &'static str {
        match self {
            Self::Missed => "missed",
            Self::ReauthorizationRequired => "reauthorizationRequired",
            Self::SubscriptionRemoved => "subscriptionRemoved",
        }
    }
}

impl FakeGraph {
    /// The notifications that were not posted yet: where to, and each by itself.
    #[must_use]
    pub fn pending_notifications(&self) -> Vec<(String, Value)> {
        let world = self.inner.world();
        world
            .users
            .values()
            .flat_map(|mailbox| &mailbox.notifications)
            .map(|pending| (pending.url.clone(), pending.value.clone()))
            .collect()
    }

    /// Takes the pending notifications away, as if the service had lost them, and gives them.
    #[must_use]
    pub fn take_notifications(&self) -> Vec<(String, Value)> {
        let pending = self.pending_notifications();
        for mailbox in self.inner.world().users.values_mut() {
            mailbox.notifications.clear();
        }
        pending
    }

    /// Posts all pending notifications, those for one URL in one collection, and forgets those answered with 2xx.
    pub async fn deliver_notifications(&self) -> Vec<Delivery> {
        let collections = self.collect();
        let mut deliveries = Vec::new();
        for (url, values) in collections {
            let body = json!({"value": values});
            let status = self.post_notification(&url, &body).await;
            deliveries.push(Delivery { url, body, status });
        }
        deliveries
    }

    fn collect(&self) -> BTreeMap<String, Vec<Value>> {
        let mut world = self.inner.world();
        let World {
            users, faults, rng, ..
        } = &mut *world;
        let mut collections: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for mailbox in users.values_mut() {
            for pending in std::mem::take(&mut mailbox.notifications) {
                let change = pending.value.get("changeType").is_some();
                let subscription = pending.value["subscriptionId"].as_str();
                let subscription = subscription.and_then(|id| mailbox.subscriptions.get(id));
                if change && faults.missed_notifications.strikes(rng) {
                    let missed =
                        subscription.and_then(|found| Notification::lifecycle(found, "missed"));
                    if let Some(missed) = missed {
                        let values = collections.entry(missed.url).or_default();
                        if !values.contains(&missed.value) {
                            values.push(missed.value);
                        }
                    }
                    continue;
                }
                let values = collections.entry(pending.url).or_default();
                if change && faults.duplicated_notifications.strikes(rng) {
                    values.push(pending.value.clone());
                }
                values.push(pending.value);
            }
        }
        collections
    }

    /// Posts a body to a notification URL, forged or not, and gives the answer's status; none without an answer in time.
    pub async fn post_notification(&self, url: &str, body: &Value) -> Option<u16> {
        let response = client(PATIENCE)
            .ok()?
            .post(url)
            .header("content-type", "application/json; charset=utf-8")
            .body(body.to_string())
            .send()
            .await
            .ok()?;
        Some(response.status().as_u16())
    }

    /// Makes a lifecycle notification pending, where the subscription has a URL for them; a removed subscription is
    /// gone then.
    pub fn lifecycle(&self, subscription: &str, event: Lifecycle) {
        let mut world = self.inner.world();
        for mailbox in world.users.values_mut() {
            let Some(found) = mailbox.subscriptions.get(subscription).cloned() else {
                continue;
            };
            mailbox
                .notifications
                .extend(Notification::lifecycle(&found, event.name()));
            if event == Lifecycle::SubscriptionRemoved {
                mailbox.subscriptions.remove(subscription);
            }
        }
    }

    /// Ends a subscription without a word.
    pub fn drop_subscription(&self, subscription: &str) -> bool {
        let mut world = self.inner.world();
        let removed: Vec<Subscription> = world
            .users
            .values_mut()
            .filter_map(|mailbox| mailbox.subscriptions.remove(subscription))
            .collect();
        !removed.is_empty()
    }

    /// The most requests to a user's mailbox that were under way at the same time, for the client of
    /// [`Self::token`]'s tokens or another.
    #[must_use]
    pub fn peak_concurrency(&self, client: &str, email: &str) -> u32 {
        let who = format!("{client} {}", email.to_lowercase());
        self.inner.world().limits.peak(&who)
    }
}
