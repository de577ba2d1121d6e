//! Messages, one by one and in lists.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, HOUR_MS, NOON_MS, ids, mail, subjects, text};

const RICH: &[u8] = b"From: Bob <bob@test.local>\r\nTo: Alice <alice@test.local>, carol@test.local\r\nCc: dan@test.local\r\n\
Subject: =?utf-8?Q?Caf=C3=A9?=\r\nMessage-ID: <rich@test.local>\r\nImportance: high\r\nX-Thing: one\r\n\
Date: Fri, 1 Mar 2024 11:59:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n\
--b\r\nContent-Type: text/plain\r\n\r\nplain words\r\n--b\r\nContent-Type: text/html\r\n\r\n\
<p>html <script>evil()</script>words</p>\r\n--b--\r\n";

#[tokio::test]
async fn a_message_has_what_its_octets_say() {
    let api = Api::start().await;
    let id = api.alice.append(RICH, "inbox", NOON_MS);
    let message = api.get(&format!("/me/messages/{id}")).await;
    assert_eq!(message["id"], id);
    assert_eq!(message["subject"], "Caf\u{e9}");
    assert_eq!(message["internetMessageId"], "<rich@test.local>");
    assert_eq!(message["receivedDateTime"], "2024-03-01T12:00:00Z");
    assert_eq!(message["sentDateTime"], "2024-03-01T11:59:00Z");
    assert_eq!(message["importance"], "high");
    assert_eq!(
        message["from"]["emailAddress"],
        json!({"name": "Bob", "address": "bob@test.local"})
    );
    assert_eq!(message["toRecipients"].as_array().unwrap().len(), 2);
    assert_eq!(message["bodyPreview"], "plain words");
    assert_eq!(message["body"]["contentType"], "html");
    assert!(!text(&message["body"]["content"]).contains("evil"));
    assert_eq!(message["flag"], json!({"flagStatus": "notFlagged"}));
    assert_eq!(
        text(&message["parentFolderId"]),
        api.alice.folder_id("inbox").unwrap()
    );
    assert!(message.get("internetMessageHeaders").is_none() && message.get("uniqueBody").is_none());
    let named = api
        .get(&format!(
            "/me/messages/{id}?$select=internetMessageHeaders,subject"
        ))
        .await;
    assert!(
        named["internetMessageHeaders"]
            .as_array()
            .unwrap()
            .contains(&json!({"name": "X-Thing", "value": "one"}))
    );
    assert!(named.get("body").is_none());
    let raw = api.try_get(&format!("/me/messages/{id}/$value")).await;
    assert_eq!(raw.text.as_bytes(), RICH);
    assert_eq!(raw.headers["content-type"], "text/plain");
    api.assert_no_violations();
}

#[tokio::test]
async fn bodies_are_text_or_unsafe_where_preferred() {
    let api = Api::start().await;
    let id = api.alice.append(RICH, "inbox", NOON_MS);
    let plain = api.append("plain", "inbox");
    let body = async |id: &str, prefer: &str| {
        let request = api
            .request(Method::GET, &format!("/me/messages/{id}?$select=body"))
            .header("prefer", prefer);
        api.send(request).await.body["body"].clone()
    };
    let as_text = body(&id, "outlook.body-content-type=\"text\"").await;
    assert_eq!(as_text["contentType"], "text");
    assert!(text(&as_text["content"]).contains("html") && !text(&as_text["content"]).contains('<'));
    let whole = body(&id, "outlook.allow-unsafe-html").await;
    assert!(text(&whole["content"]).contains("evil"));
    assert_eq!(
        body(&plain, "odata.maxpagesize=5").await["contentType"],
        "html"
    );
    api.graph
        .settings(|settings| settings.plain_bodies_as_text = true);
    assert_eq!(
        body(&plain, "odata.maxpagesize=5").await["contentType"],
        "text"
    );
    api.assert_no_violations();
}

#[tokio::test]
async fn ids_of_both_kinds_lead_to_a_message_and_differ_by_case() {
    let mut api = Api::start().await;
    api.graph
        .settings(|settings| settings.immutable_ids_required = false);
    let pairs: Vec<String> = (0..4)
        .map(|n| api.append(&format!("m{n}"), "inbox"))
        .collect();
    let folded: std::collections::BTreeSet<String> =
        pairs.iter().map(|id| id.to_lowercase()).collect();
    assert!(
        folded.len() < pairs.len(),
        "some ids are equal but for case"
    );
    api.immutable = false;
    let by_immutable = api
        .get(&format!("/me/messages/{}?$select=subject", pairs[1]))
        .await;
    assert_eq!(by_immutable["subject"], "m1");
    let mutable = text(&by_immutable["id"]).to_owned();
    assert_ne!(mutable, pairs[1]);
    let translated = api
        .post(
            "/me/translateExchangeIds",
            json!({"inputIds": [mutable], "sourceIdType": "restId", "targetIdType": "restImmutableEntryId"}),
        )
        .await;
    assert_eq!(translated["value"][0]["targetId"], pairs[1]);
}

#[tokio::test]
async fn lists_are_filtered_sorted_counted_and_paged() {
    let api = Api::start().await;
    for hours in 0..5 {
        let id = api.alice.append(
            &mail(&format!("m{hours}")),
            "inbox",
            NOON_MS + hours * HOUR_MS,
        );
        api.alice.set_read(&id, hours % 2 == 0);
    }
    api.append("elsewhere", "archive");
    let list = async |options: &str| {
        let items = api
            .all(&format!(
                "/me/mailFolders/inbox/messages?$select=subject&{options}"
            ))
            .await;
        subjects(&items).join(" ")
    };
    assert_eq!(list("$top=2").await, "m4 m3 m2 m1 m0");
    assert_eq!(list("$filter=isRead eq true").await, "m4 m2 m0");
    assert_eq!(
        list("$filter=not (isRead eq true) and contains(subject, 'M1')").await,
        "m1"
    );
    assert_eq!(
        list("$filter=receivedDateTime ge 2024-03-01T15:00:00Z").await,
        "m4 m3"
    );
    assert_eq!(
        list("$filter=from/emailAddress/address eq 'BOB@test.local' and isRead eq false").await,
        "m3 m1"
    );
    assert_eq!(
        list("$filter=toRecipients/any(r: r/emailAddress/address eq 'alice@test.local')&$top=1000")
            .await,
        "m4 m3 m2 m1 m0"
    );
    assert_eq!(
        list("$filter=internetMessageId eq '<m2@test.local>'").await,
        "m2"
    );
    assert_eq!(list("$filter=categories/any(c: c eq 'Red')").await, "");
    assert_eq!(
        list("$orderby=receivedDateTime asc").await,
        "m0 m1 m2 m3 m4"
    );
    assert_eq!(
        list("$filter=subject ge '' and isRead eq true&$orderby=subject").await,
        "m0 m2 m4"
    );
    assert_eq!(list("$skip=3").await, "m1 m0");
    let counted = api.get("/me/messages?$count=true&$top=1&$select=id").await;
    assert_eq!(counted["@odata.count"], 6);
    api.assert_no_violations();
    for wrong in [
        "$filter=isRead eq true&$orderby=receivedDateTime",
        "$filter=isRead eq 'true'",
        "$filter=colour eq 'red'",
        "$filter=body/content eq 'x'",
        "$filter=receivedDateTime ge '2024-03-01'",
        "$filter=isRead eq true and",
        "$filter=importance eq 'urgent'",
        "$top=1001",
        "$top=0",
        "$orderby=toRecipients",
        "$expand=friends",
        "select=id",
    ] {
        let reply = api.try_get(&format!("/me/messages?{wrong}")).await;
        assert_eq!(reply.status, 400, "{wrong}: {}", reply.text);
    }
    assert_eq!(api.problems().len(), 12);
}

#[tokio::test]
async fn a_search_finds_words_in_the_order_of_sending() {
    let api = Api::start().await;
    api.alice.append(RICH, "inbox", NOON_MS);
    api.append("quick brown fox", "archive");
    let find = async |words: &str| {
        let path = format!("/me/messages?$select=subject&$search=\"{words}\"");
        let items = api.all(&path).await;
        subjects(&items).join(" ")
    };
    assert_eq!(find("brow").await, "quick brown fox");
    assert_eq!(find("subject:caf\u{e9}").await, "Caf\u{e9}");
    assert_eq!(find("from:bob").await, "quick brown fox Caf\u{e9}");
    assert_eq!(find("from:bob AND NOT subject:quick").await, "Caf\u{e9}");
    assert_eq!(find("\\\"brown fox\\\"").await, "quick brown fox");
    assert_eq!(find("\\\"fox brown\\\"").await, "");
    assert_eq!(
        find("received>=2024-03-01 AND received<=03/01/2024 AND to:carol").await,
        "Caf\u{e9}"
    );
    assert_eq!(find("(cc:dan OR bcc:dan) size>10").await, "Caf\u{e9}");
    assert_eq!(find("hasAttachments:true").await, "");
    api.assert_no_violations();
    for (wrong, code) in [
        ("$search=\"x\"&$filter=isRead eq true", "SearchWithFilter"),
        (
            "$search=\"x\"&$orderby=receivedDateTime",
            "SearchWithOrderBy",
        ),
        ("$search=x", "BadRequest"),
        ("$search=\"(x\"", "BadRequest"),
    ] {
        assert_eq!(
            api.try_get(&format!("/me/messages?{wrong}")).await.code(),
            code,
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn extended_properties_are_expanded_by_id() {
    let api = Api::start().await;
    let id = api.append("x", "inbox");
    let path = format!(
        "/me/messages/{id}?$select=id&$expand=singleValueExtendedProperties($filter=id eq 'Integer 0x0E08')"
    );
    let size = mail("x").len().to_string();
    assert_eq!(
        api.get(&path).await["singleValueExtendedProperties"],
        json!([{"id": "Integer 0x0E08", "value": size}])
    );
    api.patch(
        &format!("/me/messages/{id}"),
        json!({"singleValueExtendedProperties": [{"id": "String 0x1081", "value": "103"}]}),
    )
    .await;
    let both = path.replace(
        "'Integer 0x0E08'",
        "'String 0x1081' or id eq 'Integer 0x0E08'",
    );
    assert_eq!(
        api.get(&both).await["singleValueExtendedProperties"][0]["value"],
        "103"
    );
    api.assert_no_violations();
    let wrong = path.replace("Integer", "Number");
    assert_eq!(api.try_get(&wrong).await.status, 400);
}

#[tokio::test]
async fn all_messages_include_deleted_ones_and_those_of_the_chat() {
    let api = Api::start().await;
    let deleted = api.append("deleted", "deleteditems");
    let chat = api.alice.append_chat("hi", NOON_MS + 1);
    let items = api.all("/me/messages?$select=parentFolderId").await;
    assert_eq!(ids(&items), [chat.clone(), deleted]);
    let (folders, _) = api
        .round("/me/mailFolders/delta?includeHiddenFolders=true")
        .await;
    assert!(!ids(&folders).contains(&text(&items[0]["parentFolderId"]).to_owned()));
    assert!(api.alice.message(&chat).unwrap().chat);
    assert_eq!(api.alice.messages().len(), 1);
}

#[tokio::test]
async fn a_page_shifts_when_items_leave_before_it() {
    let api = Api::start().await;
    let made: Vec<String> = (0..4)
        .map(|n| api.append(&format!("m{n}"), "inbox"))
        .collect();
    let first = api
        .get("/me/mailFolders/inbox/messages?$select=subject&$top=2")
        .await;
    assert_eq!(subjects(first["value"].as_array().unwrap()), ["m3", "m2"]);
    api.alice.delete_permanently(&made[3]);
    let second = api.get(text(&first["@odata.nextLink"])).await;
    assert_eq!(
        subjects(second["value"].as_array().unwrap()),
        ["m0"],
        "m1 is missed"
    );
}

#[tokio::test]
async fn conversations_gather_replies() {
    let api = Api::start().await;
    let first = api.append("plan", "inbox");
    let reply = b"From: Bob <bob@test.local>\r\nSubject: Re: plan\r\nMessage-ID: <r@x>\r\nIn-Reply-To: <plan@test.local>\r\n\r\nyes";
    let reply = api.alice.append(reply, "inbox", NOON_MS);
    let of = |id: &str| api.alice.message(id).unwrap().conversation;
    assert_eq!(of(&first), of(&reply));
    let path = format!(
        "/me/messages?$select=id&$filter=conversationId eq '{}'",
        of(&first)
    );
    assert_eq!(api.all(&path).await.len(), 2);
    assert_ne!(api.get("/me").await["mail"], Value::Null);
}
