//! Raw messages and attachments, as they arrive.

use std::{ops::Range, time::Duration};

use bytes::Bytes;
use email_model::PartId;
use email_provider::{ByteStream, Call, MessageRef, ProviderResult};
use futures::{StreamExt as _, stream};
use reqwest::Response;
use tokio::time::timeout;

use crate::{
    api::Place,
    attachments,
    error::{self, Effect},
    ids::ItemId,
    mailbox::Mailbox,
    names,
    transport::piece,
};

/// How long the next piece may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn raw(
    mailbox: &Mailbox,
    call: Call,
    at: &MessageRef,
) -> ProviderResult<ByteStream> {
    let id = ItemId::required(at)?;
    let opened = mailbox.api.open(call, names::message_bytes(&id)).await?;
    Ok(pieces(opened, None))
}

/// Attachments are found by their ids each time: a draft's come and go.
pub(crate) async fn attachment(
    mailbox: &Mailbox,
    call: Call,
    at: &MessageRef,
    part: &PartId,
    range: Option<Range<u64>>,
) -> ProviderResult<ByteStream> {
    let id = ItemId::required(at)?;
    let attachment = attachments::find(mailbox, call, &id, part).await?;
    let address = names::attachment_bytes(&id, &attachment);
    let opened = mailbox.api.open(call, address).await?;
    Ok(pieces(opened, range))
}

/// The API gives no parts of them: what is not wanted is left out here. The place is kept until the end, however it ends.
fn pieces((answer, place): (Response, Option<Place>), range: Option<Range<u64>>) -> ByteStream {
    let window = Window::new(range);
    stream::unfold(Some((answer, window, place)), |state| async move {
        let (mut answer, mut window, place) = state?;
        loop {
            if window.left == 0 {
                return None;
            }
            match timeout(PATIENCE, piece(&mut answer)).await {
                Err(_) => return Some((Err(error::late(Effect::None)), None)),
                Ok(Err(failure)) => return Some((Err(failure.into_error(Effect::None)), None)),
                Ok(Ok(None)) => return None,
                Ok(Ok(Some(piece))) => {
                    let cut = window.cut(piece);
                    if !cut.is_empty() {
                        return Some((Ok(cut), Some((answer, window, place))));
                    }
                }
            }
        }
    })
    .boxed()
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
