use std::time::Duration;

use gateway_store::{StoreError, StoreResult};
use sqlx::error::ErrorKind;

/// Attempts at an operation that a database undoes because of others running beside it.
const ATTEMPTS: u32 = 5;

/// Pause before the second attempt; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// A stored value that cannot be read back.
pub fn damaged(error: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged(error.to_string())
}

/// What an error of the database means to the store's caller: a reference to a row that is not
/// there, a unique value that is taken, or a failure.
pub fn database_error(error: sqlx::Error) -> StoreError {
    match error.as_database_error().map(|error| error.kind()) {
        Some(ErrorKind::UniqueViolation) => StoreError::Exists,
        Some(ErrorKind::ForeignKeyViolation) => StoreError::NotFound,
        _ => StoreError::Database(error.into()),
    }
}

/// Runs an operation that is one transaction, again if the database undid it to let others finish:
/// SQLSTATE 40001 (serialization failure) and 40P01 (deadlock).
pub async fn retrying<T, F>(operation: impl Fn() -> F) -> StoreResult<T>
where
    F: Future<Output = StoreResult<T>>,
{
    let mut pause = FIRST_PAUSE;
    for _ in 1..ATTEMPTS {
        match operation().await {
            Err(error) if was_undone(&error) => tokio::time::sleep(pause).await,
            other => return other,
        }
        pause *= 2;
    }
    operation().await
}

fn was_undone(error: &StoreError) -> bool {
    let StoreError::Database(source) = error else {
        return false;
    };
    source
        .downcast_ref::<sqlx::Error>()
        .and_then(sqlx::Error::as_database_error)
        .and_then(|error| error.code())
        .is_some_and(|code| matches!(&*code, "40001" | "40P01"))
}
