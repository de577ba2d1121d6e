//! The multipart skeleton.

use std::borrow::Cow;

use bytes::Bytes;
use email_model::{Body, BodyType};

use super::{
    chunks::Piece,
    files::File,
    text_part::{self, EncodedText},
};
use crate::body_as;

/// A part and what it holds.
#[derive(Debug)]
pub(super) enum Node {
    Text {
        subtype: &'static str,
        text: EncodedText,
    },
    File(File),
    Multipart {
        subtype: &'static str,
        /// Further parameters of the content type.
        parameters: &'static str,
        boundary: String,
        parts: Vec<Node>,
    },
}

/// The parts of a message: the text, with alternatives if there is HTML; what the HTML shows, beside it
/// (RFC 2387); then the files.
///
/// `seed` makes the boundaries. They begin with `=_`, which neither quoted-printable nor base64 can
/// hold, so that none stands within a part (RFC 2045 section 6.7).
pub(super) fn plan(body: &Body, files: Vec<File>, seed: &str) -> Node {
    let boundary = |level: &str| format!("=_{level}_{seed}");
    let html = body.html.as_deref();
    let (related, mixed): (Vec<File>, Vec<File>) = files
        .into_iter()
        .partition(|file| html.is_some() && file.is_related());
    let mut root = match html {
        Some(html) => {
            let mut shown = text_node("html", html);
            if !related.is_empty() {
                shown = Node::Multipart {
                    subtype: "related",
                    parameters: "; type=\"text/html\"",
                    boundary: boundary("related"),
                    parts: std::iter::once(shown)
                        .chain(related.into_iter().map(Node::File))
                        .collect(),
                };
            }
            let text = match &body.text {
                Some(text) => Some(Cow::Borrowed(text.as_str())),
                // HTML that is an image alone has no text.
                None => body_as(body, BodyType::Text)
                    .filter(|made| !made.trim().is_empty())
                    .map(Cow::Owned),
            };
            match text {
                Some(text) => Node::Multipart {
                    subtype: "alternative",
                    parameters: "",
                    boundary: boundary("alternative"),
                    parts: vec![text_node("plain", &text), shown],
                },
                None => shown,
            }
        }
        None => text_node("plain", body.text.as_deref().unwrap_or_default()),
    };
    if !mixed.is_empty() {
        root = Node::Multipart {
            subtype: "mixed",
            parameters: "",
            boundary: boundary("mixed"),
            parts: std::iter::once(root)
                .chain(mixed.into_iter().map(Node::File))
                .collect(),
        };
    }
    root
}

fn text_node(subtype: &'static str, text: &str) -> Node {
    Node::Text {
        subtype,
        text: text_part::encode(text),
    }
}

impl Node {
    /// The header of the part, each field with its line break.
    pub(super) fn header(&self) -> String {
        match self {
            Self::Text { subtype, text } => format!(
                "Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {}\r\n",
                text.encoding
            ),
            Self::File(file) => file.header(),
            Self::Multipart {
                subtype,
                parameters,
                boundary,
                ..
            } => {
                format!(
                    "Content-Type: multipart/{subtype}{parameters};\r\n boundary=\"{boundary}\"\r\n"
                )
            }
        }
    }

    /// The content of the whole message, which ends with a line break as the transport wants it.
    pub(super) fn into_pieces(self) -> Vec<Piece> {
        let mut pieces = Pieces::default();
        self.write(&mut pieces);
        if !pieces.open.is_empty() && !pieces.open.ends_with("\r\n") {
            pieces.open.push_str("\r\n");
        }
        pieces.close();
        pieces.done
    }

    fn write(self, pieces: &mut Pieces) {
        match self {
            Self::Text { text, .. } => pieces.open.push_str(&text.octets),
            Self::File(file) => {
                pieces.close();
                pieces.done.push(Piece::File(file.content));
            }
            Self::Multipart {
                boundary, parts, ..
            } => {
                for (index, part) in parts.into_iter().enumerate() {
                    // The line break before a boundary belongs to it (RFC 2046 section 5.1.1).
                    let before = if index == 0 { "--" } else { "\r\n--" };
                    pieces.open.push_str(before);
                    pieces.open.push_str(&boundary);
                    pieces.open.push_str("\r\n");
                    pieces.open.push_str(&part.header());
                    pieces.open.push_str("\r\n");
                    part.write(pieces);
                }
                pieces.open.push_str("\r\n--");
                pieces.open.push_str(&boundary);
                pieces.open.push_str("--\r\n");
            }
        }
    }
}

#[derive(Default)]
struct Pieces {
    done: Vec<Piece>,
    open: String,
}

impl Pieces {
    fn close(&mut self) {
        if !self.open.is_empty() {
            let open = std::mem::take(&mut self.open);
            self.done.push(Piece::Octets(Bytes::from(open)));
        }
    }
}
