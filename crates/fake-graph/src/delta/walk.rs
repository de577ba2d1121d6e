//! Where a client is in a feed, and how it goes on.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::error::ApiError;
use crate::faults::Expiry;
use crate::handlers::{Request, mailbox_mut};
use crate::links;
use crate::mailbox::Number;
use crate::query::Query;
use crate::world::World;

/// What a token stands for.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    user: String,
    epoch: u64,
    url_path: String,
    /// The options of the first request, which go on.
    options: Vec<(String, String)>,
    stage: Stage,
    expired: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// Nothing was given yet.
    Start,
    /// In a round: what it gives, how much of it was given, and up to which change it goes.
    Round(Round),
    /// Between rounds: everything up to this change was given.
    Since(u64),
}

#[derive(Clone, Debug)]
pub(super) struct Round {
    pub due: Arc<Vec<Due>>,
    pub at: usize,
    pub until: u64,
    /// It gives everything that there is, not what changed.
    pub first: bool,
}

/// Something to be given.
#[derive(Clone, Debug)]
pub(super) enum Due {
    /// A message, or that it is gone by then.
    Message(Number, Removed),
    /// The read flag alone.
    ReadFlag(Number, Removed),
    Folder(u32, String),
    Removed(Removed),
}

#[derive(Clone, Debug)]
pub(super) struct Removed {
    pub id: Arc<str>,
    pub immutable_id: Arc<str>,
}

impl Removed {
    pub fn json(&self, immutable: bool, reason: &str) -> Value {
        let id = if immutable {
            &self.immutable_id
        } else {
            &self.id
        };
        json!({"id": id.as_ref(), "@removed": {"reason": reason}})
    }
}

/// Where this request is, with the options of the walk's first request.
pub(super) fn enter(world: &mut World, request: &Request) -> Result<(Stage, Query), ApiError> {
    let query = &request.query;
    let (token, mid) = match (&query.skip_token, &query.delta_token) {
        (Some(token), None) => (token, true),
        (None, Some(token)) if !token.is_empty() => (token, false),
        (None, _) => return Ok((Stage::Start, query.clone())),
        (Some(_), Some(_)) => return Err(ApiError::query("A link has one token.")),
    };
    let epoch = mailbox_mut(world, request)?.epoch;
    let World {
        walks, faults, rng, ..
    } = world;
    let Some(walk) = walks.get_mut(token) else {
        return Err(ApiError::wrong(
            400,
            "ErrorInvalidSyncStateData",
            "The token was never given.",
        ));
    };
    let same = decoded(&walk.url_path) == decoded(&request.url_path) && walk.user == request.user();
    if !same || mid != matches!(walk.stage, Stage::Round(_)) {
        return Err(ApiError::wrong(
            400,
            "ErrorInvalidSyncStateData",
            "The token belongs to another link.",
        ));
    }
    if faults.concern(request.method.id) && !walk.expired {
        walk.expired = which_strikes(faults, rng, mid);
    }
    if walk.expired || walk.epoch != epoch {
        return Err(expired(request, walk, faults.expiry));
    }
    let walk = walk.clone();
    let options = Query::read(request.method, walk.options)?;
    Ok((walk.stage, options))
}

fn which_strikes(
    faults: &mut crate::faults::Faults,
    rng: &mut rand_chacha::ChaCha8Rng,
    mid: bool,
) -> bool {
    if mid {
        faults.expired_walks.strikes(rng)
    } else {
        faults.expired_deltas.strikes(rng)
    }
}

fn expired(request: &Request, walk: &Walk, expiry: Expiry) -> ApiError {
    let message = "The sync state generation is not found; continuationToken=";
    match expiry {
        Expiry::Gone => {
            let mut options = walk.options.clone();
            options.push(("$deltatoken".to_owned(), String::new()));
            ApiError {
                location: Some(links::url(request, &options)),
                ..ApiError::refused(410, "syncStateNotFound", message)
            }
        }
        Expiry::ResyncRequired => ApiError::refused(410, "resyncRequired", "Resync required."),
        Expiry::SyncStateNotFound => ApiError::refused(400, "SyncStateNotFound", message),
        Expiry::SyncStateInvalid => {
            ApiError::refused(400, "SyncStateInvalid", "The sync state is invalid.")
        }
        Expiry::NotFound => ApiError::refused(404, "syncStateNotFound", message),
    }
}

/// How many items this page holds.
pub(super) fn page_size(world: &World, request: &Request, options: &Query) -> usize {
    let asked = request.prefer.page_size.or(options.top);
    asked
        .unwrap_or(world.settings.delta_page)
        .clamp(1, world.settings.largest_delta_page)
}

/// Writes a page, and the link that goes on after it.
pub(super) fn leave(
    world: &mut World,
    request: &Request,
    options: &Query,
    items: Vec<Value>,
    stage: Stage,
    what: &str,
) -> Result<Answer, ApiError> {
    let (link, option) = match &stage {
        Stage::Since(_) => ("@odata.deltaLink", "$deltatoken"),
        Stage::Round(_) | Stage::Start => ("@odata.nextLink", "$skiptoken"),
    };
    let mailbox = mailbox_mut(world, request)?;
    let token = token(mailbox.ids.octets());
    let walk = Walk {
        user: request.user(),
        epoch: mailbox.epoch,
        url_path: request.url_path.clone(),
        // The link of a reset carries an empty token, which is no option.
        options: options
            .pairs
            .iter()
            .filter(|(name, _)| name != "$deltatoken")
            .cloned()
            .collect(),
        stage,
        expired: false,
    };
    world.walks.insert(token.clone(), walk);
    let mut value = json!({"@odata.context": request.context(what)});
    value[link] = json!(links::url(request, &[(option.to_owned(), token)]));
    value["value"] = json!(items);
    Ok(Answer::json(200, &value))
}

fn token(octets: [u8; 24]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(octets)
}

fn decoded(path: &str) -> String {
    percent_encoding::percent_decode_str(path)
        .decode_utf8_lossy()
        .into_owned()
}

/// The newest change that deltas show.
pub(super) fn visible(world: &World, request: &Request) -> u64 {
    let Some(mailbox) = world.users.get(&request.user()) else {
        return 0;
    };
    if !world.faults.concern(request.method.id) {
        return mailbox.log.seq;
    }
    let lag = world.faults.lag;
    let younger_ms = i64::try_from(lag.time.as_millis()).unwrap_or(i64::MAX);
    mailbox.log.visible(lag.changes, younger_ms, request.now_ms)
}
