//! `update`, `remove` and `create_folder`.

use email_model::{Flags, FolderKey, FolderRole};
use email_provider::{ErrorKind, MessageEdit, MessageRef, NewFolder, ProviderResult, Removal};

use crate::{Bench, Mail, Replica, call};

async fn update(bench: &Bench, at: &MessageRef, edit: &MessageEdit) -> ProviderResult<MessageRef> {
    let now = bench.provider.update(call(), at, edit).await?;
    Ok(now.unwrap_or_else(|| at.clone()))
}

async fn flags(bench: &Bench, at: &MessageRef, add: Flags, remove: Flags) -> Flags {
    let edit = MessageEdit {
        add_flags: add,
        remove_flags: remove,
        ..MessageEdit::default()
    };
    let now = update(bench, at, &edit).await.expect("an edit");
    bench.state(&now).await.labels.flags
}

/// Flags named are set or cleared, others stay, doing it again is harmless.
pub async fn flags_are_set_and_cleared_and_others_stay(bench: &Bench) {
    let none = Flags::empty();
    let at = bench
        .store(&bench.inbox().await, &Mail::new("flags", 0))
        .await;
    assert_eq!(flags(bench, &at, Flags::SEEN, none).await, Flags::SEEN);
    let both = Flags::SEEN | Flags::FLAGGED;
    assert_eq!(flags(bench, &at, Flags::FLAGGED, none).await, both);
    assert_eq!(flags(bench, &at, Flags::FLAGGED, none).await, both);
    assert_eq!(flags(bench, &at, none, none).await, both);
    assert_eq!(flags(bench, &at, none, Flags::SEEN).await, Flags::FLAGGED);
    assert_eq!(flags(bench, &at, none, Flags::SEEN).await, Flags::FLAGGED);
    assert_eq!(
        flags(bench, &at, Flags::SEEN, Flags::FLAGGED).await,
        Flags::SEEN
    );
}

/// The keywords become those given; a mailbox without keywords says so and changes nothing.
pub async fn keywords_are_replaced_or_refused(bench: &Bench) {
    let at = bench
        .store(&bench.inbox().await, &Mail::new("keywords", 0))
        .await;
    let edit = |words: &[&str]| MessageEdit {
        add_flags: Flags::FLAGGED,
        keywords: Some(words.iter().map(|word| (*word).to_owned()).collect()),
        ..MessageEdit::default()
    };
    if !bench.provider.capabilities().keywords {
        let refused = update(bench, &at, &edit(&["red"]))
            .await
            .err()
            .map(|error| error.kind);
        assert_eq!(refused, Some(ErrorKind::Unsupported));
        assert_eq!(
            bench.state(&at).await.labels.flags,
            Flags::empty(),
            "nothing is half done"
        );
        return;
    }
    for words in [
        &["red", "blue"][..],
        &["green", "blue"],
        &["green", "blue"],
        &[],
    ] {
        update(bench, &at, &edit(words)).await.expect("an edit");
        let labels = bench.state(&at).await.labels;
        let mut expected: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        expected.sort();
        assert_eq!((labels.keywords, labels.flags), (expected, Flags::FLAGGED));
    }
}

/// The folders of a message, found in the place where it should be now.
async fn places(bench: &Bench, folder: &FolderKey, mail: &Mail) -> Vec<FolderKey> {
    let at = bench.located(folder, &mail.id).await;
    bench.state(&at).await.folders
}

/// A moved message is in the new folder, not in the old one; the reference returned is right.
pub async fn a_message_is_moved_to_a_folder(bench: &Bench) {
    let (inbox, target) = (bench.inbox().await, bench.folder("Target").await);
    let mut mail = Mail::new("moved", 0);
    mail.flags = Flags::FLAGGED;
    mail.keywords = bench.keywords(&["kept"]);
    let at = bench.store(&inbox, &mail).await;
    let edit = MessageEdit {
        move_to: Some(target.clone()),
        ..MessageEdit::default()
    };
    let told = bench
        .provider
        .update(call(), &at, &edit)
        .await
        .expect("a move");
    bench.gone(&inbox, &mail.id).await;
    let now = bench.located(&target, &mail.id).await;
    assert!(
        told.is_none_or(|told| told == now),
        "the place told is the place"
    );
    let state = bench.state(&now).await;
    assert_eq!(state.folders, [target]);
    assert_eq!(
        (state.labels.flags, state.labels.keywords),
        (mail.flags, mail.keywords)
    );
    update(bench, &now, &edit)
        .await
        .expect("moving it where it is");
    assert_eq!(bench.state(&now).await.folders.len(), 1);
    let nowhere = MessageEdit {
        move_to: Some(FolderKey("No such folder".into())),
        ..MessageEdit::default()
    };
    let refused = update(bench, &now, &nowhere)
        .await
        .err()
        .map(|error| error.kind);
    assert_eq!(refused, Some(ErrorKind::NotFound));
    assert!(
        bench
            .fetch(&now, email_provider::Detail::Exists)
            .await
            .is_some(),
        "it stays where it is"
    );
}

/// Into the archive and back into the inbox.
pub async fn a_message_is_archived_and_brought_back(bench: &Bench) {
    let inbox = bench.inbox().await;
    let archive = bench.role(FolderRole::Archive).await;
    let mail = Mail::new("archived", 0);
    let at = bench.store(&inbox, &mail).await;
    let edit = |archived| MessageEdit {
        archived: Some(archived),
        ..MessageEdit::default()
    };
    if archive.is_none() && !bench.has_labels() {
        let refused = update(bench, &at, &edit(true))
            .await
            .err()
            .map(|error| error.kind);
        assert_eq!(refused, Some(ErrorKind::Unsupported));
        return;
    }
    bench
        .provider
        .update(call(), &at, &edit(true))
        .await
        .expect("archived");
    bench.gone(&inbox, &mail.id).await;
    let archived = match &archive {
        Some(archive) => bench.located(archive, &mail.id).await,
        None => at,
    };
    bench
        .provider
        .update(call(), &archived, &edit(false))
        .await
        .expect("brought back");
    assert_eq!(places(bench, &inbox, &mail).await, [inbox]);
}

/// Flags and place in one edit.
pub async fn all_of_an_edit_is_done(bench: &Bench) {
    let (inbox, target) = (bench.inbox().await, bench.folder("Target").await);
    let mut mail = Mail::new("all-at-once", 0);
    mail.flags = Flags::FLAGGED;
    let at = bench.store(&inbox, &mail).await;
    let keywords = bench.keywords(&["one", "two"]);
    let edit = MessageEdit {
        add_flags: Flags::SEEN,
        remove_flags: Flags::FLAGGED,
        keywords: bench
            .provider
            .capabilities()
            .keywords
            .then(|| keywords.clone()),
        move_to: Some(target.clone()),
        archived: None,
    };
    bench
        .provider
        .update(call(), &at, &edit)
        .await
        .expect("an edit");
    let now = bench.located(&target, &mail.id).await;
    let state = bench.state(&now).await;
    assert_eq!(
        (state.labels.flags, state.labels.keywords),
        (Flags::SEEN, keywords)
    );
    bench.gone(&inbox, &mail.id).await;
}

/// A folder is made where it is wanted; one that exists is a `Conflict`.
pub async fn a_folder_is_created_once(bench: &Bench) {
    let wanted = |name: &str, parent: Option<&FolderKey>| NewFolder {
        name: name.to_owned(),
        parent: parent.cloned(),
    };
    let create = async |folder: NewFolder| bench.provider.create_folder(call(), folder).await;
    if !bench.provider.capabilities().create_folders {
        let refused = create(wanted("New", None))
            .await
            .err()
            .map(|error| error.kind);
        assert_eq!(refused, Some(ErrorKind::Unsupported));
        return;
    }
    let above = create(wanted("Büro & Co", None)).await.expect("a folder");
    assert_eq!(above.name, "Büro & Co");
    let below = create(wanted("2024", Some(&above.key)))
        .await
        .expect("a folder below");
    assert_eq!(below.parent.as_ref(), Some(&above.key));
    let listed = bench.provider.folders(call()).await.expect("folders");
    assert!(
        listed.contains(&above) && listed.contains(&below),
        "{listed:?}"
    );
    for again in [wanted("Büro & Co", None), wanted("2024", Some(&above.key))] {
        let refused = create(again).await.err().map(|error| error.kind);
        assert_eq!(refused, Some(ErrorKind::Conflict));
    }
    let mail = Mail::new("in-new-folder", 0);
    bench.store(&below.key, &mail).await;
}

/// What the provider itself wrote is told by the feed as anybody else's changes are.
pub async fn own_writes_are_told_as_changes(bench: &Bench) {
    let (source, target) = (bench.folder("Source").await, bench.folder("Target").await);
    let mails: Vec<Mail> = (0..4)
        .map(|n| Mail::new(&format!("own-{n}"), n * 60))
        .collect();
    let refs = bench.stored(&source, &mails).await;
    let there = bench.store(&target, &Mail::new("there", 0)).await;
    let mut replicas = vec![Replica::scan(bench, &refs[0].scope, 100, async || {}).await];
    if there.scope != refs[0].scope {
        replicas.push(Replica::scan(bench, &there.scope, 100, async || {}).await);
    }
    let seen = MessageEdit {
        add_flags: Flags::SEEN,
        ..MessageEdit::default()
    };
    let place = MessageEdit {
        move_to: Some(target),
        ..MessageEdit::default()
    };
    update(bench, &refs[0], &seen).await.expect("a flag");
    update(bench, &refs[1], &place).await.expect("a move");
    bench
        .provider
        .remove(call(), &refs[2], Removal::Forever)
        .await
        .expect("a removal");
    for replica in replicas {
        replica.assert_converges(bench, "own writes").await;
    }
}
