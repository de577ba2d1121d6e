//! First scans: what a scope held when its cursor began. Background work, newest first, resumable.

use std::sync::Arc;

use email_model::{Cursor, FolderRole, Timestamp};
use email_provider::{
    ErrorKind, Position, ProviderError, ScanDetail, ScanNext, ScanPage, ScanRequest, ScanWindow,
};
use gateway_store::{JournalRecord, ScopeNumber, ScopeRow};
use tokio_util::task::AbortOnDropHandle;

use super::{
    pass::{PAGE, PassContext, PassError},
    scope_state::{Covered, ScanProgress, ScopeRecord},
};
use crate::{
    Gateway, OperationError,
    journal::{Announce, Directory, Place, check_position},
};

/// What a scope's scan has to do next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ScanTask {
    pub number: ScopeNumber,
    pub window: ScanWindow,
}

/// The next scan of a mailbox: the asked-for window of every scope first, the inbox before the rest,
/// then what is older.
pub(crate) fn next_scan(
    directory: &Directory,
    record: &JournalRecord,
    now: Timestamp,
) -> Option<ScanTask> {
    record.started_at?;
    let window = record.window.flatten();
    let mut tasks: Vec<(u8, u8, ScanTask)> = Vec::new();
    for row in directory.scopes.values() {
        let state = ScopeRecord::of(row);
        let is_waiting = state
            .failure
            .as_ref()
            .is_some_and(|failure| failure.retry_at > now);
        if !state.surveyed || state.removed || state.covered == Covered::All || is_waiting {
            continue;
        }
        let (phase, window) = match (&state.scan, state.covered) {
            (Some(scan), _) => (
                u8::from(scan.before.is_some()),
                ScanWindow {
                    since: scan.since,
                    before: scan.before,
                },
            ),
            (None, Covered::Nothing) => (
                0,
                ScanWindow {
                    since: window,
                    before: None,
                },
            ),
            (None, Covered::Since(since)) => (
                1,
                ScanWindow {
                    since: None,
                    before: Some(since),
                },
            ),
            (None, Covered::All) => continue,
        };
        let is_inbox = directory
            .folder_by_role(FolderRole::Inbox)
            .is_some_and(|folder| folder.key.0 == row.key.0);
        // A folder that appeared later may be an old one renamed: its messages wait to be found.
        let phase = if state.announces { 0 } else { phase };
        tasks.push((
            phase,
            u8::from(!is_inbox),
            ScanTask {
                number: row.number,
                window,
            },
        ));
    }
    tasks.sort_by_key(|(phase, rank, task)| (*phase, *rank, task.number));
    tasks.into_iter().next().map(|(_, _, task)| task)
}

impl Gateway {
    /// Takes a first cursor of every scope that has none, before anything of it is listed: what
    /// moves into it afterwards is told by its feed.
    pub(crate) async fn begin_scopes(&self, context: &PassContext<'_>) -> Result<(), PassError> {
        let directory = context.journal.directory();
        for row in directory.scopes.values() {
            let state = ScopeRecord::of(row);
            let untouched = state.surveyed
                && !state.removed
                && state.covered == Covered::Nothing
                && state.scan.is_none();
            if row.cursor.is_some() || !untouched {
                continue;
            }
            match context.mailbox.provider.begin(context.call, &row.key).await {
                Ok(Some(cursor)) => self.set_cursor(context, row.number, cursor).await?,
                Ok(None) => {}
                Err(error) => self.scan_failed(context, row.number, error).await?,
            }
        }
        Ok(())
    }

    /// Reads the newest page of each folder that appeared since the first survey: what was moved into
    /// it is found by the pass that finds the folder. More than a page is left to the scan.
    pub(crate) async fn look_into_new_scopes(
        &self,
        context: &PassContext<'_>,
    ) -> Result<(), PassError> {
        let directory = context.journal.directory();
        let is_new = |row: &&ScopeRow| {
            let state = ScopeRecord::of(row);
            state.announces
                && !state.removed
                && state.failure.is_none()
                && state.scan.is_none()
                && state.covered == Covered::Nothing
        };
        for row in directory.scopes.values().filter(is_new) {
            let gate = context.sync.scan_gate(row.number);
            let Ok(_gate) = gate.try_lock() else { continue };
            let read = self.first_page(context, row).await;
            context.sync.end_vanish_log(row.number);
            match read {
                Err(PassError::Provider(error)) => {
                    self.scan_failed(context, row.number, error).await?;
                }
                other => other?,
            }
        }
        Ok(())
    }

    async fn first_page(&self, context: &PassContext<'_>, row: &ScopeRow) -> Result<(), PassError> {
        if row.cursor.is_none()
            && let Some(cursor) = context
                .mailbox
                .provider
                .begin(context.call, &row.key)
                .await?
        {
            self.set_cursor(context, row.number, cursor).await?;
        }
        context.sync.begin_vanish_log(row.number);
        let task = ScanTask {
            number: row.number,
            window: ScanWindow::default(),
        };
        let page = self.scan_page(context, row, &task, None).await?;
        self.commit_scan_page(context, row, &task, page).await
    }

    async fn set_cursor(
        &self,
        context: &PassContext<'_>,
        number: ScopeNumber,
        cursor: Cursor,
    ) -> Result<(), PassError> {
        context
            .journal
            .amend_scope(number, |row| row.cursor = Some(cursor.clone()))
            .await?;
        Ok(())
    }

    /// Scans a scope's window to its end, committing page by page, the next one being fetched while
    /// one is written.
    pub(crate) async fn scan_scope(
        &self,
        context: &PassContext<'_>,
        task: &ScanTask,
    ) -> Result<(), PassError> {
        let number = task.number;
        let gate = context.sync.scan_gate(number);
        let _gate = gate.lock().await;
        context.sync.begin_vanish_log(number);
        let result = self.scan_pages(context, task).await;
        context.sync.end_vanish_log(number);
        match result {
            Err(PassError::Provider(error)) => self.scan_failed(context, number, error).await,
            other => other,
        }
    }

    async fn scan_pages(
        &self,
        context: &PassContext<'_>,
        task: &ScanTask,
    ) -> Result<(), PassError> {
        let directory = context.journal.directory();
        let Some(row) = directory.scopes.get(&task.number) else {
            return Ok(());
        };
        let progress = ScopeRecord::of(row).scan.unwrap_or_default();
        let position = progress.position.map(Position);
        let mut page = self.scan_page(context, row, task, position).await?;
        loop {
            let following = match &page.next {
                ScanNext::More(next) => Some(next.clone()),
                ScanNext::Done { .. } => None,
            };
            // In a task of its own: reading a page and writing the one before it keep two processors busy.
            let fetch = following.map(|next| {
                let fetch = self.scan_page(context, row, task, Some(next));
                AbortOnDropHandle::new(tokio::spawn(fetch))
            });
            self.commit_scan_page(context, row, task, page).await?;
            let Some(fetch) = fetch else {
                return Ok(());
            };
            page = fetch
                .await
                .map_err(|_| OperationError::internal("reading a page broke off"))??;
            context.sync.made_progress();
            self.keep_lease(context).await?;
        }
    }

    fn scan_page(
        &self,
        context: &PassContext<'_>,
        row: &ScopeRow,
        task: &ScanTask,
        position: Option<Position>,
    ) -> impl Future<Output = Result<ScanPage, ProviderError>> + use<> {
        let provider = Arc::clone(&context.mailbox.provider);
        let (call, key, window) = (self.background(), row.key.clone(), task.window);
        async move {
            let request = ScanRequest {
                window,
                detail: ScanDetail::Envelopes,
                position: position.as_ref(),
                limit: PAGE,
            };
            provider.scan(call, &key, request).await
        }
    }

    async fn commit_scan_page(
        &self,
        context: &PassContext<'_>,
        row: &ScopeRow,
        task: &ScanTask,
        page: ScanPage,
    ) -> Result<(), PassError> {
        let announces = ScopeRecord::of(row).announces;
        let announce = if announces {
            Announce::Feed
        } else {
            Announce::FirstScan
        };
        if let ScanNext::More(position) = &page.next {
            check_position(position).map_err(PassError::Provider)?;
        }
        let mut vanished = Vec::new();
        let entries = if announces {
            self.complete(context, row, page.entries, &mut vanished)
                .await?
        } else {
            self.identify(context, row, page.entries).await?
        };
        let found = u64::try_from(entries.len()).unwrap_or(0);
        let observations = self.observations(context, row.number, entries).await?;
        let (total, next, window) = (page.total, page.next, task.window);
        let edit = move |row: &mut ScopeRow| {
            if let ScanNext::Done {
                cursor: Some(cursor),
                ..
            } = &next
            {
                row.cursor.get_or_insert_with(|| cursor.clone());
            }
            ScopeRecord::edit(row, |record| match &next {
                ScanNext::More(position) => {
                    let scan = record.scan.get_or_insert_default();
                    (scan.since, scan.before) = (window.since, window.before);
                    scan.position = Some(position.0.clone());
                    scan.found += found;
                    scan.total = total.or(scan.total);
                }
                ScanNext::Done { .. } => {
                    record.scan = None;
                    record.failure = None;
                    record.covered = window.since.map_or(Covered::All, Covered::Since);
                    record.announces &= record.covered != Covered::All;
                }
            });
        };
        // The changes read meanwhile may have told of the end of an entry of this page: the log is
        // looked at under the lock under which both are written.
        let logged = context.sync.vanish_log(row.number);
        let still: Vec<_> = observations
            .into_iter()
            .filter(|observation| !logged.contains(&observation.place.1))
            .collect();
        self.commit_page(context, &still, &[], announce, Some((row.number, &edit)))
            .await?;
        // What vanished between the look at the log and the commit is told to the journal again.
        let late: Vec<Place> = context
            .sync
            .vanish_log(row.number)
            .difference(&logged)
            .map(|key| (row.number, key.clone()))
            .collect();
        self.commit_page(context, &[], &late, Announce::Feed, None)
            .await?;
        context.sync.made_progress();
        Ok(())
    }

    /// Reads the identity of entries of which the listing did not tell it.
    async fn identify(
        &self,
        context: &PassContext<'_>,
        row: &ScopeRow,
        entries: Vec<email_provider::Entry>,
    ) -> Result<Vec<email_provider::Entry>, PassError> {
        if entries.iter().all(|entry| entry.identity.is_some()) {
            return Ok(entries);
        }
        self.complete(context, row, entries, &mut Vec::new()).await
    }

    async fn scan_failed(
        &self,
        context: &PassContext<'_>,
        number: ScopeNumber,
        error: ProviderError,
    ) -> Result<(), PassError> {
        match error.kind {
            // The next survey says so; until then nothing else is to be had from it.
            ErrorKind::NotFound => {
                context.sync.request_pass();
                self.quarantine(context.journal, number, self.now(), &error)
                    .await
            }
            ErrorKind::CursorExpired if has_begun(context, number) => {
                let again = |row: &mut ScopeRow| {
                    ScopeRecord::edit(row, |record| {
                        record.scan = record.scan.take().map(|scan| ScanProgress {
                            position: None,
                            found: 0,
                            ..scan
                        });
                    });
                };
                context.journal.amend_scope(number, again).await?;
                Ok(())
            }
            ErrorKind::Unavailable | ErrorKind::RateLimited | ErrorKind::Unauthenticated => {
                Err(error.into())
            }
            _ => {
                self.quarantine(context.journal, number, self.now(), &error)
                    .await
            }
        }
    }
}

/// Whether a first scan has come further than its beginning, so that it can begin again.
fn has_begun(context: &PassContext<'_>, number: ScopeNumber) -> bool {
    let directory = context.journal.directory();
    let scan = directory
        .scopes
        .get(&number)
        .and_then(|row| ScopeRecord::of(row).scan);
    scan.is_some_and(|scan| scan.position.is_some())
}
