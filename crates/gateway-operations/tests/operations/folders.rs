use email_model::{FolderId, FolderRole};
use gateway_operations::{OperationErrorKind, WellKnownChange};
use provider_memory::Shape;

use crate::harness::{Harness, Mail};

#[tokio::test]
async fn folders_are_listed_with_their_roles_and_found_by_id() {
    for shape in [Shape::folders(), Shape::labels()] {
        let harness = Harness::new(shape).await;
        let folders = harness.gateway.folders(&harness.account).await.unwrap();
        let inbox = folders
            .iter()
            .find(|row| row.role == Some(FolderRole::Inbox))
            .unwrap();
        assert_eq!(
            harness
                .gateway
                .folder(&harness.account, inbox.id)
                .await
                .unwrap(),
            *inbox
        );
        let refused = harness
            .gateway
            .folder(&harness.account, FolderId(1))
            .await
            .unwrap_err();
        assert_eq!(refused.kind, OperationErrorKind::NotFound);
    }
}

#[tokio::test]
async fn a_folder_made_by_somebody_else_is_found() {
    let harness = Harness::new(Shape::folders()).await;
    harness.gateway.folders(&harness.account).await.unwrap();
    harness.mailbox.create_folder("Later", None).unwrap();
    assert!(harness.search("in:later").await.is_empty());
}

#[tokio::test]
async fn a_folder_is_made_below_another_and_not_twice() {
    let harness = Harness::new(Shape::folders()).await;
    let gateway = &harness.gateway;
    let work = gateway
        .create_folder(&harness.account, "Work".into(), None)
        .await
        .unwrap();
    let below = gateway
        .create_folder(&harness.account, "Plans".into(), Some(work.id))
        .await
        .unwrap();
    assert_eq!(below.parent, Some(work.id));
    assert_eq!(below.full_name, "Work/Plans");
    let refused = gateway
        .create_folder(&harness.account, "Work".into(), None)
        .await
        .unwrap_err();
    assert_eq!(refused.kind, OperationErrorKind::Conflict);
    for name in ["", "  ", "a\nb", &"x".repeat(256)] {
        let refused = gateway
            .create_folder(&harness.account, name.into(), None)
            .await
            .unwrap_err();
        assert_eq!(refused.kind, OperationErrorKind::BadRequest, "{name:?}");
    }
}

#[tokio::test]
async fn a_chosen_folder_is_shown_in_its_role() {
    let harness = Harness::new(Shape::folders()).await;
    let gateway = &harness.gateway;
    let own = gateway.well_known(&harness.account).await.unwrap();
    assert!(own.sent.is_some());
    let made = gateway
        .create_folder(&harness.account, "Gesendet".into(), None)
        .await
        .unwrap();
    let choice = WellKnownChange {
        archive: None,
        sent: Some(made.id),
    };
    let changed = gateway
        .set_well_known(&harness.account, choice)
        .await
        .unwrap();
    assert_eq!(
        (changed.sent, changed.archive),
        (Some(made.id), own.archive)
    );
    let account = gateway
        .account_of(&harness.application, harness.account.id.0)
        .await
        .unwrap();
    let sent: Vec<_> = gateway.folders(&account).await.unwrap();
    let sent: Vec<_> = sent
        .iter()
        .filter(|row| row.role == Some(FolderRole::Sent))
        .collect();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].id, made.id);
    let unknown = WellKnownChange {
        archive: Some(FolderId(1)),
        sent: None,
    };
    let refused = gateway.set_well_known(&account, unknown).await.unwrap_err();
    assert_eq!(refused.kind, OperationErrorKind::NotFound);
}

#[tokio::test]
async fn messages_are_listed_in_folders_made_later() {
    let harness = Harness::new(Shape::folders()).await;
    harness.deliver(
        FolderRole::Inbox,
        &Mail {
            id: "1",
            subject: "one",
            ..Mail::default()
        },
    );
    harness.ids().await;
    let inbox = harness.mailbox.folder(FolderRole::Inbox).unwrap();
    let later = harness.mailbox.create_folder("Later", None).unwrap();
    let at = harness.mailbox.find(&inbox, "<1@example.org>").unwrap();
    harness.mailbox.move_message(&at, &inbox, &later).unwrap();
    assert_eq!(harness.search("in:Later").await, ["one"]);
}
