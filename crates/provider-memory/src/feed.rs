use email_model::Timestamp;
use email_provider::{
    ChangeNext, ChangePage, Cursor, Entry, ProviderResult, Removed, ScanDetail, ScanNext, ScanPage,
    ScanRequest, ScanWindow, ScopeKey, ScopeState, Survey,
};

use crate::{
    convert,
    cursor::{ListedDownTo, ReadUpTo},
    error, reading,
    state::{Change, Record, Scope, State},
};

pub(crate) fn survey(state: &State, known: &[(ScopeKey, Cursor)]) -> ProviderResult<Survey> {
    let scopes = state.scopes.iter().map(|(key, scope)| {
        let read = known.iter().find(|(known, _)| known == key);
        let read = read.and_then(|(_, cursor)| ReadUpTo::from_cursor(cursor).ok());
        let unmoved = state.shape.cheap_level_check && read == Some(now(scope));
        let count = u64::try_from(scope.count()).ok();
        ScopeState {
            key: key.clone(),
            moved: !unmoved,
            count,
        }
    });
    Ok(Survey {
        folders: reading::folders(state)?,
        scopes: scopes.collect(),
    })
}

pub(crate) fn begin(state: &State, scope: &ScopeKey) -> ProviderResult<Option<Cursor>> {
    let scope = state.scopes.get(scope).ok_or_else(error::no_folder)?;
    Ok((!state.shape.cursor_at_end_of_scan).then(|| now(scope).to_cursor()))
}

fn now(scope: &Scope) -> ReadUpTo {
    ReadUpTo {
        epoch: scope.epoch,
        change: scope.change,
    }
}

pub(crate) fn scan(
    state: &State,
    scope: &ScopeKey,
    request: ScanRequest<'_>,
) -> ProviderResult<ScanPage> {
    let scope = state.scopes.get(scope).ok_or_else(error::no_folder)?;
    let position = request
        .position
        .map(ListedDownTo::from_position)
        .transpose()?;
    if position
        .as_ref()
        .is_some_and(|position| position.begun.epoch != scope.epoch)
    {
        return Err(error::expired());
    }
    let begun = position
        .as_ref()
        .map_or(now(scope), |position| position.begun);
    let after = position.as_ref().and_then(|position| {
        Some((
            Timestamp::from_timestamp_millis(position.received)?,
            position.number,
        ))
    });
    // Where a listing of keys is one response anyway, it is one page.
    let whole = request.detail == ScanDetail::Keys && !state.shape.bare_scan;
    let page = if whole {
        usize::MAX
    } else {
        request.limit.clamp(1, state.shape.page)
    };
    let mut left = scope
        .newest_first(after)
        .filter(|record| within(request.window, record));
    let listed: Vec<&Record> = left.by_ref().take(page).collect();
    let next = match (left.next(), listed.last()) {
        (Some(_), Some(last)) => ScanNext::More(
            ListedDownTo {
                begun,
                received: last.message.received_at.timestamp_millis(),
                number: last.number,
                scope: String::new(),
            }
            .to_position(),
        ),
        _ => ScanNext::Done {
            cursor: state.shape.cursor_at_end_of_scan.then(|| begun.to_cursor()),
            proof: position.is_none() && request.window == ScanWindow::default(),
        },
    };
    let entries = listed
        .into_iter()
        .map(|record| match (state.shape.bare_scan, request.detail) {
            (true, _) => bare_entry(state, scope, record),
            (false, ScanDetail::Keys) => Entry {
                envelope: None,
                ..full_entry(state, scope, record)
            },
            (false, ScanDetail::Envelopes) => full_entry(state, scope, record),
        });
    Ok(ScanPage {
        entries: entries.collect(),
        next,
        total: u64::try_from(scope.count()).ok(),
    })
}

fn within(window: ScanWindow, record: &Record) -> bool {
    let received = record.message.received_at;
    window.since.is_none_or(|since| received >= since)
        && window.before.is_none_or(|before| received < before)
}

pub(crate) fn changes(
    state: &State,
    scope: &ScopeKey,
    cursor: &Cursor,
    limit: usize,
) -> ProviderResult<ChangePage> {
    let scope = state.scopes.get(scope).ok_or_else(error::no_folder)?;
    let read = ReadUpTo::from_cursor(cursor)?;
    if read.epoch != scope.epoch || read.change < scope.forgotten || read.change > scope.change {
        return Err(error::expired());
    }
    let mut entries = Vec::new();
    let mut gone = Vec::new();
    let mut told = read;
    let all = scope.changes_since(read.change);
    let page = limit.clamp(1, state.shape.page);
    for (number, change) in all.iter().take(page) {
        told.change = *number;
        match change {
            Change::Here(record) => entries.push(Entry {
                revised: record.revised > read.change,
                ..full_entry(state, scope, record)
            }),
            Change::Gone(record) if state.shape.forgets_passages && record.born > read.change => {}
            Change::Gone(record) => gone.push(state.key(scope, record)),
        }
    }
    let caught_up = all.len() <= page;
    let removed = match (state.shape.removed_as_listing, caught_up) {
        (true, true) => Removed::Listing(
            scope
                .newest_first(None)
                .map(|record| state.key(scope, record))
                .collect(),
        ),
        // What is left is told with the last page.
        (true, false) => Removed::Vanished(Vec::new()),
        (false, _) => Removed::Vanished(gone),
    };
    let next = match caught_up {
        true => ChangeNext::CaughtUp(now(scope).to_cursor()),
        false => ChangeNext::More(told.to_cursor()),
    };
    Ok(ChangePage {
        entries,
        removed,
        next,
    })
}

fn full_entry(state: &State, scope: &Scope, record: &Record) -> Entry {
    Entry {
        key: state.key(scope, record),
        state: Some(reading::entry_state(record)),
        received_at: Some(record.message.received_at),
        identity: Some(convert::identity(state.shape, &record.message)),
        thread: Some(convert::thread(state.shape, &record.message)),
        envelope: Some(record.message.content.envelope.clone()),
        // A scan does not know what its reader has seen.
        revised: record.message.revision > 0,
    }
}

fn bare_entry(state: &State, scope: &Scope, record: &Record) -> Entry {
    Entry {
        state: None,
        received_at: None,
        envelope: None,
        ..full_entry(state, scope, record)
    }
}
