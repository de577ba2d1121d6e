//! Beginnings of texts, where the server makes no previews (RFC 8970).

use std::collections::BTreeMap;

use email_mime::{decode_text, snippet, structure::TextPart};
use email_model::Body;
use email_provider::ProviderResult;
use tokio::time::Instant;

use crate::{
    convert::structure,
    protocol::{Connection, FetchData, FetchItem, FetchItems, Section, UidSet},
};

/// Octets of a text that are looked at: enough for two hundred characters behind a usual beginning of HTML.
const LOOKED_AT: u32 = 4 << 10;

/// A message whose text has to be looked at.
pub(crate) struct Unread {
    /// The caller's number of it.
    index: usize,
    uid: u32,
    part: TextPart,
}

impl Unread {
    /// `None`: there is no text.
    pub fn of(index: usize, data: &FetchData) -> Option<Self> {
        let parts = structure(data.structure.as_ref()?);
        let part = parts.body_parts().first().copied().cloned()?;
        Some(Self {
            index,
            uid: data.uid,
            part,
        })
    }
}

/// The snippets by the caller's numbers: one command for all messages whose text is the same part, most often
/// one or two in all.
pub(crate) async fn read_snippets(
    connection: &mut Connection,
    messages: Vec<Unread>,
    deadline: Instant,
) -> ProviderResult<Vec<(usize, Option<String>)>> {
    let mut by_part: BTreeMap<String, BTreeMap<u32, Unread>> = BTreeMap::new();
    for message in messages {
        let part = message.part.part.as_str().to_owned();
        by_part
            .entry(part)
            .or_default()
            .insert(message.uid, message);
    }
    let mut snippets = Vec::new();
    for (part, messages) in by_part {
        let Some(section) = Section::part(&part) else {
            continue;
        };
        let uids: UidSet = messages.keys().copied().collect();
        let items = FetchItems {
            items: FetchItem::empty(),
            sections: vec![section.clone()],
            at_most: Some(LOOKED_AT),
        };
        let mut take = |data: FetchData| {
            if let (Some(message), Some(octets)) = (messages.get(&data.uid), data.section(&section))
            {
                snippets.push((message.index, beginning(octets, &message.part)));
            }
            Ok(())
        };
        connection
            .uid_fetch(&uids, &items, None, deadline, &mut take)
            .await?;
    }
    Ok(snippets)
}

fn beginning(octets: &[u8], part: &TextPart) -> Option<String> {
    let octets = &octets[..octets.len().min(LOOKED_AT as usize)];
    let text = decode_text(octets, part.charset.as_deref(), part.encoding);
    let (html, text) = if part.is_html {
        (Some(text), None)
    } else {
        (None, Some(text))
    };
    snippet(&Body { html, text })
}
