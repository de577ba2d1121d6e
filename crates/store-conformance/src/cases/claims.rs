//! Sends: who does something about them, and when.

use std::{collections::BTreeSet, time::Duration};

use futures::future::try_join_all;
use gateway_store::{ClaimSends, ProlongSend, SendId, SendRow, SendState, Store, StoreResult};

use crate::{
    fixture::{Fixture, Outcome, account, at, owner},
    samples::send,
};

const NONE: [i64; 0] = [];

/// For thirty seconds.
fn claim(holder: &str, now: i64, limit: u32) -> ClaimSends {
    ClaimSends {
        holder: holder.into(),
        now: at(now),
        lasts: Duration::from_secs(30),
        limit,
    }
}

/// The ids of what is claimed.
async fn claimed(store: &dyn Store, holder: &str, now: i64, limit: u32) -> StoreResult<Vec<i64>> {
    let rows = store.claim_sends(&claim(holder, now, limit)).await?;
    Ok(rows.into_iter().map(|row| row.id.0).collect())
}

/// To the millisecond; its state stays, and its content comes with it.
pub async fn a_send_is_claimed_when_it_is_due(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let id = account(&*store, owner(&*store).await?, 1).await?.id;
    let row = SendRow {
        state: SendState::Unknown,
        version: 4,
        ..send(id, 1, 1_000)
    };
    store.open_send(&row).await?;
    assert_eq!(store.claim_sends(&claim("one", 999, 9)).await?, []);
    assert_eq!(store.send(id, row.id).await?, Some(row.clone()));
    assert_eq!(store.claim_sends(&claim("one", 1_000, 0)).await?, []);
    let taken = SendRow {
        holder: Some("one".into()),
        held_until: Some(at(31_000)),
        version: 5,
        ..row
    };
    let given = store.claim_sends(&claim("one", 1_000, 9)).await?;
    assert_eq!(given, std::slice::from_ref(&taken));
    assert_eq!(store.send(id, taken.id).await?, Some(taken));
    Ok(())
}

/// Of all accounts, and no more than are wanted.
pub async fn the_longest_due_are_claimed_first(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let owner = owner(&*store).await?;
    let mut ids = Vec::new();
    for number in 1..=3 {
        ids.push(account(&*store, owner, number).await?.id);
    }
    let due = [70, 10, 50, 20, 60, 30, 40];
    for (place, due_at) in due.into_iter().enumerate() {
        let row = send(ids[place % 3], due_at, due_at);
        store.open_send(&row).await?;
    }
    assert_eq!(claimed(&*store, "one", 69, 2).await?, [10, 20]);
    assert_eq!(claimed(&*store, "two", 69, 2).await?, [30, 40]);
    assert_eq!(claimed(&*store, "one", 69, 9).await?, [50, 60]);
    assert_eq!(claimed(&*store, "one", 69, 9).await?, NONE);
    assert_eq!(claimed(&*store, "one", 70, 9).await?, [70]);
    Ok(())
}

/// To the millisecond; its holder does not get it sooner than others.
pub async fn a_held_send_is_claimed_again_when_its_holder_counts_as_dead(
    fixture: &Fixture,
) -> Outcome {
    let store = fixture.ready().await?;
    let id = account(&*store, owner(&*store).await?, 1).await?.id;
    store.open_send(&send(id, 1, 1_000)).await?;
    assert_eq!(claimed(&*store, "one", 2_000, 9).await?, [1]);
    for holder in ["one", "two"] {
        assert_eq!(claimed(&*store, holder, 31_999, 9).await?, NONE);
    }
    assert_eq!(claimed(&*store, "two", 32_000, 9).await?, [1]);
    // prolonged by a write
    let mut row = store.send(id, SendId(1)).await?.expect("a send");
    assert_eq!((row.version, row.holder.as_deref()), (2, Some("two")));
    row.held_until = Some(at(90_000));
    assert!(store.write_send(&row).await?);
    assert_eq!(claimed(&*store, "one", 89_999, 9).await?, NONE);
    assert_eq!(claimed(&*store, "one", 90_000, 9).await?, [1]);
    // a holder without a time is none
    let row = store.send(id, SendId(1)).await?.expect("a send");
    let row = SendRow {
        held_until: None,
        ..row
    };
    assert!(store.write_send(&row).await?);
    assert_eq!(store.next_due_send().await?, Some(at(1_000)));
    assert_eq!(claimed(&*store, "two", 1_000, 9).await?, [1]);
    Ok(())
}

/// However many ask at once; and all are given.
pub async fn a_send_is_never_given_to_two(fixture: &Fixture) -> Outcome {
    const SENDS: i64 = 60;
    let stores = [fixture.ready().await?, fixture.open().await];
    let id = account(&*stores[0], owner(&*stores[0]).await?, 1).await?.id;
    for number in 1..=SENDS {
        stores[0].open_send(&send(id, number, number % 7)).await?;
    }
    let claiming = (0..8).map(|place| {
        let store = &stores[place % 2];
        async move {
            let mut mine = Vec::new();
            let holder = format!("holder {place}");
            let mut empty = 0;
            // what others are taking at this moment is passed over
            while empty < 3 {
                let claimed = claimed(&**store, &holder, 1_000, 4).await?;
                assert!(claimed.len() <= 4);
                empty = if claimed.is_empty() { empty + 1 } else { 0 };
                mine.extend(claimed);
            }
            StoreResult::Ok(mine)
        }
    });
    let given: Vec<i64> = try_join_all(claiming).await?.concat();
    assert_eq!(given.len(), SENDS as usize);
    let distinct: BTreeSet<i64> = given.into_iter().collect();
    assert!(distinct.into_iter().eq(1..=SENDS));
    assert_eq!(claimed(&*stores[0], "last", 1_000, 9).await?, NONE);
    Ok(())
}

fn prolong(row: &SendRow, now: i64, until: i64) -> ProlongSend {
    ProlongSend {
        account: row.account,
        id: row.id,
        version: row.version,
        now: at(now),
        until: at(until),
    }
}

/// To the millisecond; who comes too late is told, and so is who lost it otherwise.
pub async fn a_held_send_is_prolonged_while_nobody_else_has_it(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let id = account(&*store, owner(&*store).await?, 1).await?.id;
    let other = account(&*store, owner(&*store).await?, 2).await?.id;
    store.open_send(&send(id, 1, 0)).await?;
    store.open_send(&send(other, 1, 70_000)).await?;
    let open = store.send(id, SendId(1)).await?.expect("a send");
    assert!(
        !store.prolong_send(&prolong(&open, 0, 9)).await?,
        "not held"
    );
    let held = store.claim_sends(&claim("one", 0, 1)).await?.remove(0);
    assert!(store.prolong_send(&prolong(&held, 29_999, 50_000)).await?);
    assert_eq!(store.next_due_send().await?, Some(at(50_000)));
    assert_eq!(claimed(&*store, "two", 49_999, 9).await?, NONE);
    for (now, version) in [(50_000, held.version), (9, held.version + 1), (9, 0)] {
        let late = ProlongSend {
            version,
            ..prolong(&held, now, 90_000)
        };
        assert!(!store.prolong_send(&late).await?, "{now} {version}");
    }
    let prolonged = SendRow {
        held_until: Some(at(50_000)),
        ..held.clone()
    };
    assert_eq!(store.send(id, SendId(1)).await?, Some(prolonged));
    let taken = store.claim_sends(&claim("two", 50_000, 1)).await?.remove(0);
    assert!(!store.prolong_send(&prolong(&held, 50_001, 90_000)).await?);
    assert!(store.prolong_send(&prolong(&taken, 50_001, 90_000)).await?);
    store.release_sends("two").await?;
    assert!(!store.prolong_send(&prolong(&taken, 50_002, 95_000)).await?);
    let unknown = ProlongSend {
        id: SendId(404),
        ..prolong(&taken, 0, 1)
    };
    assert!(!store.prolong_send(&unknown).await?);
    let untouched = store.send(other, SendId(1)).await?.expect("a send");
    assert_eq!((untouched.version, untouched.held_until), (0, None));
    Ok(())
}

/// The comparison that every write makes knows nothing of it.
pub async fn a_prolonged_send_is_written_at_the_version_it_had(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let id = account(&*store, owner(&*store).await?, 1).await?.id;
    store.open_send(&send(id, 1, 0)).await?;
    let held = store.claim_sends(&claim("one", 0, 1)).await?.remove(0);
    for step in 1..=3 {
        let until = prolong(&held, step, 30_000 + step);
        assert!(store.prolong_send(&until).await?);
    }
    let sending = SendRow {
        state: SendState::Sending,
        held_until: Some(at(99_000)),
        ..held.clone()
    };
    assert!(store.write_send(&sending).await?);
    assert!(!store.prolong_send(&prolong(&held, 4, 120_000)).await?);
    let kept = store.send(id, SendId(1)).await?.expect("a send");
    assert_eq!((kept.version, kept.held_until), (2, Some(at(99_000))));
    assert!(store.prolong_send(&prolong(&kept, 4, 120_000)).await?);
    Ok(())
}

/// Whoever has it in the end knows that it has, and the other that it has not.
pub async fn of_who_prolongs_and_who_claims_at_once_one_gets_it(fixture: &Fixture) -> Outcome {
    let stores = [fixture.ready().await?, fixture.open().await];
    let id = account(&*stores[0], owner(&*stores[0]).await?, 1).await?.id;
    for number in 1..=20 {
        stores[0].open_send(&send(id, number, 0)).await?;
        let held = stores[0].claim_sends(&claim("one", 0, 1)).await?.remove(0);
        // the holder's clock is behind
        let request = prolong(&held, 29_000, 99_000_000);
        let (prolonged, taken) = tokio::join!(
            stores[0].prolong_send(&request),
            claimed(&*stores[1], "two", 30_000, 9)
        );
        let (prolonged, taken) = (prolonged?, taken?);
        // What is being written at this moment may be passed over by both, never given to both.
        assert!(!(prolonged && taken == [number]), "{number}");
        assert!(prolonged || taken == [number], "{number}");
        let kept = stores[1].send(id, SendId(number)).await?.expect("a send");
        let holder = if prolonged { "one" } else { "two" };
        assert_eq!(kept.holder.as_deref(), Some(holder), "{number}");
        let ended = SendRow {
            due_at: None,
            ..kept
        };
        assert!(stores[0].write_send(&ended).await?);
    }
    Ok(())
}

/// Who comes back from the dead cannot undo what happened meanwhile.
pub async fn a_write_of_a_holder_that_lost_its_send_is_refused(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let id = account(&*store, owner(&*store).await?, 1).await?.id;
    store.open_send(&send(id, 1, 0)).await?;
    let first = store.claim_sends(&claim("one", 0, 1)).await?.remove(0);
    let second = store.claim_sends(&claim("two", 30_000, 1)).await?.remove(0);
    let sending = SendRow {
        state: SendState::Sending,
        ..first
    };
    assert!(!store.write_send(&sending).await?);
    let kept = store.send(id, SendId(1)).await?;
    assert_eq!(kept.as_ref(), Some(&second));
    let ended = SendRow {
        state: SendState::Sent,
        due_at: None,
        holder: None,
        held_until: None,
        ..second
    };
    assert!(store.write_send(&ended).await?);
    Ok(())
}

/// By its holder alone, whose last word counts until another has it.
pub async fn a_send_that_is_given_back_is_claimed_again_at_once(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let id = account(&*store, owner(&*store).await?, 1).await?.id;
    for number in 1..=3 {
        store.open_send(&send(id, number, number)).await?;
    }
    let held = store.claim_sends(&claim("one", 100, 2)).await?;
    assert_eq!(claimed(&*store, "two", 100, 1).await?, [3]);
    store.release_sends("three").await?;
    assert_eq!(claimed(&*store, "four", 101, 9).await?, NONE);
    store.release_sends("one").await?;
    store.release_sends("one").await?;
    let given_back = store.send(id, SendId(1)).await?.expect("a send");
    assert_eq!((given_back.holder, given_back.held_until), (None, None));
    assert_eq!(given_back.version, held[0].version);
    let last = SendRow {
        state: SendState::Accepted,
        holder: None,
        held_until: None,
        ..held[0].clone()
    };
    assert!(store.write_send(&last).await?);
    assert_eq!(claimed(&*store, "one", 101, 9).await?, [1, 2]);
    assert!(!store.write_send(&held[1]).await?);
    let taken = store.send(id, SendId(1)).await?;
    assert_eq!(taken.map(|row| row.state), Some(SendState::Accepted));
    Ok(())
}

/// It is at its end, whoever held it.
pub async fn a_send_without_a_time_is_never_claimed(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let id = account(&*store, owner(&*store).await?, 1).await?.id;
    for (number, holder) in [(1, None), (2, Some("one"))] {
        let row = SendRow {
            due_at: None,
            holder: holder.map(Into::into),
            held_until: holder.map(|_| at(5)),
            ..send(id, number, 0)
        };
        store.open_send(&row).await?;
    }
    assert_eq!(store.next_due_send().await?, None);
    assert_eq!(claimed(&*store, "one", i64::from(u32::MAX), 9).await?, NONE);
    Ok(())
}

/// Held ones when they may be taken over.
pub async fn the_next_time_is_that_of_the_first_that_may_be_claimed(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let id = account(&*store, owner(&*store).await?, 1).await?.id;
    assert_eq!(store.next_due_send().await?, None);
    for (number, due_at) in [(1, 50_000), (2, 10_000), (3, 90_000)] {
        store.open_send(&send(id, number, due_at)).await?;
    }
    let next = || store.next_due_send();
    assert_eq!(next().await?, Some(at(10_000)));
    assert_eq!(claimed(&*store, "one", 10_000, 9).await?, [2]);
    assert_eq!(next().await?, Some(at(40_000)));
    // it is not before the send is due that a holder's end counts
    let mut row = store.send(id, SendId(2)).await?.expect("a send");
    row.due_at = Some(at(45_000));
    assert!(store.write_send(&row).await?);
    assert_eq!(next().await?, Some(at(45_000)));
    assert_eq!(claimed(&*store, "two", 44_999, 9).await?, NONE);
    row.version += 1;
    row.held_until = Some(at(200_000));
    assert!(store.write_send(&row).await?);
    assert_eq!(next().await?, Some(at(50_000)));
    store.release_sends("one").await?;
    assert_eq!(next().await?, Some(at(45_000)));
    Ok(())
}
