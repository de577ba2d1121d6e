//! Changing and deleting messages.

use polypost_tests::Call;
use serde_json::{Value, json};

use crate::setting::{Mailbox, mail, texts};

fn status(id: &str, body: Value) -> Call {
    Call::post("/v1/email/messages/{messageId}/status")
        .with("messageId", id)
        .json(body)
}

fn delete(id: &str) -> Call {
    Call::delete("/v1/email/messages/{messageId}").with("messageId", id)
}

fn get(id: &str) -> Call {
    Call::get("/v1/email/messages/{messageId}").with("messageId", id)
}

#[tokio::test]
async fn flags_are_changed_on_the_server() {
    let mut mailbox = Mailbox::new().await;
    mailbox.put("INBOX", &mail("flags"), &["\\Answered"]).await;
    let id = mailbox.id("flags").await;
    for (change, flags) in [
        (json!({ "unread": false }), vec!["\\Answered", "\\Seen"]),
        (
            json!({ "flagged": true }),
            vec!["\\Answered", "\\Flagged", "\\Seen"],
        ),
        (json!({ "unread": true }), vec!["\\Answered", "\\Flagged"]),
        (json!({ "flagged": false }), vec!["\\Answered"]),
        (json!({}), vec!["\\Answered"]),
    ] {
        let answer = mailbox.ok(status(&id, change.clone())).await;
        assert_eq!(answer.json, json!({ "status": "Ok" }));
        assert_eq!(mailbox.flags("INBOX", "flags").await, flags, "{change}");
    }
}

#[tokio::test]
async fn keywords_replace_those_that_were_there() {
    let mut mailbox = Mailbox::new().await;
    mailbox
        .put("INBOX", &mail("keys"), &["old", "\\Seen"])
        .await;
    let id = mailbox.id("keys").await;
    let change = json!({ "keywords": ["one", "two", null] });
    mailbox.ok(status(&id, change)).await;
    assert_eq!(
        mailbox.flags("INBOX", "keys").await,
        ["\\Seen", "one", "two"]
    );
    let message = mailbox.ok(get(&id)).await.json;
    assert_eq!(texts(&message, "keywords"), ["one", "two"]);
    mailbox.ok(status(&id, json!({ "keywords": [] }))).await;
    assert_eq!(mailbox.flags("INBOX", "keys").await, ["\\Seen"]);
}

#[tokio::test]
async fn archiving_moves_to_the_archive_and_back_under_the_same_id() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(&mail("filed")).await;
    let id = mailbox.id("filed").await;
    mailbox.ok(status(&id, json!({ "archived": true }))).await;
    mailbox.flags("Archive", "filed").await;
    let message = mailbox.ok(get(&id)).await.json;
    assert_eq!(mailbox.path(&message["folderId"]).await, "Archive");
    mailbox.ok(status(&id, json!({ "archived": false }))).await;
    mailbox.flags("INBOX", "filed").await;
    assert_eq!(mailbox.id("filed").await, id);
    assert!(mailbox.imap.dump("Archive").await.unwrap().mails.is_empty());
}

#[tokio::test]
async fn deleting_moves_to_the_trash_under_the_same_id() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(&mail("thrown")).await;
    let id = mailbox.id("thrown").await;
    let answer = mailbox.ok(delete(&id)).await;
    assert_eq!(answer.json, json!({ "status": "Ok" }));
    mailbox.flags("Trash", "thrown").await;
    assert!(mailbox.imap.dump("INBOX").await.unwrap().mails.is_empty());
    let message = mailbox.ok(get(&id)).await.json;
    assert!(texts(&message, "sysLabels").contains(&"trash".to_owned()));
}

#[tokio::test]
async fn permanent_deletion_leaves_nothing() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(&mail("goner")).await;
    mailbox.receive(&mail("stayer")).await;
    let id = mailbox.id("goner").await;
    mailbox.ok(delete(&id).query("permanent", true)).await;
    for folder in ["INBOX", "Trash"] {
        let dump = mailbox.imap.dump(folder).await.unwrap();
        assert_eq!(dump.mails.len(), usize::from(folder == "INBOX"));
    }
    mailbox.refused(get(&id), 404, "notFound").await;
    mailbox.refused(delete(&id), 404, "notFound").await;
}

#[tokio::test]
async fn what_is_marked_by_others_is_not_removed_with_it() {
    let mut mailbox = Mailbox::new().await;
    mailbox.put("INBOX", &mail("marked"), &["\\Deleted"]).await;
    mailbox.receive(&mail("goner")).await;
    let id = mailbox.id("goner").await;
    mailbox.ok(delete(&id).query("permanent", true)).await;
    let dump = mailbox.imap.dump("INBOX").await.unwrap();
    assert_eq!(dump.mails.keys().copied().collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn changes_of_what_is_not_there_are_not_found() {
    let mailbox = Mailbox::new().await;
    for id in ["nonsense", "0123456789abcdef"] {
        let change = status(id, json!({ "unread": true }));
        mailbox.refused(change, 404, "notFound").await;
        mailbox.refused(delete(id), 404, "notFound").await;
    }
}

#[tokio::test]
async fn a_change_that_is_none_is_refused() {
    let mut mailbox = Mailbox::new().await;
    mailbox.receive(&mail("same")).await;
    let id = mailbox.id("same").await;
    mailbox
        .refused(status(&id, json!({ "unread": "yes" })), 400, "badRequest")
        .await;
    for keyword in ["two words", "\\Deleted", "a\r\nb", "(", ""] {
        let change = status(&id, json!({ "keywords": [keyword] }));
        let answer = mailbox.api.call(change).await.unwrap();
        assert!(
            (400..500).contains(&answer.status),
            "{keyword:?}: {}",
            answer.told()
        );
    }
    assert!(mailbox.flags("INBOX", "same").await.is_empty());
}
