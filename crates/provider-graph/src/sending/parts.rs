//! A message in the forms that requests take it in.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use email_mime::compose::{Form, Limits, Purpose, compose};
use email_model::{Address, OutgoingAttachment, OutgoingMessage};
use email_provider::{ByteStream, ProviderResult};
use futures::TryStreamExt as _;
use serde_json::{Value, json};

use super::{draft::Mark, files};
use crate::error;

/// Largest body of a request, in octets: 4 MB, by the smaller of the two ways to count them.
pub(super) const LARGEST_REQUEST: usize = 4_000_000;
/// Largest message that fits into one in base64.
pub(super) const LARGEST_MIME: usize = LARGEST_REQUEST / 4 * 3;

/// A message as MIME in base64.
pub(super) async fn encoded(mut octets: ByteStream, length: u64) -> ProviderResult<Bytes> {
    let mut all = Vec::with_capacity(
        usize::try_from(length)
            .unwrap_or_default()
            .min(LARGEST_MIME),
    );
    while let Some(chunk) = octets.try_next().await? {
        if all.len() + chunk.len() > LARGEST_MIME {
            return Err(error::unreadable());
        }
        all.extend_from_slice(&chunk);
    }
    Ok(BASE64_STANDARD.encode(all).into())
}

/// The same message without its attachments and under another `Message-ID`, in base64.
///
/// # Errors
/// `Invalid` where it is still too large, or has header fields that a draft is documented to keep in one piece alone.
pub(super) fn without_files(
    message: &OutgoingMessage,
    message_id: String,
) -> ProviderResult<Bytes> {
    check_fields(message)?;
    let without = OutgoingMessage {
        message_id,
        attachments: Vec::new(),
        ..message.clone()
    };
    let limits = Limits {
        recipients: usize::MAX,
        octets: u64::MAX,
        internationalised: true,
    };
    let composed = compose(&without, Purpose::Draft, &limits)
        .map_err(|invalid| error::invalid(&invalid.to_string()))?;
    if composed.length(Form::Kept) > LARGEST_MIME as u64 {
        let what = format!(
            "body: of a message of more than {LARGEST_MIME} octets, more than that is text"
        );
        return Err(error::invalid(&what));
    }
    let octets = composed.to_bytes(Form::Kept);
    let octets = octets.map_err(|_| error::unreadable())?;
    Ok(BASE64_STANDARD.encode(octets).into())
}

/// Of a message that is put together from parts, the store keeps fields that begin with `x-`:
/// <https://learn.microsoft.com/graph/api/resources/internetmessageheader>.
fn check_fields(message: &OutgoingMessage) -> ProviderResult<()> {
    let of_lists = message.list_headers.first();
    let is_other = |name: &str| !name.get(..2).is_some_and(|x| x.eq_ignore_ascii_case("x-"));
    let mut others = message.headers.iter().filter(|field| is_other(&field.name));
    match of_lists.or_else(|| others.next()) {
        None => Ok(()),
        Some(field) => Err(error::invalid(&format!(
            "{}: this mailbox takes header fields that do not begin with x- only in messages of at most {LARGEST_MIME} octets",
            field.name
        ))),
    }
}

/// The `Message-ID` of a draft that lacks attachments still: nobody who looks for the message finds it.
pub(super) fn unfinished(message_id: &str) -> String {
    match message_id.rsplit_once('@') {
        Some((left, right)) => format!("{left}.unfinished@{right}"),
        None => "<unfinished@invalid>".to_owned(),
    }
}

/// Of the header fields that can be given only when a draft is made.
pub(super) fn fields_mark(message: &OutgoingMessage) -> Mark {
    let fields = (
        &message.headers,
        &message.list_headers,
        &message.in_reply_to,
        &message.references,
    );
    // Text and lists of it have a form.
    files::mark_of(&postcard::to_stdvec(&fields).unwrap_or_default())
}

/// Whether there are no such fields.
pub(super) fn has_no_fields(message: &OutgoingMessage) -> bool {
    message.headers.is_empty()
        && message.list_headers.is_empty()
        && message.in_reply_to.is_none()
        && message.references.is_empty()
}

/// What can be changed about a draft: <https://learn.microsoft.com/graph/api/message-update>. The store keeps one text.
pub(super) fn properties(message: &OutgoingMessage) -> Value {
    let (kind, text) = match (&message.body.html, &message.body.text) {
        (Some(html), _) => ("html", html.as_str()),
        (None, text) => ("text", text.as_deref().unwrap_or_default()),
    };
    let mut properties = json!({
        "subject": message.subject.as_deref().unwrap_or_default(),
        "body": {"contentType": kind, "content": text},
        "toRecipients": recipients(&message.to),
        "ccRecipients": recipients(&message.cc),
        "bccRecipients": recipients(&message.bcc),
        "replyTo": recipients(&message.reply_to),
        "internetMessageId": message.message_id,
    });
    if let Some(from) = message.from.as_ref().and_then(recipient) {
        properties["from"] = from;
    }
    properties
}

fn recipients(addresses: &[Address]) -> Vec<Value> {
    addresses.iter().filter_map(recipient).collect()
}

fn recipient(address: &Address) -> Option<Value> {
    let mut told = json!({"address": address.address.as_ref()?});
    if let Some(name) = &address.name {
        told["name"] = json!(name);
    }
    Some(json!({"emailAddress": told}))
}

/// An attachment without its bytes, in the words that posting one and uploading one have in common.
pub(super) fn attachment(attachment: &OutgoingAttachment) -> Value {
    let name = attachment.name.as_deref().map(str::trim);
    let kind = attachment.mime_type.as_deref();
    let mut told = json!({
        // Both ways want one.
        "name": name.filter(|name| !name.is_empty()).unwrap_or("attachment"),
        "contentType": kind.unwrap_or("application/octet-stream"),
        "isInline": attachment.inline,
    });
    if let Some(id) = &attachment.content_id {
        told["contentId"] = json!(id.trim_matches(['<', '>']));
    }
    told
}

#[cfg(test)]
mod tests {
    use email_model::{Body, Header};
    use email_provider::ErrorKind;

    use super::*;

    fn message() -> OutgoingMessage {
        OutgoingMessage {
            message_id: "<a@x.example>".into(),
            ..OutgoingMessage::default()
        }
    }

    #[test]
    fn the_html_is_the_text_that_is_kept() {
        let mut message = message();
        message.body = Body {
            html: Some("<p>a".into()),
            text: Some("a".into()),
        };
        message.to = vec![Address::bare("b@x.example")];
        let told = properties(&message);
        assert_eq!(
            told["body"],
            json!({"contentType": "html", "content": "<p>a"})
        );
        assert_eq!(
            told["toRecipients"],
            json!([{"emailAddress": {"address": "b@x.example"}}])
        );
        assert!(told.get("from").is_none());
        message.body.html = None;
        assert_eq!(properties(&message)["body"]["contentType"], "text");
    }

    #[test]
    fn a_message_without_its_files_is_another_one_until_it_is_finished() {
        let mut message = message();
        message.subject = Some("s".into());
        message.bcc = vec![Address::bare("b@x.example")];
        let id = unfinished(&message.message_id);
        let mime = BASE64_STANDARD.decode(without_files(&message, id).unwrap());
        let mime = String::from_utf8(mime.unwrap()).unwrap();
        assert!(
            mime.contains("Message-ID: <a.unfinished@x.example>\r\n"),
            "{mime}"
        );
        assert!(mime.contains("Bcc: b@x.example\r\n"), "{mime}");
        assert_eq!(unfinished("odd"), "<unfinished@invalid>");
        message.body.text = Some("long line\n".repeat(400_000));
        let refused = without_files(&message, "<b@x.example>".into()).unwrap_err();
        assert!(refused.message.starts_with("body"), "{refused}");
    }

    #[test]
    fn fields_that_are_lost_on_the_way_are_refused_by_name() {
        let field = |name: &str| Header {
            name: name.into(),
            value: "v".into(),
        };
        let mut message = message();
        message.headers = vec![field("X-Own"), field("x-other")];
        assert!(check_fields(&message).is_ok());
        message.headers.push(field("Keywords"));
        let refused = check_fields(&message).unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Invalid);
        assert!(refused.message.contains("Keywords"), "{refused}");
        message.headers.clear();
        message.list_headers = vec![field("List-Unsubscribe")];
        let refused = check_fields(&message).unwrap_err();
        assert!(refused.message.contains("List-Unsubscribe"), "{refused}");
    }

    #[test]
    fn an_attachment_has_a_name_and_a_type() {
        let bare = OutgoingAttachment {
            name: Some(" ".into()),
            mime_type: None,
            inline: true,
            content_id: Some("<i@x>".into()),
            content: email_model::AttachmentContent::Memory(Bytes::new()),
        };
        let told = json!({
            "name": "attachment", "contentType": "application/octet-stream", "isInline": true,
            "contentId": "i@x",
        });
        assert_eq!(attachment(&bare), told);
    }
}
