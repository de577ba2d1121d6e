use gateway_store::StoreResult;
use sqlx::{ColumnIndex, Database, Decode, Row, Type};

use crate::damaged;

/// A row's values by position; [`gateway_store::StoreError::Damaged`] where one is of another type.
pub trait Columns {
    /// A 64-bit integer.
    fn long(&self, at: usize) -> StoreResult<i64>;
    /// A 64-bit integer or NULL.
    fn long_or_null(&self, at: usize) -> StoreResult<Option<i64>>;
    /// A 32-bit integer.
    fn int(&self, at: usize) -> StoreResult<i32>;
    /// A 16-bit integer or NULL.
    fn short_or_null(&self, at: usize) -> StoreResult<Option<i16>>;
    /// A truth value.
    fn truth(&self, at: usize) -> StoreResult<bool>;
    /// Bytes.
    fn bytes(&self, at: usize) -> StoreResult<Vec<u8>>;
    /// Bytes or NULL.
    fn bytes_or_null(&self, at: usize) -> StoreResult<Option<Vec<u8>>>;
    /// Text.
    fn text(&self, at: usize) -> StoreResult<String>;
    /// Text or NULL.
    fn text_or_null(&self, at: usize) -> StoreResult<Option<String>>;
}

macro_rules! columns {
    ($($name:ident: $type:ty),* $(,)?) => {
        impl<R> Columns for R
        where
            R: Row,
            usize: ColumnIndex<R>,
            $(for<'r> $type: Decode<'r, <R as Row>::Database> + Type<<R as Row>::Database>,)*
            R::Database: Database,
        {
            $(fn $name(&self, at: usize) -> StoreResult<$type> {
                self.try_get(at).map_err(damaged)
            })*
        }
    };
}

columns! {
    long: i64,
    long_or_null: Option<i64>,
    int: i32,
    short_or_null: Option<i16>,
    truth: bool,
    bytes: Vec<u8>,
    bytes_or_null: Option<Vec<u8>>,
    text: String,
    text_or_null: Option<String>,
}
