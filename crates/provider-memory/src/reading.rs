use std::ops::Range;

use bytes::Bytes;
use email_model::{
    FolderKey, FolderRole, MessageQuery, PartId,
    query::{Candidate, Condition, Place, Term},
};
use email_provider::{
    ByteStream, Detail, EntryState, Fetched, Folder, MessageRef, ProviderResult, ScopeKey,
    SearchCapability, SearchPage, SearchRequest, SearchScope,
};
use futures::stream::{self, StreamExt as _};

use crate::{
    convert,
    cursor::{ListedDownTo, ReadUpTo},
    error,
    state::{Record, State},
};

/// Size of the chunks in which bytes are handed out.
const CHUNK: usize = 64 * 1024;

pub(crate) fn folders(state: &State) -> ProviderResult<Vec<Folder>> {
    state.folders.keys().map(|key| state.folder(key)).collect()
}

pub(crate) fn search(state: &State, request: &SearchRequest) -> ProviderResult<SearchPage> {
    if let SearchScope::Folder(folder) = &request.scope
        && !state.folders.contains_key(folder)
    {
        return Err(error::no_folder());
    }
    let (query, unchecked) = applicable(state, &request.query)?;
    let position = request
        .position
        .as_ref()
        .map(ListedDownTo::from_position)
        .transpose()?;
    let mut hits: Vec<(&ScopeKey, &Record)> = Vec::new();
    for (key, scope) in &state.scopes {
        let found = scope.records.values().filter(|record| {
            !record.deleted && in_scope(state, record, &request.scope) && matches(&query, record)
        });
        hits.extend(found.map(|record| (key, record)));
    }
    // Newest first, in an order that no later change upsets.
    hits.sort_by_cached_key(|(key, record)| std::cmp::Reverse(rank(key, record)));
    if let Some(last) = position {
        let last = (last.received, last.number, last.scope);
        hits.retain(|(key, record)| rank(key, record) < last);
    }
    let page = request.limit.clamp(1, state.shape.page);
    let next = (hits.len() > page).then(|| {
        let (received, number, scope) = rank(hits[page - 1].0, hits[page - 1].1);
        let begun = ReadUpTo {
            epoch: 0,
            change: 0,
        };
        ListedDownTo {
            begun,
            received,
            number,
            scope,
        }
        .to_position()
    });
    let hits = hits.into_iter().take(page).filter_map(|(key, record)| {
        let scope = state.scopes.get(key)?;
        let at = MessageRef {
            scope: key.clone(),
            key: state.key(scope, record),
        };
        Some((at, Some(record.message.received_at)))
    });
    Ok(SearchPage {
        hits: hits.collect(),
        next,
        unchecked,
    })
}

fn rank(scope: &ScopeKey, record: &Record) -> (i64, u64, String) {
    (
        record.message.received_at.timestamp_millis(),
        record.number,
        scope.0.clone(),
    )
}

/// The terms that this mailbox applies, and the indexes of the others.
fn applicable(state: &State, query: &MessageQuery) -> ProviderResult<(MessageQuery, Vec<usize>)> {
    let mut applied = MessageQuery::default();
    let mut unchecked = Vec::new();
    for (index, term) in query.terms.iter().enumerate() {
        match (state.shape.search, &term.condition) {
            (_, Condition::In(Place::Named(_))) => {
                return Err(error::unsupported("folder of that name"));
            }
            (_, Condition::In(Place::Folders(_))) => applied.terms.push(term.clone()),
            (SearchCapability::None, _) => {
                return Err(error::unsupported(&format!("search for {term}")));
            }
            (SearchCapability::Headers, Condition::Text(_)) => unchecked.push(index),
            (SearchCapability::Headers | SearchCapability::FullText, _) => {
                applied.terms.push(term.clone())
            }
        }
    }
    Ok((applied, unchecked))
}

fn in_scope(state: &State, record: &Record, scope: &SearchScope) -> bool {
    let unwanted = |folder: &FolderKey| {
        state.has_role(folder, FolderRole::Trash) || state.has_role(folder, FolderRole::Junk)
    };
    match scope {
        SearchScope::Folder(folder) => record.folders.contains(folder),
        SearchScope::Everywhere {
            trash_and_junk: true,
        } => true,
        SearchScope::Everywhere {
            trash_and_junk: false,
        } => !record.folders.iter().any(unwanted),
    }
}

fn matches(query: &MessageQuery, record: &Record) -> bool {
    let folders: Vec<FolderKey> = record.folders.iter().cloned().collect();
    let candidate = Candidate {
        envelope: &record.message.content.envelope,
        labels: &record.labels,
        folders: &folders,
        body: Some(&record.message.content.body),
    };
    query
        .terms
        .iter()
        .all(|term: &Term| term.matches(&candidate))
}

pub(crate) fn fetch(state: &State, refs: &[MessageRef], detail: Detail) -> Vec<Fetched> {
    refs.iter()
        .filter_map(|at| {
            let (_, record) = state.find(at).ok()?;
            let content = &record.message.content;
            let full = detail >= Detail::Envelope;
            Some(Fetched {
                at: at.clone(),
                state: (detail >= Detail::State).then(|| entry_state(record)),
                identity: full.then(|| convert::identity(state.shape, &record.message)),
                thread: full.then(|| convert::thread(state.shape, &record.message)),
                envelope: (detail == Detail::Envelope).then(|| content.envelope.clone()),
                content: (detail == Detail::Content).then(|| content.clone()),
            })
        })
        .collect()
}

pub(crate) fn entry_state(record: &Record) -> EntryState {
    EntryState {
        labels: record.labels.clone(),
        folders: record.folders.iter().cloned().collect(),
    }
}

pub(crate) fn raw(state: &State, at: &MessageRef) -> ProviderResult<ByteStream> {
    Ok(chunks(state.find(at)?.1.message.raw.clone()))
}

pub(crate) fn attachment(
    state: &State,
    at: &MessageRef,
    part: &PartId,
    range: Option<Range<u64>>,
) -> ProviderResult<ByteStream> {
    let (_, record) = state.find(at)?;
    let bytes = convert::part(&record.message.raw, part).ok_or_else(error::no_part)?;
    let bytes = match range {
        None => bytes,
        Some(range) => {
            let within =
                |at: u64| usize::try_from(at).map_or(bytes.len(), |at| at.min(bytes.len()));
            let (start, end) = (within(range.start), within(range.end));
            bytes.slice(start..end.max(start))
        }
    };
    Ok(chunks(bytes))
}

fn chunks(bytes: Bytes) -> ByteStream {
    stream::unfold(bytes, |mut left| async move {
        if left.is_empty() {
            return None;
        }
        let chunk = left.split_to(left.len().min(CHUNK));
        Some((Ok(chunk), left))
    })
    .boxed()
}
