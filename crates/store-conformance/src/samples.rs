//! Records to store.

use std::time::Duration;

use email_model::{
    Classification, Digest128, DraftId, EntryKey, Flags, FolderId, FolderKey, FolderKind,
    FolderRole, Labels, MessageId, ScopeKey, ThreadId,
};
use gateway_store::{
    Account, AccountId, Application, ApplicationId, CredentialState, DraftRow, EntryRow, FolderRow,
    JournalRecord, LeaseRequest, Lineage, MessageRow, NewJournal, ScopeNumber, ScopeRow,
    ScopeWrite, SendId, SendRow, SendState, Seq, TokenStatus,
};
use serde_json::json;

use crate::fixture::at;

/// The moment at which cases happen.
pub(crate) const NOW: i64 = 1_760_000_000_123;

pub(crate) fn application(id: i64) -> Application {
    Application {
        id: ApplicationId(id),
        client_id: format!("client-{id}"),
        secret_hash: [u8::try_from(id).unwrap_or(0); 32],
        return_urls: vec![format!("https://app-{id}.example/return")],
        token_response: false,
        created_at: at(NOW),
    }
}

pub(crate) fn account(application: ApplicationId, id: i64) -> Account {
    Account {
        id: AccountId(id),
        application,
        kind: "imap".into(),
        service_type: "imap".into(),
        mailbox: format!("imap:user{id}@mail.example"),
        email: Some(format!("User{id}@Mail.Example")),
        login: format!("user{id}"),
        active: true,
        details: json!({ "name": "Ada", "zone": { "id": "Europe/Oslo" }, "scopes": ["mail"] }),
        connection_settings: json!({ "host": "mail.example", "port": 993 }),
        connection_secret: b"sealed secret".to_vec(),
        credentials: CredentialState {
            status: TokenStatus::Invalid,
            error: Some("refused".into()),
            refused_at: Some(at(NOW - 1)),
        },
        created_at: at(NOW),
        updated_at: at(NOW + 1),
    }
}

pub(crate) fn journal(epoch: i64) -> NewJournal {
    NewJournal {
        epoch,
        key: vec![9; 61],
        record: record(),
    }
}

pub(crate) fn record() -> JournalRecord {
    JournalRecord {
        started_at: Some(at(NOW)),
        window: Some(None),
        verified_at: Some(at(NOW - 5)),
        lineage: vec![Lineage {
            tag: 77,
            from: Seq(5),
            began_at: at(NOW - 9),
        }],
        ..JournalRecord::default()
    }
}

pub(crate) fn scope(number: i32, version: i64) -> ScopeWrite {
    ScopeWrite {
        row: ScopeRow {
            number: ScopeNumber(number),
            key: ScopeKey(format!("folder-{number}")),
            cursor: Some(email_model::Cursor(vec![1, 0, 255])),
            version,
            state: format!("generation {number}"),
        },
    }
}

pub(crate) fn folder(id: u64) -> FolderRow {
    FolderRow {
        id: FolderId(id),
        key: FolderKey(format!("folder-{id}")),
        name: format!("Folder {id}"),
        full_name: format!("Above/Folder {id}"),
        parent: Some(FolderId(u64::MAX)),
        role: Some(FolderRole::Archive),
        kind: FolderKind::Label,
        selectable: true,
    }
}

/// A message with every field known, found by a first scan.
pub(crate) fn message(id: u64) -> MessageRow {
    let mut digest = [id.to_le_bytes()[0]; 16];
    digest[..8].copy_from_slice(&id.to_be_bytes());
    MessageRow {
        id: MessageId(id),
        digest: Digest128(digest),
        thread: Some(ThreadId(id)),
        thread_provisional: false,
        received_at: Some(at(NOW)),
        labels: Some(Labels {
            flags: Flags::SEEN | Flags::FORWARDED,
            keywords: vec!["$Important".into(), "later".into()],
            classifications: vec![Classification::Social, Classification::Forums],
        }),
        folders: vec![FolderId(u64::MAX), FolderId(1)],
        message_id: Some(format!("<{id}@mail.example>")),
        seq: Seq::FIRST_SCAN,
        born: Seq(0),
        discovery: i64::try_from(id & 0xffff_ffff).unwrap_or(1),
        orphaned: None,
        gone: false,
        envelope: Some(vec![7; 40]),
    }
}

/// A message of which nothing is known but its id.
pub(crate) fn bare_message(id: u64) -> MessageRow {
    MessageRow {
        thread: None,
        received_at: None,
        labels: None,
        folders: Vec::new(),
        message_id: None,
        seq: Seq::UNANNOUNCED,
        envelope: None,
        ..message(id)
    }
}

pub(crate) fn key(number: u64) -> EntryKey {
    EntryKey(number.to_be_bytes().to_vec())
}

pub(crate) fn entry(scope: i32, number: u64, message: u64) -> EntryRow {
    EntryRow {
        scope: ScopeNumber(scope),
        key: key(number),
        message: MessageId(message),
    }
}

/// A draft that is the message of the same number.
pub(crate) fn draft(id: u64) -> DraftRow {
    DraftRow {
        id: DraftId(id),
        message: MessageId(id),
        version: 0,
        record: json!({ "id": "backend's own", "messageId": "<1@mail.example>" }),
    }
}

/// A send with a key of its own, due at this time and held by nobody.
pub(crate) fn send(account: AccountId, id: i64, due_at: i64) -> SendRow {
    SendRow {
        id: SendId(id),
        account,
        key: Some(send_key(id)),
        request: [3; 32],
        draft: None,
        state: SendState::Queued,
        due_at: Some(at(due_at)),
        holder: None,
        held_until: None,
        version: 0,
        record: json!({ "messageId": "<1@mail.example>" }),
        content: Some(vec![0, 1, 255]),
        created_at: at(NOW),
    }
}

/// The key of the send of this number.
pub(crate) fn send_key(id: i64) -> [u8; 32] {
    let mut key = [7; 32];
    key[..8].copy_from_slice(&id.to_be_bytes());
    key
}

pub(crate) fn lease(account: AccountId, holder: &str, now: i64) -> LeaseRequest {
    LeaseRequest {
        account,
        holder: holder.into(),
        now: at(now),
        lasts: Duration::from_secs(30),
    }
}
