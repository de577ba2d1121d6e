//! Lists by pages, newest first.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Context;
use crate::encoding::{open, seal};
use crate::error::ApiError;
use crate::faults::strikes;
use crate::mailbox::{Entry, Id};
use crate::search::{Query as Search, Subject};

const DEFAULT_RESULTS: u64 = 100;
/// Lists estimate no more than this.
const HIGHEST_ESTIMATE: usize = 201;
const MOST_EMPTY_PAGES: u32 = 3;

/// A page of messages: ids with threads, and the token of the next page.
pub(crate) struct Page {
    pub items: Vec<(Id, Id)>,
    pub next: Option<String>,
    pub estimate: usize,
}

/// Where a list goes on: after a place, in the list of these filters.
struct Place {
    after: Option<(i64, Id)>,
    empty_pages: u32,
}

/// What a list leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kinds {
    Messages,
    /// The newest matching message of each thread.
    Threads,
    Drafts,
}

/// Lists messages that match the request's parameters.
pub(crate) fn list(context: &mut Context<'_>, kinds: Kinds) -> Result<Page, ApiError> {
    let query = context.request.query.clone();
    let words = query.get("q").unwrap_or_default();
    if context.request.restricted && query.get("q").is_some() {
        return Err(ApiError::forbidden(
            "Metadata scope does not support 'q' parameter",
        ));
    }
    let search = Search::parse(words);
    let labels = query.all("labelIds");
    let hidden_too = query.flag("includeSpamTrash") || search.reaches_spam_trash();
    let filters = format!("{kinds:?}|{words}|{labels:?}|{hidden_too}");
    let place = place(query.get("pageToken"), &filters)?;
    expire_token(context)?;
    let most = query.number("maxResults").unwrap_or(DEFAULT_RESULTS) as usize;
    if empty_page(context, place.empty_pages) {
        let next = Place {
            empty_pages: place.empty_pages + 1,
            ..place
        };
        return Ok(Page {
            items: Vec::new(),
            next: Some(next.token(&filters)),
            estimate: HIGHEST_ESTIMATE,
        });
    }
    let as_of = context.visible(false)?;
    let mailbox = context.mailbox()?;
    for label in &labels {
        if !mailbox.labels.contains_key(label) {
            let message = format!("Invalid label: {label}");
            return Err(ApiError::refused(400, "invalidArgument", message));
        }
    }
    let drafts: BTreeSet<Id> = mailbox.drafts.values().copied().collect();
    let names = mailbox.labels.clone();
    let hidden = |entry: &Entry<'_>| {
        ["SPAM", "TRASH"].iter().any(|place| {
            entry.labels.contains(*place) && !labels.iter().any(|label| label == place)
        })
    };
    let matches = |entry: &Entry<'_>| {
        labels.iter().all(|label| entry.labels.contains(label))
            && (hidden_too || !hidden(entry))
            && (kinds != Kinds::Drafts || drafts.contains(&entry.id))
            && search.matches(&Subject {
                labels: &entry.labels,
                date_ms: entry.date,
                content: entry.content,
                names: &names,
            })
    };
    // Threads that earlier pages showed are those with a newer matching message.
    let start = if kinds == Kinds::Threads {
        None
    } else {
        place.after
    };
    let mut seen = BTreeSet::new();
    let mut items = Vec::new();
    let mut last = None;
    let mut more = false;
    for entry in mailbox.entries(as_of, start).filter(|entry| matches(entry)) {
        if kinds == Kinds::Threads {
            let earlier = place
                .after
                .is_some_and(|(date, id)| (entry.date, entry.id) >= (date, id));
            if !seen.insert(entry.thread) || earlier {
                continue;
            }
        }
        if items.len() == most {
            more = true;
            break;
        }
        items.push((entry.id, entry.thread));
        last = Some((entry.date, entry.id));
    }
    let next = more.then(|| {
        Place {
            after: last,
            empty_pages: 0,
        }
        .token(&filters)
    });
    let estimate = if more { HIGHEST_ESTIMATE } else { items.len() };
    Ok(Page {
        items,
        next,
        estimate,
    })
}

/// The answer with the items under a name, which is absent where there are none.
pub(crate) fn answer(name: &str, items: Vec<Value>, page: &Page) -> Value {
    let mut value = json!({"resultSizeEstimate": page.estimate});
    if !items.is_empty() {
        value[name] = json!(items);
    }
    if let Some(next) = &page.next {
        value["nextPageToken"] = json!(next);
    }
    value
}

/// Whether this page is to be empty although there is more.
pub(super) fn empty_page(context: &mut Context<'_>, in_a_row: u32) -> bool {
    let world = &mut *context.world;
    in_a_row < MOST_EMPTY_PAGES
        && world.faults.concern(context.request.method.id)
        && strikes(world.faults.empty_pages, &mut world.rng)
}

/// Refuses a page token now and then.
pub(super) fn expire_token(context: &mut Context<'_>) -> Result<(), ApiError> {
    let world = &mut *context.world;
    let expired = context.request.query.get("pageToken").is_some()
        && world.faults.concern(context.request.method.id)
        && strikes(world.faults.expired_page_tokens, &mut world.rng);
    if expired {
        return Err(ApiError::refused(
            400,
            "invalidArgument",
            "Invalid pageToken",
        ));
    }
    Ok(())
}

impl Place {
    fn token(&self, filters: &str) -> String {
        let (date, id) = self.after.unwrap_or((i64::MAX, Id::MAX));
        seal(&[
            "page".to_owned(),
            date.to_string(),
            id.to_string(),
            self.empty_pages.to_string(),
            filters.replace('\n', " "),
        ])
    }
}

fn place(token: Option<&str>, filters: &str) -> Result<Place, ApiError> {
    let Some(token) = token else {
        return Ok(Place {
            after: None,
            empty_pages: 0,
        });
    };
    let bad = || ApiError::invalid("Invalid pageToken");
    let words = open(token).ok_or_else(bad)?;
    let [kind, date, id, empty_pages, sealed] = words.as_slice() else {
        return Err(bad());
    };
    if kind != "page" || *sealed != filters.replace('\n', " ") {
        return Err(bad());
    }
    let after = (
        date.parse().map_err(|_| bad())?,
        id.parse().map_err(|_| bad())?,
    );
    Ok(Place {
        after: (after != (i64::MAX, Id::MAX)).then_some(after),
        empty_pages: empty_pages.parse().map_err(|_| bad())?,
    })
}
