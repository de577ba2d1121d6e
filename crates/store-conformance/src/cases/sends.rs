//! Sends: how they are opened, written and forgotten.

use email_model::DraftId;
use futures::future::try_join_all;
use gateway_store::{AccountId, OpenedSend, SendId, SendRow, SendState, StoreError};
use serde_json::json;

use crate::{
    cases::text::ODD,
    fixture::{Fixture, Outcome, account, at, owner},
    samples::{NOW, draft, send, send_key},
};

const STATES: [SendState; 7] = [
    SendState::Queued,
    SendState::Sending,
    SendState::Unknown,
    SendState::Accepted,
    SendState::Sent,
    SendState::Failed,
    SendState::Cancelled,
];

/// In every state, with everything and with nothing.
pub async fn a_send_reads_as_it_was_written(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let id = account(&*store, owner(&*store).await?, 1).await?.id;
    for (number, state) in (1..).zip(STATES) {
        let full = SendRow {
            draft: Some(DraftId(u64::MAX)),
            state,
            holder: Some("holder".into()),
            held_until: Some(at(NOW + 1)),
            version: i64::MAX,
            record: json!({ ODD: [ODD, null, -1, 1.5, true, u64::MAX] }),
            ..send(id, i64::MAX - number, NOW)
        };
        let bare = SendRow {
            key: None,
            draft: None,
            state,
            due_at: None,
            record: json!(null),
            content: None,
            created_at: at(-1),
            ..send(id, i64::MIN + number, 0)
        };
        let empty = SendRow {
            content: Some(Vec::new()),
            draft: Some(DraftId(0)),
            ..send(id, number, 0)
        };
        for row in [full, bare, empty] {
            assert_eq!(store.open_send(&row).await?, OpenedSend::New);
            assert_eq!(store.send(id, row.id).await?, Some(row.clone()));
            if let Some(key) = &row.key {
                assert_eq!(store.send_of_key(id, key).await?, Some(row));
            }
        }
    }
    assert_eq!(store.send(id, SendId(404)).await?, None);
    assert_eq!(store.send_of_key(id, &[0; 32]).await?, None);
    Ok(())
}

/// Whoever comes again is told of it, however far it has come.
pub async fn a_key_is_given_to_one_send(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let id = account(&*store, owner(&*store).await?, 1).await?.id;
    let first = send(id, 1, 1);
    assert_eq!(store.open_send(&first).await?, OpenedSend::New);
    let again = SendRow {
        key: first.key,
        request: [9; 32],
        record: json!("another"),
        content: None,
        ..send(id, 2, 2)
    };
    let existing = OpenedSend::Existing(Box::new(first.clone()));
    for row in [&again, &first] {
        assert_eq!(store.open_send(row).await?, existing);
    }
    assert_eq!(store.send(id, SendId(2)).await?, None);
    let mut ended = SendRow {
        state: SendState::Failed,
        due_at: None,
        content: None,
        ..first
    };
    assert!(store.write_send(&ended).await?);
    ended.version += 1;
    let existing = OpenedSend::Existing(Box::new(ended));
    assert_eq!(store.open_send(&again).await?, existing);
    Ok(())
}

/// The others are told of its send.
pub async fn of_fifty_that_open_a_key_at_once_one_does(fixture: &Fixture) -> Outcome {
    let stores = [fixture.ready().await?, fixture.open().await];
    let id = account(&*stores[0], owner(&*stores[0]).await?, 1).await?.id;
    let opening = (0..50_u8).map(|place| {
        let store = &stores[usize::from(place % 2)];
        let row = SendRow {
            key: Some([7; 32]),
            content: Some(vec![place; 10_000]),
            ..send(id, place.into(), 1)
        };
        async move { store.open_send(&row).await }
    });
    let mut opened = try_join_all(opening).await?;
    let winner = opened.iter().position(|opened| *opened == OpenedSend::New);
    let winner = winner.expect("one was opened");
    opened.remove(winner);
    let kept = stores[0].send_of_key(id, &[7; 32]).await?.expect("a send");
    assert_eq!(kept.id, SendId(winner as i64));
    assert_eq!(kept.content, Some(vec![winner as u8; 10_000]));
    let existing = OpenedSend::Existing(Box::new(kept));
    assert_eq!(opened.len(), 49);
    assert!(opened.iter().all(|opened| *opened == existing));
    for other in (0..50).filter(|other| *other != winner as i64) {
        assert_eq!(stores[1].send(id, SendId(other)).await?, None);
    }
    Ok(())
}

/// Whatever else they have in common.
pub async fn sends_without_a_key_are_never_the_same(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let id = account(&*store, owner(&*store).await?, 1).await?.id;
    for number in 1..=3 {
        let row = SendRow {
            key: None,
            ..send(id, number, 1)
        };
        assert_eq!(store.open_send(&row).await?, OpenedSend::New);
        assert_eq!(store.send(id, row.id).await?, Some(row));
    }
    Ok(())
}

/// Nor do their ids, nor their drafts.
pub async fn keys_of_accounts_never_meet(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let owner = owner(&*store).await?;
    let mut rows = Vec::new();
    for number in [1, 2] {
        let id = account(&*store, owner, number).await?.id;
        let row = SendRow {
            draft: Some(DraftId(1)),
            record: json!(number),
            ..send(id, 1, 1)
        };
        assert_eq!(store.open_send(&row).await?, OpenedSend::New);
        rows.push(row);
    }
    for row in &rows {
        let id = row.account;
        assert_eq!(store.send(id, row.id).await?.as_ref(), Some(row));
        let found = store.send_of_key(id, &send_key(1)).await?;
        assert_eq!(found.as_ref(), Some(row));
        let found = store.send_of_draft(id, DraftId(1)).await?;
        assert_eq!(found.as_ref(), Some(row));
    }
    rows[0].state = SendState::Sending;
    assert!(store.write_send(&rows[0]).await?);
    let other = store.send(rows[1].account, rows[1].id).await?;
    assert_eq!(other.as_ref(), Some(&rows[1]));
    Ok(())
}

/// And changes nothing.
pub async fn a_send_with_an_id_that_is_taken_or_of_no_account_is_refused(
    fixture: &Fixture,
) -> Outcome {
    let store = fixture.ready().await?;
    let id = account(&*store, owner(&*store).await?, 1).await?.id;
    let first = send(id, 1, 1);
    store.open_send(&first).await?;
    for key in [None, Some([9; 32])] {
        let taken = SendRow {
            key,
            record: json!("another"),
            ..first.clone()
        };
        let refused = store.open_send(&taken).await;
        assert!(matches!(refused, Err(StoreError::Exists)));
    }
    assert_eq!(store.send(id, first.id).await?, Some(first));
    assert_eq!(store.send_of_key(id, &[9; 32]).await?, None);
    let refused = store.open_send(&send(AccountId(404), 2, 1)).await;
    assert!(matches!(refused, Err(StoreError::NotFound)));
    Ok(())
}

/// Which rises by one. What it was asked for as stays.
pub async fn a_send_is_written_at_its_version_alone(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let id = account(&*store, owner(&*store).await?, 1).await?.id;
    let first = SendRow {
        draft: Some(DraftId(5)),
        ..send(id, 1, 1)
    };
    store.open_send(&first).await?;
    let written = SendRow {
        state: SendState::Unknown,
        due_at: Some(at(2)),
        holder: Some("one".into()),
        held_until: Some(at(3)),
        record: json!({ "changed": ODD }),
        content: Some(vec![4; 5]),
        ..first.clone()
    };
    let told = SendRow {
        key: Some([9; 32]),
        request: [9; 32],
        draft: None,
        created_at: at(9),
        ..written.clone()
    };
    assert!(store.write_send(&told).await?);
    let written = SendRow {
        version: 1,
        ..written
    };
    assert_eq!(store.send(id, first.id).await?, Some(written.clone()));
    for version in [0, 2] {
        let stale = SendRow {
            version,
            content: None,
            ..first.clone()
        };
        assert!(!store.write_send(&stale).await?);
    }
    assert!(!store.write_send(&send(id, 2, 1)).await?);
    assert!(!store.write_send(&send(AccountId(404), 1, 1)).await?);
    assert_eq!(store.send(id, first.id).await?, Some(written));
    Ok(())
}

/// Whoever is first.
pub async fn of_many_that_write_a_send_at_once_one_does(fixture: &Fixture) -> Outcome {
    let stores = [fixture.ready().await?, fixture.open().await];
    let id = account(&*stores[0], owner(&*stores[0]).await?, 1).await?.id;
    stores[0].open_send(&send(id, 1, 1)).await?;
    let writing = (0..16_u8).map(|place| {
        let row = SendRow {
            record: json!(place),
            content: Some(vec![place; 9]),
            ..send(id, 1, 1)
        };
        let store = &stores[usize::from(place % 2)];
        async move { store.write_send(&row).await }
    });
    let written = try_join_all(writing).await?;
    assert_eq!(written.iter().filter(|done| **done).count(), 1);
    let winner = written.iter().position(|done| *done).unwrap_or(99) as u8;
    let kept = stores[0].send(id, SendId(1)).await?.expect("a send");
    assert_eq!((kept.record, kept.version), (json!(winner), 1));
    assert_eq!(kept.content, Some(vec![winner; 9]));
    Ok(())
}

/// By writes, by claims, and where another takes its place.
pub async fn a_content_of_two_mebibytes_is_kept_until_it_is_taken_away(
    fixture: &Fixture,
) -> Outcome {
    let store = fixture.ready().await?;
    let id = account(&*store, owner(&*store).await?, 1).await?.id;
    let content = |mark: u8| -> Vec<u8> {
        let bytes = (0..2_u32 << 20).map(|at| at.wrapping_mul(31).to_le_bytes()[0] ^ mark);
        bytes.collect()
    };
    let mut row = SendRow {
        content: Some(content(0)),
        ..send(id, 1, 1)
    };
    store.open_send(&row).await?;
    let kept = || store.send(id, SendId(1));
    assert_eq!(kept().await?, Some(row.clone()));
    for next in [
        Some(content(0)),
        Some(content(1)),
        None,
        Some(content(2)),
        None,
    ] {
        row.content = next;
        assert!(store.write_send(&row).await?);
        row.version += 1;
        assert_eq!(kept().await?, Some(row.clone()));
    }
    Ok(())
}

/// Whenever they were asked for.
pub async fn the_last_send_of_a_draft_is_found(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let id = account(&*store, owner(&*store).await?, 1).await?.id;
    assert_eq!(store.send_of_draft(id, DraftId(5)).await?, None);
    for (number, created_at) in [(9, NOW), (5, NOW), (7, NOW - 1)] {
        let row = SendRow {
            draft: Some(DraftId(5)),
            created_at: at(created_at),
            ..send(id, number, 1)
        };
        store.open_send(&row).await?;
        assert_eq!(store.send_of_draft(id, DraftId(5)).await?, Some(row));
    }
    store.open_send(&send(id, 1, 1)).await?;
    let last = store.send_of_draft(id, DraftId(5)).await?;
    assert_eq!(last.map(|row| row.id), Some(SendId(7)));
    assert_eq!(store.send_of_draft(id, DraftId(0)).await?, None);
    Ok(())
}

/// The oldest first; those that are not at their end never.
pub async fn sends_at_their_end_are_forgotten_after_a_while(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let id = account(&*store, owner(&*store).await?, 1).await?.id;
    for number in 1..=6 {
        let row = SendRow {
            due_at: (number == 2).then_some(at(1)),
            created_at: at(number),
            ..send(id, number, 1)
        };
        store.open_send(&row).await?;
    }
    let left = async || {
        let mut left = Vec::new();
        for number in 1..=6 {
            if store.send(id, SendId(number)).await?.is_some() {
                left.push(number);
            }
        }
        Ok::<_, StoreError>(left)
    };
    assert_eq!(store.forget_sends(at(1), 9).await?, 0);
    assert_eq!(store.forget_sends(at(5), 2).await?, 2);
    assert_eq!(left().await?, [2, 4, 5, 6]);
    assert_eq!(store.forget_sends(at(5), 2).await?, 1);
    assert_eq!(store.forget_sends(at(5), 2).await?, 0);
    assert_eq!(left().await?, [2, 5, 6]);
    // its key is free again
    let again = SendRow {
        key: Some(send_key(1)),
        ..send(id, 11, 1)
    };
    assert_eq!(store.open_send(&again).await?, OpenedSend::New);
    Ok(())
}

/// Those that nobody got stay, and so does one of which a send is still known.
pub async fn drafts_are_forgotten_with_the_send_by_which_they_went_out(
    fixture: &Fixture,
) -> Outcome {
    let store = fixture.ready().await?;
    let owner = owner(&*store).await?;
    let id = account(&*store, owner, 1).await?.id;
    let other = account(&*store, owner, 2).await?.id;
    for (number, state) in (1..).zip(STATES) {
        for account in [id, other] {
            store.insert_draft(account, &draft(number)).await?;
        }
        let row = SendRow {
            draft: Some(DraftId(number)),
            state,
            due_at: None,
            created_at: at(1),
            ..send(id, number as i64, 1)
        };
        store.open_send(&row).await?;
    }
    let newer = SendRow {
        draft: Some(DraftId(20)),
        state: SendState::Sent,
        due_at: None,
        created_at: at(1),
        ..send(id, 20, 1)
    };
    store.insert_draft(id, &draft(20)).await?;
    store.open_send(&newer).await?;
    let newer = SendRow {
        key: None,
        id: SendId(21),
        created_at: at(9),
        ..newer
    };
    store.open_send(&newer).await?;

    assert_eq!(store.forget_sends(at(5), 9).await?, 8);
    for (number, state) in (1..).zip(STATES) {
        let kept = store.draft(id, DraftId(number)).await?;
        let is_over = state == SendState::Sent;
        assert_eq!(kept.is_none(), is_over, "{state:?}");
        assert!(store.draft(other, DraftId(number)).await?.is_some());
    }
    assert!(store.draft(id, DraftId(20)).await?.is_some());
    assert_eq!(store.forget_sends(at(10), 9).await?, 1);
    assert!(store.draft(id, DraftId(20)).await?.is_none());
    Ok(())
}
