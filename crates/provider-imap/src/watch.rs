//! Hints of changes, by IDLE on the inbox.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use email_provider::{Notifier, ProviderResult};
use futures::stream::{self, BoxStream};
use tokio::time::Instant;

use crate::{
    protocol::{Class, IdleEnd, MailboxName, PooledConnection, SelectOptions},
    provider::ImapProvider,
};

/// How long signing in and selecting may take.
const OPEN_WAIT: Duration = Duration::from_secs(60);
/// One IDLE after another for so long, then the watch is made anew.
const LIFE: Duration = Duration::from_secs(24 * 3600);

#[async_trait]
impl Notifier for ImapProvider {
    async fn watch(&self) -> ProviderResult<BoxStream<'static, ()>> {
        let inbox = MailboxName::inbox();
        let deadline = Instant::now() + OPEN_WAIT;
        let mut connection = self
            .pool
            .acquire(Class::Watch, deadline, Some(&inbox))
            .await?;
        let options = SelectOptions {
            read_only: true,
            fresh: true,
            qresync: None,
        };
        connection.select(&inbox, options, deadline).await?;
        let refused = Arc::clone(&self.idle_refused);
        Ok(Box::pin(stream::unfold((connection, refused), hint)))
    }
}

/// A connection that watches, and where to note that the server does not let it.
type Watch = (PooledConnection, Arc<AtomicBool>);

/// The next hint; `None` when the watch is lost.
async fn hint((mut connection, refused): Watch) -> Option<((), Watch)> {
    match connection.idle(Instant::now() + LIFE).await {
        Ok(IdleEnd::Hint) => Some(((), (connection, refused))),
        Ok(IdleEnd::Quiet) => None,
        Ok(IdleEnd::Refused) => {
            tracing::info!("the server offers IDLE and refuses it");
            refused.store(true, Ordering::Relaxed);
            None
        }
        Err(error) => {
            tracing::debug!(%error, "a watch ended");
            None
        }
    }
}
