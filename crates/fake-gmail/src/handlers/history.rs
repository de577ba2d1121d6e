//! `users.history`.

use serde_json::{Map, Value, json};

use super::Context;
use super::pages::{empty_page, expire_token};
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
    let mut place = match token {
        None => Place {
            after: start,
            empty_pages: 0,
            end: None,
        },
        Some(token) => Place::open(token, start)?,
    };
    expire_token(context)?;
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
    if concerned && context.world.faults.frozen_walks {
        place.end.get_or_insert(visible);
    }
    let end = place.end.unwrap_or(visible).min(visible);
    if empty_page(context, place.empty_pages) {
        place.empty_pages += 1;
        let next = place.token(start);
        return Ok(json!({"historyId": visible.to_string(), "nextPageToken": next}));
    }
    place.empty_pages = 0;
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
    for record in mailbox.records_after(place.after) {
        if record.id > end {
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
        place.after = *last;
    }
    let world = &mut *context.world;
    let probability = if concerned {
        world.faults.duplicated_history
    } else {
        0.0
    };
    // A page after which only its last record comes again still leads on.
    if ids.len() > 1 && strikes(probability, &mut world.rng) {
        place.after = ids[ids.len() - 2];
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
        value["nextPageToken"] = json!(place.token(start));
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

/// Where a walk goes on.
struct Place {
    /// The last record shown.
    after: u64,
    empty_pages: u32,
    /// The last record of the walk, where that was fixed at its beginning.
    end: Option<u64>,
}

impl Place {
    fn token(&self, start: u64) -> String {
        seal(&[
            "history".to_owned(),
            start.to_string(),
            self.after.to_string(),
            self.empty_pages.to_string(),
            self.end.unwrap_or_default().to_string(),
        ])
    }

    /// Tokens are good with the walk's own start only.
    fn open(token: &str, start: u64) -> Result<Self, ApiError> {
        let bad = || ApiError::invalid("Invalid pageToken");
        let words = open(token).ok_or_else(bad)?;
        let [kind, of, after, empty_pages, end] = words.as_slice() else {
            return Err(bad());
        };
        if kind != "history" || *of != start.to_string() {
            return Err(bad());
        }
        let end: u64 = end.parse().map_err(|_| bad())?;
        Ok(Self {
            after: after.parse().map_err(|_| bad())?,
            empty_pages: empty_pages.parse().map_err(|_| bad())?,
            end: (end > 0).then_some(end),
        })
    }
}
