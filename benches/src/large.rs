//! Requests with a large attachment, made as they are sent.

use std::iter;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures::stream;
use rand::{RngCore as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use reqwest::Body;
use serde_json::json;

/// A multiple of 3, so that each piece is base64 of its own.
const PIECE: usize = 48 << 10;
const BOUNDARY: &str = "----------boundary-of-the-benchmarks";

/// A request's body.
pub struct Large {
    pub content_type: String,
    head: Bytes,
    piece: Bytes,
    pieces: usize,
    tail: Bytes,
}

impl Large {
    /// As JSON, the attachment in base64.
    pub fn json(recipient: &str, octets: u64) -> Self {
        let mut message = message(recipient, "As JSON");
        message["attachments"] = json!([{
            "name": "large.bin",
            "mimeType": "application/octet-stream",
            "content": "",
        }]);
        let text = message.to_string();
        let place = "\"content\":\"";
        let at = text.find(place).map_or(text.len(), |at| at + place.len());
        let (head, tail) = text.split_at(at);
        Self {
            content_type: "application/json".to_owned(),
            head: Bytes::copy_from_slice(head.as_bytes()),
            piece: BASE64_STANDARD.encode(piece()).into(),
            pieces: pieces(octets),
            tail: Bytes::copy_from_slice(tail.as_bytes()),
        }
    }

    /// As a form, the attachment as it is.
    pub fn form(recipient: &str, octets: u64) -> Self {
        let message = message(recipient, "As a form");
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"message\"\r\n\
             Content-Type: application/json\r\n\r\n{message}\r\n--{BOUNDARY}\r\n\
             Content-Disposition: form-data; name=\"attachments\"; filename=\"large.bin\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        Self {
            content_type: format!("multipart/form-data; boundary={BOUNDARY}"),
            head: head.into(),
            piece: piece().into(),
            pieces: pieces(octets),
            tail: format!("\r\n--{BOUNDARY}--\r\n").into(),
        }
    }

    /// Octets of the whole body.
    pub fn length(&self) -> u64 {
        (self.head.len() + self.piece.len() * self.pieces + self.tail.len()) as u64
    }

    pub fn body(self) -> Body {
        let pieces = iter::once(self.head)
            .chain(iter::repeat_n(self.piece, self.pieces))
            .chain(iter::once(self.tail));
        Body::wrap_stream(stream::iter(pieces.map(Ok::<_, std::io::Error>)))
    }
}

/// Octets that an attachment of about so many really has.
pub fn rounded(octets: u64) -> u64 {
    (pieces(octets) * PIECE) as u64
}

fn pieces(octets: u64) -> usize {
    usize::try_from(octets).map_or(usize::MAX, |octets| octets.div_ceil(PIECE))
}

fn message(recipient: &str, subject: &str) -> serde_json::Value {
    json!({
        "to": [{"address": recipient}],
        "subject": subject,
        "body": "<p>Please find it attached.</p>",
    })
}

fn piece() -> Vec<u8> {
    let mut piece = vec![0; PIECE];
    ChaCha8Rng::seed_from_u64(100).fill_bytes(&mut piece);
    piece
}
