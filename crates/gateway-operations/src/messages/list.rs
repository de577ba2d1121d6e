//! Lists and searches: the provider finds, the gateway gives ids and checks what was not checked.

use std::time::Duration;

use email_model::{
    BodyType, Digest128, FolderKey, MessageQuery, Timestamp, digest,
    query::{Candidate, Term},
};
use email_provider::{Call, ErrorKind, MessageRef, Position, Priority, SearchPage, SearchRequest};
use gateway_store::{Account, LoadRequest, MessageRow};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{
    ListRequest, MessagePage, MessageView, body,
    gather::{Gathered, Item, Wanted},
    page_token, query,
    view::{Found, row_view},
};
use crate::{
    Gateway, OperationError, OperationErrorKind, OperationResult,
    journal::{Directory, JournalHandle},
    mailboxes::OpenMailbox,
};

/// Most records of a page.
const MOST: u32 = 500;
/// Records of a page with bodies and without, where the client does not say.
const USUAL: (u32, u32) = (50, 200);
/// Most searches that one page asks of a provider.
const MOST_ROUNDS: usize = 100;
/// A page that holds something is closed after this part of the time that an empty one may take.
const PATIENCE: u32 = 4;

/// How a list goes on.
#[derive(Serialize, Deserialize)]
struct Rest {
    position: Position,
    /// When the list began: what ages in the query count back from.
    began: Timestamp,
}

/// What a page is made of.
struct Lister<'a> {
    account: &'a Account,
    mailbox: &'a OpenMailbox,
    journal: &'a JournalHandle,
    body_type: Option<BodyType>,
    call: Call,
}

impl Gateway {
    /// A page of messages, newest first: of a folder, or of the whole mailbox, that answer a query.
    ///
    /// # Errors
    /// `NotFound` for an unknown folder, `BadRequest` for what is no query, `Unprocessable` for a
    /// term that this mailbox cannot answer, `TokenNotValid` for a page token of another question.
    pub async fn list_messages(
        &self,
        account: &Account,
        request: ListRequest,
    ) -> OperationResult<MessagePage> {
        let limit = limit(request.limit, request.body_type)?;
        let (mailbox, journal) = self.reach(account).await?;
        let call = self.call(Priority::Interactive, self.inner.config.page_wait);
        let question = question(&request);
        let rest: Option<Rest> = match &request.page_token {
            Some(token) => Some(page_token::read(&journal, "list", question, token)?),
            None => None,
        };
        let (own, began) = match rest {
            Some(rest) => (Some(rest.position), rest.began),
            None => (None, self.now()),
        };
        let page = page_of(question, own.as_ref());
        let further = self.inner.contents.take_search(account.id, page);
        let mut position = further.or_else(|| own.clone());
        let Some(search) = self
            .search(account, &mailbox, &journal, &request, began, call)
            .await?
        else {
            return Ok(MessagePage::default());
        };
        let body_type = request.body_type;
        let lister = Lister {
            account,
            mailbox: &mailbox,
            journal: &journal,
            body_type,
            call,
        };
        let deadlines = Deadlines::new(self.inner.config.page_wait);
        let mut records = Vec::new();
        for _ in 0..MOST_ROUNDS {
            let round = SearchRequest {
                scope: search.scope.clone(),
                query: search.query.clone(),
                position: position.clone(),
                limit: limit - records.len(),
            };
            match self.list_round(&lister, round).await {
                Ok((found, next)) => {
                    records.extend(found);
                    position = next;
                }
                // What was found is shown; the next page meets the failure, or not.
                Err(_) if !records.is_empty() => break,
                // A place that the client never saw is no longer good: it asks again from where it is.
                Err(error)
                    if error.kind == OperationErrorKind::TokenNotValid && position != own =>
                {
                    return Err(took_too_long());
                }
                Err(error) => {
                    if let Some(position) = position {
                        self.inner.contents.note_search(account.id, page, position);
                    }
                    return Err(error);
                }
            }
            if position.is_none() || records.len() >= limit || deadlines.is_over(records.is_empty())
            {
                break;
            }
        }
        let next_page_token = match position {
            None => None,
            Some(position) if records.is_empty() => {
                self.inner.contents.note_search(account.id, page, position);
                return Err(took_too_long());
            }
            Some(position) => Some(page_token::write(
                &journal,
                "list",
                question,
                &Rest { position, began },
            )?),
        };
        Ok(MessagePage {
            records,
            next_page_token,
        })
    }

    async fn search(
        &self,
        account: &Account,
        mailbox: &OpenMailbox,
        journal: &JournalHandle,
        request: &ListRequest,
        began: Timestamp,
        call: Call,
    ) -> OperationResult<Option<query::Search>> {
        let q = request.q.as_deref();
        let folder: Option<FolderKey> = match request.folder {
            Some(id) => Some(
                self.folder_row(account, mailbox, journal, id, call)
                    .await?
                    .key,
            ),
            None => None,
        };
        let model = mailbox.provider.capabilities().folders;
        let search = |directory: &Directory| {
            query::search(
                directory,
                folder.as_ref(),
                q,
                request.include_trash_and_junk,
                began,
                model,
            )
        };
        match search(&self.directory_of(account, journal)) {
            // The folder may be new, or no folder was ever listed.
            Ok(None) => {}
            Err(error) if error.kind == OperationErrorKind::Unprocessable => {}
            answer => return answer,
        }
        self.refresh_folders(account, mailbox, journal, call)
            .await?;
        search(&self.directory_of(account, journal))
    }

    /// One search, its hits read, named and checked.
    async fn list_round(
        &self,
        lister: &Lister<'_>,
        request: SearchRequest,
    ) -> OperationResult<(Vec<MessageView>, Option<Position>)> {
        let Lister {
            account,
            mailbox,
            journal,
            body_type,
            call,
        } = *lister;
        let query = request.query.clone();
        let SearchPage {
            hits,
            next,
            unchecked,
        } = match mailbox.provider.search(call, request).await {
            Err(error) if matches!(error.kind, ErrorKind::Unsupported | ErrorKind::Invalid) => {
                let mut error = OperationError::from(error);
                error.kind = OperationErrorKind::Unprocessable;
                return Err(error);
            }
            Err(error) if error.kind == ErrorKind::CursorExpired => {
                return Err(page_token::not_valid());
            }
            answer => self.told(account, answer).await?,
        };
        let unchecked = MessageQuery {
            terms: unchecked
                .iter()
                .filter_map(|index| query.terms.get(*index))
                .cloned()
                .collect(),
        };
        let refs: Vec<MessageRef> = hits.into_iter().map(|(at, _)| at).collect();
        let items = self.with_rows(journal, refs).await?;
        let rows: Vec<Option<MessageRow>> = items.iter().map(|item| item.row.clone()).collect();
        let wanted = Wanted {
            state: true,
            content: body_type.is_some() || unchecked.needs_body(),
            snippet: true,
        };
        let gathering = self
            .gather(account, mailbox, journal, items, wanted, call)
            .await?;
        let directory = self.directory_of(account, journal);
        let failure = gathering.failure.filter(|_| gathering.stopped);
        let mut views = Vec::with_capacity(rows.len());
        for (message, row) in gathering.messages.into_iter().zip(rows) {
            match message {
                Gathered::Found(found) if matches(&unchecked, &found) => {
                    views.push(found.view(&directory, body_type));
                }
                Gathered::Found(_) | Gathered::Absent => {}
                // One message that the provider cannot give must not take the list with it.
                Gathered::Failed => match row.filter(|_| unchecked.terms.is_empty()) {
                    Some(row) => views.push(row_view(journal, &directory, &row)),
                    None => {
                        tracing::warn!(account = %account.id, "a message in a list cannot be read")
                    }
                },
            }
        }
        match failure {
            Some(failure) => Err(failure),
            None => Ok((views, next)),
        }
    }

    /// The places with the rows that the journal has for them.
    async fn with_rows(
        &self,
        journal: &JournalHandle,
        refs: Vec<MessageRef>,
    ) -> OperationResult<Vec<Item>> {
        let directory = journal.directory();
        let place =
            |at: &MessageRef| Some((directory.scope_by_key(&at.scope)?.number, at.key.clone()));
        let keys: Vec<_> = refs.iter().filter_map(place).collect();
        if keys.is_empty() {
            return Ok(refs.into_iter().map(|at| Item { at, row: None }).collect());
        }
        let request = LoadRequest {
            keys,
            ..LoadRequest::default()
        };
        let loaded = self.inner.store.load(journal.account, &request).await?;
        let rows: std::collections::HashMap<_, MessageRow> = loaded
            .messages
            .into_iter()
            .map(|row| (row.id, row))
            .collect();
        let places: std::collections::HashMap<_, _> = loaded
            .entries
            .into_iter()
            .map(|entry| ((entry.scope, entry.key), entry.message))
            .collect();
        let row = |at: &MessageRef| rows.get(places.get(&place(at)?)?).cloned();
        Ok(refs
            .into_iter()
            .map(|at| {
                let row = row(&at);
                Item { at, row }
            })
            .collect())
    }
}

/// Whether a message answers the terms that the provider did not apply.
fn matches(unchecked: &MessageQuery, found: &Found) -> bool {
    if unchecked.terms.is_empty() {
        return true;
    }
    let content = found.content.as_deref();
    let envelope = content
        .map(|content| &content.envelope)
        .or(found.envelope.as_ref());
    let (Some(envelope), Some(state)) = (envelope, &found.state) else {
        return false;
    };
    let body = content
        .filter(|_| {
            unchecked
                .terms
                .iter()
                .any(|term: &Term| term.condition.needs_body())
        })
        .map(|content| body::searched(&content.body));
    let candidate = Candidate {
        envelope,
        labels: &state.labels,
        folders: &state.folders,
        body: body.as_ref(),
    };
    unchecked.matches(&candidate)
}

/// What a page token is good for: everything that decides which messages are listed.
fn question(request: &ListRequest) -> Digest128 {
    let folder = request.folder.map_or(String::new(), |id| id.to_string());
    let hidden: &[u8] = match request.include_trash_and_junk {
        None => b"",
        Some(false) => b"0",
        Some(true) => b"1",
    };
    let q = request.q.as_deref().unwrap_or_default().trim();
    digest(
        "polypost.list.1",
        &[folder.as_bytes(), q.as_bytes(), hidden],
    )
}

/// A page of a question, by where it begins.
fn page_of(question: Digest128, position: Option<&Position>) -> Digest128 {
    let begins: &[u8] = position.map_or(&[], |position| &position.0);
    digest("polypost.list-page.1", &[&question.0, begins])
}

fn limit(limit: Option<u32>, body_type: Option<BodyType>) -> OperationResult<usize> {
    let limit = match limit {
        None if body_type.is_some() => USUAL.0,
        None => USUAL.1,
        Some(limit @ 1..=MOST) => limit,
        Some(_) => return Err(OperationError::bad_request("`limit` is 1 to 500")),
    };
    usize::try_from(limit).map_err(|_| OperationError::bad_request("`limit` is 1 to 500"))
}

fn took_too_long() -> OperationError {
    OperationError::new(
        OperationErrorKind::ProviderUnavailable,
        "nothing was found yet and there is more to search: narrow the search, or ask again",
    )
    .with_retry_after(Duration::from_secs(5))
}

/// Until when a page is added to.
struct Deadlines {
    empty: Instant,
    filled: Instant,
}

impl Deadlines {
    fn new(wait: Duration) -> Self {
        let now = Instant::now();
        Self {
            empty: now + wait,
            filled: now + wait / PATIENCE,
        }
    }

    fn is_over(&self, is_empty: bool) -> bool {
        Instant::now() >= if is_empty { self.empty } else { self.filled }
    }
}
