//! Messages as clients send them, with attachments of any size: read as they arrive, in bounded memory, large attachments
//! into files.

mod base64_text;
mod contents;
mod feed;
mod form;
mod inbound;
mod json;
mod places;
mod spool;

use std::{panic, sync::Arc};

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
};
use bytes::{Bytes, BytesMut};
use email_model::AttachmentContent;
use gateway_operations::{AccountId, Held};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::{self, Receiver, Sender};

pub(crate) use form::FilePart;

use self::{contents::Contents, feed::Feed, inbound::Inbound, places::Places, spool::Spool};
use crate::{
    app::HttpOptions,
    error::{ApiError, ApiResult},
};

/// Bodies up to this size, in octets, are collected before they are read, so that no thread waits for their clients.
const SMALL: usize = 256 << 10;

/// Chunks of a body between its connection and its reader.
const AHEAD: usize = 2;

/// Takes messages in.
#[derive(Clone, Debug)]
pub(crate) struct Uploads(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    largest: u64,
    places: Places,
    spool: Arc<Spool>,
}

/// A message that was taken in.
#[derive(Debug)]
pub(crate) struct Received {
    /// Its JSON. Contents of attachments are numbers into `contents`.
    pub(crate) message: Value,
    /// Files beside it.
    pub(crate) files: Vec<FilePart>,
    /// Contents of all attachments.
    pub(crate) contents: Vec<AttachmentContent>,
    /// Holds the files that contents are in.
    pub(crate) holds: Held,
    /// The digest that was begun, with the body.
    pub(crate) digest: Option<[u8; 32]>,
}

/// How a body is written.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Format {
    Json,
    Form { boundary: String },
}

impl Uploads {
    /// As the options say.
    pub(crate) fn new(options: &HttpOptions) -> Self {
        let parent = options.spool_dir.clone();
        let parent = parent.unwrap_or_else(std::env::temp_dir);
        let spool = Arc::new(Spool::new(parent, options.spool_bytes));
        if let Err(error) = spool.prepare() {
            tracing::error!(%error, "there is no directory for large attachments");
        }
        Self(Arc::new(Inner {
            largest: options.send_bytes,
            places: Places::new(
                options.uploads,
                options.uploads_per_account,
                options.longest_wait,
            ),
            spool,
        }))
    }

    /// Takes a message of this account in. Where a digest was begun, the body goes into it.
    pub(crate) async fn receive(
        &self,
        account: AccountId,
        headers: &HeaderMap,
        body: Body,
        digest: Option<Sha256>,
    ) -> ApiResult<Received> {
        let mut inbound = Inbound::new(body, self.0.largest);
        let received = self.read(account, headers, &mut inbound, digest).await;
        if received.is_err() {
            inbound.discard();
        }
        received
    }

    async fn read(
        &self,
        account: AccountId,
        headers: &HeaderMap,
        inbound: &mut Inbound,
        digest: Option<Sha256>,
    ) -> ApiResult<Received> {
        let format = Format::of(headers)?;
        inbound.check(headers)?;
        let head = Head::of(inbound).await?;
        let _place = match head.complete {
            true => None,
            false => Some(self.0.places.take(account).await?),
        };
        let (sender, chunks) = mpsc::channel(AHEAD);
        let spool = Arc::clone(&self.0.spool);
        let mut reading = tokio::task::spawn_blocking(move || read(format, chunks, digest, spool));
        tokio::select! {
            // What the reader makes of a body that broke off is no news.
            biased;
            passed = pass_on(head, inbound, sender) => passed?,
            read = &mut reading => return joined(read),
        }
        joined(reading.await)
    }
}

fn joined(read: Result<ApiResult<Received>, tokio::task::JoinError>) -> ApiResult<Received> {
    read.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => panic::resume_unwind(panic),
        Err(_) => Err(ApiError::internal()),
    })
}

/// The beginning of a body, or all of it.
struct Head {
    octets: Bytes,
    complete: bool,
}

impl Head {
    async fn of(inbound: &mut Inbound) -> ApiResult<Self> {
        let mut octets = BytesMut::new();
        while octets.len() <= SMALL {
            match inbound.next().await? {
                Some(chunk) => octets.extend_from_slice(&chunk),
                None => {
                    let octets = octets.freeze();
                    return Ok(Self {
                        octets,
                        complete: true,
                    });
                }
            }
        }
        Ok(Self {
            octets: octets.freeze(),
            complete: false,
        })
    }
}

async fn pass_on(head: Head, inbound: &mut Inbound, chunks: Sender<Bytes>) -> ApiResult<()> {
    // A reader that has ended tells itself why.
    if chunks.send(head.octets).await.is_err() || head.complete {
        return Ok(());
    }
    while let Some(chunk) = inbound.next().await? {
        if chunks.send(chunk).await.is_err() {
            break;
        }
    }
    Ok(())
}

fn read(
    format: Format,
    chunks: Receiver<Bytes>,
    mut digest: Option<Sha256>,
    spool: Arc<Spool>,
) -> ApiResult<Received> {
    let mut contents = Contents::new(spool);
    let (message, files);
    match format {
        Format::Json => {
            let mut feed = Feed::new(chunks, digest);
            message = match feed.is_blank() {
                true => Value::Object(Map::new()),
                false => json::read(&mut feed, &mut contents)?,
            };
            files = Vec::new();
            digest = feed.digest();
        }
        Format::Form { boundary } => {
            let form = form::read(chunks, boundary, digest, &mut contents)?;
            (message, files, digest) = (form.message, form.files, form.digest);
        }
    }
    let (contents, holds) = contents.done();
    Ok(Received {
        message,
        files,
        contents,
        holds,
        digest: digest.map(|digest| digest.finalize().into()),
    })
}

impl Format {
    fn of(headers: &HeaderMap) -> ApiResult<Self> {
        let encoding = headers.get(header::CONTENT_ENCODING);
        if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(ApiError::unsupported("a body has no Content-Encoding"));
        }
        if crate::extract::says_json(headers) {
            return Ok(Self::Json);
        }
        let content_type = headers.get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        match multer::parse_boundary(content_type.unwrap_or_default()) {
            Ok(boundary) => Ok(Self::Form { boundary }),
            Err(multer::Error::NoBoundary) => {
                Err(ApiError::bad_request("the form's type has no boundary"))
            }
            Err(_) => Err(ApiError::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE)),
        }
    }
}

#[cfg(test)]
mod tests;
