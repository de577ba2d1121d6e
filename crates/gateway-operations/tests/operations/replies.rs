//! Answers: to whom they go, and of which conversation they are.

use email_model::{Address, Body, FolderRole};
use gateway_operations::{Idempotency, NewMessage, ReadRequest, SendOptions, SendOutcome};
use provider_memory::{Fault, Shape};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    harness::{Harness, Mail},
    sending::{letter, shapes},
};

fn question() -> Mail<'static> {
    Mail {
        id: "question",
        subject: "Lunch",
        ..Mail::default()
    }
}

fn answering(subject: &str) -> NewMessage {
    NewMessage {
        in_reply_to: Some("<question@example.org>".into()),
        ..letter(subject)
    }
}

fn once() -> SendOptions {
    SendOptions {
        return_ids: true,
        idempotency: Some(Idempotency {
            key: "a".into(),
            request: [1; 32],
        }),
    }
}

/// What a draft's row says that the draft answers.
async fn answered_by(harness: &Harness, id: email_model::DraftId) -> Value {
    let row = harness.store.draft(harness.account.id, id).await.unwrap();
    row.unwrap().record["answers"].clone()
}

#[tokio::test]
async fn an_answer_with_other_recipients_goes_to_whom_it_answers_too() {
    for (cc, bcc) in [
        (vec![], vec!["eve@example.net"]),
        (vec!["eve@example.net"], vec![]),
    ] {
        let harness = Harness::new(Shape::folders()).await;
        harness.deliver(FolderRole::Inbox, &question());
        let id = harness.ids().await[0];
        let reply = NewMessage {
            cc: cc.into_iter().map(Address::bare).collect(),
            bcc: bcc.into_iter().map(Address::bare).collect(),
            body: Body {
                html: None,
                text: Some("Yes".into()),
            },
            ..NewMessage::default()
        };
        let sent = harness
            .gateway
            .send_reply(&harness.account, id, reply, SendOptions::default());
        sent.await.unwrap();
        let [mail] = harness.mailbox.sent_mail().try_into().unwrap();
        assert_eq!(mail.recipients, ["bob@example.org", "eve@example.net"]);
    }
}

#[tokio::test]
async fn an_answer_to_somebody_else_goes_to_them_alone() {
    let harness = Harness::new(Shape::folders()).await;
    harness.deliver(FolderRole::Inbox, &question());
    let id = harness.ids().await[0];
    let reply = NewMessage {
        bcc: Vec::new(),
        ..letter("Lunch")
    };
    let sent = harness
        .gateway
        .send_reply(&harness.account, id, reply, SendOptions::default());
    sent.await.unwrap();
    assert_eq!(
        harness.mailbox.sent_mail()[0].recipients,
        ["bob@example.net"]
    );
}

#[tokio::test]
async fn a_draft_that_answers_is_of_the_conversation_from_its_first_word_to_its_send() {
    for shape in shapes() {
        for is_known in [true, false] {
            let harness = Harness::new(shape).await;
            harness.deliver(FolderRole::Inbox, &question());
            if is_known {
                assert_eq!(harness.ids().await.len(), 1);
            }
            let gateway = &harness.gateway;
            let account = &harness.account;
            let draft = gateway.create_draft(account, answering("Re: Lunch")).await;
            let id = draft.unwrap().id;
            let is_native = shape == Shape::labels() || shape == Shape::delta();
            let answered = answered_by(&harness, id).await;
            // Where conversations are derived, nobody has to look for it.
            assert_eq!(
                answered.is_null(),
                !is_known && !is_native,
                "{shape:?} {is_known}"
            );
            let changed = gateway
                .update_draft(account, id, letter("Re: Lunch!"))
                .await;
            changed.unwrap();
            assert_eq!(answered_by(&harness, id).await, answered, "{shape:?}");
            let changed = gateway
                .update_draft(account, id, answering("Re: Lunch?"))
                .await;
            changed.unwrap();
            assert_eq!(answered_by(&harness, id).await, answered, "{shape:?}");
            let sent = gateway.send_draft(account, id, None, once()).await.unwrap();
            let SendOutcome::Sent(sent) = sent else {
                panic!("it is sent at once");
            };
            let key = Sha256::digest("a").into();
            let row = harness.store.send_of_key(account.id, &key).await.unwrap();
            assert_eq!(row.unwrap().record["answers"], answered, "{shape:?}");
            let newest = harness.search("subject:Lunch").await;
            assert_eq!(newest.len(), 2, "{shape:?}");
            let question = harness.ids().await;
            let mut threads = Vec::new();
            for id in question {
                let view = gateway.message(account, id, ReadRequest::default()).await;
                threads.push(view.unwrap().thread);
            }
            assert!(
                threads.iter().all(|thread| *thread == sent.thread),
                "{threads:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_draft_that_is_made_an_answer_later_is_one_from_then_on() {
    for shape in [Shape::labels(), Shape::delta()] {
        let harness = Harness::new(shape).await;
        harness.deliver(FolderRole::Inbox, &question());
        let (gateway, account) = (&harness.gateway, &harness.account);
        let draft = gateway.create_draft(account, letter("Lunch")).await;
        let id = draft.unwrap().id;
        assert!(answered_by(&harness, id).await.is_null());
        let changed = gateway.update_draft(account, id, answering("Lunch"));
        changed.await.unwrap();
        assert!(answered_by(&harness, id).await.is_object(), "{shape:?}");
    }
}

#[tokio::test]
async fn a_message_answers_what_the_journal_has_never_met() {
    for shape in [Shape::labels(), Shape::delta()] {
        let harness = Harness::new(shape).await;
        harness.deliver(FolderRole::Inbox, &question());
        let (gateway, account) = (&harness.gateway, &harness.account);
        let sent = gateway.send_message(account, answering("Re: Lunch"), once());
        sent.await.unwrap();
        let key = Sha256::digest("a").into();
        let row = harness.store.send_of_key(account.id, &key).await.unwrap();
        let answered = row.unwrap().record["answers"].clone();
        assert!(answered.is_object(), "{shape:?}: {answered}");
    }
}

#[tokio::test]
async fn what_cannot_be_looked_for_keeps_no_answer_from_being_sent() {
    for shape in [Shape::labels(), Shape::delta()] {
        let harness = Harness::new(shape).await;
        let (gateway, account) = (&harness.gateway, &harness.account);
        let fault = Fault::Fail(email_provider::ErrorKind::Unavailable);
        harness.mailbox.inject(Some("search"), fault, 10);
        let sent = gateway.send_message(account, answering("Re: Lunch"), once());
        sent.await.unwrap();
        let draft = gateway.create_draft(account, answering("Re: Lunch"));
        draft.await.unwrap();
        assert_eq!(harness.mailbox.sent_mail().len(), 1, "{shape:?}");
    }
}
