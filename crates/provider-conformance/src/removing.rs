//! `remove`, and writing to what was removed.

use email_model::{Flags, FolderRole};
use email_provider::{ErrorKind, MessageEdit, Removal};

use crate::{Bench, Mail, call};

/// Into the trash; once there, it stays.
pub async fn a_message_is_put_into_the_trash_and_stays_there(bench: &Bench) {
    let inbox = bench.inbox().await;
    let mails = [Mail::new("to-trash", 0), Mail::new("to-stay", 60)];
    let at = bench.stored(&inbox, &mails).await.remove(0);
    let Some(trash) = bench.role(FolderRole::Trash).await else {
        let refused = bench.provider.remove(call(), &at, Removal::Trash).await;
        assert_eq!(
            refused.err().map(|error| error.kind),
            Some(ErrorKind::Unsupported)
        );
        return;
    };
    bench
        .provider
        .remove(call(), &at, Removal::Trash)
        .await
        .expect("removed");
    bench.gone(&inbox, &mails[0].id).await;
    let thrown = bench.located(&trash, &mails[0].id).await;
    bench
        .provider
        .remove(call(), &thrown, Removal::Trash)
        .await
        .expect("removed again");
    let there = bench.located(&trash, &mails[0].id).await;
    assert_eq!(bench.state(&there).await.folders, [trash]);
    bench.located(&inbox, &mails[1].id).await;
}

/// Exactly the message named goes: not one that somebody else marked as deleted.
pub async fn a_message_is_removed_for_good_and_no_other(bench: &Bench) {
    let inbox = bench.inbox().await;
    let mails: Vec<Mail> = (0..4)
        .map(|n| Mail::new(&format!("to-go-{n}"), n * 60))
        .collect();
    let refs = bench.stored(&inbox, &mails).await;
    if bench.facts.deleted_mark {
        bench.harness.mark_deleted(&inbox, &mails[3].id, true).await;
        bench.gone(&inbox, &mails[3].id).await;
    }
    bench
        .provider
        .remove(call(), &refs[1], Removal::Forever)
        .await
        .expect("removed");
    bench.gone(&inbox, &mails[1].id).await;
    if bench.facts.deleted_mark {
        bench
            .harness
            .mark_deleted(&inbox, &mails[3].id, false)
            .await;
    }
    for left in [0, 2, 3] {
        bench.located(&inbox, &mails[left].id).await;
    }
    if let Some(trash) = bench.role(FolderRole::Trash).await {
        assert_eq!(
            bench.list(&trash).await,
            [],
            "it is not in the trash either"
        );
    }
}

/// Writing to what is not there is `NotFound`.
pub async fn writing_to_an_absent_message_is_not_found(bench: &Bench) {
    let inbox = bench.inbox().await;
    let mail = Mail::new("absent", 0);
    let at = bench.store(&inbox, &mail).await;
    bench.harness.expunge(&inbox, &mail.id).await;
    bench.gone(&inbox, &mail.id).await;
    let flag = MessageEdit {
        add_flags: Flags::SEEN,
        ..MessageEdit::default()
    };
    let place = MessageEdit {
        move_to: Some(bench.folder("Target").await),
        ..MessageEdit::default()
    };
    for edit in [flag, place] {
        let refused = bench
            .provider
            .update(call(), &at, &edit)
            .await
            .err()
            .map(|error| error.kind);
        assert_eq!(refused, Some(ErrorKind::NotFound), "{edit:?}");
    }
    for removal in [Removal::Trash, Removal::Forever] {
        let refused = bench
            .provider
            .remove(call(), &at, removal)
            .await
            .err()
            .map(|error| error.kind);
        assert_eq!(refused, Some(ErrorKind::NotFound), "{removal:?}");
    }
}
