//! Drafts that are sent at their time.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use polypost_tests::sending::{Way, make_due};
use polypost_tests::{Call, StoreKind, now};
use serde_json::Value;

use crate::run;
use crate::setting::Mailbox;

const SEND: &str = "/v1/email/drafts/{draftId}/send";
const DRAFT: &str = "/v1/email/drafts/{draftId}";

fn in_an_hour() -> String {
    let at = now() + TimeDelta::hours(1);
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

async fn schedule(mailbox: &Mailbox, draft: &str) {
    let send = Call::post(SEND).with("draftId", draft);
    let scheduled = mailbox.ok(send.query("sendTime", in_an_hour())).await;
    assert_eq!(scheduled.json["status"], "Scheduled");
}

/// What the draft tells of it; null when there is no draft any more.
async fn scheduled(mailbox: &Mailbox, draft: &str) -> Value {
    let read = Call::get(DRAFT).with("draftId", draft);
    let read = mailbox.api.call(read).await.expect("an answer");
    match read.status {
        200 => read.json["scheduled"].clone(),
        404 => Value::Null,
        _ => panic!("{}", read.told()),
    }
}

async fn survives_a_kill(way: Way, store: StoreKind) {
    let mut mailbox = Mailbox::new(way, store).await;
    let word = mailbox.word();
    let draft = mailbox.draft(mailbox.letter(&word)).await;
    schedule(&mailbox, &draft).await;
    mailbox.gateway.kill_hard().expect("killed");
    mailbox.gateway.resume().await.expect("resumed");
    assert_eq!(scheduled(&mailbox, &draft).await["status"], "scheduled");
    mailbox.arrived(&word, 0).await;
    mailbox.gateway.kill_hard().expect("killed");
    make_due(mailbox.gateway.storage()).await.expect("due");
    mailbox.gateway.resume().await.expect("resumed");
    let known = mailbox.arrived(&word, 1).await;
    assert_eq!(known.copies, 1, "{known:?}");
    assert_eq!(known.drafts, 0, "{known:?}");
    mailbox.gateway.kill_hard().expect("killed");
    mailbox.gateway.resume().await.expect("resumed");
    mailbox.arrived(&word, 1).await;
}

#[test]
fn a_scheduled_send_survives_a_kill_on_sqlite() {
    run(survives_a_kill(Way::Smtp, StoreKind::Sqlite));
}

#[test]
fn a_scheduled_send_survives_a_kill_on_postgres() {
    run(survives_a_kill(Way::Graph, StoreKind::Postgres));
}

#[test]
fn a_scheduled_send_of_two_gateways_goes_out_once() {
    run(async {
        let mailbox = Mailbox::new(Way::Smtp, StoreKind::Postgres).await;
        let _second = mailbox.second_gateway().await;
        let mut words = Vec::new();
        for _ in 0..8 {
            let word = mailbox.word();
            let draft = mailbox.draft(mailbox.letter(&word)).await;
            schedule(&mailbox, &draft).await;
            words.push(word);
        }
        make_due(mailbox.gateway.storage()).await.expect("due");
        for word in words {
            mailbox.arrived(&word, 1).await;
        }
    });
}

#[test]
fn removing_the_draft_calls_a_scheduled_send_off() {
    run(async {
        let mut mailbox = Mailbox::new(Way::Gmail, StoreKind::Sqlite).await;
        let word = mailbox.word();
        let draft = mailbox.draft(mailbox.letter(&word)).await;
        schedule(&mailbox, &draft).await;
        mailbox
            .ok(Call::delete(DRAFT).with("draftId", &draft))
            .await;
        mailbox.gateway.kill_hard().expect("killed");
        make_due(mailbox.gateway.storage()).await.expect("due");
        mailbox.gateway.resume().await.expect("resumed");
        let known = mailbox.arrived(&word, 0).await;
        assert_eq!((known.copies, known.drafts), (0, 0));
        assert_eq!(scheduled(&mailbox, &draft).await, Value::Null);
    });
}

/// It waits for its time on a gateway that goes on: nothing but the clock is moved.
#[test]
fn a_scheduled_send_goes_out_at_its_time() {
    run(async {
        let mailbox = Mailbox::new(Way::Smtp, StoreKind::Sqlite).await;
        let word = mailbox.word();
        let draft = mailbox.draft(mailbox.letter(&word)).await;
        let at = now() + TimeDelta::seconds(63);
        let send = Call::post(SEND).with("draftId", &draft);
        let send = send.query("sendTime", at.format("%Y-%m-%dT%H:%M:%SZ"));
        let asked = mailbox.ok(send).await;
        assert_eq!(asked.json["status"], "Scheduled");
        tokio::time::sleep(Duration::from_secs(55)).await;
        mailbox.arrived(&word, 0).await;
        let start = Instant::now();
        mailbox.arrived(&word, 1).await;
        assert!(now() >= at - TimeDelta::seconds(1), "too early");
        assert!(start.elapsed() < Duration::from_secs(20), "too late");
    });
}
