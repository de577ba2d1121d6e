//! Pages of the two streams: keyset reads of the journal.

use std::{sync::Arc, time::Duration};

use chrono::DateTime;
use email_model::{BodyType, Timestamp};
use email_provider::{Call, Priority};
use gateway_store::{Account, Journal, MessageRow, Seq, Stream};

use super::{
    DeletedPage, DeletedRecord, SyncPageRequest, UpdatedPage,
    read_ahead::PageAhead,
    start::{is_ready_anywhere, refuse_inactive},
    tokens::{SyncToken, Walk, stretch},
};
use crate::{
    Gateway, OperationError, OperationErrorKind, OperationResult,
    journal::{Directory, JournalHandle},
    messages::{MessageView, folder_of},
};

/// Most records of a page.
const MOST: u32 = 500;
/// Records of a page with bodies and without, where the client does not say.
const USUAL: (u32, u32) = (50, 200);

/// A page's rows and how the walk goes on.
pub(super) struct Step {
    pub rows: Vec<MessageRow>,
    pub next: SyncToken,
    /// How the walk goes on after each of the rows but the last.
    after: Vec<SyncToken>,
}

impl Step {
    /// Ends the page after so many rows, at least one: the next page begins with what is left.
    fn close_after(&mut self, count: usize) {
        if let Some(next) = self.after.get(count.saturating_sub(1)) {
            self.next = *next;
        }
    }
}

impl Gateway {
    /// A page of live messages.
    pub async fn sync_updated(
        &self,
        account: &Account,
        request: SyncPageRequest,
    ) -> OperationResult<UpdatedPage> {
        let journal = self
            .journal_named(account.id, &account.mailbox.as_str().into())
            .await?;
        let (mut token, row, verified_at) = self
            .open_token(account, &journal, Stream::Updated, &request)
            .await?;
        token.body_type = request.body_type.or(token.body_type);
        let limit = limit(&request, token.body_type)?;
        let mut step = step(&journal, &row, token, limit, verified_at).await?;
        let call = self.call(Priority::Interactive, self.inner.config.page_wait);
        let sync = self.sync_of(account.id);
        if token.body_type.is_some() {
            self.wait_for_reading_ahead(&sync).await;
        }
        let rows = std::mem::take(&mut step.rows);
        let count = rows.len();
        let records = self
            .records(account, &journal, rows, token.body_type, call)
            .await?;
        let is_whole = records.len() == count;
        if !is_whole {
            step.close_after(records.len());
        }
        if token.body_type.is_some() && step.next.is_page && is_whole {
            let page = PageAhead {
                account: account.clone(),
                journal: Arc::clone(&journal),
                row,
                token: step.next,
                limit,
            };
            self.read_ahead(&sync, page);
        }
        let text = step.next.write(&journal)?;
        let (page, delta) = if step.next.is_page {
            (Some(text), None)
        } else {
            (None, Some(text))
        };
        Ok(UpdatedPage {
            records,
            next_page_token: page,
            next_delta_token: delta,
            verified_at,
        })
    }

    /// A page of removals.
    pub async fn sync_deleted(
        &self,
        account: &Account,
        request: SyncPageRequest,
    ) -> OperationResult<DeletedPage> {
        let journal = self
            .journal_named(account.id, &account.mailbox.as_str().into())
            .await?;
        let (token, row, verified_at) = self
            .open_token(account, &journal, Stream::Deleted, &request)
            .await?;
        let limit = limit(&request, None)?;
        let step = step(&journal, &row, token, limit, verified_at).await?;
        // Removals may have been forgotten while this waited and read.
        token.check(&journal.journal().await?)?;
        let directory = self.directory_of(account, &journal);
        let records = step
            .rows
            .into_iter()
            .map(|row| deleted(&directory, row, self.now()))
            .collect();
        let text = step.next.write(&journal)?;
        let (page, delta) = if step.next.is_page {
            (Some(text), None)
        } else {
            (None, Some(text))
        };
        Ok(DeletedPage {
            records,
            next_page_token: page,
            next_delta_token: delta,
            verified_at,
        })
    }

    /// Reads and checks the token that a page begins from, and waits for a pass where it begins a walk.
    async fn open_token(
        &self,
        account: &Account,
        journal: &JournalHandle,
        stream: Stream,
        request: &SyncPageRequest,
    ) -> OperationResult<(SyncToken, Journal, Option<Timestamp>)> {
        refuse_inactive(account)?;
        let (text, is_page) = match (&request.page_token, &request.delta_token) {
            (Some(page), _) => (page, true),
            (None, Some(delta)) => (delta, false),
            (None, None) => {
                return Err(OperationError::bad_request(
                    "deltaToken or pageToken is needed",
                ));
            }
        };
        let token = SyncToken::read(text, journal)?;
        if token.stream != stream || token.is_page != is_page {
            let message = "this token is of another kind or of the other stream";
            return Err(OperationError::new(
                OperationErrorKind::TokenNotValid,
                message,
            ));
        }
        // Read before the head, so that it claims nothing that the page does not reach.
        let mut here = self.sync_of(account.id).verified_at();
        let mut row = journal.journal().await?;
        token.check(&row)?;
        if let Some(since) = token.window
            && !is_ready_anywhere(journal, &row, since).await?
        {
            let message = "the mailbox is still being scanned";
            return Err(
                OperationError::new(OperationErrorKind::MailboxUnavailable, message)
                    .with_retry_after(Duration::from_secs(2)),
            );
        }
        if !is_page {
            self.level(account).await?;
            here = self.sync_of(account.id).verified_at();
            row = journal.journal().await?;
        }
        let verified_at = token.verified_at.or(here.max(row.record.verified_at));
        Ok((token, row, verified_at))
    }

    /// Waits for a pass that began after this call, unless the last one is fresh enough.
    async fn level(&self, account: &Account) -> OperationResult<()> {
        let bound = match self.open_mailbox(account.id) {
            Some(mailbox) if mailbox.provider.capabilities().cheap_level_check => Duration::ZERO,
            _ => self.inner.config.freshness,
        };
        if self.sync_of(account.id).passed_within(bound) {
            return Ok(());
        }
        // A dead grant is the one failure of the provider that is the stream's.
        if account.credentials.status == gateway_store::TokenStatus::Dead {
            self.mailbox(account).await?;
        }
        self.fresh_pass(account).await
    }

    /// Messages as they are now, in the order of the rows: not those at the end that cannot be had now.
    async fn records(
        &self,
        account: &Account,
        journal: &JournalHandle,
        rows: Vec<MessageRow>,
        body_type: Option<BodyType>,
        call: Call,
    ) -> OperationResult<Vec<MessageView>> {
        let versions: Vec<i64> = rows.iter().map(|row| row.seq.0).collect();
        let cached = self.inner.config.cache == crate::CacheMode::Envelopes;
        let complete = rows
            .iter()
            .all(|row| row.envelope.is_some() && row.labels.is_some());
        let mut views: Vec<MessageView> = if body_type.is_none() && cached && complete {
            self.views_of_rows(account, journal, &rows)
        } else {
            let contents = self
                .load_contents(account, journal, rows, body_type, call)
                .await?;
            if !contents.missed.is_empty() {
                self.owe(journal, contents.missed).await?;
            }
            contents.views
        };
        for (view, version) in views.iter_mut().zip(versions) {
            view.version = Some(version);
        }
        Ok(views)
    }
}

/// Reads the rows of a page and says how the walk goes on.
pub(super) async fn step(
    journal: &JournalHandle,
    row: &Journal,
    token: SyncToken,
    limit: u32,
    verified_at: Option<Timestamp>,
) -> OperationResult<Step> {
    let full = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut rows = Vec::new();
    let mut after_each = Vec::new();
    let mut next = SyncToken {
        stretch: stretch(row),
        window: None,
        is_page: true,
        ..token
    };
    let start = next;
    if let Walk::Present { after, upto, since } = token.walk {
        // One row more than the page holds tells whether there are more.
        rows = journal
            .store
            .walk(journal.account, after, upto, since, limit + 1)
            .await?;
        let has_more = rows.len() > full;
        rows.truncate(full);
        let go_on = |row: &MessageRow| SyncToken {
            walk: Walk::Present {
                after: row.discovery,
                upto,
                since,
            },
            ..start
        };
        after_each.extend(rows.iter().map(go_on));
        if has_more {
            next = after_each.last().copied().unwrap_or(start);
            return Ok(Step {
                rows,
                next,
                after: after_each,
            });
        }
        next.walk = Walk::Changes {
            after: upto,
            upto: None,
        };
    }
    let Walk::Changes { after, upto } = next.walk else {
        return Ok(Step {
            rows,
            next,
            after: after_each,
        });
    };
    let upto = upto.unwrap_or(row.head).max(after);
    let room = limit - u32::try_from(rows.len()).unwrap_or(limit);
    let mut changes = journal
        .store
        .changes(journal.account, token.stream, after, upto, room + 1)
        .await?;
    let has_more = changes.len() > usize::try_from(room).unwrap_or(usize::MAX);
    if has_more {
        changes.truncate(usize::try_from(room).unwrap_or(usize::MAX));
    }
    let go_on = |after: Seq| SyncToken {
        walk: Walk::Changes {
            after,
            upto: Some(upto),
        },
        verified_at,
        ..start
    };
    after_each.extend(changes.iter().map(|row| go_on(row.seq)));
    if has_more {
        next = go_on(changes.last().map_or(after, |last| last.seq));
    } else {
        next.walk = Walk::Changes {
            after: upto,
            upto: None,
        };
        next.is_page = false;
        next.verified_at = None;
    }
    rows.extend(changes);
    Ok(Step {
        rows,
        next,
        after: after_each,
    })
}

fn limit(request: &SyncPageRequest, body_type: Option<BodyType>) -> OperationResult<u32> {
    match request.limit {
        None => Ok(if body_type.is_some() {
            USUAL.0
        } else {
            USUAL.1
        }),
        Some(limit @ 1..=MOST) => Ok(limit),
        Some(_) => Err(OperationError::bad_request("limit must be 1 to 500")),
    }
}

fn deleted(directory: &Directory, row: MessageRow, now: Timestamp) -> DeletedRecord {
    DeletedRecord {
        id: row.id,
        folder: folder_of(directory, &row.folders, row.labels.is_some()),
        message_id: row.message_id,
        // A `seq` is the time in microseconds, or a little more.
        noticed_at: DateTime::from_timestamp_micros(row.seq.0).map_or(now, |at| at.min(now)),
        version: row.seq.0,
    }
}
