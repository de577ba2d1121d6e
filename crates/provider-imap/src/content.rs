//! The readable content of a message, without the bytes of its attachments.

use std::collections::HashMap;

use email_mime::{decode_text, headers, snippet, structure::TextPart};
use email_model::Content;
use email_provider::ProviderResult;
use tokio::time::Instant;

use crate::{
    convert::{envelope, structure},
    protocol::{Connection, FetchData, FetchItem, FetchItems, Piece, Section, UidSet},
};

/// Most octets of one text part that are read; what lies beyond is not shown.
const MOST_TEXT: u32 = 4 << 20;
/// Octets of one piece.
const PIECE: u32 = 256 << 10;
/// Most octets of a header that are read.
const MOST_HEADER: u32 = 1 << 20;

/// The content of a message that is there as a whole. What cannot be parsed has an empty one.
pub(crate) fn whole_content(raw: &[u8]) -> Content {
    email_mime::parse(raw)
        .map(|parsed| parsed.content)
        .unwrap_or_default()
}

/// The content of a large message, by its structure: header and text parts. `None`: it is gone.
pub(crate) async fn read_content(
    connection: &mut Connection,
    uid: u32,
    deadline: Instant,
) -> ProviderResult<Option<Content>> {
    let mut found = None;
    let mut take = |data: FetchData| {
        found = Some(data);
        Ok(())
    };
    let set = UidSet::range(uid, uid);
    connection
        .uid_fetch(
            &set,
            &FetchItems::from(FetchItem::STRUCTURE),
            None,
            deadline,
            &mut take,
        )
        .await?;
    let Some(data) = found else { return Ok(None) };
    let Some(header) =
        read_section(connection, uid, &Section::header(), MOST_HEADER, deadline).await?
    else {
        return Ok(None);
    };
    let mut parts = data
        .structure
        .as_ref()
        .map(|body| structure(body))
        .unwrap_or_default();
    let mut texts: HashMap<String, String> = HashMap::new();
    let needed: Vec<TextPart> = parts.body_parts().into_iter().cloned().collect();
    for part in needed {
        let Some(section) = Section::part(part.part.as_str()) else {
            continue;
        };
        if let Some(bytes) = read_section(connection, uid, &section, MOST_TEXT, deadline).await? {
            let text = decode_text(&bytes, part.charset.as_deref(), part.encoding);
            texts.insert(part.part.as_str().to_owned(), text);
        }
    }
    let body = parts.body(|part| texts.get(part.part.as_str()).cloned().unwrap_or_default());
    if let Some(html) = &body.html {
        parts.mark_inline(html);
    }
    let mut envelope = envelope(&data, Some(&header));
    envelope.attachments = Some(parts.attachments);
    envelope.snippet = snippet(&body);
    Ok(Some(Content {
        envelope,
        body,
        headers: headers::list(&header),
    }))
}

/// A section in pieces, at most `most` octets of it. `None`: the message is gone.
async fn read_section(
    connection: &mut Connection,
    uid: u32,
    section: &Section,
    most: u32,
    deadline: Instant,
) -> ProviderResult<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    loop {
        let offset = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let length = PIECE.min(most.saturating_sub(offset));
        if length == 0 {
            return Ok(Some(bytes));
        }
        match connection
            .fetch_piece(uid, section, offset, length, deadline)
            .await?
        {
            Piece::NoMessage => return Ok(None),
            Piece::NoSection => return Ok(Some(bytes)),
            Piece::Octets(octets) => {
                let is_last = octets.len() < length as usize;
                bytes.extend_from_slice(&octets);
                if is_last {
                    return Ok(Some(bytes));
                }
            }
        }
    }
}
