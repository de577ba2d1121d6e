//! Requests that the client library cannot make.

use bytes::Bytes;
use email_provider::{Call, ProviderResult};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::{
    Method as HttpMethod, Request, Response,
    body::Incoming,
    header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, USER_AGENT},
    http::request::Builder,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

use super::{Api, Failure};
use crate::{
    error::{Effect, Refusal},
    quota::Method,
};

/// Largest answer that is gathered in memory, in octets: texts of a message, a page, a batch.
const LARGEST_GATHERED: usize = 48 << 20;
/// Largest refusal.
pub(super) const LARGEST_REFUSAL: usize = 64 << 10;

/// What is sent.
pub(super) struct Sent {
    pub method: HttpMethod,
    /// Of the configuration, or below the root: every part of it checked or encoded.
    pub address: String,
    /// Body and its type.
    pub body: Option<(String, String)>,
}

impl Sent {
    fn get(address: String) -> Self {
        Self {
            method: HttpMethod::GET,
            address,
            body: None,
        }
    }
}

impl Api {
    /// Reads JSON.
    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        call: Call,
        method: Method,
        path: &str,
    ) -> ProviderResult<T> {
        let units = self.0.quota.units(method);
        self.attempt(call, units, Effect::None, |token| async move {
            let answer = self.send(&token, &Sent::get(self.below(path))).await?;
            let body = gathered(answer, LARGEST_GATHERED).await?;
            parsed(&body)
        })
        .await
    }

    /// Reads JSON from an address of the configuration, which costs nothing.
    pub(crate) async fn read_at<T: DeserializeOwned>(
        &self,
        call: Call,
        at: &Url,
    ) -> ProviderResult<T> {
        self.attempt(call, 0, Effect::None, |token| async move {
            let answer = self.send(&token, &Sent::get(at.to_string())).await?;
            parsed(&gathered(answer, LARGEST_REFUSAL).await?)
        })
        .await
    }

    /// Opens a stream: the answer's body as it arrives.
    pub(crate) async fn open(
        &self,
        call: Call,
        method: Method,
        path: &str,
    ) -> ProviderResult<Incoming> {
        let units = self.0.quota.units(method);
        self.attempt(call, units, Effect::None, |token| async move {
            let answer = self.send(&token, &Sent::get(self.below(path))).await?;
            Ok(answer.into_body())
        })
        .await
    }

    /// An address below the root.
    pub(super) fn below(&self, path: &str) -> String {
        format!("{}{path}", self.0.root)
    }

    /// Sends; an answer that is no success is a failure.
    pub(super) async fn send(
        &self,
        token: &SecretString,
        sent: &Sent,
    ) -> Result<Response<Incoming>, Failure> {
        let mut request = begun(token, &sent.method, &sent.address);
        if let Some((content_type, _)) = &sent.body {
            request = request.header(CONTENT_TYPE, content_type);
        }
        let body = sent.body.as_ref().map(|(_, body)| body.clone());
        let request = request
            .body(google_apis_common::to_body(body))
            .map_err(|_| Failure::Unreadable)?;
        let answer = self.0.client.request(request).await?;
        match answer.status().is_success() {
            true => Ok(answer),
            false => Err(self.refused(answer).await),
        }
    }

    /// What an answer that is no success says.
    pub(super) async fn refused(&self, answer: Response<Incoming>) -> Failure {
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = gathered(answer, LARGEST_REFUSAL).await.unwrap_or_default();
        let header = headers
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok());
        let body = serde_json::from_slice(&body).ok();
        let refusal = Refusal::new(status, header, body.as_ref(), self.now());
        Failure::Refused(refusal)
    }

    /// Sends, and reads the whole answer with its type.
    pub(super) async fn exchange(
        &self,
        token: &SecretString,
        sent: &Sent,
    ) -> Result<(String, Bytes), Failure> {
        let answer = self.send(token, sent).await?;
        let content_type = answer.headers().get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        Ok((content_type, gathered(answer, LARGEST_GATHERED).await?))
    }
}

/// A request as all of them begin.
pub(super) fn begun(token: &SecretString, method: &HttpMethod, address: &str) -> Builder {
    Request::builder()
        .method(method.clone())
        .uri(address)
        .header(USER_AGENT, super::USER_AGENT)
        .header(AUTHORIZATION, format!("Bearer {}", token.expose_secret()))
}

pub(super) async fn gathered(answer: Response<Incoming>, most: usize) -> Result<Bytes, Failure> {
    match Limited::new(answer.into_body(), most).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Failure::Unreadable),
        Err(_) => Err(Failure::Lost),
    }
}

/// JSON; what ends too early was cut off.
pub(super) fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| match error.is_eof() {
        true => Failure::Lost,
        false => Failure::Unreadable,
    })
}
