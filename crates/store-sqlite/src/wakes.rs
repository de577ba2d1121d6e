use std::{sync::Arc, time::Duration};

use futures::stream::BoxStream;
use gateway_store::{AccountId, StoreResult};
use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};
use store_sql::{BACKLOG, Columns, Heard, Session as _, damaged, database_error, values};
use tokio::sync::Notify;

use crate::{StoreSqlite, session::Session};

/// Between two looks at what other processes wrote.
const POLL: Duration = Duration::from_millis(250);

/// Pause before a connection that failed is replaced.
const RECONNECT: Duration = Duration::from_secs(1);

// https://www.sqlite.org/pragma.html#pragma_data_version: changes when another connection commits
const VERSION: &str = "pragma data_version";
const LAST: &str = "select coalesce(max(sequence), 0) from wake";
const SINCE: &str = "select sequence, account from wake where sequence > $1 order by sequence";
const ADD: &str = "insert into wake (account) values ($1)";
const TRIM: &str = "delete from wake where sequence <= (select max(sequence) from wake) - $1";

/// Looks for wakes: at once after one of this process, else now and then.
struct Watch {
    connection: SqliteConnection,
    version: i64,
    last: i64,
}

impl Watch {
    /// Watches from here on, or from what was heard last.
    async fn begin(file: &SqliteConnectOptions, last: Option<i64>) -> StoreResult<Self> {
        let mut watch = Self {
            connection: file.connect().await.map_err(database_error)?,
            version: 0,
            last: 0,
        };
        watch.last = match last {
            Some(last) => last,
            None => watch.number(LAST).await?,
        };
        Ok(watch)
    }

    async fn number(&mut self, sql: &'static str) -> StoreResult<i64> {
        let row = Session(&mut self.connection).row(sql, values![]).await?;
        row.ok_or_else(|| damaged("no row"))?.long(0)
    }

    async fn look(&mut self, heard: &Heard) -> StoreResult<()> {
        let version = self.number(VERSION).await?;
        if version == self.version {
            return Ok(());
        }
        let mut session = Session(&mut self.connection);
        for row in session.rows(SINCE, values![self.last]).await? {
            self.last = row.long(0)?;
            // nobody may be listening just now
            let _ = heard.send(AccountId(row.long(1)?));
        }
        self.version = version;
        Ok(())
    }

    async fn run(mut self, file: SqliteConnectOptions, added: Arc<Notify>, heard: Heard) {
        loop {
            if let Err(error) = self.look(&heard).await {
                tracing::warn!(%error, "cannot look for wakes");
                tokio::time::sleep(RECONNECT).await;
                if let Ok(again) = Self::begin(&file, Some(self.last)).await {
                    self = again;
                }
            }
            // either way it is time to look again
            let _ = tokio::time::timeout(POLL, added.notified()).await;
        }
    }
}

impl StoreSqlite {
    pub(crate) async fn send_wake(&self, account: AccountId) -> StoreResult<()> {
        let mut transaction = self.writer().await?;
        let mut session = Session(&mut transaction);
        session.execute(ADD, values![account.0]).await?;
        session.execute(TRIM, values![BACKLOG as i64]).await?;
        transaction.commit().await.map_err(database_error)?;
        self.wake_added.notify_one();
        Ok(())
    }

    pub(crate) async fn receive_wakes(&self) -> StoreResult<BoxStream<'static, AccountId>> {
        let begin = async {
            let watch = Watch::begin(&self.reading, None).await?;
            let (file, added) = (self.reading.clone(), Arc::clone(&self.wake_added));
            Ok(|heard| watch.run(file, added, heard))
        };
        self.wakes.stream(begin).await
    }

    pub(crate) async fn end(&self) {
        self.wakes.end().await;
        self.readers.close().await;
        self.writer.close().await;
    }
}
