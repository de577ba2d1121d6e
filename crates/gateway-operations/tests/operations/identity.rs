//! Which message is which, where a mailbox replaces one by another with the same Message-ID.

use email_model::{Flags, FolderRole};
use email_provider::MessageRef;
use provider_memory::Shape;

use crate::{client::Client, harness::Mail};

/// Puts a message in the place of another.
fn replace(client: &Client, old: &MessageRef, role: FolderRole, mail: &Mail<'_>) {
    client.harness.deliver(role, mail);
    client.harness.mailbox.expunge(old).unwrap();
}

#[tokio::test]
async fn a_draft_that_the_mailbox_replaces_is_another_message() {
    for shape in [Shape::folders(), Shape::labels(), Shape::delta()] {
        let mut client = Client::of(shape).await;
        let draft = |subject, minute| Mail {
            id: "draft",
            subject,
            flags: Flags::DRAFT | Flags::SEEN,
            minute,
            ..Mail::default()
        };
        let old = client
            .harness
            .deliver(FolderRole::Drafts, &draft("first", 1));
        let (told, _) = client.follow().await;
        let first = told[0].id;
        replace(&client, &old, FolderRole::Drafts, &draft("second", 2));
        let (told, removed) = client.follow().await;
        assert_eq!(removed, [first]);
        assert_eq!(told.len(), 1);
        assert_ne!(told[0].id, first);
        assert_eq!(told[0].subject, "second");
    }
}

#[tokio::test]
async fn a_message_recognised_by_its_message_id_alone_shows_its_new_date() {
    let mut client = Client::of(Shape::delta()).await;
    let mail = |subject, minute| Mail {
        id: "moved",
        subject,
        minute,
        ..Mail::default()
    };
    let old = client
        .harness
        .deliver(FolderRole::Inbox, &mail("as it was", 1));
    let (told, _) = client.follow().await;
    let was = &told[0];
    replace(&client, &old, FolderRole::Archive, &mail("as rewritten", 5));
    let (told, removed) = client.follow().await;
    assert_eq!(removed, []);
    let [now] = &told[..] else { panic!("{told:?}") };
    assert_eq!((now.id, now.subject.as_str()), (was.id, "as rewritten"));
    assert!(now.received_at > was.received_at);
}
