//! The change feed: each folder is a scope, and compared as a whole.

use email_model::{Cursor, ScopeKey};
use email_provider::{
    ChangeNext, ChangePage, Entry, ErrorKind, Identity, MessageRef, ProviderResult, Removed,
    ScanDetail, ScanNext, ScanPage, ScanRequest, ScanWindow, ScopeState, Survey, ThreadHint,
};

use crate::{
    cursor::{ListedDownTo, Looked},
    folders,
    maildir::{Maildir, MessageFile},
    reading::{self, newest_first},
};

/// Most messages that are read for one page.
const PAGE: usize = 200;

/// A listing is cheap on a disk, and tells exactly whether anything has changed.
pub(crate) fn survey(maildir: &Maildir, known: &[(ScopeKey, Cursor)]) -> ProviderResult<Survey> {
    let mut scopes = Vec::new();
    for folder in maildir.folders()? {
        let listing = maildir.listing(&folder)?;
        let key = ScopeKey(folder);
        let read = known.iter().find(|(scope, _)| *scope == key);
        let read = read.and_then(|(_, cursor)| Looked::from_cursor(cursor).ok());
        scopes.push(ScopeState {
            key,
            moved: read != Some(Looked::at(&listing)),
            count: u64::try_from(listing.len()).ok(),
        });
    }
    Ok(Survey {
        folders: folders::all(maildir)?,
        scopes,
    })
}

pub(crate) fn begin(maildir: &Maildir, scope: &ScopeKey) -> ProviderResult<Cursor> {
    Ok(Looked::at(&maildir.listing(&scope.0)?).to_cursor())
}

/// All that is there, if anything changed: what is gone is what is not named.
pub(crate) fn changes(
    maildir: &Maildir,
    scope: &ScopeKey,
    cursor: &Cursor,
) -> ProviderResult<ChangePage> {
    let before = Looked::from_cursor(cursor)?;
    let listing = maildir.listing(&scope.0)?;
    let now = Looked::at(&listing);
    let next = ChangeNext::CaughtUp(now.to_cursor());
    if before == now {
        return Ok(ChangePage {
            entries: Vec::new(),
            removed: Removed::Vanished(Vec::new()),
            next,
        });
    }
    Ok(ChangePage {
        entries: listing.values().map(|file| bare(scope, file)).collect(),
        removed: Removed::Listing(listing.into_keys().collect()),
        next,
    })
}

pub(crate) fn scan(maildir: &Maildir, scope: &ScopeKey, request: Scan) -> ProviderResult<ScanPage> {
    let all = newest_first(maildir, std::slice::from_ref(&scope.0))?;
    let total = u64::try_from(all.len()).ok();
    let is_wanted = |(at, _): &(ListedDownTo, _)| {
        let after = |bound: email_model::Timestamp| at.0 >= bound.timestamp();
        let before = |bound: email_model::Timestamp| at.0 <= bound.timestamp();
        request.window.since.is_none_or(after) && request.window.before.is_none_or(before)
    };
    let below = |(at, _): &(ListedDownTo, _)| request.below.as_ref().is_none_or(|last| at < last);
    let most = match request.detail {
        ScanDetail::Keys => usize::MAX,
        ScanDetail::Envelopes => request.limit.clamp(1, PAGE),
    };
    let mut left = all.into_iter().filter(is_wanted).filter(below);
    let mut entries = Vec::new();
    let mut last = None;
    for (at, file) in left.by_ref().take(most) {
        let mut entry = bare(scope, &file);
        entry.received_at = email_model::Timestamp::from_timestamp(at.0, 0);
        last = Some(at);
        if request.detail == ScanDetail::Envelopes {
            let at = MessageRef {
                scope: scope.clone(),
                key: file.key,
            };
            let content = match reading::content(maildir, &at) {
                // one that is gone meanwhile is told by the changes
                Err(error) if error.kind == ErrorKind::NotFound => continue,
                content => content?,
            };
            entry.identity = Some(Identity::from_content(&content.envelope));
            entry.envelope = Some(content.envelope);
        }
        entries.push(entry);
    }
    let next = match (left.next(), last) {
        (Some(_), Some(last)) => ScanNext::More(last.to_position()),
        _ => ScanNext::Done {
            cursor: None,
            proof: request.below.is_none() && request.window == ScanWindow::default(),
        },
    };
    Ok(ScanPage {
        entries,
        next,
        total,
    })
}

/// A [`ScanRequest`] that can be handed to another thread.
pub(crate) struct Scan {
    window: ScanWindow,
    detail: ScanDetail,
    below: Option<ListedDownTo>,
    limit: usize,
}

impl Scan {
    pub(crate) fn of(request: ScanRequest<'_>) -> ProviderResult<Self> {
        let below = request.position.map(ListedDownTo::from_position);
        Ok(Self {
            window: request.window,
            detail: request.detail,
            below: below.transpose()?,
            limit: request.limit,
        })
    }
}

/// What a name tells. The gateway reads the rest of what is new to it.
fn bare(scope: &ScopeKey, file: &MessageFile) -> Entry {
    Entry {
        key: file.key.clone(),
        state: Some(file.state(&scope.0)),
        received_at: None,
        identity: None,
        thread: Some(ThreadHint::Derive),
        envelope: None,
        revised: false,
    }
}
