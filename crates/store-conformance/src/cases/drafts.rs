//! Drafts, and what takes drafts and sends with it.

use email_model::{DraftId, MessageId};
use futures::future::try_join_all;
use gateway_store::{AccountId, DraftRow, SendId, Store, StoreError, StoreResult};
use serde_json::json;

use crate::{
    cases::text::ODD,
    fixture::{Fixture, Outcome, account, other_owner, owner},
    samples::{self, draft, send},
};

/// A store with an account.
async fn with_account(store: &dyn Store, id: i64) -> StoreResult<AccountId> {
    let owner = owner(store).await?;
    Ok(account(store, owner, id).await?.id)
}

/// Whatever its ids and its text are.
pub async fn a_draft_reads_as_it_was_written(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let id = with_account(&*store, 1).await?;
    let drafts = [0, 1, 1 << 63, u64::MAX].map(|number| DraftRow {
        message: MessageId(u64::MAX - number),
        version: number as i64,
        record: json!({ ODD: [ODD, null, 1.5, u64::MAX], "long": "x".repeat(100_000) }),
        ..draft(number)
    });
    for draft in &drafts {
        store.insert_draft(id, draft).await?;
    }
    for draft in drafts {
        assert_eq!(store.draft(id, draft.id).await?, Some(draft.clone()));
        let found = store.draft_of_message(id, draft.message).await?;
        assert_eq!(found, Some(draft));
    }
    assert_eq!(store.draft(id, DraftId(2)).await?, None);
    assert_eq!(store.draft_of_message(id, MessageId(2)).await?, None);
    let refused = store.insert_draft(AccountId(404), &draft(1)).await;
    assert!(matches!(refused, Err(StoreError::NotFound)));
    Ok(())
}

/// And an id is one draft's.
pub async fn a_message_is_one_draft_at_most(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let id = with_account(&*store, 1).await?;
    for number in [1, 2] {
        store.insert_draft(id, &draft(number)).await?;
    }
    for (number, message) in [(3, 1), (1, 3)] {
        let row = DraftRow {
            message: MessageId(message),
            ..draft(number)
        };
        let refused = store.insert_draft(id, &row).await;
        assert!(matches!(refused, Err(StoreError::Exists)));
    }
    let other = DraftRow {
        message: MessageId(1),
        ..draft(2)
    };
    let refused = store.write_draft(id, &other).await;
    assert!(matches!(refused, Err(StoreError::Exists)));
    assert_eq!(store.draft(id, DraftId(2)).await?, Some(draft(2)));
    assert_eq!(store.draft(id, DraftId(3)).await?, None);
    Ok(())
}

/// Which rises by one.
pub async fn a_draft_is_written_at_its_version_alone(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let id = with_account(&*store, 1).await?;
    store.insert_draft(id, &draft(1)).await?;
    let mut row = DraftRow {
        message: MessageId(9),
        record: json!("changed"),
        ..draft(1)
    };
    assert!(store.write_draft(id, &row).await?);
    row.version = 1;
    assert_eq!(store.draft(id, row.id).await?, Some(row.clone()));
    assert_eq!(store.draft_of_message(id, MessageId(1)).await?, None);
    for version in [0, 2] {
        let stale = DraftRow {
            version,
            ..draft(1)
        };
        assert!(!store.write_draft(id, &stale).await?);
    }
    assert!(!store.write_draft(id, &draft(2)).await?);
    assert!(!store.write_draft(AccountId(404), &row).await?);
    assert_eq!(store.draft(id, row.id).await?, Some(row));
    Ok(())
}

/// Whoever is first.
pub async fn of_many_that_write_a_draft_at_once_one_does(fixture: &Fixture) -> Outcome {
    let stores = [fixture.ready().await?, fixture.open().await];
    let id = with_account(&*stores[0], 1).await?;
    stores[0].insert_draft(id, &draft(1)).await?;
    let writing = (0..16).map(|place| {
        let row = DraftRow {
            record: json!(place),
            ..draft(1)
        };
        let store = &stores[place % 2];
        async move { store.write_draft(id, &row).await }
    });
    let written = try_join_all(writing).await?;
    assert_eq!(written.iter().filter(|done| **done).count(), 1);
    let winner = written.iter().position(|done| *done);
    let kept = stores[0].draft(id, DraftId(1)).await?;
    assert_eq!(kept.map(|row| row.record), winner.map(|place| json!(place)));
    Ok(())
}

/// And its message may be another one.
pub async fn a_removed_draft_is_gone(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let id = with_account(&*store, 1).await?;
    store.insert_draft(id, &draft(1)).await?;
    assert!(!store.remove_draft(id, DraftId(2)).await?);
    assert!(store.remove_draft(id, DraftId(1)).await?);
    assert!(!store.remove_draft(id, DraftId(1)).await?);
    assert_eq!(store.draft(id, DraftId(1)).await?, None);
    assert!(!store.write_draft(id, &draft(1)).await?);
    let again = DraftRow {
        message: MessageId(1),
        ..draft(2)
    };
    store.insert_draft(id, &again).await?;
    let found = store.draft_of_message(id, MessageId(1)).await?;
    assert_eq!(found, Some(again));
    Ok(())
}

/// In no read and by no write.
pub async fn drafts_of_accounts_never_mix(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let one = with_account(&*store, 1).await?;
    let two = with_account(&*store, 2).await?;
    store.insert_draft(one, &draft(1)).await?;
    assert_eq!(store.draft(two, DraftId(1)).await?, None);
    assert_eq!(store.draft_of_message(two, MessageId(1)).await?, None);
    assert!(!store.write_draft(two, &draft(1)).await?);
    assert!(!store.remove_draft(two, DraftId(1)).await?);
    let other = DraftRow {
        record: json!("another"),
        ..draft(1)
    };
    store.insert_draft(two, &other).await?;
    assert_eq!(store.draft(one, DraftId(1)).await?, Some(draft(1)));
    assert!(store.remove_draft(one, DraftId(1)).await?);
    assert_eq!(store.draft(two, DraftId(1)).await?, Some(other));
    Ok(())
}

/// A draft and a send with a content, of the same numbers in every account.
async fn fill(store: &dyn Store, id: AccountId) -> StoreResult<()> {
    store.insert_draft(id, &draft(1)).await?;
    store.open_send(&send(id, 1, 1)).await?;
    Ok(())
}

async fn holds(store: &dyn Store, id: AccountId) -> StoreResult<[bool; 3]> {
    Ok([
        store.draft(id, DraftId(1)).await?.is_some(),
        store.send(id, SendId(1)).await?.is_some(),
        store
            .send_of_key(id, &samples::send_key(1))
            .await?
            .is_some(),
    ])
}

/// Nothing of another one's, and nothing is left to be sent.
pub async fn an_account_takes_its_drafts_and_sends_with_it(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let gone = with_account(&*store, 1).await?;
    let stays = with_account(&*store, 2).await?;
    for id in [gone, stays] {
        fill(&*store, id).await?;
    }
    assert!(store.remove_account(gone).await?);
    assert!(!store.write_send(&send(gone, 1, 1)).await?);
    assert_eq!(holds(&*store, stays).await?, [true; 3]);
    with_account(&*store, 1).await?;
    assert_eq!(holds(&*store, gone).await?, [false; 3]);
    store.remove_account(stays).await?;
    assert_eq!(store.next_due_send().await?, None);
    store.remove_account(gone).await?;
    assert!(!store.holds_sealed().await?);
    Ok(())
}

/// And leaves those of others.
pub async fn an_application_takes_drafts_and_sends_with_it(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let stays = with_account(&*store, 1).await?;
    let application = other_owner(&*store).await?;
    let gone = account(&*store, application.id, 2).await?.id;
    for id in [stays, gone] {
        fill(&*store, id).await?;
    }
    assert!(store.remove_application(&application.client_id).await?);
    assert_eq!(holds(&*store, stays).await?, [true; 3]);
    assert_eq!(holds(&*store, gone).await?, [false; 3]);
    Ok(())
}

/// They are not of the mirror.
pub async fn a_reset_of_the_journal_leaves_drafts_and_sends(fixture: &Fixture) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    let (store, id) = (&*mailbox.store, mailbox.account);
    fill(store, id).await?;
    store.reset_journal(id, &samples::journal(9)).await?;
    assert_eq!(holds(store, id).await?, [true; 3]);
    Ok(())
}
