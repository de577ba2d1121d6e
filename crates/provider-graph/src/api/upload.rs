//! The octets of a large attachment go to an address of their own, in order, a range at a time:
//! <https://learn.microsoft.com/graph/outlook-large-attachments>.
//!
//! The address names another host and is a secret: it gives access by itself, and no token goes there.

use std::time::Duration;

use bytes::Bytes;
use email_provider::{Call, ProviderError, ProviderResult};
use reqwest::{
    Method, Request, Response, StatusCode,
    header::{CONTENT_RANGE, CONTENT_TYPE, HeaderValue},
};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{Api, Failure, Wish, request::parsed};
use crate::{
    error::{self, Effect},
    transport::gathered,
};

/// How long a range may take before it is looked for what became of it.
const PATIENCE: Duration = Duration::from_secs(60);
/// Largest answer, in octets.
const LARGEST_ANSWER: usize = 64 << 10;

/// A range of the octets.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    pub octets: Bytes,
    pub start: u64,
    /// Octets of the whole.
    pub total: u64,
}

/// How far an upload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Uploaded {
    /// All of it is there and attached.
    All,
    /// It goes on at this octet, where the server said so.
    UpTo(Option<u64>),
    /// There is no such upload (any more).
    Gone,
}

/// Why a range was not taken.
#[derive(Debug)]
pub(crate) enum Interrupted {
    /// It may have been: the server is to be asked how far the upload is.
    Perhaps(ProviderError),
    /// For good.
    Never(ProviderError),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Progress {
    #[serde(default)]
    next_expected_ranges: Vec<String>,
}

impl Api {
    /// An address that octets go to, as the API gave it.
    pub(crate) fn upload_url(&self, text: &str) -> ProviderResult<Url> {
        self.0.root.upload(text)
    }

    /// Sends a range.
    pub(crate) async fn upload(
        &self,
        call: Call,
        url: &Url,
        chunk: &Chunk,
    ) -> Result<Uploaded, Interrupted> {
        let mut request = Request::new(Method::PUT, url.clone());
        let end = chunk.start + chunk.octets.len() as u64;
        let range = format!(
            "bytes {}-{}/{}",
            chunk.start,
            end.saturating_sub(1),
            chunk.total
        );
        // Digits and ASCII are a header's value.
        let range = HeaderValue::try_from(range).unwrap_or(HeaderValue::from_static(""));
        request.headers_mut().insert(CONTENT_RANGE, range);
        let kind = HeaderValue::from_static("application/octet-stream");
        request.headers_mut().insert(CONTENT_TYPE, kind);
        *request.body_mut() = Some(chunk.octets.clone().into());
        self.without_token(call, request).await
    }

    /// Asks how far an upload is.
    pub(crate) async fn uploaded(&self, call: Call, url: &Url) -> Result<Uploaded, Interrupted> {
        let request = Request::new(Method::GET, url.clone());
        self.without_token(call, request).await
    }

    async fn without_token(&self, call: Call, request: Request) -> Result<Uploaded, Interrupted> {
        let paid = self
            .pay(call, Wish::One)
            .await
            .map_err(Interrupted::Never)?;
        let deadline = call.deadline.min(Instant::now() + PATIENCE);
        let sent = timeout_at(deadline, self.sent_without_token(request)).await;
        drop(paid);
        match sent {
            Err(_) if Instant::now() >= call.deadline => {
                Err(Interrupted::Never(error::late(Effect::None)))
            }
            Err(_) => Err(Interrupted::Perhaps(error::late(Effect::None))),
            Ok(Ok(progress)) => Ok(progress),
            Ok(Err(failure)) => Err(self.interrupted(failure)),
        }
    }

    async fn sent_without_token(&self, request: Request) -> Result<Uploaded, Failure> {
        let answer = self.0.transport.send(request).await?;
        let answer = match self.accepted(answer).await {
            Err(Failure::Refused(refusal)) if matches!(refusal.status, 404 | 410) => {
                return Ok(Uploaded::Gone);
            }
            answer => answer?,
        };
        progress(answer).await
    }

    fn interrupted(&self, failure: Failure) -> Interrupted {
        let may_pass = match &failure {
            Failure::Lost | Failure::Unreadable => true,
            Failure::Unreached { is_forbidden } => !is_forbidden,
            // A range that is not the next one: the server knows which is.
            Failure::Refused(refusal) => matches!(refusal.status, 408 | 409 | 416 | 429 | 500..),
        };
        let error = self.note(failure, Effect::None);
        match may_pass {
            true => Interrupted::Perhaps(error),
            false => Interrupted::Never(error),
        }
    }
}

async fn progress(answer: Response) -> Result<Uploaded, Failure> {
    if answer.status() == StatusCode::CREATED {
        return Ok(Uploaded::All);
    }
    let body = gathered(answer, LARGEST_ANSWER).await?;
    let progress: Progress = parsed(&body)?;
    Ok(Uploaded::UpTo(next(&progress.next_expected_ranges)))
}

/// Where the first missing range begins: `4194304-`, `4194304-8388607` or the number alone.
fn next(ranges: &[String]) -> Option<u64> {
    let first = ranges.first()?;
    first.split('-').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_range_is_told_in_several_forms() {
        let next = |range: &str| next(&[range.to_owned()]);
        assert_eq!(next("0-"), Some(0));
        assert_eq!(next("3932160-"), Some(3_932_160));
        assert_eq!(next("3932160-7864319"), Some(3_932_160));
        assert_eq!(next("3932160"), Some(3_932_160));
        assert_eq!((next(""), next("x-")), (None, None));
        assert_eq!(super::next(&[]), None);
    }
}
