mod fake;

use std::time::Duration;

use fake::Fake;
use futures::future::join_all;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use tokio::time::Instant;

use super::*;
use crate::{Call, ErrorKind, MessageEdit, Priority, ProviderError};

fn within(priority: Priority, seconds: u64) -> Call {
    Call {
        priority,
        deadline: Instant::now() + Duration::from_secs(seconds),
    }
}

fn interactive() -> Call {
    within(Priority::Interactive, 30)
}

fn background() -> Call {
    within(Priority::Background, 30)
}

fn unavailable() -> ProviderError {
    ProviderError::new(ErrorKind::Unavailable, "down")
}

fn throttled(seconds: u64) -> ProviderError {
    ProviderError::new(ErrorKind::RateLimited, "slow down")
        .with_retry_after(Duration::from_secs(seconds))
}

fn retrying(fake: &Arc<Fake>) -> RetryReads {
    RetryReads::new(fake.clone(), RetryConfig::default())
}

fn budgeted(fake: &Arc<Fake>, config: BudgetConfig) -> Arc<Budgeted> {
    Arc::new(Budgeted::new(fake.clone(), Budget::new(config), |_| 10))
}

fn rate(units: u32, reserve: u32) -> BudgetConfig {
    BudgetConfig {
        rate: Some(Rate {
            units,
            window_seconds: 10,
            reserve,
        }),
        ..BudgetConfig::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_that_failed_transiently_is_repeated() {
    let fake = Fake::failing([unavailable(), unavailable()]);
    assert!(retrying(&fake).folders(interactive()).await.is_ok());
    assert_eq!(fake.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_read_is_not_repeated_for_ever() {
    let fake = Fake::failing([unavailable(), unavailable(), unavailable(), unavailable()]);
    let error = retrying(&fake).folders(interactive()).await.unwrap_err();
    assert_eq!((error.kind, fake.calls()), (ErrorKind::Unavailable, 3));
}

#[tokio::test(start_paused = true)]
async fn a_definite_failure_and_a_write_are_not_repeated() {
    let fake = Fake::failing([ProviderError::new(ErrorKind::NotFound, "gone")]);
    assert!(retrying(&fake).folders(interactive()).await.is_err());
    assert_eq!(fake.calls(), 1);

    let fake = Fake::failing([unavailable()]);
    let (mailbox, at) = (retrying(&fake), fake::somewhere());
    let edit = MessageEdit::default();
    assert!(mailbox.update(interactive(), &at, &edit).await.is_err());
    assert_eq!(fake.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_wait_that_the_backend_asks_for_is_honoured() {
    let fake = Fake::failing([throttled(7)]);
    let begun = Instant::now();
    assert!(retrying(&fake).folders(interactive()).await.is_ok());
    assert!(begun.elapsed() >= Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_the_deadline_or_the_limit_is_not_begun() {
    for (call, wait) in [(within(Priority::Interactive, 5), 7), (interactive(), 20)] {
        let fake = Fake::failing([throttled(wait)]);
        let begun = Instant::now();
        let error = retrying(&fake).folders(call).await.unwrap_err();
        assert_eq!((error.kind, fake.calls()), (ErrorKind::RateLimited, 1));
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn calls_at_the_same_time_are_bounded() {
    let fake = Fake::slow(Duration::from_secs(1));
    let config = BudgetConfig {
        concurrency: 3,
        ..BudgetConfig::default()
    };
    let mailbox = budgeted(&fake, config);
    let answers = join_all((0..9).map(|_| mailbox.folders(interactive()))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!((fake.calls(), fake.most_at_once()), (9, 3));
}

#[tokio::test(start_paused = true)]
async fn interactive_calls_overtake_background_work() {
    let fake = Fake::slow(Duration::from_secs(1));
    let config = BudgetConfig {
        concurrency: 1,
        background_concurrency: 1,
        rate: None,
    };
    let mailbox = budgeted(&fake, config);
    let timed = async |call| {
        let begun = Instant::now();
        mailbox.folders(call).await.unwrap();
        begun.elapsed().as_secs()
    };
    let (first, second, overtaking) = tokio::join!(
        timed(background()),
        timed(background()),
        timed(interactive())
    );
    assert_eq!((first, overtaking, second), (1, 2, 3));
}

#[tokio::test(start_paused = true)]
async fn background_work_leaves_places_and_units_for_who_waits() {
    let fake = Fake::slow(Duration::from_secs(2));
    let config = BudgetConfig {
        concurrency: 2,
        background_concurrency: 1,
        ..rate(50, 20)
    };
    let mailbox = budgeted(&fake, config);
    let scans = join_all((0..5).map(|_| mailbox.folders(background())));
    let request = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let begun = Instant::now();
        mailbox.folders(interactive()).await.unwrap();
        assert_eq!(begun.elapsed(), Duration::from_secs(2));
    };
    tokio::join!(scans, request);
    assert_eq!(fake.most_at_once(), 2);
}

#[tokio::test(start_paused = true)]
async fn units_are_gained_back_over_time() {
    let fake = Fake::slow(Duration::ZERO);
    let mailbox = budgeted(&fake, rate(20, 0));
    let begun = Instant::now();
    for _ in 0..4 {
        mailbox.folders(interactive()).await.unwrap();
    }
    let waited = begun.elapsed().as_secs_f64();
    assert!((9.9..10.5).contains(&waited), "{waited}");
}

#[tokio::test(start_paused = true)]
async fn no_window_sees_more_units_than_it_may() {
    let fake = Fake::slow(Duration::ZERO);
    let mailbox = budgeted(&fake, rate(100, 0));
    let begun = Instant::now();
    let mut entered = Vec::new();
    for call in 0..25 {
        if call == 5 {
            tokio::time::sleep(Duration::from_secs(6)).await;
        }
        mailbox.folders(interactive()).await.unwrap();
        entered.push(begun.elapsed().as_secs());
    }
    // Five at once and five later; each comes back ten seconds after it was spent.
    let expected = [0, 6, 10, 16, 20].map(|second| [second; 5]).concat();
    assert_eq!(entered, expected);
}

#[tokio::test(start_paused = true)]
async fn background_work_is_spread_over_the_window_and_leaves_the_reserve() {
    let fake = Fake::slow(Duration::ZERO);
    let mailbox = budgeted(&fake, rate(120, 20));
    let begun = Instant::now();
    let scan = async {
        for call in 0..30 {
            mailbox.folders(background()).await.unwrap();
            if call == 5 {
                assert!(begun.elapsed() > Duration::from_secs(2));
            }
        }
        begun.elapsed()
    };
    let requests = async {
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_secs(5)).await;
            let asked = Instant::now();
            mailbox.folders(interactive()).await.unwrap();
            assert_eq!(asked.elapsed(), Duration::ZERO);
        }
    };
    let (scanned, ()) = tokio::join!(scan, requests);
    // All that the reserve and the requests leave: 100 units a window.
    assert!((20..=32).contains(&scanned.as_secs()), "{scanned:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_dearer_than_the_whole_budget_gets_through_once_it_is_full() {
    let fake = Fake::slow(Duration::ZERO);
    let mailbox = budgeted(&fake, rate(5, 5));
    mailbox.folders(background()).await.unwrap();
    mailbox.folders(background()).await.unwrap();
    assert_eq!(fake.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_deadline_comes_first_fails_at_once_and_says_when_to_come_back() {
    let fake = Fake::slow(Duration::ZERO);
    let mailbox = budgeted(&fake, rate(10, 0));
    mailbox.folders(interactive()).await.unwrap();
    let begun = Instant::now();
    let error = mailbox
        .folders(within(Priority::Interactive, 5))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, begun.elapsed()),
        (ErrorKind::RateLimited, Duration::ZERO)
    );
    assert_eq!(error.retry_after.map(|wait| wait.as_secs()), Some(10));
}

#[tokio::test(start_paused = true)]
async fn when_the_backend_asks_to_wait_the_whole_account_waits() {
    let fake = Fake::failing([throttled(8)]);
    let mailbox = budgeted(&fake, BudgetConfig::default());
    assert!(mailbox.folders(interactive()).await.is_err());
    let begun = Instant::now();
    assert!(
        mailbox
            .folders(within(Priority::Interactive, 3))
            .await
            .is_err()
    );
    assert_eq!(begun.elapsed(), Duration::ZERO);
    mailbox.folders(interactive()).await.unwrap();
    assert_eq!((begun.elapsed(), fake.calls()), (Duration::from_secs(8), 2));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_gives_its_place_back() {
    let fake = Fake::slow(Duration::from_secs(10));
    let config = BudgetConfig {
        concurrency: 1,
        ..BudgetConfig::default()
    };
    let mailbox = budgeted(&fake, config);
    for _ in 0..3 {
        let dropped = tokio::time::timeout(Duration::from_secs(1), mailbox.folders(interactive()));
        assert!(dropped.await.is_err());
    }
    assert!(mailbox.folders(interactive()).await.is_ok());
}

#[test]
fn calls_are_counted_and_timed_by_operation_and_outcome() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    ::metrics::with_local_recorder(&recorder, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            let fake = Fake::failing([throttled(1)]);
            let mailbox = Measured::new(fake, "memory");
            assert!(mailbox.folders(interactive()).await.is_err());
            assert!(mailbox.folders(background()).await.is_ok());
        });
    });
    let mut counted = Vec::new();
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        if let DebugValue::Counter(count) = value {
            let labels = key.key().labels().map(|label| label.value().to_owned());
            counted.push((labels.collect::<Vec<_>>().join(" "), count));
        }
    }
    counted.sort();
    let expected = [
        ("memory folders background ok".to_owned(), 1),
        ("memory folders interactive rate_limited".to_owned(), 1),
    ];
    assert_eq!(counted, expected);
}
