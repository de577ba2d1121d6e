use gateway_store::{StoreResult, TableSize};
use store_sql::{Columns, Session as _, damaged, values};

use crate::{StorePostgres, session::Session};

// of a table: with its map of free space and what is kept out of line, without its indexes
const SIZES: &str = "select relname::text, pg_table_size(oid) from pg_class
     where relnamespace = current_schema()::regnamespace and relkind in ('r', 'i')
     order by relname";

impl StorePostgres {
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
