use email_model::{Labels, MessageId, ThreadId};
use gateway_operations::Omitted;
use serde_json::{Value, json};

use super::*;

fn view() -> MessageView {
    MessageView {
        id: MessageId(0xab),
        thread: None,
        folder: None,
        roles: Vec::new(),
        labels: None,
        envelope: None,
        body: None,
        headers: None,
        inline_content: HashMap::new(),
        omitted: Vec::new(),
        version: None,
    }
}

fn wire(view: MessageView) -> Value {
    serde_json::to_value(EmailMessage::from(view)).unwrap()
}

#[test]
fn a_message_of_which_nothing_is_known_has_its_arrays_and_no_null() {
    let mut unknown = view();
    unknown.omitted = vec![Omitted::Recipients, Omitted::ThreadId, Omitted::Recipients];
    assert_eq!(
        wire(unknown),
        json!({
            "id": "00000000000000ab", "sysLabels": [], "keywords": [], "sysClassifications": [],
            "to": [], "cc": [], "bcc": [], "replyTo": [], "attachments": [], "internetHeaders": [],
            "omitted": ["threadId", "recipients"],
        })
    );
}

#[test]
fn system_labels_join_folders_and_flags_each_once() {
    let mut message = view();
    message.roles = vec![
        FolderRole::Drafts,
        FolderRole::All,
        FolderRole::Inbox,
        FolderRole::Archive,
    ];
    message.labels = Some(Labels::new(
        Flags::DRAFT | Flags::FLAGGED | Flags::IMPORTANT,
        vec![],
    ));
    assert_eq!(
        wire(message)["sysLabels"],
        json!(["inbox", "draft", "important", "unread", "flagged"])
    );
}

#[test]
fn a_read_message_is_not_unread_and_one_of_unknown_state_is_neither() {
    let mut read = view();
    read.labels = Some(Labels::new(Flags::SEEN, vec![]));
    assert_eq!(wire(read)["sysLabels"], json!([]));
    assert_eq!(wire(view())["sysLabels"], json!([]));
}

#[test]
fn times_are_utc_with_a_z_and_references_one_string() {
    let mut message = view();
    message.thread = Some(ThreadId(1));
    message.version = Some(7);
    message.envelope = Some(email_model::Envelope {
        received_at: Some(DateTime::UNIX_EPOCH),
        references: vec!["<a@x>".to_owned(), "<b@x>".to_owned()],
        ..Default::default()
    });
    let message = wire(message);
    assert_eq!(message["receivedAt"], "1970-01-01T00:00:00Z");
    assert_eq!(message["createdTime"], message["receivedAt"]);
    assert_eq!(message["references"], "<a@x> <b@x>");
    assert_eq!(message["threadId"], "0000000000000001");
    assert_eq!(message["version"], 7);
}

#[test]
fn inline_content_is_given_to_its_part_only() {
    let part = |number: &str, inline| Attachment {
        part: number.parse().unwrap(),
        name: None,
        mime_type: "image/png".to_owned(),
        size: Some(3),
        inline,
        content_id: Some("c@x".to_owned()),
        content_location: None,
    };
    let mut message = view();
    message.envelope = Some(email_model::Envelope {
        attachments: Some(vec![part("2", true), part("3", false)]),
        ..Default::default()
    });
    message.inline_content = HashMap::from([("2".parse().unwrap(), Bytes::from_static(b"abc"))]);
    let message = wire(message);
    assert_eq!(message["attachments"][0]["content"], "YWJj");
    assert_eq!(message["attachments"][0]["id"], "2");
    assert!(message["attachments"][1].get("content").is_none());
    assert_eq!(message["hasAttachments"], true);
}

#[test]
fn native_properties_are_there_only_if_asked_for() {
    let asked = EmailMessage::from(view()).with_native_properties(true);
    assert_eq!(
        serde_json::to_value(asked).unwrap()["nativeProperties"],
        json!({})
    );
    assert!(wire(view()).get("nativeProperties").is_none());
}

#[test]
fn an_address_is_shown_in_one_piece_too() {
    let wire = |name: Option<&str>, address: Option<&str>| {
        let address = Address {
            name: name.map(Into::into),
            address: address.map(Into::into),
        };
        serde_json::to_value(EmailAddress::from(address)).unwrap()
    };
    assert_eq!(wire(Some("Ann"), Some("a@x"))["raw"], "Ann <a@x>");
    assert_eq!(
        wire(None, Some("a@x")),
        json!({"address": "a@x", "raw": "a@x"})
    );
    assert_eq!(
        wire(Some("undisclosed"), None),
        json!({"name": "undisclosed", "raw": "undisclosed"})
    );
    assert_eq!(wire(None, None), json!({}));
}
