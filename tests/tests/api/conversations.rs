//! Conversations.

use chrono::TimeDelta;
use polypost_tests::{Call, now};

use crate::setting::{Mailbox, mail, subjects, text};

async fn put(mailbox: &mut Mailbox, folder: &str, subject: &str, parents: &str, days_ago: i64) {
    let head = format!("Subject: {subject}\nReferences: {parents}\n");
    let raw = mail(subject).replace(&format!("Subject: {subject}\n"), &head);
    let raw = if parents.is_empty() {
        mail(subject)
    } else {
        raw
    };
    let date = (now() - TimeDelta::days(days_ago)).fixed_offset();
    mailbox
        .imap
        .append(
            folder,
            raw.replace('\n', "\r\n").as_bytes(),
            &[],
            Some(date),
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn a_conversation_is_told_oldest_first_over_all_folders() {
    let mut mailbox = Mailbox::new().await;
    put(&mut mailbox, "INBOX", "question", "", 4).await;
    put(&mut mailbox, "Sent", "answer", "<question@example.org>", 3).await;
    put(
        &mut mailbox,
        "INBOX",
        "thanks",
        "<question@example.org> <answer@example.org>",
        2,
    )
    .await;
    put(&mut mailbox, "INBOX", "unrelated", "", 1).await;
    mailbox
        .ok(Call::post("/v1/email/sync").query("awaitReady", true))
        .await;
    let mut threads = Vec::new();
    for subject in ["question", "answer", "thanks"] {
        let id = mailbox.id(subject).await;
        let call = Call::get("/v1/email/messages/{messageId}")
            .with("messageId", id)
            .query("requireThreadId", true);
        threads.push(text(&mailbox.ok(call).await.json, "threadId"));
    }
    threads.dedup();
    let [thread] = threads.as_slice() else {
        panic!("one conversation: {threads:?}");
    };
    let call = Call::get("/v1/email/conversations/{threadId}").with("threadId", thread);
    let told = mailbox.list(call.clone()).await;
    assert_eq!(subjects(&told), ["question", "answer", "thanks"]);
    let with_body = mailbox.list(call.query("bodyType", "text")).await;
    assert!(text(&with_body[0], "body").contains("This is question."));
}

#[tokio::test]
async fn what_is_no_conversation_is_not_found() {
    let mailbox = Mailbox::new().await;
    for thread in ["nonsense", "0123456789abcdef"] {
        let call = Call::get("/v1/email/conversations/{threadId}").with("threadId", thread);
        mailbox.refused(call, 404, "notFound").await;
    }
}
