//! Attachments of all kinds.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::{Api, NOON_MS, text};

const MIXED: &[u8] = b"From: Bob <bob@test.local>\r\nTo: alice@test.local\r\nSubject: mixed\r\nMIME-Version: 1.0\r\n\
Content-Type: multipart/mixed; boundary=m\r\n\r\n\
--m\r\nContent-Type: multipart/related; boundary=r\r\n\r\n\
--r\r\nContent-Type: text/html\r\n\r\n<p>see <img src=\"cid:pic@x\"></p>\r\n\
--r\r\nContent-Type: image/png; name=p.png\r\nContent-ID: <pic@x>\r\nContent-Disposition: inline; filename=p.png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--r--\r\n\
--m\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n\
--m\r\nContent-Type: message/rfc822\r\n\r\nFrom: carol@test.local\r\nSubject: inside\r\n\r\nhello\r\n--m--\r\n";

#[tokio::test]
async fn files_items_and_references_are_listed_and_read() {
    let api = Api::start().await;
    let id = api.alice.append(MIXED, "inbox", NOON_MS);
    assert!(
        api.alice
            .attach_reference(&id, "plan.docx", "https://files.test/plan")
    );
    let all = api.get(&format!("/me/messages/{id}/attachments")).await;
    let all = all["value"].as_array().unwrap();
    let kinds: Vec<&str> = all.iter().map(|one| text(&one["@odata.type"])).collect();
    assert_eq!(
        kinds,
        [
            "#microsoft.graph.fileAttachment",
            "#microsoft.graph.fileAttachment",
            "#microsoft.graph.itemAttachment",
            "#microsoft.graph.referenceAttachment"
        ]
    );
    assert_eq!(
        (&all[0]["isInline"], &all[0]["contentId"]),
        (&json!(true), &json!("pic@x"))
    );
    assert_eq!(all[1]["name"], "a.pdf");
    assert_eq!(all[1]["contentBytes"], "JVBERg==");
    assert_eq!(all[1]["size"], 4);
    assert_eq!(all[2]["name"], "inside");
    let path = |index: usize| format!("/me/messages/{id}/attachments/{}", text(&all[index]["id"]));
    assert_eq!(
        api.try_get(&format!("{}/$value", path(1))).await.text,
        "%PDF"
    );
    assert!(
        api.try_get(&format!("{}/$value", path(2)))
            .await
            .text
            .starts_with("From: carol")
    );
    let item = api
        .get(&format!(
            "{}?$expand=microsoft.graph.itemAttachment/item",
            path(2)
        ))
        .await;
    assert_eq!(item["item"]["subject"], "inside");
    api.assert_no_violations();
    assert_eq!(
        api.try_get(&format!("{}/$value", path(3))).await.status,
        405
    );
    assert_eq!(api.problems().len(), 1);
    let slim = api
        .get(&format!(
            "/me/messages/{id}/attachments?$select=id,name,size,contentId"
        ))
        .await;
    assert!(slim["value"][1].get("contentBytes").is_none());
    let expanded = api
        .get(&format!(
            "/me/messages/{id}?$select=id&$expand=attachments($select=name)"
        ))
        .await;
    assert_eq!(expanded["attachments"][1]["name"], "a.pdf");
    api.assert_no_violations();
}

#[tokio::test]
async fn inline_pictures_alone_are_no_attachments() {
    let api = Api::start().await;
    let inline = b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=r\r\n\r\n--r\r\nContent-Type: text/html\r\n\r\n<img src=\"cid:p\">\r\n--r\r\nContent-Type: image/png\r\nContent-ID: <p>\r\n\r\nx\r\n--r--\r\n";
    let id = api.alice.append(inline, "inbox", NOON_MS);
    let message = api.get(&format!("/me/messages/{id}")).await;
    assert_eq!(message["hasAttachments"], false);
    assert_eq!(
        api.get(&format!("/me/messages/{id}/attachments")).await["value"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let mixed = api.alice.append(MIXED, "inbox", NOON_MS);
    assert_eq!(
        api.get(&format!("/me/messages/{mixed}")).await["hasAttachments"],
        true
    );
}

async fn draft(api: &Api) -> String {
    let made = api
        .post("/me/messages", json!({"subject": "x", "toRecipients": []}))
        .await;
    text(&made["id"]).to_owned()
}

#[tokio::test]
async fn small_files_are_posted_and_deleted() {
    let api = Api::start().await;
    let id = draft(&api).await;
    let file = json!({"@odata.type": "#microsoft.graph.fileAttachment", "name": "a.txt", "contentBytes": STANDARD.encode("hello")});
    let made = api
        .post(&format!("/me/messages/{id}/attachments"), file)
        .await;
    let path = format!("/me/messages/{id}/attachments/{}", text(&made["id"]));
    assert_eq!(api.try_get(&format!("{path}/$value")).await.text, "hello");
    api.delete(&path).await;
    assert_eq!(api.try_get(&path).await.status, 404);
    api.assert_no_violations();
    let untyped = json!({"name": "a.txt", "contentBytes": "aGk="});
    let reply = api
        .call(
            reqwest::Method::POST,
            &format!("/me/messages/{id}/attachments"),
            untyped,
        )
        .await;
    assert_eq!(reply.status, 400);
    let large = STANDARD.encode(vec![0; (3 << 20) + 1]);
    api.graph.settings(|settings| settings.body_limit = 8 << 20);
    let large = json!({"@odata.type": "#microsoft.graph.fileAttachment", "name": "a", "contentBytes": large});
    let reply = api
        .call(
            reqwest::Method::POST,
            &format!("/me/messages/{id}/attachments"),
            large,
        )
        .await;
    assert_eq!(reply.status, 413);
    assert_eq!(api.problems().len(), 2);
}

#[tokio::test]
async fn large_files_go_in_ranges_to_a_secret_url() {
    let api = Api::start().await;
    let id = draft(&api).await;
    let session = api
        .post(
            &format!("/me/messages/{id}/attachments/createUploadSession"),
            json!({"AttachmentItem": {"attachmentType": "file", "name": "big.bin", "size": 10}}),
        )
        .await;
    let url = text(&session["uploadUrl"]).to_owned();
    let put = |range: &str, octets: &'static [u8]| {
        api.http
            .put(&url)
            .header("content-range", format!("bytes {range}/10"))
            .body(octets)
    };
    let first = api.send(put("0-5", b"012345")).await;
    assert_eq!(
        (first.status, &first.body["nextExpectedRanges"]),
        (200, &json!(["6"]))
    );
    let status = api.send(api.http.get(&url)).await;
    assert_eq!(status.body["nextExpectedRanges"], json!(["6"]));
    api.assert_no_violations();
    assert_eq!(api.send(put("8-9", b"89")).await.status, 416);
    assert_eq!(api.send(put("6-9", b"678")).await.status, 400);
    assert_eq!(
        api.send(put("6-9", b"6789").bearer_auth(&api.token))
            .await
            .status,
        401
    );
    assert_eq!(api.problems().len(), 3);
    let last = api.send(put("6-9", b"6789")).await;
    assert_eq!(last.status, 201);
    let location = last.headers["location"].to_str().unwrap();
    assert_eq!(
        api.try_get(&format!("{location}/$value")).await.text,
        "0123456789"
    );
    assert_eq!(api.send(put("0-5", b"012345")).await.status, 404);
    let again = api
        .post(
            &format!("/me/messages/{id}/attachments/createUploadSession"),
            json!({"AttachmentItem": {"attachmentType": "file", "name": "b", "size": 10}}),
        )
        .await;
    let cancelled = api.send(api.http.delete(text(&again["uploadUrl"]))).await;
    assert_eq!((cancelled.status, cancelled.body), (204, Value::Null));
    api.assert_no_violations();
}
