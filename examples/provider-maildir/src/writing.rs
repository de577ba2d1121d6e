//! Changes to messages: a file's name is its place and its flags, so that a change is one renaming.

use std::fs;

use email_model::{EntryKey, Flags, FolderKey, FolderRole, ScopeKey};
use email_provider::{MessageEdit, MessageRef, ProviderResult, Removal};

use crate::{
    error,
    folders::with_role,
    maildir::{INBOX, LETTERS, Maildir},
};

/// All of the edit or none: what cannot be done is found before anything is.
pub(crate) fn update(
    maildir: &Maildir,
    at: &MessageRef,
    edit: &MessageEdit,
) -> ProviderResult<MessageRef> {
    if edit.keywords.is_some() {
        return Err(error::unsupported("keywords"));
    }
    let known = LETTERS
        .iter()
        .fold(Flags::empty(), |all, (flag, _)| all | *flag);
    if !known.contains(edit.add_flags | edit.remove_flags) {
        return Err(error::unsupported("flag for what is important"));
    }
    maildir.with_file(at, |_| Ok(()))?;
    let to = match (&edit.move_to, edit.archived) {
        (Some(FolderKey(folder)), _) => folder.clone(),
        (None, Some(true)) => with_role(maildir, FolderRole::Archive)
            .ok_or_else(|| error::unsupported("archive folder"))?,
        (None, Some(false)) => INBOX.to_owned(),
        (None, None) => at.scope.0.clone(),
    };
    let directory = maildir.folder(&to)?.join("cur");
    let mut key = at.key.clone();
    // A copy by another program may have the same name there: nothing is overwritten.
    if to != at.scope.0 && maildir.all(&to)?.contains_key(&key) {
        key = EntryKey(format!("{:032x}.moved", rand::random::<u128>()).into_bytes());
    }
    maildir.with_file(at, |file| {
        let mut letters = file.letters.clone();
        for (flag, letter) in LETTERS {
            if edit.add_flags.contains(flag) && !letters.contains(&letter) {
                letters.push(letter);
            }
            letters.retain(|one| !(*one == letter && edit.remove_flags.contains(flag)));
        }
        letters.sort_unstable();
        let name = [key.0.as_slice(), b":2,", &letters].concat();
        fs::rename(&file.path, directory.join(os_name(&name)))
    })?;
    let scope = ScopeKey(to);
    Ok(MessageRef { scope, key })
}

fn os_name(name: &[u8]) -> &std::ffi::OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(name)
}

pub(crate) fn remove(maildir: &Maildir, at: &MessageRef, removal: Removal) -> ProviderResult<()> {
    if removal == Removal::Forever {
        return maildir.with_file(at, |file| fs::remove_file(&file.path));
    }
    let trash = with_role(maildir, FolderRole::Trash);
    let edit = MessageEdit {
        move_to: Some(FolderKey(trash.ok_or_else(|| error::unsupported("trash"))?)),
        ..MessageEdit::default()
    };
    update(maildir, at, &edit).map(drop)
}
