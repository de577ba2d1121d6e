//! A composed message as it is read: piece by piece, files encoded on the way.

use std::{
    fs::File,
    io::{self, Read as _},
    sync::Arc,
};

use bytes::Bytes;
use email_model::AttachmentContent;

use super::text_part::{LINE, base64_length, base64_lines};

/// Octets of a file that are read and encoded at once.
const CHUNK: usize = LINE * 1_024;

/// A stretch of a message.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    /// As it is sent.
    Octets(Bytes),
    /// To be encoded in base64.
    File(AttachmentContent),
}

impl Piece {
    /// Octets as they are sent.
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Octets(octets) => octets.len() as u64,
            Self::File(content) => base64_length(content.size()),
        }
    }
}

/// The octets of a message in order, in chunks of at most 80 KB where they come from a file.
///
/// Reading blocks where an attachment is spooled. A file that is gone, or no longer as long as it was, is an
/// error, after which nothing more comes: what was read until then is no message.
#[derive(Debug)]
pub struct Chunks {
    header: Option<Bytes>,
    pieces: Arc<[Piece]>,
    /// The piece that is read next.
    next: usize,
    open: Option<Source>,
}

#[derive(Debug)]
enum Source {
    Memory(Bytes),
    Spooled { file: File, left: u64 },
}

impl Chunks {
    pub(super) fn new(header: Bytes, pieces: Arc<[Piece]>) -> Self {
        Self {
            header: Some(header),
            pieces,
            next: 0,
            open: None,
        }
    }

    fn read(&mut self) -> io::Result<Option<Bytes>> {
        if let Some(header) = self.header.take() {
            return Ok(Some(header));
        }
        loop {
            if let Some(source) = &mut self.open {
                match source.encoded()? {
                    Some(chunk) => return Ok(Some(chunk)),
                    None => self.open = None,
                }
            }
            let Some(piece) = self.pieces.get(self.next) else {
                return Ok(None);
            };
            self.next += 1;
            match piece {
                Piece::Octets(octets) => return Ok(Some(octets.clone())),
                Piece::File(content) => self.open = Some(Source::open(content)?),
            }
        }
    }
}

impl Iterator for Chunks {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.read();
        if read.is_err() {
            self.next = usize::MAX;
            self.open = None;
        }
        read.transpose()
    }
}

impl std::iter::FusedIterator for Chunks {}

impl Source {
    fn open(content: &AttachmentContent) -> io::Result<Self> {
        Ok(match content {
            AttachmentContent::Memory(bytes) => Self::Memory(bytes.clone()),
            AttachmentContent::Spooled { path, size } => Self::Spooled {
                file: File::open(path)?,
                left: *size,
            },
        })
    }

    fn encoded(&mut self) -> io::Result<Option<Bytes>> {
        let encoded = match self {
            Self::Memory(rest) => {
                let taken = rest.split_to(rest.len().min(CHUNK));
                encode(&taken)
            }
            Self::Spooled { file, left } => {
                let wanted = (*left).min(CHUNK as u64);
                let mut taken = Vec::with_capacity(CHUNK);
                file.by_ref().take(wanted).read_to_end(&mut taken)?;
                if (taken.len() as u64) < wanted {
                    return Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        "an attachment is shorter than it was",
                    ));
                }
                *left -= wanted;
                if *left == 0 && wanted < CHUNK as u64 && file.read(&mut [0])? > 0 {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "an attachment is longer than it was",
                    ));
                }
                encode(&taken)
            }
        };
        Ok(encoded)
    }
}

fn encode(octets: &[u8]) -> Option<Bytes> {
    if octets.is_empty() {
        return None;
    }
    let mut encoded = Vec::with_capacity(CHUNK / LINE * 78);
    base64_lines(octets, &mut encoded);
    Some(Bytes::from(encoded))
}
