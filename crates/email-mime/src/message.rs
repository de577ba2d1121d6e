//! A whole message.

use email_model::{Content, MeetingMethod, PartId};

use crate::{
    TransferEncoding, body, decode_text, headers,
    structure::{Structure, classify, meeting_method, tree::Tree},
    text, transfer,
};

/// Largest message that is parsed, in octets.
pub const MAX_MESSAGE: usize = 256 << 20;
/// How much of a calendar part is searched for its method.
const MAX_CALENDAR: usize = 64 << 10;

/// Why a message is not parsed. However malformed it is, it is parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MimeError {
    /// Larger than 256 MiB.
    #[error("a message of {octets} octets is too large to be parsed")]
    TooLarge {
        /// Its size.
        octets: usize,
    },
}

/// A message, parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// What a reader is shown. `received_at` is unknown to the message itself.
    pub content: Content,
    /// Where the parts of it stand.
    pub structure: Structure,
}

/// Parses a message. Attachments' bytes come by [`attachment`].
///
/// # Errors
/// [`MimeError::TooLarge`].
pub fn parse(raw: &[u8]) -> Result<Parsed, MimeError> {
    if raw.len() > MAX_MESSAGE {
        return Err(MimeError::TooLarge { octets: raw.len() });
    }
    let tree = Tree::read(raw);
    let mut structure = classify(&tree.to_part());
    let body = structure.body(|part| {
        let bytes = tree.find(&part.part).map_or(&[][..], |(_, bytes)| bytes);
        decode_text(bytes, part.charset.as_deref(), part.encoding)
    });
    if let Some(html) = &body.html {
        structure.mark_inline(html);
    }
    for attachment in &mut structure.attachments {
        if let Some((part, bytes)) = tree.find(&attachment.part) {
            attachment.size = Some(transfer::decoded_size(bytes, part.encoding));
        }
    }
    if structure.meeting_method.is_none() {
        structure.meeting_method = method_within(&tree, &structure);
    }
    let mut envelope = headers::parse_header_block(tree.header());
    envelope.size = Some(raw.len() as u64);
    envelope.meeting_method = structure.meeting_method;
    envelope.attachments = Some(structure.attachments.clone());
    envelope.snippet = body::snippet(&body);
    let headers = headers::list(tree.header());
    Ok(Parsed {
        content: Content {
            envelope,
            body,
            headers,
        },
        structure,
    })
}

/// The decoded bytes of the part at `id`, which may be any that is no multipart. Of a message within the
/// message, all of it. `None`: there is none.
pub fn attachment(raw: &[u8], id: &PartId) -> Option<Vec<u8>> {
    let tree = Tree::read(raw);
    let (part, bytes) = tree.find(id)?;
    Some(match part.encoding {
        TransferEncoding::Identity => bytes.to_vec(),
        encoding => transfer::decode(bytes, encoding),
    })
}

/// `METHOD` of a calendar object (RFC 5545 section 3.7.2) whose part does not name it.
fn method_within(tree: &Tree<'_>, structure: &Structure) -> Option<MeetingMethod> {
    let calendar = structure.calendar.as_ref()?;
    let (_, bytes) = tree.find(&calendar.part)?;
    let bytes = &bytes[..bytes.len().min(MAX_CALENDAR)];
    let content = decode_text(bytes, calendar.charset.as_deref(), calendar.encoding);
    let method = content.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("METHOD")
            .then(|| text::one_line(value))
    })?;
    Some(meeting_method(&method))
}

#[cfg(test)]
mod tests;
