//! `begin` and `changes`.

use std::collections::BTreeSet;

use email_model::{Flags, FolderKey};
use email_provider::{ChangePage, EntryKey, ErrorKind, Removed};

use crate::{Bench, Mail, Replica, call};

/// Nothing happens in between.
pub(crate) async fn still() {}

/// A folder with one message, and a copy of its scope.
pub(crate) async fn watched(bench: &Bench) -> (FolderKey, Mail, Replica) {
    let folder = bench.folder("Watched").await;
    let mail = Mail::new("first", 0);
    let at = bench.store(&folder, &mail).await;
    let mut replica = Replica::scan(bench, &at.scope, 100, still).await;
    replica.catch_up(bench, 100, still).await;
    (folder, mail, replica)
}

/// What happens after `begin`, before and during the scan, is in the scan or in the changes.
pub async fn nothing_is_lost_between_the_beginning_and_the_scan(bench: &Bench) {
    let folder = bench.folder("Begun").await;
    let mails: Vec<Mail> = (0..8)
        .map(|n| Mail::new(&format!("begun-{n}"), n * 60))
        .collect();
    let refs = bench.stored(&folder, &mails).await;
    let mut step = 0;
    let happen = async || {
        if step < 4 {
            bench
                .harness
                .append(
                    &folder,
                    Mail::new(&format!("meanwhile-{step}"), 900 + step).stored(),
                )
                .await;
            bench
                .harness
                .expunge(&folder, &mails[usize::try_from(step).unwrap_or(0)].id)
                .await;
            let flagged = &mails[usize::try_from(7 - step).unwrap_or(0)].id;
            bench
                .harness
                .set_flags(&folder, flagged, Flags::FLAGGED, &[])
                .await;
        }
        step += 1;
    };
    let replica = Replica::scan(bench, &refs[0].scope, 2, happen).await;
    bench.gone(&folder, &mails[0].id).await;
    replica
        .assert_converges(bench, "the scan and its changes")
        .await;
}

/// A page can be asked for again and applied again.
pub async fn the_same_cursor_can_be_asked_twice(bench: &Bench) {
    let (folder, mail, replica) = watched(bench).await;
    bench
        .harness
        .set_flags(&folder, &mail.id, Flags::FLAGGED, &[])
        .await;
    let mails = [Mail::new("again", 60), Mail::new("and-gone", 120)];
    let refs = bench.stored(&folder, &mails).await;
    bench
        .harness
        .expunge(&folder, "<and-gone@conformance.example>")
        .await;
    bench.gone(&folder, "<and-gone@conformance.example>").await;
    let keys = |page: &ChangePage| -> BTreeSet<EntryKey> {
        page.entries.iter().map(|e| e.key.clone()).collect()
    };
    let all_is_told = async || {
        let page = replica.changes(bench).await.expect("changes");
        let told = keys(&page);
        if told.contains(&refs[0].key) && !told.contains(&refs[1].key) {
            Ok(page)
        } else {
            Err(format!("{page:?}"))
        }
    };
    let first = bench.eventually("all is told", all_is_told).await;
    let second = replica.changes(bench).await.expect("changes again");
    assert_eq!(keys(&first), keys(&second));
    let mut twice = replica.clone();
    twice.apply(first.clone());
    twice.apply(second);
    twice.apply(first);
    twice.assert_converges(bench, "pages applied twice").await;
    replica
        .assert_converges(bench, "the old cursor asked anew")
        .await;
}

/// A cursor is good on another connection, as after a restart.
pub async fn a_cursor_is_good_on_another_connection(bench: &Bench) {
    let (folder, mail, replica) = watched(bench).await;
    bench.provider.close().await;
    let reopened = bench.reopened().await;
    bench
        .harness
        .set_flags(&folder, &mail.id, Flags::FLAGGED, &[])
        .await;
    bench
        .harness
        .append(&folder, Mail::new("after-restart", 60).stored())
        .await;
    reopened
        .located(&folder, "<after-restart@conformance.example>")
        .await;
    replica.assert_converges(&reopened, "a copy read on").await;
}

/// A new message is told with its key; its state, where told, is true.
pub async fn a_new_message_is_an_entry(bench: &Bench) {
    let (folder, _, replica) = watched(bench).await;
    let mut mail = Mail::new("new", 60);
    mail.flags = Flags::FLAGGED;
    let at = bench.store(&folder, &mail).await;
    let page = bench
        .eventually("the entry is told", async || {
            let page = replica.changes(bench).await.expect("changes");
            let told = page.entries.iter().any(|entry| entry.key == at.key);
            if told {
                Ok(page)
            } else {
                Err(format!("{page:?}"))
            }
        })
        .await;
    let entry = page.entries.into_iter().rfind(|entry| entry.key == at.key);
    let state = entry.and_then(|entry| entry.state);
    assert!(
        state.is_none_or(|state| state.labels.flags == Flags::FLAGGED && state.folders == [folder])
    );
}

fn is_removed(page: &ChangePage, key: &EntryKey) -> bool {
    match &page.removed {
        Removed::Vanished(keys) => keys.contains(key),
        Removed::Listing(keys) => !keys.contains(key),
    }
}

/// A removal is told by key.
pub async fn a_removed_message_is_told(bench: &Bench) {
    let (folder, mail, replica) = watched(bench).await;
    let at = bench.located(&folder, &mail.id).await;
    bench.harness.expunge(&folder, &mail.id).await;
    bench
        .eventually("the removal is told", async || {
            let page = replica.changes(bench).await.expect("changes");
            if is_removed(&page, &at.key) {
                Ok(())
            } else {
                Err(format!("{page:?}"))
            }
        })
        .await;
    replica.assert_converges(bench, "a removal").await;
}

/// A mark of deletion counts as removed, though the message is still there; without it, it is back.
pub async fn marking_as_deleted_removes_and_unmarking_brings_back(bench: &Bench) {
    if !bench.facts.deleted_mark {
        return;
    }
    let (folder, mail, mut replica) = watched(bench).await;
    let key = bench.located(&folder, &mail.id).await.key;
    bench.harness.mark_deleted(&folder, &mail.id, true).await;
    bench.gone(&folder, &mail.id).await;
    bench
        .eventually("the mark is told as a removal", async || {
            replica.catch_up(bench, 100, still).await;
            match replica.entries(bench).await.contains_key(&key) {
                true => Err("it is still there".to_owned()),
                false => Ok(()),
            }
        })
        .await;
    bench.harness.mark_deleted(&folder, &mail.id, false).await;
    bench
        .eventually("the message is told again", async || {
            replica.catch_up(bench, 100, still).await;
            match replica.entries(bench).await.is_empty() {
                true => Err("it is not back".to_owned()),
                false => Ok(()),
            }
        })
        .await;
    replica
        .assert_converges(bench, "a mark set and taken away")
        .await;
}

/// Of a scope that is gone, `NotFound` is said.
pub async fn a_scope_that_is_gone_is_not_found(bench: &Bench) {
    if bench.has_labels() {
        return;
    }
    let (folder, mail, replica) = watched(bench).await;
    let scope = bench.located(&folder, &mail.id).await.scope;
    bench.harness.expunge(&folder, &mail.id).await;
    bench.gone(&folder, &mail.id).await;
    bench.harness.delete_folder(&folder).await;
    bench
        .eventually("the scope is gone", async || {
            let begun = bench
                .provider
                .begin(call(), &scope)
                .await
                .err()
                .map(|error| error.kind);
            let read = replica.changes(bench).await.err().map(|error| error.kind);
            let expected = Some(ErrorKind::NotFound);
            if begun == expected && read == expected {
                Ok(())
            } else {
                Err(format!("{begun:?} {read:?}"))
            }
        })
        .await;
    let survey = bench
        .provider
        .survey(call(), &[(scope.clone(), replica.cursor)])
        .await;
    assert!(
        survey
            .expect("a survey")
            .scopes
            .iter()
            .all(|state| state.key != scope)
    );
}
