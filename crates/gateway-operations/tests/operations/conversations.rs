use email_model::{BodyType, FolderRole, ThreadId};
use gateway_operations::{ListRequest, OperationErrorKind, StartSync};
use provider_memory::Shape;

use crate::harness::{Harness, Mail, subjects};

fn deliver_thread(harness: &Harness) {
    harness.deliver(
        FolderRole::Inbox,
        &Mail {
            id: "a",
            subject: "Lunch",
            text: "A",
            minute: 1,
            ..Mail::default()
        },
    );
    let reply = Mail {
        id: "b",
        subject: "Re: Lunch",
        references: "<a@example.org>",
        minute: 2,
        ..Mail::default()
    };
    harness.deliver(FolderRole::Sent, &reply);
    let last = Mail {
        id: "c",
        subject: "Re: Lunch",
        references: "<a@example.org> <b@example.org>",
        minute: 3,
        ..Mail::default()
    };
    harness.deliver(FolderRole::Inbox, &last);
    harness.deliver(
        FolderRole::Inbox,
        &Mail {
            id: "d",
            subject: "Lunch",
            minute: 4,
            ..Mail::default()
        },
    );
}

#[tokio::test]
async fn a_synchronised_conversation_is_complete_and_oldest_first() {
    let harness = Harness::new(Shape::folders()).await;
    deliver_thread(&harness);
    harness.gateway.start().await.unwrap();
    let request = StartSync {
        await_ready: true,
        ..StartSync::default()
    };
    assert!(
        harness
            .gateway
            .start_sync(&harness.account, request)
            .await
            .unwrap()
            .ready
    );
    let listed = harness.list(ListRequest::default()).await;
    let thread = listed
        .iter()
        .find(|view| view.envelope.as_ref().unwrap().subject.as_deref() == Some("Re: Lunch"));
    let thread = thread.unwrap().thread.unwrap();
    let page = |body, token, limit| {
        harness
            .gateway
            .conversation(&harness.account, thread, body, token, limit)
    };
    let all = page(None, None, None).await.unwrap();
    assert_eq!(subjects(&all.records), ["Lunch", "Re: Lunch", "Re: Lunch"]);
    assert!(all.next_page_token.is_none());
    let first = page(Some(BodyType::Text), None, Some(2)).await.unwrap();
    assert_eq!(first.records.len(), 2);
    assert_eq!(first.records[0].body.as_deref().map(str::trim), Some("A"));
    let rest = page(None, first.next_page_token, Some(2)).await.unwrap();
    assert_eq!(rest.records.len(), 1);
    assert_eq!(rest.records[0].id, all.records[2].id);
    assert!(rest.next_page_token.is_none());
    harness.gateway.stop().await;
}

#[tokio::test]
async fn without_a_sync_members_are_looked_for() {
    let harness = Harness::new(Shape::folders()).await;
    deliver_thread(&harness);
    // Only the last reply was ever met.
    let one = ListRequest {
        q: Some("rfc822msgid:c@example.org".into()),
        ..ListRequest::default()
    };
    let thread = harness.list(one).await[0].thread.unwrap();
    let page = harness
        .gateway
        .conversation(&harness.account, thread, None, None, None)
        .await
        .unwrap();
    assert_eq!(subjects(&page.records), ["Lunch", "Re: Lunch", "Re: Lunch"]);
}

#[tokio::test]
async fn an_unknown_conversation_is_not_found() {
    let harness = Harness::new(Shape::folders()).await;
    let refused = harness
        .gateway
        .conversation(&harness.account, ThreadId(1), None, None, None)
        .await;
    assert_eq!(refused.unwrap_err().kind, OperationErrorKind::NotFound);
}
