//! Folders.

use polypost_tests::Call;
use serde_json::json;

use crate::setting::{Mailbox, mail, text};

#[tokio::test]
async fn folders_tell_their_paths_parents_and_purposes() {
    let mut mailbox = Mailbox::new().await;
    mailbox.imap.create("Work/B&APw-cher").await.unwrap();
    let folders = mailbox.list(Call::get("/v1/email/folders")).await;
    let find = |path: &str| {
        let found = folders.iter().find(|one| one["fullName"] == path);
        found
            .unwrap_or_else(|| panic!("{path}: {folders:?}"))
            .clone()
    };
    for (path, label) in [
        ("INBOX", "inbox"),
        ("Sent", "sent"),
        ("Drafts", "draft"),
        ("Trash", "trash"),
        ("Junk", "junk"),
    ] {
        let folder = find(path);
        assert_eq!(folder["sysLabel"], label);
        assert_eq!(
            (&folder["isFolder"], &folder["isLabel"]),
            (&json!(true), &json!(false))
        );
    }
    let nested = find("Work/Bücher");
    assert_eq!(nested["name"], "Bücher");
    assert_eq!(nested["parentId"], find("Work")["id"]);
    assert!(nested.get("sysLabel").is_none());
    let call = Call::get("/v1/email/folders/{folderId}").with("folderId", text(&nested, "id"));
    assert_eq!(mailbox.ok(call).await.json, nested);
}

#[tokio::test]
async fn a_folder_is_made_once_and_below_others() {
    let mut mailbox = Mailbox::new().await;
    let create = |body| Call::post("/v1/email/folders").json(body);
    let answer = mailbox.ok(create(json!({ "name": "Löhne" }))).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.json["fullName"], "Löhne");
    mailbox
        .refused(create(json!({ "name": "Löhne" })), 409, "conflict")
        .await;
    let below = json!({ "name": "2026", "parentId": answer.json["id"] });
    let below = mailbox.ok(create(below)).await.json;
    assert_eq!(below["fullName"], "Löhne/2026");
    assert_eq!(below["parentId"], answer.json["id"]);
    let wire = "L&APY-hne/2026";
    assert_eq!(mailbox.imap.list(wire).await.unwrap().len(), 1);
    // The id is of the folder, not of this answer.
    assert_eq!(mailbox.folder("Löhne/2026").await, text(&below, "id"));
}

#[tokio::test]
async fn a_folder_without_a_name_or_below_nothing_is_refused() {
    let mailbox = Mailbox::new().await;
    let create = |body| Call::post("/v1/email/folders").json(body);
    mailbox.refused(create(json!({})), 400, "badRequest").await;
    let orphan = json!({ "name": "x", "parentId": "0000000000000000" });
    mailbox.refused(create(orphan), 404, "notFound").await;
}

#[tokio::test]
async fn a_folder_lists_its_messages() {
    let mut mailbox = Mailbox::new().await;
    mailbox.imap.create("Work").await.unwrap();
    mailbox.put("Work", &mail("at work"), &[]).await;
    mailbox.put("Trash", &mail("thrown away"), &[]).await;
    mailbox.receive(&mail("elsewhere")).await;
    for (folder, subject) in [("Work", "at work"), ("Trash", "thrown away")] {
        let id = mailbox.folder(folder).await;
        let call = Call::get("/v1/email/folders/{folderId}/messages").with("folderId", id);
        let records = mailbox.list(call).await;
        assert_eq!(records.len(), 1);
        assert_eq!(records[0]["subject"], subject);
    }
    let call = Call::get("/v1/email/folders/{folderId}/messages").with("folderId", "nonsense");
    mailbox.refused(call, 404, "notFound").await;
}

#[tokio::test]
async fn well_known_folders_can_be_chosen() {
    let mut mailbox = Mailbox::new().await;
    mailbox.imap.create("Keep").await.unwrap();
    let get = || Call::get("/v1/email/folders/wellKnown");
    let known = mailbox.ok(get()).await.json;
    assert_eq!(known["archive"], mailbox.folder("Archive").await);
    assert_eq!(known["sent"], mailbox.folder("Sent").await);
    let keep = mailbox.folder("Keep").await;
    let patch = |body| Call::patch("/v1/email/folders/wellKnown").json(body);
    let chosen = mailbox.ok(patch(json!({ "archive": keep }))).await.json;
    assert_eq!(chosen["archive"], keep.as_str());
    assert_eq!(chosen["sent"], known["sent"]);
    assert_eq!(mailbox.ok(get()).await.json, chosen);
    mailbox.receive(&mail("to keep")).await;
    let id = mailbox.id("to keep").await;
    let call = Call::post("/v1/email/messages/{messageId}/status").with("messageId", id);
    mailbox.ok(call.json(json!({ "archived": true }))).await;
    mailbox.flags("Keep", "to keep").await;
    let wrong = json!({ "archive": "0000000000000000" });
    mailbox.refused(patch(wrong), 404, "notFound").await;
}
