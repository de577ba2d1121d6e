//! Resumable uploads: a session, and chunks put into it in order. What was interrupted goes on from where the
//! session says that it got to, so that a message is neither lost nor taken twice.

use std::{
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use email_provider::{ByteStream, Call, ErrorKind, ProviderError, ProviderResult};
use futures::{StreamExt as _, stream};
use http_body_util::BodyExt as _;
use hyper::{
    HeaderMap, Method as HttpMethod, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE},
};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout};
use url::Url;

use super::{
    Api, Failure, Upload,
    by_hand::{LARGEST_REFUSAL, begun, gathered},
    outgo::{Outgo, Watched},
    upload::{JSON, accepted},
};
use crate::error::{self, Effect};

/// Octets of a chunk: a multiple of 256 KiB, as the vendor asks.
const CHUNK: u64 = 4 << 20;
/// How long one chunk may take before the session is asked what has become of it.
const PATIENCE: Duration = Duration::from_secs(60);
/// Interruptions in a row, without anything getting further.
const MOST_INTERRUPTIONS: u32 = 6;
/// Before the session is asked; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// An upload under way.
struct Session<'a> {
    upload: &'a Upload,
    length: u64,
    /// Where chunks go: an address of the API's own.
    address: String,
    outgo: Arc<Outgo>,
    /// The message, where what was read of it last arrived.
    source: Arc<Mutex<Option<Source>>>,
}

/// What a request of a session led to.
enum Step<T> {
    /// All of the message was taken.
    Done(Option<T>),
    /// So much of it has arrived.
    Arrived(u64),
    /// Not known.
    Interrupted,
}

impl Api {
    pub(super) async fn upload_in_session<T: DeserializeOwned>(
        &self,
        call: Call,
        upload: &Upload,
    ) -> ProviderResult<Option<T>> {
        let session = Session {
            upload,
            length: upload.length(),
            address: self.begin_session(call, upload).await?,
            outgo: Arc::default(),
            source: Arc::default(),
        };
        let (mut at, mut sent) = (0, 0);
        let mut interruptions = 0;
        let mut is_known = true;
        loop {
            let step = match is_known {
                true => {
                    let end = session.length.min(at + CHUNK);
                    sent = sent.max(end);
                    self.put(call, &session, Some(at..end)).await?
                }
                false => self.put(call, &session, None).await?,
            };
            match step {
                Step::Done(answer) => return Ok(answer),
                // An answer that is none.
                Step::Arrived(arrived) if arrived > sent => {
                    return Err(error::lost(session.outgo.close()));
                }
                Step::Arrived(arrived) if arrived < session.length => {
                    if arrived > at {
                        interruptions = 0;
                    } else if is_known {
                        interruptions += 1;
                    }
                    (at, is_known) = (arrived, true);
                }
                // What has arrived to its end, and was not answered for yet, is interrupted too.
                Step::Arrived(_) | Step::Interrupted => {
                    interruptions += 1;
                    is_known = false;
                    let wait = FIRST_WAIT * 2_u32.pow(interruptions.min(MOST_INTERRUPTIONS) - 1);
                    if Instant::now() + wait >= call.deadline {
                        return Err(error::late(session.outgo.close()));
                    }
                    sleep(wait).await;
                }
            }
            if interruptions > MOST_INTERRUPTIONS {
                return Err(error::lost(session.outgo.close()));
            }
        }
    }

    /// Begins a session, which takes no effect by itself; where its chunks go.
    async fn begin_session(&self, call: Call, upload: &Upload) -> ProviderResult<String> {
        let units = self.0.quota.units(upload.method);
        let address = self.below(&format!(
            "resumable/upload/{}?uploadType=resumable&fields={}",
            upload.path, upload.fields
        ));
        let json = upload.metadata.to_string();
        let send = |token: SecretString| {
            let request = begun(&token, &upload.verb, &address)
                .header(CONTENT_TYPE, JSON)
                .header("X-Upload-Content-Type", "message/rfc822")
                .header("X-Upload-Content-Length", upload.length())
                .body(google_apis_common::to_body(Some(json.clone())));
            async move {
                let request = request.map_err(|_| Failure::Unreadable)?;
                let answer = self.0.client.request(request).await?;
                if !answer.status().is_success() {
                    return Err(self.refused(answer).await);
                }
                let headers = answer.headers().clone();
                gathered(answer, LARGEST_REFUSAL).await?;
                Ok(headers)
            }
        };
        let headers: HeaderMap = self.attempt(call, units, Effect::None, send).await?;
        let location = headers.get(LOCATION).and_then(|to| to.to_str().ok());
        location.and_then(|to| self.own_address(to)).ok_or_else(|| {
            ProviderError::new(
                ErrorKind::Unexpected,
                "the mailbox wants a message to be sent to another server",
            )
        })
    }

    /// An address of the server that the API is at: no token and no message goes to any other.
    fn own_address(&self, to: &str) -> Option<String> {
        let own = Url::parse(&self.0.root).ok()?;
        let to = own.join(to).ok()?;
        (to.origin() == own.origin() && to.username().is_empty()).then(|| to.into())
    }

    /// Puts a chunk, or asks how far the session got.
    async fn put<T: DeserializeOwned>(
        &self,
        call: Call,
        session: &Session<'_>,
        chunk: Option<Range<u64>>,
    ) -> ProviderResult<Step<T>> {
        let range = match &chunk {
            Some(chunk) => format!("bytes {}-{}/{}", chunk.start, chunk.end - 1, session.length),
            None => format!("bytes */{}", session.length),
        };
        let send = |token: SecretString| {
            let body = session.body(chunk.clone());
            let request = begun(&token, &HttpMethod::PUT, &session.address)
                .header(CONTENT_TYPE, "message/rfc822")
                .header(CONTENT_RANGE, &range)
                .body(body.boxed());
            async move {
                let request = request.map_err(|_| Failure::Unreadable)?;
                let answer = match timeout(PATIENCE, self.0.client.request(request)).await {
                    Err(_) => return Ok(Step::Interrupted),
                    Ok(Ok(answer)) => answer,
                    Ok(Err(error)) => {
                        return match session.outgo.cause(error.into()) {
                            Failure::Lost
                            | Failure::Unreached {
                                is_forbidden: false,
                            } => Ok(Step::Interrupted),
                            failure => Err(failure),
                        };
                    }
                };
                self.step(call, answer).await
            }
        };
        let before = session.outgo.effect();
        let put = self.attempt_watched(call, 0, || session.outgo.close(), send);
        put.await
            .map_err(|error| session.ended(error, before, chunk.is_some()))
    }

    async fn step<T: DeserializeOwned>(
        &self,
        call: Call,
        answer: Response<Incoming>,
    ) -> Result<Step<T>, Failure> {
        match answer.status() {
            status if status.is_success() => Ok(Step::Done(accepted(call, answer).await)),
            StatusCode::PERMANENT_REDIRECT => {
                let arrived = arrived(answer.headers()).ok_or(Failure::Unreadable)?;
                // Read to its end, so that the connection can be used again.
                gathered(answer, LARGEST_REFUSAL).await.ok();
                Ok(Step::Arrived(arrived))
            }
            status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
                Ok(Step::Interrupted)
            }
            _ => Err(self.refused(answer).await),
        }
    }
}

/// How much of the upload the server has: `Range: bytes=0-41` of 42 octets, no `Range` of none.
fn arrived(headers: &HeaderMap) -> Option<u64> {
    let Some(range) = headers.get(RANGE) else {
        return Some(0);
    };
    let range = range.to_str().ok()?;
    let last = range
        .strip_prefix("bytes=0-")
        .or_else(|| range.strip_prefix("0-"))?;
    last.parse::<u64>().ok()?.checked_add(1)
}

impl Session<'_> {
    /// A failure that ends the upload. Once all of the message has left, nothing but a refusal of its last
    /// chunk is a proof.
    fn ended(&self, error: ProviderError, before: Effect, is_chunk: bool) -> ProviderError {
        let is_gone = error.kind == ErrorKind::NotFound;
        let is_refusal = matches!(error.kind, ErrorKind::Invalid | ErrorKind::Forbidden);
        let now = self.outgo.effect();
        let is_proof = match (before, now) {
            (Effect::Write, _) => is_chunk && is_refusal,
            (Effect::None, _) => !is_gone,
        };
        match is_proof {
            true => error,
            false => error::lost(now).with_source(error),
        }
    }

    fn body(&self, chunk: Option<Range<u64>>) -> Watched {
        let Some(chunk) = chunk else {
            return Watched::new(stream::empty().boxed(), 0, false, &self.outgo);
        };
        let (length, is_last) = (chunk.end - chunk.start, chunk.end == self.length);
        Watched::new(self.pieces(chunk), length, is_last, &self.outgo)
    }

    /// A stretch of the message. Where it is the one after what was read last, nothing is read twice.
    fn pieces(&self, stretch: Range<u64>) -> ByteStream {
        let kept = self.kept().take();
        let source = match kept {
            Some(source) if source.at == stretch.start => source,
            _ => Source {
                stream: self.upload.read(),
                held: Bytes::new(),
                at: 0,
            },
        };
        let slot = Arc::clone(&self.source);
        let begin = (Some(source), slot);
        stream::unfold(begin, move |(source, slot)| {
            let stretch = stretch.clone();
            async move {
                let mut source = source?;
                if source.at >= stretch.end {
                    return None;
                }
                let piece = source.next(&stretch).await?;
                if source.at < stretch.end {
                    return Some((piece, (Some(source), slot)));
                }
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(source);
                Some((piece, (None, slot)))
            }
        })
        .boxed()
    }

    fn kept(&self) -> MutexGuard<'_, Option<Source>> {
        let kept = self.source.lock();
        kept.unwrap_or_else(PoisonError::into_inner)
    }
}

/// A message being read.
struct Source {
    stream: ByteStream,
    /// Read, and not given yet.
    held: Bytes,
    /// Octets given or passed over.
    at: u64,
}

impl Source {
    /// The next piece of a stretch; what lies before it is passed over.
    async fn next(&mut self, stretch: &Range<u64>) -> Option<ProviderResult<Bytes>> {
        loop {
            if self.held.is_empty() {
                match self.stream.next().await? {
                    Ok(piece) => self.held = piece,
                    Err(error) => return Some(Err(error)),
                }
            }
            let is_before = self.at < stretch.start;
            let until = if is_before {
                stretch.start
            } else {
                stretch.end
            };
            let most = usize::try_from(until - self.at).unwrap_or(usize::MAX);
            let piece = self.held.split_to(most.min(self.held.len()));
            self.at += u64::try_from(piece.len()).unwrap_or(u64::MAX);
            if !is_before && !piece.is_empty() {
                return Some(Ok(piece));
            }
        }
    }
}
