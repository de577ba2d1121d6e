//! Messages handed over: <https://developers.google.com/workspace/gmail/api/guides/uploads>.
//!
//! They are read while they are sent. A small one is one request, a large one a session ([`super::session`]).

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use email_provider::{ByteStream, Call, MessageCopy, MessageOctets, ProviderResult};
use futures::{StreamExt as _, stream};
use http_body_util::BodyExt as _;
use hyper::{Method as HttpMethod, Response, body::Incoming, header::CONTENT_TYPE};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, timeout};

use super::{
    Api, Failure,
    by_hand::{LARGEST_REFUSAL, begun, gathered, parsed},
    outgo::{Outgo, Watched},
};
use crate::{error, quota::Method};

/// Largest message that the API takes: <https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/send>.
pub(crate) const LARGEST_MESSAGE: u64 = 36_700_160;
/// What the vendor calls small: such a message is one request.
const SMALL: u64 = 5 << 20;
/// How long the rest of an answer may take whose status is known.
const PATIENCE: Duration = Duration::from_secs(5);
pub(super) const JSON: &str = "application/json; charset=UTF-8";

/// A message to be handed over.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    /// What it costs.
    pub method: Method,
    pub verb: HttpMethod,
    /// Below the root of the API, without the upload's own beginning; every part of it checked.
    pub path: String,
    /// Which fields of the answer are wanted.
    pub fields: &'static str,
    /// What goes with it.
    pub metadata: Value,
    /// The sender's copy of it is sent: the API takes the recipients from the header, `Bcc` included.
    pub octets: Arc<dyn MessageOctets>,
}

impl Upload {
    pub(super) fn length(&self) -> u64 {
        self.octets.length(MessageCopy::Kept)
    }

    pub(super) fn read(&self) -> ByteStream {
        self.octets.read(MessageCopy::Kept)
    }
}

impl Api {
    /// Hands a message over. `None`: it was taken, but the answer cannot be read. `OutcomeUnknown` only where
    /// all of it may have arrived.
    pub(crate) async fn upload<T: DeserializeOwned>(
        &self,
        call: Call,
        upload: &Upload,
    ) -> ProviderResult<Option<T>> {
        if upload.length() > LARGEST_MESSAGE {
            return Err(error::invalid(
                "the message is larger than the mailbox takes",
            ));
        }
        match upload.length() <= SMALL {
            true => self.upload_at_once(call, upload).await,
            false => self.upload_in_session(call, upload).await,
        }
    }

    /// JSON that takes effect as a message does.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        call: Call,
        method: Method,
        path: &str,
        json: &Value,
    ) -> ProviderResult<Option<T>> {
        let address = self.below(path);
        let json = Bytes::from(json.to_string());
        let body = || (JSON.to_owned(), stream::iter([Ok(json.clone())]).boxed());
        let length = octets(&json);
        self.carry(call, method, &HttpMethod::POST, &address, length, body)
            .await
    }

    /// The message and what goes with it as `multipart/related` (RFC 2387).
    async fn upload_at_once<T: DeserializeOwned>(
        &self,
        call: Call,
        upload: &Upload,
    ) -> ProviderResult<Option<T>> {
        let address = self.below(&format!(
            "upload/{}?uploadType=multipart&fields={}",
            upload.path, upload.fields
        ));
        // 128 random bits, which no message holds by chance or on purpose.
        let boundary = format!("upload_{:032x}", rand::random::<u128>());
        let before = Bytes::from(format!(
            "--{boundary}\r\nContent-Type: {JSON}\r\n\r\n{}\r\n\
             --{boundary}\r\nContent-Type: message/rfc822\r\n\r\n",
            upload.metadata
        ));
        let after = Bytes::from(format!("\r\n--{boundary}--\r\n"));
        let length = octets(&before) + upload.length() + octets(&after);
        let body = || {
            let message = upload.read();
            let begin = stream::iter([Ok(before.clone())]);
            let body = begin
                .chain(message)
                .chain(stream::iter([Ok(after.clone())]));
            let content_type = format!("multipart/related; boundary={boundary}");
            (content_type, body.boxed())
        };
        let verb = &upload.verb;
        self.carry(call, upload.method, verb, &address, length, body)
            .await
    }

    async fn carry<T: DeserializeOwned>(
        &self,
        call: Call,
        method: Method,
        verb: &HttpMethod,
        address: &str,
        length: u64,
        body: impl Fn() -> (String, ByteStream),
    ) -> ProviderResult<Option<T>> {
        let outgo = Arc::new(Outgo::default());
        let units = self.0.quota.units(method);
        let send = |token: SecretString| {
            let (content_type, pieces) = body();
            let body = Watched::new(pieces, length, true, &outgo);
            let request = begun(&token, verb, address).header(CONTENT_TYPE, content_type);
            let request = request.body(body.boxed());
            let outgo = &outgo;
            async move {
                let request = request.map_err(|_| Failure::Unreadable)?;
                let answer = self.0.client.request(request).await;
                let answer = answer.map_err(|error| outgo.cause(error.into()))?;
                match answer.status().is_success() {
                    true => Ok(accepted(call, answer).await),
                    false => Err(self.refused(answer).await),
                }
            }
        };
        self.attempt_watched(call, units, || outgo.close(), send)
            .await
    }
}

/// What an answer of success tells, if it can be read before the call ends.
pub(super) async fn accepted<T: DeserializeOwned>(
    call: Call,
    answer: Response<Incoming>,
) -> Option<T> {
    let left = call.deadline.saturating_duration_since(Instant::now());
    let body = timeout(PATIENCE.min(left / 2), gathered(answer, LARGEST_REFUSAL)).await;
    parsed(&body.ok()?.ok()?).ok()
}

fn octets(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
