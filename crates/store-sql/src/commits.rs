//! Writing a change of a journal: all but the bulk of messages and entries.

use std::{collections::HashMap, hash::Hash};

use gateway_store::{
    AccountId, Commit, FolderRow, ScopeNumber, ScopeWrite, StoreError, StoreResult,
};

use crate::{Columns, Session, encoding, values};

// what only rises stays where it is if the caller has less
const ADVANCE: &str = "update journal set revision = revision + 1,
     head = case when $3 > head then $3 else head end,
     discovered = case when $4 > discovered then $4 else discovered end,
     tick = case when $5 > tick then $5 else tick end,
     horizon = case when $6 > horizon then $6 else horizon end,
     record = coalesce($7, record),
     synchronises = coalesce($8, synchronises)
     where account = $1 and revision = $2 returning number";
const EXISTS: &str = "select 1 from journal where account = $1";
const INSERT_SCOPE: &str = "insert into scope (journal, number, key, cursor, state, version)
     values ($1, $2, $3, $4, $5, 1) on conflict (journal, number) do nothing";
const UPDATE_SCOPE: &str = "update scope set key = $3, cursor = $4, state = $5,
     version = version + 1 where journal = $1 and number = $2 and version = $6";
const REMOVE_SCOPE: &str = "delete from scope where journal = $1 and number = $2";
const PUT_FOLDERS: &str = "insert into folder_list (journal, folders) values ($1, $2)
     on conflict (journal) do update set folders = excluded.folders";

/// Raises the journal's counters, which locks it until the transaction ends: changes of one journal
/// are committed one after the other. Returns the journal's number.
pub async fn advance(
    session: &mut impl Session,
    account: AccountId,
    commit: &Commit,
) -> StoreResult<i64> {
    let values = values![
        account.0,
        commit.revision,
        commit.head.map(|head| head.0),
        commit.discovered,
        commit.tick,
        commit.horizon.map(|horizon| horizon.0),
        commit.record.as_ref().map(encoding::json).transpose()?,
        commit
            .record
            .as_ref()
            .map(|record| record.started_at.is_some()),
    ];
    if let Some(row) = session.row(ADVANCE, values).await? {
        return Ok(row.int(0)?.into());
    }
    match session.row(EXISTS, values![account.0]).await? {
        Some(_) => Err(StoreError::Conflict),
        None => Err(StoreError::NotFound),
    }
}

/// Writes scopes, each if its version is still what it was, and removes others.
pub async fn scopes(
    session: &mut impl Session,
    journal: i64,
    writes: &[ScopeWrite],
    removed: &[ScopeNumber],
) -> StoreResult<()> {
    for ScopeWrite { row } in writes {
        let mut values = values![
            journal,
            row.number.0,
            row.key.0.as_bytes(),
            row.cursor.as_ref().map(|cursor| cursor.0.clone()),
            row.state.clone(),
        ];
        let text = if row.version == 0 {
            INSERT_SCOPE
        } else {
            values.extend(values![row.version]);
            UPDATE_SCOPE
        };
        if session.execute(text, values).await? == 0 {
            return Err(StoreError::Fenced);
        }
    }
    for number in removed {
        session
            .execute(REMOVE_SCOPE, values![journal, number.0])
            .await?;
    }
    Ok(())
}

/// Replaces the folders.
pub async fn folders(
    session: &mut impl Session,
    journal: i64,
    folders: &[FolderRow],
) -> StoreResult<()> {
    let values = values![journal, encoding::json(folders)?];
    session.execute(PUT_FOLDERS, values).await?;
    Ok(())
}

/// The rows with the last one of each key only, since one statement cannot write a row twice.
pub fn distinct<'a, T, K: Eq + Hash>(rows: &'a [T], key: impl Fn(&'a T) -> K) -> Vec<&'a T> {
    let mut last = HashMap::with_capacity(rows.len());
    for (place, row) in rows.iter().enumerate() {
        last.insert(key(row), place);
    }
    let is_last = |&(place, row): &(usize, &'a T)| last.get(&key(row)) == Some(&place);
    let rows = rows.iter().enumerate();
    rows.filter(is_last).map(|(_, row)| row).collect()
}
