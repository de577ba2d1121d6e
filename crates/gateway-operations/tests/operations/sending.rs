//! Sending: once, with the answer that is true.

use std::time::Duration;

use email_model::{Address, Body, FolderRole, Header};
use email_provider::ErrorKind;
use futures::future::join_all;
use gateway_operations::{
    FailedStep, Idempotency, ListRequest, NewMessage, OperationErrorKind, OperationResult,
    SendOptions, SentView,
};
use provider_memory::{Fault, Shape};

use crate::{
    client::Client,
    harness::{Harness, Mail},
};

pub fn shapes() -> [Shape; 4] {
    [
        Shape::folders(),
        Shape::listing(),
        Shape::labels(),
        Shape::delta(),
    ]
}

pub fn letter(subject: &str) -> NewMessage {
    NewMessage {
        to: vec![Address::bare("bob@example.net")],
        bcc: vec![Address::bare("eve@example.net")],
        subject: Some(subject.to_owned()),
        body: Body {
            html: Some("<p>Hello</p>".into()),
            text: None,
        },
        ..NewMessage::default()
    }
}

fn once(key: &str, request: u8) -> SendOptions {
    SendOptions {
        return_ids: true,
        idempotency: Some(Idempotency {
            key: key.into(),
            request: [request; 32],
        }),
    }
}

async fn send(harness: &Harness, options: SendOptions) -> OperationResult<SentView> {
    let gateway = &harness.gateway;
    gateway
        .send_message(&harness.account, letter("one"), options)
        .await
}

fn kind<T: std::fmt::Debug>(answer: OperationResult<T>) -> OperationErrorKind {
    answer.unwrap_err().kind
}

#[tokio::test]
async fn a_sent_message_is_in_the_deltas_with_the_id_that_sending_returned() {
    for shape in shapes() {
        let mut client = Client::of(shape).await;
        let sent = send(&client.harness, once("a", 1)).await.unwrap();
        assert_eq!(sent.failed_steps, [], "{shape:?}");
        let id = sent.id.unwrap();
        let (told, removed) = client.follow().await;
        let ids: Vec<_> = told
            .iter()
            .map(|told| (told.id, told.subject.as_str()))
            .collect();
        assert_eq!(ids, [(id, "one")], "{shape:?}");
        assert_eq!(removed, [], "{shape:?}");
        let [mail] = client.harness.mailbox.sent_mail().try_into().unwrap();
        assert_eq!(mail.recipients, ["bob@example.net", "eve@example.net"]);
        let wire = String::from_utf8(mail.octets.to_vec()).unwrap();
        assert!(!wire.contains("Bcc"), "{wire}");
        assert!(wire.contains(&sent.submitted_message_id.unwrap()));
        let request = ListRequest {
            q: Some("in:sent".into()),
            ..ListRequest::default()
        };
        let views = client.harness.list(request).await;
        assert_eq!(views.iter().map(|view| view.id).collect::<Vec<_>>(), [id]);
    }
}

#[tokio::test]
async fn fifty_calls_at_once_with_one_key_are_one_submission() {
    for shape in shapes() {
        let harness = Harness::new(shape).await;
        let calls = (0..50).map(|_| send(&harness, once("a", 1)));
        let answers = join_all(calls).await;
        assert_eq!(harness.mailbox.sent_mail().len(), 1, "{shape:?}");
        let (sent, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert!(!sent.is_empty());
        let ids: Vec<_> = sent.into_iter().map(|sent| sent.unwrap().id).collect();
        assert!(ids.iter().all(|id| id.is_some() && *id == ids[0]));
        for answer in refused {
            assert_eq!(kind(answer), OperationErrorKind::Conflict);
        }
    }
}

#[tokio::test]
async fn the_same_key_gives_the_same_answer_and_another_request_is_refused() {
    let harness = Harness::new(Shape::folders()).await;
    let first = send(&harness, once("a", 1)).await.unwrap();
    assert_eq!(send(&harness, once("a", 1)).await.unwrap(), first);
    let other = send(&harness, once("a", 2)).await;
    assert_eq!(kind(other), OperationErrorKind::Unprocessable);
    send(&harness, once("b", 1)).await.unwrap();
    assert_eq!(harness.mailbox.sent_mail().len(), 2);
}

#[tokio::test]
async fn a_send_that_certainly_failed_may_be_asked_for_again_with_its_key() {
    for shape in shapes() {
        let harness = Harness::new(shape).await;
        let fault = Fault::Fail(ErrorKind::Unavailable);
        harness.mailbox.inject(Some("submit"), fault, 1);
        let failed = send(&harness, once("a", 1)).await;
        assert_eq!(kind(failed), OperationErrorKind::ProviderUnavailable);
        send(&harness, once("a", 1)).await.unwrap();
        assert_eq!(harness.mailbox.sent_mail().len(), 1);
        let drafts = harness.mailbox.folder(FolderRole::Drafts).unwrap();
        assert_eq!(harness.mailbox.contents(&drafts).len(), 0, "{shape:?}");
    }
}

#[tokio::test]
async fn a_send_without_an_answer_is_found_where_the_server_files_it() {
    for shape in [Shape::listing(), Shape::labels(), Shape::delta()] {
        let mut client = Client::of(shape).await;
        client
            .harness
            .mailbox
            .inject(Some("submit"), Fault::LoseAnswer, 1);
        let sent = send(&client.harness, once("a", 1)).await.unwrap();
        assert_eq!(client.harness.mailbox.sent_mail().len(), 1, "{shape:?}");
        let (told, _) = client.follow().await;
        assert_eq!(
            told.iter().map(|told| told.id).collect::<Vec<_>>(),
            [sent.id.unwrap()]
        );
    }
}

#[tokio::test]
async fn a_send_that_nothing_tells_of_is_unconfirmed_and_never_sent_again() {
    let harness = Harness::new(Shape::folders()).await;
    harness.mailbox.inject(Some("submit"), Fault::LoseAnswer, 1);
    let unknown = send(&harness, once("a", 1)).await;
    assert_eq!(kind(unknown), OperationErrorKind::SendUnconfirmed);
    let again = send(&harness, once("a", 1)).await;
    assert_eq!(kind(again), OperationErrorKind::SendUnconfirmed);
    assert_eq!(harness.mailbox.sent_mail().len(), 1);
}

#[tokio::test]
async fn a_send_that_turns_up_later_is_settled_without_being_asked() {
    let harness = Harness::new(Shape::listing()).await;
    harness.gateway.start().await.unwrap();
    harness.mailbox.hold_sent_copies();
    harness.mailbox.inject(Some("submit"), Fault::LoseAnswer, 1);
    let unknown = send(&harness, once("a", 1)).await;
    assert_eq!(kind(unknown), OperationErrorKind::SendUnconfirmed);
    harness.mailbox.release_sent_copies().unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            if let Ok(sent) = send(&harness, once("a", 1)).await {
                break sent;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let sent = answer.await.expect("the clerk finds it");
    assert!(sent.id.is_some());
    assert_eq!(harness.mailbox.sent_mail().len(), 1);
    harness.gateway.stop().await;
}

#[tokio::test]
async fn a_copy_that_cannot_be_filed_at_once_is_filed_later_and_the_answer_says_so() {
    let harness = Harness::new(Shape::folders()).await;
    harness.gateway.start().await.unwrap();
    let fault = Fault::Fail(ErrorKind::Unavailable);
    harness.mailbox.inject(Some("file"), fault, 1);
    let sent = send(&harness, once("a", 1)).await.unwrap();
    assert_eq!(sent.failed_steps, [FailedStep::ReturnIds]);
    let folder = harness.mailbox.folder(FolderRole::Sent).unwrap();
    let filed = tokio::time::timeout(Duration::from_secs(60), async {
        while harness.mailbox.contents(&folder).is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    filed.await.expect("the copy is filed");
    harness.gateway.stop().await;
    assert_eq!(harness.mailbox.contents(&folder).len(), 1);
    assert_eq!(harness.mailbox.sent_mail().len(), 1);
}

#[tokio::test]
async fn a_refused_recipient_does_not_keep_the_message_from_the_others() {
    let harness = Harness::new(Shape::folders()).await;
    harness.mailbox.refuse("eve@example.net");
    let sent = send(&harness, once("a", 1)).await.unwrap();
    assert!(sent.error_message.unwrap().contains("eve@example.net"));
    assert_eq!(
        harness.mailbox.sent_mail()[0].recipients,
        ["bob@example.net"]
    );
}

#[tokio::test]
async fn what_cannot_be_written_is_refused_before_anything_is_handed_over() {
    let harness = Harness::new(Shape::folders()).await;
    let header = |value: &str| NewMessage {
        headers: vec![Header {
            name: "X-Note".into(),
            value: value.into(),
        }],
        ..letter("one")
    };
    let to = |address: &str| NewMessage {
        to: vec![Address::bare(address)],
        ..letter("one")
    };
    let wrong = [
        letter("one\r\nBcc: all@example.net"),
        header("a\nb"),
        header("a\0b"),
        to("bob"),
        to("\"bob@example.net x\"@example.org"),
        NewMessage {
            to: Vec::new(),
            bcc: Vec::new(),
            ..letter("one")
        },
    ];
    for message in wrong {
        let told = format!("{message:?}");
        let options = SendOptions::default();
        let answer = harness
            .gateway
            .send_message(&harness.account, message, options)
            .await;
        assert_eq!(kind(answer), OperationErrorKind::Unprocessable, "{told}");
    }
    assert_eq!(harness.mailbox.sent_mail().len(), 0);
}

#[tokio::test]
async fn a_reply_goes_to_whom_it_answers_and_into_the_conversation() {
    for shape in shapes() {
        let harness = Harness::new(shape).await;
        let original = Mail {
            id: "question",
            subject: "Lunch",
            ..Mail::default()
        };
        harness.deliver(FolderRole::Inbox, &original);
        let id = harness.ids().await[0];
        let reply = NewMessage {
            body: Body {
                html: None,
                text: Some("Yes".into()),
            },
            ..NewMessage::default()
        };
        let options = SendOptions {
            return_ids: true,
            ..SendOptions::default()
        };
        let gateway = &harness.gateway;
        let sent = gateway
            .send_reply(&harness.account, id, reply, options)
            .await
            .unwrap();
        let [mail] = harness.mailbox.sent_mail().try_into().unwrap();
        assert_eq!(mail.recipients, ["bob@example.org"]);
        let wire = String::from_utf8(mail.octets.to_vec()).unwrap();
        assert!(wire.contains("Subject: Re: Lunch\r\n"), "{wire}");
        assert!(
            wire.contains("In-Reply-To: <question@example.org>\r\n"),
            "{wire}"
        );
        let asked = gateway
            .message(&harness.account, id, Default::default())
            .await
            .unwrap();
        assert_eq!(sent.thread, asked.thread, "{shape:?}");
    }
}

#[tokio::test]
async fn a_caller_that_stops_waiting_does_not_stop_the_send() {
    let harness = Harness::new(Shape::folders()).await;
    let stall = Fault::Stall(Duration::from_secs(3));
    harness.mailbox.inject(Some("submit"), stall, 1);
    let waiting = tokio::time::timeout(Duration::from_millis(1_500), send(&harness, once("a", 1)));
    assert!(waiting.await.is_err());
    harness.gateway.stop().await;
    assert_eq!(harness.mailbox.sent_mail().len(), 1);
    assert!(send(&harness, once("a", 1)).await.unwrap().id.is_some());
}
