//! The vendor pushes hints for a mailbox as long as there is a subscription:
//! <https://learn.microsoft.com/graph/api/resources/subscription>. It lasts less than a week and is prolonged long before
//! its end; one that was removed is made again.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{SecondsFormat, TimeDelta};
use email_provider::{Call, ErrorKind, Notifier, Priority, ProviderResult};
use futures::{
    Stream, StreamExt as _,
    stream::{self, BoxStream},
};
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    api::{Api, Prefer},
    error,
    ids::SubscriptionId,
    mailbox::Mailbox,
    names,
    provider::GraphProvider,
    push::PushTarget,
    wire::Page,
};

/// How long a subscription is asked to last: the vendor's longest is seven days less some minutes.
const LASTS: TimeDelta = TimeDelta::days(6);
/// Between two prolongations. Each also shows whether the subscription is still there.
const RENEWED_AFTER: Duration = Duration::from_secs(6 * 3_600);
/// After one that failed.
const TRIED_AGAIN_AFTER: Duration = Duration::from_secs(600);
/// After a pass it is prolonged as soon as it was not for so long: a pass may be all that is known of what the vendor said
/// about it. It also is the least time between two answers to what asks for new authorisation.
const RENEWED_WITHIN: Duration = Duration::from_secs(600);
/// How often it may fail before the watch counts as lost.
const MOST_FAILURES: u32 = 144;
/// How long a request may take: the vendor asks the gateway's address meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);
/// Most pages of subscriptions.
const MOST_PAGES: usize = 50;
/// What is watched: the messages of all folders.
const RESOURCE: &str = "me/messages";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscription {
    id: String,
    #[serde(default)]
    resource: Option<String>,
    #[serde(default)]
    notification_url: Option<String>,
}

#[async_trait]
impl Notifier for GraphProvider {
    /// The hints come by HTTP, from whoever receives pushes: this only keeps them coming, and hints when some may have been
    /// lost.
    async fn watch(&self) -> ProviderResult<BoxStream<'static, ()>> {
        let mailbox = Arc::clone(&self.mailbox);
        let target = mailbox.push.clone();
        let target = target.ok_or_else(|| error::unsupported("pushed hints"))?;
        end(&mailbox.api, &target.url).await?;
        let id = begin(&mailbox.api, &target).await?;
        let watch = Watch {
            mailbox,
            target,
            id: Some(id),
            renewed_at: Instant::now(),
            failures: 0,
        };
        Ok(followed(watch).boxed())
    }
}

/// The hints of a watch, which goes on in a task of its own: whoever takes the hints does not look for them while a pass
/// runs, and a request of the watch that is not gone on with would keep its place from those of the pass.
fn followed(mut watch: Watch) -> impl Stream<Item = ()> + Send {
    let (hints, taken) = mpsc::channel(1);
    let task = tokio::spawn(async move {
        while watch.lost().await {
            if hints.send(()).await.is_err() {
                return;
            }
        }
    });
    let task = AbortOnDropHandle::new(task);
    stream::unfold((taken, task), |(mut taken, task)| async move {
        taken.recv().await.map(|()| ((), (taken, task)))
    })
}

/// A subscription that is kept.
struct Watch {
    mailbox: Arc<Mailbox>,
    target: PushTarget,
    /// `None` where it has to be made anew.
    id: Option<SubscriptionId>,
    /// When that was tried last.
    renewed_at: Instant,
    failures: u32,
}

impl Watch {
    /// Keeps it until hints may have been lost and it is there again; false where it cannot be kept.
    async fn lost(&mut self) -> bool {
        while self.failures < MOST_FAILURES {
            let wait = match self.failures {
                0 => RENEWED_AFTER,
                _ => TRIED_AGAIN_AFTER,
            };
            self.due(wait).await;
            self.renewed_at = Instant::now();
            if self.target.signal.take_removed() {
                self.id = None;
            }
            match self.go_on().await {
                Ok(is_new) => {
                    self.failures = 0;
                    if is_new {
                        return true;
                    }
                }
                Err(error) => {
                    self.failures += 1;
                    tracing::warn!(%error, failures = self.failures, "a subscription could not be renewed");
                }
            }
        }
        false
    }

    /// Waits until there is something to do, at most so long.
    async fn due(&self, wait: Duration) {
        let signal = &self.target.signal;
        let mut due = Instant::now() + wait;
        loop {
            tokio::select! {
                () = sleep_until(due) => return,
                () = signal.wake.notified() => return,
                () = signal.passed.notified() => due = due.min(self.renewed_at + RENEWED_WITHIN),
            }
        }
    }

    /// Prolongs it, or makes it anew; whether it is new.
    async fn go_on(&mut self) -> ProviderResult<bool> {
        let api = &self.mailbox.api;
        if let Some(id) = &self.id {
            match prolong(api, id).await {
                Err(error) if error.kind == ErrorKind::NotFound => {}
                done => return done.map(|()| false),
            }
        }
        self.id = None;
        end(api, &self.target.url).await?;
        self.id = Some(begin(api, &self.target).await?);
        Ok(true)
    }
}

fn call() -> Call {
    Call {
        priority: Priority::Interactive,
        deadline: Instant::now() + PATIENCE,
    }
}

fn until(api: &Api) -> String {
    (api.now() + LASTS).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Subscribes. What the vendor has to say about the subscription goes to the same address; that cannot be asked for later.
async fn begin(api: &Api, target: &PushTarget) -> ProviderResult<SubscriptionId> {
    let body = json!({
        "changeType": "created,updated,deleted",
        "notificationUrl": target.url,
        "lifecycleNotificationUrl": target.url,
        "resource": RESOURCE,
        "expirationDateTime": until(api),
        "clientState": target.client_state,
        "latestSupportedTlsVersion": "v1_2",
    });
    let made: Subscription = api.make(call(), names::subscriptions(), &body).await?;
    SubscriptionId::parse(&made.id).ok_or_else(error::unreadable)
}

/// Also what a request for new authorisation asks for:
/// <https://learn.microsoft.com/graph/change-notifications-lifecycle-events>.
async fn prolong(api: &Api, id: &SubscriptionId) -> ProviderResult<()> {
    let body = json!({"expirationDateTime": until(api)});
    let prolonged = api.write(call(), Method::PATCH, names::subscription(id), Some(&body));
    prolonged.await.map(|_| ())
}

/// Ends the mailbox's subscriptions to this address.
pub(crate) async fn end(api: &Api, url: &str) -> ProviderResult<()> {
    let mut next = Some(names::subscriptions());
    for _ in 0..MOST_PAGES {
        let Some(address) = next else { break };
        let page: Page<Subscription> = api.read(call(), address, Prefer::default()).await?;
        for one in page.value {
            let is_ours = one.notification_url.as_deref() == Some(url)
                && one.resource.as_deref().is_some_and(|resource| {
                    resource
                        .trim_start_matches('/')
                        .eq_ignore_ascii_case(RESOURCE)
                });
            let Some(id) = SubscriptionId::parse(&one.id).filter(|_| is_ours) else {
                continue;
            };
            let ended = api.write(call(), Method::DELETE, names::subscription(&id), None);
            match ended.await {
                Err(error) if error.kind != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        next = page.next_link.map(|link| api.link(&link)).transpose()?;
    }
    Ok(())
}
