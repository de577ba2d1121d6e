//! One key, one send.

use futures::future::join_all;
use polypost_tests::sending::Way;
use polypost_tests::{Call, StoreKind};
use serde_json::json;

use crate::run;
use crate::setting::Mailbox;

/// How many ask at the same time.
const CALLERS: usize = 50;

async fn fifty_calls(way: Way, store: StoreKind) {
    let mailbox = Mailbox::new(way, store).await;
    let word = mailbox.word();
    let call = Call::post("/v1/email/messages")
        .query("returnIds", true)
        .header("idempotency-key", "the same for all")
        .json(mailbox.letter(&word));
    let calls = (0..CALLERS).map(|_| mailbox.api.call(call.clone()));
    let answers: Vec<_> = join_all(calls)
        .await
        .into_iter()
        .map(|answer| answer.expect("an answer"))
        .collect();
    let sent: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 201)
        .collect();
    assert!(!sent.is_empty(), "{}", answers[0].told());
    for answer in &answers {
        match answer.status {
            201 => assert_eq!(answer.json, sent[0].json),
            409 => assert_eq!(answer.code(), "conflict"),
            _ => panic!("{}", answer.told()),
        }
    }
    let later = mailbox.ok(call).await;
    assert_eq!(later.json, sent[0].json);
    mailbox.arrived(&word, 1).await;
}

#[test]
fn fifty_calls_at_once_with_one_key_are_one_mail_by_smtp() {
    run(fifty_calls(Way::Smtp, StoreKind::Sqlite));
}

#[test]
fn fifty_calls_at_once_with_one_key_are_one_mail_by_gmail() {
    run(fifty_calls(Way::Gmail, StoreKind::Postgres));
}

#[test]
fn fifty_calls_at_once_with_one_key_are_one_mail_by_graph() {
    run(fifty_calls(Way::Graph, StoreKind::Sqlite));
}

/// Half of them by either of two gateways on one database.
#[test]
fn fifty_calls_at_once_by_two_gateways_are_one_mail() {
    run(async {
        let mailbox = Mailbox::new(Way::Smtp, StoreKind::Postgres).await;
        let second = mailbox.second_gateway().await;
        let others = mailbox.at(&second);
        let word = mailbox.word();
        let call = Call::post("/v1/email/messages")
            .header("idempotency-key", "the same for all")
            .json(mailbox.letter(&word));
        let calls = (0..CALLERS).map(|number| {
            let api = if number % 2 == 0 {
                &mailbox.api
            } else {
                &others
            };
            api.call(call.clone())
        });
        let mut sent = None;
        for answer in join_all(calls).await {
            let answer = answer.expect("an answer");
            match answer.status {
                201 => {
                    let first = sent.get_or_insert(answer.json.clone());
                    assert_eq!(answer.json, *first);
                }
                409 => {}
                _ => panic!("{}", answer.told()),
            }
        }
        assert!(sent.is_some());
        mailbox.arrived(&word, 1).await;
    });
}

#[test]
fn the_same_key_with_another_request_is_refused_and_sends_nothing() {
    run(async {
        let mailbox = Mailbox::new(Way::Smtp, StoreKind::Sqlite).await;
        let word = mailbox.word();
        let call = |body| {
            Call::post("/v1/email/messages")
                .header("idempotency-key", "a key")
                .json(body)
        };
        let first = mailbox.ok(call(mailbox.letter(&word))).await;
        let other = mailbox.word();
        let refused = mailbox.api.call(call(mailbox.letter(&other))).await;
        let refused = refused.expect("an answer");
        assert_eq!((refused.status, refused.code()), (422, "unprocessable"));
        let with_ids = call(mailbox.letter(&word)).query("returnIds", true);
        let refused = mailbox.api.call(with_ids).await.expect("an answer");
        assert_eq!(refused.status, 422, "{}", refused.told());
        let again = mailbox.ok(call(mailbox.letter(&word))).await;
        assert_eq!(again.json, first.json);
        mailbox.arrived(&word, 1).await;
        mailbox.arrived(&other, 0).await;
    });
}

#[test]
fn without_a_key_every_call_is_a_mail_of_its_own() {
    run(async {
        let mailbox = Mailbox::new(Way::Smtp, StoreKind::Sqlite).await;
        let word = mailbox.word();
        for _ in 0..2 {
            let call = Call::post("/v1/email/messages").json(mailbox.letter(&word));
            let sent = mailbox.ok(call).await;
            assert_eq!(sent.json["processingStatus"], json!("Ok"));
        }
        mailbox.arrived(&word, 2).await;
    });
}
