//! Pages of lists. Later pages are found by how many items came before, as the vendor's are: what changes in
//! between moves items across the pages' edges.

use serde_json::{Value, json};

use super::{Request, mailbox};
use crate::answer::Answer;
use crate::error::ApiError;
use crate::faults::ErrorKind;
use crate::links;
use crate::mailbox::{Mailbox, Search, Stored};
use crate::odata::{Expr, Source, matches};
use crate::render::{FolderView, Shown, View, folder_json, message_json};
use crate::search;
use crate::world::World;

/// What stands on a page, and what comes after it.
struct Page {
    items: Vec<Value>,
    total: usize,
    next: Option<usize>,
}

pub(super) fn messages(world: &mut World, request: &Request) -> Result<Answer, ApiError> {
    let empty = empty_page(world, request);
    let page = {
        let mailbox = mailbox(world, request)?;
        let view = View {
            mailbox,
            settings: &world.settings,
            prefer: &request.prefer,
            basic: request.basic,
        };
        let query = &request.query;
        let mut found: Vec<Shown<'_>> = candidates(mailbox, request, view)?
            .into_iter()
            .filter(|shown| {
                query
                    .filter
                    .as_ref()
                    .is_none_or(|filter| matches(filter, shown))
            })
            .collect();
        if let Some(order) = &query.order {
            found.sort_by(|left, right| order.compare(left, right));
        }
        if let Some(search) = &query.search {
            found.retain(|shown| search::finds(search, shown.stored));
            let sent = |shown: &Shown<'_>| {
                shown
                    .stored
                    .content
                    .sent_ms
                    .unwrap_or(shown.stored.received_ms)
            };
            found.sort_by_key(|shown| std::cmp::Reverse(sent(shown)));
            found.truncate(world.settings.search_results);
        }
        let size = if empty {
            0
        } else {
            query.top.unwrap_or(world.settings.list_page)
        };
        page(request, &found, size, |shown| {
            message_json(shown, &query.select, &query.expand)
        })
    };
    let bodies = request.query.select.wants("body") || request.query.select.names("uniqueBody");
    slow(world, request, page.items.len(), bodies)?;
    Ok(write(request, page, "users('me')/messages"))
}

/// 504 where a page is too much work.
pub(crate) fn slow(
    world: &World,
    request: &Request,
    items: usize,
    bodies: bool,
) -> Result<(), ApiError> {
    let most = world
        .faults
        .slow_pages
        .filter(|_| world.faults.concern(request.method.id));
    if bodies && most.is_some_and(|most| items > most) {
        return Err(ApiError::of(ErrorKind::Timeout));
    }
    Ok(())
}

/// Whether this page is empty although there is more.
pub(crate) fn empty_page(world: &mut World, request: &Request) -> bool {
    let World {
        faults,
        rng,
        empty_pages,
        ..
    } = world;
    let strikes =
        faults.concern(request.method.id) && *empty_pages < 3 && faults.empty_pages.strikes(rng);
    *empty_pages = if strikes { *empty_pages + 1 } else { 0 };
    strikes
}

fn candidates<'a>(
    mailbox: &'a Mailbox,
    request: &Request,
    view: View<'a>,
) -> Result<Vec<Shown<'a>>, ApiError> {
    let show = |stored: &'a Stored| Shown { view, stored };
    if request.segment("folder").is_empty() {
        let mut all: Vec<&Stored> = mailbox
            .messages
            .values()
            .filter(|stored| stored.chat || mailbox.in_tree(stored.folder))
            .filter(|stored| stored.sending_since.is_none())
            .collect();
        all.sort_by_key(|stored| std::cmp::Reverse((stored.received_ms, stored.number)));
        return Ok(all.into_iter().map(show).collect());
    }
    let key = request.folder(mailbox)?;
    match mailbox
        .folders
        .get(&key)
        .and_then(|folder| folder.search.as_ref())
    {
        Some(found) => searched(mailbox, found, view),
        None => Ok(mailbox
            .in_folder(key)
            .filter(|stored| stored.sending_since.is_none())
            .map(show)
            .collect()),
    }
}

/// What a search folder shows.
fn searched<'a>(
    mailbox: &'a Mailbox,
    found: &Search,
    view: View<'a>,
) -> Result<Vec<Shown<'a>>, ApiError> {
    let filter = Expr::parse(&found.filter, "message")?;
    let sources: Vec<u32> = found
        .sources
        .iter()
        .filter_map(|source| mailbox.folder(source).ok().map(|folder| folder.key))
        .collect();
    let inside = |stored: &Stored| {
        sources.iter().any(|source| {
            stored.folder == *source || (found.nested && mailbox.is_under(stored.folder, *source))
        })
    };
    Ok(mailbox
        .messages
        .values()
        .filter(|stored| inside(stored))
        .map(|stored| Shown { view, stored })
        .filter(|shown| matches(&filter, shown))
        .collect())
}

pub(super) fn folders(world: &mut World, request: &Request) -> Result<Answer, ApiError> {
    let empty = empty_page(world, request);
    let mailbox = mailbox(world, request)?;
    let parent = if request.segment("folder").is_empty() {
        mailbox.root()
    } else {
        request.folder(mailbox)?
    };
    let query = &request.query;
    let mut found: Vec<FolderView<'_>> = mailbox
        .children(parent)
        .into_iter()
        .filter(|folder| query.hidden || !folder.hidden)
        .map(|folder| FolderView { mailbox, folder })
        .filter(|view| {
            query
                .filter
                .as_ref()
                .is_none_or(|filter| matches(filter, view))
        })
        .collect();
    if let Some(order) = &query.order {
        found.sort_by(|left, right| order.compare(left, right));
    }
    let size = if empty {
        0
    } else {
        query.top.unwrap_or(world.settings.list_page)
    };
    let page = page(request, &found, size, |view| {
        folder_json(view, &query.select, &query.expand, false)
    });
    Ok(write(request, page, "users('me')/mailFolders"))
}

fn page<T: Source>(
    request: &Request,
    found: &[T],
    size: usize,
    show: impl Fn(&T) -> Value,
) -> Page {
    let query = &request.query;
    let token = query
        .skip_token
        .as_ref()
        .and_then(|token| token.parse().ok());
    let start = token.unwrap_or(query.skip).min(found.len());
    let end = found.len().min(start + size);
    Page {
        items: found[start..end].iter().map(show).collect(),
        total: found.len(),
        next: (end < found.len()).then_some(end),
    }
}

fn write(request: &Request, page: Page, what: &str) -> Answer {
    let mut value = json!({"@odata.context": request.context(what)});
    if request.query.count {
        value["@odata.count"] = json!(page.total);
    }
    value["value"] = json!(page.items);
    if let Some(next) = page.next {
        let name = if request.query.search.is_some() {
            "$skiptoken"
        } else {
            "$skip"
        };
        value["@odata.nextLink"] = json!(links::next(request, name, &next.to_string()));
    }
    Answer::json(200, &value)
}
