//! Whole messages and attachments as byte streams: pieces of 256 KiB, fetched as they are read.

use std::{ops::Range, time::Duration};

use bytes::Bytes;
use email_mime::{TransferDecoder, TransferEncoding};
use email_model::PartId;
use email_provider::{ByteStream, Call, ErrorKind, MessageRef, ProviderError, ProviderResult};
use futures::stream;
use tokio::time::Instant;

use crate::{
    cursor::read_key,
    protocol::{
        Class, FetchData, FetchItem, FetchItems, MailboxName, Piece, PooledConnection, Section,
        SelectOptions, UidSet,
    },
    provider::{ImapProvider, not_found},
    selecting::{select_with, selected},
};

const PIECE: u32 = 256 << 10;
/// How long one piece may take once a stream has begun: the reader sets the pace of the whole.
const PIECE_WAIT: Duration = Duration::from_secs(60);
/// How long a reader may leave a stream alone before its connection is wanted back.
const READER_WAIT: Duration = Duration::from_secs(120);

impl ImapProvider {
    pub(crate) async fn stream_raw(
        &self,
        call: Call,
        at: &MessageRef,
    ) -> ProviderResult<ByteStream> {
        match self.raw_in_view(call, at, false).await {
            Err(error) if error.kind == ErrorKind::NotFound => {
                self.raw_in_view(call, at, true).await
            }
            result => result,
        }
    }

    async fn raw_in_view(
        &self,
        call: Call,
        at: &MessageRef,
        fresh: bool,
    ) -> ProviderResult<ByteStream> {
        let (connection, uid) = self.open_message(call, at, fresh).await?;
        Pieces::of_message(connection, uid).stream(call).await
    }

    pub(crate) async fn stream_part(
        &self,
        call: Call,
        at: &MessageRef,
        part: &PartId,
        range: Option<Range<u64>>,
    ) -> ProviderResult<ByteStream> {
        match self
            .part_in_view(call, at, part, range.clone(), false)
            .await
        {
            Err(error) if error.kind == ErrorKind::NotFound => {
                self.part_in_view(call, at, part, range, true).await
            }
            result => result,
        }
    }

    async fn part_in_view(
        &self,
        call: Call,
        at: &MessageRef,
        part: &PartId,
        range: Option<Range<u64>>,
        fresh: bool,
    ) -> ProviderResult<ByteStream> {
        let (mut connection, uid) = self.open_message(call, at, fresh).await?;
        let mut encoding = None;
        let mut take = |data: FetchData| {
            encoding = data
                .structure
                .as_ref()
                .and_then(|body| encoding_of(body, part));
            Ok(())
        };
        let items = FetchItems::from(FetchItem::STRUCTURE);
        connection
            .uid_fetch(
                &UidSet::range(uid, uid),
                &items,
                None,
                call.deadline,
                &mut take,
            )
            .await?;
        let encoding = encoding.ok_or_else(|| not_found("the part"))?;
        let section = Section::part(part.as_str()).ok_or_else(|| not_found("the part"))?;
        let pieces = Pieces {
            connection,
            uid,
            section,
            offset: 0,
            is_done: false,
        };
        let decoding = Decoding {
            decoder: Some(TransferDecoder::new(encoding)),
            position: 0,
            range: range.unwrap_or(0..u64::MAX),
        };
        pieces.stream_decoded(call, Some(decoding)).await
    }

    /// A connection of its own for a transfer, so that other reads do not wait for it. One that is not `fresh` need
    /// not know of a message yet: what it does not find is looked for once more.
    pub(crate) async fn open_message(
        &self,
        call: Call,
        at: &MessageRef,
        fresh: bool,
    ) -> ProviderResult<(PooledConnection, u32)> {
        let (validity, uid) = read_key(&at.key).ok_or_else(|| not_found("the message"))?;
        let mailbox = MailboxName::from_key(&at.scope.0);
        let mut connection = self
            .pool
            .acquire(Class::Bulk, call.deadline, Some(&mailbox))
            .await?;
        let options = SelectOptions {
            fresh,
            ..SelectOptions::default()
        };
        select_with(&mut connection, &mailbox, options, call).await?;
        if selected(&connection)?.uid_validity != validity {
            return Err(not_found("the message"));
        }
        Ok((connection, uid))
    }
}

fn encoding_of(body: &crate::protocol::BodyPart, part: &PartId) -> Option<TransferEncoding> {
    let sections = body.sections();
    let (_, found) = sections
        .into_iter()
        .find(|(number, _)| number == part.as_str())?;
    Some(
        found
            .encoding
            .as_deref()
            .map(TransferEncoding::from_name)
            .unwrap_or_default(),
    )
}

struct Decoding {
    decoder: Option<TransferDecoder>,
    /// Decoded octets so far.
    position: u64,
    range: Range<u64>,
}

impl Decoding {
    fn decode(&mut self, octets: Option<&[u8]>) -> Bytes {
        let mut decoded = Vec::new();
        match octets {
            Some(octets) => {
                if let Some(decoder) = &mut self.decoder {
                    decoder.push(octets, &mut decoded);
                }
            }
            None => {
                if let Some(decoder) = self.decoder.take() {
                    decoder.finish(&mut decoded);
                }
            }
        }
        let start = self.position;
        self.position += decoded.len() as u64;
        let clamp = |at: u64| {
            usize::try_from(at.saturating_sub(start))
                .unwrap_or(usize::MAX)
                .min(decoded.len())
        };
        let (from, to) = (clamp(self.range.start), clamp(self.range.end));
        Bytes::from(decoded).slice(from.min(to)..to)
    }

    fn is_past(&self) -> bool {
        self.position >= self.range.end
    }
}

/// A section that is read piece by piece.
pub(crate) struct Pieces {
    connection: PooledConnection,
    uid: u32,
    section: Section,
    offset: u32,
    is_done: bool,
}

impl Pieces {
    /// A whole message from its beginning.
    pub(crate) fn of_message(connection: PooledConnection, uid: u32) -> Self {
        Self {
            connection,
            uid,
            section: Section::message(),
            offset: 0,
            is_done: false,
        }
    }

    /// Whether the last piece was given.
    pub(crate) fn is_done(&self) -> bool {
        self.is_done
    }

    /// Octets of the whole message, as the server counts them.
    pub(crate) async fn size(&mut self, deadline: Instant) -> ProviderResult<u64> {
        let mut size = 0;
        let mut take = |data: FetchData| {
            size = data.size.unwrap_or(0);
            Ok(())
        };
        let (uids, items) = (UidSet::range(self.uid, self.uid), FetchItem::SIZE.into());
        let fetched = self
            .connection
            .uid_fetch(&uids, &items, None, deadline, &mut take);
        fetched.await?;
        Ok(size)
    }

    /// The next piece: `None` after the last.
    pub(crate) async fn next(&mut self, deadline: Instant) -> ProviderResult<Option<Bytes>> {
        if self.is_done {
            return Ok(None);
        }
        match self
            .connection
            .fetch_piece(self.uid, &self.section, self.offset, PIECE, deadline)
            .await?
        {
            Piece::NoMessage if self.offset == 0 => Err(not_found("the message")),
            Piece::NoSection if self.offset == 0 => Err(not_found("the part")),
            Piece::NoMessage | Piece::NoSection => Err(ProviderError::new(
                ErrorKind::Unavailable,
                "the message was removed while it was read",
            )),
            Piece::Octets(octets) => {
                self.is_done = octets.len() < PIECE as usize;
                let length = u32::try_from(octets.len()).unwrap_or(u32::MAX);
                self.offset = self.offset.saturating_add(length);
                Ok(Some(octets))
            }
        }
    }

    /// All that is left.
    pub(crate) async fn stream(self, call: Call) -> ProviderResult<ByteStream> {
        self.stream_decoded(call, None).await
    }

    /// The first piece is fetched at once, so that what is not there is an error of the call. The rest
    /// is fetched by a task ahead of the reader, who may come to a stop without holding the connection
    /// for ever.
    async fn stream_decoded(
        mut self,
        call: Call,
        mut decoding: Option<Decoding>,
    ) -> ProviderResult<ByteStream> {
        let first = self.next(call.deadline).await?;
        let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Bytes, ProviderError>>(2);
        tokio::spawn(async move {
            let mut piece = Ok(first);
            loop {
                let (item, is_last) = match piece {
                    Ok(Some(octets)) => {
                        let item = match &mut decoding {
                            Some(decoding) => decoding.decode(Some(&octets)),
                            None => octets,
                        };
                        (Ok(item), decoding.as_ref().is_some_and(Decoding::is_past))
                    }
                    Ok(None) => (
                        Ok(decoding
                            .as_mut()
                            .map(|decoding| decoding.decode(None))
                            .unwrap_or_default()),
                        true,
                    ),
                    Err(error) => (Err(error), true),
                };
                let is_empty = item.as_ref().is_ok_and(Bytes::is_empty);
                let sent = is_empty || sender.send_timeout(item, READER_WAIT).await.is_ok();
                if is_last || !sent {
                    return;
                }
                piece = self.next(Instant::now() + PIECE_WAIT).await;
            }
        });
        Ok(Box::pin(stream::unfold(
            receiver,
            |mut receiver| async move {
                let item = receiver.recv().await?;
                Some((item, receiver))
            },
        )))
    }
}
