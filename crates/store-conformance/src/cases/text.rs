//! Text and values as the world sends them.

use email_model::{
    Cursor, Digest128, EntryKey, Flags, FolderId, FolderKey, Labels, MessageId, ScopeKey, ThreadId,
};
use gateway_store::{
    AccountFilter, AccountId, ApplicationId, Commit, CredentialState, EntryRow, LoadRequest,
    MessageRow, ScopeNumber, Seq, TokenStatus,
};
use serde_json::json;

use crate::{
    fixture::{Fixture, Mailbox, Outcome, at},
    samples,
};

/// NUL, control characters, quotes, scripts from right to left, combining marks, characters beyond
/// 16 bits, a noncharacter, a byte order mark.
pub(super) const ODD: &str =
    "a\0b\u{1}\r\n\t\\'\"%_;--\u{7f}\u{85}é e\u{301} שלום مرحبا 你好 😀\u{fffe}\u{feff}\u{10ffff}";

/// In every field of text.
pub async fn odd_text_reads_as_it_was_written(fixture: &Fixture) -> Outcome {
    let store = fixture.ready().await?;
    let mut application = samples::application(1);
    application.client_id = ODD.into();
    application.return_urls = vec![ODD.into(), String::new()];
    assert_eq!(store.put_application(&application).await?, application);
    assert_eq!(store.application(ODD).await?, Some(application));

    let mut account = samples::account(ApplicationId(1), 1);
    for field in [
        &mut account.kind,
        &mut account.service_type,
        &mut account.mailbox,
        &mut account.login,
    ] {
        *field = ODD.into();
    }
    account.email = Some(ODD.into());
    account.details = json!({ ODD: [ODD, null, -1, 1.5, true, u64::MAX] });
    account.connection_settings = json!(ODD);
    account.credentials = CredentialState {
        status: TokenStatus::Invalid,
        error: Some(ODD.into()),
        refused_at: None,
    };
    store.insert_account(&account, None).await?;
    assert_eq!(store.account(account.id).await?, Some(account.clone()));
    let found = store
        .find_accounts(account.application, Some(ODD), None)
        .await?;
    assert_eq!(found, [account.clone()]);
    let found = store
        .find_accounts(account.application, None, Some(ODD))
        .await?;
    assert_eq!(found, [account.clone()]);
    let filter = AccountFilter {
        service_type: Some(ODD.into()),
        limit: 9,
        offset: 0,
    };
    assert_eq!(store.accounts(account.application, &filter).await?.total, 1);

    let mailbox = Mailbox {
        store: store.clone(),
        account: account.id,
    };
    store.open_journal(account.id, &samples::journal(1)).await?;
    let message = MessageRow {
        message_id: Some(ODD.into()),
        labels: Some(Labels::new(Flags::empty(), vec![ODD.into(), String::new()])),
        ..samples::message(5)
    };
    let mut scope = samples::scope(1, 0);
    scope.row.key = ScopeKey(ODD.into());
    scope.row.state = json!({ ODD: ODD }).to_string();
    let mut folder = samples::folder(1);
    folder.key = FolderKey(ODD.into());
    folder.name = ODD.into();
    folder.full_name = ODD.into();
    mailbox
        .commit(Commit {
            messages: vec![message.clone()],
            scopes: vec![scope.clone()],
            folders: Some(vec![folder.clone()]),
            ..Commit::default()
        })
        .await?;
    scope.row.version = 1;
    assert_eq!(store.scopes(account.id).await?, [scope.row]);
    assert_eq!(store.folders(account.id).await?, [folder]);
    let request = LoadRequest {
        message_ids: vec![ODD.into()],
        ..LoadRequest::default()
    };
    let loaded = store.load(account.id, &request).await?;
    assert_eq!(loaded.messages, [message]);
    Ok(())
}

/// Up to what backends may make and beyond.
pub async fn great_values_read_as_they_were_written(fixture: &Fixture) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    let (store, id) = (&mailbox.store, mailbox.account);
    let message = MessageRow {
        message_id: Some("<x".repeat(20_000)),
        folders: (0..2_000).map(FolderId).collect(),
        labels: Some(Labels::new(
            Flags::all(),
            (0..2_000).map(|n| format!("keyword-{n}")).collect(),
        )),
        envelope: Some(vec![255; 1 << 20]),
        ..samples::message(5)
    };
    let entry = EntryRow {
        key: EntryKey(vec![0; 512]),
        ..samples::entry(i32::MAX, 0, 5)
    };
    let mut scope = samples::scope(i32::MAX, 0);
    scope.row.cursor = Some(Cursor(vec![0; 64 << 10]));
    scope.row.state = "state".repeat(20_000);
    let folders: Vec<_> = (0..5_000).map(samples::folder).collect();
    mailbox
        .commit(Commit {
            messages: vec![message.clone()],
            entries: vec![entry.clone()],
            scopes: vec![scope.clone()],
            folders: Some(folders.clone()),
            ..Commit::default()
        })
        .await?;
    scope.row.version = 1;
    assert_eq!(store.scopes(id).await?, [scope.row]);
    assert_eq!(store.folders(id).await?, folders);
    let request = LoadRequest {
        keys: vec![(ScopeNumber(i32::MAX), entry.key.clone())],
        message_ids: message.message_id.clone().into_iter().collect(),
        ..LoadRequest::default()
    };
    let loaded = store.load(id, &request).await?;
    assert_eq!(loaded.messages, [message]);
    assert_eq!(loaded.entries, [entry]);
    Ok(())
}

/// Of every width, and nothing at all.
pub async fn extreme_and_empty_values_read_as_they_were_written(fixture: &Fixture) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    let rows = [
        MessageRow {
            digest: Digest128([0; 16]),
            thread: Some(ThreadId(0)),
            received_at: Some(at(-1)),
            labels: Some(Labels::default()),
            folders: Vec::new(),
            message_id: Some(String::new()),
            discovery: i64::MAX,
            orphaned: Some(i64::MIN),
            envelope: Some(Vec::new()),
            ..samples::message(0)
        },
        MessageRow {
            digest: Digest128([255; 16]),
            thread: Some(ThreadId(u64::MAX)),
            received_at: Some(at(253_402_300_799_999)),
            labels: Some(Labels::new(Flags::from_bits_retain(u16::MAX), Vec::new())),
            folders: vec![FolderId(0), FolderId(u64::MAX), FolderId(0)],
            seq: Seq(i64::MAX),
            born: Seq(-1),
            orphaned: Some(0),
            ..samples::message(u64::MAX)
        },
        MessageRow {
            received_at: Some(at(i64::from(i32::MIN) * 1_000 + 1)),
            born: Seq(i64::MAX),
            orphaned: Some(i64::MAX),
            ..samples::message(1 << 63)
        },
    ];
    mailbox
        .commit(Commit {
            messages: rows.to_vec(),
            ..Commit::default()
        })
        .await?;
    for row in rows {
        let found = mailbox.store.message(mailbox.account, row.id).await?;
        assert_eq!(found, Some((row, Vec::new())));
    }
    let none = mailbox.store.message(mailbox.account, MessageId(1)).await?;
    assert!(none.is_none());
    Ok(())
}

/// What is finer is cut off.
pub async fn times_are_kept_to_the_millisecond(fixture: &Fixture) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    let fine = at(samples::NOW) + std::time::Duration::from_nanos(999_999);
    let row = MessageRow {
        received_at: Some(fine),
        ..samples::message(5)
    };
    mailbox
        .commit(Commit {
            messages: vec![row],
            ..Commit::default()
        })
        .await?;
    let found = mailbox.store.message(mailbox.account, MessageId(5)).await?;
    assert_eq!(found, Some((samples::message(5), Vec::new())));
    assert_eq!(mailbox.store.account(AccountId(404)).await?, None);
    Ok(())
}
