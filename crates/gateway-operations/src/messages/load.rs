//! Pages of journal rows: what the rows lack is loaded, what cannot be loaded is named.

use std::collections::{HashMap, HashSet};

use email_model::{BodyType, MessageId};
use email_provider::{Call, MessageRef};
use gateway_store::{Account, MessageRow};

use super::{
    MessageView,
    content_cache::weight,
    gather::{Gathered, Item, Wanted},
    view::row_view,
};
use crate::{
    Gateway, OperationError, OperationResult, journal::JournalHandle, mailboxes::OpenMailbox,
};

/// Views of journal rows, and what is missing in them.
#[derive(Debug, Default)]
pub(super) struct LoadedViews {
    /// One a row, in order. What could not be loaded is named in `omitted`.
    pub views: Vec<MessageView>,
    /// Messages that could not be loaded now.
    pub missed: Vec<MessageId>,
    /// Those of `missed` that were not where the journal has them.
    pub absent: Vec<MessageId>,
    /// Why nothing more was to be had from the provider; not for single messages that it cannot give.
    pub failure: Option<OperationError>,
}

/// Messages whose content was looked for; what is in neither is not at its place any more.
#[derive(Debug, Default)]
pub(crate) struct Sought {
    pub found: Vec<MessageId>,
    pub failed: Vec<MessageId>,
}

/// The records of a page.
#[derive(Debug)]
pub(crate) struct Contents {
    /// One a row, in order, up to the last row of which there is what was asked for.
    pub views: Vec<MessageView>,
    /// Those among them that could not be had: named in their `omitted`, and to be told of again.
    pub missed: Vec<MessageId>,
}

impl Gateway {
    /// The rows as far as the journal tells: never bodies or header fields.
    pub(crate) fn views_of_rows(
        &self,
        account: &Account,
        journal: &JournalHandle,
        rows: &[MessageRow],
    ) -> Vec<MessageView> {
        let directory = self.directory_of(account, journal);
        rows.iter()
            .map(|row| row_view(journal, &directory, row))
            .collect()
    }

    /// Loads what the rows lack: envelopes, and bodies where a type is named. Where the provider gives nothing more, rows
    /// at the end are left for another time.
    ///
    /// # Errors
    /// The provider's failure, if because of it not one of the rows could be shown as asked for.
    pub(crate) async fn load_contents(
        &self,
        account: &Account,
        journal: &JournalHandle,
        rows: Vec<MessageRow>,
        body_type: Option<BodyType>,
        call: Call,
    ) -> OperationResult<Contents> {
        let loaded = self
            .load_views(account, journal, rows, body_type, false, call)
            .await?;
        let (mut views, mut missed) = (loaded.views, loaded.missed);
        if let Some(failure) = loaded.failure
            && !missed.is_empty()
        {
            let left: HashSet<MessageId> = missed.iter().copied().collect();
            let end = views.iter().rposition(|view| !left.contains(&view.id));
            views.truncate(end.ok_or(failure)? + 1);
            let kept: HashSet<MessageId> = views.iter().map(|view| view.id).collect();
            missed.retain(|id| kept.contains(id));
        }
        Ok(Contents { views, missed })
    }

    /// The same with flags and folders as they are now, if `state` is asked for.
    pub(super) async fn load_views(
        &self,
        account: &Account,
        journal: &JournalHandle,
        rows: Vec<MessageRow>,
        body_type: Option<BodyType>,
        state: bool,
        call: Call,
    ) -> OperationResult<LoadedViews> {
        let wanted = Wanted {
            state,
            content: body_type.is_some(),
            // Who asks for the state reads a list; who does not follows a sync, and gets along
            // with what is known.
            snippet: state,
        };
        let mailbox = match self.reach(account).await {
            Ok((mailbox, _)) => mailbox,
            Err(failure) => return Ok(self.unloaded(account, journal, &rows, wanted, failure)),
        };
        let places = journal
            .places_of(rows.iter().map(|row| row.id).collect())
            .await?;
        let items = items(&rows, &places);
        let gathering = self
            .gather(account, &mailbox, journal, items, wanted, call)
            .await?;
        let directory = self.directory_of(account, journal);
        let mut gathered = gathering.messages.into_iter();
        let failure = gathering.failure.filter(|_| gathering.stopped);
        let mut loaded = LoadedViews {
            failure,
            ..LoadedViews::default()
        };
        for row in &rows {
            let message = match places.contains_key(&row.id) {
                true => gathered.next().unwrap_or(Gathered::Failed),
                false => Gathered::Absent,
            };
            let view = match message {
                Gathered::Found(found) => found.view(&directory, body_type),
                missed => {
                    if matches!(missed, Gathered::Absent) {
                        loaded.absent.push(row.id);
                    }
                    loaded.missed.push(row.id);
                    row_view(journal, &directory, row)
                }
            };
            loaded.views.push(view);
        }
        Ok(loaded)
    }

    /// Takes contents of messages into memory, and tells of which there are some.
    ///
    /// # Errors
    /// The provider's failure, if because of it nothing more is to be had now.
    pub(crate) async fn content_of(
        &self,
        account: &Account,
        mailbox: &OpenMailbox,
        journal: &JournalHandle,
        rows: Vec<MessageRow>,
    ) -> OperationResult<Sought> {
        let places = journal
            .places_of(rows.iter().map(|row| row.id).collect())
            .await?;
        let items = items(&rows, &places);
        let ids: Vec<MessageId> = items
            .iter()
            .filter_map(|item| Some(item.row.as_ref()?.id))
            .collect();
        let wanted = Wanted {
            state: false,
            content: true,
            snippet: false,
        };
        let call = self.background();
        let gathering = self
            .gather(account, mailbox, journal, items, wanted, call)
            .await?;
        let mut sought = Sought::default();
        for (id, message) in ids.into_iter().zip(&gathering.messages) {
            match message {
                Gathered::Found(_) => sought.found.push(id),
                Gathered::Failed => sought.failed.push(id),
                Gathered::Absent => {}
            }
        }
        match gathering.failure.filter(|_| gathering.stopped) {
            Some(failure) if sought.found.is_empty() => Err(failure),
            _ => Ok(sought),
        }
    }

    /// Takes contents into memory, as far as they are to be had; returns about how many octets there are of them.
    ///
    /// # Errors
    /// The provider's failure, if because of it nothing more is to be had now.
    pub(crate) async fn fetch_contents(
        &self,
        account: &Account,
        mailbox: &OpenMailbox,
        journal: &JournalHandle,
        items: Vec<Item>,
        call: Call,
    ) -> OperationResult<u64> {
        let wanted = Wanted {
            state: false,
            content: true,
            snippet: false,
        };
        let gathering = self
            .gather(account, mailbox, journal, items, wanted, call)
            .await?;
        if gathering.stopped
            && let Some(failure) = gathering.failure
        {
            return Err(failure);
        }
        let octets = |message: &Gathered| match message {
            Gathered::Found(found) => found.content.as_deref().map_or(0, weight),
            Gathered::Absent | Gathered::Failed => 0,
        };
        let octets = gathering.messages.iter().map(octets);
        Ok(octets.map(u64::from).sum())
    }

    /// What there is while the mailbox cannot be reached.
    fn unloaded(
        &self,
        account: &Account,
        journal: &JournalHandle,
        rows: &[MessageRow],
        wanted: Wanted,
        failure: OperationError,
    ) -> LoadedViews {
        let views = self.views_of_rows(account, journal, rows);
        let lacks = |view: &&MessageView| {
            wanted.content || wanted.state || view.labels.is_none() || view.envelope.is_none()
        };
        let missed = views.iter().filter(lacks).map(|view| view.id).collect();
        LoadedViews {
            views,
            missed,
            failure: Some(failure),
            absent: Vec::new(),
        }
    }
}

impl JournalHandle {
    /// Those of the rows that have a place, in order.
    pub(crate) async fn items_of(&self, rows: &[MessageRow]) -> OperationResult<Vec<Item>> {
        let places = self
            .places_of(rows.iter().map(|row| row.id).collect())
            .await?;
        Ok(items(rows, &places))
    }
}

/// Those of the rows that have a place, in order.
fn items(rows: &[MessageRow], places: &HashMap<MessageId, MessageRef>) -> Vec<Item> {
    let item = |row: &MessageRow| {
        Some(Item {
            at: places.get(&row.id)?.clone(),
            row: Some(row.clone()),
        })
    };
    rows.iter().filter_map(item).collect()
}
