use std::{
    io::{self, Read},
    sync::Arc,
};

use email_model::AttachmentContent;
use gateway_operations::Held;

use super::spool::{Spool, SpoolFile, SpooledFile};
use crate::error::ApiError;

/// An attachment beyond this goes to a file, in octets.
const LARGEST_IN_MEMORY: usize = 256 << 10;

/// What one message may keep in memory of its attachments, in octets.
const MEMORY: usize = 1 << 20;

/// Most attachments of a message.
const MOST: usize = 500;

/// Octets read at a time.
const STEP: usize = 64 << 10;

/// The attachments of a message, as they come in.
#[derive(Debug)]
pub(super) struct Contents {
    spool: Arc<Spool>,
    memory_left: usize,
    all: Vec<AttachmentContent>,
    files: Vec<SpooledFile>,
}

/// Why an attachment was not kept.
#[derive(Debug)]
pub(super) enum NotKept {
    /// It could not be read.
    Unreadable(io::Error),
    /// There was no place for it.
    Refused(ApiError),
}

impl From<ApiError> for NotKept {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

impl Contents {
    /// None yet.
    pub(super) fn new(spool: Arc<Spool>) -> Self {
        Self {
            spool,
            memory_left: MEMORY,
            all: Vec::new(),
            files: Vec::new(),
        }
    }

    /// Reads an attachment to its end; its number.
    pub(super) fn keep(&mut self, mut source: impl Read) -> Result<usize, NotKept> {
        if self.all.len() == MOST {
            let message = format!("a message has at most {MOST} attachments");
            return Err(ApiError::too_large(message).into());
        }
        let in_memory = self.memory_left.min(LARGEST_IN_MEMORY);
        let mut buffer = vec![0; STEP];
        let mut held = Vec::new();
        let mut file: Option<SpoolFile> = None;
        loop {
            let octets = match source.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => &buffer[..count],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(NotKept::Unreadable(error)),
            };
            match &mut file {
                Some(file) => file.write(octets)?,
                None if held.len() + octets.len() <= in_memory => held.extend_from_slice(octets),
                None => {
                    let begun = file.insert(self.spool.file()?);
                    begun.write(&std::mem::take(&mut held))?;
                    begun.write(octets)?;
                }
            }
        }
        match file.map(SpoolFile::done) {
            Some(file) => {
                self.all.push(AttachmentContent::Spooled {
                    path: file.path().to_owned(),
                    size: file.size(),
                });
                self.files.push(file);
            }
            None => {
                self.memory_left -= held.len();
                self.all.push(AttachmentContent::Memory(held.into()));
            }
        }
        Ok(self.all.len() - 1)
    }

    /// All of them by number, and what holds their files.
    pub(super) fn done(self) -> (Vec<AttachmentContent>, Held) {
        let held = (!self.files.is_empty()).then(|| Arc::new(self.files) as _);
        (self.all, Held(held))
    }
}

impl NotKept {
    /// As an answer, where what could not be read is this.
    pub(super) fn of(self, what: impl FnOnce(io::Error) -> ApiError) -> ApiError {
        match self {
            Self::Unreadable(error) => what(error),
            Self::Refused(error) => error,
        }
    }
}
