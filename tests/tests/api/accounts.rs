//! Accounts of an application.

use polypost_tests::{Api, Auth, Call};
use serde_json::{Value, json};
use test_servers::PASSWORD;

use crate::setting::{Mailbox, dovecot, fresh_user, gateway, mail, text};

async fn input(email: &str, login: &str, password: &str) -> Value {
    let port = dovecot().await.imap_port();
    json!({
        "serviceType": "IMAP", "active": true, "email": email, "loginString": login, "password": password,
        "serverUrl": format!("imap://127.0.0.1:{port}?security=none"),
    })
}

#[tokio::test]
async fn an_account_shows_itself() {
    let mailbox = Mailbox::new().await;
    let view = mailbox.ok(Call::get("/v1/account")).await.json;
    assert_eq!(view["id"], mailbox.account);
    assert_eq!(view["email"], mailbox.user.as_str());
    assert_eq!(view["serviceType"], "IMAP");
    assert_eq!(view["active"], true);
    let pinged = Call::get("/v1/account")
        .query("pingProvider", true)
        .query("includeProviderAuth", true);
    assert_eq!(mailbox.ok(pinged).await.json["tokenStatus"], "active");
    let text = view.to_string();
    assert!(!text.contains("\"pw\""), "{text}");
}

#[tokio::test]
async fn an_application_lists_and_reads_its_accounts() {
    let mailbox = Mailbox::new().await;
    let api = gateway().await.application();
    let mut offset = 0;
    let mut seen = Vec::new();
    loop {
        let call = Call::get("/v1/am/accounts")
            .query("limit", 3)
            .query("offset", offset);
        let page = api.call(call).await.unwrap();
        assert_eq!(page.json["offset"], offset);
        seen.extend(page.records().iter().map(|one| one["id"].clone()));
        offset += page.records().len();
        if page.json["done"] == true {
            break;
        }
        assert_eq!(page.records().len(), 3);
    }
    assert!(seen.contains(&json!(mailbox.account)));
    let call = Call::get("/v1/am/accounts/{id}").with("id", mailbox.account);
    let view = api.call(call).await.unwrap();
    assert_eq!(view.json["email"], mailbox.user.as_str());
    let call = Call::get("/v1/am/accounts/{id}").with("id", i64::MAX);
    assert_eq!(api.call(call).await.unwrap().status, 404);
}

#[tokio::test]
async fn connecting_a_mailbox_again_keeps_its_account_and_its_feed() {
    let mut mailbox = Mailbox::new().await;
    let sync = Call::post("/v1/email/sync").query("awaitReady", true);
    let token = text(&mailbox.ok(sync).await.json, "syncUpdatedToken");
    let (again, other) = gateway()
        .await
        .account(&mailbox.user, dovecot().await.imap_port())
        .await
        .unwrap();
    assert_eq!(again, mailbox.account);
    mailbox.receive(&mail("after")).await;
    let walk = || Call::get("/v1/email/sync/updated").query("deltaToken", &token);
    for api in [&other, &mailbox.api] {
        let answer = api.call(walk()).await.unwrap();
        assert_eq!(answer.records().len(), 1, "{}", answer.told());
    }
}

#[tokio::test]
async fn another_mailbox_under_the_same_account_starts_a_new_feed() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(&mail("of the first")).await;
    let sync = Call::post("/v1/email/sync").query("awaitReady", true);
    let started = mailbox.ok(sync.clone()).await.json;
    let other = fresh_user().await;
    let body = input(&mailbox.user, &other, PASSWORD).await;
    let call = Call::post("/v1/am/accounts").query("ensureAccess", true);
    let saved = gateway().await.application().call(call.json(body)).await;
    let saved = saved.unwrap();
    assert_eq!(saved.status, 200, "{}", saved.told());
    assert_eq!(saved.json["accountId"], mailbox.account);
    for (template, token) in [
        ("/v1/email/sync/updated", "syncUpdatedToken"),
        ("/v1/email/sync/deleted", "syncDeletedToken"),
    ] {
        let call = Call::get(template).query("deltaToken", text(&started, token));
        mailbox.refused(call, 410, "syncToken.expired").await;
    }
    assert!(
        mailbox
            .list(Call::get("/v1/email/messages"))
            .await
            .is_empty()
    );
    mailbox.ok(sync).await;
}

#[tokio::test]
async fn a_wrong_password_is_told_and_saves_nothing() {
    let user = fresh_user().await;
    let api = gateway().await.application();
    let body = input(&user, &user, "wrong").await;
    for call in [
        Call::post("/v1/am/accounts").query("ensureAccess", true),
        Call::post("/v1/am/accounts/connect"),
    ] {
        let answer = api.call(call.json(body.clone())).await.unwrap();
        assert_eq!(
            (answer.status, answer.code()),
            (401, "token.refresh.failed"),
            "{}",
            answer.told()
        );
    }
    let call = Call::get("/v1/am/accounts").query("limit", 500);
    let listed = api.call(call).await.unwrap();
    let saved = listed
        .records()
        .iter()
        .any(|one| one["email"] == user.as_str());
    assert!(!saved);
    let body = input(&user, &user, PASSWORD).await;
    let call = Call::post("/v1/am/accounts/connect").json(body);
    let answer = api.call(call).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.told());
}

#[tokio::test]
async fn a_token_ends_alone_and_an_application_ends_them_all() {
    let mailbox = Mailbox::new().await;
    let (_, second) = gateway()
        .await
        .account(&mailbox.user, dovecot().await.imap_port())
        .await
        .unwrap();
    let works = async |api: &Api| api.call(Call::get("/v1/account")).await.unwrap().status;
    assert_eq!(
        (works(&mailbox.api).await, works(&second).await),
        (200, 200)
    );
    mailbox.ok(Call::delete("/v1/account/token")).await;
    assert_eq!(
        (works(&mailbox.api).await, works(&second).await),
        (401, 200)
    );
    let (_, third) = gateway()
        .await
        .account(&mailbox.user, dovecot().await.imap_port())
        .await
        .unwrap();
    let application = mailbox.basic();
    let all = application.call(Call::delete("/v1/account/token")).await;
    assert_eq!(all.unwrap().status, 200);
    assert_eq!((works(&second).await, works(&third).await), (401, 401));
}

#[tokio::test]
async fn a_deleted_account_is_gone_and_its_mail_is_not() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(&mail("still here")).await;
    mailbox.ok(Call::post("/v1/email/sync")).await;
    mailbox.ok(Call::delete("/v1/account")).await;
    let answer = mailbox.api.call(Call::get("/v1/account")).await.unwrap();
    assert_eq!(answer.status, 401);
    let application = mailbox.api.signed_in(Auth::None);
    assert_eq!(
        application
            .call(Call::get("/v1/account"))
            .await
            .unwrap()
            .status,
        401
    );
    let call = Call::get("/v1/am/accounts/{id}").with("id", mailbox.account);
    let answer = gateway().await.application().call(call).await.unwrap();
    assert_eq!(answer.status, 404);
    assert_eq!(mailbox.imap.dump("INBOX").await.unwrap().mails.len(), 1);
}
