//! What a reader must find in a message, told from what was asked for alone.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use email_mime::compose::Form;
use email_model::{Address, AttachmentContent, OutgoingAttachment, OutgoingMessage};
use serde_json::Value;

/// Python takes runs of white space within structured fields for one space.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Line breaks as they are in text on its way (RFC 2046 section 4.1.1).
fn with_crlf(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .replace('\n', "\r\n")
}

pub fn compare(case: &str, message: &OutgoingMessage, form: Form, read: &Value) {
    let at = |what: &str| format!("{case}, {form:?}: {what}\n{read:#}\n{message:#?}");
    assert_eq!(read["unclean"], serde_json::json!([]), "{}", at("octets"));
    assert_eq!(read["defects"], serde_json::json!([]), "{}", at("defects"));
    assert_eq!(
        read["date"].as_f64(),
        Some(message.date.timestamp() as f64),
        "{}",
        at("date")
    );
    assert_eq!(
        names(read),
        expected_names(message, form),
        "{}",
        at("fields")
    );
    for (name, value) in expected_values(message) {
        let found = values(read)
            .find(|(found, _)| *found == name)
            .map(|(_, value)| squeezed(value));
        assert_eq!(found, Some(squeezed(&value)), "{}", at(&name));
    }
    let people: [(&str, &[Address]); 5] = [
        ("from", message.from.as_slice()),
        ("reply-to", &message.reply_to),
        ("to", &message.to),
        ("cc", &message.cc),
        (
            "bcc",
            if form == Form::Kept {
                &message.bcc
            } else {
                &[]
            },
        ),
    ];
    for (field, meant) in people {
        compare_people(&read["people"][field], meant, &at(field));
    }
    compare_parts(message, read, &at("parts"));
}

fn values(read: &Value) -> impl Iterator<Item = (&str, &str)> {
    let pairs = read["fields"].as_array().unwrap().iter();
    pairs.map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
}

fn names(read: &Value) -> Vec<String> {
    let mut names: Vec<_> = values(read).map(|(name, _)| name.to_owned()).collect();
    names.sort();
    names
}

fn expected_names(message: &OutgoingMessage, form: Form) -> Vec<String> {
    let nobody = message.to.is_empty() && message.cc.is_empty();
    let optional = [
        ("Reply-To", !message.reply_to.is_empty()),
        (
            "To",
            !message.to.is_empty() || (nobody && form == Form::Wire),
        ),
        ("Cc", !message.cc.is_empty()),
        ("Bcc", !message.bcc.is_empty() && form == Form::Kept),
        ("Subject", message.subject.is_some()),
        ("In-Reply-To", message.in_reply_to.is_some()),
        ("References", !message.references.is_empty()),
        ("Content-Transfer-Encoding", outline(message).len() == 1),
    ];
    let mut names: Vec<_> = ["Date", "From", "Message-ID", "MIME-Version", "Content-Type"]
        .into_iter()
        .chain(
            optional
                .into_iter()
                .filter_map(|(name, there)| there.then_some(name)),
        )
        .map(str::to_owned)
        .chain(
            message
                .headers
                .iter()
                .chain(&message.list_headers)
                .map(|header| header.name.clone()),
        )
        .collect();
    names.sort();
    names
}

fn expected_values(message: &OutgoingMessage) -> Vec<(String, String)> {
    let mut values = vec![
        ("Message-ID".to_owned(), message.message_id.clone()),
        ("MIME-Version".to_owned(), "1.0".to_owned()),
    ];
    let mut add = |name: &str, value: Option<String>| {
        values.extend(value.map(|value| (name.to_owned(), value)))
    };
    add("Subject", message.subject.clone());
    add("In-Reply-To", message.in_reply_to.clone());
    add(
        "References",
        (!message.references.is_empty()).then(|| message.references.join(" ")),
    );
    for header in message.headers.iter().chain(&message.list_headers) {
        add(&header.name, Some(header.value.clone()));
    }
    values
}

fn compare_people(read: &Value, meant: &[Address], at: &str) {
    let read: Vec<_> = read.as_array().into_iter().flatten().collect();
    assert_eq!(read.len(), meant.len(), "{at}");
    for (read, meant) in read.into_iter().zip(meant) {
        let name = meant.name.as_deref().map(squeezed).unwrap_or_default();
        assert_eq!(squeezed(read[0].as_str().unwrap()), name, "{at}");
        let address = meant
            .address
            .as_deref()
            .unwrap()
            .replace("bücher", "xn--bcher-kva");
        assert_eq!(read[1].as_str(), Some(&*address), "{at}");
    }
}

/// The parts by type, outermost first.
fn outline(message: &OutgoingMessage) -> Vec<String> {
    let mut outline = Vec::new();
    if message
        .attachments
        .iter()
        .any(|file| !is_related(message, file))
    {
        outline.push("multipart/mixed".to_owned());
    }
    match (&message.body.text, &message.body.html) {
        (text, Some(html)) => {
            // HTML that is an image alone has no text.
            if text.is_some() || !html.starts_with("<img") {
                outline.extend(["multipart/alternative", "text/plain"].map(str::to_owned));
            }
            let related: Vec<_> = message
                .attachments
                .iter()
                .filter(|file| is_related(message, file))
                .collect();
            if !related.is_empty() {
                outline.push("multipart/related".to_owned());
            }
            outline.push("text/html".to_owned());
            outline.extend(related.into_iter().map(media_type));
        }
        _ => outline.push("text/plain".to_owned()),
    }
    outline.extend(
        message
            .attachments
            .iter()
            .filter(|file| !is_related(message, file))
            .map(media_type),
    );
    outline
}

fn is_related(message: &OutgoingMessage, file: &OutgoingAttachment) -> bool {
    message.body.html.is_some() && file.inline && file.content_id.is_some()
}

fn media_type(file: &OutgoingAttachment) -> String {
    match file
        .mime_type
        .as_deref()
        .and_then(|given| given.split(';').next())
    {
        None | Some("" | "message/rfc822") => "application/octet-stream".to_owned(),
        Some(given) => given.to_owned(),
    }
}

fn compare_parts(message: &OutgoingMessage, read: &Value, at: &str) {
    let outline: Vec<_> = outline(message).into_iter().map(Value::from).collect();
    assert_eq!(read["outline"], Value::from(outline), "{at}");
    let leaves = read["leaves"].as_array().unwrap();
    let (texts, files): (Vec<_>, Vec<_>) = leaves
        .iter()
        .partition(|leaf| leaf["disposition"].is_null());
    for text in texts {
        let bytes = STANDARD.decode(text["bytes"].as_str().unwrap()).unwrap();
        let found = String::from_utf8(bytes).unwrap();
        let meant = match text["type"].as_str() {
            Some("text/html") => message.body.html.clone(),
            _ if message.body.text.is_none() && message.body.html.is_some() => continue,
            _ => message.body.text.clone(),
        };
        let mut meant = with_crlf(&meant.unwrap_or_default());
        // A message ends with a line break.
        if leaves.len() == 1 && !meant.is_empty() && !meant.ends_with("\r\n") {
            meant.push_str("\r\n");
        }
        assert_eq!(found, meant, "{at}");
    }
    let (related, others): (Vec<_>, Vec<_>) = message
        .attachments
        .iter()
        .partition(|file| is_related(message, file));
    assert_eq!(files.len(), message.attachments.len(), "{at}");
    for (leaf, file) in files.into_iter().zip(related.into_iter().chain(others)) {
        compare_file(leaf, file, at);
    }
}

fn compare_file(leaf: &Value, file: &OutgoingAttachment, at: &str) {
    let AttachmentContent::Memory(bytes) = &file.content else {
        panic!("{at}");
    };
    assert_eq!(
        leaf["bytes"].as_str(),
        Some(&*STANDARD.encode(bytes)),
        "{at}"
    );
    let disposition = if file.inline { "inline" } else { "attachment" };
    assert_eq!(leaf["disposition"], disposition, "{at}");
    let name = file.name.as_deref().map(str::trim);
    assert_eq!(leaf["name"].as_str(), name, "{at}");
    let id = file
        .content_id
        .as_deref()
        .map(|id| format!("<{}>", id.trim_matches(['<', '>'])));
    assert_eq!(leaf["id"].as_str(), id.as_deref(), "{at}");
    if file
        .mime_type
        .as_deref()
        .is_some_and(|given| given.contains("a="))
    {
        assert_eq!(leaf["parameters"]["a"], "b c", "{at}");
    }
}
