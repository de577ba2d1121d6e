use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use gateway_operations::AccountId;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use crate::error::{ApiError, ApiResult};

/// Told with a refusal: a large message takes longer to arrive than another request to be answered.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// Places for large messages while they arrive: so many in all, and of one account no more than its share, so that an
/// account with many or slow clients leaves room for the others.
#[derive(Debug)]
pub(super) struct Places {
    all: Arc<Semaphore>,
    share: usize,
    /// Of accounts that have or wait for a place.
    shares: Mutex<HashMap<AccountId, Weak<Semaphore>>>,
    longest_wait: Duration,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _of_all: OwnedSemaphorePermit,
    _of_account: OwnedSemaphorePermit,
}

impl Places {
    /// So many in all, so many for each account, and how long one is waited for.
    pub(super) fn new(all: usize, share: usize, longest_wait: Duration) -> Self {
        Self {
            all: Arc::new(Semaphore::new(all)),
            share,
            shares: Mutex::default(),
            longest_wait,
        }
    }

    /// The next place for this account. Whoever waits for its own share does not stand in line with the others.
    pub(super) async fn take(&self, account: AccountId) -> ApiResult<Place> {
        let until = Instant::now() + self.longest_wait;
        let taken = async |places: Arc<Semaphore>, too_many: &str| match timeout_at(
            until,
            places.acquire_owned(),
        )
        .await
        {
            Ok(Ok(place)) => Ok(place),
            _ => Err(ApiError::overloaded(too_many).with_retry_after(ASK_AGAIN)),
        };
        let of_account = taken(
            self.share_of(account),
            "too many large messages of this account at once",
        );
        let of_account = of_account.await?;
        let of_all = taken(Arc::clone(&self.all), "too many large messages at once").await?;
        Ok(Place {
            _of_all: of_all,
            _of_account: of_account,
        })
    }

    fn share_of(&self, account: AccountId) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(&account).and_then(Weak::upgrade) {
            return share;
        }
        shares.retain(|_, share| share.strong_count() > 0);
        let share = Arc::new(Semaphore::new(self.share));
        shares.insert(account, Arc::downgrade(&share));
        share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: AccountId = AccountId(1);
    const BOB: AccountId = AccountId(2);

    fn places(all: usize, share: usize) -> Places {
        Places::new(all, share, Duration::from_secs(5))
    }

    fn refusal(place: ApiResult<Place>) -> (u16, &'static str, String) {
        let error = place.unwrap_err();
        let failure = error.failure();
        (
            failure.status.as_u16(),
            failure.code,
            failure.message.clone(),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_has_its_share_and_no_more() {
        let places = places(32, 2);
        let first = places.take(ANN).await.unwrap();
        let _second = places.take(ANN).await.unwrap();
        let begun = Instant::now();
        let (status, code, message) = refusal(places.take(ANN).await);
        assert_eq!((status, code), (429, "rateLimited"));
        assert!(message.contains("of this account"), "{message}");
        assert_eq!(begun.elapsed().as_secs(), 5);
        let _of_bob = [places.take(BOB).await, places.take(BOB).await].map(Result::unwrap);
        drop(first);
        places.take(ANN).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_an_own_place_keeps_none_from_others() {
        let places = places(2, 1);
        let _of_ann = places.take(ANN).await.unwrap();
        let (again, of_bob) = tokio::join!(places.take(ANN), places.take(BOB));
        assert_eq!(refusal(again).0, 429);
        let _of_bob = of_bob.unwrap();
        let (status, _, message) = refusal(places.take(AccountId(3)).await);
        assert_eq!(status, 429);
        assert!(!message.contains("of this account"), "{message}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_that_comes_free_in_time_is_had() {
        let places = places(32, 1);
        let first = places.take(ANN).await.unwrap();
        let frees = async {
            tokio::time::sleep(Duration::from_secs(4)).await;
            drop(first);
        };
        let ((), second) = tokio::join!(frees, places.take(ANN));
        second.unwrap();
    }

    #[tokio::test]
    async fn accounts_that_have_no_place_are_forgotten() {
        let places = places(32, 1);
        for account in 0..1000 {
            places.take(AccountId(account)).await.unwrap();
        }
        let kept = places.shares.lock().unwrap().len();
        assert!(kept <= 1, "{kept}");
    }
}
