use serde_json::{Value, json};

use super::*;

fn enclosed(contents: &[&'static str]) -> Enclosed {
    let memory = |text: &&'static str| AttachmentContent::Memory(text.as_bytes().into());
    Enclosed {
        files: vec![],
        contents: contents.iter().map(memory).collect(),
        holds: Held::default(),
    }
}

fn message(json: Value) -> ApiResult<NewMessage> {
    let email: OutgoingEmail = serde_json::from_value(json).unwrap();
    email.into_message(enclosed(&["first", "second"]), None)
}

fn refusal(json: Value) -> (u16, String) {
    let error = message(json).unwrap_err();
    let failure = error.failure();
    (failure.status.as_u16(), failure.message.clone())
}

#[test]
fn what_clients_write_for_nothing_is_nothing() {
    let message = message(json!({
        "hasAttachments": false, "threadId": "x", "id": 0, "from": {"name": "", "address": " "},
        "to": [], "cc": [], "bcc": [], "replyTo": [{}], "attachments": [], "xHeaders": [],
        "listHeaders": [], "keywords": [], "inReplyTo": "", "references": " ", "tracking": {},
    }));
    let message = message.unwrap();
    assert_eq!((message.from, message.reply_to), (None, vec![]));
    assert_eq!((message.in_reply_to, message.references), (None, None));
    assert!(message.to.is_empty() && message.attachments.is_empty() && message.headers.is_empty());
    assert_eq!(message.body, Body::default());
}

#[test]
fn a_recipient_is_never_dropped_however_it_is_written() {
    let message = message(json!({"to": [{}, {"address": "a@x", "raw": "b@x"}]})).unwrap();
    assert_eq!(message.to, [Address::default(), Address::bare("a@x")]);
}

#[test]
fn everything_is_passed_on() {
    let message = message(json!({
        "from": {"name": "Ann", "address": "ann@x"}, "subject": "s", "body": "<p>b",
        "cc": [{"address": "c@x"}], "bcc": [{"address": "d@x"}], "replyTo": [{"address": "r@x"}],
        "xHeaders": [{"name": "X-A", "value": "1"}, {"name": "X-B"}],
        "listHeaders": [{"name": "List-Id", "value": "<l>"}],
        "inReplyTo": "<1@x>", "references": "<0@x> <1@x>", "keywords": ["k"],
        "attachments": [
            {"content": 1, "name": "n", "mimeType": "image/png", "inline": true, "contentId": "c"},
            {"content": 0},
        ],
    }));
    let message = message.unwrap();
    assert_eq!(message.from.unwrap().name.unwrap(), "Ann");
    assert_eq!(message.body.html.unwrap(), "<p>b");
    assert_eq!(message.cc, [Address::bare("c@x")]);
    assert_eq!(message.bcc, [Address::bare("d@x")]);
    assert_eq!(message.reply_to, [Address::bare("r@x")]);
    let header = |name: &str, value: &str| Header {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    assert_eq!(message.headers, [header("X-A", "1"), header("X-B", "")]);
    assert_eq!(message.list_headers, [header("List-Id", "<l>")]);
    assert_eq!(message.references.unwrap(), "<0@x> <1@x>");
    assert_eq!(message.keywords, ["k"]);
    let [first, second] = &message.attachments[..] else {
        panic!("{:?}", message.attachments);
    };
    assert_eq!(first.content, AttachmentContent::Memory("second".into()));
    assert!(first.inline && !second.inline);
    assert_eq!(first.mime_type.as_deref(), Some("image/png"));
    assert_eq!(second.content, AttachmentContent::Memory("first".into()));
}

#[test]
fn files_of_a_form_come_after_those_of_its_message() {
    let mut enclosed = enclosed(&["file", "named"]);
    enclosed.files.push(FilePart {
        name: Some("f".to_owned()),
        mime_type: None,
        inline: false,
        content_id: None,
        content: 0,
    });
    let email: OutgoingEmail =
        serde_json::from_value(json!({"attachments": [{"content": 1, "name": "n"}]})).unwrap();
    let message = email.into_message(enclosed, Some(BodyType::Text)).unwrap();
    let names: Vec<_> = message
        .attachments
        .iter()
        .map(|a| a.name.as_deref())
        .collect();
    assert_eq!(names, [Some("n"), Some("f")]);
}

#[test]
fn a_plain_text_is_plain_text() {
    let email: OutgoingEmail = serde_json::from_value(json!({"body": "a < b"})).unwrap();
    let message = email
        .into_message(enclosed(&[]), Some(BodyType::Text))
        .unwrap();
    assert_eq!(
        (message.body.text.as_deref(), message.body.html),
        (Some("a < b"), None)
    );
}

#[test]
fn what_is_missing_is_named() {
    let content = refusal(json!({"attachments": [{"content": 0}, {"name": "n"}]}));
    assert_eq!(
        content,
        (400, "attachments[1].content is required".to_owned())
    );
    for field in ["xHeaders", "listHeaders"] {
        let header = refusal(json!({field: [{"value": "x"}]}));
        assert_eq!(header, (400, format!("{field}[0].name is required")));
    }
}

#[test]
fn tracking_is_refused_by_name_where_any_is_asked_for() {
    for switch in ["opens", "links", "threadReplies"] {
        let (status, reason) = refusal(json!({"tracking": {switch: true}}));
        assert_eq!(status, 501);
        assert!(reason.contains("tracking"), "{reason}");
    }
    let off = json!({"tracking": {
        "opens": false, "links": false, "threadReplies": false, "trackOpensAfterSendDelay": 5,
        "context": "c", "customDomainAlias": "x.example",
    }});
    assert!(message(off).is_ok());
}

#[test]
fn a_reply_has_nothing_of_what_it_answers() {
    let reply: OutgoingEmailReply = serde_json::from_value(json!({
        "body": "b", "inReplyTo": "<x>", "references": "<y>", "keywords": ["k"],
    }))
    .unwrap();
    let message = OutgoingEmail::from(reply)
        .into_message(enclosed(&[]), None)
        .unwrap();
    assert_eq!((message.in_reply_to, message.references), (None, None));
    assert_eq!(message.body.html.as_deref(), Some("b"));
    assert!(message.keywords.is_empty());
}
