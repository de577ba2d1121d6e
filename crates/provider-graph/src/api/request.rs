//! One request, as it goes over the wire.

use bytes::Bytes;
use reqwest::{
    Method, Request, Response,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, IF_MATCH, RETRY_AFTER},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Api, Failure};
use crate::{address::Address, error::Refusal, transport::gathered};

/// Largest answer that is gathered in memory, in octets: texts of a message, a page, a batch.
pub(super) const LARGEST_GATHERED: usize = 48 << 20;
/// Largest refusal.
const LARGEST_REFUSAL: usize = 64 << 10;
/// The header.
pub(super) const PREFER: &str = "Prefer";

/// What every request asks for besides its answer: ids that stay, and pages of a size. Links do not carry either along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prefer {
    page: usize,
    body: Option<BodyFormat>,
}

/// In which form bodies come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BodyFormat {
    /// As the sender wrote it, nothing taken out.
    Own,
    /// As text.
    Text,
}

impl Default for Prefer {
    fn default() -> Self {
        Self::page(100)
    }
}

impl Prefer {
    /// Most items of a page.
    pub(crate) const LARGEST_PAGE: usize = 1_000;

    /// Pages of this size.
    pub(crate) fn page(size: usize) -> Self {
        Self {
            page: size.clamp(1, Self::LARGEST_PAGE),
            body: None,
        }
    }

    /// Bodies as they are.
    pub(crate) fn own_bodies() -> Self {
        Self {
            body: Some(BodyFormat::Own),
            ..Self::default()
        }
    }

    /// Bodies as text.
    pub(crate) fn texts() -> Self {
        Self {
            body: Some(BodyFormat::Text),
            ..Self::default()
        }
    }

    /// The header's value (RFC 7240).
    pub(super) fn value(self) -> String {
        let format = match self.body {
            None => "",
            Some(BodyFormat::Own) => ", outlook.allow-unsafe-html",
            Some(BodyFormat::Text) => ", outlook.body-content-type=\"text\"",
        };
        format!(
            "IdType=\"ImmutableId\", odata.maxpagesize={}{format}",
            self.page
        )
    }
}

/// What is sent.
pub(super) struct Sent {
    pub method: Method,
    pub address: Address,
    pub prefer: Prefer,
    pub body: Option<Body>,
    /// The version that is changed, and no other: its `changeKey`.
    pub version: Option<String>,
}

/// What is sent along.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// JSON.
    Json(Bytes),
    /// A message as MIME, in base64: <https://learn.microsoft.com/graph/outlook-send-mime-message>.
    Mime(Bytes),
}

impl Body {
    pub(crate) fn json(value: &Value) -> Self {
        Self::Json(value.to_string().into())
    }
}

impl Sent {
    pub(super) fn get(address: Address, prefer: Prefer) -> Self {
        Self {
            method: Method::GET,
            address,
            prefer,
            body: None,
            version: None,
        }
    }
}

impl Api {
    /// Sends; an answer that is no success is a failure.
    pub(super) async fn send(
        &self,
        token: &SecretString,
        sent: &Sent,
    ) -> Result<Response, Failure> {
        let url = self.0.root.at(&sent.address);
        let url = url.map_err(|_| Failure::Unreadable)?;
        let mut request = Request::new(sent.method.clone(), url);
        let bearer = format!("Bearer {}", token.expose_secret());
        let mut bearer = HeaderValue::try_from(bearer).map_err(|_| Failure::Unreadable)?;
        bearer.set_sensitive(true);
        let prefer = HeaderValue::try_from(sent.prefer.value());
        let prefer = prefer.map_err(|_| Failure::Unreadable)?;
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, bearer);
        headers.insert(PREFER, prefer);
        if let Some(version) = &sent.version {
            let tag = HeaderValue::try_from(format!("W/\"{version}\""));
            headers.insert(IF_MATCH, tag.map_err(|_| Failure::Unreadable)?);
        }
        if let Some(body) = &sent.body {
            let (kind, octets) = match body {
                Body::Json(octets) => ("application/json", octets),
                Body::Mime(octets) => ("text/plain", octets),
            };
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            *request.body_mut() = Some(octets.clone().into());
        }
        let answer = self.0.transport.send(request).await?;
        self.accepted(answer).await
    }

    /// An answer that is no success is a failure.
    pub(super) async fn accepted(&self, answer: Response) -> Result<Response, Failure> {
        if answer.status().is_success() {
            return Ok(answer);
        }
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = gathered(answer, LARGEST_REFUSAL).await.unwrap_or_default();
        let header = headers.get(RETRY_AFTER);
        let header = header.and_then(|value| value.to_str().ok());
        let body = serde_json::from_slice(&body).ok();
        let refusal = Refusal::new(status, header, body.as_ref(), self.now());
        Err(Failure::Refused(refusal))
    }
}

/// JSON; what ends too early was cut off.
pub(super) fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| match error.is_eof() {
        true => Failure::Lost,
        false => Failure::Unreadable,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_stay_are_always_asked_for() {
        for prefer in [
            Prefer::default(),
            Prefer::page(0),
            Prefer::own_bodies(),
            Prefer::texts(),
        ] {
            assert!(
                prefer
                    .value()
                    .starts_with("IdType=\"ImmutableId\", odata.maxpagesize=")
            );
        }
        assert!(Prefer::page(9_999).value().ends_with("=1000"));
        assert!(
            Prefer::texts()
                .value()
                .ends_with("outlook.body-content-type=\"text\"")
        );
    }
}
