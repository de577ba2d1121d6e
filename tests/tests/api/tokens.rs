//! Tokens of the change feed.

use polypost_tests::Call;
use serde_json::Value;

use crate::setting::{Mailbox, mail, text};

const UPDATED: &str = "/v1/email/sync/updated";
const DELETED: &str = "/v1/email/sync/deleted";

async fn start(mailbox: &Mailbox) -> Value {
    let call = Call::post("/v1/email/sync").query("awaitReady", true);
    mailbox.ok(call).await.json
}

#[tokio::test]
async fn a_walk_needs_a_token() {
    let mailbox = Mailbox::new().await;
    for template in [UPDATED, DELETED] {
        mailbox
            .refused(Call::get(template), 400, "badRequest")
            .await;
    }
}

#[tokio::test]
async fn a_malformed_or_altered_token_is_not_valid() {
    let mailbox = Mailbox::new().await;
    let started = start(&mailbox).await;
    let token = text(&started, "syncUpdatedToken");
    let mut altered = vec![String::new(), "nonsense".to_owned(), "é".to_owned()];
    altered.push(token[..token.len() - 3].to_owned());
    altered.push(format!("{token}AAAA"));
    for at in [0, 1, token.len() / 2, token.len() - 2] {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        altered.push(String::from_utf8(bytes).unwrap());
    }
    for parameter in ["deltaToken", "pageToken"] {
        for token in altered.iter().filter(|token| !token.is_empty()) {
            let call = Call::get(UPDATED).query(parameter, token);
            let answer = mailbox.api.call(call).await.unwrap();
            // What names another journal has expired; what names none is not valid.
            let fine = [(400, "token.notValid"), (410, "syncToken.expired")];
            assert!(
                fine.contains(&(answer.status, answer.code())),
                "{}",
                answer.told()
            );
        }
    }
    let call = Call::get(UPDATED).query("deltaToken", "nonsense");
    mailbox.refused(call, 400, "token.notValid").await;
}

#[tokio::test]
async fn a_token_serves_its_own_stream_only() {
    let mailbox = Mailbox::new().await;
    let started = start(&mailbox).await;
    let call = Call::get(DELETED).query("deltaToken", text(&started, "syncUpdatedToken"));
    mailbox.refused(call, 400, "token.notValid").await;
    let call = Call::get(UPDATED).query("deltaToken", text(&started, "syncDeletedToken"));
    mailbox.refused(call, 400, "token.notValid").await;
}

#[tokio::test]
async fn a_token_of_another_account_has_expired() {
    let (one, other) = (Mailbox::new().await, Mailbox::new().await);
    let started = start(&one).await;
    start(&other).await;
    let call = Call::get(UPDATED).query("deltaToken", text(&started, "syncUpdatedToken"));
    other.refused(call, 410, "syncToken.expired").await;
}

#[tokio::test]
async fn a_page_token_wins_over_a_delta_token() {
    let mut mailbox = Mailbox::new().await;
    for number in 0..3 {
        mailbox.receive(&mail(&format!("page {number}"))).await;
    }
    let started = start(&mailbox).await;
    let delta = text(&started, "syncUpdatedToken");
    let first = Call::get(UPDATED)
        .query("deltaToken", &delta)
        .query("limit", 2);
    let first = mailbox.ok(first).await;
    let both = Call::get(UPDATED)
        .query("deltaToken", &delta)
        .query("pageToken", text(&first.json, "nextPageToken"));
    assert_eq!(mailbox.ok(both).await.records().len(), 1);
}

#[tokio::test]
async fn starting_again_is_harmless() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(&mail("one")).await;
    let first = start(&mailbox).await;
    let second = start(&mailbox).await;
    mailbox.receive(&mail("two")).await;
    for started in [first, second] {
        let call = Call::get(UPDATED).query("deltaToken", text(&started, "syncUpdatedToken"));
        assert_eq!(mailbox.ok(call).await.records().len(), 2);
    }
}
