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

#[cfg(test)]
mod tests {
    use std::{borrow::Cow, cell::Cell, error::Error, fmt};

    use sqlx::error::DatabaseError;

    use super::*;

    #[derive(Debug)]
    struct Undone(&'static str);

    impl fmt::Display for Undone {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fmt(f)
        }
    }

    impl Error for Undone {}

    impl DatabaseError for Undone {
        fn message(&self) -> &str {
            self.0
        }

        fn code(&self) -> Option<Cow<'_, str>> {
            Some(self.0.into())
        }

        fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn Error + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    async fn attempts(code: &'static str, failures: u32) -> (u32, StoreResult<()>) {
        let attempts = Cell::new(0);
        let done = retrying(|| async {
            attempts.set(attempts.get() + 1);
            if attempts.get() <= failures {
                let error = sqlx::Error::Database(Box::new(Undone(code)));
                return Err(database_error(error));
            }
            Ok(())
        })
        .await;
        (attempts.get(), done)
    }

    #[tokio::test]
    async fn what_the_database_undid_for_others_is_done_again_a_few_times() {
        assert!(matches!(attempts("40001", 2).await, (3, Ok(()))));
        assert!(matches!(attempts("40P01", 4).await, (5, Ok(()))));
        assert!(matches!(
            attempts("40001", 9).await,
            (5, Err(StoreError::Database(_)))
        ));
    }

    #[tokio::test]
    async fn any_other_failure_is_told_at_once() {
        assert!(matches!(
            attempts("53100", 1).await,
            (1, Err(StoreError::Database(_)))
        ));
    }
}
