//! From rows, envelopes and contents to what a client is shown.

use std::sync::Arc;

use email_model::{BodyType, Content, Envelope, FolderId, FolderKind, FolderRole, Labels};
use email_provider::EntryState;
use gateway_store::{FolderRow, MessageRow};

use super::{MessageView, Omitted, body};
use crate::journal::{Directory, JournalHandle};

/// A message as far as the journal's row tells: never its body or its header fields.
pub(super) fn row_view(
    journal: &JournalHandle,
    directory: &Directory,
    row: &MessageRow,
) -> MessageView {
    let envelope = journal.open_envelope(row);
    view(directory, row, row.labels.clone(), &row.folders, envelope)
}

/// What is known of a message after it was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// As the journal has it.
    pub row: MessageRow,
    /// As the provider told it now.
    pub state: Option<EntryState>,
    pub envelope: Option<Envelope>,
    pub content: Option<Arc<Content>>,
    /// The envelope's snippet is what the message has, be it none.
    pub has_snippet: bool,
}

impl Found {
    /// Flags and keywords, as told last.
    pub fn labels(&self) -> Option<&Labels> {
        self.state
            .as_ref()
            .map(|state| &state.labels)
            .or(self.row.labels.as_ref())
    }

    /// Folders, as told last.
    pub fn folders(&self, directory: &Directory) -> Vec<FolderId> {
        let Some(state) = &self.state else {
            return self.row.folders.clone();
        };
        state
            .folders
            .iter()
            .filter_map(|key| Some(directory.folder_by_key(key)?.id))
            .collect()
    }

    /// What a client is shown, with the body where its type is named and the content is there.
    pub fn view(self, directory: &Directory, body_type: Option<BodyType>) -> MessageView {
        let folders = self.folders(directory);
        let labels = self.labels().cloned();
        let envelope = match &self.content {
            Some(content) => Some(content.envelope.clone()),
            None => self.envelope,
        };
        let mut view = view(directory, &self.row, labels, &folders, envelope);
        if let (Some(body_type), Some(content)) = (body_type, &self.content) {
            view.body = Some(body::body_as(&content.body, body_type));
            view.headers = Some(content.headers.clone());
            view.omitted
                .retain(|one| !matches!(one, Omitted::Body | Omitted::InternetHeaders));
        }
        view
    }
}

fn view(
    directory: &Directory,
    row: &MessageRow,
    labels: Option<Labels>,
    folders: &[FolderId],
    envelope: Option<Envelope>,
) -> MessageView {
    let envelope = envelope.map(|mut envelope| {
        envelope.received_at = envelope.received_at.or(row.received_at);
        envelope
    });
    let mut omitted = Vec::new();
    if row.thread.is_none() {
        omitted.push(Omitted::ThreadId);
    }
    omitted.push(Omitted::Body);
    if envelope
        .as_ref()
        .is_none_or(|envelope| envelope.attachments.is_none())
    {
        omitted.push(Omitted::Attachments);
    }
    if envelope.is_none() {
        omitted.push(Omitted::Recipients);
    }
    omitted.push(Omitted::InternetHeaders);
    MessageView {
        id: row.id,
        thread: row.thread,
        folder: folder_of(directory, folders, labels.is_some()),
        roles: directory.roles_of(folders),
        labels,
        envelope,
        body: None,
        headers: None,
        inline_content: Default::default(),
        omitted,
        version: None,
    }
}

/// The folder that stands for all of a message's places: the one it is in on folder backends; the
/// first of trash, junk, drafts, inbox, sent, user labels by id on label backends, else the archive.
/// `learned`: no folder means that it carries no label, not that its labels are unknown.
pub(crate) fn folder_of(
    directory: &Directory,
    folders: &[FolderId],
    learned: bool,
) -> Option<FolderId> {
    let rank = |row: &FolderRow| match row.role {
        Some(FolderRole::Trash) => 0,
        Some(FolderRole::Junk) => 1,
        Some(FolderRole::Drafts) => 2,
        Some(FolderRole::Inbox) => 3,
        Some(FolderRole::Sent) => 4,
        None => 5,
        Some(FolderRole::Archive) => 6,
        Some(FolderRole::All | FolderRole::Flagged | FolderRole::Important) => 7,
    };
    let first = folders
        .iter()
        .filter_map(|id| directory.folder(*id))
        .min_by_key(|row| (rank(row), row.id));
    let archive = || {
        directory
            .folder_by_role(FolderRole::Archive)
            .or_else(|| directory.folder_by_role(FolderRole::All))
            .map(|row| row.id)
    };
    match first {
        // A view is no place: what has no other is in the archive.
        Some(row) if row.kind == FolderKind::Label && rank(row) == 7 => archive().or(Some(row.id)),
        Some(row) => Some(row.id),
        None if !folders.is_empty() => folders.first().copied(),
        None => {
            let labels = directory
                .folders
                .iter()
                .any(|row| row.kind == FolderKind::Label);
            (learned && labels).then(archive).flatten()
        }
    }
}

#[cfg(test)]
mod tests {
    use email_model::FolderKey;

    use super::*;

    fn directory(folders: &[(u64, Option<FolderRole>, FolderKind)]) -> Directory {
        let row = |(id, role, kind): &(u64, Option<FolderRole>, FolderKind)| FolderRow {
            id: FolderId(*id),
            key: FolderKey(id.to_string()),
            name: id.to_string(),
            full_name: id.to_string(),
            parent: None,
            role: *role,
            kind: *kind,
            selectable: true,
        };
        Directory::new(folders.iter().map(row).collect(), Vec::new())
    }

    fn labels() -> Directory {
        directory(&[
            (9, Some(FolderRole::Inbox), FolderKind::Label),
            (8, Some(FolderRole::Trash), FolderKind::Label),
            (7, None, FolderKind::Label),
            (6, None, FolderKind::Label),
            (5, Some(FolderRole::All), FolderKind::Label),
            (4, Some(FolderRole::Important), FolderKind::Label),
            (3, Some(FolderRole::Sent), FolderKind::Label),
        ])
    }

    #[test]
    fn the_first_label_in_the_order_of_the_contract_stands_for_all() {
        let directory = labels();
        let ids = |ids: &[u64]| ids.iter().map(|id| FolderId(*id)).collect::<Vec<_>>();
        for (carried, shown) in [
            (&[9, 7][..], 9),
            (&[9, 8], 8),
            (&[3, 6], 3),
            (&[6, 7], 6),
            (&[9, 4], 9),
            (&[4], 5),
        ] {
            assert_eq!(
                folder_of(&directory, &ids(carried), true),
                Some(FolderId(shown)),
                "{carried:?}"
            );
        }
    }

    #[test]
    fn a_message_without_any_label_is_in_the_archive_once_that_is_known() {
        assert_eq!(folder_of(&labels(), &[], true), Some(FolderId(5)));
        assert_eq!(folder_of(&labels(), &[], false), None);
    }

    #[test]
    fn on_folder_backends_it_is_the_one_folder_even_if_that_is_a_view() {
        let directory = directory(&[
            (1, Some(FolderRole::Archive), FolderKind::Folder),
            (2, Some(FolderRole::Flagged), FolderKind::Folder),
        ]);
        assert_eq!(
            folder_of(&directory, &[FolderId(2)], true),
            Some(FolderId(2))
        );
        assert_eq!(folder_of(&directory, &[], true), None);
    }
}
