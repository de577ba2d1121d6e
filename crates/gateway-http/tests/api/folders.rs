use serde_json::{Value, json};

use crate::{
    mail::{new_mail, plain},
    support::{Api, Connected},
};

async fn by_label(account: &Connected<'_>, label: &str) -> Value {
    let page = account.get("/v1/email/folders?pageToken=").await;
    let records = page["records"].as_array().unwrap();
    assert_eq!(page["length"], records.len());
    records
        .iter()
        .find(|f| f["sysLabel"] == label)
        .unwrap()
        .clone()
}

#[tokio::test]
async fn folders_are_listed_and_read() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let inbox = by_label(&account, "inbox").await;
    assert_eq!(
        (&inbox["isFolder"], &inbox["isLabel"]),
        (&json!(true), &json!(false))
    );
    let id = inbox["id"].as_str().unwrap();
    assert_eq!(account.get(format!("/v1/email/folders/{id}")).await, inbox);
    for wrong in ["0123456789abcdef", "INBOX"] {
        let answer = account
            .call("GET", format!("/v1/email/folders/{wrong}"))
            .send()
            .await;
        assert_eq!(answer.failure(), (404, "notFound".to_owned()));
    }
}

#[tokio::test]
async fn a_new_folder_is_201_and_can_hold_others() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let create = |body| account.call("POST", "/v1/email/folders").json(&body).send();
    let parent = create(json!({"name": "Clients"})).await;
    assert_eq!(parent.status, 201, "{parent:?}");
    let parent = parent.json();
    let child = create(json!({"name": "North", "parentId": parent["id"]})).await;
    assert_eq!(
        (child.status.as_u16(), &child.json()["parentId"]),
        (201, &parent["id"])
    );
    assert_eq!(child.json()["fullName"], "Clients/North");
    assert_eq!(
        create(json!({"name": "Clients"})).await.failure(),
        (409, "conflict".to_owned())
    );
    assert_eq!(
        create(json!({})).await.failure(),
        (400, "badRequest".to_owned())
    );
    assert_eq!(
        create(json!({"name": "x", "parentId": "nope"}))
            .await
            .failure()
            .0,
        404
    );
}

#[tokio::test]
async fn the_messages_of_a_folder_are_its_own() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    account.deliver(new_mail(0, plain(1)));
    let messages = async |label: &str| {
        let folder = by_label(&account, label).await;
        let id = folder["id"].as_str().unwrap().to_owned();
        account
            .get(format!(
                "/v1/email/folders/{id}/messages?bodyType=text&nativeProperties=x"
            ))
            .await
    };
    let inbox = messages("inbox").await;
    assert_eq!(inbox["length"], 1);
    assert_eq!(inbox["records"][0]["nativeProperties"], json!({}));
    assert_eq!(messages("sent").await, json!({"length": 0, "records": []}));
    let unknown = account
        .call("GET", "/v1/email/folders/0123456789abcdef/messages")
        .send()
        .await;
    assert_eq!(unknown.failure().0, 404);
}

#[tokio::test]
async fn well_known_folders_are_chosen_one_by_one() {
    let api = Api::new().await;
    let account = api.connect("ann@example.org", &[]).await;
    let before = account.get("/v1/email/folders/wellKnown").await;
    let junk = by_label(&account, "junk").await["id"].clone();
    let choose = |body| {
        account
            .call("PATCH", "/v1/email/folders/wellKnown")
            .json(&body)
            .send()
    };
    let after = choose(json!({"archive": junk, "sent": null})).await.ok();
    assert_eq!(after["archive"], junk);
    assert_eq!(after.get("sent"), before.get("sent"));
    assert_eq!(account.get("/v1/email/folders/wellKnown").await, after);
    let nothing = account
        .call("PATCH", "/v1/email/folders/wellKnown")
        .send()
        .await;
    assert_eq!(nothing.ok(), after);
    assert_eq!(choose(json!({"archive": "nope"})).await.failure().0, 404);
}
