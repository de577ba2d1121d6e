use email_model::{FolderKey, FolderRole};
use email_provider::{Folder, MessageEdit, MessageRef, NewFolder, ProviderResult, Removal};

use crate::{
    error,
    state::{Record, State},
};

/// All of the edit or none: what cannot be done is found before anything is.
pub(crate) fn update(
    state: &mut State,
    at: &MessageRef,
    edit: &MessageEdit,
) -> ProviderResult<MessageRef> {
    state.find(at)?;
    if edit.keywords.is_some() && !state.shape.keywords {
        return Err(error::unsupported("keywords"));
    }
    let unfit = |word: &String| word.is_empty() || word.contains(char::is_control);
    if edit.keywords.iter().flatten().any(unfit) {
        return Err(error::invalid("not a keyword"));
    }
    if edit
        .move_to
        .as_ref()
        .is_some_and(|folder| !state.folders.contains_key(folder))
    {
        return Err(error::no_folder());
    }
    let place = place(state, edit)?;
    state.change(at, |record| {
        record.labels.flags.insert(edit.add_flags);
        record.labels.flags.remove(edit.remove_flags);
        if let Some(keywords) = edit.keywords.clone() {
            record.labels.keywords = keywords;
            record.labels.keywords.sort();
            record.labels.keywords.dedup();
        }
    })?;
    match place {
        Place::Unchanged => Ok(at.clone()),
        Place::Folder(folder) => state.move_to(at, &folder),
        Place::Labels { add, leave } => {
            state.change(at, |record| relabel(record, add, &leave))?;
            Ok(at.clone())
        }
    }
}

/// Where an edit puts a message.
enum Place {
    Unchanged,
    Folder(FolderKey),
    Labels {
        add: Option<FolderKey>,
        leave: Vec<FolderKey>,
    },
}

fn place(state: &State, edit: &MessageEdit) -> ProviderResult<Place> {
    let role = |role: FolderRole| {
        state
            .role(role)
            .ok_or_else(|| error::unsupported("such folder"))
    };
    let incoming = || {
        let roles = [FolderRole::Inbox, FolderRole::Trash, FolderRole::Junk];
        roles
            .into_iter()
            .filter_map(|role| state.role(role))
            .collect()
    };
    Ok(
        match (state.shape.labels, edit.move_to.clone(), edit.archived) {
            (_, None, None) => Place::Unchanged,
            (false, Some(folder), _) => Place::Folder(folder),
            (false, None, Some(true)) => Place::Folder(role(FolderRole::Archive)?),
            (false, None, Some(false)) => Place::Folder(role(FolderRole::Inbox)?),
            (true, Some(folder), _) => Place::Labels {
                add: Some(folder),
                leave: incoming(),
            },
            (true, None, Some(true)) => Place::Labels {
                add: None,
                leave: vec![role(FolderRole::Inbox)?],
            },
            (true, None, Some(false)) => Place::Labels {
                add: Some(role(FolderRole::Inbox)?),
                leave: Vec::new(),
            },
        },
    )
}

fn relabel(record: &mut Record, add: Option<FolderKey>, leave: &[FolderKey]) {
    record.folders.retain(|folder| !leave.contains(folder));
    record.folders.extend(add);
}

pub(crate) fn remove(state: &mut State, at: &MessageRef, removal: Removal) -> ProviderResult<()> {
    state.find(at)?;
    if removal == Removal::Forever {
        return state.expunge(at);
    }
    let trash = state
        .role(FolderRole::Trash)
        .ok_or_else(|| error::unsupported("trash"))?;
    let edit = MessageEdit {
        move_to: Some(trash),
        ..MessageEdit::default()
    };
    update(state, at, &edit).map(|_| ())
}

pub(crate) fn create_folder(state: &mut State, folder: &NewFolder) -> ProviderResult<Folder> {
    let key = state.create_folder(&folder.name, folder.parent.as_ref())?;
    state.folder(&key)
}
