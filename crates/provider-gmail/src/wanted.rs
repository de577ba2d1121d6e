//! How much is asked of a message: a format, and which of its fields.
//! <https://developers.google.com/workspace/gmail/api/guides/performance#partial>

use std::sync::LazyLock;

use email_provider::Detail;

use crate::{ids::HexId, wire::Part};

/// Levels of parts asked for without their data.
const LEVELS: usize = 6;
/// Labels, conversation, time of receipt.
const STATE: &str = "format=minimal&fields=id,threadId,labelIds,internalDate";
/// Everything, attachments by their ids.
pub(crate) const CONTENT: &str =
    "format=full&fields=id,threadId,labelIds,internalDate,sizeEstimate,snippet,payload";
/// What tells whether it is a message that this gateway made. A message that is given another `Message-ID`
/// keeps its own in a field of the vendor's.
pub(crate) const MESSAGE_ID: &str = "format=metadata&metadataHeaders=Message-ID\
     &metadataHeaders=X-Google-Original-Message-ID&fields=id,labelIds,internalDate,payload/headers";
/// The conversation.
pub(crate) const THREAD: &str = "format=minimal&fields=id,threadId";
/// The bytes.
pub(crate) const RAW: &str = "format=raw&fields=id,threadId,labelIds,internalDate,sizeEstimate,raw";
/// All but the data of the parts, which has no use in a list.
pub(crate) static ENVELOPE: LazyLock<String> = LazyLock::new(|| {
    const PART: &str = "mimeType,filename,headers,body(size,attachmentId)";
    let deepest = "parts/partId".to_owned();
    let parts = (0..LEVELS).fold(deepest, |inner, _| format!("parts({PART},{inner})"));
    format!(
        "format=full&fields=id,threadId,labelIds,internalDate,sizeEstimate,snippet,\
         payload({PART},{parts})"
    )
});

/// How much to ask of a message, as parameters.
pub(crate) fn of(detail: Detail) -> &'static str {
    match detail {
        Detail::Exists | Detail::State => STATE,
        Detail::Envelope => &ENVELOPE,
        Detail::Content => CONTENT,
    }
}

/// Where a message is, and what is asked of it.
pub(crate) fn path(id: &HexId, wanted: &str) -> String {
    format!("gmail/v1/users/me/messages/{}?{wanted}", id.as_str())
}

/// Where a part's data is. The id must have been checked.
pub(crate) fn attachment_path(message: &HexId, attachment: &str) -> String {
    format!(
        "gmail/v1/users/me/messages/{}/attachments/{attachment}?fields=data",
        message.as_str()
    )
}

/// Parts that were asked for by no more than their number.
pub(crate) fn is_cut(part: &Part) -> bool {
    let is_bare = |part: &Part| part.mime_type.is_empty() && part.headers.is_empty();
    part.parts
        .iter()
        .any(|inner| is_bare(inner) || is_cut(inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_an_envelope_are_asked_for_without_data() {
        assert!(
            ENVELOPE.contains("parts(mimeType,filename,headers,body(size,attachmentId),parts(")
        );
        assert_eq!(ENVELOPE.matches('(').count(), ENVELOPE.matches(')').count());
        assert!(!ENVELOPE.contains("data"));
    }

    #[test]
    fn what_lies_deeper_than_asked_for_is_noticed() {
        let leaf = || Part {
            mime_type: "text/plain".into(),
            ..Part::default()
        };
        let mut root = Part {
            parts: vec![leaf()],
            ..leaf()
        };
        assert!(!is_cut(&root));
        root.parts[0].parts.push(Part::default());
        assert!(is_cut(&root));
    }
}
