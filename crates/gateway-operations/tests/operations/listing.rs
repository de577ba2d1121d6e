use std::time::Duration;

use email_model::{BodyType, Flags, FolderRole};
use gateway_operations::{ListRequest, Omitted, OperationErrorKind, OperationsConfig};
use provider_memory::{Fault, Shape};

use crate::harness::{Harness, Mail, subjects};

fn fill(harness: &Harness) {
    for (minute, subject) in ["first", "second", "third"].into_iter().enumerate() {
        let minute = i64::try_from(minute).unwrap();
        let mail = Mail {
            id: subject,
            subject,
            text: "a needle",
            minute,
            ..Mail::default()
        };
        harness.deliver(FolderRole::Inbox, &mail);
    }
    let junk = Mail {
        id: "junk",
        subject: "junk",
        minute: 9,
        ..Mail::default()
    };
    harness.deliver(FolderRole::Junk, &junk);
}

#[tokio::test]
async fn a_list_is_newest_first_and_without_trash_and_junk() {
    for shape in [Shape::folders(), Shape::labels(), Shape::delta()] {
        let harness = Harness::new(shape).await;
        fill(&harness);
        let listed = harness.list(ListRequest::default()).await;
        assert_eq!(subjects(&listed), ["third", "second", "first"]);
        assert!(listed[0].omitted.contains(&Omitted::Body));
        assert!(listed[0].thread.is_some());
        assert_eq!(listed[0].roles, [FolderRole::Inbox]);
        let everything = ListRequest {
            include_trash_and_junk: Some(true),
            ..ListRequest::default()
        };
        assert_eq!(harness.list(everything).await.len(), 4);
        assert_eq!(harness.search("in:junk").await, ["junk"]);
    }
}

#[tokio::test]
async fn ids_are_the_same_in_every_list() {
    let harness = Harness::new(Shape::folders()).await;
    fill(&harness);
    let ids = harness.ids().await;
    assert_eq!(harness.ids().await, ids);
    let with_bodies = ListRequest {
        body_type: Some(BodyType::Text),
        ..ListRequest::default()
    };
    let bodies = harness.list(with_bodies).await;
    assert_eq!(bodies.iter().map(|view| view.id).collect::<Vec<_>>(), ids);
    assert!(
        bodies
            .iter()
            .all(|view| view.body.as_deref().unwrap().contains("needle"))
    );
    assert!(
        bodies
            .iter()
            .all(|view| !view.omitted.contains(&Omitted::Body))
    );
}

#[tokio::test]
async fn flags_in_a_list_are_of_now() {
    let harness = Harness::new(Shape::folders()).await;
    let at = harness.deliver(
        FolderRole::Inbox,
        &Mail {
            id: "1",
            subject: "one",
            ..Mail::default()
        },
    );
    harness.ids().await;
    harness
        .mailbox
        .set_labels(&at, Flags::SEEN | Flags::FLAGGED, vec!["work".into()])
        .unwrap();
    let listed = harness.list(ListRequest::default()).await;
    let labels = listed[0].labels.clone().unwrap();
    assert_eq!(labels.flags, Flags::SEEN | Flags::FLAGGED);
    assert_eq!(labels.keywords, ["work"]);
}

#[tokio::test]
async fn pages_give_every_message_once() {
    for shape in [Shape::folders(), Shape::labels(), Shape::delta()] {
        let harness = Harness::new(shape).await;
        for minute in 0..25 {
            let id = minute.to_string();
            harness.deliver(
                FolderRole::Inbox,
                &Mail {
                    id: &id,
                    subject: &id,
                    minute,
                    ..Mail::default()
                },
            );
        }
        let mut seen = Vec::new();
        let mut request = ListRequest {
            limit: Some(10),
            ..ListRequest::default()
        };
        loop {
            let page = harness
                .gateway
                .list_messages(&harness.account, request.clone())
                .await
                .unwrap();
            assert!(!page.records.is_empty() && page.records.len() <= 10);
            seen.extend(subjects(&page.records));
            match page.next_page_token {
                Some(token) => request.page_token = Some(token),
                None => break,
            }
        }
        let wanted: Vec<String> = (0..25).rev().map(|n| n.to_string()).collect();
        assert_eq!(seen, wanted);
    }
}

#[tokio::test]
async fn a_page_token_of_another_question_is_not_valid() {
    let harness = Harness::new(Shape::folders()).await;
    fill(&harness);
    let first = ListRequest {
        limit: Some(1),
        ..ListRequest::default()
    };
    let page = harness
        .gateway
        .list_messages(&harness.account, first)
        .await
        .unwrap();
    let token = page.next_page_token.unwrap();
    let mut altered = token.clone();
    altered.replace_range(20..21, if &token[20..21] == "A" { "B" } else { "A" });
    for (q, token) in [
        (Some("needle".to_owned()), token),
        (None, altered),
        (None, "!".into()),
    ] {
        let request = ListRequest {
            q,
            page_token: Some(token),
            ..ListRequest::default()
        };
        let refused = harness
            .gateway
            .list_messages(&harness.account, request)
            .await
            .unwrap_err();
        assert_eq!(refused.kind, OperationErrorKind::TokenNotValid);
    }
}

#[tokio::test]
async fn what_the_backend_does_not_search_is_filtered_here() {
    // This shape leaves free text to the gateway.
    let harness = Harness::new(Shape::delta()).await;
    fill(&harness);
    harness.deliver(
        FolderRole::Inbox,
        &Mail {
            id: "x",
            subject: "other",
            text: "hay",
            minute: 5,
            ..Mail::default()
        },
    );
    assert_eq!(harness.search("needle").await, ["third", "second", "first"]);
    assert_eq!(harness.search("needle subject:second").await, ["second"]);
    assert_eq!(harness.search("-needle").await, ["other"]);
}

#[tokio::test]
async fn a_term_that_the_mailbox_cannot_answer_is_refused() {
    let mut shape = Shape::folders();
    shape.search = email_provider::SearchCapability::None;
    let harness = Harness::new(shape).await;
    let request = |q: &str| ListRequest {
        q: Some(q.into()),
        ..ListRequest::default()
    };
    for (q, kind) in [
        ("from:ann", OperationErrorKind::Unprocessable),
        ("in:nowhere", OperationErrorKind::Unprocessable),
        ("a OR b", OperationErrorKind::BadRequest),
    ] {
        let refused = harness
            .gateway
            .list_messages(&harness.account, request(q))
            .await
            .unwrap_err();
        assert_eq!(refused.kind, kind, "{q}");
    }
}

#[tokio::test]
async fn a_folder_lists_its_own_messages() {
    let harness = Harness::new(Shape::folders()).await;
    fill(&harness);
    let folders = harness.gateway.folders(&harness.account).await.unwrap();
    let junk = folders
        .iter()
        .find(|row| row.role == Some(FolderRole::Junk))
        .unwrap();
    let request = ListRequest {
        folder: Some(junk.id),
        ..ListRequest::default()
    };
    let listed = harness.list(request).await;
    assert_eq!(subjects(&listed), ["junk"]);
    assert_eq!(listed[0].folder, Some(junk.id));
    let nowhere = ListRequest {
        folder: Some(email_model::FolderId(1)),
        ..ListRequest::default()
    };
    let refused = harness
        .gateway
        .list_messages(&harness.account, nowhere)
        .await
        .unwrap_err();
    assert_eq!(refused.kind, OperationErrorKind::NotFound);
}

#[tokio::test]
async fn a_limit_out_of_bounds_is_a_bad_request() {
    let harness = Harness::new(Shape::folders()).await;
    for limit in [0, 501] {
        let request = ListRequest {
            limit: Some(limit),
            ..ListRequest::default()
        };
        let refused = harness
            .gateway
            .list_messages(&harness.account, request)
            .await
            .unwrap_err();
        assert_eq!(refused.kind, OperationErrorKind::BadRequest);
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_read_does_not_take_the_list_with_it() {
    use email_provider::ErrorKind;
    let harness = Harness::new(Shape::folders()).await;
    fill(&harness);
    harness.ids().await;
    // The batch breaks, then the first message alone.
    harness
        .mailbox
        .inject(Some("fetch"), Fault::Fail(ErrorKind::Unexpected), 2);
    let bodies = ListRequest {
        body_type: Some(BodyType::Text),
        ..ListRequest::default()
    };
    let listed = harness.list(bodies).await;
    assert_eq!(listed.len(), 3);
    assert!(listed[0].body.is_none() && listed[0].omitted.contains(&Omitted::Body));
    assert!(listed[1].body.is_some() && listed[2].body.is_some());
}

#[tokio::test]
async fn a_search_that_takes_too_long_goes_on_when_it_is_asked_for_again() {
    let config = OperationsConfig {
        page_wait: Duration::from_millis(1_500),
        ..OperationsConfig::default()
    };
    // 50 hits a page, and free text is left to the gateway.
    let harness = Harness::with(Shape::delta(), config).await;
    for minute in 0..200 {
        let id = minute.to_string();
        let text = if minute == 0 { "needle" } else { "hay" };
        let mail = Mail {
            id: &id,
            subject: &id,
            text,
            minute,
            ..Mail::default()
        };
        harness.deliver(FolderRole::Inbox, &mail);
    }
    let stall = Fault::Stall(Duration::from_millis(700));
    harness.mailbox.inject(Some("search"), stall, 100);
    let request = ListRequest {
        q: Some("needle".into()),
        ..ListRequest::default()
    };
    let list = || {
        harness
            .gateway
            .list_messages(&harness.account, request.clone())
    };
    let refused = list().await.unwrap_err();
    assert_eq!(refused.kind, OperationErrorKind::ProviderUnavailable);
    assert!(refused.retry_after.is_some());
    for _ in 0..20 {
        if let Ok(page) = list().await {
            assert_eq!(subjects(&page.records), ["0"]);
            return;
        }
    }
    panic!("the search never came to its end");
}
