//! Folders and their delta.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, removed, text};

fn names(items: &[Value]) -> Vec<&str> {
    items
        .iter()
        .map(|item| item["displayName"].as_str().unwrap_or("-"))
        .collect()
}

#[tokio::test]
async fn folders_are_listed_ten_at_a_time_level_by_level() {
    let api = Api::start().await;
    let work = api.alice.create_folder("Work", None).unwrap();
    for name in ["b", "a", "c"] {
        api.alice.create_folder(name, Some(&work)).unwrap();
    }
    let page = api.get("/me/mailFolders").await;
    assert_eq!(page["value"].as_array().unwrap().len(), 9);
    assert!(page.get("@odata.nextLink").is_none());
    api.alice.create_folder("Zeta", None).unwrap();
    api.alice.create_folder("Zoo", None).unwrap();
    let page = api.get("/me/mailFolders").await;
    assert_eq!(page["value"].as_array().unwrap().len(), 10);
    assert!(page["@odata.nextLink"].is_string());
    let all = api
        .all("/me/mailFolders?$top=4&includeHiddenFolders=true")
        .await;
    assert!(names(&all).contains(&"Clutter"));
    let inside = api
        .get(&format!(
            "/me/mailFolders/{work}/childFolders?$select=displayName"
        ))
        .await;
    assert_eq!(names(inside["value"].as_array().unwrap()), ["a", "b", "c"]);
    let found = all
        .iter()
        .find(|folder| folder["displayName"] == "Work")
        .unwrap();
    assert_eq!(found["childFolderCount"], 3);
    api.assert_no_violations();
}

#[tokio::test]
async fn a_well_known_name_stands_for_an_id_whatever_the_folder_is_called() {
    let api = Api::start().await;
    assert!(api.alice.rename_folder("sentitems", "Gesendete Elemente"));
    let sent = api.get("/me/mailFolders/SentItems").await;
    assert_eq!(sent["displayName"], "Gesendete Elemente");
    assert_eq!(text(&sent["id"]), api.alice.folder_id("sentitems").unwrap());
    let same = api
        .get(&format!("/me/mailFolders('{}')", text(&sent["id"])))
        .await;
    assert_eq!(same, sent);
    let other_case = text(&sent["id"]).to_lowercase();
    assert_eq!(
        api.try_get(&format!("/me/mailFolders/{other_case}"))
            .await
            .code(),
        "ErrorItemNotFound"
    );
    assert_eq!(
        api.try_get("/me/mailFolders/nothing").await.code(),
        "ErrorInvalidIdMalformed"
    );
}

#[tokio::test]
async fn folders_are_made_renamed_moved_and_deleted() {
    let api = Api::start().await;
    let made = api
        .post("/me/mailFolders", json!({"displayName": "Work"}))
        .await;
    let id = text(&made["id"]);
    let twin = api
        .call(
            Method::POST,
            "/me/mailFolders",
            json!({"displayName": "work"}),
        )
        .await;
    assert_eq!((twin.status, twin.code()), (409, "ErrorFolderExists"));
    let child = api
        .post(
            &format!("/me/mailFolders/{id}/childFolders"),
            json!({"displayName": "Deep"}),
        )
        .await;
    assert_eq!(child["parentFolderId"], made["id"]);
    let child = text(&child["id"]);
    let renamed = api
        .patch(
            &format!("/me/mailFolders/{child}"),
            json!({"displayName": "Deeper"}),
        )
        .await;
    assert_eq!(renamed["id"], child);
    let moved = api
        .post(
            &format!("/me/mailFolders/{child}/move"),
            json!({"destinationId": "archive"}),
        )
        .await;
    assert_eq!(
        text(&moved["parentFolderId"]),
        api.alice.folder_id("archive").unwrap()
    );
    assert_eq!(text(&moved["id"]), child);
    let inside = api.alice.append(&crate::support::mail("x"), id, 0);
    api.delete(&format!("/me/mailFolders/{id}")).await;
    assert_eq!(
        api.get(&format!("/me/mailFolders/{id}")).await["parentFolderId"],
        json!(api.alice.folder_id("deleteditems"))
    );
    api.delete(&format!("/me/mailFolders/{id}")).await;
    assert_eq!(
        api.try_get(&format!("/me/mailFolders/{id}")).await.status,
        404
    );
    assert_eq!(api.alice.message(&inside), None);
    api.assert_no_violations();
    let inbox = api
        .call(Method::DELETE, "/me/mailFolders/inbox", Value::Null)
        .await;
    assert_eq!(inbox.code(), "ErrorDeleteDistinguishedFolder");
    assert_eq!(api.problems().len(), 1);
}

#[tokio::test]
async fn a_delta_of_folders_tells_of_all_and_then_of_changes() {
    let api = Api::start().await;
    let work = api.alice.create_folder("Work", None).unwrap();
    let deep = api.alice.create_folder("Deep", Some(&work)).unwrap();
    let (items, link) = api
        .round("/me/mailFolders/delta?$select=displayName,parentFolderId")
        .await;
    assert_eq!(items.len(), 10);
    assert!(!names(&items).contains(&"Top of Information Store"));
    api.append("x", "inbox");
    api.alice.rename_folder(&deep, "Deeper");
    assert!(api.alice.delete_folder_permanently(&work));
    let (items, link) = api.round(&link).await;
    let mut gone = removed(&items);
    gone.sort();
    let mut wanted = vec![work, deep];
    wanted.sort();
    assert_eq!((items.len(), gone), (2, wanted));
    assert!(api.round(&link).await.0.is_empty());
    api.graph.faults(|faults| faults.folder_noise = true);
    api.append("y", "inbox");
    assert_eq!(names(&api.round(&link).await.0), ["Inbox"]);
    api.assert_no_violations();
}

#[tokio::test]
async fn a_search_folder_shows_messages_of_others() {
    let api = Api::start().await;
    api.append("red", "inbox");
    api.append("blue", "inbox");
    let id = api
        .alice
        .create_search_folder("Reds", "contains(subject, 'red')")
        .unwrap();
    let found = api
        .get(&format!("/me/mailFolders/{id}/messages?$select=subject"))
        .await;
    assert_eq!(
        crate::support::subjects(found["value"].as_array().unwrap()),
        ["red"]
    );
    let shown = api.get(&format!("/me/mailFolders/{id}")).await;
    assert_eq!(shown["@odata.type"], "#microsoft.graph.mailSearchFolder");
    api.assert_no_violations();
    let delta = api
        .try_get(&format!("/me/mailFolders/{id}/messages/delta"))
        .await;
    assert_eq!(delta.status, 400);
    assert_eq!(api.problems().len(), 1);
}
