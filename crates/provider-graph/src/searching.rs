//! Searching: <https://learn.microsoft.com/graph/search-query-parameter>.
//!
//! The API searches either by properties (`$filter`), newest received first, or its index of words (`$search`), never both. Either
//! only narrows the search here: every term is then held against what the list tells of each message, except for free text,
//! which nothing but the index knows. The index finds so many messages and no more, the latest sent: it is told all that
//! narrows, and a search that found as many as that is refused where it would have to go on.

mod compile;

use std::{collections::HashSet, sync::Arc};

use email_model::Timestamp;
use email_model::{
    FolderRole,
    query::{Candidate, Condition, Term},
};
use email_provider::{
    Call, ErrorKind, MessageRef, ProviderError, ProviderResult, SearchPage, SearchRequest,
    SearchScope,
};

use crate::{
    address::Address,
    convert,
    cursor::{FoundTo, Listed, ListedTo},
    error,
    folders::FolderTable,
    ids::{FolderId, ItemId},
    listing::{self, List, after},
    mailbox::Mailbox,
    names, wanted,
    wire::Message,
};
use compile::Plan;

/// Messages looked at in one request where not all are wanted.
const LOOKED_AT: usize = 250;
/// Pages that one call goes over.
const MOST_PAGES: usize = 12;
/// Messages that the index finds at most ("Use the $search query parameter").
const MOST_FOUND: u16 = 1_000;

type Hit = (MessageRef, Option<Timestamp>);

pub(crate) async fn search(
    mailbox: &Mailbox,
    call: Call,
    request: &SearchRequest,
) -> ProviderResult<SearchPage> {
    let position = request
        .position
        .as_ref()
        .map(ListedTo::from_position)
        .transpose()?;
    let plan = Plan::new(&request.query)?;
    if plan.is_empty {
        return Ok(SearchPage {
            hits: Vec::new(),
            next: None,
            unchecked: plan.unchecked,
        });
    }
    let search = Search::new(mailbox, call, request, plan).await?;
    let (hits, next) = match (&search.plan.index, position) {
        (None, None) => search.by_properties(None).await?,
        (None, Some(ListedTo::Filter(listed))) => search.by_properties(Some(listed)).await?,
        (Some(words), None) => {
            let messages = search.messages().with("$search", words);
            let size = match search.plan.is_all_in_index {
                true => search.limit,
                false => search.limit.max(LOOKED_AT),
            };
            let first = FoundTo {
                link: messages.with("$top", &size.to_string()),
                seen: 0,
                done: 0,
            };
            search.by_index(first).await?
        }
        (Some(_), Some(ListedTo::Index(from))) => search.by_index(from).await?,
        (Some(_), Some(ListedTo::Cut)) => return Err(cut()),
        _ => return Err(error::expired()),
    };
    Ok(SearchPage {
        hits,
        next: next.map(|next| next.to_position()),
        unchecked: search.plan.unchecked,
    })
}

/// A search under way.
struct Search<'a> {
    mailbox: &'a Mailbox,
    call: Call,
    terms: &'a [Term],
    limit: usize,
    /// The one folder that is searched.
    folder: Option<FolderId>,
    /// Everywhere: what is no folder of mail is left out, and these.
    everywhere: Option<(Arc<FolderTable>, HashSet<String>)>,
    plan: Plan,
}

impl<'a> Search<'a> {
    async fn new(
        mailbox: &'a Mailbox,
        call: Call,
        request: &'a SearchRequest,
        plan: Plan,
    ) -> ProviderResult<Self> {
        let mut search = Self {
            mailbox,
            call,
            terms: &request.query.terms,
            limit: request.limit.clamp(1, 500),
            folder: None,
            everywhere: None,
            plan,
        };
        match &request.scope {
            SearchScope::Folder(key) => search.folder = Some(FolderId::of_key(key)?),
            SearchScope::Everywhere { trash_and_junk } => {
                if let [only] = &search.plan.folders[..] {
                    search.folder = FolderId::parse(&only.0);
                }
                let roles = mailbox.roles();
                let left_out = [FolderRole::Trash, FolderRole::Junk].into_iter();
                let left_out = left_out.filter_map(|role| Some(roles.get(role)?.key().0));
                let is_named =
                    |key: &String| search.plan.folders.iter().any(|named| named.0 == *key);
                let left_out = left_out.filter(|key| !trash_and_junk && !is_named(key));
                let left_out = left_out.collect();
                search.everywhere = Some((mailbox.folders(call).await?, left_out));
            }
        }
        Ok(search)
    }

    /// What is searched, with what is asked of each message.
    fn messages(&self) -> Address {
        let messages = match &self.folder {
            Some(folder) => names::folder_messages(folder),
            None => names::messages(),
        };
        match self.terms.is_empty() {
            true => wanted::keys(messages),
            false => wanted::searched(messages, self.plan.needs_size),
        }
    }

    async fn by_properties(
        &self,
        mut from: Option<Listed>,
    ) -> ProviderResult<(Vec<Hit>, Option<ListedTo>)> {
        let list = List {
            messages: self.messages(),
            conditions: self.plan.conditions.clone(),
            since: self.plan.since,
            until: self.plan.until,
        };
        let is_exact = self.terms.is_empty() && self.everywhere.is_none();
        let size = if is_exact {
            self.limit
        } else {
            self.limit.max(LOOKED_AT)
        };
        let mut hits = Vec::new();
        for _ in 0..MOST_PAGES {
            let listed = self
                .mailbox
                .list(self.call, &list, from.as_ref(), size)
                .await;
            let listed = listed.map_err(|error| listing::failed(error, self.folder.is_some()))?;
            let (found, next) = listed;
            for (at, (id, message)) in found.iter().enumerate() {
                hits.extend(self.hit(id, message).await?);
                let is_last = at + 1 == found.len();
                if hits.len() == self.limit && !(is_last && next.is_none()) {
                    let next = after(from.as_ref(), &found[..=at]);
                    return Ok((hits, Some(ListedTo::Filter(next))));
                }
            }
            match next {
                None => return Ok((hits, None)),
                next => from = next,
            }
        }
        Ok((hits, from.map(ListedTo::Filter)))
    }

    /// A page of what the index finds. How many it is was asked for with the first one: the rest of a larger one is read
    /// again.
    async fn by_index(&self, mut from: FoundTo) -> ProviderResult<(Vec<Hit>, Option<ListedTo>)> {
        for _ in 0..MOST_PAGES {
            let page = self
                .mailbox
                .page(self.call, from.link.clone(), self.limit.max(LOOKED_AT))
                .await;
            let page = page.map_err(|error| match (error.kind, self.folder.is_some()) {
                (ErrorKind::NotFound, true) => error::no_folder().with_source(error),
                _ => error,
            })?;
            let mut hits = Vec::new();
            for (at, message) in (0..).zip(&page.value).skip(usize::from(from.done)) {
                if hits.len() == self.limit {
                    let rest = FoundTo { done: at, ..from };
                    return Ok((hits, Some(ListedTo::Index(rest))));
                }
                if let Some(id) = ItemId::parse(&message.id) {
                    hits.extend(self.hit(&id, message).await?);
                }
            }
            let count = u16::try_from(page.value.len()).unwrap_or(u16::MAX);
            let seen = from.seen.saturating_add(count);
            let Some(link) = page.next_link else {
                let is_cut = seen >= MOST_FOUND;
                return match is_cut && hits.is_empty() {
                    true => Err(cut()),
                    false => Ok((hits, is_cut.then_some(ListedTo::Cut))),
                };
            };
            from = FoundTo {
                link: self.mailbox.api.link(&link)?,
                seen,
                done: 0,
            };
            if !hits.is_empty() {
                return Ok((hits, Some(ListedTo::Index(from))));
            }
        }
        Ok((Vec::new(), Some(ListedTo::Index(from))))
    }

    /// A message as a hit, if it is one.
    async fn hit(&self, id: &ItemId, message: &Message) -> ProviderResult<Option<Hit>> {
        let Some(folder) = convert::folder(message) else {
            return Ok(None);
        };
        let is_place = match &self.everywhere {
            _ if self.folder.as_ref() == Some(&folder) => true,
            None => false,
            Some((_, left_out)) if left_out.contains(folder.as_str()) => false,
            Some((table, _)) if table.has(folder.as_str()) => true,
            // It may be new.
            Some(_) => {
                let table = self.mailbox.folders(self.call).await?;
                let is_known = table.has(folder.as_str());
                is_known
                    || self
                        .mailbox
                        .folders_now(self.call)
                        .await?
                        .has(folder.as_str())
            }
        };
        let is_hit = is_place && self.terms.iter().all(|term| holds(term, message));
        Ok(is_hit.then(|| (id.at(&folder), message.received_date_time)))
    }
}

/// Nobody can tell what else would be found: an end here would be a lie.
fn cut() -> ProviderError {
    error::unsupported(
        "more than 1000 results of a search for words; bounds of time (after:, before:) narrow it",
    )
}

/// Whether a term holds, as far as a list tells.
fn holds(term: &Term, message: &Message) -> bool {
    match term.condition {
        // The index knows, or it is left unchecked.
        Condition::Text(_) => true,
        // Pictures within the text do not count.
        Condition::HasAttachment => message
            .has_attachments
            .is_some_and(|has| has != term.negated),
        _ => {
            let Some(state) = convert::state(message) else {
                return false;
            };
            term.matches(&Candidate {
                envelope: &convert::envelope(message),
                labels: &state.labels,
                folders: &state.folders,
                body: None,
            })
        }
    }
}
