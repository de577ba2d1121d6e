//! Messages, threads, labels and search as they are read.

use crate::support::{Api, DAY_MS, NOON_MS, ids, mail, text};
use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::json;

const MIXED: &str = "From: =?utf-8?Q?J=C3=BCrgen?= <j@test.local>\r\nTo: alice@test.local\r\nSubject: Tree\r\n\
X-Long: one\r\n two\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n\
--c\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n\
--c\r\nContent-Type: text/html\r\n\r\n<p>hi</p>\r\n--c--\r\n\
--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\
Content-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n\
--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nContent-Type: text/plain\r\n\r\ninner text\r\n--b--\r\n";

#[tokio::test]
async fn a_list_gives_ids_newest_first_by_pages() {
    let api = Api::start().await;
    let mut expected = Vec::new();
    for day in 0..7 {
        let id = api.alice.append(
            &mail(&format!("day {day}")),
            &["INBOX"],
            NOON_MS + day * DAY_MS,
        );
        expected.insert(0, id);
    }
    let first = api.get("messages?maxResults=3").await;
    assert_eq!(ids(first["messages"].as_array().unwrap()), expected[..3]);
    assert_eq!(first["messages"][0].as_object().unwrap().len(), 2);
    let all = api.all("messages?maxResults=3", "messages").await;
    assert_eq!(ids(&all), expected);
    assert!(
        expected
            .iter()
            .all(|id| id.len() == 16 && u64::from_str_radix(id, 16).is_ok())
    );
    api.assert_no_violations();
}

#[tokio::test]
async fn an_empty_list_has_no_array() {
    let api = Api::start().await;
    assert_eq!(
        api.get("messages?q=nothing").await,
        json!({"resultSizeEstimate": 0})
    );
}

#[tokio::test]
async fn spam_and_trash_are_left_out_unless_asked_for() {
    let api = Api::start().await;
    let inbox = api.append("one", &["INBOX"]);
    let spam = api.append("two", &["SPAM"]);
    let trash = api.append("three", &["TRASH"]);
    let list = async |path: &str| {
        let mut found = ids(&api.all(path, "messages").await);
        found.sort();
        found
    };
    assert_eq!(list("messages?").await.join(" "), inbox);
    let mut everything = vec![inbox, spam.clone(), trash.clone()];
    everything.sort();
    assert_eq!(list("messages?includeSpamTrash=true").await, everything);
    assert_eq!(list("messages?q=in:anywhere").await, everything);
    assert_eq!(list("messages?labelIds=SPAM").await, [spam]);
    assert_eq!(list("messages?q=in:trash").await, [trash]);
}

#[tokio::test]
async fn labels_in_a_list_must_all_be_there() {
    let api = Api::start().await;
    let both = api.append("one", &["INBOX", "UNREAD"]);
    api.append("two", &["INBOX"]);
    let found = api
        .all("messages?labelIds=INBOX&labelIds=UNREAD", "messages")
        .await;
    assert_eq!(ids(&found), [both]);
}

#[tokio::test]
async fn the_formats_show_less_and_more() {
    let api = Api::start().await;
    let raw = mail("formats & more");
    let id = api.alice.append(&raw, &["INBOX", "UNREAD"], NOON_MS);
    let minimal = api.get(&format!("messages/{id}?format=minimal")).await;
    assert_eq!(minimal["internalDate"], NOON_MS.to_string());
    assert_eq!(minimal["labelIds"], json!(["INBOX", "UNREAD"]));
    assert_eq!(minimal["snippet"], "About formats &amp; more.");
    assert_eq!(minimal["sizeEstimate"], raw.len());
    assert_eq!(minimal["threadId"], id);
    assert!(minimal["payload"].is_null() && minimal["raw"].is_null());
    let metadata = api
        .get(&format!(
            "messages/{id}?format=metadata&metadataHeaders=subject&metadataHeaders=From"
        ))
        .await;
    assert_eq!(
        metadata["payload"]["headers"],
        json!([
            {"name": "From", "value": "Bob <bob@test.local>"},
            {"name": "Subject", "value": "formats & more"},
        ])
    );
    let shown = api.get(&format!("messages/{id}?format=raw")).await;
    assert_eq!(URL_SAFE.decode(text(&shown["raw"])).unwrap(), raw);
    let full = api.get(&format!("messages/{id}")).await;
    let data = text(&full["payload"]["body"]["data"]);
    assert_eq!(URL_SAFE.decode(data).unwrap(), b"About formats & more.\r\n");
    let part = api
        .get(&format!("messages/{id}?fields=id,payload/headers/name"))
        .await;
    assert_eq!(part.as_object().unwrap().len(), 2);
    assert_eq!(part["payload"]["headers"][0], json!({"name": "From"}));
    api.assert_no_violations();
}

#[tokio::test]
async fn a_part_tree_has_paths_sizes_and_text_in_utf8() {
    let api = Api::start().await;
    let id = api.alice.append(MIXED.as_bytes(), &["INBOX"], NOON_MS);
    let payload = api.get(&format!("messages/{id}")).await["payload"].clone();
    assert_eq!(payload["partId"], "");
    assert_eq!(payload["mimeType"], "multipart/mixed");
    assert_eq!(payload["body"], json!({"size": 0}));
    let headers = payload["headers"].as_array().unwrap();
    assert_eq!(headers[0]["value"], "Jürgen <j@test.local>");
    assert!(headers.contains(&json!({"name": "X-Long", "value": "one two"})));
    let text_part = &payload["parts"][0]["parts"][0];
    assert_eq!(text_part["partId"], "0.0");
    assert_eq!(text_part["body"]["data"], URL_SAFE.encode("Grüße"));
    assert_eq!(text_part["body"]["size"], 7);
    let pdf = &payload["parts"][1];
    assert_eq!(
        (&pdf["partId"], &pdf["filename"]),
        (&json!("1"), &json!("a.pdf"))
    );
    assert_eq!(pdf["body"]["size"], 4);
    let inner = &payload["parts"][2];
    assert_eq!(inner["mimeType"], "message/rfc822");
    assert_eq!(inner["parts"][0]["partId"], "2.0");
    assert_eq!(
        inner["parts"][0]["headers"][0],
        json!({"name": "Subject", "value": "inner"})
    );
    let attached = text(&inner["body"]["attachmentId"]);
    let attached = api
        .get(&format!("messages/{id}/attachments/{attached}"))
        .await;
    let bytes = URL_SAFE.decode(text(&attached["data"])).unwrap();
    assert!(bytes.starts_with(b"Subject: inner"), "{bytes:?}");
}

#[tokio::test]
async fn an_attachment_id_differs_with_every_read_and_dies() {
    let api = Api::start().await;
    let id = api.alice.append(MIXED.as_bytes(), &["INBOX"], NOON_MS);
    let read = async || {
        let message = api.get(&format!("messages/{id}")).await;
        text(&message["payload"]["parts"][1]["body"]["attachmentId"]).to_owned()
    };
    let (first, second) = (read().await, read().await);
    assert_ne!(first, second);
    let path = format!("messages/{id}/attachments/{second}");
    let found = api.get(&path).await;
    assert_eq!(found, json!({"size": 4, "data": "JVBERg=="}));
    api.gmail.faults(|faults| faults.unpadded_base64 = true);
    let data = api.get(&path).await["data"].clone();
    assert_eq!(URL_SAFE_NO_PAD.decode(text(&data)).unwrap(), b"%PDF");
    api.gmail
        .clock()
        .advance(std::time::Duration::from_secs(601));
    assert_eq!(api.status(&path).await, 400);
    api.assert_no_violations();
}

#[tokio::test]
async fn a_thread_is_joined_by_reference_and_subject() {
    let api = Api::start().await;
    let first = api.append("plan", &["INBOX"]);
    let reply = |subject: &str, id: &str| {
        format!(
            "From: c@test.local\r\nSubject: {subject}\r\nMessage-ID: <{id}@x>\r\nIn-Reply-To: <plan@test.local>\r\n\r\nhm"
        )
    };
    let same = api
        .alice
        .append(reply("Re: Plan", "1").as_bytes(), &["INBOX"], NOON_MS + 1);
    let other = api
        .alice
        .append(reply("Another", "2").as_bytes(), &["INBOX"], NOON_MS + 2);
    let thread = api.get(&format!("threads/{first}?format=minimal")).await;
    assert_eq!(
        ids(thread["messages"].as_array().unwrap()),
        [first.clone(), same]
    );
    assert_eq!(api.alice.message(&other).unwrap().thread_id, other);
    let threads = api.all("threads?maxResults=1", "threads").await;
    assert_eq!(ids(&threads), [other, first]);
    api.assert_no_violations();
}

#[tokio::test]
async fn labels_are_counted_and_follow_their_rules() {
    let api = Api::start().await;
    let label = api.alice.create_label("Work/Plans").unwrap();
    api.append("one", &["INBOX", "UNREAD", &label]);
    api.append("two", &["INBOX", &label]);
    let shown = api.get(&format!("labels/{label}")).await;
    assert_eq!(shown["messagesTotal"], 2);
    assert_eq!(shown["messagesUnread"], 1);
    assert_eq!(shown["type"], "user");
    let list = api.get("labels").await;
    let listed = ids(list["labels"].as_array().unwrap());
    for id in ["INBOX", "CATEGORY_SOCIAL", "CHAT", &label] {
        assert!(listed.iter().any(|listed| listed == id), "{id}");
    }
    let found = api.all("messages?q=label:work-plans", "messages").await;
    assert_eq!(found.len(), 2);
    let create = async |name: &str| {
        api.call(reqwest::Method::POST, "labels", json!({"name": name}))
            .await
            .status
    };
    assert_eq!(create("Home").await, 200);
    assert_eq!(create("home").await, 409);
    assert_eq!(create("Inbox").await, 400);
    let renamed = api
        .call(
            reqwest::Method::PATCH,
            &format!("labels/{label}"),
            json!({"name": "Plans"}),
        )
        .await;
    assert_eq!(renamed.body["name"], "Plans");
    let deleted = api
        .call(
            reqwest::Method::DELETE,
            &format!("labels/{label}"),
            json!({}),
        )
        .await;
    assert_eq!(deleted.status, 204);
    assert!(api.alice.messages()[0].labels.iter().all(|id| *id != label));
}

#[tokio::test]
async fn a_chat_message_is_in_the_list() {
    let api = Api::start().await;
    let chat = api.alice.append_chat("hi", NOON_MS);
    assert_eq!(
        ids(&api.all("messages?", "messages").await),
        std::slice::from_ref(&chat)
    );
    assert_eq!(
        ids(&api.all("messages?q=in:chats", "messages").await),
        [chat]
    );
}

#[tokio::test]
async fn the_profile_counts() {
    let api = Api::start().await;
    api.append("one", &["INBOX"]);
    let profile = api.get("profile").await;
    assert_eq!(profile["emailAddress"], crate::support::ALICE);
    assert_eq!(profile["messagesTotal"], 1);
    assert_eq!(profile["historyId"], api.alice.history_id().to_string());
}
