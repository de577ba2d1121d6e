use email_model::{Flags, FolderRole, MessageId};
use email_provider::ErrorKind;
use gateway_operations::{
    OperationErrorKind, OperationResult, ReadRequest, StatusChange, WellKnownChange,
};
use provider_memory::{Fault, Shape};

use crate::harness::{Harness, Mail};

const MAIL: Mail<'static> = Mail {
    id: "1",
    subject: "one",
    text: "text",
    references: "",
    flags: Flags::empty(),
    minute: 0,
};

async fn one(shape: Shape) -> (Harness, MessageId) {
    let harness = Harness::new(shape).await;
    harness.deliver(FolderRole::Inbox, &MAIL);
    let id = harness.ids().await[0];
    (harness, id)
}

async fn change(harness: &Harness, id: MessageId, change: StatusChange) -> OperationResult<()> {
    harness
        .gateway
        .update_status(&harness.account, id, change)
        .await
}

async fn roles(harness: &Harness, id: MessageId) -> Vec<FolderRole> {
    harness
        .gateway
        .message(&harness.account, id, ReadRequest::default())
        .await
        .unwrap()
        .roles
}

#[tokio::test]
async fn flags_and_keywords_are_changed_and_the_rest_stays() {
    let (harness, id) = one(Shape::folders()).await;
    let read = StatusChange {
        unread: Some(false),
        keywords: Some(vec!["b".into(), "a".into()]),
        ..Default::default()
    };
    change(&harness, id, read).await.unwrap();
    change(
        &harness,
        id,
        StatusChange {
            flagged: Some(true),
            ..Default::default()
        },
    )
    .await
    .unwrap();
    let stored = &harness.mailbox.dump()[0];
    assert_eq!(stored.flags, Flags::SEEN | Flags::FLAGGED);
    assert_eq!(stored.keywords, ["a", "b"]);
    change(
        &harness,
        id,
        StatusChange {
            unread: Some(true),
            ..Default::default()
        },
    )
    .await
    .unwrap();
    assert_eq!(harness.mailbox.dump()[0].flags, Flags::FLAGGED);
}

#[tokio::test]
async fn keywords_that_the_mailbox_cannot_store_are_refused_by_name() {
    let (harness, id) = one(Shape::labels()).await;
    let keywords = StatusChange {
        keywords: Some(vec!["a".into()]),
        ..Default::default()
    };
    let refused = change(&harness, id, keywords).await.unwrap_err();
    assert_eq!(refused.kind, OperationErrorKind::NotSupported);
    assert!(refused.message.contains("keywords"));
}

#[tokio::test]
async fn archiving_moves_the_message_under_the_same_id() {
    for shape in [Shape::folders(), Shape::labels(), Shape::delta()] {
        let (harness, id) = one(shape).await;
        let archived = |archived| StatusChange {
            archived: Some(archived),
            ..Default::default()
        };
        change(&harness, id, archived(true)).await.unwrap();
        assert!(!roles(&harness, id).await.contains(&FolderRole::Inbox));
        change(&harness, id, archived(false)).await.unwrap();
        assert!(roles(&harness, id).await.contains(&FolderRole::Inbox));
    }
}

#[tokio::test]
async fn archived_messages_go_where_the_client_chose() {
    let (harness, id) = one(Shape::folders()).await;
    let made = harness
        .gateway
        .create_folder(&harness.account, "Kept".into(), None)
        .await
        .unwrap();
    let choice = WellKnownChange {
        archive: Some(made.id),
        sent: None,
    };
    harness
        .gateway
        .set_well_known(&harness.account, choice)
        .await
        .unwrap();
    let account = harness
        .gateway
        .account_of(&harness.application, harness.account.id.0)
        .await
        .unwrap();
    let archived = StatusChange {
        archived: Some(true),
        ..Default::default()
    };
    harness
        .gateway
        .update_status(&account, id, archived)
        .await
        .unwrap();
    assert_eq!(harness.mailbox.dump()[0].folders, ["Kept"]);
    let view = harness
        .gateway
        .message(&account, id, ReadRequest::default())
        .await
        .unwrap();
    assert_eq!(view.folder, Some(made.id));
}

#[tokio::test]
async fn deleting_moves_to_the_trash_and_permanently_removes() {
    for shape in [Shape::folders(), Shape::labels(), Shape::delta()] {
        let (harness, id) = one(shape).await;
        harness
            .gateway
            .delete_message(&harness.account, id, false)
            .await
            .unwrap();
        assert_eq!(roles(&harness, id).await, [FolderRole::Trash]);
        harness
            .gateway
            .delete_message(&harness.account, id, true)
            .await
            .unwrap();
        assert!(harness.mailbox.dump().is_empty());
        let refused = harness
            .gateway
            .delete_message(&harness.account, id, true)
            .await
            .unwrap_err();
        assert_eq!(refused.kind, OperationErrorKind::NotFound);
    }
}

#[tokio::test]
async fn a_change_follows_a_message_that_was_moved_meanwhile() {
    let (harness, id) = one(Shape::folders()).await;
    let inbox = harness.mailbox.folder(FolderRole::Inbox).unwrap();
    let junk = harness.mailbox.folder(FolderRole::Junk).unwrap();
    let at = harness.mailbox.find(&inbox, "<1@example.org>").unwrap();
    harness.mailbox.move_message(&at, &inbox, &junk).unwrap();
    change(
        &harness,
        id,
        StatusChange {
            flagged: Some(true),
            ..Default::default()
        },
    )
    .await
    .unwrap();
    assert_eq!(harness.mailbox.dump()[0].flags, Flags::FLAGGED);
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_made_once_more() {
    let (harness, id) = one(Shape::folders()).await;
    harness.mailbox.inject(Some("update"), Fault::LoseAnswer, 1);
    change(
        &harness,
        id,
        StatusChange {
            flagged: Some(true),
            ..Default::default()
        },
    )
    .await
    .unwrap();
    assert_eq!(harness.mailbox.dump()[0].flags, Flags::FLAGGED);
    harness.mailbox.inject(Some("remove"), Fault::LoseAnswer, 1);
    harness
        .gateway
        .delete_message(&harness.account, id, true)
        .await
        .unwrap();
    assert!(harness.mailbox.dump().is_empty());
}

#[tokio::test]
async fn a_refused_change_changes_nothing() {
    let (harness, id) = one(Shape::folders()).await;
    harness
        .mailbox
        .inject(Some("update"), Fault::Fail(ErrorKind::Forbidden), 1);
    let refused = change(
        &harness,
        id,
        StatusChange {
            flagged: Some(true),
            ..Default::default()
        },
    )
    .await;
    assert_eq!(refused.unwrap_err().kind, OperationErrorKind::Forbidden);
    assert_eq!(harness.mailbox.dump()[0].flags, Flags::empty());
}
