//! `users.history`.

use serde_json::{Map, Value, json};

use super::Context;
use super::pages::empty_page;
use crate::encoding::{open, seal};
use crate::error::ApiError;
use crate::faults::{HistoryExpired, strikes};
use crate::mailbox::{Change, Mailbox, Record};
use crate::payload::hex;
use crate::settings::HistoryLabels;

const DEFAULT_RESULTS: u64 = 100;

pub(super) fn list(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let query = context.request.query.clone();
    let missing = || ApiError::invalid("Missing/invalid parameter: startHistoryId");
    let start = query.number("startHistoryId").ok_or_else(missing)?;
    let token = query.get("pageToken");
    let (mut after, empty_pages) = match token {
        None => (start, 0),
        Some(token) => place(token, start)?,
    };
    let concerned = context.world.faults.concern(context.request.method.id);
    let expired = match context.world.faults.history_expired {
        HistoryExpired::Never => false,
        HistoryExpired::AtStart => concerned,
        HistoryExpired::MidWalk => concerned && token.is_some(),
    };
    let newest = context.mailbox()?.history_id;
    if expired || start < context.mailbox()?.history_floor || start > newest {
        return Err(ApiError::not_found());
    }
    let visible = context.visible(true)?;
    if empty_page(context, empty_pages) {
        let next = next_token(start, after, empty_pages + 1);
        return Ok(json!({"historyId": visible.to_string(), "nextPageToken": next}));
    }
    let most = query.number("maxResults").unwrap_or(DEFAULT_RESULTS) as usize;
    let types = query.all("historyTypes");
    let label = query.get("labelId").map(str::to_owned);
    let wanted = |change: &&Change| {
        (types.is_empty() || types.iter().any(|name| name == change.kind.type_name()))
            && label
                .as_ref()
                .is_none_or(|label| change.labels.contains(label))
    };
    let manner = context.world.settings.history_labels;
    let mailbox = context.mailbox()?;
    let mut records = Vec::new();
    let mut ids = Vec::new();
    let mut more = false;
    for record in mailbox.records_after(after) {
        if record.id > visible {
            break;
        }
        let changes: Vec<&Change> = record.changes.iter().filter(wanted).collect();
        if changes.is_empty() {
            continue;
        }
        if records.len() == most {
            more = true;
            break;
        }
        records.push(record_json(mailbox, record, &changes, manner));
        ids.push(record.id);
    }
    if let Some(last) = ids.last() {
        after = *last;
    }
    let world = &mut *context.world;
    let probability = if concerned {
        world.faults.duplicated_history
    } else {
        0.0
    };
    // A page after which only its last record comes again still leads on.
    if ids.len() > 1 && strikes(probability, &mut world.rng) {
        after = ids[ids.len() - 2];
    }
    let records: Vec<Value> = records
        .into_iter()
        .flat_map(|record| {
            let twice = strikes(probability, &mut world.rng);
            std::iter::repeat_n(record, if twice { 2 } else { 1 })
        })
        .collect();
    let mut value = json!({"historyId": visible.to_string()});
    if !records.is_empty() {
        value["history"] = json!(records);
    }
    if more {
        value["nextPageToken"] = json!(next_token(start, after, 0));
    }
    Ok(value)
}

fn record_json(
    mailbox: &Mailbox,
    record: &Record,
    changes: &[&Change],
    manner: HistoryLabels,
) -> Value {
    let mut value = Map::new();
    value.insert("id".into(), json!(record.id.to_string()));
    let mut messages: Vec<Value> = Vec::new();
    for change in changes {
        let bare = json!({"id": hex(change.message), "threadId": hex(change.thread)});
        if !messages.contains(&bare) {
            messages.push(bare.clone());
        }
        let labels = match manner {
            HistoryLabels::AtTheTime => Some(&change.labels),
            HistoryLabels::Current => mailbox
                .messages
                .get(&change.message)
                .map(|stored| &stored.labels),
            HistoryLabels::Absent => None,
        };
        let mut message = bare;
        if let Some(labels) = labels.filter(|labels| !labels.is_empty()) {
            message["labelIds"] = json!(labels);
        }
        let mut entry = json!({"message": message});
        if !change.delta.is_empty() {
            entry["labelIds"] = json!(change.delta);
        }
        let field = value
            .entry(change.kind.field())
            .or_insert_with(|| json!([]));
        if let Some(entries) = field.as_array_mut() {
            entries.push(entry);
        }
    }
    value.insert("messages".into(), json!(messages));
    Value::Object(value)
}

fn next_token(start: u64, after: u64, empty_pages: u32) -> String {
    seal(&[
        "history".to_owned(),
        start.to_string(),
        after.to_string(),
        empty_pages.to_string(),
    ])
}

/// The record after which the walk goes on; tokens are good with the walk's own start only.
fn place(token: &str, start: u64) -> Result<(u64, u32), ApiError> {
    let bad = || ApiError::invalid("Invalid pageToken");
    let words = open(token).ok_or_else(bad)?;
    let [kind, of, after, empty_pages] = words.as_slice() else {
        return Err(bad());
    };
    if kind != "history" || *of != start.to_string() {
        return Err(bad());
    }
    Ok((
        after.parse().map_err(|_| bad())?,
        empty_pages.parse().map_err(|_| bad())?,
    ))
}
