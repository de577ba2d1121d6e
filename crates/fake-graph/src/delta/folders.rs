//! The folders of the mailbox, in no order: a child may stand before its parent.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::messages::repeat;
use super::walk::{Due, Removed, Round, Stage, enter, leave, page_size, visible};
use crate::answer::Answer;
use crate::error::ApiError;
use crate::handlers::{Request, lists, mailbox};
use crate::mailbox::{FolderKey, Mailbox};
use crate::query::Query;
use crate::render::{FolderView, folder_json};
use crate::world::World;

const REPLAYED: usize = 3;

pub(crate) fn folders(world: &mut World, request: &Request) -> Result<Answer, ApiError> {
    let (stage, options) = enter(world, request)?;
    let round = match stage {
        Stage::Round(round) => round,
        Stage::Start => first(world, request, &options),
        Stage::Since(seq) => next(world, request, seq, &options),
    };
    let empty = round.at < round.due.len() && lists::empty_page(world, request);
    let size = if empty {
        0
    } else {
        page_size(world, request, &options)
    };
    let end = round.due.len().min(round.at + size);
    let items = show(world, request, &options, &round, end)?;
    let stage = if end < round.due.len() {
        Stage::Round(Round { at: end, ..round })
    } else {
        Stage::Since(round.until)
    };
    leave(
        world,
        request,
        &options,
        items,
        stage,
        "Collection(mailFolder)",
    )
}

fn shows(mailbox: &Mailbox, key: FolderKey, options: &Query) -> bool {
    let hidden = mailbox
        .folders
        .get(&key)
        .is_some_and(|folder| folder.hidden);
    mailbox.in_tree(key) && (options.hidden || !hidden)
}

fn first(world: &mut World, request: &Request, options: &Query) -> Round {
    let until = visible(world, request);
    let mut due = Vec::new();
    if let Some(mailbox) = world.users.get(&request.user()) {
        let mut found: Vec<(&str, FolderKey)> = mailbox
            .folders
            .values()
            .filter(|folder| folder.version <= until && shows(mailbox, folder.key, options))
            .map(|folder| (folder.id.as_str(), folder.key))
            .collect();
        found.sort_unstable();
        due.extend(
            found
                .into_iter()
                .map(|(id, key)| Due::Folder(key, id.to_owned())),
        );
    }
    repeat(world, request, &mut due);
    Round {
        due: Arc::new(due),
        at: 0,
        until,
        first: true,
    }
}

fn next(world: &mut World, request: &Request, seq: u64, options: &Query) -> Round {
    let until = visible(world, request).max(seq);
    let mut due = Vec::new();
    let World {
        users, faults, rng, ..
    } = &mut *world;
    let concerned = faults.concern(request.method.id);
    if let Some(mailbox) = users.get(&request.user()) {
        let mut after = seq;
        if concerned && faults.replays.strikes(rng) {
            let earlier = mailbox.log.folders(0, seq);
            let start = earlier.len().saturating_sub(REPLAYED);
            after = earlier.get(start).map_or(seq, |change| change.seq - 1);
        }
        let noise = concerned && faults.folder_noise;
        let mut found: BTreeMap<FolderKey, (u64, Due)> = BTreeMap::new();
        for change in mailbox.log.folders(after, until) {
            let removed = change.removed || (!mailbox.in_tree(change.key) && !change.counts);
            let told =
                removed || ((noise || !change.counts) && shows(mailbox, change.key, options));
            if !told {
                continue;
            }
            let one = if removed {
                let id: Arc<str> = change.id.as_str().into();
                Due::Removed(Removed {
                    immutable_id: Arc::clone(&id),
                    id,
                })
            } else {
                Due::Folder(change.key, change.id.clone())
            };
            found.insert(change.key, (change.seq, one));
        }
        let mut ordered: Vec<(u64, Due)> = found.into_values().collect();
        ordered.sort_by_key(|(seq, _)| *seq);
        due.extend(ordered.into_iter().map(|(_, one)| one));
    }
    repeat(world, request, &mut due);
    Round {
        due: Arc::new(due),
        at: 0,
        until,
        first: false,
    }
}

fn show(
    world: &mut World,
    request: &Request,
    options: &Query,
    round: &Round,
    end: usize,
) -> Result<Vec<Value>, ApiError> {
    let slim: Vec<bool> = {
        let World { faults, rng, .. } = &mut *world;
        let concerned = faults.concern(request.method.id);
        (round.at..end)
            .map(|_| concerned && faults.partial_folders.strikes(rng))
            .collect()
    };
    let mailbox = mailbox(world, request)?;
    let items = round
        .due
        .get(round.at..end)
        .unwrap_or_default()
        .iter()
        .zip(slim);
    let items = items.filter_map(|(due, slim)| match due {
        Due::Folder(key, id) => Some(match mailbox.folders.get(key) {
            Some(folder) => folder_json(
                &FolderView { mailbox, folder },
                &options.select,
                &options.expand,
                slim,
            ),
            None => json!({"id": id, "@removed": {"reason": "deleted"}}),
        }),
        Due::Removed(names) => Some(names.json(false, "deleted")),
        Due::Message(..) | Due::ReadFlag(..) => None,
    });
    Ok(items.collect())
}
