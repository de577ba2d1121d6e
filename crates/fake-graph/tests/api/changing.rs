//! Changes of messages through the API.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, NOON_MS, text};

#[tokio::test]
async fn flags_and_categories_are_patched() {
    let api = Api::start().await;
    let id = api.append("x", "inbox");
    let before = api.get(&format!("/me/messages/{id}")).await;
    let after = api
        .patch(
            &format!("/me/messages/{id}"),
            json!({"isRead": true, "flag": {"flagStatus": "flagged"}, "categories": ["Red", "Own"]}),
        )
        .await;
    assert_eq!(
        (&after["isRead"], &after["flag"]["flagStatus"]),
        (&json!(true), &json!("flagged"))
    );
    assert_ne!(before["changeKey"], after["changeKey"]);
    let truth = api.alice.message(&id).unwrap();
    assert!(truth.read && truth.flagged);
    assert_eq!(truth.categories, ["Red", "Own"]);
    api.assert_no_violations();
    for wrong in [
        json!({"subject": "new"}),
        json!({"isRead": "yes"}),
        json!({"colour": "red"}),
        json!({"flag": {"flagStatus": "waved"}}),
        json!({"id": "other"}),
    ] {
        let reply = api
            .call(Method::PATCH, &format!("/me/messages/{id}"), wrong.clone())
            .await;
        assert_eq!(reply.status, 400, "{wrong}");
    }
    assert_eq!(api.problems().len(), 5);
}

#[tokio::test]
async fn a_change_is_for_the_version_that_it_names() {
    let api = Api::start().await;
    let id = api.append("x", "inbox");
    let etag = text(&api.get(&format!("/me/messages/{id}")).await["@odata.etag"]).to_owned();
    let patch = async |etag: &str| {
        let request = api
            .request(Method::PATCH, &format!("/me/messages/{id}"))
            .header("if-match", etag)
            .header("content-type", "application/json")
            .body(json!({"isRead": true}).to_string());
        api.send(request).await
    };
    assert_eq!(patch(&etag).await.status, 200);
    let late = patch(&etag).await;
    assert_eq!(
        (late.status, late.code()),
        (412, "ErrorIrresolvableConflict")
    );
}

#[tokio::test]
async fn a_move_keeps_the_immutable_id_and_a_copy_has_its_own() {
    let api = Api::start().await;
    let id = api.append("x", "inbox");
    let moved = api
        .post(
            &format!("/me/messages/{id}/move"),
            json!({"destinationId": "archive"}),
        )
        .await;
    assert_eq!(moved["id"], id);
    assert_eq!(
        text(&moved["parentFolderId"]),
        api.alice.folder_id("archive").unwrap()
    );
    let copy = api
        .post(
            &format!("/me/messages/{id}/copy"),
            json!({"destinationId": "inbox"}),
        )
        .await;
    assert_ne!(copy["id"], id);
    assert_eq!(api.alice.messages().len(), 2);
    api.assert_no_violations();
    let nowhere = api
        .call(
            Method::POST,
            &format!("/me/messages/{id}/move"),
            json!({"destinationId": "x"}),
        )
        .await;
    assert_eq!(nowhere.code(), "ErrorInvalidIdMalformed");
    let nothing = api
        .call(
            Method::POST,
            &format!("/me/messages/{id}/move"),
            json!({"folder": "x"}),
        )
        .await;
    assert_eq!(nothing.status, 400);
}

#[tokio::test]
async fn a_deleted_message_is_in_deleted_items_and_then_gone() {
    let api = Api::start().await;
    let id = api.append("x", "inbox");
    api.delete(&format!("/me/messages/{id}")).await;
    assert_eq!(
        api.alice.message(&id).unwrap().folder,
        api.alice.folder_id("deleteditems").unwrap()
    );
    api.delete(&format!("/me/messages/{id}")).await;
    assert_eq!(
        api.try_get(&format!("/me/messages/{id}")).await.code(),
        "ErrorItemNotFound"
    );
    let other = api.append("y", "inbox");
    api.post(
        &format!("/me/messages/{other}/permanentDelete"),
        Value::Null,
    )
    .await;
    assert_eq!(api.alice.messages(), []);
    api.graph
        .settings(|settings| settings.readable_after_deletion = true);
    let kept = api.append("z", "deleteditems");
    api.delete(&format!("/me/messages/{kept}")).await;
    let still = api
        .get(&format!("/me/messages/{kept}?$select=parentFolderId"))
        .await;
    let folder = api.get("/me/mailFolders/recoverableitemsdeletions").await;
    assert_eq!(still["parentFolderId"], folder["id"]);
    assert_eq!(api.alice.messages(), []);
    api.assert_no_violations();
}

#[tokio::test]
async fn a_message_is_only_in_its_own_folder() {
    let api = Api::start().await;
    let id = api.append("x", "inbox");
    api.get(&format!("/me/mailFolders/inbox/messages/{id}"))
        .await;
    assert_eq!(
        api.try_get(&format!("/me/mailFolders/archive/messages/{id}"))
            .await
            .status,
        404
    );
    assert_eq!(
        api.try_get("/me/messages/short").await.code(),
        "ErrorInvalidIdMalformed"
    );
}

#[tokio::test]
async fn categories_are_made_coloured_and_deleted() {
    let api = Api::start().await;
    let made = api
        .post(
            "/me/outlook/masterCategories",
            json!({"displayName": "Own", "color": "preset3"}),
        )
        .await;
    let path = format!("/me/outlook/masterCategories/{}", text(&made["id"]));
    api.patch(&path, json!({"color": "preset4"})).await;
    let all = api.get("/me/outlook/masterCategories").await;
    assert_eq!(all["value"][0]["color"], "preset4");
    let twin = api
        .call(
            Method::POST,
            "/me/outlook/masterCategories",
            json!({"displayName": "own"}),
        )
        .await;
    assert_eq!(twin.status, 409);
    api.delete(&path).await;
    assert_eq!(
        api.get("/me/outlook/masterCategories").await["value"],
        json!([])
    );
    api.assert_no_violations();
}

#[tokio::test]
async fn tests_change_the_mailbox_behind_the_clients_back() {
    let api = Api::start().await;
    let id = api
        .alice
        .append(&crate::support::mail("x"), "inbox", NOON_MS);
    let (_, link) = api.round("/me/mailFolders/inbox/messages/delta").await;
    let before = api.alice.message(&id).unwrap();
    api.alice.change_all_ids();
    assert_eq!(api.alice.message(&id), None);
    let after = api.alice.messages().remove(0);
    assert_eq!(after.raw, before.raw);
    assert_eq!(api.try_get(&link).await.status, 410);
    assert!(api.alice.delete(&after.id) && !api.alice.delete("nothing"));
    assert!(api.alice.copy_to(&after.id, "inbox").is_some());
    let draft = api
        .alice
        .append(&crate::support::mail("d"), "drafts", NOON_MS);
    assert!(api.alice.message(&draft).unwrap().draft);
    assert!(api.alice.edit_draft(&draft, &crate::support::mail("e")));
    assert_eq!(
        api.get(&format!("/me/messages/{draft}")).await["subject"],
        "e"
    );
}
