//! Raw messages and attachments, decoded as they arrive.

use std::{ops::Range, time::Duration};

use bytes::Bytes;
use email_model::PartId;
use email_provider::{ByteStream, Call, ErrorKind, MessageRef, ProviderError, ProviderResult};
use futures::{StreamExt as _, stream};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::{
    error::{self, Effect},
    ids::{HexId, is_attachment_id},
    json_text::JsonText,
    mailbox::Mailbox,
    quota::Method,
    wanted::{CONTENT, ENVELOPE, RAW, attachment_path, path},
    wire::{Base64Url, Message, decoded},
};

/// How long the next piece may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Size of the pieces of what was gathered.
const PIECE: usize = 64 << 10;

pub(crate) async fn raw(
    mailbox: &Mailbox,
    call: Call,
    at: &MessageRef,
) -> ProviderResult<ByteStream> {
    let id = HexId::required(at)?;
    let path = format!(
        "gmail/v1/users/me/messages/{}?format=raw&fields=raw",
        id.as_str()
    );
    let body = mailbox.api.open(call, Method::MessagesGet, &path).await?;
    Ok(decoding(body, "raw", None))
}

pub(crate) async fn attachment(
    mailbox: &Mailbox,
    call: Call,
    at: &MessageRef,
    part: &PartId,
    range: Option<Range<u64>>,
) -> ProviderResult<ByteStream> {
    let id = HexId::required(at)?;
    // The API's ids of attachments last for minutes: the part is looked up each time.
    let message = match read(mailbox, call, &id, &ENVELOPE).await {
        Err(error) if error.kind == ErrorKind::Unexpected => None,
        message => message?.payload,
    };
    let Some(root) = message else {
        return from_raw(mailbox, call, &id, part, range).await;
    };
    let found = root.at(part.as_str()).ok_or_else(error::no_part)?;
    if found.body.octets() == Some(0) && found.parts.is_empty() {
        return Ok(stream::empty().boxed());
    }
    let attachment = found.body.attachment_id.as_deref();
    if let Some(attachment) = attachment.filter(|id| is_attachment_id(id)) {
        let path = attachment_path(&id, attachment);
        let body = mailbox
            .api
            .open(call, Method::AttachmentsGet, &path)
            .await?;
        return Ok(decoding(body, "data", range));
    }
    if found.parts.is_empty() {
        // A small text is in the message itself.
        let message = read(mailbox, call, &id, CONTENT).await?;
        let root = message.payload.unwrap_or_default();
        let found = root.at(part.as_str()).ok_or_else(error::no_part)?;
        if let Some(bytes) = found.body.decoded() {
            return Ok(gathered(bytes, range));
        }
    }
    from_raw(mailbox, call, &id, part, range).await
}

async fn read(mailbox: &Mailbox, call: Call, id: &HexId, wanted: &str) -> ProviderResult<Message> {
    let path = path(id, wanted);
    mailbox.api.read(call, Method::MessagesGet, &path).await
}

/// A part that the API tells no data of, such as a message within the message.
async fn from_raw(
    mailbox: &Mailbox,
    call: Call,
    id: &HexId,
    part: &PartId,
    range: Option<Range<u64>>,
) -> ProviderResult<ByteStream> {
    let message = read(mailbox, call, id, RAW).await?;
    let raw = decoded(message.raw.as_deref().unwrap_or_default());
    let bytes = email_mime::attachment(&raw, part).ok_or_else(error::no_part)?;
    Ok(gathered(bytes, range))
}

fn gathered(bytes: Vec<u8>, range: Option<Range<u64>>) -> ByteStream {
    let mut window = Window::new(range);
    let pieces: Vec<_> = window
        .cut(Bytes::from(bytes))
        .chunks(PIECE)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    stream::iter(pieces).boxed()
}

/// Decodes the text of a field of the answer as it arrives.
fn decoding(body: Incoming, field: &'static str, range: Option<Range<u64>>) -> ByteStream {
    let decoding = Decoding {
        body,
        json: JsonText::new(field),
        // An attachment may be empty, a message is not.
        is_required: field == "raw",
        base64: Some(Base64Url::default()),
        window: Window::new(range),
    };
    stream::unfold(Some(decoding), |decoding| async move {
        let mut decoding = decoding?;
        loop {
            match decoding.next().await {
                Ok(Some(piece)) if piece.is_empty() => {}
                Ok(Some(piece)) => return Some((Ok(piece), Some(decoding))),
                Ok(None) => return None,
                Err(error) => return Some((Err(error), None)),
            }
        }
    })
    .boxed()
}

struct Decoding {
    body: Incoming,
    json: JsonText,
    is_required: bool,
    /// Until the end.
    base64: Option<Base64Url>,
    window: Window,
}

impl Decoding {
    /// The next piece, `None` at the end.
    async fn next(&mut self) -> ProviderResult<Option<Bytes>> {
        let Some(base64) = &mut self.base64 else {
            return Ok(None);
        };
        if self.window.left == 0 {
            return Ok(None);
        }
        let lost = |_| error::lost(Effect::None);
        let late = |_| error::late(Effect::None);
        let mut bytes = Vec::new();
        match timeout(PATIENCE, self.body.frame()).await.map_err(late)? {
            Some(frame) => {
                if let Some(data) = frame.map_err(lost)?.data_ref() {
                    let mut text = Vec::with_capacity(data.len());
                    self.json.push(data, &mut text);
                    base64.push(&text, &mut bytes);
                }
            }
            None if self.json.is_complete() => {
                if self.is_required && !self.json.is_found() {
                    return Err(error::unreadable());
                }
                if let Some(base64) = self.base64.take() {
                    base64.finish(&mut bytes);
                }
            }
            None => {
                return Err(ProviderError::new(
                    ErrorKind::Unavailable,
                    "the mailbox's answer was cut off",
                ));
            }
        }
        Ok(Some(self.window.cut(bytes.into())))
    }
}

/// The part of a stream that is wanted.
#[derive(Debug)]
struct Window {
    skip: u64,
    left: u64,
}

impl Window {
    fn new(range: Option<Range<u64>>) -> Self {
        match range {
            None => Self {
                skip: 0,
                left: u64::MAX,
            },
            Some(range) => Self {
                skip: range.start,
                left: range.end.saturating_sub(range.start),
            },
        }
    }

    /// What of the next piece lies in it.
    fn cut(&mut self, mut piece: Bytes) -> Bytes {
        let length = |bytes: &Bytes| u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let skipped = self.skip.min(length(&piece));
        self.skip -= skipped;
        // Both are at most the piece's length.
        let mut kept = piece.split_off(usize::try_from(skipped).unwrap_or_default());
        let taken = self.left.min(length(&kept));
        self.left -= taken;
        kept.truncate(usize::try_from(taken).unwrap_or_default());
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_cuts_pieces_as_it_would_cut_the_whole() {
        let whole = Bytes::from_static(b"0123456789");
        for (start, end) in [(0, 10), (0, 0), (3, 7), (9, 30), (10, 11), (20, 30), (5, 2)] {
            for size in 1..11 {
                let mut window = Window::new(Some(start..end));
                let cut: Vec<Bytes> = whole
                    .chunks(size)
                    .map(|piece| window.cut(Bytes::copy_from_slice(piece)))
                    .collect();
                let from = usize::try_from(start).unwrap().min(10);
                let to = usize::try_from(end).unwrap().clamp(from, 10);
                assert_eq!(cut.concat(), whole[from..to], "{start}..{end} by {size}");
            }
        }
    }
}
