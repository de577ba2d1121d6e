//! The messages of a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rand::Rng;
use serde_json::{Value, json};

use super::walk::{Due, Removed, Round, Stage, enter, leave, page_size, visible};
use crate::answer::Answer;
use crate::error::ApiError;
use crate::handlers::{Request, lists, mailbox};
use crate::mailbox::{Change, FolderKey, Kind, Number};
use crate::odata::{Expr, Literal, Operator, Source};
use crate::query::Query;
use crate::render::{Shown, View, message_json};
use crate::world::World;

/// How many changes a replay repeats.
const REPLAYED: usize = 5;

pub(crate) fn messages(world: &mut World, request: &Request) -> Result<Answer, ApiError> {
    let folder = request.folder(mailbox(world, request)?)?;
    let found = mailbox(world, request)?.folders.get(&folder);
    if found.is_some_and(|folder| folder.search.is_some()) {
        return Err(ApiError::wrong(
            400,
            "ErrorInvalidOperation",
            "Search folders have no changes of their own.",
        ));
    }
    let (stage, options) = enter(world, request)?;
    let since = check(&options)?;
    let round = match stage {
        Stage::Round(round) => round,
        Stage::Start => first(world, request, folder, since),
        Stage::Since(seq) => next(world, request, folder, seq, &options, since),
    };
    let empty = round.at < round.due.len() && lists::empty_page(world, request);
    let size = if empty {
        0
    } else {
        page_size(world, request, &options)
    };
    let end = round.due.len().min(round.at + size);
    let items = show(world, request, folder, &options, &round, end)?;
    let bodies = options.select.wants("body") || options.select.names("uniqueBody");
    lists::slow(world, request, items.len(), bodies)?;
    let more = end < round.due.len() || (world.settings.empty_last_delta_page && end > round.at);
    let stage = if more {
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
        "Collection(message)",
    )
}

/// The rules for options ("message: delta"), and what `$filter` says in milliseconds.
fn check(options: &Query) -> Result<Option<i64>, ApiError> {
    if let Some(order) = &options.order {
        let received = order.0.len() == 1 && order.0[0].0 == ["receivedDateTime"] && order.0[0].1;
        if !received {
            return Err(ApiError::query(
                "The only $orderby of a delta is 'receivedDateTime desc'.",
            ));
        }
    }
    match &options.filter {
        None => Ok(None),
        Some(Expr::Compare(path, operator, Literal::Instant(ms)))
            if path == &["receivedDateTime"] =>
        {
            match operator {
                Operator::Ge => Ok(Some(*ms)),
                Operator::Gt => Ok(Some(ms + 1)),
                _ => Err(ApiError::query(
                    "The only $filter of a delta is 'receivedDateTime' with ge or gt.",
                )),
            }
        }
        Some(_) => Err(ApiError::query(
            "The only $filter of a delta is 'receivedDateTime' with ge or gt.",
        )),
    }
}

fn first(world: &mut World, request: &Request, folder: FolderKey, since: Option<i64>) -> Round {
    let until = visible(world, request);
    let most = if since.is_some() {
        world.settings.filtered_delta
    } else {
        usize::MAX
    };
    let mut due = Vec::new();
    if let Some(mailbox) = world.users.get(&request.user()) {
        // What came after what is visible is not there yet.
        let later: BTreeSet<Number> = mailbox
            .log
            .messages(folder, until, u64::MAX)
            .iter()
            .filter(|change| matches!(change.kind, Kind::Created | Kind::Arrived))
            // What no round will tell of is told by this one.
            .filter(|change| !change.silent)
            .map(|change| change.number)
            .collect();
        due = mailbox
            .in_folder(folder)
            .filter(|stored| stored.sending_since.is_none() && !later.contains(&stored.number))
            .filter(|stored| since.is_none_or(|since| stored.received_ms >= since))
            .take(most)
            .map(|stored| {
                let removed = Removed {
                    id: Arc::clone(&stored.id),
                    immutable_id: Arc::clone(&stored.immutable_id),
                };
                Due::Message(stored.number, removed)
            })
            .collect();
    }
    repeat(world, request, &mut due);
    Round {
        due: Arc::new(due),
        at: 0,
        until,
        first: true,
    }
}

/// Some items stand in the round twice.
pub(super) fn repeat(world: &mut World, request: &Request, due: &mut Vec<Due>) {
    let World { faults, rng, .. } = world;
    if !faults.concern(request.method.id) {
        return;
    }
    let doubled: Vec<Due> = due
        .iter()
        .filter(|_| faults.duplicates.strikes(rng))
        .cloned()
        .collect();
    for one in doubled {
        let at = rng.random_range(0..=due.len());
        due.insert(at, one);
    }
}

/// What happened to a message in the folder in this round's time.
struct Story {
    number: Number,
    names: Removed,
    last: u64,
    /// It left, at least once.
    left: bool,
    /// It is not there at the end.
    gone: bool,
    came: bool,
    first_came: bool,
    read_flag_alone: bool,
    /// There is something to report besides that it left.
    reported: bool,
}

fn next(
    world: &mut World,
    request: &Request,
    folder: FolderKey,
    seq: u64,
    options: &Query,
    since: Option<i64>,
) -> Round {
    let until = visible(world, request).max(seq);
    let World {
        users, faults, rng, ..
    } = &mut *world;
    let concerned = faults.concern(request.method.id);
    let immutable = request.prefer.immutable_ids;
    let mut due = Vec::new();
    if let Some(mailbox) = users.get(&request.user()) {
        let mut after = seq;
        if concerned && faults.replays.strikes(rng) {
            let earlier = mailbox.log.messages(folder, 0, seq);
            let start = earlier.len().saturating_sub(REPLAYED);
            after = earlier.get(start).map_or(seq, |change| change.seq - 1);
        }
        let changes = mailbox.log.messages(folder, after, until);
        for story in stories(changes, immutable) {
            let received = mailbox
                .messages
                .get(&story.number)
                .map(|stored| stored.received_ms);
            let outside = received
                .zip(since)
                .is_some_and(|(received, since)| received < since);
            if story.gone || !story.reported {
                let visit = story.gone && story.first_came;
                if story.left && !(visit && concerned && faults.untold_visits.strikes(rng)) {
                    due.push(Due::Removed(story.names));
                }
                continue;
            }
            if outside || !wanted(&story, &options.change_types) {
                continue;
            }
            if immutable && story.left && concerned && faults.lost_returns.strikes(rng) {
                due.push(Due::Removed(story.names));
                continue;
            }
            let doubled = concerned && faults.duplicates.strikes(rng);
            let again = if story.left && doubled {
                Some(Due::Removed(story.names.clone()))
            } else {
                doubled.then(|| Due::Message(story.number, story.names.clone()))
            };
            if let Some(again) = again {
                let at = rng.random_range(0..=due.len());
                due.insert(at, again);
            }
            due.push(
                if story.read_flag_alone && concerned && faults.partial_items.strikes(rng) {
                    Due::ReadFlag(story.number, story.names)
                } else {
                    Due::Message(story.number, story.names)
                },
            );
        }
    }
    Round {
        due: Arc::new(due),
        at: 0,
        until,
        first: false,
    }
}

/// `changeType` is no filter for what left and for the read flag, which come whatever it says.
fn wanted(story: &Story, change_types: &[String]) -> bool {
    if change_types.is_empty() || story.read_flag_alone {
        return true;
    }
    let kind = if story.came { "created" } else { "updated" };
    change_types.iter().any(|wanted| wanted == kind)
}

/// The changes by message, in the order of the last of each. With ids that change, a message that came back is another.
fn stories(changes: &[Change], immutable: bool) -> Vec<Story> {
    let mut found: BTreeMap<Arc<str>, Story> = BTreeMap::new();
    for change in changes {
        let name = if immutable {
            &change.immutable_id
        } else {
            &change.id
        };
        let came = matches!(change.kind, Kind::Created | Kind::Arrived);
        let story = found.entry(Arc::clone(name)).or_insert_with(|| Story {
            number: change.number,
            names: Removed {
                id: Arc::clone(&change.id),
                immutable_id: Arc::clone(&change.immutable_id),
            },
            last: change.seq,
            left: false,
            gone: false,
            came: false,
            first_came: came,
            read_flag_alone: true,
            reported: false,
        });
        story.last = change.seq;
        story.names.id = Arc::clone(&change.id);
        if change.kind == Kind::Removed {
            story.left = true;
            story.gone = true;
            story.reported = false;
            continue;
        }
        story.came |= came;
        story.gone = false;
        story.read_flag_alone &= change.kind == Kind::ReadFlag;
        story.reported |= !(change.silent && immutable);
    }
    let mut stories: Vec<Story> = found.into_values().collect();
    stories.sort_by_key(|story| story.last);
    stories
}

fn show(
    world: &World,
    request: &Request,
    folder: FolderKey,
    options: &Query,
    round: &Round,
    end: usize,
) -> Result<Vec<Value>, ApiError> {
    let mailbox = mailbox(world, request)?;
    let view = View {
        mailbox,
        settings: &world.settings,
        prefer: &request.prefer,
        basic: request.basic,
    };
    let immutable = request.prefer.immutable_ids;
    let reason = world.settings.removed_reason;
    let mut items = Vec::new();
    for due in round.due.get(round.at..end).unwrap_or_default() {
        let (number, names, partial) = match due {
            Due::Message(number, names) => (number, names, false),
            Due::ReadFlag(number, names) => (number, names, true),
            Due::Removed(names) => {
                items.push(names.json(immutable, reason));
                continue;
            }
            Due::Folder(..) => continue,
        };
        let stored = mailbox
            .messages
            .get(number)
            .filter(|stored| stored.folder == folder);
        match stored {
            Some(stored) => {
                let shown = Shown { view, stored };
                items.push(if partial {
                    json!({
                        "@odata.type": "#microsoft.graph.message",
                        "id": shown.id(),
                        "isRead": stored.read,
                        "parentFolderId": shown.property("parentFolderId"),
                    })
                } else {
                    let mut item = message_json(&shown, &options.select, &options.expand);
                    item["@odata.type"] = json!("#microsoft.graph.message");
                    item
                });
            }
            // It left while the client walked: a first round need not have told of it.
            None if !round.first => items.push(names.json(immutable, reason)),
            None => {}
        }
    }
    Ok(items)
}
