//! The change feed: <https://developers.google.com/workspace/gmail/api/guides/sync>.
//!
//! One scope, the whole mailbox. A message in Trash or Spam is a message; a draft's revision is another message.

use std::sync::Arc;

use email_provider::{
    Call, ChangeNext, ChangePage, Cursor, Entry, ErrorKind, ProviderResult, Removed, ScopeKey,
    ScopeState, Survey,
};
use google_gmail1::api::ListHistoryResponse;

use crate::{
    api::Hub,
    changed::Changed,
    convert,
    cursor::{ReadUpTo, Walk},
    error,
    ids::{HexId, PageToken, SCOPE},
    mailbox::Mailbox,
    quota::Method,
};

/// Most records on a page: each may be a message to be read, and a page of so many can be read within a
/// mailbox's budget of a minute.
const MOST_RECORDS: usize = 100;
/// Pages without records that one call goes over.
const MOST_EMPTY_PAGES: usize = 20;

pub(crate) fn check_scope(scope: &ScopeKey) -> ProviderResult<()> {
    match scope.0 == SCOPE {
        true => Ok(()),
        false => Err(error::no_folder()),
    }
}

pub(crate) async fn survey(
    mailbox: &Mailbox,
    call: Call,
    known: &[(ScopeKey, Cursor)],
) -> ProviderResult<Survey> {
    let (labels, history) = tokio::try_join!(mailbox.labels_now(call), history_id(mailbox, call))?;
    let read = known
        .iter()
        .find(|(scope, _)| scope.0 == SCOPE)
        .and_then(|(_, cursor)| ReadUpTo::from_cursor(cursor).ok());
    // History ids only grow: the same one is the same mailbox.
    let is_unmoved = read.is_some_and(|read| read.walk.is_none() && read.start == history);
    Ok(Survey {
        folders: labels.folders(),
        scopes: vec![ScopeState {
            key: ScopeKey(SCOPE.to_owned()),
            moved: !is_unmoved,
            count: None,
        }],
    })
}

pub(crate) async fn begin(
    mailbox: &Mailbox,
    call: Call,
    scope: &ScopeKey,
) -> ProviderResult<Cursor> {
    check_scope(scope)?;
    let start = history_id(mailbox, call).await?;
    Ok(ReadUpTo { start, walk: None }.to_cursor())
}

async fn history_id(mailbox: &Mailbox, call: Call) -> ProviderResult<u64> {
    let ask = |hub: Hub, mut seen| async move {
        let request = hub.users().get_profile("me").delegate(&mut seen);
        Ok(request.doit().await?.1)
    };
    let profile = mailbox.api.ask(call, Method::GetProfile, ask).await?;
    profile.history_id.ok_or_else(error::unreadable)
}

pub(crate) async fn changes(
    mailbox: &Mailbox,
    call: Call,
    scope: &ScopeKey,
    cursor: &Cursor,
    limit: usize,
) -> ProviderResult<ChangePage> {
    check_scope(scope)?;
    let ReadUpTo { start, mut walk } = ReadUpTo::from_cursor(cursor)?;
    let mut changed = Changed::default();
    for _ in 0..MOST_EMPTY_PAGES {
        let page = page(mailbox, call, start, walk.as_ref(), limit).await?;
        let told = page.history_id.ok_or_else(error::unreadable)?;
        let first = walk.as_ref().map_or(told, |walk| walk.first);
        let next = PageToken::next(page.next_page_token)?;
        page.history
            .into_iter()
            .flatten()
            .for_each(|record| changed.add(record));
        let Some(next) = next else {
            // A replica that is behind may tell an earlier id than the one that was read from.
            let start = first.max(start);
            let next = ChangeNext::CaughtUp(ReadUpTo { start, walk: None }.to_cursor());
            return page_of(mailbox, call, changed, next).await;
        };
        walk = Some(Walk { first, page: next });
        if !changed.is_empty() {
            break;
        }
    }
    let next = ChangeNext::More(ReadUpTo { start, walk }.to_cursor());
    page_of(mailbox, call, changed, next).await
}

async fn page_of(
    mailbox: &Mailbox,
    call: Call,
    changed: Changed,
    next: ChangeNext,
) -> ProviderResult<ChangePage> {
    let told = changed.told();
    let labels = told.iter().filter_map(|told| told.labels.as_deref());
    let labels: Vec<&[String]> = labels.collect();
    let table = match labels.is_empty() {
        true => Arc::default(),
        false => mailbox.labels_of(call, labels.into_iter()).await?,
    };
    let entries = told.into_iter().map(|told| {
        let mut entry = bare(&told.id, told.thread.as_deref().unwrap_or_default());
        entry.state = told.labels.map(|labels| table.state(&labels));
        entry
    });
    Ok(ChangePage {
        entries: entries.collect(),
        removed: Removed::Vanished(changed.gone.iter().map(HexId::key).collect()),
        next,
    })
}

async fn page(
    mailbox: &Mailbox,
    call: Call,
    start: u64,
    walk: Option<&Walk>,
    limit: usize,
) -> ProviderResult<ListHistoryResponse> {
    let most = u32::try_from(limit.clamp(1, MOST_RECORDS)).unwrap_or(1);
    let ask = |hub: Hub, mut seen| async move {
        let mut request = hub
            .users()
            .history_list("me")
            .start_history_id(start)
            .max_results(most)
            .delegate(&mut seen);
        if let Some(walk) = walk {
            request = request.page_token(walk.page.as_str());
        }
        Ok(request.doit().await?.1)
    };
    let answer = mailbox.api.ask(call, Method::HistoryList, ask).await;
    answer.map_err(|error| match error.kind {
        // Nothing but the cursor can be unknown here.
        ErrorKind::NotFound | ErrorKind::Invalid => error::expired().with_source(error),
        _ => error,
    })
}

/// An entry of which nothing is known but what costs nothing.
pub(crate) fn bare(id: &HexId, thread: &str) -> Entry {
    Entry {
        key: id.key(),
        state: None,
        received_at: None,
        identity: Some(convert::identity(id)),
        thread: convert::thread(thread),
        envelope: None,
        revised: false,
    }
}
