//! Rows of the database as records.

use email_model::{Cursor, Digest128, EntryKey, Flags, Labels, ScopeKey};
use gateway_store::{
    Account, AccountId, Application, ApplicationId, DraftRow, EntryRow, Journal, MessageRow,
    ScopeNumber, ScopeRow, SendId, SendRow, Seq, StoreResult,
};

use crate::{
    Columns, damaged,
    encoding::{
        read_classifications, read_draft_id, read_folders, read_json, read_message_id,
        read_send_state, read_text, read_thread_id, read_time,
    },
};

pub(crate) fn application(row: &impl Columns) -> StoreResult<Application> {
    Ok(Application {
        id: ApplicationId(row.long(0)?),
        client_id: read_text(row.bytes(1)?)?,
        secret_hash: fixed(row.bytes(2)?)?,
        return_urls: read_json(&row.text(3)?)?,
        created_at: read_time(row.long(4)?)?,
        token_response: row.truth(5)?,
    })
}

pub(crate) fn account(row: &impl Columns) -> StoreResult<Account> {
    Ok(Account {
        id: AccountId(row.long(0)?),
        application: ApplicationId(row.long(1)?),
        kind: read_text(row.bytes(2)?)?,
        service_type: read_text(row.bytes(3)?)?,
        mailbox: read_text(row.bytes(4)?)?,
        email: row.bytes_or_null(5)?.map(read_text).transpose()?,
        login: read_text(row.bytes(6)?)?,
        active: row.truth(7)?,
        details: read_json(&row.text(8)?)?,
        connection_settings: read_json(&row.text(9)?)?,
        connection_secret: row.bytes(10)?,
        credentials: read_json(&row.text(11)?)?,
        created_at: read_time(row.long(12)?)?,
        updated_at: read_time(row.long(13)?)?,
    })
}

pub(crate) fn journal(row: &impl Columns) -> StoreResult<Journal> {
    Ok(Journal {
        epoch: row.long(1)?,
        head: Seq(row.long(2)?),
        horizon: Seq(row.long(3)?),
        tick: row.long(4)?,
        revision: row.long(5)?,
        discovered: row.long(6)?,
        key: row.bytes(7)?,
        record: read_json(&row.text(8)?)?,
    })
}

pub(crate) fn scope(row: &impl Columns) -> StoreResult<ScopeRow> {
    Ok(ScopeRow {
        number: ScopeNumber(row.int(0)?),
        key: ScopeKey(read_text(row.bytes(1)?)?),
        cursor: row.bytes_or_null(2)?.map(Cursor),
        version: row.long(3)?,
        state: row.text(4)?,
    })
}

/// The columns that [`entry`] reads.
#[macro_export]
macro_rules! entry_columns {
    () => {
        "entry.scope, entry.key, entry.message"
    };
}

/// An entry of `entry_columns!`.
pub fn entry(row: &impl Columns) -> StoreResult<EntryRow> {
    Ok(EntryRow {
        scope: ScopeNumber(row.int(0)?),
        key: EntryKey(row.bytes(1)?),
        message: read_message_id(row.long(2)?),
    })
}

/// The columns that [`message`] reads.
#[macro_export]
macro_rules! message_columns {
    () => {
        "message.id, message.digest, message.thread, message.thread_provisional, \
         message.received_at, message.flags, message.keywords, message.classifications, \
         message.folders, message.message_id, message.seq, message.born, message.discovery, \
         message.orphaned, message.gone, message.envelope"
    };
}

/// A message of `message_columns!`.
pub fn message(row: &impl Columns) -> StoreResult<MessageRow> {
    let labels = match row.short_or_null(5)? {
        None => None,
        Some(flags) => Some(Labels {
            flags: Flags::from_bits_retain(u16::from_ne_bytes(flags.to_ne_bytes())),
            keywords: match row.text_or_null(6)? {
                None => Vec::new(),
                Some(keywords) => read_json(&keywords)?,
            },
            classifications: read_classifications(row.short_or_null(7)?),
        }),
    };
    Ok(MessageRow {
        id: read_message_id(row.long(0)?),
        digest: Digest128(fixed(row.bytes(1)?)?),
        thread: row.long_or_null(2)?.map(read_thread_id),
        thread_provisional: row.truth(3)?,
        received_at: row.long_or_null(4)?.map(read_time).transpose()?,
        labels,
        folders: read_folders(&row.bytes(8)?)?,
        message_id: row.bytes_or_null(9)?.map(read_text).transpose()?,
        seq: Seq(row.long(10)?),
        born: Seq(row.long_or_null(11)?.unwrap_or(0)),
        discovery: row.long(12)?,
        orphaned: row.long_or_null(13)?,
        gone: row.truth(14)?,
        envelope: row.bytes_or_null(15)?,
    })
}

pub(crate) fn draft(row: &impl Columns) -> StoreResult<DraftRow> {
    Ok(DraftRow {
        id: read_draft_id(row.long(0)?),
        message: read_message_id(row.long(1)?),
        version: row.long(2)?,
        record: read_json(&row.text(3)?)?,
    })
}

pub(crate) fn send(row: &impl Columns) -> StoreResult<SendRow> {
    Ok(SendRow {
        id: SendId(row.long(0)?),
        account: AccountId(row.long(1)?),
        key: row.bytes_or_null(2)?.map(fixed).transpose()?,
        request: fixed(row.bytes(3)?)?,
        draft: row.long_or_null(4)?.map(read_draft_id),
        state: read_send_state(&row.text(5)?)?,
        due_at: row.long_or_null(6)?.map(read_time).transpose()?,
        holder: row.text_or_null(7)?,
        held_until: row.long_or_null(8)?.map(read_time).transpose()?,
        version: row.long(9)?,
        record: read_json(&row.text(10)?)?,
        created_at: read_time(row.long(11)?)?,
        content: row.bytes_or_null(12)?,
    })
}

fn fixed<const N: usize>(bytes: Vec<u8>) -> StoreResult<[u8; N]> {
    bytes
        .try_into()
        .map_err(|_| damaged("a value of the wrong length"))
}
