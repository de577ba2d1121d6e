use std::time::Duration;

use futures::stream::BoxStream;
use gateway_store::{AccountId, StoreResult};
use sqlx::{
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
    query,
};
use store_sql::{Heard, Session as _, database_error, values};
use tokio::time::{sleep, timeout};

use crate::{StorePostgres, session::Session};

const CHANNEL: &str = "polypost_wake";
const NOTIFY: &str = "select pg_notify('polypost_wake', $1)";

/// After so long a silence the server is asked whether it is still there: a connection that a
/// firewall forgot looks like one on which nothing happens.
const SILENCE: Duration = Duration::from_secs(60);

/// How long the server may take to answer that, or to accept a connection.
const ANSWER: Duration = Duration::from_secs(15);

/// Pause before a connection that failed is replaced.
const RECONNECT: Duration = Duration::from_secs(1);

async fn listen(database: &PgConnectOptions) -> Result<PgListener, sqlx::Error> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ANSWER)
        .connect_lazy_with(database.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// Passes on what is heard until the connection fails.
async fn pass_on(listener: &mut PgListener, heard: &Heard) -> Result<(), sqlx::Error> {
    loop {
        match timeout(SILENCE, listener.recv()).await {
            Ok(notification) => {
                if let Ok(account) = notification?.payload().parse() {
                    // nobody may be listening just now
                    let _ = heard.send(AccountId(account));
                }
            }
            Err(_) => {
                let asked = query("select 1").execute(&mut *listener);
                timeout(ANSWER, asked)
                    .await
                    .map_err(|_| sqlx::Error::PoolTimedOut)??;
            }
        }
    }
}

async fn run(mut listener: PgListener, database: PgConnectOptions, heard: Heard) {
    loop {
        let Err(error) = pass_on(&mut listener, &heard).await else {
            continue;
        };
        tracing::warn!(%error, "cannot listen for wakes");
        listener = loop {
            sleep(RECONNECT).await;
            if let Ok(again) = listen(&database).await {
                break again;
            }
        };
    }
}

impl StorePostgres {
    pub(crate) async fn send_wake(&self, account: AccountId) -> StoreResult<()> {
        let mut connection = self.reader().await?;
        let payload = values![account.0.to_string()];
        Session(&mut connection).rows(NOTIFY, payload).await?;
        Ok(())
    }

    pub(crate) async fn receive_wakes(&self) -> StoreResult<BoxStream<'static, AccountId>> {
        let database = &self.database;
        let begin = async {
            let listener = listen(database).await.map_err(database_error)?;
            let database = database.clone();
            Ok(|heard| run(listener, database, heard))
        };
        self.wakes.stream(begin).await
    }

    pub(crate) async fn end(&self) {
        self.wakes.end().await;
        self.pool.close().await;
    }
}
