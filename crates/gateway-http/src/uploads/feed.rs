use std::{
    cell::Cell,
    io::{self, Read},
    rc::Rc,
};

use bytes::{Buf as _, Bytes};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::Receiver;

/// A body for a reader in a thread of its own, which waits for the octets.
pub(super) struct Feed {
    chunks: Receiver<Bytes>,
    chunk: Bytes,
    digest: Option<Sha256>,
}

impl Feed {
    /// Reads what is sent here. With a digest, all of it goes into that.
    pub(super) fn new(chunks: Receiver<Bytes>, digest: Option<Sha256>) -> Self {
        Self {
            chunks,
            chunk: Bytes::new(),
            digest,
        }
    }

    /// Whether there is nothing in it but space, which is then read.
    pub(super) fn is_blank(&mut self) -> bool {
        while self.chunk.iter().all(u8::is_ascii_whitespace) {
            if !self.advance() {
                return true;
            }
        }
        false
    }

    /// Waits for the next chunk; false at the end.
    fn advance(&mut self) -> bool {
        let Some(chunk) = self.chunks.blocking_recv() else {
            return false;
        };
        if let Some(digest) = &mut self.digest {
            digest.update(&chunk);
        }
        self.chunk = chunk;
        true
    }

    /// The digest, with what was read.
    pub(super) fn digest(self) -> Option<Sha256> {
        self.digest
    }
}

impl Read for Feed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            if !self.advance() {
                return Ok(0);
            }
        }
        let count = buffer.len().min(self.chunk.len());
        self.chunk.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

/// A source of which no more is read than is allowed for the moment: for what a parser collects in memory before it can
/// be asked how much that is.
pub(super) struct Metered<R> {
    source: R,
    allowance: Allowance,
}

/// How many octets may be read.
#[derive(Clone, Debug)]
pub(super) struct Allowance(Rc<Cell<usize>>);

impl Allowance {
    /// So many from now on.
    pub(super) fn set(&self, octets: usize) {
        self.0.set(octets);
    }
}

impl<R> Metered<R> {
    /// The source, and by what it is held back.
    pub(super) fn new(source: R) -> (Self, Allowance) {
        let allowance = Allowance(Rc::new(Cell::new(usize::MAX)));
        let metered = Self {
            source,
            allowance: allowance.clone(),
        };
        (metered, allowance)
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Allowance(left) = &self.allowance;
        if left.get() == 0 {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        let most = buffer.len().min(left.get());
        let count = self.source.read(&mut buffer[..most])?;
        left.set(left.get() - count);
        Ok(count)
    }
}
