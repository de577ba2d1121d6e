use gateway_store::{StoreResult, TableSize};
use store_sql::{Columns, Session as _, damaged, values};

use crate::{StoreSqlite, session::Session};

// https://www.sqlite.org/dbstat.html: one row for each tree
const SIZES: &str = "select name, sum(pgsize) from dbstat group by name order by name";

impl StoreSqlite {
    pub(crate) async fn sizes(&self) -> StoreResult<Vec<TableSize>> {
        let mut connection = self.reader().await?;
        let rows = Session(&mut connection).rows(SIZES, values![]).await?;
        let size = |row: &_| -> StoreResult<TableSize> {
            Ok(TableSize {
                name: Columns::text(row, 0)?,
                bytes: u64::try_from(Columns::long(row, 1)?).map_err(damaged)?,
            })
        };
        rows.iter().map(size).collect()
    }
}
