//! Sends that are done once, however often they are asked for.

use axum::http::{HeaderMap, request::Parts};
use gateway_operations::Idempotency;
use sha2::{Digest as _, Sha256};

use crate::{
    error::{ApiError, ApiResult},
    wire::literals::IDEMPOTENCY_KEY_HEADER,
};

/// Longest key, in characters.
const LONGEST: usize = 255;

/// A key, and what is asked for under it so far.
#[derive(Debug)]
pub(super) struct Keyed {
    key: String,
    /// Takes the body.
    pub(super) digest: Sha256,
}

impl Keyed {
    /// `None` for a request without a key.
    pub(super) fn of(parts: &Parts) -> ApiResult<Option<Self>> {
        let keyed = |key| Self {
            key,
            digest: asked_for(parts),
        };
        Ok(key(&parts.headers)?.map(keyed))
    }

    /// The key for a body with this digest, which began as ours.
    pub(super) fn with(self, request: [u8; 32]) -> Idempotency {
        Idempotency {
            key: self.key,
            request,
        }
    }
}

fn key(headers: &HeaderMap) -> ApiResult<Option<String>> {
    let mut all = headers.get_all(IDEMPOTENCY_KEY_HEADER).iter();
    let Some(key) = all.next() else {
        return Ok(None);
    };
    let printable = |octet: &u8| (b' '..=b'~').contains(octet);
    let key = key.as_bytes();
    let text = String::from_utf8(key.to_vec()).ok();
    let good =
        all.next().is_none() && (1..=LONGEST).contains(&key.len()) && key.iter().all(printable);
    match text {
        Some(text) if good => Ok(Some(text)),
        _ => Err(ApiError::bad_request(format!(
            "{IDEMPOTENCY_KEY_HEADER} is one key of 1 to {LONGEST} printable ASCII characters"
        ))),
    }
}

/// Method, path and query, whatever the order of its fields.
fn asked_for(parts: &Parts) -> Sha256 {
    let mut digest = Sha256::new();
    framed(&mut digest, parts.method.as_str().as_bytes());
    framed(&mut digest, parts.uri.path().as_bytes());
    let query = parts.uri.query().unwrap_or_default();
    let mut fields: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
    fields.sort();
    digest.update((fields.len() as u64).to_be_bytes());
    for (name, value) in fields {
        framed(&mut digest, name.as_bytes());
        framed(&mut digest, value.as_bytes());
    }
    digest
}

/// Adds octets with their number before them, so that they end where they end.
pub(crate) fn framed(digest: &mut Sha256, octets: &[u8]) {
    digest.update((octets.len() as u64).to_be_bytes());
    digest.update(octets);
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn parts(uri: &str, keys: &[&[u8]]) -> Parts {
        let mut request = Request::post(uri);
        for key in keys {
            request = request.header(IDEMPOTENCY_KEY_HEADER, *key);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn request(uri: &str) -> [u8; 32] {
        let keyed = Keyed::of(&parts(uri, &[b"k"])).unwrap().unwrap();
        let digest = keyed.digest.clone().finalize().into();
        keyed.with(digest).request
    }

    #[test]
    fn a_key_is_one_text_of_printable_ascii() {
        let read = |keys: &[&[u8]]| Keyed::of(&parts("/", keys)).map(|k| k.map(|k| k.key));
        assert_eq!(read(&[]).unwrap(), None);
        assert_eq!(read(&[b"a b~"]).unwrap().unwrap(), "a b~");
        assert_eq!(read(&[&[b'x'; 255]]).unwrap().unwrap().len(), 255);
        for wrong in [
            &[&b""[..]][..],
            &[&[b'x'; 256]],
            &["\u{e9}".as_bytes()],
            &[b"a", b"b"],
            &[b"\t"],
        ] {
            let error = read(wrong).unwrap_err();
            assert_eq!(error.failure().status.as_u16(), 400);
        }
    }

    #[test]
    fn the_order_of_the_query_does_not_matter_and_everything_else_does() {
        let same = request("/v1/x?a=1&b=2");
        assert_eq!(same, request("/v1/x?b=2&a=1"));
        for other in [
            "/v1/y?a=1&b=2",
            "/v1/x?a=1",
            "/v1/x?a=12&b=",
            "/v1/x?a=1&b=2&b=2",
        ] {
            assert_ne!(same, request(other), "{other}");
        }
    }
}
