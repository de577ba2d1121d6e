//! Loading the rows that a page affects.

use std::collections::BTreeSet;

use email_model::{MessageId, ThreadId};
use gateway_store::{Commit, LoadRequest, Loaded, MessageRow, ScopeNumber};

use crate::{
    fixture::{Fixture, Mailbox, Outcome},
    samples::{entry, key, message},
};

fn ids(loaded: &Loaded) -> Vec<u64> {
    let mut ids: Vec<u64> = loaded.messages.iter().map(|message| message.id.0).collect();
    ids.sort_unstable();
    ids
}

fn with_message_id(id: u64, message_id: &str) -> MessageRow {
    MessageRow {
        message_id: Some(message_id.into()),
        ..message(id)
    }
}

async fn filled(fixture: &Fixture) -> gateway_store::StoreResult<Mailbox> {
    let mailbox = fixture.mailbox().await?;
    mailbox
        .commit(Commit {
            messages: (1..=6).map(message).collect(),
            entries: vec![
                entry(1, 1, 1),
                entry(2, 1, 1),
                entry(2, 2, 2),
                entry(1, 3, 3),
            ],
            ..Commit::default()
        })
        .await?;
    Ok(mailbox)
}

/// With the journal as it is.
pub async fn an_empty_request_loads_the_journal(fixture: &Fixture) -> Outcome {
    let mailbox = filled(fixture).await?;
    let loaded = mailbox
        .store
        .load(mailbox.account, &LoadRequest::default())
        .await?;
    assert_eq!(loaded.journal, mailbox.journal().await?);
    assert!(loaded.messages.is_empty() && loaded.entries.is_empty());
    Ok(())
}

/// Not only the entry that was asked for.
pub async fn a_key_loads_its_message_with_all_entries(fixture: &Fixture) -> Outcome {
    let mailbox = filled(fixture).await?;
    let request = LoadRequest {
        keys: vec![
            (ScopeNumber(1), key(1)),
            (ScopeNumber(1), key(2)),
            (ScopeNumber(3), key(1)),
        ],
        ..LoadRequest::default()
    };
    let mut loaded = mailbox.store.load(mailbox.account, &request).await?;
    assert_eq!(loaded.messages, [message(1)]);
    loaded.entries.sort_by_key(|entry| entry.scope);
    assert_eq!(loaded.entries, [entry(1, 1, 1), entry(2, 1, 1)]);
    Ok(())
}

/// Gone ones too; those that are not there are left out.
pub async fn an_id_loads_its_message(fixture: &Fixture) -> Outcome {
    let mailbox = filled(fixture).await?;
    let gone = MessageRow {
        gone: true,
        ..message(u64::MAX)
    };
    mailbox
        .commit(Commit {
            messages: vec![gone.clone()],
            ..Commit::default()
        })
        .await?;
    let request = LoadRequest {
        ids: [u64::MAX, 404, 2].map(MessageId).into(),
        ..LoadRequest::default()
    };
    let loaded = mailbox.store.load(mailbox.account, &request).await?;
    assert_eq!(ids(&loaded), [2, u64::MAX]);
    assert!(loaded.messages.contains(&gone));
    assert_eq!(loaded.entries, [entry(2, 2, 2)]);
    Ok(())
}

/// Compared byte by byte.
pub async fn a_message_id_loads_at_most_twenty_live_messages(fixture: &Fixture) -> Outcome {
    let mailbox = filled(fixture).await?;
    let mut messages: Vec<_> = (100..130)
        .map(|id| with_message_id(id, "<same@x>"))
        .collect();
    messages.push(with_message_id(200, "<pair@x>"));
    messages.push(with_message_id(201, "<pair@x>"));
    messages.push(with_message_id(202, "<Pair@x>"));
    messages.push(MessageRow {
        gone: true,
        ..with_message_id(203, "<pair@x>")
    });
    messages.push(MessageRow {
        message_id: None,
        ..message(204)
    });
    mailbox
        .commit(Commit {
            messages,
            entries: vec![entry(5, 1, 201)],
            ..Commit::default()
        })
        .await?;
    let asked = ["<pair@x>", "<same@x>", "<pair@x>", "<none@x>", ""];
    let request = LoadRequest {
        message_ids: asked.map(str::to_owned).into(),
        ..LoadRequest::default()
    };
    let loaded = mailbox.store.load(mailbox.account, &request).await?;
    let ids = ids(&loaded);
    assert_eq!(ids[20..], [200, 201]);
    assert!(ids[..20].iter().all(|id| (100..130).contains(id)));
    assert_eq!(loaded.entries, [entry(5, 1, 201)]);
    Ok(())
}

/// Not those whose conversation is settled.
pub async fn a_provisional_thread_loads_its_live_messages(fixture: &Fixture) -> Outcome {
    let mailbox = filled(fixture).await?;
    let of = |id, thread, provisional, gone| MessageRow {
        thread: Some(ThreadId(thread)),
        thread_provisional: provisional,
        gone,
        ..message(id)
    };
    mailbox
        .commit(Commit {
            messages: vec![
                of(10, u64::MAX, true, false),
                of(11, u64::MAX, true, false),
                of(12, u64::MAX, false, false),
                of(13, u64::MAX, true, true),
                of(14, 70, true, false),
                of(15, 71, true, false),
            ],
            ..Commit::default()
        })
        .await?;
    let request = LoadRequest {
        provisional_threads: [u64::MAX, 70, 404, 70].map(ThreadId).into(),
        ..LoadRequest::default()
    };
    let loaded = mailbox.store.load(mailbox.account, &request).await?;
    assert_eq!(ids(&loaded), [10, 11, 14]);
    Ok(())
}

/// By whatever it was asked for.
pub async fn a_message_asked_for_in_many_ways_is_loaded_once(fixture: &Fixture) -> Outcome {
    let mailbox = filled(fixture).await?;
    let provisional = MessageRow {
        thread_provisional: true,
        ..message(1)
    };
    mailbox
        .commit(Commit {
            messages: vec![provisional.clone()],
            ..Commit::default()
        })
        .await?;
    let request = LoadRequest {
        keys: vec![(ScopeNumber(1), key(1)), (ScopeNumber(2), key(1))],
        ids: vec![MessageId(1), MessageId(1)],
        message_ids: vec!["<1@mail.example>".into()],
        provisional_threads: vec![ThreadId(1)],
    };
    let loaded = mailbox.store.load(mailbox.account, &request).await?;
    assert_eq!(loaded.messages, [provisional]);
    assert_eq!(loaded.entries.len(), 2);
    Ok(())
}

/// All four at their greatest length.
pub async fn lists_of_two_thousand_are_loaded(fixture: &Fixture) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    let all = || 1..=8_000_u64;
    let row = |id| MessageRow {
        thread_provisional: id > 6_000,
        ..message(id)
    };
    mailbox
        .commit(Commit {
            messages: all().map(row).collect(),
            entries: all().map(|id| entry(1, id, id)).collect(),
            ..Commit::default()
        })
        .await?;
    let request = LoadRequest {
        keys: (1..=2_000).map(|id| (ScopeNumber(1), key(id))).collect(),
        ids: (2_001..=4_000).map(MessageId).collect(),
        message_ids: (4_001..=6_000)
            .map(|id| format!("<{id}@mail.example>"))
            .collect(),
        provisional_threads: (6_001..=8_000).map(ThreadId).collect(),
    };
    let loaded = mailbox.store.load(mailbox.account, &request).await?;
    let found: BTreeSet<u64> = ids(&loaded).into_iter().collect();
    // at most 500 of the provisional ones
    assert_eq!(found.range(..=6_000).count(), 6_000);
    assert_eq!(found.len(), 6_500);
    assert_eq!(loaded.entries.len(), 6_500);
    Ok(())
}
