//! Forms (`multipart/form-data`, RFC 7578): the message as JSON in one field, files in others.

use std::{
    io::{self, Read},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::http::{HeaderMap, header};
use bytes::{Buf as _, Bytes};
use futures::Stream;
use multer::{Field, Multipart};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::{runtime::Handle, sync::mpsc::Receiver};

use super::{contents::Contents, json};
use crate::{
    error::{ApiError, ApiResult},
    extract::framed,
};

/// The field with the message.
const MESSAGE: &str = "message";

/// Fields with files to be attached.
const ATTACHMENTS: &str = "attachments";

/// Fields with files that the HTML shows.
const INLINE: &str = "inline";

/// Octets given to the parser at a time.
const PIECE: usize = 16 << 10;

/// Octets between two fields, the head of the second one included.
const MOST_BETWEEN: usize = 64 << 10;

/// A file of a form.
#[derive(Debug)]
pub(crate) struct FilePart {
    /// Its name.
    pub(crate) name: Option<String>,
    /// Its type.
    pub(crate) mime_type: Option<String>,
    /// Shown within the HTML.
    pub(crate) inline: bool,
    /// `Content-ID`.
    pub(crate) content_id: Option<String>,
    /// The number of its kept content.
    pub(crate) content: usize,
}

/// A form that was read.
#[derive(Debug)]
pub(super) struct Form {
    /// The message.
    pub(super) message: Value,
    /// The files.
    pub(super) files: Vec<FilePart>,
    /// The digest, with all fields.
    pub(super) digest: Option<Sha256>,
}

/// Reads a form in a thread that may wait.
pub(super) fn read(
    chunks: Receiver<Bytes>,
    boundary: String,
    mut digest: Option<Sha256>,
    contents: &mut Contents,
) -> ApiResult<Form> {
    let runtime = Handle::current();
    let between = Arc::new(AtomicUsize::new(MOST_BETWEEN));
    let paced = Paced {
        chunks,
        chunk: Bytes::new(),
        rests: false,
        between: Arc::clone(&between),
    };
    let mut form = Multipart::new(paced, boundary);
    let (mut message, mut files) = (None, Vec::new());
    loop {
        let field = runtime.block_on(form.next_field());
        let Some(field) = field.map_err(|_| malformed())? else {
            break;
        };
        between.store(usize::MAX, Ordering::Relaxed);
        refuse_encoded(field.headers())?;
        let mut part = Part {
            runtime: &runtime,
            chunk: Bytes::new(),
            digest: digest.is_some().then(Sha256::new),
            field,
        };
        let head = part.head();
        match part.field.name() {
            Some(MESSAGE) if message.is_none() => message = Some(json::read(&mut part, contents)?),
            Some(name @ (ATTACHMENTS | INLINE)) => {
                let mut file = FilePart::of(&part.field, name == INLINE);
                let kept = contents.keep(&mut part);
                file.content = kept.map_err(|kept| kept.of(|_| malformed()))?;
                files.push(file);
            }
            _ => {
                return Err(ApiError::bad_request(
                    "a form has one field `message` and files in fields `attachments` and `inline`",
                ));
            }
        }
        if let (Some(digest), Some(content)) = (&mut digest, part.digest) {
            framed(digest, &head);
            framed(digest, &content.finalize());
        }
        drop(part.field);
        between.store(MOST_BETWEEN, Ordering::Relaxed);
    }
    let message =
        message.ok_or_else(|| ApiError::bad_request("the form has no field `message`"))?;
    Ok(Form {
        message,
        files,
        digest,
    })
}

/// Contents of fields stand as they are (RFC 7578 section 4.7). What says otherwise would arrive as something else than
/// its sender meant.
fn refuse_encoded(headers: &HeaderMap) -> ApiResult<()> {
    let encoding = headers.get("content-transfer-encoding");
    let plain = encoding.is_none_or(|encoding| {
        [&b"binary"[..], b"8bit", b"7bit"]
            .iter()
            .any(|plain| encoding.as_bytes().eq_ignore_ascii_case(plain))
    });
    let refused = || ApiError::unsupported("fields of a form have no Content-Transfer-Encoding");
    plain.then_some(()).ok_or_else(refused)
}

fn malformed() -> ApiError {
    ApiError::bad_request("the body is not a form, or ended early")
}

impl FilePart {
    fn of(field: &Field<'_>, inline: bool) -> Self {
        let text = |name: &str| {
            let value = field.headers().get(name)?.to_str().ok()?.trim();
            (!value.is_empty()).then(|| value.to_owned())
        };
        let content_id = text("content-id");
        Self {
            name: field.file_name().map(str::to_owned),
            mime_type: text(header::CONTENT_TYPE.as_str()),
            inline: inline || content_id.is_some(),
            content_id,
            content: 0,
        }
    }
}

/// A field that is being read.
struct Part<'a> {
    runtime: &'a Handle,
    field: Field<'static>,
    chunk: Bytes,
    digest: Option<Sha256>,
}

impl Part<'_> {
    /// Its head in one piece.
    fn head(&self) -> Vec<u8> {
        let mut head = Vec::new();
        for (name, value) in self.field.headers() {
            head.extend_from_slice(name.as_str().as_bytes());
            head.push(b':');
            head.extend_from_slice(value.as_bytes());
            head.push(b'\n');
        }
        head
    }
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            let chunk = self.runtime.block_on(self.field.chunk());
            let Some(chunk) = chunk.map_err(|_| io::ErrorKind::UnexpectedEof)? else {
                return Ok(0);
            };
            if let Some(digest) = &mut self.digest {
                digest.update(&chunk);
            }
            self.chunk = chunk;
        }
        let count = buffer.len().min(self.chunk.len());
        self.chunk.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

/// The body in small pieces with a rest after each: the parser takes everything that can be had without waiting, and
/// outside of fields it keeps all of it.
struct Paced {
    chunks: Receiver<Bytes>,
    chunk: Bytes,
    rests: bool,
    between: Arc<AtomicUsize>,
}

impl Stream for Paced {
    type Item = Result<Bytes, io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.rests) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        while self.chunk.is_empty() {
            match ready!(self.chunks.poll_recv(cx)) {
                Some(chunk) => self.chunk = chunk,
                None => return Poll::Ready(None),
            }
        }
        let size = self.chunk.len().min(PIECE);
        let left = self.between.load(Ordering::Relaxed);
        let Some(left) = left.checked_sub(size) else {
            return Poll::Ready(Some(Err(io::ErrorKind::QuotaExceeded.into())));
        };
        self.between.store(left, Ordering::Relaxed);
        self.rests = true;
        Poll::Ready(Some(Ok(self.chunk.split_to(size))))
    }
}

#[cfg(test)]
mod tests;
