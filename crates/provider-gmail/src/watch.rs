//! The vendor pushes hints for a mailbox for a week after it was asked to:
//! <https://developers.google.com/workspace/gmail/api/guides/push>. So it is asked daily.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use email_provider::{Call, Notifier, Priority, ProviderResult};
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use google_gmail1::api::WatchRequest;
use tokio::time::{Instant, sleep};

use crate::{
    api::{Api, Hub},
    error,
    mailbox::Mailbox,
    provider::GmailProvider,
    quota::Method,
};

/// Between two requests, as the vendor recommends.
const RENEWED_AFTER: Duration = Duration::from_secs(24 * 3600);
/// After one that failed.
const TRIED_AGAIN_AFTER: Duration = Duration::from_secs(3600);
/// How often it may fail before the watch counts as lost: it lasts for a week.
const MOST_FAILURES: u32 = 48;
/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(30);

#[async_trait]
impl Notifier for GmailProvider {
    /// The hints come by HTTP, from whoever receives pushes: this only keeps them coming, and hints once, when
    /// they no longer do.
    async fn watch(&self) -> ProviderResult<BoxStream<'static, ()>> {
        let mailbox = Arc::clone(&self.mailbox);
        let topic = mailbox.topic.clone();
        let topic = topic.ok_or_else(|| error::unsupported("pushed hints"))?;
        begin(&mailbox.api, &topic).await?;
        Ok(stream::once(async move { keep(&mailbox, &topic).await }).boxed())
    }
}

async fn keep(mailbox: &Mailbox, topic: &str) {
    let mut failures = 0;
    while failures < MOST_FAILURES {
        sleep(if failures == 0 {
            RENEWED_AFTER
        } else {
            TRIED_AGAIN_AFTER
        })
        .await;
        match begin(&mailbox.api, topic).await {
            Ok(()) => failures = 0,
            Err(error) => {
                failures += 1;
                tracing::warn!(%error, failures, "a watch could not be renewed");
            }
        }
    }
}

fn call() -> Call {
    Call {
        priority: Priority::Interactive,
        deadline: Instant::now() + PATIENCE,
    }
}

/// Asks for hints. All labels: what goes to Spam or Trash is a change too.
async fn begin(api: &Api, topic: &str) -> ProviderResult<()> {
    let request = WatchRequest {
        topic_name: Some(topic.to_owned()),
        ..WatchRequest::default()
    };
    let ask = |hub: Hub, mut seen| {
        let request = request.clone();
        async move {
            hub.users()
                .watch(request, "me")
                .delegate(&mut seen)
                .doit()
                .await
        }
    };
    api.write(call(), Method::Watch, ask).await
}

/// Asks for no more hints.
pub(crate) async fn end(api: &Api) -> ProviderResult<()> {
    let ask =
        |hub: Hub, mut seen| async move { hub.users().stop("me").delegate(&mut seen).doit().await };
    api.write(call(), Method::Stop, ask).await
}
