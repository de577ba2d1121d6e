//! Wakes.

use std::time::Duration;

use futures::{StreamExt, stream::BoxStream};
use gateway_store::{AccountId, StoreError};
use tokio::time::timeout;

use crate::fixture::{Fixture, Outcome};

/// Long enough for a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(20);

async fn heard(wakes: &mut BoxStream<'static, AccountId>) -> Option<AccountId> {
    let next = timeout(PATIENCE, wakes.next()).await;
    next.expect("something is heard")
}

/// In the process that wakes and in others, on every stream.
pub async fn a_wake_is_heard_by_every_process(fixture: &Fixture) -> Outcome {
    let (one, two) = (fixture.ready().await?, fixture.open().await);
    let mut streams = [one.wakes().await?, one.wakes().await?, two.wakes().await?];
    one.wake(AccountId(5)).await?;
    two.wake(AccountId((1 << 53) - 1)).await?;
    for stream in &mut streams {
        assert_eq!(heard(stream).await, Some(AccountId(5)));
        assert_eq!(heard(stream).await, Some(AccountId((1 << 53) - 1)));
    }
    Ok(())
}

/// What was told before a stream began is not heard.
pub async fn a_stream_begins_with_the_present(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    store.wake(AccountId(1)).await?;
    let mut wakes = store.wakes().await?;
    store.wake(AccountId(2)).await?;
    assert_eq!(heard(&mut wakes).await, Some(AccountId(2)));
    Ok(())
}

/// So that what waits for them ends.
pub async fn the_streams_end_when_the_store_is_closed(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let mut wakes = store.wakes().await?;
    store.close().await;
    assert_eq!(heard(&mut wakes).await, None);
    assert!(matches!(store.wakes().await, Err(StoreError::Database(_))));
    Ok(())
}
